// Package queuetest holds adapters of presswatch.Queue to the promises written
// there, and to those of queue.Work and the dead letters.
package queuetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"presswatch"
)

// Dead is what an adapter offers beside presswatch.Queue for dead letters, and
// to see how far a group is behind.
type Dead interface {
	ListDead(ctx context.Context, limit int) ([]presswatch.DeadLetter, error)
	DeadByID(ctx context.Context, id string) (presswatch.DeadLetter, error)
	RetryDead(ctx context.Context, dryRun bool, ids ...string) (int, error)
	Lag(ctx context.Context, topic, group string) (int64, error)
}

// patience is how long a test waits for what must happen.
const patience = 60 * time.Second

const topic = presswatch.TopicDocuments

// Run runs the suite. Each call of open gives a queue with empty topics of its
// own, at least two partitions each, and closes it when the test ends.
func Run(t *testing.T, open func(*testing.T) presswatch.Queue) {
	for name, test := range map[string]func(*testing.T, presswatch.Queue){
		"everything published arrives as it was":                     arrives,
		"publishing nothing is no error":                             nothing,
		"messages of one key arrive in order":                        ordered,
		"every group gets every message":                             groups,
		"consumers of one group share the messages":                  shares,
		"a failed batch is delivered again":                          redelivers,
		"nothing is committed past an unfinished message":            unfinished,
		"a new consumer goes on where the last one stopped":          resumes,
		"a batch under way at shutdown is finished and committed":    finishes,
		"consume returns nil when the context ends":                  ends,
		"a capture with 16 MiB that do not compress passes":          large,
		"a message too large for any topic is refused at once":       tooLarge,
		"publishing with an ended context is unavailable":            ended,
		"work retries an outage without running finished ones again": outage,
		"work keeps the order of a key while one message fails":      keyOrder,
		"work stopped in an outage loses nothing":                    stoppedInOutage,
		"a poisoned message becomes a dead letter":                   poisoned,
		"what cannot be helped is not tried again":                   hopeless,
		"a panic is blamed on the message that causes it":            panics,
		"a handler that forgets results fails all":                   forgets,
		"dead letters are listed, shown and sent back":               deadLetters,
		"a dead letter sent back can die again":                      diesAgain,
		"lag counts what is not yet done":                            lag,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// Bench measures publishing and consuming.
func Bench(b *testing.B, q presswatch.Queue) {
	for _, size := range []int{1 << 10, 150 << 10} {
		value := make([]byte, size)
		for i := range value { // JSON-like: compresses some
			value[i] = "presswatch 0123456789"[(i*i>>3+i)%21]
		}
		b.Run(fmt.Sprintf("publish one of %d KiB", size>>10), func(b *testing.B) {
			b.SetBytes(int64(size))
			for i := 0; b.Loop(); i++ {
				must(b, q.Publish(b.Context(), topic, presswatch.Message{Key: fmt.Sprint(i), Value: value}))
			}
		})
		b.Run(fmt.Sprintf("publish 100 of %d KiB and consume them", size>>10), func(b *testing.B) {
			msgs := make([]presswatch.Message, 100)
			for i := range msgs {
				msgs[i] = presswatch.Message{Key: fmt.Sprint(i), Value: value}
			}
			b.SetBytes(int64(100 * size))
			n := 0
			for b.Loop() {
				must(b, q.Publish(b.Context(), presswatch.TopicBackfill, msgs...))
				n += len(msgs)
			}
			group := fmt.Sprintf("bench-%d-%d", size, b.N)
			consume(b, q, presswatch.TopicBackfill, group, func(m []presswatch.Message) bool { n -= len(m); return n <= 0 })
		})
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// messages makes n messages with values 0 to n-1 over so many keys.
func messages(n, keys int) []presswatch.Message {
	msgs := make([]presswatch.Message, n)
	for i := range msgs {
		msgs[i] = presswatch.Message{Key: fmt.Sprintf("key-%d", i%keys), Value: []byte(fmt.Sprint(i))}
	}
	return msgs
}

// consume hands batches to each until that says it is enough, or fails.
func consume(t testing.TB, q presswatch.Queue, topic, group string, each func([]presswatch.Message) (enough bool)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	enough := false
	err := q.Consume(ctx, topic, group, func(_ context.Context, msgs []presswatch.Message) error {
		if each(msgs) {
			enough = true
			cancel()
		}
		return nil
	})
	if err != nil {
		t.Fatalf("consume: %v", err)
	}
	if !enough {
		t.Fatalf("not enough messages after %v", patience)
	}
}

// collect consumes until every value of want has come, and fails on others.
func collect(t testing.TB, q presswatch.Queue, topic, group string, want []presswatch.Message) []presswatch.Message {
	t.Helper()
	var got []presswatch.Message
	missing := map[string]bool{}
	for _, m := range want {
		missing[string(m.Value)] = true
	}
	consume(t, q, topic, group, func(msgs []presswatch.Message) bool {
		for _, m := range msgs {
			if !slices.ContainsFunc(want, func(w presswatch.Message) bool { return string(w.Value) == string(m.Value) }) {
				t.Errorf("got %.20q, which is not expected", m.Value)
			}
			delete(missing, string(m.Value))
			got = append(got, m)
		}
		return len(missing) == 0
	})
	return got
}

// journal notes what happened, from several goroutines.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) count(line string) (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, l := range j.lines {
		if l == line {
			n++
		}
	}
	return n
}

func (j *journal) all() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines)
}
