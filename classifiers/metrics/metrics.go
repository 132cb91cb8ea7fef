// Package metrics measures a scorer against labels.
package metrics

import (
	"math"
	"sort"
)

// Pair is a score between 0 and 1 and the label it should foretell.
type Pair struct {
	Score float64
	Label bool
}

// Summary is every figure of one labelled set.
type Summary struct {
	N        int     `json:"n"`
	Positive float64 `json:"positive_share"`
	MacroF1  float64 `json:"macro_f1"` // at 0.5
	AUC      float64 `json:"auc"`
	AP       float64 `json:"average_precision"`
	ECE      float64 `json:"ece"` // 15 bins of equal width
}

// Summarize computes every figure.
func Summarize(pairs []Pair) Summary {
	s := Summary{N: len(pairs), MacroF1: MacroF1(pairs, 0.5), AUC: AUC(pairs), AP: AveragePrecision(pairs), ECE: ECE(pairs, 15)}
	for _, p := range pairs {
		if p.Label {
			s.Positive += 1 / float64(len(pairs))
		}
	}
	return s
}

// Counts are the outcomes of a cut: what reaches it counts as positive.
type Counts struct{ TP, FP, FN, TN int }

// Cut counts the outcomes at a threshold.
func Cut(pairs []Pair, threshold float64) (c Counts) {
	for _, p := range pairs {
		switch up := p.Score >= threshold; {
		case up && p.Label:
			c.TP++
		case up:
			c.FP++
		case p.Label:
			c.FN++
		default:
			c.TN++
		}
	}
	return c
}

// Precision is the share of flagged items that are positive; 1 when none is
// flagged.
func (c Counts) Precision() float64 {
	if c.TP+c.FP == 0 {
		return 1
	}
	return float64(c.TP) / float64(c.TP+c.FP)
}

// Recall is the share of positive items that are flagged; 0 when there is none.
func (c Counts) Recall() float64 {
	if c.TP+c.FN == 0 {
		return 0
	}
	return float64(c.TP) / float64(c.TP+c.FN)
}

// F1 is the harmonic mean of precision and recall.
func (c Counts) F1() float64 {
	p, r := c.Precision(), c.Recall()
	if p+r == 0 {
		return 0
	}
	return 2 * p * r / (p + r)
}

// MacroF1 is the mean of the F1 of both classes at a threshold.
func MacroF1(pairs []Pair, threshold float64) float64 {
	c := Cut(pairs, threshold)
	return (c.F1() + Counts{TP: c.TN, FP: c.FN, FN: c.FP, TN: c.TP}.F1()) / 2
}

// AUC is the area under the ROC curve: how often a positive item scores higher
// than a negative one, a tie counting half. It is 0.5 with one class only.
func AUC(pairs []Pair) float64 {
	s := sorted(pairs, func(a, b Pair) bool { return a.Score < b.Score })
	pos, ranks := 0, 0.0
	for i := 0; i < len(s); {
		j, p := i, 0
		for ; j < len(s) && s[j].Score == s[i].Score; j++ {
			if s[j].Label {
				p++
			}
		}
		ranks += float64(p) * float64(i+1+j) / 2
		pos, i = pos+p, j
	}
	neg := len(s) - pos
	if pos == 0 || neg == 0 {
		return 0.5
	}
	return (ranks - float64(pos)*float64(pos+1)/2) / (float64(pos) * float64(neg))
}

// AveragePrecision is the mean precision at each positive item, best first;
// ties keep the order they came in.
func AveragePrecision(pairs []Pair) float64 {
	hits, sum := 0, 0.0
	for k, p := range sorted(pairs, func(a, b Pair) bool { return a.Score > b.Score }) {
		if p.Label {
			hits++
			sum += float64(hits) / float64(k+1)
		}
	}
	if hits == 0 {
		return 0
	}
	return sum / float64(hits)
}

// ECE is the expected calibration error: how far, on average, the scores of a
// bin are from the share of positives in it.
func ECE(pairs []Pair, bins int) float64 {
	if len(pairs) == 0 {
		return 0
	}
	diff := make([]float64, bins)
	for _, p := range pairs {
		b := min(max(int(p.Score*float64(bins)), 0), bins-1)
		diff[b] += p.Score
		if p.Label {
			diff[b]--
		}
	}
	sum := 0.0
	for _, d := range diff {
		sum += math.Abs(d)
	}
	return sum / float64(len(pairs))
}

func sorted(pairs []Pair, less func(a, b Pair) bool) []Pair {
	s := append([]Pair(nil), pairs...)
	sort.SliceStable(s, func(i, j int) bool { return less(s[i], s[j]) })
	return s
}
