package crawlers

import (
	"context"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"presswatch"
	"presswatch/internal/fetch"
)

// Site collects from a section page without a feed: the pages that it links to
// and that look like articles of the same site. Include and exclude of the
// source, if given, decide instead of the looks.
type Site struct{}

// Kind implements Kind.
func (Site) Kind() string { return "site" }

// Poll implements Kind.
func (k Site) Poll(ctx context.Context, env *Env, s Source) error {
	return poll(ctx, env, s, k, k)
}

func (Site) take(ctx context.Context, c *fetch.Client, s Source, it item) (presswatch.Capture, error) {
	return takePage(ctx, c, s, it)
}

const (
	maxSections = 20   // section pages that one poll visits
	maxLinks    = 5000 // links of a page that are looked at
)

// list visits the section page, and the ones it leads to down to s.Depth. A
// section page below the first that fails is left out.
func (Site) list(ctx context.Context, c *fetch.Client, s Source, _ validators) (listing, error) {
	follow, err := compile(s.Follow)
	if err != nil {
		return listing{}, err
	}
	var l listing
	known, level := map[string]bool{s.URL: true}, []string{s.URL}
	visited := 0
	for depth := 0; depth < max(s.Depth, 1) && len(level) > 0; depth++ {
		var next []string
		for _, page := range level {
			if visited++; visited > maxSections {
				return l, nil
			}
			links, err := linksOf(ctx, c, page)
			if err != nil && visited == 1 {
				return listing{}, err
			}
			for _, link := range links {
				if known[link] || !sameSite(s.URL, link) {
					continue
				}
				known[link] = true
				if slices.ContainsFunc(follow, func(r *regexp.Regexp) bool { return r.MatchString(link) }) {
					next = append(next, link)
				} else if len(s.Include) > 0 || looksLikeArticle(link) {
					l.items = append(l.items, item{key: keyOf(link), url: link, hints: presswatch.Hints{Language: s.Lang, Site: s.Name}})
				}
			}
		}
		level = next
	}
	return l, nil
}

// linksOf visits a page and returns its links, in order, made clean.
func linksOf(ctx context.Context, c *fetch.Client, page string) (links []string, err error) {
	n := 0
	_, err = visit(ctx, c, page, func(href string) {
		if n++; n > maxLinks {
			return
		}
		if addr, err := cleanAddress("", href); err == nil {
			links = append(links, addr)
		}
	})
	return links, err
}

// sections are parts of paths that no article has; files are endings of what is
// no page.
var (
	sections = regexp.MustCompile(`(?i)^(tags?|topics?|chu-de|tu-khoa|category|categories|chuyen-muc|authors?|tac-gia|search|tim-kiem|login|signin|register|dang-nhap|account|user|users|rss|feeds?|sitemap|page|trang|about|contact|lien-he|privacy|terms|help|subscribe|newsletter|wp-admin|wp-json|cdn-cgi)$`)
	files    = regexp.MustCompile(`(?i)\.(jpe?g|png|gif|webp|svg|ico|css|js|json|xml|rss|pdf|docx?|xlsx?|pptx?|zip|rar|gz|mp[34]|m4[av]|mov|avi|webm|apk|exe)$`)
	dated    = regexp.MustCompile(`/(19|20)\d\d[/-](0?[1-9]|1[0-2])([/-]|$)`)
	number   = regexp.MustCompile(`\d{5,}`)
)

// looksLikeArticle tells an article from a section by its address: a date, a
// long number, or a slug of several words.
func looksLikeArticle(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || files.MatchString(u.Path) {
		return false
	}
	segments := strings.Split(strings.Trim(u.Path, "/"), "/")
	if slices.ContainsFunc(segments, sections.MatchString) {
		return false
	}
	last := segments[len(segments)-1]
	slug := strings.TrimSuffix(last, path.Ext(last))
	if slug == "" {
		return false
	}
	words := strings.FieldsFunc(slug, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) })
	switch {
	case dated.MatchString(u.Path) && len(words) > 1, number.MatchString(slug), number.MatchString(u.RawQuery):
		return true
	default:
		return len(words) >= 4
	}
}
