package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"

	"presswatch"
)

// Headers that a dead letter has beside those of the message it was.
const (
	deadPrefix    = "dead_"
	deadTopic     = deadPrefix + "topic"
	deadPartition = deadPrefix + "partition"
	deadOffset    = deadPrefix + "offset"
	deadTime      = deadPrefix + "time" // of the message, not of its death
	deadGroup     = deadPrefix + "group"
	deadStage     = deadPrefix + "stage"
	deadAttempts  = deadPrefix + "attempts"
	deadCode      = deadPrefix + "code"
	deadError     = deadPrefix + "error"
	deadRetried   = deadPrefix + "retried" // on a marker: ID of the letter that went back
)

const (
	maxDeadError = 4 << 10 // bytes of the error kept
	maxDeadList  = 10_000  // letters held while listing; the newest
)

func deadMessage(w WorkSpec, j *job) presswatch.Message {
	m := j.msg
	h := map[string]string{}
	for k, v := range m.Headers {
		if !strings.HasPrefix(k, deadPrefix) {
			h[k] = v
		}
	}
	h[deadTopic] = cmp.Or(m.Topic, w.Topic)
	h[deadPartition] = strconv.Itoa(m.Partition)
	h[deadOffset] = strconv.FormatInt(m.Offset, 10)
	h[deadTime] = m.Time.UTC().Format(time.RFC3339Nano)
	h[deadGroup], h[deadStage] = w.Group, w.Stage
	if w.StageOf != nil {
		h[deadStage] = cmp.Or(w.StageOf(j.err), w.Stage)
	}
	h[deadAttempts] = strconv.Itoa(j.attempts)
	h[deadCode] = string(presswatch.CodeOf(j.err))
	h[deadError] = clip(j.err.Error(), maxDeadError)
	return presswatch.Message{Key: m.Key, Value: m.Value, Headers: h}
}

// clip shortens s to at most n bytes of valid UTF-8.
func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}

// deadLetter reads a record of the topic dead.
func deadLetter(m presswatch.Message) presswatch.DeadLetter {
	h := m.Headers
	d := presswatch.DeadLetter{
		ID: deadID(m), Topic: h[deadTopic], Group: h[deadGroup], Stage: h[deadStage],
		Error: h[deadError], Code: presswatch.Code(h[deadCode]),
	}
	// A record that somebody else wrote may lack any of these; then they are zero.
	d.Attempts, _ = strconv.Atoi(h[deadAttempts])
	d.Part, _ = strconv.Atoi(h[deadPartition])
	d.Offset, _ = strconv.ParseInt(h[deadOffset], 10, 64)
	d.Time, _ = time.Parse(time.RFC3339Nano, h[deadTime])
	d.Message = presswatch.Message{Key: m.Key, Value: m.Value, Topic: d.Topic, Partition: d.Part, Offset: d.Offset, Time: d.Time}
	d.Message.Headers = maps.Clone(h)
	maps.DeleteFunc(d.Message.Headers, func(k, _ string) bool { return strings.HasPrefix(k, deadPrefix) })
	return d
}

func deadID(m presswatch.Message) string { return fmt.Sprintf("%d-%d", m.Partition, m.Offset) }

func parseDeadID(id string) (part int, offset int64, err error) {
	p, o, ok := strings.Cut(id, "-")
	part, err1 := strconv.Atoi(p)
	offset, err2 := strconv.ParseInt(o, 10, 64)
	if !ok || err1 != nil || err2 != nil || part < 0 || offset < 0 {
		return 0, 0, presswatch.Errorf(presswatch.Invalid, "dead letter %q: an ID is partition and offset, such as 0-17", id)
	}
	return part, offset, nil
}

// ListDead returns the dead letters that were not sent back, newest first, at
// most limit of them (0: as many as 10,000). Their messages come without the
// value; DeadByID gives that.
func (k *Kafka) ListDead(ctx context.Context, limit int) ([]presswatch.DeadLetter, error) {
	all, err := k.pendingDead(ctx)
	if err != nil {
		return nil, err
	}
	slices.Reverse(all)
	if limit > 0 && len(all) > limit {
		all = all[:limit]
	}
	return all, nil
}

// pendingDead lists the letters that were not sent back, oldest first.
func (k *Kafka) pendingDead(ctx context.Context) ([]presswatch.DeadLetter, error) {
	name := k.topic(presswatch.TopicDead)
	ids, err := k.partitions(ctx, name)
	if err != nil {
		return nil, coded(err, "read dead letters")
	}
	at, err := k.bounds(ctx, name, ids)
	if err != nil {
		return nil, coded(err, "read dead letters")
	}
	var all []presswatch.DeadLetter
	retried := map[string]bool{}
	for _, id := range ids {
		err := k.scan(ctx, name, id, at[id], false, func(m presswatch.Message) bool {
			m.Partition = id
			if of := m.Headers[deadRetried]; of != "" {
				retried[of] = true
				return true
			}
			if all = append(all, deadLetter(m)); len(all) >= 2*maxDeadList {
				all = slices.Delete(all, 0, len(all)-maxDeadList)
			}
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	all = slices.DeleteFunc(all, func(d presswatch.DeadLetter) bool { return retried[d.ID] })
	return all[max(0, len(all)-maxDeadList):], nil
}

// scan reads a partition from b.start to b.end.
func (k *Kafka) scan(ctx context.Context, topic string, part int, b bounds, values bool, each func(presswatch.Message) bool) error {
	for next := b.start; next < b.end; {
		at := next
		res, err := k.client.Fetch(ctx, &kafka.FetchRequest{
			Topic: topic, Partition: part, Offset: next, MinBytes: 1, MaxBytes: fetchBytes, MaxWait: k.o.MaxWait,
		})
		if err == nil {
			err = res.Error
		}
		stop := false
		if err == nil {
			err = readRecords(res.Records, values, func(m presswatch.Message) bool {
				if m.Offset >= next && m.Offset < b.end {
					next = m.Offset + 1
					stop = !each(m)
				}
				return !stop
			})
		}
		switch {
		case errors.Is(err, kafka.OffsetOutOfRange):
			return nil // expired while we were reading
		case err != nil:
			return coded(err, "read "+topic)
		case stop || next == at: // nothing but gaps up to the end
			return nil
		}
	}
	return nil
}

// DeadByID returns one dead letter with its message as it was; NotFound when
// there is none, or when it was sent back already.
func (k *Kafka) DeadByID(ctx context.Context, id string) (presswatch.DeadLetter, error) {
	if _, _, err := parseDeadID(id); err != nil {
		return presswatch.DeadLetter{}, err
	}
	all, err := k.pendingDead(ctx)
	if err != nil {
		return presswatch.DeadLetter{}, err
	}
	if !slices.ContainsFunc(all, func(d presswatch.DeadLetter) bool { return d.ID == id }) {
		return presswatch.DeadLetter{}, presswatch.Errorf(presswatch.NotFound, "dead letter %s: not there, or sent back already", id)
	}
	return k.readDead(ctx, id)
}

func (k *Kafka) readDead(ctx context.Context, id string) (d presswatch.DeadLetter, err error) {
	part, offset, err := parseDeadID(id)
	if err != nil {
		return d, err
	}
	found := false
	err = k.scan(ctx, k.topic(presswatch.TopicDead), part, bounds{offset, offset + 1}, true, func(m presswatch.Message) bool {
		m.Partition = part
		d, found = deadLetter(m), true
		return false
	})
	if err == nil && !found {
		err = presswatch.Errorf(presswatch.NotFound, "dead letter %s: expired", id)
	}
	return d, err
}

// RetryDead sends dead letters back to the topic they came from, oldest first,
// and returns how many; without ids, all of them. With dryRun it only counts.
// A letter is marked as sent back after it was published: killed in between, it
// will be sent again, which is harmless where effects are idempotent. An
// unknown id is NotFound, before anything is sent.
func (k *Kafka) RetryDead(ctx context.Context, dryRun bool, ids ...string) (int, error) {
	all, err := k.pendingDead(ctx)
	if err != nil {
		return 0, err
	}
	if len(ids) > 0 {
		for _, id := range ids {
			if _, _, err := parseDeadID(id); err != nil {
				return 0, err
			}
			if !slices.ContainsFunc(all, func(d presswatch.DeadLetter) bool { return d.ID == id }) {
				return 0, presswatch.Errorf(presswatch.NotFound, "dead letter %s: not there, or sent back already", id)
			}
		}
		all = slices.DeleteFunc(all, func(d presswatch.DeadLetter) bool { return !slices.Contains(ids, d.ID) })
	}
	if dryRun {
		return len(all), nil
	}
	for n, d := range all {
		if err := k.sendBack(ctx, d.ID); err != nil {
			return n, err
		}
	}
	return len(all), nil
}

func (k *Kafka) sendBack(ctx context.Context, id string) error {
	d, err := k.readDead(ctx, id)
	if err != nil {
		return err
	}
	if !slices.Contains(Topics(), d.Topic) || d.Topic == presswatch.TopicDead {
		return presswatch.Errorf(presswatch.Invalid, "dead letter %s: came from topic %q, which is none of ours", id, d.Topic)
	}
	if err := k.Publish(ctx, d.Topic, presswatch.Message{Key: d.Message.Key, Value: d.Message.Value, Headers: d.Message.Headers}); err != nil {
		return err
	}
	return k.Publish(ctx, presswatch.TopicDead, presswatch.Message{Key: id, Headers: map[string]string{deadRetried: id}})
}
