package classifiers

import (
	"cmp"
	"slices"

	"presswatch/classifiers/metrics"
)

// Report is how a model measured when it was trained, always on examples that
// the measured part had not seen.
type Report struct {
	Sets  []SetReport   `json:"sets"`
	Press []PressReport `json:"press,omitempty"`
	Other []PressReport `json:"other,omitempty"` // sets of another task, by name in Head: what reaches the levels
}

// SetReport is one set, out of fold.
type SetReport struct {
	Name     string            `json:"name"`
	Head     string            `json:"head"`
	Task     string            `json:"task"`
	Licence  string            `json:"licence"`
	Note     string            `json:"note"`
	Random   metrics.Summary   `json:"random"`              // near-duplicates on one side
	Source   *metrics.Summary  `json:"source,omitempty"`    // and sources; nil when the set names none
	Time     *metrics.Summary  `json:"time,omitempty"`      // the last fifth by the four before; nil when undated
	Raw      metrics.Summary   `json:"raw"`                 // Random before calibration
	AtLevels map[string]LevelN `json:"at_levels,omitempty"` // out of fold, by level
}

// LevelN is what a level costs and finds.
type LevelN struct {
	Threshold float64 `json:"threshold"`
	Per1000   float64 `json:"per_1000"` // items of 1000 that reach it
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
}

// PressReport is how many ordinary press articles, not used to set anything,
// reach the levels.
type PressReport struct {
	Head   string  `json:"head"` // for Report.Other, the set
	N      int     `json:"n"`
	Review float64 `json:"review"` // share at least Review
	High   float64 `json:"high"`   // share High
}

// atLevels measures both levels on a set.
func atLevels(pairs []metrics.Pair, l Levels) map[string]LevelN {
	out := map[string]LevelN{}
	for name, cut := range map[string]float64{"review": l.Review, "high": l.High} {
		c := metrics.Cut(pairs, cut)
		out[name] = LevelN{cut, 1000 * float64(c.TP+c.FP) / float64(max(len(pairs), 1)), c.Precision(), c.Recall()}
	}
	return out
}

// report adds the sets of out to the model's report; risk turns log-odds of the
// words into what is measured.
func (t *trainer) report(out []scored, as task, risk func(scored, float64) float64) {
	bySet := map[string][]scored{}
	for _, s := range out {
		bySet[s.set] = append(bySet[s.set], s)
	}
	for name, rows := range bySet {
		var raw, random, source, later []metrics.Pair
		for _, s := range rows {
			raw = append(raw, metrics.Pair{Score: sigmoid(s.random), Label: s.positive()})
			random = append(random, metrics.Pair{Score: risk(s, s.random), Label: s.positive()})
			source = append(source, metrics.Pair{Score: risk(s, s.source), Label: s.positive()})
			if s.late != nil {
				later = append(later, metrics.Pair{Score: risk(s, *s.late), Label: s.positive()})
			}
		}
		known := datasetNamed(name)
		r := SetReport{Name: name, Head: rows[0].head(), Task: string(as), Licence: known.Licence, Note: known.Note,
			Random: metrics.Summarize(random), Raw: metrics.Summarize(raw), AtLevels: atLevels(random, Levels{reviewRisk, highRisk})}
		if known.BySite {
			m := metrics.Summarize(source)
			r.Source = &m
		}
		if len(later) > 0 {
			m := metrics.Summarize(later)
			r.Time = &m
		}
		t.model.Report.Sets = append(t.model.Report.Sets, r)
	}
	slices.SortFunc(t.model.Report.Sets, func(a, b SetReport) int {
		return cmp.Or(cmp.Compare(b.Task, a.Task), cmp.Compare(a.Head, b.Head), cmp.Compare(a.Name, b.Name))
	})
}
