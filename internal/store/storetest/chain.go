package storetest

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"presswatch"
	"presswatch/internal/store"
)

// Raw opens the database beside the store, as somebody with its password could.
func Raw(t *testing.T, url string) *sql.DB {
	t.Helper()
	driver, dsn := "pgx", url
	if path, ok := strings.CutPrefix(url, "sqlite://"); ok {
		driver, dsn = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"
	}
	h, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// disarm drops the triggers that keep events as they are.
func disarm(t *testing.T, h *sql.DB, url string) {
	t.Helper()
	for _, op := range []string{"insert", "update", "delete"} {
		q := "DROP TRIGGER case_events_" + op
		if strings.HasPrefix(url, "postgres") {
			q += " ON case_events"
		}
		if _, err := h.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
}

// tenEvents opens seven cases and decides three; event 4 is of a case of one event.
func tenEvents(t *testing.T, db *store.DB) {
	t.Helper()
	var docs []presswatch.Document
	for i := range 7 {
		docs = append(docs, doc(i, 0.6))
	}
	must(db.OpenCases(t.Context(), docs))(t)
	for i := range 3 {
		must(db.Decide(t.Context(), presswatch.NewCaseID(docs[i].ID), 1, decision("anna")))(t)
	}
}

const copyEvent = `INSERT INTO case_events (seq, case_id, n, type, at, by_who, data, prev, hash)
	SELECT %s FROM case_events WHERE seq = %d`

func chain(t *testing.T, newURL func(testing.TB) string) {
	t.Run("events are numbered without gaps, each hashed over the one before", func(t *testing.T) {
		db, _ := Open(t, newURL(t))
		if n, err := db.VerifyEvents(t.Context()); n != 0 || err != nil {
			t.Fatalf("empty: %d, %v", n, err)
		}
		tenEvents(t, db)
		if n, err := db.VerifyEvents(t.Context()); n != 10 || err != nil {
			t.Errorf("%d good events, %v; want 10", n, err)
		}
		seq, hash, err := db.Head(t.Context())
		if err != nil || seq != 10 || len(hash) != 64 {
			t.Errorf("head %d %q, %v", seq, hash, err)
		}
		_, events, err := db.CaseByID(t.Context(), presswatch.NewCaseID(doc(2, 0).ID))
		if err != nil || events[1].Seq != 10 || events[1].Hash != hash || store.HashEvent(events[1]) != hash {
			t.Errorf("last event %+v, %v", events, err)
		}
	})
	t.Run("the engine refuses to change events", func(t *testing.T) {
		url := newURL(t)
		db, _ := Open(t, url)
		tenEvents(t, db)
		statements := []string{
			`UPDATE case_events SET by_who = 'x' WHERE seq = 3`,
			`DELETE FROM case_events WHERE seq = 10`,
			`DELETE FROM case_events`,
			fmt.Sprintf(copyEvent, `99, case_id, 99, type, at, by_who, data, prev, hash`, 3),
			fmt.Sprintf(copyEvent, `3, case_id, 99, type, at, by_who, data, prev, hash`, 3),
		}
		if strings.HasPrefix(url, "postgres") {
			statements = append(statements, `TRUNCATE case_events`)
		} else {
			statements = append(statements, `INSERT OR REPLACE INTO case_events SELECT 11, case_id, n, type, at, 'x', data, prev, hash FROM case_events WHERE seq = 3`)
		}
		for _, q := range statements {
			if _, err := Raw(t, url).ExecContext(t.Context(), q); err == nil {
				t.Errorf("allowed: %s", q)
			}
		}
		if n, err := db.VerifyEvents(t.Context()); n != 10 || err != nil {
			t.Errorf("%d good events, %v", n, err)
		}
	})
	tampering(t, newURL)
	t.Run("a case that shows something else than its events is found", func(t *testing.T) {
		url := newURL(t)
		db, _ := Open(t, url)
		tenEvents(t, db)
		if n, err := db.VerifyCases(t.Context()); n != 7 || err != nil {
			t.Fatalf("%d good cases, %v", n, err)
		}
		id := presswatch.NewCaseID(doc(4, 0).ID)
		for _, q := range []string{
			`UPDATE cases SET body = replace(body, '"open"', '"decided"') WHERE id = '` + string(id) + `'`,
			`DELETE FROM cases WHERE id = '` + string(id) + `'`,
		} {
			if _, err := Raw(t, url).ExecContext(t.Context(), q); err != nil {
				t.Fatal(err)
			}
			_, err := db.VerifyCases(t.Context())
			wantCode(t, err, presswatch.Invalid)
			if !strings.Contains(err.Error(), string(id)) {
				t.Errorf("%q does not name case %s", err, id)
			}
		}
	})
}

func tampering(t *testing.T, newURL func(testing.TB) string) {
	swap := []string{
		`UPDATE case_events SET seq = 1000 WHERE seq = 4`,
		`UPDATE case_events SET seq = 4 WHERE seq = 5`,
		`UPDATE case_events SET seq = 5 WHERE seq = 1000`,
	}
	for name, tc := range map[string]struct {
		do   []string
		good int64  // events before the first bad one
		tell string // names the first bad one
	}{
		"who":        {[]string{`UPDATE case_events SET by_who = 'eve' WHERE seq = 9`}, 8, "event 9 "},
		"when":       {[]string{`UPDATE case_events SET at = at + 1 WHERE seq = 2`}, 1, "event 2 "},
		"what":       {[]string{`UPDATE case_events SET data = replace(data, 'false', 'true') WHERE seq = 8`}, 7, "event 8 "},
		"type":       {[]string{`UPDATE case_events SET type = 'reopened' WHERE seq = 8`}, 7, "event 8 "},
		"whose":      {[]string{`UPDATE case_events SET case_id = 'k0' WHERE seq = 4`}, 3, "event 4 "},
		"place":      {[]string{`UPDATE case_events SET n = 2 WHERE seq = 4`}, 3, "event 4 "},
		"prev":       {[]string{`UPDATE case_events SET prev = hash WHERE seq = 6`}, 5, "event 6 "},
		"hash":       {[]string{`UPDATE case_events SET hash = prev WHERE seq = 6`}, 5, "event 6 "},
		"reordered":  {swap, 3, "event 4 "},
		"first gone": {[]string{`DELETE FROM case_events WHERE seq = 1`}, 0, "event 1 is missing"},
		"one gone":   {[]string{`DELETE FROM case_events WHERE seq = 5`}, 4, "event 5 is missing"},
		"gone, and numbers closed up": {[]string{
			`DELETE FROM case_events WHERE seq = 9`, `UPDATE case_events SET seq = 9 WHERE seq = 10`,
		}, 8, "event 9 "},
		"end cut off": {[]string{`DELETE FROM case_events WHERE seq > 7`}, 7, "event 8 is missing"},
		"all gone":    {[]string{`DELETE FROM case_events`}, 0, "event 1 is missing"},
		"put behind": {[]string{
			fmt.Sprintf(copyEvent, `11, 'k0', 1, type, at, by_who, data, prev, hash`, 3),
		}, 10, "event 11 "},
		"put before":   {[]string{fmt.Sprintf(copyEvent, `0, 'k0', 1, type, at, by_who, data, prev, hash`, 3)}, 0, "event 0 "},
		"head changed": {[]string{`UPDATE event_head SET hash = 'x'`}, 10, "event 10 "},
		"head set back": {[]string{
			`UPDATE event_head SET seq = 8, hash = (SELECT hash FROM case_events WHERE seq = 8)`,
		}, 10, "event 9 "},
		"head gone": {[]string{`DELETE FROM event_head`}, 10, "event 11"},
	} {
		t.Run("found: "+name, func(t *testing.T) {
			url := newURL(t)
			db, _ := Open(t, url)
			tenEvents(t, db)
			h := Raw(t, url)
			disarm(t, h, url)
			for _, q := range tc.do {
				if _, err := h.ExecContext(t.Context(), q); err != nil {
					t.Fatalf("%s: %v", q, err)
				}
			}
			n, err := db.VerifyEvents(t.Context())
			wantCode(t, err, presswatch.Invalid)
			if n != tc.good && tc.tell != "event 11 " || !strings.Contains(err.Error(), tc.tell) {
				t.Errorf("%d good, %q; want %d, %q", n, err, tc.good, tc.tell)
			}
		})
	}
}
