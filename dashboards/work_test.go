package dashboards

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"presswatch"

	"golang.org/x/net/html"
)

// form reads the fields of the form that posts to an address, as a browser
// without a script would send them.
func (r reply) form(action string) url.Values {
	r.t.Helper()
	var found *html.Node
	each(r.dom(), func(n *html.Node) {
		if n.Data == "form" && attr(n, "action") == action {
			found = n
		}
	})
	if found == nil {
		r.t.Fatalf("no form posts to %s:\n%.3000s", action, r.body)
	}
	v := url.Values{}
	each(found, func(n *html.Node) {
		switch {
		case n.Data == "textarea":
			v.Set(attr(n, "name"), text(n))
		case n.Data == "input" && attr(n, "type") != "radio":
			v.Set(attr(n, "name"), attr(n, "value"))
		}
	})
	return v
}

func TestDecideUndoWithoutScript(t *testing.T) {
	s := newSite(t, press()...)
	b, first := s.as("officer"), caseURL(s.docs[0])
	form := b.get(first + "?level=high").ok().form(first + "/decision")
	form.Set("label", "false")
	form.Set("reason", "  Sở Y tế đã bác bỏ.  ")
	form.Set("then", "next")
	r := b.post(first+"/decision", form)
	if want := caseURL(s.docs[1]) + "?done=" + strings.TrimPrefix(first, "/cases/") + "&level=high"; r.status != http.StatusSeeOther || r.header.Get("Location") != want {
		t.Fatalf("status %d to %q, want %q", r.status, r.header.Get("Location"), want)
	}
	c, _, err := s.db.CaseByID(t.Context(), presswatch.NewCaseID(s.docs[0].ID))
	if err != nil || c.Decision == nil || c.Decision.Reason != "Sở Y tế đã bác bỏ." || c.Decision.By != "officer" {
		t.Fatalf("%+v, %v", c, err)
	}
	next := b.get(r.header.Get("Location")).ok()
	next.has("Đã ghi nhận: Tin sai sự thật.")
	other := s.as("senior").get(r.header.Get("Location")).ok()
	other.lacks("Đã ghi nhận")
	undo := b.post(first+"/reopen", next.form(first+"/reopen"))
	if undo.status != http.StatusSeeOther || undo.header.Get("Location") != first+"?level=high&undone=1" {
		t.Fatalf("undo: status %d to %q", undo.status, undo.header.Get("Location"))
	}
	b.get(undo.header.Get("Location")).ok().has("Đã mở lại hồ sơ.", "Chờ xem xét")
	if again := b.get(r.header.Get("Location")).ok(); strings.Contains(again.body, "Đã ghi nhận") {
		t.Error("the flash outlives the decision")
	}
}

func TestDecideMistakesAndConflicts(t *testing.T) {
	s := newSite(t, press()...)
	b, addr := s.as("officer"), caseURL(s.docs[0])
	form := b.get(addr).ok().form(addr + "/decision")
	with := func(kv ...string) url.Values {
		v := url.Values{}
		for k := range form {
			v.Set(k, form.Get(k))
		}
		for i := 0; i < len(kv); i += 2 {
			v.Set(kv[i], kv[i+1])
		}
		return v
	}
	for name, tc := range map[string]struct {
		form url.Values
		want int
		says string
	}{
		"no label":           {with("reason", "lý do của tôi"), 400, "Hãy chọn một kết luận."},
		"an unknown label":   {with("label", "<b>", "reason", "lý do của tôi"), 400, "Hãy chọn một kết luận."},
		"a blank reason":     {with("label", "true", "reason", " \n "), 400, "Hãy nêu lý do"},
		"too long a reason":  {with("label", "true", "reason", strings.Repeat("ă", 4001)), 400, "tối đa 4000"},
		"an endless form":    {with("label", "true", "reason", strings.Repeat("ă", 200_000)), 413, "vượt quá giới hạn"},
		"no number":          {with("label", "true", "reason", "x", "version", "x"), 400, "không hợp lệ"},
		"a version to come":  {with("label", "true", "reason", "x", "version", "99"), 409, "Có người đã xử lý trước bạn"},
		"a hostile filter":   {with("label", "", "reason", "x", "filter", "next=//evil.example&status=decided"), 400, "/queue?status=decided"},
		"an unparsable form": {url.Values{"%zz": {"\x00"}}, 400, "Hãy chọn"},
	} {
		t.Run(name, func(t *testing.T) {
			r := b.post(addr+"/decision", tc.form)
			if r.status != tc.want {
				t.Fatalf("status %d, want %d", r.status, tc.want)
			}
			r.has(tc.says)
			r.lacks("evil.example")
		})
	}
	if r := b.post(addr+"/decision", with("reason", "lý do của tôi")); !strings.Contains(r.body, "lý do của tôi</textarea>") {
		t.Error("what was typed is lost")
	}
	senior := s.as("senior")
	if r := senior.post(addr+"/decision", with("label", "satire", "reason", "Trang châm biếm quen thuộc.")); r.status != http.StatusSeeOther {
		t.Fatalf("status %d", r.status)
	}
	r := b.post(addr+"/decision", with("label", "false", "reason", "Tôi nghĩ khác."))
	if r.status != http.StatusConflict {
		t.Fatalf("status %d", r.status)
	}
	r.has("Có người đã xử lý trước bạn", "Châm biếm", "Trang châm biếm quen thuộc.", "Tôi nghĩ khác.", "senior")
	if c, events, err := s.db.CaseByID(t.Context(), presswatch.NewCaseID(s.docs[0].ID)); err != nil || len(events) != 2 || c.Decision.Label != "satire" {
		t.Errorf("%+v, %d events, %v", c, len(events), err)
	}
	if r := b.post(addr+"/reopen", url.Values{"version": {"2"}}); r.status != http.StatusForbidden {
		t.Errorf("an officer took back a senior's decision: status %d", r.status)
	}
	if r := b.get(addr).ok(); strings.Contains(r.body, addr+"/reopen") {
		t.Error("a button is shown that does not work")
	}
}

func TestSignIn(t *testing.T) {
	s := newSite(t, press()...)
	b := s.browser()
	r := b.post("/sign-in", url.Values{"login": {" Officer "}, "password": {password}, "next": {"/search?q=a%20b"}})
	if r.status != http.StatusSeeOther || r.header.Get("Location") != "/search?q=a%20b" {
		t.Errorf("status %d to %q", r.status, r.header.Get("Location"))
	}
	b.get("/queue").ok()
	if r := b.post("/sign-out", nil); r.status != http.StatusSeeOther {
		t.Errorf("sign-out: %d", r.status)
	}
	if r := b.get("/queue?level=high"); r.header.Get("Location") != "/sign-in?next=%2Fqueue%3Flevel%3Dhigh" {
		t.Errorf("after sign-out: %d to %q", r.status, r.header.Get("Location"))
	}
	for range 10 {
		if r := b.post("/sign-in", url.Values{"login": {"analyst"}, "password": {"wrong"}}); r.status != http.StatusUnauthorized {
			t.Fatalf("status %d", r.status)
		} else {
			r.has("Tên đăng nhập hoặc mật khẩu không đúng.")
		}
	}
	if r := b.post("/sign-in", url.Values{"login": {"analyst"}, "password": {password}}); r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") == "" {
		t.Errorf("status %d, Retry-After %q", r.status, r.header.Get("Retry-After"))
	}
}

func TestSignInLinkIsUsedByPostOnly(t *testing.T) {
	s := newSite(t)
	token, err := s.auth.NewLink(t.Context(), "officer", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	b := s.browser()
	for range 3 { // a preview looks at it
		b.get("/sign-in/" + token).ok()
	}
	if r := b.post("/sign-in/"+token, nil); r.status != http.StatusSeeOther {
		t.Fatalf("status %d", r.status)
	}
	b.get("/queue").ok()
	if r := s.browser().post("/sign-in/"+token, nil); r.status != http.StatusUnauthorized {
		t.Errorf("used twice: status %d", r.status)
	} else {
		r.has("đã được dùng hoặc hết hạn")
	}
}

func TestSafeNext(t *testing.T) {
	for in, want := range map[string]string{
		"": "/", "/queue": "/queue", "/cases/k1?level=high&x=%2F": "/cases/k1?level=high&x=%2F", "/search#x": "/search",
		"//evil.example": "/", "/\\evil.example": "/", "\\\\evil.example": "/", "https://evil.example": "/", "javascript:alert(1)": "/", "/%2f/evil.example": "/",
		"/\t/evil.example": "/", "/\n/evil.example": "/", " //evil.example": "/", "///evil.example": "/", "/%5cevil.example": "/", "http:/evil.example": "/", "evil.example": "/", "?q=1": "/", "/%09/evil.example": "/",
		"/" + strings.Repeat("a", 3000): "/",
	} {
		if got := safeNext(in); got != want {
			t.Errorf("%.60q leads to %q, want %q", in, got, want)
		}
	}
}

func FuzzSafeNext(f *testing.F) {
	for _, s := range []string{"/queue", "//x", "/%2f%2fx", "/\\x", "/a?b=//c", "/;//x", "/.//x", "/..//x"} {
		f.Add(s)
	}
	base, err := url.Parse("https://press.example/sign-in")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := safeNext(s)
		u, err := base.Parse(got)
		if err != nil || u.Host != "press.example" || u.Scheme != "https" || strings.HasPrefix(got, "//") || strings.ContainsAny(got, "\\\t\r\n") {
			t.Errorf("%q leads to %q (%v)", s, got, err)
		}
	})
}

func TestForeignSitesChangeNothing(t *testing.T) {
	s := newSite(t, press()...)
	b, addr := s.as("senior"), caseURL(s.docs[0])
	for _, path := range []string{addr + "/decision", addr + "/reopen", "/sign-in", "/sign-in/x", "/sign-out"} {
		for _, h := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
			if r := b.post(path, url.Values{"label": {"true"}, "reason": {"x"}, "version": {"1"}}, h...); r.status != http.StatusForbidden {
				t.Errorf("%s with %v: status %d", path, h, r.status)
			}
		}
	}
	b.get("/queue").ok()
}

func TestHeadersAndStaticFiles(t *testing.T) {
	s := newSite(t, press()...)
	b := s.as("senior")
	for _, path := range []string{"/queue", "/sign-in", "/no-such-page", "/static/style.css", caseURL(s.docs[0])} {
		h := b.get(path).header
		if p := h.Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || strings.Contains(p, "unsafe") {
			t.Errorf("%s: policy %q", path, p)
		}
		for k, v := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin", "Strict-Transport-Security": "max-age=63072000; includeSubDomains"} {
			if h.Get(k) != v {
				t.Errorf("%s: %s is %q", path, k, h.Get(k))
			}
		}
		if !strings.HasPrefix(path, "/static/") && h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be stored: %s", path, h.Get("Cache-Control"))
		}
	}
	if h := b.get(staticURL("app.js")).header; !strings.Contains(h.Get("Cache-Control"), "immutable") || !strings.HasPrefix(h.Get("Content-Type"), "text/javascript") {
		t.Errorf("script: %v", h)
	}
	for _, path := range []string{"/static/", "/static/nope.js", "/static/..%2fpage.go", "/static/../page.go"} {
		if r := b.get(path); r.status == http.StatusOK {
			t.Errorf("%s is served", path)
		}
	}
}

// away is an index whose server is gone; only what a page asks of it.
type away struct{ presswatch.Index }

func (away) Get(context.Context, presswatch.DocID) (presswatch.Document, error) {
	return presswatch.Document{}, presswatch.Errorf(presswatch.Unavailable, "elasticsearch at 10.0.0.7 is away")
}

func (away) Search(context.Context, presswatch.Query) (presswatch.Result, error) {
	panic("index: nil map of secret-host")
}

func TestPagesWhenAPartFails(t *testing.T) {
	s := newSite(t, press()...)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	health := func(context.Context) []HealthLine {
		return []HealthLine{{Name: "archive", Detail: "10.0.0.7 refused"}, {Name: "log", OK: true}}
	}
	s.server.Config.Handler = s.auth.Wrap(New(Deps{Cases: s.db, Index: away{}, Users: s.db, Auth: s.auth, Log: log, Health: health}))
	b := s.as("officer")
	r := b.get(caseURL(s.docs[0])).ok()
	r.has("Kho lưu trữ đang tạm gián đoạn", "/decision", "Đang gián đoạn:", "archive")
	r.lacks("10.0.0.7")
	s.as("admin").get(caseURL(s.docs[0])).has("10.0.0.7 refused")
	if r := b.get("/documents/" + string(s.docs[0].ID)); r.status != http.StatusServiceUnavailable {
		t.Errorf("status %d", r.status)
	} else {
		r.lacks("10.0.0.7")
	}
	if r := b.get("/search"); r.status != http.StatusInternalServerError {
		t.Errorf("a panic gives %d", r.status)
	} else {
		r.has("Hệ thống gặp lỗi")
		r.lacks("secret-host", "goroutine")
	}
}

func TestBars(t *testing.T) {
	p := &page{app: &app{}, L: mustCatalogs()[0]}
	count := func(v string, n int) presswatch.Count { return presswatch.Count{Value: v, Count: n} }
	for name, tc := range map[string]struct {
		days  []presswatch.Count
		step  string
		n     int
		total int
	}{
		"none":                  {nil, "", 0, 0},
		"empty days are filled": {[]presswatch.Count{count("2026-11-01", 2), count("2026-11-10", 3)}, "day", 10, 5},
		"two months by weeks":   {[]presswatch.Count{count("2026-09-01", 2), count("2026-11-10", 3)}, "week", 11, 5},
		"years by months":       {[]presswatch.Count{count("2024-01-31", 2), count("2026-11-10", 3)}, "month", 35, 5},
		"the newest sixty":      {[]presswatch.Count{count("1970-01-01", 2), count("2026-11-10", 3)}, "month", 60, 3},
		"no days":               {[]presswatch.Count{count("soon", 2)}, "", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bars, step := p.bars(archiveFilter{}, tc.days)
			total := 0
			for _, b := range bars {
				total += b.Count
			}
			if step != tc.step || len(bars) != tc.n || total != tc.total {
				t.Errorf("%d bars by %q with %d hits, want %d by %q with %d", len(bars), step, total, tc.n, tc.step, tc.total)
			}
		})
	}
}
