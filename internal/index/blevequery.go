package index

import (
	"context"
	"math"
	"time"

	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/searcher"
	index "github.com/blevesearch/bleve_index_api"

	"presswatch/internal/index/analysis"
	"presswatch/internal/index/query"
)

// matcher builds the searcher that finds what matches a request. It does not
// score: bitmaps are enough, and fast.
type matcher struct {
	ctx    context.Context
	reader index.IndexReader
}

var unscored = search.SearcherOptions{Score: "none"}

func (m matcher) request(r *request) (search.Searcher, error) {
	must := []any{r.node}
	for _, f := range r.filters {
		must = append(must, f)
	}
	if r.minRisk > 0 {
		must = append(must, termRange{fieldRisk, riskTerm(r.minRisk), riskTerm(99_999)})
	}
	dated := r.since != math.MinInt64 || r.until != math.MaxInt64
	if dated {
		must = append(must, dayRange(r.since, r.until))
	}
	s, err := m.all(must)
	if err != nil || !dated || wholeDays(r.since, r.until) {
		return s, err
	}
	return m.exactly(s, r.since, r.until)
}

// matchAll matches every document.
type matchAll struct{}

// termRange matches the terms of a field from low to high, both included.
type termRange struct{ field, low, high string }

// dayRange is the days that a range of time touches.
func dayRange(since, until int64) termRange {
	tr := termRange{fieldDay, "0000-01-01", "9999-12-31"}
	if since != math.MinInt64 {
		tr.low = dayOf(since)
	}
	if until != math.MaxInt64 {
		tr.high = dayOf(until - 1)
	}
	return tr
}

// dayOf is the day of a time as a term; times before year 0 or after 9999
// become the first or last day there is.
func dayOf(micro int64) string {
	switch t := time.UnixMicro(micro).UTC(); {
	case t.Year() < 0:
		return "0000-01-01"
	case t.Year() > 9999:
		return "9999-12-31"
	default:
		return t.Format(dayLayout)
	}
}

const dayMicros = 24 * 60 * 60 * 1_000_000

func wholeDays(since, until int64) bool {
	return (since == math.MinInt64 || since%dayMicros == 0) && (until == math.MaxInt64 || until%dayMicros == 0)
}

// node builds the searcher of a part of a request.
func (m matcher) node(n any) (search.Searcher, error) {
	switch n := n.(type) {
	case query.All, matchAll:
		return searcher.NewMatchAllSearcher(m.ctx, m.reader, 1, unscored)
	case query.Word:
		return m.word(n)
	case query.Phrase:
		return m.either(func(field string) (search.Searcher, error) { return m.phrase(n.Words, field) })
	case query.And:
		return m.all(anys(n.Nodes))
	case query.Or:
		return m.any(anys(n.Nodes))
	case query.Not:
		return m.all([]any{n})
	case filter:
		return searcher.NewMultiTermSearcher(m.ctx, m.reader, n.values, n.field, 1, unscored, false)
	case termRange:
		yes := true
		return searcher.NewTermRangeSearcher(m.ctx, m.reader, []byte(n.low), []byte(n.high), &yes, &yes, n.field, 1, unscored)
	}
	return searcher.NewMatchNoneSearcher(m.reader)
}

func anys(nodes []query.Node) (out []any) {
	for _, n := range nodes {
		out = append(out, n)
	}
	return out
}

func (m matcher) word(w query.Word) (search.Searcher, error) {
	return m.either(func(field string) (search.Searcher, error) {
		terms, err := searcher.NewMultiTermSearcher(m.ctx, m.reader, w.Terms, field, 1, unscored, false)
		if err != nil || len(w.Prefixes) == 0 {
			return terms, err
		}
		all := []search.Searcher{terms}
		for _, p := range w.Prefixes {
			s, err := searcher.NewTermPrefixSearcher(m.ctx, m.reader, p, field, 1, unscored)
			if err != nil {
				closeAll(all)
				return nil, err
			}
			all = append(all, s)
		}
		return m.disjunction(all)
	})
}

// either builds a searcher for the title and one for the text, and joins them.
func (m matcher) either(make func(field string) (search.Searcher, error)) (search.Searcher, error) {
	var list []search.Searcher
	for _, field := range searched {
		s, err := make(field)
		if err != nil {
			closeAll(list)
			return nil, err
		}
		list = append(list, s)
	}
	return m.disjunction(list)
}

func (m matcher) disjunction(list []search.Searcher) (search.Searcher, error) {
	s, err := searcher.NewDisjunctionSearcher(m.ctx, m.reader, list, 1, unscored)
	if err != nil {
		closeAll(list)
	}
	return s, err
}

func (m matcher) conjunction(list []search.Searcher) (search.Searcher, error) {
	if len(list) == 1 {
		return list[0], nil
	}
	s, err := searcher.NewConjunctionSearcher(m.ctx, m.reader, list, unscored)
	if err != nil {
		closeAll(list)
	}
	return s, err
}

func (m matcher) nodes(nodes []any) ([]search.Searcher, error) {
	var list []search.Searcher
	for _, n := range nodes {
		s, err := m.node(n)
		if err != nil {
			closeAll(list)
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

func (m matcher) any(nodes []any) (search.Searcher, error) {
	list, err := m.nodes(nodes)
	if err != nil {
		return nil, err
	}
	return m.disjunction(list)
}

// all matches what every node matches and what no Not among them excludes.
func (m matcher) all(nodes []any) (search.Searcher, error) {
	var must, mustNot []any
	for _, n := range nodes {
		switch not := n.(type) {
		case query.Not:
			mustNot = append(mustNot, not.Node)
		case query.All:
		default:
			must = append(must, n)
		}
	}
	if len(must) == 0 {
		must = []any{matchAll{}}
	}
	yes, err := m.nodes(must)
	if err != nil {
		return nil, err
	}
	all, err := m.conjunction(yes)
	if err != nil || len(mustNot) == 0 {
		return all, err
	}
	no, err := m.any(mustNot)
	if err != nil {
		_ = all.Close()
		return nil, err
	}
	return searcher.NewBooleanSearcher(m.ctx, m.reader, all, nil, no, unscored)
}

func closeAll(list []search.Searcher) {
	for _, s := range list {
		_ = s.Close()
	}
}

// phrase matches words in a row in a field: where they all occur, the
// positions are compared.
func (m matcher) phrase(words []analysis.Word, field string) (search.Searcher, error) {
	var base []search.Searcher
	check := &phraseCheck{}
	for _, w := range words {
		s, err := searcher.NewMultiTermSearcher(m.ctx, m.reader, w.Terms, field, 1, unscored, false)
		if err != nil {
			closeAll(base)
			return nil, err
		}
		base = append(base, s)
		var cursors []*postings
		for _, t := range w.Terms {
			p, err := openPostings(m.ctx, m.reader, field, t, true)
			if err != nil {
				closeAll(base)
				return nil, err
			}
			cursors = append(cursors, p)
		}
		check.words = append(check.words, cursors)
	}
	s, err := m.conjunction(base)
	if err != nil {
		return nil, err
	}
	return &checked{s, check.visit}, nil
}

// exactly keeps what appeared in a range of time that does not begin and end
// with a day.
func (m matcher) exactly(s search.Searcher, since, until int64) (search.Searcher, error) {
	values, err := m.reader.DocValueReader([]string{fieldKey})
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	low, high := keyOf(until, ""), keyOf(since, "") // newer is less
	return &checked{s, func(d *search.DocumentMatch) (keep bool, err error) {
		err = values.VisitDocValues(d.IndexInternalID, func(_ string, key []byte) {
			if len(key) >= keyLength {
				at := string(key[:keyLength])
				keep = (until == math.MaxInt64 || at > low) && at <= high
			}
		})
		return keep, err
	}}, nil
}
