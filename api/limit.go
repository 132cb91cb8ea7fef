package api

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limit is a token bucket: Rate tokens a second, up to Burst of them.
type Limit struct {
	Rate  float64
	Burst int
}

// Limits are the rate limits of the API.
type Limits struct {
	PerIP   Limit
	PerUser Limit
}

// DefaultLimits leave room for an office behind one address and for a script
// that pages through the archive.
func DefaultLimits() Limits {
	return Limits{PerIP: Limit{Rate: 100, Burst: 400}, PerUser: Limit{Rate: 40, Burst: 200}}
}

// maxBuckets is how many buckets are kept; beyond it, full ones are dropped,
// which changes nothing for their owners.
const maxBuckets = 10_000

type limiter struct {
	Limits
	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

func newLimiter(l Limits) *limiter {
	def := DefaultLimits()
	if l.PerIP.Burst == 0 {
		l.PerIP = def.PerIP
	}
	if l.PerUser.Burst == 0 {
		l.PerUser = def.PerUser
	}
	return &limiter{Limits: l, buckets: map[string]*rate.Limiter{}}
}

// take takes cost tokens from the bucket of key. It returns 0, or, when there
// are not enough, after how many seconds there will be; then none is taken.
func (l *limiter) take(key string, lim Limit, cost int, now time.Time) int {
	if cost == 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(key, lim, now)
	cost = min(cost, lim.Burst)
	if b.AllowN(now, cost) {
		return 0
	}
	lack := float64(cost) - b.TokensAt(now)
	return max(1, int(math.Ceil(lack/lim.Rate)))
}

// charge takes cost tokens even when there are not as many: what is missing
// has to come in before anything is let through again.
func (l *limiter) charge(key string, lim Limit, cost int, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bucket(key, lim, now).ReserveN(now, min(cost, lim.Burst))
}

func (l *limiter) bucket(key string, lim Limit, now time.Time) *rate.Limiter {
	b, ok := l.buckets[key]
	if !ok {
		if len(l.buckets) >= maxBuckets {
			l.sweep(now)
		}
		b = rate.NewLimiter(rate.Limit(lim.Rate), lim.Burst)
		l.buckets[key] = b
	}
	return b
}

// sweep drops buckets that are full again, and others until a quarter of the
// room is free, so that it is seldom called: memory is bounded before fairness.
func (l *limiter) sweep(now time.Time) {
	for k, b := range l.buckets {
		if b.TokensAt(now) >= float64(b.Burst()) {
			delete(l.buckets, k)
		}
	}
	for k := range l.buckets {
		if len(l.buckets) < maxBuckets*3/4 {
			return
		}
		delete(l.buckets, k)
	}
}
