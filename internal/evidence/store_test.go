package evidence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"presswatch"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 123456000, time.UTC)

func page(i int, body string) presswatch.Capture {
	c := presswatch.Capture{
		Source: "bao-song-hong", Kind: presswatch.Article,
		URL:      fmt.Sprintf("https://news.example/bài-%d.html?a=1&b=<2>", i),
		FinalURL: fmt.Sprintf("https://news.example/final/%d", i),
		Status:   200,
		Header: map[string][]string{
			"Content-Type":      {"text/html; charset=utf-8"},
			"Content-Encoding":  {"gzip"},
			"Content-Length":    {"17"},
			"Transfer-Encoding": {"chunked"},
			"Set-Cookie":        {"a=1", "b=2"},
			"X-Odd":             {"one\r\nInjected: yes"},
			"Bad Name:":         {"kept, but not in the HTTP header"},
		},
		ContentType: "text/html; charset=utf-8",
		FetchedAt:   noon.Add(time.Duration(i) * time.Second),
		Hints:       presswatch.Hints{Title: "Tin\n\"mới\" \u2028", Language: "vi", Published: noon, Byline: []string{"Lê Thị Hoa"}, DocURL: "https://news.example/doc"},
		Body:        []byte(body),
	}
	c.ID = presswatch.NewCaptureID(c.Source, c.URL, c.FetchedAt, c.Body)
	return c
}

func open(t *testing.T, dir string, max int64) *Store {
	t.Helper()
	s, err := OpenStore(dir, Options{MaxFile: max, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func write(t *testing.T, s *Store, c presswatch.Capture) string {
	t.Helper()
	ref, err := s.Write(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.warc.gz"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestReadGivesBackWhatWasWritten(t *testing.T) {
	s := open(t, t.TempDir(), 0)
	imported := page(2, "<p>tệp</p>")
	imported.Status, imported.Header, imported.FinalURL = 0, nil, ""
	noType := imported
	noType.ContentType, noType.Kind = "", presswatch.Post
	long := page(3, strings.Repeat("x", presswatch.MaxBody))
	long.Truncated = true
	odd := page(4, "")
	odd.URL, odd.FinalURL = "https://news.example/a b\r\nWARC-Type: evil", ""
	for name, c := range map[string]presswatch.Capture{
		"a page":                          page(1, "<p>xin chào</p>"),
		"an empty body":                   page(1, ""),
		"an import, where no HTTP was":    imported,
		"a post without a content type":   noType,
		"a body of the greatest length":   long,
		"an address that breaks the line": odd,
		"a body that looks like a record": page(5, "\r\n\r\nWARC/1.1\r\nContent-Length: 5\r\n\r\nabc"),
	} {
		t.Run(name, func(t *testing.T) {
			ref := write(t, s, c)
			got, err := s.Read(ref)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(c.Body, got.Body) {
				t.Errorf("a body of %d bytes came back with %d", len(c.Body), len(got.Body))
			}
			c.Evidence, c.Body, got.Body = ref, nil, nil
			if d := cmp.Diff(c, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestWriteRefusesWhatIsNoCapture(t *testing.T) {
	s := open(t, t.TempDir(), 0)
	big := page(1, "")
	big.Header = map[string][]string{"X": {strings.Repeat("a", maxHeader)}}
	noTime := page(1, "")
	noTime.FetchedAt = time.Time{}
	for name, tc := range map[string]struct {
		c    presswatch.Capture
		want presswatch.Code
	}{
		"no time":         {noTime, presswatch.Invalid},
		"endless headers": {big, presswatch.TooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := s.Write(t.Context(), tc.c); presswatch.CodeOf(err) != tc.want {
				t.Errorf("got %v, want code %s", err, tc.want)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Write(ctx, page(1, "")); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context: got %v", err)
	}
}

func TestReadRefusesRefsThatLeaveTheFolder(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "in"), 0)
	ref := write(t, s, page(1, "x"))
	outside := filepath.Join(dir, "out.warc.gz")
	data, _ := os.ReadFile(files(t, filepath.Join(dir, "in"))[0])
	if err := os.WriteFile(outside, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "in", "link.warc.gz")); err != nil {
		t.Fatal(err)
	}
	name, _, _ := strings.Cut(ref, "#")
	for ref, want := range map[string]presswatch.Code{
		"":                   presswatch.Invalid,
		"x.warc.gz":          presswatch.Invalid,
		name + "#-1":         presswatch.Invalid,
		name + "#1e3":        presswatch.Invalid,
		"../out.warc.gz#0":   presswatch.Invalid,
		outside + "#0":       presswatch.Invalid,
		"link.warc.gz#0":     presswatch.Unavailable,
		"none.warc.gz#0":     presswatch.NotFound,
		name + "#9999999999": presswatch.NotFound,
		name + "#1":          presswatch.Invalid, // not where a record begins
		name + "#0":          presswatch.Invalid, // warcinfo is no page
	} {
		if _, err := s.Read(ref); presswatch.CodeOf(err) != want {
			t.Errorf("Read(%q): %v, want code %s", ref, err, want)
		}
	}
}

func TestManyWritersShareAFolder(t *testing.T) {
	dir := t.TempDir()
	const writers, each = 8, 40
	stores := []*Store{open(t, dir, 20_000), open(t, dir, 20_000)}
	refs := make([][]string, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			s := stores[w%2]
			for i := range each {
				ref, err := s.Write(t.Context(), page(w*each+i, random(w*each+i)))
				if err != nil {
					t.Error(err)
				}
				refs[w] = append(refs[w], ref)
				if i%10 == 0 {
					if err := s.Sync(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for w := range writers {
		for i, ref := range refs[w] {
			c, err := stores[(w+1)%2].Read(ref)
			if err != nil || string(c.Body) != random(w*each+i) || seen[ref] {
				t.Fatalf("writer %d, capture %d at %s: %v", w, i, ref, err)
			}
			seen[ref] = true
		}
	}
	names := files(t, dir)
	if len(names) < 10 {
		t.Errorf("%d files of 20 kB hold %d records", len(names), len(seen))
	}
	for _, n := range names {
		if st, _ := os.Stat(n); st.Size() > 25_000 {
			t.Errorf("%s has %d bytes", n, st.Size())
		}
	}
}

// random is a body of 1 kB that does not compress and depends on i only.
func random(i int) string {
	r := rand.New(rand.NewPCG(1, uint64(i)))
	b := make([]byte, 1000)
	for j := range b {
		b[j] = byte(r.Uint32())
	}
	return string(b)
}

func TestATornTailIsLeftBehind(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 0)
	first, second := write(t, s, page(1, random(1))), write(t, s, page(2, random(2)))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	torn := files(t, dir)[0]
	st, _ := os.Stat(torn)
	if err := os.Truncate(torn, st.Size()-100); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, 0)
	third := write(t, s, page(3, random(3)))
	for _, ref := range []string{first, third} {
		if _, err := s.Read(ref); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Read(second); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the torn record: %v", err)
	}
	if n := len(files(t, dir)); n != 2 {
		t.Errorf("%d files, want the torn one and a new one", n)
	}
}

func TestAFailedWriteKeepsTheFileWhole(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 0)
	write(t, s, page(1, "one"))
	good := s.file
	bad, err := os.Open(good.Name()) // read-only: every write fails
	if err != nil {
		t.Fatal(err)
	}
	defer bad.Close()
	s.file = bad
	if _, err := s.Write(t.Context(), page(2, "two")); !presswatch.Retryable(err) {
		t.Errorf("got %v, want Unavailable", err)
	}
	s.file = good
	ref := write(t, s, page(3, "three"))
	if c, err := s.Read(ref); err != nil || string(c.Body) != "three" {
		t.Errorf("%q %v", c.Body, err)
	}
}

func TestAFailedSyncStaysFailed(t *testing.T) {
	s := open(t, t.TempDir(), 0)
	write(t, s, page(1, "one"))
	if err := s.file.Close(); err != nil { // the next fsync fails
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Sync(); !presswatch.Retryable(err) {
			t.Errorf("got %v, want Unavailable", err)
		}
	}
}

func TestSyncAndCloseWithoutWritesMakeNoFile(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 0)
	if err := errors.Join(s.Sync(), s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if n := len(files(t, dir)); n != 0 {
		t.Errorf("%d files", n)
	}
	if _, err := s.Write(t.Context(), page(1, "")); err == nil {
		t.Error("a closed store took a record")
	}
}

func TestARecordHasTheSameIDWhereverItIsWritten(t *testing.T) {
	if a, b := RecordID("c1"), RecordID("c2"); a == b || a != RecordID("c1") || len(a) != len("<urn:uuid:00000000-0000-8000-8000-000000000000>") {
		t.Errorf("%s %s", a, b)
	}
}

func BenchmarkWrite(b *testing.B) {
	s, err := OpenStore(b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	c := page(1, string(bytes.Repeat([]byte(htmlish()), 10))[:150<<10])
	b.SetBytes(int64(len(c.Body)))
	for b.Loop() {
		if _, err := s.Write(context.Background(), c); err != nil {
			b.Fatal(err)
		}
	}
}

// htmlish is 20 kB of text that compresses as pages do.
func htmlish() string {
	r := rand.New(rand.NewPCG(7, 7))
	words := strings.Fields("<p> </p> <div class=\"item\"> lũ lụt sở y tế tỉnh nông dân mùa vụ giá lúa <a href=\"/tin\"> trường học mưa </a> </div>")
	var b strings.Builder
	for b.Len() < 20<<10 {
		fmt.Fprintf(&b, "%s %d ", words[r.IntN(len(words))], r.IntN(1000))
	}
	return b.String()
}
