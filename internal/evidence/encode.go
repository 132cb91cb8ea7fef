package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"presswatch"
)

// captureField is the extension field that carries the capture as JSON, all
// but its body, so that Read gives back exactly what Write was given. Other
// tools skip it, as the standard asks.
const captureField = "Presswatch-Capture"

// movedPrefix renames header fields that speak of the bytes on the wire. The
// body is kept decoded, and with these fields under their own names a reader
// would decode it once more. The name is that of pywb and warcit.
const movedPrefix = "X-Archive-Orig-"

// field is one named field of a WARC header.
type field struct{ name, value string }

// capture encodes a capture as one gzip member: a response record when HTTP
// was spoken, otherwise a resource record. The result is valid until the next
// call.
func (e *encoder) capture(c presswatch.Capture) ([]byte, error) {
	meta := c
	meta.Evidence = ""
	js, err := json.Marshal(meta)
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Invalid, "%w", err)
	}
	kind, ctype, head := "resource", line(c.ContentType), []byte(nil)
	if ctype == "" {
		ctype = "application/octet-stream"
	}
	if c.Status != 0 {
		kind, ctype, head = "response", "application/http; msgtype=response", httpHead(c)
	}
	if len(head)+len(js) > maxHeader {
		return nil, presswatch.Errorf(presswatch.TooLarge, "headers of %d bytes, the most is %d", len(head)+len(js), maxHeader)
	}
	fields := []field{
		{"WARC-Type", kind},
		{"WARC-Record-ID", RecordID(c.ID)},
		{"WARC-Date", c.FetchedAt.UTC().Format(time.RFC3339Nano)},
		{"WARC-Target-URI", targetURI(c.Address())},
		{"WARC-Payload-Digest", digest(c.Body)},
		{captureField, string(js)},
	}
	if c.Truncated {
		fields = append(fields, field{"WARC-Truncated", "length"})
	}
	fields = append(fields, field{"Content-Type", ctype})
	return e.record(fields, head, c.Body)
}

// info encodes the warcinfo record that begins every file.
func (e *encoder) info(name string, at time.Time) ([]byte, error) {
	body := "software: presswatch\r\nformat: WARC File Format 1.1\r\n" +
		"description: captures of press items and posts; bodies are kept content-decoded\r\n"
	return e.record([]field{
		{"WARC-Type", "warcinfo"},
		{"WARC-Record-ID", RecordID("warcinfo " + name)},
		{"WARC-Date", at.UTC().Format(time.RFC3339Nano)},
		{"WARC-Filename", name},
		{"Content-Type", "application/warc-fields"},
	}, nil, []byte(body))
}

// record encodes fields and a block of two parts as one gzip member.
func (e *encoder) record(fields []field, head, body []byte) ([]byte, error) {
	e.out.Reset()
	e.zw.Reset(&e.out)
	var h bytes.Buffer
	h.WriteString("WARC/1.1\r\n")
	for _, f := range fields {
		h.WriteString(f.name + ": " + f.value + "\r\n")
	}
	fmt.Fprintf(&h, "Content-Length: %d\r\n\r\n", len(head)+len(body))
	for _, part := range [][]byte{h.Bytes(), head, body, []byte("\r\n\r\n")} {
		if _, err := e.zw.Write(part); err != nil {
			return nil, presswatch.Errorf(presswatch.Internal, "%w", err)
		}
	}
	if err := e.zw.Close(); err != nil {
		return nil, presswatch.Errorf(presswatch.Internal, "%w", err)
	}
	return e.out.Bytes(), nil
}

// httpHead writes the status line and the header, as far as they can stand in
// a message: names that are no tokens are left out, line breaks become spaces.
func httpHead(c presswatch.Capture) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %03d %s\r\n", c.Status, http.StatusText(c.Status))
	for _, name := range slices.Sorted(maps.Keys(c.Header)) {
		if !httpguts.ValidHeaderFieldName(name) {
			continue
		}
		out := name
		switch textproto.CanonicalMIMEHeaderKey(name) {
		case "Content-Encoding", "Transfer-Encoding", "Content-Length":
			out = movedPrefix + name
		}
		for _, v := range c.Header[name] {
			b.WriteString(out + ": " + line(v) + "\r\n")
		}
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", len(c.Body))
	return b.Bytes()
}

// line makes s fit for one header line.
func line(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.TrimSpace(strings.ToValidUTF8(s, "\uFFFD")))
}

// targetURI is an address as WARC-Target-URI wants it: without blanks and
// controls. The capture field has it as it was.
func targetURI(addr string) string {
	var b strings.Builder
	for _, r := range addr { // bad UTF-8 comes as U+FFFD
		if r <= ' ' || r == 0x7f {
			fmt.Fprintf(&b, "%%%02X", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// RecordID is the WARC-Record-ID of a capture: a UUID (version 8 of RFC 9562)
// out of the SHA-256 of its ID, so that the same capture has the same record
// ID wherever it is written.
func RecordID(captureID string) string {
	h := sha256.Sum256([]byte(captureID))
	h[6] = h[6]&0x0f | 0x80
	h[8] = h[8]&0x3f | 0x80
	return fmt.Sprintf("<urn:uuid:%x-%x-%x-%x-%x>", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// digest is a labelled digest as the WARC world writes it: base32 of SHA-256.
func digest(b []byte) string {
	h := sha256.Sum256(b)
	return "sha256:" + base32.StdEncoding.EncodeToString(h[:])
}
