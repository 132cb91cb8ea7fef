package api

import (
	"context"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"presswatch"
	"presswatch/internal/auth"
	"presswatch/internal/index"
	"presswatch/internal/store"
	"presswatch/internal/web"
)

// TestEveryRouteForEveryRole walks the route table, so that no route can be
// left out: nobody gets 401, who may not gets 403, and who may gets neither.
func TestEveryRouteForEveryRole(t *testing.T) {
	s := newSite(t, archive()...)
	cells := 0
	for _, rt := range New(s.deps).routes() {
		method, path, _ := strings.Cut(rt.pattern, " ")
		path = strings.ReplaceAll(path, "{id}", "k00000000000000000000000000")
		for _, role := range forRole() {
			cells++
			r := s.call(method, path, "", "user", role, "If-Match", `"1"`)
			want := "in"
			switch {
			case rt.action == anyone:
			case role == "":
				want = "401"
			case rt.action == local:
				if !auth.Can(presswatch.Role(role), auth.ReadSources) {
					want = "403"
				}
			case !auth.Can(presswatch.Role(role), rt.action):
				want = "403"
			}
			got := "in"
			if r.status == 401 || r.status == 403 {
				got = fmt.Sprint(r.status)
			}
			if got != want {
				t.Errorf("%s as %q: status %d, want %s", rt.pattern, role, r.status, want)
			}
			if r.status == 401 {
				r.problem(401, presswatch.Unauthorized)
				if r.header.Get("WWW-Authenticate") == "" {
					t.Errorf("%s: 401 without WWW-Authenticate", rt.pattern)
				}
			}
			if r.status == 403 {
				r.problem(403, presswatch.Forbidden)
			}
		}
	}
	t.Logf("%d cells", cells)
	for _, rt := range New(s.deps).routes() {
		known := rt.action == anyone || rt.action == local || slices.Contains(auth.Actions(), rt.action)
		if !known {
			t.Errorf("%s asks for %q, which the policy does not know", rt.pattern, rt.action)
		}
	}
}

func TestNewsroomsLearnNothing(t *testing.T) {
	s := newSite(t, archive()...)
	for _, rt := range New(s.deps).routes() {
		method, path, _ := strings.Cut(rt.pattern, " ")
		there := s.call(method, strings.ReplaceAll(path, "{id}", caseID(s.docs[0])), "", "user", "newsroom")
		gone := s.call(method, strings.ReplaceAll(path, "{id}", "k00000000000000000000000000"), "", "user", "newsroom")
		if strings.Contains(path, "{id}") && (there.status != 403 || string(there.body) != string(gone.body) || there.header.Get("ETag") != "") {
			t.Errorf("%s tells whether a case is there: %d %s, %d %s", rt.pattern, there.status, there.body, gone.status, gone.body)
		}
	}
}

func TestToken(t *testing.T) {
	s := newSite(t, archive()...)
	var me struct {
		Login string
		Role  presswatch.Role
		May   []string
	}
	s.get("/v1/me", "Authorization", "Bearer "+token).into(&me)
	if me.Login != "local" || me.Role != presswatch.RoleAdmin || !slices.Contains(me.May, "manage_users") {
		t.Errorf("%+v", me)
	}
	s.get("/v1/me", "Authorization", "bearer "+token).into(&me)
	for _, h := range []string{"Bearer", "Bearer ", "Bearer x", "Bearer " + token + "x", "Bearer " + token[:len(token)-1], "Basic " + token, token, "Bearer " + strings.Repeat("x", 10_000)} {
		s.get("/v1/me", "Authorization", h).problem(401, presswatch.Unauthorized)
		s.get("/v1/me", "Authorization", h, "user", "admin").problem(401, presswatch.Unauthorized) // nor does a session help a wrong token
	}
	s.deps.Token = ""
	s.build()
	s.get("/v1/me", "Authorization", "Bearer ").problem(401, presswatch.Unauthorized)
	s.get("/v1/me", "Authorization", "Bearer "+token).problem(401, presswatch.Unauthorized)
}

func TestMetricsAreForThisMachine(t *testing.T) {
	s := newSite(t)
	for name, tc := range map[string]struct {
		header []string
		want   int
	}{
		"loopback":              {[]string{"remote", "127.0.0.1:9"}, 200},
		"loopback, IPv6":        {[]string{"remote", "[::1]:9"}, 200},
		"through a local proxy": {[]string{"remote", "127.0.0.1:9", "X-Forwarded-For", "203.0.113.9"}, 401},
		"from elsewhere":        {[]string{"remote", "203.0.113.9:9"}, 401},
		"elsewhere, token":      {[]string{"remote", "203.0.113.9:9", "Authorization", "Bearer " + token}, 200},
		"elsewhere, analyst":    {[]string{"remote", "203.0.113.9:9", "user", "analyst"}, 200},
		"elsewhere, newsroom":   {[]string{"remote", "203.0.113.9:9", "user", "newsroom"}, 403},
	} {
		if r := s.get("/metrics", tc.header...); r.status != tc.want {
			t.Errorf("%s: status %d, want %d", name, r.status, tc.want)
		}
	}
}

func TestEveryFailureIsAProblem(t *testing.T) {
	s := newSite(t, archive()...)
	id := caseID(s.docs[0])
	for name, tc := range map[string]struct {
		method, path, body string
		status             int
		code               presswatch.Code
	}{
		"no such path":            {"GET", "/v1/nothing", "", 404, presswatch.NotFound},
		"the root":                {"GET", "/", "", 404, presswatch.NotFound},
		"a wrong method":          {"DELETE", "/v1/cases/" + id, "", 405, presswatch.Invalid},
		"no such case":            {"GET", "/v1/cases/k0", "", 404, presswatch.NotFound},
		"no such document":        {"GET", "/v1/documents/d0", "", 404, presswatch.NotFound},
		"too long an id":          {"GET", "/v1/documents/" + strings.Repeat("d", 500), "", 400, presswatch.Invalid},
		"an unknown parameter":    {"GET", "/v1/cases?statuss=open", "", 400, presswatch.Invalid},
		"an unknown status":       {"GET", "/v1/cases?status=odd", "", 400, presswatch.Invalid},
		"an unknown level":        {"GET", "/v1/cases?level=high&level=odd", "", 400, presswatch.Invalid},
		"too many":                {"GET", "/v1/cases?limit=101", "", 400, presswatch.Invalid},
		"no number":               {"GET", "/v1/documents?limit=x", "", 400, presswatch.Invalid},
		"not a number":            {"GET", "/v1/documents?min_risk=NaN", "", 400, presswatch.Invalid},
		"a hostile cursor":        {"GET", "/v1/documents?after=%00%ff", "", 400, presswatch.Invalid},
		"a hostile queue cursor":  {"GET", "/v1/cases?cursor=%27%3B--", "", 400, presswatch.Invalid},
		"no day":                  {"GET", "/v1/documents?since=yesterday", "", 400, presswatch.Invalid},
		"too long a question":     {"GET", "/v1/documents?q=" + strings.Repeat("a", 513), "", 400, presswatch.Invalid},
		"an endless query":        {"GET", "/v1/documents?q=" + strings.Repeat("a", 9000), "", 413, presswatch.TooLarge},
		"a question that is none": {"GET", "/v1/documents?q=%28%28", "", 400, presswatch.Invalid},
		"a broken escape":         {"GET", "/v1/documents?q=%zz", "", 400, presswatch.Invalid},
		"no JSON":                 {"POST", "/v1/cases/" + id + "/decision", "label=true", 400, presswatch.Invalid},
		"a number for a label":    {"POST", "/v1/cases/" + id + "/decision", `{"label":1,"reason":"x"}`, 400, presswatch.Invalid},
		"an unknown label":        {"POST", "/v1/cases/" + id + "/decision", `{"label":"odd","reason":"x"}`, 400, presswatch.Invalid},
		"no reason":               {"POST", "/v1/cases/" + id + "/decision", `{"label":"true"}`, 400, presswatch.Invalid},
		"a blank reason":          {"POST", "/v1/cases/" + id + "/decision", `{"label":"true","reason":"  "}`, 400, presswatch.Invalid},
		"a field of ours":         {"POST", "/v1/cases/" + id + "/decision", `{"label":"true","reason":"x","by":"admin"}`, 400, presswatch.Invalid},
		"a field of nobody":       {"POST", "/v1/cases/" + id + "/decision", `{"label":"true","reason":"x","$schema":"y"}`, 400, presswatch.Invalid},
		"a field twice removed":   {"POST", "/v1/cases/" + id + "/decision", `{"label":"true","reason":"x","status":{"at":1}}`, 400, presswatch.Invalid},
		"an endless body":         {"POST", "/v1/cases/" + id + "/decision", `{"label":"true","reason":"` + strings.Repeat("x", 1<<20) + `"}`, 413, presswatch.TooLarge},
		"a deep body":             {"POST", "/v1/cases/" + id + "/decision", strings.Repeat("[", 100_000), 400, presswatch.Invalid},
		"no such dead letter":     {"POST", "/v1/dead/0-1/retry", "", 404, presswatch.NotFound},
		"a traversal":             {"GET", "/v1/documents/..%2f..%2fetc", "", 404, presswatch.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			s.t = t
			r := s.call(tc.method, tc.path, tc.body, "user", "admin", "If-Match", `"1"`)
			p := r.problem(tc.status, tc.code)
			if len(r.body) > 8<<10 {
				t.Errorf("the answer has %d bytes", len(r.body))
			}
			if tc.status == 405 && r.header.Get("Allow") != "GET, HEAD" {
				t.Errorf("Allow: %q", r.header.Get("Allow"))
			}
			for k, v := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin"} {
				if r.header.Get(k) != v {
					t.Errorf("%s is %q (%s)", k, r.header.Get(k), p.Detail)
				}
			}
		})
	}
	if c, _, err := s.db.CaseByID(context.Background(), presswatch.CaseID(id)); err != nil || c.Version != 1 {
		t.Errorf("a refused request changed the case: %+v, %v", c, err)
	}
}

// broken is an index with a defect, whose words must stay inside.
type broken struct{ presswatch.Index }

func (broken) Get(context.Context, presswatch.DocID) (presswatch.Document, error) {
	panic("index: secret-host:9200 nil map")
}

func (broken) Search(_ context.Context, q presswatch.Query) (presswatch.Result, error) {
	switch q.Text {
	case "away":
		return presswatch.Result{}, presswatch.Errorf(presswatch.Unavailable, "dial secret-host:9200: refused")
	case "late":
		return presswatch.Result{}, fmt.Errorf("search: %w", context.DeadlineExceeded)
	}
	return presswatch.Result{}, fmt.Errorf("open /secret/path: no such file")
}

func TestDefectsStayInside(t *testing.T) {
	s := newSite(t)
	s.deps.Index = broken{}
	s.build()
	s.get("/v1/documents/d1", "user", "admin").problem(500, presswatch.Internal)
	s.get("/v1/documents?q=x", "user", "admin").problem(500, presswatch.Internal)
	away := s.get("/v1/documents?q=away", "user", "admin")
	away.problem(503, presswatch.Unavailable)
	late := s.get("/v1/documents?q=late", "user", "admin")
	late.problem(503, presswatch.Unavailable)
	if away.header.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
	for _, path := range []string{"/v1/documents/d1", "/v1/documents?q=x", "/v1/documents?q=away"} {
		if b := string(s.get(path, "user", "admin").body); strings.Contains(b, "secret") {
			t.Errorf("%s: %s", path, b)
		}
	}
}

func TestRateLimits(t *testing.T) {
	s := newSite(t, archive()...)
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	s.deps.Now = func() time.Time { return now }
	s.deps.Limits = Limits{PerIP: Limit{Rate: 10, Burst: 60}, PerUser: Limit{Rate: 1, Burst: 10}}
	s.build()
	me := []string{"user", "officer", "remote", "203.0.113.1:1"}
	for i := range 10 {
		if r := s.get("/v1/me", me...); r.status != 200 {
			t.Fatalf("request %d: %d", i+1, r.status)
		}
	}
	r := s.get("/v1/me", me...)
	r.problem(429, presswatch.TooMany)
	if r.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", r.header.Get("Retry-After"))
	}
	if r := s.get("/v1/documents", me...); r.header.Get("Retry-After") != "3" {
		t.Errorf("a dearer call: Retry-After %q", r.header.Get("Retry-After"))
	}
	if r := s.get("/v1/me", "user", "officer", "remote", "203.0.113.2:1"); r.status != 429 {
		t.Errorf("the same user from elsewhere: %d", r.status)
	}
	if r := s.get("/v1/me", "user", "senior", "remote", "203.0.113.2:1"); r.status != 200 {
		t.Errorf("another user: %d", r.status)
	}
	now = now.Add(time.Second)
	if r := s.get("/v1/me", me...); r.status != 200 {
		t.Errorf("a second later: %d", r.status)
	}
	for range 4 {
		s.get("/v1/me", "Authorization", "Bearer guess", "remote", "203.0.113.9:1")
	}
	s.get("/v1/me", "Authorization", "Bearer guess", "remote", "203.0.113.9:1").problem(429, presswatch.TooMany)
	for range 70 {
		r = s.get("/nothing", "remote", "203.0.113.8:1")
	}
	r.problem(429, presswatch.TooMany)
	if r := s.get("/livez", "remote", "203.0.113.8:1"); r.status != 200 {
		t.Errorf("a probe is limited: %d", r.status)
	}
}

func TestLimiterForgetsButStaysSmall(t *testing.T) {
	l, now := newLimiter(Limits{}), time.Unix(1e9, 0)
	for i := range 3 * maxBuckets {
		l.take(fmt.Sprint(i), Limit{Rate: 1, Burst: 5}, 5, now)
	}
	if len(l.buckets) > maxBuckets {
		t.Errorf("%d buckets", len(l.buckets))
	}
}

func TestOpenAPI(t *testing.T) {
	s := newSite(t)
	var spec struct {
		OpenAPI    string
		Paths      map[string]map[string]struct{ OperationID string }
		Components struct{ Schemas map[string]any }
	}
	for path, version := range map[string]string{"/openapi.json": "3.1.0", "/openapi-3.0.json": "3.0.3"} {
		spec.Paths = nil
		r := s.get(path).into(&spec)
		if spec.OpenAPI != version {
			t.Errorf("%s is %s", path, spec.OpenAPI)
		}
		for _, rt := range New(s.deps).routes() {
			method, p, _ := strings.Cut(rt.pattern, " ")
			if _, ok := spec.Paths[p][strings.ToLower(method)]; !ok && rt.raw == nil {
				t.Errorf("%s lacks %s", path, rt.pattern)
			}
		}
		if strings.Contains(string(r.body), "ErrorModel") {
			t.Errorf("%s speaks of huma's own errors", path)
		}
		for _, ref := range refs(r.body) {
			if _, ok := spec.Components.Schemas[ref]; !ok {
				t.Errorf("%s: no schema %s", path, ref)
			}
		}
	}
	var names []string
	for _, l := range presswatch.Labels() {
		names = append(names, string(l))
	}
	if spec := string(s.get("/openapi.json").body); !strings.Contains(spec, `"enum":["`+strings.Join(names, `","`)+`"]`) {
		t.Error("the labels of the document are not those of the domain")
	}
}

func refs(spec []byte) (out []string) {
	for part := range strings.SplitSeq(string(spec), `"#/components/schemas/`) {
		name, _, ok := strings.Cut(part, `"`)
		if ok && !strings.ContainsAny(name, "{ :") {
			out = append(out, name)
		}
	}
	return out
}

func TestDocsNeedNobodyElse(t *testing.T) {
	s := newSite(t)
	r := s.get("/docs")
	body := string(r.body)
	if r.status != 200 || !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
		t.Fatalf("status %d, %v", r.status, r.header)
	}
	for _, bad := range []string{"http://", "https://", "<script", "style=", "src="} {
		if strings.Contains(body, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	for _, rt := range New(s.deps).routes() {
		_, path, _ := strings.Cut(rt.pattern, " ")
		if rt.raw == nil && !strings.Contains(body, path) {
			t.Errorf("the page lacks %s", path)
		}
	}
	for _, code := range web.Codes() {
		if !strings.Contains(body, `id="problem-`+string(code)+`"`) {
			t.Errorf("the page lacks the problem %s", code)
		}
	}
	if r := s.get("/docs/style.css"); r.status != 200 || !strings.HasPrefix(r.header.Get("Content-Type"), "text/css") {
		t.Errorf("style: %d %v", r.status, r.header)
	}
}

func TestServiceRoutes(t *testing.T) {
	s := newSite(t, archive()...)
	ready := map[string]error{"log": nil, "archive": nil}
	s.deps.Ready = func(context.Context) map[string]error { return ready }
	s.build()
	var health struct {
		Status string
		Parts  map[string]string
	}
	s.get("/readyz").into(&health)
	if health.Status != "ok" || health.Parts["log"] != "ok" {
		t.Errorf("%+v", health)
	}
	ready["archive"] = presswatch.Errorf(presswatch.Unavailable, "dial secret-host")
	r := s.get("/readyz")
	if p := r.problem(503, presswatch.Unavailable); len(p.Errors) != 1 || p.Errors[0].Location != "archive" || strings.Contains(string(r.body), "secret") {
		t.Errorf("%s", r.body)
	}
	s.get("/livez").into(&health)
	var version struct{ Version string }
	if s.get("/version").into(&version); version.Version != "1.2.3" {
		t.Errorf("%+v", version)
	}
	var sources struct{ Items []SourceStatus }
	if s.get("/v1/sources", "user", "analyst").into(&sources); len(sources.Items) != 1 || sources.Items[0].ID != "bao" {
		t.Errorf("%+v", sources)
	}
	s.deps.Dead, s.deps.Sources, s.deps.Metrics = nil, nil, nil
	s.build()
	for _, path := range []string{"/v1/dead", "/v1/dead/0-1", "/v1/sources", "/metrics"} {
		s.get(path, "user", "admin").problem(503, presswatch.Unavailable)
	}
}

func TestDead(t *testing.T) {
	s := newSite(t)
	var page struct {
		Items  []presswatch.DeadLetter
		Cursor string
	}
	var ids []string
	for path := "/v1/dead?limit=4"; path != ""; {
		page.Items, page.Cursor = nil, ""
		s.get(path, "user", "auditor").into(&page)
		for _, d := range page.Items {
			ids = append(ids, d.ID)
		}
		if path = ""; page.Cursor != "" {
			path = "/v1/dead?limit=4&cursor=" + page.Cursor
		}
	}
	if len(ids) != 10 {
		t.Errorf("%v", ids)
	}
	var one struct {
		Key, Value string
		Headers    map[string]string
		Size       int
	}
	if s.get("/v1/dead/0-7", "user", "auditor").into(&one); one.Value != `{"a":1}` || one.Size != 7 || one.Headers["ce_id"] != "x" {
		t.Errorf("%+v", one)
	}
	s.call("POST", "/v1/dead/0-7/retry", "", "user", "auditor").problem(403, presswatch.Forbidden)
	if r := s.call("POST", "/v1/dead/0-7/retry", "", "user", "admin"); r.status != 202 {
		t.Errorf("status %d", r.status)
	}
	if got := s.deps.Dead.(*letters).retried; len(got) != 1 {
		t.Errorf("sent back: %v", got)
	}
}

// FuzzRequests holds that nothing a client sends gives an answer of another
// kind than a success or a problem below 500.
func FuzzRequests(f *testing.F) {
	f.Add("GET", "/v1/cases", "status=open&limit=5", "")
	f.Add("POST", "/v1/cases/k1/decision", "", `{"label":"true","reason":"x"}`)
	f.Add("GET", "/v1/documents", "q=%22a%20b%22+-c&since=2026-01-01&after=eyJ9", "")
	f.Add("GET", "/docs", "a&b=c=d&&%00", "\x00")
	f.Add("HEAD", "/v1/me", "facets&q", "")
	db, err := store.Open(f.Context(), "sqlite://"+filepath.Join(f.TempDir(), "press.db"), quiet())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = db.Close() })
	idx, err := index.OpenBleve(f.TempDir(), quiet())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = idx.Close() })
	h := sessions(New(Deps{Cases: db, Index: idx, Users: db, Dead: &letters{}, Log: quiet(), Limits: Limits{PerIP: Limit{1e9, 1e9}, PerUser: Limit{1e9, 1e9}}}).Handler())
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		if !slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "DELETE"}, method) || !strings.HasPrefix(path, "/") {
			t.Skip()
		}
		r := httptest.NewRequestWithContext(t.Context(), method, "/", strings.NewReader(body))
		r.URL.Path, r.URL.RawQuery = path, query
		r.Header.Set("X-Test-User", "admin")
		r.Header.Set("If-Match", `"1"`)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		switch {
		case w.Code >= 500 && path != "/v1/sources" && path != "/metrics":
			t.Errorf("%s %q ? %q: %d %s", method, path, query, w.Code, w.Body)
		case w.Code >= 400 && w.Header().Get("Content-Type") != problemType:
			t.Errorf("%s %q ? %q: %d is no problem document: %s", method, path, query, w.Code, w.Body)
		}
	})
}
