package queue

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"

	"presswatch"
)

const chunkBytes, chunkMessages = 1 << 20, 1000

// Publish writes messages to a topic and returns nil when all in-sync replicas
// have them; on the embedded broker that means synced to disk. It tries again
// until Options.PublishTimeout or ctx ends. Errors: TooLarge for a message that
// no topic takes (nothing is written then, unless the topic is smaller than
// EnsureTopics makes it), Unavailable for all that may pass.
func (k *Kafka) Publish(ctx context.Context, topic string, msgs ...presswatch.Message) error {
	most := maxRecord
	if topic == presswatch.TopicDead {
		most += maxDeadExtra
	}
	out := make([]kafka.Message, len(msgs))
	for i, m := range msgs {
		if n := sizeOf(m); n > most {
			return presswatch.Errorf(presswatch.TooLarge, "queue: message %q for %s has %d bytes, the most is %d", m.Key, topic, n, most)
		}
		out[i] = k.outgoing(topic, m)
	}
	w := k.zstd
	if topic == presswatch.TopicCaptures || topic == presswatch.TopicBackfill {
		w = k.plain
	}
	for len(out) > 0 {
		n, bytes := 0, 0
		for n < len(out) && n < chunkMessages && (n == 0 || bytes+len(out[n].Value) <= chunkBytes) {
			bytes += len(out[n].Value)
			n++
		}
		if err := k.write(ctx, w, out[:n]); err != nil {
			return err
		}
		out = out[n:]
	}
	return nil
}

// write writes one chunk, and what failed of it again.
func (k *Kafka) write(ctx context.Context, w *kafka.Writer, chunk []kafka.Message) error {
	ctx, cancel := context.WithTimeout(ctx, k.o.PublishTimeout)
	defer cancel()
	for try := 0; ; try++ {
		all := w.WriteMessages(ctx, chunk...)
		err := first(all)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, kafka.MessageSizeTooLarge) && len(chunk) > 1:
			return k.oneByOne(ctx, w, chunk)
		}
		err = coded(err, "publish to "+chunk[0].Topic)
		if !presswatch.Retryable(err) || !pause(ctx, try, 20*time.Millisecond, time.Second, k.o.Rand) {
			return err
		}
		chunk = unwritten(chunk, all)
		k.o.Log.Debug("queue: publishing again", "topic", chunk[0].Topic, "messages", len(chunk), "try", try+1, "err", err)
	}
}

// unwritten picks what to write again: the messages that failed, and those
// behind them with the same key, so that the last copies are in order.
func unwritten(chunk []kafka.Message, err error) []kafka.Message {
	var each kafka.WriteErrors
	if !errors.As(err, &each) || len(each) != len(chunk) {
		return chunk
	}
	keys := map[string]bool{}
	var again []kafka.Message
	for i, m := range chunk {
		key := string(m.Key)
		if each[i] != nil {
			keys[key] = key != ""
		}
		if each[i] != nil || keys[key] {
			again = append(again, m)
		}
	}
	return again
}

// oneByOne is for topics with a smaller limit than ours, where a chunk may be
// too large though each of its messages is not.
func (k *Kafka) oneByOne(ctx context.Context, w *kafka.Writer, chunk []kafka.Message) error {
	for i := range chunk {
		if err := k.write(ctx, w, chunk[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (k *Kafka) outgoing(topic string, m presswatch.Message) kafka.Message {
	out := kafka.Message{Topic: k.topic(topic), Value: m.Value}
	if m.Key != "" {
		out.Key = []byte(m.Key)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Headers)) {
		out.Headers = append(out.Headers, kafka.Header{Key: name, Value: []byte(m.Headers[name])})
	}
	return out
}

// sizeOf is about what a message takes in a record batch.
func sizeOf(m presswatch.Message) int {
	n := len(m.Key) + len(m.Value) + 128
	for name, v := range m.Headers {
		n += len(name) + len(v) + 16
	}
	return n
}

// first picks the first error that a write met; the writer reports one a message.
func first(err error) error {
	var all kafka.WriteErrors
	if errors.As(err, &all) {
		for _, e := range all {
			if e != nil {
				return e
			}
		}
	}
	return err
}

// coded gives an error of kafka-go a code.
func coded(err error, doing string) error {
	if err == nil {
		return nil
	}
	var large kafka.MessageTooLargeError
	code := presswatch.Unavailable
	switch {
	case errors.As(err, &large), errors.Is(err, kafka.MessageSizeTooLarge), errors.Is(err, kafka.RecordListTooLarge):
		code = presswatch.TooLarge
	case errors.Is(err, kafka.InvalidTopic):
		code = presswatch.Invalid
	case errors.Is(err, kafka.TopicAuthorizationFailed), errors.Is(err, kafka.GroupAuthorizationFailed), errors.Is(err, kafka.ClusterAuthorizationFailed):
		code = presswatch.Forbidden
	}
	return presswatch.Errorf(code, "queue: %s: %w", doing, err)
}
