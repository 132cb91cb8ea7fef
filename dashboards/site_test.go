package dashboards

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"presswatch"
	"presswatch/internal/auth"
	"presswatch/internal/index"
	"presswatch/internal/store"

	"golang.org/x/net/html"
)

const password = "lantern-over-the-red-river"

// site is the pages on a real store and a real index, behind real sessions.
type site struct {
	t      *testing.T
	db     *store.DB
	index  presswatch.Index
	auth   *auth.Manager
	server *httptest.Server
	docs   []presswatch.Document
}

// newSite serves the documents, each with its case.
func newSite(t *testing.T, docs ...presswatch.Document) *site {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	db, err := store.Open(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "press.db"), log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	idx, err := index.OpenBleve(t.TempDir(), log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = idx.Close() })
	s := &site{t: t, db: db, index: idx, docs: docs}
	s.auth = auth.New(auth.Options{Users: db, Sessions: db.Sessions(), Links: db, Log: log})
	for _, role := range presswatch.Roles() {
		s.addUser(string(role), role, "")
	}
	s.put(docs...)
	pages := New(Deps{Cases: db, Index: idx, Users: db, Auth: s.auth, Log: log, Version: "test"})
	s.server = httptest.NewServer(s.auth.Wrap(pages))
	t.Cleanup(s.server.Close)
	return s
}

func (s *site) put(docs ...presswatch.Document) {
	s.t.Helper()
	errs, err := s.index.Put(s.t.Context(), docs)
	for _, e := range append(errs, err, s.index.Refresh(s.t.Context())) {
		if e != nil {
			s.t.Fatal(e)
		}
	}
	if _, err := s.db.OpenCases(s.t.Context(), flagged(docs)); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.db.OpenCases(s.t.Context(), docs); err != nil { // and then the verdicts of some fall
		s.t.Fatal(err)
	}
}

var hashed string

func (s *site) addUser(login string, role presswatch.Role, locale string) {
	s.t.Helper()
	if hashed == "" {
		var err error
		if hashed, err = auth.HashPassword(password); err != nil {
			s.t.Fatal(err)
		}
	}
	u := presswatch.User{Login: login, Name: strings.ToUpper(login[:1]) + login[1:], Role: role, Locale: locale, Hash: hashed, CreatedAt: time.Now()}
	if err := s.db.AddUser(s.t.Context(), u); err != nil {
		s.t.Fatal(err)
	}
}

// browser keeps cookies and does not follow redirects.
type browser struct {
	*site
	client *http.Client
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{s, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// as is a browser in which somebody is signed in.
func (s *site) as(login string) *browser {
	s.t.Helper()
	b := s.browser()
	if r := b.post("/sign-in", url.Values{"login": {login}, "password": {password}}); r.status != http.StatusSeeOther {
		s.t.Fatalf("sign-in of %s: status %d", login, r.status)
	}
	return b
}

type reply struct {
	t      *testing.T
	status int
	header http.Header
	body   string
}

func (b *browser) do(method, path string, form url.Values, header ...string) reply {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.server.URL+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return reply{b.t, resp.StatusCode, resp.Header, string(got)}
}

func (b *browser) get(path string, header ...string) reply { return b.do("GET", path, nil, header...) }

func (b *browser) post(path string, form url.Values, header ...string) reply {
	return b.do("POST", path, form, header...)
}

// ok fails the test unless the page came whole.
func (r reply) ok() reply {
	r.t.Helper()
	if r.status != http.StatusOK || !strings.HasSuffix(strings.TrimSpace(r.body), "</html>") {
		r.t.Fatalf("status %d, body:\n%.2000s", r.status, r.body)
	}
	return r
}

func (r reply) has(want ...string) {
	r.t.Helper()
	for _, w := range want {
		if !strings.Contains(r.body, w) {
			r.t.Errorf("the page lacks %q:\n%.4000s", w, r.body)
		}
	}
}

func (r reply) lacks(not ...string) {
	r.t.Helper()
	for _, w := range not {
		if strings.Contains(r.body, w) {
			r.t.Errorf("the page has %q", w)
		}
	}
}

// dom is the page as a browser would read it.
func (r reply) dom() *html.Node {
	r.t.Helper()
	n, err := html.Parse(strings.NewReader(r.body))
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

// each calls fn with every element below n.
func each(n *html.Node, fn func(*html.Node)) {
	for c := range n.Descendants() {
		if c.Type == html.ElementNode {
			fn(c)
		}
	}
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}

// doc makes a document with a verdict that points into it.
func doc(n int, code, title, body string, risk float64) presswatch.Document {
	u := fmt.Sprintf("https://bao-%d.example/tin/%d", n%3, n)
	level := presswatch.Low
	switch {
	case risk >= 0.7:
		level = presswatch.High
	case risk >= 0.4:
		level = presswatch.Review
	}
	at := time.Now().Add(-time.Duration(n) * 7 * time.Hour)
	return presswatch.Document{
		ID: presswatch.NewDocID(u), Version: presswatch.ContentVersion(title, body), Seq: at.UnixMicro(),
		Source: presswatch.SourceID(fmt.Sprintf("bao-%d", n%3)), Kind: presswatch.Article, URL: u, CanonicalURL: u, Site: fmt.Sprintf("Báo số %d", n%3),
		Title: title, Text: body, Language: code, Byline: []string{"Phóng viên A"}, Published: at, FetchedAt: at.Add(time.Minute),
		Capture: "c0123456789", Evidence: "captures-1.warc.gz#1024",
		Story: presswatch.Story{ID: presswatch.StoryID(fmt.Sprintf("s%d", n/2)), Relation: presswatch.New},
		Verdict: presswatch.Verdict{Risk: risk, Level: level, Model: "test-1", Evidence: []presswatch.Evidence{
			{Signal: "shouting", Score: 0.8, Weight: 1.4, Reason: "Most of the title is in capitals.", Spans: []presswatch.Span{{Field: "title", Start: 0, End: 8}}},
			{Signal: "sensational", Score: 0.6, Weight: 0.7, Reason: "The text uses alarming words.", Spans: []presswatch.Span{{Field: "text", Start: 0, End: 18}, {Field: "text", Start: 9, End: 35}}},
			{Signal: "sources", Score: 0.9, Weight: -0.5, Reason: "It quotes three named sources."},
		}},
	}
}

// press is a small archive in the four languages.
func press() []presswatch.Document {
	return []presswatch.Document{
		doc(1, "vi", "CẢNH BÁO: nước máy thành phố nhiễm độc, đề nghị chia sẻ gấp", "Theo nguồn tin chưa được kiểm chứng, nước máy tại ba quận đã nhiễm độc nặng.\n\nSở Y tế cho biết các mẫu xét nghiệm đều đạt chuẩn và đang xác minh người tung tin.\n\nNgười dân được khuyên không chia sẻ khi chưa có kết luận.", 0.91),
		doc(2, "en", "SHOCKING cure that doctors refuse to talk about", "A page with no named author claims that a common herb cures every illness in three days.\n\nThe ministry of health says that there is no trial behind the claim.", 0.83),
		doc(3, "hi", "दावा: कल से सभी बैंक बंद रहेंगे, तुरंत पैसे निकालें", "सोशल मीडिया पर फैल रहे एक संदेश में दावा किया गया है कि कल से सभी बैंक बंद रहेंगे।\n\nरिज़र्व बैंक ने कहा कि ऐसा कोई आदेश जारी नहीं हुआ है।", 0.62),
		doc(4, "ar", "عاجل: إغلاق جميع المدارس غدًا بسبب عاصفة غير مسبوقة", "انتشرت رسالة تزعم أن جميع المدارس ستغلق غدًا بسبب عاصفة غير مسبوقة.\n\nوأكدت وزارة التربية أن الدراسة مستمرة كالمعتاد وأن الرسالة غير صحيحة.", 0.55),
		doc(5, "vi", "Hội đồng thành phố thông qua kế hoạch cây xanh", "Kế hoạch trồng mười nghìn cây xanh được thông qua sáng nay với đa số phiếu.", 0.12),
	}
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
