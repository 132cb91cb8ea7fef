package indextest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"presswatch"
)

// filtered are documents that differ in what is filtered on.
func filtered() []presswatch.Document {
	docs := texts("a", "tin", "b", "tin", "c", "tin", "d", "tin", "e", "khác")
	set := func(i int, source, lang string, kind presswatch.Kind, level presswatch.Level, risk float64, story, date string) {
		d := &docs[i]
		d.Source, d.Language, d.Kind, d.Story.ID = presswatch.SourceID(source), lang, kind, presswatch.StoryID(story)
		d.Verdict.Level, d.Verdict.Risk = level, risk
		d.Published, _ = time.Parse(time.RFC3339Nano, date)
	}
	set(0, "alpha", vietnamese, presswatch.Article, presswatch.Low, 0.1, "s1", "2026-02-27T23:30:00Z")
	set(1, "alpha", english, presswatch.Post, presswatch.Review, 0.5, "s1", "2026-02-28T00:00:00Z")
	set(2, "beta", vietnamese, presswatch.Article, presswatch.High, 0.9, "s2", "2026-03-01T23:59:59.999999Z")
	set(3, "Beta", hindi, presswatch.Article, presswatch.High, 0.57, "", "2026-03-02T00:00:00Z")
	set(4, "gamma", "", presswatch.Post, "", 1, "s1", "2026-03-02T06:59:00+07:00")
	return docs
}

func testFilters(t *testing.T, idx presswatch.Index) {
	docs := filtered()
	put(t, idx, docs...)
	type q = presswatch.Query
	for name, tc := range map[string]struct {
		query q
		want  []int
	}{
		"one source":             {q{Sources: []presswatch.SourceID{"alpha"}}, []int{0, 1}},
		"either source":          {q{Sources: []presswatch.SourceID{"alpha", "beta", "alpha"}}, []int{0, 1, 2}},
		"a source nobody has":    {q{Sources: []presswatch.SourceID{"delta"}}, nil},
		"an empty source":        {q{Sources: []presswatch.SourceID{""}}, nil},
		"language":               {q{Langs: []string{vietnamese}}, []int{0, 2}},
		"level":                  {q{Levels: []presswatch.Level{presswatch.High, presswatch.Review}}, []int{1, 2, 3}},
		"kind":                   {q{Kinds: []presswatch.Kind{presswatch.Post}}, []int{1, 4}},
		"story":                  {q{Stories: []presswatch.StoryID{"s1"}}, []int{0, 1, 4}},
		"risk":                   {q{MinRisk: 0.5}, []int{1, 2, 3, 4}},
		"risk on the limit":      {q{MinRisk: 0.57}, []int{2, 3, 4}},
		"risk past the limit":    {q{MinRisk: 0.5701}, []int{2, 4}},
		"the highest risk":       {q{MinRisk: 1}, []int{4}},
		"more than the highest":  {q{MinRisk: 1.1}, nil},
		"negative risk":          {q{MinRisk: -3}, []int{0, 1, 2, 3, 4}},
		"all must hold":          {q{Sources: []presswatch.SourceID{"alpha"}, Langs: []string{vietnamese}, MinRisk: 0.05}, []int{0}},
		"with words":             {q{Text: "tin", Kinds: []presswatch.Kind{presswatch.Post}}, []int{1}},
		"with a word excluded":   {q{Text: "-tin", Stories: []presswatch.StoryID{"s1"}}, []int{4}},
		"with nothing to search": {q{Text: "*", Levels: []presswatch.Level{presswatch.Low}}, []int{0}},
	} {
		if got := numbers(docs, find(t, idx, tc.query)); !slices.Equal(got, append([]int{}, tc.want...)) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

func testDates(t *testing.T, idx presswatch.Index) {
	docs := filtered()
	docs = append(docs, Document(7, "fetched only", "x")) // 2026-03-01T12:00:07Z
	put(t, idx, docs...)
	for _, tc := range []struct {
		since, until string
		want         []int
	}{
		{"2026-02-28T00:00:00Z", "", []int{1, 2, 3, 4, 5}},
		{"", "2026-02-28T00:00:00Z", []int{0}},
		{"2026-02-28T00:00:00Z", "2026-03-01T00:00:00Z", []int{1}},
		{"2026-02-27T23:30:00Z", "2026-02-28T00:00:00.000001Z", []int{0, 1}},
		{"2026-02-27T23:30:00.000001Z", "2026-02-28T00:00:00Z", nil},
		{"2026-03-01T23:59:59.999999Z", "2026-03-02T00:00:00Z", []int{2}},
		{"2026-03-02T00:00:00Z", "2026-03-02T00:00:00.000001Z", []int{3}},
		{"2026-03-02T00:00:00+07:00", "2026-03-02T07:00:00+07:00", []int{2, 4}},
		{"2026-03-01T12:00:07Z", "2026-03-01T12:00:08Z", []int{5}},
		{"2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z", nil},
		{"2027-01-01T00:00:00Z", "", nil},
	} {
		var q presswatch.Query
		q.Since, _ = time.Parse(time.RFC3339Nano, tc.since)
		q.Until, _ = time.Parse(time.RFC3339Nano, tc.until)
		if got := numbers(docs, find(t, idx, q)); !slices.Equal(got, append([]int{}, tc.want...)) {
			t.Errorf("from %q to %q: %v, want %v", tc.since, tc.until, got, tc.want)
		}
		q.Text = "tin OR khác OR x"
		if got := numbers(docs, find(t, idx, q)); !slices.Equal(got, append([]int{}, tc.want...)) {
			t.Errorf("with words, from %q to %q: %v, want %v", tc.since, tc.until, got, tc.want)
		}
	}
}

func testFacets(t *testing.T, idx presswatch.Index) {
	docs := filtered()
	put(t, idx, docs...)
	got := search(t, idx, presswatch.Query{Facets: true, Limit: 1}).Facets
	want := fmt.Sprint(map[string][]presswatch.Count{
		"source":   {{Value: "alpha", Count: 2}, {Value: "Beta", Count: 1}, {Value: "beta", Count: 1}, {Value: "gamma", Count: 1}},
		"language": {{Value: vietnamese, Count: 2}, {Value: english, Count: 1}, {Value: hindi, Count: 1}},
		"level":    {{Value: "high", Count: 2}, {Value: "low", Count: 1}, {Value: "review", Count: 1}},
		"kind":     {{Value: "article", Count: 3}, {Value: "post", Count: 2}},
	})
	if fmt.Sprint(got) != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
	if f := search(t, idx, presswatch.Query{Text: "tin", Limit: 1}).Facets; f != nil {
		t.Errorf("not asked for: %v", f)
	}
	many := make([]presswatch.Document, 70)
	for i := range many {
		many[i] = Document(100+i, "many", "")
		many[i].Source = presswatch.SourceID(fmt.Sprintf("many-%02d", i/2+i%2)) // 00 once, 01 to 34 twice, 35 once
		if i >= 60 {
			many[i].Source = presswatch.SourceID(fmt.Sprintf("rare-%02d", i))
		}
	}
	more := make([]presswatch.Document, 40)
	for i := range more {
		more[i] = Document(300+i, "many", "")
		more[i].Source = presswatch.SourceID(fmt.Sprintf("extra-%02d", i))
	}
	put(t, idx, append(many, more...)...)
	top := search(t, idx, presswatch.Query{Text: "many", Facets: true}).Facets["source"]
	if len(top) != 50 || top[0] != (presswatch.Count{Value: "many-01", Count: 2}) || top[29].Value != "extra-00" || top[29].Count != 1 {
		t.Errorf("%d values, %v", len(top), top)
	}
	if !slices.IsSortedFunc(top, func(a, b presswatch.Count) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return strings.Compare(a.Value, b.Value)
	}) {
		t.Errorf("not sorted: %v", top)
	}
}

func testHistogram(t *testing.T, idx presswatch.Index) {
	put(t, idx, filtered()...)
	for interval, want := range map[string]string{
		"day":   "[{2026-02-27 1} {2026-02-28 1} {2026-03-01 2} {2026-03-02 1}]",
		"week":  "[{2026-02-23 4} {2026-03-02 1}]",
		"month": "[{2026-02-01 2} {2026-03-01 3}]",
	} {
		if got := fmt.Sprint(search(t, idx, presswatch.Query{Interval: interval}).Histogram); got != want {
			t.Errorf("%s: %s, want %s", interval, got, want)
		}
	}
	if got := fmt.Sprint(search(t, idx, presswatch.Query{Text: "tin", Interval: "month", Limit: 1}).Histogram); got != "[{2026-02-01 2} {2026-03-01 2}]" {
		t.Errorf("with a word: %s", got)
	}
	old := Document(50, "old", "")
	old.Published = time.Date(3, 1, 5, 0, 0, 0, 0, time.UTC)
	before := Document(51, "old", "")
	before.Published = time.Date(1969, 12, 31, 23, 0, 0, 0, time.UTC)
	put(t, idx, old, before)
	if got := fmt.Sprint(search(t, idx, presswatch.Query{Text: "old", Interval: "month"}).Histogram); got != "[{0003-01-01 1} {1969-12-01 1}]" {
		t.Errorf("long ago: %s", got)
	}
}
