package classifiers

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"presswatch"
	"presswatch/classifiers/linear"
	"presswatch/internal/lang"
	langs "presswatch/internal/lang/all"
	"presswatch/internal/text"
)

// The fields of a document that spans point into, in reading order.
const (
	fieldTitle = "title"
	fieldText  = "text"
)

// articleWords is from how many words on a text of unknown kind counts as an
// article rather than a post.
const articleWords = 150

// word is one word of the title or text.
type word struct {
	field      string
	start, end int    // code points
	low        string // lower case, with its marks
}

// view is a document read once, for all signals.
type view struct {
	title, text string // at most linear.MaxRunes code points each
	words       []word // of the title, then of the text
	inTitle     int    // how many words are the title's
	profile     lang.Profile
	known       bool // profile is that of the document's language
	quick       bool // nobody will read the phrases
	read        *reading
}

// reading is what the model makes of the document, made once.
func (v *view) reading(m *Model) reading {
	if v.read == nil {
		r := m.read(v, !v.quick)
		v.read = &r
	}
	return *v.read
}

type viewKey struct{}

// withView hands the reading of a document to the signals that get the context.
func withView(ctx context.Context, v *view) context.Context {
	return context.WithValue(ctx, viewKey{}, v)
}

// viewOf is the document as the context holds it, or a new reading of it.
func viewOf(ctx context.Context, d presswatch.Document) *view {
	if v, ok := ctx.Value(viewKey{}).(*view); ok && strings.HasPrefix(d.Title, v.title) && strings.HasPrefix(d.Text, v.text) {
		return v
	}
	return newView(d)
}

func newView(d presswatch.Document) *view {
	v := &view{title: firstRunes(d.Title, linear.MaxRunes), text: firstRunes(d.Text, linear.MaxRunes)}
	v.profile, v.known = langs.ByCode(d.Language)
	v.words = make([]word, 0, (len(v.title)+len(v.text))/5+1)
	v.words = appendWords(v.words, fieldTitle, v.title)
	v.inTitle = len(v.words)
	v.words = appendWords(v.words, fieldText, v.text)
	return v
}

// firstRunes cuts s after n code points.
func firstRunes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

func appendWords(ws []word, field, s string) []word {
	at, runes := 0, 0
	for i, w := range text.Words(s) {
		runes += utf8.RuneCountInString(s[at:i])
		n := utf8.RuneCountInString(w)
		ws = append(ws, word{field, runes, runes + n, strings.ToLower(w)})
		at, runes = i+len(w), runes+n
	}
	return ws
}

// lead is the title and the first n words of the text: what a reader of a feed
// sees.
func (v *view) lead(n int) []word { return v.words[:min(len(v.words), v.inTitle+n)] }

// body is the words of the text.
func (v *view) body() []word { return v.words[v.inTitle:] }

func (w word) span() presswatch.Span {
	return presswatch.Span{Field: w.field, Start: w.start, End: w.end}
}

// kindOf is the document's kind or, where nobody said, what its length
// suggests.
func kindOf(d presswatch.Document, words int) presswatch.Kind {
	switch {
	case d.Kind != "":
		return d.Kind
	case words >= articleWords:
		return presswatch.Article
	}
	return presswatch.Post
}

// guessLanguage tells which of the profiles a text without a stated language
// is in: by the script of its letters, then by marks and frequent words. It is
// empty when none fits.
func guessLanguage(s string) string {
	s = strings.ToLower(firstRunes(s, 2000))
	letters, best, code, profiles := 0, 0, "", langs.Profiles()
	users := map[string]int{}
	for _, p := range profiles {
		users[p.Script]++
	}
	for _, r := range s {
		if unicode.IsLetter(r) {
			letters++
		}
	}
	for _, p := range profiles {
		script, marks, stops := 0, 0, 0
		for _, r := range s {
			if unicode.Is(unicode.Scripts[p.Script], r) {
				script++
				if strings.ContainsRune(p.Marks, r) {
					marks++
				}
			}
		}
		if 2*script < letters || script == 0 {
			continue
		}
		frequent := map[string]bool{}
		for _, w := range p.Stopwords {
			frequent[w] = true
		}
		for _, w := range text.Words(s) {
			if frequent[w] {
				stops++
			}
		}
		if users[p.Script] == 1 {
			stops++ // the script alone tells
		}
		if score := 3*marks + 10*stops; score > best {
			best, code = score, p.Code
		}
	}
	if code != "" {
		return code
	}
	for _, p := range profiles { // a few words without a frequent one among them: the plain language of the script
		if p.Marks == "" && users[p.Script] > 1 && 2*inScript(s, p.Script) >= letters && letters > 0 {
			return p.Code
		}
	}
	return ""
}

// inScript counts the letters of a script.
func inScript(s, script string) (n int) {
	for _, r := range s {
		if unicode.Is(unicode.Scripts[script], r) {
			n++
		}
	}
	return n
}
