package queue_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"presswatch"
	"presswatch/internal/queue"
	"presswatch/internal/queue/queuetest"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func startBroker(t testing.TB, dir string) *queue.Broker {
	t.Helper()
	b, err := queue.StartBroker(t.Context(), queue.BrokerOptions{Dir: dir, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func open(t testing.TB, o queue.Options) *queue.Kafka {
	t.Helper()
	o.Log = quiet()
	o.RetryMin, o.RetryMax = time.Millisecond, 50*time.Millisecond
	k, err := queue.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	if err := k.EnsureTopics(t.Context()); err != nil {
		t.Fatal(err)
	}
	return k
}

func realKafka(t testing.TB) string {
	addr := os.Getenv("PRESSWATCH_TEST_KAFKA")
	if addr == "" {
		t.Skip("SKIPPED, no real Kafka was tested: set PRESSWATCH_TEST_KAFKA, see deploy/dev")
	}
	return addr
}

// prefix gives a test topics of its own on a shared Kafka, and removes them.
func prefix(t testing.TB, addr string) string {
	p := fmt.Sprintf("test-%d-", rand.Uint64())
	t.Cleanup(func() {
		c := &kafka.Client{Addr: kafka.TCP(addr)}
		var names []string
		for _, n := range queue.Topics() {
			names = append(names, p+n)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if _, err := c.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: names}); err != nil {
			t.Logf("topics %s* are left behind: %v", p, err)
		}
	})
	return p
}

func TestEmbedded(t *testing.T) {
	queuetest.Run(t, func(t *testing.T) presswatch.Queue {
		return open(t, queue.Options{Brokers: []string{startBroker(t, t.TempDir()).Addr()}})
	})
}

func TestRealKafka(t *testing.T) {
	addr := realKafka(t)
	queuetest.Run(t, func(t *testing.T) presswatch.Queue {
		return open(t, queue.Options{Brokers: []string{addr}, Prefix: prefix(t, addr)})
	})
}

func BenchmarkEmbedded(b *testing.B) {
	queuetest.Bench(b, open(b, queue.Options{Brokers: []string{startBroker(b, b.TempDir()).Addr()}}))
}

func BenchmarkRealKafka(b *testing.B) {
	addr := realKafka(b)
	queuetest.Bench(b, open(b, queue.Options{Brokers: []string{addr}, Prefix: prefix(b, addr)}))
}
