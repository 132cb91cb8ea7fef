package app

import (
	"context"
	"fmt"
	"text/tabwriter"

	"presswatch"
	"presswatch/crawlers"
	"presswatch/internal/fetch"

	"github.com/spf13/cobra"
)

func sourcesCommand(e *env) *cobra.Command {
	c := &cobra.Command{
		Use:     "sources",
		Short:   "The sources to crawl: list, check, add",
		Example: "  presswatch sources list\n  presswatch sources check vnexpress\n  presswatch sources add --id daily --name Daily --kind feed --url https://example.org/rss",
	}
	c.PersistentFlags().Func("sources", "sources file (default sources.yaml)", e.key("sources"))
	c.AddCommand(sourcesList(e), sourcesCheck(e), sourcesAdd(e))
	return c
}

func sourcesList(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List them", Args: cobra.NoArgs, Example: "  presswatch sources list --json",
		RunE: e.run(func(*cobra.Command, []string) error {
			cfg, err := e.config()
			if err != nil {
				return err
			}
			all, err := crawlers.LoadSources(cfg.Sources)
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(e.stdout, 0, 4, 2, ' ', 0)
			if !e.json {
				fmt.Fprintln(w, "ID\tSTATE\tKIND\tLANG\tSCHEDULE\tURL")
			}
			for _, s := range all {
				if e.json {
					if err := e.printJSON(s); err != nil {
						return err
					}
					continue
				}
				state := "in use"
				if s.Disabled {
					state = "disabled"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, state, s.Kind, s.Lang, s.Schedule, s.URL)
			}
			return w.Flush()
		}),
	}
}

func sourcesCheck(e *env) *cobra.Command {
	var allow []string
	c := &cobra.Command{
		Use: "check [ID...]", Short: "Ask them: reachable, allowed by robots.txt, how many items",
		Example: "  presswatch sources check\n  presswatch sources check vnexpress --json",
		RunE: e.run(func(cmd *cobra.Command, args []string) error {
			if len(allow) > 0 {
				e.flags["crawl.allow_net"] = allow
			}
			cfg, err := e.config()
			if err != nil {
				return err
			}
			all, err := crawlers.LoadSources(cfg.Sources)
			if err != nil {
				return err
			}
			if all, err = pick(all, args); err != nil {
				return err
			}
			client := fetch.New(fetch.Options{AllowNet: cfg.AllowedNets(), UserAgent: cfg.Crawl.UserAgent, Pace: paceOf(cfg.Crawl.Pace),
				PerHost: cfg.Crawl.PerHost, Timeout: cfg.Crawl.Timeout, Log: e.logger(cfg)})
			return e.checkSources(cmd.Context(), client, all)
		}),
	}
	c.Flags().StringSliceVar(&allow, "allow-net", nil, "private networks that may be fetched from (CIDR)")
	return c
}

// pick keeps the named sources, in the order of the file; no names keep all.
func pick(all []crawlers.Source, ids []string) ([]crawlers.Source, error) {
	if len(ids) == 0 {
		return all, nil
	}
	byID := map[presswatch.SourceID]crawlers.Source{}
	for _, s := range all {
		byID[s.ID] = s
	}
	var out []crawlers.Source
	for _, id := range ids {
		s, ok := byID[presswatch.SourceID(id)]
		if !ok {
			return nil, presswatch.Errorf(presswatch.NotFound, "no source %q; presswatch sources list shows them", id)
		}
		out = append(out, s)
	}
	return out, nil
}

func (e *env) checkSources(ctx context.Context, client *fetch.Client, all []crawlers.Source) error {
	failed := 0
	for _, s := range all {
		r := crawlers.Check(ctx, client, s)
		if r.Error != "" {
			failed++
		}
		if e.json {
			if err := e.printJSON(r); err != nil {
				return err
			}
			continue
		}
		if r.Error != "" {
			fmt.Fprintf(e.stdout, "FAILED  %-24s %s\n", s.ID, plain(r.Error))
			continue
		}
		fmt.Fprintf(e.stdout, "ok      %-24s %d items\n", s.ID, r.Items)
	}
	if failed > 0 {
		fmt.Fprintf(e.stderr, "presswatch: %d of %d sources failed\n", failed, len(all))
		return errSilent
	}
	return nil
}

func sourcesAdd(e *env) *cobra.Command {
	var s crawlers.Source
	var id string
	c := &cobra.Command{
		Use: "add", Short: "Add one to the file, keeping its comments", Args: cobra.NoArgs,
		Example: "  presswatch sources add --id daily --name \"Daily News\" --kind feed --url https://example.org/rss --lang en",
		RunE: e.run(func(*cobra.Command, []string) error {
			cfg, err := e.config()
			if err != nil {
				return err
			}
			s.ID = presswatch.SourceID(id)
			if err := crawlers.AddSource(cfg.Sources, s); err != nil {
				return err
			}
			fmt.Fprintf(e.stdout, "%s added to %s. Next: presswatch sources check %s\n", s.ID, cfg.Sources, s.ID)
			return nil
		}),
	}
	f := c.Flags()
	f.StringVar(&id, "id", "", "short name, a-z 0-9 - . _, never changed again")
	f.StringVar(&s.Name, "name", "", "name as people see it")
	f.StringVar(&s.Kind, "kind", "feed", "feed, site or posts")
	f.StringVar(&s.URL, "url", "", "the feed, or the section page")
	f.StringVar(&s.Lang, "lang", "", "language, when the pages do not say")
	f.StringVar(&s.Schedule, "schedule", "", "cron fields, or \"@every 10m\"")
	f.DurationVar(&s.Jitter, "jitter", 0, "up to so much later, at random")
	return c
}
