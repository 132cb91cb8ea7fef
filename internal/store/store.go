// Package store keeps casework, accounts, sessions, cursors and the memory of
// stories in SQL: SQLite on one machine, PostgreSQL at scale. Both engines run
// the same statements on the same schema and pass the same contract suite
// (package storetest).
//
// On SQLite there are two files. Casework is written with synchronous=FULL, so
// what was acknowledged survives a power cut. The story memory lies beside it
// ("cases.db" has "cases-stories.db"), for two reasons: its writer lock is held
// while stories are compared, which must not delay a decision, and it is
// written with synchronous=NORMAL, which survives the death of the process at
// any instant but may, after a power cut, have forgotten the last documents.
// Forgetting costs links to copies, and is made good by processing again;
// nothing else depends on it.
package store

import (
	"context"
	"database/sql"
	"log/slog"
	"time"

	"presswatch"
)

// DB is the open store. It implements presswatch.Cases, Users, Cursors and
// StoryMemory, and may be used by many goroutines and processes at once.
type DB struct {
	// Now is the clock; set it, if at all, before the first call.
	Now func() time.Time

	engine engine
	place  string  // where the data lies, for messages; never a password
	write  *sql.DB // on SQLite a single connection
	read   *sql.DB // the same as write on PostgreSQL
	story  *sql.DB // the same as write on PostgreSQL
	plans  storyPlans
	log    *slog.Logger
}

var (
	_ presswatch.Cases       = (*DB)(nil)
	_ presswatch.Users       = (*DB)(nil)
	_ presswatch.Cursors     = (*DB)(nil)
	_ presswatch.StoryMemory = (*DB)(nil)
)

// Open opens the database at url and brings its schema up to date:
// "sqlite:///path/to/file.db", whose folder is made when it is missing, or
// "postgres://user:password@host:port/name". A url that cannot be understood
// is Invalid, a database that is away or cannot be written is Unavailable. No
// error and no log line shows the password.
func Open(ctx context.Context, url string, log *slog.Logger) (*DB, error) {
	if log == nil {
		log = slog.Default()
	}
	db := &DB{Now: time.Now, log: log}
	if err := db.connect(url); err != nil {
		return nil, err
	}
	if err := db.migrate(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	if err := db.prepareStories(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, nil
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	for _, h := range db.handles() {
		if err := h.PingContext(ctx); err != nil {
			return db.wrap("ping", err)
		}
	}
	return nil
}

// Close releases all connections. Calls under way end with an error.
func (db *DB) Close() error {
	db.plans.close()
	var first error
	for _, h := range db.handles() {
		if err := h.Close(); err != nil && first == nil {
			first = db.wrap("close", err)
		}
	}
	return first
}

// handles returns each open handle once.
func (db *DB) handles() []*sql.DB {
	var all []*sql.DB
	for _, h := range []*sql.DB{db.write, db.read, db.story} {
		if h != nil && (len(all) == 0 || h != all[0]) {
			all = append(all, h)
		}
	}
	return all
}

// now is the time of an event: to the microsecond, as it is stored.
func (db *DB) now() time.Time { return fromMicros(db.Now().UnixMicro()) }

func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }
