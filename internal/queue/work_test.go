package queue_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"presswatch"
	"presswatch/internal/queue"
)

// cutOff is a queue whose topic dead cannot be written to for a while.
type cutOff struct {
	presswatch.Queue
	fails atomic.Int32
}

func (c *cutOff) Publish(ctx context.Context, topic string, msgs ...presswatch.Message) error {
	if topic == presswatch.TopicDead && c.fails.Add(-1) >= 0 {
		return presswatch.Errorf(presswatch.Unavailable, "cut off")
	}
	return c.Queue.Publish(ctx, topic, msgs...)
}

func embedded(t *testing.T) *queue.Kafka {
	return open(t, queue.Options{Brokers: []string{startBroker(t, t.TempDir()).Addr()}, Grace: 100 * time.Millisecond})
}

func spec(handle func(context.Context, []presswatch.Message) []error) queue.WorkSpec {
	return queue.WorkSpec{Topic: topic, Group: "g", Stage: "s", Attempts: 2, Handle: handle, Log: quiet(), BackoffMin: time.Millisecond, BackoffMax: 5 * time.Millisecond}
}

func no(_ context.Context, msgs []presswatch.Message) []error {
	errs := make([]error, len(msgs))
	for i := range errs {
		errs[i] = errors.New("no")
	}
	return errs
}

func TestDeadLetterIsWrittenInTheEnd(t *testing.T) {
	k := embedded(t)
	publish(t, k, "a")
	q := &cutOff{Queue: k}
	q.fails.Store(5)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var tries atomic.Int32
	s := spec(func(ctx context.Context, m []presswatch.Message) []error { tries.Add(1); return no(ctx, m) })
	s.Failed = func(code presswatch.Code, dead bool) {
		if code != presswatch.Internal || dead != (tries.Load() == 2) {
			t.Errorf("try %d was reported as %s, dead %t", tries.Load(), code, dead)
		}
	}
	go func() {
		for ctx.Err() == nil {
			if lag, err := k.Lag(ctx, topic, "g"); err == nil && lag == 0 {
				cancel()
			}
		}
	}()
	if err := queue.Work(ctx, q, s); err != nil {
		t.Fatal(err)
	}
	if n := tries.Load(); n != 2 {
		t.Errorf("handled %d times, want 2: only the dead letter was left to write", n)
	}
	if l, err := k.ListDead(t.Context(), 0); err != nil || len(l) != 1 {
		t.Errorf("%d dead letters, %v; want 1", len(l), err)
	}
}

func TestNothingIsCommittedWithoutItsDeadLetter(t *testing.T) {
	k := embedded(t)
	publish(t, k, "a")
	q := &cutOff{Queue: k}
	q.fails.Store(1 << 30)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	go func() {
		for q.fails.Load() > 1<<30-5 && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if err := queue.Work(ctx, q, spec(no)); err != nil {
		t.Fatal(err)
	}
	if lag, err := k.Lag(t.Context(), topic, "g"); err != nil || lag != 1 {
		t.Errorf("lag %d, %v; want 1: its dead letter was never written", lag, err)
	}
}

func TestHandlerIsCutOffAfterTheGrace(t *testing.T) {
	k := embedded(t)
	publish(t, k, "a")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := queue.Work(ctx, k, spec(func(hctx context.Context, _ []presswatch.Message) []error {
		cancel()
		<-hctx.Done() // hangs until it is cut off
		return []error{hctx.Err()}
	})); err != nil {
		t.Fatal(err)
	}
	if lag, err := k.Lag(t.Context(), topic, "g"); err != nil || lag != 1 {
		t.Errorf("lag %d, %v; want 1: it was not done", lag, err)
	}
	if l, err := k.ListDead(t.Context(), 0); err != nil || len(l) != 0 {
		t.Errorf("being cut off made %d dead letters, %v", len(l), err)
	}
}

func TestWorkNeedsAHandler(t *testing.T) {
	if err := queue.Work(t.Context(), nil, queue.WorkSpec{}); presswatch.CodeOf(err) != presswatch.Invalid {
		t.Errorf("got %v, want invalid", err)
	}
	k := embedded(t)
	if err := queue.Work(t.Context(), k, queue.WorkSpec{Handle: no}); presswatch.CodeOf(err) != presswatch.Invalid {
		t.Errorf("without a topic: got %v, want invalid", err)
	}
}

func TestNothingIsLeftRunning(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	b, err := queue.StartBroker(t.Context(), queue.BrokerOptions{Dir: t.TempDir(), Log: quiet(), TrimEvery: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	k, err := queue.Open(t.Context(), queue.Options{Brokers: []string{b.Addr()}, Log: quiet(), Grace: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.EnsureTopics(t.Context()); err != nil {
		t.Fatal(err)
	}
	publish(t, k, values("v", 100)...)
	consume(t, k, 100)
	_, _ = k.Close(), b.Close()
}

// A real Kafka, started for this test alone, is killed and comes back 20 s
// later: nothing may be lost and the worker must go on by itself.
func TestOutageOfRealKafka(t *testing.T) {
	if os.Getenv("PRESSWATCH_TEST_OUTAGE") == "" {
		t.Skip("SKIPPED, takes half a minute: set PRESSWATCH_TEST_OUTAGE=1; needs Java, see deploy/dev")
	}
	dir, err := filepath.Abs("../../.dev/outage")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	_ = os.Symlink("../dl", filepath.Join(dir, "dl")) // the downloads are there already
	dev := func(args ...string) {
		t.Helper()
		cmd := exec.Command("../../deploy/dev/dev", args...)
		cmd.Env = append(os.Environ(), "PRESSWATCH_DEV_DIR="+dir, "PRESSWATCH_DEV_KAFKA_PORT=29192", "PRESSWATCH_DEV_CONTROLLER_PORT=29193")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("dev %v: %v: %s", args, err, out)
		}
	}
	dev("up", "kafka")
	t.Cleanup(func() { dev("wipe", "kafka") })
	k := open(t, queue.Options{Brokers: []string{"127.0.0.1:29192"}})

	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	var done sync.Map
	var count atomic.Int64
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := queue.Work(ctx, k, spec(func(_ context.Context, msgs []presswatch.Message) []error {
			for _, m := range msgs {
				if _, again := done.LoadOrStore(string(m.Value), true); !again {
					count.Add(1)
				}
			}
			return nil
		})); err != nil {
			t.Error(err)
		}
	})
	await := func(n int) {
		t.Helper()
		for count.Load() < int64(n) {
			if ctx.Err() != nil {
				t.Fatalf("%d of %d messages done", count.Load(), n)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	send := func(from, to int) {
		for i := from; i < to; i++ {
			m := presswatch.Message{Key: fmt.Sprint(i % 10), Value: []byte(fmt.Sprint(i))}
			for err := k.Publish(ctx, topic, m); err != nil; err = k.Publish(ctx, topic, m) {
				if !presswatch.Retryable(err) || ctx.Err() != nil {
					t.Errorf("publish %d: %v", i, err)
					return
				}
			}
		}
	}
	send(0, 100)
	await(100)
	dev("kill", "kafka")
	wg.Go(func() { send(100, 300) })
	time.Sleep(20 * time.Second)
	dev("start", "kafka")
	back := time.Now()
	await(101)
	t.Logf("first message done %v after Kafka was back", time.Since(back))
	await(300)
	t.Logf("all done after %v", time.Since(back))
	cancel()
	wg.Wait()
}
