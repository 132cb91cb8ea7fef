package crawlers

import (
	"context"
	"html"
	"regexp"
	"strings"

	"github.com/mmcdole/gofeed"

	"presswatch"
	"presswatch/internal/fetch"
)

// Posts collects from feeds whose items are the posts themselves, as Mastodon,
// Bluesky and YouTube give them out. Nothing but the feed is fetched.
type Posts struct{}

// Kind implements Kind.
func (Posts) Kind() string { return "posts" }

// Poll implements Kind.
func (k Posts) Poll(ctx context.Context, env *Env, s Source) error {
	return poll(ctx, env, s, k, k)
}

func (Posts) list(ctx context.Context, c *fetch.Client, s Source, since validators) (listing, error) {
	feed, l, err := getFeed(ctx, c, s, since)
	if err != nil || l.same {
		return l.listing, err
	}
	for _, it := range feed.Items {
		i, ok := itemOf(s, feed, it, l.base)
		i.body = postBody(it)
		if !ok || len(i.body) == 0 {
			continue
		}
		i.at, i.hints.DocURL = l.at, i.url
		if len(i.hints.Byline) == 0 && feed.Title != "" { // the feed is its author's
			i.hints.Byline = []string{short(strings.TrimSpace(feed.Title), 200)}
		}
		l.items = append(l.items, i)
	}
	return l.listing, nil
}

func (Posts) take(_ context.Context, _ *fetch.Client, s Source, it item) (presswatch.Capture, error) {
	r := fetch.Response{URL: it.url, FinalURL: it.url, Status: 200, ContentType: "text/html; charset=utf-8", FetchedAt: it.at, Body: it.body}
	return captureOf(s, presswatch.Post, r, it.hints), nil
}

var tag = regexp.MustCompile(`</?[a-zA-Z][^<>]*>`)

// postBody is a post as HTML: its content or, that missing, its description,
// which in some feeds is plain text.
func postBody(it *gofeed.Item) []byte {
	body := it.Content
	if strings.TrimSpace(body) == "" {
		body = it.Description
	}
	if strings.TrimSpace(body) == "" {
		body = mediaDescription(it)
	}
	if strings.TrimSpace(body) == "" {
		body = html.EscapeString(it.Title)
	}
	if body = strings.TrimSpace(body); body == "" {
		return nil
	}
	if !tag.MatchString(body) {
		if !strings.Contains(body, "&") || strings.Contains(body, "<") {
			body = html.EscapeString(body)
		}
		body = "<p>" + strings.ReplaceAll(body, "\n", "<br>\n") + "</p>"
	}
	return []byte(body)
}

// mediaDescription is where YouTube has the text: media:group/media:description.
func mediaDescription(it *gofeed.Item) string {
	for _, group := range it.Extensions["media"]["group"] {
		for _, d := range group.Children["description"] {
			return d.Value
		}
	}
	return ""
}
