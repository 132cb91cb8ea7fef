package demo

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"html"
	"net/http"
	"slices"
	"time"

	"presswatch"
)

// feed answers with the feed of a source, in the format of the outlet.
func (s *site) feed(w http.ResponseWriter, r *http.Request, src source) {
	pieces := slices.DeleteFunc(slices.Clone(s.pieces), func(p Piece) bool { return s.outlet.Kind == "posts" && p.Lang != src.lang })
	doc, contentType := s.rss(src, pieces), "application/rss+xml; charset=utf-8"
	if s.outlet.Feed == "atom" {
		doc, contentType = s.atom(src, pieces), "application/atom+xml; charset=utf-8"
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	enc := xml.NewEncoder(&b)
	enc.Indent("", " ")
	if err := enc.Encode(doc); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.serve(w, r, contentType, b.Bytes())
}

type rssFeed struct {
	XMLName xml.Name  `xml:"rss"`
	Version string    `xml:"version,attr"`
	DC      string    `xml:"xmlns:dc,attr"`
	Title   string    `xml:"channel>title"`
	Link    string    `xml:"channel>link"`
	About   string    `xml:"channel>description"`
	Lang    string    `xml:"channel>language"`
	Items   []rssItem `xml:"channel>item"`
}

type rssItem struct {
	Title   string `xml:"title,omitempty"`
	Link    string `xml:"link"`
	GUID    string `xml:"guid"`
	Date    string `xml:"pubDate"`
	Creator string `xml:"dc:creator,omitempty"`
	About   string `xml:"description"`
}

// rss is RSS 2.0. Posts have no titles; their description is the whole post.
func (s *site) rss(src source, pieces []Piece) any {
	f := rssFeed{Version: "2.0", DC: "http://purl.org/dc/elements/1.1/", Title: src.name, Link: s.base + "/", About: s.outlet.Motto, Lang: src.lang}
	for _, p := range pieces {
		it := rssItem{Title: p.Title, Link: s.address(p), GUID: s.address(p), Date: s.published(p).Format(time.RFC1123Z), Creator: p.Byline}
		if it.About = html.EscapeString(p.Text[0]); p.Kind == presswatch.Post {
			it.About = ""
			for _, para := range p.Text {
				it.About += "<p>" + html.EscapeString(para) + "</p>"
			}
		}
		f.Items = append(f.Items, it)
	}
	return f
}

type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Lang    string      `xml:"xml:lang,attr"`
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Links   []atomLink  `xml:"link"`
	Entries []atomEntry `xml:"entry"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr,omitempty"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	ID        string   `xml:"id"`
	Title     string   `xml:"title"`
	Link      atomLink `xml:"link"`
	Published string   `xml:"published"`
	Updated   string   `xml:"updated"`
	Author    string   `xml:"author>name,omitempty"`
	Summary   string   `xml:"summary"`
}

// atom is Atom 1.0; its IDs are tags, which stay when addresses change.
func (s *site) atom(src source, pieces []Piece) any {
	tag := fmt.Sprintf("tag:%s.example,2026:", s.outlet.ID)
	f := atomFeed{
		Lang: src.lang, ID: tag + "feed", Title: src.name, Updated: s.started.Format(time.RFC3339),
		Links: []atomLink{{"self", src.url}, {"alternate", s.base + "/"}},
	}
	for _, p := range pieces {
		at := s.published(p).Format(time.RFC3339)
		f.Entries = append(f.Entries, atomEntry{
			ID: tag + p.Slug, Title: p.Title, Link: atomLink{Href: s.address(p)}, Published: at, Updated: at, Author: p.Byline, Summary: p.Text[0],
		})
	}
	return f
}
