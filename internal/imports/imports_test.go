package imports

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"presswatch"
	"presswatch/internal/evidence"
)

var (
	changed = time.Date(2026, 3, 1, 8, 30, 0, 0, time.UTC)
	opts    = Options{Now: func() time.Time { return changed.AddDate(0, 1, 0) }}
)

// put writes files below a new folder, all changed at the same time; names
// ending in .gz are compressed.
func put(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		p := filepath.Join(dir, name)
		if strings.HasSuffix(name, ".gz") {
			content = zip(content)
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, []byte(content), 0o644), os.Chtimes(p, changed, changed)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func zip(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, s)
	_ = w.Close()
	return b.String()
}

// all reads every item; every capture of them is valid and every Pos greater
// than the one before.
func all(t *testing.T, path string, o Options) (items []Item) {
	t.Helper()
	r, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	pos := o.From
	for {
		it, err := r.Next(t.Context())
		if err == io.EOF {
			if done, total := r.Size(); done != total || total == 0 {
				t.Errorf("at the end %d of %d bytes are done", done, total)
			}
			return items
		}
		if err != nil {
			t.Fatal(err)
		}
		if it.Pos <= pos {
			t.Errorf("position %d follows %d", it.Pos, pos)
		}
		if pos = it.Pos; it.Err == nil {
			if err := it.Capture.Validate(); err != nil {
				t.Error(err)
			}
		}
		items = append(items, it)
	}
}

// sum is one word an item: the last piece of the address, or the error.
func sum(items []Item) (out []string) {
	for _, it := range items {
		if it.Err != nil {
			out = append(out, "! "+it.Err.Error())
			continue
		}
		out = append(out, it.Capture.URL[strings.LastIndex(it.Capture.URL, "/")+1:])
	}
	return out
}

// same compares item by item; what begins with "!" need only occur in the error.
func same(t *testing.T, items []Item, want ...string) {
	t.Helper()
	got := sum(items)
	if len(got) != len(want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	for i := range got {
		if say, bad := strings.CutPrefix(want[i], "! "); bad != strings.HasPrefix(got[i], "! ") || !strings.Contains(got[i], say) {
			t.Errorf("item %d: got %q, want %q", i, got[i], want[i])
		}
	}
}

func TestJSONLines(t *testing.T) {
	small := opts
	small.maxLine = 64 << 10
	long := `{"url":"https://a.example/long","text":"` + strings.Repeat("x", small.maxLine) + `"}`
	for name, tc := range map[string]struct {
		in   string
		want []string
	}{
		"html, text, empty lines, no end of line": {
			"\ufeff" + `{"url":"https://a.example/1","html":"<p>một"}` + "\n\n  \r\n" + `{"url":"https://a.example/2","text":"hai"}`, []string{"1", "2"}},
		"bad lines are named, the rest goes on": {
			"{\"url\":\n[1]\n" + `{"text":"x"}` + "\n" + `{"url":"https://a.example/4"}` + "\n" + `{"url":"https://a.example/5","text":"x"}` + "\nnull\n",
			[]string{"! x.jsonl:1: not a JSON", "! x.jsonl:2: not a JSON", "! x.jsonl:3: url: missing", "! x.jsonl:4: one of html, text and file", "5", "! x.jsonl:6: url"}},
		"addresses that are none": {
			`{"url":"javascript:alert(1)","text":"x"}` + "\n" + `{"url":"http://","text":"x"}` + "\n" + `{"url":"http://a b/","text":"x"}` + "\n" + `{"url":7,"text":"x"}`,
			[]string{"! :1: url", "! :2: url", "! :3: url", "! :4: not a JSON"}},
		"an endless line":         {long + "\n" + `{"url":"https://a.example/2","text":"x"}`, []string{"! :1: too long", "2"}},
		"an endless last line":    {long, []string{"! :1: too long"}},
		"a bad source":            {`{"url":"https://a.example/1","text":"x","source":"../etc"}`, []string{"! :1: source"}},
		"a bad fetched_at":        {`{"url":"https://a.example/1","text":"x","fetched_at":"today"}`, []string{"! :1: fetched_at"}},
		"odd hints do not matter": {`{"url":"https://a.example/1","text":"x","date":"yesterday","author":{"a":1},"title":[],"lang":null}`, []string{"1"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, file := range []string{"x.jsonl", "y/x.jsonl.gz", "x.ndjson", "noending"} {
				dir := put(t, map[string]string{file: tc.in})
				if file == "noending" && !strings.HasPrefix(strings.TrimPrefix(tc.in, bom), "{") {
					continue
				}
				want := tc.want
				if !strings.HasSuffix(file, ".jsonl") {
					want = nil
					for _, w := range tc.want {
						want = append(want, strings.Replace(w, "x.jsonl:", ":", 1))
					}
				}
				same(t, all(t, filepath.Join(dir, file), small), want...)
			}
		})
	}
}

func TestJSONFields(t *testing.T) {
	line := `{"id":"7","url":"https://a.example/1","html":"<p>trang","text":"not this","title":" Tin mới ","language":"vi",
		"published":"2026-02-28T07:00:00+07:00","byline":["Lê Hoa",""," Trần An "],"site":"Báo A","kind":"post","source":"bao-a",
		"fetched_at":1767225600,"gold":"the answer","with":["x"],"without":["y"]}`
	dir := put(t, map[string]string{"x.jsonl": strings.ReplaceAll(line, "\n", " ")})
	c := all(t, filepath.Join(dir, "x.jsonl"), opts)[0].Capture
	got, _ := json.Marshal(c)
	want := `{"id":"` + c.ID + `","source":"bao-a","kind":"post","url":"https://a.example/1","content_type":"text/html; charset=utf-8",` +
		`"fetched_at":"2026-01-01T00:00:00Z","hints":{"title":"Tin mới","language":"vi","published":"2026-02-28T00:00:00Z",` +
		`"byline":["Lê Hoa","Trần An"],"site":"Báo A","doc_url":"https://a.example/1"}}`
	if string(got) != want || string(c.Body) != "<p>trang" {
		t.Errorf("got  %s %q\nwant %s", got, c.Body, want)
	}
}

func TestFilesOfJSONStayInside(t *testing.T) {
	dir := put(t, map[string]string{
		"in/a.html": "<p>a", "in/sub/b.html.gz": "<p>b", "in/c.txt": "c", "out.html": "secret",
		"in/broken.html.gz": "x", "in/bomb.html.gz": strings.Repeat("\x00", presswatch.MaxBody+5),
		"in/x.jsonl": strings.Join([]string{
			`{"url":"https://a.example/1","file":"a.html"}`, `{"url":"https://a.example/2","file":"sub/b.html.gz"}`,
			`{"url":"https://a.example/3","file":"c.txt"}`, `{"url":"https://a.example/4","file":"../out.html"}`,
			`{"url":"https://a.example/5","file":"link.html"}`, `{"url":"https://a.example/6","file":"none.html"}`,
			`{"url":"https://a.example/7","file":"sub"}`, `{"url":"https://a.example/8","file":"broken.html.gz"}`,
			`{"url":"https://a.example/9","file":"/etc/passwd"}`, `{"url":"https://a.example/10","file":"bomb.html.gz"}`,
		}, "\n"),
	})
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "in/broken.html.gz"), []byte("no gzip"), 0o644), os.Symlink("../out.html", filepath.Join(dir, "in/link.html"))); err != nil {
		t.Fatal(err)
	}
	items := all(t, filepath.Join(dir, "in/x.jsonl"), opts)
	same(t, items, "1", "2", "3", "! :4: file", "! :5: file", "! :6: file", "! :7: file", "! :8: file", "! :9: file", "10")
	for i, want := range []string{"<p>a", "<p>b", "c"} {
		c := items[i].Capture
		if string(c.Body) != want || !c.FetchedAt.Equal(changed) || c.Truncated || (i == 2) != (c.ContentType == "text/plain") {
			t.Errorf("%+v %q", c, c.Body)
		}
	}
	if c := items[9].Capture; !c.Truncated || len(c.Body) != presswatch.MaxBody {
		t.Errorf("a bomb gave %d bytes, truncated %v", len(c.Body), c.Truncated)
	}
}

func TestCSV(t *testing.T) {
	small := opts
	small.maxLine = 64 << 10
	for name, tc := range map[string]struct {
		in   string
		want []string
	}{
		"comma, any case, mark":     {"\ufeffTitle, URL ,Text\nmột,https://a.example/1,x\n", []string{"1"}},
		"semicolon, line feeds":     {"url;html\r\nhttps://a.example/1;\"<p>a\r\n;b\"\r\nhttps://a.example/2;x\r\n", []string{"1", "2"}},
		"tab":                       {"url\ttext\nhttps://a.example/1\ta, b; c\n", []string{"1"}},
		"quoted header with commas": {"\"url\";\"a,b,c\";\"text\"\nhttps://a.example/1;x;y\n", []string{"1"}},
		"bad rows are named":        {"url,text\na\nhttps://a.example/3,x\n,x\nhttps://a.example/5,\n\nhttps://a.example/7,\"a\"b\nhttps://a.example/8,x\n", []string{"! :2: 1 columns, the header has 2", "3", "! :4: url: missing", "! :5: neither text nor html", "! :7: column", "8"}},
		"a row behind a long one":   {"url,text\nhttps://a.example/2,\"a\nb\nc\"\nbad\nhttps://a.example/6,x", []string{"2", "! :5: 1 columns", "6"}},
		"a quote never closed":      {"url,text\nhttps://a.example/2,x\nhttps://a.example/3,\"oh\nhttps://a.example/4,x\nhttps://a.example/5,x", []string{"2", "! :3: a quote is opened and never closed", "4", "5"}},
		"endless quoted text":       {"url,text\nhttps://a.example/2,\"oh\n" + strings.Repeat(strings.Repeat("y", 4<<10)+"\n", 17) + "https://a.example/9,x", append([]string{"! :2: a quote"}, append(repeat("! 1 columns", 17), "9")...)},
		"an endless line":           {"url,text\n" + strings.Repeat("y", small.maxLine+1) + "\nhttps://a.example/3,x", []string{"! :2: too long", "3"}},
		"only a header":             {"url,text\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, file := range []string{"x.csv", "x.csv.gz"} {
				same(t, all(t, filepath.Join(put(t, map[string]string{file: tc.in}), file), small), tc.want...)
			}
		})
	}
}

func TestALineIsBoundedAt32MiB(t *testing.T) {
	dir := put(t, map[string]string{"x.jsonl": `{"url":"https://a.example/1","text":"` + strings.Repeat("x", maxLine) + "\"}\n" + `{"url":"https://a.example/2","text":"x"}`})
	same(t, all(t, filepath.Join(dir, "x.jsonl"), opts), "! :1: too long: more than 33554432 bytes", "2")
}

func repeat(s string, n int) (out []string) {
	for range n {
		out = append(out, s)
	}
	return out
}

func TestWhatCannotBeImportedSaysWhy(t *testing.T) {
	dir := put(t, map[string]string{
		"no-url.csv": "address,text\nx,y\n", "no-text.csv": "url,body\nx,y\n", "empty.csv": "", "quote.csv": "url,\"text\n",
		"x.pdf": "%PDF", "bad.csv.gz": "", "blob": "\x00\x01",
	})
	if err := os.WriteFile(filepath.Join(dir, "bad.csv.gz"), []byte("\x1f\x8bnot gzip at all"), 0o644); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"no-url.csv": `the column "url" is missing; found address, text`, "no-text.csv": `a column "text" or "html" is missing; found url, body`,
		"empty.csv": "empty", "quote.csv": "quote", "x.pdf": "not a kind of file", "bad.csv.gz": "gzip", "blob": "not a kind of file", "none.csv": "no such file",
	} {
		_, err := Open(filepath.Join(dir, file), opts)
		if c := presswatch.CodeOf(err); err == nil || !strings.Contains(err.Error(), want) || c != presswatch.Invalid && c != presswatch.NotFound {
			t.Errorf("%s: %v (%s), want %q", file, err, c, want)
		}
	}
}

func TestATornGzipKeepsItsGoodPart(t *testing.T) {
	var json, csv strings.Builder
	csv.WriteString("url,text\n")
	for i := range 2000 {
		fmt.Fprintf(&json, "{\"url\":\"https://a.example/%d\",\"text\":\"%x\"}\n", i, i*i*7919)
		fmt.Fprintf(&csv, "https://a.example/%d,%x\n", i, i*i*7919)
	}
	for name, content := range map[string]string{"x.jsonl.gz": zip(json.String()), "x.csv.gz": zip(csv.String())} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content[:len(content)*2/3]), 0o644); err != nil {
				t.Fatal(err)
			}
			items := all(t, filepath.Join(dir, name), opts)
			last := items[len(items)-1]
			if len(items) < 500 || last.Err == nil || !strings.Contains(last.Err.Error(), "damaged behind this line") {
				t.Errorf("%d items, the last: %v", len(items), last.Err)
			}
			o := opts
			if o.From = last.Pos; len(all(t, filepath.Join(dir, name), o)) != 0 {
				t.Error("behind the damage there is something more")
			}
			for i, it := range items[:len(items)-1] {
				if it.Err != nil || !strings.HasSuffix(it.Capture.URL, fmt.Sprint("/", i)) {
					t.Fatalf("item %d: %s %v", i, it.Capture.URL, it.Err)
				}
			}
		})
	}
}

func warcRecord(kind, url, ctype, block string) string {
	return fmt.Sprintf("WARC/1.1\r\nWARC-Type: %s\r\nWARC-Target-URI: %s\r\nWARC-Date: 2026-01-02T03:04:05Z\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n", kind, url, ctype, len(block), block)
}

func TestWARCGivesItsPages(t *testing.T) {
	const msg = "application/http; msgtype=response"
	recs := []string{
		warcRecord("warcinfo", "", "application/warc-fields", "software: x"),
		warcRecord("request", "https://a.example/1", "application/http; msgtype=request", "GET / HTTP/1.1\r\n\r\n"),
		warcRecord("response", "https://a.example/1", msg, "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>một"),
		warcRecord("response", "https://a.example/x.png", msg, "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\nPNG"),
		warcRecord("response", "https://a.example/moved", msg, "HTTP/1.1 301 Moved\r\nContent-Type: text/html\r\n\r\nmoved"),
		warcRecord("response", "https://a.example/sniffed", msg, "HTTP/1.1 200 OK\r\n\r\n<!doctype html><p>hai"),
		warcRecord("response", "https://a.example/bad", msg, "not HTTP"),
		warcRecord("response", "dns:a.example", "text/dns", "1.2.3.4"),
		warcRecord("resource", "https://a.example/note", "text/plain", "ba"),
		warcRecord("resource", "metadata://x/y", "text/plain", "no page"),
		warcRecord("response", "https://a.example/last", msg, "HTTP/1.1 200 OK\r\nContent-Type: application/xhtml+xml\r\n\r\n<p>bốn"),
	}
	plain := strings.Join(recs, "")
	var members string
	for _, r := range recs {
		members += zip(r)
	}
	for name, tc := range map[string]struct {
		file, in string
		want     []string
	}{
		"plain":                     {"x.warc", plain, []string{"1", "sniffed", "! record 7 at byte", "note", "last"}},
		"gzip, by its content":      {"x", members, []string{"1", "sniffed", "! record 7 at byte", "note", "last"}},
		"cut: the good part stays":  {"x.warc.gz", members[:len(members)-20], []string{"1", "sniffed", "! record 7", "note", "! record 11 at byte"}},
		"one member, cut":           {"x.warc.gz", zip(plain)[:len(zip(plain))-30], []string{"1", "sniffed", "! record 7", "note", "! record 11 at byte"}},
		"no WARC under such a name": {"x.warc", "<p>hello\n", []string{"! WARC/1.1 is expected"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := filepath.Join(t.TempDir(), tc.file)
			if err := os.WriteFile(p, []byte(tc.in), 0o644); err != nil {
				t.Fatal(err)
			}
			items := all(t, p, opts)
			same(t, items, tc.want...)
			for _, it := range items {
				if it.Err != nil && !strings.Contains(it.Err.Error(), tc.file) {
					t.Errorf("%v does not name the file", it.Err)
				}
			}
			if c := items[0].Capture; c.URL != "" && (c.Source != DefaultSource || c.FetchedAt.Day() != 2 || string(c.Body) != "<p>một" || c.Hints.DocURL != "") {
				t.Errorf("%+v", c)
			}
		})
	}
}

func TestOurOwnEvidenceComesBackAsItWas(t *testing.T) {
	dir := t.TempDir()
	s, err := evidence.OpenStore(dir, evidence.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := presswatch.Capture{ID: "c1", Source: "mxh", Kind: presswatch.Post, URL: "https://social.example/p/1", FetchedAt: changed, ContentType: "application/json", Body: []byte(`{}`)}
	if _, err := s.Write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	names, _ := filepath.Glob(filepath.Join(dir, "*"))
	items := all(t, names[0], Options{Source: "other"})
	if len(items) != 1 || items[0].Capture.ID != "c1" || items[0].Capture.Source != "mxh" || items[0].Capture.Kind != presswatch.Post {
		t.Errorf("%+v", items)
	}
}

func TestFolder(t *testing.T) {
	dir := put(t, map[string]string{
		"b/2.HTM": "<p>hai", "a/1.html": "<p>một", "a/3.html.gz": "<p>ba", "a/style.css": "x", "a/note.txt": "x", "empty.html": " \n",
		"saved.html": "<!DOCTYPE html>\n<!-- saved from url=(0024)https://a.example/saved -->\n<p>bốn", "z.html.gz": "x",
	})
	out := put(t, map[string]string{"secret.html": "secret"})
	if err := errors.Join(
		os.WriteFile(filepath.Join(dir, "z.html.gz"), []byte("no gzip"), 0o644),
		os.Symlink(filepath.Join(out, "secret.html"), filepath.Join(dir, "c-out.html")),
		os.Symlink(out, filepath.Join(dir, "d-out")),
		os.Symlink("b/2.HTM", filepath.Join(dir, "e-in.html")),
	); err != nil {
		t.Fatal(err)
	}
	items := all(t, dir, opts)
	same(t, items, "1.html", "3.html.gz", "2.HTM", "! c-out.html", "e-in.html", "! empty.html: the file is empty", "saved", "! z.html.gz")
	if c := items[1].Capture; string(c.Body) != "<p>ba" || c.URL != "file://"+dir+"/a/3.html.gz" || !c.FetchedAt.Equal(changed) {
		t.Errorf("%+v %q", c, c.Body)
	}
}

func TestAnImportGoesOnWhereItStopped(t *testing.T) {
	rec := func(i int) string {
		return warcRecord("response", fmt.Sprint("https://a.example/", i), "application/http", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>x")
	}
	dir := put(t, map[string]string{
		"x.jsonl": "{\"url\":\"https://a.example/1\",\"text\":\"x\"}\n\nbad\n{\"url\":\"https://a.example/2\",\"text\":\"x\"}\n",
		"x.csv":   "url,text\nhttps://a.example/1,\"x\ny\"\nbad\nhttps://a.example/2,\"x\nhttps://a.example/3,x\n",
		"x.warc":  rec(1) + "junk\r\n" + rec(2) + rec(3), "y.warc.gz": rec(1) + rec(2) + rec(3),
		"f/1.html": "<p>1", "f/2.html": "<p>2", "f/3.html": " ", "f/4.html": "<p>4",
	})
	for _, name := range []string{"x.jsonl", "x.csv", "x.warc", "y.warc.gz", "f"} {
		t.Run(name, func(t *testing.T) {
			p := filepath.Join(dir, name)
			whole := all(t, p, opts)
			for i, it := range whole {
				o := opts
				o.From = it.Pos
				rest := all(t, p, o)
				if a, b := fmt.Sprint(sum(rest)), fmt.Sprint(sum(whole[i+1:])); a != b {
					t.Errorf("behind item %d: %s, want %s", i, a, b)
				}
			}
		})
	}
}

func TestReadingAgainGivesTheSameCaptures(t *testing.T) {
	dir := put(t, map[string]string{"x.jsonl": `{"url":"https://a.example/1","text":"x"}`, "a.html": "<p>x", "x.csv": "url,text\nhttps://a.example/1,x"})
	for _, p := range []string{dir, filepath.Join(dir, "x.jsonl"), filepath.Join(dir, "x.csv")} {
		one, two := all(t, p, opts), all(t, p, Options{})
		if one[0].Capture.ID != two[0].Capture.ID || !one[0].Capture.FetchedAt.Equal(changed) {
			t.Errorf("%s: %v and %v", p, one[0].Capture, two[0].Capture)
		}
	}
}

func TestNothingWasFetchedInTheFuture(t *testing.T) {
	dir := put(t, map[string]string{"x.jsonl": `{"url":"https://a.example/1","text":"x","fetched_at":"2099-01-01"}`})
	if got := all(t, filepath.Join(dir, "x.jsonl"), opts)[0].Capture.FetchedAt; !got.Equal(opts.Now()) {
		t.Errorf("fetched at %s", got)
	}
}

func TestACancelledImportStops(t *testing.T) {
	dir := put(t, map[string]string{"x.jsonl": `{}`, "x.csv": "url,text\na,b", "x.warc": "x", "f/a.html": "x"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, name := range []string{"x.jsonl", "x.csv", "x.warc", "f"} {
		r, err := Open(filepath.Join(dir, name), opts)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Next(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestTimes(t *testing.T) {
	for in, want := range map[string]string{
		"2026-02-28T07:00:00+07:00": "2026-02-28T00:00:00Z", "2026-02-28": "2026-02-28T00:00:00Z", "2026-02-28 07:30": "2026-02-28T07:30:00Z",
		"1767225600": "2026-01-01T00:00:00Z", "1767225600000": "2026-01-01T00:00:00Z", "1767225600.5": "2026-01-01T00:00:00.5Z",
		"Sat, 28 Feb 2026 07:00:00 +0700": "2026-02-28T00:00:00Z", "": "", "NaN": "", "Inf": "", "-5": "", "1e300": "", "28/2/2026": "",
	} {
		got, ok := parseTime(in)
		if ok != (want != "") || ok && got.Format(time.RFC3339Nano) != want {
			t.Errorf("%q: %v %v, want %s", in, got, ok, want)
		}
	}
}

// TestTheSharedPages reads the 853 real pages of the labelled set.
func TestTheSharedPages(t *testing.T) {
	shared := os.Getenv("PRESSWATCH_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	path := filepath.Join(shared, "data", "pages", "pages.jsonl")
	if _, err := os.Stat(path); err != nil {
		t.Skip("SKIPPED: the shared data is not here; set PRESSWATCH_SHARED:", err)
	}
	docs := map[string]bool{}
	for _, it := range all(t, path, Options{}) {
		if it.Err != nil {
			t.Error(it.Err)
		}
		docs[it.Capture.Hints.DocURL] = true
	}
	if len(docs) != 853 {
		t.Errorf("%d documents, want 853", len(docs))
	}
}

func FuzzLinesAndRows(f *testing.F) {
	f.Add("url,text\nhttps://a.example/1,\"a\nb\"\n")
	f.Add("url;html\n\"\n\n\"\"\"\n")
	f.Fuzz(func(t *testing.T, in string) {
		dir := t.TempDir()
		for _, name := range []string{"x.csv", "x.jsonl"} {
			p := filepath.Join(dir, name)
			if err := os.WriteFile(p, []byte(in), 0o644); err != nil {
				t.Fatal(err)
			}
			r, err := Open(p, opts)
			if err != nil {
				continue
			}
			pos := int64(-1)
			for {
				it, err := r.Next(t.Context())
				if err == io.EOF {
					break
				}
				if err != nil || it.Pos <= pos || it.Pos > int64(strings.Count(in, "\n"))+1 {
					t.Fatalf("%s: position %d behind %d: %v", name, it.Pos, pos, err)
				}
				pos = it.Pos
			}
			r.Close()
		}
	})
}
