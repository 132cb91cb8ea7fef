package crawlers

import (
	"context"
	"iter"
	"net/http"
	"sync"

	"presswatch"
	"presswatch/internal/fetch"
)

// CollectOptions are how CollectWith works.
type CollectOptions struct {
	Client      *fetch.Client
	Concurrency int // fetches at once; 0 means 16
	Window      int // addresses that are held at once, so that hosts can be mixed; 0 means 10,000
}

// Collect fetches every address once with CollectWith.
func Collect(ctx context.Context, client *fetch.Client, urls iter.Seq[string], workers int, emit func(url string, c presswatch.Capture, err error) error) error {
	return CollectWith(ctx, CollectOptions{Client: client, Concurrency: workers}, urls, emit)
}

const (
	collectTries = 3   // of an address whose server says to come back later
	maxLanes     = 512 // hosts at once
)

// CollectWith fetches addresses, hosts side by side and each host at its pace.
// Every address that was read from urls is emitted exactly once, with a capture
// or with the error, also when ctx ends; then it returns the context's error.
// emit is called by several goroutines at once, at most one a fetch; a slow one
// holds the fetching up, so that no more than so many bodies are in memory.
// When it fails no more is read or fetched, what is held is dropped, and its
// error is returned.
func CollectWith(ctx context.Context, o CollectOptions, urls iter.Seq[string], emit func(url string, c presswatch.Capture, err error) error) error {
	if o.Concurrency <= 0 {
		o.Concurrency = 16
	}
	if o.Window <= 0 {
		o.Window = 10_000
	}
	failed, fail := context.WithCancelCause(context.Background())
	defer fail(nil)
	k := &collect{
		o: o, emit: emit, ctx: ctx, failed: failed, fail: fail, hosts: map[string]*lane{},
		held: make(chan struct{}, o.Window), slots: make(chan struct{}, o.Concurrency), lanes: make(chan struct{}, max(maxLanes, o.Concurrency)),
	}
	for u := range urls {
		select {
		case k.held <- struct{}{}:
		case <-failed.Done():
		}
		if failed.Err() != nil {
			break
		}
		k.add(u)
		if ctx.Err() != nil {
			break
		}
	}
	k.wg.Wait()
	if err := context.Cause(failed); err != nil {
		return err
	}
	return ctx.Err()
}

// collect is the state of one CollectWith.
type collect struct {
	o      CollectOptions
	emit   func(url string, c presswatch.Capture, err error) error
	ctx    context.Context
	failed context.Context // ends when emit fails
	fail   context.CancelCauseFunc
	held   chan struct{} // one an address that was read and not emitted
	slots  chan struct{} // one a fetch
	lanes  chan struct{} // one a host that is worked on
	wg     sync.WaitGroup

	mu    sync.Mutex
	hosts map[string]*lane
}

// lane is the queue of one host.
type lane struct {
	queue   []string
	workers int
}

// add queues an address at its host, and sees to it that somebody works there.
func (k *collect) add(addr string) {
	host := hostOf(addr)
	if u, err := fetch.ParseURL("", addr); err == nil {
		host = u.Host
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.hosts[host]
	if l == nil {
		l = &lane{}
		k.hosts[host] = l
	}
	l.queue = append(l.queue, addr)
	if l.workers < k.o.Client.PerHost() {
		l.workers++
		k.wg.Add(1)
		go k.work(host, l)
	}
}

// work takes addresses of one host until there are none.
func (k *collect) work(host string, l *lane) {
	defer k.wg.Done()
	k.lanes <- struct{}{}
	defer func() { <-k.lanes }()
	for {
		k.mu.Lock()
		if len(l.queue) == 0 {
			if l.workers--; l.workers == 0 {
				delete(k.hosts, host)
			}
			k.mu.Unlock()
			return
		}
		addr := l.queue[0]
		l.queue = l.queue[1:]
		k.mu.Unlock()
		k.one(addr)
		<-k.held
	}
}

// one fetches one address and emits it. The pace of its host is waited for
// without taking a slot away from other hosts.
func (k *collect) one(addr string) {
	if k.failed.Err() != nil {
		return
	}
	ctx, cancel := context.WithCancel(k.ctx)
	defer cancel()
	defer context.AfterFunc(k.failed, cancel)()
	for try := 1; ; try++ {
		err := k.o.Client.Ready(ctx, addr)
		k.slots <- struct{}{}
		done := k.attempt(ctx, addr, try, err)
		<-k.slots
		if done {
			return
		}
	}
}

// attempt fetches an address, unless there is an error already, and emits what
// came of it. It reports false if the address should be tried again instead.
func (k *collect) attempt(ctx context.Context, addr string, try int, err error) (done bool) {
	c := presswatch.Capture{URL: addr, Kind: presswatch.Article}
	if err == nil {
		var r fetch.Response
		if r, err = visit(ctx, k.o.Client, addr, nil); err == nil {
			c = captureOf(Source{}, presswatch.Article, r, presswatch.Hints{})
		} else if later := r.Status == http.StatusTooManyRequests || r.Status == http.StatusServiceUnavailable; later && try < collectTries {
			return false
		}
		c.Status, c.FetchedAt = r.Status, r.FetchedAt.UTC()
	}
	if k.failed.Err() != nil {
		return true
	}
	if err := k.emit(addr, c, err); err != nil {
		k.fail(err)
	}
	return true
}
