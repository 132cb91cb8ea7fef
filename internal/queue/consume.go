package queue

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/segmentio/kafka-go"

	"presswatch"
)

// Consume hands the messages of a topic to fn; see presswatch.Queue. It joins
// the consumer group, and works through one membership ("generation") after
// another: kafka-go's Reader is not used, because it goes on with messages of a
// membership that is over and then commits backwards, and because a read of it
// can hang after a broker restart. Here every request has a deadline, and what
// a generation fetched ends with it.
//
// The context of fn outlives ctx by Options.Grace, so that a batch under way at
// shutdown, or when the group changes, can be finished and committed.
func (k *Kafka) Consume(ctx context.Context, topic, group string, fn func(context.Context, []presswatch.Message) error) error {
	if topic == "" || group == "" {
		return presswatch.Errorf(presswatch.Invalid, "queue: consume: topic and group must be named")
	}
	cg, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID:                     k.group(group),
		Brokers:                k.o.Brokers,
		Topics:                 []string{k.topic(topic)},
		Dialer:                 &kafka.Dialer{Timeout: 3 * time.Second, DualStack: true, ClientID: "presswatch"},
		GroupBalancers:         []kafka.GroupBalancer{kafka.RangeGroupBalancer{}},
		HeartbeatInterval:      k.o.SessionTimeout / 5,
		SessionTimeout:         k.o.SessionTimeout,
		RebalanceTimeout:       k.o.SessionTimeout + k.o.Grace,
		JoinGroupBackoff:       250 * time.Millisecond,
		PartitionWatchInterval: 3 * time.Second,
		WatchPartitionChanges:  true,
		StartOffset:            kafka.FirstOffset,
		Timeout:                5 * time.Second,
	})
	if err != nil {
		return presswatch.Errorf(presswatch.Invalid, "queue: consume %s as %s: %w", topic, group, err)
	}
	// Closing first makes the running generation the last one; without it the
	// member would join again while we are leaving.
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { defer close(stopped); _ = cg.Close() })
	defer func() {
		if stop() {
			_ = cg.Close()
			return
		}
		select {
		case <-stopped:
		case <-time.After(k.o.Grace + 3*time.Second): // the coordinator holds a join back; it will forget us
			k.o.Log.Warn("queue: leaving the consumer group takes long, not waiting for it", "topic", topic, "group", group)
		}
	}()
	c := &consumer{k: k, topic: topic, group: group, fn: fn, done: map[int]int64{}}
	for bad := 0; ctx.Err() == nil; {
		gen, err := cg.Next(ctx)
		switch {
		case ctx.Err() != nil || errors.Is(err, kafka.ErrGroupClosed):
		case err != nil:
			if bad++; bad == 1 {
				k.o.Log.Warn("queue: cannot join the consumer group, trying on", "topic", topic, "group", group, "err", err)
			}
		default:
			bad = 0
			k.o.Log.Debug("queue: joined", "topic", topic, "group", group, "generation", gen.ID)
			c.generation(ctx, gen)
		}
	}
	return nil
}

// consumer is what one call of Consume keeps from one generation to the next.
type consumer struct {
	k     *Kafka
	topic string
	group string
	fn    func(context.Context, []presswatch.Message) error
	done  map[int]int64 // by partition: all below has been done here
}

// generation works until the membership or ctx ends.
func (c *consumer) generation(ctx context.Context, gen *kafka.Generation) {
	served := make(chan struct{})
	gen.Start(func(gctx context.Context) {
		defer close(served)
		ending, cancel := context.WithCancel(ctx)
		defer cancel()
		stop := context.AfterFunc(gctx, cancel)
		defer stop()
		c.serve(ending, gen)
	})
	<-served
}

// serve fetches, delivers and commits until ctx ends or a commit fails. It
// returns only when no goroutine of it is left.
func (c *consumer) serve(ctx context.Context, gen *kafka.Generation) {
	ctx, cancel := context.WithCancel(ctx)
	in := make(chan []presswatch.Message)
	running := 0
	ended := make(chan struct{})
	for _, p := range gen.Assignments[c.k.topic(c.topic)] {
		f := fetcher{k: c.k, topic: c.topic, part: p.ID, next: p.Offset, floor: c.done[p.ID]}
		running++
		go func() {
			f.run(ctx, in)
			ended <- struct{}{}
		}()
	}
	defer func() {
		cancel()
		for ; running > 0; running-- {
			<-ended
		}
	}()

	// fn may go on for the time of grace after the end was called.
	fctx, fcancel := context.WithCancel(context.WithoutCancel(ctx))
	defer fcancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(c.k.o.Grace, fcancel) })
	defer stop()

	if !c.makeUp(ctx, gen) {
		return
	}
	b := batcher{in: in, messages: c.k.o.BatchMessages, bytes: c.k.o.BatchBytes, linger: cmp.Or(c.k.o.Lingers[c.group], c.k.o.Linger)}
	for {
		batch := b.next(ctx)
		if len(batch) == 0 || !c.deliver(ctx, fctx, batch) || !c.commit(gen, batch) {
			return
		}
	}
}

// deliver hands a batch to fn until that succeeds, or ctx ends after a failure.
func (c *consumer) deliver(ctx, fctx context.Context, batch []presswatch.Message) bool {
	for try := 0; ; try++ {
		err := c.fn(fctx, batch)
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		c.k.o.Log.Warn("queue: batch failed, it will be delivered again", "topic", c.topic, "messages", len(batch), "try", try+1, "err", err)
		if !pause(ctx, try, c.k.o.RetryMin, c.k.o.RetryMax, c.k.o.Rand) {
			return false
		}
	}
}

// commit records that a batch is done, and says whether the generation still
// counts. When it does not, the messages may come again, here or elsewhere.
func (c *consumer) commit(gen *kafka.Generation, batch []presswatch.Message) bool {
	offsets := map[int]int64{}
	for _, m := range batch {
		offsets[m.Partition] = max(offsets[m.Partition], m.Offset+1)
	}
	for p, o := range offsets {
		c.done[p] = o // goes back only where the topic was made anew
	}
	if err := gen.CommitOffsets(map[string]map[int]int64{c.k.topic(c.topic): offsets}); err != nil {
		c.k.o.Log.Warn("queue: commit failed, joining anew", "topic", c.topic, "err", err)
		return false
	}
	return true
}

// makeUp commits what was done but whose commit got lost with the generation
// before: were the topic quiet from now on, nothing else would.
func (c *consumer) makeUp(ctx context.Context, gen *kafka.Generation) bool {
	name := c.k.topic(c.topic)
	offsets := map[int]int64{}
	for _, p := range gen.Assignments[name] {
		if done, ok := c.done[p.ID]; ok && done > p.Offset {
			at, err := c.k.bounds(ctx, name, []int{p.ID})
			if err == nil && done <= at[p.ID].end { // else the topic was made anew
				offsets[p.ID] = done
			}
		}
	}
	if len(offsets) == 0 {
		return true
	}
	if err := gen.CommitOffsets(map[string]map[int]int64{name: offsets}); err != nil {
		c.k.o.Log.Warn("queue: commit failed, joining anew", "topic", c.topic, "err", err)
		return false
	}
	return true
}

// batcher gathers messages of all partitions into batches.
type batcher struct {
	in              <-chan []presswatch.Message
	messages, bytes int
	linger          time.Duration
	left            []presswatch.Message // received but not yet in a batch
}

// next waits for a message, and then for more of them until the batch is full,
// it has been quiet for the linger time, or ten times that has passed. It is
// empty when ctx has ended.
func (b *batcher) next(ctx context.Context) []presswatch.Message {
	if ctx.Err() != nil {
		return nil
	}
	var batch []presswatch.Message
	size := 0
	if len(b.left) == 0 {
		select {
		case <-ctx.Done():
			return nil
		case b.left = <-b.in:
		}
	}
	quiet, late := time.NewTimer(b.linger), time.NewTimer(10*b.linger)
	defer quiet.Stop()
	defer late.Stop()
	for {
		for len(b.left) > 0 {
			m := b.left[0]
			if len(batch) > 0 && (len(batch) >= b.messages || size+len(m.Value) > b.bytes) {
				return batch
			}
			batch, size = append(batch, m), size+len(m.Value)
			b.left[0] = presswatch.Message{} // let go of the value
			b.left = b.left[1:]
		}
		if len(batch) >= b.messages || size >= b.bytes {
			return batch
		}
		quiet.Reset(b.linger)
		select {
		case <-ctx.Done():
			return batch
		case <-quiet.C:
			return batch
		case <-late.C:
			return batch
		case b.left = <-b.in:
		}
	}
}
