package index

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"presswatch"
	"presswatch/internal/index/indextest"
)

// sharedData is where data for measuring is, or "".
func sharedData(t *testing.T) string {
	dir := os.Getenv("PRESSWATCH_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	if _, err := os.Stat(filepath.Join(dir, "data", "pages", "pages.jsonl")); err != nil {
		t.Logf("WITHOUT REAL ARTICLES: %v", err)
		return ""
	}
	return dir
}

// realArticles reads main texts of real pages, when they are there.
func realArticles(t *testing.T, most int) []presswatch.Document {
	dir := sharedData(t)
	if dir == "" {
		return nil
	}
	f, err := os.Open(filepath.Join(dir, "data", "pages", "pages.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var docs []presswatch.Document
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() && len(docs) < most {
		var p struct{ Set, Title, Gold, Lang string }
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		d := indextest.Document(1_000_000+len(docs), p.Title, p.Gold)
		if d.Language = p.Lang; d.Validate() != nil {
			continue
		}
		d.Source = presswatch.SourceID(p.Set)
		d.Published = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(len(docs)) * 7 * time.Hour)
		d.Verdict.Risk = float64(len(docs)%97) / 97
		docs = append(docs, d)
	}
	return docs
}

// sameQueries are asked of both backends.
func sameQueries() []presswatch.Query {
	var qs []presswatch.Query
	for _, text := range []string{
		"chính phủ", "chinh phu", "Đắk Lắk", "dak lak", `"đắk lắk"`, "vắc xin tiêm chủng", "tin giả OR lừa đảo", "bão -lũ", "thủ tướng NOT (học sinh)",
		"health minister", "nations vaccine", `"health minister"`, "election*", "rumour OR report", "fake news -bank", "the", "government city school",
		"सरकार मंत्री", "चुनाव OR अस्पताल", "खबर", "लड़के", `"स्वास्थ्य मंत्री"`, "الوزير", "الحكومة OR اللقاح", "أخبار -مصر", `"وزير الصحة"`,
		"of and to", "police court hospital", "people said", "president", "new year", "wor* tea*", "Việt Nam OR Vietnam OR فيتنام OR वियतनाम",
		"(bộ y tế) OR (health minister) OR वजीर", "và của là", "người -(nhà nước)", "công an thành phố hồ chí minh", `"hồ chí minh"`, "reporting organised", "2024 OR 2025", "nước ngoài", "ky*",
	} {
		qs = append(qs, presswatch.Query{Text: text})
	}
	since := time.Date(2025, 6, 1, 7, 0, 0, 0, time.FixedZone("", 7*3600))
	qs = append(qs,
		presswatch.Query{}, presswatch.Query{Text: "*", Sort: presswatch.ByRisk, MinRisk: 0.66},
		presswatch.Query{Text: "người OR people", Since: since, Until: since.AddDate(0, 3, 1).Add(time.Hour)},
		presswatch.Query{Text: "tin OR news", Levels: []presswatch.Level{presswatch.High}, Sort: presswatch.ByNewest},
		presswatch.Query{Text: "the OR và", Sources: []presswatch.SourceID{"source-01", "source-02"}, Kinds: []presswatch.Kind{presswatch.Post}},
	)
	for i := range qs {
		qs[i].Limit, qs[i].Facets, qs[i].Interval = maxPage, true, []string{"day", "week", "month"}[i%3]
	}
	return qs
}

// TestBackendsAgree asks both backends the same. They must give the same hits,
// totals, facets, histograms and highlights, and the same order.
//
// Both compute the same formula over the same numbers, so scores may differ by
// rounding only: Elasticsearch adds up 32-bit floats. So two hits may change
// places only when their scores are equal to one part in 100,000; that is
// stricter than any rank correlation, and says what a user sees.
func TestBackendsAgree(t *testing.T) {
	es := openTestElastic(t, ElasticOptions{})
	bl := openTestBleve(t)
	docs := append(indextest.Corpus(1000, 120), realArticles(t, 500)...)
	for _, idx := range []presswatch.Index{es, bl} {
		for batch := range slices.Chunk(docs, 150) {
			errs, err := idx.Put(t.Context(), batch)
			if err := errors.Join(append(errs, err)...); err != nil {
				t.Fatal(err)
			}
		}
		if err := idx.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	answered := 0
	for _, q := range sameQueries() {
		name := fmt.Sprintf("%s by %s", q.Text, q.Sort)
		a, err := es.Search(t.Context(), q)
		b, err2 := bl.Search(t.Context(), q)
		if err := errors.Join(err, err2); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if a.Total > 0 {
			answered++
		}
		compareResults(t, name, a, b)
	}
	if answered < 40 {
		t.Errorf("only %d queries found anything", answered)
	}
	t.Logf("%d documents, %d queries, %d of them with hits", len(docs), len(sameQueries()), answered)
}

func compareResults(t *testing.T, name string, a, b presswatch.Result) {
	t.Helper()
	if a.Total != b.Total || fmt.Sprint(a.Facets) != fmt.Sprint(b.Facets) || fmt.Sprint(a.Histogram) != fmt.Sprint(b.Histogram) {
		t.Errorf("%s: counts differ:\n%d %v %v\n%d %v %v", name, a.Total, a.Facets, a.Histogram, b.Total, b.Facets, b.Histogram)
	}
	if len(a.Hits) != len(b.Hits) {
		t.Errorf("%s: %d and %d hits", name, len(a.Hits), len(b.Hits))
		return
	}
	scores := map[presswatch.DocID]presswatch.Hit{}
	for _, h := range b.Hits {
		scores[h.Document.ID] = h
	}
	for i, h := range a.Hits {
		other, ok := scores[h.Document.ID]
		switch {
		case !ok && a.Total <= maxPage:
			t.Errorf("%s: %s found by one only", name, h.Document.ID)
		case ok && !near(h.Score, other.Score):
			t.Errorf("%s: %s scores %v and %v", name, h.Document.ID, h.Score, other.Score)
		case ok && fmt.Sprint(h.Highlights) != fmt.Sprint(other.Highlights):
			t.Errorf("%s: %s has highlights %v and %v", name, h.Document.ID, h.Highlights, other.Highlights)
		case h.Document.ID != b.Hits[i].Document.ID && !near(h.Score, b.Hits[i].Score):
			t.Errorf("%s: place %d is %s (%v) and %s (%v)", name, i, h.Document.ID, h.Score, b.Hits[i].Document.ID, b.Hits[i].Score)
		}
	}
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-5*max(math.Abs(a), math.Abs(b)) }
