package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"presswatch"
	"presswatch/internal/config"
	"presswatch/internal/queue"
	"presswatch/pipeline"

	"golang.org/x/sync/errgroup"
)

// away is how long Kafka is stopped.
const away = 20 * time.Second

// ownKafka starts a real Kafka for one test alone, which may stop it.
func ownKafka(t *testing.T) (addr string, dev func(args ...string)) {
	t.Helper()
	if os.Getenv("PRESSWATCH_TEST_KAFKA") == "" {
		t.Skip("SKIPPED: no real Kafka here: see deploy/dev")
	}
	state := filepath.Join(repoRoot(t), ".dev")
	if d := os.Getenv("PRESSWATCH_DEV_DIR"); d != "" {
		state = d
	}
	dir := filepath.Join(state, "outage-app")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	_ = os.Symlink("../dl", filepath.Join(dir, "dl")) // the downloads are there already
	port, control := freeAddr(t), freeAddr(t)
	dev = func(args ...string) {
		t.Helper()
		c := exec.Command(filepath.Join(repoRoot(t), "deploy", "dev", "dev"), args...)
		c.Env = append(os.Environ(), "PRESSWATCH_DEV_DIR="+dir, "PRESSWATCH_DEV_KAFKA_PORT="+portOf(port), "PRESSWATCH_DEV_CONTROLLER_PORT="+portOf(control))
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("dev %v: %v\n%s", args, err, out)
		}
	}
	dev("up", "kafka")
	t.Cleanup(func() { dev("wipe", "kafka") })
	return port, dev
}

func portOf(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }

func TestKafkaStoppedForAWhileLosesNothing(t *testing.T) {
	path, n := pages(t)
	env := realServers(t)
	kafka, dev := ownKafka(t)
	p := newProgram(t, append(env, "PRESSWATCH_KAFKA_BROKERS="+kafka, "PRESSWATCH_LOG_LEVEL=error")...)
	p.mustRun("import", path, "--no-wait") // so that there is work enough
	s := p.start("import", path, "--again")
	eventually(t, time.Minute, func() bool { return len(p.archive()) > 0 })
	dev("stop", "kafka")
	if !s.after(away) {
		t.Errorf("the import ended while Kafka was away:\n%s", tail(s.said()))
	}
	dev("start", "kafka")
	<-s.done
	if code := s.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the import ended with %d: %s", code, tail(s.said()))
	}
	if got := len(p.archive()); got != n {
		t.Errorf("%d documents, want %d", got, n)
	}
}

// flaky stands before a real Elasticsearch and answers a share of the bulks
// with 429 or 503, cuts the connection, or makes single items fail.
type flaky struct {
	proxy *httputil.ReverseProxy
	left  atomic.Int64 // bulks that still go wrong
	seen  atomic.Int64
}

func (f *flaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.URL.Path, "_bulk") || f.left.Load() <= 0 {
		f.proxy.ServeHTTP(w, r)
		return
	}
	f.left.Add(-1)
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	w.Header().Set("Content-Type", "application/json")
	switch f.seen.Add(1) % 4 {
	case 0:
		w.WriteHeader(http.StatusTooManyRequests)
		io.WriteString(w, `{"error":{"type":"es_rejected_execution_exception","reason":"queue is full"},"status":429}`)
	case 1:
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, `{"error":{"type":"cluster_block_exception","reason":"no master"},"status":503}`)
	case 2:
		panic(http.ErrAbortHandler) // the connection is cut
	case 3:
		f.halfWay(w, r)
	}
}

// halfWay passes the bulk on and then claims that every second item was
// refused for being too busy: those must come again, and stay one document.
func (f *flaky) halfWay(w http.ResponseWriter, r *http.Request) {
	rec := httptest.NewRecorder()
	f.proxy.ServeHTTP(rec, r)
	var body struct {
		Took   int                         `json:"took"`
		Errors bool                        `json:"errors"`
		Items  []map[string]map[string]any `json:"items"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	body.Errors = true
	for i, item := range body.Items {
		for _, v := range item {
			if i%2 == 1 {
				v["status"] = 429
				v["error"] = map[string]any{"type": "es_rejected_execution_exception", "reason": "busy"}
			}
		}
	}
	b, _ := json.Marshal(body)
	w.WriteHeader(http.StatusOK)
	io.Copy(w, bytes.NewReader(b))
}

func TestElasticsearchRefusingAndFailingLosesNothing(t *testing.T) {
	path, n := pages(t)
	env := realServers(t)
	target, err := url.Parse(os.Getenv("PRESSWATCH_TEST_ELASTICSEARCH"))
	if err != nil {
		t.Fatal(err)
	}
	f := &flaky{proxy: httputil.NewSingleHostReverseProxy(target)}
	f.left.Store(24)
	srv := httptest.NewServer(f)
	defer srv.Close()
	p := newProgram(t, append(env, "PRESSWATCH_ELASTICSEARCH_ADDRESSES="+srv.URL, "PRESSWATCH_LOG_LEVEL=error")...)
	p.mustRun("import", path)
	if f.seen.Load() < 8 {
		t.Errorf("only %d bulks went wrong: the test shows nothing", f.seen.Load())
	}
	if got := len(p.archive()); got != n {
		t.Errorf("%d documents, want %d", got, n)
	}
	if out := p.mustRun("dead", "list"); !strings.Contains(out, "No dead letters") {
		t.Errorf("what can be tried again went to the dead letters:\n%s", out)
	}
}

// poison is a stage that panics on one page until it is mended.
type poison struct{ broken *atomic.Bool }

func (poison) Name() string { return "poison" }

func (p poison) Run(_ context.Context, it *pipeline.Item) error {
	if p.broken.Load() && strings.Contains(it.Capture.URL, "/tin/7") {
		panic("index out of range [3] with length 3")
	}
	return nil
}

func TestAPageThatMakesAStagePanicGoesToDeadAndComesBack(t *testing.T) {
	both(t, func(t *testing.T, env []string) {
		cfg, err := config.Load("", append(env, "PRESSWATCH_DATA="+t.TempDir()), nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		n, err := open(ctx, cfg, slog.New(slog.DiscardHandler), "test", parts{queue: true, db: true, index: true, evidence: true, ensemble: true})
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		var broken atomic.Bool
		broken.Store(true)
		g, gctx := errgroup.WithContext(ctx)
		for _, w := range n.workers(append(pipeline.Chain{poison{&broken}}, n.chain()...)) {
			g.Go(func() error { return queue.Work(gctx, n.queue, w) })
		}
		const total = 20
		var captures []presswatch.Capture
		for i := range total {
			captures = append(captures, sampleCapture(i))
		}
		if err := n.publishCaptures(ctx, presswatch.TopicCaptures, "test", captures); err != nil {
			t.Fatal(err)
		}
		if err := n.drained(ctx, presswatch.TopicCaptures); err != nil {
			t.Fatal(err)
		}
		wantIndexed(t, n, total-1)
		dead, err := n.queue.ListDead(ctx, 0)
		if err != nil || len(dead) != 1 {
			t.Fatalf("dead letters: %v %+v, want one", err, dead)
		}
		if d := dead[0]; d.Stage != "poison" || d.Topic != presswatch.TopicCaptures || d.Attempts < 1 || !strings.Contains(d.Error, "index out of range") {
			t.Errorf("the dead letter does not say enough: %+v", d)
		}
		broken.Store(false)
		if _, err := n.queue.RetryDead(ctx, false, dead[0].ID); err != nil {
			t.Fatal(err)
		}
		if err := n.drained(ctx, presswatch.TopicCaptures); err != nil {
			t.Fatal(err)
		}
		wantIndexed(t, n, total)
		if dead, err := n.queue.ListDead(ctx, 0); err != nil || len(dead) != 0 {
			t.Errorf("after the retry: %v %+v, want none", err, dead)
		}
		stop()
		if err := g.Wait(); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
}

func sampleCapture(i int) presswatch.Capture {
	c := presswatch.Capture{Source: "test", Kind: presswatch.Article, URL: fmt.Sprintf("https://example.org/tin/%d", i), Status: 200,
		ContentType: "text/plain; charset=utf-8", FetchedAt: time.Date(2026, 11, 1, 8, i, 0, 0, time.UTC),
		Body: fmt.Appendf(nil, "Bản tin số %d: đoàn công tác của tỉnh đã đến thăm xã thứ %d và trao quà cho các hộ dân bị ảnh hưởng bởi lũ. Mã số %d.", i, i, rand.Uint64())}
	c.ID = presswatch.NewCaptureID(c.Source, c.URL, c.FetchedAt, c.Body)
	return c
}

func wantIndexed(t *testing.T, n *node, want int) {
	t.Helper()
	if err := n.index.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := n.index.Search(t.Context(), presswatch.Query{Text: "*", Limit: 100})
	if err != nil || r.Total != want {
		t.Errorf("%d indexed (%v), want %d", r.Total, err, want)
	}
}
