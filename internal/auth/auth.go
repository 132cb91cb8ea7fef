// Package auth says who a request comes from and what they may do: passwords,
// one-time sign-in links, sessions, rate limits, and the one table of roles and
// actions (see Can).
package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"presswatch"
)

const (
	idleLimit  = 30 * time.Minute // a session unused for so long ends
	totalLimit = 8 * time.Hour    // and so does every session after so long
	// touchEvery is how exactly idleness is known. A session is written at most
	// this often, rather than on every request.
	touchEvery = time.Minute
	maxHashes  = 2  // passwords compared at once: each takes 19 MiB and a processor
	maxWaiting = 32 // sign-ins that may wait for that; the others are sent away
	tokenSize  = 32 // bytes of randomness in a link
)

// Links keeps the hashes of one-time sign-in links.
type Links interface {
	// NewLink keeps a link for a user until expires; NotFound without the user.
	NewLink(ctx context.Context, login string, hash []byte, expires time.Time) error
	// UseLink returns whose link it is and forgets it, in one step; NotFound
	// when it is unknown, used or expired.
	UseLink(ctx context.Context, hash []byte, now time.Time) (login string, err error)
}

// Options is what a Manager needs.
type Options struct {
	Users    presswatch.Users
	Sessions scs.Store // one that also takes contexts (scs.CtxStore) is asked with them
	Links    Links
	Now      func() time.Time // nil: time.Now
	Secure   bool             // served over https: the cookie gets the __Host- prefix
	Log      *slog.Logger     // nil: slog.Default()
	// Refuse answers a request that Wrap stops: one from another site
	// (Forbidden), or one whose session or user cannot be read. nil writes a
	// plain problem document.
	Refuse func(http.ResponseWriter, *http.Request, error)
}

// Manager signs users in and knows them again. It may be used by many
// goroutines at once. Rate limits are counted in this process only.
type Manager struct {
	o       Options
	scs     *scs.SessionManager
	origin  *http.CrossOriginProtection
	tries   tries
	hashing chan struct{}
	waiting chan struct{}
	compare func(password, hash string) (bool, error) // samePassword; tests count its calls
}

// New returns a manager.
func New(o Options) *Manager {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Refuse == nil {
		o.Refuse = refuse
	}
	m := &Manager{
		o: o, scs: scs.New(), origin: http.NewCrossOriginProtection(),
		hashing: make(chan struct{}, maxHashes), waiting: make(chan struct{}, maxHashes+maxWaiting),
		compare: samePassword,
	}
	m.scs.Store = o.Sessions
	m.scs.Lifetime = totalLimit
	m.scs.ErrorFunc = o.Refuse
	m.scs.Cookie.Name = "presswatch_session"
	m.scs.Cookie.HttpOnly = true
	m.scs.Cookie.SameSite = http.SameSiteLaxMode
	m.scs.Cookie.Persist = false // gone when the browser closes
	if o.Secure {
		m.scs.Cookie.Name, m.scs.Cookie.Secure = "__Host-presswatch_session", true
	}
	return m
}

type userKey struct{}

// UserOf returns the user whom Wrap or WithUser put into the context.
func UserOf(ctx context.Context) (presswatch.User, bool) {
	u, ok := ctx.Value(userKey{}).(presswatch.User)
	return u, ok
}

// WithUser returns a context that carries a user, for callers who proved who
// they are by other means than a session.
func WithUser(ctx context.Context, u presswatch.User) context.Context {
	return context.WithValue(ctx, userKey{}, u)
}

// SignIn checks a password and, when it is right, begins a new session with a
// new token. It is Unauthorized, in the same words and after the same time,
// for a wrong password, an unknown login, a disabled user, and one without a
// password; TooMany (see RetryAfter) after ten tries in 15 minutes for one
// account or one address, good ones not counted. The context must come from a
// request that went through Wrap.
func (m *Manager) SignIn(ctx context.Context, login, password, remoteIP string) (presswatch.User, error) {
	if err := inSession(ctx); err != nil {
		return presswatch.User{}, err
	}
	keys := tryKeys(login, remoteIP)
	if wait := m.tries.take(m.o.Now(), keys...); wait > 0 {
		m.o.Log.WarnContext(ctx, "sign-in refused: too many tries", "login", login, "remote", remoteIP)
		return presswatch.User{}, tooMany("too many tries to sign in", wait)
	}
	u, err := m.checkPassword(ctx, login, password)
	if presswatch.CodeOf(err) != presswatch.Unauthorized {
		m.tries.give(keys...) // right, or never compared
	}
	if err != nil {
		m.o.Log.WarnContext(ctx, "sign-in failed", "login", login, "remote", remoteIP, "error", err)
		return presswatch.User{}, err
	}
	if err := m.begin(ctx, u); err != nil {
		return presswatch.User{}, err
	}
	m.o.Log.InfoContext(ctx, "signed in", "login", u.Login, "remote", remoteIP)
	return u, nil
}

// checkPassword takes as long for nobody as for somebody.
func (m *Manager) checkPassword(ctx context.Context, login, password string) (presswatch.User, error) {
	u, err := m.o.Users.UserByLogin(ctx, login)
	if err != nil && presswatch.CodeOf(err) != presswatch.NotFound {
		return u, err
	}
	known := err == nil && u.Hash != ""
	hash := u.Hash
	if !known {
		hash = nobodysHash()
	}
	done, err := m.mayHash(ctx)
	if err != nil {
		return u, err
	}
	same, err := m.compare(password, hash)
	done()
	if err != nil {
		same = false
		m.o.Log.ErrorContext(ctx, "a stored password cannot be read; set a new one", "login", u.Login, "error", err)
	}
	if !same || !known || u.Disabled {
		return u, presswatch.Errorf(presswatch.Unauthorized, "login or password is wrong")
	}
	return u, nil
}

// mayHash waits for one of the few places to hash; done gives it back.
func (m *Manager) mayHash(ctx context.Context) (done func(), err error) {
	select {
	case m.waiting <- struct{}{}:
	default:
		return nil, tooMany("too many people sign in at this moment", 2*time.Second)
	}
	select {
	case m.hashing <- struct{}{}:
		return func() { <-m.hashing; <-m.waiting }, nil
	case <-ctx.Done():
		<-m.waiting
		return nil, presswatch.Errorf(presswatch.Unavailable, "sign in: given up: %w", ctx.Err())
	}
}

// SignInByLink begins a session with the token of a one-time link. A link that
// is unknown, used or expired, or whose user is disabled, is Unauthorized.
func (m *Manager) SignInByLink(ctx context.Context, token string) (presswatch.User, error) {
	if err := inSession(ctx); err != nil {
		return presswatch.User{}, err
	}
	bad := presswatch.Errorf(presswatch.Unauthorized, "this sign-in link was used already, or is too old: ask for a new one")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != tokenSize {
		return presswatch.User{}, bad
	}
	sum := sha256.Sum256(raw)
	login, err := m.o.Links.UseLink(ctx, sum[:], m.o.Now())
	if presswatch.CodeOf(err) == presswatch.NotFound {
		return presswatch.User{}, bad
	}
	if err != nil {
		return presswatch.User{}, err
	}
	u, err := m.o.Users.UserByLogin(ctx, login)
	if presswatch.CodeOf(err) == presswatch.NotFound || err == nil && u.Disabled {
		return presswatch.User{}, bad
	}
	if err != nil {
		return presswatch.User{}, err
	}
	if err := m.begin(ctx, u); err != nil {
		return presswatch.User{}, err
	}
	m.o.Log.InfoContext(ctx, "signed in by link", "login", u.Login)
	return u, nil
}

// NewLink makes a one-time sign-in link for a user and returns its token: 256
// random bits in base64, of which only the hash is kept.
func (m *Manager) NewLink(ctx context.Context, login string, ttl time.Duration) (token string, err error) {
	if ttl <= 0 {
		return "", presswatch.Errorf(presswatch.Invalid, "link: it must be good for some time, not %v", ttl)
	}
	raw := make([]byte, tokenSize)
	if _, err := rand.Read(raw); err != nil {
		return "", presswatch.Errorf(presswatch.Internal, "link: %w", err)
	}
	sum := sha256.Sum256(raw)
	if err := m.o.Links.NewLink(ctx, login, sum[:], m.o.Now().Add(ttl)); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// SignOut ends the session of the request: at once, and for good.
func (m *Manager) SignOut(ctx context.Context) error {
	if err := inSession(ctx); err != nil {
		return err
	}
	return m.scs.Destroy(ctx)
}

// stamp changes when what a session was given for changes: the password, or
// the role. Sessions that carry an old one end.
func stamp(u presswatch.User) string {
	sum := sha256.Sum256([]byte(string(u.Role) + "\x00" + u.Hash))
	return hex.EncodeToString(sum[:8])
}
