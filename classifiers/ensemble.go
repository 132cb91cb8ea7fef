package classifiers

import (
	"bytes"
	"context"
	_ "embed" // the model file
	"fmt"
	"log/slog"
	"math"

	"presswatch"
)

//go:embed model/risk.model
var embedded []byte

// Ensemble adds up what the signals say. It is safe for concurrent use.
type Ensemble struct {
	// Log gets the failures of single signals; nil means slog.Default().
	Log *slog.Logger

	model   *Model
	signals []Signal
}

// New makes the ensemble of a model and all signals.
func New(m *Model) (*Ensemble, error) {
	switch {
	case m == nil:
		return nil, presswatch.Errorf(presswatch.Invalid, "ensemble: no model")
	case len(m.heads) == 0 || len(m.Mixes) == 0:
		return nil, presswatch.Errorf(presswatch.Invalid, "model %s: it has no heads", m.Name)
	case !(m.Levels.Review > 0 && m.Levels.Review <= m.Levels.High && m.Levels.High < 1):
		return nil, presswatch.Errorf(presswatch.Invalid, "model %s: levels %v are not in order", m.Name, m.Levels)
	}
	return &Ensemble{model: m, signals: All(m)}, nil
}

// Default makes the ensemble of the model inside the program.
func Default() (*Ensemble, error) {
	m, err := Read(bytes.NewReader(embedded))
	if err != nil {
		return nil, fmt.Errorf("embedded model: %w", err)
	}
	return New(m)
}

// Version names the model, as Verdict.Model does.
func (e *Ensemble) Version() string { return e.model.Name }

// Levels are the risks at which the levels begin.
func (e *Ensemble) Levels() Levels { return e.model.Levels }

// Classify sets d.Verdict. The weights of its evidence are log-odds; they add
// up to those of the risk. A signal that fails is left out, with a line in the
// log; the others are used. Only the end of ctx is an error.
func (e *Ensemble) Classify(ctx context.Context, d *presswatch.Document) error {
	return e.classify(ctx, d, true)
}

func (e *Ensemble) classify(ctx context.Context, d *presswatch.Document, explain bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	v := newView(*d)
	v.quick = !explain
	in := withView(ctx, v)
	r := v.reading(e.model)
	p := e.model.Mixes[r.head].apply(r.z, r.trust, len(v.words), kindOf(*d, len(v.words)))
	verdict := presswatch.Verdict{Model: e.model.Name, Evidence: []presswatch.Evidence{}}
	sum := 0.0
	for _, s := range e.signals {
		ev, err := e.score(in, s, *d)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			e.log().WarnContext(ctx, "signal left out", "signal", s.Spec().Name, "doc", d.ID, "err", err)
			continue
		}
		if ev.Signal == signalText {
			ev.Weight = p.text
		} else if ev.Weight = ev.Score * e.model.Weights[ev.Signal] * p.others; ev.Score == 0 {
			continue
		}
		sum += ev.Weight
		verdict.Evidence = append(verdict.Evidence, ev)
	}
	base := baseEvidence(p.base)
	sum += base.Weight
	verdict.Evidence = append(verdict.Evidence, base)
	verdict.Risk = sigmoid(sum)
	verdict.Level = e.model.Levels.Of(verdict.Risk)
	d.Verdict = verdict
	return nil
}

// score asks one signal, and turns a panic or a score that is no number
// between 0 and 1 into an error.
func (e *Ensemble) score(ctx context.Context, s Signal, d presswatch.Document) (ev presswatch.Evidence, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = presswatch.Errorf(presswatch.Internal, "panic: %v", r)
		}
	}()
	ev, err = s.Score(ctx, d)
	if err == nil && !(ev.Score >= 0 && ev.Score <= 1) {
		err = presswatch.Errorf(presswatch.Internal, "score %v is not between 0 and 1", ev.Score)
	}
	return ev, err
}

// baseEvidence states what is assumed before any signal speaks.
func baseEvidence(weight float64) presswatch.Evidence {
	percent := fmt.Sprintf("%.0f", 100*sigmoid(weight))
	return presswatch.Evidence{
		Signal: signalBase, Score: sigmoid(weight), Weight: weight,
		Reason: fmt.Sprintf("Starting point for texts of this language, length and kind, before any signal: %s %%.", percent),
		Key:    "evidence.base", Args: []string{percent},
	}
}

func (e *Ensemble) log() *slog.Logger {
	if e.Log != nil {
		return e.Log
	}
	return slog.Default()
}

// LogOdds is the sum of the weights of a verdict; it is the logit of its risk.
func LogOdds(v presswatch.Verdict) float64 {
	sum := 0.0
	for _, e := range v.Evidence {
		sum += e.Weight
	}
	if math.IsNaN(sum) {
		return 0
	}
	return sum
}
