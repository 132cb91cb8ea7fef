package classifiers

import (
	"context"
	"fmt"
	"math"

	"presswatch"
)

// ShareCall looks for requests to pass the text on.
type ShareCall struct{ wordings map[string]wording }

// NewShareCall uses the prepared lists of all languages.
func NewShareCall(w map[string]wording) ShareCall { return ShareCall{w} }

// Spec names the signal.
func (ShareCall) Spec() Spec {
	return Spec{Name: signalShare, Help: "requests to share or forward, by language"}
}

// Score rises with each request: 0.6 for one, 0.84 for two.
func (s ShareCall) Score(ctx context.Context, d presswatch.Document) (presswatch.Evidence, error) {
	v := viewOf(ctx, d)
	e := presswatch.Evidence{Signal: signalShare}
	found := s.wordings[v.profile.Code].share.find(v.words)
	if len(found) == 0 || !v.known {
		return e, nil
	}
	e.Score = 1 - math.Pow(0.4, float64(len(found)))
	quotes := quoted(found, 3)
	e.Reason = fmt.Sprintf("Asks readers to pass it on: %s. Chain messages do so more often than reports.", quotes)
	e.Key, e.Args, e.Spans = "evidence.share_call", []string{quotes}, spansOf(found)
	return e, nil
}
