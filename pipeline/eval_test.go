package pipeline

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"presswatch"
)

func TestOverlap(t *testing.T) {
	for name, tc := range map[string]struct {
		gold, got string
		p, r      float64
	}{
		"the same":                                      {"a b c d e", "a b c d e", 1, 1},
		"other signs between":                           {"a b, c d. e", "a b c d e", 1, 1},
		"one word too many":                             {"a b c d", "a b c d e", 0.5, 1},
		"half is missing":                               {"a b c d e f g h", "a b c d e", 1, 0.4},
		"nothing found":                                 {"a b c d", "", 0, 0},
		"fewer than four words":                         {"a b", "a b", 1, 1},
		"a shingle counts as often as it stands":        {"a a a a", "a a a a a a", 1. / 3, 1},
		"signs of Hindi divide words, as in the scorer": {"हिन्दी में", "हिन्दी", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if p, r := overlap(tc.gold, tc.got); math.Abs(p-tc.p) > 1e-9 || math.Abs(r-tc.r) > 1e-9 {
				t.Errorf("precision %v, recall %v; want %v, %v", p, r, tc.p, tc.r)
			}
		})
	}
}

func TestEvalOnAFolder(t *testing.T) {
	dir := t.TempDir()
	lines := `{"id":"1","set":"a","url":"https://bao.example/1","html":"<title>Một</title><p>` + words + `","gold":"` + words + `","title":"MỘT","date":"2026-11-20"}
{"id":"2","set":"b","url":"https://bao.example/2","html":"<script>1</script>","gold":"` + words + `"}
`
	if err := os.WriteFile(filepath.Join(dir, "pages.jsonl"), []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	got, err := Eval(t.Context(), dir, &b)
	if err != nil || len(got) != 3 {
		t.Fatalf("%d scores, err %v", len(got), err)
	}
	if a, z, all := got[0], got[1], got[2]; a.Set != "a" || a.F1 != 1 || a.Title != 1 || a.Date != 0 || z.Set != "b" || z.Empty != 1 || z.F1 != 0 || all.Docs != 2 || all.Recall != 0.5 {
		t.Errorf("scores %+v", got)
	}
	if s := b.String(); !strings.Contains(s, "precision") || strings.Count(s, "\n") != 4 {
		t.Errorf("table:\n%s", s)
	}
	if _, err := Eval(t.Context(), filepath.Join(dir, "none"), nil); presswatch.CodeOf(err) != presswatch.NotFound {
		t.Errorf("err %v of a folder that is not there", err)
	}
}

// TestEvalOnPages holds extraction to what was reached on the labelled pages.
func TestEvalOnPages(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: reading 853 pages takes some seconds")
	}
	var b strings.Builder
	got, err := Eval(t.Context(), shared(t, "data/pages"), &b)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + b.String())
	least := map[string]float64{"naeb": 0.905, "mozilla": 0.980, "wcxb": 0.920, "fundus": 0.900}
	for _, s := range got {
		if s.F1 < least[s.Set] {
			t.Errorf("%s: F1 %.3f, want at least %.3f", s.Set, s.F1, least[s.Set])
		}
	}
}

// BenchmarkExtracting is one labelled page after the other; ns/op is what an
// article costs on one core.
func BenchmarkExtracting(b *testing.B) {
	pages, chain, i := rawPages(b), Extracting(Deps{}), 0
	b.ReportAllocs()
	for b.Loop() {
		it := Item{Capture: captureFor(pages[i%len(pages)].URL, pages[i%len(pages)].body)}
		_ = chain.Run(b.Context(), &it)
		i++
	}
}
