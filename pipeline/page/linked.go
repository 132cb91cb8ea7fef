package page

import (
	"encoding/json"
	"strings"
)

// linked is what JSON-LD says of the article.
type linked struct {
	headline, published, modified, publisher, lang, url, body string
	authors, images                                           []string
	found                                                     bool // an object of an article type was there
}

const maxLDDepth = 12

// read adds what one script says. Broken JSON is tried once more without the
// raw line ends that many sites leave in strings; then it is ignored.
func (l *linked) read(s string) {
	s = strings.TrimSpace(s)
	s = strings.TrimSuffix(strings.TrimPrefix(s, "<![CDATA["), "]]>")
	var v any
	if json.Unmarshal([]byte(s), &v) != nil {
		flat := strings.Map(func(r rune) rune {
			if r < ' ' {
				return ' '
			}
			return r
		}, strings.TrimRight(s, "; \n\t"))
		if json.Unmarshal([]byte(flat), &v) != nil {
			return
		}
	}
	l.walk(v, 0)
}

func (l *linked) walk(v any, depth int) {
	if depth > maxLDDepth {
		return
	}
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			l.walk(x, depth+1)
		}
	case map[string]any:
		if !l.found && isArticle(v["@type"]) {
			l.take(v)
			return
		}
		for _, k := range [...]string{"@graph", "mainEntity", "mainEntityOfPage", "itemListElement", "hasPart"} {
			if x, ok := v[k]; ok && !(k == "itemListElement" && depth > 0) {
				l.walk(x, depth+1)
			}
		}
		if l.publisher == "" && hasType(v["@type"], "WebSite") {
			l.publisher = str(v["name"])
		}
	}
}

func (l *linked) take(v map[string]any) {
	l.found = true
	l.headline = str(v["headline"])
	if l.headline == "" {
		l.headline = str(v["name"])
	}
	l.published, l.modified = str(v["datePublished"]), str(v["dateModified"])
	if l.published == "" {
		l.published = str(v["dateCreated"])
	}
	l.lang, l.url, l.body = str(v["inLanguage"]), str(v["url"]), str(v["articleBody"])
	l.authors = names(v["author"])
	if len(l.authors) == 0 {
		l.authors = names(v["creator"])
	}
	if p := names(v["publisher"]); len(p) > 0 {
		l.publisher = p[0]
	}
	l.images = urls(v["image"])
}

func isArticle(t any) bool {
	return hasType(t, "Article", "BlogPosting", "Report", "SocialMediaPosting", "DiscussionForumPosting", "Review")
}

// hasType reports whether @type, one or several, ends in one of the names:
// NewsArticle and its kin are articles too.
func hasType(t any, names ...string) bool {
	switch t := t.(type) {
	case string:
		for _, n := range names {
			if strings.HasSuffix(t, n) {
				return true
			}
		}
	case []any:
		for _, x := range t {
			if s, ok := x.(string); ok && hasType(s, names...) {
				return true
			}
		}
	}
	return false
}

func str(v any) string {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case []any:
		if len(v) > 0 {
			return str(v[0])
		}
	case map[string]any:
		return str(v["@value"])
	}
	return ""
}

// names lists the names of a person, of several, or of an organisation.
func names(v any) (out []string) {
	switch v := v.(type) {
	case string:
		if s := strings.TrimSpace(v); s != "" {
			out = append(out, s)
		}
	case []any:
		for _, x := range v[:min(len(v), maxNotes)] {
			if _, nested := x.([]any); !nested {
				out = append(out, names(x)...)
			}
		}
	case map[string]any:
		if _, nested := v["name"].(map[string]any); !nested {
			out = names(v["name"])
		}
	}
	return out
}

func urls(v any) (out []string) {
	switch v := v.(type) {
	case string:
		out = append(out, v)
	case []any:
		for _, x := range v[:min(len(v), maxNotes)] {
			if _, nested := x.([]any); !nested {
				out = append(out, urls(x)...)
			}
		}
	case map[string]any:
		if s, ok := v["url"].(string); ok {
			out = append(out, s)
		}
	}
	return out
}
