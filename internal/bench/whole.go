package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// patience is how long the whole path may take before we give up.
const patience = 5 * time.Minute

// wholePath runs `presswatch up` on the sites until every page is found by a
// search, and stops it.
func wholePath(program, data string, sites siteList) (figure, error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return figure{}, err
	}
	sources := filepath.Join(data, "sources.yaml")
	if err := os.WriteFile(sources, []byte(sourcesOf(sites)), 0o600); err != nil {
		return figure{}, err
	}
	c := exec.Command(program, "up", "--data", data, "--sources", sources, "--addr", "127.0.0.1:0", "--log-level", "warn")
	c.Env = append(os.Environ(), "PRESSWATCH_CRAWL_ALLOW_NET=127.2.0.0/16", "PRESSWATCH_CRAWL_PACE=0s", "PRESSWATCH_CRAWL_PER_HOST=8")
	errs, err := os.Create(filepath.Join(data, "stderr"))
	if err != nil {
		return figure{}, err
	}
	defer errs.Close()
	c.Stderr = errs
	start := time.Now()
	if err := c.Start(); err != nil {
		return figure{}, err
	}
	want := len(sites.URLs())
	found, err := awaitFound(data, want)
	wall := time.Since(start)
	c.Process.Signal(syscall.SIGTERM)
	c.Wait()
	if err != nil {
		said, _ := os.ReadFile(errs.Name())
		return figure{}, fmt.Errorf("%w\n%s", err, said)
	}
	return newFigure("whole path", found, wall, c.ProcessState), nil
}

func sourcesOf(sites siteList) string {
	var b strings.Builder
	b.WriteString("sources:\n")
	for i, s := range sites {
		fmt.Fprintf(&b, "  - {id: site-%d, name: Site %d, kind: feed, url: %q, schedule: \"@every 1h\", jitter: 0s, max_items: 1000}\n", i, i, s.Base+"/feed.xml")
	}
	return b.String()
}

// awaitFound asks the program itself until a search for all finds every page.
func awaitFound(data string, want int) (int, error) {
	last := 0
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		n, err := found(data)
		if err != nil {
			continue
		}
		if last = n; n >= want {
			return n, nil
		}
	}
	return last, fmt.Errorf("%d of %d pages found after %v", last, want, patience)
}

func found(data string) (int, error) {
	var at struct{ API, Token string }
	b, err := os.ReadFile(filepath.Join(data, "running.json"))
	if err != nil {
		return 0, err
	}
	if err := json.Unmarshal(b, &at); err != nil || at.API == "" {
		return 0, fmt.Errorf("not up yet (%w)", err)
	}
	req, err := http.NewRequest(http.MethodGet, at.API+"/v1/documents?limit=1", nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+at.Token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var r struct{ Total int }
	err = json.NewDecoder(resp.Body).Decode(&r)
	return r.Total, err
}
