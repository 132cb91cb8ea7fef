package index

import (
	"encoding/json"
	"math"
	"unicode/utf8"

	"presswatch"
	"presswatch/internal/index/analysis"
)

// The limits of one document.
const (
	maxKeyword  = 512      // bytes of a value that is filtered on
	maxDocument = 48 << 20 // bytes of its JSON
)

// entry is a document ready for an index: what is stored and what is searched.
type entry struct {
	id          string
	seq         int64
	json        []byte
	title, text []analysis.Token
	key         keys
}

// keys are the values that documents are filtered, sorted and counted by.
type keys struct {
	source, language, level, kind, story string

	at   int64  // presswatch.Document.Date in Unix microseconds
	day  string // its day in UTC, "2026-11-21"
	risk int    // Verdict.Risk in steps of 1/riskSteps, rounded down
}

// riskSteps is how finely risks are told apart.
const riskSteps = 10_000

// newEntry checks a document and analyses it. The error says what is wrong
// with it.
func newEntry(d presswatch.Document, a *analysis.Analyzer) (*entry, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	if d.Seq < 0 {
		return nil, presswatch.Errorf(presswatch.Invalid, "document %s: seq %d is negative", d.ID, d.Seq)
	}
	for name, v := range map[string]string{
		"id": string(d.ID), "source": string(d.Source), "language": d.Language, "kind": string(d.Kind),
		"level": string(d.Verdict.Level), "story": string(d.Story.ID),
	} {
		if len(v) > maxKeyword || !utf8.ValidString(v) {
			return nil, presswatch.Errorf(presswatch.Invalid, "document %s: %s is longer than %d bytes, or not UTF-8", d.ID, name, maxKeyword)
		}
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Invalid, "document %s: %w", d.ID, err)
	}
	if len(raw) > maxDocument {
		return nil, presswatch.Errorf(presswatch.TooLarge, "document %s: %d bytes, the most is %d", d.ID, len(raw), maxDocument)
	}
	e := &entry{id: string(d.ID), seq: d.Seq, json: raw, key: keysOf(d)}
	for t := range a.Tokens(d.Title, d.Language) {
		e.title = append(e.title, t)
	}
	e.text = make([]analysis.Token, 0, len(d.Text)/6)
	for t := range a.Tokens(d.Text, d.Language) {
		e.text = append(e.text, t)
	}
	return e, nil
}

func keysOf(d presswatch.Document) keys {
	date := d.Date().UTC()
	return keys{
		source: string(d.Source), language: d.Language, level: string(d.Verdict.Level),
		kind: string(d.Kind), story: string(d.Story.ID),
		at: date.UnixMicro(), day: date.Format(dayLayout),
		risk: riskDown(d.Verdict.Risk),
	}
}

const dayLayout = "2006-01-02"

// riskDown and riskUp round to steps; the small number forgives what binary
// fractions do to 0.57.
func riskDown(r float64) int { return int(math.Floor(r*riskSteps + 1e-7)) }
func riskUp(r float64) int   { return int(math.Ceil(r*riskSteps - 1e-7)) }

// The fields of both backends. The second two hold the forms with marks of the
// words that lost theirs in the first two.
const (
	fieldTitle      = "title"
	fieldText       = "text"
	fieldTitleMarks = "title_marks"
	fieldTextMarks  = "text_marks"

	fieldSource   = "source"
	fieldLanguage = "language"
	fieldLevel    = "level"
	fieldKind     = "kind"
	fieldStory    = "story"
	fieldDay      = "day"
	fieldRisk     = "risk"
)

// What a match in a field counts for, to be multiplied with its BM25 score.
const (
	weightTitle = 3.0
	weightText  = 1.0
	weightMarks = 1.5 // on top, for a word of the query that carries marks and is found with them
)

// searched are the fields in which a word is looked for.
var searched = []string{fieldTitle, fieldText}

// facets are the fields whose values are counted, by their name in a Result.
var facets = []string{fieldSource, fieldLanguage, fieldLevel, fieldKind}

// maxFacet is the most values of a facet.
const maxFacet = 50

// leaf is one term whose score counts.
type leaf struct {
	field, term string
	weight      float64
}

// leaves returns what a query is scored by: for each word its terms in title
// and text, and its form with marks. Matching is another matter.
func leaves(words []analysis.Word) []leaf {
	var ls []leaf
	at := map[leaf]int{}
	add := func(field, term string, weight float64) {
		key := leaf{field: field, term: term}
		if i, ok := at[key]; ok {
			ls[i].weight = max(ls[i].weight, weight)
			return
		}
		at[key] = len(ls)
		ls = append(ls, leaf{field, term, weight})
	}
	for _, w := range words {
		for _, t := range w.Terms {
			add(fieldTitle, t, weightTitle)
			add(fieldText, t, weightText)
		}
		if w.Marks != "" {
			add(fieldTitleMarks, w.Marks, weightTitle*weightMarks)
			add(fieldTextMarks, w.Marks, weightText*weightMarks)
		}
	}
	return ls
}
