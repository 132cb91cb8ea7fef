package evidence

import (
	"bytes"
	stdgzip "compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"presswatch"
)

func zip(s string) string {
	var b bytes.Buffer
	w := stdgzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}

func record(i int, headers, block string) string {
	return fmt.Sprintf("WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: <https://a.example/%d>\r\nWARC-Date: 2026-01-02T03:04:05Z\r\n%sContent-Length: %d\r\n\r\n%s\r\n\r\n",
		i, headers, len(block), block)
}

func html(body string, headers ...string) string {
	return "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + strings.Join(append(headers, ""), "\r\n") + "\r\n" + body
}

// drain reads everything; the result has the last letter of each URL, or "!".
func drain(t *testing.T, r *Reader) (got string, errs []error) {
	t.Helper()
	for range 10_000 {
		rec, err := r.Next()
		if err == io.EOF {
			return got, errs
		}
		if err != nil {
			got, errs = got+"!", append(errs, err)
			if re := (*RecordError)(nil); !errors.As(err, &re) {
				return got, errs
			}
			continue
		}
		got += rec.URL()[len(rec.URL())-1:]
	}
	t.Fatal("the reader does not end")
	return "", nil
}

func TestReaderKeepsEveryWholeRecord(t *testing.T) {
	one, two, three := record(1, "", html("một")), record(2, "", html(random(2))), record(3, "", html("ba"))
	flip := func(s string, at int) string { return s[:at] + string(s[at]^0x55) + s[at+1:] }
	members := zip(one) + zip(two) + zip(three)
	bad := func(header string) string { return "WARC/1.0\r\nWARC-Type: response\r\n" + header + "\r\n\r\n" }
	for name, tc := range map[string]struct{ in, want, say string }{
		"plain":                               {one + two + three, "123", ""},
		"a member a record":                   {members, "123", ""},
		"one big member":                      {zip(one + two + three), "123", ""},
		"members of several records":          {zip(one) + zip(two+three), "123", ""},
		"nothing":                             {"", "", ""},
		"no blank lines at the end":           {strings.TrimSpace(one), "1", ""},
		"line feeds only":                     {strings.ReplaceAll(one, "\r\n\r\nHTTP", "\n\nHTTP"), "1", ""},
		"a continued header line":             {record(1, "WARC-Warning: a\r\n b\r\n", html("x")), "1", ""},
		"plain, cut in the last block":        {one + two + three[:len(three)-10], "12!", fmt.Sprintf("record 3 at byte %d: the file is cut short", len(one)+len(two))},
		"plain, cut in a header":              {one + two[:30], "1!", "cut short"},
		"members, cut in the last":            {members[:len(members)-30], "12!", fmt.Sprintf("record 3 at byte %d: the file is cut short", len(zip(one))+len(zip(two)))},
		"members, cut in the checksum":        {members[:len(members)-2], "12!", "cut short"},
		"members, cut in a header":            {members + zip(one)[:5], "123!", "cut short"},
		"big member, cut":                     {zip(one + two + three)[:700], "1!", "cut short"},
		"a flipped bit in one member":         {zip(one) + flip(zip(two), 300) + zip(three), "1!3", fmt.Sprintf("record 2 at byte %d", len(zip(one)))},
		"a wrong checksum":                    {zip(one) + flip(zip(two), len(zip(two))-6) + zip(three), "1!3", "checksum"},
		"a broken member header":              {zip(one) + flip(zip(two), 0) + zip(three), "1!3", "no gzip member"},
		"junk at the end":                     {members + "junk\x00\x1f\x8b", "123!", "record 4"},
		"plain, a bad length":                 {one + bad("Content-Length: -5") + three, "1!3", "Content-Length \"-5\""},
		"plain, no length":                    {one + bad("A: b") + three, "1!3", "Content-Length \"\""},
		"member with a bad length":            {zip(one) + zip(bad("Content-Length: x")) + zip(three), "1!3", "Content-Length"},
		"plain, a length beyond all bounds":   {one + bad("Content-Length: 99999999999999") + three, "1!3", "the most is"},
		"plain, an endless header line":       {one + bad("X: "+strings.Repeat("a", 2<<20)) + three, "1!3", "header line"},
		"plain, endless header lines":         {one + bad(strings.Repeat("X: a\r\n", 2000)+"Content-Length: 0") + three, "1!3", "header of more"},
		"endless blank lines":                 {zip(one+strings.Repeat("\r\n", 1<<20)) + zip(three), "!3", "blank"},
		"not a WARC file":                     {"<!doctype html>\n<p>Hello\n", "!", "where WARC/1.1 is expected"},
		"a WARC file inside a page is a page": {record(1, "", html(one)), "1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReader(strings.NewReader(tc.in))
			r.File = "x.warc"
			got, errs := drain(t, r)
			if got != tc.want {
				t.Errorf("got %q, want %q; %v", got, tc.want, errs)
			}
			if tc.say != "" && (len(errs) == 0 || !strings.Contains(errs[0].Error(), tc.say) || !strings.HasPrefix(errs[0].Error(), "x.warc: record ")) {
				t.Errorf("errors %v, want one with %q", errs, tc.say)
			}
			for _, err := range errs {
				if c := presswatch.CodeOf(err); c != presswatch.Invalid && c != presswatch.TooLarge {
					t.Errorf("%v has code %s", err, c)
				}
			}
		})
	}
}

func TestAnErrorOfTheDiskIsNotDamage(t *testing.T) {
	broken := errors.New("input/output error")
	for name, in := range map[string]string{"plain": record(1, "", html("a")), "gzip": zip(record(1, "", html("a")))} {
		t.Run(name, func(t *testing.T) {
			r := NewReader(io.MultiReader(strings.NewReader(in), strings.NewReader(in[:len(in)/2]), iotest.ErrReader(broken)))
			if _, err := r.Next(); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := r.Next(); !errors.Is(err, broken) || !presswatch.Retryable(err) {
					t.Errorf("got %v", err)
				}
			}
		})
	}
}

func TestBodiesAreDecoded(t *testing.T) {
	const want = "<p>Nước lũ đang rút, người dân trở về nhà.</p>"
	enc := func(open func(io.Writer) io.WriteCloser, s string) string {
		var b bytes.Buffer
		w := open(&b)
		_, _ = w.Write([]byte(s))
		_ = w.Close()
		return b.String()
	}
	br := func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) }
	deflate := func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }
	zst := func(w io.Writer) io.WriteCloser { z, _ := zstd.NewWriter(w); return z }
	chunked := func(s string) string { return fmt.Sprintf("%x;ext=1\r\n%s\r\n0\r\n\r\n", len(s), s) }
	for name, block := range map[string]string{
		"plain":                                html(want),
		"gzip":                                 html(zip(want), "Content-Encoding: gzip"),
		"brotli":                               html(enc(br, want), "Content-Encoding: br"),
		"deflate with zlib":                    html(enc(deflate, want), "content-encoding: Deflate"),
		"zstd":                                 html(enc(zst, want), "Content-Encoding: zstd"),
		"chunks":                               html(chunked(want), "Transfer-Encoding: chunked"),
		"chunks of gzip":                       html(chunked(zip(want)), "Transfer-Encoding: chunked", "Content-Encoding: gzip"),
		"twice gzip":                           html(zip(zip(want)), "Content-Encoding: gzip, gzip"),
		"the header says chunks, there are no": html(want, "Transfer-Encoding: chunked"),
		"the header says gzip, there is none":  html(want, "Content-Encoding: gzip"),
		"the header says brotli, decoded":      html(want, "Content-Encoding: br"),
		"an unknown encoding":                  html(want, "Content-Encoding: rot13"),
		"line feeds and a line without colon":  "HTTP/1.0 200\nserver\nContent-Type: text/html\n\n" + want,
	} {
		t.Run(name, func(t *testing.T) {
			rec, err := NewReader(strings.NewReader(record(1, "", block))).Next()
			if err != nil {
				t.Fatal(err)
			}
			c, err := rec.Capture()
			if err != nil || string(c.Body) != want || c.Truncated || c.Status != 200 || c.ContentType != "text/html" {
				t.Errorf("%+v, body %q, %v", c, c.Body, err)
			}
			if c.URL != "https://a.example/1" || c.FetchedAt.Format("2006-01-02") != "2026-01-02" {
				t.Errorf("%s %s", c.URL, c.FetchedAt)
			}
		})
	}
}

func TestHostileBodies(t *testing.T) {
	bomb := zip(strings.Repeat("\x00", 40<<20))
	for name, tc := range map[string]struct {
		headers, block string
		length         int // of the body; -1: an error
	}{
		"a bomb is cut":                     {"", html(bomb, "Content-Encoding: gzip"), presswatch.MaxBody},
		"a bomb in a bomb is cut":           {"", html(zip(bomb), "Content-Encoding: gzip, gzip"), presswatch.MaxBody},
		"many encodings are refused":        {"", html("", "Content-Encoding: gzip,gzip,gzip,gzip"), -1},
		"a torn gzip body is an error":      {"", html(zip(random(1))[:500], "Content-Encoding: gzip"), -1},
		"unless the record says it was cut": {"WARC-Truncated: length\r\n", html(zip(random(1))[:500], "Content-Encoding: gzip"), 0},
		"a long plain body is cut":          {"", html(strings.Repeat("x", presswatch.MaxBody+1)), presswatch.MaxBody},
		"a block longer than what is kept":  {"", html(strings.Repeat("x", maxBlock)), presswatch.MaxBody},
		"no HTTP is an error":               {"", "GET / HTTP/1.1\r\n\r\n", -1},
		"a status that is none is an error": {"", "HTTP/1.1 abc\r\n\r\n", -1},
		"an unfinished header is an error":  {"", "HTTP/1.1 200 OK\r\nA: b", -1},
		"endless HTTP headers are an error": {"", html("", strings.Repeat("A: b\r\n", 2000)), -1},
		"bad chunks are an error":           {"", html("5\r\nabcdefgh\r\n", "Transfer-Encoding: chunked"), -1},
	} {
		t.Run(name, func(t *testing.T) {
			rec, err := NewReader(strings.NewReader(record(1, tc.headers, tc.block))).Next()
			if err != nil {
				t.Fatal(err)
			}
			c, err := rec.Capture()
			switch {
			case tc.length < 0 && presswatch.CodeOf(err) != presswatch.Invalid && presswatch.CodeOf(err) != presswatch.TooLarge:
				t.Errorf("got %v", err)
			case tc.length >= 0 && (err != nil || !c.Truncated || len(c.Body) < tc.length || len(c.Body) > presswatch.MaxBody):
				t.Errorf("%d bytes, truncated %v, %v", len(c.Body), c.Truncated, err)
			}
		})
	}
}

func TestADamagedCaptureOfOursIsFoundOut(t *testing.T) {
	e := newEncoder()
	b, err := e.capture(page(1, "<p>đúng</p>"))
	if err != nil {
		t.Fatal(err)
	}
	zr, _ := stdgzip.NewReader(bytes.NewReader(b))
	plain, _ := io.ReadAll(zr)
	forged := bytes.Replace(plain, []byte("<p>đúng"), []byte("<p>sai!!!"), 1)
	rec, err := NewReader(bytes.NewReader(forged)).Next()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rec.Capture(); err == nil || !strings.Contains(err.Error(), "digest") {
		t.Errorf("got %v", err)
	}
}

// TestAnotherReaderAgrees has warcio read and check what Store writes.
func TestAnotherReaderAgrees(t *testing.T) {
	python := os.Getenv("PRESSWATCH_WARCIO_PYTHON")
	if python == "" {
		python = "python3"
	}
	if out, err := exec.Command(python, "-c", "import warcio").CombinedOutput(); err != nil {
		t.Skipf("NOT PROVED with warcio: set PRESSWATCH_WARCIO_PYTHON to a python that has it (%v: %.200s)", err, out)
	}
	dir := t.TempDir()
	s := open(t, dir, 0)
	for i := range 20 {
		write(t, s, page(i, fmt.Sprintf("<p>trang %d</p>", i)))
	}
	imported := page(20, "<p>tệp</p>")
	imported.Status = 0
	write(t, s, imported)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	const script = `
import sys
from warcio.archiveiterator import ArchiveIterator
types = {}
with open(sys.argv[1], 'rb') as f:
    for r in ArchiveIterator(f, check_digests='raise'):
        types[r.rec_type] = types.get(r.rec_type, 0) + 1
        body = r.content_stream().read()
        if r.rec_type == 'response':
            assert r.http_headers.get_statuscode() == '200', r.http_headers
            assert body.decode('utf-8').startswith('<p>trang '), body
            assert r.http_headers.get_header('Injected') is None
            assert r.digest_checker.passed, r.digest_checker.problems
print(types)
`
	out, err := exec.Command(python, "-c", script, files(t, dir)[0]).CombinedOutput()
	if want := "{'warcinfo': 1, 'response': 20, 'resource': 1}\n"; err != nil || string(out) != want {
		t.Errorf("warcio says %s (%v), want %s", out, err, want)
	}
}

func FuzzReader(f *testing.F) {
	one := record(1, "", html(zip("một"), "Content-Encoding: gzip"))
	f.Add([]byte(one + record(2, "", html("3\r\nabc\r\n0\r\n\r\n", "Transfer-Encoding: chunked"))))
	f.Add([]byte(zip(one) + zip(one)))
	b, _ := newEncoder().capture(page(1, "x"))
	f.Add(b)
	f.Fuzz(func(t *testing.T, in []byte) {
		r := NewReader(bytes.NewReader(in))
		for n := 1; ; n++ {
			rec, err := r.Next()
			if err == io.EOF {
				return
			}
			if n > len(in)+1 {
				t.Fatal("more records than bytes")
			}
			if re := (*RecordError)(nil); errors.As(err, &re) {
				if re.N != n || re.Offset < 0 || re.Offset > int64(len(in)) {
					t.Fatalf("record %d: %v", n, err)
				}
				continue
			}
			if err != nil || rec.N != n {
				t.Fatalf("record %d as %d: %v", n, rec.N, err)
			}
			if c, err := rec.Capture(); err == nil && len(c.Body) > presswatch.MaxBody {
				t.Fatal("a body beyond the cap")
			}
		}
	})
}
