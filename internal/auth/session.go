package auth

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"presswatch"
)

// What a session holds.
const (
	keyLogin = "login"
	keyStamp = "stamp" // see stamp
	keySince = "since" // Unix seconds of the sign-in
	keySeen  = "seen"  // Unix seconds of the last request, to the minute
)

type wrappedKey struct{}

// inSession reports whether the context went through Wrap; scs panics on one
// that did not.
func inSession(ctx context.Context) error {
	if ctx.Value(wrappedKey{}) == nil {
		return presswatch.Errorf(presswatch.Internal, "auth: the request did not go through Wrap")
	}
	return nil
}

// Wrap puts the signed-in user of a request, if there is one, into its context
// (see UserOf). It refuses requests that change something and come from
// another site (Forbidden), by Sec-Fetch-Site or, against Host, by Origin; a
// proxy in front must leave Host as it was. Browsers send one of them, and what
// sends neither is no browser (SameSite=Lax keeps the cookie from it anyway). It ends sessions that
// are idle for 30 minutes or 8 hours old, and those whose user was disabled,
// removed, or given another password or role: from the next request on, without
// waiting. A request without a good session goes on without a user.
func (m *Manager) Wrap(next http.Handler) http.Handler {
	inner := m.scs.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), wrappedKey{}, true)
		u, ok, err := m.current(ctx)
		if err != nil {
			m.o.Refuse(w, r, err)
			return
		}
		if ok {
			ctx = WithUser(ctx, u)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := m.origin.Check(r); err != nil {
			m.o.Refuse(w, r, presswatch.Errorf(presswatch.Forbidden, "the request comes from another site: %w", err))
			return
		}
		inner.ServeHTTP(w, r)
	})
}

// current returns the user of the session, and ends a session that is over.
func (m *Manager) current(ctx context.Context) (presswatch.User, bool, error) {
	login := m.scs.GetString(ctx, keyLogin)
	if login == "" {
		return presswatch.User{}, false, nil
	}
	now := m.o.Now()
	since, seen := time.Unix(m.scs.GetInt64(ctx, keySince), 0), time.Unix(m.scs.GetInt64(ctx, keySeen), 0)
	why := ""
	u, err := m.o.Users.UserByLogin(ctx, login)
	switch {
	case presswatch.CodeOf(err) == presswatch.NotFound:
		why = "there is no such user any more"
	case err != nil:
		return u, false, err
	case u.Disabled:
		why = "the user is disabled"
	case m.scs.GetString(ctx, keyStamp) != stamp(u):
		why = "password or role have changed"
	case now.Sub(since) >= totalLimit:
		why = "it is too old"
	case now.Sub(seen) >= idleLimit:
		why = "it was idle"
	}
	if why != "" {
		m.o.Log.InfoContext(ctx, "session ended", "login", login, "why", why)
		return presswatch.User{}, false, m.scs.Destroy(ctx)
	}
	if now.Sub(seen) >= touchEvery {
		m.scs.Put(ctx, keySeen, now.Unix())
	}
	return u, true, nil
}

// begin gives the request a session of its own, with a token nobody has seen.
func (m *Manager) begin(ctx context.Context, u presswatch.User) error {
	if err := m.scs.RenewToken(ctx); err != nil {
		return err
	}
	now := m.o.Now().Unix()
	m.scs.Put(ctx, keyLogin, u.Login)
	m.scs.Put(ctx, keyStamp, stamp(u))
	m.scs.Put(ctx, keySince, now)
	m.scs.Put(ctx, keySeen, now)
	return nil
}

// refuse is the answer when Options.Refuse is not set.
func refuse(w http.ResponseWriter, _ *http.Request, err error) {
	status, title := http.StatusInternalServerError, "Something went wrong"
	switch presswatch.CodeOf(err) {
	case presswatch.Forbidden:
		status, title = http.StatusForbidden, "Refused: the request comes from another site"
	case presswatch.Unavailable:
		status, title = http.StatusServiceUnavailable, "A part of the service is away; try again soon"
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"title": title, "status": status, "code": presswatch.CodeOf(err)})
}
