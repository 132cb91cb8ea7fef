package pipeline

import (
	"context"
	"strings"
	"unicode/utf8"

	"presswatch"
	"presswatch/internal/lang/all"
	"presswatch/internal/text"
	"presswatch/pipeline/page"
)

// Caps of a document. What is cut is marked Truncated.
const (
	maxTitle   = 1000    // characters
	maxText    = 2 << 20 // bytes
	maxTail    = 200     // bytes of a last line that can be boilerplate
	maxTails   = 5       // of them
	maxByline  = 200     // characters of one name
	maxBylines = 20
)

// Normalise brings every field into its one form, gives the document its ID,
// version and sequence, and checks it.
type Normalise struct {
	tails map[string][]string // beginnings of boilerplate last lines by language
}

// NewNormalise makes the stage for the languages of lang/all.
func NewNormalise() Normalise {
	n := Normalise{tails: map[string][]string{}}
	for _, p := range all.Profiles() {
		n.tails[p.Code] = p.StripTails
	}
	return n
}

// Name is "normalise".
func (Normalise) Name() string { return "normalise" }

// Run edits the document in place; its error is that of Document.Validate.
func (n Normalise) Run(_ context.Context, it *Item) error {
	d := &it.Doc
	d.Title = clipRunes(flat(d.Title), maxTitle)
	d.Text = stripTails(page.Paragraphs(text.Clean(d.Text)), n.tails[d.Language])
	if len(d.Text) > maxText {
		d.Text, d.Truncated = strings.TrimSpace(clipBytes(d.Text, maxText)), true
	}
	d.Site = clipRunes(flat(d.Site), maxByline)
	names := d.Byline[:min(len(d.Byline), maxBylines)]
	d.Byline = nil
	for _, b := range names {
		if b = clipRunes(flat(b), maxByline); b != "" {
			d.Byline = append(d.Byline, b)
		}
	}
	d.ID = presswatch.NewDocID(d.CanonicalURL)
	d.Version = presswatch.ContentVersion(d.Title, d.Text)
	d.Seq = it.Capture.FetchedAt.UnixMicro()
	return d.Validate()
}

// flat is clean text on one line.
func flat(s string) string { return strings.Join(strings.Fields(text.Clean(s)), " ") }

// stripTails removes boilerplate lines from the very end. A text that would
// be nothing but tails stays as it is.
func stripTails(s string, tails []string) string {
	rest := s
	for range maxTails {
		body, last := "", rest
		if i := strings.LastIndexByte(rest, '\n'); i >= 0 {
			body, last = rest[:i], rest[i+1:]
		}
		if body == "" || len(last) > maxTail || !beginsWithAny(strings.ToLower(strings.TrimSpace(last)), tails) {
			break
		}
		rest = strings.TrimRight(body, "\n ")
	}
	return rest
}

func beginsWithAny(s string, list []string) bool {
	for _, p := range list {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

func clipRunes(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	n := 0
	for i := range s {
		if n == most {
			return strings.TrimSpace(s[:i])
		}
		n++
	}
	return s
}
