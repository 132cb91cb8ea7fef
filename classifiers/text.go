package classifiers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"presswatch"
	"presswatch/classifiers/linear"
)

// Text compares the words with those of labelled items, by language.
type Text struct{ model *Model }

// NewText reads with the model's heads.
func NewText(m *Model) Text { return Text{m} }

// Spec names the signal.
func (Text) Spec() Spec {
	return Spec{Name: signalText, Help: "wording compared with labelled items of the language"}
}

// Score is the probability that the words alone suggest, before calibration.
func (t Text) Score(ctx context.Context, d presswatch.Document) (presswatch.Evidence, error) {
	v := viewOf(ctx, d)
	r := v.reading(t.model)
	e := presswatch.Evidence{Signal: signalText, Score: sigmoid(r.z)}
	if len(v.words) == 0 {
		e.Score = 0.5
		e.Reason, e.Key = "There are no words to compare.", "evidence.text_none"
		return e, nil
	}
	quotes, spans := quotePhrases(v, r.phrases)
	switch {
	case r.trust < 0.5:
		percent := fmt.Sprintf("%.0f", 100*r.familiar)
		e.Reason = fmt.Sprintf("Only %s %% of the words were met in training, so the wording says little here.", percent)
		e.Key, e.Args = "evidence.text_unfamiliar", []string{percent}
	case e.Score > 0.5 && quotes != "":
		e.Reason = fmt.Sprintf("Wording like that of items that people marked unreliable, such as %s. Needs a reader's eye; it proves nothing.", quotes)
		e.Key, e.Args, e.Spans = "evidence.text_like_unreliable", []string{quotes}, spans
	case e.Score > 0.5:
		e.Reason, e.Key = "Wording like that of items that people marked unreliable.", "evidence.text_like_unreliable_plain"
	default:
		e.Reason, e.Key = "Wording like that of items that people marked reliable.", "evidence.text_like_reliable"
	}
	return e, nil
}

// quotePhrases cuts the phrases out of the fields they stand in.
func quotePhrases(v *view, ps []linear.Phrase) (string, []presswatch.Span) {
	var quotes []string
	var spans []presswatch.Span
	fields, names := [][]rune{[]rune(v.title), []rune(v.text)}, []string{fieldTitle, fieldText}
	for _, p := range ps {
		if rs := fields[p.Field]; p.End <= len(rs) {
			spans = append(spans, presswatch.Span{Field: names[p.Field], Start: p.Start, End: p.End})
			q := "“" + strings.Join(strings.Fields(firstRunes(string(rs[p.Start:p.End]), 80)), " ") + "”"
			if len(quotes) < 3 && !slices.Contains(quotes, q) {
				quotes = append(quotes, q)
			}
		}
	}
	return strings.Join(quotes, ", "), spans
}
