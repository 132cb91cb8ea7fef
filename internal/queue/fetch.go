package queue

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"presswatch"
)

// fetchBytes is about how much one fetch brings; one record batch comes whole,
// however large it is.
const fetchBytes = 1 << 20

// fetcher reads one partition. It holds at most one fetch, because it hands
// that on before it asks for more.
type fetcher struct {
	k     *Kafka
	topic string // without prefix
	part  int
	next  int64 // offset to read; negative: the oldest
	floor int64 // all below has been done already
}

// run reads until ctx ends. An unreachable broker is asked again and again,
// after growing pauses.
func (f *fetcher) run(ctx context.Context, out chan<- []presswatch.Message) {
	for try := 0; ctx.Err() == nil; {
		msgs, err := f.fetch(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			if try == 0 {
				f.k.o.Log.Warn("queue: fetch failed, trying on", "topic", f.topic, "partition", f.part, "offset", f.next, "err", err)
			}
			if !pause(ctx, try, 50*time.Millisecond, 2*time.Second, f.k.o.Rand) {
				return
			}
			try++
			continue
		}
		try = 0
		if len(msgs) == 0 {
			continue
		}
		select {
		case <-ctx.Done():
		case out <- msgs:
		}
	}
}

// fetch asks once and moves on behind what it got.
func (f *fetcher) fetch(ctx context.Context) ([]presswatch.Message, error) {
	// A broker that takes longer is taken for dead; without this a read could
	// wait for ever on a connection that nobody answers.
	ctx, cancel := context.WithTimeout(ctx, f.k.o.MaxWait+10*time.Second)
	defer cancel()
	name := f.k.topic(f.topic)
	if f.next < 0 || f.floor > f.next {
		if err := f.seek(ctx, name); err != nil {
			return nil, err
		}
	}
	res, err := f.k.client.Fetch(ctx, &kafka.FetchRequest{
		Topic: name, Partition: f.part, Offset: f.next, MinBytes: 1, MaxBytes: fetchBytes, MaxWait: f.k.o.MaxWait,
	})
	if err == nil {
		err = res.Error
	}
	if errors.Is(err, kafka.OffsetOutOfRange) {
		f.k.o.Log.Warn("queue: the log no longer holds the next message, going on at its oldest", "topic", f.topic, "partition", f.part, "offset", f.next)
		f.next, f.floor = kafka.FirstOffset, 0
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var msgs []presswatch.Message
	err = readRecords(res.Records, true, func(m presswatch.Message) bool {
		if m.Offset >= f.next { // a batch may begin before the offset asked for
			m.Topic, m.Partition = f.topic, f.part
			msgs = append(msgs, m)
		}
		return true
	})
	if len(msgs) > 0 {
		f.next = msgs[len(msgs)-1].Offset + 1
		return msgs, nil
	}
	return nil, err
}

// seek finds where to begin: at the committed offset, or the oldest message, or
// behind what this consumer did before its commit got lost.
func (f *fetcher) seek(ctx context.Context, name string) error {
	at, err := f.k.bounds(ctx, name, []int{f.part})
	if err != nil {
		return err
	}
	b := at[f.part]
	f.next = max(f.next, b.start)
	if f.floor <= b.end { // else the topic was made anew
		f.next = max(f.next, f.floor)
	}
	f.floor = 0
	return nil
}

// readRecords walks the records of a response, with or without their values.
func readRecords(r kafka.RecordReader, values bool, each func(presswatch.Message) bool) error {
	for {
		rec, err := r.ReadRecord()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		m, err := incoming(rec, values)
		if err != nil {
			return err
		}
		if !each(m) {
			return nil
		}
	}
}

func incoming(rec *kafka.Record, value bool) (m presswatch.Message, err error) {
	defer closeBytes(rec.Key)
	defer closeBytes(rec.Value)
	key, err := protocol.ReadAll(rec.Key)
	if err != nil {
		return m, err
	}
	m = presswatch.Message{Key: string(key), Offset: rec.Offset, Time: rec.Time}
	if value {
		if m.Value, err = protocol.ReadAll(rec.Value); err != nil {
			return m, err
		}
	}
	if len(rec.Headers) > 0 {
		m.Headers = make(map[string]string, len(rec.Headers))
		for _, h := range rec.Headers {
			m.Headers[h.Key] = string(h.Value)
		}
	}
	return m, nil
}

func closeBytes(b kafka.Bytes) {
	if b != nil {
		_ = b.Close()
	}
}
