package linear

import "math"

// Vocab weighs features by how rare they are (inverse document frequency), one
// byte each: 0 is a feature too rare to use, 255 is the highest weight.
type Vocab struct {
	IDF  []uint8
	Unit float32 // one step of IDF
}

// NewVocab weighs features by df, the number of n documents that have each;
// those of fewer than least documents are left out.
func NewVocab(df []uint32, n, least int) Vocab {
	top := math.Log(float64(n+1)/float64(least+1)) + 1
	v := Vocab{IDF: make([]uint8, len(df)), Unit: float32(top / 15)}
	for i, d := range df {
		if int(d) >= least {
			idf := math.Log(float64(n+1)/float64(d+1)) + 1
			v.IDF[i] = uint8(max(1, math.Round(idf/top*15)))
		}
	}
	return v
}

// Vector appends the weighted features of s to index and value: word and
// character features are each of length one, so that neither drowns the other
// and a long text weighs no more than a short one.
func (v Vocab) Vector(s *Scratch, index []uint32, value []float32) ([]uint32, []float32) {
	from := len(index)
	var norm [2]float64
	for k, i := range s.Index {
		idf := v.IDF[i]
		if idf == 0 {
			continue
		}
		x := sublinear(s.Count[k]) * v.Unit * float32(idf)
		index, value = append(index, i), append(value, x)
		norm[part(i)] += float64(x) * float64(x)
	}
	var scale [2]float32
	for p, n := range norm {
		if n > 0 {
			scale[p] = float32(1 / math.Sqrt(n))
		}
	}
	for k := from; k < len(index); k++ {
		value[k] *= scale[part(index[k])]
	}
	return index, value
}

func part(i uint32) int {
	if i < WordDim {
		return 0
	}
	return 1
}

var logs = func() (t [64]float32) {
	for i := 1; i < len(t); i++ {
		t[i] = float32(1 + math.Log(float64(i)))
	}
	return t
}()

// sublinear damps repetition: 1 + ln n.
func sublinear(n uint16) float32 {
	if int(n) < len(logs) {
		return logs[n]
	}
	return float32(1 + math.Log(float64(n)))
}

// Merge takes, for each feature, the lower of two weights: that of the language
// in which it is more frequent.
func (v *Vocab) Merge(other Vocab) {
	v.Unit = max(v.Unit, other.Unit)
	for i, x := range other.IDF {
		if x > 0 && (v.IDF[i] == 0 || x < v.IDF[i]) {
			v.IDF[i] = x
		}
	}
}
