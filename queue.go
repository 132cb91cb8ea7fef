package presswatch

import (
	"context"
	"time"
)

// The topics. A configured prefix goes before them on a shared cluster.
const (
	TopicCaptures  = "captures"  // what came in, keyed by address
	TopicBackfill  = "backfill"  // the same, of the past: never in front of today's news
	TopicDocuments = "documents" // what the pipeline made of it, keyed by DocID
	TopicDead      = "dead"      // messages that could not be worked on, with the reason
)

// Message is one message of the log.
type Message struct {
	Key     string
	Value   []byte
	Headers map[string]string // CloudEvents 1.0 attributes as ce_*, and content-type

	// Where it was read from; zero on messages to be published.
	Topic     string
	Partition int
	Offset    int64
	Time      time.Time
}

// Queue moves messages between parts of the system, at least once and in
// order per key.
type Queue interface {
	// Publish returns nil only when every message would survive a restart of
	// the log. After an error any of them may or may not have been written.
	Publish(ctx context.Context, topic string, msgs ...Message) error
	// Consume calls fn with batches, in order per key, until ctx ends; then it
	// returns nil. A nil from fn means that all effects of the batch are
	// durable, and its offsets are committed. When fn fails the same batch is
	// delivered again, after a pause that grows while it keeps failing; a
	// message is thus never skipped. fn itself sends what cannot succeed to
	// the dead-letter topic.
	Consume(ctx context.Context, topic, group string, fn func(context.Context, []Message) error) error
}

// DeadLetter is a message that could not be worked on, and why.
type DeadLetter struct {
	ID       string    `json:"id"` // partition and offset in the dead-letter topic, "0-17"
	Topic    string    `json:"topic"`
	Group    string    `json:"group"`
	Stage    string    `json:"stage"`
	Error    string    `json:"error"`
	Code     Code      `json:"code"`
	Attempts int       `json:"attempts"`
	Part     int       `json:"partition"` // origin
	Offset   int64     `json:"offset"`    // origin
	Time     time.Time `json:"time"`
	Message  Message   `json:"-"` // as it was
}
