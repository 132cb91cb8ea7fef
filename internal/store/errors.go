package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	driverlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"presswatch"
)

// wrap gives an error of the engine a code, and words that say what to do. An
// error that has a code already keeps it; nil stays nil.
func (db *DB) wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	if e := (*presswatch.Error)(nil); errors.As(err, &e) {
		return err
	}
	code, hint := diagnose(err)
	if hint != "" {
		hint = " (" + hint + ")"
	}
	place := db.place
	if db.engine != postgres && (strings.Contains(what, "story") || strings.Contains(what, "stories")) {
		place = strings.TrimSuffix(place, ".db") + "-stories.db"
		if code == presswatch.Invalid || strings.Contains(hint, "backup") {
			hint = " (the file is damaged: move it away; only copies of old items are then no longer recognised)"
		}
	}
	return presswatch.Errorf(code, "database %s: %s%s: %w", place, what, hint, err)
}

// diagnose says whether trying again may help, and what a person should do.
func diagnose(err error) (presswatch.Code, string) {
	if e := (*driverlite.Error)(nil); errors.As(err, &e) {
		return diagnoseSQLite(e.Code())
	}
	if e := (*pgconn.PgError)(nil); errors.As(err, &e) {
		return diagnosePostgres(e.Code)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return presswatch.Unavailable, "it was given up before it was done"
	}
	connect, network := (*pgconn.ConnectError)(nil), net.Error(nil)
	switch {
	case errors.As(err, &connect), errors.As(err, &network), errors.Is(err, net.ErrClosed),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), pgconn.SafeToRetry(err):
		return presswatch.Unavailable, "it cannot be reached: check that it runs, and the address in database.url"
	}
	return presswatch.Internal, ""
}

// diagnoseSQLite knows the result codes of https://sqlite.org/rescode.html.
func diagnoseSQLite(rc int) (presswatch.Code, string) {
	switch rc & 0xff { // the low byte is the primary code
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return presswatch.Unavailable, "another process is writing: it is tried again; if it lasts, stop the other process"
	case sqlite3.SQLITE_FULL:
		return presswatch.Unavailable, "the disk is full: free some space"
	case sqlite3.SQLITE_IOERR:
		return presswatch.Unavailable, "the file cannot be read or written: check the disk and its free space"
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return presswatch.Unavailable, "the file cannot be opened for writing: check its folder and permissions"
	case sqlite3.SQLITE_INTERRUPT:
		return presswatch.Unavailable, "it was given up before it was done"
	case sqlite3.SQLITE_NOMEM:
		return presswatch.Unavailable, "out of memory"
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return presswatch.Internal, "the file is damaged or not a database: restore a backup"
	}
	return presswatch.Internal, ""
}

// diagnosePostgres knows the classes of
// https://www.postgresql.org/docs/current/errcodes-appendix.html.
func diagnosePostgres(state string) (presswatch.Code, string) {
	switch state {
	case "53100":
		return presswatch.Unavailable, "the server's disk is full: free some space"
	case "53300":
		return presswatch.Unavailable, "the server has no free connection: raise max_connections or run fewer processes"
	case "40001", "40P01", "55P03":
		return presswatch.Unavailable, "another process was in the way: it is tried again"
	case "57014":
		return presswatch.Unavailable, "it was given up before it was done"
	case "25006":
		return presswatch.Unavailable, "the server only reads now: point database.url at the primary"
	case "3D000":
		return presswatch.Invalid, "there is no such database: create it, or correct database.url"
	case "28P01", "28000":
		return presswatch.Invalid, "the server refuses the user or password of database.url"
	}
	if len(state) == 5 {
		switch state[:2] {
		case "08", "53", "57", "58":
			return presswatch.Unavailable, "the server is away or in trouble: see its log"
		}
	}
	return presswatch.Internal, ""
}

// uniqueViolation reports whether a row with the key is there already.
func uniqueViolation(err error) bool {
	if e := (*driverlite.Error)(nil); errors.As(err, &e) {
		return e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY || e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE
	}
	e := (*pgconn.PgError)(nil)
	return errors.As(err, &e) && e.Code == "23505"
}

// foreignViolation reports whether a row refers to one that is not there.
func foreignViolation(err error) bool {
	if e := (*driverlite.Error)(nil); errors.As(err, &e) {
		return e.Code() == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
	}
	e := (*pgconn.PgError)(nil)
	return errors.As(err, &e) && e.Code == "23503"
}
