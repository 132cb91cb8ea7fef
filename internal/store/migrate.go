package store

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"path"
	"text/template"
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"presswatch"
)

//go:embed migrations
var migrations embed.FS

// migrate brings both schemas up to date; other processes that start at the
// same time wait.
func (db *DB) migrate(ctx context.Context) error {
	if db.engine == sqlite {
		l := flock.New(db.place + ".lock")
		if ok, err := l.TryLockContext(ctx, 20*time.Millisecond); err != nil || !ok {
			return presswatch.Errorf(presswatch.Unavailable, "database %s: another process holds %s: %w", db.place, l.Path(), errors.Join(err, ctx.Err()))
		}
		defer l.Unlock() //nolint:errcheck // goes with the process anyway
	}
	if err := db.migrateOne(ctx, db.write, "casework"); err != nil {
		return err
	}
	return db.migrateOne(ctx, db.story, "stories")
}

func (db *DB) migrateOne(ctx context.Context, h *sql.DB, name string) error {
	if err := h.PingContext(ctx); err != nil {
		return db.wrap("open the "+name, err)
	}
	dir, err := fs.Sub(migrations, path.Join("migrations", name))
	if err != nil {
		return db.wrap("migrate", err)
	}
	dialect, opts := goose.DialectSQLite3, []goose.ProviderOption{
		goose.WithTableName("schema_" + name), goose.WithSlog(db.log), goose.WithDisableGlobalRegistry(true),
	}
	if db.engine == postgres {
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
		if err != nil {
			return db.wrap("migrate", err)
		}
		dialect, opts = goose.DialectPostgres, append(opts, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(dialect, h, rendered{dir, db.engine.words()}, opts...)
	if err != nil {
		return db.wrap("migrate", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return db.wrap("migrate "+name, err)
	}
	return nil
}

// words is what differs between the engines in a migration.
func (e engine) words() any {
	w := struct {
		Postgres            bool
		Text, Bytes, Serial string
	}{e == postgres, "TEXT", "BLOB", "INTEGER"}
	if e == postgres {
		w.Text, w.Bytes, w.Serial = `TEXT COLLATE "C"`, "BYTEA", "BIGINT"
	}
	return w
}

// rendered is a folder whose files are templates.
type rendered struct {
	fs.FS
	words any
}

// Open returns the rendered file, or the folder as it is.
func (r rendered) Open(name string) (fs.File, error) {
	f, err := r.FS.Open(name)
	if err != nil || path.Ext(name) != ".sql" {
		return f, err
	}
	defer f.Close() //nolint:errcheck // embedded
	raw, err := fs.ReadFile(r.FS, name)
	if err != nil {
		return nil, err
	}
	t, err := template.New(name).Option("missingkey=error").Parse(string(raw))
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	out := &renderedFile{info: info}
	return out, t.Execute(&out.Buffer, r.words)
}

type renderedFile struct {
	bytes.Buffer
	info fs.FileInfo
}

func (f *renderedFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *renderedFile) Close() error               { return nil }
