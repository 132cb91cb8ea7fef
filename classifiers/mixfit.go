package classifiers

import (
	"maps"
	"math"
	"slices"

	"presswatch"
)

// mixRow is one example as the mix sees it: what the words say, out of fold,
// and what the other signals say.
type mixRow struct {
	head   string
	z      float64
	words  int
	scores map[string]float64
	label  bool
	cost   float64
}

// policyWeights are where the weights of the other signals start, in log-odds
// of a full score: what a careful reviewer would give them. Training moves
// them as far as labels say so, never below zero.
func policyWeights() map[string]float64 {
	return map[string]float64{
		signalSensational: 0.6, signalShouting: 0.4, signalShare: 0.8,
		signalAttribution: 0.3, signalClickbait: 0.3, signalNumbers: 0.5,
	}
}

// mixedSignals are the signals that have a policy weight, sorted.
var mixedSignals = slices.Sorted(maps.Keys(policyWeights()))

// keptWeights stay as the policy has them. The sets cannot say what they are
// worth: hardly any has both a title and its text, and posts seldom name
// sources, whether they are reliable or not.
func keptWeights() []string { return []string{signalAttribution, signalClickbait, signalNumbers} }

// policyStrength is for how many examples the policy counts.
const policyStrength = 100

// fitMix learns a mix for each head and the weights they share: logistic
// regression by full-batch AdaGrad, which needs no randomness. Text
// coefficients and weights are kept from falling below zero.
func fitMix(rows []mixRow) (map[string]Mix, map[string]float64) {
	mixes, weights, prior, kept := map[string]Mix{}, policyWeights(), policyWeights(), keptWeights()
	grads, sums := map[string]*[5]float64{}, map[string]*[5]float64{}
	wsum := map[string]float64{}
	for _, r := range rows {
		if grads[r.head] == nil {
			grads[r.head], sums[r.head] = new([5]float64), new([5]float64)
			mixes[r.head] = Mix{Text: 1}
		}
	}
	for name, m := range mixes {
		m.Lengths = lengthsOf(rows, name)
		mixes[name] = m
	}
	for range 400 {
		wgrad := map[string]float64{}
		for _, g := range grads {
			*g = [5]float64{}
		}
		for _, r := range rows {
			d := r.cost * (sigmoid(r.logOdds(mixes[r.head], weights)) - oneIf(r.label))
			g, m := grads[r.head], mixes[r.head]
			l := min(max(lengthOf(r.words), m.Lengths[0]), m.Lengths[1])
			g[0], g[1], g[2], g[3] = g[0]+d, g[1]+d*l, g[2]+d*r.z, g[3]+d*r.z*l
			g[4] += d * r.z * min(math.Abs(r.z), mostCurve)
			for s, x := range r.scores {
				wgrad[s] += d * x
			}
		}
		for name, g := range grads {
			m := mixes[name]
			for k, x := range []*float64{&m.Base, &m.BaseLen, &m.Text, &m.TextLen, &m.Curve} {
				*x -= adagrad(&sums[name][k], g[k])
			}
			m.Text, m.Curve = max(m.Text, 0.05), max(m.Curve, 0)
			mixes[name] = m
		}
		for s := range weights {
			if slices.Contains(kept, s) {
				continue
			}
			sum := wsum[s]
			weights[s] = max(0, weights[s]-adagrad(&sum, wgrad[s]+policyStrength*0.25*(weights[s]-prior[s])))
			wsum[s] = sum
		}
	}
	return mixes, weights
}

// lengthsOf are the 2nd and 98th percentile of the lengths of a head's rows.
func lengthsOf(rows []mixRow, head string) [2]float64 {
	var ls []float64
	for _, r := range rows {
		if r.head == head {
			ls = append(ls, lengthOf(r.words))
		}
	}
	slices.Sort(ls)
	return [2]float64{ls[len(ls)/50], ls[len(ls)-1-len(ls)/50]}
}

func (r mixRow) logOdds(m Mix, weights map[string]float64) float64 {
	p := m.apply(r.z, 1, r.words, presswatch.Post)
	sum := p.base + p.text
	for _, s := range mixedSignals { // in a fixed order: sums of floats depend on it
		sum += r.scores[s] * weights[s]
	}
	return sum
}

// adagrad is the step for a gradient, given the sum of the squares so far.
func adagrad(sum *float64, g float64) float64 {
	*sum += g * g
	if *sum == 0 {
		return 0
	}
	return 0.2 * g / math.Sqrt(*sum)
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
