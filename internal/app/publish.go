package app

import (
	"context"

	"presswatch"
	"presswatch/internal/queue"
)

// publishCaptures writes the evidence of captures durably, then publishes them.
func (n *node) publishCaptures(ctx context.Context, topic, way string, captures []presswatch.Capture) error {
	msgs, err := n.seal(ctx, captures)
	if err != nil {
		return err
	}
	return n.publishSealed(ctx, topic, way, msgs)
}

// seal writes the evidence of captures durably and makes messages of them.
func (n *node) seal(ctx context.Context, captures []presswatch.Capture) ([]presswatch.Message, error) {
	msgs := make([]presswatch.Message, len(captures))
	for i, c := range captures {
		ref, err := n.evidence.Write(ctx, c)
		if err != nil {
			return nil, err
		}
		c.Evidence = ref
		if msgs[i], err = queue.EncodeCapture(c); err != nil {
			return nil, err
		}
	}
	return msgs, n.evidence.Sync()
}

func (n *node) publishSealed(ctx context.Context, topic, way string, msgs []presswatch.Message) error {
	if err := n.queue.Publish(ctx, topic, msgs...); err != nil {
		return err
	}
	n.metrics.Captures.WithLabelValues(way).Add(float64(len(msgs)))
	return nil
}
