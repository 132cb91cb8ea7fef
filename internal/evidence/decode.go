package evidence

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http/httputil"
	"net/textproto"
	"strconv"
	"strings"

	"crypto/sha256"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"presswatch"
)

// maxEncodings is how many content encodings may be stacked.
const maxEncodings = 3

// Own reports whether the record was written by a Store, so that Capture gives
// back exactly what was stored.
func (r Record) Own() bool { return r.Get(captureField) != "" }

// Capture makes a capture of a response, resource or conversion record: the
// body without chunks and content encodings, cut at presswatch.MaxBody. Of a
// foreign record, ID, Source, Kind and Hints are for the caller to fill in,
// and FetchedAt too where the record has no date.
func (r Record) Capture() (presswatch.Capture, error) {
	c := presswatch.Capture{URL: r.URL(), FetchedAt: r.Date()}
	switch r.Type {
	case "response":
		if err := r.response(&c); err != nil {
			return presswatch.Capture{}, err
		}
	case "resource", "conversion":
		c.Body, c.ContentType = r.Block, r.Get("Content-Type")
	default:
		return presswatch.Capture{}, presswatch.Errorf(presswatch.Invalid, "a %q record holds no page", r.Type)
	}
	if len(c.Body) > presswatch.MaxBody {
		c.Body, c.Truncated = c.Body[:presswatch.MaxBody], true
	}
	if r.Get("WARC-Truncated") != "" || r.Length > int64(len(r.Block)) {
		c.Truncated = true
	}
	if !r.Own() {
		return c, nil
	}
	return r.own(c)
}

// own puts together what Write was given.
func (r Record) own(c presswatch.Capture) (presswatch.Capture, error) {
	var out presswatch.Capture
	if err := json.Unmarshal([]byte(r.Get(captureField)), &out); err != nil {
		return presswatch.Capture{}, presswatch.Errorf(presswatch.Invalid, "%s: %w", captureField, err)
	}
	out.Body, out.Evidence = c.Body, ""
	if !sameDigest(r.Get("WARC-Payload-Digest"), c.Body) {
		return presswatch.Capture{}, presswatch.Errorf(presswatch.Invalid, "the body does not have the digest that was recorded")
	}
	if err := out.Validate(); err != nil {
		return presswatch.Capture{}, err
	}
	return out, nil
}

// sameDigest compares with a sha256 digest in base32 or hex.
func sameDigest(recorded string, body []byte) bool {
	algorithm, value, _ := strings.Cut(recorded, ":")
	if !strings.EqualFold(algorithm, "sha256") {
		return false
	}
	h := sha256.Sum256(body)
	return value == base32.StdEncoding.EncodeToString(h[:]) || value == hex.EncodeToString(h[:])
}

// response parses the HTTP message in the block.
func (r Record) response(c *presswatch.Capture) error {
	br := bufio.NewReader(bytes.NewReader(r.Block))
	status, err := readLine(br, maxHeader)
	if err != nil {
		return presswatch.Errorf(presswatch.Invalid, "HTTP status line: %w", err)
	}
	proto, rest, _ := strings.Cut(status, " ")
	code, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	c.Status, err = strconv.Atoi(code)
	if err != nil || !strings.HasPrefix(proto, "HTTP/") || c.Status < 100 || c.Status > 999 {
		return presswatch.Errorf(presswatch.Invalid, "%.60q is no HTTP status line", status)
	}
	fields, err := readFields(br)
	if err != nil {
		return presswatch.Errorf(presswatch.Invalid, "HTTP header: %w", err)
	}
	c.Header = make(map[string][]string, len(fields))
	for _, f := range fields {
		key := textproto.CanonicalMIMEHeaderKey(f.name)
		c.Header[key] = append(c.Header[key], f.value)
	}
	c.ContentType = first(c.Header["Content-Type"])
	whole := r.Get("WARC-Truncated") == "" && r.Length <= int64(len(r.Block))
	c.Body, c.Truncated, err = decode(br, c.Header, whole)
	return err
}

// decode takes off chunks and content encodings. When the record is not whole,
// what could be decoded is kept.
func decode(r io.Reader, header map[string][]string, whole bool) ([]byte, bool, error) {
	body := bufio.NewReader(r)
	if strings.EqualFold(first(header["Transfer-Encoding"]), "chunked") && looksChunked(body) {
		body = bufio.NewReader(httputil.NewChunkedReader(body))
	}
	encodings := strings.FieldsFunc(strings.ToLower(strings.Join(header["Content-Encoding"], ",")), func(c rune) bool {
		return c == ',' || c == ' ' || c == '\t'
	})
	if len(encodings) > maxEncodings {
		return nil, false, presswatch.Errorf(presswatch.TooLarge, "%d content encodings, the most is %d", len(encodings), maxEncodings)
	}
	for i := len(encodings) - 1; i >= 0; i-- {
		plain, err := decoder(encodings[i], body)
		if err != nil {
			return nil, false, presswatch.Errorf(presswatch.Invalid, "content encoding %.20q: %w", encodings[i], err)
		}
		body = bufio.NewReader(plain)
	}
	b, more, err := readAtMost(body, presswatch.MaxBody)
	if err != nil && !whole && errors.Is(err, io.ErrUnexpectedEOF) {
		return b, true, nil
	}
	if err != nil {
		return nil, false, presswatch.Errorf(presswatch.Invalid, "HTTP body: %w", err)
	}
	return b, more, nil
}

// decoder takes off one content encoding. Archives often hold bodies that were
// decoded before, under the old header; so each looks before it decodes.
func decoder(name string, r *bufio.Reader) (io.Reader, error) {
	p, _ := r.Peek(4)
	switch name {
	case "gzip", "x-gzip":
		if len(p) < 2 || p[0] != 0x1f || p[1] != 0x8b {
			return r, nil
		}
		return gzip.NewReader(r)
	case "deflate":
		if len(p) >= 2 && p[0]&0x0f == 8 && (int(p[0])<<8|int(p[1]))%31 == 0 {
			return zlib.NewReader(r)
		}
		if len(p) > 0 && p[0] == '<' {
			return r, nil
		}
		return flate.NewReader(r), nil
	case "br":
		if len(p) > 0 && p[0] == '<' { // would announce a window that no server uses
			return r, nil
		}
		return brotli.NewReader(r), nil
	case "zstd":
		if len(p) < 4 || p[0] != 0x28 || p[1] != 0xb5 || p[2] != 0x2f || p[3] != 0xfd {
			return r, nil
		}
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(presswatch.MaxBody+1), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return nil, err
		}
		return z, nil
	default: // identity, none, or nothing known: as it is
		return r, nil
	}
}

// looksChunked tells whether a body begins with the size of a chunk: archives
// often keep the header but not the chunks.
func looksChunked(r *bufio.Reader) bool {
	p, _ := r.Peek(18)
	size, _, ok := bytes.Cut(p, []byte("\n"))
	digits, _, _ := bytes.Cut(bytes.TrimSpace(size), []byte(";"))
	_, err := strconv.ParseUint(string(bytes.TrimSpace(digits)), 16, 63)
	return ok && err == nil
}

func first(v []string) string {
	if len(v) == 0 {
		return ""
	}
	return v[0]
}
