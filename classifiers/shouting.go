package classifiers

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"presswatch"
)

// Shouting looks at how the title and the beginning of the text are written:
// capitals where the script has them, repeated marks, pictures between words.
type Shouting struct{}

// shoutWords is how many words of the text are looked at.
const shoutWords = 120

// Spec names the signal.
func (Shouting) Spec() Spec {
	return Spec{Name: signalShouting, Help: "words in capitals, repeated ! and ?, many emoji"}
}

// Score adds up the share of words in capitals, runs of ! and ?, and emoji.
func (Shouting) Score(ctx context.Context, d presswatch.Document) (presswatch.Evidence, error) {
	v := viewOf(ctx, d)
	e := presswatch.Evidence{Signal: signalShouting}
	words := v.lead(shoutWords)
	if len(words) == 0 {
		return e, nil
	}
	title, text := []rune(v.title), []rune(v.text)
	cut := len(text)
	if last := words[len(words)-1]; last.field == fieldText && len(v.words) > len(words) {
		cut = last.end
	}
	caps := capitals(words, map[string][]rune{fieldTitle: title, fieldText: text})
	marks, emoji := outcries(fieldTitle, title), 0
	marks = append(marks, outcries(fieldText, text[:cut])...)
	for _, rs := range [][]rune{title, text[:cut]} {
		for _, r := range rs {
			if isEmoji(r) {
				emoji++
			}
		}
	}
	n := float64(len(words))
	share := float64(len(caps)) / n
	e.Score = min(1, max(0, share-0.1)*1.2+0.25*float64(len(marks))+max(0, float64(emoji)-2)*2/max(n, 20))
	if e.Score == 0 {
		return e, nil
	}
	percent := strconv.Itoa(int(100*share + 0.5))
	e.Reason = fmt.Sprintf("Written to catch the eye: %s %% of the words in capitals, %d runs of ! or ?, %d emoji.", percent, len(marks), emoji)
	e.Key, e.Args = "evidence.shouting", []string{percent, strconv.Itoa(len(marks)), strconv.Itoa(emoji)}
	e.Spans = marks
	if share > 0.1 {
		e.Spans = append(e.Spans, caps...)
	}
	e.Spans = e.Spans[:min(len(e.Spans), mostSpans)]
	return e, nil
}

// capitals are the words of at least three letters, all capitals. Scripts
// without capitals have none.
func capitals(words []word, fields map[string][]rune) []presswatch.Span {
	var out []presswatch.Span
	for _, w := range words {
		rs, upper := fields[w.field][w.start:w.end], 0
		for _, r := range rs {
			if unicode.IsUpper(r) {
				upper++
			}
		}
		if upper >= 3 && upper == len(rs) {
			out = append(out, w.span())
		}
	}
	return out
}

// outcries are runs of two or more ! and ?, of any script.
func outcries(field string, rs []rune) []presswatch.Span {
	var out []presswatch.Span
	for i := 0; i < len(rs) && len(out) < mostSpans; i++ {
		j := i
		for j < len(rs) && strings.ContainsRune("!?！？؟", rs[j]) {
			j++
		}
		if j-i >= 2 {
			out = append(out, presswatch.Span{Field: field, Start: i, End: j})
		}
		i = max(i, j)
	}
	return out
}

func isEmoji(r rune) bool {
	return r >= 0x1F300 && r <= 0x1FAFF || r >= 0x2600 && r <= 0x27BF || r >= 0x1F1E6 && r <= 0x1F1FF
}
