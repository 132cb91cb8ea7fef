package classifiers

import (
	"context"
	"fmt"
	"strconv"
	"unicode"

	"presswatch"
)

// Attribution asks who says so: it looks for hearsay, and for a text of some
// length, or with figures, that names no source at all.
type Attribution struct{ wordings map[string]wording }

// NewAttribution uses the prepared lists of all languages.
func NewAttribution(w map[string]wording) Attribution { return Attribution{w} }

// sourcedWords is from how many words on a text is expected to name a source.
const sourcedWords = 40

// Spec names the signal.
func (Attribution) Spec() Spec {
	return Spec{Name: signalAttribution, Help: "hearsay, and figures or claims without a named source"}
}

// Score adds 0.35 for each phrase of hearsay that no attribution balances, 0.4
// for a text of sourcedWords without a source, 0.2 for figures without one.
func (s Attribution) Score(ctx context.Context, d presswatch.Document) (presswatch.Evidence, error) {
	v := viewOf(ctx, d)
	e := presswatch.Evidence{Signal: signalAttribution}
	if !v.known || len(v.words) == 0 {
		return e, nil
	}
	lists := s.wordings[v.profile.Code]
	sources, hearsay := len(lists.attribution.find(v.words)), lists.hedges.find(v.words)
	figures := numerals(v.body())
	e.Score = 0.35 * float64(max(0, len(hearsay)-sources))
	long, bare := len(v.words) >= sourcedWords, len(figures) >= 2 && sources == 0
	if sources == 0 && long {
		e.Score += 0.4
	}
	if bare {
		e.Score += 0.2
	}
	e.Score = min(1, e.Score)
	switch {
	case e.Score == 0:
		return e, nil
	case len(hearsay) > sources:
		quotes := quoted(hearsay, 3)
		e.Reason = fmt.Sprintf("Rests on hearsay (%s) more than on named sources. Ask who says so.", quotes)
		e.Key, e.Args, e.Spans = "evidence.hearsay", []string{quotes}, spansOf(hearsay)
	case bare:
		e.Reason = fmt.Sprintf("Gives %d figures and names no source for them.", len(figures))
		e.Key, e.Args, e.Spans = "evidence.figures_unsourced", []string{strconv.Itoa(len(figures))}, spansOf(figures)
	default:
		e.Reason = fmt.Sprintf("Names no source in %d words.", len(v.words))
		e.Key, e.Args = "evidence.unsourced", []string{strconv.Itoa(len(v.words))}
	}
	return e, nil
}

// numerals are the words that begin with a digit.
func numerals(ws []word) []match {
	var out []match
	for i, w := range ws {
		if r := []rune(w.low[:min(len(w.low), 4)]); len(r) > 0 && unicode.IsDigit(r[0]) {
			out = append(out, match{ws[i : i+1]})
		}
	}
	return out
}
