package dashboards

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"presswatch"
	"presswatch/internal/auth"
)

// decideCase records a finding and goes on: to the next case, or back to this
// one. When somebody else was first, nothing is written, and the page shows
// what they found beside what was typed.
func (a *app) decideCase(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return formError(err)
	}
	ctx, id := r.Context(), presswatch.CaseID(r.PathValue("id"))
	q := filterOf(r.PostForm)
	form := caseForm{Label: presswatch.Label(r.PostForm.Get("label")), Reason: strings.TrimSpace(r.PostForm.Get("reason"))}
	dec := presswatch.Decision{Label: form.Label, Reason: form.Reason, By: p.User.Login, At: a.Now().UTC()}
	if mistake := mistakeOf(dec); mistake != "" {
		d, err := a.caseData(ctx, p, id, q)
		if err != nil {
			return err
		}
		d.Form, d.Mistake = form, mistake
		a.renderCase(w, p, d, http.StatusBadRequest)
		return nil
	}
	version, err := strconv.Atoi(r.PostForm.Get("version"))
	if err != nil {
		return presswatch.Errorf(presswatch.Invalid, "version: %w", err)
	}
	// Where to go next is looked up before the case leaves the list.
	next, err := a.nextOf(ctx, id, q)
	if err != nil {
		return err
	}
	_, err = a.Cases.Decide(ctx, id, version, dec)
	if presswatch.CodeOf(err) == presswatch.Conflict {
		return a.conflict(w, r, p, q, form)
	}
	if err != nil {
		return err
	}
	q.Set("done", string(id))
	to := "/cases/" + url.PathEscape(string(id))
	if r.PostForm.Get("then") == "next" {
		to = "/queue"
		if next != "" {
			to = "/cases/" + url.PathEscape(string(next))
		}
	}
	http.Redirect(w, r, at(to, q), http.StatusSeeOther)
	return nil
}

// mistakeOf names the message about the first wrong field.
func mistakeOf(d presswatch.Decision) string {
	switch {
	case !d.Label.Valid():
		return "mistake.label"
	case d.Reason == "":
		return "mistake.reason"
	case len([]rune(d.Reason)) > presswatch.MaxReason:
		return "mistake.long"
	}
	return ""
}

// nextOf is the case after this one in the queue; the first of it for the
// last one and for one that is not in it.
func (a *app) nextOf(ctx context.Context, id presswatch.CaseID, q url.Values) (presswatch.CaseID, error) {
	f := parseQueue(q)
	if f.Status != presswatch.CaseOpen {
		f.Status = presswatch.CaseOpen
	}
	pl, err := a.placeOf(ctx, id, f)
	if err != nil || pl.NextID != "" {
		return pl.NextID, err
	}
	res, err := a.Cases.ListCases(ctx, f.query(2))
	if err != nil {
		return "", err
	}
	for _, c := range res.Cases {
		if c.ID != id {
			return c.ID, nil
		}
	}
	return "", nil
}

// reopenCase takes a decision back. It is the Undo of the pages.
func (a *app) reopenCase(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return formError(err)
	}
	id := presswatch.CaseID(r.PathValue("id"))
	q := filterOf(r.PostForm)
	version, err := strconv.Atoi(r.PostForm.Get("version"))
	if err != nil {
		return presswatch.Errorf(presswatch.Invalid, "version: %w", err)
	}
	// The version holds the decision still: whose it is cannot change between
	// this look and the write.
	c, _, err := a.Cases.CaseByID(r.Context(), id)
	if err != nil {
		return err
	}
	if c.Decision != nil && !p.mayReopen(c) {
		return presswatch.Errorf(presswatch.Forbidden, "role %s may take back its own decisions only", p.User.Role)
	}
	_, err = a.Cases.Reopen(r.Context(), id, version, p.User.Login)
	if presswatch.CodeOf(err) == presswatch.Conflict {
		return a.conflict(w, r, p, q, caseForm{})
	}
	if err != nil {
		return err
	}
	q.Set("undone", "1")
	http.Redirect(w, r, at("/cases/"+url.PathEscape(string(id)), q), http.StatusSeeOther)
	return nil
}

// mayReopen reports whether the user may take the decision on a case back:
// their own, or anybody's.
func (p *page) mayReopen(c presswatch.Case) bool {
	own := c.Decision != nil && c.Decision.By == p.User.Login
	return p.can(auth.Reopen) || own && p.can(auth.ReopenOwn)
}

// conflict shows the case as somebody else has left it.
func (a *app) conflict(w http.ResponseWriter, r *http.Request, p *page, q url.Values, form caseForm) error {
	d, err := a.caseData(r.Context(), p, presswatch.CaseID(r.PathValue("id")), q)
	if err != nil {
		return err
	}
	d.Conflict, d.Form = &d.Case, form
	a.renderCase(w, p, d, http.StatusConflict)
	return nil
}

// filterOf reads the queue's parameters that a form carries. They go through
// the parser of filters, so that nothing else gets into an address.
func filterOf(form url.Values) url.Values {
	v, err := url.ParseQuery(cut(form.Get("filter"), 2048))
	if err != nil {
		return url.Values{}
	}
	f := parseQueue(v)
	f.After = ""
	return f.values()
}

// flashOf tells of the decision that led to this page, while it still stands
// and is the reader's own.
func (a *app) flashOf(ctx context.Context, p *page, q url.Values, f queueFilter) (*flash, error) {
	id := presswatch.CaseID(cut(q.Get("done"), 64))
	if id == "" {
		return nil, nil
	}
	c, _, err := a.Cases.CaseByID(ctx, id)
	if presswatch.CodeOf(err) == presswatch.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if c.Decision == nil || c.Decision.By != p.User.Login {
		return nil, nil
	}
	fl := &flash{Text: p.T("flash.decided", p.Label(c.Decision.Label)), Title: c.Title, Lang: c.Language, Ver: c.Version}
	if p.mayReopen(c) {
		f.After = ""
		fl.Undo, fl.Back = "/cases/"+url.PathEscape(string(id))+"/reopen", f.values().Encode()
	}
	return fl, nil
}

// formError is what is wrong with a form that does not parse.
func formError(err error) error {
	if codeOf(err) == presswatch.TooLarge {
		return err
	}
	return presswatch.Errorf(presswatch.Invalid, "form: %w", err)
}
