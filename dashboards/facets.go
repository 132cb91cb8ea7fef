package dashboards

import (
	"slices"
	"time"

	"presswatch"
)

// facetGroup is one filter with the values that the hits have.
type facetGroup struct {
	Key    string // of its name
	Values []choice
}

const maxFacet = 12 // values shown of one filter

// facets makes links of the counted values: each sets or unsets its own.
func (p *page) facets(f archiveFilter, counts map[string][]presswatch.Count) []facetGroup {
	groups := []struct {
		name   string
		toggle func(*archiveFilter, string) bool
		label  func(string) string
	}{
		{"level", toggle(func(f *archiveFilter) *[]presswatch.Level { return &f.Levels }), func(v string) string { return p.T("level." + v) }},
		{"language", toggle(func(f *archiveFilter) *[]string { return &f.Langs }), p.LangName},
		{"source", toggle(func(f *archiveFilter) *[]presswatch.SourceID { return &f.Sources }), func(v string) string { return v }},
		{"kind", toggle(func(f *archiveFilter) *[]presswatch.Kind { return &f.Kinds }), func(v string) string { return p.T("kind." + v) }},
	}
	var out []facetGroup
	for _, g := range groups {
		fg := facetGroup{Key: "facet." + g.name}
		for i, c := range counts[g.name] {
			if i == maxFacet {
				break
			}
			if c.Value == "" || g.name == "level" && !slices.Contains(levels(), presswatch.Level(c.Value)) {
				continue
			}
			next := f
			next.After = ""
			on := g.toggle(&next, c.Value)
			ch := choice{Label: g.label(c.Value), URL: at("/search", next.values()), On: on, Count: c.Count}
			if g.name == "level" {
				ch.Class = c.Value
			}
			fg.Values = append(fg.Values, ch)
		}
		if len(fg.Values) > 0 {
			out = append(out, fg)
		}
	}
	return out
}

// toggle makes a function that sets or unsets a value of one filter and
// reports whether it was set.
func toggle[T ~string](field func(*archiveFilter) *[]T) func(*archiveFilter, string) bool {
	return func(f *archiveFilter, v string) bool {
		list := field(f)
		on := slices.Contains(*list, T(v))
		*list = toggled(*list, T(v))
		return on
	}
}

// active are the filters that are on, each as a link that takes it off.
func (p *page) active(f archiveFilter) []choice {
	var out []choice
	f.After = ""
	add := func(label string, without archiveFilter) {
		out = append(out, choice{Label: label, URL: at("/search", without.values()), On: true, Count: -1})
	}
	for _, v := range f.Levels {
		g := f
		g.Levels = toggled(f.Levels, v)
		add(p.T("level."+string(v)), g)
	}
	for _, v := range f.Langs {
		g := f
		g.Langs = toggled(f.Langs, v)
		add(p.LangName(v), g)
	}
	for _, v := range f.Sources {
		g := f
		g.Sources = toggled(f.Sources, v)
		add(string(v), g)
	}
	for _, v := range f.Kinds {
		g := f
		g.Kinds = toggled(f.Kinds, v)
		add(p.T("kind."+string(v)), g)
	}
	if f.Story != "" {
		g := f
		g.Story = ""
		add(p.T("search.one_story"), g)
	}
	if f.Since != "" || f.Until != "" {
		g := f
		g.Since, g.Until = "", ""
		add(p.period(f.Since, f.Until), g)
	}
	if f.MinRisk > 0 {
		g := f
		g.MinRisk = 0
		add(p.T("search.from_score", f.MinRisk), g)
	}
	return out
}

// period says from when to when, both days included.
func (p *page) period(since, until string) string {
	show := func(d string) string {
		t, err := time.Parse(time.DateOnly, d)
		if err != nil {
			return "…"
		}
		return t.Format(p.T("format.date"))
	}
	if since == until {
		return show(since)
	}
	return show(since) + " – " + show(until)
}

// bar is one interval of the histogram.
type bar struct {
	Label  string
	URL    string
	Count  int
	Height int // of 100
	Y      int // 100 less Height
}

const maxBars = 60

// bars folds a histogram by days into as few steps as can be read, with the
// empty ones between, newest maxBars of them.
func (p *page) bars(f archiveFilter, days []presswatch.Count) ([]bar, string) {
	first, last, ok := span(days)
	if !ok {
		return nil, ""
	}
	step := "day"
	switch n := int(last.Sub(first).Hours() / 24); {
	case n > 300:
		step = "month"
	case n > 45:
		step = "week"
	}
	sums := map[time.Time]int{}
	for _, c := range days {
		if t, err := time.Parse(time.DateOnly, c.Value); err == nil {
			sums[start(t, step)] += c.Count
		}
	}
	var out []bar
	most := 0
	for t := start(last, step); !t.Before(start(first, step)) && len(out) < maxBars; t = start(t.AddDate(0, 0, -1), step) {
		g := f
		g.After = ""
		g.Since, g.Until = t.Format(time.DateOnly), end(t, step).Format(time.DateOnly)
		out = append(out, bar{Label: p.period(g.Since, g.Until), URL: at("/search", g.values()), Count: sums[t]})
		most = max(most, sums[t])
	}
	slices.Reverse(out)
	for i := range out {
		out[i].Height = percent(out[i].Count, most)
		out[i].Y = 100 - out[i].Height
	}
	return out, step
}

// span is the first and the last day of a histogram.
func span(days []presswatch.Count) (first, last time.Time, ok bool) {
	for _, c := range days {
		t, err := time.Parse(time.DateOnly, c.Value)
		if err != nil || c.Count == 0 {
			continue
		}
		if !ok || t.Before(first) {
			first = t
		}
		if !ok || t.After(last) {
			last = t
		}
		ok = true
	}
	return first, last, ok
}

// start is the first day of the interval that a day is in; weeks begin on
// Monday.
func start(t time.Time, step string) time.Time {
	switch step {
	case "month":
		return t.AddDate(0, 0, 1-t.Day())
	case "week":
		return t.AddDate(0, 0, -(int(t.Weekday())+6)%7)
	}
	return t
}

// end is the last day of the interval that begins on a day.
func end(t time.Time, step string) time.Time {
	switch step {
	case "month":
		return t.AddDate(0, 1, -1)
	case "week":
		return t.AddDate(0, 0, 6)
	}
	return t
}
