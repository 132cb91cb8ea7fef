package fetch

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// Flight watches one fetch through all its redirects. Requests made with the
// context of Watch share one limit of time and one of redirects, whichever
// HTTP client follows them.
type Flight struct {
	noRobots bool
	maxBody  int64
	maxHops  int

	mu        sync.Mutex
	left      time.Duration // of the limit on the whole fetch
	hops      int
	seen      map[string]int
	url       string
	header    http.Header
	at        time.Time
	truncated bool
}

type flightKey struct{}

// Watch returns a context for one fetch through Transport, and its flight.
func (c *Client) Watch(ctx context.Context) (context.Context, *Flight) {
	f := &Flight{left: c.timeout, maxBody: c.maxBody, maxHops: maxRedirects}
	return context.WithValue(ctx, flightKey{}, f), f
}

// flight finds the flight of a request; one without is a flight of its own.
func (c *Client) flight(ctx context.Context) *Flight {
	if f, ok := ctx.Value(flightKey{}).(*Flight); ok {
		return f
	}
	_, f := c.Watch(ctx)
	return f
}

// Truncated reports whether the body of the last response was cut at the most
// that is read. It is known when the body has been read.
func (f *Flight) Truncated() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.truncated
}

// URL is the address of the last request that was answered.
func (f *Flight) URL() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.url
}

// Header is the header of the last response, as the server sent it.
func (f *Flight) Header() http.Header {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.header
}

// At is when the last response began to arrive.
func (f *Flight) At() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

// hop counts a request; it fails on the one that is too many, and on an
// address that comes up a third time: a second time may be about a cookie.
func (f *Flight) hop(url string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen[url] > 1 {
		return errLoop
	}
	if f.hops > f.maxHops {
		return errHops
	}
	if f.seen == nil {
		f.seen = map[string]int{}
	}
	f.seen[url]++
	f.hops++
	return nil
}

func (f *Flight) answered(url string, h http.Header, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.url, f.header, f.at, f.truncated = url, h, at, false
}

func (f *Flight) cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.truncated = true
}

// limit starts a stretch of work that counts against the flight's time. done
// ends it and takes what it took.
func (f *Flight) limit(ctx context.Context, now func() time.Time) (_ context.Context, done func()) {
	start := now()
	ctx, cancel := context.WithTimeoutCause(ctx, f.remaining(), errWall)
	return ctx, sync.OnceFunc(func() {
		cancel()
		f.charge(now().Sub(start))
	})
}

// charge takes d from the flight's time.
func (f *Flight) charge(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left = max(0, f.left-d)
}

// remaining is the flight's time.
func (f *Flight) remaining() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.left
}
