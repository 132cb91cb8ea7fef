// Package all lists the languages. Adding one is a package beside vi, en, hi
// and ar, and one line here.
package all

import (
	"presswatch/internal/lang"
	"presswatch/internal/lang/ar"
	"presswatch/internal/lang/en"
	"presswatch/internal/lang/hi"
	"presswatch/internal/lang/vi"
)

// Profiles are all languages; the first is the default of pages.
func Profiles() []lang.Profile {
	return []lang.Profile{vi.Profile(), en.Profile(), hi.Profile(), ar.Profile()}
}

// ByCode returns the profile of a BCP 47 code by its primary subtag.
func ByCode(code string) (lang.Profile, bool) {
	for i, r := range code {
		if r == '-' || r == '_' {
			code = code[:i]
			break
		}
	}
	for _, p := range Profiles() {
		if p.Code == code {
			return p, true
		}
	}
	return lang.Profile{}, false
}

// DirOf is the value of HTML's dir attribute for a text in the language; "auto"
// when the language is not one of ours.
func DirOf(code string) string {
	if p, ok := ByCode(code); ok {
		return p.Dir()
	}
	return "auto"
}
