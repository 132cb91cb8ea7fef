package dashboards

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"presswatch"
)

const (
	searchPage = 20              // hits of a page
	searchTime = 5 * time.Second // the most time one question may take
	maxText    = 512             // bytes of what is searched for
	maxValues  = 20              // values of one filter
)

// archiveFilter is a question to the archive; all of it stands in the address.
type archiveFilter struct {
	Text    string
	Since   string // a day
	Until   string // a day, inclusive
	Sources []presswatch.SourceID
	Langs   []string
	Levels  []presswatch.Level
	Kinds   []presswatch.Kind
	Story   presswatch.StoryID
	MinRisk int // of 100
	Sort    presswatch.Sort
	After   string
}

// parseSearch reads a question; what it does not know, it leaves out.
func parseSearch(v url.Values) archiveFilter {
	f := archiveFilter{Text: cut(v.Get("q"), maxText), Since: day(v.Get("since")), Until: day(v.Get("until")),
		Story: presswatch.StoryID(cut(v.Get("story"), 64)), After: cut(v.Get("after"), 2048)}
	for _, s := range v["source"] {
		f.Sources = appendNew(f.Sources, presswatch.SourceID(cut(s, 100)))
	}
	for _, s := range v["language"] {
		f.Langs = appendNew(f.Langs, cut(s, 35))
	}
	for _, s := range v["level"] {
		if slices.Contains(levels(), presswatch.Level(s)) {
			f.Levels = appendNew(f.Levels, presswatch.Level(s))
		}
	}
	for _, s := range v["kind"] {
		if k := presswatch.Kind(s); k == presswatch.Article || k == presswatch.Post {
			f.Kinds = appendNew(f.Kinds, k)
		}
	}
	if n, err := strconv.Atoi(v.Get("min_risk")); err == nil {
		f.MinRisk = min(100, max(0, n))
	}
	if s := presswatch.Sort(v.Get("sort")); slices.Contains(sorts(), s) {
		f.Sort = s
	}
	return f
}

func sorts() []presswatch.Sort {
	return []presswatch.Sort{presswatch.ByRelevance, presswatch.ByNewest, presswatch.ByRisk}
}

func appendNew[T ~string](list []T, v T) []T {
	if v == "" || slices.Contains(list, v) || len(list) == maxValues {
		return list
	}
	return append(list, v)
}

// day returns v when it is a day, "2026-11-21", and nothing else.
func day(v string) string {
	if _, err := time.Parse(time.DateOnly, v); err != nil {
		return ""
	}
	return v
}

// values are the question as parameters, without the place in the list.
func (f archiveFilter) values() url.Values {
	v := url.Values{}
	for k, s := range map[string]string{"q": f.Text, "since": f.Since, "until": f.Until, "story": string(f.Story), "sort": string(f.Sort)} {
		if s != "" {
			v.Set(k, s)
		}
	}
	if f.MinRisk > 0 {
		v.Set("min_risk", strconv.Itoa(f.MinRisk))
	}
	for _, s := range f.Sources {
		v.Add("source", string(s))
	}
	v["language"] = f.Langs
	for _, s := range f.Levels {
		v.Add("level", string(s))
	}
	for _, s := range f.Kinds {
		v.Add("kind", string(s))
	}
	return v
}

func (f archiveFilter) query(zone *time.Location) presswatch.Query {
	q := presswatch.Query{
		Text: f.Text, Sources: f.Sources, Langs: f.Langs, Levels: f.Levels, Kinds: f.Kinds, MinRisk: float64(f.MinRisk) / 100,
		Sort: f.Sort, Limit: searchPage, After: f.After, Facets: true, Interval: "day",
	}
	if f.Story != "" {
		q.Stories = []presswatch.StoryID{f.Story}
	}
	if t, err := time.ParseInLocation(time.DateOnly, f.Since, zone); err == nil {
		q.Since = t
	}
	if t, err := time.ParseInLocation(time.DateOnly, f.Until, zone); err == nil {
		q.Until = t.AddDate(0, 0, 1)
	}
	return q
}

type searchData struct {
	Filter  archiveFilter
	Hidden  url.Values // filters that the form does not show
	Total   int
	Hits    []hitView
	Groups  []facetGroup
	Bars    []bar
	Step    string // of the bars: day, week or month
	Sorts   []presswatch.Sort
	First   string
	Next    string
	Clear   string
	Mistake bool // the question cannot be understood
	Active  []choice
}

type hitView struct {
	presswatch.Document
	HeadMarked marked
	Snippet    marked
	Shown      string
}

func (a *app) search(w http.ResponseWriter, r *http.Request, p *page) error {
	f := parseSearch(r.URL.Query())
	d := &searchData{Filter: f, Sorts: sorts(), Clear: "/search", Hidden: f.values()}
	for _, shown := range []string{"q", "since", "until", "sort", "min_risk"} {
		d.Hidden.Del(shown)
	}
	p.Title, p.Nav, p.Data = p.T("search.title"), "search", d
	ctx, cancel := context.WithTimeout(r.Context(), searchTime)
	defer cancel()
	res, err := a.Index.Search(ctx, f.query(a.Zone))
	if presswatch.CodeOf(err) == presswatch.Invalid {
		d.Mistake = true
		a.render(w, p, "search", http.StatusBadRequest)
		return nil
	}
	if err != nil {
		return err
	}
	d.Total = res.Total
	for _, h := range res.Hits {
		d.Hits = append(d.Hits, p.viewHit(h))
	}
	d.Groups, d.Active = p.facets(f, res.Facets), p.active(f)
	d.Bars, d.Step = p.bars(f, res.Histogram)
	if f.After != "" {
		d.First = at("/search", f.values())
	}
	if res.Next != "" {
		v := f.values()
		v.Set("after", res.Next)
		d.Next = at("/search", v)
	}
	a.render(w, p, "search", http.StatusOK)
	return nil
}

func (p *page) viewHit(h presswatch.Hit) hitView {
	owner := make([]int, len(h.Highlights))
	for i := range owner {
		owner[i] = 1
	}
	v := hitView{Document: h.Document, Shown: p.Link(h.Document.CanonicalURL)}
	v.HeadMarked = mark("title", h.Document.Title, "", h.Highlights, owner, map[int]string{})
	v.Snippet = snippet(h.Document.Text, h.Highlights)
	for _, m := range []marked{v.HeadMarked, v.Snippet} {
		for _, par := range m.Paragraphs {
			for i := range par {
				par[i].ID = "" // many hits on a page: no ids
			}
		}
	}
	return v
}

// percent is a share of the most, at least 1 so that it can be seen.
func percent(n, most int) int {
	if most == 0 || n == 0 {
		return 0
	}
	return max(2, int(math.Round(100*float64(n)/float64(most))))
}
