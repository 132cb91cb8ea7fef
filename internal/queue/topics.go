package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"

	"presswatch"
)

var retentionHours = map[string]int{
	presswatch.TopicCaptures:  7 * 24,
	presswatch.TopicBackfill:  7 * 24,
	presswatch.TopicDocuments: 7 * 24,
	presswatch.TopicDead:      30 * 24,
}

// Topics are the topics that EnsureTopics makes.
func Topics() []string {
	return []string{presswatch.TopicCaptures, presswatch.TopicBackfill, presswatch.TopicDocuments, presswatch.TopicDead}
}

// EnsureTopics makes the topics that are missing and raises the message size of
// those that take less than we send. It returns when all are ready for use.
func (k *Kafka) EnsureTopics(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req := &kafka.CreateTopicsRequest{}
	for _, t := range Topics() {
		req.Topics = append(req.Topics, k.topicConfig(t))
	}
	res, err := k.client.CreateTopics(ctx, req)
	if err != nil {
		return coded(err, "make topics")
	}
	var there []string
	for t, err := range res.Errors {
		switch {
		case errors.Is(err, kafka.TopicAlreadyExists):
			there = append(there, t)
		case err != nil:
			return coded(err, "make topic "+t)
		}
	}
	if err := k.raise(ctx, there); err != nil {
		return err
	}
	return k.awaitTopics(ctx)
}

func (k *Kafka) topicConfig(name string) kafka.TopicConfig {
	hours, ok := k.o.RetentionHours[name]
	if !ok {
		hours = retentionHours[name]
	}
	ms := "-1"
	if hours >= 0 {
		ms = strconv.FormatInt(int64(hours)*3_600_000, 10)
	}
	partitions := k.o.Partitions
	if name == presswatch.TopicDead {
		partitions = 1
	}
	conf := []kafka.ConfigEntry{
		{ConfigName: "max.message.bytes", ConfigValue: strconv.Itoa(maxTopicBytes)},
		{ConfigName: "retention.ms", ConfigValue: ms},
		{ConfigName: "cleanup.policy", ConfigValue: "delete"},
	}
	if k.o.Replication >= 3 { // one replica may be away, two have every message
		conf = append(conf, kafka.ConfigEntry{ConfigName: "min.insync.replicas", ConfigValue: "2"})
	}
	return kafka.TopicConfig{Topic: k.topic(name), NumPartitions: partitions, ReplicationFactor: k.o.Replication, ConfigEntries: conf}
}

// raise lifts max.message.bytes where a topic was made by somebody else with
// less. Not being allowed to is a warning: only large messages will suffer.
func (k *Kafka) raise(ctx context.Context, topics []string) error {
	if len(topics) == 0 {
		return nil
	}
	ask := &kafka.DescribeConfigsRequest{}
	for _, t := range topics {
		ask.Resources = append(ask.Resources, kafka.DescribeConfigRequestResource{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: t, ConfigNames: []string{"max.message.bytes"}})
	}
	res, err := k.client.DescribeConfigs(ctx, ask)
	if err != nil {
		return coded(err, "describe topics")
	}
	set := &kafka.IncrementalAlterConfigsRequest{}
	for _, r := range res.Resources {
		for _, c := range r.ConfigEntries {
			if n, err := strconv.Atoi(c.ConfigValue); c.ConfigName != "max.message.bytes" || err != nil || n >= maxTopicBytes {
				continue
			}
			set.Resources = append(set.Resources, kafka.IncrementalAlterConfigsRequestResource{
				ResourceType: kafka.ResourceTypeTopic, ResourceName: r.ResourceName,
				Configs: []kafka.IncrementalAlterConfigsRequestConfig{{
					Name: "max.message.bytes", Value: strconv.Itoa(maxTopicBytes), ConfigOperation: kafka.ConfigOperationSet}},
			})
		}
	}
	if len(set.Resources) == 0 {
		return nil
	}
	done, err := k.client.IncrementalAlterConfigs(ctx, set)
	if err != nil {
		return coded(err, "raise max.message.bytes")
	}
	for _, r := range done.Resources {
		if r.Error != nil {
			k.o.Log.Warn("queue: topic takes smaller messages than we may send", "topic", r.ResourceName, "want", maxTopicBytes, "err", r.Error)
		}
	}
	return nil
}

// awaitTopics waits until every partition has a leader.
func (k *Kafka) awaitTopics(ctx context.Context) error {
	var names []string
	for _, t := range Topics() {
		names = append(names, k.topic(t))
	}
	for try := 0; ; try++ {
		err := k.ready(ctx, names)
		if err == nil {
			return nil
		}
		if !pause(ctx, try, 20*time.Millisecond, 500*time.Millisecond, k.o.Rand) {
			return coded(err, "wait for topics")
		}
	}
}

func (k *Kafka) ready(ctx context.Context, names []string) error {
	res, err := k.client.Metadata(ctx, &kafka.MetadataRequest{Topics: names})
	if err != nil {
		return err
	}
	for _, t := range res.Topics {
		if t.Error != nil {
			return fmt.Errorf("topic %s: %w", t.Name, t.Error)
		}
		var ids []int
		for _, p := range t.Partitions {
			if p.Error != nil {
				return fmt.Errorf("topic %s partition %d: %w", t.Name, p.ID, p.Error)
			}
			ids = append(ids, p.ID)
		}
		// A leader may be named before it knows that it is one.
		if _, err := k.bounds(ctx, t.Name, ids); err != nil {
			return fmt.Errorf("topic %s: %w", t.Name, err)
		}
	}
	return nil
}

// partitions lists the partitions of a topic, named as on the cluster.
func (k *Kafka) partitions(ctx context.Context, topic string) ([]int, error) {
	res, err := k.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	if err != nil {
		return nil, err
	}
	var ids []int
	for _, t := range res.Topics {
		if t.Error != nil {
			return nil, t.Error
		}
		for _, p := range t.Partitions {
			ids = append(ids, p.ID)
		}
	}
	return ids, nil
}

// bounds are the first offset that a partition holds and the one after the last.
type bounds struct{ start, end int64 }

func (k *Kafka) bounds(ctx context.Context, topic string, ids []int) (map[int]bounds, error) {
	req := &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{}}
	for _, id := range ids {
		req.Topics[topic] = append(req.Topics[topic], kafka.FirstOffsetOf(id), kafka.LastOffsetOf(id))
	}
	res, err := k.client.ListOffsets(ctx, req)
	if err != nil {
		return nil, err
	}
	out := map[int]bounds{}
	for _, p := range res.Topics[topic] {
		if p.Error != nil {
			return nil, p.Error
		}
		out[p.Partition] = bounds{max(p.FirstOffset, 0), max(p.LastOffset, 0)}
	}
	return out, nil
}

// Lag counts the messages that a group has not yet done: those between its
// committed offset (or the oldest message, where there is none) and the end,
// over all partitions. A topic that does not exist is Unavailable.
func (k *Kafka) Lag(ctx context.Context, topic, group string) (int64, error) {
	name := k.topic(topic)
	doing := "lag of " + name
	ids, err := k.partitions(ctx, name)
	if err != nil {
		return 0, coded(err, doing)
	}
	at, err := k.bounds(ctx, name, ids)
	if err != nil {
		return 0, coded(err, doing)
	}
	res, err := k.client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: k.group(group), Topics: map[string][]int{name: ids}})
	if err == nil {
		err = res.Error
	}
	committed := map[int]int64{}
	switch {
	case errors.Is(err, kafka.GroupIdNotFound): // it never ran
	case err != nil:
		return 0, coded(err, doing)
	default:
		for _, p := range res.Topics[name] {
			if p.Error != nil {
				return 0, coded(p.Error, doing)
			}
			committed[p.Partition] = p.CommittedOffset
		}
	}
	var lag int64
	for p, b := range at {
		lag += max(0, b.end-max(committed[p], b.start))
	}
	return lag, nil
}
