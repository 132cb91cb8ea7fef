package api

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"presswatch"
	"presswatch/internal/auth"
)

type listDeadIn struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
	Cursor string `query:"cursor" maxLength:"512"`
}

type deadPage struct {
	Items  []presswatch.DeadLetter `json:"items"`
	Cursor string                  `json:"cursor,omitempty" doc:"Asks for the next page; absent on the last"`
}

type listDeadOut struct{ Body deadPage }

func (s *Server) listDead(ctx context.Context, in *listDeadIn) (*listDeadOut, error) {
	if s.Dead == nil {
		return nil, absent("dead letters")
	}
	items, next, err := s.Dead.List(ctx, in.Cursor, in.Limit)
	if err != nil {
		return nil, err
	}
	return &listDeadOut{Body: deadPage{Items: orEmpty(items), Cursor: next}}, nil
}

type deadIn struct {
	ID string `path:"id" maxLength:"64" doc:"Partition and offset, such as 0-17"`
}

// maxShown is the most bytes of a dead message that are shown.
const maxShown = 64 << 10

type deadDetail struct {
	Dead    presswatch.DeadLetter `json:"dead"`
	Key     string                `json:"key"`
	Headers map[string]string     `json:"headers"`
	Size    int                   `json:"size" doc:"Bytes of the message"`
	Value   string                `json:"value,omitempty" doc:"Its first 64 KiB, when they are text"`
}

type deadOut struct{ Body deadDetail }

func (s *Server) getDead(ctx context.Context, in *deadIn) (*deadOut, error) {
	if s.Dead == nil {
		return nil, absent("dead letters")
	}
	d, err := s.Dead.Show(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := deadDetail{Dead: d, Key: d.Message.Key, Headers: d.Message.Headers, Size: len(d.Message.Value)}
	if v := d.Message.Value[:min(len(d.Message.Value), maxShown)]; utf8.Valid(v) || len(v) == maxShown && utf8.Valid(v[:maxShown-utf8.UTFMax]) {
		out.Value = string(v)
	}
	if out.Headers == nil {
		out.Headers = map[string]string{}
	}
	return &deadOut{Body: out}, nil
}

type acceptedOut struct {
	Status int
	Body   struct {
		ID      string `json:"id"`
		Message string `json:"message"`
	}
}

func (s *Server) retryDead(ctx context.Context, in *deadIn) (*acceptedOut, error) {
	if s.Dead == nil {
		return nil, absent("dead letters")
	}
	if err := s.Dead.Retry(ctx, in.ID); err != nil {
		return nil, err
	}
	user, _ := auth.UserOf(ctx)
	s.Log.InfoContext(ctx, "api: dead letter sent back", "id", in.ID, "by", user.Login)
	out := &acceptedOut{Status: http.StatusAccepted}
	out.Body.ID, out.Body.Message = in.ID, "sent back to the topic it came from"
	return out, nil
}

type nothing struct{}

type sourcesOut struct {
	Body struct {
		Items []SourceStatus `json:"items"`
	}
}

func (s *Server) listSources(context.Context, *nothing) (*sourcesOut, error) {
	if s.Sources == nil {
		return nil, absent("collection")
	}
	out := &sourcesOut{}
	out.Body.Items = orEmpty(s.Sources())
	return out, nil
}

type usersOut struct {
	Body struct {
		Items []presswatch.User `json:"items"`
	}
}

func (s *Server) listUsers(ctx context.Context, _ *nothing) (*usersOut, error) {
	if s.Users == nil {
		return nil, absent("accounts")
	}
	users, err := s.Users.ListUsers(ctx)
	if err != nil {
		return nil, err
	}
	out := &usersOut{}
	out.Body.Items = orEmpty(users)
	return out, nil
}

type meOut struct {
	Body struct {
		Login  string          `json:"login"`
		Name   string          `json:"name"`
		Role   presswatch.Role `json:"role"`
		Locale string          `json:"locale,omitempty"`
		May    []string        `json:"may" doc:"What the role allows"`
	}
}

func (s *Server) getMe(ctx context.Context, _ *nothing) (*meOut, error) {
	u, _ := auth.UserOf(ctx)
	out := &meOut{}
	out.Body.Login, out.Body.Name, out.Body.Role, out.Body.Locale = u.Login, u.Name, u.Role, u.Locale
	out.Body.May = []string{}
	for _, action := range auth.Actions() {
		if auth.Can(u.Role, action) {
			out.Body.May = append(out.Body.May, string(action))
		}
	}
	return out, nil
}

type versionOut struct {
	Body struct {
		Version string `json:"version"`
	}
}

func (s *Server) getVersion(context.Context, *nothing) (*versionOut, error) {
	out := &versionOut{}
	out.Body.Version = s.Version
	return out, nil
}

type healthOut struct {
	Body struct {
		Status string            `json:"status"`
		Parts  map[string]string `json:"parts,omitempty" doc:"By part: ok or away"`
	}
}

func (s *Server) livez(context.Context, *nothing) (*healthOut, error) {
	out := &healthOut{}
	out.Body.Status = "ok"
	return out, nil
}

// readyTime is the most time that the check of all parts may take.
const readyTime = 3 * time.Second

// readyz names the parts that are away. Why is for the log: whoever asks need
// not be signed in.
func (s *Server) readyz(ctx context.Context, _ *nothing) (*healthOut, error) {
	out := &healthOut{}
	out.Body.Status, out.Body.Parts = "ok", map[string]string{}
	if s.Ready == nil {
		return out, nil
	}
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	parts := s.Ready(ctx)
	var away []Mistake
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		if err := parts[name]; err != nil {
			s.Log.WarnContext(ctx, "api: not ready", "part", name, "err", err)
			away = append(away, Mistake{Location: name, Message: "away"})
			continue
		}
		out.Body.Parts[name] = "ok"
	}
	if away == nil {
		return out, nil
	}
	p := newProblem(presswatch.Unavailable, http.StatusServiceUnavailable, "not ready: a part is away")
	p.Errors = away
	p.header.Set("Retry-After", "5")
	return nil, p
}

func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	if s.Metrics == nil {
		s.fail(w, r, absent("metrics"))
		return
	}
	s.Metrics.ServeHTTP(w, r)
}

func absent(part string) error {
	return newProblem(presswatch.Unavailable, http.StatusServiceUnavailable, part+": not part of this process")
}
