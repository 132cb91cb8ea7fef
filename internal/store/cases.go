package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"

	"presswatch"
)

const (
	// byPipeline is the author of events that no person made.
	byPipeline = "pipeline"
	// maxTitle is how many characters of a title a case shows.
	maxTitle = 500
	// rescoreStep is the least change of risk worth an event; see OpenCases.
	rescoreStep = 0.01
)

// OpenCases opens a case for each document at or above the review level that
// has none. One that is open is rescored when a newer version of its document
// has another level, title or story, or a risk that differs by 0.01 or more: a
// smaller change moves nobody's work and is not worth an event.
func (db *DB) OpenCases(ctx context.Context, docs []presswatch.Document) (opened int, err error) {
	for _, d := range docs {
		if err := checkDocument(d); err != nil {
			return 0, err
		}
	}
	if len(docs) == 0 {
		return 0, nil
	}
	err = db.update(ctx, eventsLock, "open cases", func(tx *sql.Tx) error {
		a, err := db.newAppender(ctx, tx)
		if err != nil {
			return err
		}
		before := a.seq
		for _, d := range docs {
			isNew, err := openCase(ctx, a, d)
			if err != nil {
				return err
			}
			if isNew {
				opened++
			}
		}
		if a.seq == before {
			return nil
		}
		return a.close(ctx)
	})
	if err != nil {
		return 0, err
	}
	return opened, nil
}

func checkDocument(d presswatch.Document) error {
	if d.ID == "" {
		return presswatch.Errorf(presswatch.Invalid, "document: id is empty")
	}
	if r := d.Verdict.Risk; !(r >= 0 && r <= 1) { // so written, NaN is refused too
		return presswatch.Errorf(presswatch.Invalid, "document %s: risk %v is not between 0 and 1", d.ID, r)
	}
	return nil
}

func openCase(ctx context.Context, a *appender, d presswatch.Document) (isNew bool, err error) {
	id := presswatch.NewCaseID(d.ID)
	old, err := caseIn(ctx, a.tx, id)
	next := caseOf(d)
	switch {
	case presswatch.CodeOf(err) == presswatch.NotFound && !d.Verdict.Level.AtLeast(presswatch.Review):
		return false, nil
	case presswatch.CodeOf(err) == presswatch.NotFound:
		e, err := a.add(ctx, id, 0, presswatch.EventOpened, byPipeline, next)
		if err != nil {
			return false, err
		}
		_, err = project(ctx, a.tx, []presswatch.CaseEvent{e})
		return true, err
	case err != nil:
		return false, err
	case old.Status != presswatch.CaseOpen || next.Seq < old.Seq || !rescored(old, next):
		return false, nil
	}
	_, err = advance(ctx, a, old, presswatch.EventRescored, byPipeline, next)
	return false, err
}

// caseOf is what a case takes from its document.
func caseOf(d presswatch.Document) presswatch.Case {
	title := []rune(strings.ToValidUTF8(d.Title, "\uFFFD"))
	if len(title) > maxTitle {
		title = append(title[:maxTitle-1], '…')
	}
	return presswatch.Case{
		ID: presswatch.NewCaseID(d.ID), Doc: d.ID, Status: presswatch.CaseOpen,
		Risk: d.Verdict.Risk, Level: d.Verdict.Level, Title: string(title),
		Language: d.Language, Source: d.Source, Story: d.Story.ID, Published: d.Published.UTC(), Seq: d.Seq,
	}
}

func rescored(old, next presswatch.Case) bool {
	const slack = 1e-9 // 0.5 to 0.51 counts, whatever the last bit says
	return old.Level != next.Level || old.Title != next.Title || old.Story != next.Story || math.Abs(old.Risk-next.Risk) >= rescoreStep-slack
}

// advance adds one event to a case and returns what it has become.
func advance(ctx context.Context, a *appender, old presswatch.Case, typ, by string, data any) (presswatch.Case, error) {
	events, err := eventsOf(ctx, a.tx, old.ID)
	if err != nil {
		return old, err
	}
	e, err := a.add(ctx, old.ID, len(events), typ, by, data)
	if err != nil {
		return old, err
	}
	return project(ctx, a.tx, append(events, e))
}

// project writes the case that the events make.
func project(ctx context.Context, tx *sql.Tx, events []presswatch.CaseEvent) (presswatch.Case, error) {
	c, err := presswatch.FoldCase(events)
	if err != nil {
		return c, err
	}
	body, err := json.Marshal(c)
	if err != nil {
		return c, presswatch.Errorf(presswatch.Invalid, "case %s: %w", c.ID, err)
	}
	_, err = tx.ExecContext(ctx,
		`INSERT INTO cases (id, status, risk, level, language, story, version, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (id) DO UPDATE SET status = excluded.status, risk = excluded.risk, level = excluded.level,
		language = excluded.language, story = excluded.story, version = excluded.version, body = excluded.body`,
		string(c.ID), string(c.Status), c.Risk, column(string(c.Level)), column(c.Language), column(string(c.Story)), c.Version, string(body))
	return c, err
}

// column makes a string fit for a text column of either engine; the body of
// the case keeps it whole.
func column(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// caseIn reads a case as the queue shows it.
func caseIn(ctx context.Context, tx *sql.Tx, id presswatch.CaseID) (presswatch.Case, error) {
	var (
		c    presswatch.Case
		body []byte
	)
	err := tx.QueryRowContext(ctx, `SELECT body FROM cases WHERE id = $1`, column(string(id))).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return c, presswatch.Errorf(presswatch.NotFound, "there is no case %s", strconv.Quote(string(id)))
	}
	if err != nil {
		return c, err
	}
	return c, json.Unmarshal(body, &c)
}

// CaseByID returns a case and its events, or NotFound.
func (db *DB) CaseByID(ctx context.Context, id presswatch.CaseID) (c presswatch.Case, events []presswatch.CaseEvent, err error) {
	err = db.view(ctx, "read a case", func(tx *sql.Tx) error {
		if c, err = caseIn(ctx, tx, id); err != nil {
			return err
		}
		events, err = eventsOf(ctx, tx, id)
		return err
	})
	return c, events, err
}

// Decide records a decision made on the given version of the case; its time is
// the store's clock. When the case has moved on since, or is decided already,
// it is a Conflict that tells who decided.
func (db *DB) Decide(ctx context.Context, id presswatch.CaseID, version int, d presswatch.Decision) (presswatch.Case, error) {
	if err := d.Validate(); err != nil {
		return presswatch.Case{}, err
	}
	return db.move(ctx, id, version, "decide a case", func(a *appender, c presswatch.Case) (presswatch.Case, error) {
		if c.Status != presswatch.CaseOpen {
			return c, presswatch.Errorf(presswatch.Conflict, "case %s is not open: %s", id, standing(c))
		}
		d.At = a.at
		return advance(ctx, a, c, presswatch.EventDecided, d.By, d)
	})
}

// Reopen takes the decision on the given version of the case back, saying who
// did so. A case that is not decided, or has moved on, is a Conflict.
func (db *DB) Reopen(ctx context.Context, id presswatch.CaseID, version int, by string) (presswatch.Case, error) {
	if by == "" {
		return presswatch.Case{}, presswatch.Errorf(presswatch.Invalid, "by: taking a decision back needs its author")
	}
	return db.move(ctx, id, version, "reopen a case", func(a *appender, c presswatch.Case) (presswatch.Case, error) {
		if c.Status != presswatch.CaseDecided {
			return c, presswatch.Errorf(presswatch.Conflict, "case %s is not decided: %s", id, standing(c))
		}
		return advance(ctx, a, c, presswatch.EventReopened, by, nil)
	})
}

// move runs fn on a case that must stand at version.
func (db *DB) move(ctx context.Context, id presswatch.CaseID, version int, what string,
	fn func(*appender, presswatch.Case) (presswatch.Case, error)) (c presswatch.Case, err error) {
	err = db.update(ctx, eventsLock, what, func(tx *sql.Tx) error {
		a, err := db.newAppender(ctx, tx)
		if err != nil {
			return err
		}
		if c, err = caseIn(ctx, tx, id); err != nil {
			return err
		}
		if c.Version != version {
			return presswatch.Errorf(presswatch.Conflict, "case %s has moved on from version %d to %d: %s", id, version, c.Version, standing(c))
		}
		if c, err = fn(a, c); err != nil {
			return err
		}
		return a.close(ctx)
	})
	if err != nil {
		return presswatch.Case{}, err
	}
	return c, nil
}

// standing says in words where a case stands, and who put it there.
func standing(c presswatch.Case) string {
	if d := c.Decision; d != nil {
		return d.By + " decided " + strconv.Quote(string(d.Label)) + " at " + d.At.Format("2006-01-02 15:04:05 MST")
	}
	return "it is open, last changed at " + c.UpdatedAt.Format("2006-01-02 15:04:05 MST")
}
