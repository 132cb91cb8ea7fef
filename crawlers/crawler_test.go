package crawlers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"presswatch"
)

// kindFunc is a kind of source that is a function, for the tests of schedules.
type kindFunc func(ctx context.Context, env *Env, s Source) error

func (kindFunc) Kind() string { return "func" }

func (f kindFunc) Poll(ctx context.Context, env *Env, s Source) error { return f(ctx, env, s) }

func crawlerOf(f kindFunc, sources ...Source) *Crawler {
	for i := range sources {
		sources[i].Kind = "func"
	}
	c := New(Deps{Sources: sources, Rand: func() float64 { return 0.5 }})
	c.kinds["func"] = f
	return c
}

// runFor runs a crawler in a bubble of false time, which begins at midnight.
func runFor(t *testing.T, c *Crawler, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := c.Run(ctx); err != nil {
		t.Error(err)
	}
}

func TestSchedules(t *testing.T) {
	for name, tc := range map[string]struct {
		schedule string
		jitter   time.Duration
		during   time.Duration
		want     string // starts, after the first one soon after the start
	}{
		"every ten minutes": {"@every 10m", 0, 31 * time.Minute, "10m0s 20m0s 30m0s"},
		"a cron line":       {"5 * * * *", 0, 3 * time.Hour, "5m0s 1h5m0s 2h5m0s"},
		"with seconds":      {"30 */20 * * * *", 0, time.Hour, "30s 20m30s 40m30s"},
		"with jitter":       {"*/10 * * * *", time.Minute, 25 * time.Minute, "10m30s 20m30s"},
		"jitter as long as the gap loses nothing": {"*/10 * * * *", 20 * time.Minute, 51 * time.Minute, "20m0s 30m0s 40m0s 50m0s"},
		"a time zone": {"CRON_TZ=Asia/Ho_Chi_Minh 0 8 * * *", 0, 26 * time.Hour, "1h0m0s 25h0m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				var got []string
				c := crawlerOf(func(context.Context, *Env, Source) error {
					got = append(got, time.Since(start).Truncate(time.Second).String())
					return nil
				}, Source{ID: "a", Schedule: tc.schedule, Jitter: tc.jitter})
				c.d.Rand = func() float64 { return 0.5 }
				runFor(t, c, tc.during)
				if len(got) == 0 || strings.Join(got[1:], " ") != tc.want {
					t.Errorf("polled at %v, want soon and %s", got, tc.want)
				}
				if first, err := time.ParseDuration(got[0]); err != nil || first > startup {
					t.Errorf("first poll after %s", got[0])
				}
			})
		})
	}
}

func TestASourceIsPolledOnceAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		running, most, polls := 0, 0, 0
		var mu sync.Mutex
		c := crawlerOf(func(context.Context, *Env, Source) error {
			mu.Lock()
			running++
			polls++
			most = max(most, running)
			mu.Unlock()
			time.Sleep(25 * time.Minute)
			mu.Lock()
			running--
			mu.Unlock()
			return nil
		}, Source{ID: "a", Schedule: "@every 10m"})
		c.d.Grace = time.Hour
		runFor(t, c, 61*time.Minute)
		if most != 1 || polls != 3 {
			t.Errorf("%d at once, %d polls; want 1 and 3", most, polls)
		}
		if s := c.Status()[0]; s.Errors != 0 || s.Running {
			t.Errorf("%+v", s)
		}
	})
}

func TestAStopLetsTheCurrentItemEnd(t *testing.T) {
	for name, tc := range map[string]struct {
		item time.Duration // that one item takes
		want string
	}{
		"in time":  {5 * time.Second, "items 2, stopped true, cut false, after 10s"},
		"too slow": {time.Minute, "items 0, stopped false, cut true, after 16s"}, // 8 s and the grace
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start, items, stopped, cut := time.Now(), 0, false, false
				c := crawlerOf(func(ctx context.Context, env *Env, _ Source) error {
					for range 100 {
						if stopped = env.Stopping(); stopped {
							return nil
						}
						select {
						case <-time.After(tc.item):
							items++
						case <-ctx.Done():
							cut = true
							return ctx.Err()
						}
					}
					return nil
				}, Source{ID: "a", Schedule: "@hourly"})
				c.d.Rand = func() float64 { return 0 }
				runFor(t, c, 8*time.Second)
				got := fmt.Sprintf("items %d, stopped %v, cut %v, after %v", items, stopped, cut, time.Since(start).Truncate(time.Second))
				if got != tc.want {
					t.Errorf("%s; want %s", got, tc.want)
				}
				if s := c.Status()[0]; s.LastError != "" || s.Errors != 0 {
					t.Errorf("a stop is no error of the source: %+v", s)
				}
			})
		})
	}
}

func TestConcurrencyIsBoundedAndNobodyIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sources []Source
		for i := range 30 {
			sources = append(sources, Source{ID: presswatch.SourceID(fmt.Sprint(i)), Schedule: "@every 1h"})
		}
		var mu sync.Mutex
		running, most := 0, 0
		c := crawlerOf(func(context.Context, *Env, Source) error {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			time.Sleep(time.Minute)
			mu.Lock()
			running--
			mu.Unlock()
			return nil
		}, sources...)
		runFor(t, c, 50*time.Minute)
		for _, s := range c.Status() {
			if s.Polls != 1 || s.Next.IsZero() {
				t.Errorf("%+v", s)
			}
		}
		if most != 8 {
			t.Errorf("%d at once, want 8", most)
		}
	})
}

func TestAPollThatFailsOrPanicsIsToldAndComesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c := crawlerOf(func(context.Context, *Env, Source) error {
			switch n++; n {
			case 1:
				return presswatch.Errorf(presswatch.Unavailable, "no answer")
			case 2:
				panic("hostile")
			}
			return nil
		}, Source{ID: "a", Schedule: "@every 10m"})
		runFor(t, c, 15*time.Minute)
		if s := c.Status()[0]; s.Errors != 2 || !strings.Contains(s.LastError, "panic: hostile") {
			t.Errorf("%+v", s)
		}
		if err := c.PollOnce(t.Context(), "a"); err != nil {
			t.Error(err)
		}
		if s := c.Status()[0]; s.LastError != "" || s.LastOK.IsZero() || s.Polls != 3 {
			t.Errorf("%+v", s)
		}
	})
}

func TestRunAndPollOnceRefuse(t *testing.T) {
	nop := kindFunc(func(context.Context, *Env, Source) error { return nil })
	for name, s := range map[string]Source{"unknown kind": {ID: "a", Kind: "x"}, "bad schedule": {ID: "a", Kind: "func", Schedule: "x"}} {
		c := New(Deps{Sources: []Source{s}})
		c.kinds["func"] = nop
		if err := c.Run(t.Context()); presswatch.CodeOf(err) != presswatch.Invalid || !strings.Contains(err.Error(), "source a") {
			t.Errorf("%s: %v, want Invalid", name, err)
		}
	}
	c := crawlerOf(nop)
	if err := c.PollOnce(t.Context(), "none"); presswatch.CodeOf(err) != presswatch.NotFound {
		t.Errorf("%v, want NotFound", err)
	}
	busy := make(chan struct{})
	c = crawlerOf(func(context.Context, *Env, Source) error { busy <- struct{}{}; <-busy; return nil }, Source{ID: "a", Disabled: true})
	done := make(chan error)
	go func() { done <- c.PollOnce(context.Background(), "a") }()
	<-busy
	if err := c.PollOnce(t.Context(), "a"); presswatch.CodeOf(err) != presswatch.Conflict {
		t.Errorf("%v, want Conflict", err)
	}
	busy <- struct{}{}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestDisabledSourcesWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := crawlerOf(func(context.Context, *Env, Source) error { return errors.New("polled") }, Source{ID: "a", Disabled: true, Schedule: "@every 1m"})
		runFor(t, c, time.Hour)
		if s := c.Status()[0]; s.Polls != 0 || !s.Disabled {
			t.Errorf("%+v", s)
		}
	})
}
