package page

import (
	"strings"
	"time"

	"golang.org/x/net/html"

	"presswatch/internal/text"
)

// Caps on what is kept of a page besides its text; the rest is ignored.
const (
	maxMeta    = 400     // meta elements
	maxField   = 4 << 10 // bytes of one of them
	maxLD      = 1 << 20 // bytes of one JSON-LD script
	maxLDCount = 20
	maxNotes   = 40 // times, headings, bylines, images
)

// facts is what a page says about itself. A walk over the tree and the
// tokenizer both fill it.
type facts struct {
	meta      map[string]string // first content by lower-case property, name or itemprop
	authors   []string          // contents of meta elements that name an author
	canonical string            // link rel=canonical
	base      string            // base href
	titleTag  string
	lang      string // of the html element
	headings  []string
	times     []timeNote
	bylines   []string // texts of elements that are marked as a byline
	dateTexts []string // texts of elements that are marked as a date
	ld        linked
	ldSeen    int
	metaSeen  int
}

type timeNote struct{ datetime, text, prop string }

func newFacts() *facts { return &facts{meta: make(map[string]string, 64)} }

func attr(list []html.Attribute, key string) string {
	for i := range list {
		if list[i].Key == key && list[i].Namespace == "" {
			return list[i].Val
		}
	}
	return ""
}

func (f *facts) addMeta(list []html.Attribute) {
	if f.metaSeen++; f.metaSeen > maxMeta {
		return
	}
	var key, name, prop, content string
	for i := range list {
		switch list[i].Key {
		case "property":
			key = list[i].Val
		case "name":
			name = list[i].Val
		case "itemprop":
			prop = list[i].Val
		case "content":
			content = list[i].Val
		}
	}
	if content = strings.TrimSpace(content); content == "" || len(content) > maxField {
		return
	}
	for _, k := range [...]string{key, name, prop} {
		if k == "" || len(k) > 80 {
			continue
		}
		k = strings.ToLower(strings.TrimSpace(k))
		if _, dup := f.meta[k]; !dup {
			f.meta[k] = content
		}
		if authorMeta[k] && len(f.authors) < maxNotes {
			f.authors = append(f.authors, content)
		}
	}
}

var authorMeta = map[string]bool{
	"author": true, "article:author": true, "parsely-author": true, "dc.creator": true, "dcterms.creator": true,
	"dc.creator.name": true, "sailthru.author": true, "byl": true, "article:author_name": true, "citation_author": true,
}

func (f *facts) addLink(list []html.Attribute) {
	if f.canonical != "" {
		return
	}
	for rel := range strings.FieldsSeq(attr(list, "rel")) {
		if strings.EqualFold(rel, "canonical") {
			f.canonical = attr(list, "href")
		}
	}
}

func (f *facts) addLD(s string) {
	if f.ldSeen++; f.ldSeen <= maxLDCount && len(s) <= maxLD {
		f.ld.read(s)
	}
}

func (f *facts) addTime(list []html.Attribute, content string) {
	if len(f.times) < maxNotes {
		f.times = append(f.times, timeNote{attr(list, "datetime"), content, strings.ToLower(attr(list, "itemprop") + " " + attr(list, "class"))})
	}
}

func addNote(to *[]string, s string) {
	if s = oneLine(s); s != "" && len(s) <= 300 && len(*to) < maxNotes {
		*to = append(*to, s)
	}
}

func (f *facts) first(keys ...string) string {
	for _, k := range keys {
		if v := f.meta[k]; v != "" {
			return v
		}
	}
	return ""
}

// published is the first of the places, from the surest on, that holds a date.
func (f *facts) published(dayFirst bool) time.Time {
	tries := []string{f.ld.published}
	for _, k := range []string{
		"article:published_time", "og:article:published_time", "og:published_time", "datepublished", "parsely-pub-date", "sailthru.date", "pubdate",
		"publishdate", "publish-date", "publish_date", "publication_date", "article.published", "published-date", "published_at", "cxenseparse:recs:publishtime",
		"dc.date.issued", "dcterms.date", "dcterms.created", "dc.date", "dc.date.created", "date", "article:created", "citation_publication_date", "displaydate", "originalpublicationdate", "release_date",
	} {
		tries = append(tries, f.meta[k])
	}
	for _, t := range f.times {
		if strings.Contains(t.prop, "datepublished") || strings.Contains(t.prop, "publish") {
			tries = append(tries, t.datetime, t.text)
		}
	}
	for _, t := range f.times {
		if !strings.Contains(t.prop, "modif") && !strings.Contains(t.prop, "updat") {
			tries = append(tries, t.datetime, t.text)
		}
	}
	tries = append(tries, f.dateTexts...)
	return firstDate(tries, dayFirst)
}

func (f *facts) modified(dayFirst bool) time.Time {
	tries := []string{f.ld.modified, f.first("article:modified_time"), f.first("og:updated_time"), f.first("datemodified"), f.first("lastmod"), f.first("last-modified"), f.first("dcterms.modified", "dc.date.modified")}
	for _, t := range f.times {
		if strings.Contains(t.prop, "datemodified") {
			tries = append(tries, t.datetime, t.text)
		}
	}
	return firstDate(tries, dayFirst)
}

func firstDate(tries []string, dayFirst bool) time.Time {
	for _, s := range tries {
		if t, ok := Date(s, dayFirst); ok {
			return t
		}
	}
	return time.Time{}
}

// oneLine is the clean text with every run of white space made one space.
// Many sites escape twice what they write into attributes and JSON-LD, so
// references that are left are resolved once more.
func oneLine(s string) string {
	if strings.IndexByte(s, '&') >= 0 {
		s = html.UnescapeString(s)
	}
	return strings.Join(strings.Fields(text.Clean(s)), " ")
}
