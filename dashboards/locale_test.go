package dashboards

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"presswatch"
	"presswatch/internal/auth"
	"presswatch/internal/web"
)

var placeholder = regexp.MustCompile(`\{\d+\}`)

func placeholders(s string) string {
	all := placeholder.FindAllString(s, -1)
	slices.Sort(all)
	return fmt.Sprint(slices.Compact(all))
}

func TestLanguagesSayTheSame(t *testing.T) {
	cs := mustCatalogs()
	first := cs[0]
	for _, c := range cs {
		for key, m := range first.messages {
			got, ok := c.messages[key]
			if !ok {
				t.Errorf("%s lacks %s", c.Code, key)
				continue
			}
			if placeholders(got["other"]) != placeholders(m["other"]) {
				t.Errorf("%s %s has the places %s, %s has %s", c.Code, key, placeholders(got["other"]), first.Code, placeholders(m["other"]))
			}
			for form, s := range got {
				if strings.TrimSpace(s) == "" || !slices.Contains(slices.Collect(maps.Values(forms)), form) {
					t.Errorf("%s %s: form %q is %q", c.Code, key, form, s)
				}
			}
		}
		for key := range c.messages {
			if !first.has(key) {
				t.Errorf("%s has %s, which %s lacks", c.Code, key, first.Code)
			}
		}
	}
}

// TestEveryKeyInUseIsThere reads the sources: keys written in templates, in
// code, and the keys of evidence that classifiers give.
func TestEveryKeyInUseIsThere(t *testing.T) {
	used := map[string]string{}
	find := func(glob, pattern string) int {
		re, n := regexp.MustCompile(pattern), 0
		files, err := filepath.Glob(glob)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", glob, len(files), err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range re.FindAllStringSubmatch(string(b), -1) {
				used[m[1]] = f
				n++
			}
		}
		return n
	}
	find("templates/*.html", `\.T "([a-z_.]+)"`)
	find("*.go", `p\.T\("([a-z_.]+[a-z])"`)
	find("*.go", `"((?:mistake|signin|link)\.[a-z_]+)"`)
	if n := find("../classifiers/*.go", `"(evidence\.[a-z_]+)"`); n == 0 {
		t.Error("no keys found in classifiers: has the form of Evidence.Key changed?")
	}
	for _, l := range presswatch.Labels() {
		used["label."+string(l)], used["label."+string(l)+".help"] = "Labels", "Labels"
	}
	for _, r := range presswatch.Roles() {
		used["role."+string(r)] = "Roles"
	}
	for _, code := range web.Codes() {
		used["error."+string(code)+".title"], used["error."+string(code)+".text"] = "codes", "codes"
	}
	for _, l := range levels() {
		used["level."+string(l)] = "levels"
	}
	for _, r := range []presswatch.Relation{presswatch.New, presswatch.Exact, presswatch.Near, presswatch.Translation, presswatch.SameEvent} {
		used["relation."+string(r)] = "relations"
	}
	for _, c := range mustCatalogs() {
		for key, where := range used {
			if !c.has(key) {
				t.Errorf("%s lacks %s, used in %s", c.Code, key, where)
			}
		}
	}
}

func TestSay(t *testing.T) {
	cs := map[string]*catalog{}
	for _, c := range mustCatalogs() {
		cs[c.Code] = c
	}
	for name, tc := range map[string]struct {
		lang, key string
		args      []any
		want      string
	}{
		"one":                              {"en", "time.hours", []any{1}, "1 hour ago"},
		"many":                             {"en", "time.hours", []any{5}, "5 hours ago"},
		"no plural":                        {"vi", "time.hours", []any{5}, "5 giờ trước"},
		"Arabic two":                       {"ar", "time.hours", []any{2}, "قبل ساعتين"},
		"Arabic few":                       {"ar", "time.hours", []any{5}, "قبل 5 ساعات"},
		"Arabic many":                      {"ar", "time.hours", []any{14}, "قبل 14 ساعة"},
		"thousands, Vietnamese":            {"vi", "search.total", []any{12345}, "12.345 bài"},
		"thousands, English":               {"en", "search.total", []any{12345}, "12,345 items"},
		"places may change":                {"hi", "case.position", []any{3, 20}, "20 में से 3"},
		"an argument is no template":       {"en", "flash.decided", []any{"{0} {1}"}, "Saved: {0} {1}."},
		"a missing argument leaves no gap": {"en", "flash.decided", nil, "Saved: ."},
		"an unknown key is seen":           {"en", "no.such.key", nil, "no.such.key"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := cs[tc.lang].say(tc.key, tc.args...); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func FuzzFill(f *testing.F) {
	f.Add("{0} of {1}", "a", "{0}")
	f.Add("{", "}", "{9999999999999999999}")
	f.Fuzz(func(t *testing.T, s, a, b string) {
		fill(s, []string{a, b})
		if got := fill("<{0}|{1}>", []string{a, b}); got != "<"+a+"|"+b+">" {
			t.Errorf("got %q", got)
		}
	})
}

func TestEvidenceInTheReadersLanguage(t *testing.T) {
	a := &app{catalogs: mustCatalogs()}
	for _, c := range a.catalogs {
		p := &page{app: a, L: c}
		r := p.Why(presswatch.Evidence{Reason: "Asks readers to pass it on.", Key: "evidence.share_call", Args: []string{"“chia sẻ gấp”"}})
		if r.Lang != c.Code || !strings.Contains(r.Text, "chia sẻ gấp") || strings.Contains(r.Text, "{") {
			t.Errorf("%s: %+v", c.Code, r)
		}
		if r := p.Why(presswatch.Evidence{Reason: "Something new.", Key: "evidence.of_tomorrow"}); r.Text != "Something new." || r.Lang != "en" || r.Dir != "ltr" {
			t.Errorf("%s: unknown key gives %+v", c.Code, r)
		}
	}
}

func TestLanguageChoice(t *testing.T) {
	s := newSite(t)
	s.addUser("huda", presswatch.RoleAnalyst, "ar")
	langOf := func(b *browser, path string, header ...string) string {
		return b.get(path, header...).header.Get("Content-Language")
	}
	b := s.browser()
	if got := langOf(b, "/sign-in"); got != "vi" {
		t.Errorf("without a wish: %s", got)
	}
	if got := langOf(b, "/sign-in", "Accept-Language", "de, hi;q=0.8, en;q=0.5"); got != "hi" {
		t.Errorf("the browser's wish: %s", got)
	}
	if got := langOf(b, "/sign-in", "Accept-Language", strings.Repeat("x,", 5000)); got != "vi" {
		t.Errorf("a hostile wish: %s", got)
	}
	if got := langOf(s.as("huda"), "/search", "Accept-Language", "en"); got != "ar" {
		t.Errorf("the account's: %s", got)
	}
	if got := langOf(b, "/sign-in?lang=en"); got != "en" {
		t.Errorf("the parameter: %s", got)
	}
	if got := langOf(b, "/sign-in", "Accept-Language", "hi"); got != "en" {
		t.Errorf("the cookie, later: %s", got)
	}
	if got := langOf(b, "/sign-in?lang=tlh"); got != "en" {
		t.Errorf("an unknown one: %s", got)
	}
}

func TestPagesAskForPermission(t *testing.T) {
	s := newSite(t, press()...)
	for path, action := range map[string]auth.Action{
		"GET /queue": auth.ReadQueue, "GET " + caseURL(s.docs[0]): auth.ReadQueue, "GET /search": auth.Search, "GET /documents/" + string(s.docs[0].ID): auth.Search,
		"POST " + caseURL(s.docs[0]) + "/decision": auth.Decide, "POST " + caseURL(s.docs[0]) + "/reopen": auth.ReopenOwn,
	} {
		method, url, _ := strings.Cut(path, " ")
		want := http.StatusSeeOther
		if method == "POST" {
			want = http.StatusUnauthorized
		}
		if r := s.browser().do(method, url, nil); r.status != want {
			t.Errorf("%s without a session: %d, want %d", path, r.status, want)
		}
		for _, role := range presswatch.Roles() {
			r := s.as(string(role)).do(method, url, nil)
			if refused := r.status == http.StatusForbidden; refused == auth.Can(role, action) {
				t.Errorf("%s as %s: status %d, may: %v", path, role, r.status, !refused)
			}
		}
	}
}
