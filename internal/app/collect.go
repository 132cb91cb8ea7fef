package app

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
	"time"

	"presswatch"
	"presswatch/crawlers"
	"presswatch/internal/config"
	"presswatch/internal/fetch"
	"presswatch/internal/jsonl"
	"presswatch/pipeline"

	"github.com/spf13/cobra"
)

type collectOptions struct {
	urls     string
	allowNet []string
	pace     time.Duration
	workers  int
}

func collectCommand(e *env) *cobra.Command {
	var o collectOptions
	c := &cobra.Command{
		Use:   "collect [URL...]",
		Short: "Fetch pages politely, extract them, print JSON lines, keep nothing",
		Long: `Fetches each address (robots.txt obeyed, a pause between two requests to one
host), extracts it, and prints one JSON line as it is done: url, final_url, status, title,
text and the other fields of extract, or error. Private addresses are refused unless
--allow-net names them.`,
		Example: `  presswatch collect https://example.org/news/1
  presswatch collect --urls urls.txt > pages.jsonl
  presswatch collect --urls - --allow-net 127.0.0.0/8 --pace 0 < urls.txt`,
		RunE: e.run(func(cmd *cobra.Command, args []string) error { return e.collect(cmd.Context(), o, args) }),
	}
	f := c.Flags()
	f.StringVar(&o.urls, "urls", "", "file of addresses, one a line; - is standard input")
	f.StringSliceVar(&o.allowNet, "allow-net", nil, "private networks that may be fetched from (CIDR), for tests on loopback")
	f.DurationVar(&o.pace, "pace", time.Second, "least time between two requests to one host")
	f.IntVar(&o.workers, "workers", 32, "requests under way at once, over all hosts")
	return c
}

func (e *env) collect(ctx context.Context, o collectOptions, args []string) error {
	if len(args) == 0 && o.urls == "" {
		return e.invalid("name the addresses to fetch, or a file of them with --urls")
	}
	cfg, err := e.config()
	if err != nil {
		return err
	}
	allow := cfg.AllowedNets()
	for _, s := range o.allowNet {
		p, err := config.ParseNet(s)
		if err != nil {
			return e.invalid("--allow-net: %q is not an address or CIDR", s)
		}
		allow = append(allow, p)
	}
	log := e.logger(cfg)
	client := fetch.New(fetch.Options{AllowNet: allow, UserAgent: cfg.Crawl.UserAgent, Pace: paceOf(o.pace),
		PerHost: cfg.Crawl.PerHost, Timeout: cfg.Crawl.Timeout, Log: log})
	urls, err := e.addresses(args, o.urls)
	if err != nil {
		return err
	}
	defer urls.close()
	c := &collector{out: bufio.NewWriterSize(e.stdout, 1<<16), chain: pipeline.Extracting(pipeline.Deps{Log: log})}
	err = c.run(ctx, client, urls.all, o.workers, cfg.Parallel())
	if err == nil {
		err = urls.err
	}
	if flushErr := c.out.Flush(); err == nil {
		err = flushErr
	}
	if err == nil && c.bad > 0 {
		fmt.Fprintf(e.stderr, "presswatch: %d collected, %d failed: their lines carry \"error\"\n", c.ok, c.bad)
		return errSilent
	}
	return err
}

// maxAddress is the longest line of a file of addresses, in bytes.
const maxAddress = 64 << 10

// addressList is where the addresses come from: the arguments, then the lines
// of the file.
type addressList struct {
	args []string
	in   io.ReadCloser // nil without a file
	err  error         // of reading it, once all has been taken
}

func (e *env) addresses(args []string, file string) (*addressList, error) {
	l := &addressList{args: args}
	if file == "" {
		return l, nil
	}
	var err error
	l.in, _, err = e.input(file)
	return l, err
}

// all yields the addresses, without empty lines and comments.
func (l *addressList) all(yield func(string) bool) {
	for _, a := range l.args {
		if !yield(a) {
			return
		}
	}
	if l.in == nil {
		return
	}
	r := bufio.NewReaderSize(l.in, maxAddress)
	for n := 1; ; n++ {
		line, err := r.ReadString('\n')
		switch line = strings.TrimSpace(line); {
		case len(line) > maxAddress: // no address; said so in the place of its result
			line = fmt.Sprintf("line %d: longer than %d bytes", n, maxAddress)
			fallthrough
		case line != "" && !strings.HasPrefix(line, "#"):
			if !yield(line) {
				return
			}
		}
		if err != nil {
			if err != io.EOF {
				l.err = presswatch.Errorf(presswatch.Unavailable, "addresses: after line %d: %w", n, err)
			}
			return
		}
	}
}

func (l *addressList) close() {
	if l.in != nil {
		l.in.Close()
	}
}

// collector prints what is fetched as it comes.
type collector struct {
	chain pipeline.Chain

	mu      sync.Mutex // guards what follows
	out     *bufio.Writer
	ok, bad int
	err     error // of writing
}

// fetched is what became of one address.
type fetched struct {
	url     string
	capture presswatch.Capture
	err     error
}

// run fetches with some workers and extracts with others: waiting for servers
// must not hold up the processor, nor the other way round.
func (c *collector) run(ctx context.Context, client *fetch.Client, urls iter.Seq[string], fetchers, extractors int) error {
	done := make(chan fetched)
	var wg sync.WaitGroup
	for range extractors {
		wg.Go(func() {
			for f := range done {
				c.write(c.record(ctx, f))
			}
		})
	}
	err := crawlers.Collect(ctx, client, urls, fetchers, func(url string, capture presswatch.Capture, err error) error {
		done <- fetched{url, capture, err}
		return nil
	})
	close(done)
	wg.Wait()
	if err == nil {
		err = c.err
	}
	return err
}

// record is one line of output: what extract says of the page, or why there is
// nothing to say.
func (c *collector) record(ctx context.Context, f fetched) jsonl.Record {
	r := jsonl.Record{}
	if f.capture.Status != 0 {
		r.Set("status", f.capture.Status)
	}
	if f.capture.Truncated {
		r.Set("truncated", true)
	}
	it := pipeline.Item{Capture: f.capture}
	err := f.err
	if err == nil {
		r.Set("final_url", f.capture.Address())
		err = c.chain.Run(ctx, &it)
	}
	if err == nil && it.Dropped != "" {
		err = presswatch.Errorf(presswatch.Invalid, "%s", it.Dropped)
	}
	if err != nil {
		r.Set("error", err.Error())
	} else {
		pipeline.SetFields(r, it.Doc)
	}
	r.Set("url", f.url)
	return r
}

func (c *collector) write(r jsonl.Record) {
	b, err := json.Marshal(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	if r["error"] == nil {
		c.ok++
	} else {
		c.bad++
	}
	if err == nil {
		_, err = c.out.Write(append(b, '\n'))
	}
	if err == nil {
		err = c.out.Flush()
	}
	if c.err == nil {
		c.err = err
	}
}
