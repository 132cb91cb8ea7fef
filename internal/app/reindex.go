package app

import (
	"context"
	"errors"
	"os"

	"presswatch"
	"presswatch/internal/evidence"
	"presswatch/internal/queue"

	"github.com/spf13/cobra"
)

func reindexCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "reindex",
		Short: "Make the archive anew from the evidence",
		Long: `Reads every capture from the evidence (the WARC files of the data folder), runs the
pipeline of this version over it, and indexes what comes out. An embedded index
is begun anew; one on Elasticsearch is written over. Cases and decisions stay as they are.`,
		Example: "  presswatch reindex",
		Args:    cobra.NoArgs,
		RunE:    e.run(func(cmd *cobra.Command, _ []string) error { return e.reindex(cmd.Context()) }),
	}
}

func (e *env) reindex(ctx context.Context) error {
	cfg, err := e.config()
	if err != nil {
		return err
	}
	n, err := open(ctx, cfg, e.logger(cfg), "reindex", parts{queue: true, db: true, ensemble: true})
	if err != nil {
		return err
	}
	if _, embedded, _ := cfg.Embedded(); embedded {
		if err := os.RemoveAll(cfg.Path("index")); err != nil {
			return errors.Join(err, n.Close())
		}
	}
	if err := n.openIndex(ctx); err != nil {
		return errors.Join(err, n.Close())
	}
	im := &importer{env: e, node: n, topic: presswatch.TopicBackfill, done: "worked on anew"}
	err = im.fromEvidence(ctx)
	return errors.Join(err, n.Close())
}

// fromEvidence sends every capture of the evidence through the log again, with
// the reference that it has: it is not kept twice.
func (im *importer) fromEvidence(ctx context.Context) error {
	return im.beside(ctx, func(ctx context.Context) error {
		p := newProgress(im.env, "reindex")
		defer p.done()
		var msgs []presswatch.Message
		size := 0
		flush := func() error {
			err := im.node.queue.Publish(ctx, im.topic, msgs...)
			im.sum.Imported += len(msgs)
			msgs, size = msgs[:0], 0
			return err
		}
		err := evidence.Each(ctx, im.node.cfg.Path("evidence"), func(c presswatch.Capture, err error) error {
			if err != nil {
				im.sum.Bad++
				p.say("presswatch: %s", oneLine(err))
				return nil
			}
			m, err := queue.EncodeCapture(c)
			if err != nil {
				return err
			}
			if msgs, size = append(msgs, m), size+len(m.Value); len(msgs) < importBatch && size < importBytes {
				return nil
			}
			return flush()
		})
		return errors.Join(err, flush())
	})
}
