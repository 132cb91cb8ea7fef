package auth_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"presswatch"
	"presswatch/internal/auth"
)

func TestSignInAnswersAlikeForAllFailures(t *testing.T) {
	s := newSite(t, false)
	s.addUser("anna")
	off := s.addUser("off")
	off.Disabled = true
	s.update(off)
	bare := s.addUser("bare")
	bare.Hash = ""
	s.update(bare)
	var cost []string // what each comparison cost, as the hash says
	s.m.CountHashes(func(hash string) func() {
		cost = append(cost, strings.Join(strings.Split(hash, "$")[:4], "$"))
		return func() {}
	})
	var bodies []string
	for _, tc := range []struct{ name, login, password string }{
		{"wrong password", "anna", "not this one at all"},
		{"unknown user", "nobody", goodPassword},
		{"disabled user", "off", goodPassword},
		{"no password set", "bare", goodPassword},
		{"empty password", "bare", ""},
		{"no login", "", goodPassword},
		{"hostile login", "anna\x00' OR 1=1", goodPassword},
		{"endless password", "anna", strings.Repeat(goodPassword, 9999)},
		{"right, and more behind", "anna", goodPassword + strings.Repeat("x", 200)},
	} {
		b := s.browser()
		b.ip = "192.0.2." + fmt.Sprint(len(bodies))
		status, h := b.signIn(tc.login, tc.password)
		if status != 401 || b.cookie() != nil || h.Get("Set-Cookie") != "" {
			t.Errorf("%s: status %d, cookie %v", tc.name, status, b.cookie())
		}
		bodies = append(bodies, fmt.Sprint(status, h.Get("Content-Length")))
	}
	if len(slices.Compact(bodies)) != 1 {
		t.Errorf("the answers differ: %q", bodies)
	}
	if n := len(cost); n != 9 || len(slices.Compact(cost)) != 1 {
		t.Errorf("%d comparisons, want 9 of one cost: %q", n, slices.Compact(cost))
	}
}

func TestRateLimits(t *testing.T) {
	newSiteWithCount := func(t *testing.T) (*site, *int) {
		s := newSite(t, false)
		s.addUser("anna")
		hashes := 0
		s.m.CountHashes(func(string) func() { hashes++; return func() {} })
		return s, &hashes
	}
	t.Run("an account is tried ten times in 15 minutes, from wherever", func(t *testing.T) {
		s, hashes := newSiteWithCount(t)
		b := s.browser()
		for i := range 14 {
			b.ip = fmt.Sprintf("192.0.2.%d", i)
			want := 401
			if i >= 10 {
				want = 429
			}
			if status, _ := b.signIn("anna", "wrong wrong wrong"); status != want {
				t.Errorf("try %d: status %d, want %d", i+1, status, want)
			}
			s.clock.Add(minute)
		}
		if *hashes != 10 {
			t.Errorf("%d hashes for 14 tries, want 10", *hashes)
		}
		status, h := b.signIn("anna", goodPassword)
		if got := h.Get("Retry-After"); status != 429 || got != "1m0s" {
			t.Errorf("status %d, Retry-After %q; want 429, one minute", status, got)
		}
		s.clock.Add(minute)
		b.wantSignIn("anna")
	})
	t.Run("an address tries ten times, whatever account", func(t *testing.T) {
		s, hashes := newSiteWithCount(t)
		b := s.browser()
		for i := range 12 {
			b.signIn(fmt.Sprintf("user%d", i), "wrong wrong wrong")
		}
		if status, _ := b.signIn("anna", goodPassword); status != 429 || *hashes != 10 {
			t.Errorf("status %d after %d hashes, want 429 after 10", status, *hashes)
		}
		b.ip = "198.51.100.7"
		b.wantSignIn("anna")
	})
	t.Run("one network of IPv6 is one address, however it is written", func(t *testing.T) {
		s, hashes := newSiteWithCount(t)
		b := s.browser()
		for i := range 20 {
			b.ip = fmt.Sprintf("[2001:db8::%x:1]:%d", i, 1000+i)
			b.signIn(fmt.Sprintf("user%d", i), "wrong wrong wrong")
		}
		if *hashes != 10 {
			t.Errorf("%d hashes, want 10", *hashes)
		}
		b.ip = "2001:db8:0:1::1"
		b.wantSignIn("anna")
	})
	t.Run("good sign-ins are not counted", func(t *testing.T) {
		s, _ := newSiteWithCount(t)
		for range 12 { // an office behind one address
			s.browser().wantSignIn("anna")
		}
	})
	t.Run("many accounts and addresses take bounded memory", func(t *testing.T) {
		s, _ := newSiteWithCount(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // so that nothing is hashed
		h := s.m.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			for i := range 2 * auth.MaxTracked {
				_, _ = s.m.SignIn(contextOf(r, ctx), fmt.Sprint("u", i), "x", fmt.Sprint(i))
			}
		}))
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
		if n := s.m.Tracked(); n > 2*auth.MaxTracked+4 {
			t.Errorf("%d tracked", n)
		}
	})
}

// contextOf has the values of the request, and the end of ctx.
func contextOf(r *http.Request, ctx context.Context) context.Context {
	return both{r.Context(), ctx}
}

type both struct {
	context.Context
	end context.Context
}

func (b both) Done() <-chan struct{} { return b.end.Done() }
func (b both) Err() error            { return b.end.Err() }

func TestHashesAtOnce(t *testing.T) {
	s := newSite(t, false)
	s.addUser("anna")
	var (
		mu        sync.Mutex
		now, most int
		full      = make(chan struct{})
		release   = make(chan struct{})
	)
	s.m.CountHashes(func(string) func() {
		mu.Lock()
		if now++; now > most {
			most = now
		}
		if now == auth.MaxHashes {
			select {
			case <-full:
			default:
				close(full)
			}
		}
		mu.Unlock()
		<-release
		return func() { mu.Lock(); now--; mu.Unlock() }
	})
	results := make(chan int)
	const flood = auth.MaxHashes + auth.MaxWaiting + 20
	for i := range flood {
		go func() {
			b := s.browser()
			b.ip = fmt.Sprintf("10.0.0.%d", i)
			status, _ := b.signIn(fmt.Sprint("user", i), "wrong wrong wrong")
			results <- status
		}()
	}
	<-full
	got := map[int]int{}
	for range 20 { // those for whom there is no place are told so at once
		got[<-results]++
	}
	close(release)
	for range flood - 20 {
		got[<-results]++
	}
	if most != auth.MaxHashes {
		t.Errorf("%d hashes at once, want %d", most, auth.MaxHashes)
	}
	if got[429] != 20 || got[401] != flood-20 {
		t.Errorf("answers %v, want 20 of 429 and %d of 401", got, flood-20)
	}
}

func TestSignInWhenTheStoreIsAway(t *testing.T) {
	s := newSite(t, false)
	s.addUser("anna")
	b := s.browser()
	b.wantSignIn("anna")
	m := auth.New(auth.Options{
		Users: awayUsers{}, Sessions: s.db.Sessions(), Links: s.db, Now: s.clock.Now, Log: slog.New(slog.DiscardHandler),
	})
	h := m.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range 12 { // not the visitor's fault, so not counted
			if _, err := m.SignIn(r.Context(), "anna", goodPassword, "192.0.2.1"); presswatch.CodeOf(err) != presswatch.Unavailable {
				t.Error(err)
			}
		}
	}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
	r.AddCookie(b.cookie())
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 503 || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("with a session: status %d, %v", w.Code, w.Header())
	}
	if got := b.me(); got != "anna" {
		t.Errorf("the session did not outlive the trouble: %q", got)
	}
}

func TestRetryAfter(t *testing.T) {
	if _, ok := auth.RetryAfter(presswatch.Errorf(presswatch.TooMany, "other")); ok {
		t.Error("found where there is none")
	}
	if d, ok := auth.RetryAfter(fmt.Errorf("x: %w", &auth.LimitError{After: 90 * time.Second})); !ok || d != 90*time.Second {
		t.Errorf("got %v, %v", d, ok)
	}
}
