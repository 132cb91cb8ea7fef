package dashboards

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"presswatch"
	"presswatch/internal/lang/all"

	"golang.org/x/net/html"
)

func caseURL(d presswatch.Document) string { return "/cases/" + string(presswatch.NewCaseID(d.ID)) }

func TestEveryPageRendersInEveryLanguage(t *testing.T) {
	s := newSite(t, press()...)
	b, out := s.as("senior"), s.browser()
	for _, l := range all.Profiles() {
		paths := []string{"/queue", "/queue?status=all&level=high&language=vi", "/queue?status=decided", "/search", "/search?q=zzzz-nothing", "/search?q=%22",
			"/search?q=n%C6%B0%E1%BB%9Bc&level=high&min_risk=10&since=2020-01-01&sort=risk", "/help", "/sign-out", "/no-such-page"}
		for _, d := range s.docs {
			paths = append(paths, caseURL(d), "/documents/"+string(d.ID))
		}
		for _, path := range paths {
			checkPage(t, b, path, l.Code, l.Dir())
		}
		for _, path := range []string{"/sign-in", "/sign-in/some-token", "/help", "/no-such-page"} {
			checkPage(t, out, path, l.Code, l.Dir())
		}
	}
}

// checkPage looks at what every page owes: its language and direction, one
// heading of the first rank, a label on each field, no repeated id, no address
// of another site that the browser would load, no key in place of a message.
func checkPage(t *testing.T, b *browser, path, code, dir string) {
	t.Helper()
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	r := b.get(path + sep + "lang=" + code)
	if r.status >= 500 {
		t.Fatalf("%s in %s: status %d", path, code, r.status)
	}
	ids, headings, labels := map[string]int{}, 0, map[string]bool{}
	var fields []*html.Node
	each(r.dom(), func(n *html.Node) {
		if id := attr(n, "id"); id != "" {
			ids[id]++
		}
		switch n.Data {
		case "html":
			if attr(n, "lang") != code || attr(n, "dir") != dir {
				t.Errorf("%s: lang %q dir %q, want %s %s", path, attr(n, "lang"), attr(n, "dir"), code, dir)
			}
		case "h1":
			headings++
		case "label":
			labels[attr(n, "for")] = true
		case "input", "select", "textarea":
			fields = append(fields, n)
		case "script", "link", "img", "iframe":
			if v := attr(n, "src") + attr(n, "href"); !strings.HasPrefix(v, "/static/") {
				t.Errorf("%s: <%s> loads %q", path, n.Data, v)
			}
		}
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("%s: <%s> has the attribute %s", path, n.Data, a.Key)
			}
		}
	})
	for _, f := range fields {
		if attr(f, "type") != "hidden" && !labels[attr(f, "id")] && !within(f, "label") {
			t.Errorf("%s: field %s has no label", path, attr(f, "name"))
		}
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%s: id %s stands %d times", path, id, n)
		}
	}
	if headings != 1 {
		t.Errorf("%s in %s: %d h1", path, code, headings)
	}
	for key := range mustCatalogs()[0].messages {
		if !strings.HasPrefix(key, "format.") && strings.Contains(r.body, ">"+key+"<") {
			t.Errorf("%s in %s: the key %s is shown", path, code, key)
		}
	}
}

func within(n *html.Node, name string) bool {
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Data == name {
			return true
		}
	}
	return false
}

func TestQueue(t *testing.T) {
	s := newSite(t, press()...)
	b := s.as("officer")
	titles := func(r reply) (out []string) {
		each(r.ok().dom(), func(n *html.Node) {
			if n.Data == "a" && n.Parent.Data == "h2" {
				out = append(out, text(n))
			}
		})
		return out
	}
	for name, tc := range map[string]struct {
		query string
		want  []int // documents of press, in order
	}{
		"worst first":                       {"", []int{0, 1, 2, 3, 4}},
		"a level":                           {"level=high", []int{0, 1}},
		"two levels":                        {"level=review&level=low", []int{2, 3, 4}},
		"a language":                        {"language=ar", []int{3}},
		"a story":                           {"story=s1", []int{1, 2}},
		"both filters hold":                 {"level=high&language=vi", []int{0}},
		"decided ones are elsewhere":        {"status=decided", nil},
		"what is not known is left out":     {"level=urgent&language=klingon&status=odd", []int{0, 1, 2, 3, 4}},
		"parameters of others are left out": {"utm_source=x", []int{0, 1, 2, 3, 4}},
	} {
		t.Run(name, func(t *testing.T) {
			got := titles(b.get("/queue?" + tc.query))
			var want []string
			for _, i := range tc.want {
				want = append(want, s.docs[i].Title)
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("got %q\nwant %q", got, want)
			}
		})
	}
	t.Run("a case page keeps the filter and knows its neighbours", func(t *testing.T) {
		r := b.get(caseURL(s.docs[1]) + "?level=high").ok()
		r.has("/queue?level=high", "2 trên 2")
		var prev string
		each(r.dom(), func(n *html.Node) {
			if attr(n, "rel") == "prev" {
				prev = attr(n, "href")
			}
		})
		if prev != caseURL(s.docs[0])+"?level=high" {
			t.Errorf("previous is %q", prev)
		}
	})
}

func TestQueuePages(t *testing.T) {
	var docs []presswatch.Document
	for i := range 120 {
		docs = append(docs, doc(i, "vi", fmt.Sprintf("Bài thứ %d", i), "Nội dung bài viết để kiểm tra.", 0.5))
	}
	s := newSite(t, docs...)
	b, seen, path := s.as("officer"), map[string]bool{}, "/queue"
	for pages := 1; path != ""; pages++ {
		next := ""
		each(b.get(path).ok().dom(), func(n *html.Node) {
			if n.Data == "a" && n.Parent.Data == "h2" {
				if seen[text(n)] {
					t.Errorf("%s is on two pages", text(n))
				}
				seen[text(n)] = true
			}
			if attr(n, "rel") == "next" {
				next = attr(n, "href")
			}
		})
		if path = next; pages > 3 {
			t.Fatal("the pages do not end")
		}
	}
	if len(seen) != len(docs) {
		t.Errorf("%d cases on all pages, want %d", len(seen), len(docs))
	}
}

func TestEvidenceIsMarkedAndExplained(t *testing.T) {
	s := newSite(t, press()...)
	r := s.as("officer").get(caseURL(s.docs[0])).ok()
	var marks []string
	each(r.dom(), func(n *html.Node) {
		if n.Data == "mark" {
			marks = append(marks, text(n)+"/"+attr(n, "data-n"))
		}
	})
	want := []string{"CẢNH BÁO/1", "Theo nguồn tin chưa được kiểm chứng/2"}
	if fmt.Sprint(marks) != fmt.Sprint(want) {
		t.Errorf("marks %q, want %q", marks, want)
	}
	r.has(`href="#t1"`, `href="#m1"`, "Most of the title is in capitals.", `lang="en" dir="ltr">The text uses`, "Chấm điểm tự động, cần người xem xét")
}

func TestSearch(t *testing.T) {
	s := newSite(t, press()...)
	b := s.as("analyst")
	hits := func(query string) (out []string) {
		each(b.get("/search?"+query).ok().dom(), func(n *html.Node) {
			if n.Data == "a" && n.Parent.Data == "h2" {
				out = append(out, strings.TrimPrefix(attr(n, "href"), "/documents/"))
			}
		})
		return out
	}
	for name, tc := range map[string]struct {
		query string
		want  []int
	}{
		"a word":                {"q=herb", []int{1}},
		"without accents":       {"q=nuoc+may", []int{0}},
		"Arabic":                {"q=" + url.QueryEscape("المدارس"), []int{3}},
		"a score":               {"min_risk=80&sort=risk", []int{0, 1}},
		"a source":              {"source=bao-2&sort=risk", []int{1, 4}},
		"a period":              {"until=2001-01-01", nil},
		"an unknown sort order": {"q=herb&sort=random", []int{1}},
	} {
		t.Run(name, func(t *testing.T) {
			var want []string
			for _, i := range tc.want {
				want = append(want, string(s.docs[i].ID))
			}
			if got := hits(tc.query); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
	t.Run("what matched is marked", func(t *testing.T) {
		var marks []string
		each(b.get("/search?q=herb").ok().dom(), func(n *html.Node) {
			if n.Data == "mark" {
				marks = append(marks, text(n))
			}
		})
		if fmt.Sprint(marks) != "[herb]" {
			t.Errorf("marks %q", marks)
		}
	})
	t.Run("facets count and link", func(t *testing.T) {
		r := b.get("/search?q=*").ok()
		r.has("/search?level=high&amp;q=%2A", "/search?language=hi&amp;q=%2A", "/search?q=%2A&amp;source=bao-1")
	})
	t.Run("a question that cannot be read is explained", func(t *testing.T) {
		if r := b.get("/search?q=%28%28"); r.status != http.StatusBadRequest {
			t.Errorf("status %d", r.status)
		} else {
			r.has("Không hiểu câu tìm kiếm")
		}
	})
}

func TestHostileParametersNeverBreakAPage(t *testing.T) {
	s := newSite(t, press()...)
	b := s.as("senior")
	hostile := []string{"", "\x00", "%", "../../etc/passwd", "'\"><script>alert(1)</script>", "javascript:alert(1)", strings.Repeat("a", 3000), strings.Repeat("(", 400), "a AND", "-", "*", "\"", "\u202e\u0301", "{0}", "{{.}}", "NaN", "-1", "1e999"}
	for _, h := range hostile {
		for _, name := range []string{"q", "after", "source", "language", "level", "kind", "story", "min_risk", "since", "until", "sort", "lang", "done", "undone", "status"} {
			for _, path := range []string{"/search", "/queue", caseURL(s.docs[0])} {
				r := b.get(path + "?" + url.Values{name: {h}}.Encode())
				if r.status >= 500 {
					t.Errorf("%s %s=%.40q: status %d", path, name, h, r.status)
				}
				r.lacks("<script>alert", `href="javascript:`)
			}
		}
		if r := b.get("/cases/" + url.PathEscape(cut(h, 500)) + "x"); r.status != http.StatusNotFound && r.status != http.StatusBadRequest {
			t.Errorf("case %.40q: status %d", h, r.status)
		}
	}
}
