package analysis

import (
	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/analysis/lang/ar"
	"github.com/blevesearch/bleve/v2/analysis/lang/en"
	"github.com/blevesearch/bleve/v2/analysis/lang/hi"
	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"
)

// englishAnalyzer is the lang.Profile.Analyzer whose Latin words are stemmed.
const englishAnalyzer = en.AnalyzerName

// filtersOf gives the normaliser and the stemmer of a lang.Profile.Analyzer
// that owns its script; both are nil where folding is all that is done. They
// are those of Lucene, as ported by bleve: light stemming for Arabic (Larkey,
// Ballesteros, Connell: "Light Stemming for Arabic Information Retrieval"),
// Ramanathan and Rao's "A Lightweight Stemmer for Hindi".
func filtersOf(analyzer string) (normalise, stem func(string) string) {
	switch analyzer {
	case ar.AnalyzerName:
		return filter(ar.NewArabicNormalizeFilter()), settled(filter(&ar.ArabicStemmerFilter{}))
	case hi.AnalyzerName:
		return filter(hi.NewHindiNormalizeFilter()), filter(&hi.HindiStemmerFilter{})
	}
	return nil, nil
}

func filter(f analysis.TokenFilter) func(string) string {
	return func(s string) string {
		out := f.Filter(analysis.TokenStream{{Term: []byte(s)}})
		if len(out) == 0 {
			return ""
		}
		return string(out[0].Term)
	}
}

// settled repeats a stemmer until nothing changes, so that a word has one stem
// with and without its article: al-wazir loses the article and then, as wazir
// does, what looks like the conjunction wa.
func settled(stem func(string) string) func(string) string {
	return func(s string) string {
		for {
			next := stem(s)
			if next == "" || len(next) >= len(s) {
				return s
			}
			s = next
		}
	}
}

// stemEnglish is Porter's second stemmer.
func stemEnglish(s string) string {
	env := snowballstem.NewEnv(s)
	english.Stem(env)
	return env.Current()
}
