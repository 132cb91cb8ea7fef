package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"presswatch"
)

func openFile(t *testing.T, path string) *DB {
	t.Helper()
	db, err := Open(t.Context(), "sqlite://"+path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func aDoc(n int) presswatch.Document {
	return presswatch.Document{ID: presswatch.DocID(fmt.Sprint("d", n)), Title: strings.Repeat("tựa ", 100), Verdict: presswatch.Verdict{Risk: 0.5, Level: presswatch.Review}}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "plain.txt")
	if err := os.WriteFile(file, []byte(strings.Repeat("no database. ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	away := closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	const secret = "canary-S3cret"
	for name, tc := range map[string]struct {
		url  string
		want presswatch.Code
		hint string
	}{
		"nothing":               {"", presswatch.Invalid, "sqlite:///"},
		"no scheme":             {"/tmp/x.db", presswatch.Invalid, "sqlite:///"},
		"another scheme":        {"mysql://root:" + secret + "@h/db", presswatch.Invalid, "postgres://"},
		"no file":               {"sqlite://", presswatch.Invalid, "file"},
		"a folder":              {"sqlite://" + dir + "/", presswatch.Invalid, "file"},
		"memory":                {"sqlite://:memory:", presswatch.Invalid, "file"},
		"options":               {"sqlite://" + dir + "/a.db?mode=ro", presswatch.Invalid, "file"},
		"below a file":          {"sqlite://" + file + "/a.db", presswatch.Unavailable, "folder"},
		"not a database":        {"sqlite://" + file, presswatch.Internal, "damaged"},
		"a bad port":            {"postgres://u:" + secret + "@h:port/db", presswatch.Invalid, "%XX"},
		"a bad escape":          {"postgres://u:%zz" + secret + "@h/db", presswatch.Invalid, "%XX"},
		"a bad setting":         {"postgres://u:" + secret + "@h/db?sslmode=" + secret, presswatch.Invalid, "%XX"},
		"a server that is away": {"postgres://u:" + secret + "@" + away + "/db", presswatch.Unavailable, "check that it runs"},
	} {
		t.Run(name, func(t *testing.T) {
			var logged strings.Builder
			db, err := Open(t.Context(), tc.url, slog.New(slog.NewTextHandler(&logged, nil)))
			if err == nil {
				_ = db.Close()
				t.Fatal("it opened")
			}
			if got := presswatch.CodeOf(err); got != tc.want || !strings.Contains(err.Error(), tc.hint) {
				t.Errorf("code %q, want %q; %q should say %q", got, tc.want, err, tc.hint)
			}
			if all := fmt.Sprintf("%s %+v %s", err, err, logged.String()); strings.Contains(all, secret) {
				t.Errorf("the password is shown: %s", all)
			}
		})
	}
}

func TestFilesAreForTheOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new folder", "ca ses%20+.db")
	db := openFile(t, path)
	if _, err := db.OpenCases(t.Context(), []presswatch.Document{aDoc(1)}); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil || len(files) < 5 {
		t.Fatalf("files %q, %v", files, err)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: mode %v, %v", f, info.Mode(), err)
		}
	}
}

func TestSettings(t *testing.T) {
	db := openFile(t, filepath.Join(t.TempDir(), "a.db"))
	for _, tc := range []struct {
		h          *sql.DB
		name, want string
	}{
		{db.write, "journal_mode", "wal"}, {db.write, "synchronous", "2"}, {db.write, "foreign_keys", "1"}, {db.write, "busy_timeout", "10000"},
		{db.read, "journal_mode", "wal"}, {db.read, "query_only", "1"},
		{db.story, "journal_mode", "wal"}, {db.story, "synchronous", "1"},
	} {
		var got string
		if err := tc.h.QueryRowContext(t.Context(), "PRAGMA "+tc.name).Scan(&got); err != nil || got != tc.want {
			t.Errorf("%s is %q, want %q (%v)", tc.name, got, tc.want, err)
		}
	}
}

func TestDiskFull(t *testing.T) {
	db := openFile(t, filepath.Join(t.TempDir(), "a.db"))
	limit := func(pages int) {
		t.Helper()
		if _, err := db.write.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
			t.Fatal(err)
		}
	}
	limit(60)
	var err error
	written := 0
	for ; err == nil && written < 10_000; written += 2 {
		_, err = db.OpenCases(t.Context(), []presswatch.Document{aDoc(written), aDoc(written + 1)})
	}
	if presswatch.CodeOf(err) != presswatch.Unavailable || !strings.Contains(err.Error(), "free some space") {
		t.Fatalf("error %v", err)
	}
	whole := written - 2 // the last pair failed
	if n, err := db.VerifyEvents(t.Context()); int(n) != whole || err != nil {
		t.Errorf("%d events, %v; want %d", n, err, whole)
	}
	limit(1 << 20)
	n, err := db.OpenCases(t.Context(), []presswatch.Document{aDoc(whole), aDoc(whole + 1)})
	if n != 2 || err != nil {
		t.Errorf("with space again: %d, %v", n, err)
	}
	if n, err := db.VerifyCases(t.Context()); int(n) != written || err != nil {
		t.Errorf("%d cases, %v; want %d", n, err, written)
	}
}

func TestAnotherProcessHoldsTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	db := openFile(t, path)
	other, err := sql.Open("sqlite", sqliteDSN(path, true))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.write.ExecContext(t.Context(), "PRAGMA busy_timeout = 0"); err != nil {
		t.Fatal(err)
	}
	_, err = db.OpenCases(t.Context(), []presswatch.Document{aDoc(1)})
	if !presswatch.Retryable(err) || !strings.Contains(err.Error(), "another process") {
		t.Errorf("error %v", err)
	}
	if _, err := db.ListCases(t.Context(), presswatch.CaseQuery{}); err != nil {
		t.Errorf("reading waits for writing: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if n, err := db.OpenCases(t.Context(), []presswatch.Document{aDoc(1)}); n != 1 || err != nil {
		t.Errorf("afterwards: %d, %v", n, err)
	}
}

func TestClosed(t *testing.T) {
	db := openFile(t, filepath.Join(t.TempDir(), "a.db"))
	if err := db.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if err := db.Ping(t.Context()); err == nil {
		t.Error("a closed store answers")
	}
	if _, err := db.OpenCases(t.Context(), []presswatch.Document{aDoc(1)}); err == nil {
		t.Error("a closed store writes")
	}
}

func TestDiagnose(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want presswatch.Code
	}{
		"refused":           {&net.OpError{Op: "dial", Err: errors.New("connection refused")}, presswatch.Unavailable},
		"cut off":           {io.ErrUnexpectedEOF, presswatch.Unavailable},
		"bad connection":    {driver.ErrBadConn, presswatch.Unavailable},
		"given up":          {context.Canceled, presswatch.Unavailable},
		"too slow":          {fmt.Errorf("x: %w", context.DeadlineExceeded), presswatch.Unavailable},
		"serialization":     {&pgconn.PgError{Code: "40001"}, presswatch.Unavailable},
		"deadlock":          {&pgconn.PgError{Code: "40P01"}, presswatch.Unavailable},
		"server disk full":  {&pgconn.PgError{Code: "53100"}, presswatch.Unavailable},
		"server stops":      {&pgconn.PgError{Code: "57P01"}, presswatch.Unavailable},
		"connection failed": {&pgconn.PgError{Code: "08006"}, presswatch.Unavailable},
		"only reads":        {&pgconn.PgError{Code: "25006"}, presswatch.Unavailable},
		"no such database":  {&pgconn.PgError{Code: "3D000"}, presswatch.Invalid},
		"wrong password":    {&pgconn.PgError{Code: "28P01"}, presswatch.Invalid},
		"our syntax":        {&pgconn.PgError{Code: "42601"}, presswatch.Internal},
		"no code":           {&pgconn.PgError{}, presswatch.Internal},
		"anything else":     {errors.New("x"), presswatch.Internal},
	} {
		err := (&DB{place: "here"}).wrap("work", tc.err)
		if got := presswatch.CodeOf(err); got != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("%s: %v has code %q, want %q with its cause", name, err, got, tc.want)
		}
	}
	for rc, want := range map[int]presswatch.Code{
		5: presswatch.Unavailable, 5 | 2<<8: presswatch.Unavailable, 6: presswatch.Unavailable, 13: presswatch.Unavailable,
		10 | 3<<8: presswatch.Unavailable, 14: presswatch.Unavailable, 8: presswatch.Unavailable, 9: presswatch.Unavailable,
		7: presswatch.Unavailable, 11: presswatch.Internal, 26: presswatch.Internal, 1: presswatch.Internal, 19: presswatch.Internal,
	} {
		if got, hint := diagnoseSQLite(rc); got != want || got == presswatch.Unavailable && hint == "" {
			t.Errorf("SQLite %d: %q, %q; want %q", rc, got, hint, want)
		}
	}
	coded := presswatch.Errorf(presswatch.NotFound, "x")
	if err := (&DB{}).wrap("work", coded); err != coded {
		t.Errorf("a coded error became %v", err)
	}
}
