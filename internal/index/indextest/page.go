package indextest

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"testing"
	"time"

	"presswatch"
)

func testSorts(t *testing.T, idx presswatch.Index) {
	docs := Corpus(60, 20)
	for i := range docs { // many ties
		docs[i].Published = docs[i].Published.Truncate(90 * 24 * time.Hour)
		docs[i].FetchedAt = docs[0].FetchedAt
		docs[i].Verdict.Risk = float64(i%4) / 4
	}
	put(t, idx, docs...)
	byID := func(a, b presswatch.Hit) int { return cmp.Compare(a.Document.ID, b.Document.ID) }
	for name, tc := range map[string]struct {
		query presswatch.Query
		order func(a, b presswatch.Hit) int
	}{
		"newest":           {presswatch.Query{Sort: presswatch.ByNewest, Text: "của OR the OR में"}, func(a, b presswatch.Hit) int { return b.Document.Date().Compare(a.Document.Date()) }},
		"no text: newest":  {presswatch.Query{}, func(a, b presswatch.Hit) int { return b.Document.Date().Compare(a.Document.Date()) }},
		"risk":             {presswatch.Query{Sort: presswatch.ByRisk}, func(a, b presswatch.Hit) int { return cmp.Compare(b.Document.Verdict.Risk, a.Document.Verdict.Risk) }},
		"text: relevance":  {presswatch.Query{Text: "của OR the OR में"}, func(a, b presswatch.Hit) int { return cmp.Compare(b.Score, a.Score) }},
		"relevance of all": {presswatch.Query{Sort: presswatch.ByRelevance}, func(a, b presswatch.Hit) int { return cmp.Compare(b.Score, a.Score) }},
	} {
		tc.query.Limit = 100
		hits := search(t, idx, tc.query).Hits
		if len(hits) < 10 || !slices.IsSortedFunc(hits, func(a, b presswatch.Hit) int { return cmp.Or(tc.order(a, b), byID(a, b)) }) {
			t.Errorf("%s: %d hits, not in order", name, len(hits))
		}
	}
}

func testPaging(t *testing.T, idx presswatch.Index) {
	docs := Corpus(57, 20)
	for i := range docs {
		docs[i].Verdict.Risk = float64(i%3) / 3
		if i%2 == 0 {
			docs[i].Published = docs[0].FetchedAt
		}
	}
	put(t, idx, docs...)
	for _, sort := range []presswatch.Sort{presswatch.ByNewest, presswatch.ByRisk, presswatch.ByRelevance} {
		for _, text := range []string{"", "của OR the OR và"} {
			whole := find(t, idx, presswatch.Query{Text: text, Sort: sort})
			for _, limit := range []int{1, 7, 19, len(whole), len(whole) + 1} {
				hits, err := pages(t.Context(), idx, presswatch.Query{Text: text, Sort: sort, Limit: limit}, nil)
				if got := idsOf(presswatch.Result{Hits: hits}); err != nil || !slices.Equal(got, whole) {
					t.Errorf("%s %q by %d: %d hits, %v; want the %d of one page", sort, text, limit, len(got), err, len(whole))
				}
			}
			res := search(t, idx, presswatch.Query{Text: text, Sort: sort, Limit: len(whole)})
			if res.Next != "" || res.Total != len(whole) {
				t.Errorf("%s %q: next %q of the last page, total %d of %d", sort, text, res.Next, res.Total, len(whole))
			}
		}
	}
}

func testPagingWhileInserting(t *testing.T, idx presswatch.Index) {
	docs := Corpus(40, 10)
	put(t, idx, docs...)
	n := 1000
	for _, sort := range []presswatch.Sort{presswatch.ByNewest, presswatch.ByRisk} {
		hits, err := pages(t.Context(), idx, presswatch.Query{Sort: sort, Limit: 6}, func() {
			d := Document(n, "late", "arrival") // newer than all
			d.Verdict.Risk = float64(n%5) / 4
			put(t, idx, d)
			n++
		})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[presswatch.DocID]int{}
		for _, h := range hits {
			seen[h.Document.ID]++
		}
		for _, d := range docs {
			if seen[d.ID] != 1 {
				t.Errorf("%s: %s seen %d times", sort, d.ID, seen[d.ID])
			}
		}
	}
}

func testCursors(t *testing.T, idx presswatch.Index) {
	put(t, idx, Corpus(9, 10)...)
	next := map[presswatch.Sort]string{}
	for _, sort := range []presswatch.Sort{presswatch.ByNewest, presswatch.ByRisk, presswatch.ByRelevance} {
		next[sort] = search(t, idx, presswatch.Query{Sort: sort, Limit: 2}).Next
		if next[sort] == "" {
			t.Fatalf("%s: no next page", sort)
		}
	}
	try := func(name string, sort presswatch.Sort, after string) {
		if _, err := idx.Search(t.Context(), presswatch.Query{Sort: sort, Limit: 2, After: after}); presswatch.CodeOf(err) != presswatch.Invalid {
			t.Errorf("%s: %v, want Invalid", name, err)
		}
	}
	for sort, c := range next {
		for other := range next {
			if other != sort {
				try(fmt.Sprintf("%s cursor in a search by %s", sort, other), other, c)
			}
		}
		raw, err := base64.RawURLEncoding.DecodeString(c)
		if err != nil {
			t.Fatal(err)
		}
		for i := range raw {
			bent := slices.Clone(raw)
			bent[i] ^= 1 << (i % 8)
			try(fmt.Sprintf("%s cursor with byte %d changed", sort, i), sort, base64.RawURLEncoding.EncodeToString(bent))
		}
		for i := 1; i < len(c); i++ { // an empty one would be the first page
			try(fmt.Sprintf("%s cursor cut at %d", sort, i), sort, c[:i])
		}
	}
	for _, c := range []string{"x", "!!", "AAAA", "\x00", "eyJhIjoxfQ", `[1,"a"]`, string(make([]byte, 100_000))} {
		try(fmt.Sprintf("%.20q", c), presswatch.ByNewest, c)
	}
}
