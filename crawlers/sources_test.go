package crawlers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"presswatch"
)

func TestLoadSourcesReadsTheSample(t *testing.T) {
	got, err := LoadSources(filepath.Join("testdata", "sources.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Source{
		{ID: "tin-mien-trung", Name: "Tin Miền Trung – Thời sự", Kind: "feed", URL: "https://tinmientrung.example/rss/thoi-su.rss",
			Lang: "vi", Schedule: "*/5 * * * *", Jitter: time.Minute, MaxItems: 50, Line: 9},
		{ID: "valley-herald", Name: "The Valley Herald", Kind: "site", URL: "https://valleyherald.example/news/", Lang: "en",
			Schedule: "@every 15m", Jitter: 30 * time.Second, MaxItems: 30, Include: []string{`/news/\d{4}/`},
			Exclude: []string{"/sponsored/", "[?&]print="}, Follow: []string{"/news/(local|region)/$"}, Depth: 2, Line: 17},
		{ID: "xa-hoi-mastodon", Name: "Mastodon – thảo luận địa phương", Kind: "posts", URL: "https://social.example/@dia-phuong.rss",
			Lang: "vi", Schedule: "@every 10m", Jitter: 30 * time.Second, MaxItems: 50, Disabled: true, Line: 29},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

const entry = "sources:\n- id: a\n  name: A\n  kind: feed\n  url: https://a.example/rss\n"

func TestParseSourcesNamesEveryProblemWithItsLine(t *testing.T) {
	for name, tc := range map[string]struct {
		yaml string
		want []string // beginnings of the lines of the error
	}{
		"unknown key of the file": {entry + "sorces: []\n", []string{"s.yaml:6: sorces: not a key of this file"}},
		"unknown key of a source": {entry + "  shedule: x\n", []string{"s.yaml:6: shedule: not a key of a source"}},
		"unknown default":         {"defaults:\n  id: x\n" + entry, []string{"s.yaml:2: id: not a key of defaults"}},
		"bad cron line":           {entry + "  schedule: '61 * * * *'\n", []string{"s.yaml:6: schedule: \"61 * * * *\" is no cron line"}},
		"a time zone and no line": {entry + "  schedule: 'TZ=UTC'\n", []string{"s.yaml:6: schedule:"}},
		"a day that never comes":  {entry + "  schedule: '0 0 30 2 *'\n", []string{"s.yaml:6: schedule: \"0 0 30 2 *\" never comes"}},
		"too often":               {entry + "  schedule: '@every 5ms'\n", []string{"s.yaml:6: schedule:"}},
		"backwards":               {entry + "  schedule: '@every -5m'\n", []string{"s.yaml:6: schedule:"}},
		"bad default cron line":   {"defaults:\n  schedule: nope\n" + entry, []string{"s.yaml:4: schedule:"}},
		"duplicate id":            {entry + entry[len("sources:\n"):], []string{"s.yaml:6: id: \"a\" is that of line 2 too"}},
		"duplicate key":           {entry + "  name: B\n", []string{"s.yaml:6: the YAML cannot be read"}},
		"nothing at all":          {"", []string{"s.yaml:1: must be one YAML document"}},
		"no list":                 {"defaults:\n  lang: vi\n", []string{"s.yaml:1: sources: missing"}},
		"not a list":              {"sources: 3\n", []string{"s.yaml:1: sources: must be a list"}},
		"empty entry":             {"sources:\n-\n", []string{"s.yaml:2: sources: an empty entry"}},
		"text for an entry":       {"sources:\n- abc\n", []string{"s.yaml:2: sources: must be a mapping"}},
		"missing fields":          {"sources:\n- id: a\n", []string{"s.yaml:2: name: missing", "s.yaml:2: kind: \"\" is not known; use one of: feed site posts", "s.yaml:2: url: missing"}},
		"many in one file, in order": {"sources:\n- id: A b\n  name: x\n  kind: rss\n  url: ftp://x/\n  max_items: 0\n  jitter: soon\n  include: ['(']\n  depth: 9\n  lang: '?'\n",
			[]string{"s.yaml:2: id:", "s.yaml:4: kind:", "s.yaml:5: url:", "s.yaml:6: max_items: 0", "s.yaml:7: jitter:", "s.yaml:8: include:", "s.yaml:9: depth:", "s.yaml:2: follow:", "s.yaml:10: lang:"}},
		"a number for a name":          {entry + "- id: b\n  name: 5\n  kind: feed\n  url: https://b/\n", []string{"s.yaml:7: name: must be text"}},
		"words for a number":           {entry + "  max_items: many\n", []string{"s.yaml:6: max_items: must be a whole number"}},
		"a huge number":                {entry + "  max_items: 99999999999999999999\n", []string{"s.yaml:6: max_items:"}},
		"yes is not true":              {entry + "  disabled: yes\n", []string{"s.yaml:6: disabled: must be true or false"}},
		"follow without kind site":     {entry + "  follow: [x]\n", []string{"s.yaml:6: follow:"}},
		"alias":                        {entry + "  include: *x\n", []string{"s.yaml:6: "}},
		"anchor":                       {"sources: &x\n- id: a\n", []string{"s.yaml:1: sources: must be a list"}},
		"a pattern that multiplies":    {entry + "  include: ['(((a{30}){30}){30})']\n", []string{"s.yaml:6: include:"}},
		"a user name in the address":   {strings.Replace(entry, "https://", "https://u:p@", 1), []string{"s.yaml:5: url:"}},
		"not YAML":                     {"sources: [\n", []string{"s.yaml:"}},
		"a tower of brackets":          {strings.Repeat("[", 100000), []string{"s.yaml:1: nested too deeply"}},
		"a tower of dashes":            {strings.Repeat("- ", 100000), []string{"s.yaml:1: nested too deeply"}},
		"a tower of indentation":       {tower(), []string{"s.yaml:"}},
		"more than a person will read": {"sources:\n" + strings.Repeat("- idd: x\n", 200), []string{"s.yaml:2: idd"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseSources("s.yaml", []byte(tc.yaml))
			if err == nil || presswatch.CodeOf(err) != presswatch.Invalid || got != nil {
				t.Fatalf("sources %v, error %v, want none and Invalid", got, err)
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) > maxProblems+1 {
				t.Errorf("%d lines", len(lines))
			}
			for _, w := range tc.want {
				found := false
				for _, l := range lines {
					found = found || strings.HasPrefix(l, w)
				}
				if !found {
					t.Errorf("no line begins %q in\n%s", w, err)
				}
			}
		})
	}
}

func tower() string {
	var b strings.Builder
	for i := range 2000 {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func TestSourcesMayBeEmptyAndInherit(t *testing.T) {
	for _, y := range []string{"sources:\n", "sources: []\n", "# none yet\nsources:\n"} {
		if got, err := ParseSources("s.yaml", []byte(y)); err != nil || len(got) != 0 {
			t.Errorf("%q: %v, %v", y, got, err)
		}
	}
	got, err := ParseSources("s.yaml", []byte("defaults: {schedule: '@daily', jitter: 0, max_items: 7, lang: vi}\n"+entry+"  max_items: 9\n"))
	if err != nil || got[0].Schedule != "@daily" || got[0].Jitter != 0 || got[0].MaxItems != 9 || got[0].Lang != "vi" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAddSourceKeepsWhatIsThere(t *testing.T) {
	neu := Source{ID: "new", Name: "It's: \"new\" # really", Kind: "feed", URL: "https://n.example/rss?a=1&b=2", Schedule: "@hourly", MaxItems: 50, Include: []string{`/a'b/\d+`, "]"}}
	for name, old := range map[string]string{
		"no file":                 "",
		"an empty list":           "# mine\nsources: []\n",
		"nothing below":           "# mine\nsources:\n",
		"comments":                "# mine\n" + entry + "  # last word\n",
		"no newline at the end":   "# mine\n" + strings.TrimSuffix(entry, "\n"),
		"indented":                "# mine\nsources:\n  - id: a\n    name: A\n    kind: feed\n    url: https://a.example/\n",
		"another key behind":      "# mine\n" + entry + "\n# about defaults\ndefaults:\n  lang: vi\n",
		"another key, empty list": "# mine\nsources: []\ndefaults:\n  lang: vi\n",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sources.yaml")
			if old != "" {
				if err := os.WriteFile(path, []byte(old), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			before, _ := ParseSources("s", []byte(old))
			if err := AddSource(path, neu); err != nil {
				t.Fatal(err)
			}
			b, _ := os.ReadFile(path)
			for l := range strings.Lines(old) {
				if l = strings.TrimSpace(l); l != "sources: []" && !strings.Contains(string(b), l) {
					t.Errorf("%q is gone from\n%s", l, b)
				}
			}
			got, err := LoadSources(path)
			if err != nil || len(got) != len(before)+1 {
				t.Fatalf("%v in\n%s", err, b)
			}
			last := got[len(got)-1]
			last.Line, last.Jitter, last.Lang = 0, 0, ""
			if d := cmp.Diff(neu, last); d != "" {
				t.Errorf("%s in\n%s", d, b)
			}
			if err := AddSource(path, neu); presswatch.CodeOf(err) != presswatch.Conflict {
				t.Errorf("again: %v, want Conflict", err)
			}
			if info, _ := os.Stat(path); old != "" && info.Mode().Perm() != 0o600 {
				t.Errorf("mode %v", info.Mode())
			}
		})
	}
}

func TestAddSourceLeavesTheFileWhenItCannot(t *testing.T) {
	for name, tc := range map[string]struct {
		old string
		s   Source
	}{
		"not valid":        {entry, Source{ID: "b"}},
		"list in brackets": {"sources: [{id: a, name: A, kind: feed, url: 'https://a/'}]\n", Source{ID: "b", Name: "B", Kind: "feed", URL: "https://b/"}},
		"broken file":      {entry + "  x: y\n", Source{ID: "b", Name: "B", Kind: "feed", URL: "https://b/"}},
		"control in name":  {entry, Source{ID: "b", Name: "B\nid: x", Kind: "feed", URL: "https://b/"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sources.yaml")
			if err := os.WriteFile(path, []byte(tc.old), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := AddSource(path, tc.s); presswatch.CodeOf(err) != presswatch.Invalid {
				t.Errorf("error %v, want Invalid", err)
			}
			if b, _ := os.ReadFile(path); string(b) != tc.old {
				t.Errorf("the file is now\n%s", b)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".sources-*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestLoadSourcesWithoutAFile(t *testing.T) {
	if _, err := LoadSources(filepath.Join(t.TempDir(), "none.yaml")); presswatch.CodeOf(err) != presswatch.NotFound {
		t.Errorf("error %v, want NotFound", err)
	}
}

func FuzzParseSources(f *testing.F) {
	b, err := os.ReadFile(filepath.Join("testdata", "sources.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	for _, s := range []string{entry, "sources: &a [*a]", "a: [b: {c: [", "? - ? -", "sources:\n- !!binary x", entry + "  schedule: 'TZ='", "%YAML 1.2\n---\nsources:\n..."} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := ParseSources("s.yaml", b)
		if err != nil && presswatch.CodeOf(err) != presswatch.Invalid {
			t.Errorf("code %s: %v", presswatch.CodeOf(err), err)
		}
		seen := map[presswatch.SourceID]bool{}
		for _, s := range got {
			if err := s.Validate(); err != nil || seen[s.ID] {
				t.Errorf("accepted %+v: %v", s, err)
			}
			seen[s.ID] = true
		}
	})
}
