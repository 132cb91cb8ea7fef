// Package indextest holds every presswatch.Index to its contract.
package indextest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"presswatch"
)

// Run holds an adapter to the promises written on presswatch.Index. open gives
// an empty index and arranges for its removal.
func Run(t *testing.T, open func(t *testing.T) presswatch.Index) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, idx presswatch.Index)
	}{
		{"a document comes back as it was put", testRoundTrip},
		{"an empty index answers", testEmpty},
		{"a version that is newer or as new replaces, an older one does not", testVersions},
		{"versions in one batch: the newest stays", testVersionsInBatch},
		{"a replaced document is found by its new words only", testReplaced},
		{"bad documents are refused one by one", testItemErrors},
		{"many writers at once lose nothing and double nothing", testConcurrentPut},
		{"a cancelled context stores nothing that it does not report", testCancelled},
		{"words, phrases and operators", testQueries},
		{"Vietnamese: without marks finds both, with marks prefers marks", testVietnamese},
		{"English, Hindi and Arabic forms of a word are found", testForms},
		{"titles weigh more than text", testTitleWeight},
		{"filters", testFilters},
		{"a range of time is exact to the microsecond", testDates},
		{"facets count all hits, most first", testFacets},
		{"histograms by day, week and month in UTC", testHistogram},
		{"each order is kept and ties go by DocID", testSorts},
		{"pages join up without gaps or doubles", testPaging},
		{"paging while documents are added shows each old one once", testPagingWhileInserting},
		{"a cursor that is not of this search is Invalid", testCursors},
		{"highlights are ranges of code points", testHighlights},
		{"a request that makes no sense is Invalid", testInvalid},
		{"hostile queries are answered or Invalid", testHostile},
		{"a random query finds what a plain scan finds", testAgainstScan},
		{"closed twice, and Unavailable from then on", testClose},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// put stores documents and makes them visible.
func put(t *testing.T, idx presswatch.Index, docs ...presswatch.Document) {
	t.Helper()
	errs, err := idx.Put(t.Context(), docs)
	if err = errors.Join(append(errs, err)...); err != nil {
		t.Fatal("put:", err)
	}
	refresh(t, idx)
}

func refresh(t *testing.T, idx presswatch.Index) {
	t.Helper()
	if err := idx.Refresh(t.Context()); err != nil {
		t.Fatal("refresh:", err)
	}
}

func search(t *testing.T, idx presswatch.Index, q presswatch.Query) presswatch.Result {
	t.Helper()
	res, err := idx.Search(t.Context(), q)
	if err != nil {
		t.Fatalf("search %+v: %v", q, err)
	}
	return res
}

// find gives the IDs that a query finds, in order.
func find(t *testing.T, idx presswatch.Index, q presswatch.Query) []presswatch.DocID {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 1000
	}
	return idsOf(search(t, idx, q))
}

func idsOf(r presswatch.Result) []presswatch.DocID {
	var ids []presswatch.DocID
	for _, h := range r.Hits {
		ids = append(ids, h.Document.ID)
	}
	return ids
}

// numbers gives which of docs were found, by their places, sorted.
func numbers(docs []presswatch.Document, ids []presswatch.DocID) []int {
	out := []int{}
	for _, id := range ids {
		out = append(out, slices.IndexFunc(docs, func(d presswatch.Document) bool { return d.ID == id }))
	}
	slices.Sort(out)
	return out
}

func texts(pairs ...string) []presswatch.Document {
	var docs []presswatch.Document
	for i := 0; i < len(pairs); i += 2 {
		docs = append(docs, Document(i/2, pairs[i], pairs[i+1]))
	}
	return docs
}

// pages reads all pages of a query.
func pages(ctx context.Context, idx presswatch.Index, q presswatch.Query, between func()) ([]presswatch.Hit, error) {
	var hits []presswatch.Hit
	for n := 0; ; n++ {
		res, err := idx.Search(ctx, q)
		if err != nil {
			return hits, err
		}
		if len(res.Hits) > q.Limit {
			return hits, fmt.Errorf("a page of %d hits, asked for %d", len(res.Hits), q.Limit)
		}
		hits = append(hits, res.Hits...)
		if res.Next == "" {
			return hits, nil
		}
		if len(res.Hits) == 0 {
			return hits, errors.New("an empty page with a next one")
		}
		if n > 10_000 {
			return hits, errors.New("paging never ends")
		}
		q.After = res.Next
		if between != nil {
			between()
		}
	}
}
