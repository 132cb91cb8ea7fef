package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"presswatch"
	"presswatch/internal/auth"
	"presswatch/internal/index"
	"presswatch/internal/store"
)

const token = "local-token-of-the-tests"

// site is the API on a real store and a real index. Who calls is put into the
// context by the header X-Test-User, as auth.Wrap does from a session.
type site struct {
	t    *testing.T
	db   *store.DB
	deps Deps
	h    http.Handler
	docs []presswatch.Document
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func newSite(t *testing.T, docs ...presswatch.Document) *site {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "press.db"), quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	idx, err := index.OpenBleve(t.TempDir(), quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = idx.Close() })
	errs, err := idx.Put(t.Context(), docs)
	_, openErr := db.OpenCases(t.Context(), flagged(docs))
	if openErr == nil { // and then the verdicts of some fall
		_, openErr = db.OpenCases(t.Context(), docs)
	}
	if err := errors.Join(append(errs, err, idx.Refresh(t.Context()), openErr)...); err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, db: db, docs: docs}
	s.deps = Deps{
		Cases: db, Index: idx, Users: db, Dead: &letters{}, Token: token, Log: quiet(), Version: "1.2.3",
		Sources: func() []SourceStatus { return []SourceStatus{{ID: "bao", Kind: "feed"}} },
		Limits:  Limits{PerIP: Limit{Rate: 1e6, Burst: 1e6}, PerUser: Limit{Rate: 1e6, Burst: 1e6}},
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "presswatch_up 1") }),
	}
	s.build()
	return s
}

func (s *site) build() { s.h = sessions(New(s.deps).Handler()) }

func sessions(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if login := r.Header.Get("X-Test-User"); login != "" {
			u := presswatch.User{Login: login, Role: presswatch.Role(login)}
			r = r.WithContext(auth.WithUser(r.Context(), u))
		}
		next.ServeHTTP(w, r)
	})
}

// letters is a dead-letter topic in memory.
type letters struct {
	mu      sync.Mutex
	retried []string
}

func (l *letters) List(_ context.Context, after string, limit int) ([]presswatch.DeadLetter, string, error) {
	var out []presswatch.DeadLetter
	for i := 9; i >= 0; i-- {
		id := fmt.Sprintf("0-%d", i)
		if (after == "" || id < after) && len(out) < limit {
			out = append(out, presswatch.DeadLetter{ID: id, Stage: "extract", Code: presswatch.Invalid})
		}
	}
	if len(out) > 0 && out[len(out)-1].ID != "0-0" {
		return out, out[len(out)-1].ID, nil
	}
	return out, "", nil
}

func (l *letters) Show(_ context.Context, id string) (presswatch.DeadLetter, error) {
	if id != "0-7" {
		return presswatch.DeadLetter{}, presswatch.Errorf(presswatch.NotFound, "dead letter %s: there is none", id)
	}
	return presswatch.DeadLetter{ID: id, Message: presswatch.Message{Key: "k", Value: []byte(`{"a":1}`), Headers: map[string]string{"ce_id": "x"}}}, nil
}

func (l *letters) Retry(ctx context.Context, id string) error {
	if _, err := l.Show(ctx, id); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.retried = append(l.retried, id)
	return nil
}

type reply struct {
	t      *testing.T
	status int
	header http.Header
	body   []byte
}

// call makes a request; header are pairs, and "user" is who calls.
func (s *site) call(method, path, body string, header ...string) reply {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		k := header[i]
		if k == "user" {
			k = "X-Test-User"
		}
		if k == "remote" {
			r.RemoteAddr = header[i+1]
			continue
		}
		r.Header.Set(k, header[i+1])
	}
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	return reply{s.t, w.Code, w.Result().Header, w.Body.Bytes()}
}

func (s *site) get(path string, header ...string) reply { return s.call("GET", path, "", header...) }

// into reads the body of a success.
func (r reply) into(v any) reply {
	r.t.Helper()
	if r.status < 200 || r.status > 299 {
		r.t.Fatalf("status %d: %s", r.status, r.body)
	}
	if err := json.Unmarshal(r.body, v); err != nil {
		r.t.Fatalf("%v in %s", err, r.body)
	}
	return r
}

// problem checks that the answer is one, whole and of the status.
func (r reply) problem(status int, code presswatch.Code) Problem {
	r.t.Helper()
	var p Problem
	if err := json.Unmarshal(r.body, &p); err != nil || r.status != status || p.Status != status || p.Code != code || p.Title == "" ||
		!strings.HasPrefix(p.Type, "/docs#problem-") || r.header.Get("Content-Type") != "application/problem+json" {
		r.t.Errorf("status %d (%s), %s; want %d %s, whole", r.status, r.header.Get("Content-Type"), r.body, status, code)
	}
	if strings.Contains(string(r.body), "goroutine") || strings.Contains(string(r.body), ".go:") {
		r.t.Errorf("a stack trace goes out: %s", r.body)
	}
	return p
}

func doc(n int, title string, risk float64, level presswatch.Level) presswatch.Document {
	u := fmt.Sprintf("https://bao.example/%d", n)
	at := time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC).AddDate(0, 0, n)
	return presswatch.Document{
		ID: presswatch.NewDocID(u), Version: presswatch.ContentVersion(title, "Nội dung."), Seq: at.UnixMicro(), Source: "bao", Kind: presswatch.Article,
		URL: u, CanonicalURL: u, Title: title, Text: "Nội dung của " + title, Language: "vi", Published: at, FetchedAt: at, Capture: "c1",
		Story:   presswatch.Story{ID: presswatch.StoryID(fmt.Sprintf("s%d", n/2)), Relation: presswatch.New},
		Verdict: presswatch.Verdict{Risk: risk, Level: level, Model: "m1"},
	}
}

func archive() []presswatch.Document {
	return []presswatch.Document{
		doc(0, "Nước máy nhiễm độc", 0.9, presswatch.High), doc(1, "Nước máy an toàn", 0.5, presswatch.Review),
		doc(2, "Ngân hàng đóng cửa", 0.8, presswatch.High), doc(3, "Cây xanh", 0.1, presswatch.Low),
	}
}

func caseID(d presswatch.Document) string { return string(presswatch.NewCaseID(d.ID)) }

// forRole are the roles, and "" for nobody.
func forRole() []string {
	out := []string{""}
	for _, r := range presswatch.Roles() {
		out = append(out, string(r))
	}
	return slices.Clip(out)
}

// flagged are the documents as they are before the verdicts of some fall below
// the review level: a document that never reached it opens no case.
func flagged(docs []presswatch.Document) []presswatch.Document {
	out := slices.Clone(docs)
	for i := range out {
		if !out[i].Verdict.Level.AtLeast(presswatch.Review) {
			out[i].Verdict.Level = presswatch.Review
		}
	}
	return out
}
