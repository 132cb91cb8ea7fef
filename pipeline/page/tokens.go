package page

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// around are the elements that hold what is around an article.
var around = set("nav footer aside header form menu")

// maxPageText is the most bytes of text that are kept of a page.
const maxPageText = 4 << 20

// readTokens reads a page without building a tree, at any depth and in one
// pass. Without everything, it leaves out what stands in nav, footer and the
// like, and paragraphs that are mostly links.
func readTokens(src string, f *facts, everything bool) string {
	r := tokenReader{facts: f, everything: everything}
	z := html.NewTokenizer(strings.NewReader(src))
	z.SetMaxBuf(len(src) + 1)
	for r.out.b.Len() < maxPageText {
		switch z.Next() {
		case html.ErrorToken:
			r.flush()
			return r.out.b.String()
		case html.TextToken:
			r.text(z)
		case html.StartTagToken, html.SelfClosingTagToken:
			r.start(z)
		case html.EndTagToken:
			name, _ := z.TagName()
			r.end(string(name))
		}
	}
	r.flush()
	return r.out.b.String()
}

type tokenReader struct {
	facts      *facts
	everything bool
	out        writer
	part       writer // the paragraph being read
	linked     int    // bytes of part that are in links
	inLink     bool
	skip       string // silent element being skipped
	outside    int    // open elements of around
	raw        string // title or JSON-LD being read
}

func (r *tokenReader) text(z *html.Tokenizer) {
	switch {
	case r.raw == "title":
		if r.facts.titleTag == "" {
			r.facts.titleTag = oneLine(string(z.Text()))
		}
	case r.raw == "ld":
		r.facts.addLD(string(z.Raw()))
	case r.skip != "" || r.raw != "" || r.outside > 0 && !r.everything:
	default:
		s := string(z.Text())
		r.part.text(s)
		if r.inLink {
			r.linked += len(s)
		}
	}
}

func (r *tokenReader) start(z *html.Tokenizer) {
	raw, more := z.TagName()
	name := string(raw)
	switch name {
	case "title":
		r.raw = name
		return
	case "meta", "link", "html", "base", "script":
		r.fact(name, attributes(z, more))
	case "br":
		r.part.lineEnd()
		return
	case "a":
		r.inLink = true
	}
	if r.skip == "" && silent[name] && name != "head" && !(r.everything && name == "button") {
		r.skip = name
		return
	}
	if block[name] {
		r.flush()
	}
	if around[name] {
		r.outside++
	}
}

// fact notes what an element of the head says.
func (r *tokenReader) fact(name string, list []html.Attribute) {
	f := r.facts
	switch name {
	case "meta":
		f.addMeta(list)
	case "link":
		f.addLink(list)
	case "html":
		f.lang = firstOf(f.lang, attr(list, "lang"))
	case "base":
		f.base = firstOf(f.base, attr(list, "href"))
	case "script":
		if strings.EqualFold(strings.TrimSpace(attr(list, "type")), "application/ld+json") {
			r.raw = "ld"
		}
	}
}

// attributes reads at most a hundred of a tag's attributes.
func attributes(z *html.Tokenizer, more bool) (out []html.Attribute) {
	for more && len(out) < 100 {
		var k, v []byte
		k, v, more = z.TagAttr()
		out = append(out, html.Attribute{Key: atom.String(k), Val: string(v)})
	}
	return out
}

func (r *tokenReader) end(name string) {
	switch {
	case name == "title" || name == "script":
		r.raw = ""
	case name == "a":
		r.inLink = false
	case around[name] && r.outside > 0:
		r.outside--
	}
	if name == r.skip {
		r.skip = ""
		return
	}
	if block[name] {
		r.flush()
	}
}

// flush ends the paragraph: it is kept, unless it is mostly links.
func (r *tokenReader) flush() {
	s := r.part.b.String()
	if s != "" && (r.everything || 2*r.linked <= len(s)) {
		r.out.paragraph()
		if r.out.b.Len() > 0 {
			r.out.b.WriteString("\n\n")
		}
		r.out.b.WriteString(s)
	}
	r.part, r.linked = writer{}, 0
}
