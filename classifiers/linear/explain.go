package linear

import "sort"

// Phrase is a run of words and its part in the log-odds.
type Phrase struct {
	Field      int // index of the field it stands in
	Start, End int // code points of the field, End exclusive
	Weight     float64
}

// Explain finds the phrases of at most words words that raise the log-odds
// most, at most n of them, strongest first. index and value are the row that
// the vocabulary made of s.
func (h *Head) Explain(s *Scratch, index []uint32, value []float32, n, words int) []Phrase {
	part, k := make([]float32, len(s.Index)), 0
	for slot, i := range s.Index {
		if k < len(index) && index[k] == i { // the row leaves features out but keeps their order
			part[slot] = value[k] * float32(h.W[i]) * h.Scale / float32(s.Count[slot])
			k++
		}
	}
	score := make([]float64, len(s.scan.tokens))
	for _, o := range s.occ {
		w := float64(part[o.slot]) / float64(o.last-o.first+1)
		for t := o.first; t <= o.last; t++ {
			score[t] += w
		}
	}
	return best(s.scan.tokens, score, n, words)
}

// best picks the heaviest runs that do not overlap, nor leave a field, nor
// begin or end with a word that lowers their weight or with a symbol.
func best(tokens []token, score []float64, n, words int) []Phrase {
	type run struct {
		from, to int // tokens, to exclusive
		weight   float64
	}
	var runs []run
	for i := range tokens {
		if score[i] <= 0 || !tokens[i].word {
			continue
		}
		top, sum := run{i, i + 1, score[i]}, 0.0
		for j := i; j < len(tokens) && j < i+words && tokens[j].field == tokens[i].field; j++ {
			if sum += score[j]; sum > top.weight && tokens[j].word && score[j] > 0 {
				top = run{i, j + 1, sum}
			}
		}
		runs = append(runs, top)
	}
	sort.SliceStable(runs, func(i, j int) bool { return runs[i].weight > runs[j].weight })
	var out []Phrase
	taken := make([]bool, len(tokens))
	for _, r := range runs {
		if len(out) == n {
			break
		}
		free := true
		for t := r.from; t < r.to; t++ {
			free = free && !taken[t]
		}
		if !free {
			continue
		}
		for t := r.from; t < r.to; t++ {
			taken[t] = true
		}
		out = append(out, Phrase{Field: int(tokens[r.from].field), Start: int(tokens[r.from].start), End: int(tokens[r.to-1].end), Weight: r.weight})
	}
	return out
}
