package analysis

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"presswatch/internal/text"
)

// Split yields the words of s with their byte offsets, as text.Words does, but
// each character of a script without spaces between words (Han, Kana) stands
// for itself, and the s of an English genitive is left out.
func Split(s string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		end := -1 // of the word before
		for start, word := range text.Words(s) {
			genitive := (word == "s" || word == "S") && end >= 0 && apostrophe(s[end:start])
			end = start + len(word)
			if genitive {
				continue
			}
			if !hasUnspaced(word) {
				if !yield(start, word) {
					return
				}
				continue
			}
			for at, part := range splitUnspaced(word) {
				if !yield(start+at, part) {
					return
				}
			}
		}
	}
}

func apostrophe(s string) bool { return s == "'" || s == "\u2019" }

func unspaced(r rune) bool {
	return r >= 0x2E80 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

func hasUnspaced(word string) bool {
	for i := 0; i < len(word); i++ {
		if word[i] >= 0xE2 { // first byte of U+2000 and above
			return strings.ContainsFunc(word, unspaced)
		}
	}
	return false
}

func splitUnspaced(word string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		start := 0
		for i, r := range word {
			if !unspaced(r) {
				continue
			}
			n := utf8.RuneLen(r)
			if start < i && !yield(start, word[start:i]) {
				return
			}
			if !yield(i, word[i:i+n]) {
				return
			}
			start = i + n
		}
		if start < len(word) {
			yield(start, word[start:])
		}
	}
}
