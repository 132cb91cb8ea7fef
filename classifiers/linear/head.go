package linear

import "math"

// Head is a trained regression of one language, one byte a weight.
type Head struct {
	W     []int8   // Dim weights
	Scale float32  // one step of W
	Bias  float32  // log-odds of a text without known features
	Known []uint64 // bit set of the hashes of words seen in training
	Rows  int      // texts it was trained on
}

// KnownBits is the size of Head.Known in bits.
const KnownBits = 1 << 20

// Quantise rounds weights to one byte. The largest are clipped at the 99.99th
// percentile, so that one odd weight does not cost all others their precision;
// those below half a step become zero and are compressed away.
func Quantise(m Dense, known []uint64, rows int) Head {
	h := Head{W: make([]int8, Dim), Bias: m.W[Dim], Known: known, Rows: rows}
	if top := percentile(m.W[:Dim], 0.9999); top > 0 {
		h.Scale = top / 127
		for i, w := range m.W[:Dim] {
			h.W[i] = int8(math.Round(float64(min(max(w/h.Scale, -127), 127))))
		}
	}
	return h
}

// percentile estimates a percentile of |w| among non-zero weights, by a
// histogram of 4096 bins.
func percentile(ws []float32, p float64) float32 {
	var top float32
	for _, w := range ws {
		top = max(top, w, -w)
	}
	if top == 0 {
		return 0
	}
	var bins [4097]int
	n := 0
	for _, w := range ws {
		if w != 0 {
			bins[int(max(w, -w)/top*4096)]++
			n++
		}
	}
	left := int(float64(n) * (1 - p))
	for b := len(bins) - 1; b > 0; b-- {
		if left -= bins[b]; left < 0 {
			return min(top, top*float32(b+1)/4096)
		}
	}
	return top
}

// Dot is the log-odds that the head gives to a row.
func (h *Head) Dot(index []uint32, value []float32) float64 {
	var z float32
	for k, i := range index {
		z += float32(h.W[i]) * value[k]
	}
	return float64(h.Bias) + float64(z*h.Scale)
}

// Familiar is the share of words that the head met in training, 0 to 1; 0 for
// a text without words.
func (h *Head) Familiar(words []uint64) float64 {
	if len(words) == 0 || len(h.Known) == 0 {
		return 0
	}
	n := 0
	for _, w := range words {
		if b := mix(w) % KnownBits; h.Known[b/64]>>(b%64)&1 == 1 {
			n++
		}
	}
	return float64(n) / float64(len(words))
}

// Learn adds words to a bit set of KnownBits.
func Learn(known []uint64, words []uint64) {
	for _, w := range words {
		b := mix(w) % KnownBits
		known[b/64] |= 1 << (b % 64)
	}
}
