package stories

import (
	"slices"

	"presswatch"
)

// Thresholds, chosen on the labelled near-duplicates with Eval.
const (
	nearShare    = 0.22 // of the smaller text's shingles in the larger: a copy
	shortShare   = 0.50 // the same for texts of few shingles, where chance weighs more
	shortSize    = 24   // shingles
	leastShared  = 4    // shingles
	templateLike = 0.50 // from this share on, other figures make it a template and no copy
	manyNumbers  = 4    // numerals, from which they tell a template below that share too
	sameNumbers  = 0.50 // share of the smaller text's numerals that a copy keeps
)

// likeness says how a text relates to a remembered one: the share of the
// smaller one's shingles that is in the larger, and whether that makes it a
// copy.
func likeness(s sketch, e presswatch.StoryEntry) (share float64, rel presswatch.Relation) {
	if slices.Contains(e.Keys, s.exact) {
		return 1, presswatch.Exact
	}
	small := min(len(s.shingles), len(e.Shingles))
	if small == 0 {
		return 0, presswatch.New
	}
	both := common(s.shingles, e.Shingles)
	share = float64(both) / float64(small)
	need := nearShare
	if small < shortSize {
		need = shortShare
	}
	if share < need || both < leastShared || otherFigures(s, e, share) {
		return share, presswatch.New
	}
	return share, presswatch.Near
}

// common counts what two sorted sets share.
func common[T ~uint64 | ~string](a, b []T) (n int) {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			n, i, j = n+1, i+1, j+1
		}
	}
	return n
}

// otherFigures reports a template: the words agree, the numerals do not, as in
// two reports on the price of gold. Where fewer words agree it takes more
// numerals to say so, for edits change some as well.
func otherFigures(s sketch, e presswatch.StoryEntry, share float64) bool {
	small := s.numbers
	if len(e.Shingles) < len(s.shingles) {
		small = e.Numbers
	}
	if len(small) == 0 || share < nearShare || share < templateLike && len(small) < manyNumbers {
		return false
	}
	return float64(common(s.numbers, e.Numbers))/float64(len(small)) < sameNumbers
}
