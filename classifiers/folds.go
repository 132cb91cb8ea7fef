package classifiers

import (
	"maps"
	"slices"

	"presswatch/internal/text"
)

// policy says what must stay on one side of a split.
type policy string

const (
	byCopy   policy = "random" // near-duplicates stay together; otherwise at random
	bySource policy = "source" // and so does everything of one source, speaker or account
)

// folds deals clusters into k parts, by lot drawn from seed.
func folds(examples []example, clusters []int, k int, seed uint64) []int {
	out := make([]int, len(examples))
	for i, c := range clusters {
		out[i] = int(mix(hash64(examples[c].set, examples[c].ID)^seed) % uint64(k))
	}
	return out
}

// clustersOf names the cluster of each example, by the place of its first
// member. Near-duplicates are in one cluster; with bySource, so are all
// examples of one group.
func clustersOf(examples []example, by policy) []int {
	u := newUnion(len(examples))
	unionCopies(u, examples)
	first := map[string]int{}
	for i, e := range examples {
		if by != bySource || e.Group == "" || e.Group == "nan" || !datasetNamed(e.set).BySite {
			continue
		}
		key := e.set + "\x00" + e.Group
		if j, ok := first[key]; ok {
			u.join(i, j)
		} else {
			first[key] = i
		}
	}
	out := make([]int, len(examples))
	for i := range out {
		out[i] = u.root(i)
	}
	return out
}

// late marks the last fifth, by time, of each set whose times can be trusted,
// and skip the earlier copies of what is late.
func late(examples []example, clusters []int) (test, skip []bool) {
	test, skip = make([]bool, len(examples)), make([]bool, len(examples))
	times := map[string][]int64{}
	for _, e := range examples {
		if e.TS != nil && datasetNamed(e.set).ByTime {
			times[e.set] = append(times[e.set], *e.TS)
		}
	}
	for _, ts := range times {
		slices.Sort(ts)
	}
	hit := map[int]bool{}
	for i, e := range examples {
		if ts := times[e.set]; len(ts) >= 50 && e.TS != nil && *e.TS > ts[len(ts)*4/5] {
			test[i], hit[clusters[i]] = true, true
		}
	}
	for i := range examples {
		skip[i] = test[i] || hit[clusters[i]]
	}
	return test, skip
}

// unionCopies joins texts that share at least half of their sketches: the
// eight smallest hashes of their runs of four words.
func unionCopies(u union, examples []example) {
	const size, most = 8, 200
	byHash := map[uint64][]int{}
	for i, e := range examples {
		shared := map[int]int{}
		sketch := sketchOf(e.Title+"\n"+e.Text, size)
		for _, h := range sketch {
			for _, j := range byHash[h] {
				shared[j]++
			}
			if len(byHash[h]) < most {
				byHash[h] = append(byHash[h], i)
			}
		}
		for _, j := range slices.Sorted(maps.Keys(shared)) {
			if 2*shared[j] >= len(sketch) {
				u.join(i, j)
			}
		}
	}
}

func sketchOf(s string, size int) []uint64 {
	var words []string
	for _, w := range text.Words(text.Fold(s)) {
		words = append(words, w)
	}
	if len(words) < 4 {
		return []uint64{hash64(words...)}
	}
	hs := make([]uint64, 0, len(words))
	for i := 0; i+4 <= len(words); i++ {
		hs = append(hs, mix(hash64(words[i:i+4]...)))
	}
	slices.Sort(hs)
	hs = slices.Compact(hs)
	return hs[:min(size, len(hs))]
}

func mix(h uint64) uint64 {
	h ^= h >> 31
	h *= 0x9E3779B97F4A7C15
	return h ^ h>>29
}

// union is a forest of disjoint sets whose roots are their least members.
type union []int

func newUnion(n int) union {
	u := make(union, n)
	for i := range u {
		u[i] = i
	}
	return u
}

func (u union) root(i int) int {
	for u[i] != i {
		u[i] = u[u[i]]
		i = u[i]
	}
	return i
}

func (u union) join(i, j int) {
	i, j = u.root(i), u.root(j)
	u[max(i, j)] = min(i, j)
}
