package app

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"presswatch"
	"presswatch/classifiers"
	"presswatch/internal/config"
	"presswatch/internal/evidence"
	"presswatch/internal/index"
	"presswatch/internal/obs"
	"presswatch/internal/queue"
	"presswatch/internal/store"
)

// node is the parts that a command works with, opened from one configuration.
// A part that the command does not ask for stays nil.
type node struct {
	cfg      config.Config
	log      *slog.Logger
	metrics  *obs.Metrics
	dir      *dataDir      // nil when nothing is kept on this machine, or when attached
	attached *running      // the process that holds the folder, when we use its broker
	broker   *queue.Broker // the embedded one
	queue    *queue.Kafka
	index    presswatch.Index
	db       *store.DB
	evidence *evidence.Store
	ensemble *classifiers.Ensemble

	closers []func() error
}

// parts says what a command needs.
type parts struct {
	queue, index, db, evidence, ensemble bool
	attach                               bool // another process may hold the folder: then use its broker
}

// open opens the parts for a command. What was opened is closed on an error.
func open(ctx context.Context, cfg config.Config, log *slog.Logger, command string, p parts) (n *node, err error) {
	n = &node{cfg: cfg, log: log, metrics: obs.NewMetrics()}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close())
			n = nil
		}
	}()
	if err := n.hold(ctx, command, p); err != nil {
		return n, err
	}
	for _, step := range []struct {
		want bool
		open func(context.Context) error
	}{
		{p.queue, n.openQueue}, {p.db, n.openStore}, {p.index, n.openIndex},
		{p.evidence, n.openEvidence}, {p.ensemble, n.openEnsemble},
	} {
		if !step.want {
			continue
		}
		if err := step.open(ctx); err != nil {
			return n, err
		}
	}
	return n, nil
}

// hold takes the data folder when a part is kept in it. With every part on
// servers nothing is: any number of processes may run beside one another.
func (n *node) hold(ctx context.Context, command string, p parts) error {
	log, idx, db := n.cfg.Embedded()
	if !(log && p.queue || idx && p.index || db && p.db) {
		return nil
	}
	dir, err := holdDataDir(n.cfg.Data, command)
	if h := (*held)(nil); p.attach && errors.As(err, &h) {
		r, waitErr := awaitRunning(ctx, n.cfg.Data)
		if waitErr != nil {
			return errors.Join(err, waitErr)
		}
		n.attached = &r
		return nil
	}
	if err != nil {
		return err
	}
	n.dir = dir
	n.closers = append(n.closers, dir.Close)
	return nil
}

// indexLinger is how long the index worker waits for more documents: an index
// takes fifty at once for little more than one.
const indexLinger = 150 * time.Millisecond

func (n *node) openQueue(ctx context.Context) error {
	brokers := n.cfg.Kafka.Brokers
	switch {
	case n.attached != nil:
		brokers = []string{n.attached.Kafka}
	case len(brokers) == 0:
		b, err := queue.StartBroker(ctx, queue.BrokerOptions{Dir: n.cfg.Path("log"), Log: n.log, Groups: n.groups()})
		if err != nil {
			return err
		}
		n.broker = b
		n.closers = append(n.closers, b.Close)
		brokers = []string{b.Addr()}
		n.dir.info.Kafka = b.Addr()
		if err := n.dir.publish(); err != nil {
			return err
		}
	}
	q, err := queue.Open(ctx, queue.Options{
		Brokers: brokers, Prefix: n.cfg.Kafka.Prefix, Partitions: n.cfg.Kafka.Partitions,
		Replication: n.cfg.Kafka.Replication, BatchMessages: n.cfg.Work.Batch, Log: n.log,
		Lingers: map[string]time.Duration{groupIndex: indexLinger},
	})
	if err != nil {
		return err
	}
	n.queue = q
	n.closers = append(n.closers, q.Close)
	return q.EnsureTopics(ctx)
}

// groups are the consumer groups of each topic as the log knows them: what all
// of them have done may be dropped from an embedded log.
func (n *node) groups() map[string][]string {
	out := map[string][]string{}
	for topic, groups := range groupsOf {
		for _, g := range groups {
			out[n.cfg.Kafka.Prefix+topic] = append(out[n.cfg.Kafka.Prefix+topic], n.cfg.Kafka.Prefix+g)
		}
	}
	return out
}

func (n *node) openStore(ctx context.Context) error {
	db, err := openDB(ctx, n.cfg, n.log)
	if err != nil {
		return err
	}
	n.db = db
	n.closers = append(n.closers, db.Close)
	return nil
}

// openDB opens the database alone: SQLite lets several processes in.
func openDB(ctx context.Context, cfg config.Config, log *slog.Logger) (*store.DB, error) {
	url := cfg.Database.URL
	if url == "" {
		if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
			return nil, presswatch.Errorf(presswatch.Invalid, "data folder: %w", err)
		}
		file := cfg.Path("presswatch.db")
		if st, err := os.Stat(file); err != nil || st.Size() == 0 {
			if _, err := os.Stat(cfg.Path(indexFolder)); err == nil {
				log.Warn("there is an archive but no database: cases and accounts begin empty; restore a backup if there were any", "file", file)
			}
		}
		url = "sqlite://" + file
	}
	return store.Open(ctx, url, log)
}

func (n *node) openIndex(ctx context.Context) error {
	if _, embedded, _ := n.cfg.Embedded(); embedded && n.attached != nil {
		return nil // the holder of the folder has it, and it is one process's alone
	}
	idx, err := n.newIndex(ctx)
	if err != nil {
		return err
	}
	n.index = idx
	n.closers = append(n.closers, idx.Close)
	return nil
}

// indexFolder is where the embedded archive is in the data folder.
const indexFolder = "index"

// recoverIndex finishes a reindex that was killed while it changed the old
// archive for the new, and says so when an archive is gone that was there.
func (n *node) recoverIndex() error {
	here := n.cfg.Path(indexFolder)
	if _, err := os.Stat(here); !errors.Is(err, os.ErrNotExist) {
		return nil
	}
	err := os.Rename(n.cfg.Path(indexFolder+".old"), here)
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if kept, _ := filepath.Glob(n.cfg.Path("evidence", "*.warc.gz")); len(kept) > 0 {
		n.log.Warn("there is evidence but no archive: it begins empty; presswatch reindex makes it anew", "folder", here)
	}
	return nil
}

func (n *node) newIndex(ctx context.Context) (presswatch.Index, error) {
	es := n.cfg.Elasticsearch
	if len(es.Addresses) == 0 {
		if err := n.recoverIndex(); err != nil {
			return nil, err
		}
		return index.OpenBleve(n.cfg.Path(indexFolder), n.log)
	}
	o := index.ElasticOptions{Addresses: es.Addresses, Username: es.Username, Password: es.Password,
		APIKey: es.APIKey, Prefix: es.Prefix, Log: n.log}
	if es.CACert != "" {
		pem, err := os.ReadFile(es.CACert)
		if err != nil {
			return nil, presswatch.Errorf(presswatch.Invalid, "elasticsearch.ca_cert: %w", err)
		}
		o.CACert = pem
	}
	return index.OpenElastic(ctx, o)
}

func (n *node) openEvidence(context.Context) error {
	ev, err := evidence.OpenStore(n.cfg.Path("evidence"), evidence.Options{Log: n.log})
	if err != nil {
		return err
	}
	n.evidence = ev
	n.closers = append(n.closers, ev.Close)
	return nil
}

func (n *node) openEnsemble(context.Context) error {
	e, err := classifiers.Default()
	if err != nil {
		return err
	}
	n.ensemble = e
	return nil
}

// Close closes what was opened, last first.
func (n *node) Close() error {
	var errs []error
	for i := len(n.closers) - 1; i >= 0; i-- {
		errs = append(errs, n.closers[i]())
	}
	n.closers = nil
	return errors.Join(errs...)
}
