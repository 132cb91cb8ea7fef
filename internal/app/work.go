package app

import (
	"context"
	"time"

	"presswatch"
	"presswatch/internal/queue"
	"presswatch/internal/stories"
	"presswatch/pipeline"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

// The consumer groups, one a job.
const (
	groupPipeline = "pipeline"
	groupBackfill = "backfill"
	groupIndex    = "index"
	groupCases    = "cases"
)

// groupsOf says which groups read a topic: what all have read may be trimmed
// from an embedded log.
var groupsOf = map[string][]string{
	presswatch.TopicCaptures:  {groupPipeline},
	presswatch.TopicBackfill:  {groupBackfill},
	presswatch.TopicDocuments: {groupIndex, groupCases},
}

func workCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "work",
		Short: "Run the pipeline: captures to documents, documents to archive and queue",
		Long: `Takes captures from the log through extraction, language, normalisation, stories
and classification; indexes the documents; opens cases for those at or above
the review level. Any number of processes may run on one Kafka cluster: they
share the work.`,
		Example: "  presswatch work --config presswatch.yaml",
		Args:    cobra.NoArgs,
		RunE: e.run(func(cmd *cobra.Command, _ []string) error {
			return e.serveRoles(cmd.Context(), "work", roles{work: true})
		}),
	}
}

// work runs the workers until ctx ends or one of them fails.
func (n *node) work(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, w := range n.workers(n.chain()) {
		g.Go(func() error { return queue.Work(ctx, n.queue, w) })
	}
	return g.Wait()
}

// chain is the stages, joined with the parts that they need.
func (n *node) chain() pipeline.Chain {
	return pipeline.All(pipeline.Deps{
		Place:    stories.New(n.db).Place,
		Classify: n.ensemble.Classify,
		Log:      n.log,
	})
}

func (n *node) workers(chain pipeline.Chain) []queue.WorkSpec {
	return []queue.WorkSpec{
		n.spec(presswatch.TopicCaptures, groupPipeline, n.captureHandler(chain, n.cfg.Parallel())),
		n.spec(presswatch.TopicBackfill, groupBackfill, n.captureHandler(chain, 1)), // never in front of today's news
		n.spec(presswatch.TopicDocuments, groupIndex, n.indexDocuments),
		n.spec(presswatch.TopicDocuments, groupCases, n.openCases),
	}
}

func (n *node) spec(topic, group string, handle func(context.Context, []presswatch.Message) []error) queue.WorkSpec {
	return queue.WorkSpec{Topic: topic, Group: group, Stage: group, StageOf: pipeline.StageOf, Log: n.log,
		Handle: func(ctx context.Context, msgs []presswatch.Message) []error {
			start := time.Now()
			errs := handle(ctx, msgs)
			n.metrics.Seconds.WithLabelValues(group).Observe(time.Since(start).Seconds())
			for _, err := range errs {
				n.metrics.Processed.WithLabelValues(group, outcome(err)).Inc()
			}
			return errs
		}}
}

func outcome(err error) string {
	if err != nil {
		return "failed"
	}
	return "ok"
}

// maxDecoded is about how many bytes of decoded bodies are worked on at once: a
// batch of small compressed messages may be a gigabyte of pages.
const maxDecoded = 8 << 20

// captureHandler makes documents of captures and publishes them. A capture
// counts as done when its document is in the log, or when there is none to be.
func (n *node) captureHandler(chain pipeline.Chain, parallel int) func(context.Context, []presswatch.Message) []error {
	return func(ctx context.Context, msgs []presswatch.Message) []error {
		errs := make([]error, 0, len(msgs))
		for len(msgs) > 0 {
			k := partOf(msgs)
			errs = append(errs, n.captures(ctx, chain, parallel, msgs[:k])...)
			msgs = msgs[k:]
		}
		return errs
	}
}

// partOf is how many messages, at least one, are to be decoded at once.
func partOf(msgs []presswatch.Message) int {
	size := 0
	for i, m := range msgs {
		if size += queue.BodySize(m); size > maxDecoded {
			return max(1, i)
		}
	}
	return len(msgs)
}

func (n *node) captures(ctx context.Context, chain pipeline.Chain, parallel int, msgs []presswatch.Message) []error {
	errs := make([]error, len(msgs))
	captures, at := make([]presswatch.Capture, 0, len(msgs)), make([]int, 0, len(msgs))
	for i, m := range msgs {
		c, err := queue.DecodeCapture(m)
		if err != nil {
			errs[i] = err
			continue
		}
		captures, at = append(captures, c), append(at, i)
	}
	results := pipeline.Process(ctx, chain, captures, parallel)
	out, from := make([]presswatch.Message, 0, len(results)), make([]int, 0, len(results))
	for j, r := range results {
		i, it := at[j], r.Item
		if errs[i] = r.Err; errs[i] != nil {
			continue
		}
		if it.Dropped != "" {
			n.log.Info("dropped", "url", it.Capture.URL, "reason", it.Dropped)
			continue
		}
		m, err := queue.EncodeDocument(it.Doc)
		if err != nil {
			errs[i] = err
			continue
		}
		out, from = append(out, m), append(from, i)
	}
	n.publishEach(ctx, out, from, errs)
	return errs
}

// publishEach publishes documents together, and one by one when one of them is
// too large, so that the others do not suffer for it.
func (n *node) publishEach(ctx context.Context, out []presswatch.Message, from []int, errs []error) {
	err := n.queue.Publish(ctx, presswatch.TopicDocuments, out...)
	for k, i := range from {
		errs[i] = err
		if presswatch.CodeOf(err) == presswatch.TooLarge && len(out) > 1 {
			errs[i] = n.queue.Publish(ctx, presswatch.TopicDocuments, out[k])
		}
	}
}

// decodeDocuments returns the documents, where each stood, and the errors of
// those that are none.
func decodeDocuments(msgs []presswatch.Message) (docs []presswatch.Document, at []int, errs []error) {
	errs = make([]error, len(msgs))
	for i, m := range msgs {
		d, err := queue.DecodeDocument(m)
		if err == nil {
			err = d.Validate()
		}
		if err != nil {
			errs[i] = err
			continue
		}
		docs, at = append(docs, d), append(at, i)
	}
	return docs, at, errs
}

func (n *node) indexDocuments(ctx context.Context, msgs []presswatch.Message) []error {
	docs, at, errs := decodeDocuments(msgs)
	if len(docs) == 0 {
		return errs
	}
	each, err := n.index.Put(ctx, docs)
	for j, i := range at {
		if err != nil {
			errs[i] = err
		} else {
			errs[i] = each[j]
		}
	}
	return errs
}

// openCases opens a case for what is at or above the review level; an open
// case follows its document wherever it goes.
func (n *node) openCases(ctx context.Context, msgs []presswatch.Message) []error {
	docs, at, errs := decodeDocuments(msgs)
	opened, err := n.db.OpenCases(ctx, docs)
	if err != nil {
		for _, i := range at {
			errs[i] = err
		}
		return errs
	}
	n.metrics.Cases.Add(float64(opened))
	return errs
}
