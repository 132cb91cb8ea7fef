package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"presswatch"
)

// VerifyEvents walks the whole chain of events and returns how many are good.
// The first that was changed, moved, inserted or removed is named in the error,
// which is Invalid; so is an end that was cut off. Whoever can write the
// database can also compute a new chain from some event on: compare the head
// (Head) with one noted elsewhere to catch that.
func (db *DB) VerifyEvents(ctx context.Context) (n int64, err error) {
	err = db.view(ctx, "verify events", func(tx *sql.Tx) error {
		prev := noHash
		err := each(ctx, tx, func(rows *sql.Rows) error {
			e, err := scanEvent(rows)
			if err != nil {
				return err
			}
			if err := checkLink(e, n+1, prev); err != nil {
				return err
			}
			n, prev = n+1, e.Hash
			return nil
		}, `SELECT `+eventColumns+` FROM case_events ORDER BY seq`)
		if err != nil {
			return err
		}
		return checkHead(ctx, tx, n, prev)
	})
	return n, err
}

// Head returns the number of events and the hash of the last one. Noted
// elsewhere, it proves that nothing up to there was changed later.
func (db *DB) Head(ctx context.Context) (seq int64, hash string, err error) {
	err = db.view(ctx, "read the head of the events", func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT seq, hash FROM event_head WHERE one = 1`).Scan(&seq, &hash)
	})
	return seq, hash, err
}

func checkLink(e presswatch.CaseEvent, seq int64, prev string) error {
	bad := ""
	switch {
	case e.Seq > seq:
		return presswatch.Errorf(presswatch.Invalid, "event %d is missing; the next there is %d (case %s)", seq, e.Seq, e.Case)
	case e.Seq < seq:
		bad = "stands outside the numbering"
	case e.Hash != HashEvent(e):
		bad = "was changed: its hash does not match its content"
	case e.Prev != prev:
		bad = "does not follow from the one before it"
	default:
		return nil
	}
	return presswatch.Errorf(presswatch.Invalid, "event %d (case %s, %s) %s", e.Seq, e.Case, e.Type, bad)
}

func checkHead(ctx context.Context, tx *sql.Tx, n int64, last string) error {
	var (
		seq  int64
		hash string
	)
	err := tx.QueryRowContext(ctx, `SELECT seq, hash FROM event_head WHERE one = 1`).Scan(&seq, &hash)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return presswatch.Errorf(presswatch.Invalid, "event %d: the record of the last event is missing", n+1)
	case err != nil:
		return err
	case seq > n:
		return presswatch.Errorf(presswatch.Invalid, "event %d is missing: %d were written, %d are there", n+1, seq, n)
	case seq < n:
		return presswatch.Errorf(presswatch.Invalid, "event %d was added behind the last one written", seq+1)
	case hash != last:
		return presswatch.Errorf(presswatch.Invalid, "event %d is not the last one that was written", n)
	}
	return nil
}

// VerifyCases folds the events of every case and compares with what the queue
// shows. It returns how many agree; the first case that does not is named in
// the error, which is Invalid.
func (db *DB) VerifyCases(ctx context.Context) (n int64, err error) {
	err = db.view(ctx, "verify cases", func(tx *sql.Tx) error {
		shown, total, err := caseBodies(ctx, tx)
		if err != nil {
			return err
		}
		var events []presswatch.CaseEvent
		check := func() error {
			if len(events) == 0 {
				return nil
			}
			if err := checkFold(events, shown[events[0].Case]); err != nil {
				return err
			}
			n, events = n+1, events[:0]
			return nil
		}
		err = each(ctx, tx, func(rows *sql.Rows) error {
			e, err := scanEvent(rows)
			if err != nil {
				return err
			}
			if len(events) > 0 && events[0].Case != e.Case {
				if err := check(); err != nil {
					return err
				}
			}
			events = append(events, e)
			return nil
		}, `SELECT `+eventColumns+` FROM case_events ORDER BY case_id, n`)
		if err != nil {
			return err
		}
		if err := check(); err != nil {
			return err
		}
		if n != total {
			return presswatch.Errorf(presswatch.Invalid, "%d cases are shown, but events tell of %d", total, n)
		}
		return nil
	})
	return n, err
}

// caseBodies returns the projection of every case.
func caseBodies(ctx context.Context, tx *sql.Tx) (map[presswatch.CaseID][]byte, int64, error) {
	all := map[presswatch.CaseID][]byte{}
	err := each(ctx, tx, func(rows *sql.Rows) error {
		var (
			id   presswatch.CaseID
			body []byte
		)
		err := rows.Scan(&id, &body)
		all[id] = body
		return err
	}, `SELECT id, body FROM cases`)
	return all, int64(len(all)), err
}

func checkFold(events []presswatch.CaseEvent, shown []byte) error {
	id := events[0].Case
	c, err := presswatch.FoldCase(events)
	if err != nil {
		return presswatch.Errorf(presswatch.Invalid, "case %s: its events do not make a case: %w", id, err)
	}
	want, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if !bytes.Equal(want, shown) {
		return presswatch.Errorf(presswatch.Invalid, "case %s: the queue shows something else than its events tell", id)
	}
	return nil
}
