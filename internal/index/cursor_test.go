package index

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"presswatch"
	"presswatch/internal/index/analysis"
	"presswatch/internal/index/indextest"
)

func TestCursorRoundTrip(t *testing.T) {
	for _, c := range []cursor{
		{sort: presswatch.ByRelevance, score: 3.1412902, id: "d1"},
		{sort: presswatch.ByRelevance, id: "d1"},
		{sort: presswatch.ByNewest, at: -62_135_596_800_000_000, id: "d2"},
		{sort: presswatch.ByNewest, at: math.MaxInt64, id: strings.Repeat("d", 100)},
		{sort: presswatch.ByRisk, risk: riskSteps, id: "d3"},
	} {
		got, err := readCursor(c.String(), c.sort)
		if err != nil || *got != c {
			t.Errorf("%+v became %+v, %v", c, got, err)
		}
	}
}

func FuzzCursor(f *testing.F) {
	for s := range sortLetters {
		f.Add(cursor{sort: s, id: "d1"}.String(), string(s))
	}
	f.Add("", "newest")
	f.Add("!!", "x")
	f.Fuzz(func(t *testing.T, s, sort string) {
		c, err := readCursor(s, presswatch.Sort(sort))
		if err == nil && (c.sort != presswatch.Sort(sort) || math.IsNaN(c.score) || c.risk > riskSteps) {
			t.Errorf("%q by %s: %+v", s, sort, c)
		}
		if err != nil && presswatch.CodeOf(err) != presswatch.Invalid {
			t.Errorf("%q: %v", s, err)
		}
	})
}

// The lengths that Lucene's SmallFloat gives back, from its documentation: all
// up to 40 are exact, then steps double.
func TestRoundLengthAsLucene(t *testing.T) {
	for n := range 41 {
		if roundLength(n) != n {
			t.Errorf("%d became %d", n, roundLength(n))
		}
	}
	for n, want := range map[int]int{41: 40, 42: 42, 43: 42, 55: 54, 56: 56, 59: 56, 60: 60, 87: 84, 88: 88, 100: 96, 600: 600, 617: 600, 1000: 984, 100_000: 98_328} {
		if got := roundLength(n); got != want {
			t.Errorf("%d became %d, want %d", n, got, want)
		}
	}
}

func TestRiskRounding(t *testing.T) {
	for i := range 101 {
		r := float64(i) / 100
		if riskDown(r) != i*100 || riskUp(r) != i*100 {
			t.Errorf("%v became %d and %d, want %d", r, riskDown(r), riskUp(r), i*100)
		}
	}
	if riskDown(0.49996) >= riskUp(0.5) {
		t.Error("0.49996 passes for 0.5")
	}
}

func TestIntervalStart(t *testing.T) {
	for in, want := range map[string][3]string{
		"2026-11-21": {"2026-11-21", "2026-11-16", "2026-11-01"}, // a Saturday
		"2026-11-22": {"2026-11-22", "2026-11-16", "2026-11-01"}, // a Sunday
		"2026-11-23": {"2026-11-23", "2026-11-23", "2026-11-01"}, // a Monday
		"2027-01-01": {"2027-01-01", "2026-12-28", "2027-01-01"},
		"2024-02-29": {"2024-02-29", "2024-02-26", "2024-02-01"},
	} {
		day, err := time.Parse(dayLayout, in)
		if err != nil {
			t.Fatal(err)
		}
		for i, interval := range []string{"day", "week", "month"} {
			if got := intervalStart(day, interval).Format(dayLayout); got != want[i] {
				t.Errorf("%s of %s: %s, want %s", interval, in, got, want[i])
			}
		}
	}
}

func TestKeysSortNewestFirst(t *testing.T) {
	times := []int64{math.MaxInt64, 1_700_000_000_000_000, 1, 0, -1, -62_135_596_800_000_000, math.MinInt64}
	for i := 1; i < len(times); i++ {
		if keyOf(times[i-1], "z") >= keyOf(times[i], "a") {
			t.Errorf("%d does not come before %d", times[i-1], times[i])
		}
	}
	if keyOf(5, "a") >= keyOf(5, "b") {
		t.Error("ties do not go by DocID")
	}
}

func TestMetaRoundTrip(t *testing.T) {
	m := meta{seq: math.MaxInt64, lengths: [4]int{0, 100_000, 3, 128}}
	if got, ok := readMeta(m.bytes()); !ok || got != m {
		t.Errorf("%+v became %+v", m, got)
	}
	for i := range m.bytes() {
		if _, ok := readMeta(m.bytes()[:i]); ok {
			t.Errorf("%d bytes of a record were read as whole", i)
		}
	}
}

func TestBulkLinesAreJSON(t *testing.T) {
	a := analysis.New()
	d := indextest.Document(1, "Title \"quoted\" \\ \u2028", "line\n\ttab </script> 😀")
	e, err := newEntry(d, a)
	if err != nil {
		t.Fatal(err)
	}
	line := string(bulkLine(e))
	if strings.Count(line, "\n") != 2 || !strings.HasSuffix(line, "}\n") {
		t.Errorf("not two lines: %q", line)
	}
	if !strings.Contains(line, `"version_type":"external_gte","version":1700000000000001}`) || !strings.Contains(line, `"title":"title quoted"`) {
		t.Errorf("line %s", line)
	}
}

func TestEachStopsAtAnError(t *testing.T) {
	idx := openTestBleve(t)
	put(t, idx, indextest.Corpus(eachPage+20, 5))
	stop, n := errors.New("stop"), 0
	err := Each(t.Context(), idx, func(presswatch.Document) error {
		if n++; n == eachPage+10 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || n != eachPage+10 {
		t.Errorf("%d documents, %v", n, err)
	}
	if c, err := CountDocs(t.Context(), idx); err != nil || c != eachPage+20 {
		t.Errorf("%d documents, %v", c, err)
	}
}

func TestCheckQuery(t *testing.T) {
	if err := CheckQuery(`"tin giả" -bão (a OR b)`); err != nil {
		t.Error(err)
	}
	if err := CheckQuery(`tin "giả`); presswatch.CodeOf(err) != presswatch.Invalid || !strings.Contains(err.Error(), "position 5") {
		t.Errorf("%v, want Invalid at position 5", err)
	}
}
