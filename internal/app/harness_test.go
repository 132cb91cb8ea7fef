package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"presswatch"
)

// shared finds the corpora beside the repository, or skips.
func shared(t testing.TB, elem ...string) string {
	t.Helper()
	root := os.Getenv("PRESSWATCH_SHARED")
	if root == "" {
		root = filepath.Join(repoRoot(t), "..", "shared")
	}
	p := filepath.Join(append([]string{root}, elem...)...)
	if _, err := os.Stat(p); err != nil {
		t.Skipf("SKIPPED for want of real data: %v", err)
	}
	return p
}

func repoRoot(t testing.TB) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// binary is the program, built once a test run: without the race detector,
// since what is killed here is timed by chance and checked from outside.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "presswatch-test")
	if err != nil {
		return "", err
	}
	p := filepath.Join(dir, "presswatch")
	out, err := exec.Command("go", "build", "-o", p, "presswatch/cmd/presswatch").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return p, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if built {
		if p, err := binary(); err == nil {
			os.RemoveAll(filepath.Dir(p))
		}
	}
	os.Exit(code)
}

var built bool

// program is one installation: a data folder and an environment.
type program struct {
	t    testing.TB
	bin  string
	data string
	env  []string
}

func newProgram(t testing.TB, env ...string) *program {
	t.Helper()
	p, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	built = true
	return &program{t: t, bin: p, data: t.TempDir(), env: env}
}

func (p *program) command(args ...string) *exec.Cmd {
	c := exec.Command(p.bin, append(args, "--data", p.data)...)
	c.Env = append(os.Environ(), p.env...)
	c.Dir = p.data
	return c
}

// run runs a command to its end.
func (p *program) run(args ...string) (stdout, stderr string, code int) {
	p.t.Helper()
	var out, errOut bytes.Buffer
	c := p.command(args...)
	c.Stdout, c.Stderr = &out, &errOut
	err := c.Run()
	if x := (*exec.ExitError)(nil); err != nil && !asExit(err, &x) {
		p.t.Fatalf("%v: %v", args, err)
	}
	return out.String(), errOut.String(), c.ProcessState.ExitCode()
}

func asExit(err error, x **exec.ExitError) bool {
	e, ok := err.(*exec.ExitError)
	*x = e
	return ok
}

// mustRun runs a command that must end with 0 and returns its output.
func (p *program) mustRun(args ...string) string {
	p.t.Helper()
	out, errOut, code := p.run(args...)
	if code != 0 {
		p.t.Fatalf("presswatch %s: exit %d\n%s", strings.Join(args, " "), code, tail(errOut))
	}
	return out
}

func tail(s string) string {
	if len(s) > 4000 {
		return "..." + s[len(s)-4000:]
	}
	return s
}

// archive is every document found by a search for all, by ID. A document found
// twice fails the test.
func (p *program) archive() map[presswatch.DocID]presswatch.Document {
	p.t.Helper()
	out := p.mustRun("search", "*", "--json", "--limit", "0")
	docs := map[presswatch.DocID]presswatch.Document{}
	s := bufio.NewScanner(strings.NewReader(out))
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		var d presswatch.Document
		if err := json.Unmarshal(s.Bytes(), &d); err != nil {
			p.t.Fatalf("search printed %q: %v", s.Text(), err)
		}
		if _, twice := docs[d.ID]; twice {
			p.t.Errorf("%s is indexed twice", d.CanonicalURL)
		}
		docs[d.ID] = d
	}
	return docs
}

// started is a running process.
type started struct {
	*exec.Cmd
	done   chan struct{}
	mu     sync.Mutex
	stderr bytes.Buffer
}

// start starts a process that the test ends.
func (p *program) start(args ...string) *started {
	p.t.Helper()
	s := &started{Cmd: p.command(args...), done: make(chan struct{})}
	s.Stderr = s
	if err := s.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() { s.Wait(); close(s.done) }()
	p.t.Cleanup(func() { s.Process.Kill(); <-s.done })
	return s
}

// Write keeps what the process says on standard error.
func (s *started) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stderr.Write(b)
}

func (s *started) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stderr.String()
}

// awaitLine returns the first line on standard error that contains mark.
func (s *started) awaitLine(t testing.TB, mark string) string {
	t.Helper()
	var line string
	eventually(t, 60*time.Second, func() bool {
		for l := range strings.Lines(s.said()) {
			if strings.Contains(l, mark) {
				line = l
				return true
			}
		}
		select {
		case <-s.done:
			t.Fatalf("ended before it said %q:\n%s", mark, tail(s.said()))
		default:
		}
		return false
	})
	return line
}

// eventually waits until cond holds; limit is only how long a failure takes.
func eventually(t testing.TB, limit time.Duration, cond func() bool) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("did not come about within %v", limit)
		}
	}
}

// after waits for d, or until the process ends; it reports whether it still runs.
func (s *started) after(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.done:
		return false
	}
}

// peak waits for the end of the process and returns the most memory that it
// was seen to have had, in MB. The kernel's own figure for a child that has
// ended counts its parent's memory at the fork, too.
func (s *started) peak() (mb int) {
	for s.after(20 * time.Millisecond) {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Process.Pid))
		if err != nil {
			continue
		}
		if _, rest, ok := bytes.Cut(b, []byte("VmHWM:")); ok {
			var kb int
			if _, err := fmt.Sscan(string(rest), &kb); err == nil {
				mb = max(mb, kb>>10)
			}
		}
	}
	return mb
}

func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// call runs the program inside this process, as main does.
func call(t testing.TB, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errOut bytes.Buffer
	code = Main(context.Background(), args, nil, strings.NewReader(stdin), &out, &errOut)
	return out.String(), errOut.String(), code
}
