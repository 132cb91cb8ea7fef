package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"presswatch"
	"presswatch/internal/web"

	"github.com/danielgtaylor/huma/v2"
)

// Problem is the body of every answer that is not a success: RFC 9457 with
// the code of presswatch.CodeOf.
type Problem struct {
	Type   string           `json:"type" doc:"Where this kind of problem is described"`
	Title  string           `json:"title" doc:"The kind of problem, in words"`
	Status int              `json:"status" doc:"HTTP status"`
	Detail string           `json:"detail,omitempty" doc:"What is wrong with this request"`
	Code   presswatch.Code  `json:"code" doc:"Stable code for programs"`
	Errors []Mistake        `json:"errors,omitempty" doc:"One entry a wrong field"`
	Case   *presswatch.Case `json:"case,omitempty" doc:"In a conflict: the case as it stands"`

	header http.Header
}

// Mistake is one wrong field of a request.
type Mistake struct {
	Location string `json:"location" doc:"Such as body.reason or query.limit"`
	Message  string `json:"message"`
	Value    any    `json:"value,omitempty" doc:"What was sent, when it is short"`
}

// Error is the detail of the problem.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status, for huma.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders are headers to send along, for huma.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType is that of RFC 9457, for huma.
func (p *Problem) ContentType(string) string { return problemType }

const (
	problemType    = "application/problem+json"
	internalDetail = "something went wrong on our side; it has been logged"
)

func newProblem(code presswatch.Code, status int, detail string) *Problem {
	return &Problem{Type: "/docs#problem-" + string(code), Title: http.StatusText(status), Status: status, Detail: detail, Code: code, header: http.Header{}}
}

// problem turns an error into what the client may know of it. The text of a
// defect or of an outage stays in the log: it can name hosts and files.
func (s *Server) problem(ctx context.Context, err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	code := presswatch.CodeOf(err)
	if errors.Is(err, context.DeadlineExceeded) {
		code = presswatch.Unavailable
	}
	switch code {
	case presswatch.Internal:
		if !errors.Is(err, context.Canceled) {
			s.Log.ErrorContext(ctx, "api: request failed", "err", err)
		}
		return newProblem(code, http.StatusInternalServerError, internalDetail)
	case presswatch.Unavailable:
		s.Log.WarnContext(ctx, "api: a part is away", "err", err)
		p = newProblem(code, http.StatusServiceUnavailable, "a part that this needs is away; try again")
		p.header.Set("Retry-After", "5")
		return p
	}
	p = newProblem(code, web.Status(code), err.Error())
	if code == presswatch.Unauthorized {
		p.header.Set("WWW-Authenticate", `Bearer realm="presswatch"`)
	}
	return p
}

// fail answers with the problem of an error, outside of huma.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	writeProblem(w, s.problem(r.Context(), err))
}

func writeProblem(w http.ResponseWriter, p *Problem) {
	for k, vs := range p.header {
		w.Header()[k] = vs
	}
	b, err := json.Marshal(p)
	if err != nil { // a Problem always marshals; should it not, say so plainly
		b = []byte(`{"type":"about:blank","title":"Internal Server Error","status":500,"code":"internal"}`)
	}
	w.Header().Set("Content-Type", problemType)
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(p.Status)
	_, _ = w.Write(b) // the client may be gone
}

// maxEcho is the most bytes of a wrong value that are sent back.
const maxEcho = 200

// toProblem rewrites what huma reports about requests of the wrong shape.
func toProblem(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	code, status := presswatch.Invalid, m.Status
	switch m.Status {
	case http.StatusUnprocessableEntity:
		status = http.StatusBadRequest
	case http.StatusInternalServerError: // huma's word for a body that breaks off
		status = http.StatusBadRequest
	case http.StatusRequestEntityTooLarge:
		code = presswatch.TooLarge
	case http.StatusRequestTimeout:
		code = presswatch.Unavailable
	}
	p := newProblem(code, status, m.Detail)
	for i, e := range m.Errors {
		if e == nil || i == 20 { // more than anyone mends at once
			break
		}
		if b, err := json.Marshal(e.Value); err != nil || len(b) > maxEcho {
			e.Value = nil
		}
		p.Errors = append(p.Errors, Mistake{Location: e.Location, Message: e.Message, Value: e.Value})
	}
	return p, nil
}
