// Package fetch is the only way out to the web: pages, feeds and robots.txt
// all pass through one Client. It treats every server as hostile. It connects
// to public addresses only, asks robots.txt, keeps a distance between requests
// to one host, and bounds time, redirects, headers and both coded and decoded
// bytes.
package fetch

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"presswatch"
)

// DefaultUserAgent names the crawler when Options do not.
const DefaultUserAgent = "Presswatch/1.0 (+https://presswatch.invalid/crawler; press monitoring; set user_agent to your contact)"

const defaultAccept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.5"

// Options are how a Client behaves. The zero value is safe for the open web.
type Options struct {
	AllowNet     []netip.Prefix   // networks that may be connected to, on any port, though not public
	UserAgent    string           // honest, with a contact; its first product token is looked for in robots.txt
	Pace         time.Duration    // between the starts of two requests to one host; 0 means 1 s, negative none
	PerHost      int              // requests to one host at once; 0 means 2
	Timeout      time.Duration    // of a whole fetch with its redirects, waiting for the pace apart; 0 means 30 s
	MaxBody      int64            // decoded bytes of a body; 0 means presswatch.MaxBody
	IgnoreRobots bool             // for tests only
	Now          func() time.Time // nil means time.Now
	Log          *slog.Logger     // nil means slog.Default
	Resolver     Resolver         // nil means net.DefaultResolver
}

// Client fetches. It is safe for concurrent use; make one with New and share
// it, since pace and robots.txt are kept in it.
type Client struct {
	agent, token string
	timeout      time.Duration
	maxBody      int64
	ignoreRobots bool
	perHost      int
	now          func() time.Time
	log          *slog.Logger
	guard        *guard
	base         *http.Transport
	pace         *pacer
	robots       *robotsCache
}

// Request asks for one address.
type Request struct {
	URL          string
	ETag         string // answers NotModified if it still has this
	LastModified string // the same, by date
	Accept       string // media types; empty means pages
	NoRobots     bool   // do not ask robots.txt: for addresses a person gave, never for found ones
}

// Response is one answer, whatever its status. Body is content-decoded, in the
// charset it was served in.
type Response struct {
	URL         string // as asked for
	FinalURL    string // after redirects
	Status      int
	Header      http.Header
	ContentType string
	Body        []byte
	Truncated   bool // the body was longer than Options.MaxBody
	FetchedAt   time.Time
	NotModified bool
}

// New makes a client.
func New(o Options) *Client {
	c := &Client{
		agent: o.UserAgent, timeout: o.Timeout, maxBody: o.MaxBody, ignoreRobots: o.IgnoreRobots,
		perHost: o.PerHost, now: o.Now, log: o.Log,
	}
	if c.agent == "" {
		c.agent = DefaultUserAgent
	}
	c.token = productToken(c.agent)
	if c.timeout <= 0 {
		c.timeout = 30 * time.Second
	}
	if c.maxBody <= 0 {
		c.maxBody = presswatch.MaxBody
	}
	if c.perHost <= 0 {
		c.perHost = 2
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.log == nil {
		c.log = slog.Default()
	}
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	gap := o.Pace
	if gap == 0 {
		gap = time.Second
	}
	c.guard = &guard{allow: o.AllowNet, resolver: o.Resolver, dialer: &net.Dialer{Timeout: min(c.timeout, 10*time.Second)}}
	c.base = &http.Transport{
		DialContext:            c.guard.dial,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // it would decode without a bound
		MaxResponseHeaderBytes: maxHeader,
		ResponseHeaderTimeout:  min(c.timeout, 20*time.Second),
		TLSHandshakeTimeout:    min(c.timeout, 10*time.Second),
		IdleConnTimeout:        30 * time.Second,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    c.perHost,
		ReadBufferSize:         16 << 10,
	}
	c.pace = newPacer(max(gap, 0), c.perHost, c.now)
	c.robots = newRobotsCache(c)
	return c
}

// productToken is what robots.txt calls us: the first product of the user
// agent, or the one after "compatible;" in one that begins as browsers do.
func productToken(agent string) string {
	if strings.HasPrefix(agent, "Mozilla/") {
		if _, after, ok := strings.Cut(agent, "compatible;"); ok {
			agent = strings.TrimSpace(after)
		}
	}
	return tokenOf(agent)
}

// Transport is the same way out for another HTTP client, such as colly's:
// every hop is checked, asked for in robots.txt, paced, bounded and decoded.
// Its responses say nothing of a content coding. Make the request with the
// context of Watch to learn whether the body was cut.
func (c *Client) Transport() http.RoundTripper { return transport{c} }

// PerHost is how many requests to one host run at once.
func (c *Client) PerHost() int { return c.perHost }

// CloseIdle closes the connections that are kept for later.
func (c *Client) CloseIdle() { c.base.CloseIdleConnections() }

// Ready waits until a request to the address would not have to wait for the
// pace of its host. It takes no turn.
func (c *Client) Ready(ctx context.Context, rawURL string) error {
	u, err := ParseURL("", rawURL)
	if err != nil {
		return err
	}
	return c.pace.ready(ctx, hostKey(u))
}

// Allowed reports whether robots.txt lets us fetch the address. The error is
// Unavailable when that cannot be found out, and then the address must not be
// fetched.
func (c *Client) Allowed(ctx context.Context, rawURL string) (bool, error) {
	u, err := ParseURL("", rawURL)
	if err != nil {
		return false, err
	}
	r, err := c.robots.get(ctx, u)
	if err != nil {
		return false, named(rawURL, err)
	}
	return r.allowed(u.RequestURI()), nil
}

// Get fetches one address and follows its redirects. Any HTTP status is an
// answer. An error is Forbidden for an address or a robots.txt that refuses,
// Unavailable for what the network or the server failed to do in time,
// TooLarge for too many redirects or headers, Invalid for what cannot be
// understood; its text names the address.
func (c *Client) Get(ctx context.Context, r Request) (Response, error) {
	u, err := ParseURL("", r.URL)
	if err != nil {
		return Response{}, err
	}
	ctx, f := c.Watch(ctx)
	f.noRobots = r.NoRobots
	resp, err := c.follow(ctx, f, u, r.header())
	if err != nil {
		return Response{}, err
	}
	defer resp.Body.Close()
	out := Response{
		URL: r.URL, FinalURL: f.URL(), Status: resp.StatusCode, Header: f.Header(), FetchedAt: f.At(),
		ContentType: resp.Header.Get("Content-Type"), NotModified: resp.StatusCode == http.StatusNotModified,
	}
	if out.Body, err = c.ReadAll(resp.Body); err != nil {
		return Response{}, err
	}
	out.Truncated = f.Truncated()
	return out, nil
}

const (
	firstRead = 64 << 10
	lastGrow  = 4 << 20 // a larger body gets all the room there is at once
)

// ReadAll reads a body of Transport to its end. It takes little more memory
// than the body does, where io.ReadAll takes three or four times as much.
func (c *Client) ReadAll(r io.Reader) ([]byte, error) {
	buf := make([]byte, 0, firstRead)
	for {
		if len(buf) == cap(buf) {
			room := 2 * cap(buf)
			if room > lastGrow {
				room = max(int(c.maxBody)+1, room)
			}
			buf = append(make([]byte, 0, room), buf...)
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if errors.Is(err, io.EOF) {
			return buf, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (r Request) header() http.Header {
	h := http.Header{"Accept": {defaultAccept}}
	for k, v := range map[string]string{"Accept": r.Accept, "If-None-Match": r.ETag, "If-Modified-Since": r.LastModified} {
		if v != "" {
			h.Set(k, v)
		}
	}
	return h
}

// follow asks and follows redirects; each hop goes through the transport and
// all its checks.
func (c *Client) follow(ctx context.Context, f *Flight, u *url.URL, h http.Header) (*http.Response, error) {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return nil, presswatch.Errorf(presswatch.Invalid, "%s: %w", Short(u.String()), err)
		}
		req.Header = h.Clone()
		resp, err := transport{c}.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		location := resp.Header.Get("Location")
		if !isRedirect(resp.StatusCode) || location == "" {
			return resp, nil
		}
		resp.Body.Close()
		next, err := ParseURL(u.String(), location)
		if err != nil {
			return nil, presswatch.Errorf(presswatch.CodeOf(err), "%s: redirect: %w", Short(u.String()), err)
		}
		u = next
	}
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// named puts the address in front of an error and keeps its code.
func named(rawURL string, err error) error {
	return presswatch.Errorf(presswatch.CodeOf(err), "%s: %w", Short(rawURL), err)
}

// failure gives an error of the network its code. ctx is that of the request.
func (c *Client) failure(ctx context.Context, err error) error {
	switch {
	case errors.Is(context.Cause(ctx), errWall):
		return presswatch.Errorf(presswatch.Unavailable, "no end within %s: %w", c.timeout, errWall)
	case ctx.Err() != nil:
		return ended(ctx)
	case presswatch.CodeOf(err) != presswatch.Internal: // ours, from dialling
		return err
	case strings.Contains(err.Error(), "server response headers exceeded"):
		return presswatch.Errorf(presswatch.TooLarge, "response headers of more than %d bytes: %w", maxHeader, err)
	}
	return presswatch.Errorf(presswatch.Unavailable, "%w", err)
}

// isNetwork tells a connection that broke from a body that was coded wrongly.
func isNetwork(err error) bool {
	var n net.Error
	return errors.As(err, &n) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		strings.Contains(err.Error(), "malformed chunked") || strings.Contains(err.Error(), "http2:") || strings.Contains(err.Error(), "connection")
}
