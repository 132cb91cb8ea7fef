package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"presswatch"
	"presswatch/internal/index"

	"github.com/spf13/cobra"
)

// searchPage is how many hits are asked for at once.
const searchPage = 100

type searchOptions struct {
	since, until, sort     string
	sources, langs, levels []string
	kinds, stories         []string
	minRisk                float64
	limit                  int
}

func searchCommand(e *env) *cobra.Command {
	var o searchOptions
	c := &cobra.Command{
		Use:   "search QUERY",
		Short: "Search the archive",
		Long: `Finds documents in the archive. All words must occur; "a phrase" in quotes; AND, OR,
NOT, -word and ( ) as usual; '*' matches all. Words without marks find words
with them ("dak lak" finds "Đắk Lắk"); words with marks prefer those that have
them. A query that begins with - goes behind --. With --json each document is one line.`,
		Example: `  presswatch search 'đắk lắk "lũ quét"' --since 2026-11-01
  presswatch search '*' --risk high --json --limit 0 > flagged.jsonl`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return presswatch.Errorf(presswatch.Invalid, "one query is wanted: put it in quotes, '%s'", strings.Join(args, " "))
			}
			return nil
		},
		RunE: e.run(func(cmd *cobra.Command, args []string) error { return e.search(cmd.Context(), o, args[0]) }),
	}
	f := c.Flags()
	f.StringVar(&o.since, "since", "", "from this day or time on (2026-11-01, or RFC 3339)")
	f.StringVar(&o.until, "until", "", "before this day or time")
	f.StringSliceVar(&o.sources, "source", nil, "sources")
	f.StringSliceVar(&o.langs, "lang", nil, "languages, such as vi or hi")
	f.StringSliceVar(&o.levels, "risk", nil, "levels: low, review, high")
	f.StringSliceVar(&o.kinds, "kind", nil, "article or post")
	f.StringSliceVar(&o.stories, "story", nil, "stories, by ID")
	f.Float64Var(&o.minRisk, "min-risk", 0, "at least this risk, 0 to 1")
	f.StringVar(&o.sort, "sort", "", "relevance, newest or risk")
	f.IntVar(&o.limit, "limit", 20, "how many at the most; 0: all")
	return c
}

// check says which flag is wrong.
func (o searchOptions) check() error {
	for _, f := range []struct {
		flag    string
		given   []string
		allowed []string
	}{
		{"--risk", o.levels, []string{string(presswatch.Low), string(presswatch.Review), string(presswatch.High)}},
		{"--kind", o.kinds, []string{string(presswatch.Article), string(presswatch.Post)}},
		{"--sort", []string{o.sort}, []string{"", string(presswatch.ByRelevance), string(presswatch.ByNewest), string(presswatch.ByRisk)}},
	} {
		for _, v := range f.given {
			if !slices.Contains(f.allowed, v) {
				return presswatch.Errorf(presswatch.Invalid, "%s: %q is not one of %s", f.flag, v, strings.TrimSpace(strings.Join(f.allowed, " ")))
			}
		}
	}
	if o.minRisk < 0 || o.minRisk > 1 {
		return presswatch.Errorf(presswatch.Invalid, "--min-risk: %v is not between 0 and 1", o.minRisk)
	}
	if o.limit < 0 {
		return presswatch.Errorf(presswatch.Invalid, "--limit: %d is negative; 0 means all", o.limit)
	}
	return nil
}

func (o searchOptions) query(text string) (presswatch.Query, error) {
	if err := o.check(); err != nil {
		return presswatch.Query{}, err
	}
	q := presswatch.Query{Text: text, Langs: o.langs, MinRisk: o.minRisk, Sort: presswatch.Sort(o.sort), Limit: searchPage}
	for _, s := range o.sources {
		q.Sources = append(q.Sources, presswatch.SourceID(s))
	}
	for _, s := range o.levels {
		q.Levels = append(q.Levels, presswatch.Level(s))
	}
	for _, s := range o.kinds {
		q.Kinds = append(q.Kinds, presswatch.Kind(s))
	}
	for _, s := range o.stories {
		q.Stories = append(q.Stories, presswatch.StoryID(s))
	}
	var err error
	if q.Since, err = parseWhen("--since", o.since); err != nil {
		return q, err
	}
	if q.Until, err = parseWhen("--until", o.until); err != nil {
		return q, err
	}
	return q, index.CheckQuery(text)
}

func parseWhen(flag, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.ParseInLocation("2006-01-02", s, time.Local); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, presswatch.Errorf(presswatch.Invalid, "%s: %q is neither a day (2026-11-01) nor RFC 3339", flag, s)
	}
	return t, nil
}

// searcher answers one page of a query.
type searcher func(context.Context, presswatch.Query) (presswatch.Result, error)

func (e *env) search(ctx context.Context, o searchOptions, text string) error {
	q, err := o.query(text)
	if err != nil {
		return e.usage(err)
	}
	cfg, err := e.config()
	if err != nil {
		return err
	}
	if _, embedded, _ := cfg.Embedded(); embedded {
		if _, err := os.Stat(cfg.Data); err != nil {
			return presswatch.Errorf(presswatch.NotFound, "no data folder %s here; name it with --data", cfg.Data)
		}
	}
	n, err := open(ctx, cfg, e.logger(cfg), "search", parts{index: true})
	if h := (*held)(nil); errors.As(err, &h) && h.by.API != "" {
		return e.printHits(ctx, o.limit, q, h.by.search)
	}
	if err != nil {
		return err
	}
	defer n.Close()
	return e.printHits(ctx, o.limit, q, n.index.Search)
}

// usage makes err a usage error.
func (e *env) usage(err error) error {
	e.ran = false
	return err
}

func (e *env) printHits(ctx context.Context, limit int, q presswatch.Query, search searcher) error {
	shown := 0
	for {
		if limit > 0 {
			q.Limit = min(searchPage, limit-shown)
		}
		r, err := search(ctx, q)
		if err != nil {
			return err
		}
		for _, h := range r.Hits {
			if err := e.printHit(h); err != nil {
				return err
			}
		}
		shown += len(r.Hits)
		if r.Next == "" || len(r.Hits) == 0 || limit > 0 && shown >= limit {
			if !e.json {
				fmt.Fprintf(e.stdout, "%d of %d\n", shown, r.Total)
			}
			return nil
		}
		q.After = r.Next
	}
}

func (e *env) printHit(h presswatch.Hit) error {
	d := h.Document
	if e.json {
		return e.printJSON(d)
	}
	_, err := fmt.Fprintf(e.stdout, "%s  %-6s %.2f  %s  %s\n    %s\n", d.Date().Local().Format("2006-01-02 15:04"),
		d.Verdict.Level, d.Verdict.Risk, d.Language, plain(d.Title), plain(d.CanonicalURL))
	return err
}

// search asks the process that holds the archive, by its API.
func (r running) search(ctx context.Context, q presswatch.Query) (presswatch.Result, error) {
	v := url.Values{"q": {q.Text}, "limit": {strconv.Itoa(q.Limit)}, "after": {q.After}, "sort": {string(q.Sort)}}
	add := func(name string, vals ...string) {
		if len(vals) > 0 {
			v[name] = vals
		}
	}
	add("source", toStrings(q.Sources)...)
	add("lang", q.Langs...)
	add("level", toStrings(q.Levels)...)
	add("kind", toStrings(q.Kinds)...)
	add("story", toStrings(q.Stories)...)
	if q.MinRisk > 0 {
		add("min_risk", strconv.FormatFloat(q.MinRisk, 'g', -1, 64))
	}
	if !q.Since.IsZero() {
		add("since", q.Since.Format(time.RFC3339))
	}
	if !q.Until.IsZero() {
		add("until", q.Until.Format(time.RFC3339))
	}
	for k, vals := range v {
		if vals[0] == "" {
			delete(v, k)
		}
	}
	var page struct {
		Items []presswatch.Hit `json:"items"`
		Total int              `json:"total"`
		Next  string           `json:"cursor"`
	}
	err := r.get(ctx, "/v1/documents?"+v.Encode(), &page)
	return presswatch.Result{Hits: page.Items, Total: page.Total, Next: page.Next}, err
}

func toStrings[S ~string](in []S) []string {
	out := make([]string, len(in))
	for i, s := range in {
		out[i] = string(s)
	}
	return out
}

// get asks the API of the process that holds the data folder, and waits as
// long as it is told to when it asks too fast.
func (r running) get(ctx context.Context, path string, into any) error {
	for {
		resp, err := r.ask(ctx, path)
		if err != nil {
			return presswatch.Errorf(presswatch.Unavailable, "%s does not answer: %w", r, err)
		}
		if resp.StatusCode == http.StatusTooManyRequests {
			seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
			resp.Body.Close()
			if err := pause(ctx, time.Duration(max(1, seconds))*time.Second); err != nil {
				return err
			}
			continue
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			var p struct{ Detail string }
			_ = json.NewDecoder(io.LimitReader(resp.Body, 1<<16)).Decode(&p)
			return presswatch.Errorf(presswatch.Unavailable, "%s: %s %s", r, resp.Status, p.Detail)
		}
		return json.NewDecoder(resp.Body).Decode(into)
	}
}

func (r running) ask(ctx context.Context, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.API+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+r.Token)
	return http.DefaultClient.Do(req)
}
