package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"time"

	"presswatch"
	"presswatch/crawlers"
	"presswatch/internal/config"
	"presswatch/internal/demo"
	"presswatch/internal/fetch"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

// drainLimit is how long a stopping process may finish what it has begun.
const drainLimit = 8 * time.Second

// roles says which parts of the program this process plays.
type roles struct{ crawl, work, serve, demo bool }

func upCommand(e *env) *cobra.Command {
	var r roles
	c := &cobra.Command{
		Use:   "up",
		Short: "Run everything in one process: crawl, work and serve",
		Long: `Runs the crawlers, the pipeline and the pages in one process, with everything it
needs inside: nothing has to be installed. Kafka, Elasticsearch and PostgreSQL
are used instead where the configuration names them.

While nobody has a password it prints a one-time sign-in link for the administrator.
The demo keeps its data in presswatch-demo, unless --data names another folder.`,
		Example: `  presswatch up --demo                 sample newsrooms, a queue to try within a minute
  presswatch up                        the sources of sources.yaml
  presswatch up --config big.yaml      with Kafka, Elasticsearch and PostgreSQL`,
		Args: cobra.NoArgs,
		RunE: e.run(func(cmd *cobra.Command, _ []string) error {
			r.crawl, r.work, r.serve = true, true, true
			return e.serveRoles(cmd.Context(), "up", r)
		}),
	}
	c.Flags().BoolVar(&r.demo, "demo", false, "crawl sample newsrooms served on loopback, into a data folder of their own")
	c.Flags().Func("addr", "host:port of pages and API (default 127.0.0.1:8080)", e.key("http.addr"))
	c.Flags().Func("sources", "sources file (default sources.yaml)", e.key("sources"))
	return c
}

func crawlCommand(e *env) *cobra.Command {
	c := &cobra.Command{
		Use:     "crawl",
		Short:   "Run the crawlers alone",
		Long:    "Visits the sources of the sources file on their schedules and publishes what is new.",
		Example: "  presswatch crawl --sources sources.yaml --config presswatch.yaml",
		Args:    cobra.NoArgs,
		RunE: e.run(func(cmd *cobra.Command, _ []string) error {
			return e.serveRoles(cmd.Context(), "crawl", roles{crawl: true})
		}),
	}
	c.Flags().Func("sources", "sources file (default sources.yaml)", e.key("sources"))
	return c
}

// serveRoles opens the parts, runs the roles until ctx ends, and closes.
func (e *env) serveRoles(ctx context.Context, command string, r roles) error {
	if r.demo && e.flags["data"] == nil {
		e.flags["data"] = "presswatch-demo"
	}
	cfg, err := e.config()
	if err != nil {
		return err
	}
	log := e.logger(cfg)
	var allow []netip.Prefix
	var sources []crawlers.Source
	if r.crawl {
		if sources, allow, err = e.sources(ctx, cfg, log, r.demo, r.serve); err != nil {
			return err
		}
	}
	n, err := open(ctx, cfg, log, command, parts{queue: true, db: true,
		index: r.work || r.serve, evidence: r.crawl, ensemble: r.work})
	if err != nil {
		return err
	}
	if err = e.runRoles(ctx, n, r, sources, allow); errors.Is(err, errUndrained) {
		return nil
	}
	return errors.Join(err, n.Close())
}

// sources reads the sources file, or starts the sample newsrooms. Where the
// desk is of use without crawlers, the default file need not be there.
func (e *env) sources(ctx context.Context, cfg config.Config, log *slog.Logger, sample, optional bool) ([]crawlers.Source, []netip.Prefix, error) {
	if !sample {
		s, err := crawlers.LoadSources(cfg.Sources)
		if errors.Is(err, os.ErrNotExist) && optional && cfg.Sources == config.Default().Sources {
			fmt.Fprintf(e.stderr, "presswatch: no %s here, so nothing is crawled\n", cfg.Sources)
			return nil, nil, nil
		}
		if errors.Is(err, os.ErrNotExist) {
			err = presswatch.Errorf(presswatch.Invalid, "no sources file %s: make one with `presswatch sources add`, name another with --sources, or try `presswatch up --demo`", cfg.Sources)
		}
		return s, cfg.AllowedNets(), err
	}
	sites, err := demo.Start(ctx, demo.Options{Log: log, Port: demoPort})
	if err != nil {
		return nil, nil, err
	}
	s, err := crawlers.ParseSources("demo", sites.SourcesYAML())
	return s, sites.AllowNet(), err
}

// runRoles runs what was asked for until ctx ends or a part fails. When ctx
// ends the crawlers stop first, then the workers, each finishing what it has
// begun; a part that does not end in time is left to the next start, which
// does the unfinished work again.
func (e *env) runRoles(ctx context.Context, n *node, r roles, sources []crawlers.Source, allow []netip.Prefix) error {
	if n.dir != nil {
		n.dir.info.Work = r.work
		if err := n.dir.publish(); err != nil {
			return err
		}
	}
	var crawler *crawlers.Crawler
	if r.crawl {
		crawler = n.crawler(sources, allow, r.demo)
	}
	var s *server
	if r.serve { // before anything works: a port in use should be all that is said
		var err error
		if s, err = n.newServer(ctx, crawler); err != nil {
			return err
		}
		if err := e.greet(ctx, n, s.base); err != nil {
			return errors.Join(err, s.listener.Close())
		}
	}
	g, gctx := errgroup.WithContext(ctx)
	if r.crawl {
		g.Go(func() error { return crawler.Run(gctx) })
	}
	if r.work {
		g.Go(func() error { return n.work(gctx) })
	}
	if r.serve {
		g.Go(func() error { return s.run(gctx) })
	}
	done := make(chan error, 1)
	go func() { done <- g.Wait() }()
	select {
	case err := <-done:
		return quiet(ctx, err)
	case <-ctx.Done():
	}
	fmt.Fprintln(e.stderr, "presswatch: stopping; what has begun is finished first")
	select {
	case err := <-done:
		return quiet(ctx, err)
	case <-time.After(drainLimit):
		n.log.Warn("not everything was finished in time; the next start does it again")
		return errUndrained
	}
}

// errUndrained says that parts are still at work: they are not closed under
// their hands, the end of the process ends them, as a kill would.
var errUndrained = errors.New("not drained")

// quiet forgets the error that stopping itself makes.
func quiet(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// demoPort is the first of the ports of the sample newsrooms: the same at each
// start, so that their articles keep their addresses.
const demoPort = 18210

// demoPace keeps the sample newsrooms quick: they are ours.
const demoPace = 20 * time.Millisecond

// paceOf is a pace as the fetch client takes it: there, zero asks for its
// default and a negative one for none.
func paceOf(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}

func (n *node) fetchClient(allow []netip.Prefix, pace time.Duration) *fetch.Client {
	c := n.cfg.Crawl
	return fetch.New(fetch.Options{AllowNet: allow, UserAgent: c.UserAgent, Pace: paceOf(pace),
		PerHost: c.PerHost, Timeout: c.Timeout, Log: n.log})
}

func (n *node) crawler(sources []crawlers.Source, allow []netip.Prefix, sample bool) *crawlers.Crawler {
	pace := n.cfg.Crawl.Pace
	if sample {
		pace = demoPace
	}
	return crawlers.New(crawlers.Deps{
		Sources: sources, Fetch: n.fetchClient(allow, pace), Cursors: n.db,
		Publish:     n.publishCapture,
		Now:         time.Now,
		Log:         n.log,
		Concurrency: n.cfg.Crawl.Parallel,
	})
}

// publishCapture keeps the evidence, then puts the capture into the log: what
// is in the log can always be shown as it came.
func (n *node) publishCapture(ctx context.Context, c presswatch.Capture) error {
	return n.publishCaptures(ctx, presswatch.TopicCaptures, "crawl", []presswatch.Capture{c})
}
