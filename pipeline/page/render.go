package page

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// block are the elements that begin and end a paragraph.
var block = set("address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary table tbody tfoot thead tr ul")

// silent are the elements whose content no reader sees as text.
var silent = set("script style template svg noscript head iframe object embed audio video canvas map select textarea button math")

func set(names string) map[string]bool {
	m := map[string]bool{}
	for n := range strings.FieldsSeq(names) {
		m[n] = true
	}
	return m
}

// writer joins words to lines and lines to paragraphs.
type writer struct {
	b     strings.Builder
	space bool // between the words written and to come
	lines int  // line ends owed before the next word
}

func (w *writer) text(s string) {
	for s != "" {
		r, n := utf8.DecodeRuneInString(s)
		if unicode.IsSpace(r) {
			w.space, s = true, s[n:]
			continue
		}
		end := n
		for end < len(s) {
			r, n = utf8.DecodeRuneInString(s[end:])
			if unicode.IsSpace(r) {
				break
			}
			end += n
		}
		w.word(s[:end])
		s = s[end:]
	}
}

func (w *writer) word(s string) {
	if w.b.Len() > 0 {
		switch {
		case w.lines >= 2:
			w.b.WriteString("\n\n")
		case w.lines == 1:
			w.b.WriteByte('\n')
		case w.space:
			w.b.WriteByte(' ')
		}
	}
	w.space, w.lines = false, 0
	w.b.WriteString(s)
}

func (w *writer) lineEnd()   { w.lines++ }
func (w *writer) paragraph() { w.lines = 2 }

// render writes the text below a node: paragraphs separated by one empty
// line, a br as one line end, cells of a row by a space.
func render(n *html.Node) string {
	var w writer
	renderTo(&w, n)
	return w.b.String()
}

func renderTo(w *writer, n *html.Node) {
	switch {
	case n.Type == html.TextNode:
		w.text(n.Data)
		return
	case n.Type == html.ElementNode && silent[n.Data]:
		return
	case n.Type == html.ElementNode && n.Data == "br":
		w.lineEnd()
		return
	case n.Data == "td" || n.Data == "th":
		w.space = true
	}
	isBlock := n.Type == html.ElementNode && block[n.Data]
	if isBlock {
		w.paragraph()
	}
	if n.Data == "pre" && n.Type == html.ElementNode {
		for line := range strings.Lines(inner(n, 1<<20)) {
			w.text(line)
			w.lineEnd()
		}
	} else {
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			renderTo(w, c)
		}
	}
	if isBlock {
		w.paragraph()
	}
}

// Paragraphs is plain text with its white space put in order: lines that
// touch stay lines of one paragraph.
func Paragraphs(s string) string {
	var w writer
	for line := range strings.Lines(s) {
		before := w.b.Len()
		w.text(line)
		if w.b.Len() == before && w.lines > 0 {
			w.paragraph()
		} else {
			w.lineEnd()
		}
	}
	return w.b.String()
}
