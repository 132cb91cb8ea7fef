package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"presswatch"
)

// noHash is the Prev of the first event.
var noHash = strings.Repeat("0", 2*sha256.Size)

// HashEvent computes the hash of an event, in lower-case hexadecimal, over
//
//	"presswatch event v1\n"   the form, so that a later one cannot be mistaken for it
//	Prev                      64 hexadecimal digits; zeros for the first event
//	Seq, N, At                8 bytes each, big endian; At in Unix microseconds
//	Case, Type, By, Data      each as 8 bytes of length, big endian, and its bytes
//
// Lengths go first, so that no byte can move from one field into the next.
// Data is taken as it is stored: compact JSON, never re-encoded.
func HashEvent(e presswatch.CaseEvent) string {
	b := make([]byte, 0, 256+len(e.Data))
	b = append(b, "presswatch event v1\n"...)
	b = append(b, e.Prev...)
	for _, n := range []int64{e.Seq, int64(e.N), e.At.UnixMicro()} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	for _, s := range []string{string(e.Case), e.Type, e.By, string(e.Data)} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// appender adds events to the end of the chain, inside one transaction that
// holds the events lock.
type appender struct {
	tx   *sql.Tx
	seq  int64
	hash string
	at   time.Time
}

func (db *DB) newAppender(ctx context.Context, tx *sql.Tx) (*appender, error) {
	a := &appender{tx: tx, at: db.now()}
	err := tx.QueryRowContext(ctx, `SELECT seq, hash FROM event_head WHERE one = 1`).Scan(&a.seq, &a.hash)
	return a, err
}

// add writes the next event of a case that has had so many, and returns it.
func (a *appender) add(ctx context.Context, id presswatch.CaseID, events int, typ, by string, data any) (presswatch.CaseEvent, error) {
	e := presswatch.CaseEvent{Seq: a.seq + 1, Case: id, N: events + 1, Type: typ, At: a.at, By: by, Prev: a.hash}
	if data != nil {
		raw, err := json.Marshal(data)
		if err != nil {
			return e, presswatch.Errorf(presswatch.Invalid, "case %s: %s: %w", id, typ, err)
		}
		e.Data = raw
	}
	e.Hash = HashEvent(e)
	_, err := a.tx.ExecContext(ctx,
		`INSERT INTO case_events (seq, case_id, n, type, at, by_who, data, prev, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		e.Seq, string(e.Case), e.N, e.Type, e.At.UnixMicro(), e.By, string(e.Data), e.Prev, e.Hash)
	if err != nil {
		return e, err
	}
	a.seq, a.hash = e.Seq, e.Hash
	return e, nil
}

// close writes where the chain now ends.
func (a *appender) close(ctx context.Context) error {
	_, err := a.tx.ExecContext(ctx, `UPDATE event_head SET seq = $1, hash = $2 WHERE one = 1`, a.seq, a.hash)
	return err
}

const eventColumns = `seq, case_id, n, type, at, by_who, data, prev, hash`

func scanEvent(rows *sql.Rows) (presswatch.CaseEvent, error) {
	var (
		e    presswatch.CaseEvent
		at   int64
		data []byte
	)
	err := rows.Scan(&e.Seq, &e.Case, &e.N, &e.Type, &at, &e.By, &data, &e.Prev, &e.Hash)
	e.At = fromMicros(at)
	if len(data) > 0 {
		e.Data = data
	}
	return e, err
}

// eventsOf returns the events of a case in order.
func eventsOf(ctx context.Context, tx *sql.Tx, id presswatch.CaseID) ([]presswatch.CaseEvent, error) {
	var events []presswatch.CaseEvent
	err := each(ctx, tx, func(rows *sql.Rows) error {
		e, err := scanEvent(rows)
		events = append(events, e)
		return err
	}, `SELECT `+eventColumns+` FROM case_events WHERE case_id = $1 ORDER BY n`, string(id))
	return events, err
}

// each calls fn on every row of a query.
func each(ctx context.Context, tx *sql.Tx, fn func(*sql.Rows) error, query string, args ...any) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	for rows.Next() {
		if err := fn(rows); err != nil {
			return errors.Join(err, rows.Close())
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}
