// Package analysis turns text into the words that the archive indexes and
// searches, in Go and once, so that every index backend finds the same things.
//
// Each word gives one term: folded (internal/text), and, by its script,
// normalised and stemmed; Latin words are stemmed as English only in documents
// that are in English. A word whose marks were folded away keeps them in a
// second form, so that a query with marks can prefer texts with marks.
package analysis

import (
	"iter"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"presswatch/internal/lang"
	"presswatch/internal/lang/all"
	"presswatch/internal/text"
)

// MaxTokens is the most words of one text that are indexed; what follows is
// stored but not found.
const MaxTokens = 100_000

// MaxTerm is the most code points of a term; longer words are cut.
const MaxTerm = 64

// maxCached is how many words are remembered before the memory is emptied.
const maxCached = 1 << 15

// Token is one word of a text.
type Token struct {
	Term  string // as indexed: folded, normalised, stemmed
	Marks string // lower case with its marks; empty when folding changes nothing
	Start int    // byte offsets in the text; End is exclusive
	End   int
}

// Word is what a word of a query looks for: any of the terms. Marks is as in
// Token; Plain is folded and normalised, not stemmed.
type Word struct {
	Terms []string
	Marks string
	Plain string
}

// Analyzer makes tokens. It is safe for concurrent use.
type Analyzer struct {
	scripts []script
	english map[string]bool // primary subtags whose Latin words are stemmed

	mu    sync.RWMutex
	words map[cacheKey]forms
}

type cacheKey struct {
	word    string
	english bool
}

type forms struct{ term, marks string }

// script holds what is done to the words of one script.
type script struct {
	table *unicode.RangeTable
	norm  func(string) string // nil when folding is enough
	stem  func(string) string
}

// New makes an analyzer for the languages of internal/lang/all.
func New() *Analyzer {
	a := &Analyzer{english: map[string]bool{}, words: map[cacheKey]forms{}}
	for _, p := range all.Profiles() {
		a.add(p)
	}
	return a
}

func (a *Analyzer) add(p lang.Profile) {
	if p.Analyzer == englishAnalyzer {
		a.english[p.Code] = true
	}
	normalise, stem := filtersOf(p.Analyzer)
	if table := unicode.Scripts[p.Script]; table != nil && stem != nil {
		a.scripts = append(a.scripts, script{table, normalise, stem})
	}
}

// Tokens yields the words of a text in the language of its document (BCP 47),
// at most MaxTokens of them. The position of a word in the index is its place
// in this sequence.
func (a *Analyzer) Tokens(s, language string) iter.Seq[Token] {
	english := a.english[primary(language)]
	return func(yield func(Token) bool) {
		n := 0
		for start, word := range Split(s) {
			f := a.forms(word, english)
			if f.term == "" {
				continue
			}
			if !yield(Token{f.term, f.marks, start, start + len(word)}) {
				return
			}
			if n++; n == MaxTokens {
				return
			}
		}
	}
}

// Query returns what the words of a piece of a query look for. A document may
// be in any language, so each word looks for all terms that it may have become.
func (a *Analyzer) Query(s string) []Word {
	var words []Word
	for _, w := range Split(s) {
		asEnglish, other := a.forms(w, true), a.forms(w, false)
		if other.term == "" {
			continue
		}
		word := Word{Terms: []string{other.term}, Marks: other.marks, Plain: a.plain(w)}
		if asEnglish.term != other.term {
			word.Terms = append(word.Terms, asEnglish.term)
		}
		words = append(words, word)
	}
	return words
}

func (a *Analyzer) forms(word string, english bool) forms {
	key := cacheKey{word, english}
	a.mu.RLock()
	f, ok := a.words[key]
	a.mu.RUnlock()
	if ok {
		return f
	}
	f = a.compute(word, english)
	if len(word) <= 4*MaxTerm {
		key.word = strings.Clone(word) // the text it is cut from must not stay in memory
		a.mu.Lock()
		if len(a.words) >= maxCached {
			clear(a.words)
		}
		a.words[key] = f
		a.mu.Unlock()
	}
	return f
}

func (a *Analyzer) compute(word string, english bool) forms {
	exact, sc := lower(word), a.scriptOf(word)
	plain := normalised(word, sc)
	f := forms{term: plain}
	if exact != plain && plain != "" {
		f.marks = exact
	}
	switch {
	case sc != nil:
		f.term = sc.stem(plain)
	case english:
		f.term = stemEnglish(plain)
	}
	if f.term == "" {
		f.term = plain
	}
	return f
}

func (a *Analyzer) plain(word string) string { return normalised(word, a.scriptOf(word)) }

func normalised(word string, sc *script) string {
	s := cut(text.Fold(word))
	if sc != nil && sc.norm != nil {
		if n := sc.norm(s); n != "" {
			return n
		}
	}
	return s
}

// lower is the exact form: NFC and lower case, without what nobody sees.
func lower(word string) string {
	s := strings.ToLower(norm.NFC.String(word))
	return cut(strings.Map(func(r rune) rune {
		if r == 0x200C || r == 0x200D || r == 0x0640 {
			return -1
		}
		return r
	}, s))
}

func cut(s string) string {
	if len(s) <= MaxTerm {
		return s
	}
	n := 0
	for i := range s {
		if n == MaxTerm {
			return s[:i]
		}
		n++
	}
	return s
}

// scriptOf returns the script of a word's first letter, nil when it needs no
// more than folding.
func (a *Analyzer) scriptOf(word string) *script {
	r, _ := utf8.DecodeRuneInString(word)
	if r < 0x300 {
		return nil
	}
	for i := range a.scripts {
		if unicode.Is(a.scripts[i].table, r) {
			return &a.scripts[i]
		}
	}
	return nil
}

func primary(language string) string {
	if i := strings.IndexAny(language, "-_"); i >= 0 {
		language = language[:i]
	}
	return strings.ToLower(language)
}
