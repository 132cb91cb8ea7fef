package crawlers

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"presswatch"
	"presswatch/internal/fetch"
)

// rss makes a feed of items that are named by their paths, newest first.
func rss(base string, paths ...string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Feed</title><language>vi</language><link>/</link>`)
	for _, p := range paths {
		fmt.Fprintf(&b, `<item><title>Tin %[2]s</title><link>%[1]s%[2]s?utm_source=rss</link><guid isPermaLink="false">id %[2]s</guid><dc:creator>Lê An</dc:creator><pubDate>Sat, 21 Nov 2026 10:00:00 +0700</pubDate></item>`, base, p)
	}
	return b.String() + "</channel></rss>"
}

func TestFeedPublishesEachItemOnceOldestFirst(t *testing.T) {
	w := newWeb(t, "127.4.1.1")
	for _, p := range []string{"/a", "/b", "/c"} {
		w.article(p)
	}
	w.page("/rss", "application/rss+xml", rss(w.base, "/b", "/a"))
	d := newDesk(t, Source{Kind: "feed", URL: w.base + "/rss", Name: "The Paper"})
	d.poll(t)
	d.poll(t)
	w.page("/rss", "application/rss+xml", rss(w.base, "/c", "/b", "/a"))
	d.poll(t)
	if got := d.in.paths(w.base); got != "/a /b /c" {
		t.Errorf("published %q, want each once, the oldest first", got)
	}
	c := d.in.got[0]
	want := presswatch.Hints{Title: "Tin /a", Language: "vi", Published: time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC), Byline: []string{"Lê An"}, Site: "The Paper"}
	if fmt.Sprint(c.Hints) != fmt.Sprint(want) || c.Kind != presswatch.Article {
		t.Errorf("hints %+v, want %+v", c.Hints, want)
	}
	if s := d.Status()[0]; s.Published != 3 || s.Polls != 3 || s.Errors != 0 || s.LastOK.IsZero() {
		t.Errorf("status %+v", s)
	}
}

func TestFeedAsksConditionally(t *testing.T) {
	w := newWeb(t, "127.4.1.2")
	w.article("/a")
	var mu sync.Mutex
	var asked []string
	w.on("/rss", func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.Header.Get("If-None-Match")+" "+r.Header.Get("If-Modified-Since"))
		rw.Header().Set("ETag", `"v1"`)
		rw.Header().Set("Last-Modified", "Sat, 21 Nov 2026 03:00:00 GMT")
		if r.Header.Get("If-None-Match") == `"v1"` {
			rw.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(rw, rss(w.base, "/a"))
	})
	d := newDesk(t, Source{Kind: "feed", URL: w.base + "/rss"})
	for range 3 {
		d.poll(t)
	}
	mu.Lock()
	defer mu.Unlock()
	want := `[  "v1" Sat, 21 Nov 2026 03:00:00 GMT "v1" Sat, 21 Nov 2026 03:00:00 GMT]`
	if got := fmt.Sprint(asked); got != want || d.in.paths(w.base) != "/a" {
		t.Errorf("asked %s, want %s; published %q", got, want, d.in.paths(w.base))
	}
}

func TestMoreThanMaxItemsWaitsAndIsNotLost(t *testing.T) {
	w := newWeb(t, "127.4.1.3")
	var paths []string
	for i := range 7 {
		paths = append(paths, fmt.Sprintf("/%d", i))
		w.article(paths[i])
	}
	w.on("/rss", func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("ETag", `"same"`)
		if r.Header.Get("If-None-Match") != "" {
			rw.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(rw, rss(w.base, paths...))
	})
	d := newDesk(t, Source{Kind: "feed", URL: w.base + "/rss", MaxItems: 3})
	for _, want := range []string{"/2 /1 /0", "/5 /4 /3", "/6", ""} {
		d.in.empty()
		d.poll(t)
		if got := d.in.paths(w.base); got != want {
			t.Errorf("published %q, want %q", got, want)
		}
	}
}

func TestAFailedItemIsTriedAgainAndStopsNobody(t *testing.T) {
	w := newWeb(t, "127.4.1.4")
	w.article("/a")
	w.article("/c")
	w.on("/b", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(502) })
	w.page("/img", "image/png", "PNG")
	w.page("/empty", "text/html", " \n")
	w.page("/rss", "text/xml", rss(w.base, "/c", "/img", "/empty", "/gone", "/b", "/a"))
	d := newDesk(t, Source{Kind: "feed", URL: w.base + "/rss"})
	d.poll(t)
	if got := d.in.paths(w.base); got != "/a /c" {
		t.Errorf("published %q, want /a /c", got)
	}
	w.page("/rss", "text/xml", rss(w.base)) // it has left the feed meanwhile
	d.poll(t)
	w.article("/b")
	d.poll(t)
	d.poll(t)
	if got := d.in.paths(w.base); got != "/a /c /b" {
		t.Errorf("published %q, want /b last", got)
	}
	if got := d.in.got[2].Hints.Title; got != "Tin /b" {
		t.Errorf("the hint was lost: %q", got)
	}
	w.forget()
	for range 10 {
		d.poll(t)
	}
	if n := strings.Count(strings.Join(w.asked(), " "), "/gone"); n != 1 {
		t.Errorf("/gone was tried %d times more, want 1: five in all", n)
	}
	for _, p := range w.asked() {
		if p == "/img" || p == "/empty" {
			t.Errorf("%s was tried again: it cannot become a page", p)
		}
	}
}

// TestAKillBetweenPublishAndSave is the promise: what was published twice may
// be, what was not published must be later.
func TestAKillBetweenPublishAndSave(t *testing.T) {
	killed := errors.New("killed")
	w := newWeb(t, "127.4.1.5")
	paths := []string{"/5", "/4", "/3", "/2", "/1"}
	for _, p := range paths {
		w.article(p)
	}
	w.on("/4", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(500) })
	w.page("/rss", "text/xml", rss(w.base, paths...))
	for n := 1; n <= 12; n++ { // the n-th write of any kind fails, and everything after
		d := newDesk(t, Source{Kind: "feed", URL: w.base + "/rss"})
		w.on("/4", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(500) })
		writes, dead := 0, true
		tick := func() error {
			if writes++; dead && writes >= n {
				return killed
			}
			return nil
		}
		d.cur.fail = func(string) error { return tick() }
		d.in.fail = func(presswatch.Capture) error { return tick() }
		err := d.PollOnce(t.Context(), "s")
		if total := 10; n < total && !errors.Is(err, killed) {
			t.Errorf("kill %d: error %v", n, err)
		}
		dead = false
		w.article("/4")
		d.poll(t)
		d.poll(t)
		got := d.in.paths(w.base)
		for _, p := range paths {
			if c := strings.Count(got, p); c < 1 || c > 2 {
				t.Errorf("kill %d: %s was published %d times in %q", n, p, c, got)
			}
		}
		if len(d.in.got) > len(paths)+1 {
			t.Errorf("kill %d: %d captures of %d items; a kill repeats one at most", n, len(d.in.got), len(paths))
		}
	}
}

func TestABrokenCursorStartsAnew(t *testing.T) {
	w := newWeb(t, "127.4.1.6")
	w.article("/a")
	w.page("/rss", "text/xml", rss(w.base, "/a"))
	d := newDesk(t, Source{Kind: "feed", URL: w.base + "/rss"})
	for _, b := range []string{"{", `{"seen":"AAAA"}`, `[]`, "\xff"} {
		d.in.empty()
		d.cur.kept = map[string][]byte{cursorName("s"): []byte(b)}
		d.poll(t)
		if got := d.in.paths(w.base); got != "/a" {
			t.Errorf("cursor %q: published %q", b, got)
		}
	}
}

func TestTheCursorIsBoundedAndKeepsWhatIsListed(t *testing.T) {
	st := &state{marks: map[uint64]mark{}}
	first := item{key: 1}
	st.took(first)
	env := &Env{Cursors: &cursors{}}
	for i := range uint64(3 * maxSeen) {
		if st.wants(first) {
			t.Fatalf("a listed item was forgotten after %d others", i)
		}
		st.took(item{key: 100 + i})
		if i%500 == 0 {
			if err := st.save(t.Context(), env, Source{ID: "s"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := st.save(t.Context(), env, Source{ID: "s"}); err != nil {
		t.Fatal(err)
	}
	again, err := loadState(t.Context(), env, Source{ID: "s"})
	if err != nil || len(again.marks) != maxSeen || len(again.order) != maxSeen || again.wants(first) || !again.wants(item{key: 100}) {
		t.Errorf("%d marks, %d in order, %v", len(again.marks), len(again.order), err)
	}
}

func TestAChangedItemIsTakenAgainThreeTimes(t *testing.T) {
	w := newWeb(t, "127.4.1.7")
	w.article("/a")
	d := newDesk(t, Source{Kind: "feed", URL: w.base + "/atom"})
	for minute := range 8 {
		w.page("/atom", "application/atom+xml", fmt.Sprintf(`<feed xmlns="http://www.w3.org/2005/Atom"><title>F</title><entry><id>x</id><title>T</title><link href="/a"/><updated>2026-11-21T10:%02d:00Z</updated></entry></feed>`, minute))
		d.poll(t)
		d.poll(t)
	}
	if n := len(d.in.got); n != 1+maxAgain {
		t.Errorf("published %d times, want %d", n, 1+maxAgain)
	}
}

func TestFeedsThatAreRefused(t *testing.T) {
	w := newWeb(t, "127.4.1.8")
	deep := `<?xml version="1.0"?><rss version="2.0"><channel>` + strings.Repeat("<x:a>", 300_000)
	for name, tc := range map[string]struct {
		body string
		code presswatch.Code
	}{
		"a page":                     {"<html><body>hello</body></html>", presswatch.Invalid},
		"nothing":                    {"", presswatch.Invalid},
		"deep":                       {deep, presswatch.TooLarge},
		"deep under CDATA":           {"<rss><channel><![CDATA[" + strings.Repeat("<a>", 500) + "]]>" + strings.Repeat("<b>", 500), presswatch.TooLarge},
		"deep after an open comment": {"<rss><!-- " + strings.Repeat("<b>", 500), presswatch.TooLarge},
		"many parts":                 {"<rss><channel>" + strings.Repeat("<a:b/>", maxFeedParts+1), presswatch.TooLarge},
		"many attributes":            {"<rss><channel><a " + strings.Repeat("b='' ", maxFeedParts+1) + ">", presswatch.TooLarge},
		"deep JSON":                  {`{"version":"https://jsonfeed.org/version/1","items":` + strings.Repeat("[", 5000), presswatch.TooLarge},
		"many parts in JSON":         {`{"version":"https://jsonfeed.org/version/1","items":[` + strings.Repeat("{},", maxFeedParts) + "{}]}", presswatch.TooLarge},
		"large":                      {"<rss><channel>" + strings.Repeat(" ", maxFeed), presswatch.TooLarge},
		"an entity bomb":             {`<!DOCTYPE r [<!ENTITY a "` + strings.Repeat("a", 1000) + `"><!ENTITY b "` + strings.Repeat("&a;", 1000) + `">]><rss version="2.0"><channel><title>&b;&b;&b;</title></channel></rss>`, ""},
		"an outer entity":            {`<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss version="2.0"><channel><title>&x;</title><item><title>&x;</title><link>/a</link></item></channel></rss>`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w.page("/rss", "text/xml", tc.body)
			d := newDesk(t, Source{Kind: "feed", URL: w.base + "/rss"})
			err := d.PollOnce(t.Context(), "s")
			if presswatch.CodeOf(err) != tc.code {
				t.Errorf("error %.200v, want %q", err, tc.code)
			}
			if err != nil && (!strings.Contains(err.Error(), w.base) || d.Status()[0].LastError != err.Error()) {
				t.Errorf("status %+v, error %v", d.Status()[0], err)
			}
			for _, c := range d.in.got {
				if strings.Contains(c.Hints.Title, "root:") || len(c.Hints.Title) > 1000 {
					t.Errorf("title %.100q", c.Hints.Title)
				}
			}
		})
	}
}

func TestAFeedBehindRobotsIsNotFetched(t *testing.T) {
	w := newWeb(t, "127.4.1.9")
	w.page("/robots.txt", "text/plain", "User-agent: presswatch\nDisallow: /private/\n")
	w.page("/private/rss", "text/xml", rss(w.base, "/a"))
	w.page("/rss", "text/xml", rss(w.base, "/private/a", "/b"))
	w.article("/private/a")
	w.article("/b")
	d := newDesk(t, Source{Kind: "feed", URL: w.base + "/private/rss"})
	if err := d.PollOnce(t.Context(), "s"); presswatch.CodeOf(err) != presswatch.Forbidden {
		t.Errorf("error %v, want Forbidden", err)
	}
	d = newDesk(t, Source{Kind: "feed", URL: w.base + "/rss"})
	d.poll(t)
	if got := fmt.Sprint(w.asked(), " ", d.in.paths(w.base)); got != "[/rss /b] /b" {
		t.Errorf("asked for and published %s", got)
	}
}

func TestAPageIsKeptInTheCharsetItCameIn(t *testing.T) {
	w := newWeb(t, "127.4.1.10")
	const body = "<p>caf\xe9 \x93quoted\x94</p>"
	w.page("/a", "text/html; charset=windows-1252", body)
	r, err := visit(t.Context(), client(t), w.base+"/a", nil)
	if err != nil || string(r.Body) != body || r.ContentType != "text/html; charset=windows-1252" {
		t.Errorf("%q, %q, %v", r.Body, r.ContentType, err)
	}
}

const mastodon = `<rss version="2.0"><channel><title>An Lê</title><link>https://social.example/@an</link>
<item><guid isPermaLink="true">https://social.example/@an/1</guid><link>https://social.example/@an/1</link><pubDate>Sat, 21 Nov 2026 03:00:00 +0000</pubDate><description>&lt;p&gt;Nước &lt;b&gt;lên&lt;/b&gt; nhanh&lt;/p&gt;</description></item>
<item><guid>at://did:plc:x/app.bsky.feed.post/2</guid><link>https://bsky.example/post/2</link><description>Plain text, 3 &lt; 4 &amp;amp; no tags
second line</description></item>
<item><link>https://social.example/@an/3</link><title>only a title</title></item>
<item><link>https://social.example/@an/4</link></item>
<item><description>no address</description></item></channel></rss>`

func TestPostsAreTheItemsThemselves(t *testing.T) {
	w := newWeb(t, "127.4.1.11")
	w.page("/rss", "application/rss+xml", mastodon)
	d := newDesk(t, Source{Kind: "posts", URL: w.base + "/rss", Name: "Mastodon", Lang: "vi"})
	d.poll(t)
	d.poll(t)
	var got []string
	for _, c := range d.in.got {
		got = append(got, c.URL+" "+string(c.Body))
		if c.Kind != presswatch.Post || c.Hints.DocURL != c.URL || c.ContentType != "text/html; charset=utf-8" || len(c.Hints.Byline) != 1 || c.Hints.Byline[0] != "An Lê" {
			t.Errorf("%+v", c)
		}
	}
	want := []string{
		"https://social.example/@an/3 <p>only a title</p>",
		"https://bsky.example/post/2 <p>Plain text, 3 &lt; 4 &amp;amp; no tags<br>\nsecond line</p>",
		"https://social.example/@an/1 <p>Nước <b>lên</b> nhanh</p>",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if asked := fmt.Sprint(w.asked()); asked != "[/rss /rss]" {
		t.Errorf("asked for %s: posts need nothing but the feed", asked)
	}
}

func TestYouTubeDescriptions(t *testing.T) {
	feed, err := parseFeed([]byte(`<feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/"><title>C</title><entry><id>yt:1</id><title>Video</title><link href="https://tube.example/1"/><media:group><media:description>What it is about</media:description></media:group></entry></feed>`))
	if err != nil || string(postBody(feed.Items[0])) != "<p>What it is about</p>" {
		t.Errorf("%v, %v", feed, err)
	}
}

func TestCheckTellsWhatIsWrong(t *testing.T) {
	w := newWeb(t, "127.4.1.12")
	w.page("/robots.txt", "text/plain", "User-agent: *\nDisallow: /private/\n")
	w.page("/rss", "text/xml", rss(w.base, "/private/b", "/a"))
	w.page("/html", "text/html", "<p>x</p>")
	for name, tc := range map[string]struct {
		s           Source
		ok, reached bool
		items       int
		text        string
	}{
		"fine":            {Source{Kind: "feed", URL: w.base + "/rss"}, true, true, 2, ""},
		"nothing matches": {Source{Kind: "feed", URL: w.base + "/rss", Include: []string{"zzz"}}, false, true, 2, "include"},
		"not a feed":      {Source{Kind: "feed", URL: w.base + "/html"}, false, false, 0, "parsed"},
		"not there":       {Source{Kind: "posts", URL: w.base + "/none"}, false, false, 0, "status 404"},
		"no links":        {Source{Kind: "site", URL: w.base + "/html"}, false, true, 0, "0 items"},
		"inside":          {Source{Kind: "feed", URL: "http://127.0.0.1/"}, false, false, 0, "not public"},
		"no such kind":    {Source{Kind: "gopher", URL: w.base}, false, false, 0, "gopher"},
	} {
		t.Run(name, func(t *testing.T) {
			r := Check(t.Context(), client(t), tc.s)
			if r.OK != tc.ok || r.Reachable != tc.reached || r.Items != tc.items || !strings.Contains(r.Error, tc.text) || (r.Error == "") != tc.ok {
				t.Errorf("%+v", r)
			}
			if tc.ok && (len(r.Sample) != 2 || r.Sample[0].Robots != "disallowed" || r.Sample[1].Robots != "allowed" || r.Robots != "allowed") {
				t.Errorf("sample %+v", r.Sample)
			}
		})
	}
}

func FuzzFeed(f *testing.F) {
	f.Add([]byte(rss("https://a.example", "/a", "/b")))
	f.Add([]byte(mastodon))
	f.Add([]byte(`{"version":"https://jsonfeed.org/version/1","items":[{"id":"1","url":"/x"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		feed, err := parseFeed(b)
		if err != nil {
			if c := presswatch.CodeOf(err); c != presswatch.Invalid && c != presswatch.TooLarge {
				t.Errorf("code %s: %v", c, err)
			}
			return
		}
		for _, it := range feed.Items {
			if i, ok := itemOf(Source{}, feed, it, "https://a.example/"); ok {
				if _, err := fetch.ParseURL("", i.url); err != nil {
					t.Errorf("%q: %v", i.url, err)
				}
			}
			postBody(it)
		}
	})
}
