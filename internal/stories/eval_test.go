package stories

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shared is a folder of labelled data, or the test is skipped.
func shared(t testing.TB, sub string) string {
	t.Helper()
	dir := os.Getenv("PRESSWATCH_SHARED")
	if dir == "" {
		dir = "../../../shared"
	}
	dir = filepath.Join(dir, sub)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("SKIPPED: no labelled data (set PRESSWATCH_SHARED): %v", err)
	}
	return dir
}

func TestEvalFindsCopies(t *testing.T) {
	var b strings.Builder
	s, err := Eval(t.Context(), shared(t, "data/stories"), &b)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(b.String())
	if s.F1 < 0.90 {
		t.Errorf("F1 %.3f, want at least 0.90", s.F1)
	}
}

func readShared(t testing.TB, sub, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(shared(t, sub), name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestScore(t *testing.T) {
	one, two := "o1", "o2"
	golds := []gold{{ID: one, Story: "s1", Edit: "original"}, {ID: two, Story: "s2", Edit: "original"},
		{ID: "c1", CopyOf: &one, Story: "s1", Edit: "typo"}, {ID: "c2", CopyOf: &two, Story: "s2", Edit: "typo"}, {ID: "n1", CopyOf: &one, Story: "s1", Edit: "numbers"}}
	for name, tc := range map[string]struct {
		group        map[string]string
		p, r, merges float64
		stray        int
	}{
		"all right":                       {map[string]string{"o1": "a", "c1": "a", "o2": "b", "c2": "b", "n1": "c"}, 1, 1, 0, 0},
		"one copy missed":                 {map[string]string{"o1": "a", "c1": "x", "o2": "b", "c2": "b", "n1": "c"}, 1, 0.5, 0, 0},
		"a template is taken for a copy":  {map[string]string{"o1": "a", "c1": "a", "o2": "b", "c2": "b", "n1": "a"}, 2. / 3, 1, 1, 0},
		"everything in one group":         {map[string]string{"o1": "a", "c1": "a", "o2": "a", "c2": "a", "n1": "a"}, 0, 0, 1, 3},
		"nothing in any group is no copy": {map[string]string{}, 0, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := score(golds, tc.group)
			if s.Precision != tc.p || s.Recall != tc.r || s.Templates != tc.merges || s.Stray != tc.stray {
				t.Errorf("got %+v, want precision %v, recall %v, templates %v, stray %d", s, tc.p, tc.r, tc.merges, tc.stray)
			}
		})
	}
}
