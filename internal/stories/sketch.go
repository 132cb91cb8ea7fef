package stories

import (
	"encoding/binary"
	"slices"

	"github.com/cespare/xxhash/v2"

	"presswatch"
	"presswatch/internal/text"
)

const (
	shingleWords = 3    // words in a shingle: a typo spoils three of them, a shared name makes none
	fewWords     = 8    // texts of fewer words are copies only when they are the same
	maxWords     = 8000 // words of a text that count; the rest is not compared
	sampled      = 8    // one hash in so many is a key
	leastKeys    = 8    // keys of a short text, as far as it has hashes
	mostKeys     = 200  // keys of a long text
)

// sketch is what is remembered of a text. The first of exact and keys is the
// hash of the whole folded text; its shingles are a sorted set.
type sketch struct {
	exact    uint64
	keys     []uint64
	shingles []uint64
	numbers  []string // sorted, as often as they occur
}

// newSketch hashes the text of a document; its title counts only where there
// is hardly a text, since reprints often have one of their own.
func newSketch(title, body string) sketch {
	words, numbers := foldedWords(body)
	if len(words) < fewWords {
		words, numbers = foldedWords(title + "\n" + body)
	}
	var s sketch
	hashes := make([]uint64, len(words))
	whole := xxhash.New()
	var b [8 * shingleWords]byte
	for i, w := range words {
		hashes[i] = xxhash.Sum64String(w)
		binary.LittleEndian.PutUint64(b[:], hashes[i])
		_, _ = whole.Write(b[:8]) // a hash never fails
	}
	s.exact = whole.Sum64()
	if len(words) == 0 { // a post of signs only
		s.exact = xxhash.Sum64String("\x00" + title + "\x00" + body)
	}
	slices.Sort(numbers)
	s.numbers = numbers
	if len(words) >= fewWords {
		s.shingles = make([]uint64, 0, len(words)-shingleWords+1)
		for i := 0; i+shingleWords <= len(hashes); i++ {
			for j := range shingleWords {
				binary.LittleEndian.PutUint64(b[8*j:], hashes[i+j])
			}
			s.shingles = append(s.shingles, xxhash.Sum64(b[:]))
		}
		slices.Sort(s.shingles)
		s.shingles = slices.Clip(slices.Compact(s.shingles))
	}
	s.keys = append([]uint64{s.exact}, sample(s.shingles)...)
	return s
}

// sample takes the hashes below a bound, so that two texts keep the same ones
// of what they share (Broder 1997, "mod" sketches), and of a short text the
// least few.
func sample(sorted []uint64) []uint64 {
	n, _ := slices.BinarySearch(sorted, ^uint64(0)/sampled)
	n = min(max(n, leastKeys), mostKeys, len(sorted))
	return sorted[:n]
}

// foldedWords are the words as text.Fold leaves them, and the numerals among
// them. Signs inside numbers divide them: 1.250 and 1,250 are alike.
func foldedWords(s string) (words, numbers []string) {
	folded := text.Fold(s)
	for _, w := range text.Words(folded) {
		if len(words) == maxWords {
			break
		}
		words = append(words, w)
		if w[0] >= '0' && w[0] <= '9' {
			numbers = append(numbers, w)
		}
	}
	return words, numbers
}

func (s sketch) entry(d *presswatch.Document, story presswatch.Story) presswatch.StoryEntry {
	return presswatch.StoryEntry{Doc: d.ID, Version: d.Version, Language: d.Language, Story: story,
		Keys: s.keys, Shingles: s.shingles, Numbers: s.numbers, At: d.Seq}
}
