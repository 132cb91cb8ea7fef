// Package dashboards is the pages: queue, case, search, document, sign-in.
// They work as plain forms and links; the script adds keys and comfort.
package dashboards

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"time"

	"presswatch"
	"presswatch/internal/auth"
	"presswatch/internal/web"
)

// HealthLine says how one part of the system is.
type HealthLine struct {
	Name   string
	OK     bool
	Detail string // shown to operators only
}

// Deps is what the pages stand on. Cases, Index and Auth are needed.
type Deps struct {
	Cases   presswatch.Cases
	Index   presswatch.Index
	Users   presswatch.Users
	Auth    *auth.Manager // its Wrap goes around the handler, once, for the API and the pages together
	Now     func() time.Time
	Log     *slog.Logger
	Version string
	Health  func(ctx context.Context) []HealthLine
	Zone    *time.Location // in which times are shown; nil: Indochina Time
}

// anyone is asked of pages that need no account.
const anyone = auth.Action("")

type app struct {
	Deps
	catalogs  []*catalog
	templates map[string]*template.Template
}

// New returns all pages as one handler, for the root of a mux.
func New(d Deps) http.Handler {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.Default()
	}
	if d.Zone == nil {
		d.Zone = time.FixedZone("+07", 7*60*60)
	}
	a := &app{Deps: d, catalogs: mustCatalogs(), templates: mustTemplates()}
	return a.routes()
}

// routes is the route table.
func (a *app) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", a.page(anyone, a.home))
	mux.Handle("GET /queue", a.page(auth.ReadQueue, a.queue))
	mux.Handle("GET /cases/{id}", a.page(auth.ReadQueue, a.showCase))
	mux.Handle("POST /cases/{id}/decision", a.page(auth.Decide, a.decideCase))
	mux.Handle("POST /cases/{id}/reopen", a.page(auth.ReopenOwn, a.reopenCase))
	mux.Handle("GET /search", a.page(auth.Search, a.search))
	mux.Handle("GET /documents/{id}", a.page(auth.Search, a.document))
	mux.Handle("GET /help", a.page(anyone, a.help))
	mux.Handle("GET /sign-in", a.page(anyone, a.signInForm))
	mux.Handle("POST /sign-in", a.page(anyone, a.signIn))
	mux.Handle("GET /sign-in/{token}", a.page(anyone, a.linkForm))
	mux.Handle("POST /sign-in/{token}", a.page(anyone, a.signInByLink))
	mux.Handle("GET /sign-out", a.page(anyone, a.signOutForm))
	mux.Handle("POST /sign-out", a.page(anyone, a.signOut))
	mux.Handle("GET /static/", staticFiles())
	mux.Handle("/", a.page(anyone, func(http.ResponseWriter, *http.Request, *page) error {
		return presswatch.Errorf(presswatch.NotFound, "no such page")
	}))
	return mux
}

// maxForm is the most bytes of a posted form.
const maxForm = 256 << 10

// page wraps what makes a page: headers, language, permission, recovery, and
// the page that tells of an error.
func (a *app) page(action auth.Action, h func(http.ResponseWriter, *http.Request, *page) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.SetHeaders(w.Header(), policy)
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		p := a.newPage(w, r)
		defer func() {
			v := recover()
			switch {
			case v == nil:
			case v == http.ErrAbortHandler:
				panic(v)
			default:
				a.Log.ErrorContext(r.Context(), "dashboards: page panicked", "path", r.URL.Path, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
				a.fail(w, r, p, presswatch.Errorf(presswatch.Internal, "panic"))
			}
		}()
		if err := a.admit(action, p); err != nil {
			if presswatch.CodeOf(err) == presswatch.Unauthorized && r.Method == http.MethodGet {
				http.Redirect(w, r, "/sign-in?"+url.Values{"next": {r.URL.RequestURI()}}.Encode(), http.StatusSeeOther)
				return
			}
			a.fail(w, r, p, err)
			return
		}
		if err := h(w, r, p); err != nil {
			a.fail(w, r, p, err)
		}
	})
}

func (a *app) admit(action auth.Action, p *page) error {
	switch {
	case action == anyone:
		return nil
	case !p.SignedIn:
		return presswatch.Errorf(presswatch.Unauthorized, "not signed in")
	case !p.can(action):
		return presswatch.Errorf(presswatch.Forbidden, "role %s may not %s", p.User.Role, action)
	}
	return nil
}

// policy lets the pages load their own script, style and icon, and nothing of
// anybody else; no inline script or style at all.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// fail shows the page of an error. Its words come from the code alone: the
// error's own go to the log.
func (a *app) fail(w http.ResponseWriter, r *http.Request, p *page, err error) {
	code := codeOf(err)
	if code == presswatch.Internal && errors.Is(err, context.Canceled) {
		return // nobody is waiting any more
	}
	if code == presswatch.Internal || code == presswatch.Unavailable {
		a.Log.ErrorContext(r.Context(), "dashboards: page failed", "path", r.URL.Path, "err", err)
	}
	p.Title = p.T("error." + string(code) + ".title")
	p.Data = code
	a.render(w, p, "error", web.Status(code))
}

// codeOf is presswatch.CodeOf, with what the standard library reports.
func codeOf(err error) presswatch.Code {
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		return presswatch.TooLarge
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return presswatch.Unavailable
	}
	code := presswatch.CodeOf(err)
	if !slices.Contains(web.Codes(), code) {
		return presswatch.Internal
	}
	return code
}

func (a *app) home(w http.ResponseWriter, r *http.Request, p *page) error {
	to := "/help"
	switch {
	case !p.SignedIn:
		to = "/sign-in"
	case p.can(auth.ReadQueue):
		to = "/queue"
	case p.can(auth.Search):
		to = "/search"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

func (a *app) help(w http.ResponseWriter, _ *http.Request, p *page) error {
	p.Title, p.Nav = p.T("help.title"), "help"
	p.Data = presswatch.Labels()
	a.render(w, p, "help", http.StatusOK)
	return nil
}
