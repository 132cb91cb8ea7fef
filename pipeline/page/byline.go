package page

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const maxBylines = 8

// byline lists the authors, from the surest place that names any.
func byline(f *facts) []string {
	for _, place := range [][]string{f.ld.authors, f.authors, f.bylines} {
		var out []string
		for _, raw := range place {
			for _, name := range people(raw) {
				if !slices.ContainsFunc(out, func(o string) bool { return strings.EqualFold(o, name) }) && len(out) < maxBylines {
					out = append(out, name)
				}
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

var (
	byPrefix = regexp.MustCompile(`(?i)^(?:written by|reported by|by|theo|tác giả|bài và ảnh|द्वारा|लेखक|بقلم|كتب|كتبت)[\s:]+`)
	joined   = regexp.MustCompile(`(?i)\s*(?:;|,\s+and\s+|\s+and\s+|\s+&\s+|\s+và\s+|\s+और\s+|\n)\s*`)
)

// people splits a byline into names and leaves out what is no name: addresses,
// sentences, handles.
func people(raw string) (out []string) {
	for part := range strings.SplitSeq(joined.ReplaceAllString(oneLine(raw), "\n"), "\n") {
		part = strings.Trim(byPrefix.ReplaceAllString(part, ""), " ,.|-–•:")
		n := utf8.RuneCountInString(part)
		if n < 2 || n > 60 || strings.Contains(part, "://") || strings.HasPrefix(part, "www.") || strings.Count(part, " ") > 7 || strings.ContainsAny(part, "{}<>[]@") {
			continue
		}
		out = append(out, part)
	}
	return out
}
