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
