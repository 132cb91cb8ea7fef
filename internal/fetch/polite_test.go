package fetch

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"presswatch"
)

// robotsSite serves a robots.txt made by h, and counts.
type robotsSite struct {
	base         string
	asked, pages atomic.Int64
}

func newRobotsSite(t *testing.T, ip string, h http.HandlerFunc) *robotsSite {
	s := &robotsSite{}
	s.base = serve(t, ip, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/robots") {
			s.asked.Add(1)
			h(w, r)
			return
		}
		s.pages.Add(1)
	})
	return s
}

func TestRobotsFetching(t *testing.T) {
	deny := "User-agent: *\nDisallow: /\n"
	hops := func(n int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			var i int
			fmt.Sscanf(r.URL.Path, "/robots%d", &i)
			if i == n {
				fmt.Fprint(w, deny)
				return
			}
			http.Redirect(w, r, fmt.Sprintf("/robots%d", i+1), http.StatusFound)
		}
	}
	for name, tc := range map[string]struct {
		h       http.HandlerFunc
		allowed bool
		code    presswatch.Code
	}{
		"rules":             {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, deny) }, false, ""},
		"none, 404":         {http.NotFound, true, ""},
		"hidden, 403":       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, true, ""},
		"server error":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, false, presswatch.Unavailable},
		"too many requests": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, false, presswatch.Unavailable},
		"never an answer":   {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, false, presswatch.Unavailable},
		"cut off":           {cutOff, false, presswatch.Unavailable},
		"five redirects":    {hops(5), false, ""},
		"six redirects":     {hops(6), true, ""},
		"redirect inside": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.9.9.9/", http.StatusFound)
		}, false, presswatch.Forbidden},
		"byte order mark": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "\ufeff"+deny) }, false, ""},
		"endless":         {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, deny); io.Copy(w, spaces{}) }, false, ""},
		"rule beyond 500 KiB": {func(w http.ResponseWriter, _ *http.Request) {
			io.Copy(w, io.LimitReader(spaces{}, maxRobots))
			fmt.Fprint(w, "\n"+deny)
		}, true, ""},
		"half a line at the 500 KiB": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "User-agent: *\nDisallow: /\n"+strings.Repeat("#", maxRobots-len("User-agent: *\nDisallow: /\n")-len("\nAllow: /"))+"\nAllow: /nothing-here")
		}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newRobotsSite(t, "127.3.1.1", tc.h)
			c := testClient(t, Options{Timeout: time.Second})
			allowed, err := c.Allowed(t.Context(), s.base+"/page")
			if allowed != tc.allowed || presswatch.CodeOf(err) != tc.code {
				t.Errorf("allowed %v, %v; want %v, %q", allowed, err, tc.allowed, tc.code)
			}
			_, err = c.Get(t.Context(), Request{URL: s.base + "/page"})
			if fetched := s.pages.Load() > 0; fetched != tc.allowed || (err == nil) != tc.allowed {
				t.Errorf("fetched %v, %v; want %v", fetched, err, tc.allowed)
			}
		})
	}
}

func cutOff(w http.ResponseWriter, _ *http.Request) {
	if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nUser-agent: *\n")
		conn.Close()
	}
}

func TestRobotsIsAskedOnceADay(t *testing.T) {
	var now atomic.Int64
	s := newRobotsSite(t, "127.3.1.2", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "User-agent: *\nDisallow: /private\n") })
	c := testClient(t, Options{PerHost: 50, Now: func() time.Time { return time.Unix(now.Load(), 0) }})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if ok, err := c.Allowed(t.Context(), s.base+"/x"); !ok || err != nil {
				t.Errorf("%v, %v", ok, err)
			}
		})
	}
	wg.Wait()
	if n := s.asked.Load(); n != 1 {
		t.Errorf("asked %d times by 50 at once, want 1", n)
	}
	for _, step := range []struct {
		after time.Duration
		asked int64
	}{{24*time.Hour - time.Second, 1}, {2 * time.Second, 2}} {
		now.Add(int64(step.after / time.Second))
		if _, err := c.Allowed(t.Context(), s.base+"/x"); err != nil || s.asked.Load() != step.asked {
			t.Errorf("after %v more: asked %d times, %v; want %d", step.after, s.asked.Load(), err, step.asked)
		}
	}
}

func TestAFailedRobotsIsAskedAgainSoon(t *testing.T) {
	var now, broken atomic.Int64
	broken.Store(1)
	s := newRobotsSite(t, "127.3.1.3", func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() == 1 {
			w.WriteHeader(500)
		}
	})
	c := testClient(t, Options{Now: func() time.Time { return time.Unix(now.Load(), 0) }})
	for range 3 {
		if _, err := c.Allowed(t.Context(), s.base+"/x"); err == nil {
			t.Error("allowed while robots.txt fails")
		}
	}
	broken.Store(0)
	now.Add(int64(robotsRetry/time.Second) + 1)
	if ok, err := c.Allowed(t.Context(), s.base+"/x"); !ok || err != nil || s.asked.Load() != 2 {
		t.Errorf("%v, %v, asked %d times, want 2", ok, err, s.asked.Load())
	}
}

func TestRobotsMemoryIsBounded(t *testing.T) {
	s := newRobotsSite(t, "127.3.1.4", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "User-agent: *\n"+strings.Repeat("Disallow: /"+strings.Repeat("x", 1000)+"\n", 400))
	})
	c := testClient(t, Options{})
	_, port, _ := strings.Cut(strings.TrimPrefix(s.base, "http://"), ":")
	n := &names{answers: map[string][][]string{}}
	c.guard.resolver = n
	for i := range 120 {
		host := fmt.Sprintf("h%d.example", i)
		n.answers[host] = [][]string{{"127.3.1.4"}}
		if _, err := c.Allowed(t.Context(), "http://"+host+":"+port+"/"); err != nil {
			t.Fatal(err)
		}
	}
	if c.robots.size > robotsMemory || len(c.robots.entries) != c.robots.order.Len() || len(c.robots.entries) >= 120 {
		t.Errorf("%d bytes in %d entries, %d in order", c.robots.size, len(c.robots.entries), c.robots.order.Len())
	}
}

func TestProductToken(t *testing.T) {
	for agent, want := range map[string]string{
		"Presswatch/1.0 (+https://x)":                          "Presswatch",
		"Mozilla/5.0 (compatible; Presswatch/1.0; +https://x)": "Presswatch",
		"Mozilla/5.0 (X11)":                                    "Mozilla",
		"press_watch-bot":                                      "press_watch-bot",
	} {
		if got := productToken(agent); got != want {
			t.Errorf("%q: %q, want %q", agent, got, want)
		}
	}
}

// turns runs n requests to a host one after the other and returns when each
// had its turn, counted from the first. It runs in a bubble of false time.
func turns(t *testing.T, p *pacer, host string, n int) (out []time.Duration) {
	start := time.Now()
	for range n {
		release, err := p.acquire(t.Context(), host)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, time.Since(start))
		release()
	}
	return out
}

func TestPace(t *testing.T) {
	for name, tc := range map[string]struct {
		gap, delay time.Duration
		want       string
	}{
		"the pace":                   {time.Second, 0, "[0s 1s 2s]"},
		"a longer Crawl-delay":       {time.Second, 5 * time.Second, "[0s 5s 10s]"},
		"a shorter one does nothing": {time.Second, time.Millisecond, "[0s 1s 2s]"},
		"none":                       {0, 0, "[0s 0s 0s]"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPacer(tc.gap, 1, time.Now)
				p.setDelay("a", tc.delay)
				if got := fmt.Sprint(turns(t, p, "a", 3)); got != tc.want {
					t.Errorf("turns at %s, want %s", got, tc.want)
				}
				if got := fmt.Sprint(turns(t, p, "b", 1)); got != "[0s]" {
					t.Errorf("another host at %s", got)
				}
			})
		})
	}
}

func TestRetryAfterIsHeeded(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		header string
		want   time.Duration // until the next turn; -1 means refused
	}{
		"seconds":               {429, "7", 7 * time.Second},
		"on a 503":              {503, "20", 20 * time.Second},
		"a 429 without":         {429, "", defaultBlock},
		"a 503 without":         {503, "", 0},
		"not on a 200":          {200, "7", 0},
		"in the past":           {503, "Sat, 02 Jan 1999 15:04:05 GMT", 0},
		"a date":                {503, "Sat, 01 Jan 2000 00:00:09 GMT", 9 * time.Second}, // bubbles begin in 2000
		"longer than we wait":   {429, "3600", -1},
		"more than a day holds": {429, "99999999999999999999", defaultBlock},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPacer(0, 1, time.Now)
				turns(t, p, "a", 1)
				p.heed("a", &http.Response{StatusCode: tc.status, Header: http.Header{"Retry-After": {tc.header}}})
				start := time.Now()
				release, err := p.acquire(t.Context(), "a")
				if tc.want < 0 {
					if presswatch.CodeOf(err) != presswatch.Unavailable || time.Since(start) != 0 {
						t.Errorf("after %v: %v, want Unavailable at once", time.Since(start), err)
					}
					return
				}
				if err != nil || time.Since(start) != tc.want {
					t.Fatalf("waited %v, %v, want %v", time.Since(start), err, tc.want)
				}
				release()
			})
		})
	}
}

func TestPerHostBoundsWhatRunsAtOnce(t *testing.T) {
	var running, most atomic.Int64
	base := serve(t, "127.3.1.5", func(http.ResponseWriter, *http.Request) {
		n := running.Add(1)
		defer running.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(2 * time.Millisecond) // so that they meet
	})
	c := testClient(t, Options{PerHost: 3, IgnoreRobots: true})
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() {
			if _, err := c.Get(t.Context(), Request{URL: fmt.Sprint(base, "/", i)}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() != 3 {
		t.Errorf("%d at once, want 3", most.Load())
	}
}

func TestHostsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(time.Second, 1, time.Now)
		for i := range 3 * maxHosts {
			release, err := p.acquire(t.Context(), fmt.Sprint(i))
			if err != nil {
				t.Fatal(err)
			}
			release()
			time.Sleep(time.Millisecond)
		}
		if len(p.hosts) > maxHosts {
			t.Errorf("%d hosts are remembered, the most is %d", len(p.hosts), maxHosts)
		}
	})
}

func TestReadyTakesNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(time.Second, 1, time.Now)
		turns(t, p, "a", 1)
		start := time.Now()
		for range 3 {
			if err := p.ready(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
		}
		if got := time.Since(start); got != time.Second {
			t.Errorf("ready after %v, want 1s", got)
		}
		if got := fmt.Sprint(turns(t, p, "a", 1)); got != "[0s]" {
			t.Errorf("turn after %s, want at once", got)
		}
		p.heed("a", &http.Response{StatusCode: 429, Header: http.Header{"Retry-After": {"3600"}}})
		start = time.Now()
		if err := p.ready(t.Context(), "a"); err != nil || time.Since(start) != 0 {
			t.Errorf("a host that is away for an hour was waited for: %v, %v", time.Since(start), err)
		}
	})
}
