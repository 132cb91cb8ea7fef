package app

import (
	"context"
	"fmt"
	"io"
	"time"

	"presswatch/classifiers"
	"presswatch/internal/stories"
	"presswatch/pipeline"

	"github.com/spf13/cobra"
)

// evaluations are what can be measured against a labelled folder. Each writes
// a table for people to w and returns the figures.
var evaluations = map[string]func(ctx context.Context, dir string, w io.Writer) (any, error){
	"extract": func(ctx context.Context, dir string, w io.Writer) (any, error) { return pipeline.Eval(ctx, dir, w) },
	"stories": func(ctx context.Context, dir string, w io.Writer) (any, error) { return stories.Eval(ctx, dir, w) },
	"risk": func(ctx context.Context, dir string, w io.Writer) (any, error) {
		e, err := classifiers.Default()
		if err != nil {
			return nil, err
		}
		r, err := classifiers.Eval(ctx, dir, e)
		if err == nil {
			_, err = io.WriteString(w, r.String())
		}
		return r, err
	},
}

func evalCommand(e *env) *cobra.Command {
	return &cobra.Command{
		Use:   "eval extract|stories|risk DIR",
		Short: "Measure extraction, stories or risk on a labelled folder",
		Long: `Measures one part against gold labels and prints a table, or with --json one object.
DIR holds the labelled files: for extract pages.jsonl and the pages it names, for
stories near-duplicates.jsonl, for risk one JSONL a set (id, lang, text, title, label, split).`,
		Example:   "  presswatch eval extract data/pages\n  presswatch eval risk data/risk --json",
		Args:      cobra.ExactArgs(2),
		ValidArgs: []string{"extract", "stories", "risk"},
		RunE: e.run(func(cmd *cobra.Command, args []string) error {
			eval, ok := evaluations[args[0]]
			if !ok {
				return e.invalid("%q cannot be evaluated; extract, stories and risk can", args[0])
			}
			table := e.stdout
			if e.json {
				table = io.Discard
			}
			r, err := eval(cmd.Context(), args[1], table)
			if err == nil && e.json {
				err = e.printJSON(r)
			}
			return err
		}),
	}
}

func trainCommand(e *env) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "train risk DIR",
		Short: "Train the risk model on labelled sets",
		Long: `Trains the risk model on the labelled sets of a folder (see eval risk for their form)
and writes the model file and its card: data, licences, metrics, limits. Built
anew, the program carries the model that stands in classifiers/model.`,
		Example:   "  presswatch train risk data/risk\n  presswatch train risk data/risk --out /tmp/model",
		Args:      cobra.ExactArgs(2),
		ValidArgs: []string{"risk"},
		RunE: e.run(func(cmd *cobra.Command, args []string) error {
			if args[0] != "risk" {
				return e.invalid("%q cannot be trained; risk can", args[0])
			}
			cfg, err := e.config()
			if err != nil {
				return err
			}
			r, err := classifiers.Train(cmd.Context(), classifiers.TrainOptions{Dir: args[1], Out: out, Log: e.logger(cfg), Now: time.Now})
			if err != nil {
				return err
			}
			if e.json {
				return e.printJSON(r)
			}
			_, err = fmt.Fprintf(e.stdout, "model and card written to %s\n", out)
			return err
		}),
	}
	c.Flags().StringVar(&out, "out", "classifiers/model", "folder to write the model and its card to")
	return c
}
