package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"presswatch"
	"presswatch/api"
	"presswatch/crawlers"
	"presswatch/dashboards"
	"presswatch/internal/auth"
	"presswatch/internal/config"
	"presswatch/internal/queue"
	"presswatch/internal/web"

	"github.com/spf13/cobra"
)

func serveCommand(e *env) *cobra.Command {
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the pages and the API alone",
		Long: `Serves the review desk and the API. It listens on loopback unless http.addr says
otherwise; put a proxy with TLS in front of it then, and set http.secure.`,
		Example: "  presswatch serve --addr 127.0.0.1:9000",
		Args:    cobra.NoArgs,
		RunE: e.run(func(cmd *cobra.Command, _ []string) error {
			return e.serveRoles(cmd.Context(), "serve", roles{serve: true})
		}),
	}
	c.Flags().Func("addr", "host:port to listen on (default 127.0.0.1:8080)", e.key("http.addr"))
	return c
}

// baseURL is how people reach an address.
func baseURL(secure bool, addr string) string {
	if secure {
		return "https://" + addr
	}
	return "http://" + addr
}

// server is the pages and the API on one listener.
type server struct {
	http     *http.Server
	listener net.Listener
	base     string
}

func (n *node) newServer(ctx context.Context, crawler *crawlers.Crawler) (*server, error) {
	l, err := net.Listen("tcp", n.cfg.HTTP.Addr)
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Conflict, "http.addr: %w; stop what uses the port, or choose another with --addr", err)
	}
	s := &server{listener: l, base: baseURL(n.cfg.HTTP.Secure, l.Addr().String())}
	token := newToken()
	if n.dir != nil {
		n.dir.info.API, n.dir.info.Token = "http://"+l.Addr().String(), token
		if err := n.dir.publish(); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	manager := n.auth()
	mux := http.NewServeMux()
	program := api.New(api.Deps{
		Cases: n.db, Index: n.index, Users: n.db, Auth: manager, Dead: deadLetters{n.queue},
		Sources: func() []api.SourceStatus { return sourceStatus(crawler) },
		Ready:   n.ready, Metrics: n.metrics.Handler(), Token: token,
		Now: time.Now, Log: n.log, Version: Version,
	}).Handler()
	for _, p := range api.Paths() {
		mux.Handle(p, program)
	}
	mux.Handle("/", dashboards.New(dashboards.Deps{
		Cases: n.db, Index: n.index, Users: n.db, Auth: manager, Now: time.Now, Log: n.log, Version: Version,
		Health: (&health{ready: n.ready}).lines,
	}))
	s.http = &http.Server{
		Handler: behindProxies(n.cfg.Proxies(), n.cfg.HTTP.Secure, withHeaders(manager.Wrap(mux))), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	return s, nil
}

// withHeaders gives every answer the headers, whoever makes it; the API and the
// pages set policies of their own over this one.
func withHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.SetHeaders(w.Header(), "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		next.ServeHTTP(w, r)
	})
}

func (n *node) auth() *auth.Manager {
	return auth.New(auth.Options{Users: n.db, Sessions: n.db.Sessions(), Links: n.db, Now: time.Now, Secure: n.cfg.HTTP.Secure, Log: n.log})
}

// run serves until ctx ends, then lets the requests under way finish.
func (s *server) run(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(s.listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainLimit/2)
	defer cancel()
	if err := s.http.Shutdown(end); err != nil {
		return s.http.Close()
	}
	return nil
}

// readyParts are the parts that a running service depends on.
var readyParts = []string{"log", "archive", "database"}

// ready asks each part whether it answers; nil means that it does.
func (n *node) ready(ctx context.Context) map[string]error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	_, logErr := n.queue.Lag(ctx, presswatch.TopicCaptures, groupPipeline)
	_, indexErr := n.index.Search(ctx, presswatch.Query{Text: "*"})
	return map[string]error{"log": logErr, "archive": indexErr, "database": n.db.Ping(ctx)}
}

// healthAge is how old an answer about the parts may be on a page.
const healthAge = 5 * time.Second

// health remembers how the parts were, so that not every page asks them all.
type health struct {
	ready func(context.Context) map[string]error

	mu   sync.Mutex
	at   time.Time
	last []dashboards.HealthLine
}

func (h *health) lines(ctx context.Context) []dashboards.HealthLine {
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.at) < healthAge {
		return h.last
	}
	errs := h.ready(ctx)
	h.last = nil
	for _, part := range readyParts {
		line := dashboards.HealthLine{Name: part, OK: errs[part] == nil}
		if !line.OK {
			line.Detail = errs[part].Error()
		}
		h.last = append(h.last, line)
	}
	h.at = time.Now()
	return h.last
}

// deadLetters shows the dead-letter topic to the API.
type deadLetters struct{ q *queue.Kafka }

func (d deadLetters) List(ctx context.Context, after string, limit int) ([]presswatch.DeadLetter, string, error) {
	all, err := d.q.ListDead(ctx, 0)
	if err != nil {
		return nil, "", err
	}
	slices.SortFunc(all, func(a, b presswatch.DeadLetter) int { return compareIDs(b.ID, a.ID) })
	if after != "" { // the letter itself may have gone back meanwhile
		all = slices.DeleteFunc(all, func(l presswatch.DeadLetter) bool { return compareIDs(l.ID, after) >= 0 })
	}
	if len(all) <= limit {
		return all, "", nil
	}
	return all[:limit], all[limit-1].ID, nil
}

// compareIDs orders IDs of dead letters, "partition-offset", by their numbers.
func compareIDs(a, b string) int {
	var ap, ao, bp, bo int64
	fmt.Sscanf(a, "%d-%d", &ap, &ao)
	fmt.Sscanf(b, "%d-%d", &bp, &bo)
	return cmp.Or(cmp.Compare(ap, bp), cmp.Compare(ao, bo))
}

func (d deadLetters) Show(ctx context.Context, id string) (presswatch.DeadLetter, error) {
	return d.q.DeadByID(ctx, id)
}

func (d deadLetters) Retry(ctx context.Context, id string) error {
	_, err := d.q.RetryDead(ctx, false, id)
	return err
}

func sourceStatus(c *crawlers.Crawler) []api.SourceStatus {
	if c == nil {
		return nil
	}
	var out []api.SourceStatus
	for _, s := range c.Status() {
		out = append(out, api.SourceStatus{ID: s.ID, Kind: s.Kind, URL: s.URL,
			LastRun: s.LastRun, NextRun: s.Next, Collected: int64(s.Published), Failures: s.Errors, LastError: s.LastError})
	}
	return out
}

// adminLogin is the account of the first start.
const adminLogin = "admin"

// greet says where the pages are. While nobody has a password, so that nobody
// could sign in, it makes a one-time link for the administrator.
func (e *env) greet(ctx context.Context, n *node, base string) error {
	fmt.Fprintf(e.stderr, "presswatch: pages and API at %s\n", base)
	users, err := n.db.ListUsers(ctx)
	if err != nil {
		return err
	}
	for _, u := range users {
		if u.Hash != "" && !u.Disabled {
			return nil
		}
	}
	admin := presswatch.User{Login: adminLogin, Name: "Administrator", Role: presswatch.RoleAdmin, CreatedAt: time.Now().UTC()}
	err = n.db.AddUser(ctx, admin)
	if presswatch.CodeOf(err) == presswatch.Conflict {
		admin, err = n.db.UserByLogin(ctx, adminLogin)
	}
	if err != nil {
		return err
	}
	if admin.Disabled || admin.Role != presswatch.RoleAdmin {
		fmt.Fprintf(e.stderr, "presswatch: no administrator can sign in: presswatch user role %s admin%s, and enabled\n", adminLogin, e.here(n.cfg))
		return nil
	}
	token, err := n.auth().NewLink(ctx, adminLogin, 24*time.Hour)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stderr, "presswatch: sign in once, as %s, at\n\n    %s/sign-in/%s\n\npresswatch: to sign in later, set a password: presswatch user passwd %s%s\n", adminLogin, base, token, adminLogin, e.here(n.cfg))
	return nil
}

// here is the flags that lead another command to the same data.
func (e *env) here(cfg config.Config) string {
	s := ""
	if e.configFile != "" {
		s += " --config " + e.configFile
	}
	if cfg.Data != config.Default().Data {
		s += " --data " + cfg.Data
	}
	return s
}
