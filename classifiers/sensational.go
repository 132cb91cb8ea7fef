package classifiers

import (
	"context"
	"fmt"

	"presswatch"
)

// Sensational looks for wording that plays on alarm, wonder or secrets. The
// title counts double; in a long text a few such words are ordinary.
type Sensational struct{ wordings map[string]wording }

// NewSensational uses the prepared lists of all languages.
func NewSensational(w map[string]wording) Sensational { return Sensational{w} }

// Spec names the signal.
func (Sensational) Spec() Spec {
	return Spec{Name: signalSensational, Help: "words that play on alarm, wonder or secrets, by language"}
}

// Score counts the phrases against the length of the text.
func (s Sensational) Score(ctx context.Context, d presswatch.Document) (presswatch.Evidence, error) {
	v := viewOf(ctx, d)
	e := presswatch.Evidence{Signal: signalSensational}
	found := s.wordings[v.profile.Code].sensational.find(v.words)
	if len(found) == 0 || !v.known {
		return e, nil
	}
	weight := 0.0
	for _, m := range found {
		weight++
		if m.words[0].field == fieldTitle {
			weight++
		}
	}
	e.Score = min(1, weight/max(3, float64(len(v.words))/40))
	quotes := quoted(found, 4)
	e.Reason = fmt.Sprintf("Wording that plays on alarm, wonder or secrets: %s. Worth checking what it rests on.", quotes)
	e.Key, e.Args, e.Spans = "evidence.sensational", []string{quotes}, spansOf(found)
	return e, nil
}
