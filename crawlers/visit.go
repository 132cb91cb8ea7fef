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
	c := collector(ctx, client)
	served := &asServed{client: client}
	if links == nil {
		c.WithTransport(served)
	}
	var refused error
	c.OnResponseHeaders(func(r *colly.Response) {
		out.Status, out.ContentType = r.StatusCode, flight.Header().Get("Content-Type")
		if refused = notAPage(out.Status, out.ContentType); refused != nil {
			r.Request.Abort()
		}
	})
	if links != nil {
		c.OnHTML("a[href]", func(e *colly.HTMLElement) {
			if href := e.Request.AbsoluteURL(e.Attr("href")); href != "" {
				links(href)
			}
		})
	}
	err = c.Visit(addr)
	out.FinalURL, out.Header, out.FetchedAt, out.Truncated = flight.URL(), flight.Header(), flight.At(), flight.Truncated()
	out.Body = served.body
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
func collector(ctx context.Context, client *fetch.Client) *colly.Collector {
	c := colly.NewCollector()
	// Again, after the environment: nothing but the configuration decides.
	c.Context, c.MaxDepth, c.CacheDir, c.DetectCharset, c.Async = ctx, 0, "", false, false
	c.AllowedDomains, c.DisallowedDomains = nil, nil
	c.MaxBodySize, c.IgnoreRobotsTxt, c.AllowURLRevisit, c.ParseHTTPErrorResponse = 0, true, true, true
	c.SetRequestTimeout(0)
	c.SetRedirectHandler(func(*http.Request, []*http.Request) error { return nil })
	c.WithTransport(client.Transport())
	return c
}

// asServed keeps the body of the page from colly, which would re-code it to
// UTF-8 and hold it three times over. The pipeline knows more about charsets.
type asServed struct {
	client *fetch.Client
	body   []byte
}

// RoundTrip implements http.RoundTripper.
func (t *asServed) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.client.Transport().RoundTrip(r)
	if err != nil || notAPage(resp.StatusCode, resp.Header.Get("Content-Type")) != nil {
		return resp, err
	}
	defer resp.Body.Close()
	if t.body, err = t.client.ReadAll(resp.Body); err != nil {
		return nil, err
	}
	resp.Body = http.NoBody
	return resp, nil
}

// notAPage says why a response cannot be that of an article, or nil.
func notAPage(status int, contentType string) error {
	if err := statusError(status); err != nil {
		return err
	}
	if !isPage(contentType) {
		return presswatch.Errorf(presswatch.Invalid, "content type %.100q is not a page", contentType)
	}
	return nil
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
