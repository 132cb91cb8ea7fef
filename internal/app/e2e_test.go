package app

import (
	"context"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"presswatch"
	"presswatch/internal/config"
)

// kills is how many times a process is killed in each kill test.
const kills = 30

// pages is the corpus of real pages, and how many there are.
func pages(t testing.TB) (path string, n int) {
	t.Helper()
	path = shared(t, "data", "pages", "pages.jsonl")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, strings.Count(strings.TrimSpace(string(b)), "\n") + 1
}

func TestEveryPageIsIndexedOnceAndKillsChangeNothing(t *testing.T) {
	path, n := pages(t)
	calm := newProgram(t)
	calm.mustRun("import", path)
	want := calm.archive()
	if len(want) != n {
		t.Fatalf("undisturbed: %d documents of %d pages; dead letters:\n%s", len(want), n, calm.mustRun("dead", "list"))
	}
	wantCases := calm.cases()
	if len(wantCases) == 0 {
		t.Error("no case was opened: the corpus has items at the review level")
	}
	both(t, func(t *testing.T, env []string) {
		p := newProgram(t, env...)
		longest := 1500 * time.Millisecond
		if env != nil {
			longest = 9 * time.Second // a killed member holds its partitions until its session ends
		}
		p.importUnderKills(path, longest)
		same(t, p.archive(), want)
		sameCases(t, p.cases(), wantCases)
	})
}

// importUnderKills imports while it is killed at random instants, then once
// more to its end.
func (p *program) importUnderKills(path string, longest time.Duration) {
	p.t.Helper()
	seed := uint64(time.Now().UnixNano())
	p.t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	again := false
	for done := 0; done < kills; {
		args := []string{"import", path}
		if again {
			args = append(args, "--again")
		}
		again = false
		s := p.start(args...)
		if s.after(time.Duration(r.Int64N(int64(longest)))) {
			s.Process.Signal(syscall.SIGKILL)
			<-s.done
			done++
			continue
		}
		if code := s.ProcessState.ExitCode(); code != 0 {
			p.t.Fatalf("import ended with %d after %d kills:\n%s", code, done, tail(s.said()))
		}
		again = true // it came to its end before it could be killed: from the beginning
	}
	p.mustRun("import", path, "--again")
}

func same(t *testing.T, got, want map[presswatch.DocID]presswatch.Document) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d documents, want %d", len(got), len(want))
	}
	for id, w := range want {
		g, ok := got[id]
		if !ok {
			t.Errorf("lost: %s", w.CanonicalURL)
			continue
		}
		if g.Text != w.Text || g.Title != w.Title || g.Version != w.Version {
			t.Errorf("%s differs from the undisturbed run", w.CanonicalURL)
		}
	}
}

// cases are the cases of a program by document; one opened twice fails.
func (p *program) cases() map[presswatch.DocID]presswatch.Case {
	p.t.Helper()
	cfg, err := config.Load("", append(p.env, "PRESSWATCH_DATA="+p.data), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	db, err := openDB(context.Background(), cfg, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	defer db.Close()
	out := map[presswatch.DocID]presswatch.Case{}
	q := presswatch.CaseQuery{Limit: 100}
	for {
		page, err := db.ListCases(context.Background(), q)
		if err != nil {
			p.t.Fatal(err)
		}
		for _, c := range page.Cases {
			if _, twice := out[c.Doc]; twice {
				p.t.Errorf("two cases for %s", c.Doc)
			}
			out[c.Doc] = c
		}
		if page.Next == "" {
			break
		}
		q.After = page.Next
	}
	if _, err := db.VerifyEvents(context.Background()); err != nil {
		p.t.Errorf("the log of case events: %v", err)
	}
	return out
}

func sameCases(t *testing.T, got, want map[presswatch.DocID]presswatch.Case) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d cases, want %d", len(got), len(want))
	}
	for id, w := range want {
		if g, ok := got[id]; !ok || g.ID != w.ID || g.Level != w.Level {
			t.Errorf("case of %q: got %+v, want %+v", w.Title, g, w)
		}
	}
}
