// Package query reads what people type into the search box and says where a
// text matches it. It is one small language for every index backend.
package query

import "presswatch/internal/index/analysis"

// Node is a query, or a part of one: All, Word, Phrase, And, Or or Not.
type Node interface{ node() }

// All matches every document.
type All struct{}

// Word matches a document with one of the terms, or with a word that begins
// with one of the prefixes. Marks, when set, is the form whose matches count
// more.
type Word struct {
	analysis.Word
	Prefixes []string
}

// Phrase matches its words one after the other, in the title or in the text.
type Phrase struct{ Words []analysis.Word }

// And matches where all of its nodes do, Or where any does, Not where its node
// does not. And and Or have at least two nodes.
type (
	And struct{ Nodes []Node }
	Or  struct{ Nodes []Node }
	Not struct{ Node Node }
)

func (All) node()    {}
func (Word) node()   {}
func (Phrase) node() {}
func (And) node()    {}
func (Or) node()     {}
func (Not) node()    {}

// Words returns the words that documents are looked for with, each once: not
// those below a Not.
func Words(n Node) []analysis.Word {
	var words []analysis.Word
	seen := map[string]bool{}
	add := func(w analysis.Word) {
		if key := w.Plain + "\x00" + w.Marks; !seen[key] {
			seen[key] = true
			words = append(words, w)
		}
	}
	positive(n, func(n Node) {
		switch n := n.(type) {
		case Word:
			add(n.Word)
		case Phrase:
			for _, w := range n.Words {
				add(w)
			}
		}
	})
	return words
}

// positive visits the words and phrases that are not below a Not.
func positive(n Node, visit func(Node)) {
	switch n := n.(type) {
	case Word, Phrase:
		visit(n)
	case And:
		for _, c := range n.Nodes {
			positive(c, visit)
		}
	case Or:
		for _, c := range n.Nodes {
			positive(c, visit)
		}
	}
}
