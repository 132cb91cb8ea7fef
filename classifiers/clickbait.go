package classifiers

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"presswatch"
)

// Clickbait asks whether a title is made to be clicked rather than to inform:
// by a trained head where the language has one, else by its form.
type Clickbait struct{ model *Model }

// NewClickbait reads with the model's clickbait heads.
func NewClickbait(m *Model) Clickbait { return Clickbait{m} }

// Spec names the signal.
func (Clickbait) Spec() Spec {
	return Spec{Name: signalClickbait, Help: "titles that withhold what happened to be clicked"}
}

// Score is how far the head's probability is above one half, doubled; without
// a head, 0.4 each for a question and for dots that leave something open.
func (c Clickbait) Score(ctx context.Context, d presswatch.Document) (presswatch.Evidence, error) {
	v := viewOf(ctx, d)
	e := presswatch.Evidence{Signal: signalClickbait}
	title := strings.TrimSpace(v.title)
	if v.inTitle < 3 {
		return e, nil
	}
	p, ps, ok := c.model.titleClickbait(v.profile.Code, v.title)
	if !ok {
		if cut, dots := strings.CutSuffix(title, "…"); dots && strings.HasPrefix(strings.Join(strings.Fields(v.text), " "), strings.TrimSpace(cut)) {
			return e, nil // not a title but the first words of the text, cut off by us
		}
		return openTitle(e, title, leading(v.title)), nil
	}
	if p <= 0.5 {
		return e, nil
	}
	e.Score = 2*p - 1
	quotes, spans := quotePhrases(v, ps)
	e.Reason, e.Key = "The title is worded to be clicked.", "evidence.clickbait_plain"
	if quotes != "" {
		e.Reason = fmt.Sprintf("The title is worded to be clicked: %s.", quotes)
		e.Key, e.Args, e.Spans = "evidence.clickbait", []string{quotes}, spans
	}
	return e, nil
}

// leading is how many code points of s are space before its first other one.
func leading(s string) int {
	return utf8.RuneCountInString(s) - utf8.RuneCountInString(strings.TrimLeftFunc(s, unicode.IsSpace))
}

// openTitle judges a title by its marks; lead is where it begins.
func openTitle(e presswatch.Evidence, title string, lead int) presswatch.Evidence {
	if strings.HasSuffix(title, "?") || strings.HasSuffix(title, "؟") {
		e.Score += 0.4
	}
	if strings.Contains(title, "...") || strings.Contains(title, "…") {
		e.Score += 0.4
	}
	if e.Score > 0 {
		e.Reason, e.Key = "The title asks or breaks off instead of saying what happened.", "evidence.clickbait_open"
		e.Spans = []presswatch.Span{{Field: fieldTitle, Start: lead, End: lead + utf8.RuneCountInString(title)}}
	}
	return e
}
