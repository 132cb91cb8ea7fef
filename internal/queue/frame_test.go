package queue

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"presswatch"
)

func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b)
	return b
}

func TestCaptureRoundTrip(t *testing.T) {
	full := presswatch.Capture{
		ID: "c1", Source: "báo/điện tử", Kind: presswatch.Article, URL: "https://bao.example/tin?a=1", FinalURL: "https://bao.example/tin",
		Status: 200, Header: map[string][]string{"Content-Type": {"text/html; charset=utf-8"}}, ContentType: "text/html",
		FetchedAt: time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC), Truncated: true, Evidence: "a.warc.gz#12",
		Hints: presswatch.Hints{Title: "हिन्दी", Language: "und", Published: time.Unix(5, 0).UTC(), Byline: []string{"كاتب"}},
	}
	for name, body := range map[string][]byte{
		"nothing":                      nil,
		"one byte":                     {0},
		"a page":                       []byte(strings.Repeat("<p>Tin nhanh trong ngày</p>\n", 5000)),
		"noise":                        noise(100_000),
		"the most, and it compresses":  make([]byte, presswatch.MaxBody),
		"the most, and it does not":    noise(presswatch.MaxBody),
		"what looks like a frame head": []byte(frameMagic + "\x01\x00\x00"),
	} {
		t.Run(name, func(t *testing.T) {
			c := full
			c.Body = body
			m, err := EncodeCapture(c)
			if err != nil {
				t.Fatal(err)
			}
			if n := sizeOf(m); n > maxRecord {
				t.Errorf("takes %d bytes, no topic takes more than %d", n, maxRecord)
			}
			got, err := DecodeCapture(m)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Body, body) {
				t.Errorf("body of %d bytes came back as %d others", len(body), len(got.Body))
			}
			got.Body, c.Body = nil, nil
			if d := cmp.Diff(c, got); d != "" {
				t.Errorf("-sent +got\n%s", d)
			}
			want := map[string]string{
				"ce_specversion": "1.0", "ce_id": "c1", "ce_source": "/sources/b%C3%A1o%2F%C4%91i%E1%BB%87n%20t%E1%BB%AD",
				"ce_type": "presswatch.capture.v1", "ce_time": "2026-03-01T12:00:00.123456Z", "content-type": "application/vnd.presswatch.capture",
			}
			if d := cmp.Diff(want, m.Headers); d != "" || m.Key != c.Key() {
				t.Errorf("key %q, headers -want +got\n%s", m.Key, d)
			}
		})
	}
}

func TestDocumentRoundTrip(t *testing.T) {
	url := "https://bao.example/tin"
	want := presswatch.Document{ID: presswatch.NewDocID(url), Version: "v1", Seq: 7, URL: url, CanonicalURL: url, Title: "Tin", Text: "Một\n\nHai",
		FetchedAt: time.Unix(9, 0).UTC(), Verdict: presswatch.Verdict{Risk: 0.5, Evidence: []presswatch.Evidence{{Signal: "s", Spans: []presswatch.Span{{Field: "text", Start: 1, End: 2}}}}}}
	m, err := EncodeDocument(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeDocument(m)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" || m.Key != string(want.ID) || m.Headers[HeaderType] != TypeDocument || m.Headers[HeaderID] != string(want.ID)+"-v1" {
		t.Errorf("key %q, headers %v, -sent +got\n%s", m.Key, m.Headers, d)
	}
}

func TestRefusedToEncode(t *testing.T) {
	ok := presswatch.Capture{ID: "c", Kind: presswatch.Post, URL: "u", FetchedAt: time.Unix(1, 0)}
	for name, tc := range map[string]struct {
		change func(*presswatch.Capture)
		want   presswatch.Code
	}{
		"a capture without an ID":     {func(c *presswatch.Capture) { c.ID = "" }, presswatch.Invalid},
		"a body over the limit":       {func(c *presswatch.Capture) { c.Body = make([]byte, presswatch.MaxBody+1) }, presswatch.TooLarge},
		"endless headers":             {func(c *presswatch.Capture) { c.Header = map[string][]string{"X": {strings.Repeat("x", maxMeta)}} }, presswatch.TooLarge},
		"a year that JSON cannot say": {func(c *presswatch.Capture) { c.FetchedAt = time.Date(12345, 1, 1, 0, 0, 0, 0, time.UTC) }, presswatch.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			c := ok
			tc.change(&c)
			if _, err := EncodeCapture(c); presswatch.CodeOf(err) != tc.want {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
	if _, err := EncodeDocument(presswatch.Document{ID: "d"}); presswatch.CodeOf(err) != presswatch.Invalid {
		t.Errorf("a document without an address: got %v, want invalid", err)
	}
}

// frame builds one that may lie, with a checksum that is right.
func frame(kind byte, metaLen, bodyLen int, meta, data []byte) []byte {
	f := make([]byte, frameHead)
	copy(f, frameMagic)
	f[4] = kind
	binary.BigEndian.PutUint32(f[5:], uint32(metaLen))
	binary.BigEndian.PutUint32(f[9:], uint32(bodyLen))
	binary.BigEndian.PutUint32(f[13:], uint32(len(data)))
	f = append(append(f, meta...), data...)
	binary.BigEndian.PutUint32(f[17:], frameSum(f))
	return f
}

func zstdOf(t testing.TB, b []byte, opts ...zstd.EOption) []byte {
	w, err := zstd.NewWriter(nil, opts...)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll(b, nil)
}

func TestHostileFrames(t *testing.T) {
	meta := []byte(`{"id":"c","url":"u","kind":"post","fetched_at":"2026-01-01T00:00:00Z"}`)
	bomb := zstdOf(t, make([]byte, 8*presswatch.MaxBody))
	flipped := frame(stored, len(meta), 3, meta, []byte("abc"))
	flipped[len(flipped)-1] ^= 1
	for name, tc := range map[string]struct {
		frame []byte
		want  presswatch.Code
	}{
		"nothing":                             {nil, presswatch.Invalid},
		"another format":                      {[]byte(`{"id":"c"}                          `), presswatch.Invalid},
		"only a head":                         {[]byte(frameMagic), presswatch.Invalid},
		"a flipped bit":                       {flipped, presswatch.Invalid},
		"cut short":                           {flipped[:len(flipped)-1], presswatch.Invalid},
		"a description beyond the limit":      {frame(stored, 1<<31, 0, meta, nil), presswatch.TooLarge},
		"a description longer than all":       {frame(stored, len(meta)+1, 0, meta, nil), presswatch.Invalid},
		"a body beyond the limit":             {frame(compressed, len(meta), presswatch.MaxBody+1, meta, bomb), presswatch.TooLarge},
		"a bomb that claims to be small":      {frame(compressed, len(meta), 10, meta, bomb), presswatch.Invalid},
		"a bomb that claims the limit":        {frame(compressed, len(meta), presswatch.MaxBody, meta, bomb), presswatch.Invalid},
		"two bombs one after the other":       {frame(compressed, len(meta), presswatch.MaxBody, meta, append(bytes.Clone(bomb), bomb...)), presswatch.Invalid},
		"a stored body of another length":     {frame(stored, len(meta), 4, meta, []byte("abc")), presswatch.Invalid},
		"a compressed body shorter than said": {frame(compressed, len(meta), 4, meta, zstdOf(t, []byte("abc"))), presswatch.Invalid},
		"no zstd":                             {frame(compressed, len(meta), 3, meta, []byte("abc")), presswatch.Invalid},
		"an unknown way":                      {frame(7, len(meta), 3, meta, []byte("abc")), presswatch.Invalid},
		"no JSON":                             {frame(stored, 3, 0, []byte("abc"), nil), presswatch.Invalid},
		"a capture that is not valid":         {frame(stored, 2, 0, []byte("{}"), nil), presswatch.Invalid},
		"deep JSON":                           {frame(stored, 200_000, 0, bytes.Repeat([]byte("["), 200_000), nil), presswatch.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := DecodeCapture(presswatch.Message{Value: tc.frame})
			if presswatch.CodeOf(err) != tc.want {
				t.Errorf("got %v and %d bytes, want %s", err, len(c.Body), tc.want)
			}
		})
	}
	good := frame(compressed, len(meta), 3, meta, zstdOf(t, []byte("abc")))
	if c, err := DecodeCapture(presswatch.Message{Value: good}); err != nil || string(c.Body) != "abc" {
		t.Errorf("the frame that does not lie: %q, %v", c.Body, err)
	}
}

func FuzzDecodeCapture(f *testing.F) {
	for _, body := range []string{"", "abc", strings.Repeat("abc ", 1000)} {
		m, err := EncodeCapture(presswatch.Capture{ID: "c", Kind: presswatch.Post, URL: "u", FetchedAt: time.Unix(1, 0).UTC(), Body: []byte(body)})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(m.Value, true)
	}
	f.Add(frame(compressed, 2, 100, []byte("{}"), zstdOf(f, make([]byte, 1<<20))), true)
	f.Fuzz(func(t *testing.T, value []byte, mend bool) {
		if mend && len(value) >= frameHead { // else nothing would get past the checksum
			value = bytes.Clone(value)
			copy(value, frameMagic)
			binary.BigEndian.PutUint32(value[17:], frameSum(value))
		}
		c, err := DecodeCapture(presswatch.Message{Value: value})
		if err != nil {
			if code := presswatch.CodeOf(err); code != presswatch.Invalid && code != presswatch.TooLarge {
				t.Fatalf("code %s for %v", code, err)
			}
			return
		}
		if len(c.Body) > presswatch.MaxBody {
			t.Fatalf("body of %d bytes", len(c.Body))
		}
		m, err := EncodeCapture(c)
		if err != nil {
			t.Fatalf("decoded, but cannot be encoded: %v", err)
		}
		again, err := DecodeCapture(m)
		if err != nil || !bytes.Equal(again.Body, c.Body) || again.ID != c.ID {
			t.Fatalf("does not survive another round: %v", err)
		}
	})
}

func FuzzValidEntries(f *testing.F) {
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00\x01\x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if n := validEntries(raw); n < 0 || n > len(raw) || validEntries(raw[:n]) != n {
			t.Errorf("%d of %d bytes are whole", n, len(raw))
		}
	})
}
