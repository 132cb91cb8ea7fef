package storetest

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"presswatch"
)

func user(login string) presswatch.User {
	return presswatch.User{Login: login, Name: "Nguyễn Thị " + login, Role: presswatch.RoleOfficer, Locale: "fr", Hash: "$argon2id$x", CreatedAt: Start}
}

func users(t *testing.T, newURL func(testing.TB) string) {
	db, clock := Open(t, newURL(t))
	t.Run("a user is kept whole", func(t *testing.T) {
		if err := db.AddUser(t.Context(), user("binh.t-1_x")); err != nil {
			t.Fatal(err)
		}
		got := must(db.UserByLogin(t.Context(), "binh.t-1_x"))(t)
		if diff := cmp.Diff(user("binh.t-1_x"), got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("a login is given once", func(t *testing.T) {
		wantCode(t, db.AddUser(t.Context(), user("binh.t-1_x")), presswatch.Conflict)
	})
	t.Run("a wrong user is refused", func(t *testing.T) {
		wantCode(t, db.AddUser(t.Context(), user("Không")), presswatch.Invalid)
		wantCode(t, db.UpdateUser(t.Context(), presswatch.User{Login: "anna"}), presswatch.Invalid)
	})
	t.Run("an unknown user is not found", func(t *testing.T) {
		for _, login := range []string{"nobody", "", "\x00", "' OR ''='", "BINH.T-1_X"} {
			_, err := db.UserByLogin(t.Context(), login)
			wantCode(t, err, presswatch.NotFound)
		}
		wantCode(t, db.UpdateUser(t.Context(), user("nobody")), presswatch.NotFound)
	})
	t.Run("all but login and time of creation can change", func(t *testing.T) {
		u := presswatch.User{Login: "binh.t-1_x", Name: "B", Role: presswatch.RoleAdmin, Disabled: true, CreatedAt: Start.Add(time.Hour)}
		if err := db.UpdateUser(t.Context(), u); err != nil {
			t.Fatal(err)
		}
		u.CreatedAt = Start
		if got := must(db.UserByLogin(t.Context(), u.Login))(t); got != u {
			t.Errorf("got %+v, want %+v", got, u)
		}
	})
	t.Run("users are listed by login, in the order of bytes", func(t *testing.T) {
		for _, login := range []string{"zoe", "a_b", "ab", "a.b", "a-b"} {
			u := user(login)
			u.CreatedAt = time.Time{}
			if err := db.AddUser(t.Context(), u); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for _, u := range must(db.ListUsers(t.Context()))(t) {
			got = append(got, u.Login)
			if !u.CreatedAt.Equal(clock.Now()) {
				t.Errorf("%s was created at %v", u.Login, u.CreatedAt)
			}
		}
		if want := "a-b a.b a_b ab binh.t-1_x zoe"; strings.Join(got, " ") != want {
			t.Errorf("order %q, want %q", got, want)
		}
	})
}

func cursors(t *testing.T, newURL func(testing.TB) string) {
	url := newURL(t)
	db, _ := Open(t, url)
	if got := must(db.Cursor(t.Context(), "feed"))(t); got != nil {
		t.Errorf("a cursor that was never set is %q", got)
	}
	for name, value := range map[string][]byte{
		"feed": []byte("one"), "bytes": {0, 1, 255}, "empty": {}, "nil": nil, strings.Repeat("n", 512): bytes.Repeat([]byte{7}, 1<<20),
	} {
		for _, v := range [][]byte{[]byte("before"), value} {
			if err := db.SetCursor(t.Context(), name, v); err != nil {
				t.Fatal(err)
			}
		}
		again, _ := Open(t, url)
		if got := must(again.Cursor(t.Context(), name))(t); got == nil || !bytes.Equal(got, value) {
			t.Errorf("%.9s: %d bytes came back, want %d", name, len(got), len(value))
		}
	}
	wantCode(t, db.SetCursor(t.Context(), "", nil), presswatch.Invalid)
	wantCode(t, db.SetCursor(t.Context(), "a\x00", nil), presswatch.Invalid)
	wantCode(t, db.SetCursor(t.Context(), strings.Repeat("n", 513), nil), presswatch.TooLarge)
	wantCode(t, db.SetCursor(t.Context(), "feed", make([]byte, 1<<20+1)), presswatch.TooLarge)
}

func sessions(t *testing.T, newURL func(testing.TB) string) {
	url := newURL(t)
	db, clock := Open(t, url)
	s := db.Sessions()
	expiry := clock.Now().Add(time.Hour)
	find := func(t *testing.T, token, want string) {
		t.Helper()
		data, found, err := s.FindCtx(t.Context(), token)
		if err != nil || found != (want != "") || string(data) != want {
			t.Errorf("%s: %q, %v, %v; want %q", token, data, found, err, want)
		}
	}
	commit := func(t *testing.T, token, data string) {
		t.Helper()
		if err := s.CommitCtx(t.Context(), token, []byte(data), expiry); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("the last commit counts", func(t *testing.T) {
		commit(t, "a", "one")
		commit(t, "a", "two")
		find(t, "a", "two")
		find(t, "b", "")
		find(t, "\x00\xff", "")
	})
	t.Run("tokens are not stored", func(t *testing.T) {
		commit(t, "canary-token", "x")
		var n int
		err := Raw(t, url).QueryRowContext(t.Context(), `SELECT count(*) FROM sessions WHERE token = $1`, []byte("canary-token")).Scan(&n)
		if err != nil || n != 0 {
			t.Errorf("%d rows hold the token (%v)", n, err)
		}
		if all := must(s.AllCtx(t.Context()))(t); len(all) != 2 || all["canary-token"] != nil {
			t.Errorf("all: %v", all)
		}
	})
	t.Run("a deleted session stays gone, even for a late commit", func(t *testing.T) {
		for range 2 {
			if err := s.DeleteCtx(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
		}
		find(t, "a", "")
		commit(t, "a", "back")
		find(t, "a", "")
	})
	t.Run("an unknown session can be deleted", func(t *testing.T) {
		if err := s.DeleteCtx(t.Context(), "nobody"); err != nil {
			t.Error(err)
		}
	})
	t.Run("all can be ended", func(t *testing.T) {
		commit(t, "c", "three")
		if err := s.EndAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		find(t, "c", "")
		if all := must(s.AllCtx(t.Context()))(t); all == nil || len(all) != 0 {
			t.Errorf("all: %v", all)
		}
	})
	t.Run("an expired session is gone, and in time its row", func(t *testing.T) {
		commit(t, "d", "four")
		clock.Add(time.Hour)
		find(t, "d", "")
		expiry = clock.Now().Add(time.Hour)
		commit(t, "e", "five")
		var n int
		if err := Raw(t, url).QueryRowContext(t.Context(), `SELECT count(*) FROM sessions`).Scan(&n); err != nil || n != 1 {
			t.Errorf("%d rows (%v), want 1", n, err)
		}
	})
}

func links(t *testing.T, newURL func(testing.TB) string) {
	db, clock := Open(t, newURL(t))
	if err := db.AddUser(t.Context(), user("anna")); err != nil {
		t.Fatal(err)
	}
	hash, expires := []byte("0123456789abcdef0123456789abcdef"), clock.Now().Add(time.Hour)
	t.Run("a link is for a user that is there", func(t *testing.T) {
		wantCode(t, db.NewLink(t.Context(), "nobody", hash, expires), presswatch.NotFound)
		wantCode(t, db.NewLink(t.Context(), "anna", nil, expires), presswatch.Invalid)
	})
	t.Run("a link opens once", func(t *testing.T) {
		if err := db.NewLink(t.Context(), "anna", hash, expires); err != nil {
			t.Fatal(err)
		}
		wantCode(t, db.NewLink(t.Context(), "anna", hash, expires), presswatch.Conflict)
		if login := must(db.UseLink(t.Context(), hash, clock.Now()))(t); login != "anna" {
			t.Errorf("login %q", login)
		}
		_, err := db.UseLink(t.Context(), hash, clock.Now())
		wantCode(t, err, presswatch.NotFound)
	})
	t.Run("an expired link does not open, then or later", func(t *testing.T) {
		if err := db.NewLink(t.Context(), "anna", hash, expires); err != nil {
			t.Fatal(err)
		}
		for _, at := range []time.Time{expires, Start} {
			_, err := db.UseLink(t.Context(), hash, at)
			wantCode(t, err, presswatch.NotFound)
		}
	})
}
