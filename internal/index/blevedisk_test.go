package index

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"presswatch"
	"presswatch/internal/index/indextest"
)

const childDir = "PRESSWATCH_INDEX_CHILD"

// TestBleveChild is the process that TestBleveSurvivesKill kills. It says which
// documents are stored.
func TestBleveChild(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		t.Skip("only run by TestBleveSurvivesKill")
	}
	idx, err := OpenBleve(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	start, err := CountDocs(t.Context(), idx)
	if err != nil {
		t.Fatal(err)
	}
	for n := start; ; n += 3 {
		docs := []presswatch.Document{indextest.Document(n, "kill", "one"), indextest.Document(n+1, "kill", "two"), indextest.Document(n+2, "kill", "three")}
		if errs, err := idx.Put(t.Context(), docs); errors.Join(append(errs, err)...) != nil {
			t.Fatal(errs, err)
		}
		for _, d := range docs {
			fmt.Println("STORED", d.ID)
		}
	}
}

func TestBleveSurvivesKill(t *testing.T) {
	dir := t.TempDir()
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	promised := map[presswatch.DocID]bool{}
	for range 4 {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBleveChild$")
		child.Env = append(os.Environ(), childDir+"="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines, enough := bufio.NewScanner(out), 1+r.IntN(60)
		for lines.Scan() {
			id, ok := strings.CutPrefix(lines.Text(), "STORED ")
			if !ok {
				t.Log(lines.Text())
				continue
			}
			promised[presswatch.DocID(id)] = true
			if enough--; enough == 0 {
				_ = child.Process.Kill() // SIGKILL; what is still in the pipe counts as promised too
			}
		}
		_ = child.Wait()
		checkPromised(t, dir, promised)
	}
}

func checkPromised(t *testing.T, dir string, promised map[presswatch.DocID]bool) {
	t.Helper()
	idx, err := OpenBleve(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer idx.Close()
	for id := range promised {
		if _, err := idx.Get(t.Context(), id); err != nil {
			t.Errorf("lost %s: %v", id, err)
		}
	}
	seen := map[presswatch.DocID]bool{}
	err = Each(t.Context(), idx, func(d presswatch.Document) error {
		if seen[d.ID] {
			t.Errorf("%s is there twice", d.ID)
		}
		seen[d.ID] = true
		return nil
	})
	n, err2 := CountDocs(t.Context(), idx)
	if err := errors.Join(err, err2); err != nil || n != len(seen) || n < len(promised) || len(promised) == 0 {
		t.Errorf("%d counted, %d seen, %d promised, %v", n, len(seen), len(promised), err)
	}
}

func TestBleveOneProcessAtATime(t *testing.T) {
	dir := t.TempDir()
	idx, err := OpenBleve(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenBleve(dir, nil); presswatch.CodeOf(err) != presswatch.Conflict {
		t.Errorf("second: %v, want Conflict", err)
	}
	if err := idx.Close(); err != nil {
		t.Fatal(err)
	}
	idx, err = OpenBleve(dir, nil)
	if err != nil {
		t.Fatal("after the first closed:", err)
	}
	idx.Close()
}

func TestBleveReopensWithTheSameAnswers(t *testing.T) {
	dir := t.TempDir()
	var before presswatch.Result
	q := presswatch.Query{Text: "chính phủ OR the", Limit: 50, Facets: true, Interval: "month"}
	for round := range 3 {
		idx, err := OpenBleve(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			put(t, idx, indextest.Corpus(120, 30))
		}
		res, err := idx.Search(t.Context(), q)
		if err != nil || res.Total == 0 {
			t.Fatal(res.Total, err)
		}
		if round > 0 {
			compareResults(t, "reopened", before, res)
		}
		before = res
		if err := idx.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func put(t *testing.T, idx presswatch.Index, docs []presswatch.Document) {
	t.Helper()
	errs, err := idx.Put(t.Context(), docs)
	if err := errors.Join(append(errs, err)...); err != nil {
		t.Fatal(err)
	}
}

func TestBleveDamage(t *testing.T) {
	truncate := func(pattern string, keep int64) func(string) error {
		return func(dir string) error {
			files, _ := filepath.Glob(filepath.Join(dir, pattern))
			if len(files) == 0 {
				return errors.New("no file " + pattern)
			}
			return os.Truncate(files[0], keep)
		}
	}
	write := func(name, text string) func(string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600) }
	}
	for name, damage := range map[string]func(dir string) error{
		"another version":       write("index/presswatch.json", `{"format":99}`),
		"version not JSON":      write("index/presswatch.json", `garbage`),
		"no version":            func(dir string) error { return os.Remove(filepath.Join(dir, "index/presswatch.json")) },
		"no list of segments":   truncate("index/store/root.bolt", 0),
		"half list of segments": truncate("index/store/root.bolt", 5000),
		"list is text":          write("index/store/root.bolt", strings.Repeat("not a database\n", 3000)),
		"empty segment":         truncate("index/store/*.zap", 0),
		"half a segment":        truncate("index/store/*.zap", 300),
		"no segment":            func(dir string) error { return removeAll(dir, "index/store/*.zap") },
		"bleve's own record":    write("index/index_meta.json", "{"),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			idx, err := OpenBleve(dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			put(t, idx, indextest.Corpus(20, 20))
			idx.Close()
			if err := damage(dir); err != nil {
				t.Fatal(err)
			}
			idx, err = OpenBleve(dir, nil)
			if err == nil {
				n, err := CountDocs(t.Context(), idx)
				idx.Close()
				t.Fatalf("opened with %d documents, %v", n, err)
			}
			if !errors.Is(err, ErrRebuild) || !strings.Contains(err.Error(), "presswatch reindex") || presswatch.Retryable(err) {
				t.Errorf("%v does not say what to do", err)
			}
			// The lock is free: reindex can move the folder away and begin anew.
			if err := os.RemoveAll(filepath.Join(dir, bleveFolder)); err != nil {
				t.Fatal(err)
			}
			idx, err = OpenBleve(dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			idx.Close()
		})
	}
}

func removeAll(dir, pattern string) error {
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	for _, f := range files {
		err = errors.Join(err, os.Remove(f))
	}
	return err
}

func TestBleveHalfMadeFolderIsMadeAnew(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, bleveNew, "store"), 0o700); err != nil {
		t.Fatal(err)
	}
	idx, err := OpenBleve(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer idx.Close()
	put(t, idx, indextest.Corpus(1, 10))
}

func TestBleveLeavesNoGoroutines(t *testing.T) {
	idx, err := OpenBleve(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	idx.Close()
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent()) // bleve's analysis workers live as long as the process
	idx, err = OpenBleve(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	put(t, idx, indextest.Corpus(10, 10))
	if _, err := idx.Search(t.Context(), presswatch.Query{Text: "và OR the", Limit: 5}); err != nil {
		t.Error(err)
	}
	if err := idx.Close(); err != nil {
		t.Error(err)
	}
}
