package fetch

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"presswatch"
)

const (
	maxRedirects = 10
	maxHeader    = 256 << 10 // bytes of response header
)

var (
	errWall = errors.New("it took too long")
	errLoop = presswatch.Errorf(presswatch.Invalid, "the redirects go in a circle")
	errHops = presswatch.Errorf(presswatch.TooLarge, "too many redirects")
)

// transport is the way out: every request, also each hop of a redirect, is
// checked, paced, bounded and decoded here.
type transport struct{ c *Client }

// RoundTrip implements http.RoundTripper. The body it returns is decoded and
// bounded; its errors are coded and name the address.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.roundTrip(req)
	if err != nil {
		return nil, named(req.URL.String(), err)
	}
	return resp, nil
}

func (t transport) roundTrip(req *http.Request) (*http.Response, error) {
	c, ctx := t.c, req.Context()
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		return nil, presswatch.Errorf(presswatch.Forbidden, "method %s: this client only reads", req.Method)
	}
	if err := checkURL(req.URL); err != nil {
		return nil, err
	}
	f := c.flight(ctx)
	if err := f.hop(req.URL.String()); err != nil {
		return nil, err
	}
	if !f.noRobots && !c.ignoreRobots {
		if err := c.askRobots(ctx, req); err != nil {
			return nil, err
		}
	}
	host := hostKey(req.URL)
	release, err := c.pace.acquire(ctx, host)
	if err != nil {
		return nil, err
	}
	limited, done := f.limit(ctx, c.now)
	finish := func() { done(); release() }
	out := req.Clone(limited)
	out.Header.Set("User-Agent", c.agent)
	out.Header.Set("Accept-Encoding", acceptEncoding)
	resp, err := c.base.RoundTrip(out)
	if err != nil {
		err = c.failure(limited, err)
		finish()
		return nil, err
	}
	c.pace.heed(host, resp)
	f.answered(req.URL.String(), resp.Header.Clone(), c.now())
	if err := t.wrap(limited, resp, f, finish); err != nil {
		resp.Body.Close()
		finish()
		return nil, err
	}
	resp.Request = req
	return resp, nil
}

// askRobots fails unless robots.txt lets the request pass.
func (c *Client) askRobots(ctx context.Context, req *http.Request) error {
	r, err := c.robots.get(ctx, req.URL)
	if err != nil {
		return err
	}
	c.pace.setDelay(hostKey(req.URL), r.delay)
	if !r.allowed(req.URL.RequestURI()) {
		return presswatch.Errorf(presswatch.Forbidden, "robots.txt of %s does not allow it", req.URL.Host)
	}
	return nil
}

// wrap puts the decoders in front of the body and takes the headers away that
// speak of its coded form, so that nobody decodes again.
func (t transport) wrap(ctx context.Context, resp *http.Response, f *Flight, finish func()) error {
	b := &body{c: t.c, ctx: ctx, raw: resp.Body, flight: f, finish: finish, limit: f.maxBody, encoding: resp.Header.Get("Content-Encoding")}
	if len(resp.Header.Values("Content-Encoding")) > 1 {
		b.encoding = strings.Join(resp.Header.Values("Content-Encoding"), ",")
	}
	if _, err := codingsOf(b.encoding); err != nil {
		return err
	}
	resp.Header.Del("Content-Encoding")
	resp.Header.Del("Content-Length")
	resp.ContentLength = -1
	resp.Uncompressed = true
	resp.Body = b
	return nil
}

// body is a decoded, bounded response body. Reaching the bound is an ordinary
// end, marked in the flight; everything else that is not the end is an error.
type body struct {
	c        *Client
	ctx      context.Context
	raw      io.ReadCloser
	flight   *Flight
	finish   func()
	limit    int64
	encoding string
	dec      *decoder
	err      error
	n        int64
}

func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.dec == nil {
		if b.dec, b.err = newDecoder(b.raw, b.encoding, b.limit); b.err != nil {
			return 0, b.end(b.err)
		}
	}
	n, err := b.dec.Read(p)
	b.n += int64(n)
	if err != nil {
		return n, b.end(err)
	}
	return n, nil
}

// end settles why the body is over, and lets go of the connection.
func (b *body) end(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		b.err = io.EOF
	case errors.Is(err, errCapped):
		b.flight.cut()
		b.err = io.EOF
	case presswatch.CodeOf(err) != presswatch.Internal:
		b.err = named(b.flight.URL(), err)
	case b.ctx.Err() != nil || isNetwork(err):
		b.err = named(b.flight.URL(), presswatch.Errorf(presswatch.Unavailable, "after %d bytes: %w", b.n, b.c.failure(b.ctx, err)))
	default:
		b.err = named(b.flight.URL(), presswatch.Errorf(presswatch.Invalid, "after %d bytes: broken content coding: %w", b.n, err))
	}
	b.Close()
	return b.err
}

// Close lets go of the connection and of the host's slot.
func (b *body) Close() error {
	if b.err == nil {
		b.err = errors.New("read after close")
	}
	if b.dec != nil {
		b.dec.Close()
	}
	err := b.raw.Close()
	b.finish()
	return err
}
