package fetch

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// shared finds the data that is not part of the repository.
func shared(t testing.TB, name string) []byte {
	t.Helper()
	dir := os.Getenv("PRESSWATCH_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		t.Skipf("SKIPPED: %s is not here, set PRESSWATCH_SHARED: %v", name, err)
	}
	return b
}

// pathOf cuts path and query out of an address as it is written.
func pathOf(raw string) string {
	if _, after, ok := strings.Cut(raw, "://"); ok {
		raw = after
	}
	i := strings.IndexAny(raw, "/?;")
	if i < 0 {
		return "/"
	}
	path, _, _ := strings.Cut(raw[i:], "#")
	if path[0] != '/' {
		path = "/" + path
	}
	return path
}

func TestRobotsConformance(t *testing.T) {
	var cases []struct {
		File, URL, UA string
		Robots        []byte
		Allowed       bool
	}
	if err := json.Unmarshal(shared(t, "data/conformance/robots.json"), &cases); err != nil {
		t.Fatal(err)
	}
	good := 0
	for _, c := range cases {
		if got := parseRobots(c.Robots, c.UA).allowed(pathOf(c.URL)); got == c.Allowed {
			good++
		} else {
			t.Errorf("%s: %q for %q: allowed %v, want %v\n%.400s", filepath.Base(c.File), c.URL, c.UA, got, c.Allowed, c.Robots)
		}
	}
	t.Logf("%d of %d", good, len(cases))
}

func TestRobots(t *testing.T) {
	for name, tc := range map[string]struct {
		robots, path string
		want         bool
	}{
		"nothing said":                       {"", "/x", true},
		"own group replaces the common one":  {"User-agent: *\nDisallow: /\nUser-agent: presswatch\nDisallow: /a\n", "/b", true},
		"own empty group too":                {"User-agent: *\nDisallow: /\n\nUser-agent: presswatch\nDisallow:\n", "/b", true},
		"own groups are joined":              {"User-agent: presswatch\nDisallow: /a\nUser-agent: x\nDisallow: /\nUser-agent: PressWatch/2\nDisallow: /b", "/b/1", false},
		"two agents share a group":           {"User-agent: x\nUser-agent: presswatch\nDisallow: /a\n", "/a", false},
		"a longer name is another":           {"User-agent: presswatchbot\nDisallow: /\n", "/a", true},
		"longest wins":                       {"User-agent: *\nDisallow: /a\nAllow: /a/b\n", "/a/b/c", true},
		"a tie allows":                       {"User-agent: *\nDisallow: /a\nAllow: /a\n", "/a", true},
		"query is part of the path":          {"User-agent: *\nDisallow: /*?print=\n", "/a?print=1", false},
		"end of path":                        {"User-agent: *\nDisallow: /*.pdf$\n", "/a.pdf", false},
		"past the end":                       {"User-agent: *\nDisallow: /*.pdf$\n", "/a.pdf?x", true},
		"end matches the last one":           {"User-agent: *\nDisallow: /*a$\n", "/aba", false},
		"star before the end":                {"User-agent: *\nDisallow: /a*$\n", "/abc", false},
		"only a star":                        {"User-agent: *\nDisallow: *\n", "/abc", false},
		"dollar inside is a letter":          {"User-agent: *\nDisallow: /a$b\n", "/a$b", false},
		"overlapping pieces do not match":    {"User-agent: *\nDisallow: /aba*aba$\n", "/ababa", true},
		"beyond ASCII, encoded in the path":  {"User-agent: *\nDisallow: /tin-nóng\n", "/tin-n%c3%b3ng/1", false},
		"needless encoding":                  {"User-agent: *\nDisallow: /%7Ejoe\n", "/~joe", false},
		"encoded slash is not a slash":       {"User-agent: *\nDisallow: /a%2fb\n", "/a/b", true},
		"comment":                            {"User-agent: * # all\nDisallow: /a # not this\n", "/a", false},
		"misspelt":                           {"useragent presswatch\ndisalow /a\n", "/a", false},
		"rules before any group do not bind": {"Disallow: /\nUser-agent: x\nDisallow: /\n", "/a", true},
		"sitemap does not end a group":       {"User-agent: presswatch\nSitemap: http://a/\nDisallow: /a\n", "/a", false},
		"half a byte order mark":             {"\xef\xbbUser-agent: *\nDisallow: /a\n", "/a", false},
		"a web page says nothing":            {"<html><body>Disallow: /</body></html>", "/a", true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := parseRobots([]byte(tc.robots), "Presswatch").allowed(tc.path); got != tc.want {
				t.Errorf("%q on %q: %v, want %v", tc.path, tc.robots, got, tc.want)
			}
		})
	}
}

func TestCrawlDelay(t *testing.T) {
	for name, tc := range map[string]struct {
		robots string
		want   time.Duration
	}{
		"none":                  {"User-agent: *\nDisallow: /a\n", 0},
		"for all":               {"User-agent: *\nCrawl-delay: 2.5\n", 2500 * time.Millisecond},
		"ours instead":          {"User-agent: *\nCrawl-delay: 9\nUser-agent: presswatch\nCrawl-delay: 3\n", 3 * time.Second},
		"ours without":          {"User-agent: *\nCrawl-delay: 9\nUser-agent: presswatch\nDisallow: /a\n", 0},
		"somebody else's":       {"User-agent: x\nCrawl-delay: 9\n", 0},
		"endless":               {"User-agent: *\nCrawl-delay: 1e300\n", maxDelay},
		"not a number":          {"User-agent: *\nCrawl-delay: NaN\n", 0},
		"negative":              {"User-agent: *\nCrawl-delay: -4\n", 0},
		"words do not a number": {"User-agent: *\nCrawl-delay: ten\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := parseRobots([]byte(tc.robots), "Presswatch").delay; got != tc.want {
				t.Errorf("%q: %v, want %v", tc.robots, got, tc.want)
			}
		})
	}
}

func FuzzRobots(f *testing.F) {
	f.Add([]byte("User-agent: *\nDisallow: /a*b$\nAllow: /a%2F\nCrawl-delay: 3"), "presswatch", "/a?b")
	f.Add([]byte("\xef\xbb\xbfuser-agent presswatch\rdisallow /\x00"), "presswatch", "/%e1%zz")
	f.Fuzz(func(t *testing.T, body []byte, token, path string) {
		r := parseRobots(body, token)
		if r.delay < 0 || r.delay > maxDelay {
			t.Errorf("delay %v", r.delay)
		}
		if n := normalise(path, false, true); n != normalise(n, false, true) {
			t.Errorf("normal form of %q is not stable: %q", path, n)
		}
		_ = r.allowed(path)
		all := append([]byte("User-agent: *\nDisallow: /\n"), '\n')
		if parseRobots(all, token).allowed("/" + path) {
			t.Errorf("%q allowed where nothing is", path)
		}
	})
}
