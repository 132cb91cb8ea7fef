package presswatch

import (
	"context"
	"slices"
	"time"
)

// Role says what a user may do; api holds the table of it.
type Role string

// Roles are the kinds of users, least first.
func Roles() []Role {
	return []Role{RoleNewsroom, RoleAnalyst, RoleAuditor, RoleOfficer, RoleSenior, RoleAdmin}
}

// The roles.
const (
	RoleNewsroom Role = "newsroom" // sees requests addressed to its own outlet
	RoleAnalyst  Role = "analyst"  // searches the archive
	RoleAuditor  Role = "auditor"  // reads everything, changes nothing
	RoleOfficer  Role = "officer"  // works the queue
	RoleSenior   Role = "senior"   // and approves what others decided
	RoleAdmin    Role = "admin"    // and manages users and sources
)

// Valid reports whether r is one of Roles.
func (r Role) Valid() bool { return slices.Contains(Roles(), r) }

// User is a person with an account.
type User struct {
	Login     string    `json:"login"` // lower case letters, digits, '.', '-', '_'; 2 to 64 characters
	Name      string    `json:"name"`
	Role      Role      `json:"role"`
	Locale    string    `json:"locale,omitempty"` // BCP 47; empty: the browser's
	Hash      string    `json:"-"`                // argon2id; empty: no password, so no sign-in by one
	Disabled  bool      `json:"disabled,omitempty"`
	CreatedAt time.Time `json:"created_at"`
}

// Validate says what is wrong with a user, naming the field.
func (u User) Validate() error {
	if n := len(u.Login); n < 2 || n > 64 {
		return Errorf(Invalid, "login: 2 to 64 characters")
	}
	for _, r := range u.Login {
		if !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_') {
			return Errorf(Invalid, "login: %q: only a-z, 0-9, '.', '-' and '_'", u.Login)
		}
	}
	if !u.Role.Valid() {
		return Errorf(Invalid, "role: %q is not one of %v", u.Role, Roles())
	}
	return nil
}

// Users keeps accounts.
type Users interface {
	// AddUser stores a new user; Conflict when the login is taken.
	AddUser(ctx context.Context, u User) error
	// UserByLogin returns a user, or NotFound.
	UserByLogin(ctx context.Context, login string) (User, error)
	// ListUsers returns all users by login.
	ListUsers(ctx context.Context) ([]User, error)
	// UpdateUser changes all fields but Login and CreatedAt.
	UpdateUser(ctx context.Context, u User) error
}

// Cursors remembers how far something got: a crawler in its feed, an import in
// its file.
type Cursors interface {
	// Cursor returns the value kept under name, or nil when there is none.
	Cursor(ctx context.Context, name string) ([]byte, error)
	// SetCursor keeps value under name, durably.
	SetCursor(ctx context.Context, name string, value []byte) error
}
