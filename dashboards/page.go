package dashboards

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"presswatch"
	"presswatch/internal/auth"
	"presswatch/internal/lang/all"
	"presswatch/internal/lang/en"
)

//go:embed templates
var templateFiles embed.FS

// pageNames are the templates that fill the body of the layout.
var pageNames = []string{"queue", "case", "search", "document", "signin", "link", "signout", "help", "error"}

func mustTemplates() map[string]*template.Template {
	base := template.Must(template.ParseFS(templateFiles, "templates/layout.html", "templates/parts.html"))
	out := map[string]*template.Template{}
	for _, name := range pageNames {
		out[name] = template.Must(template.Must(base.Clone()).ParseFS(templateFiles, "templates/"+name+".html"))
	}
	return out
}

// page is what every template sees. What is for one page alone is in Data.
type page struct {
	app      *app
	L        *catalog
	User     presswatch.User
	SignedIn bool
	Title    string // plain text; the layout adds the product's name
	Nav      string // which link of the bar is the current one
	Path     string
	KeysOff  bool
	Langs    []choice
	Broken   []HealthLine
	Flash    *flash
	Data     any
}

// choice is a link that sets one thing and keeps all others.
type choice struct {
	Label string
	Lang  string // of the label, when it is not the page's
	URL   string
	On    bool
	Count int // -1: not known
	Class string
}

// flash tells what has just happened, and how to take it back.
type flash struct {
	Text  string
	Title string
	Lang  string
	Undo  string // address to post to; empty: nothing to take back
	Back  string
	Ver   int
}

const keysCookie = "presswatch_keys"

func (a *app) newPage(w http.ResponseWriter, r *http.Request) *page {
	p := &page{app: a, Path: r.URL.Path}
	p.User, p.SignedIn = auth.UserOf(r.Context())
	p.L = a.pickCatalog(w, r, p.User.Locale)
	if c, err := r.Cookie(keysCookie); err == nil && c.Value == "off" {
		p.KeysOff = true
	}
	q := r.URL.Query()
	for _, c := range a.catalogs {
		q.Set("lang", c.Code)
		p.Langs = append(p.Langs, choice{Label: c.Name, Lang: c.Code, URL: (&url.URL{Path: r.URL.Path, RawQuery: q.Encode()}).String(), On: c == p.L})
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		p.Langs = nil // such an address cannot be asked for again
	}
	if a.Health != nil && p.SignedIn {
		for _, h := range a.Health(r.Context()) {
			if !h.OK {
				p.Broken = append(p.Broken, h)
			}
		}
	}
	return p
}

// render writes the page, whole or not at all.
func (a *app) render(w http.ResponseWriter, p *page, name string, status int) {
	var b bytes.Buffer
	if err := a.templates[name].ExecuteTemplate(&b, "layout", p); err != nil {
		a.Log.Error("dashboards: template failed", "template", name, "err", err)
		http.Error(w, p.T("error.internal.title"), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", p.L.Code)
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the client may be gone
}

// T says a message in the page's language.
func (p *page) T(key string, args ...any) string { return p.L.say(key, args...) }

// Can reports whether the user may do the action.
func (p *page) Can(action string) bool { return p.can(auth.Action(action)) }

func (p *page) can(action auth.Action) bool { return p.SignedIn && auth.Can(p.User.Role, action) }

// Version is that of the program.
func (p *page) Version() string { return p.app.Version }

// Static is the address of a static file, which changes with its content.
func (p *page) Static(name string) string { return staticURL(name) }

// part is what a shared template sees: the page, and its own value.
type part struct {
	P *page
	V any
}

// With joins the page to a value for a shared template.
func (p *page) With(v any) part { return part{p, v} }

// Num writes a whole number as the language does.
func (p *page) Num(n int) string { return p.L.number(n) }

// Score is a risk as a whole number from 0 to 100.
func (p *page) Score(risk float64) int { return int(risk*100 + 0.5) }

// LangName is the name of a language in itself, or its code.
func (p *page) LangName(code string) string {
	if l, ok := all.ByCode(code); ok {
		return l.Name
	}
	if code == "" || code == "und" {
		return p.T("language.unknown")
	}
	return code
}

var langTag = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$`)

// Lang is a code fit for the lang attribute; "und" when it is none.
func (p *page) Lang(code string) string {
	if !langTag.MatchString(code) {
		return "und"
	}
	return code
}

// Dir is the direction of a text in the language.
func (p *page) Dir(code string) string { return all.DirOf(code) }

// Label is the name of a finding.
func (p *page) Label(l presswatch.Label) string { return p.T("label." + string(l)) }

// reason is a sentence with the language it is in.
type reason struct{ Text, Lang, Dir string }

// Why says a piece of evidence in the page's language, and in the words of
// the signal itself, which are English, when there are none.
func (p *page) Why(e presswatch.Evidence) reason {
	if e.Key != "" && p.L.has(e.Key) {
		args := make([]any, len(e.Args))
		for i, v := range e.Args {
			args[i] = "\u2068" + v + "\u2069" // isolated: what is quoted may run the other way
		}
		return reason{p.T(e.Key, args...), p.L.Code, p.L.Dir()}
	}
	l := en.Profile()
	return reason{e.Reason, l.Code, l.Dir()}
}

// moment is a time as shown: how long ago, or which day; and exactly.
type moment struct{ ISO, Short, Exact string }

// Time shows a time.
func (p *page) Time(t time.Time) moment {
	if t.IsZero() {
		return moment{}
	}
	local := t.In(p.app.Zone)
	m := moment{ISO: t.UTC().Format(time.RFC3339), Exact: local.Format(p.T("format.datetime"))}
	switch ago := p.app.Now().Sub(t); {
	case ago < -time.Minute || ago >= 7*24*time.Hour:
		m.Short = local.Format(p.T("format.date"))
	case ago < time.Minute:
		m.Short = p.T("time.now")
	case ago < time.Hour:
		m.Short = p.T("time.minutes", int(ago/time.Minute))
	case ago < 24*time.Hour:
		m.Short = p.T("time.hours", int(ago/time.Hour))
	default:
		m.Short = p.T("time.days", int(ago/(24*time.Hour)))
	}
	return m
}

// Link returns an address that is safe to link to, or nothing.
func (p *page) Link(addr string) string {
	u, err := url.Parse(addr)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.String()
}

// Host is the host of an address, for reading.
func (p *page) Host(addr string) string {
	u, err := url.Parse(addr)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(u.Hostname(), "www.")
}
