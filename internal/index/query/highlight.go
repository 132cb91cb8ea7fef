package query

import (
	"slices"
	"strings"
	"unicode/utf8"

	"presswatch"
	"presswatch/internal/index/analysis"
)

// MaxSpans is the most highlights of one document.
const MaxSpans = 20

// Highlights returns where a document matches the words and phrases that n
// looks for, those of the title first, in reading order, at most MaxSpans.
func Highlights(n Node, d presswatch.Document, a *analysis.Analyzer) []presswatch.Span {
	h := highlighter{words: map[string]bool{}}
	positive(n, h.add)
	if len(h.words) == 0 && len(h.prefixes) == 0 && len(h.phrases) == 0 {
		return nil
	}
	spans := h.field(nil, "title", d.Title, d.Language, a)
	return h.field(spans, "text", d.Text, d.Language, a)
}

type highlighter struct {
	words    map[string]bool
	prefixes []string
	phrases  [][]analysis.Word
	longest  int // words of the longest phrase
}

func (h *highlighter) add(n Node) {
	switch n := n.(type) {
	case Word:
		for _, t := range n.Terms {
			h.words[t] = true
		}
		h.prefixes = append(h.prefixes, n.Prefixes...)
	case Phrase:
		h.phrases = append(h.phrases, n.Words)
		h.longest = max(h.longest, len(n.Words))
	}
}

// field appends the spans of one field.
func (h *highlighter) field(spans []presswatch.Span, name, s, language string, a *analysis.Analyzer) []presswatch.Span {
	if len(spans) >= MaxSpans {
		return spans
	}
	first := len(spans)
	var window []analysis.Token // the last words, as many as the longest phrase has
	var ranges []byteRange
	for t := range a.Tokens(s, language) {
		if h.longest > 0 {
			if len(window) == h.longest {
				copy(window, window[1:])
				window = window[:len(window)-1]
			}
			window = append(window, t)
		}
		if start, ok := h.match(window, t); ok {
			ranges = addRange(ranges, byteRange{start, t.End})
			// A later phrase may still swallow the last of them.
			if first+len(ranges) > MaxSpans+1 {
				break
			}
		}
	}
	at, runes := 0, 0
	for _, r := range ranges[:min(len(ranges), MaxSpans-first)] {
		start := runes + utf8.RuneCountInString(s[at:r.start])
		at, runes = r.end, start+utf8.RuneCountInString(s[r.start:r.end])
		spans = append(spans, presswatch.Span{Field: name, Start: start, End: runes})
	}
	return spans
}

type byteRange struct{ start, end int }

// addRange appends r, merging it with those that it overlaps.
func addRange(ranges []byteRange, r byteRange) []byteRange {
	for len(ranges) > 0 && ranges[len(ranges)-1].end > r.start {
		r.start = min(r.start, ranges[len(ranges)-1].start)
		ranges = ranges[:len(ranges)-1]
	}
	return append(ranges, r)
}

// match reports whether a match ends with t, and where it starts.
func (h *highlighter) match(window []analysis.Token, t analysis.Token) (start int, ok bool) {
	start = t.End
	for _, words := range h.phrases {
		if from := len(window) - len(words); from >= 0 && phraseAt(window[from:], words) {
			start, ok = min(start, window[from].Start), true
		}
	}
	if h.words[t.Term] || slices.ContainsFunc(h.prefixes, func(p string) bool { return strings.HasPrefix(t.Term, p) }) {
		start, ok = min(start, t.Start), true
	}
	return start, ok
}

func phraseAt(tokens []analysis.Token, words []analysis.Word) bool {
	for i, w := range words {
		if !slices.Contains(w.Terms, tokens[i].Term) {
			return false
		}
	}
	return true
}
