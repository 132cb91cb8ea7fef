package app

import (
	"context"

	"presswatch"
	"presswatch/internal/queue"
)

// publishCaptures writes the evidence of captures durably, then publishes them.
func (n *node) publishCaptures(ctx context.Context, topic, way string, captures []presswatch.Capture) error {
	msgs := make([]presswatch.Message, len(captures))
	for i, c := range captures {
		ref, err := n.evidence.Write(ctx, c)
		if err != nil {
			return err
		}
		c.Evidence = ref
		if msgs[i], err = queue.EncodeCapture(c); err != nil {
			return err
		}
	}
	if err := n.evidence.Sync(); err != nil {
		return err
	}
	if err := n.queue.Publish(ctx, topic, msgs...); err != nil {
		return err
	}
	n.metrics.Captures.WithLabelValues(way).Add(float64(len(captures)))
	return nil
}
