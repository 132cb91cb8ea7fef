// Package queue moves messages through a Kafka-protocol log. Kafka is the one
// adapter, for a real cluster and for the Broker inside this process alike;
// Work adds what every worker owes its messages: retries, order, dead letters.
package queue

import (
	"cmp"
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"

	"presswatch"
)

// Sizes of records, in bytes. A record that Publish takes fits a topic made by
// EnsureTopics, and so does the dead letter made of it.
const (
	maxRecord     = 18 << 20              // key, value and headers; a capture with a full body that does not compress fits
	maxDeadExtra  = 256 << 10             // what a dead letter may add in headers
	maxBatchBytes = maxRecord + 512<<10   // of one produce request
	maxTopicBytes = maxBatchBytes + 1<<20 // max.message.bytes of our topics
)

// Options configures Kafka. Zero values take the defaults named here.
type Options struct {
	Brokers        []string       // host:port; at least one
	Prefix         string         // before the names of topics and groups, on a shared cluster
	Partitions     int            // of each topic but dead, which has one; 3
	Replication    int            // 1; on a cluster 3, with min.insync.replicas 2
	RetentionHours map[string]int // by topic; captures 168, backfill 168, documents 168, dead 720; negative: for ever
	Log            *slog.Logger   // slog.Default

	BatchMessages int           // most messages handed to fn at once; 64
	BatchBytes    int           // about the most bytes of them; 4 MiB, though one message may be larger
	MaxWait       time.Duration // how long a broker may hold a fetch that finds nothing; 500 ms
	Linger        time.Duration // quiet time that ends a batch; 5 ms. A batch is open ten times as long at most

	// Lingers is Linger for single groups, for work that is cheaper in larger
	// batches.
	Lingers map[string]time.Duration

	PublishTimeout time.Duration  // how long Publish tries to write one MiB before it says Unavailable; 10 s
	OpenTimeout    time.Duration  // how long Open waits for a broker; 5 s
	SessionTimeout time.Duration  // silence after which a consumer counts as dead; 8 s, Kafka's least is 6 s
	Grace          time.Duration  // how long a running fn may go on at shutdown or rebalance; 5 s, less than SessionTimeout
	RetryMin       time.Duration  // first pause before a batch is delivered again; 100 ms
	RetryMax       time.Duration  // longest pause; 10 s
	Rand           func() float64 // 0 to 1, for jitter; math/rand
}

func (o Options) withDefaults() Options {
	o.Partitions = cmp.Or(o.Partitions, 3)
	o.Replication = cmp.Or(o.Replication, 1)
	o.Log = cmp.Or(o.Log, slog.Default())
	o.BatchMessages = cmp.Or(o.BatchMessages, 64)
	o.BatchBytes = cmp.Or(o.BatchBytes, 4<<20)
	o.MaxWait = cmp.Or(o.MaxWait, 500*time.Millisecond)
	o.Linger = cmp.Or(o.Linger, 5*time.Millisecond)
	o.PublishTimeout = cmp.Or(o.PublishTimeout, 10*time.Second)
	o.OpenTimeout = cmp.Or(o.OpenTimeout, 5*time.Second)
	o.SessionTimeout = cmp.Or(o.SessionTimeout, 8*time.Second)
	o.Grace = cmp.Or(o.Grace, 5*time.Second)
	o.RetryMin = cmp.Or(o.RetryMin, 100*time.Millisecond)
	o.RetryMax = cmp.Or(o.RetryMax, 10*time.Second)
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	return o
}

// Kafka is a presswatch.Queue on a Kafka-protocol log. It is safe for
// concurrent use.
type Kafka struct {
	o      Options
	client *kafka.Client
	plain  *kafka.Writer // for values that are compressed already
	zstd   *kafka.Writer

	transport *kafka.Transport
	stop      context.CancelFunc // ends what the transport runs
	closing   sync.Once
}

var _ presswatch.Queue = (*Kafka)(nil)

// Open returns a Kafka once a broker answers, or an Unavailable error.
func Open(ctx context.Context, o Options) (*Kafka, error) {
	if len(o.Brokers) == 0 {
		return nil, presswatch.Errorf(presswatch.Invalid, "queue: no brokers are given")
	}
	o = o.withDefaults()
	tctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	k := &Kafka{o: o, stop: stop}
	k.transport = &kafka.Transport{
		ClientID: "presswatch", DialTimeout: 3 * time.Second, IdleTimeout: 30 * time.Second,
		MetadataTTL: 5 * time.Second, Context: tctx,
	}
	k.client = &kafka.Client{Addr: kafka.TCP(o.Brokers...), Transport: k.transport}
	k.plain, k.zstd = k.writer(0), k.writer(kafka.Zstd)

	octx, cancel := context.WithTimeout(ctx, o.OpenTimeout)
	defer cancel()
	if _, err := k.client.Metadata(octx, &kafka.MetadataRequest{}); err != nil {
		_ = k.Close()
		return nil, presswatch.Errorf(presswatch.Unavailable, "queue: no answer from %v: %w", o.Brokers, err)
	}
	return k, nil
}

func (k *Kafka) writer(c kafka.Compression) *kafka.Writer {
	return &kafka.Writer{
		Addr:         k.client.Addr,
		Transport:    k.transport,
		Balancer:     &kafka.Hash{},
		RequiredAcks: kafka.RequireAll, // the default is none: fire and forget
		Compression:  c,
		BatchSize:    chunkMessages,
		BatchBytes:   maxBatchBytes,
		BatchTimeout: time.Millisecond, // the default makes every synchronous write wait a second
		MaxAttempts:  1,                // Publish itself tries again, all messages in their order
		WriteTimeout: 10 * time.Second,
		ReadTimeout:  5 * time.Second,
	}
}

// Close waits for writes under way and drops all connections. Consume and Work
// must have returned.
func (k *Kafka) Close() error {
	k.closing.Do(func() {
		_ = k.plain.Close()
		_ = k.zstd.Close()
		k.transport.CloseIdleConnections()
		k.stop()
	})
	return nil
}

// topic is the name of one of our topics on the cluster, group that of a group.
func (k *Kafka) topic(name string) string { return k.o.Prefix + name }
func (k *Kafka) group(name string) string { return k.o.Prefix + name }

// pause waits for the n-th pause of a growing series, jittered by a half, and
// says whether ctx still lives.
func pause(ctx context.Context, n int, least, most time.Duration, random func() float64) bool {
	d := most
	if n < 20 && least<<n < most {
		d = least << n
	}
	d = d/2 + time.Duration(random()*float64(d/2))
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
