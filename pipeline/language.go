package pipeline

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"github.com/abadojack/whatlanggo"
	"golang.org/x/text/language"

	"presswatch/internal/lang"
	"presswatch/internal/lang/all"
	"presswatch/internal/text"
)

// Undetermined is the BCP 47 code for a language of which nothing can be said.
const Undetermined = "und"

const (
	sampleBytes   = 6000 // of title and text that are looked at
	trigramBytes  = 1500 // of it that the slower trigrams are counted over
	marksShare    = 0.06 // of the letters, from which a language's own letters decide
	stopShare     = 0.12 // of the words, from which stopwords decide
	foldedShare   = 0.13 // the same for text written without its marks
	tinyShare     = 0.22 // the same with words of two letters
	surelyEnough  = 0.5  // confidence of trigrams that stands against what the page says
	shortLetters  = 24   // letters under which nothing speaks against what the page says
	foreignLetter = 0.02 // share of letters that ours of the script does not write
)

// Language tells what language a document is in: by the script of its
// letters, by the letters and frequent words of each language of ours, and
// else by trigrams.
type Language struct {
	byScript map[string][]tongue
}

// tongue is a profile made ready for counting.
type tongue struct {
	code   string
	marks  map[rune]bool
	stop   map[string]bool
	folded map[string]bool // stopwords of more than two letters as they look without marks
	tiny   map[string]bool // those of two letters, which are words of many languages
}

// NewLanguage makes the stage for the languages of lang/all.
func NewLanguage() *Language {
	l := &Language{byScript: map[string][]tongue{}}
	for _, p := range all.Profiles() {
		l.byScript[p.Script] = append(l.byScript[p.Script], newTongue(p))
	}
	return l
}

func newTongue(p lang.Profile) tongue {
	t := tongue{code: p.Code, marks: map[rune]bool{}, stop: map[string]bool{}, folded: map[string]bool{}, tiny: map[string]bool{}}
	for _, r := range p.Marks {
		t.marks[r] = true
	}
	for _, w := range p.Stopwords {
		t.stop[w] = true
		switch f := text.Fold(w); {
		case p.Marks == "":
		case len(f) > 2:
			t.folded[f] = true
		case len(f) == 2:
			t.tiny[f] = true
		}
	}
	return t
}

// Name is "language".
func (*Language) Name() string { return "language" }

// Run sets Doc.Language.
func (l *Language) Run(_ context.Context, it *Item) error {
	it.Doc.Language = l.Detect(it.Doc.Title+"\n"+it.Doc.Text, it.LangHint)
	return nil
}

// Detect gives the BCP 47 code of the language of s, or Undetermined. hint is
// what the page says; it decides when the text is too short to tell, and only
// if it is of the same script.
func (l *Language) Detect(s, hint string) string {
	s = clipBytes(s, sampleBytes)
	script, letters := dominantScript(s)
	if letters == 0 {
		return Undetermined
	}
	hint = l.usable(hint, script)
	code, sure := l.decide(s, script, letters)
	if sure || code != "" && hint == "" {
		return code
	}
	if hint != "" {
		return hint
	}
	return Undetermined
}

// usable returns the primary subtag of the hint if it can be of the script.
func (l *Language) usable(hint, script string) string {
	hint, _, _ = strings.Cut(strings.ToLower(hint), "-")
	if len(hint) < 2 || len(hint) > 3 {
		return ""
	}
	if p, ok := all.ByCode(hint); ok && p.Script != script {
		return ""
	}
	return hint
}

func (l *Language) decide(s, script string, letters int) (code string, sure bool) {
	ours := l.byScript[script]
	if code := countTongues(s, ours, letters); code != "" {
		return code, true
	}
	foreign := share(s, letters, func(r rune) bool { return strings.ContainsRune(foreignTo[script], r) })
	var options whatlanggo.Options
	if foreign > foreignLetter {
		options.Blacklist = map[whatlanggo.Lang]bool{}
		for l := range whatlanggo.Langs {
			if slices.ContainsFunc(ours, func(t tongue) bool { return t.code == l.Iso6391() }) {
				options.Blacklist[l] = true
			}
		}
	}
	info := whatlanggo.DetectWithOptions(clipBytes(s, trigramBytes), options)
	if len(ours) == 1 && foreign == 0 && info.Confidence < surelyEnough && foreignTo[script] != "" {
		return ours[0].code, letters >= shortLetters // its letters are all of ours: nothing speaks against it
	}
	if info.Lang < 0 || info.Confidence == 0 {
		return "", false
	}
	tag, err := language.Macro.Canonicalize(language.Make(info.Lang.Iso6393()))
	if err != nil {
		return "", false
	}
	return tag.String(), letters >= shortLetters && info.Confidence >= surelyEnough
}

// foreignTo holds letters of a script that the only language of ours in it
// does not write: those of Persian and Urdu, those of Marathi.
var foreignTo = map[string]string{
	"Arabic":     "پچژگٹڈڑےںہیکۆێەھ",
	"Devanagari": "ळ",
}

// countTongues decides by a language's own letters and frequent words.
func countTongues(s string, tongues []tongue, letters int) string {
	if len(tongues) == 0 {
		return ""
	}
	counts := make([]count, len(tongues))
	lower, words := strings.ToLower(s), 0
	for _, w := range text.Words(lower) {
		words++
		for i, t := range tongues {
			counts[i].add(t, w)
		}
	}
	for _, r := range lower {
		if r < 0x80 {
			continue
		}
		for i, t := range tongues {
			if t.marks[r] {
				counts[i].marks++
			}
		}
	}
	best, bestScore := "", 0.0
	for i, t := range tongues {
		if score := counts[i].score(letters, words); score >= 1 && score > bestScore {
			best, bestScore = t.code, score
		}
	}
	return best
}

// count is what speaks for one language in a text.
type count struct {
	marks, stop, folded, tiny int
	kinds                     map[string]bool // the different words of folded
}

func (c *count) add(t tongue, w string) {
	switch {
	case t.stop[w]:
		c.stop++
	case t.folded[w]:
		c.folded++
		if c.kinds == nil {
			c.kinds = map[string]bool{}
		}
		c.kinds[w] = true
	case t.tiny[w]:
		c.tiny++
	}
}

// score is 1 or more when the language is sure.
func (c *count) score(letters, words int) float64 {
	part := func(n int) float64 { return float64(n) / float64(max(words, 1)) }
	return max(float64(c.marks)/float64(letters)/marksShare,
		enough(part(c.stop)/stopShare, c.stop, 2),
		enough(part(c.folded+c.stop)/foldedShare, len(c.kinds), 2),
		enough(part(c.folded+c.stop+c.tiny)/tinyShare, len(c.kinds), 2))
}

func enough(score float64, n, least int) float64 {
	if n < least {
		return 0
	}
	return score
}

func share(s string, letters int, is func(rune) bool) float64 {
	n := 0
	for _, r := range s {
		if r >= 0x80 && is(r) {
			n++
		}
	}
	return float64(n) / float64(letters)
}

// scripts are those told apart, by their keys of unicode.Scripts.
var scripts = []string{"Latin", "Devanagari", "Arabic", "Cyrillic", "Han", "Hiragana", "Katakana", "Thai", "Hangul", "Greek", "Hebrew", "Bengali", "Tamil", "Telugu"}

// dominantScript names the script of most letters and says how many they are.
func dominantScript(s string) (name string, letters int) {
	var n [14]int
	last := 0
	for _, r := range s {
		if r < 0x80 {
			if 'a' <= r|0x20 && r|0x20 <= 'z' {
				n[0]++
			}
			continue
		}
		if !unicode.IsLetter(r) {
			continue
		}
		if unicode.Is(unicode.Scripts[scripts[last]], r) {
			n[last]++
			continue
		}
		if i := slices.IndexFunc(scripts, func(sc string) bool { return unicode.Is(unicode.Scripts[sc], r) }); i >= 0 {
			last = i
			n[i]++
		}
	}
	best := 0
	for i, c := range n {
		if c > n[best] {
			best = i
		}
	}
	return scripts[best], n[best]
}

func clipBytes(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}
