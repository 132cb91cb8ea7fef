package query

import (
	"strings"
	"unicode"

	"presswatch"
	"presswatch/internal/index/analysis"
)

// The limits of a query. Each is an Invalid error beyond.
const (
	MaxLength = 512 // code points
	MaxWords  = 64  // words, also those inside phrases
	MaxDepth  = 16  // nested parentheses and negations
	MinPrefix = 2   // code points before a '*'
)

// Parse reads a query: words (all must occur), "phrases", AND, OR, NOT in
// capitals, -word, parentheses, and word* for words that begin so; "*" or
// nothing matches all. AND binds tighter than OR. An error is Invalid and
// names the position, counted in code points from 1.
func Parse(s string, a *analysis.Analyzer) (Node, error) {
	p := &parser{analyzer: a, src: straighten(s)}
	if len(p.src) > MaxLength {
		return nil, presswatch.Errorf(presswatch.Invalid, "query: %d characters, the most is %d", len(p.src), MaxLength)
	}
	if err := p.lex(); err != nil {
		return nil, err
	}
	if p.peek().kind == end {
		return All{}, nil
	}
	n, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != end {
		return nil, wrong(t.at, "this parenthesis closes nothing")
	}
	if n == nil {
		return nil, wrong(0, "no word to look for")
	}
	return n, nil
}

func wrong(at int, what string) error {
	return presswatch.Errorf(presswatch.Invalid, "query: at position %d: %s", at+1, what)
}

// straighten makes typographic quotes plain, one code point for one.
func straighten(s string) []rune {
	src := []rune(strings.ToValidUTF8(s, "\uFFFD"))
	for i, r := range src {
		switch r {
		case '\u201C', '\u201D', '\u201E', '\u2033', '\u00AB', '\u00BB':
			src[i] = '"'
		}
	}
	return src
}

type kind int

const (
	end kind = iota
	word
	phrase
	open
	closing
	minus
	and
	or
	not
)

type token struct {
	kind kind
	at   int    // position of its first code point
	text string // of a word or a phrase, without the quotes
}

type parser struct {
	analyzer *analysis.Analyzer
	src      []rune
	tokens   []token
	next     int
	words    int
}

// lex cuts the source into tokens.
func (p *parser) lex() error {
	for i := 0; i < len(p.src); {
		switch r := p.src[i]; {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			i++
		case r == '(':
			p.tokens = append(p.tokens, token{open, i, ""})
			i++
		case r == ')':
			p.tokens = append(p.tokens, token{closing, i, ""})
			i++
		case r == '"':
			j := i + 1
			for j < len(p.src) && p.src[j] != '"' {
				j++
			}
			if j == len(p.src) {
				return wrong(i, "this quotation mark is never closed")
			}
			p.tokens = append(p.tokens, token{phrase, i, string(p.src[i+1 : j])})
			i = j + 1
		case r == '-' && i+1 < len(p.src) && negates(p.src[i+1]):
			p.tokens = append(p.tokens, token{minus, i, ""})
			i++
		default:
			i = p.lexWord(i)
		}
	}
	return nil
}

// negates reports whether a '-' before r excludes what follows.
func negates(r rune) bool { return r == '"' || r == '(' || r > ' ' && r != '-' && r != ')' }

func (p *parser) lexWord(i int) int {
	j := i
	for j < len(p.src) && !unicode.IsSpace(p.src[j]) && !unicode.IsControl(p.src[j]) && !strings.ContainsRune(`"()`, p.src[j]) {
		j++
	}
	t := token{word, i, string(p.src[i:j])}
	switch t.text {
	case "AND", "&&":
		t.kind = and
	case "OR", "||":
		t.kind = or
	case "NOT":
		t.kind = not
	}
	p.tokens = append(p.tokens, t)
	return j
}

func (p *parser) peek() token {
	if p.next < len(p.tokens) {
		return p.tokens[p.next]
	}
	return token{end, len(p.src), ""}
}

// or reads alternatives. A nil node means that there was nothing to look for,
// only punctuation.
func (p *parser) or(depth int) (Node, error) {
	if depth > MaxDepth {
		return nil, wrong(p.peek().at, "nested too deeply")
	}
	var nodes []Node
	for {
		n, err := p.and(depth)
		if err != nil {
			return nil, err
		}
		if n != nil {
			nodes = append(nodes, n)
		}
		if p.peek().kind != or {
			break
		}
		p.next++
	}
	if len(nodes) < 2 {
		return first(nodes), nil
	}
	return Or{nodes}, nil
}

func (p *parser) and(depth int) (Node, error) {
	var nodes []Node
	for need := true; ; {
		switch t := p.peek(); t.kind {
		case and:
			if need {
				return nil, wrong(t.at, "a word is missing before this "+t.text)
			}
			need = true
			p.next++
			continue
		case or, closing, end:
			if need {
				return nil, p.missing(t)
			}
			if len(nodes) < 2 {
				return first(nodes), nil
			}
			return And{nodes}, nil
		}
		n, err := p.unary(depth)
		if err != nil {
			return nil, err
		}
		if n != nil {
			nodes = append(nodes, n)
		}
		need = false
	}
}

func (p *parser) missing(t token) error {
	switch t.kind {
	case or:
		return wrong(t.at, "a word is missing before this "+t.text)
	case closing:
		return wrong(t.at, "a word is missing before this parenthesis")
	}
	return wrong(t.at, "a word is missing at the end")
}

func (p *parser) unary(depth int) (Node, error) {
	t := p.peek()
	p.next++
	switch t.kind {
	case minus, not:
		if depth >= MaxDepth {
			return nil, wrong(t.at, "nested too deeply")
		}
		switch after := p.peek(); after.kind {
		case end, closing, and, or:
			return nil, p.missing(after)
		}
		n, err := p.unary(depth + 1)
		if n == nil || err != nil {
			return nil, err
		}
		return Not{n}, nil
	case open:
		n, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if p.peek().kind != closing {
			return nil, wrong(t.at, "this parenthesis is never closed")
		}
		p.next++
		return n, nil
	case phrase:
		return p.phrase(t, t.text)
	}
	return p.word(t)
}

func (p *parser) phrase(t token, s string) (Node, error) {
	words := p.analyzer.Query(s)
	if p.words += len(words); p.words > MaxWords {
		return nil, wrong(t.at, "too many words")
	}
	switch len(words) {
	case 0:
		return nil, nil
	case 1:
		return Word{Word: words[0]}, nil
	}
	return Phrase{words}, nil
}

// word reads a bare word; what looks like several words, such as covid-19, is
// a phrase.
func (p *parser) word(t token) (Node, error) {
	if t.text == "*" {
		return All{}, nil
	}
	stem, wild := strings.CutSuffix(t.text, "*")
	if i := strings.IndexByte(stem, '*'); i >= 0 {
		at := t.at + len([]rune(stem[:i]))
		return nil, wrong(at, "a '*' may only stand at the end of a word")
	}
	n, err := p.phrase(t, stem)
	if !wild || err != nil {
		return n, err
	}
	w, ok := n.(Word)
	if !ok {
		return nil, wrong(t.at, "a '*' needs one word before it")
	}
	if len([]rune(w.Plain)) < MinPrefix {
		return nil, wrong(t.at, "a '*' needs more letters before it")
	}
	w.Prefixes = []string{w.Plain}
	for _, term := range w.Terms {
		// A stem that lost more than its tail, as Arabic ones do, begins otherwise.
		if !strings.HasPrefix(w.Plain, term) && len([]rune(term)) >= MinPrefix {
			w.Prefixes = append(w.Prefixes, term)
		}
	}
	return w, nil
}

func first(nodes []Node) Node {
	if len(nodes) == 0 {
		return nil
	}
	return nodes[0]
}
