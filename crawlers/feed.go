package crawlers

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/mmcdole/gofeed"

	"presswatch"
	"presswatch/internal/fetch"
)

// Feed collects from RSS, Atom and JSON Feed: the page of each new item.
type Feed struct{}

// Kind implements Kind.
func (Feed) Kind() string { return "feed" }

// Poll implements Kind.
func (k Feed) Poll(ctx context.Context, env *Env, s Source) error {
	return poll(ctx, env, s, k, k)
}

func (Feed) list(ctx context.Context, c *fetch.Client, s Source, since validators) (listing, error) {
	feed, l, err := getFeed(ctx, c, s, since)
	if err != nil || l.same {
		return l.listing, err
	}
	for _, it := range feed.Items {
		if i, ok := itemOf(s, feed, it, l.base); ok {
			l.items = append(l.items, i)
		}
	}
	return l.listing, nil
}

func (Feed) take(ctx context.Context, c *fetch.Client, s Source, it item) (presswatch.Capture, error) {
	return takePage(ctx, c, s, it)
}

// takePage fetches the page of an item.
func takePage(ctx context.Context, c *fetch.Client, s Source, it item) (presswatch.Capture, error) {
	resp, err := visit(ctx, c, it.url, nil)
	if err != nil {
		return presswatch.Capture{}, err
	}
	if len(bytes.TrimSpace(resp.Body)) == 0 {
		return presswatch.Capture{}, presswatch.Errorf(presswatch.Invalid, "%s: an empty page", fetch.Short(it.url))
	}
	return captureOf(s, presswatch.Article, resp, it.hints), nil
}

// feedListing is a listing, and where it came from.
type feedListing struct {
	listing
	base string
	at   time.Time
}

const feedTypes = "application/rss+xml,application/atom+xml,application/feed+json,application/xml;q=0.9,text/xml;q=0.9,application/json;q=0.8,*/*;q=0.5"

// getFeed fetches and parses the feed of a source, unless it has not changed.
func getFeed(ctx context.Context, c *fetch.Client, s Source, since validators) (*gofeed.Feed, feedListing, error) {
	r, err := c.Get(ctx, fetch.Request{URL: s.URL, ETag: since.etag, LastModified: since.lastModified, Accept: feedTypes})
	if err != nil {
		return nil, feedListing{}, err
	}
	if r.NotModified {
		return nil, feedListing{listing: listing{same: true}}, nil
	}
	if err := statusError(r.Status); err != nil {
		return nil, feedListing{}, presswatch.Errorf(presswatch.CodeOf(err), "%s: %w", fetch.Short(s.URL), err)
	}
	if r.Truncated {
		return nil, feedListing{}, presswatch.Errorf(presswatch.TooLarge, "%s: the feed is larger than what is read, %d bytes", fetch.Short(s.URL), len(r.Body))
	}
	feed, err := parseFeed(r.Body)
	if err != nil {
		return nil, feedListing{}, presswatch.Errorf(presswatch.CodeOf(err), "%s: %w", fetch.Short(s.URL), err)
	}
	l := feedListing{base: r.FinalURL, at: r.FetchedAt}
	l.valid = validators{etag: short(r.Header.Get("ETag"), 1000), lastModified: short(r.Header.Get("Last-Modified"), 100)}
	return feed, l, nil
}

// parseFeed parses a feed of bounded size, depth and number of parts.
func parseFeed(body []byte) (feed *gofeed.Feed, err error) {
	if err := boundFeed(body); err != nil {
		return nil, err
	}
	defer func() { // the parser is not ours, and what it reads is hostile
		if r := recover(); r != nil {
			feed, err = nil, presswatch.Errorf(presswatch.Invalid, "the feed cannot be parsed: %v", r)
		}
	}()
	feed, err = gofeed.NewParser().Parse(bytes.NewReader(body))
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Invalid, "the feed cannot be parsed: %w", err)
	}
	return feed, nil
}

const (
	maxFeed      = 8 << 20 // bytes of a feed
	maxFeedDepth = 100     // elements inside one another
	maxFeedParts = 200_000 // elements and attributes
)

// boundFeed counts, in one pass and without a parser, what could make a parser
// run out of stack or memory. It may count too much, never too little.
func boundFeed(b []byte) error {
	if len(b) > maxFeed {
		return presswatch.Errorf(presswatch.TooLarge, "a feed of %d bytes, the most is %d", len(b), maxFeed)
	}
	if t := bytes.TrimLeft(b, " \t\r\n\ufeff"); len(t) > 0 && t[0] != '<' {
		return boundJSON(t)
	}
	depth, parts := 0, 0
	for i := bytes.IndexByte(b, '<'); i >= 0; {
		b = b[i+1:]
		switch {
		case bytes.HasPrefix(b, []byte("![CDATA[")):
			b = after(b, "]]>")
		case bytes.HasPrefix(b, []byte("!--")):
			b = after(b, "-->")
		case len(b) > 0 && (b[0] == '!' || b[0] == '?'):
		case len(b) > 0 && b[0] == '/':
			depth = max(0, depth-1)
		default:
			tag := b[:max(bytes.IndexByte(b, '>'), 0)]
			parts += 1 + bytes.Count(tag, []byte("="))
			if depth++; bytes.HasSuffix(tag, []byte("/")) {
				depth--
			}
		}
		if depth > maxFeedDepth || parts > maxFeedParts {
			return presswatch.Errorf(presswatch.TooLarge, "a feed of more than %d levels or %d parts", maxFeedDepth, maxFeedParts)
		}
		i = bytes.IndexByte(b, '<')
	}
	return nil
}

func boundJSON(b []byte) error {
	depth, parts, quoted := 0, 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth, parts = depth+1, parts+1
		case c == '}' || c == ']':
			depth--
		case c == ',':
			parts++
		}
		if depth > maxFeedDepth || parts > maxFeedParts {
			return presswatch.Errorf(presswatch.TooLarge, "a feed of more than %d levels or %d parts", maxFeedDepth, maxFeedParts)
		}
	}
	return nil
}

// after is what follows end in b, or all of b if it does not occur: a parser
// that is more lenient could see elements there.
func after(b []byte, end string) []byte {
	if i := bytes.Index(b, []byte(end)); i >= 0 {
		return b[i+len(end):]
	}
	return b
}

// itemOf makes an item of an entry; one without an address is left out.
func itemOf(s Source, feed *gofeed.Feed, it *gofeed.Item, base string) (item, bool) {
	link := it.Link
	if link == "" && len(it.Links) > 0 {
		link = it.Links[0]
	}
	if link == "" && (strings.HasPrefix(it.GUID, "http://") || strings.HasPrefix(it.GUID, "https://")) {
		link = it.GUID
	}
	if link == "" {
		return item{}, false
	}
	addr, err := cleanAddress(base, link)
	if err != nil {
		return item{}, false
	}
	name := it.GUID
	if name == "" {
		name = addr
	}
	out := item{key: keyOf(name), url: addr, hints: hintsOf(s, feed, it)}
	if feed.FeedType != "rss" && it.UpdatedParsed != nil { // what RSS gives there is often the time of asking
		out.changed = *it.UpdatedParsed
	}
	return out, true
}

// hintsOf is what the feed says about an item.
func hintsOf(s Source, feed *gofeed.Feed, it *gofeed.Item) presswatch.Hints {
	h := presswatch.Hints{Title: short(strings.TrimSpace(it.Title), 1000), Language: s.Lang, Site: s.Name}
	if h.Language == "" {
		h.Language = short(strings.TrimSpace(feed.Language), 35)
	}
	if h.Site == "" {
		h.Site = short(strings.TrimSpace(feed.Title), 200)
	}
	if it.PublishedParsed != nil {
		h.Published = it.PublishedParsed.UTC()
	} else if it.UpdatedParsed != nil {
		h.Published = it.UpdatedParsed.UTC()
	}
	for _, a := range it.Authors {
		if a != nil && strings.TrimSpace(a.Name) != "" && len(h.Byline) < 10 {
			h.Byline = append(h.Byline, short(strings.TrimSpace(a.Name), 200))
		}
	}
	return h
}

// short cuts s to at most n bytes, at a character.
func short(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
