package metrics

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func pairs(s string) (ps []Pair) {
	for _, f := range strings.Fields(s) {
		var p Pair
		sign := f[len(f)-1]
		fmt.Sscan(f[:len(f)-1], &p.Score)
		p.Label = sign == '+'
		ps = append(ps, p)
	}
	return ps
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestSummarize(t *testing.T) {
	for name, tc := range map[string]struct {
		in   string
		want Summary
	}{
		// Above 0.5: one of two positives and one of two negatives, so F1 is
		// 1/2 in both classes. Of four pairs of a positive and a negative,
		// three are in order. Ranks 1 and 3 are positive: AP (1 + 2/3) / 2.
		// Bins 13, 9, 6, 1 hold one score each.
		"worked by hand": {"0.9+ 0.6- 0.4+ 0.1-", Summary{4, 0.5, 0.5, 0.75, (1 + 2.0/3) / 2, (0.1 + 0.6 + 0.6 + 0.1) / 4}},
		"perfect":        {"1+ 1+ 0-", Summary{3, 2.0 / 3, 1, 1, 1, 0}},
		// A tie counts half.
		"all tied":       {"0.5+ 0.5-", Summary{2, 0.5, 1.0 / 3, 0.5, 1, 0}},
		"one class only": {"0.2- 0.8-", Summary{2, 0, 1.0 / 3, 0.5, 0, 0.5}},
		"0.5 is flagged": {"0.5+", Summary{1, 1, 0.5, 0.5, 1, 0.5}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Summarize(pairs(tc.in))
			if got.N != tc.want.N || !near(got.Positive, tc.want.Positive) || !near(got.MacroF1, tc.want.MacroF1) || !near(got.AUC, tc.want.AUC) || !near(got.AP, tc.want.AP) || !near(got.ECE, tc.want.ECE) {
				t.Errorf("got  %+v\nwant %+v", got, tc.want)
			}
		})
	}
}

func TestSummarizeOfNothing(t *testing.T) {
	if got := Summarize(nil); got.N != 0 || got.ECE != 0 || math.IsNaN(got.MacroF1+got.AUC+got.AP+got.Positive) {
		t.Errorf("got %+v", got)
	}
}

func TestECEIsZeroWhenScoresAreShares(t *testing.T) {
	if got := ECE(pairs("0.25+ 0.25- 0.25- 0.25- 0.75+ 0.75+ 0.75+ 0.75-"), 15); !near(got, 0) {
		t.Errorf("ECE %v", got)
	}
}

func TestCut(t *testing.T) {
	c := Cut(pairs("0.9+ 0.8- 0.7+ 0.2+ 0.1-"), 0.7)
	if want := (Counts{TP: 2, FP: 1, FN: 1, TN: 1}); c != want {
		t.Fatalf("got %+v, want %+v", c, want)
	}
	if !near(c.Precision(), 2.0/3) || !near(c.Recall(), 2.0/3) {
		t.Errorf("precision %v, recall %v", c.Precision(), c.Recall())
	}
}

func TestAUCIgnoresMonotoneChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 60).Draw(t, "n")
		a, b := make([]Pair, n), make([]Pair, n)
		for i := range a {
			a[i] = Pair{float64(rapid.IntRange(0, 20).Draw(t, "s")) / 20, rapid.Bool().Draw(t, "y")}
			b[i] = Pair{a[i].Score * a[i].Score / 2, a[i].Label}
		}
		if x, y := AUC(a), AUC(b); !near(x, y) || x < 0 || x > 1 {
			t.Fatalf("AUC %v, then %v", x, y)
		}
	})
}

// The figures are those of the shared scorer, whatever the scores.
func TestAgreesWithSharedScorer(t *testing.T) {
	shared := os.Getenv("PRESSWATCH_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	script := filepath.Join(shared, "eval", "score.py")
	if _, err := os.Stat(script); err != nil {
		t.Skipf("no shared scorer: %v", err)
	}
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("no python3")
	}
	var ps []Pair
	var gold, out strings.Builder
	for i := range 500 {
		h := uint64(i+1) * 0x9E3779B97F4A7C15
		p := Pair{Score: float64(h>>40%97) / 96, Label: (h>>20)%100 < 10+h>>40%97/2}
		ps = append(ps, p)
		y := 0
		if p.Label {
			y = 1
		}
		fmt.Fprintf(&gold, "{\"id\":\"%d\",\"label\":%d}\n", i, y)
		fmt.Fprintf(&out, "{\"id\":\"%d\",\"risk\":%v}\n", i, p.Score)
	}
	g, o := filepath.Join(t.TempDir(), "gold"), filepath.Join(t.TempDir(), "out")
	if os.WriteFile(g, []byte(gold.String()), 0o600) != nil || os.WriteFile(o, []byte(out.String()), 0o600) != nil {
		t.Fatal("cannot write")
	}
	raw, err := exec.CommandContext(t.Context(), "python3", script, "risk", g, o).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	s := Summarize(ps)
	for key, got := range map[string]float64{"macro_f1": s.MacroF1, "auc": s.AUC, "average_precision": s.AP, "ece": s.ECE, "positive_share": s.Positive} {
		if math.Abs(got-want[key]) > 0.00006 {
			t.Errorf("%s: got %.5f, the scorer says %.4f", key, got, want[key])
		}
	}
}
