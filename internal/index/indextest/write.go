package indextest

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"presswatch"
)

func testRoundTrip(t *testing.T, idx presswatch.Index) {
	d := Document(1, "Đắk Lắk: \"mưa\" <lớn> & ngập", "Dòng một.\n\nDòng hai 😀 \u2028 हिन्दी العربيّة")
	d.Byline, d.Images = []string{"Nguyễn Văn A"}, []string{"https://news.example/a.jpg"}
	d.Published = time.Date(2026, 2, 3, 4, 5, 6, 789_000, time.UTC)
	d.Modified, d.Truncated, d.Evidence = d.Published.Add(time.Hour), true, "a.warc.gz#12"
	d.Story = presswatch.Story{ID: "s1", CopyGroup: "g", CopyOf: "d0", Relation: presswatch.Near, Similarity: 0.87}
	d.Verdict = presswatch.Verdict{Risk: 0.57, Level: presswatch.Review, Model: "m1", Evidence: []presswatch.Evidence{
		{Signal: "shouting", Score: 0.4, Weight: -1.25, Reason: "why", Key: "k", Args: []string{"1"}, Spans: []presswatch.Span{{Field: "title", Start: 1, End: 4}}},
	}}
	put(t, idx, d)
	got, err := idx.Get(t.Context(), d.ID)
	if err != nil {
		t.Fatal(err)
	}
	want, found := asJSON(t, d), asJSON(t, search(t, idx, presswatch.Query{Limit: 1}).Hits[0].Document)
	if g := asJSON(t, got); g != want || found != want {
		t.Errorf("got   %s\nfound %s\nwant  %s", g, found, want)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func testEmpty(t *testing.T, idx presswatch.Index) {
	for _, text := range []string{"", "*", "tin", `"tin gia"`, "-tin"} {
		res := search(t, idx, presswatch.Query{Text: text, Limit: 10, Facets: true, Interval: "day"})
		if res.Total != 0 || len(res.Hits) != 0 || res.Next != "" || len(res.Histogram) != 0 || len(res.Facets["source"]) != 0 {
			t.Errorf("%q on an empty index: %+v", text, res)
		}
	}
	for _, id := range []presswatch.DocID{"", "nobody", presswatch.DocID(strings.Repeat("x", 5000)), "../_search", "a/b?c#d"} {
		if _, err := idx.Get(t.Context(), id); presswatch.CodeOf(err) != presswatch.NotFound {
			t.Errorf("get %.20q: %v, want NotFound", id, err)
		}
	}
	if errs, err := idx.Put(t.Context(), nil); err != nil || len(errs) != 0 {
		t.Errorf("putting nothing: %v, %v", errs, err)
	}
}

func version(n int, seq int64, text string) presswatch.Document {
	d := Document(n, "", text)
	d.Seq = seq
	return d
}

func testVersions(t *testing.T, idx presswatch.Index) {
	for _, step := range []struct {
		seq        int64
		text, want string
	}{
		{20, "b", "b"}, {10, "a", "b"}, {20, "b2", "b2"}, {30, "c", "c"}, {29, "x", "c"}, {0, "y", "c"}, {math.MaxInt64 - 1, "z", "z"},
	} {
		put(t, idx, version(1, step.seq, step.text))
		got, err := idx.Get(t.Context(), Document(1, "", "").ID)
		if err != nil || got.Text != step.want {
			t.Errorf("after seq %d: %q, %v; want %q", step.seq, got.Text, err, step.want)
		}
		if n := search(t, idx, presswatch.Query{}).Total; n != 1 {
			t.Errorf("after seq %d: %d documents, want 1", step.seq, n)
		}
	}
}

func testVersionsInBatch(t *testing.T, idx presswatch.Index) {
	put(t, idx, version(1, 5, "five"), version(2, 1, "one"), version(1, 9, "nine"), version(1, 7, "seven"), version(2, 1, "again"))
	for n, want := range map[int]string{1: "nine", 2: "again"} {
		if got, err := idx.Get(t.Context(), Document(n, "", "").ID); err != nil || got.Text != want {
			t.Errorf("document %d: %q, %v; want %q", n, got.Text, err, want)
		}
	}
	if n := search(t, idx, presswatch.Query{}).Total; n != 2 {
		t.Errorf("%d documents, want 2", n)
	}
}

func testReplaced(t *testing.T, idx presswatch.Index) {
	put(t, idx, version(1, 1, "alpha"))
	d := version(1, 2, "beta")
	d.Source = "weekly"
	put(t, idx, d)
	for text, want := range map[string]int{"alpha": 0, "beta": 1} {
		if n := search(t, idx, presswatch.Query{Text: text}).Total; n != want {
			t.Errorf("%s: %d hits, want %d", text, n, want)
		}
	}
	if f := search(t, idx, presswatch.Query{Facets: true}).Facets["source"]; len(f) != 1 || f[0] != (presswatch.Count{Value: "weekly", Count: 1}) {
		t.Errorf("sources %v, want weekly 1", f)
	}
}

func testItemErrors(t *testing.T, idx presswatch.Index) {
	noID, wrongID, noText, badRisk := Document(1, "a", ""), Document(2, "a", ""), Document(3, "", ""), Document(4, "a", "")
	noID.ID, wrongID.ID = "", "d123"
	badRisk.Verdict.Risk = 1.5
	nan, longSource, seq, date := Document(5, "a", ""), Document(6, "a", ""), Document(7, "a", ""), Document(8, "a", "")
	nan.Verdict.Risk = math.NaN()
	longSource.Source = presswatch.SourceID(strings.Repeat("s", 40_000))
	seq.Seq = -1
	date.Published = time.Date(20_000, 1, 1, 0, 0, 0, 0, time.UTC)
	good := []presswatch.Document{Document(10, "good", "one"), Document(11, "good", "two"), Document(12, "good", strings.Repeat("x", 70_000))}
	bad := []presswatch.Document{noID, wrongID, noText, badRisk, nan, longSource, seq, date}
	docs := []presswatch.Document{good[0]}
	docs = append(append(docs, bad...), good[1:]...)
	errs, err := idx.Put(t.Context(), docs)
	if err != nil || len(errs) != len(docs) {
		t.Fatalf("put: %d errors, %v", len(errs), err)
	}
	refresh(t, idx)
	for i, e := range errs {
		isBad := i >= 1 && i <= len(bad)
		if isBad && presswatch.CodeOf(e) != presswatch.Invalid || !isBad && e != nil {
			t.Errorf("document %d: %v", i, e)
		}
	}
	if n := search(t, idx, presswatch.Query{Text: "good"}).Total; n != len(good) {
		t.Errorf("%d good documents, want %d", n, len(good))
	}
}

func testConcurrentPut(t *testing.T, idx presswatch.Index) {
	const writers, docs = 4, 30
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range docs { // all write the same documents, each in its own version
				errs, err := idx.Put(t.Context(), []presswatch.Document{version(n, int64(1+(w+n)%writers), "text"), version(1000*(w+1)+n, 1, "own")})
				if err := errors.Join(append(errs, err)...); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	refresh(t, idx)
	if n := search(t, idx, presswatch.Query{}).Total; n != docs+writers*docs {
		t.Errorf("%d documents, want %d", n, docs+writers*docs)
	}
	for n := range docs {
		if d, err := idx.Get(t.Context(), Document(n, "", "").ID); err != nil || d.Seq != writers {
			t.Errorf("document %d: seq %d, %v; want %d", n, d.Seq, err, writers)
		}
	}
}

func testCancelled(t *testing.T, idx presswatch.Index) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	docs := texts("a", "one", "b", "two")
	errs, err := idx.Put(ctx, docs)
	if err == nil && len(errs) != len(docs) {
		t.Fatalf("%d errors for %d documents", len(errs), len(docs))
	}
	for i, d := range docs {
		e := err
		if e == nil {
			e = errs[i]
		}
		_, missing := idx.Get(t.Context(), d.ID)
		if e == nil && missing != nil {
			t.Errorf("document %d reported as stored: %v", i, missing)
		}
		if e != nil && !presswatch.Retryable(e) {
			t.Errorf("document %d: %v, want Unavailable", i, e)
		}
	}
	if _, err := idx.Search(ctx, presswatch.Query{Limit: 1}); err != nil && !presswatch.Retryable(err) {
		t.Errorf("search: %v, want Unavailable", err)
	}
}

func testClose(t *testing.T, idx presswatch.Index) {
	put(t, idx, Document(1, "a", "b"))
	for range 2 {
		if err := idx.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, err1 := idx.Put(t.Context(), texts("a", "b"))
	_, err2 := idx.Get(t.Context(), Document(1, "", "").ID)
	_, err3 := idx.Search(t.Context(), presswatch.Query{})
	err4 := idx.Refresh(t.Context())
	for i, err := range []error{err1, err2, err3, err4} {
		if !presswatch.Retryable(err) {
			t.Errorf("call %d on a closed index: %v, want Unavailable", i, err)
		}
	}
}
