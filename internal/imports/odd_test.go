package imports

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// take reads a path to its end: the addresses of what is good, and the errors.
func take(t *testing.T, path string) (urls, bad []string) {
	t.Helper()
	r, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		it, err := r.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return urls, bad
		}
		if err != nil {
			t.Fatal(err)
		}
		if it.Err != nil {
			bad = append(bad, it.Err.Error())
		} else {
			urls = append(urls, it.Capture.URL)
		}
	}
}

func file(t *testing.T, name, body string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAPipeHoldsNobodyUp(t *testing.T) {
	p := file(t, "a.jsonl", `{"url":"https://example.org/1","file":"pipe"}`+"\n"+`{"url":"https://example.org/2","text":"Bản tin sáng"}`+"\n")
	if err := syscall.Mkfifo(filepath.Join(filepath.Dir(p), "pipe"), 0o600); err != nil {
		t.Skip("SKIPPED: no pipes here")
	}
	urls, bad := take(t, p)
	if len(urls) != 1 || len(bad) != 1 || !strings.Contains(bad[0], "a.jsonl:1") {
		t.Errorf("good %v, bad %v", urls, bad)
	}
}

func TestAStrayQuoteTakesNoOtherRowsWithIt(t *testing.T) {
	urls, bad := take(t, file(t, "q.csv", "url,text\nhttps://example.org/1,một\nhttps://example.org/2,\"broken,text\nhttps://example.org/3,\"ba\"\nhttps://example.org/4,o\"k\n"))
	if strings.Join(urls, " ") != "https://example.org/1 https://example.org/3" || len(bad) != 2 || !strings.Contains(bad[0], "q.csv:3") || !strings.Contains(bad[1], "q.csv:5") {
		t.Errorf("good %v, bad %v", urls, bad)
	}
}

func TestBlankTextIsNoText(t *testing.T) {
	urls, bad := take(t, file(t, "b.jsonl", `{"url":"https://example.org/1","text":" \n"}`+"\n"+`{"url":"https://example.org/2","html":"","text":"Bản tin"}`+"\n"))
	if len(urls) != 1 || len(bad) != 1 || !strings.Contains(bad[0], "b.jsonl:1") {
		t.Errorf("good %v, bad %v", urls, bad)
	}
}
