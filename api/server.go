// Package api is the HTTP interface for programs: the queue, decisions, the
// archive, dead letters and the state of the service, described by an OpenAPI
// document that is generated from the code. Errors are RFC 9457 problems.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"presswatch"
	"presswatch/internal/auth"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// DeadLetters gives sight of the messages that could not be worked on.
type DeadLetters interface {
	// List returns dead letters, newest first, at most limit, and the cursor
	// of the next page, empty on the last.
	List(ctx context.Context, after string, limit int) ([]presswatch.DeadLetter, string, error)
	// Show returns one dead letter with its message, or NotFound.
	Show(ctx context.Context, id string) (presswatch.DeadLetter, error)
	// Retry sends the message back to the topic it came from.
	Retry(ctx context.Context, id string) error
}

// SourceStatus is how collection from one source stands.
type SourceStatus struct {
	ID        presswatch.SourceID `json:"id"`
	Kind      string              `json:"kind" doc:"How it is collected, such as feed or sitemap"`
	URL       string              `json:"url,omitempty"`
	Language  string              `json:"language,omitempty"`
	LastRun   time.Time           `json:"last_run,omitzero"`
	NextRun   time.Time           `json:"next_run,omitzero"`
	Collected int64               `json:"collected" doc:"Captures since the process started"`
	Failures  int                 `json:"failures" doc:"Runs that failed in a row"`
	LastError string              `json:"last_error,omitempty"`
}

// Deps is what the API stands on. Cases and Index are needed; a part that is
// nil answers its routes with 503.
type Deps struct {
	Cases   presswatch.Cases
	Index   presswatch.Index
	Users   presswatch.Users
	Auth    *auth.Manager // its Wrap goes around Handler, once, for the API and the pages together
	Dead    DeadLetters
	Sources func() []SourceStatus
	Ready   func(ctx context.Context) map[string]error // by part; nil error: it works
	Metrics http.Handler
	Token   string // bearer token of the local data folder, which acts as an admin; empty: off
	Limits  Limits // zero: DefaultLimits
	Now     func() time.Time
	Log     *slog.Logger
	Version string
}

// Server answers the API. Make one with New.
type Server struct {
	Deps
	limits   *limiter
	replays  *replays
	api      huma.API
	handler  http.Handler
	openapi  []byte
	openapi3 []byte
}

// New builds the API. Its OpenAPI document is generated here, once.
func New(d Deps) *Server {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.Default()
	}
	s := &Server{Deps: d, limits: newLimiter(d.Limits), replays: newReplays()}
	s.handler = s.build()
	return s
}

// Handler is the whole HTTP surface of the API. It expects Auth.Wrap around
// it, which puts the user of a session into the context.
func (s *Server) Handler() http.Handler { return s.handler }

// Paths are the patterns under which Handler is to be mounted on a mux that
// has other things as well.
func Paths() []string {
	return []string{"/v1/", "/livez", "/readyz", "/version", "/metrics", "/openapi.json", "/openapi-3.0.json", "/docs", "/docs/"}
}

// routes is the route table. The third column is what a user must be allowed
// to do (see auth.Can), the fourth what a call costs in tokens of the rate
// limit.
func (s *Server) routes() []route {
	return []route{
		op("GET /v1/cases", "list-cases", auth.ReadQueue, 1, "Cases under review, worst first", s.listCases),
		op("GET /v1/cases/{id}", "get-case", auth.ReadQueue, 1, "A case with its events, its document and the copies of it", s.getCase),
		op("POST /v1/cases/{id}/decision", "decide-case", auth.Decide, 1, "Record a finding on the version of the case that was read", s.decide),
		op("POST /v1/cases/{id}/reopen", "reopen-case", auth.ReopenOwn, 1, "Take a decision back", s.reopen),
		op("GET /v1/documents", "search-documents", auth.Search, 3, "Search the archive", s.searchDocuments),
		op("GET /v1/documents/{id}", "get-document", auth.Search, 1, "A document of the archive", s.getDocument),
		op("GET /v1/dead", "list-dead", auth.ReadDead, 1, "Messages that could not be worked on, newest first", s.listDead),
		op("GET /v1/dead/{id}", "get-dead", auth.ReadDead, 1, "One of them, with its message", s.getDead),
		op("POST /v1/dead/{id}/retry", "retry-dead", auth.RetryDead, 1, "Send it back to where it came from", s.retryDead),
		op("GET /v1/sources", "list-sources", auth.ReadSources, 1, "How collection stands, source by source", s.listSources),
		op("GET /v1/users", "list-users", auth.ReadUsers, 1, "Accounts", s.listUsers),
		op("GET /v1/me", "get-me", auth.OwnAccount, 1, "Who the caller is and may do", s.getMe),
		op("GET /version", "get-version", anyone, 1, "Version of the running program", s.getVersion),
		op("GET /livez", "get-livez", anyone, 0, "The process answers", s.livez),
		op("GET /readyz", "get-readyz", anyone, 0, "Everything it depends on answers", s.readyz),
		raw("GET /metrics", local, 0, s.metrics),
		raw("GET /openapi.json", anyone, 1, s.serveOpenAPI),
		raw("GET /openapi-3.0.json", anyone, 1, s.serveOpenAPI30),
		raw("GET /docs", anyone, 1, s.serveDocs),
		raw("GET /docs/style.css", anyone, 1, serveDocsStyle),
	}
}

// route is one row of the table.
type route struct {
	pattern  string
	action   auth.Action
	cost     int
	register func(s *Server, api huma.API)
	raw      http.HandlerFunc
}

// op is a route of the OpenAPI document.
func op[I, O any](pattern, id string, action auth.Action, cost int, summary string, h func(context.Context, *I) (*O, error)) route {
	method, path, _ := strings.Cut(pattern, " ")
	o := huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{tagOf(path)}}
	if action == anyone {
		o.Security = []map[string][]string{}
	} else {
		o.Description = "Needs the permission `" + string(action) + "`."
	}
	return route{pattern: pattern, action: action, cost: cost, register: func(s *Server, api huma.API) {
		o.Responses = problemResponses(api)
		huma.Register(api, o, func(ctx context.Context, in *I) (*O, error) {
			out, err := h(ctx, in)
			if err != nil {
				return nil, s.problem(ctx, err)
			}
			return out, nil
		})
	}}
}

func raw(pattern string, action auth.Action, cost int, h http.HandlerFunc) route {
	return route{pattern: pattern, action: action, cost: cost, raw: h}
}

func tagOf(path string) string {
	if rest, ok := strings.CutPrefix(path, "/v1/"); ok {
		tag, _, _ := strings.Cut(rest, "/")
		return tag
	}
	return "service"
}

// guarded is the mux as huma sees it: each handler goes behind the guard of
// the route that is being registered.
type guarded struct {
	*http.ServeMux
	guard func(http.Handler) http.Handler
}

// HandleFunc registers a handler behind the guard.
func (g *guarded) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	g.Handle(pattern, g.guard(http.HandlerFunc(h)))
}

func (s *Server) build() http.Handler {
	mux := &guarded{ServeMux: http.NewServeMux()}
	s.api = humago.New(mux, s.config())
	for _, rt := range s.routes() {
		mux.guard = func(next http.Handler) http.Handler { return s.guard(rt, next) }
		if rt.raw != nil {
			mux.HandleFunc(rt.pattern, rt.raw)
			continue
		}
		rt.register(s, s.api)
	}
	s.describe()
	return s.outer(mux.ServeMux)
}
