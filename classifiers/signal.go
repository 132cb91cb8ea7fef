// Package classifiers says how much an item needs a person's review, and why.
// Each signal is one file; all.go lists them; the ensemble adds their parts in
// log-odds. Nothing here says that an item is false.
package classifiers

import (
	"context"

	"presswatch"
)

// Spec names a signal and says in a line what it looks at.
type Spec struct {
	Name string // stable: it is Evidence.Signal and the name of the weight
	Help string
}

// Signal looks at one side of a document.
type Signal interface {
	// Spec says what the signal is. Name never changes.
	Spec() Spec
	// Score rates the document from 0 (nothing found) to 1, with a sentence a
	// reviewer understands and the spans it speaks of. It leaves Weight alone.
	// A signal that has nothing to say about the document scores 0.
	Score(ctx context.Context, d presswatch.Document) (presswatch.Evidence, error)
}

// Signals' names, as the model file keeps their weights.
const (
	signalText        = "text"
	signalSensational = "sensational"
	signalShouting    = "shouting"
	signalShare       = "share_call"
	signalAttribution = "attribution"
	signalClickbait   = "clickbait"
	signalNumbers     = "headline_numbers"
	signalBase        = "base"
)

// mostSpans is how many spans one signal points at.
const mostSpans = 12
