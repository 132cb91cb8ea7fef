package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"presswatch"
)

// Sessions keeps sessions for github.com/alexedwards/scs/v2 (CtxStore and
// IterableCtxStore). Only the SHA-256 of a token is stored. A session that was
// deleted cannot be committed again: a request that was under way while its
// user signed out does not bring the session back.
type Sessions struct {
	db *DB

	mu    sync.Mutex
	swept time.Time // when expired sessions were last removed
}

// sweepEvery is how often, at most, a commit also removes what has expired.
const sweepEvery = 5 * time.Minute

// Sessions returns the session store of this database.
func (db *DB) Sessions() *Sessions { return &Sessions{db: db} }

func hashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// FindCtx returns the data of a session that has neither expired nor ended.
func (s *Sessions) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	var data []byte
	err := s.db.read.QueryRowContext(ctx, `SELECT data FROM sessions WHERE token = $1 AND ended = 0 AND expires > $2`,
		hashToken(token), s.db.now().UnixMicro()).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	return data, err == nil, s.db.wrap("read a session", err)
}

// CommitCtx stores or overwrites a session, unless it was ended.
func (s *Sessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	sweep := s.sweepDue()
	return s.db.update(ctx, noLock, "keep a session", func(tx *sql.Tx) error {
		if sweep {
			if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE expires <= $1`, s.db.now().UnixMicro()); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO sessions (token, data, expires) VALUES ($1, $2, $3)
			ON CONFLICT (token) DO UPDATE SET data = excluded.data, expires = excluded.expires WHERE sessions.ended = 0`,
			hashToken(token), data, expiry.UnixMicro())
		return err
	})
}

func (s *Sessions) sweepDue() bool {
	now := s.db.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.Sub(s.swept) < sweepEvery {
		return false
	}
	s.swept = now
	return true
}

// DeleteCtx ends a session and forgets its data; an unknown one is no error.
func (s *Sessions) DeleteCtx(ctx context.Context, token string) error {
	return s.end(ctx, `UPDATE sessions SET ended = 1, data = $1 WHERE token = $2`, []byte{}, hashToken(token))
}

// EndAll ends every session of every user.
func (s *Sessions) EndAll(ctx context.Context) error {
	return s.end(ctx, `UPDATE sessions SET ended = 1, data = $1`, []byte{})
}

func (s *Sessions) end(ctx context.Context, query string, args ...any) error {
	return s.db.update(ctx, noLock, "end a session", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
}

// AllCtx returns the data of all sessions under way, by the hash of their
// tokens in hexadecimal: the tokens themselves are not known here.
func (s *Sessions) AllCtx(ctx context.Context) (map[string][]byte, error) {
	all := map[string][]byte{}
	err := s.db.view(ctx, "list sessions", func(tx *sql.Tx) error {
		return each(ctx, tx, func(rows *sql.Rows) error {
			var token, data []byte
			err := rows.Scan(&token, &data)
			all[hex.EncodeToString(token)] = data
			return err
		}, `SELECT token, data FROM sessions WHERE ended = 0 AND expires > $1`, s.db.now().UnixMicro())
	})
	return all, err
}

// Find is FindCtx without a context.
func (s *Sessions) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a context.
func (s *Sessions) Commit(token string, data []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, data, expiry)
}

// Delete is DeleteCtx without a context.
func (s *Sessions) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }

// All is AllCtx without a context.
func (s *Sessions) All() (map[string][]byte, error) { return s.AllCtx(context.Background()) }

// NewLink keeps the hash of a one-time sign-in link for a user, until expires.
// It is NotFound when there is no such user.
func (db *DB) NewLink(ctx context.Context, login string, hash []byte, expires time.Time) error {
	if len(hash) == 0 {
		return presswatch.Errorf(presswatch.Invalid, "link: the hash is empty")
	}
	return db.update(ctx, noLock, "keep a sign-in link", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM links WHERE expires <= $1`, db.now().UnixMicro()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO links (hash, login, expires) VALUES ($1, $2, $3)`, hash, column(login), expires.UnixMicro())
		switch {
		case foreignViolation(err):
			return presswatch.Errorf(presswatch.NotFound, "there is no user %q", login)
		case uniqueViolation(err):
			return presswatch.Errorf(presswatch.Conflict, "there is such a link already")
		}
		return err
	})
}

// UseLink returns the login a link was made for and forgets the link, in one
// step: of two who come with it, one gets in. A link that is unknown, used or
// expired at now is NotFound.
func (db *DB) UseLink(ctx context.Context, hash []byte, now time.Time) (login string, err error) {
	var expires int64
	err = db.update(ctx, noLock, "use a sign-in link", func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `DELETE FROM links WHERE hash = $1 RETURNING login, expires`, hash).Scan(&login, &expires)
		if errors.Is(err, sql.ErrNoRows) {
			return errNoLink()
		}
		return err
	})
	if err != nil {
		return "", err
	}
	if expires <= now.UnixMicro() {
		return "", errNoLink()
	}
	return login, nil
}

func errNoLink() error {
	return presswatch.Errorf(presswatch.NotFound, "this sign-in link was used already, or is too old: ask for a new one")
}
