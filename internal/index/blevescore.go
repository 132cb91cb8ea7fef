package index

import (
	"context"
	"math"
	"math/bits"
	"slices"

	"github.com/blevesearch/bleve/v2/search"
	index "github.com/blevesearch/bleve_index_api"
)

// checked looks at each match of a searcher: it may drop it or score it.
type checked struct {
	search.Searcher
	visit func(*search.DocumentMatch) (keep bool, err error)
}

// Next implements search.Searcher.
func (c *checked) Next(ctx *search.SearchContext) (*search.DocumentMatch, error) {
	d, err := c.Searcher.Next(ctx)
	return c.keep(ctx, d, err)
}

// Advance implements search.Searcher.
func (c *checked) Advance(ctx *search.SearchContext, id index.IndexInternalID) (*search.DocumentMatch, error) {
	d, err := c.Searcher.Advance(ctx, id)
	return c.keep(ctx, d, err)
}

func (c *checked) keep(ctx *search.SearchContext, d *search.DocumentMatch, err error) (*search.DocumentMatch, error) {
	for err == nil && d != nil {
		var keep bool
		if keep, err = c.visit(d); keep && err == nil {
			return d, nil
		}
		ctx.DocumentMatchPool.Put(d)
		if err == nil {
			d, err = c.Searcher.Next(ctx)
		}
	}
	return nil, err
}

// postings walks forward through the documents that have a term.
type postings struct {
	reader index.TermFieldReader
	doc    index.TermFieldDoc
	at     *index.TermFieldDoc // nil before the first and after the last
	done   bool
}

func openPostings(ctx context.Context, r index.IndexReader, field, term string, positions bool) (*postings, error) {
	tfr, err := r.TermFieldReader(ctx, []byte(term), field, true, true, positions)
	if err != nil {
		return nil, err
	}
	return &postings{reader: tfr}, nil
}

// seek goes to a document and reports whether it has the term. Documents must
// come in order.
func (p *postings) seek(id index.IndexInternalID) (bool, error) {
	if p.done {
		return false, nil
	}
	if p.at == nil || p.at.ID.Compare(id) < 0 {
		at, err := p.reader.Advance(id, p.doc.Reset())
		if err != nil {
			return false, err
		}
		if p.at = at; at == nil {
			p.done = true
			return false, nil
		}
	}
	return p.at.ID.Compare(id) == 0, nil
}

// phraseCheck keeps documents in which the words stand in a row.
type phraseCheck struct {
	words  [][]*postings // for each word, one for each of its terms
	places [2][]uint64
}

func (c *phraseCheck) visit(d *search.DocumentMatch) (bool, error) {
	ends, next := c.places[0][:0], c.places[1][:0] // where the words so far may end
	for i, terms := range c.words {
		next = next[:0]
		for _, p := range terms {
			has, err := p.seek(d.IndexInternalID)
			if err != nil {
				return false, err
			}
			if !has {
				continue
			}
			for _, v := range p.at.Vectors {
				if i > 0 {
					if _, ok := slices.BinarySearch(ends, v.Pos-1); !ok {
						continue
					}
				}
				next = append(next, v.Pos)
			}
		}
		slices.Sort(next)
		ends, next = next, ends
		if len(ends) == 0 {
			break
		}
	}
	c.places = [2][]uint64{ends, next}
	return len(ends) > 0, nil
}

// The parameters of BM25, those of Elasticsearch by default.
const (
	bm25K1 = 1.2
	bm25B  = 0.75
)

// scorer adds up the scores of leaves as Elasticsearch does: Lucene's BM25 with
// its rounded lengths (org.apache.lucene.search.similarities.BM25Similarity),
// times k1+1 as in its LegacyBM25Similarity. bleve's own BM25 takes the number
// of different words of the whole index for the average length, and the root
// of the frequency, so it orders hits in another way.
type scorer struct{ terms []scoredTerm }

type scoredTerm struct {
	*postings
	weight  float64 // boost times idf
	average float64 // words of the field in a document
}

func newScorer(ctx context.Context, r index.IndexReader, ls []leaf) (*scorer, error) {
	st, err := readStats(r)
	if err != nil {
		return nil, err
	}
	s := &scorer{}
	for _, l := range ls {
		p, err := openPostings(ctx, r, l.field, l.term, false)
		if err != nil {
			return nil, err
		}
		n := float64(p.reader.Count())
		if n == 0 {
			_ = p.reader.Close()
			continue
		}
		f := st.Fields[slices.Index(scoredFields[:], l.field)]
		docs := max(float64(f.Docs), n)
		idf := math.Log(1 + (docs-n+0.5)/(n+0.5))
		s.terms = append(s.terms, scoredTerm{p, l.weight * idf * (bm25K1 + 1), float64(f.Words) / docs})
	}
	return s, nil
}

func (s *scorer) visit(d *search.DocumentMatch) (bool, error) {
	sum := 0.0
	for _, t := range s.terms {
		has, err := t.seek(d.IndexInternalID)
		if err != nil {
			return false, err
		}
		if has {
			words := roundLength(int(math.Round(1 / (t.at.Norm * t.at.Norm)))) // bleve's norm is 1/sqrt(length)
			freq := float64(t.at.Freq)
			sum += t.weight * freq / (freq + bm25K1*(1-bm25B+bm25B*float64(words)/t.average))
		}
	}
	d.Score = float64(float32(sum))
	return true, nil
}

// roundLength does to a field's length what Lucene does when it keeps it in
// one byte: exact up to 40, then four significant bits
// (org.apache.lucene.util.SmallFloat.intToByte4).
func roundLength(n int) int {
	const exact = 24
	if n < exact {
		return n
	}
	rest := uint(n - exact)
	if shift := bits.Len(rest) - 4; shift > 0 {
		rest = rest >> shift << shift
	}
	return exact + int(rest)
}
