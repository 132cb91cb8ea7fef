package index

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/collector"
	"github.com/blevesearch/bleve/v2/search/facet"
	index "github.com/blevesearch/bleve_index_api"

	"presswatch"
	"presswatch/internal/index/query"
)

// maxDays is the most different days that a histogram counts.
const maxDays = 100_000

// Get implements presswatch.Index.
func (b *bleveIndex) Get(ctx context.Context, id presswatch.DocID) (_ presswatch.Document, err error) {
	defer caught(&err)
	var none presswatch.Document
	done, err := b.use()
	if err != nil {
		return none, err
	}
	defer done()
	reader, err := b.scorch.Reader()
	if err != nil {
		return none, presswatch.Errorf(presswatch.Unavailable, "index: %w", err)
	}
	defer reader.Close()
	if id == "" {
		return none, presswatch.Errorf(presswatch.NotFound, "no document %q", id)
	}
	raw, err := b.document(reader, string(id))
	if err != nil {
		return none, err
	}
	if raw == nil {
		return none, presswatch.Errorf(presswatch.NotFound, "no document %q", id)
	}
	h, err := (&request{node: query.All{}}).hit(raw, 0, b.analyzer)
	return h.Document, err
}

// document is the JSON of a document, nil when there is none.
func (b *bleveIndex) document(reader index.IndexReader, id string) ([]byte, error) {
	compressed, err := stored(reader, id, fieldDoc)
	if err == nil && compressed != nil {
		compressed, err = b.dec.DecodeAll(compressed, nil)
	}
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Internal, "index: document %s: %w", id, err)
	}
	return compressed, nil
}

// Search implements presswatch.Index.
func (b *bleveIndex) Search(ctx context.Context, q presswatch.Query) (_ presswatch.Result, err error) {
	defer caught(&err)
	var none presswatch.Result
	r, err := newRequest(q, b.analyzer)
	if err != nil {
		return none, err
	}
	done, err := b.use()
	if err != nil {
		return none, err
	}
	defer done()
	reader, err := b.scorch.Reader()
	if err != nil {
		return none, presswatch.Errorf(presswatch.Unavailable, "index: %w", err)
	}
	defer reader.Close()
	coll, err := collect(ctx, reader, r)
	if err != nil {
		if ctx.Err() != nil {
			err = presswatch.Errorf(presswatch.Unavailable, "index: search: %w", err)
		}
		if presswatch.CodeOf(err) == presswatch.Internal {
			err = presswatch.Errorf(presswatch.Internal, "index: search: %w", err)
		}
		return none, err
	}
	return b.result(reader, r, coll)
}

// collect runs a request.
func collect(ctx context.Context, reader index.IndexReader, r *request) (*collector.TopNCollector, error) {
	s, err := matcher{ctx, reader}.request(r)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if r.scored() {
		sc, err := newScorer(ctx, reader, leaves(query.Words(r.node)))
		if err != nil {
			return nil, err
		}
		s = &checked{s, sc.visit}
	}
	coll := newCollector(r)
	fb := search.NewFacetsBuilder(reader)
	if r.facets {
		for _, name := range facets {
			fb.Add(name, facet.NewTermsFacetBuilder(name, maxFacet))
		}
	}
	if r.histogram != "" {
		fb.Add(fieldDay, facet.NewTermsFacetBuilder(fieldDay, maxDays))
	}
	if r.facets || r.histogram != "" {
		coll.SetFacetsBuilder(fb)
	}
	return coll, coll.Collect(ctx, s, reader)
}

func newCollector(r *request) *collector.TopNCollector {
	var order search.SortOrder
	switch {
	case r.limit == 0:
		order = search.SortOrder{&search.SortScore{Desc: true}} // reads nothing
	case r.sort == presswatch.ByNewest:
		order = search.SortOrder{&keySort{}}
	case r.sort == presswatch.ByRisk:
		order = search.SortOrder{&search.SortField{Field: fieldRisk, Desc: true, Type: search.SortFieldAsString}, &keySort{skip: keyLength}}
	default:
		order = search.SortOrder{&search.SortScore{Desc: true}, &keySort{skip: keyLength}}
	}
	size := r.limit
	if size > 0 {
		size++ // to see whether there is a next page
	}
	if r.after == nil || r.limit == 0 {
		return collector.NewTopNCollector(size, 0, order)
	}
	var after []string
	switch c := r.after; r.sort {
	case presswatch.ByNewest:
		after = []string{keyOf(c.at, c.id)}
	case presswatch.ByRisk:
		after = []string{riskTerm(c.risk), c.id}
	default:
		after = []string{strconv.FormatFloat(c.score, 'g', -1, 64), c.id}
	}
	return collector.NewTopNCollectorAfter(size, order, after)
}

// keySort sorts by the key of a document, or by what follows its first
// characters: its DocID. So the tie-breaker costs no read of its own.
type keySort struct {
	skip  int
	value string
}

func (s *keySort) UpdateVisitor(field string, term []byte) {
	if field == fieldKey && len(term) >= s.skip {
		s.value = string(term[s.skip:])
	}
}

func (s *keySort) Value(*search.DocumentMatch) string {
	v := s.value
	s.value = ""
	return v
}

func (s *keySort) DecodeValue(v string) string { return v }
func (s *keySort) Descending() bool            { return false }
func (s *keySort) RequiresDocID() bool         { return false }
func (s *keySort) RequiresScoring() bool       { return false }
func (s *keySort) RequiresFields() []string    { return []string{fieldKey} }
func (s *keySort) Reverse()                    {}
func (s *keySort) Copy() search.SearchSort     { return &keySort{skip: s.skip} }

// result makes a page of what was collected.
func (b *bleveIndex) result(reader index.IndexReader, r *request, coll *collector.TopNCollector) (presswatch.Result, error) {
	res := presswatch.Result{Total: int(coll.Total())}
	for i, m := range coll.Results() {
		if i == r.limit {
			res.Next = nextOf(r, res.Hits[i-1])
			break
		}
		raw, err := b.document(reader, m.ID)
		if err != nil {
			return res, err
		}
		if raw == nil {
			return res, presswatch.Errorf(presswatch.Internal, "index: document %s was found but is not stored", m.ID)
		}
		h, err := r.hit(raw, m.Score, b.analyzer)
		if err != nil {
			return res, err
		}
		res.Hits = append(res.Hits, h)
	}
	counted := coll.FacetResults()
	if r.facets {
		res.Facets = map[string][]presswatch.Count{}
		for _, name := range facets {
			res.Facets[name] = sortFacet(counts(counted[name]))
		}
	}
	if r.histogram != "" {
		var err error
		if res.Histogram, err = histogram(counts(counted[fieldDay]), r.histogram); err != nil {
			return res, err
		}
	}
	return res, nil
}

// nextOf is the cursor after a hit.
func nextOf(r *request, h presswatch.Hit) string {
	return cursor{
		sort: r.sort, score: h.Score, id: string(h.Document.ID),
		at: h.Document.Date().UnixMicro(), risk: riskDown(h.Document.Verdict.Risk),
	}.String()
}

func counts(f *search.FacetResult) []presswatch.Count {
	out := []presswatch.Count{}
	if f == nil || f.Terms == nil {
		return out
	}
	for _, t := range f.Terms.Terms() {
		out = append(out, presswatch.Count{Value: t.Term, Count: t.Count})
	}
	return out
}

// histogram adds up days into intervals, oldest first. Empty intervals are
// left out.
func histogram(days []presswatch.Count, interval string) ([]presswatch.Count, error) {
	sums := map[time.Time]int{}
	for _, d := range days {
		day, err := time.Parse(dayLayout, d.Value)
		if err != nil {
			return nil, presswatch.Errorf(presswatch.Internal, "index: %w", errors.Join(err, ErrRebuild))
		}
		sums[intervalStart(day, interval)] += d.Count
	}
	return sortedHistogram(sums), nil
}
