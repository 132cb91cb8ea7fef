package demo

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"html/template"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"presswatch"
	"presswatch/internal/lang"
	"presswatch/internal/lang/all"
)

// site is one outlet with its pages.
type site struct {
	outlet  outlet
	profile lang.Profile
	pieces  []Piece // newest first
	base    string  // http://127.0.0.1:port
	started time.Time
	zone    *time.Location
	layout  *template.Template
	server  *http.Server
}

func newSite(o outlet, pieces []Piece, addr *net.TCPAddr, started time.Time) (*site, error) {
	layout, err := template.ParseFS(files, "layouts/"+o.Layout)
	if err != nil {
		return nil, err
	}
	profile, ok := all.ByCode(o.Lang)
	if !ok {
		return nil, fmt.Errorf("outlet %s: unknown language %q", o.ID, o.Lang)
	}
	slices.SortStableFunc(pieces, func(a, b Piece) int {
		if a.Hours < b.Hours {
			return -1
		} else if a.Hours > b.Hours {
			return 1
		}
		return 0
	})
	s := &site{
		outlet: o, profile: profile, pieces: pieces, base: "http://" + addr.String(), started: started.Truncate(time.Second),
		zone: time.FixedZone("", int(o.Zone*3600)), layout: layout,
	}
	s.server = &http.Server{Handler: s.routes(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	return s, nil
}

// routes are all pages of the outlet. The one that robots.txt closes is there,
// so that it shows who does not ask.
func (s *site) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { s.render(w, r, s.listing("")) })
	for i, name := range s.outlet.Sections {
		mux.HandleFunc("GET "+sectionPath(i), func(w http.ResponseWriter, r *http.Request) { s.render(w, r, s.listing(name)) })
	}
	for _, p := range s.pieces {
		mux.HandleFunc("GET "+fmt.Sprintf(s.outlet.Path, p.Slug), func(w http.ResponseWriter, r *http.Request) { s.render(w, r, s.article(p)) })
	}
	for _, src := range s.sources() {
		if s.outlet.Feed != "" {
			mux.HandleFunc("GET "+strings.TrimPrefix(src.url, s.base), func(w http.ResponseWriter, r *http.Request) { s.feed(w, r, src) })
		}
	}
	mux.HandleFunc("GET /robots.txt", func(w http.ResponseWriter, r *http.Request) {
		s.serve(w, r, "text/plain; charset=utf-8", []byte("User-agent: *\nDisallow: /admin/\nAllow: /\n"))
	})
	mux.HandleFunc("GET /admin/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "robots.txt says: not here", http.StatusForbidden)
	})
	return mux
}

func sectionPath(i int) string { return fmt.Sprintf("/section/%d", i+1) }

// source is one entry of sources.yaml.
type source struct{ id, name, url, lang string }

// sources are the entries for this outlet: one, or for a network of posts one
// for each language that is spoken there.
func (s *site) sources() (out []source) {
	o := s.outlet
	switch {
	case o.Kind == "site":
		return []source{{o.ID, o.Name, s.base + "/", o.Lang}}
	case o.Kind != "posts":
		return []source{{o.ID, o.Name, s.base + "/" + o.Feed + ".xml", o.Lang}}
	}
	for _, p := range all.Profiles() {
		if slices.ContainsFunc(s.pieces, func(x Piece) bool { return x.Lang == p.Code }) {
			out = append(out, source{o.ID + "-" + p.Code, o.Name + " – " + p.Name, s.base + "/feed/" + p.Code + ".xml", p.Code})
		}
	}
	return out
}

func (s *site) address(p Piece) string { return s.base + fmt.Sprintf(s.outlet.Path, p.Slug) }

func (s *site) published(p Piece) time.Time {
	return s.started.Add(-time.Duration(p.Hours * float64(time.Hour))).In(s.zone)
}

// pageLink is a link with its words.
type pageLink struct{ URL, Title string }

// entry is a piece on a page.
type entry struct {
	Piece
	URL, Date, ISO, Dir string
}

// view is what a layout shows: one article, or a list.
type view struct {
	Outlet   outlet
	Dir      string
	W        map[string]string
	Home     string
	Feed     string
	Sections []pageLink
	Article  *entry // nil on a list
	List     []entry
	Related  []pageLink
	Popular  []pageLink
	LD       map[string]any // schema.org NewsArticle
}

func (s *site) entry(p Piece) entry {
	at := s.published(p)
	return entry{p, s.address(p), formatDate(s.outlet.Date, at, s.profile.Months), at.Format(time.RFC3339), all.DirOf(p.Lang)}
}

func (s *site) view() view {
	v := view{Outlet: s.outlet, Dir: s.profile.Dir(), W: s.outlet.Words, Home: s.base + "/"}
	if s.outlet.Feed != "" {
		v.Feed = s.sources()[0].url
	}
	for i, name := range s.outlet.Sections {
		v.Sections = append(v.Sections, pageLink{s.base + sectionPath(i), name})
	}
	return v
}

// listing is the front page, or that of a section.
func (s *site) listing(section string) view {
	v := s.view()
	for _, p := range s.pieces {
		if section == "" || p.Section == section {
			v.List = append(v.List, s.entry(p))
		}
	}
	return v
}

// article is the page of a piece, with links to its neighbours.
func (s *site) article(p Piece) view {
	v := s.view()
	e := s.entry(p)
	v.Article = &e
	at := slices.IndexFunc(s.pieces, func(x Piece) bool { return x.Slug == p.Slug })
	for i := 1; i < len(s.pieces) && i <= 7; i++ {
		other := s.pieces[(at+i)%len(s.pieces)]
		link := pageLink{s.address(other), other.Title}
		if i <= 3 {
			v.Related = append(v.Related, link)
		} else {
			v.Popular = append(v.Popular, link)
		}
	}
	v.LD = map[string]any{
		"@context": "https://schema.org", "@type": "NewsArticle", "headline": p.Title, "datePublished": e.ISO, "dateModified": e.ISO,
		"inLanguage": p.Lang, "mainEntityOfPage": e.URL, "author": map[string]any{"@type": "Person", "name": p.Byline},
		"publisher": map[string]any{"@type": "NewsMediaOrganization", "name": s.outlet.Name}, "isAccessibleForFree": true,
	}
	return v
}

func (s *site) render(w http.ResponseWriter, r *http.Request, v view) {
	var b bytes.Buffer
	if err := s.layout.Execute(&b, v); err != nil {
		http.Error(w, presswatch.Errorf(presswatch.Internal, "layout: %w", err).Error(), http.StatusInternalServerError)
		return
	}
	s.serve(w, r, "text/html; charset=utf-8", b.Bytes())
}

// serve answers, also with 304 to who has it already.
func (s *site) serve(w http.ResponseWriter, r *http.Request, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("ETag", fmt.Sprintf("\"%08x\"", crc32.ChecksumIEEE(body)))
	http.ServeContent(w, r, "", s.started, bytes.NewReader(body))
}

// formatDate writes a time as an outlet does: {d} {dd} {m} {mm} {yyyy} {hh}
// {min} stand for numbers, {month} for the name of the month.
func formatDate(layout string, t time.Time, months []string) string {
	month := fmt.Sprint(int(t.Month()))
	if len(months) == 12 {
		month = months[t.Month()-1]
	}
	return strings.NewReplacer(
		"{dd}", t.Format("02"), "{d}", t.Format("2"), "{mm}", t.Format("01"), "{m}", t.Format("1"), "{month}", month,
		"{yyyy}", t.Format("2006"), "{hh}", t.Format("15"), "{min}", t.Format("04"),
	).Replace(layout)
}
