package store

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"presswatch"
)

// engine is which of the two databases it is.
type engine int

const (
	sqlite engine = iota
	postgres
)

const (
	// busyWait is how long SQLite waits for another process to finish writing.
	busyWait = 10 * time.Second
	// sqliteReaders is how many reads run beside the one writer.
	sqliteReaders = 4
	// postgresConns is how many connections one process takes of a server.
	postgresConns = 12
	// connectTimeout is for reaching a server, when the URL says nothing.
	connectTimeout = 5 * time.Second
)

const urlForms = `"sqlite:///path/to/file.db" or "postgres://user:password@host:port/name"`

// connect makes the handles; nothing is read or written but SQLite's empty
// files.
func (db *DB) connect(raw string) error {
	scheme, rest, ok := strings.Cut(raw, "://")
	switch {
	case ok && scheme == "sqlite":
		return db.connectSQLite(rest)
	case ok && (scheme == "postgres" || scheme == "postgresql"):
		return db.connectPostgres(raw)
	default:
		return presswatch.Errorf(presswatch.Invalid, "database.url: want %s", urlForms)
	}
}

func (db *DB) connectSQLite(path string) error {
	if path == "" || strings.HasSuffix(path, "/") || strings.ContainsAny(path, "\x00?#") || strings.HasPrefix(path, ":") {
		return presswatch.Errorf(presswatch.Invalid, "database.url: %q does not name a file; want %s", path, urlForms)
	}
	db.engine, db.place = sqlite, path
	stories := strings.TrimSuffix(path, ".db") + "-stories.db"
	for _, p := range []string{path, stories} {
		if err := makeFile(p); err != nil {
			return presswatch.Errorf(presswatch.Unavailable, "database %s: check that the folder exists and may be written: %w", p, err)
		}
	}
	var err error
	open := func(path string, conns int, pragmas ...string) *sql.DB {
		h, e := sql.Open("sqlite", sqliteDSN(path, conns == 1, pragmas...))
		if e != nil {
			err = errors.Join(err, e)
			return nil
		}
		h.SetMaxOpenConns(conns)
		h.SetMaxIdleConns(conns)
		return h
	}
	db.write = open(path, 1, "synchronous(FULL)", "recursive_triggers(1)")
	db.read = open(path, sqliteReaders, "query_only(1)")
	db.story = open(stories, 1, "synchronous(NORMAL)", "cache_size(-16384)", "wal_autocheckpoint(4000)", "temp_store(2)")
	if err != nil {
		return db.wrap("open", err)
	}
	return nil
}

// makeFile makes the file and its folder, for the owner's eyes only; SQLite
// gives its side files the same mode.
func makeFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// sqliteDSN names the file and what every connection to it is set to. A writer
// takes the write lock when its transaction begins, so that it never has to
// give way half-way through.
func sqliteDSN(path string, writer bool, pragmas ...string) string {
	q := url.Values{"_pragma": append([]string{
		"busy_timeout(" + strconv.FormatInt(busyWait.Milliseconds(), 10) + ")",
		"journal_mode(WAL)",
		"foreign_keys(1)",
		"trusted_schema(0)",
	}, pragmas...)}
	q.Set("_error_rc", "1")
	if writer {
		q.Set("_txlock", "immediate")
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

func (db *DB) connectPostgres(raw string) error {
	cfg, err := pgx.ParseConfig(raw)
	if err != nil {
		// The parser's own words may quote the URL, password and all.
		return presswatch.Errorf(presswatch.Invalid, "database.url: not understood; want %s, with special characters of the password written as %%XX", urlForms)
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectTimeout
	}
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "presswatch"
	}
	db.engine = postgres
	db.place = net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port))) + "/" + cfg.Database
	h := stdlib.OpenDB(*cfg)
	h.SetMaxOpenConns(postgresConns)
	h.SetMaxIdleConns(postgresConns)
	h.SetConnMaxIdleTime(5 * time.Minute)
	db.write, db.read, db.story = h, h, h
	return nil
}

// lockName keeps those who append events, and those who update stories, one
// at a time across processes on PostgreSQL.
type lockName int

const (
	noLock lockName = iota
	eventsLock
	storiesLock
)

// update runs fn in a transaction that writes, alone among those that take the
// same lock. On SQLite every writer is alone.
func (db *DB) update(ctx context.Context, lock lockName, what string, fn func(*sql.Tx) error) error {
	return db.transact(ctx, db.write, nil, what, func(tx *sql.Tx) error {
		if err := db.lock(ctx, tx, lock); err != nil {
			return err
		}
		return fn(tx)
	})
}

// lock waits for the lock; it goes with the transaction.
func (db *DB) lock(ctx context.Context, tx *sql.Tx, lock lockName) error {
	if db.engine != postgres || lock == noLock {
		return nil
	}
	// The second number keeps installations in different schemas apart.
	_, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1, hashtext(current_schema()))`, 0x7072_6500+int32(lock))
	return err
}

// view runs fn on one unmoving state of the data.
func (db *DB) view(ctx context.Context, what string, fn func(*sql.Tx) error) error {
	opts := &sql.TxOptions{ReadOnly: true}
	if db.engine == postgres {
		opts.Isolation = sql.LevelRepeatableRead
	}
	return db.transact(ctx, db.read, opts, what, fn)
}

func (db *DB) transact(ctx context.Context, h *sql.DB, opts *sql.TxOptions, what string, fn func(*sql.Tx) error) error {
	tx, err := h.BeginTx(ctx, opts)
	if err != nil {
		return db.wrap(what, err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it has nothing to do
	if err := fn(tx); err != nil {
		return db.wrap(what, err)
	}
	return db.wrap(what, tx.Commit())
}
