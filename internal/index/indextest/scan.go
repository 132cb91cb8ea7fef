package indextest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"presswatch"
	"presswatch/internal/index/analysis"
	"presswatch/internal/index/query"
)

// testAgainstScan compares what random queries find with a plain scan over the
// words of all documents.
func testAgainstScan(t *testing.T, idx presswatch.Index) {
	docs := Corpus(150, 30)
	put(t, idx, docs[:100]...)
	put(t, idx, docs[50:]...) // some of them again
	a := analysis.New()
	fields := make([][2][]string, len(docs))
	for i, d := range docs {
		for token := range a.Tokens(d.Title, d.Language) {
			fields[i][0] = append(fields[i][0], token.Term)
		}
		for token := range a.Tokens(d.Text, d.Language) {
			fields[i][1] = append(fields[i][1], token.Term)
		}
	}
	found := 0
	r := rand.New(rand.NewPCG(7, 7))
	for range 150 {
		text := randomQuery(r, docs, 3)
		node, err := query.Parse(text, a)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		want := []int{}
		for i := range docs {
			if matches(node, fields[i]) {
				want = append(want, i)
			}
		}
		sort := []presswatch.Sort{"", presswatch.ByNewest, presswatch.ByRisk}[r.IntN(3)]
		got := numbers(docs, find(t, idx, presswatch.Query{Text: text, Sort: sort}))
		if !slices.Equal(got, want) {
			t.Errorf("%s: found %v, want %v", text, got, want)
		}
		if len(want) > 0 && len(want) < len(docs) {
			found++
		}
	}
	if found < 50 {
		t.Errorf("only %d queries told documents apart", found)
	}
}

// randomQuery puts words and phrases of the documents together.
func randomQuery(r *rand.Rand, docs []presswatch.Document, depth int) string {
	switch k := r.IntN(10); {
	case depth == 0 || k < 4:
		w := strings.Fields(docs[r.IntN(len(docs))].Text)
		at := r.IntN(len(w) - 3)
		switch r.IntN(4) {
		case 0:
			return `"` + strings.Join(w[at:at+2+r.IntN(2)], " ") + `"`
		case 1:
			word := []rune(strings.Trim(w[at], ".,!–"))
			if len(word) > 2 && !strings.ContainsRune(string(word), '"') {
				return string(word[:2]) + "*"
			}
		}
		return plainWord(w[at])
	case k < 6:
		return fmt.Sprintf("(%s OR %s)", randomQuery(r, docs, depth-1), randomQuery(r, docs, depth-1))
	case k < 7:
		return "-" + randomQuery(r, docs, 0)
	default:
		return fmt.Sprintf("(%s %s)", randomQuery(r, docs, depth-1), randomQuery(r, docs, depth-1))
	}
}

func plainWord(w string) string {
	if w = strings.Trim(w, ".,!–"); w != "" {
		return w
	}
	return "tin"
}

func matches(n query.Node, fields [2][]string) bool {
	switch n := n.(type) {
	case query.All:
		return true
	case query.And:
		return !slices.ContainsFunc(n.Nodes, func(c query.Node) bool { return !matches(c, fields) })
	case query.Or:
		return slices.ContainsFunc(n.Nodes, func(c query.Node) bool { return matches(c, fields) })
	case query.Not:
		return !matches(n.Node, fields)
	case query.Word:
		return anyField(fields, func(at []string) bool {
			return slices.Contains(n.Terms, at[0]) || slices.ContainsFunc(n.Prefixes, func(p string) bool { return strings.HasPrefix(at[0], p) })
		})
	case query.Phrase:
		return anyField(fields, func(at []string) bool {
			for i, w := range n.Words {
				if i >= len(at) || !slices.Contains(w.Terms, at[i]) {
					return false
				}
			}
			return true
		})
	}
	return false
}

func anyField(fields [2][]string, at func([]string) bool) bool {
	for _, words := range fields {
		for i := range words {
			if at(words[i:]) {
				return true
			}
		}
	}
	return false
}
