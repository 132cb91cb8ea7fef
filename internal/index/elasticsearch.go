package index

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/url"
	"time"

	"presswatch"
	"presswatch/internal/index/analysis"
	"presswatch/internal/index/query"
)

// object is a piece of JSON of the query language of Elasticsearch. Queries
// are built from such pieces only; nothing that a user writes becomes syntax.
type object = map[string]any

// searchTimeout is how long a shard may search.
const searchTimeout = "10s"

// Get implements presswatch.Index.
func (e *elastic) Get(ctx context.Context, id presswatch.DocID) (presswatch.Document, error) {
	var none presswatch.Document
	if id == "" || len(id) > maxKeyword {
		return none, presswatch.Errorf(presswatch.NotFound, "no document %q", id)
	}
	var answer struct {
		Found  bool
		Source source `json:"_source"`
	}
	path := "/" + url.PathEscape(e.alias()) + "/_doc/" + url.PathEscape(string(id)) + "?_source_includes=" + fieldDoc
	err := e.call(ctx, http.MethodGet, path, nil, &answer)
	if f := (*fault)(nil); errors.As(err, &f) && f.status == http.StatusNotFound && f.kind == "" {
		return none, presswatch.Errorf(presswatch.NotFound, "no document %q", id)
	}
	if err != nil {
		return none, coded(err, "get")
	}
	h, err := (&request{node: query.All{}}).hit(answer.Source.Doc, 0, e.analyzer)
	return h.Document, err
}

type source struct{ Doc json.RawMessage }

type searchAnswer struct {
	TimedOut bool `json:"timed_out"`
	Hits     struct {
		Total struct{ Value int }
		Hits  []struct {
			Score  *float64 `json:"_score"`
			Source source   `json:"_source"`
		}
	}
	Aggregations map[string]struct {
		Buckets []struct {
			Key   any
			Count int `json:"doc_count"`
		}
	}
}

// Search implements presswatch.Index.
func (e *elastic) Search(ctx context.Context, q presswatch.Query) (presswatch.Result, error) {
	var none presswatch.Result
	r, err := newRequest(q, e.analyzer)
	if err != nil {
		return none, err
	}
	body, err := json.Marshal(searchBody(r))
	if err != nil {
		return none, presswatch.Errorf(presswatch.Internal, "elasticsearch: %w", err)
	}
	var answer searchAnswer
	path := "/" + url.PathEscape(e.alias()) + "/_search?allow_partial_search_results=false&search_type=dfs_query_then_fetch"
	if err := e.call(ctx, http.MethodPost, path, body, &answer); err != nil {
		return none, coded(err, "search")
	}
	if answer.TimedOut {
		return none, presswatch.Errorf(presswatch.Unavailable, "elasticsearch: search: no answer within %s", searchTimeout)
	}
	return e.result(r, answer)
}

func (e *elastic) result(r *request, answer searchAnswer) (presswatch.Result, error) {
	res := presswatch.Result{Total: answer.Hits.Total.Value}
	for i, found := range answer.Hits.Hits {
		if i == r.limit {
			res.Next = nextOf(r, res.Hits[i-1])
			break
		}
		score := 0.0
		if r.scored() && found.Score != nil {
			score = *found.Score
		}
		h, err := r.hit(found.Source.Doc, score, e.analyzer)
		if err != nil {
			return res, err
		}
		res.Hits = append(res.Hits, h)
	}
	if r.facets {
		res.Facets = map[string][]presswatch.Count{}
		for _, name := range facets {
			list := []presswatch.Count{}
			for _, b := range answer.Aggregations[name].Buckets {
				value, _ := b.Key.(string)
				list = append(list, presswatch.Count{Value: value, Count: b.Count})
			}
			res.Facets[name] = sortFacet(list)
		}
	}
	if r.histogram != "" {
		sums := map[time.Time]int{}
		for _, b := range answer.Aggregations[fieldDay].Buckets {
			millis, _ := b.Key.(float64)
			sums[time.UnixMilli(int64(millis)).UTC()] += b.Count
		}
		res.Histogram = sortedHistogram(sums)
	}
	return res, nil
}

// searchBody writes a request in the query language of Elasticsearch. What
// matches and what scores are apart: the filter decides, the should clauses
// add up, so that bleve can do the very same.
func searchBody(r *request) object {
	b := object{
		"query": boolQuery(r), "size": 0, "track_total_hits": true, "timeout": searchTimeout,
		"_source": []string{fieldDoc},
	}
	if r.limit > 0 {
		b["size"] = r.limit + 1 // to see whether there is a next page
		b["sort"] = []object{{sortField(r.sort): "desc"}, {fieldID: "asc"}}
		if r.after != nil {
			b["search_after"] = []any{afterValue(r.after), r.after.id}
		}
	}
	aggs := object{}
	if r.facets {
		for _, name := range facets {
			aggs[name] = object{"terms": object{"field": name, "size": maxFacet}}
		}
	}
	if r.histogram != "" {
		aggs[fieldDay] = object{"date_histogram": object{"field": fieldDay, "calendar_interval": r.histogram, "min_doc_count": 1}}
	}
	if len(aggs) > 0 {
		b["aggs"] = aggs
	}
	return b
}

func sortField(s presswatch.Sort) string {
	switch s {
	case presswatch.ByNewest:
		return fieldAt
	case presswatch.ByRisk:
		return fieldRisk
	}
	return "_score"
}

func afterValue(c *cursor) any {
	switch c.sort {
	case presswatch.ByNewest:
		return c.at
	case presswatch.ByRisk:
		return c.risk
	}
	return c.score
}

func boolQuery(r *request) object {
	filters := []object{matching(r.node)}
	for _, f := range r.filters {
		filters = append(filters, object{"terms": object{f.field: f.values}})
	}
	if r.minRisk > 0 {
		filters = append(filters, object{"range": object{fieldRisk: object{"gte": r.minRisk}}})
	}
	between := object{}
	if r.since != math.MinInt64 {
		between["gte"] = r.since
	}
	if r.until != math.MaxInt64 {
		between["lt"] = r.until
	}
	if len(between) > 0 {
		filters = append(filters, object{"range": object{fieldAt: between}})
	}
	q := object{"filter": filters}
	if r.scored() {
		var should []object
		for _, l := range leaves(query.Words(r.node)) {
			should = append(should, object{"term": object{l.field: object{"value": l.term, "boost": l.weight}}})
		}
		if len(should) > 0 {
			q["should"], q["minimum_should_match"] = should, 0
		}
	}
	return object{"bool": q}
}

// matching writes the part of a query that decides what is found.
func matching(n query.Node) object {
	switch n := n.(type) {
	case query.Word:
		var any []object
		for _, field := range searched {
			any = append(any, object{"terms": object{field: n.Terms}})
			for _, p := range n.Prefixes {
				any = append(any, object{"prefix": object{field: object{"value": p}}})
			}
		}
		return anyOf(any)
	case query.Phrase:
		var any []object
		for _, field := range searched {
			any = append(any, spanNear(field, n.Words))
		}
		return anyOf(any)
	case query.And:
		return object{"bool": object{"filter": each(n.Nodes)}}
	case query.Or:
		return anyOf(each(n.Nodes))
	case query.Not:
		return object{"bool": object{"must_not": matching(n.Node)}}
	}
	return object{"match_all": object{}}
}

func each(nodes []query.Node) (out []object) {
	for _, n := range nodes {
		out = append(out, matching(n))
	}
	return out
}

func anyOf(clauses []object) object {
	return object{"bool": object{"should": clauses, "minimum_should_match": 1}}
}

// spanNear matches words in a row.
func spanNear(field string, words []analysis.Word) object {
	var clauses []object
	for _, w := range words {
		var terms []object
		for _, t := range w.Terms {
			terms = append(terms, object{"span_term": object{field: t}})
		}
		if len(terms) == 1 {
			clauses = append(clauses, terms[0])
		} else {
			clauses = append(clauses, object{"span_or": object{"clauses": terms}})
		}
	}
	return object{"span_near": object{"clauses": clauses, "slop": 0, "in_order": true}}
}
