package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"presswatch"
	"presswatch/internal/auth"
)

// maxCopies is the most documents of the same story that a case shows.
const maxCopies = 50

type listCasesIn struct {
	Status   string   `query:"status" enum:"open,decided" doc:"Empty: both"`
	Language []string `query:"language,explode" maxItems:"20" doc:"BCP 47; may be repeated"`
	Level    []string `query:"level,explode" enum:"low,review,high" maxItems:"3"`
	Story    []string `query:"story,explode" maxItems:"50"`
	Limit    int      `query:"limit" minimum:"1" maximum:"100" default:"50"`
	Cursor   string   `query:"cursor" maxLength:"512" doc:"The cursor of the page before"`
}

type casePage struct {
	Items  []presswatch.Case `json:"items"`
	Total  int               `json:"total"`
	Cursor string            `json:"cursor,omitempty" doc:"Asks for the next page; absent on the last"`
	Next   string            `json:"next,omitempty" doc:"Address of the next page"`
}

type listCasesOut struct{ Body casePage }

func (s *Server) listCases(ctx context.Context, in *listCasesIn) (*listCasesOut, error) {
	page, err := s.Cases.ListCases(ctx, presswatch.CaseQuery{
		Status: presswatch.CaseStatus(in.Status), Langs: in.Language, Levels: as[presswatch.Level](in.Level),
		Stories: as[presswatch.StoryID](in.Story), Limit: in.Limit, After: in.Cursor,
	})
	if err != nil {
		return nil, err
	}
	next := ""
	if page.Next != "" {
		q := url.Values{"cursor": {page.Next}, "limit": {strconv.Itoa(in.Limit)}, "language": in.Language, "level": in.Level, "story": in.Story}
		if in.Status != "" {
			q.Set("status", in.Status)
		}
		next = "/v1/cases?" + q.Encode()
	}
	return &listCasesOut{Body: casePage{Items: orEmpty(page.Cases), Total: page.Total, Cursor: page.Next, Next: next}}, nil
}

type caseIn struct {
	ID string `path:"id" maxLength:"64"`
}

type caseDetail struct {
	Case     presswatch.Case        `json:"case"`
	Events   []presswatch.CaseEvent `json:"events" doc:"All that happened to it, oldest first"`
	Document *presswatch.Document   `json:"document,omitempty" doc:"Absent when the archive does not have it"`
	Copies   []presswatch.Document  `json:"copies" doc:"Other documents of the same story, without their text, newest first"`
	Notice   string                 `json:"notice" doc:"What the score means"`
}

// notice goes with every score: automation is disclosed.
const notice = "Scored automatically: the score orders the queue and says how much the item needs a person's review; it is no finding."

type caseOut struct {
	ETag string `header:"ETag"`
	Body caseDetail
}

func (s *Server) getCase(ctx context.Context, in *caseIn) (*caseOut, error) {
	c, events, err := s.Cases.CaseByID(ctx, presswatch.CaseID(in.ID))
	if err != nil {
		return nil, err
	}
	out := &caseOut{ETag: etag(c.Version), Body: caseDetail{Case: c, Events: events, Copies: []presswatch.Document{}, Notice: notice}}
	switch doc, err := s.Index.Get(ctx, c.Doc); presswatch.CodeOf(err) {
	case "":
		out.Body.Document = &doc
	case presswatch.NotFound:
	default:
		return nil, err
	}
	if c.Story == "" {
		return out, nil
	}
	res, err := s.Index.Search(ctx, presswatch.Query{Stories: []presswatch.StoryID{c.Story}, Sort: presswatch.ByNewest, Limit: maxCopies})
	if err != nil {
		return nil, err
	}
	for _, h := range res.Hits {
		if h.Document.ID != c.Doc {
			h.Document.Text = ""
			out.Body.Copies = append(out.Body.Copies, h.Document)
		}
	}
	return out, nil
}

type decideIn struct {
	ID      string `path:"id" maxLength:"64"`
	IfMatch string `header:"If-Match" doc:"ETag of the case that the finding was made on"`
	Key     string `header:"Idempotency-Key" maxLength:"128" doc:"Makes it safe to send the same request again"`
	Body    struct {
		Label  string `json:"label" enum:"false,misleading,unproven,true,fake,out_of_context,satire,opinion"`
		Reason string `json:"reason" minLength:"1" maxLength:"4000" doc:"Why, so that a second person can check it"`
	}
}

type decidedOut struct {
	ETag string `header:"ETag"`
	Body presswatch.Case
}

func (s *Server) decide(ctx context.Context, in *decideIn) (*decidedOut, error) {
	user, _ := auth.UserOf(ctx)
	d := presswatch.Decision{Label: presswatch.Label(in.Body.Label), Reason: strings.TrimSpace(in.Body.Reason), By: user.Login, At: s.Now().UTC()}
	if err := d.Validate(); err != nil {
		return nil, err
	}
	write := func(version int) (presswatch.Case, error) {
		return s.Cases.Decide(ctx, presswatch.CaseID(in.ID), version, d)
	}
	// When the answer to the first try was lost, and with it our memory of the
	// key, the case itself tells that this very finding is already there.
	done := func(c presswatch.Case) bool {
		return c.Decision != nil && c.Decision.By == d.By && c.Decision.Label == d.Label && c.Decision.Reason == d.Reason
	}
	request := fingerprint("decide", in.ID, in.IfMatch, in.Body.Label, in.Body.Reason)
	return s.change(ctx, change{id: in.ID, ifMatch: in.IfMatch, key: in.Key, request: request, by: d.By, write: write, done: done})
}

type reopenIn struct {
	ID      string `path:"id" maxLength:"64"`
	IfMatch string `header:"If-Match" doc:"ETag of the decided case"`
	Key     string `header:"Idempotency-Key" maxLength:"128" doc:"Makes it safe to send the same request again"`
}

func (s *Server) reopen(ctx context.Context, in *reopenIn) (*decidedOut, error) {
	user, _ := auth.UserOf(ctx)
	write := func(version int) (presswatch.Case, error) {
		// The version holds the decision still: whose it was cannot change
		// between this look and the write.
		c, _, err := s.Cases.CaseByID(ctx, presswatch.CaseID(in.ID))
		if err != nil {
			return c, err
		}
		if c.Decision != nil && c.Decision.By != user.Login && !auth.Can(user.Role, auth.Reopen) {
			return c, presswatch.Errorf(presswatch.Forbidden, "the role %s may take back its own decisions only", user.Role)
		}
		return s.Cases.Reopen(ctx, presswatch.CaseID(in.ID), version, user.Login)
	}
	done := func(c presswatch.Case) bool { return c.Status == presswatch.CaseOpen }
	request := fingerprint("reopen", in.ID, in.IfMatch)
	return s.change(ctx, change{id: in.ID, ifMatch: in.IfMatch, key: in.Key, request: request, by: user.Login, write: write, done: done})
}

// change is a write to a case on a version that the client has seen.
type change struct {
	id, ifMatch, key, by string
	request              [32]byte // hash of everything that makes two requests the same
	write                func(version int) (presswatch.Case, error)
	done                 func(presswatch.Case) bool // the case already is as the write would leave it
}

func (s *Server) change(ctx context.Context, ch change) (*decidedOut, error) {
	if ch.ifMatch == "" {
		return nil, newProblem(presswatch.Invalid, http.StatusPreconditionRequired, "If-Match: send the ETag of the case that was read")
	}
	if ch.key == "" {
		return s.changeOnce(ctx, ch)
	}
	return s.replays.do(ch.by+" "+ch.key, ch.request, s.Now(), func() (*decidedOut, error) { return s.changeOnce(ctx, ch) })
}

func (s *Server) changeOnce(ctx context.Context, ch change) (*decidedOut, error) {
	now, events, err := s.Cases.CaseByID(ctx, presswatch.CaseID(ch.id))
	if err != nil {
		return nil, err
	}
	if !matches(ch.ifMatch, now.Version) {
		mine := len(events) > 0 && events[len(events)-1].By == ch.by
		if ch.key != "" && matches(ch.ifMatch, now.Version-1) && mine && ch.done(now) {
			return &decidedOut{ETag: etag(now.Version), Body: now}, nil
		}
		return nil, stale(now)
	}
	c, err := ch.write(now.Version)
	if presswatch.CodeOf(err) == presswatch.Conflict {
		if newer, _, err := s.Cases.CaseByID(ctx, presswatch.CaseID(ch.id)); err == nil && newer.Version != now.Version {
			return nil, stale(newer)
		}
	}
	if err != nil {
		return nil, err
	}
	return &decidedOut{ETag: etag(c.Version), Body: c}, nil
}

// stale is the answer to a write on a version that is no longer the newest. It
// shows the case as it is now, with the other person's decision.
func stale(c presswatch.Case) *Problem {
	p := newProblem(presswatch.Conflict, http.StatusPreconditionFailed, "the case has changed since it was read")
	p.Case = &c
	p.header.Set("ETag", etag(c.Version))
	return p
}

func etag(version int) string { return `"` + strconv.Itoa(version) + `"` }

// matches reports whether an If-Match header names the version. Weak tags do
// not match (RFC 9110, 13.1.1), and "*" does not either: a finding is made on
// something that was read.
func matches(header string, version int) bool {
	for tag := range strings.SplitSeq(header, ",") {
		if strings.TrimSpace(tag) == etag(version) {
			return true
		}
	}
	return false
}

// as converts strings to one of the domain's string types.
func as[T ~string](in []string) []T {
	out := make([]T, len(in))
	for i, v := range in {
		out[i] = T(v)
	}
	return out
}

// orEmpty makes a nil slice an empty JSON array.
func orEmpty[T any](in []T) []T {
	if in == nil {
		return []T{}
	}
	return in
}
