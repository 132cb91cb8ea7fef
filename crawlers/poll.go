package crawlers

import (
	"context"
	"log/slog"
	"regexp"
	"slices"
	"time"

	"presswatch"
	"presswatch/internal/fetch"
)

// Kind is a way to collect from a source.
type Kind interface {
	// Kind is the name that sources.yaml uses.
	Kind() string
	// Poll looks once for what is new, publishes it, and saves the cursor after
	// that. It returns nil if the source could be listed, though single items
	// may have failed: those are tried again by later polls. Between items it
	// looks at env.Stopping.
	Poll(ctx context.Context, env *Env, s Source) error
}

// Env is what a Kind works with.
type Env struct {
	Fetch   *fetch.Client
	Publish func(ctx context.Context, c presswatch.Capture) error
	Cursors presswatch.Cursors
	Now     func() time.Time
	Log     *slog.Logger

	stop  <-chan struct{}
	count func(published, failed int)
}

// Stopping reports whether the poll should end after the current item.
func (e *Env) Stopping() bool {
	select {
	case <-e.stop:
		return true
	default:
		return false
	}
}

// lister lists what a source has now, the newest first.
type lister interface {
	list(ctx context.Context, c *fetch.Client, s Source, since validators) (listing, error)
}

// taker makes a capture of an item.
type taker interface {
	take(ctx context.Context, c *fetch.Client, s Source, it item) (presswatch.Capture, error)
}

// validators ask for a listing only if it has changed.
type validators struct{ etag, lastModified string }

type listing struct {
	items []item
	valid validators
	same  bool // nothing has changed; there are no items
}

// poll is the life of every kind: list, leave out what is known, take, publish,
// remember.
func poll(ctx context.Context, env *Env, s Source, l lister, t taker) error {
	st, err := loadState(ctx, env, s)
	if err != nil {
		return err
	}
	list, err := l.list(ctx, env.Fetch, s, validators{st.ETag, st.LastModified})
	if err != nil {
		return err
	}
	todo, all, err := st.choose(s, list)
	if err != nil {
		return err
	}
	for _, it := range todo {
		if env.Stopping() {
			all = false
			break
		}
		if err := one(ctx, env, s, st, t, it); err != nil {
			return err
		}
	}
	if all && !list.same {
		st.ETag, st.LastModified = list.valid.etag, list.valid.lastModified
	}
	if !all { // what was left out must be listed again
		st.ETag, st.LastModified = "", ""
	}
	return st.save(ctx, env, s)
}

// one takes, publishes and remembers a single item. The error is one that ends
// the poll: nothing was remembered then.
func one(ctx context.Context, env *Env, s Source, st *state, t taker, it item) error {
	c, err := t.take(ctx, env.Fetch, s, it)
	if ctx.Err() != nil {
		return presswatch.Errorf(presswatch.Unavailable, "source %s: %w", s.ID, context.Cause(ctx))
	}
	if err == nil {
		if err := env.Publish(ctx, c); err != nil {
			return presswatch.Errorf(presswatch.CodeOf(err), "source %s: publish %s: %w", s.ID, fetch.Short(it.url), err)
		}
		st.took(it)
		st.settle(it.key)
		env.count(1, 0)
		return st.save(ctx, env, s)
	}
	it.tries++
	again := it.tries < triesFor(err)
	env.Log.Warn("item failed", "source", s.ID, "url", fetch.Short(it.url), "try", it.tries, "again", again, "error", err)
	env.count(0, 1)
	st.took(it)
	st.settle(it.key)
	if again {
		st.Pending = append(st.Pending, pending{it.key, it.url, it.hints, it.tries})
		if drop := len(st.Pending) - maxPending; drop > 0 {
			env.Log.Warn("too many items wait for another try; the oldest are given up", "source", s.ID, "dropped", drop)
			st.Pending = slices.Delete(st.Pending, 0, drop)
		}
	}
	return st.save(ctx, env, s)
}

// settle takes an item off those to be tried again.
func (st *state) settle(key uint64) {
	st.Pending = slices.DeleteFunc(st.Pending, func(p pending) bool { return p.Key == key })
}

// triesFor is how often an item with this error is tried in all.
func triesFor(err error) int {
	switch presswatch.CodeOf(err) {
	case presswatch.Forbidden, presswatch.Invalid, presswatch.TooLarge:
		return 1
	default:
		return 5
	}
}

// choose picks what to take now, the oldest first: what failed before, then
// what is new. all is false when some has to wait for the next poll.
func (st *state) choose(s Source, l listing) (todo []item, all bool, err error) {
	match, err := newMatcher(s)
	if err != nil {
		return nil, false, err
	}
	limit := s.MaxItems
	if limit <= 0 {
		limit = DefaultMaxItems
	}
	retry := st.Pending[:min(len(st.Pending), limit)]
	waiting := map[uint64]bool{}
	for _, p := range st.Pending {
		waiting[p.Key] = true
	}
	all = true
	for i, it := range l.items {
		if i >= maxListed {
			break
		}
		if waiting[it.key] || !match.ok(it.url) || !st.wants(it) {
			continue
		}
		if len(todo) >= limit {
			all = false
			continue
		}
		waiting[it.key] = true
		todo = append(todo, it)
	}
	for _, p := range slices.Backward(retry) {
		todo = append(todo, item{key: p.Key, url: p.URL, hints: p.Hints, tries: p.Tries})
	}
	slices.Reverse(todo)
	return todo, all, nil
}

// matcher is the include and exclude of a source.
type matcher struct{ include, exclude []*regexp.Regexp }

func newMatcher(s Source) (m matcher, err error) {
	if m.include, err = compile(s.Include); err == nil {
		m.exclude, err = compile(s.Exclude)
	}
	return m, err
}

func (m matcher) ok(url string) bool {
	hit := func(r *regexp.Regexp) bool { return r.MatchString(url) }
	return (len(m.include) == 0 || slices.ContainsFunc(m.include, hit)) && !slices.ContainsFunc(m.exclude, hit)
}

func compile(patterns []string) (out []*regexp.Regexp, err error) {
	for _, p := range patterns {
		r, err := regexp.Compile(p)
		if err != nil {
			return nil, presswatch.Errorf(presswatch.Invalid, "pattern: %w", err)
		}
		out = append(out, r)
	}
	return out, nil
}
