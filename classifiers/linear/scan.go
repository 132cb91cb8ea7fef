// Package linear is the text part of the risk model: it turns text into hashed
// word and character n-grams, learns logistic regressions over them by dual
// coordinate descent (Yu, Huang and Lin 2011), and keeps them in one byte a
// weight.
package linear

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"presswatch/internal/text"
)

// MaxRunes is how many code points of a field are considered; the rest of a
// longer text cannot change its score. MaxWord is where a run without any
// break is cut, so that hostile text makes no endless word.
const (
	MaxRunes = 20000
	MaxWord  = 40
)

// url stands for every web address, whatever it points at: an address names
// its place and says little about the words around it.
const url = "\x01url"

// token is one word, address or run of one symbol, as written between start
// and end (code points of its field).
type token struct {
	field      uint8
	word       bool // letters or digits, not a symbol
	start, end int32
	fold       []rune // folded, digits made 0
	low        []rune // lower case with its marks; nil when equal to fold
}

// scanner cuts text into tokens. Its buffers are kept between texts.
type scanner struct {
	tokens []token
	runes  []rune
	b      strings.Builder
}

func (s *scanner) reset() { s.tokens, s.runes = s.tokens[:0], s.runes[:0] }

// scan appends the tokens of one field.
func (s *scanner) scan(field uint8, in string) {
	pos, n := 0, int32(0)
	for pos < len(in) && n < MaxRunes {
		r, size := utf8.DecodeRuneInString(in[pos:])
		switch {
		case (r == 'h' || r == 'w') && isURL(in[pos:]):
			bytes, runes := urlEnd(in[pos:])
			s.tokens = append(s.tokens, token{field: field, word: true, start: n, end: n + runes, fold: []rune(url)})
			pos, n = pos+bytes, n+runes
		case text.IsWord(r):
			bytes, runes := s.word(field, in[pos:], n)
			pos, n = pos+bytes, n+runes
		case unicode.IsSpace(r) || unicode.IsControl(r) || r == 0xFFFD:
			pos, n = pos+size, n+1
		default:
			bytes, runes := s.symbol(field, in[pos:], r, n)
			pos, n = pos+bytes, n+runes
		}
	}
}

func isURL(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "www.")
}

func urlEnd(s string) (bytes int, runes int32) {
	for i, r := range s {
		if unicode.IsSpace(r) || r == utf8.RuneError || runes == 2000 {
			return i, runes
		}
		runes++
	}
	return len(s), runes
}

// word takes the letters and digits at the beginning of in.
func (s *scanner) word(field uint8, in string, at int32) (bytes int, runes int32) {
	from := len(s.runes)
	same := true
	lowFrom := make([]rune, 0, MaxWord)
	for _, r := range in {
		if !text.IsWord(r) || runes == MaxWord {
			break
		}
		bytes += utf8.RuneLen(r)
		runes++
		low := unicode.ToLower(r)
		if r < utf8.RuneSelf {
			if '0' <= low && low <= '9' {
				low = '0'
			}
			s.runes, lowFrom = append(s.runes, low), append(lowFrom, low)
			continue
		}
		s.b.Reset()
		text.AppendFold(&s.b, r)
		for _, f := range s.b.String() {
			if '0' <= f && f <= '9' {
				f, low = '0', '0'
			}
			s.runes = append(s.runes, f)
			same = same && f == low
		}
		same = same && s.b.Len() > 0
		lowFrom = append(lowFrom, low)
	}
	t := token{field: field, word: true, start: at, end: at + runes, fold: s.runes[from:len(s.runes):len(s.runes)]}
	if !same {
		mid := len(s.runes)
		s.runes = append(s.runes, lowFrom...)
		t.low = s.runes[mid:len(s.runes):len(s.runes)]
	}
	if len(t.fold) > 0 {
		s.tokens = append(s.tokens, t)
	}
	return bytes, runes
}

// symbol takes a run of the same symbol; how often it is repeated counts up to
// three.
func (s *scanner) symbol(field uint8, in string, first rune, at int32) (bytes int, runes int32) {
	from := len(s.runes)
	for _, r := range in {
		if r != first || runes == MaxWord {
			break
		}
		bytes += utf8.RuneLen(r)
		runes++
		if runes <= 3 {
			s.runes = append(s.runes, r)
		}
	}
	s.tokens = append(s.tokens, token{field: field, start: at, end: at + runes, fold: s.runes[from:len(s.runes):len(s.runes)]})
	return bytes, runes
}
