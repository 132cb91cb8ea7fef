package pipeline

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"presswatch"
)

const words = "Cầu mới qua sông đã mở cửa cho người dân hai xã ven sông."

func TestExtractByKindOfContent(t *testing.T) {
	page := func(s string) presswatch.Capture { return captureFor("https://bao.example/a", []byte(s)) }
	with := func(c presswatch.Capture, change func(*presswatch.Capture)) presswatch.Capture { change(&c); return c }
	for name, tc := range map[string]struct {
		capture       presswatch.Capture
		title, text   string
		dropped, fail string
	}{
		"a page":                         {capture: page("<title>T</title><p>" + words), title: "T", text: words},
		"a page without a title":         {capture: page("<p>" + words), title: words, text: words},
		"plain text as it is":            {capture: with(page("<b>"+words+"</b>\r\n\r\n\r\nHai"), func(c *presswatch.Capture) { c.ContentType = "text/plain; charset=utf-8" }), title: "<b>" + words + "</b>", text: "<b>" + words + "</b>\n\nHai"},
		"plain text with a title":        {capture: with(page(words), func(c *presswatch.Capture) { c.ContentType, c.Hints.Title = "text/plain", "Tin" }), title: "Tin", text: words},
		"a post loses its tags, no text": {capture: with(page("<p>Nghe này <a href=x>#cầu</a><br>"+words+"</p><footer>hết</footer>"), func(c *presswatch.Capture) { c.Kind = presswatch.Post }), title: "Nghe này #cầu", text: "Nghe này #cầu\n" + words + "\n\nhết"},
		"the type of the header": {capture: with(page(words), func(c *presswatch.Capture) {
			c.ContentType, c.Header = "", map[string][]string{"Content-Type": {"text/plain"}}
		}), title: words, text: words},
		"status 404 is dropped":                    {capture: with(page(words), func(c *presswatch.Capture) { c.Status = 404 }), dropped: "HTTP status 404"},
		"a picture is dropped":                     {capture: with(page("\x89PNG\r\n\x1a\n"), func(c *presswatch.Capture) { c.ContentType = "image/png" }), dropped: "content type image/png is not a page"},
		"a PDF that is called a page":              {capture: page("%PDF-1.7 xyz"), dropped: "content type application/pdf is not a page"},
		"no text is an error, not silence":         {capture: page("<html><script>var a = 1</script></html>"), fail: "extract: no text"},
		"a page made by scripts gives its summary": {capture: page(`<meta property="og:description" content="` + words + `"><title>Tin</title><script>var a = 1</script>`), title: "Tin", text: words},
		"an empty body too":                        {capture: page(""), fail: "extract: no text"},
		"an address that is none":                  {capture: with(page(words), func(c *presswatch.Capture) { c.URL = "javascript:alert(1)" }), fail: "extract: url"},
		"a capture without an id":                  {capture: with(page(words), func(c *presswatch.Capture) { c.ID = "" }), fail: "extract: capture: id is empty"},
		"text in JSON-LD only":                     {capture: page(`<script type="application/ld+json">{"@type":"Article","articleBody":"` + words + `"}</script>`), title: words, text: words},
		"navigation only":                          {capture: page(`<nav><a href="/">Trang chủ</a></nav>`), title: "Trang chủ", text: "Trang chủ"},
	} {
		t.Run(name, func(t *testing.T) {
			it := Item{Capture: tc.capture}
			err := Extracting(Deps{}).Run(t.Context(), &it)
			if tc.fail != "" {
				if err == nil || !strings.HasPrefix(err.Error(), tc.fail) || presswatch.CodeOf(err) != presswatch.Invalid || StageOf(err) != "extract" {
					t.Errorf("err %v, want invalid, %q", err, tc.fail)
				}
				return
			}
			if err != nil || it.Dropped != tc.dropped || it.Doc.Title != tc.title || it.Doc.Text != tc.text {
				t.Errorf("title %q, text %q, dropped %q, err %v; want %q, %q, %q", it.Doc.Title, it.Doc.Text, it.Dropped, err, tc.title, tc.text, tc.dropped)
			}
		})
	}
}

func TestHintsAndAddresses(t *testing.T) {
	day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	const own = `<title>Tin của trang</title><link rel=canonical href="/chinh"><meta name=author content="Lê Na"><meta property="article:published_time" content="2026-11-20T08:00:00+07:00">`
	hints := presswatch.Hints{Title: "Tin của nguồn", Published: day, Byline: []string{"Nguồn"}, Site: "Nguồn", Language: "vi"}
	for name, tc := range map[string]struct {
		head  string
		hints presswatch.Hints
		want  presswatch.Document
	}{
		"the page wins over hints":  {own, hints, presswatch.Document{Title: "Tin của trang", CanonicalURL: "https://bao.example/chinh", Byline: []string{"Lê Na"}, Site: "Nguồn", Published: time.Date(2026, 11, 20, 8, 0, 0, 0, time.FixedZone("", 7*3600))}},
		"hints fill what it lacks":  {"", hints, presswatch.Document{Title: "Tin của nguồn", CanonicalURL: "https://bao.example/a", Byline: []string{"Nguồn"}, Site: "Nguồn", Published: day}},
		"the address to go by":      {own, presswatch.Hints{DocURL: "https://mang.example/post/5?utm_source=x"}, presswatch.Document{Title: "Tin của trang", CanonicalURL: "https://mang.example/post/5", Byline: []string{"Lê Na"}, Published: time.Date(2026, 11, 20, 8, 0, 0, 0, time.FixedZone("", 7*3600))}},
		"the URI of a post":         {"", presswatch.Hints{DocURL: "at://did:plc:abc/app.post/3k", Title: "x"}, presswatch.Document{Title: "x", CanonicalURL: "at://did:plc:abc/app.post/3k"}},
		"a date of the future goes": {`<meta property="article:published_time" content="2099-01-01T00:00:00Z">`, presswatch.Hints{Title: "x"}, presswatch.Document{Title: "x", CanonicalURL: "https://bao.example/a"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := captureFor("https://bao.example/a", []byte(tc.head+"<p>"+words))
			c.Hints, c.Evidence, c.Truncated = tc.hints, "x.warc.gz#12", true
			it := Item{Capture: c}
			if err := Extracting(Deps{}).Run(t.Context(), &it); err != nil {
				t.Fatal(err)
			}
			d := it.Doc
			if d.Title != tc.want.Title || d.CanonicalURL != tc.want.CanonicalURL || !reflect.DeepEqual(d.Byline, tc.want.Byline) || d.Site != tc.want.Site || !d.Published.Equal(tc.want.Published) {
				t.Errorf("got %+v\nwant %+v", d, tc.want)
			}
			if d.ID != presswatch.NewDocID(d.CanonicalURL) || d.Version != presswatch.ContentVersion(d.Title, d.Text) || d.Seq != fetched.UnixMicro() || d.Capture != c.ID || d.Evidence != c.Evidence || !d.Truncated || d.URL != c.URL || d.Source != c.Source || d.Kind != c.Kind {
				t.Errorf("what the capture says is lost: %+v", d)
			}
		})
	}
}

func TestTheSameCaptureGivesTheSameDocument(t *testing.T) {
	c := captureFor("https://bao.example/a", []byte("<title>T</title><p>"+words))
	var first presswatch.Document
	for i, r := range Process(t.Context(), Extracting(Deps{}), []presswatch.Capture{c, c, c}, 3) {
		if i == 0 {
			first = r.Item.Doc
		}
		if r.Err != nil || !reflect.DeepEqual(r.Item.Doc, first) {
			t.Errorf("run %d: %+v, err %v", i, r.Item.Doc, r.Err)
		}
	}
}

func TestStripTails(t *testing.T) {
	tails := []string{"nguồn:", "bình luận ("}
	for name, tc := range map[string]struct{ in, want string }{
		"the last line goes":            {"Một.\n\nNguồn: TTXVN", "Một."},
		"several go":                    {"Một.\n\nNguồn: A\n\nBình luận (3)", "Một."},
		"one in the middle stays":       {"Một.\n\nNguồn: A\n\nHai.", "Một.\n\nNguồn: A\n\nHai."},
		"a long line stays":             {"Một.\n\nNguồn: " + strings.Repeat("dài ", 80), "Một.\n\nNguồn: " + strings.Repeat("dài ", 80)},
		"a text of nothing else stays":  {"Nguồn: A", "Nguồn: A"},
		"a text without them is itself": {"Một.", "Một."},
	} {
		t.Run(name, func(t *testing.T) {
			if got := stripTails(tc.in, tails); got != tc.want {
				t.Errorf("stripTails(%q) = %q, want %q", tc.in, got, tc.want)
			}
		})
	}
}

func TestNormaliseCapsFields(t *testing.T) {
	it := Item{Capture: captureFor("https://bao.example/a", nil), Doc: presswatch.Document{CanonicalURL: "https://bao.example/a",
		Title: strings.Repeat("đ", 5000), Text: strings.Repeat("nước ", 1<<20), Byline: []string{" ", strings.Repeat("x", 999), "Lê\n Na"}, Site: "A\x00B"}}
	if err := NewNormalise().Run(t.Context(), &it); err != nil {
		t.Fatal(err)
	}
	d := it.Doc
	if utf8.RuneCountInString(d.Title) != maxTitle || len(d.Text) > maxText || !d.Truncated || !utf8.ValidString(d.Text) || len(d.Byline) != 2 || len(d.Byline[0]) != maxByline || d.Byline[1] != "Lê Na" || d.Site != "AB" {
		t.Errorf("title %d, text %d, truncated %v, byline %.40q, site %q", len(d.Title), len(d.Text), d.Truncated, d.Byline, d.Site)
	}
}

func TestRunBatch(t *testing.T) {
	dir := t.TempDir()
	gz := func(s string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(s))
		_ = z.Close()
		return b.Bytes()
	}
	for name, body := range map[string][]byte{"a.html": []byte("<title>Tệp</title><p>" + words), "b.html.gz": gz("<title>Nén</title><p>" + words), "bomb.gz": gz(strings.Repeat("a ", 12<<20)), "bad.gz": []byte("this is no archive at all")} {
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	outside := filepath.Join(t.TempDir(), "secret.html")
	if err := os.WriteFile(outside, []byte(words), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link.html")); err != nil {
		t.Fatal(err)
	}
	in := `{"id":"1","url":"https://bao.example/1","html":"<title>Một</title><p>` + words + `","gold":[1,2]}
{"id":"2","url":"https://bao.example/2","file":"a.html"}
{"id":"3","url":"https://bao.example/3","file":"b.html.gz"}
{"id":"4","url":"https://bao.example/4","text":"` + words + `","kind":"post"}
{"id":"5","url":"https://bao.example/5","file":"bomb.gz"}
{"id":"6","url":"https://bao.example/6","file":"../secret.html"}
{"id":"7","url":"https://bao.example/7","file":"link.html"}
{"id":"8","url":"https://bao.example/8","file":"none.html"}
{"id":"9","url":"https://bao.example/9","file":"bad.gz"}
{"id":"10","url":"","html":"x"}
{"id":"11","url":"https://bao.example/11"}
{"id":"12","url":"https://bao.example/12","html":"<script>1</script>"}
{"id":"13","url":"https://bao.example/13","html":"%PDF-1.4"}
`
	var out bytes.Buffer
	ok, bad, err := RunBatch(t.Context(), strings.NewReader(in), &out, Batch{Dir: dir, Workers: 3, Deps: Deps{Now: func() time.Time { return fetched }}})
	if err != nil || ok != 5 || bad != 8 {
		t.Fatalf("ok %d, bad %d, err %v; want 5, 8, nil\n%s", ok, bad, err, out.String())
	}
	got, err := decodeAll[map[string]any](&out)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"Một", "Tệp", "Nén", words} {
		if got[i]["title"] != want || got[i]["text"] != words || got[i]["language"] != "vi" || got[i]["html"] != nil || got[i]["file"] != nil || got[i]["published"] != nil {
			t.Errorf("record %d: %v", i+1, got[i])
		}
	}
	if j, _ := json.Marshal(got[0]["gold"]); string(j) != "[1,2]" || got[3]["kind"] != "post" || got[0]["kind"] != "article" {
		t.Errorf("other fields: %v, kinds %v and %v", got[0]["gold"], got[3]["kind"], got[0]["kind"])
	}
	if n := len(got[4]["text"].(string)); n > maxText {
		t.Errorf("the bomb gave %d bytes", n)
	}
	for i, want := range map[int]string{5: "not inside", 6: "escapes", 7: "no such file", 8: "gzip", 9: "url is empty", 10: "neither html nor file", 11: "no text", 12: "application/pdf"} {
		if s, _ := got[i]["error"].(string); !strings.Contains(s, want) || len(got[i]) != 2 {
			t.Errorf("record %d: %v, want an error with %q", i+1, got[i], want)
		}
	}
	if _, _, err := RunBatch(t.Context(), strings.NewReader(in), &out, Batch{Dir: filepath.Join(dir, "none")}); presswatch.CodeOf(err) != presswatch.NotFound {
		t.Errorf("err %v of a folder that is not there", err)
	}
}

// FuzzExtract: whatever the bytes, the stages end without a panic and give
// valid, normal text, or say what is wrong.
func FuzzExtract(f *testing.F) {
	files, _ := filepath.Glob("testdata/pages/*.html")
	for _, name := range files {
		if b, err := os.ReadFile(name); err == nil && len(b) < 8<<10 {
			f.Add(b, "text/html; charset=utf-8")
		}
	}
	for _, s := range []string{"", "<", "<a", "</", "<!--", "<p>a\x00b\xffc", "<script>", "<title>", "\xff\xfe<\x00p\x00", "<svg><title><p>a", "<table><a><tr><a>b", "<p>e\u0301", "<script type=application/ld+json>{\"@type\":[\"Article\",5],\"author\":{\"name\":{}}}</script>x", "<base href=::><link rel=canonical href='//'>x", "<select><p>x", "<frameset><p>x", "<meta charset=utf-16>x", "<time datetime='99999999999'>x</time>"} {
		f.Add([]byte(s), "text/html")
		f.Add([]byte(s), "text/plain; charset=utf-16")
	}
	chain := Extracting(Deps{})
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		c := captureFor("https://bao.example/tin/a", body)
		c.ContentType = contentType
		it := Item{Capture: c}
		err := chain.Run(t.Context(), &it)
		if err != nil {
			if presswatch.CodeOf(err) != presswatch.Invalid {
				t.Fatalf("err %v", err)
			}
			return
		}
		if it.Dropped != "" {
			return
		}
		for _, s := range append([]string{it.Doc.Title, it.Doc.Text, it.Doc.Site}, it.Doc.Byline...) {
			if !utf8.ValidString(s) || !norm.NFC.IsNormalString(s) || strings.ContainsRune(s, 0) {
				t.Fatalf("not clean: %q", s)
			}
		}
		if strings.Contains(it.Doc.Text, "\n\n\n") || strings.TrimSpace(it.Doc.Text) != it.Doc.Text {
			t.Fatalf("paragraphs are not in order: %q", it.Doc.Text)
		}
	})
}
