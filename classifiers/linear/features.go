package linear

import (
	"math"
	"sync"
)

// The feature space: hashed word n-grams below WordDim, hashed character
// n-grams after them.
const (
	WordDim = 1 << 19
	CharDim = 1 << 20
	Dim     = WordDim + CharDim
	maxGram = 5 // characters
)

// seeds keep the kinds of features apart.
const (
	seedFold uint64 = 0x9E3779B97F4A7C15
	seedLow  uint64 = 0xC2B2AE3D27D4EB4F
	seedPair uint64 = 0x165667B19E3779F9
	seedChar uint64 = 0x27D4EB2F165667C5
	seedMark uint64 = 0x85EBCA77C2B2AE63
	prime    uint64 = 0x9FB21C651E98DF25
)

// occurrence is one place of one feature: it covers tokens first to last.
type occurrence struct {
	index       uint32
	slot        uint32 // place of the feature in Scratch.Index
	first, last int32
}

// Extractor turns text into features. It is safe for concurrent use; its
// buffers come from a pool.
type Extractor struct{ pool sync.Pool }

// Scratch is what one extraction leaves behind. Release gives it back.
type Scratch struct {
	scan  scanner
	occ   []occurrence
	table []entry  // open addressing; its size is a power of two
	Index []uint32 // distinct features, in order of first occurrence
	Count []uint16 // how often each occurs
	Words []uint64 // hashes of the words, one a word token

	Row    []uint32 // room for the caller's row
	Values []float32
}

type entry struct{ key, slot uint32 } // key is the feature and one; 0 is free

// Extract reads the fields, in order, as far as MaxRunes each.
func (x *Extractor) Extract(fields ...string) *Scratch {
	s, _ := x.pool.Get().(*Scratch)
	if s == nil {
		s = &Scratch{}
	}
	s.scan.reset()
	s.occ, s.Index, s.Count, s.Words = s.occ[:0], s.Index[:0], s.Count[:0], s.Words[:0]
	for i, f := range fields {
		s.scan.scan(uint8(i), f)
	}
	s.grams()
	s.distinct()
	return s
}

// distinct counts the features.
func (s *Scratch) distinct() {
	size := 64
	for size < 2*len(s.occ) {
		size *= 2
	}
	if cap(s.table) < size {
		s.table = make([]entry, size)
	} else {
		s.table = s.table[:size]
		clear(s.table)
	}
	mask := uint32(size - 1)
	for k := range s.occ {
		o := &s.occ[k]
		at := (o.index * 0x9E3779B1) & mask
		for s.table[at].key != 0 && s.table[at].key != o.index+1 {
			at = (at + 1) & mask
		}
		if e := &s.table[at]; e.key == 0 {
			*e = entry{o.index + 1, uint32(len(s.Index))}
			s.Index, s.Count = append(s.Index, o.index), append(s.Count, 0)
		}
		o.slot = s.table[at].slot
		if s.Count[o.slot] < math.MaxUint16 {
			s.Count[o.slot]++
		}
	}
}

// Release gives the buffers back; s must not be used afterwards.
func (x *Extractor) Release(s *Scratch) { x.pool.Put(s) }

func (s *Scratch) grams() {
	var before, beforeLow uint64
	beforeField := uint8(255)
	for i := range s.scan.tokens {
		t, at := &s.scan.tokens[i], int32(i)
		whole := hashRunes(seedFold, t.fold)
		s.add(whole, 0, at, at)
		low := whole
		if t.word {
			s.Words = append(s.Words, whole)
			s.chars(seedChar, t.fold, at)
			if t.low != nil {
				low = hashRunes(seedLow, t.low)
				s.add(low, 0, at, at)
				s.chars(seedMark, t.low, at)
			}
		}
		if t.field == beforeField {
			s.add((before^seedPair)*prime^whole, 0, at-1, at)
			if low != whole || beforeLow != before {
				s.add((beforeLow^seedPair)*prime^low, 0, at-1, at)
			}
		}
		before, beforeLow, beforeField = whole, low, t.field
	}
}

// chars adds the 2 to 5 grams of a word with a space at either end.
func (s *Scratch) chars(seed uint64, word []rune, at int32) {
	for from := -1; from < len(word); from++ {
		h := seed
		for n := 1; n <= maxGram && from+n <= len(word)+1; n++ {
			r := ' '
			if k := from + n - 1; k >= 0 && k < len(word) {
				r = word[k]
			}
			h = (h ^ uint64(r)) * prime
			if n > 1 {
				s.add(h, WordDim, at, at)
			}
		}
	}
}

func (s *Scratch) add(h uint64, base uint32, first, last int32) {
	h = mix(h)
	size := uint64(WordDim)
	if base != 0 {
		size = CharDim
	}
	s.occ = append(s.occ, occurrence{index: base + uint32(h&(size-1)), first: first, last: last})
}

func hashRunes(seed uint64, rs []rune) uint64 {
	h := seed
	for _, r := range rs {
		h = (h ^ uint64(r)) * prime
		h ^= h >> 29
	}
	return h
}

func mix(h uint64) uint64 {
	h ^= h >> 32
	h *= prime
	return h ^ h>>29
}
