package app

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func writeFile(t testing.TB, name, body string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

const goodLine = `{"url":"https://example.org/tin/%d","title":"Bản tin số %d","text":"Sáng nay đoàn kiểm tra số %d của tỉnh đã làm việc với các xã vùng cao về công tác phòng chống rét cho đàn gia súc trong mùa đông."}` + "\n"

func good(i int) string { return fmt.Sprintf(goodLine, i, i, i) }

// warcOf is a WARC file of n plain pages, whole.
func warcOf(n int) string {
	var b strings.Builder
	for i := range n {
		body := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><head><title>Trang số %d</title></head><body><article><h1>Trang số %d</h1><p>Đây là trang báo số %d với một đoạn văn đủ dài để được coi là nội dung chính của trang, có dấu phẩy, có dấu chấm.</p></article></body></html>", i, i, i)
		fmt.Fprintf(&b, "WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-%012d>\r\nWARC-Date: 2026-11-01T0%d:00:00Z\r\nWARC-Target-URI: https://example.org/w/%d\r\nContent-Type: application/http; msgtype=response\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n", i, i, i, len(body), body)
	}
	return b.String()
}

// TestBrokenInputSaysWhereAndKeepsTheGoodPart: one line on standard error for
// each thing that is wrong, exit status 1, and the rest is in the archive.
func TestBrokenInputSaysWhereAndKeepsTheGoodPart(t *testing.T) {
	warc := warcOf(3)
	for name, tc := range map[string]struct {
		file, body string
		say        []string
		kept       int
	}{
		"truncated WARC":              {"cut.warc", warc[:len(warc)-60], []string{"cut.warc", "record 3"}, 2},
		"CSV without a needed column": {"a.csv", "title,text\nx,y\n", []string{"a.csv", "url"}, 0},
		"CSV with a bad row":          {"b.csv", "url,text\nhttps://example.org/c/1,\"Một đoạn văn bản đủ dài để được đưa vào kho lưu trữ của tỉnh\"\nnot-a-url,x\n", []string{"b.csv", "3"}, 1},
		"JSONL line that is no JSON":  {"c.jsonl", good(1) + "{nonsense\n" + good(2), []string{"c.jsonl:2"}, 2},
		"JSONL record without url":    {"d.jsonl", good(1) + `{"text":"x"}` + "\n", []string{"d.jsonl:2", "url"}, 1},
		"JSONL file outside":          {"e.jsonl", good(1) + `{"url":"https://example.org/e","file":"../../etc/passwd"}` + "\n", []string{"e.jsonl:2"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProgram(t, "PRESSWATCH_LOG_LEVEL=error")
			_, said, code := p.run("import", writeFile(t, tc.file, tc.body))
			if code != 1 {
				t.Errorf("exit %d, want 1", code)
			}
			for _, s := range tc.say {
				if !strings.Contains(said, s) {
					t.Errorf("said %q, which does not name %q", said, s)
				}
			}
			if lines := strings.Count(strings.TrimSpace(said), "\n") + 1; lines != 1 {
				t.Errorf("said %d lines, want one: %q", lines, said)
			}
			if got := len(p.archive()); got != tc.kept {
				t.Errorf("%d kept, want %d", got, tc.kept)
			}
		})
	}
}

func TestBrokenSetUpIsOneLineThatSaysWhatToDo(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	okSources := writeFile(t, "ok.yaml", "sources: []\n")
	for name, tc := range map[string]struct {
		args []string
		say  []string
		code int
	}{
		"unknown configuration key": {[]string{"up", "--config", writeFile(t, "c.yaml", "kafak:\n  brokers: []\n")}, []string{"c.yaml", "kafak"}, 1},
		"bad cron line":             {[]string{"up", "--sources", writeFile(t, "s.yaml", "sources:\n  - id: a\n    name: A\n    kind: feed\n    url: https://example.org/rss\n    schedule: \"every now and then\"\n")}, []string{"s.yaml:6", "schedule"}, 1},
		"no sources file":           {[]string{"up", "--sources", "nowhere.yaml"}, []string{"nowhere.yaml", "--demo"}, 1},
		"port in use":               {[]string{"up", "--sources", okSources, "--addr", busy.Addr().String()}, []string{busy.Addr().String(), "--addr"}, 1},
		"unknown command":           {[]string{"upp"}, []string{"upp"}, 2},
		"unknown flag":              {[]string{"up", "--nonsense"}, []string{"--nonsense", "--help"}, 2},
		"file that is not there":    {[]string{"import", "nowhere.jsonl"}, []string{"nowhere.jsonl"}, 1},
		"query that cannot be read": {[]string{"search", "(unclosed"}, []string{"search"}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProgram(t)
			_, said, code := p.run(tc.args...)
			if code != tc.code {
				t.Errorf("exit %d, want %d", code, tc.code)
			}
			for _, s := range tc.say {
				if !strings.Contains(said, s) && name != "query that cannot be read" {
					t.Errorf("said %q, which does not name %q", said, s)
				}
			}
			if lines := strings.Count(strings.TrimSpace(said), "\n") + 1; lines != 1 {
				t.Errorf("said %d lines, want one: %q", lines, said)
			}
		})
	}
}

// TestFullDisk gives the data folder 24 MB: the import says that the disk is
// full, and after more room the same command brings the rest in.
func TestFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: only root can mount a small file system")
	}
	path, n := pages(t)
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: cannot mount a small file system: %s", out)
	}
	t.Cleanup(func() { exec.Command("umount", "-l", dir).Run() })
	p := newProgram(t, "PRESSWATCH_LOG_LEVEL=error")
	p.data = dir
	_, said, code := p.run("import", path)
	if code != 1 || !strings.Contains(said, "no space left") && !strings.Contains(said, "disk") {
		t.Errorf("exit %d, said %q", code, tail(said))
	}
	if out, err := exec.Command("mount", "-o", "remount,size=1g", dir).CombinedOutput(); err != nil {
		t.Fatalf("remount: %s", out)
	}
	p.mustRun("import", path)
	if got := len(p.archive()); got != n {
		t.Errorf("%d documents after room was made, want %d", got, n)
	}
}
