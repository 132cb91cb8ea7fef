package auth

import (
	"errors"
	"net/netip"
	"sync"
	"time"

	"presswatch"
)

const (
	maxTries  = 10               // sign-in tries ...
	tryWindow = 15 * time.Minute // ... in this time, for an account and for an address
	// maxTracked is how many accounts and addresses are followed at once. It
	// bounds memory (some 10 MB); beyond it the oldest are forgotten first.
	maxTracked = 50_000
)

// LimitError says when to try again. It is in the chain of every TooMany error
// of this package.
type LimitError struct{ After time.Duration }

// Error says so in words.
func (e *LimitError) Error() string {
	return "try again in " + e.After.Round(time.Second).String()
}

// RetryAfter returns how long to wait before trying again, when err says so.
// It is the value of the Retry-After header.
func RetryAfter(err error) (time.Duration, bool) {
	if e := (*LimitError)(nil); errors.As(err, &e) {
		return e.After, true
	}
	return 0, false
}

func tooMany(what string, after time.Duration) error {
	return presswatch.Errorf(presswatch.TooMany, "%s: %w", what, &LimitError{After: max(after, time.Second)})
}

// tries remembers when keys were used, for one window. Two maps take turns:
// when the newer is full or a window old, the older is dropped.
type tries struct {
	mu      sync.Mutex
	newer   map[string][]time.Time
	older   map[string][]time.Time
	rotated time.Time
}

// take counts a try under all keys, or under none and says how long to wait.
func (l *tries) take(now time.Time, keys ...string) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rotate(now)
	for _, k := range keys {
		if at := l.recent(now, k); len(at) >= maxTries {
			wait = max(wait, at[len(at)-maxTries].Add(tryWindow).Sub(now))
		}
	}
	if wait > 0 {
		return wait
	}
	for _, k := range keys {
		l.newer[k] = append(l.recent(now, k), now)
		delete(l.older, k)
	}
	return 0
}

// give takes one try of each key back: it was a good one.
func (l *tries) give(keys ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range keys {
		for _, m := range []map[string][]time.Time{l.newer, l.older} {
			if at := m[k]; len(at) > 0 {
				m[k] = at[:len(at)-1]
				break
			}
		}
	}
}

// recent returns the tries of a key within the window, oldest first.
func (l *tries) recent(now time.Time, key string) []time.Time {
	at, ok := l.newer[key]
	if !ok {
		at = l.older[key]
	}
	for len(at) > 0 && now.Sub(at[0]) >= tryWindow {
		at = at[1:]
	}
	return at
}

func (l *tries) rotate(now time.Time) {
	switch {
	case l.newer == nil:
		l.newer, l.rotated = map[string][]time.Time{}, now
	case len(l.newer) >= maxTracked || now.Sub(l.rotated) >= tryWindow:
		l.older, l.newer, l.rotated = l.newer, map[string][]time.Time{}, now
	}
}

// tryKeys names what a try counts against: the account as it was typed, and
// the address, of which IPv6 gives everybody 2^64.
func tryKeys(login, remoteIP string) []string {
	if len(login) > 64 {
		login = login[:64]
	}
	if len(remoteIP) > 64 {
		remoteIP = remoteIP[:64]
	}
	if host, err := netip.ParseAddrPort(remoteIP); err == nil {
		remoteIP = host.Addr().String()
	}
	if ip, err := netip.ParseAddr(remoteIP); err == nil {
		ip = ip.Unmap().WithZone("")
		remoteIP = ip.String()
		if p, err := ip.Prefix(64); ip.Is6() && err == nil {
			remoteIP = p.String()
		}
	}
	return []string{"account " + login, "address " + remoteIP}
}
