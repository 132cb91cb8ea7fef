package fetch

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"presswatch"
)

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// encode writes n spaces, or text if that is not empty, in a content coding.
func encode(t testing.TB, coding, text string, n int64) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	switch coding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "br":
		w = brotli.NewWriterLevel(&b, 3)
	case "zstd":
		w, _ = zstd.NewWriter(&b)
	case "deflate":
		w = zlib.NewWriter(&b)
	case "raw deflate":
		w, _ = flate.NewWriter(&b, 6)
	}
	var src io.Reader = strings.NewReader(text)
	if text == "" {
		src = io.LimitReader(spaces{}, n)
	}
	if _, err := io.Copy(w, src); err != nil {
		t.Fatal(err)
	}
	w.Close()
	return b.Bytes()
}

const bomb = 48 << 20 // bytes that a bomb of the tests makes

// hostile is a site of traps with ordinary pages among them.
func hostile(t testing.TB) http.HandlerFunc {
	bombs := map[string][]byte{}
	for _, c := range []string{"gzip", "br", "zstd", "deflate"} {
		bombs[c] = encode(t, c, "", bomb)
	}
	var twice bytes.Buffer
	z := gzip.NewWriter(&twice)
	z.Write(bombs["gzip"])
	z.Close()
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		switch name := strings.TrimPrefix(r.URL.Path, "/"); name {
		case "robots.txt":
			fmt.Fprint(w, "User-agent: *\nDisallow: /private/\n")
		case "good":
			fmt.Fprint(w, "<p>xin chào</p>")
		case "endless":
			_, _ = io.Copy(w, io.LimitReader(spaces{}, 5<<30))
		case "bigcl":
			h.Set("Content-Length", strconv.Itoa(5<<30))
			_, _ = io.Copy(w, io.LimitReader(spaces{}, 5<<30))
		case "gzip", "br", "zstd", "deflate":
			h.Set("Content-Encoding", name)
			w.Write(bombs[name])
		case "sitemap.xml.gz":
			h.Set("Content-Type", "application/x-gzip")
			w.Write(bombs["gzip"])
		case "twice.xml.gz":
			h.Set("Content-Type", "application/x-gzip")
			w.Write(twice.Bytes())
		case "coded-twice":
			h.Set("Content-Encoding", "gzip, gzip")
			w.Write(twice.Bytes())
		case "coded-five-times":
			h.Set("Content-Encoding", "gzip, gzip, gzip, gzip, gzip")
			w.Write(twice.Bytes())
		case "unknown-coding":
			h.Set("Content-Encoding", "compress")
			fmt.Fprint(w, "x")
		case "broken-coding":
			h.Set("Content-Encoding", "br")
			fmt.Fprint(w, strings.Repeat("\xff\xfe\xfd", 100))
		case "slow":
			for i := 0; i < 600 && r.Context().Err() == nil; i++ {
				fmt.Fprint(w, "x")
				w.(http.Flusher).Flush()
				select {
				case <-r.Context().Done():
				case <-time.After(50 * time.Millisecond):
				}
			}
		case "hang":
			<-r.Context().Done()
		case "loop", "loop2":
			http.Redirect(w, r, map[string]string{"loop": "/loop2", "loop2": "/loop"}[name], http.StatusFound)
		case "chain":
			n, _ := strconv.Atoi(r.URL.Query().Get("n"))
			http.Redirect(w, r, fmt.Sprintf("/chain?n=%d", n+1), http.StatusFound)
		case "robotsredir":
			http.Redirect(w, r, "/private/x", http.StatusFound)
		case "private/x":
			t.Error("a disallowed page was fetched")
		case "bighdr":
			h.Set("X-Big", strings.Repeat("h", 8<<20))
		case "cutoff":
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n<p>nửa chừng")
				conn.Close()
			}
		case "badutf8":
			w.Write([]byte("<p>\xff\xfe\xc0\x80\x00</p>"))
		default:
			http.NotFound(w, r)
		}
	}
}

func TestHostileServers(t *testing.T) {
	base := serve(t, "127.3.0.2", hostile(t))
	c := testClient(t, Options{Timeout: 2 * time.Second})
	for name, tc := range map[string]struct {
		truncated bool
		code      presswatch.Code
		text      string // of the error
	}{
		"endless":          {truncated: true},
		"bigcl":            {truncated: true},
		"gzip":             {truncated: true},
		"br":               {truncated: true},
		"zstd":             {truncated: true},
		"deflate":          {truncated: true},
		"sitemap.xml.gz":   {truncated: true},
		"twice.xml.gz":     {truncated: true},
		"coded-twice":      {truncated: true},
		"coded-five-times": {code: presswatch.TooLarge, text: "5 content codings"},
		"unknown-coding":   {code: presswatch.Invalid, text: "compress"},
		"broken-coding":    {code: presswatch.Invalid, text: "broken content coding"},
		"slow":             {code: presswatch.Unavailable, text: "no end within 2s"},
		"hang":             {code: presswatch.Unavailable},
		"loop":             {code: presswatch.Invalid, text: "circle"},
		"chain":            {code: presswatch.TooLarge, text: "too many redirects"},
		"robotsredir":      {code: presswatch.Forbidden, text: "robots.txt"},
		"bighdr":           {code: presswatch.TooLarge, text: "headers"},
		"cutoff":           {code: presswatch.Unavailable, text: "unexpected EOF"},
		"badutf8":          {},
	} {
		t.Run(name, func(t *testing.T) {
			before := heap()
			neighbour(t, c, base)
			r, err := c.Get(t.Context(), Request{URL: base + "/" + name})
			if presswatch.CodeOf(err) != tc.code || err != nil && !strings.Contains(err.Error(), tc.text) {
				t.Errorf("error %v, want %q %q", err, tc.code, tc.text)
			}
			if err != nil && !strings.Contains(err.Error(), base) {
				t.Errorf("the error does not name the address: %v", err)
			}
			if r.Truncated != tc.truncated || tc.truncated && len(r.Body) != presswatch.MaxBody {
				t.Errorf("truncated %v with %d bytes, want %v", r.Truncated, len(r.Body), tc.truncated)
			}
			neighbour(t, c, base)
			if grown := int64(heap()) - int64(before); grown > 64<<20 {
				t.Errorf("the heap grew by %d MiB", grown>>20)
			}
		})
	}
}

func neighbour(t *testing.T, c *Client, base string) {
	t.Helper()
	if r, err := c.Get(t.Context(), Request{URL: base + "/good"}); err != nil || string(r.Body) != "<p>xin chào</p>" || r.Truncated {
		t.Errorf("the neighbour: %q, %v", r.Body, err)
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapSys - m.HeapReleased
}

func TestEveryCodingIsUndone(t *testing.T) {
	const text = "<html><p>Tiếng Việt, हिन्दी, العربية</p></html>"
	codings := map[string]string{"gzip": "gzip", "br": "br", "zstd": "zstd", "deflate": "deflate", "raw deflate": "deflate"}
	base := serve(t, "127.3.0.3", func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		switch name {
		case "plain":
			w.Header().Set("Content-Encoding", "identity")
			fmt.Fprint(w, text)
			return
		case "gzip named, plain sent":
			w.Header().Set("Content-Encoding", "gzip")
			fmt.Fprint(w, text)
			return
		case "nothing":
			w.Header().Set("Content-Encoding", "gzip")
			return
		case "two headers":
			w.Header().Add("Content-Encoding", "gzip")
			w.Header().Add("Content-Encoding", "br")
			w.Write(encode(t, "br", string(encode(t, "gzip", text, 0)), 0))
			return
		}
		if got := r.Header.Get("Accept-Encoding"); got != acceptEncoding {
			t.Errorf("Accept-Encoding %q", got)
		}
		w.Header().Set("Content-Encoding", codings[name])
		w.Write(encode(t, name, text, 0))
	})
	c := testClient(t, Options{IgnoreRobots: true})
	for _, name := range []string{"gzip", "br", "zstd", "deflate", "raw deflate", "plain", "gzip named, plain sent", "nothing", "two headers"} {
		want := text
		if name == "nothing" {
			want = ""
		}
		r, err := c.Get(t.Context(), Request{URL: base + "/" + name})
		if err != nil || string(r.Body) != want || r.Truncated {
			t.Errorf("%s: %q, %v", name, r.Body, err)
		}
	}
}

func TestABodyOfExactlyTheMostIsWhole(t *testing.T) {
	for _, n := range []int{99, 100, 101} {
		base := serve(t, "127.3.0.4", func(w http.ResponseWriter, _ *http.Request) { w.Write(bytes.Repeat([]byte("x"), n)) })
		r, err := testClient(t, Options{IgnoreRobots: true, MaxBody: 100}).Get(t.Context(), Request{URL: base})
		if err != nil || len(r.Body) != min(n, 100) || r.Truncated != (n > 100) {
			t.Errorf("%d bytes: %d, truncated %v, %v", n, len(r.Body), r.Truncated, err)
		}
	}
}

func TestGetTellsWhatWasAnswered(t *testing.T) {
	var agents atomic.Value
	base := serve(t, "127.3.0.5", func(w http.ResponseWriter, r *http.Request) {
		agents.Store(r.UserAgent())
		switch r.URL.Path {
		case "/a":
			http.Redirect(w, r, "/b?x=1", http.StatusMovedPermanently)
		case "/b":
			w.Header().Set("ETag", `"v1"`)
			w.Header().Set("Content-Type", "text/html; charset=windows-1258")
			if r.Header.Get("If-None-Match") == `"v1"` || r.Header.Get("If-Modified-Since") == "then" {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			w.Write([]byte("\xd2\x00"))
		case "/gone":
			w.WriteHeader(http.StatusGone)
		}
	})
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	c := testClient(t, Options{IgnoreRobots: true, Now: func() time.Time { return at }})
	r, err := c.Get(t.Context(), Request{URL: base + "/a"})
	if err != nil || r.URL != base+"/a" || r.FinalURL != base+"/b?x=1" || r.Status != 200 || string(r.Body) != "\xd2\x00" ||
		r.ContentType != "text/html; charset=windows-1258" || !r.FetchedAt.Equal(at) || r.NotModified {
		t.Errorf("%+v, %v", r, err)
	}
	if got := agents.Load(); got != "Presswatch/1.0 (+https://presswatch.example/contact)" {
		t.Errorf("user agent %q", got)
	}
	for _, cond := range []Request{{URL: base + "/a", ETag: r.Header.Get("ETag")}, {URL: base + "/b", LastModified: "then"}} {
		if r, err := c.Get(t.Context(), cond); err != nil || !r.NotModified || len(r.Body) != 0 {
			t.Errorf("conditional: %+v, %v", r, err)
		}
	}
	if r, err := c.Get(t.Context(), Request{URL: base + "/gone"}); err != nil || r.Status != http.StatusGone {
		t.Errorf("an error status is an answer too: %+v, %v", r, err)
	}
}

func TestAStoppedContextEndsTheFetch(t *testing.T) {
	entered := make(chan struct{}, 1)
	base := serve(t, "127.3.0.6", func(_ http.ResponseWriter, r *http.Request) { entered <- struct{}{}; <-r.Context().Done() })
	c := testClient(t, Options{IgnoreRobots: true})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-entered; cancel() }()
	if _, err := c.Get(ctx, Request{URL: base}); presswatch.CodeOf(err) != presswatch.Unavailable || ctx.Err() == nil {
		t.Errorf("error %v, want Unavailable", err)
	}
}

func TestTransportOnlyReads(t *testing.T) {
	c := testClient(t, Options{IgnoreRobots: true})
	req, _ := http.NewRequest(http.MethodPost, "http://127.3.0.7:1/", strings.NewReader("x"))
	if _, err := c.Transport().RoundTrip(req); presswatch.CodeOf(err) != presswatch.Forbidden {
		t.Errorf("error %v, want Forbidden", err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, c := range []string{"gzip", "br", "zstd", "deflate", "raw deflate"} {
		f.Add(encode(f, c, "some text, some text", 0), strings.TrimPrefix(c, "raw "))
	}
	f.Fuzz(func(t *testing.T, raw []byte, coding string) {
		d, err := newDecoder(bytes.NewReader(raw), coding, 1<<16)
		if err != nil {
			return
		}
		defer d.Close()
		if n, _ := io.Copy(io.Discard, d); n > 1<<16 {
			t.Errorf("%d bytes", n)
		}
	})
}
