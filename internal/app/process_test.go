package app

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestSecondProcessOnOneDataFolderSaysSo(t *testing.T) {
	p := newProgram(t, "PRESSWATCH_LOG_LEVEL=error")
	first := p.start("up", "--sources", writeFile(t, "s.yaml", "sources: []\n"), "--addr", freeAddr(t))
	first.awaitLine(t, "pages and API at")
	_, said, code := p.run("up", "--sources", writeFile(t, "s.yaml", "sources: []\n"), "--addr", freeAddr(t))
	if code != 1 || !strings.Contains(said, "in use by presswatch up") || strings.Count(strings.TrimSpace(said), "\n") != 0 {
		t.Errorf("exit %d, said %q; want 1 and one line that names the first", code, said)
	}
	// What only asks or adds works beside it.
	if out := p.mustRun("import", writeFile(t, "a.jsonl", good(1)+good(2)), "--json"); !strings.Contains(out, `"imported":2`) {
		t.Errorf("import beside a running up: %s", out)
	}
	if got := p.archive(); len(got) != 2 {
		t.Errorf("search beside a running up finds %d documents, want 2", len(got))
	}
	if out := p.mustRun("dead", "list"); !strings.Contains(out, "No dead letters") {
		t.Errorf("dead list beside a running up: %s", out)
	}
}

// stopLimit is what the promise of the design allows a stop to take.
const stopLimit = 10 * time.Second

func TestTermDrainsAndEndsWithZero(t *testing.T) {
	path, _ := pages(t)
	both(t, func(t *testing.T, env []string) {
		p := newProgram(t, append(env, "PRESSWATCH_LOG_LEVEL=warn")...)
		p.mustRun("import", path, "--no-wait")
		s := p.start("up", "--sources", writeFile(t, "s.yaml", "sources: []\n"), "--addr", freeAddr(t))
		s.awaitLine(t, "pages and API at")
		s.after(time.Second) // at full work
		s.Process.Signal(syscall.SIGTERM)
		if s.after(stopLimit) {
			t.Fatalf("still running %v after SIGTERM:\n%s", stopLimit, tail(s.said()))
		}
		if code := s.ProcessState.ExitCode(); code != 0 {
			t.Errorf("exit %d:\n%s", code, tail(s.said()))
		}
	})
}

func TestHelpOfEveryCommandHasExamples(t *testing.T) {
	e := &env{flags: map[string]any{}}
	for _, c := range commands(e) {
		out, _, code := call(t, "", c.Name(), "--help")
		if code != 0 || !strings.Contains(out, "Examples:") || !strings.Contains(out, "--json") {
			t.Errorf("%s --help: exit %d:\n%s", c.Name(), code, out)
		}
		for _, sub := range c.Commands() {
			out, _, code := call(t, "", c.Name(), sub.Name(), "--help")
			if code != 0 || !strings.Contains(out, "Examples:") {
				t.Errorf("%s %s --help: exit %d:\n%s", c.Name(), sub.Name(), code, out)
			}
		}
	}
}

func TestVersionAsJSON(t *testing.T) {
	out, _, code := call(t, "", "version", "--json")
	var v map[string]string
	if err := json.Unmarshal([]byte(out), &v); code != 0 || err != nil || v["version"] != Version {
		t.Errorf("exit %d, %v: %s", code, err, out)
	}
}
