package text

import (
	"iter"
	"unicode"
	"unicode/utf8"
)

// Words yields the words of s with their byte offsets: runs of letters,
// marks, digits and joiners. Vietnamese syllables are words here; Devanagari
// and Arabic vowel signs belong to the word they stand on.
func Words(s string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		start := -1
		for i, r := range s {
			if IsWord(r) {
				if start < 0 {
					start = i
				}
				continue
			}
			if start >= 0 && !yield(start, s[start:i]) {
				return
			}
			start = -1
		}
		if start >= 0 {
			yield(start, s[start:])
		}
	}
}

// IsWord reports whether r can be part of a word.
func IsWord(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || r == 0x200C || r == 0x200D
}
