package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const article = `<html lang="vi"><head><title>Cầu Suối Tre thông xe sau tám tháng thi công</title><meta charset="utf-8"></head><body>
<nav><a href="/">Trang chủ</a></nav><article><h1>Cầu Suối Tre thông xe sau tám tháng thi công</h1>
<p>Sáng nay, Ủy ban nhân dân huyện tổ chức lễ thông xe cầu Suối Tre, nối hai xã vùng sâu với trung tâm huyện, sau tám tháng thi công.</p>
<p>Cây cầu dài 86 mét, rộng 7 mét, được xây bằng vốn của tỉnh và đóng góp của người dân, thay cho chiếc cầu gỗ đã xuống cấp nhiều năm.</p>
<p>Ông Lò Văn Pâng, trưởng bản, cho biết từ nay học sinh không còn phải nghỉ học mỗi khi nước suối lên cao trong mùa mưa.</p></article></body></html>`

// record decodes the one JSON line that a batch command wrote.
func record(t *testing.T, out string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(out), &m); err != nil {
		t.Fatalf("%v: %q", err, out)
	}
	return m
}

func TestBatchToolsFitTogether(t *testing.T) {
	in, _ := json.Marshal(map[string]string{"id": "a", "url": "https://example.org/cau?utm_source=x", "html": article, "extra": "giữ"})
	out, said, code := call(t, string(in)+"\n", "extract")
	doc := record(t, out)
	if code != 0 || doc["canonical_url"] != "https://example.org/cau" || doc["language"] != "vi" || doc["extra"] != "giữ" ||
		!strings.HasPrefix(fmt.Sprint(doc["text"]), "Sáng nay, Ủy ban") || strings.Contains(fmt.Sprint(doc["text"]), "Trang chủ") {
		t.Fatalf("extract: exit %d, %s %v", code, said, doc)
	}
	second := strings.Replace(out, `"id":"a"`, `"id":"b"`, 1)
	out, said, code = call(t, out+second, "stories")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != 0 || len(lines) != 2 {
		t.Fatalf("stories: exit %d, %s %q", code, said, out)
	}
	first, twin := record(t, lines[0]), record(t, lines[1])
	if twin["relation"] != "exact" || twin["copy_of"] != "a" || twin["story"] != first["story"] || first["relation"] != "new" {
		t.Errorf("stories: %v, %v", first, twin)
	}
	out, said, code = call(t, lines[0]+"\nrubbish\n", "classify", "--explain")
	lines = strings.Split(strings.TrimSpace(out), "\n")
	if code != 1 || len(lines) != 2 || !strings.Contains(lines[1], "line 2") {
		t.Fatalf("classify: exit %d, %s %q; a bad line gives an error and the rest goes on", code, said, out)
	}
	if v := record(t, lines[0]); v["level"] != "low" || v["evidence"] == nil || v["model"] == nil {
		t.Errorf("classify: %v", v)
	}
}

func TestCollectIsPoliteAndRefusesPrivateAddresses(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/robots.txt":
			fmt.Fprint(w, "User-agent: *\nDisallow: /rieng/\n")
		case "/tin":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, article)
		default:
			http.NotFound(w, r)
		}
	}))
	defer srv.Close()
	urls := srv.URL + "/" + strings.Repeat("x", 2*maxAddress) + "\n" + srv.URL + "/tin\n# a comment\n" + srv.URL + "/rieng/1\n" + srv.URL + "/mat\n"
	out, _, code := call(t, urls, "collect", "--urls", "-", "--allow-net", "127.0.0.0/8", "--pace", "0")
	if code != 1 {
		t.Errorf("exit %d, want 1: two of three fail", code)
	}
	got := map[string]map[string]any{}
	for l := range strings.Lines(out) {
		m := record(t, l)
		got[strings.TrimPrefix(fmt.Sprint(m["url"]), srv.URL)] = m
	}
	if m := got["line 1: longer than 65536 bytes"]; m["error"] == nil {
		t.Errorf("a line that is no address: %v", got)
	}
	if m := got["/tin"]; m["error"] != nil || m["status"] != 200.0 || !strings.Contains(fmt.Sprint(m["text"]), "Suối Tre") {
		t.Errorf("/tin: %v", m)
	}
	if m := got["/rieng/1"]; !strings.Contains(fmt.Sprint(m["error"]), "robots") {
		t.Errorf("/rieng/1: %v", m)
	}
	if m := got["/mat"]; m["status"] != 404.0 || m["error"] == nil {
		t.Errorf("/mat: %v", m)
	}
	out, _, code = call(t, "", "collect", srv.URL+"/tin")
	if m := record(t, out); code != 1 || m["error"] == nil || m["text"] != nil {
		t.Errorf("a private address without --allow-net: exit %d, %v", code, m)
	}
}

func TestArchiveIsMadeAnewFromTheEvidence(t *testing.T) {
	data := t.TempDir()
	in := writeFile(t, "a.jsonl", good(1)+good(2)+good(3))
	run := func(args ...string) string {
		t.Helper()
		out, said, code := call(t, "", append(args, "--data", data, "--log-level", "error")...)
		if code != 0 {
			t.Fatalf("%v: exit %d, %s", args, code, said)
		}
		return out
	}
	run("import", in)
	before := run("search", "*", "--json", "--limit", "0")
	if err := os.RemoveAll(filepath.Join(data, "index")); err != nil {
		t.Fatal(err)
	}
	if out := run("search", "*"); !strings.Contains(out, "0 of 0") {
		t.Fatalf("without its index the archive still finds %q", out)
	}
	run("reindex")
	if after := run("search", "*", "--json", "--limit", "0"); after != before {
		t.Errorf("after reindex\n%s\nbefore\n%s", after, before)
	}
	config := writeFile(t, "c.yaml", "http: {addr: '127.0.0.1:0'}\nsources: "+writeFile(t, "s.yaml", "sources: []\n")+"\n")
	if out := run("doctor", "--config", config); strings.Contains(out, "WRONG") {
		t.Errorf("doctor: %s", out)
	}
}

func TestAFolderOfPagesIsImported(t *testing.T) {
	data, pages := t.TempDir(), t.TempDir()
	write := func(name, head string) {
		t.Helper()
		p := filepath.Join(pages, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(strings.Replace(article, "<head>", "<head>"+head, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.html", `<link rel="canonical" href="https://example.org/tin/a">`)
	write("tinh/b.html", "")
	run := func(args ...string) (string, string, int) {
		return call(t, "", append(args, "--data", data, "--log-level", "error")...)
	}
	if out, said, code := run("import", pages); code != 0 || !strings.Contains(out, "2 imported, 0 bad") {
		t.Fatalf("exit %d, %s %s", code, out, said)
	}
	write("tinh/a.html", `<meta property="og:url" content="https://example.org/tin/c">`) // sorts before what is there
	if _, said, code := run("import", pages); code != 0 {
		t.Fatalf("again: exit %d, %s", code, said)
	}
	out, _, _ := run("search", "*", "--json", "--limit", "0")
	for _, want := range []string{`"canonical_url":"https://example.org/tin/a"`, `"canonical_url":"https://example.org/tin/c"`, `"canonical_url":"file:///`} {
		if strings.Count(out, want) != 1 {
			t.Errorf("%s stands %d times in\n%s", want, strings.Count(out, want), out)
		}
	}
}

func TestWhatDiesOnTheWayIsCounted(t *testing.T) {
	in := writeFile(t, "a.jsonl", good(1)+`{"url":"https://example.org/trong","html":"<html><script>1</script></html>"}`+"\n")
	out, _, code := call(t, "", "import", in, "--data", t.TempDir(), "--log-level", "error")
	if code != 1 || !strings.Contains(out, "1 could not be worked on") {
		t.Errorf("exit %d, %s", code, out)
	}
}

// TestManyLargePagesDoNotFillTheMemory: small when packed, large when not.
func TestManyLargePagesDoNotFillTheMemory(t *testing.T) {
	var b strings.Builder
	pad := strings.Repeat(" ", 8<<20)
	for i := range 24 {
		html, _ := json.Marshal(strings.Replace(article, "<body>", "<body>"+pad, 1))
		fmt.Fprintf(&b, `{"url":"https://example.org/lon/%d","html":%s}`+"\n", i, html)
	}
	p := newProgram(t, "PRESSWATCH_LOG_LEVEL=error")
	p.mustRun("import", writeFile(t, "large.jsonl", b.String()), "--no-wait")
	s := p.start("import", writeFile(t, "a.jsonl", good(1)))
	peak := s.peak()
	if code := s.ProcessState.ExitCode(); code != 0 {
		t.Fatalf("exit %d: %s", code, s.said())
	}
	const most = 300 // MB; all 24 at once would be over 600
	if t.Logf("peak of %d MB", peak); peak > most || peak == 0 {
		t.Errorf("peak of %d MB, want at most %d", peak, most)
	}
	if got := len(p.archive()); got != 25 {
		t.Errorf("%d documents, want 25", got)
	}
}

func TestAccounts(t *testing.T) {
	data := t.TempDir()
	run := func(stdin string, args ...string) (string, string, int) {
		return call(t, stdin, append(args, "--data", data, "--log-level", "error")...)
	}
	if out, said, code := run("", "user", "add", "lan", "--name", "Trần Thị Lan"); code != 0 || !strings.Contains(out, "/sign-in/") {
		t.Fatalf("add: exit %d, %s %s", code, out, said)
	}
	if _, said, code := run("", "user", "add", "lan"); code != 1 || !strings.Contains(said, "lan") {
		t.Errorf("the same login twice: exit %d, %s", code, said)
	}
	if _, said, code := run("", "user", "add", "minh", "--role", "king"); code != 1 || !strings.Contains(said, "king") {
		t.Errorf("an unknown role: exit %d, %s", code, said)
	}
	if _, said, code := run("short\n", "user", "passwd", "lan"); code != 1 || !strings.Contains(said, "12") {
		t.Errorf("a short password: exit %d, %s", code, said)
	}
	if _, said, code := run("lúa chín vàng trên nương\n", "user", "passwd", "lan"); code != 0 {
		t.Errorf("a good password: exit %d, %s", code, said)
	}
	if _, said, code := run("", "user", "role", "lan", "senior"); code != 0 {
		t.Errorf("role: exit %d, %s", code, said)
	}
	out, _, _ := run("", "user", "list")
	if !strings.Contains(out, "senior") || !strings.Contains(out, "Trần Thị Lan") || !strings.Contains(out, "set") {
		t.Errorf("list: %s", out)
	}
}
