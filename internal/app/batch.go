package app

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"presswatch"
	"presswatch/classifiers"
	"presswatch/internal/stories"
	"presswatch/pipeline"

	"github.com/spf13/cobra"
)

// batchWork reads JSON lines and writes one for each, in order; dir is the
// folder of the input, for records that name files.
type batchWork func(ctx context.Context, in io.Reader, out io.Writer, dir string) (ok, bad int, err error)

// batchCommand makes a command that reads JSON lines and writes JSON lines.
func batchCommand(e *env, c *cobra.Command, work batchWork) *cobra.Command {
	var file string
	c.Args = cobra.NoArgs
	c.Flags().StringVar(&file, "jsonl", "-", "file of JSON lines; - is standard input")
	c.RunE = e.run(func(cmd *cobra.Command, _ []string) error {
		in, dir, err := e.input(file)
		if err != nil {
			return err
		}
		defer in.Close()
		out := bufio.NewWriterSize(e.stdout, 1<<16)
		ok, bad, err := work(cmd.Context(), in, out, dir)
		if flushErr := out.Flush(); err == nil {
			err = flushErr
		}
		if err != nil {
			return err
		}
		if bad > 0 {
			fmt.Fprintf(e.stderr, "presswatch: %d records done, %d bad: their lines carry \"error\"\n", ok, bad)
			return errSilent
		}
		return nil
	})
	return c
}

// input opens a file, or standard input for "-".
func (e *env) input(file string) (io.ReadCloser, string, error) {
	if file == "-" {
		return io.NopCloser(e.stdin), ".", nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, "", presswatch.Errorf(presswatch.Invalid, "%w", err)
	}
	return f, filepath.Dir(file), nil
}

func extractCommand(e *env) *cobra.Command {
	return batchCommand(e, &cobra.Command{
		Use:   "extract",
		Short: "Main text, title, dates, byline and language of HTML pages, as JSON lines",
		Long: `Reads JSON lines with "id", "url" and "html" or "file" (relative to the input's
folder; .gz allowed), and writes for each, in order: id, url, canonical_url,
title, text, byline, published, modified, language, site, kind, images, or
error. Other fields pass through.`,
		Example: "  presswatch extract --jsonl pages.jsonl > documents.jsonl\n  cat pages.jsonl | presswatch extract",
	}, func(ctx context.Context, in io.Reader, out io.Writer, dir string) (int, int, error) {
		return pipeline.RunBatch(ctx, in, out, pipeline.Batch{Dir: dir, Workers: runtime.GOMAXPROCS(0)})
	})
}

func storiesCommand(e *env) *cobra.Command {
	return batchCommand(e, &cobra.Command{
		Use:   "stories",
		Short: "Copies and stories among documents, as JSON lines",
		Long: `Reads JSON lines with "id", "title", "text", "language", "published" and "url", and
writes for each, in order: id, copy_of, copy_group, story, relation, similarity.
Other fields pass through. An item is compared with those before it.`,
		Example: "  presswatch stories --jsonl documents.jsonl > stories.jsonl",
	}, func(ctx context.Context, in io.Reader, out io.Writer, _ string) (int, int, error) {
		return stories.RunBatch(ctx, in, out, stories.NewMemory())
	})
}

func classifyCommand(e *env) *cobra.Command {
	var explain bool
	c := batchCommand(e, &cobra.Command{
		Use:   "classify",
		Short: "Risk that needs a reviewer's look, with reasons, as JSON lines",
		Long: `Reads JSON lines with "id", "title", "text", "url", "language" and "source", and
writes for each, in order: id, risk, level, evidence, model. Other fields pass
through. A risk says "needs review"; it never says "is false".`,
		Example: "  presswatch classify --jsonl documents.jsonl --explain",
	}, func(ctx context.Context, in io.Reader, out io.Writer, _ string) (int, int, error) {
		ens, err := classifiers.Default()
		if err != nil {
			return 0, 0, err
		}
		return classifiers.RunBatch(ctx, in, out, ens, explain)
	})
	c.Flags().BoolVar(&explain, "explain", false, "name the phrases that count, too; takes longer")
	return c
}

// printJSON writes one value as one line.
func (e *env) printJSON(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(e.stdout, string(b))
	return err
}
