// Package lang says what a language is to Presswatch. Each language is a
// package of its own below this one, listed in lang/all; nobody else compares
// language codes.
package lang

// Profile is all that the other parts need to know of a language.
type Profile struct {
	Code       string   // BCP 47, "vi"
	Name       string   // in the language itself
	RTL        bool     // written from right to left
	Script     string   // Unicode script name of its letters, a key of unicode.Scripts
	Analyzer   string   // how the archive analyses its words: see internal/index
	Stopwords  []string // frequent words, as written, lower case; used to tell languages of one script apart
	Months     []string // names of the months, January first, lower case; nil when numbers are used
	Marks      string   // letters that hardly any other language of the script uses, lower case
	StripTails []string // beginnings of boilerplate last lines, lower case: "nguồn:", "source:"

	Sensational []string // wording that plays on alarm, wonder or secrets, lower case, as written; read by classifiers
	ShareCalls  []string // phrases that ask the reader to pass the text on
	Attribution []string // phrases that name who says so: "according to", "said"
	Hedges      []string // phrases of hearsay: "they say", "it is rumoured"
}

// Dir is the value of HTML's dir attribute.
func (p Profile) Dir() string {
	if p.RTL {
		return "rtl"
	}
	return "ltr"
}
