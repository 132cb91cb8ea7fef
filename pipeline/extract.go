package pipeline

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"presswatch"
	"presswatch/internal/text"
	"presswatch/pipeline/page"
)

// futureSlack is how far after its fetch a page may say it was published:
// clocks and time zones differ, years do not.
const futureSlack = 24 * time.Hour

// Extract reads the bytes: main text, title, dates, byline, addresses. What
// the page says wins over the hints of the place where its link was found,
// except for Hints.DocURL.
type Extract struct{}

// Name is "extract".
func (Extract) Name() string { return "extract" }

// Run fills the document. A capture with an HTTP error or of a type that is
// no text is dropped; one without any text is an Invalid error, so that it is
// seen and not lost.
func (Extract) Run(_ context.Context, it *Item) error {
	c, d := &it.Capture, &it.Doc
	if err := c.Validate(); err != nil {
		return err
	}
	if c.Status >= 400 {
		it.Dropped = fmt.Sprintf("HTTP status %d", c.Status)
		return nil
	}
	*d = presswatch.Document{Source: c.Source, Kind: c.Kind, FetchedAt: c.FetchedAt, Truncated: c.Truncated, Capture: c.ID, Evidence: c.Evidence}
	var err error
	switch form := contentForm(c); form {
	case formPlain:
		err = readPlain(it)
	case formHTML:
		err = readHTML(it)
	default:
		it.Dropped = "content type " + form + " is not a page"
		return nil
	}
	if err != nil {
		return err
	}
	applyHints(it)
	dropFuture(d)
	if strings.TrimSpace(d.Text) == "" {
		return presswatch.Errorf(presswatch.Invalid, "no text in %s", c.URL)
	}
	return nil
}

const (
	formPlain = "text/plain"
	formHTML  = "text/html"
)

// contentForm says how to read the body: as formPlain, as formHTML, or not,
// and then it is the type itself.
func contentForm(c *presswatch.Capture) string {
	ct := c.ContentType
	if ct == "" {
		if h := c.Header["Content-Type"]; len(h) > 0 {
			ct = h[0]
		}
	}
	typ, _, err := mime.ParseMediaType(ct)
	if err != nil {
		typ, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(ct)), ";")
		typ = strings.TrimSpace(typ)
	}
	sniffed, _, _ := strings.Cut(http.DetectContentType(c.Body), ";")
	switch {
	case typ == formPlain:
		return formPlain
	case typ == "" || typ == formHTML || strings.HasSuffix(typ, "xml") || typ == "application/octet-stream":
		// Servers call anything text/html; a PDF or a picture shows itself.
		if strings.HasPrefix(sniffed, "text/") || sniffed == "application/octet-stream" {
			return formHTML
		}
		return sniffed
	}
	return typ
}

func readPlain(it *Item) error {
	c, d := &it.Capture, &it.Doc
	d.Text = text.Clean(page.Decode(c.Body, c.ContentType))
	d.URL = c.Address()
	var err error
	if d.CanonicalURL, err = address(c, ""); err != nil {
		return err
	}
	d.Title = c.Hints.Title
	return nil
}

func readHTML(it *Item) error {
	c, d := &it.Capture, &it.Doc
	p := page.Read(page.Input{Body: c.Body, ContentType: c.ContentType, URL: c.Address(), Post: c.Kind == presswatch.Post})
	d.Truncated = d.Truncated || page.Cut(c.Body)
	d.Title, d.Text, d.Site, d.Byline = p.Title, p.Text, p.Site, p.Byline
	d.Published, d.Modified, d.Images = p.Published, p.Modified, p.Images
	it.LangHint = p.Language
	d.URL = c.Address()
	var err error
	d.CanonicalURL, err = address(c, p.Canonical)
	return err
}

// address is the canonical URL: the hint, what the page claims when that may
// be believed, or where the bytes came from.
func address(c *presswatch.Capture, claimed string) (string, error) {
	if c.Hints.DocURL != "" {
		u, err := page.Canonical(c.Hints.DocURL, c.Address())
		if err != nil { // the URI of a post need not be a URL
			return c.Hints.DocURL, nil
		}
		return u, nil
	}
	if claimed != "" {
		return claimed, nil
	}
	if strings.HasPrefix(c.Address(), "file:///") && c.Status == 0 {
		return c.Address(), nil // imported from a folder, and the page does not say where it is from
	}
	u, err := page.Canonical(c.Address(), "")
	if err != nil {
		return "", presswatch.Errorf(presswatch.Invalid, "url %q: %w", c.Address(), err)
	}
	return u, nil
}

// Canonical is the one form of an address: absolute http or https, host in
// lower case, without fragment, default port, tracking parameters and a
// trailing index page. A relative one is taken from base, which may be empty.
func Canonical(raw, base string) (string, error) { return page.Canonical(raw, base) }

func applyHints(it *Item) {
	h, d := it.Capture.Hints, &it.Doc
	if d.Title == "" {
		d.Title = h.Title
	}
	if d.Title == "" {
		d.Title = page.FirstLine(d.Text)
	}
	if d.Published.IsZero() {
		d.Published = h.Published
	}
	if len(d.Byline) == 0 {
		d.Byline = h.Byline
	}
	if d.Site == "" {
		d.Site = h.Site
	}
	if it.LangHint == "" {
		it.LangHint = h.Language
	}
}

// dropFuture removes dates that cannot be: better none than a wrong one.
func dropFuture(d *presswatch.Document) {
	limit := d.FetchedAt.Add(futureSlack)
	if d.Published.After(limit) {
		d.Published = time.Time{}
	}
	if d.Modified.After(limit) {
		d.Modified = time.Time{}
	}
}
