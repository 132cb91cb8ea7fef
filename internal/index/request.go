package index

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"presswatch"
	"presswatch/internal/index/analysis"
	"presswatch/internal/index/query"
)

// The limits of one search.
const (
	maxPage    = 1000 // hits; a larger Limit gives pages of this size
	maxFilters = 1000 // values of one filter
)

// request is a checked query.
type request struct {
	node      query.Node
	filters   []filter
	since     int64 // Unix microseconds
	until     int64 // exclusive; MaxInt64 when open
	minRisk   int   // steps
	sort      presswatch.Sort
	limit     int
	after     *cursor
	facets    bool
	histogram string // "", "day", "week" or "month"
}

type filter struct {
	field  string
	values []string
}

// CheckQuery says what is wrong with the text of a query and where, or nil.
func CheckQuery(text string) error {
	_, err := query.Parse(text, analysis.New())
	return err
}

// newRequest checks a query. Every error is Invalid.
func newRequest(q presswatch.Query, a *analysis.Analyzer) (*request, error) {
	node, err := query.Parse(q.Text, a)
	if err != nil {
		return nil, err
	}
	r := &request{node: node, sort: q.Sort, facets: q.Facets, histogram: q.Interval, until: math.MaxInt64, since: math.MinInt64}
	if err := r.setFilters(q); err != nil {
		return nil, err
	}
	switch q.Interval {
	case "", "day", "week", "month":
	default:
		return nil, presswatch.Errorf(presswatch.Invalid, "interval %q is neither day, week nor month", q.Interval)
	}
	if r.sort == "" {
		r.sort = presswatch.ByRelevance
		if len(query.Words(node)) == 0 {
			r.sort = presswatch.ByNewest
		}
	}
	switch r.sort {
	case presswatch.ByRelevance, presswatch.ByNewest, presswatch.ByRisk:
	default:
		return nil, presswatch.Errorf(presswatch.Invalid, "sort %q is neither relevance, newest nor risk", q.Sort)
	}
	if q.Limit < 0 {
		return nil, presswatch.Errorf(presswatch.Invalid, "limit %d is negative", q.Limit)
	}
	r.limit = min(q.Limit, maxPage)
	if q.After != "" {
		if r.after, err = readCursor(q.After, r.sort); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *request) setFilters(q presswatch.Query) error {
	if !q.Since.IsZero() {
		r.since = micros(q.Since)
	}
	if !q.Until.IsZero() {
		r.until = micros(q.Until)
	}
	if math.IsNaN(q.MinRisk) || math.IsInf(q.MinRisk, 0) {
		return presswatch.Errorf(presswatch.Invalid, "the least risk is not a number")
	}
	r.minRisk = riskUp(min(max(q.MinRisk, 0), 2))
	r.filters = []filter{
		{fieldSource, texts(q.Sources)}, {fieldLanguage, texts(q.Langs)}, {fieldLevel, texts(q.Levels)},
		{fieldKind, texts(q.Kinds)}, {fieldStory, texts(q.Stories)},
	}
	r.filters = slices.DeleteFunc(r.filters, func(f filter) bool { return len(f.values) == 0 })
	for _, f := range r.filters {
		if len(f.values) > maxFilters {
			return presswatch.Errorf(presswatch.Invalid, "%s: %d values, the most is %d", f.field, len(f.values), maxFilters)
		}
		for _, v := range f.values {
			if len(v) > maxKeyword {
				return presswatch.Errorf(presswatch.Invalid, "%s: a value of %d bytes, the most is %d", f.field, len(v), maxKeyword)
			}
		}
	}
	return nil
}

func texts[T ~string](values []T) []string {
	var out []string
	for _, v := range values {
		out = append(out, strings.ToValidUTF8(string(v), "\uFFFD"))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// micros is a time in Unix microseconds; what lies before year 0 or after 9999,
// where no document can be, is moved to that border.
func micros(t time.Time) int64 {
	first, last := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
	switch {
	case t.Before(first):
		t = first
	case t.After(last):
		t = last
	}
	return t.UnixMicro()
}

// scored reports whether the order of hits needs their scores.
func (r *request) scored() bool { return r.sort == presswatch.ByRelevance && r.limit > 0 }

// hit makes a Hit of a stored document.
func (r *request) hit(raw []byte, score float64, a *analysis.Analyzer) (presswatch.Hit, error) {
	var d presswatch.Document
	if err := json.Unmarshal(raw, &d); err != nil {
		return presswatch.Hit{}, presswatch.Errorf(presswatch.Internal, "stored document: %w", err)
	}
	return presswatch.Hit{Document: d, Score: score, Highlights: query.Highlights(r.node, d, a)}, nil
}

// intervalStart is the first day of the interval that a day is in; weeks begin
// on Monday.
func intervalStart(day time.Time, interval string) time.Time {
	switch interval {
	case "week":
		return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	case "month":
		return day.AddDate(0, 0, 1-day.Day())
	}
	return day
}

// sortFacet orders counts, most first, then by value, and keeps the first.
func sortFacet(counts []presswatch.Count) []presswatch.Count {
	slices.SortFunc(counts, func(a, b presswatch.Count) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return strings.Compare(a.Value, b.Value)
	})
	return counts[:min(len(counts), maxFacet)]
}

// sortedHistogram lists intervals by their first day, oldest first.
func sortedHistogram(sums map[time.Time]int) []presswatch.Count {
	starts := slices.SortedFunc(maps.Keys(sums), time.Time.Compare)
	out := make([]presswatch.Count, 0, len(starts))
	for _, start := range starts {
		out = append(out, presswatch.Count{Value: start.Format(dayLayout), Count: sums[start]})
	}
	return out
}
