package app

import (
	"context"
	"errors"
	"os"

	"presswatch"
	"presswatch/internal/evidence"
	"presswatch/internal/index"
	"presswatch/internal/queue"

	"github.com/spf13/cobra"
)

func reindexCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "reindex",
		Short: "Make the archive anew from the evidence",
		Long: `Reads every capture from the evidence (the WARC files of the data folder), runs the
pipeline of this version over it, and indexes what comes out. An embedded index
is built beside the old one, which it replaces at the end; one on Elasticsearch
is written over. Cases and decisions stay as they are.`,
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
	err = e.reindexWith(ctx, n)
	return errors.Join(err, n.Close())
}

// reindexWith builds an embedded archive beside the one in use, and puts it in
// its place when all is done: until then nothing is lost by a kill.
func (e *env) reindexWith(ctx context.Context, n *node) error {
	im := &importer{env: e, node: n, topic: presswatch.TopicBackfill, done: "worked on anew"}
	if _, embedded, _ := n.cfg.Embedded(); !embedded {
		if err := n.openIndex(ctx); err != nil {
			return err
		}
		return im.fromEvidence(ctx)
	}
	fresh := n.cfg.Path(indexFolder + ".new")
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	idx, err := index.OpenBleve(fresh, n.log)
	if err != nil {
		return err
	}
	n.index = idx
	err = im.fromEvidence(ctx)
	err = errors.Join(err, idx.Close())
	if err != nil && !errors.Is(err, errSilent) {
		return err
	}
	if im.sum.Imported == 0 {
		return errors.Join(presswatch.Errorf(presswatch.NotFound, "no evidence could be read in %s: the archive stays as it was", n.cfg.Path("evidence")), os.RemoveAll(fresh))
	}
	return errors.Join(err, n.swapIndex(fresh))
}

// swapIndex puts the new archive in the place of the old one; recoverIndex
// finishes what a kill in between leaves.
func (n *node) swapIndex(fresh string) error {
	here, old := n.cfg.Path(indexFolder), n.cfg.Path(indexFolder+".old")
	if err := os.RemoveAll(old); err != nil {
		return err
	}
	if err := os.Rename(here, old); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Rename(fresh, here); err != nil {
		return err
	}
	return os.RemoveAll(old)
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
