package obs

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestOneEventIsOneLine(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var b bytes.Buffer
		NewLogger(&b, "info", format).Info("fetched", "title", "a\r\nlevel=ERROR msg=forged\x1b[2J")
		if n := strings.Count(b.String(), "\n"); n != 1 || strings.Contains(b.String(), "\x1b") {
			t.Errorf("%s: %d lines: %q", format, n, b.String())
		}
		if format == "json" && !json.Valid(b.Bytes()) {
			t.Errorf("not JSON: %q", b.String())
		}
	}
}

func TestLevelHoldsBack(t *testing.T) {
	var b bytes.Buffer
	log := NewLogger(&b, "warn", "text")
	log.Info("quiet")
	log.Warn("loud")
	if s := b.String(); strings.Contains(s, "quiet") || !strings.Contains(s, "loud") {
		t.Errorf("got %q", s)
	}
}

func TestMetricsAreServed(t *testing.T) {
	m := NewMetrics()
	m.Captures.WithLabelValues("crawl").Add(3)
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if !strings.Contains(w.Body.String(), `presswatch_captures_total{way="crawl"} 3`) {
		t.Errorf("got %s", w.Body)
	}
}
