package queue

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"presswatch"
)

// A commit that gets lost when the group changes must not leave the group
// behind for ever on a topic that has gone quiet.
func TestALostCommitIsMadeUp(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	b, err := StartBroker(t.Context(), BrokerOptions{Dir: t.TempDir(), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	k, err := Open(t.Context(), Options{Brokers: []string{b.Addr()}, Log: log, RetryMin: time.Millisecond, RetryMax: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if err := k.EnsureTopics(t.Context()); err != nil {
		t.Fatal(err)
	}
	var lost atomic.Bool
	commit := kmsg.NewPtrOffsetCommitRequest()
	b.cluster.ControlKey(commit.Key(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		lost.Store(true)
		in := req.(*kmsg.OffsetCommitRequest)
		out := in.ResponseKind().(*kmsg.OffsetCommitResponse)
		for _, t := range in.Topics {
			rt := kmsg.NewOffsetCommitResponseTopic()
			rt.Topic = t.Topic
			for _, p := range t.Partitions {
				rp := kmsg.NewOffsetCommitResponseTopicPartition()
				rp.Partition, rp.ErrorCode = p.Partition, kerr.RebalanceInProgress.Code
				rt.Partitions = append(rt.Partitions, rp)
			}
			out.Topics = append(out.Topics, rt)
		}
		return out, nil, true // handled, once
	})
	if err := k.Publish(t.Context(), presswatch.TopicDocuments, presswatch.Message{Key: "a", Value: []byte("1")}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	var calls atomic.Int32
	done := make(chan error, 1)
	go func() {
		done <- k.Consume(ctx, presswatch.TopicDocuments, "g", func(context.Context, []presswatch.Message) error {
			calls.Add(1)
			return nil
		})
	}()
	for {
		lag, err := k.Lag(ctx, presswatch.TopicDocuments, "g")
		if ctx.Err() != nil {
			t.Fatalf("still %d behind (%v)", lag, err)
		}
		if err == nil && lag == 0 && lost.Load() {
			break
		}
	}
	if calls.Load() != 1 {
		t.Errorf("delivered %d times, want once", calls.Load())
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
