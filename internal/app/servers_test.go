package app

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"presswatch/internal/store/storetest"
)

// realServers is the environment that points a program at the real Kafka,
// Elasticsearch and PostgreSQL of deploy/dev, under names of its own.
func realServers(t *testing.T) []string {
	t.Helper()
	kafka, es, pg := os.Getenv("PRESSWATCH_TEST_KAFKA"), os.Getenv("PRESSWATCH_TEST_ELASTICSEARCH"), os.Getenv("PRESSWATCH_TEST_POSTGRES")
	if kafka == "" || es == "" || pg == "" {
		t.Skip("SKIPPED: real servers are not running: deploy/dev/dev up; eval \"$(deploy/dev/dev env)\"")
	}
	name := fmt.Sprintf("e2e%08x", rand.Uint32())
	return []string{
		"PRESSWATCH_KAFKA_BROKERS=" + kafka,
		"PRESSWATCH_KAFKA_PREFIX=" + name + ".",
		"PRESSWATCH_ELASTICSEARCH_ADDRESSES=" + es,
		"PRESSWATCH_ELASTICSEARCH_PREFIX=" + name + "-",
		"PRESSWATCH_DATABASE_URL=" + storetest.Postgres(t),
	}
}

// both runs a test embedded and against the real servers.
func both(t *testing.T, fn func(t *testing.T, env []string)) {
	t.Run("embedded", func(t *testing.T) { fn(t, nil) })
	t.Run("servers", func(t *testing.T) { fn(t, realServers(t)) })
}
