package demo

import (
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/mmcdole/gofeed"
	"go.uber.org/goleak"
	"golang.org/x/text/unicode/norm"

	"presswatch"
	"presswatch/crawlers"
	"presswatch/internal/fetch"
	"presswatch/pipeline"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func start(t *testing.T) *Sites {
	t.Helper()
	s, err := Start(t.Context(), Options{Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func get(t *testing.T, url string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || !utf8.Valid(b) {
		t.Fatalf("%s: %v, valid UTF-8 %v", url, err, utf8.Valid(b))
	}
	return resp, string(b)
}

func TestThereIsEnoughOfEverything(t *testing.T) {
	if _, _, err := load(); err != nil {
		t.Fatal(err)
	}
	pieces := Content()
	n := map[string]int{"all": len(pieces)}
	for _, p := range pieces {
		n[p.Lang]++
		n[string(p.Kind)]++
		n[string(p.Is)]++
		n[string(p.Relation)]++
		n[p.Lang+" "+string(p.Is)]++
	}
	for what, least := range map[string]int{
		"all": 60, "vi": 30, "en": 8, "hi": 8, "ar": 8, "article": 45, "post": 15,
		"news": 30, "rumour": 15, "satire": 2, "opinion": 2, "correction": 3,
		"exact": 2, "near": 2, "translation": 3, "same_event": 2,
		"vi rumour": 8, "en rumour": 2, "hi rumour": 2, "ar rumour": 2,
	} {
		if n[what] < least {
			t.Errorf("%d of %s, want %d at least", n[what], what, least)
		}
	}
}

func TestEveryPieceIsWellFormed(t *testing.T) {
	outlets, pieces, err := load()
	if err != nil {
		t.Fatal(err)
	}
	bySlug := map[string]Piece{}
	for _, p := range pieces {
		bySlug[p.Slug] = p
	}
	for _, p := range pieces {
		o := outlets[slices.IndexFunc(outlets, func(o outlet) bool { return o.ID == p.Outlet })]
		text := strings.Join(p.Text, "\n\n")
		words := len(strings.Fields(text))
		low, high := 150, 500
		if p.Kind == presswatch.Post {
			low, high = 20, 80
		}
		switch {
		case words < low || words > high:
			t.Errorf("%s has %d words, want %d to %d", p.Slug, words, low, high)
		case !norm.NFC.IsNormalString(p.Title+text) || strings.ContainsRune(text, utf8.RuneError):
			t.Errorf("%s is not clean NFC", p.Slug)
		case p.Kind == presswatch.Article && p.Title == "":
			t.Errorf("%s has no title", p.Slug)
		case p.Hours <= 0 || p.Hours > 24*7:
			t.Errorf("%s is %v hours old", p.Slug, p.Hours)
		case len(o.Sections) > 0 && !slices.Contains(o.Sections, p.Section):
			t.Errorf("%s: %s has no section %q", p.Slug, o.ID, p.Section)
		case !slices.Contains([]Label{News, Rumour, Satire, Opinion, Correction}, p.Is):
			t.Errorf("%s is %q", p.Slug, p.Is)
		case (p.Relation != presswatch.New) != (p.Of != ""):
			t.Errorf("%s: relation %s to %q", p.Slug, p.Relation, p.Of)
		case (p.Is == Correction) != (p.Corrects != ""):
			t.Errorf("%s is %s and corrects %q", p.Slug, p.Is, p.Corrects)
		}
		if p.Of == "" {
			continue
		}
		of := bySlug[p.Of]
		same := slices.Equal(of.Text, p.Text)
		otherLang := of.Lang != p.Lang
		if (p.Relation == presswatch.Exact) != same || otherLang && p.Relation == presswatch.Near || !otherLang && p.Relation == presswatch.Translation || of.Hours < p.Hours {
			t.Errorf("%s is no %s of %s", p.Slug, p.Relation, p.Of)
		}
	}
}

func TestEveryPieceIsOnItsPage(t *testing.T) {
	s := start(t)
	for _, p := range Content() {
		resp, page := get(t, s.URL(p.Slug))
		text := html.UnescapeString(page)
		if resp.StatusCode != http.StatusOK || !strings.Contains(text, p.Title) || resp.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Fatalf("%s: %s, %s", s.URL(p.Slug), resp.Status, resp.Header.Get("Content-Type"))
		}
		for _, para := range p.Text {
			if strings.Count(text, para) < 1 {
				t.Errorf("%s: the page lacks %q", p.Slug, para)
			}
		}
		if strings.Contains(page, "<no value>") || strings.Contains(page, "ZgotmplZ") {
			t.Errorf("%s: the layout shows a hole", p.Slug)
		}
	}
	if s.URL("none") != "" {
		t.Error("a piece that is not there has an address")
	}
}

// TestThePipelineReadsEveryLayout has the real extraction read each article.
func TestThePipelineReadsEveryLayout(t *testing.T) {
	s := start(t)
	chain := pipeline.Extracting(pipeline.Deps{})
	for _, p := range Content() {
		if p.Kind == presswatch.Post {
			continue
		}
		addr := s.URL(p.Slug)
		_, page := get(t, addr)
		it := &pipeline.Item{Capture: presswatch.Capture{
			ID: "c", Source: "demo", Kind: p.Kind, URL: addr, Status: 200, ContentType: "text/html; charset=utf-8", FetchedAt: noon, Body: []byte(page),
		}}
		if err := chain.Run(t.Context(), it); err != nil {
			t.Errorf("%s: %v", p.Slug, err)
			continue
		}
		// The plain table layout names the title nowhere but in <title>, with
		// the outlet behind it.
		if d := it.Doc; !strings.HasPrefix(d.Title, p.Title) || d.Language != p.Lang || d.CanonicalURL != addr {
			t.Errorf("%s: title %q, language %s, address %s", p.Slug, d.Title, d.Language, d.CanonicalURL)
		}
		for _, para := range p.Text {
			if !strings.Contains(it.Doc.Text, para) {
				t.Errorf("%s: extraction lost %q", p.Slug, para)
			}
		}
	}
}

func TestListsShowEveryPieceAndSection(t *testing.T) {
	for _, one := range start(t).sites {
		_, front := get(t, one.base+"/")
		for _, p := range one.pieces {
			if !strings.Contains(front, one.address(p)) {
				t.Errorf("the front page of %s lacks %s", one.outlet.ID, p.Slug)
			}
		}
		for i, name := range one.outlet.Sections {
			_, page := get(t, one.base+sectionPath(i))
			for _, p := range one.pieces {
				if strings.Contains(page, one.address(p)) != (p.Section == name) {
					t.Errorf("%s on the page of %s", p.Slug, name)
				}
			}
		}
		for path, want := range map[string]int{"/robots.txt": 200, "/admin/login": 403, "/none": 404} {
			if resp, _ := get(t, one.base+path); resp.StatusCode != want {
				t.Errorf("%s%s: %s", one.base, path, resp.Status)
			}
		}
	}
}

func TestFeedsParse(t *testing.T) {
	for _, one := range start(t).sites {
		if one.outlet.Feed == "" {
			continue
		}
		seen := 0
		for _, src := range one.sources() {
			resp, body := get(t, src.url)
			feed, err := gofeed.NewParser().ParseString(body)
			if err != nil {
				t.Fatalf("%s: %v", src.url, err)
			}
			if feed.Language != src.lang || feed.Title != src.name {
				t.Errorf("%s: language %q, title %q", src.url, feed.Language, feed.Title)
			}
			for _, it := range feed.Items {
				at := slices.IndexFunc(one.pieces, func(p Piece) bool { return one.address(p) == it.Link })
				if at < 0 || it.PublishedParsed == nil {
					t.Fatalf("%s: item %q", src.url, it.Link)
				}
				p := one.pieces[at]
				if seen++; it.Title != p.Title || !it.PublishedParsed.Equal(noon.Add(-time.Duration(p.Hours*float64(time.Hour)))) {
					t.Errorf("%s: %q of %s", p.Slug, it.Title, it.PublishedParsed)
				}
				if p.Kind == presswatch.Post && !strings.Contains(html.UnescapeString(it.Description), p.Text[0]) {
					t.Errorf("%s: the feed lacks the post", p.Slug)
				}
			}
			if again, _ := get(t, src.url, "If-None-Match", resp.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
				t.Errorf("%s asked again: %s", src.url, again.Status)
			}
		}
		if seen != len(one.pieces) {
			t.Errorf("%s: feeds have %d of %d pieces", one.outlet.ID, seen, len(one.pieces))
		}
	}
}

// TestTheCrawlersFetchEverything has the real crawlers poll the sources once.
func TestTheCrawlersFetchEverything(t *testing.T) {
	s := start(t)
	sources, err := crawlers.ParseSources("sources.yaml", s.SourcesYAML())
	if err != nil {
		t.Fatal(err)
	}
	client := fetch.New(fetch.Options{AllowNet: s.AllowNet(), Pace: -1})
	got := &caught{}
	c := crawlers.New(crawlers.Deps{Sources: sources, Fetch: client, Publish: got.publish, Cursors: got})
	for _, src := range sources {
		if err := c.PollOnce(t.Context(), src.ID); err != nil {
			t.Errorf("%s: %v", src.ID, err)
		}
	}
	for _, p := range Content() {
		c, ok := got.captures[s.URL(p.Slug)]
		if !ok || c.Kind != p.Kind || !strings.Contains(html.UnescapeString(string(c.Body)), p.Text[0]) || c.Hints.Language != p.Lang {
			t.Errorf("%s: fetched %v, %+v", p.Slug, ok, c.Hints)
		}
	}
	if len(got.captures) != len(Content()) {
		t.Errorf("%d captures of %d pieces", len(got.captures), len(Content()))
	}
}

// caught keeps captures and cursors.
type caught struct {
	mu       sync.Mutex
	captures map[string]presswatch.Capture
	cursors  map[string][]byte
}

func (c *caught) publish(_ context.Context, x presswatch.Capture) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.captures == nil {
		c.captures = map[string]presswatch.Capture{}
	}
	c.captures[x.URL] = x
	return nil
}

func (c *caught) Cursor(_ context.Context, name string) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cursors[name], nil
}

func (c *caught) SetCursor(_ context.Context, name string, value []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cursors == nil {
		c.cursors = map[string][]byte{}
	}
	c.cursors[name] = value
	return nil
}

func TestOnlyLoopbackIsAllowed(t *testing.T) {
	s := start(t)
	nets := s.AllowNet()
	if len(nets) != 1 || nets[0].String() != "127.0.0.1/32" {
		t.Errorf("allowed: %v", nets)
	}
	for _, one := range s.sites {
		if !strings.HasPrefix(one.base, "http://127.0.0.1:") {
			t.Errorf("%s listens on %s", one.outlet.ID, one.base)
		}
	}
}

func TestTheServersEndWithTheContext(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ctx, cancel := context.WithCancel(t.Context())
	s, err := Start(ctx, Options{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	s.wg.Wait() // they end by themselves
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAddressesStayWhenThePortIsGiven(t *testing.T) {
	ln, err := listen(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var port int
	if _, err := fmt.Sscanf(ln.Addr().String(), "127.0.0.1:%d", &port); err != nil {
		t.Fatal(err)
	}
	taken, err := listen(port, 0)
	if err != nil || taken.Addr().String() == ln.Addr().String() {
		t.Errorf("a port that is taken: %v", err)
	}
	_ = taken.Close()
	_ = ln.Close()
	again, err := listen(port, 0)
	if err != nil || again.Addr().String() != fmt.Sprintf("127.0.0.1:%d", port) {
		t.Errorf("got %v %v, want port %d", again.Addr(), err, port)
	}
	_ = again.Close()
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	for in, want := range map[string]string{
		"---\nslug: a\n":              "lines of ---",
		"text\n---\nslug: a\n---\n":   "lines of ---",
		"---\nslug: a\nodd: 1\n---\n": "odd",
	} {
		if _, err := parse([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
	outlets := []outlet{{ID: "o"}}
	for want, pieces := range map[string][]Piece{
		"no outlet":      {{Slug: "a", Outlet: "x"}},
		"used twice":     {{Slug: "a", Outlet: "o"}, {Slug: "a", Outlet: "o"}},
		"no piece":       {{Slug: "a", Outlet: "o", Of: "b"}},
		"is not there":   {{Slug: "a", Outlet: "o", Text: []string{"x"}, Edits: []Edit{{From: "y"}}}},
		"empty or used ": {{Outlet: "o"}},
	} {
		if err := link(outlets, pieces); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestDates(t *testing.T) {
	at := time.Date(2026, 3, 7, 9, 5, 0, 0, time.UTC)
	if got := formatDate("{dd}/{mm}/{yyyy} {hh}:{min}, {d}.{m}", at, nil); got != "07/03/2026 09:05, 7.3" {
		t.Error(got)
	}
	months := strings.Fields("j f मार्च a m j j a s o n d")
	if got := formatDate("{d} {month} {yyyy}", at, months); got != "7 मार्च 2026" {
		t.Error(got)
	}
}
