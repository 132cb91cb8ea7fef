package crawlers

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"presswatch"
	"presswatch/internal/fetch"
)

// results are what a collect emitted.
type results struct {
	mu    sync.Mutex
	order []string
	caps  map[string]presswatch.Capture
	errs  map[string]error
	count map[string]int
}

func (r *results) emit(url string, c presswatch.Capture, err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.caps == nil {
		r.caps, r.errs, r.count = map[string]presswatch.Capture{}, map[string]error{}, map[string]int{}
	}
	if len(c.Body) > 1<<20 { // it would be our memory, not the crawler's
		c.Body = nil
	}
	r.order = append(r.order, url)
	r.caps[url], r.errs[url] = c, err
	r.count[url]++
	return nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// traps are paths of a hostile site and what has to become of each.
func traps(t testing.TB, w *web) map[string]string {
	var z bytes.Buffer
	gz := gzip.NewWriter(&z)
	if _, err := io.Copy(gz, io.LimitReader(zeros{}, 48<<20)); err != nil {
		t.Fatal(err)
	}
	gz.Close()
	html := func(rw http.ResponseWriter) { rw.Header().Set("Content-Type", "text/html") }
	w.page("/robots.txt", "text/plain", "User-agent: *\nDisallow: /private/\n")
	w.article("/private/x")
	w.on("/endless", func(rw http.ResponseWriter, _ *http.Request) { html(rw); io.Copy(rw, io.LimitReader(zeros{}, 5<<30)) })
	w.on("/bomb", func(rw http.ResponseWriter, _ *http.Request) {
		html(rw)
		rw.Header().Set("Content-Encoding", "gzip")
		rw.Write(z.Bytes())
	})
	w.on("/sitemap.xml.gz", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/x-gzip")
		rw.Write(z.Bytes())
	})
	w.on("/hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	w.on("/loop", func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/loop", http.StatusFound) })
	w.on("/chain", func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "/chain?n="+r.URL.Query().Get("n")+"x", http.StatusFound)
	})
	w.on("/hidden", func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/private/x", http.StatusFound) })
	w.on("/ssrf", func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "http://127.0.0.1:80/secret", http.StatusFound)
	})
	w.on("/file", func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Location", "file:///etc/passwd")
		rw.WriteHeader(302)
	})
	w.on("/bighdr", func(rw http.ResponseWriter, _ *http.Request) { rw.Header().Set("X", strings.Repeat("h", 8<<20)) })
	w.on("/cutoff", func(rw http.ResponseWriter, _ *http.Request) {
		if conn, _, err := rw.(http.Hijacker).Hijack(); err == nil {
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n<p>")
			conn.Close()
		}
	})
	w.page("/video", "video/mp4", "....")
	w.on("/error", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(500) })
	return map[string]string{
		"/endless": "truncated", "/bomb": "truncated", "/sitemap.xml.gz": "truncated", "/hang": "unavailable", "/loop": "invalid", "/chain": "too_large",
		"/hidden": "forbidden", "/ssrf": "forbidden", "/file": "forbidden", "/bighdr": "too_large", "/cutoff": "unavailable", "/video": "invalid",
		"/error": "unavailable", "/none": "not_found", "/private/x": "forbidden",
	}
}

func TestCollectEndsEveryTrapWithAReasonAndItsNeighboursWithAPage(t *testing.T) {
	w := newWeb(t, "127.4.2.1")
	want := traps(t, w)
	var urls []string
	for trap := range want {
		urls = append(urls, w.base+"/good?before="+trap, w.base+trap, w.base+"/good?after="+trap)
	}
	w.article("/good")
	urls = append(urls, "", "not an address", "ftp://a/", "http://127.0.0.1/", w.base+"/good", w.base+"/good")
	var r results
	before := memory()
	c := client(t, func(o *fetch.Options) { o.Timeout = time.Second })
	if err := Collect(t.Context(), c, slices.Values(urls), 2, r.emit); err != nil {
		t.Fatal(err)
	}
	t.Logf("memory grew by %d MiB", (memory()-before)>>20)
	if grown := memory() - before; grown > 128<<20 { // two at once, 64 MiB each
		t.Errorf("memory grew by %d MiB", grown>>20)
	}
	if len(r.order) != len(urls) {
		t.Errorf("%d results of %d addresses", len(r.order), len(urls))
	}
	for _, u := range urls {
		path := strings.TrimPrefix(u, w.base)
		got := string(presswatch.CodeOf(r.errs[u]))
		if c := r.caps[u]; r.errs[u] == nil {
			got = map[bool]string{true: "truncated", false: "page"}[c.Truncated]
			if err := c.Validate(); err != nil {
				t.Error(err)
			}
		}
		expect, trap := want[path]
		switch {
		case !trap && strings.HasPrefix(path, "/good"):
			expect = "page"
		case !trap && strings.Contains(u, "//"):
			expect = "forbidden"
		case !trap:
			expect = "invalid"
		}
		if got != expect {
			t.Errorf("%q: %s (%v), want %s", u, got, r.errs[u], expect)
		}
		if want := map[bool]int{true: 2, false: 1}[u == w.base+"/good"]; r.count[u] != want {
			t.Errorf("%q was emitted %d times, want %d", u, r.count[u], want)
		}
	}
	for _, h := range w.asked() {
		if strings.HasPrefix(h, "/private") {
			t.Errorf("%s was fetched", h)
		}
	}
}

func memory() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased)
}

func TestCollectGoesOnWhileOneHostHangs(t *testing.T) {
	bad := newWeb(t, "127.4.2.2")
	good := newWeb(t, "127.4.2.3")
	release := make(chan struct{})
	bad.on("/x", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	var urls []string
	for i := range 40 {
		urls = append(urls, fmt.Sprint(bad.base, "/x?", i), fmt.Sprint(good.base, "/g?", i))
	}
	good.article("/g")
	goodDone := 0
	var mu sync.Mutex
	err := Collect(t.Context(), client(t), slices.Values(urls), 8, func(u string, _ presswatch.Capture, err error) error {
		mu.Lock()
		defer mu.Unlock()
		if strings.HasPrefix(u, good.base) {
			if goodDone++; goodDone == 40 { // all of them, while not one of the other host came back
				close(release)
			}
			return err
		}
		if goodDone < 40 {
			return errors.New("the hanging host came first")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestCollectComesBackWhenTold(t *testing.T) {
	w := newWeb(t, "127.4.2.4")
	n := 0
	var mu sync.Mutex
	w.on("/busy", func(rw http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if n++; n == 1 {
			rw.Header().Set("Retry-After", "1")
			rw.WriteHeader(429)
			return
		}
		fmt.Fprint(rw, "<p>here</p>")
	})
	var r results
	if err := Collect(t.Context(), client(t), slices.Values([]string{w.base + "/busy"}), 1, r.emit); err != nil {
		t.Fatal(err)
	}
	if c := r.caps[w.base+"/busy"]; string(c.Body) != "<p>here</p>" || len(w.asked()) != 2 {
		t.Errorf("%q, %v, asked %v", c.Body, r.errs, w.asked())
	}
}

func TestCollectStops(t *testing.T) {
	w := newWeb(t, "127.4.2.5")
	w.article("/a")
	endless := func(yield func(string) bool) {
		for i := 0; yield(fmt.Sprint(w.base, "/a?", i)); i++ {
		}
	}
	t.Run("when emit fails", func(t *testing.T) {
		full, n := errors.New("disk full"), 0
		var mu sync.Mutex
		err := Collect(t.Context(), client(t), endless, 4, func(string, presswatch.Capture, error) error {
			mu.Lock()
			defer mu.Unlock()
			if n++; n > 10 {
				return full
			}
			return nil
		})
		if !errors.Is(err, full) {
			t.Errorf("error %v, want that of emit", err)
		}
	})
	t.Run("when the context ends, and every address that was read is emitted", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		read := 0
		counted := func(yield func(string) bool) {
			for u := range endless {
				if read++; !yield(u) {
					return
				}
			}
		}
		var r results
		err := CollectWith(ctx, CollectOptions{Client: client(t), Window: 50}, counted, func(u string, c presswatch.Capture, err error) error {
			r.emit(u, c, err)
			if r.mu.Lock(); len(r.caps) == 20 {
				cancel()
			}
			r.mu.Unlock()
			return nil
		})
		cancel()
		if !errors.Is(err, context.Canceled) || len(r.order) != read {
			t.Errorf("%d results of %d addresses, error %v", len(r.order), read, err)
		}
	})
}

func TestCollectIsPolite(t *testing.T) {
	var mu sync.Mutex
	starts := map[string][]time.Time{}
	var urls []string
	for h := range 3 {
		w := newWeb(t, fmt.Sprintf("127.4.3.%d", h+1))
		w.on("/a", func(rw http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			starts[r.Host] = append(starts[r.Host], time.Now())
			fmt.Fprint(rw, "<p>x</p>")
		})
		for i := range 6 {
			urls = append(urls, fmt.Sprint(w.base, "/a?", i))
		}
	}
	const pace = 20 * time.Millisecond
	var r results
	c := client(t, func(o *fetch.Options) { o.Pace = pace })
	if err := Collect(t.Context(), c, slices.Values(urls), 16, r.emit); err != nil {
		t.Fatal(err)
	}
	for host, at := range starts {
		// The server may see one request late and the next in time, but n of
		// them cannot arrive in much less than n paces.
		if got := at[len(at)-1].Sub(at[0]); len(at) != 6 || got < 4*pace {
			t.Errorf("%s: %d requests in %v at a pace of %v", host, len(at), got, pace)
		}
	}
}
