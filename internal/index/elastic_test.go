package index

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"presswatch"
	"presswatch/internal/index/indextest"
)

// elasticAddress is where a real Elasticsearch listens; without one the test
// is skipped.
func elasticAddress(t *testing.T) string {
	t.Helper()
	addr := os.Getenv("PRESSWATCH_TEST_ELASTICSEARCH")
	if addr == "" {
		t.Skip("SKIPPED, NOT TESTED: PRESSWATCH_TEST_ELASTICSEARCH is not set; start one with: deploy/dev/dev up elasticsearch")
	}
	return addr
}

var prefixes atomic.Int64

func testPrefix() string {
	return fmt.Sprintf("test-%d-%d-%d-", os.Getpid(), time.Now().UnixNano(), prefixes.Add(1))
}

// openTestElastic opens an index of its own, and deletes it at the end.
func openTestElastic(t *testing.T, o ElasticOptions) presswatch.Index {
	t.Helper()
	o.Addresses = []string{elasticAddress(t)}
	if o.Prefix == "" {
		o.Prefix = testPrefix()
	}
	idx, err := OpenElastic(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = idx.Close()
		deleteIndexes(t, o.Addresses[0], o.Prefix)
	})
	return idx
}

func deleteIndexes(t *testing.T, addr, prefix string) {
	t.Helper()
	name := fmt.Sprintf("%sdocuments-v%d", prefix, elasticFormat)
	req, err := http.NewRequestWithContext(context.Background(), http.MethodDelete, addr+"/"+url.PathEscape(name)+"?ignore_unavailable=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("deleting %s: %s", name, res.Status)
	}
}

func TestElastic(t *testing.T) {
	elasticAddress(t)
	indextest.Run(t, func(t *testing.T) presswatch.Index { return openTestElastic(t, ElasticOptions{}) })
}
