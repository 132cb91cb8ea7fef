package page

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/unicode"
)

// prescanBytes is where the meta element with the charset is looked for. The
// standard asks for 1024; real pages put scripts before it.
const prescanBytes = 8 << 10

// Decode makes UTF-8 of bytes as served, once: by byte order mark, else as it
// is when it is valid UTF-8 beyond ASCII (which nothing else is by chance),
// else by the charset of contentType, else by a meta element, else by a guess
// between UTF-8 and windows-1252. Bytes that mean nothing become U+FFFD.
func Decode(body []byte, contentType string) string {
	if b, ok := bytes.CutPrefix(body, []byte("\xef\xbb\xbf")); ok {
		return fromUTF8(b)
	}
	if !bytes.HasPrefix(body, []byte("\xff\xfe")) && !bytes.HasPrefix(body, []byte("\xfe\xff")) && utf8.Valid(body) && !stateful(body) {
		return string(body)
	}
	enc, name, certain := charset.DetermineEncoding(body, contentType)
	if !certain && len(body) > 1024 {
		enc, name = lateMeta(body, enc, name)
	}
	if name == "utf-8" || enc == encoding.Replacement {
		return fromUTF8(body)
	}
	out, err := enc.NewDecoder().Bytes(body)
	if err != nil { // no decoder of x/text fails on content; keep what is readable if one does
		return fromUTF8(body)
	}
	out = bytes.TrimPrefix(out, []byte("\uFEFF"))
	if !utf8.Valid(out) {
		out = bytes.ToValidUTF8(out, []byte("\uFFFD"))
	}
	return string(out)
}

// stateful tells of ISO-2022-JP and UTF-16 without a mark: bytes that look
// like ASCII and are not.
func stateful(b []byte) bool {
	return bytes.Contains(b, []byte("\x1b$")) || bytes.Contains(b, []byte("\x1b(")) || bytes.IndexByte(b[:min(len(b), 64)], 0) >= 0
}

// lateMeta looks for a charset that the first kilobyte does not hold.
func lateMeta(body []byte, enc encoding.Encoding, name string) (encoding.Encoding, string) {
	head := bytes.ToLower(body[:min(len(body), prescanBytes)])
	for {
		i := bytes.Index(head, []byte("<meta"))
		if i < 0 {
			break
		}
		head = head[i:]
		if e, n, sure := charset.DetermineEncoding(head, ""); sure || n != name && n != "windows-1252" && n != "utf-8" {
			return e, n
		}
		head = head[len("<meta"):]
	}
	// A cut character at byte 1024 or one bad byte must not make Latin of a UTF-8 page.
	if bad, wide := countBad(body); wide > 8*bad {
		return encoding.Nop, "utf-8"
	}
	return enc, name
}

// countBad counts the bytes that are no UTF-8 and the characters beyond ASCII.
func countBad(b []byte) (bad, wide int) {
	for len(b) > 0 {
		if b[0] < utf8.RuneSelf {
			b = b[1:]
			continue
		}
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			bad++
		} else {
			wide++
		}
		b = b[n:]
	}
	return bad, wide
}

func fromUTF8(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	out, err := unicode.UTF8.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return string(out)
}
