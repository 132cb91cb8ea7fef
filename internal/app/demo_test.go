package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"presswatch"
	"presswatch/internal/demo"
)

// ask gets a path of the API of the process that holds the data folder.
func (p *program) ask(path string, into any) error {
	r, err := readRunning(p.data)
	if err != nil || r.API == "" {
		return fmt.Errorf("not up yet: %w", err)
	}
	return r.get(context.Background(), path, into)
}

// TestDemoGivesAQueueWorthWorking: every piece is collected by the crawlers,
// once; copies meet; a person decides.
func TestDemoGivesAQueueWorthWorking(t *testing.T) {
	p := newProgram(t, "PRESSWATCH_LOG_LEVEL=warn")
	s := p.start("up", "--demo", "--addr", "127.0.0.1:0")
	s.awaitLine(t, "/sign-in/")
	pieces := len(demo.Content())
	eventually(t, 2*time.Minute, func() bool {
		var r struct{ Total int }
		return p.ask("/v1/documents?limit=1", &r) == nil && r.Total == pieces
	})
	var queue struct {
		Items []presswatch.Case
		Total int
	}
	eventually(t, time.Minute, func() bool {
		return p.ask("/v1/cases?status=open", &queue) == nil && queue.Total >= 10
	})
	languages := map[string]bool{}
	for _, c := range queue.Items {
		languages[c.Language] = true
	}
	if len(languages) < 3 {
		t.Errorf("the queue has only %v", languages)
	}
	copies := 0
	for _, d := range p.archive() {
		if d.Story.CopyOf != "" {
			copies++
		}
	}
	if copies < 5 {
		t.Errorf("%d copies were found among the pieces, want at least 5", copies)
	}
	p.decide(queue.Items[0])
}

// decide records a decision by the API, and sees a stale one refused.
func (p *program) decide(c presswatch.Case) {
	p.t.Helper()
	r, err := readRunning(p.data)
	if err != nil {
		p.t.Fatal(err)
	}
	post := func(version int) int {
		body, _ := json.Marshal(map[string]string{"label": "false", "reason": "Ngân hàng Nhà nước đã bác bỏ."})
		req, err := http.NewRequest(http.MethodPost, r.API+"/v1/cases/"+string(c.ID)+"/decision", bytes.NewReader(body))
		if err != nil {
			p.t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+r.Token)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("If-Match", fmt.Sprintf("%q", fmt.Sprint(version)))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			p.t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if code := post(c.Version); code != http.StatusOK {
		p.t.Errorf("decision: status %d, want 200", code)
	}
	if code := post(c.Version); code != http.StatusPreconditionFailed {
		p.t.Errorf("decision on a version that is past: status %d, want 412", code)
	}
}
