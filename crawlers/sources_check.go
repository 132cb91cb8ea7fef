package crawlers

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"presswatch"
	"presswatch/internal/fetch"
)

var (
	idPattern   = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)
	langPattern = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,5}$`)
)

const (
	maxName     = 200
	maxJitter   = time.Hour
	maxItems    = 1000
	maxDepth    = 3
	maxPatterns = 100
	maxProgram  = 1000 // instructions of a pattern
)

// Validate says everything that is wrong with a source, each problem naming
// its field. Code Invalid.
func (s Source) Validate() error {
	found := s.problems()
	if len(found) == 0 {
		return nil
	}
	var all []string
	for _, p := range found {
		all = append(all, p.field+": "+p.what)
	}
	return presswatch.Errorf(presswatch.Invalid, "source %s: %s", s.ID, strings.Join(all, "; "))
}

func (s Source) problems() (out []problem) {
	bad := func(field, format string, args ...any) {
		out = append(out, problem{field: field, what: fmt.Sprintf(format, args...)})
	}
	if s.ID == "" {
		bad("id", "missing; give each source a short name of its own")
	} else if !idPattern.MatchString(string(s.ID)) {
		bad("id", "%.80q: at most 64 of a-z, 0-9, '-', '.' and '_', beginning with a letter or digit", s.ID)
	}
	if strings.TrimSpace(s.Name) == "" {
		bad("name", "missing; say what people should see")
	} else if utf8.RuneCountInString(s.Name) > maxName || strings.ContainsFunc(s.Name, unicode.IsControl) || !utf8.ValidString(s.Name) {
		bad("name", "one line of at most %d characters", maxName)
	}
	if names := kindNames(); !strings.Contains(" "+names+" ", " "+s.Kind+" ") || s.Kind == "" {
		bad("kind", "%.40q is not known; use one of: %s", s.Kind, names)
	}
	if s.URL == "" {
		bad("url", "missing; give the address of the feed or section page")
	} else if _, err := fetch.ParseURL("", s.URL); err != nil {
		bad("url", "%v; give an http or https address", err)
	}
	if s.Lang != "" && !langPattern.MatchString(s.Lang) {
		bad("lang", "%.40q is no language tag; leave it out or use BCP 47", s.Lang)
	}
	if _, err := parseSchedule(s.Schedule); s.Schedule != "" && err != nil {
		bad("schedule", "%v; use \"*/10 * * * *\" or \"@every 10m\"", err)
	}
	if s.Jitter < 0 || s.Jitter > maxJitter {
		bad("jitter", "%s: between 0s and %s", s.Jitter, maxJitter)
	}
	if s.MaxItems < 1 || s.MaxItems > maxItems {
		bad("max_items", "%d: between 1 and %d", s.MaxItems, maxItems)
	}
	if s.Depth < 0 || s.Depth > maxDepth {
		bad("depth", "%d: between 1 and %d", s.Depth, maxDepth)
	}
	if site := (Site{}).Kind(); s.Kind != site && (s.Depth > 0 || len(s.Follow) > 0) {
		bad("follow", "follow and depth are for kind %s only; remove them", site)
	}
	for _, l := range []struct {
		field    string
		patterns []string
	}{{"include", s.Include}, {"exclude", s.Exclude}, {"follow", s.Follow}} {
		if what := checkPatterns(l.patterns); what != "" {
			bad(l.field, "%s", what)
		}
	}
	return out
}

// checkPatterns says what is wrong with a list of regular expressions.
func checkPatterns(patterns []string) string {
	if len(patterns) > maxPatterns {
		return fmt.Sprintf("%d patterns, the most is %d", len(patterns), maxPatterns)
	}
	for _, p := range patterns {
		if len(p) > maxProgram {
			return fmt.Sprintf("a pattern of %d characters, the most is %d", len(p), maxProgram)
		}
		re, err := syntax.Parse(p, syntax.Perl)
		if err != nil {
			return fmt.Sprintf("%v; write patterns in single quotes", err)
		}
		if prog, err := syntax.Compile(re.Simplify()); err != nil || len(prog.Inst) > maxProgram {
			return fmt.Sprintf("%.60q is too complicated; make it simpler", p)
		}
	}
	return ""
}

func kindNames() string {
	var names []string
	for _, k := range All() {
		names = append(names, k.Kind())
	}
	return strings.Join(names, " ")
}
