package pipeline

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files")

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s differs (err %v); look, then run with -update\ngot\n%s", path, err, got)
	}
}

// TestPages reads whole pages and compares the whole documents.
func TestPages(t *testing.T) {
	files, err := filepath.Glob("testdata/pages/*.html")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d pages, err %v", len(files), err)
	}
	chain := Extracting(Deps{})
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".html")
		t.Run(name, func(t *testing.T) {
			body, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			host := map[string]string{"vi-article": "https://bensong.example/thoi-su/cau-phao-mo-lai-101.html#binh-luan", "vi-jsonld": "https://doiche.example/tin/7/", "en-article": "https://quay.example/news/ferry?utm_medium=mail"}[name]
			if host == "" {
				host = "https://" + name + ".example/tin.html"
			}
			it := Item{Capture: captureFor(host, body)}
			if err := chain.Run(t.Context(), &it); err != nil || it.Dropped != "" {
				t.Fatalf("err %v, dropped %q", err, it.Dropped)
			}
			var b bytes.Buffer
			e := json.NewEncoder(&b)
			e.SetEscapeHTML(false)
			e.SetIndent("", "  ")
			if err := e.Encode(it.Doc); err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(f, ".html")+".json", b.Bytes())
		})
	}
}
