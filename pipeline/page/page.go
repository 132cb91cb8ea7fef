// Package page reads one HTML page: its main text, and what it says about
// itself. Everything in a page is hostile; see the caps in guard.go.
package page

import (
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"codeberg.org/readeck/go-readability/v2"
	"golang.org/x/net/html"

	"presswatch/internal/lang/all"
	"presswatch/internal/text"
)

// Input is a page as it came.
type Input struct {
	Body        []byte // content-decoded, charset as served
	ContentType string // as served; may be empty
	URL         string // where the bytes came from
	Post        bool   // a post: all its text counts, there is nothing around it
}

// Page is what was read. Fields that the page says nothing of are empty.
type Page struct {
	Title     string
	Text      string // paragraphs separated by one empty line
	Site      string
	Language  string // BCP 47 as the page claims it
	Canonical string // canonical form of the address that the page claims and that may be believed; else empty
	Byline    []string
	Images    []string // absolute http(s) addresses, the main one first
	Published time.Time
	Modified  time.Time
	Fallback  bool // too deep, too big or too odd for a tree: read by tokens
}

// shortText is the length in bytes under which a result is held against the
// articleBody that the page gives machines.
const shortText = 250

// maxSource is how many bytes of a page are read. The longest of 853 real pages
// has 2.9 MB; reading takes some ten times the memory of what is read.
// Of a longer one the last part is read behind the first: what fills the middle
// of a giant is seldom text.
const (
	maxSource = 4 << 20
	maxEnd    = 1 << 20 // of it, from the end of the page
)

// Cut reports whether a body is longer than what is read of it.
func Cut(body []byte) bool { return len(body) > maxSource }

// within is what is read of a body, cut between two runes.
func within(body []byte) []byte {
	if !Cut(body) {
		return body
	}
	first, last := body[:maxSource-maxEnd], body[len(body)-maxEnd:]
	for i := 0; i < utf8.UTFMax && len(first) > 0 && !utf8.RuneStart(body[len(first)]); i++ {
		first = first[:len(first)-1]
	}
	for i := 0; i < utf8.UTFMax && len(last) > 0 && !utf8.RuneStart(last[0]); i++ {
		last = last[1:]
	}
	return slices.Concat(first, last)
}

// Read reads the page. It never fails: where there is no text, Text is empty.
func Read(in Input) Page {
	src := Decode(within(in.Body), in.ContentType)
	f := newFacts()
	var p Page
	if in.Post {
		p.Text = readTokens(src, f, true)
	} else if main, ok := readTree(src, in.URL, f); ok {
		p.Text = main
	} else {
		f = newFacts()
		p.Text, p.Fallback = readTokens(src, f, false), true
	}
	if !in.Post && len(p.Text) < shortText {
		rescue(&p, src, f)
	}
	if len(p.Text) > maxPageText {
		p.Text = strings.ToValidUTF8(p.Text[:maxPageText], "")
	}
	describe(&p, f, in.URL)
	if !in.Post {
		p.Text = withoutHead(p.Text, p.Title, f)
	}
	return p
}

// maxHead is how many paragraphs before the first of the article may repeat
// what the page says elsewhere.
const maxHead = 4

// withoutHead drops first paragraphs that are the title, the byline or the
// date over again: go-readability knows them in Latin script only.
func withoutHead(s, title string, f *facts) string {
	known := map[string]bool{squeeze(title): true}
	for _, list := range [][]string{f.bylines, f.dateTexts, f.headings} {
		for _, n := range list {
			known[squeeze(n)] = true
		}
	}
	for _, t := range f.times {
		known[squeeze(t.text)] = true
	}
	for range maxHead {
		first, rest, more := strings.Cut(s, "\n\n")
		if !more || len(first) > maxField || !known[squeeze(first)] {
			break
		}
		s = rest
	}
	return s
}

// rescue looks for text where the main reading found little or nothing.
func rescue(p *Page, src string, f *facts) {
	if body := Paragraphs(f.ld.body); len(body) > 2*len(p.Text) {
		if strings.ContainsRune(body, '<') {
			body = readTokens(body, newFacts(), true)
		}
		p.Text = body
	}
	if p.Text == "" {
		p.Text = readTokens(src, newFacts(), false)
	}
	if p.Text == "" {
		p.Text = readTokens(src, newFacts(), true)
	}
	if p.Text == "" { // made by scripts in the browser: the summary is all there is
		p.Text = Paragraphs(f.first("og:description", "description", "twitter:description"))
	}
}

// readTree reads by a tree and go-readability. It says false when the page is
// beyond the caps.
func readTree(src, addr string, f *facts) (string, bool) {
	if !plausible(src) {
		return "", false
	}
	doc, err := html.Parse(strings.NewReader(src))
	if err != nil { // deeper than the parser goes
		return "", false
	}
	s := survey{facts: f}
	s.walk(doc, 1)
	if s.nodes > maxNodes || s.weight > maxWeight {
		return "", false
	}
	u, err := url.Parse(addr)
	if err != nil {
		u = &url.URL{}
	}
	ps := readability.NewParser()
	ps.DisableJSONLD = true
	ps.Logger = slog.New(slog.DiscardHandler)
	art, err := ps.ParseAndMutate(doc, u)
	if err != nil {
		return "", false
	}
	if art.Node == nil {
		return "", true
	}
	return render(art.Node), true
}

// describe fills everything but the text.
func describe(p *Page, f *facts, addr string) {
	p.Language = language(f)
	p.Site = oneLine(firstOf(f.first("og:site_name"), f.ld.publisher, f.first("application-name")))
	p.Title = title(f, p.Site, addr)
	p.Byline = byline(f)
	first := dayFirst(p.Language)
	p.Published, p.Modified = f.published(first), f.modified(first)
	base := addr
	if f.base != "" {
		if u, err := Canonical(f.base, addr); err == nil {
			base = u
		}
	}
	for _, claim := range []string{f.canonical, f.first("og:url"), f.ld.url} {
		if claim == "" {
			continue
		}
		if u, ok := believable(claim, addr); ok {
			p.Canonical = u
			break
		}
	}
	p.Images = images(f, base)
}

// FirstLine is the first line of a text that has words, cut at a word to at
// most 120 characters.
func FirstLine(s string) string {
	for line := range strings.Lines(s) {
		if line = oneLine(line); line != "" {
			return clip(line, 120)
		}
	}
	return ""
}

func clip(s string, most int) string {
	n, lastSpace := 0, 0
	for i, r := range s {
		if n == most {
			if lastSpace > 0 {
				i = lastSpace
			}
			return s[:i] + "…"
		}
		if r == ' ' {
			lastSpace = i
		}
		n++
	}
	return s
}

func firstOf(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

func language(f *facts) string {
	l := firstOf(f.lang, f.ld.lang, f.first("og:locale", "language", "dc.language"))
	l = strings.ReplaceAll(strings.TrimSpace(l), "_", "-")
	if len(l) < 2 || len(l) > 35 || strings.ContainsAny(l, " ,;/") {
		return ""
	}
	return text.Clean(l)
}

// dayFirst tells how people who write the language read 03/04/2025. Only of
// English nobody can say; it is the one of ours in Latin script that names
// its months.
func dayFirst(code string) bool {
	p, ok := all.ByCode(strings.ToLower(code))
	return ok && (p.Months == nil || p.Script != "Latin")
}

const maxImages = 5

func images(f *facts, base string) []string {
	var out []string
	seen := map[string]bool{}
	for _, raw := range append([]string{f.first("og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src")}, f.ld.images...) {
		if raw == "" || len(out) == maxImages {
			continue
		}
		if u, err := absolute(raw, base); err == nil && !seen[u.Href(false)] {
			seen[u.Href(false)] = true
			out = append(out, u.Href(false))
		}
	}
	return out
}
