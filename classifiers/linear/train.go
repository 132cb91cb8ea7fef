package linear

import (
	"context"
	"math"
	"math/rand/v2"
)

// Data is a training set in rows of sparse features.
type Data struct {
	Index []uint32
	Value []float32
	Start []int // row i is Start[i] to Start[i+1]
	Label []bool
	Cost  []float64 // weight of each row; must be positive
}

// Append adds a row.
func (d *Data) Append(index []uint32, value []float32, label bool, cost float64) {
	if len(d.Start) == 0 {
		d.Start = append(d.Start, 0)
	}
	d.Index, d.Value = append(d.Index, index...), append(d.Value, value...)
	d.Start = append(d.Start, len(d.Index))
	d.Label, d.Cost = append(d.Label, label), append(d.Cost, cost)
}

// Row returns the features of row i.
func (d *Data) Row(i int) ([]uint32, []float32) {
	a, b := d.Start[i], d.Start[i+1]
	return d.Index[a:b], d.Value[a:b]
}

// Dense is a trained logistic regression; the last weight is the bias.
type Dense struct{ W []float32 }

// Dot is the log-odds of a row.
func (m Dense) Dot(index []uint32, value []float32) float64 {
	z := float64(m.W[Dim])
	for k, i := range index {
		z += float64(m.W[i]) * float64(value[k])
	}
	return z
}

// Fit learns from the given rows by dual coordinate descent for L2-regularised
// logistic regression (Yu, Huang, Lin: Dual coordinate descent methods for
// logistic regression and maximum entropy models, Machine Learning 85, 2011).
// Rows are visited in an order drawn from seed; the same seed, rows and passes
// give the same weights, bit for bit.
func Fit(ctx context.Context, d *Data, rows []int, passes int, seed uint64) (Dense, error) {
	m := Dense{W: make([]float32, Dim+1)}
	alpha, norm := make([]float64, len(rows)), make([]float64, len(rows))
	for k, r := range rows {
		_, value := d.Row(r)
		norm[k] = 1 // the bias is a feature of value one
		for _, v := range value {
			norm[k] += float64(v) * float64(v)
		}
		alpha[k] = 0.001 * d.Cost[r]
		m.step(d, r, alpha[k])
	}
	rng, order := rand.New(rand.NewPCG(seed, 1)), make([]int, len(rows))
	for k := range order {
		order[k] = k
	}
	for range passes {
		if err := ctx.Err(); err != nil {
			return Dense{}, err
		}
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		moved := 0.0
		for _, k := range order {
			r := rows[k]
			z := m.Dot(d.Row(r))
			if !d.Label[r] {
				z = -z
			}
			next := coordinate(norm[k], z, alpha[k], d.Cost[r])
			moved = max(moved, math.Abs(next-alpha[k])/d.Cost[r])
			m.step(d, r, next-alpha[k])
			alpha[k] = next
		}
		if moved < 0.01 {
			break
		}
	}
	return m, nil
}

// step adds delta times row r, towards its label.
func (m Dense) step(d *Data, r int, delta float64) {
	if !d.Label[r] {
		delta = -delta
	}
	index, value := d.Row(r)
	for k, i := range index {
		m.W[i] += float32(delta) * value[k]
	}
	m.W[Dim] += float32(delta)
}

// coordinate minimises the dual along one row: it finds the a between 0 and c
// where norm*(a-old) + margin + ln(a/(c-a)) is zero. With t = ln(a/(c-a)) the
// left side rises with t, so Newton's method, kept inside a bracket, ends.
func coordinate(norm, margin, old, c float64) float64 {
	lo, hi := -30.0, 30.0
	t := min(max(-margin, lo), hi)
	for range 30 {
		p := 1 / (1 + math.Exp(-t))
		f := norm*(c*p-old) + margin + t
		if math.Abs(f) < 1e-6 {
			break
		}
		if f > 0 {
			hi = t
		} else {
			lo = t
		}
		t -= f / (norm*c*p*(1-p) + 1)
		if t <= lo || t >= hi {
			t = (lo + hi) / 2
		}
	}
	return c / (1 + math.Exp(-t))
}
