package classifiers

import (
	"context"
	"fmt"
	"strings"

	"presswatch/classifiers/metrics"
)

// EvalReport is how an ensemble does on labelled sets.
type EvalReport struct {
	Model string    `json:"model"`
	Sets  []SetEval `json:"sets"`
}

// SetEval is one set. Where the model has learned from some of the rows, the
// figures of Unseen are the honest ones.
type SetEval struct {
	Name     string            `json:"name"`
	Task     string            `json:"task"` // what label 1 means
	All      metrics.Summary   `json:"all"`
	Seen     float64           `json:"seen"`             // share of rows that the model has learned from
	Unseen   *metrics.Summary  `json:"unseen,omitempty"` // the others, when there are both
	AtLevels map[string]LevelN `json:"at_levels"`
}

// Eval scores every set (*.jsonl) of a folder, with the definitions of the
// metrics package.
func Eval(ctx context.Context, dir string, e *Ensemble) (EvalReport, error) {
	sets, names, err := readSets(dir)
	if err != nil {
		return EvalReport{}, err
	}
	r := EvalReport{Model: e.Version()}
	for _, name := range names {
		s := SetEval{Name: name, Task: string(datasetNamed(name).Task)}
		var all, unseen []metrics.Pair
		for _, x := range sets[name] {
			d := x.document()
			if err := e.classify(ctx, &d, false); err != nil {
				return r, err
			}
			p := metrics.Pair{Score: d.Verdict.Risk, Label: x.positive()}
			all = append(all, p)
			if datasetNamed(name).Task == otherTask || !e.model.Trained(x.Title, x.Text) {
				unseen = append(unseen, p)
			}
		}
		s.All, s.AtLevels = metrics.Summarize(all), atLevels(all, e.model.Levels)
		s.Seen = 1 - float64(len(unseen))/float64(max(len(all), 1))
		if len(unseen) > 0 && len(unseen) < len(all) {
			m := metrics.Summarize(unseen)
			s.Unseen = &m
		}
		r.Sets = append(r.Sets, s)
	}
	return r, nil
}

// String is the report as a table.
func (r EvalReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-20s %-10s %6s %5s %6s %6s %6s %6s %5s  %s\n", "set", "label 1", "n", "pos", "mF1", "AUC", "AP", "ECE", "seen", "of 1000 at review, high (precision/recall)")
	for _, s := range r.Sets {
		v, h, x := s.AtLevels["review"], s.AtLevels["high"], s.All
		fmt.Fprintf(&b, "%-20s %-10s %6d %5.2f %6.3f %6.3f %6.3f %6.3f %4.0f%%  %.0f (%.2f/%.2f), %.0f (%.2f/%.2f)\n", s.Name, s.Task, x.N, x.Positive, x.MacroF1, x.AUC, x.AP, x.ECE,
			100*s.Seen, v.Per1000, v.Precision, v.Recall, h.Per1000, h.Precision, h.Recall)
		if u := s.Unseen; u != nil {
			fmt.Fprintf(&b, "%-20s %-10s %6d %5.2f %6.3f %6.3f %6.3f %6.3f\n", "  not learned from", "", u.N, u.Positive, u.MacroF1, u.AUC, u.AP, u.ECE)
		}
	}
	b.WriteString("Sets that the model has learned from (seen) flatter it: the model card has figures out of fold.\n")
	return b.String()
}
