// Package config is the configuration: a struct with defaults, filled from a
// file, then from the environment, then from flags, and checked before
// anything starts.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Config is all that can be configured. The yaml names, joined by dots, are
// the keys; in the environment a key is PRESSWATCH_ and its name in capitals,
// dots and dashes as underscores: PRESSWATCH_KAFKA_BROKERS.
type Config struct {
	Data          string        `yaml:"data" koanf:"data"`       // folder of everything that is kept on this machine
	Sources       string        `yaml:"sources" koanf:"sources"` // file of the sources to crawl
	HTTP          HTTP          `yaml:"http" koanf:"http"`
	Kafka         Kafka         `yaml:"kafka" koanf:"kafka"`
	Elasticsearch Elasticsearch `yaml:"elasticsearch" koanf:"elasticsearch"`
	Database      Database      `yaml:"database" koanf:"database"`
	Work          Work          `yaml:"work" koanf:"work"`
	Crawl         Crawl         `yaml:"crawl" koanf:"crawl"`
	Log           Log           `yaml:"log" koanf:"log"`
}

// HTTP is where people and programs reach the pages and the API.
type HTTP struct {
	Addr   string `yaml:"addr" koanf:"addr"`     // host:port; loopback unless someone decides otherwise
	Secure bool   `yaml:"secure" koanf:"secure"` // reached through https: cookies are marked so

	// TrustedProxies are the networks, as CIDR, whose X-Forwarded-For is
	// believed: without it all who come through a proxy share its limits.
	TrustedProxies []string `yaml:"trusted_proxies" koanf:"trusted_proxies"`
}

// Kafka is the log. Without brokers the embedded one is used.
type Kafka struct {
	Brokers     []string `yaml:"brokers" koanf:"brokers"`
	Prefix      string   `yaml:"prefix" koanf:"prefix"` // before the names of topics and groups
	Partitions  int      `yaml:"partitions" koanf:"partitions"`
	Replication int      `yaml:"replication" koanf:"replication"`
}

// Elasticsearch is the archive. Without addresses bleve on disk is used.
type Elasticsearch struct {
	Addresses []string `yaml:"addresses" koanf:"addresses"`
	Prefix    string   `yaml:"prefix" koanf:"prefix"` // before the names of indices
	Username  string   `yaml:"username" koanf:"username"`
	Password  string   `yaml:"password" koanf:"password"`
	APIKey    string   `yaml:"api_key" koanf:"api_key"`
	CACert    string   `yaml:"ca_cert" koanf:"ca_cert"` // PEM file
}

// Database is the casework. Without a URL SQLite in the data folder is used.
type Database struct {
	URL string `yaml:"url" koanf:"url"` // postgres://...
}

// Work is how much the pipeline does at once.
type Work struct {
	Parallel int `yaml:"parallel" koanf:"parallel"` // documents worked on at once; 0: one a core
	Batch    int `yaml:"batch" koanf:"batch"`       // messages taken from the log at once
}

// Crawl is how we behave on other people's servers.
type Crawl struct {
	UserAgent string        `yaml:"user_agent" koanf:"user_agent"` // with an address where we can be reached
	Pace      time.Duration `yaml:"pace" koanf:"pace"`             // least time between two requests to one host
	PerHost   int           `yaml:"per_host" koanf:"per_host"`     // connections to one host at once
	Timeout   time.Duration `yaml:"timeout" koanf:"timeout"`       // for one request, all in all
	AllowNet  []string      `yaml:"allow_net" koanf:"allow_net"`   // private networks that may be fetched from, as CIDR; normally none
	Parallel  int           `yaml:"parallel" koanf:"parallel"`     // sources polled at once
}

// Log is what is told on standard error.
type Log struct {
	Level  string `yaml:"level" koanf:"level"`   // debug, info, warn or error
	Format string `yaml:"format" koanf:"format"` // text or json
}

// Default is the configuration of `presswatch up` with nothing said.
func Default() Config {
	return Config{
		Data:    "presswatch-data",
		Sources: "sources.yaml",
		HTTP:    HTTP{Addr: "127.0.0.1:8080"},
		Kafka:   Kafka{Prefix: "presswatch.", Partitions: 4, Replication: 1},
		Elasticsearch: Elasticsearch{
			Prefix: "presswatch-",
		},
		Work: Work{Batch: 64},
		Crawl: Crawl{
			UserAgent: "Presswatch/0.1 (+https://example.org/presswatch; press monitoring; contact: set crawl.user_agent)",
			Pace:      time.Second, PerHost: 2, Timeout: 30 * time.Second, Parallel: 16,
		},
		Log: Log{Level: "info", Format: "text"},
	}
}

// Embedded reports which parts live inside this process.
func (c Config) Embedded() (log, index, database bool) {
	return len(c.Kafka.Brokers) == 0, len(c.Elasticsearch.Addresses) == 0, c.Database.URL == ""
}

// Parallel is how many documents are worked on at once.
func (c Config) Parallel() int {
	if c.Work.Parallel > 0 {
		return c.Work.Parallel
	}
	return runtime.GOMAXPROCS(0)
}

// Path is a place in the data folder.
func (c Config) Path(elem ...string) string {
	return filepath.Join(append([]string{c.Data}, elem...)...)
}

// AllowedNets are the networks of crawl.allow_net.
func (c Config) AllowedNets() []netip.Prefix { return nets(c.Crawl.AllowNet) }

// Proxies are the networks of http.trusted_proxies.
func (c Config) Proxies() []netip.Prefix { return nets(c.HTTP.TrustedProxies) }

// nets reads what Validate has checked.
func nets(list []string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range list {
		if p, err := ParseNet(s); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// ParseNet reads "10.1.0.0/16" or a single address.
func ParseNet(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.ParsePrefix(s)
}

// Validate returns every problem at once, each naming the key to change.
func (c Config) Validate() error {
	var errs []error
	bad := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf(key+": "+format, args...))
	}
	if c.Data == "" {
		bad("data", "name a folder")
	}
	if _, _, err := net.SplitHostPort(c.HTTP.Addr); err != nil {
		bad("http.addr", "%q is not host:port", c.HTTP.Addr)
	}
	for _, b := range c.Kafka.Brokers {
		if _, _, err := net.SplitHostPort(b); err != nil {
			bad("kafka.brokers", "%q is not host:port", b)
		}
	}
	for _, a := range c.Elasticsearch.Addresses {
		if u, err := url.Parse(a); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			bad("elasticsearch.addresses", "%q is not an http or https address", a)
		}
	}
	if u := c.Database.URL; u != "" && !strings.HasPrefix(u, "postgres://") && !strings.HasPrefix(u, "postgresql://") {
		bad("database.url", "must begin with postgres://; leave it out to keep casework in SQLite")
	}
	for key, n := range map[string]int{"kafka.partitions": c.Kafka.Partitions, "kafka.replication": c.Kafka.Replication,
		"work.batch": c.Work.Batch, "crawl.per_host": c.Crawl.PerHost, "crawl.parallel": c.Crawl.Parallel} {
		if n < 1 || n > 10000 {
			bad(key, "%d is not between 1 and 10000", n)
		}
	}
	if c.Work.Parallel < 0 || c.Work.Parallel > 1024 {
		bad("work.parallel", "%d is not between 0 and 1024", c.Work.Parallel)
	}
	if c.Crawl.Pace < 0 {
		bad("crawl.pace", "%v is negative", c.Crawl.Pace)
	}
	if c.Crawl.Timeout <= 0 {
		bad("crawl.timeout", "%v is not positive", c.Crawl.Timeout)
	}
	for key, list := range map[string][]string{"crawl.allow_net": c.Crawl.AllowNet, "http.trusted_proxies": c.HTTP.TrustedProxies} {
		for _, s := range list {
			if _, err := ParseNet(s); err != nil {
				bad(key, "%q is not an address or CIDR", s)
			}
		}
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level) {
		bad("log.level", "%q is not debug, info, warn or error", c.Log.Level)
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		bad("log.format", "%q is not text or json", c.Log.Format)
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}
