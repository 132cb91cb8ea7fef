package app

import (
	"context"
	"fmt"
	"text/tabwriter"

	"presswatch"
	"presswatch/internal/queue"

	"github.com/spf13/cobra"
)

func deadCommand(e *env) *cobra.Command {
	c := &cobra.Command{
		Use:   "dead",
		Short: "Messages that could not be worked on: list, show, retry",
		Long: `A message that a stage cannot work on goes to the topic "dead" with the stage, the
error, the attempts and where it came from. After the cause is mended, retry
sends it back to where it came from.`,
		Example: "  presswatch dead list\n  presswatch dead show 0-17\n  presswatch dead retry 0-17\n  presswatch dead retry --all --dry-run",
	}
	c.AddCommand(deadList(e), deadShow(e), deadRetry(e))
	return c
}

// withQueue runs fn on the log, that of a running process where there is one.
func (e *env) withQueue(ctx context.Context, command string, fn func(*queue.Kafka) error) error {
	cfg, err := e.config()
	if err != nil {
		return err
	}
	n, err := open(ctx, cfg, e.logger(cfg), command, parts{queue: true, attach: true})
	if err != nil {
		return err
	}
	defer n.Close()
	return fn(n.queue)
}

func deadList(e *env) *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use: "list", Short: "List them, newest first", Args: cobra.NoArgs,
		Example: "  presswatch dead list --limit 20",
		RunE: e.run(func(cmd *cobra.Command, _ []string) error {
			return e.withQueue(cmd.Context(), "dead list", func(q *queue.Kafka) error {
				letters, err := q.ListDead(cmd.Context(), limit)
				if err != nil {
					return err
				}
				return e.printDead(letters)
			})
		}),
	}
	c.Flags().IntVar(&limit, "limit", 100, "how many at the most; 0: all")
	return c
}

func (e *env) printDead(letters []presswatch.DeadLetter) error {
	if e.json {
		for _, l := range letters {
			if err := e.printJSON(l); err != nil {
				return err
			}
		}
		return nil
	}
	if len(letters) == 0 {
		fmt.Fprintln(e.stdout, "No dead letters.")
		return nil
	}
	w := tabwriter.NewWriter(e.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tTIME\tSTAGE\tTRIES\tFROM\tERROR")
	for _, l := range letters {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s/%d@%d\t%.100s\n", l.ID, l.Time.Local().Format("01-02 15:04:05"), l.Stage, l.Attempts, l.Topic, l.Part, l.Offset, plain(l.Error))
	}
	return w.Flush()
}

// plain makes a text of others safe for a terminal: one line, no escapes.
func plain(s string) string {
	out := make([]rune, 0, len(s))
	for _, r := range s {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			r = ' '
		}
		out = append(out, r)
	}
	return string(out)
}

func deadShow(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show one with its message", Args: cobra.ExactArgs(1),
		Example: "  presswatch dead show 0-17",
		RunE: e.run(func(cmd *cobra.Command, args []string) error {
			return e.withQueue(cmd.Context(), "dead show", func(q *queue.Kafka) error {
				l, err := q.DeadByID(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return e.showDead(l)
			})
		}),
	}
}

func (e *env) showDead(l presswatch.DeadLetter) error {
	var capture *presswatch.Capture
	if c, err := queue.DecodeCapture(l.Message); err == nil {
		capture = &c
	}
	if e.json {
		return e.printJSON(struct {
			presswatch.DeadLetter
			Capture *presswatch.Capture `json:"capture,omitempty"`
			Bytes   int                 `json:"bytes"`
		}{l, capture, len(l.Message.Value)})
	}
	fmt.Fprintf(e.stdout, "id        %s\nfrom      %s, partition %d, offset %d, group %s\nstage     %s\nattempts  %d\ntime      %s\nerror     %s (%s)\nmessage   %d bytes, key %s\n",
		l.ID, l.Topic, l.Part, l.Offset, l.Group, l.Stage, l.Attempts, l.Time.Local().Format("2006-01-02 15:04:05"), plain(l.Error), l.Code, len(l.Message.Value), plain(l.Message.Key))
	if capture != nil {
		fmt.Fprintf(e.stdout, "url       %s\nfetched   %s\nbody      %d bytes, %s\nevidence  %s\n", plain(capture.URL),
			capture.FetchedAt.Local().Format("2006-01-02 15:04:05"), len(capture.Body), plain(capture.ContentType), capture.Evidence)
	}
	return nil
}

func deadRetry(e *env) *cobra.Command {
	var all, dry bool
	c := &cobra.Command{
		Use: "retry ID... | --all", Short: "Send them back to where they came from",
		Example: "  presswatch dead retry 0-17 0-18\n  presswatch dead retry --all --dry-run",
		RunE: e.run(func(cmd *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return e.invalid("name the IDs to retry, or --all")
			}
			return e.withQueue(cmd.Context(), "dead retry", func(q *queue.Kafka) error {
				done, err := q.RetryDead(cmd.Context(), dry, args...)
				if err != nil {
					return err
				}
				if e.json {
					return e.printJSON(map[string]any{"retried": done, "dry_run": dry})
				}
				verb := "sent back; a worker takes them up"
				if dry {
					verb = "would be sent back"
				}
				fmt.Fprintf(e.stdout, "%d %s\n", done, verb)
				return nil
			})
		}),
	}
	c.Flags().BoolVar(&all, "all", false, "every dead letter")
	c.Flags().BoolVar(&dry, "dry-run", false, "only say how many")
	return c
}
