// Package en is English.
package en

import "presswatch/internal/lang"

// Profile describes English.
func Profile() lang.Profile {
	return lang.Profile{
		Code: "en", Name: "English", Script: "Latin", Analyzer: "en",
		Stopwords:  []string{"the", "and", "of", "to", "in", "is", "that", "for", "it", "was", "on", "with", "as", "by", "at", "from", "this", "are", "have", "has", "be", "not", "were", "which", "said"},
		Months:     []string{"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"},
		StripTails: []string{"source:", "read more:", "comments (", "related:", "sign up", "follow us", "advertisement"},
	}
}
