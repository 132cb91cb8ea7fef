package fetch

import (
	"bytes"
	"container/list"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"presswatch"
)

const (
	robotsTTL     = 24 * time.Hour   // as RFC 9309 has it
	robotsRetry   = 5 * time.Minute  // until one that could not be had is asked for again
	robotsTimeout = 10 * time.Second // of one fetch; less if the client's is
	robotsHops    = 5                // redirects
	robotsMemory  = 32 << 20         // bytes of rules that are kept
)

// robotsCache keeps the robots.txt of every origin for a day, fetches each only
// once at a time, and drops the ones used longest ago when it grows.
type robotsCache struct {
	c *Client

	mu      sync.Mutex
	entries map[string]*list.Element // of *robotsEntry
	order   *list.List               // used last in front
	size    int
	calls   map[string]chan struct{} // closed when the fetch is over
}

type robotsEntry struct {
	origin  string
	rules   *rules
	err     error // why there are none; nothing may be fetched then
	expires time.Time
	size    int
}

func newRobotsCache(c *Client) *robotsCache {
	return &robotsCache{c: c, entries: map[string]*list.Element{}, order: list.New(), calls: map[string]chan struct{}{}}
}

// get returns the rules for an address, or why it may not be fetched.
func (r *robotsCache) get(ctx context.Context, u *url.URL) (*rules, error) {
	origin := u.Scheme + "://" + strings.ToLower(u.Host)
	for {
		r.mu.Lock()
		if e := r.fresh(origin); e != nil {
			r.mu.Unlock()
			return e.rules, e.err
		}
		if call, ok := r.calls[origin]; ok {
			r.mu.Unlock()
			select {
			case <-call: // look again: its caller may have been stopped
				continue
			case <-ctx.Done():
				return nil, ended(ctx)
			}
		}
		call := make(chan struct{})
		r.calls[origin] = call
		r.mu.Unlock()
		return r.load(ctx, origin, call)
	}
}

// fresh finds an entry that still holds; r.mu is held.
func (r *robotsCache) fresh(origin string) *robotsEntry {
	el := r.entries[origin]
	if el == nil {
		return nil
	}
	e := el.Value.(*robotsEntry)
	if !r.c.now().Before(e.expires) {
		r.drop(el)
		return nil
	}
	r.order.MoveToFront(el)
	return e
}

func (r *robotsCache) drop(el *list.Element) {
	e := r.order.Remove(el).(*robotsEntry)
	delete(r.entries, e.origin)
	r.size -= e.size
}

// load fetches and keeps what came of it, unless the caller was stopped.
func (r *robotsCache) load(ctx context.Context, origin string, call chan struct{}) (*rules, error) {
	e := &robotsEntry{origin: origin, size: 512}
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.calls, origin)
		close(call)
		if e.err != nil && (ctx.Err() != nil || r.c.flight(ctx).remaining() == 0) {
			return // it says more about the asker than about the host
		}
		r.entries[origin] = r.order.PushFront(e)
		for r.size += e.size; r.size > robotsMemory && r.order.Len() > 1; {
			r.drop(r.order.Back())
		}
	}()
	e.rules, e.err = r.fetch(ctx, origin)
	e.expires = r.c.now().Add(robotsTTL)
	if e.err != nil {
		e.expires = r.c.now().Add(robotsRetry)
		r.c.log.Warn("robots.txt", "origin", origin, "error", e.err)
		return nil, e.err
	}
	for _, l := range [][]rule{e.rules.own, e.rules.any} {
		for _, rule := range l {
			e.size += len(rule.pattern) + 32
		}
	}
	return e.rules, nil
}

// fetch follows RFC 9309, section 2.3.1: a 4xx, or more than five redirects,
// means that there are no rules; a 5xx or no answer means that nothing may be
// fetched. So does a 429, which asks for less and not for more. The time that
// it takes is taken from the fetch that asks, so that a host cannot hold one
// twice over.
func (r *robotsCache) fetch(ctx context.Context, origin string) (*rules, error) {
	asker := r.c.flight(ctx)
	ctx, f := r.c.Watch(ctx)
	most := min(robotsTimeout, asker.remaining())
	f.noRobots, f.maxBody, f.maxHops, f.left = true, maxRobots, robotsHops, most
	defer func() { asker.charge(most - f.remaining()) }()
	u, err := ParseURL("", origin+"/robots.txt")
	if err != nil {
		return nil, err
	}
	resp, err := r.c.follow(ctx, f, u, http.Header{"Accept": {"text/plain,*/*;q=0.5"}})
	if errors.Is(err, errHops) || errors.Is(err, errLoop) {
		return &rules{}, nil
	}
	if err != nil {
		return nil, presswatch.Errorf(presswatch.CodeOf(err), "robots.txt: %w", err)
	}
	defer resp.Body.Close()
	switch s := resp.StatusCode; {
	case s == http.StatusTooManyRequests || s >= 500:
		return nil, presswatch.Errorf(presswatch.Unavailable, "robots.txt: status %d", s)
	case s < 200 || s >= 300:
		return &rules{}, nil
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Unavailable, "robots.txt: %w", err)
	}
	if f.Truncated() { // half a line could say the opposite
		body = body[:max(bytes.LastIndexByte(body, '\n'), 0)]
	}
	return parseRobots(body, r.c.token), nil
}
