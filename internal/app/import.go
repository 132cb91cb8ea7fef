package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"presswatch"
	"presswatch/internal/imports"

	"github.com/cenkalti/backoff/v5"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

// importBatch bounds what is published at once, in captures and body bytes.
const (
	importBatch = 32
	importBytes = 4 << 20
)

// importPatience is how long a log on servers may be away during an import.
const importPatience = 5 * time.Minute

type importOptions struct {
	source, kind string
	backfill     bool
	again        bool
	noWait       bool
}

func importCommand(e *env) *cobra.Command {
	var o importOptions
	c := &cobra.Command{
		Use:   "import PATH...",
		Short: "Bring in WARC files, folders of HTML, JSONL or CSV, through the same pipeline",
		Long: `Brings in what was collected elsewhere. A path is a WARC file (.warc, .warc.gz), a
folder of HTML files, JSON lines (.jsonl, .jsonl.gz: "url" and one of "html",
"text" or "file"), or CSV with a header (columns url, and text or html).

A bad record is reported with its place and the rest goes on; the exit status is
then 1. An import that was interrupted goes on where it was when started again;
importing the same thing twice changes nothing.`,
		Example: `  presswatch import pages.jsonl
  presswatch import crawl.warc.gz --source archive-2024 --backfill
  presswatch import export.csv --kind post`,
		Args: cobra.MinimumNArgs(1),
		RunE: e.run(func(cmd *cobra.Command, args []string) error { return e.importPaths(cmd.Context(), o, args) }),
	}
	f := c.Flags()
	f.StringVar(&o.source, "source", "import", "source the records count to, where they name none")
	f.StringVar(&o.kind, "kind", "article", "article or post, where the records do not say")
	f.BoolVar(&o.backfill, "backfill", false, "behind today's news, by the topic backfill")
	f.BoolVar(&o.again, "again", false, "from the beginning, although a former import came further")
	f.BoolVar(&o.noWait, "no-wait", false, "return when all is in the log, without waiting for the pipeline")
	return c
}

// importer is one run of import.
type importer struct {
	env      *env
	node     *node
	opts     importOptions
	topic    string
	done     string   // what was done with the captures, for the summary
	cursors  []string // of the paths that have come to their end
	sum      importSummary
	progress *progress
}

type importSummary struct {
	Imported int `json:"imported"`
	Bad      int `json:"bad"`
	Dead     int `json:"dead"` // went to the dead letters on the way
}

func (e *env) importPaths(ctx context.Context, o importOptions, paths []string) error {
	if o.kind != string(presswatch.Article) && o.kind != string(presswatch.Post) {
		return e.invalid("--kind: %q is neither article nor post", o.kind)
	}
	for _, p := range paths {
		if _, err := os.Stat(p); err != nil {
			return presswatch.Errorf(presswatch.Invalid, "import: %w", err)
		}
	}
	cfg, err := e.config()
	if err != nil {
		return err
	}
	n, err := open(ctx, cfg, e.logger(cfg), "import", parts{queue: true, db: true, evidence: true, index: true, ensemble: true, attach: true})
	if err != nil {
		return err
	}
	im := &importer{env: e, node: n, opts: o, topic: presswatch.TopicCaptures, done: "imported"}
	if o.backfill {
		im.topic = presswatch.TopicBackfill
	}
	err = im.run(ctx, paths)
	return errors.Join(err, n.Close())
}

// run imports the paths one after the other.
func (im *importer) run(ctx context.Context, paths []string) error {
	return im.beside(ctx, func(ctx context.Context) error {
		for _, p := range paths {
			if err := im.path(ctx, p); err != nil {
				return err
			}
		}
		return nil
	})
}

// beside runs publish with the pipeline at work beside it, unless another
// process does that work, and returns when all of it is done and searchable.
func (im *importer) beside(ctx context.Context, publish func(context.Context) error) error {
	before, err := im.node.queue.ListDead(ctx, 0)
	if err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	workCtx, stop := context.WithCancel(gctx)
	defer stop()
	if im.node.attached == nil && !im.opts.noWait {
		g.Go(func() error { return quiet(workCtx, im.node.work(workCtx)) })
	}
	g.Go(func() error {
		defer stop()
		if err := publish(gctx); err != nil || im.opts.noWait {
			return err
		}
		if a := im.node.attached; a != nil && !a.Work {
			im.opts.noWait = true
			fmt.Fprintf(im.env.stderr, "presswatch: all is in the log, but %s does not work on it: presswatch up does\n", a)
			return nil
		}
		return im.node.drained(gctx, im.topic)
	})
	if err = g.Wait(); err == nil {
		err = im.finish(ctx, len(before))
	}
	return im.report(err)
}

// finish makes what came in searchable, counts what died on the way, and
// forgets how far the import came: the next one of the same path begins anew,
// which changes nothing but brings in what was mended meanwhile.
func (im *importer) finish(ctx context.Context, deadBefore int) error {
	for _, c := range im.cursors {
		if err := im.node.db.SetCursor(ctx, c, []byte("0")); err != nil {
			return err
		}
	}
	if im.opts.noWait {
		return nil
	}
	dead, err := im.node.queue.ListDead(ctx, 0)
	if err != nil {
		return err
	}
	im.sum.Dead = max(0, len(dead)-deadBefore)
	if im.node.index == nil {
		return nil
	}
	return im.node.index.Refresh(ctx)
}

// report says what was done, also after a failure.
func (im *importer) report(err error) error {
	e := im.env
	if e.json {
		if printErr := e.printJSON(im.sum); err == nil {
			err = printErr
		}
	} else {
		fmt.Fprintf(e.stdout, "%d %s, %d bad\n", im.sum.Imported, im.done, im.sum.Bad)
		if im.sum.Dead > 0 {
			fmt.Fprintf(e.stdout, "%d could not be worked on: presswatch dead list says why\n", im.sum.Dead)
		}
	}
	if err == nil && im.sum.Bad+im.sum.Dead > 0 {
		return errSilent
	}
	return err
}

// path imports one path, from where a former import of the same file came to.
func (im *importer) path(ctx context.Context, path string) error {
	cursor, from, err := im.resume(ctx, path)
	if err != nil {
		return err
	}
	r, err := imports.Open(path, imports.Options{Source: presswatch.SourceID(im.opts.source),
		Kind: presswatch.Kind(im.opts.kind), Now: time.Now, From: from})
	if err != nil {
		return err
	}
	defer r.Close()
	im.progress = newProgress(im.env, "import "+filepath.Base(path))
	defer im.progress.done()
	var batch []presswatch.Capture
	size, pos := 0, from
	flush := func() error {
		if err := im.publish(ctx, batch); err != nil {
			return err
		}
		im.sum.Imported += len(batch)
		batch, size = batch[:0], 0
		im.progress.set(r.Size())
		b, _ := json.Marshal(pos)
		return im.node.db.SetCursor(ctx, cursor, b)
	}
	for {
		it, err := r.Next(ctx)
		if errors.Is(err, io.EOF) {
			im.cursors = append(im.cursors, cursor)
			return flush()
		}
		if err != nil {
			return errors.Join(err, flush())
		}
		if it.Err != nil {
			im.bad(it.Err)
			continue
		}
		pos = it.Pos
		batch, size = append(batch, it.Capture), size+len(it.Capture.Body)
		if len(batch) >= importBatch || size >= importBytes {
			if err := flush(); err != nil {
				return err
			}
		}
	}
}

// publish waits for a log that is away for a while: an import of hours should
// not end because a server is started anew.
func (im *importer) publish(ctx context.Context, batch []presswatch.Capture) error {
	msgs, err := im.node.seal(ctx, batch)
	if err != nil {
		return err
	}
	if embedded, _, _ := im.node.cfg.Embedded(); embedded {
		return im.node.publishSealed(ctx, im.topic, "import", msgs)
	}
	_, err = backoff.Retry(ctx, func() (struct{}, error) {
		err := im.node.publishSealed(ctx, im.topic, "import", msgs)
		if err != nil && !presswatch.Retryable(err) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithMaxElapsedTime(importPatience), backoff.WithNotify(func(err error, d time.Duration) {
		im.node.log.Warn("import: the log does not answer, trying again", "in", d.Round(time.Second), "err", err)
	}))
	return err
}

func (im *importer) bad(err error) {
	im.sum.Bad++
	im.progress.say("presswatch: %s", oneLine(err))
}

// drained returns when everything in the log has been worked on.
func (n *node) drained(ctx context.Context, topic string) error {
	for _, t := range []string{topic, presswatch.TopicDocuments} {
		for _, group := range groupsOf[t] {
			for {
				lag, err := n.queue.Lag(ctx, t, group)
				if err != nil && (!presswatch.Retryable(err) || n.deserted()) {
					return err
				}
				if err == nil && lag == 0 {
					break
				}
				if err := pause(ctx, 100*time.Millisecond); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// deserted reports whether the process whose log we use has ended.
func (n *node) deserted() bool {
	if n.attached == nil {
		return false
	}
	d, err := holdDataDir(n.cfg.Data, "import")
	if err != nil {
		return false
	}
	return d.Close() == nil
}

// pause waits, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
