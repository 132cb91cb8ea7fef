// Package text holds what every part does to text in the same way: one normal
// form, one folding, one notion of a word.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Clean returns s as valid UTF-8 in NFC, without NUL and other control
// characters but line feed and tab, without byte order marks, zero-width
// spaces and soft hyphens. Joiners stay: Hindi and Persian need them. It is
// idempotent.
func Clean(s string) string {
	if plain(s) {
		return s
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r' || r == '\u2028' || r == '\u2029':
			return '\n'
		case unicode.IsControl(r), r == '\uFEFF', r == '\u200B', r == '\u00AD', r == '\u2060':
			return -1
		}
		return r
	}, strings.ReplaceAll(s, "\r\n", "\n"))
	return norm.NFC.String(s)
}

func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if b := s[i]; b >= utf8.RuneSelf || b < ' ' && b != '\n' && b != '\t' || b == 0x7f {
			return false
		}
	}
	return true
}

// Fold returns s in the form in which texts are compared: NFC, lower case,
// marks of Latin letters dropped and đ made d, digits of all scripts made
// ASCII, joiners and Arabic tatweel dropped, typographic quotes and dashes
// made plain. Devanagari and Arabic marks are part of the word and stay.
// One rune gives at most one rune, except for ligatures of Latin letters.
func Fold(s string) string {
	if !norm.NFC.IsNormalString(s) {
		s = norm.NFC.String(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		AppendFold(&b, r)
	}
	return b.String()
}

// AppendFold writes what Fold makes of one rune of NFC text; it may be nothing.
func AppendFold(b *strings.Builder, r rune) {
	switch {
	case r < utf8.RuneSelf:
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		b.WriteByte(byte(r))
	case r < latinEnd:
		b.WriteString(latin[r])
	default:
		foldWide(b, r)
	}
}

func foldWide(b *strings.Builder, r rune) {
	switch {
	case r >= 0x1E00 && r < 0x1F00:
		b.WriteString(latinMore[r-0x1E00])
	case r >= 0x300 && r < 0x370: // a mark that NFC could not join to its letter
	case r == 0x200B || r == 0x200C || r == 0x200D || r == 0xFEFF || r == 0x2060 || r == 0x0640:
	case r == 0x2018 || r == 0x2019 || r == 0x201A || r == 0x2032:
		b.WriteByte('\'')
	case r == 0x201C || r == 0x201D || r == 0x201E || r == 0x2033:
		b.WriteByte('"')
	case r >= 0x2010 && r <= 0x2015:
		b.WriteByte('-')
	case r == 0x2026:
		b.WriteString("...")
	case unicode.IsDigit(r):
		b.WriteByte(digit(r))
	case unicode.IsSpace(r):
		b.WriteByte(' ')
	default:
		b.WriteRune(unicode.ToLower(r))
	}
}

// digit gives the ASCII digit of a decimal digit: Unicode lays each script's
// ten out in a row, zero first.
func digit(r rune) byte {
	zero := r
	for unicode.IsDigit(zero-1) && r-zero < 9 {
		zero--
	}
	return byte('0' + r - zero)
}

const latinEnd = 0x250

var latin, latinMore = latinTables()

func latinTables() (low [latinEnd]string, more [0x100]string) {
	for r := rune(utf8.RuneSelf); r < latinEnd; r++ {
		low[r] = foldLatin(r)
	}
	for i := range more {
		more[i] = foldLatin(rune(0x1E00 + i))
	}
	return low, more
}

func foldLatin(r rune) string {
	switch r {
	case 'đ', 'Đ', 'ð', 'Ð':
		return "d"
	case 'ß':
		return "ss"
	case 'æ', 'Æ':
		return "ae"
	case 'œ', 'Œ':
		return "oe"
	case 'ø', 'Ø':
		return "o"
	case 'ł', 'Ł':
		return "l"
	case 'ı':
		return "i"
	case 0xA0:
		return " "
	case 0xAB, 0xBB:
		return "\""
	case 0xAD:
		return ""
	}
	if unicode.IsControl(r) {
		return ""
	}
	var b strings.Builder
	for _, d := range norm.NFD.String(string(unicode.ToLower(r))) {
		if !unicode.Is(unicode.Mn, d) {
			b.WriteRune(d)
		}
	}
	return b.String()
}
