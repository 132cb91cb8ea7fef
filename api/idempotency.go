package api

import (
	"crypto/sha256"
	"net/http"
	"sync"
	"time"

	"presswatch"
)

const (
	replayFor  = 24 * time.Hour
	maxReplays = 10_000
)

// replays remembers answers to requests that carried an Idempotency-Key. It
// lives in memory: after a restart changeOnce recognises a repeated write by
// what stands in the case.
type replays struct {
	mu   sync.Mutex
	seen map[string]*replay
	keys []string // oldest first
}

type replay struct {
	request [32]byte
	at      time.Time
	out     *decidedOut // nil while the first request is still being worked on
}

func newReplays() *replays { return &replays{seen: map[string]*replay{}} }

// do runs fn for the first request with the key, and gives its answer to the
// ones after it. Errors are not kept: such a request may be tried again.
func (r *replays) do(key string, request [32]byte, now time.Time, fn func() (*decidedOut, error)) (out *decidedOut, err error) {
	e, first, err := r.begin(key, request, now)
	if err != nil || !first {
		return e, err
	}
	defer func() { r.end(key, out) }() // also when fn panics: the key must not stay taken
	return fn()
}

func (r *replays) begin(key string, request [32]byte, now time.Time) (*decidedOut, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop(now)
	if e, ok := r.seen[key]; ok {
		switch {
		case e.request != request:
			return nil, false, newProblem(presswatch.Invalid, http.StatusBadRequest, "Idempotency-Key: it was used for another request")
		case e.out == nil:
			return nil, false, presswatch.Errorf(presswatch.Conflict, "Idempotency-Key: the first request with it is still being worked on")
		}
		return e.out, false, nil
	}
	r.seen[key] = &replay{request: request, at: now}
	r.keys = append(r.keys, key)
	return nil, true, nil
}

func (r *replays) end(key string, out *decidedOut) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if out == nil {
		delete(r.seen, key)
		return
	}
	if e, ok := r.seen[key]; ok {
		e.out = out
	}
}

// drop forgets what is too old or too much.
func (r *replays) drop(now time.Time) {
	for len(r.keys) > 0 {
		e, ok := r.seen[r.keys[0]]
		if ok && len(r.keys) <= maxReplays && now.Sub(e.at) < replayFor {
			return
		}
		delete(r.seen, r.keys[0])
		r.keys = r.keys[1:]
	}
}

// fingerprint hashes the parts of a request.
func fingerprint(parts ...string) (sum [32]byte) {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	h.Sum(sum[:0])
	return sum
}
