// Package storetest is the contract of package store. Every engine passes it
// whole; see Run.
package storetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"presswatch"
	"presswatch/internal/store"
)

// Run holds an engine to the promises of the ports and of package store. The
// argument gives the URL of a new, empty database that goes with the test.
func Run(t *testing.T, newURL func(testing.TB) string) {
	for _, g := range []struct {
		name string
		run  func(*testing.T, func(testing.TB) string)
	}{
		{"cases", cases}, {"lists", lists}, {"chain", chain}, {"properties", properties},
		{"users", users}, {"cursors", cursors}, {"sessions", sessions}, {"links", links},
		{"stories", stories}, {"many at once", concurrent},
	} {
		t.Run(g.name, func(t *testing.T) { g.run(t, newURL) })
	}
}

// SQLite is the URL of a new database file in a folder of the test.
func SQLite(t testing.TB) string {
	t.Helper()
	return "sqlite://" + filepath.Join(t.TempDir(), "cases.db")
}

// Postgres is the URL of a new schema on the server that
// PRESSWATCH_TEST_POSTGRES names; without one the test is skipped.
func Postgres(t testing.TB) string {
	t.Helper()
	base := os.Getenv("PRESSWATCH_TEST_POSTGRES")
	if base == "" {
		t.Skip("SKIPPED: PostgreSQL is not tested. Start one (deploy/dev/dev up postgres) and set PRESSWATCH_TEST_POSTGRES to its URL.")
	}
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails
	schema := "presswatch_test_" + hex.EncodeToString(b)
	Exec(t, base, "CREATE SCHEMA "+schema)
	t.Cleanup(func() { Exec(t, base, "DROP SCHEMA "+schema+" CASCADE") })
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal("PRESSWATCH_TEST_POSTGRES is not a URL")
	}
	q := u.Query()
	q.Set("search_path", schema)
	q.Set("application_name", schema) // tells the connections of this test from others
	u.RawQuery = q.Encode()
	return u.String()
}

// Exec runs statements on a PostgreSQL server, beside the store.
func Exec(t testing.TB, url string, statements ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx) //nolint:errcheck // a test
	for _, s := range statements {
		if _, err := c.Exec(ctx, s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// Open opens a store that is closed when the test ends. Its clock stands still
// at Start and is moved by hand.
func Open(t *testing.T, url string) (*store.DB, *Clock) {
	t.Helper()
	db, err := store.Open(t.Context(), url, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	c := &Clock{at: Start}
	db.Now = c.Now
	return db, c
}

func wantCode(t *testing.T, err error, want presswatch.Code) {
	t.Helper()
	if got := presswatch.CodeOf(err); got != want {
		t.Fatalf("error %v has code %q, want %q", err, got, want)
	}
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
