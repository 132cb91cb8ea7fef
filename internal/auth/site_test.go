package auth_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"presswatch"
	"presswatch/internal/auth"
	"presswatch/internal/store"
	"presswatch/internal/store/storetest"
)

const goodPassword = "bốn con vịt qua sông xa"

// site is a small web site behind a real Manager and a real store: it signs in
// and out, and tells who asks.
type site struct {
	*httptest.Server
	t     *testing.T
	db    *store.DB
	m     *auth.Manager
	clock *storetest.Clock
	slow  chan struct{} // GET /slow answers when it is closed
	began chan struct{} // and says here that it was called
}

var hashOnce = sync.OnceValues(func() (string, error) { return auth.HashPassword(goodPassword) })

func newSite(t *testing.T, secure bool) *site {
	t.Helper()
	db, clock := storetest.Open(t, storetest.SQLite(t))
	s := &site{t: t, db: db, clock: clock, slow: make(chan struct{}), began: make(chan struct{}, 1)}
	s.m = auth.New(auth.Options{
		Users: db, Sessions: db.Sessions(), Links: db, Now: clock.Now, Secure: secure, Log: slog.New(slog.DiscardHandler),
	})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /in", func(w http.ResponseWriter, r *http.Request) {
		u, err := s.m.SignIn(r.Context(), r.FormValue("login"), r.FormValue("password"), r.Header.Get("X-Test-IP"))
		answer(w, u, err)
	})
	mux.HandleFunc("POST /link", func(w http.ResponseWriter, r *http.Request) {
		u, err := s.m.SignInByLink(r.Context(), r.FormValue("token"))
		answer(w, u, err)
	})
	mux.HandleFunc("POST /out", func(w http.ResponseWriter, r *http.Request) {
		answer(w, presswatch.User{}, s.m.SignOut(r.Context()))
	})
	mux.HandleFunc("GET /me", who)
	mux.HandleFunc("POST /me", who)
	mux.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) {
		s.began <- struct{}{}
		<-s.slow
		who(w, r)
	})
	h := s.m.Wrap(mux)
	s.Server = httptest.NewServer(h)
	if secure {
		s.Server.Close()
		s.Server = httptest.NewTLSServer(h)
	}
	t.Cleanup(s.Server.Close)
	return s
}

func who(w http.ResponseWriter, r *http.Request) {
	u, ok := auth.UserOf(r.Context())
	if !ok {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	_, _ = io.WriteString(w, u.Login)
}

func answer(w http.ResponseWriter, u presswatch.User, err error) {
	status := map[presswatch.Code]int{
		"": 200, presswatch.Unauthorized: 401, presswatch.TooMany: 429, presswatch.Unavailable: 503,
	}[presswatch.CodeOf(err)]
	if after, ok := auth.RetryAfter(err); ok {
		w.Header().Set("Retry-After", after.String())
	}
	if status == 0 {
		status = 500
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(u.Login)
}

func (s *site) addUser(login string) presswatch.User {
	s.t.Helper()
	hash, err := hashOnce()
	if err != nil {
		s.t.Fatal(err)
	}
	u := presswatch.User{Login: login, Role: presswatch.RoleOfficer, Hash: hash}
	if err := s.db.AddUser(s.t.Context(), u); err != nil {
		s.t.Fatal(err)
	}
	return u
}

// browser is a client with cookies of its own.
type browser struct {
	*http.Client
	s  *site
	ip string
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{Client: &http.Client{Jar: jar, Transport: s.Server.Client().Transport}, s: s, ip: "192.0.2.1"}
}

func (b *browser) do(method, path string, form url.Values, header ...string) (status int, body string, h http.Header) {
	b.s.t.Helper()
	r, err := http.NewRequestWithContext(b.s.t.Context(), method, b.s.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Test-IP", b.ip)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := b.Do(r)
	if err != nil {
		b.s.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(raw), res.Header
}

func (b *browser) signIn(login, password string) (status int, h http.Header) {
	b.s.t.Helper()
	status, _, h = b.do("POST", "/in", url.Values{"login": {login}, "password": {password}})
	return status, h
}

// me is the login that the site knows the browser by; empty for nobody.
func (b *browser) me() string {
	b.s.t.Helper()
	status, body, _ := b.do("GET", "/me", nil)
	if status == http.StatusUnauthorized {
		return ""
	}
	if status != http.StatusOK {
		b.s.t.Fatalf("GET /me: status %d, %s", status, body)
	}
	return body
}

// cookie is the session cookie of the browser.
func (b *browser) cookie() *http.Cookie {
	u, err := url.Parse(b.s.URL)
	if err != nil {
		b.s.t.Fatal(err)
	}
	for _, c := range b.Jar.Cookies(u) {
		return c
	}
	return nil
}

func (b *browser) setCookie(name, value string) {
	u, err := url.Parse(b.s.URL)
	if err != nil {
		b.s.t.Fatal(err)
	}
	b.Jar.SetCookies(u, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

func (b *browser) wantSignIn(login string) {
	b.s.t.Helper()
	if status, _ := b.signIn(login, goodPassword); status != http.StatusOK {
		b.s.t.Fatalf("sign-in of %s: status %d", login, status)
	}
	if got := b.me(); got != login {
		b.s.t.Fatalf("after the sign-in the site knows %q, want %q", got, login)
	}
}

// awayUsers fails as a database does that is away.
type awayUsers struct{ presswatch.Users }

func (awayUsers) UserByLogin(context.Context, string) (presswatch.User, error) {
	return presswatch.User{}, presswatch.Errorf(presswatch.Unavailable, "away")
}

const minute = time.Minute
