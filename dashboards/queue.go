package dashboards

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"presswatch"
	"presswatch/internal/lang/all"
)

const (
	queuePage  = 50  // rows of the queue
	queueReach = 100 // how far down the queue a case page knows its place
)

// queueFilter is what the queue shows; all of it stands in the address.
type queueFilter struct {
	Status presswatch.CaseStatus // empty: any
	Langs  []string
	Levels []presswatch.Level
	Story  presswatch.StoryID
	After  string
}

// levels are the levels, most urgent first.
func levels() []presswatch.Level {
	return []presswatch.Level{presswatch.High, presswatch.Review, presswatch.Low}
}

// parseQueue reads a filter. What it does not know, it leaves out: a filter
// comes from a link, and a stale link should still show a queue.
func parseQueue(v url.Values) queueFilter {
	f := queueFilter{Status: presswatch.CaseOpen, Story: presswatch.StoryID(cut(v.Get("story"), 64)), After: cut(v.Get("after"), 512)}
	switch v.Get("status") {
	case string(presswatch.CaseDecided):
		f.Status = presswatch.CaseDecided
	case "all":
		f.Status = ""
	}
	for _, l := range v["level"] {
		if slices.Contains(levels(), presswatch.Level(l)) && !slices.Contains(f.Levels, presswatch.Level(l)) {
			f.Levels = append(f.Levels, presswatch.Level(l))
		}
	}
	for _, l := range v["language"] {
		if p, ok := all.ByCode(l); ok && !slices.Contains(f.Langs, p.Code) {
			f.Langs = append(f.Langs, p.Code)
		}
	}
	return f
}

// values are the filter as parameters, without the place in the list.
func (f queueFilter) values() url.Values {
	v := url.Values{}
	switch f.Status {
	case presswatch.CaseDecided:
		v.Set("status", string(f.Status))
	case "":
		v.Set("status", "all")
	}
	for _, l := range f.Levels {
		v.Add("level", string(l))
	}
	v["language"] = append(v["language"], f.Langs...)
	if f.Story != "" {
		v.Set("story", string(f.Story))
	}
	return v
}

func (f queueFilter) query(limit int) presswatch.CaseQuery {
	q := presswatch.CaseQuery{Status: f.Status, Langs: f.Langs, Levels: f.Levels, Limit: limit, After: f.After}
	if f.Story != "" {
		q.Stories = []presswatch.StoryID{f.Story}
	}
	return q
}

// at is an address with parameters.
func at(path string, v url.Values) string {
	return (&url.URL{Path: path, RawQuery: v.Encode()}).String()
}

// toggled returns list with v taken out, or put in when it was not there.
func toggled[T comparable](list []T, v T) []T {
	if i := slices.Index(list, v); i >= 0 {
		return slices.Delete(slices.Clone(list), i, i+1)
	}
	return append(slices.Clone(list), v)
}

type queueData struct {
	Cases     []caseRow
	Total     int
	Statuses  []choice
	Levels    []choice
	Languages []choice
	Story     presswatch.StoryID
	Filtered  bool
	Clear     string
	First     string // address of the first page, when this is another
	Next      string
	Export    string
}

// caseRow is a case with the address that remembers the queue it was in.
type caseRow struct {
	presswatch.Case
	URL string
}

func (a *app) queue(w http.ResponseWriter, r *http.Request, p *page) error {
	ctx, f := r.Context(), parseQueue(r.URL.Query())
	res, err := a.Cases.ListCases(ctx, f.query(queuePage))
	if err != nil {
		return err
	}
	d := &queueData{Total: res.Total, Story: f.Story, Filtered: f.Story != "" || len(f.Levels)+len(f.Langs) > 0, Clear: at("/queue", queueFilter{Status: f.Status}.values())}
	for _, c := range res.Cases {
		d.Cases = append(d.Cases, caseRow{c, at("/cases/"+string(c.ID), f.values())})
	}
	if f.After != "" {
		d.First = at("/queue", f.values())
	}
	if res.Next != "" {
		v := f.values()
		v.Set("after", res.Next)
		d.Next = at("/queue", v)
	}
	if err := a.queueChoices(ctx, p, f, d); err != nil {
		return err
	}
	if p.Flash, err = a.flashOf(ctx, p, r.URL.Query(), f); err != nil {
		return err
	}
	p.Title, p.Nav, p.Data = p.T("queue.title"), "queue", d
	a.render(w, p, "queue", http.StatusOK)
	return nil
}

// queueChoices counts what other filters would show.
func (a *app) queueChoices(ctx context.Context, p *page, f queueFilter, d *queueData) error {
	for _, s := range []presswatch.CaseStatus{presswatch.CaseOpen, presswatch.CaseDecided, ""} {
		g := f
		g.Status, g.After = s, ""
		n, err := a.count(ctx, g)
		if err != nil {
			return err
		}
		key := "status.all"
		if s != "" {
			key = "status." + string(s)
		}
		d.Statuses = append(d.Statuses, choice{Label: p.T(key), URL: at("/queue", g.values()), On: s == f.Status, Count: n})
	}
	for _, l := range levels() {
		g := f
		g.Levels, g.After = []presswatch.Level{l}, ""
		n, err := a.count(ctx, g)
		if err != nil {
			return err
		}
		g.Levels = toggled(f.Levels, l)
		d.Levels = append(d.Levels, choice{Label: p.T("level." + string(l)), URL: at("/queue", g.values()), On: slices.Contains(f.Levels, l), Count: n, Class: string(l)})
	}
	for _, l := range all.Profiles() {
		g := f
		g.Langs, g.After = toggled(f.Langs, l.Code), ""
		d.Languages = append(d.Languages, choice{Label: l.Name, Lang: l.Code, URL: at("/queue", g.values()), On: slices.Contains(f.Langs, l.Code), Count: -1})
	}
	return nil
}

func (a *app) count(ctx context.Context, f queueFilter) (int, error) {
	res, err := a.Cases.ListCases(ctx, f.query(1))
	return res.Total, err
}
