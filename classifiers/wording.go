package classifiers

import (
	"strings"

	"presswatch"
	"presswatch/internal/lang"
	langs "presswatch/internal/lang/all"
	"presswatch/internal/text"
)

// phrases finds phrases in words: by first word, the longest first.
type phrases map[string][][]string

func newPhrases(list []string) phrases {
	p := phrases{}
	for _, s := range list {
		var ws []string
		for _, w := range text.Words(strings.ToLower(text.Clean(s))) {
			ws = append(ws, w)
		}
		if len(ws) > 0 {
			p[ws[0]] = append(p[ws[0]], ws)
		}
	}
	return p
}

// find returns the matches, in order, none overlapping another.
func (p phrases) find(words []word) []match {
	var out []match
	for i := 0; i < len(words); {
		n := p.at(words[i:])
		if n == 0 {
			i++
			continue
		}
		out = append(out, match{words[i : i+n]})
		i += n
	}
	return out
}

// at is how many words the longest phrase at the beginning of words has.
func (p phrases) at(words []word) (n int) {
	for _, ph := range p[words[0].low] {
		if len(ph) > n && len(ph) <= len(words) && matches(ph, words) {
			n = len(ph)
		}
	}
	return n
}

func matches(ph []string, words []word) bool {
	for i, w := range ph {
		if words[i].low != w || words[i].field != words[0].field {
			return false
		}
	}
	return true
}

// match is a phrase found: its words.
type match struct{ words []word }

func (m match) span() presswatch.Span {
	s := m.words[0].span()
	s.End = m.words[len(m.words)-1].end
	return s
}

func (m match) String() string {
	ws := make([]string, len(m.words))
	for i, w := range m.words {
		ws[i] = w.low
	}
	return strings.Join(ws, " ")
}

// spansOf are the places of the matches, at most mostSpans.
func spansOf(ms []match) []presswatch.Span {
	var out []presswatch.Span
	for _, m := range ms[:min(len(ms), mostSpans)] {
		out = append(out, m.span())
	}
	return out
}

// quoted lists different matches, at most n, each in quotes.
func quoted(ms []match, n int) string {
	var out []string
	seen := map[string]bool{}
	for _, m := range ms {
		if s := m.String(); !seen[s] && len(out) < n {
			seen[s] = true
			out = append(out, "“"+s+"”")
		}
	}
	return strings.Join(out, ", ")
}

// wording is the phrase lists of one language, ready for search.
type wording struct{ sensational, share, attribution, hedges phrases }

// newWordings prepares the lists of every language, by code.
func newWordings() map[string]wording {
	out := map[string]wording{}
	for _, p := range langs.Profiles() {
		out[p.Code] = newWording(p)
	}
	return out
}

func newWording(p lang.Profile) wording {
	return wording{newPhrases(p.Sensational), newPhrases(p.ShareCalls), newPhrases(p.Attribution), newPhrases(p.Hedges)}
}
