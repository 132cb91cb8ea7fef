package queue

import (
	"context"
	"time"

	"github.com/segmentio/kafka-go"
)

// trimLoop drops what all groups have done, every now and then.
func (b *Broker) trimLoop(ctx context.Context) {
	defer b.trimmed.Done()
	t := time.NewTicker(b.o.TrimEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := b.Trim(ctx); err != nil && ctx.Err() == nil {
				b.o.Log.Warn("broker: cannot drop done messages", "err", err)
			}
		}
	}
}

// Trim drops the messages that every consumer group of their topic has done:
// those below the least committed offset. A topic that nobody consumes, and a
// partition where a group has committed nothing yet, keep everything. Space is
// freed a segment of 4 MiB at a time.
func (b *Broker) Trim(ctx context.Context) error {
	groups, err := b.groups(ctx)
	if err != nil {
		return err
	}
	consumers := map[string]map[string]bool{} // topic, group
	add := func(topic, group string) {
		if consumers[topic] == nil {
			consumers[topic] = map[string]bool{}
		}
		consumers[topic][group] = true
	}
	commits := map[string]map[string]map[int32]int64{} // group, topic, partition
	for _, g := range groups {
		info := b.cluster.GroupInfo(g)
		if info == nil {
			continue
		}
		commits[g] = map[string]map[int32]int64{}
		for topic, parts := range info.Commits {
			add(topic, g)
			commits[g][topic] = map[int32]int64{}
			for p, c := range parts {
				commits[g][topic][p] = c.Offset
			}
		}
		for _, m := range info.Members {
			for _, topic := range m.SubscribedTopics {
				add(topic, g)
			}
			for topic := range m.Assignment {
				add(topic, g)
			}
		}
	}
	for topic, must := range b.o.Groups {
		for _, g := range must {
			add(topic, g)
		}
	}
	for topic, by := range consumers {
		for _, p := range b.cluster.PartitionInfos(topic) {
			least := p.HighWatermark
			for g := range by {
				least = min(least, commits[g][topic][p.Partition])
			}
			// The newest record stays: after a crash the offsets go on from it,
			// where an empty log would begin again at 0.
			if to := min(least, p.HighWatermark-1); to > p.LogStartOffset {
				if err := b.cluster.DeleteRecords(topic, p.Partition, to); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// groups asks the broker, by its own protocol, which groups it knows.
func (b *Broker) groups(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	t := &kafka.Transport{Context: ctx}
	defer t.CloseIdleConnections()
	c := &kafka.Client{Addr: kafka.TCP(b.addr), Transport: t}
	res, err := c.ListGroups(ctx, &kafka.ListGroupsRequest{})
	if err != nil {
		return nil, err
	}
	if res.Error != nil {
		return nil, res.Error
	}
	var names []string
	for _, g := range res.Groups {
		names = append(names, g.GroupID)
	}
	return names, nil
}
