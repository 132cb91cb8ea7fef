package store

import (
	"context"
	"database/sql"
	"errors"

	"presswatch"
)

const (
	maxCursorName  = 512
	maxCursorValue = 1 << 20
)

const userColumns = `login, name, role, locale, hash, disabled, created_at`

// AddUser stores a new user; Conflict when the login is taken. A zero
// CreatedAt becomes now.
func (db *DB) AddUser(ctx context.Context, u presswatch.User) error {
	if err := u.Validate(); err != nil {
		return err
	}
	if u.CreatedAt.IsZero() {
		u.CreatedAt = db.now()
	}
	return db.update(ctx, noLock, "add a user", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO users (`+userColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			u.Login, column(u.Name), string(u.Role), column(u.Locale), u.Hash, flag(u.Disabled), u.CreatedAt.UnixMicro())
		if uniqueViolation(err) {
			return presswatch.Errorf(presswatch.Conflict, "there is a user %s already", u.Login)
		}
		return err
	})
}

// UserByLogin returns a user, or NotFound.
func (db *DB) UserByLogin(ctx context.Context, login string) (presswatch.User, error) {
	u, err := scanUser(db.read.QueryRowContext(ctx, `SELECT `+userColumns+` FROM users WHERE login = $1`, column(login)))
	if errors.Is(err, sql.ErrNoRows) {
		return u, presswatch.Errorf(presswatch.NotFound, "there is no user %q", login)
	}
	return u, db.wrap("read a user", err)
}

// ListUsers returns all users by login.
func (db *DB) ListUsers(ctx context.Context) ([]presswatch.User, error) {
	users := []presswatch.User{}
	err := db.view(ctx, "list users", func(tx *sql.Tx) error {
		return each(ctx, tx, func(rows *sql.Rows) error {
			u, err := scanUser(rows)
			users = append(users, u)
			return err
		}, `SELECT `+userColumns+` FROM users ORDER BY login`)
	})
	return users, err
}

// UpdateUser changes all fields but Login and CreatedAt, or is NotFound.
func (db *DB) UpdateUser(ctx context.Context, u presswatch.User) error {
	if err := u.Validate(); err != nil {
		return err
	}
	return db.update(ctx, noLock, "change a user", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE users SET name = $2, role = $3, locale = $4, hash = $5, disabled = $6 WHERE login = $1`,
			u.Login, column(u.Name), string(u.Role), column(u.Locale), u.Hash, flag(u.Disabled))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return presswatch.Errorf(presswatch.NotFound, "there is no user %s", u.Login)
	})
}

func scanUser(row interface{ Scan(...any) error }) (presswatch.User, error) {
	var (
		u                 presswatch.User
		disabled, created int64
	)
	err := row.Scan(&u.Login, &u.Name, &u.Role, &u.Locale, &u.Hash, &disabled, &created)
	u.Disabled, u.CreatedAt = disabled != 0, fromMicros(created)
	return u, err
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Cursor returns the value kept under name, or nil when there is none.
func (db *DB) Cursor(ctx context.Context, name string) ([]byte, error) {
	var value []byte
	err := db.read.QueryRowContext(ctx, `SELECT value FROM cursors WHERE name = $1`, column(name)).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil && value == nil {
		value = []byte{}
	}
	return value, db.wrap("read a cursor", err)
}

// SetCursor keeps value under name, durably. A name has at most 512 bytes, a
// value at most 1 MiB.
func (db *DB) SetCursor(ctx context.Context, name string, value []byte) error {
	switch {
	case name == "" || column(name) != name:
		return presswatch.Errorf(presswatch.Invalid, "cursor: %q is not a name", name)
	case len(name) > maxCursorName:
		return presswatch.Errorf(presswatch.TooLarge, "cursor: a name of %d bytes, the most is %d", len(name), maxCursorName)
	case len(value) > maxCursorValue:
		return presswatch.Errorf(presswatch.TooLarge, "cursor %s: a value of %d bytes, the most is %d", name, len(value), maxCursorValue)
	case value == nil:
		value = []byte{}
	}
	return db.update(ctx, noLock, "keep a cursor", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO cursors (name, value) VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
		return err
	})
}
