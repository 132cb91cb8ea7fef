package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"presswatch"
)

func write(t *testing.T, body string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(p, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFlagsGoOverEnvironmentOverFile(t *testing.T) {
	file := write(t, "data: from-file\nhttp:\n  addr: 127.0.0.1:1\nkafka:\n  brokers: [a:1]\ncrawl:\n  pace: 3s\n")
	env := []string{"PRESSWATCH_HTTP_ADDR=127.0.0.1:2", "PRESSWATCH_KAFKA_BROKERS=b:2,c:3", "PRESSWATCH_CRAWL_PER_HOST=5", "OTHER=x"}
	c, err := Load(file, env, map[string]any{"data": "from-flag"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Data != "from-flag" || c.HTTP.Addr != "127.0.0.1:2" || strings.Join(c.Kafka.Brokers, ",") != "b:2,c:3" || c.Crawl.Pace != 3*time.Second || c.Crawl.PerHost != 5 {
		t.Errorf("got %+v", c)
	}
	if c.Kafka.Prefix != Default().Kafka.Prefix {
		t.Errorf("a default is lost: prefix %q", c.Kafka.Prefix)
	}
}

func TestDefaultsAreValidAndEmbedded(t *testing.T) {
	t.Chdir(t.TempDir())
	c, err := Load("", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a, b, d := c.Embedded(); !a || !b || !d {
		t.Errorf("embedded: %v %v %v, want all", a, b, d)
	}
	if !strings.HasPrefix(c.HTTP.Addr, "127.0.0.1:") {
		t.Errorf("bound to %s by default", c.HTTP.Addr)
	}
}

func TestEachMistakeIsNamed(t *testing.T) {
	for name, tc := range map[string]struct {
		body string
		env  []string
		want []string
	}{
		"unknown key with its line":  {"data: x\nkafak:\n  brokers: []\n", nil, []string{"[2:1]", "kafak"}},
		"unknown nested key":         {"http:\n  adr: x\n", nil, []string{"[2:3]", "adr"}},
		"wrong type":                 {"kafka:\n  partitions: many\n", nil, []string{"[2:15]"}},
		"no YAML":                    {"data: [\n", nil, []string{"c.yaml"}},
		"all values at once":         {"http:\n  addr: nowhere\nlog:\n  level: loud\n", nil, []string{"http.addr", "log.level"}},
		"unknown variable":           {"", []string{"PRESSWATCH_KAFKA_BROKER=x:1"}, []string{"PRESSWATCH_KAFKA_BROKER"}},
		"broker without a port":      {"kafka:\n  brokers: [kafka]\n", nil, []string{"kafka.brokers"}},
		"database of another kind":   {"database:\n  url: mysql://x\n", nil, []string{"database.url"}},
		"address without a scheme":   {"elasticsearch:\n  addresses: [localhost]\n", nil, []string{"elasticsearch.addresses"}},
		"network that is none":       {"crawl:\n  allow_net: [everything]\n", nil, []string{"crawl.allow_net"}},
		"proxy that is no network":   {"http:\n  trusted_proxies: [nginx]\n", nil, []string{"http.trusted_proxies"}},
		"no partitions":              {"kafka:\n  partitions: 0\n", nil, []string{"kafka.partitions"}},
		"secret file that is absent": {"", []string{"PRESSWATCH_DATABASE_URL_FILE=/nonexistent"}, []string{"PRESSWATCH_DATABASE_URL_FILE"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(write(t, tc.body), tc.env, nil)
			if presswatch.CodeOf(err) != presswatch.Invalid {
				t.Fatalf("error %v, want one with code invalid", err)
			}
			for _, w := range tc.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q does not name %q", err, w)
				}
			}
		})
	}
}

func TestSecretsComeFromFilesAndAreNotShown(t *testing.T) {
	secret := write(t, "postgres://u:geheim@h/db\n")
	c, err := Load(write(t, ""), []string{"PRESSWATCH_DATABASE_URL_FILE=" + secret, "PRESSWATCH_ELASTICSEARCH_PASSWORD=geheim"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Database.URL != "postgres://u:geheim@h/db" {
		t.Errorf("url %q", c.Database.URL)
	}
	if s := Show(c); strings.Contains(s, "geheim") {
		t.Errorf("shown: %s", s)
	}
}
