package crawlers

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"presswatch"
	"presswatch/internal/fetch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// web is a news site on a loopback address of its own, which the tests edit.
type web struct {
	base string

	mu    sync.Mutex
	pages map[string]http.HandlerFunc
	hits  []string // paths in the order asked for, robots.txt apart
}

func newWeb(t testing.TB, ip string) *web {
	t.Helper()
	l, err := net.Listen("tcp4", ip+":0")
	if err != nil {
		t.Fatal(err)
	}
	w := &web{base: "http://" + l.Addr().String(), pages: map[string]http.HandlerFunc{}}
	s := httptest.NewUnstartedServer(w)
	s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return w
}

func (w *web) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	h := w.pages[r.URL.RequestURI()]
	if h == nil {
		h = w.pages[r.URL.Path]
	}
	if r.URL.Path != "/robots.txt" {
		w.hits = append(w.hits, r.URL.RequestURI())
	}
	w.mu.Unlock()
	if h == nil {
		http.NotFound(rw, r)
		return
	}
	h(rw, r)
}

func (w *web) on(path string, h http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pages[path] = h
}

func (w *web) page(path, contentType, body string) {
	w.on(path, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", contentType)
		rw.Header().Set("Set-Cookie", "id=secret")
		fmt.Fprint(rw, body)
	})
}

func (w *web) article(path string) {
	w.page(path, "text/html; charset=utf-8", "<html><title>"+path+"</title><p>text of "+path+"</p></html>")
}

func (w *web) asked() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.hits)
}

func (w *web) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hits = nil
}

// client may connect to 127.4.0.0/16 only, and does not wait.
func client(t testing.TB, change ...func(*fetch.Options)) *fetch.Client {
	t.Helper()
	o := fetch.Options{AllowNet: []netip.Prefix{netip.MustParsePrefix("127.4.0.0/16")}, Pace: -1, UserAgent: "Presswatch/1.0 (+https://presswatch.example/contact)"}
	for _, c := range change {
		c(&o)
	}
	c := fetch.New(o)
	t.Cleanup(c.CloseIdle)
	return c
}

// cursors are kept in memory; fail, if set, is asked first.
type cursors struct {
	mu   sync.Mutex
	kept map[string][]byte
	fail func(name string) error
}

func (c *cursors) Cursor(_ context.Context, name string) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.kept[name]), nil
}

func (c *cursors) SetCursor(_ context.Context, name string, value []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail != nil {
		if err := c.fail(name); err != nil {
			return err
		}
	}
	if c.kept == nil {
		c.kept = map[string][]byte{}
	}
	c.kept[name] = slices.Clone(value)
	return nil
}

// inbox takes what is published.
type inbox struct {
	mu   sync.Mutex
	got  []presswatch.Capture
	fail func(c presswatch.Capture) error
}

func (i *inbox) publish(_ context.Context, c presswatch.Capture) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.fail != nil {
		if err := i.fail(c); err != nil {
			return err
		}
	}
	if err := c.Validate(); err != nil {
		return err
	}
	i.got = append(i.got, c)
	return nil
}

func (i *inbox) paths(base string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	var out []string
	for _, c := range i.got {
		out = append(out, strings.TrimPrefix(c.URL, base))
	}
	return strings.Join(out, " ")
}

func (i *inbox) empty() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.got = nil
}

// desk is a crawler with one source, and what it works with.
type desk struct {
	*Crawler
	in  *inbox
	cur *cursors
}

func newDesk(t testing.TB, s Source, change ...func(*Deps)) *desk {
	t.Helper()
	if s.ID == "" {
		s.ID = "s"
	}
	if s.MaxItems == 0 {
		s.MaxItems = DefaultMaxItems
	}
	d := &desk{in: &inbox{}, cur: &cursors{}}
	deps := Deps{Sources: []Source{s}, Fetch: client(t), Publish: d.in.publish, Cursors: d.cur}
	for _, c := range change {
		c(&deps)
	}
	d.Crawler = New(deps)
	return d
}

func (d *desk) poll(t testing.TB) {
	t.Helper()
	if err := d.PollOnce(t.Context(), "s"); err != nil {
		t.Fatal(err)
	}
}

const section = `<html><base href="/news/"><body>
<a href="/">home</a> <a href="/tag/mua-lu-mien-trung-nam-nay">tag</a> <a href="/news/sports">section</a>
<a href="lu-lon-o-mien-trung-gay-thiet-hai-4567890.html?utm_source=home#comments">one</a>
<a href="lu-lon-o-mien-trung-gay-thiet-hai-4567890.html">one again</a>
<a href="/2026/11/21/flood-warning">two</a>
<a href="https://elsewhere.example/a-long-article-about-it-123456">not ours</a>
<a href="/photo/lu-lon-o-mien-trung-99999.jpg">picture</a> <a href="mailto:a@b">mail</a> <a href="javascript:x()">js</a>
<a href="/a-story-of-four-words">three</a></body></html>`

func TestSiteCollectsWhatLooksLikeArticles(t *testing.T) {
	w := newWeb(t, "127.4.0.1")
	w.page("/news/", "text/html", section)
	for _, p := range []string{"/news/lu-lon-o-mien-trung-gay-thiet-hai-4567890.html", "/2026/11/21/flood-warning", "/a-story-of-four-words"} {
		w.article(p)
	}
	d := newDesk(t, Source{Kind: "site", URL: w.base + "/news/", Name: "The Paper", Lang: "vi"})
	d.poll(t)
	const want = "/a-story-of-four-words /2026/11/21/flood-warning /news/lu-lon-o-mien-trung-gay-thiet-hai-4567890.html"
	if got := d.in.paths(w.base); got != want {
		t.Errorf("published %q, want %q", got, want)
	}
	c := d.in.got[0]
	if c.Kind != presswatch.Article || c.Hints.Language != "vi" || c.Hints.Site != "The Paper" || c.Source != "s" || c.Status != 200 ||
		!strings.Contains(string(c.Body), "text of /a-story") || c.Header["Set-Cookie"] != nil || c.ContentType != "text/html; charset=utf-8" {
		t.Errorf("%+v", c)
	}
	w.forget()
	d.poll(t)
	if got := fmt.Sprint(w.asked()); got != "[/news/]" {
		t.Errorf("the second poll asked for %s", got)
	}
}

func TestSiteFollowsSectionsAndPatterns(t *testing.T) {
	w := newWeb(t, "127.4.0.2")
	w.page("/", "text/html", `<a href="/local/">l</a><a href="/x1">x</a><a href="/a-long-story-of-words">looks alike</a>`)
	w.page("/local/", "text/html", `<a href="/x2">x</a><a href="/local/deep/">d</a><a href="/x3-sponsored">no</a>`)
	w.page("/local/deep/", "text/html", `<a href="/x4">x</a><a href="/local/deeper/">d</a>`)
	w.page("/local/deeper/", "text/html", `<a href="/x5">x</a>`)
	for _, p := range []string{"/x1", "/x2", "/x4", "/x5"} {
		w.article(p)
	}
	for depth, want := range map[int]string{1: "/x1", 2: "/x2 /x1", 3: "/x4 /x2 /x1"} {
		d := newDesk(t, Source{Kind: "site", URL: w.base + "/", Follow: []string{"/local/"}, Include: []string{`/x\d`}, Exclude: []string{"sponsored"}, Depth: depth})
		d.poll(t)
		if got := d.in.paths(w.base); got != want {
			t.Errorf("depth %d: %q, want %q", depth, got, want)
		}
	}
}

func TestLooksLikeArticle(t *testing.T) {
	for addr, want := range map[string]bool{
		"https://a.vn/thoi-su/mua-lon-o-hue-20261121101010.htm": true,
		"https://a.vn/mua-lon-keo-dai-o-hue.html":               true,
		"https://a.in/2026/11/21/barish":                        false,
		"https://a.in/2026/11/21/barish-ka-alert":               true,
		"https://a.in/hindi/%E0%A4%B0%E0%A4%BE%E0%A4%9C-%E0%A4%AE%E0%A5%87%E0%A4%82-%E0%A4%AD%E0%A4%BE%E0%A4%B0%E0%A5%80-%E0%A4%AC%E0%A4%BE%E0%A4%B0%E0%A4%BF%E0%A4%B6": true,
		"https://a.example/?p=123456":         false,
		"https://a.example/index.php?id=9876": false,
		"https://a.example/view?id=987654":    true,
		"https://a.example/":                  false,
		"https://a.example/world":             false,
		"https://a.example/tag/a-b-c-d-e":     false,
		"https://a.example/author/a-b-c-d":    false,
		"https://a.example/a-b-c-d-e.pdf":     false,
		"https://a.example/about-us":          false,
		"://":                                 false,
	} {
		if got := looksLikeArticle(addr); got != want {
			t.Errorf("%s: %v, want %v", addr, got, want)
		}
	}
}

func TestCleanAddress(t *testing.T) {
	for in, want := range map[string]string{
		"HTTPS://News.Example:443/a?utm_source=x&id=7&fbclid=y#top": "https://news.example/a?id=7",
		"/b?UTM_medium=x":  "https://base.example/b",
		"c?x=1&x=2&":       "https://base.example/dir/c?x=1&x=2",
		"//o.example/?":    "https://o.example/",
		"  /d  ":           "https://base.example/d",
		"mailto:x@y":       "",
		"javascript:run()": "",
	} {
		if got, err := cleanAddress("https://base.example/dir/page", in); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", in, got, err, want)
		}
	}
}

func TestSameSite(t *testing.T) {
	for pair, want := range map[string]bool{
		"https://a.com.vn/ https://www.a.com.vn/x":  true,
		"https://a.com.vn/ https://sport.a.com.vn/": true,
		"https://a.com.vn/ https://b.com.vn/":       false,
		"http://127.4.0.1/ http://127.4.0.2/":       false,
		"http://127.4.0.1/ http://127.4.0.1/x":      true,
		"http://[::1]/ http://[::1]/x":              true,
		": https://a.example":                       false,
	} {
		a, b, _ := strings.Cut(pair, " ")
		if got := sameSite(a, b); got != want {
			t.Errorf("%s: %v, want %v", pair, got, want)
		}
	}
}
