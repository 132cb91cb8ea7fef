package auth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"presswatch"
	"presswatch/internal/auth"
	"presswatch/internal/store/storetest"
)

func TestSessionCookie(t *testing.T) {
	for name, tc := range map[string]struct {
		secure bool
		prefix string
	}{
		"over http":  {false, "presswatch_session="},
		"over https": {true, "__Host-presswatch_session="},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, tc.secure)
			s.addUser("anna")
			b := s.browser()
			_, h := b.signIn("anna", goodPassword)
			set := h.Get("Set-Cookie")
			if !strings.HasPrefix(set, tc.prefix) || strings.Contains(set, "; Secure") != tc.secure {
				t.Errorf("cookie %q", set)
			}
			for _, attr := range []string{"; HttpOnly", "; SameSite=Lax", "; Path=/"} {
				if !strings.Contains(set, attr) {
					t.Errorf("cookie %q lacks %s", set, attr)
				}
			}
			if strings.Contains(set, "Domain") || strings.Contains(set, "Expires") {
				t.Errorf("cookie %q is for more than this site and this sitting", set)
			}
			if b.me() != "anna" {
				t.Error("not signed in")
			}
		})
	}
}

func TestSessionFixation(t *testing.T) {
	s := newSite(t, false)
	s.addUser("anna")
	s.addUser("eve")
	t.Run("a token that somebody planted is not taken over", func(t *testing.T) {
		b := s.browser()
		b.setCookie("presswatch_session", "planted-by-eve")
		b.wantSignIn("anna")
		if got := b.cookie().Value; got == "planted-by-eve" {
			t.Error("the planted token is the session")
		}
	})
	t.Run("signing in over a live session changes the token, and ends the old one", func(t *testing.T) {
		eve, anna := s.browser(), s.browser()
		eve.wantSignIn("eve")
		planted := eve.cookie()
		anna.setCookie(planted.Name, planted.Value)
		anna.wantSignIn("anna")
		if anna.cookie().Value == planted.Value {
			t.Error("the token was kept")
		}
		if got := eve.me(); got != "" {
			t.Errorf("the planted token is good for %q", got)
		}
	})
	t.Run("a visitor gets no session", func(t *testing.T) {
		b := s.browser()
		if b.me() != "" || b.cookie() != nil {
			t.Error("a visitor has a cookie")
		}
	})
}

func TestSignOut(t *testing.T) {
	s := newSite(t, false)
	s.addUser("anna")
	t.Run("the token is dead afterwards", func(t *testing.T) {
		b, thief := s.browser(), s.browser()
		b.wantSignIn("anna")
		stolen := b.cookie()
		thief.setCookie(stolen.Name, stolen.Value)
		if thief.me() != "anna" {
			t.Fatal("the copy of the token does not work to begin with")
		}
		if status, _, _ := b.do("POST", "/out", nil); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
		if b.me() != "" || thief.me() != "" {
			t.Error("the token still works")
		}
	})
	t.Run("a request under way does not bring the session back", func(t *testing.T) {
		b, slow := s.browser(), s.browser()
		b.wantSignIn("anna")
		c := b.cookie()
		slow.setCookie(c.Name, c.Value)
		s.clock.Add(5 * minute) // so that the slow request writes the session
		done := make(chan int)
		go func() {
			status, _, _ := slow.do("GET", "/slow", nil)
			done <- status
		}()
		<-s.began
		b.do("POST", "/out", nil)
		close(s.slow)
		if status := <-done; status != http.StatusOK {
			t.Errorf("the slow request: status %d", status)
		}
		if slow.me() != "" || b.me() != "" {
			t.Error("the session is back")
		}
	})
}

func TestSessionEnds(t *testing.T) {
	for name, tc := range map[string]struct {
		do   func(*site, *browser, presswatch.User)
		want string
	}{
		"it lives while it is used": {func(s *site, b *browser, _ presswatch.User) {
			for range 15 {
				s.clock.Add(29 * minute)
				b.me()
			}
		}, "anna"},
		"idle for 29 minutes it lives":   {func(s *site, _ *browser, _ presswatch.User) { s.clock.Add(29 * minute) }, "anna"},
		"idle for 30 minutes it is over": {func(s *site, _ *browser, _ presswatch.User) { s.clock.Add(30 * minute) }, ""},
		"after 8 hours it is over, used or not": {func(s *site, b *browser, _ presswatch.User) {
			for range 32 {
				s.clock.Add(15 * minute)
				b.me()
			}
		}, ""},
		"a disabled user is out at once": {func(s *site, _ *browser, u presswatch.User) {
			u.Disabled = true
			s.update(u)
		}, ""},
		"a new password ends it": {func(s *site, _ *browser, u presswatch.User) {
			u.Hash += "x"
			s.update(u)
		}, ""},
		"another role ends it": {func(s *site, _ *browser, u presswatch.User) {
			u.Role = presswatch.RoleAnalyst
			s.update(u)
		}, ""},
		"another name does not": {func(s *site, _ *browser, u presswatch.User) {
			u.Name, u.Locale = "Anna B.", "fr"
			s.update(u)
		}, "anna"},
		"an administrator ends all": {func(s *site, _ *browser, _ presswatch.User) {
			if err := s.db.Sessions().EndAll(s.t.Context()); err != nil {
				s.t.Fatal(err)
			}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, false)
			u := s.addUser("anna")
			b := s.browser()
			b.wantSignIn("anna")
			tc.do(s, b, u)
			if got := b.me(); got != tc.want {
				t.Errorf("the site knows %q, want %q", got, tc.want)
			}
			if got := b.me(); got != tc.want {
				t.Errorf("asked again, the site knows %q, want %q", got, tc.want)
			}
		})
	}
}

func TestDisabledAndEnabledAgain(t *testing.T) {
	s := newSite(t, false)
	u := s.addUser("anna")
	b := s.browser()
	b.wantSignIn("anna")
	u.Disabled = true
	s.update(u)
	b.me()
	u.Disabled = false
	s.update(u)
	if got := b.me(); got != "" {
		t.Errorf("the ended session is good again, for %q", got)
	}
}

func (s *site) update(u presswatch.User) {
	s.t.Helper()
	if err := s.db.UpdateUser(s.t.Context(), u); err != nil {
		s.t.Fatal(err)
	}
}

func TestCrossSiteWritesAreRefused(t *testing.T) {
	s := newSite(t, false)
	s.addUser("anna")
	b := s.browser()
	b.wantSignIn("anna")
	host := strings.TrimPrefix(s.URL, "http://")
	for name, tc := range map[string]struct {
		method string
		header []string
		want   int
	}{
		"cross-site by Sec-Fetch-Site, no Origin": {"POST", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"same-site is another origin":             {"POST", []string{"Sec-Fetch-Site", "same-site"}, 403},
		"foreign Origin":                          {"POST", []string{"Origin", "https://evil.example"}, 403},
		"null Origin":                             {"POST", []string{"Origin", "null"}, 403},
		"another port is another origin":          {"POST", []string{"Origin", "http://127.0.0.1:1"}, 403},
		"our name at the end of theirs":           {"POST", []string{"Origin", "http://evil.example." + host}, 403},
		"our name as their user":                  {"POST", []string{"Origin", "http://" + host + "@evil.example"}, 403},
		"cross-site beats a forged Origin":        {"POST", []string{"Sec-Fetch-Site", "cross-site", "Origin", "http://" + host}, 403},
		"any method that is not safe":             {"DELETE", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"a made-up method":                        {"FROB", []string{"Origin", "null"}, 403},
		"same origin":                             {"POST", []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://" + host}, 200},
		"same origin, old browser":                {"POST", []string{"Origin", "http://" + host}, 200},
		"no browser":                              {"POST", nil, 200},
		"reading is free":                         {"GET", []string{"Sec-Fetch-Site", "cross-site"}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			status, body, _ := b.do(tc.method, "/me", nil, tc.header...)
			if status != tc.want {
				t.Errorf("status %d, want %d (%s)", status, tc.want, body)
			}
		})
	}
	t.Run("signing in is a write too", func(t *testing.T) {
		stranger := s.browser()
		status, _, _ := stranger.do("POST", "/in", url.Values{"login": {"anna"}, "password": {goodPassword}}, "Origin", "https://evil.example")
		if status != 403 || stranger.cookie() != nil {
			t.Errorf("status %d, cookie %v", status, stranger.cookie())
		}
	})
}

func TestLinks(t *testing.T) {
	s := newSite(t, false)
	u := s.addUser("anna")
	open := func(token string) (int, *browser) {
		b := s.browser()
		status, _, _ := b.do("POST", "/link", url.Values{"token": {token}})
		return status, b
	}
	link := func() string {
		t.Helper()
		token, err := s.m.NewLink(t.Context(), "anna", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	t.Run("a link signs in once", func(t *testing.T) {
		token := link()
		if len(token) != 43 {
			t.Errorf("token of %d characters, want 43", len(token))
		}
		if status, b := open(token); status != 200 || b.me() != "anna" {
			t.Errorf("status %d, user %q", status, b.me())
		}
		if status, b := open(token); status != 401 || b.cookie() != nil {
			t.Errorf("a second time: status %d", status)
		}
	})
	t.Run("nothing opens but a whole token", func(t *testing.T) {
		for _, token := range []string{"", "x", strings.Repeat("A", 43), strings.Repeat("A", 1<<16), link() + "=", link()[1:]} {
			if status, _ := open(token); status != 401 {
				t.Errorf("token %.20q: status %d", token, status)
			}
		}
	})
	t.Run("a link runs out", func(t *testing.T) {
		token := link()
		s.clock.Add(time.Hour)
		if status, _ := open(token); status != 401 {
			t.Errorf("status %d", status)
		}
	})
	t.Run("a disabled user's link does not open", func(t *testing.T) {
		token := link()
		u.Disabled = true
		s.update(u)
		if status, _ := open(token); status != 401 {
			t.Errorf("status %d", status)
		}
	})
	t.Run("a link is for somebody, and for some time", func(t *testing.T) {
		if _, err := s.m.NewLink(t.Context(), "nobody", time.Hour); presswatch.CodeOf(err) != presswatch.NotFound {
			t.Error(err)
		}
		if _, err := s.m.NewLink(t.Context(), "anna", 0); presswatch.CodeOf(err) != presswatch.Invalid {
			t.Error(err)
		}
	})
}

func TestWithoutWrap(t *testing.T) {
	db, _ := storetest.Open(t, storetest.SQLite(t))
	m := auth.New(auth.Options{Users: db, Sessions: db.Sessions(), Links: db})
	_, err1 := m.SignIn(t.Context(), "anna", "x", "")
	_, err2 := m.SignInByLink(t.Context(), "x")
	for i, err := range []error{err1, err2, m.SignOut(t.Context())} {
		if presswatch.CodeOf(err) != presswatch.Internal {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if _, ok := auth.UserOf(t.Context()); ok {
		t.Error("an empty context has a user")
	}
	if u, ok := auth.UserOf(auth.WithUser(t.Context(), presswatch.User{Login: "anna"})); !ok || u.Login != "anna" {
		t.Errorf("WithUser: %v, %v", u, ok)
	}
}
