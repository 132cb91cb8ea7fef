package crawlers

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/gocolly/colly/v2"

	"presswatch"
	"presswatch/internal/fetch"
)

// visit fetches one page with colly through the safe transport, which asks
// robots.txt, keeps the pace, and bounds every hop. The body is as served. What
// is not a page, or not a success, is an error; the response then has what is
// known of it. links, if not nil, is called with each link, made absolute.
func visit(ctx context.Context, client *fetch.Client, addr string, links func(href string)) (out fetch.Response, err error) {
	out.URL = addr
	defer func() {
		if r := recover(); r != nil {
			err = presswatch.Errorf(presswatch.Internal, "%s: panic: %v", fetch.Short(addr), r)
		}
	}()
	ctx, flight := client.Watch(ctx)
	c := collector(ctx, client, links == nil)
	var refused error
	c.OnResponseHeaders(func(r *colly.Response) {
		out.Status, out.ContentType = r.StatusCode, flight.Header().Get("Content-Type")
		if refused = statusError(r.StatusCode); refused == nil && !isPage(out.ContentType) {
			refused = presswatch.Errorf(presswatch.Invalid, "content type %.100q is not a page", out.ContentType)
		}
		if refused != nil {
			r.Request.Abort()
		}
	})
	c.OnResponse(func(r *colly.Response) { out.Body = r.Body })
	if links != nil {
		c.OnHTML("a[href]", func(e *colly.HTMLElement) {
			if href := e.Request.AbsoluteURL(e.Attr("href")); href != "" {
				links(href)
			}
		})
	}
	err = c.Visit(addr)
	out.FinalURL, out.Header, out.FetchedAt, out.Truncated = flight.URL(), flight.Header(), flight.At(), flight.Truncated()
	if refused != nil {
		return out, presswatch.Errorf(presswatch.CodeOf(refused), "%s: %w", fetch.Short(addr), refused)
	}
	if coded := (*presswatch.Error)(nil); errors.As(err, &coded) {
		return out, coded // without the words of the layers between
	}
	if err != nil {
		return out, presswatch.Errorf(presswatch.Invalid, "%s: %w", fetch.Short(addr), err)
	}
	return out, nil
}

// collector makes a colly collector for one visit. What colly would do itself
// about robots.txt, size, time and redirects is off: the transport does it.
func collector(ctx context.Context, client *fetch.Client, raw bool) *colly.Collector {
	c := colly.NewCollector()
	// Again, after the environment: nothing but the configuration decides.
	c.Context, c.MaxDepth, c.CacheDir, c.DetectCharset, c.Async = ctx, 0, "", false, false
	c.AllowedDomains, c.DisallowedDomains = nil, nil
	c.MaxBodySize, c.IgnoreRobotsTxt, c.AllowURLRevisit, c.ParseHTTPErrorResponse = 0, true, true, true
	c.SetRequestTimeout(0)
	c.SetRedirectHandler(func(*http.Request, []*http.Request) error { return nil })
	c.WithTransport(client.Transport())
	if raw {
		c.WithTransport(asServed{client.Transport()})
	}
	return c
}

// asServed hides the charset from colly, which would re-code the body. The
// pipeline does that, and knows more about it.
type asServed struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t asServed) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err == nil {
		media, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
		resp.Header.Set("Content-Type", media)
	}
	return resp, err
}

// isPage reports whether a content type may be that of an article. Nothing and
// the type for "do not know" may be.
func isPage(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil && media == "" {
		media, _, _ = strings.Cut(strings.ToLower(contentType), ";")
	}
	switch media = strings.TrimSpace(media); media {
	case "", "application/xhtml+xml", "application/xml", "application/octet-stream",
		"application/gzip", "application/x-gzip":
		return true
	}
	return strings.HasPrefix(media, "text/")
}

// statusError is nil for a status that comes with a page.
func statusError(status int) error {
	code := presswatch.Invalid
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusNotFound || status == http.StatusGone:
		code = presswatch.NotFound
	case status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusUnavailableForLegalReasons:
		code = presswatch.Forbidden
	case status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status == http.StatusTooEarly || status >= 500:
		code = presswatch.Unavailable
	}
	return presswatch.Errorf(code, "%s", strings.TrimSpace(fmt.Sprintf("status %d %s", status, http.StatusText(status))))
}
