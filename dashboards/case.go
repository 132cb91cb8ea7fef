package dashboards

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"presswatch"
)

// maxCopies is the most documents of the same story that a page shows.
const maxCopies = 30

type caseData struct {
	Case   presswatch.Case
	Doc    *docView // nil: the archive does not have it, or is away
	Away   bool     // the archive is away
	Copies []presswatch.Document
	More   int // documents of the story that are not shown
	Events []eventView
	Labels []presswatch.Label
	Form   caseForm
	Place  place
	Filter string // the queue's parameters, to be carried along
	Queue  string // address of the queue
	Story  string // address of the queue with this story only
	Reopen bool   // the reader may take the decision back

	Conflict *presswatch.Case // somebody was first: the case as it is now
	Mistake  string           // key of the message about the form
}

// caseForm is what was typed, to be shown again.
type caseForm struct {
	Label  presswatch.Label
	Reason string
}

// place is where a case stands in its queue.
type place struct {
	N, Of      int // N is 0 when it is not among the first
	Prev, Next string
	NextID     presswatch.CaseID
}

// docView is a document made ready to be read.
type docView struct {
	presswatch.Document
	HeadMarked marked
	TextMarked marked
	Signals    []evidenceView
	Shown      string // link to the publisher, when it is safe
}

type evidenceView struct {
	presswatch.Evidence
	N     int
	Why   reason
	Mark  string // id of the first mark in the text
	Width int    // of its bar, 0 to 50
	X     int    // where the bar begins, 0 to 50
}

type eventView struct {
	presswatch.CaseEvent
	Decision *presswatch.Decision
	Score    int // of openings and rescorings; else -1
}

func (a *app) showCase(w http.ResponseWriter, r *http.Request, p *page) error {
	d, err := a.caseData(r.Context(), p, presswatch.CaseID(r.PathValue("id")), r.URL.Query())
	if err != nil {
		return err
	}
	f := parseQueue(r.URL.Query())
	if p.Flash, err = a.flashOf(r.Context(), p, r.URL.Query(), f); err != nil {
		return err
	}
	if p.Flash == nil && r.URL.Query().Get("undone") != "" && d.Case.Status == presswatch.CaseOpen {
		p.Flash = &flash{Text: p.T("flash.reopened")}
	}
	a.renderCase(w, p, d, http.StatusOK)
	return nil
}

func (a *app) renderCase(w http.ResponseWriter, p *page, d *caseData, status int) {
	p.Title, p.Nav, p.Data = d.Case.Title, "queue", d
	if p.Title == "" {
		p.Title = p.T("case.untitled")
	}
	a.render(w, p, "case", status)
}

// caseData gathers a case and all that helps to decide it. The page works
// without the archive, so long as the case itself is there.
func (a *app) caseData(ctx context.Context, p *page, id presswatch.CaseID, q url.Values) (*caseData, error) {
	c, events, err := a.Cases.CaseByID(ctx, id)
	if err != nil {
		return nil, err
	}
	f := parseQueue(q)
	f.After = ""
	d := &caseData{Case: c, Labels: presswatch.Labels(), Filter: f.values().Encode(), Queue: at("/queue", f.values()), Reopen: p.mayReopen(c)}
	for _, e := range events {
		d.Events = append(d.Events, viewEvent(e))
	}
	if c.Story != "" {
		d.Story = at("/queue", queueFilter{Story: c.Story}.values())
	}
	switch doc, err := a.Index.Get(ctx, c.Doc); presswatch.CodeOf(err) {
	case "":
		d.Doc = p.viewDoc(doc)
	case presswatch.NotFound:
	default:
		a.Log.WarnContext(ctx, "dashboards: case without its document", "case", id, "err", err)
		d.Away = true
	}
	if !d.Away {
		d.Copies, d.More = a.copies(ctx, c.Story, c.Doc)
	}
	d.Place, err = a.placeOf(ctx, c.ID, f)
	return d, err
}

// copies are the other documents of a story, newest first. They are help, not
// substance: when the archive fails, there are none.
func (a *app) copies(ctx context.Context, story presswatch.StoryID, self presswatch.DocID) ([]presswatch.Document, int) {
	if story == "" {
		return nil, 0
	}
	res, err := a.Index.Search(ctx, presswatch.Query{Stories: []presswatch.StoryID{story}, Sort: presswatch.ByNewest, Limit: maxCopies})
	if err != nil {
		a.Log.WarnContext(ctx, "dashboards: copies not found", "story", story, "err", err)
		return nil, 0
	}
	var out []presswatch.Document
	for _, h := range res.Hits {
		if h.Document.ID != self {
			out = append(out, h.Document)
		}
	}
	return out, max(0, res.Total-len(res.Hits))
}

// placeOf finds a case in its queue, and its neighbours.
func (a *app) placeOf(ctx context.Context, id presswatch.CaseID, f queueFilter) (place, error) {
	res, err := a.Cases.ListCases(ctx, f.query(queueReach))
	if err != nil {
		return place{}, err
	}
	pl := place{Of: res.Total}
	for i, c := range res.Cases {
		if c.ID != id {
			continue
		}
		pl.N = i + 1
		if i > 0 {
			pl.Prev = at("/cases/"+string(res.Cases[i-1].ID), f.values())
		}
		if i+1 < len(res.Cases) {
			pl.NextID = res.Cases[i+1].ID
		}
	}
	if pl.N == 0 && len(res.Cases) > 0 {
		pl.NextID = res.Cases[0].ID
	}
	if pl.NextID != "" {
		pl.Next = at("/cases/"+string(pl.NextID), f.values())
	}
	return pl, nil
}

// viewDoc marks a document and explains its verdict.
func (p *page) viewDoc(doc presswatch.Document) *docView {
	v := &docView{Document: doc, Shown: p.Link(doc.CanonicalURL)}
	var first map[int]string
	v.HeadMarked, v.TextMarked, first = p.markEvidence(doc)
	most := 1.0 // log-odds that fill half of the bar, at least
	for _, e := range doc.Verdict.Evidence {
		most = max(most, e.Weight, -e.Weight)
	}
	for i, e := range doc.Verdict.Evidence {
		ev := evidenceView{Evidence: e, N: i + 1, Why: p.Why(e), Mark: first[i+1]}
		ev.Width = int(50 * max(e.Weight, -e.Weight) / most)
		ev.X = 50
		if e.Weight < 0 {
			ev.X = 50 - ev.Width
		}
		v.Signals = append(v.Signals, ev)
	}
	return v
}

// viewEvent reads what an event carries. Data that cannot be read is left out:
// the event itself still shows.
func viewEvent(e presswatch.CaseEvent) eventView {
	v := eventView{CaseEvent: e, Score: -1}
	switch e.Type {
	case presswatch.EventDecided:
		d := new(presswatch.Decision)
		if json.Unmarshal(e.Data, d) == nil {
			v.Decision = d
		}
	case presswatch.EventOpened, presswatch.EventRescored:
		var c presswatch.Case
		if json.Unmarshal(e.Data, &c) == nil {
			v.Score = int(c.Risk*100 + 0.5)
		}
	}
	return v
}
