package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	v2 "codeberg.org/readeck/go-readability/v2"
	v1 "github.com/go-shiori/go-readability"
	"golang.org/x/net/html"

	"presswatch"
	"presswatch/pipeline/page"
)

// shared is the folder of labelled data, or the test is skipped.
func shared(t testing.TB, sub string) string {
	t.Helper()
	dir := os.Getenv("PRESSWATCH_SHARED")
	if dir == "" {
		dir = "../../shared"
	}
	dir = filepath.Join(dir, sub)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("SKIPPED: no labelled data (set PRESSWATCH_SHARED): %v", err)
	}
	return dir
}

type rawPage struct {
	labelled
	URL, File string
	body      []byte
}

func rawPages(t testing.TB) (out []rawPage) {
	t.Helper()
	dir := shared(t, "data/pages")
	f, err := os.Open(filepath.Join(dir, "pages.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if out, err = decodeAll[rawPage](f); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for i := range out {
		if out[i].body, err = readFile(root, out[i].File); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestEngines compares the engines on the labelled pages; it is how the
// figures of docs/decisions/0004 were made. It writes one JSONL file an engine
// to the folder PRESSWATCH_ENGINES.
func TestEngines(t *testing.T) {
	dir := os.Getenv("PRESSWATCH_ENGINES")
	if dir == "" {
		t.Skip("SKIPPED: set PRESSWATCH_ENGINES to a folder to compare the engines")
	}
	pages := rawPages(t)
	for name, read := range map[string]func(p rawPage) extracted{
		"asked":          engineAsked(false),
		"asked-tree":     engineAsked(true),
		"successor":      engineSuccessor,
		"whole-pipeline": engineOurs,
	} {
		if only := os.Getenv("PRESSWATCH_ENGINE"); only != "" && only != name {
			continue
		}
		runtime.GC()
		var out bytes.Buffer
		enc := json.NewEncoder(&out)
		sets, times, start := map[string]int{}, map[string]time.Duration{}, cpu()
		for _, p := range pages {
			at := cpu()
			o := read(p)
			times[p.Set] += cpu() - at
			sets[p.Set]++
			o.ID = p.ID
			if err := enc.Encode(map[string]string{"id": o.ID, "text": o.Text, "title": o.Title, "published": o.Published, "set": p.Set}); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%-15s %6.1f docs/CPU-s over all", name, float64(len(pages))/(cpu()-start).Seconds())
		for s, n := range sets {
			t.Logf("   %-12s %6.1f docs/CPU-s", s, float64(n)/times[s].Seconds())
		}
		if err := os.WriteFile(filepath.Join(dir, name+".jsonl"), out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func engineAsked(tree bool) func(p rawPage) extracted {
	return func(p rawPage) extracted {
		u, _ := url.Parse(p.URL)
		src := page.Decode(p.body, "text/html")
		var a v1.Article
		var err error
		if tree {
			doc, e := html.Parse(strings.NewReader(src))
			if e != nil {
				return extracted{}
			}
			a, err = v1.FromDocument(doc, u)
		} else {
			a, err = v1.FromReader(strings.NewReader(src), u)
		}
		if err != nil {
			return extracted{}
		}
		return extracted{Text: a.TextContent, Title: a.Title}
	}
}

func engineSuccessor(p rawPage) extracted {
	u, _ := url.Parse(p.URL)
	doc, err := html.Parse(strings.NewReader(page.Decode(p.body, "text/html")))
	if err != nil {
		return extracted{}
	}
	ps := v2.NewParser()
	a, err := ps.ParseAndMutate(doc, u)
	if err != nil || a.Node == nil {
		return extracted{}
	}
	var b strings.Builder
	_ = a.RenderText(&b)
	return extracted{Text: b.String(), Title: a.Title()}
}

func engineOurs(p rawPage) extracted {
	it := Item{Capture: captureFor(p.URL, p.body)}
	if err := Extracting(Deps{}).Run(context.Background(), &it); err != nil {
		return extracted{}
	}
	o := extracted{Text: it.Doc.Text, Title: it.Doc.Title}
	if s := stamp(it.Doc.Published); s != nil {
		o.Published = *s
	}
	return o
}

// fetched is when the captures of tests were made.
var fetched = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func captureFor(addr string, body []byte) presswatch.Capture {
	return presswatch.Capture{ID: presswatch.NewCaptureID("test", addr, fetched, body), Source: "test", Kind: presswatch.Article,
		URL: addr, Status: 200, ContentType: "text/html", FetchedAt: fetched, Body: body}
}
