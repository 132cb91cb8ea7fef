package dashboards

import (
	"net/http"

	"presswatch"
	"presswatch/internal/auth"
)

type documentData struct {
	Doc    *docView
	Case   *presswatch.Case // nil: it has none, or the reader may not see cases
	Copies []presswatch.Document
	More   int
}

func (a *app) document(w http.ResponseWriter, r *http.Request, p *page) error {
	doc, err := a.Index.Get(r.Context(), presswatch.DocID(r.PathValue("id")))
	if err != nil {
		return err
	}
	d := &documentData{Doc: p.viewDoc(doc)}
	d.Copies, d.More = a.copies(r.Context(), doc.Story.ID, doc.ID)
	if p.can(auth.ReadQueue) {
		switch c, _, err := a.Cases.CaseByID(r.Context(), presswatch.NewCaseID(doc.ID)); presswatch.CodeOf(err) {
		case "":
			d.Case = &c
		case presswatch.NotFound:
		default:
			return err
		}
	}
	p.Title, p.Nav, p.Data = doc.Title, "search", d
	if p.Title == "" {
		p.Title = p.T("case.untitled")
	}
	a.render(w, p, "document", http.StatusOK)
	return nil
}
