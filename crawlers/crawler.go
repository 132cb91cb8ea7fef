package crawlers

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/robfig/cron/v3"

	"presswatch"
	"presswatch/internal/fetch"
)

// Deps is what a Crawler needs.
type Deps struct {
	Sources     []Source
	Fetch       *fetch.Client
	Publish     func(ctx context.Context, c presswatch.Capture) error // nil means that it is durable
	Cursors     presswatch.Cursors
	Now         func() time.Time // nil means time.Now
	Rand        func() float64   // from 0 up to 1; nil means math/rand
	Log         *slog.Logger     // nil means slog.Default
	Concurrency int              // polls at once; 0 means 8
	Grace       time.Duration    // that the current items have to end after a stop; 0 means 8 s
}

// Crawler polls sources on their schedules.
type Crawler struct {
	d     Deps
	log   *slog.Logger
	kinds map[string]Kind
	runs  map[presswatch.SourceID]*run
	order []presswatch.SourceID
	slots chan struct{}
}

// run is the state of one source.
type run struct {
	source Source
	mu     sync.Mutex
	status SourceStatus
}

// SourceStatus is how a source is doing.
type SourceStatus struct {
	ID        presswatch.SourceID `json:"id"`
	Name      string              `json:"name"`
	Kind      string              `json:"kind"`
	URL       string              `json:"url"`
	Disabled  bool                `json:"disabled,omitempty"`
	Running   bool                `json:"running,omitempty"`
	LastRun   time.Time           `json:"last_run,omitzero"` // start of the last poll
	LastOK    time.Time           `json:"last_ok,omitzero"`  // end of the last poll without an error
	LastError string              `json:"last_error,omitempty"`
	Next      time.Time           `json:"next,omitzero"` // known while Run runs
	Polls     int                 `json:"polls"`
	Errors    int                 `json:"errors"`    // polls that failed
	Published int                 `json:"published"` // captures
	Failed    int                 `json:"failed"`    // tries of items that failed
}

// New makes a crawler. It does nothing until Run or PollOnce.
func New(d Deps) *Crawler {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Rand == nil {
		d.Rand = rand.Float64
	}
	if d.Log == nil {
		d.Log = slog.Default()
	}
	if d.Concurrency <= 0 {
		d.Concurrency = 8
	}
	if d.Grace <= 0 {
		d.Grace = 8 * time.Second
	}
	c := &Crawler{d: d, log: d.Log, kinds: map[string]Kind{}, runs: map[presswatch.SourceID]*run{}, slots: make(chan struct{}, d.Concurrency)}
	for _, k := range All() {
		c.kinds[k.Kind()] = k
	}
	for _, s := range d.Sources {
		if c.runs[s.ID] == nil {
			c.order = append(c.order, s.ID)
		}
		c.runs[s.ID] = &run{source: s, status: SourceStatus{ID: s.ID, Name: s.Name, Kind: s.Kind, URL: s.URL, Disabled: s.Disabled}}
	}
	return c
}

// Run polls every source that is not disabled: soon after the start, then on
// its schedule, each at most once at a time. When ctx ends it lets every poll
// finish its current item, for at most Deps.Grace, and returns nil. A source
// with an unknown kind or schedule is an error before anything starts.
func (c *Crawler) Run(ctx context.Context) error {
	scheduler := cron.New(cron.WithLogger(cronLog{c}))
	entries := map[presswatch.SourceID]cron.EntryID{}
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	for _, id := range c.order {
		r := c.runs[id]
		if r.source.Disabled {
			continue
		}
		schedule, err := c.check(r.source)
		if err != nil {
			return err
		}
		j := &jittered{inner: schedule, jitter: r.source.Jitter, rand: c.d.Rand}
		entries[id] = scheduler.Schedule(j, cron.FuncJob(func() { c.fire(ctx, work, r, scheduler, entries[id]) }))
	}
	scheduler.Start()
	c.noteNext(scheduler, entries)
	<-ctx.Done()
	stopped := scheduler.Stop()
	grace := time.AfterFunc(c.d.Grace, cancel)
	defer grace.Stop()
	<-stopped.Done()
	return nil
}

func (c *Crawler) check(s Source) (cron.Schedule, error) {
	if c.kinds[s.Kind] == nil {
		return nil, presswatch.Errorf(presswatch.Invalid, "source %s: kind %q is not known", s.ID, s.Kind)
	}
	spec := s.Schedule
	if spec == "" {
		spec = DefaultSchedule
	}
	schedule, err := parseSchedule(spec)
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Invalid, "source %s: schedule: %w", s.ID, err)
	}
	return schedule, nil
}

func (c *Crawler) noteNext(scheduler *cron.Cron, entries map[presswatch.SourceID]cron.EntryID) {
	for id, entry := range entries {
		r := c.runs[id]
		next := scheduler.Entry(entry).Next
		r.mu.Lock()
		r.status.Next = next
		r.mu.Unlock()
	}
}

// fire is one tick of a source's schedule.
func (c *Crawler) fire(stop, work context.Context, r *run, scheduler *cron.Cron, entry cron.EntryID) {
	if stop.Err() != nil {
		return
	}
	next := scheduler.Entry(entry).Next
	r.mu.Lock()
	r.status.Next = next
	r.mu.Unlock()
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-stop.Done():
		return
	}
	err := c.poll(work, stop.Done(), r)
	if err != nil && presswatch.CodeOf(err) != presswatch.Conflict {
		c.log.Warn("poll failed", "source", r.source.ID, "error", err)
	}
}

// PollOnce polls one source now, also a disabled one. It is NotFound for an
// unknown source and Conflict for one that is being polled.
func (c *Crawler) PollOnce(ctx context.Context, id presswatch.SourceID) error {
	r := c.runs[id]
	if r == nil {
		return presswatch.Errorf(presswatch.NotFound, "source %q: there is none", id)
	}
	return c.poll(ctx, nil, r)
}

// poll runs the source's kind, alone, and keeps its status.
func (c *Crawler) poll(ctx context.Context, stop <-chan struct{}, r *run) (err error) {
	kind := c.kinds[r.source.Kind]
	if kind == nil {
		return presswatch.Errorf(presswatch.Invalid, "source %s: kind %q is not known", r.source.ID, r.source.Kind)
	}
	r.mu.Lock()
	if r.status.Running {
		r.mu.Unlock()
		return presswatch.Errorf(presswatch.Conflict, "source %s is being polled", r.source.ID)
	}
	r.status.Running, r.status.LastRun = true, c.d.Now()
	r.mu.Unlock()
	defer func() {
		if p := recover(); p != nil {
			err = presswatch.Errorf(presswatch.Internal, "source %s: panic: %v", r.source.ID, p)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.status.Running = false
		r.status.Polls++
		switch {
		case err == nil:
			r.status.LastOK, r.status.LastError = c.d.Now(), ""
		case errors.Is(err, context.Canceled): // we were stopped; the source did nothing wrong
		default:
			r.status.Errors++
			r.status.LastError = err.Error()
		}
	}()
	return kind.Poll(ctx, &Env{
		Fetch: c.d.Fetch, Publish: c.d.Publish, Cursors: c.d.Cursors, Now: c.d.Now, Log: c.log, stop: stop,
		count: func(published, failed int) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.status.Published += published
			r.status.Failed += failed
		},
	}, r.source)
}

// Status is how every source is doing, in the order of Deps.Sources.
func (c *Crawler) Status() []SourceStatus {
	out := make([]SourceStatus, 0, len(c.order))
	for _, id := range c.order {
		r := c.runs[id]
		r.mu.Lock()
		out = append(out, r.status)
		r.mu.Unlock()
	}
	return slices.Clip(out)
}
