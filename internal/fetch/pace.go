package fetch

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"presswatch"
)

const (
	maxHosts     = 10_000           // hosts that are remembered while nobody waits for them
	maxBlock     = 10 * time.Minute // the longest Retry-After that is remembered
	maxWait      = 30 * time.Second // the longest Retry-After that is waited for
	defaultBlock = 10 * time.Second // after a 429 without Retry-After
)

// pacer spaces the requests to each host and bounds how many run at once.
type pacer struct {
	gap     time.Duration
	perHost int
	now     func() time.Time

	mu    sync.Mutex
	hosts map[string]*hostPace
}

// hostPace is the state of one host; pacer.mu guards it.
type hostPace struct {
	users   int // callers that hold or await a slot
	slots   chan struct{}
	next    time.Time     // no request before
	blocked time.Time     // the host said not before
	delay   time.Duration // Crawl-delay
}

func newPacer(gap time.Duration, perHost int, now func() time.Time) *pacer {
	return &pacer{gap: gap, perHost: perHost, now: now, hosts: map[string]*hostPace{}}
}

// enter registers a user of a host; pacer.mu is held.
func (p *pacer) enter(host string) *hostPace {
	h := p.hosts[host]
	if h == nil {
		if len(p.hosts) >= maxHosts {
			p.forget()
		}
		h = &hostPace{slots: make(chan struct{}, p.perHost)}
		p.hosts[host] = h
	}
	h.users++
	return h
}

// forget drops the hosts that nobody needs now; pacer.mu is held.
func (p *pacer) forget() {
	now := p.now()
	for name, h := range p.hosts {
		if h.users == 0 && !h.next.After(now) && !h.blocked.After(now) {
			delete(p.hosts, name)
		}
	}
}

// acquire waits for a slot of the host and for its turn. release gives the
// slot back; calling it again does nothing.
func (p *pacer) acquire(ctx context.Context, host string) (release func(), err error) {
	p.mu.Lock()
	h := p.enter(host)
	p.mu.Unlock()
	leave := func() {
		p.mu.Lock()
		h.users--
		p.mu.Unlock()
	}
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		leave()
		return nil, ended(ctx)
	}
	release = sync.OnceFunc(func() { <-h.slots; leave() })
	wait, err := p.reserve(h)
	if err == nil {
		err = sleep(ctx, wait)
	}
	if err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// reserve takes the host's next turn and says how long until then.
func (p *pacer) reserve(h *hostPace) (time.Duration, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if h.blocked.Sub(now) > maxWait {
		return 0, presswatch.Errorf(presswatch.Unavailable, "the host asked for no request before %s", h.blocked.UTC().Format(time.RFC3339))
	}
	at := latest(now, h.next, h.blocked)
	h.next = at.Add(max(p.gap, h.delay))
	return at.Sub(now), nil
}

// ready waits until a request to the host would not have to wait for its turn,
// or would be refused at once.
func (p *pacer) ready(ctx context.Context, host string) error {
	for {
		p.mu.Lock()
		h, wait := p.hosts[host], time.Duration(0)
		if h != nil {
			now := p.now()
			if h.blocked.Sub(now) <= maxWait { // else reserve says how it is
				wait = latest(now, h.next, h.blocked).Sub(now)
			}
		}
		p.mu.Unlock()
		if ctx.Err() != nil {
			return ended(ctx)
		}
		if wait <= 0 {
			return nil
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// setDelay tells the host's Crawl-delay.
func (p *pacer) setDelay(host string, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if h := p.hosts[host]; h != nil || d > 0 {
		if h == nil {
			h = p.enter(host)
			h.users--
		}
		h.delay = d
	}
}

// heed remembers what a response says about coming back.
func (p *pacer) heed(host string, resp *http.Response) {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return
	}
	now := p.now()
	wait := retryAfter(resp.Header.Get("Retry-After"), now)
	if wait == 0 && resp.StatusCode == http.StatusTooManyRequests {
		wait = defaultBlock
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if h := p.hosts[host]; h != nil {
		h.blocked = latest(h.blocked, now.Add(wait))
	}
}

// retryAfter reads the header: seconds, or a date. What is not understood, or
// past, is 0.
func retryAfter(s string, now time.Time) time.Duration {
	s = strings.TrimSpace(s)
	if n, err := strconv.ParseUint(s, 10, 32); err == nil {
		return min(time.Duration(n)*time.Second, maxBlock)
	}
	if t, err := http.ParseTime(s); err == nil {
		return min(max(t.Sub(now), 0), maxBlock)
	}
	return 0
}

func latest(t time.Time, more ...time.Time) time.Time {
	for _, u := range more {
		if u.After(t) {
			t = u
		}
	}
	return t
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}

// ended is the error of a context that ended before the work did.
func ended(ctx context.Context) error {
	return presswatch.Errorf(presswatch.Unavailable, "stopped: %w", context.Cause(ctx))
}
