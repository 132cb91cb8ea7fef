package store_test

import (
	"testing"

	"presswatch"
	"presswatch/internal/store/storetest"
)

func TestPostgresComesBack(t *testing.T) {
	url := storetest.Postgres(t)
	db, _ := storetest.Open(t, url)
	docs := []presswatch.Document{{ID: "d1", Verdict: presswatch.Verdict{Risk: 0.5, Level: presswatch.Review}}}
	if _, err := db.OpenCases(t.Context(), docs); err != nil {
		t.Fatal(err)
	}
	// Every connection of the store is cut in the middle of an update: the
	// server says so, and the next call finds a new connection.
	err := db.Update(t.Context(), func(tx presswatch.StoryTx) error {
		storetest.Exec(t, url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE application_name = current_setting('application_name') AND pid <> pg_backend_pid()`)
		return tx.Put(t.Context(), presswatch.StoryEntry{Doc: "d1", Keys: []uint64{1}})
	})
	if !presswatch.Retryable(err) {
		t.Errorf("a cut connection: %v", err)
	}
	if n, err := db.OpenCases(t.Context(), docs); n != 0 || err != nil {
		t.Errorf("after the cut: %d, %v", n, err)
	}
	if n, err := db.VerifyEvents(t.Context()); n != 1 || err != nil {
		t.Errorf("%d events, %v", n, err)
	}
}
