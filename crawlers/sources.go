// Package crawlers collects: it polls the sources of sources.yaml on their
// schedules and publishes what is new as captures.
//
// sources.yaml is a mapping with two keys:
//
//	defaults:             # optional; schedule, jitter, max_items, lang
//	  schedule: "@every 10m"
//	sources:              # the list
//	  - id: daily-news    # needed; a-z 0-9 - . _, at most 64; never change it
//	    name: Daily News  # needed; what people see
//	    kind: feed        # needed; feed, site or posts: see All
//	    url: https://...  # needed; the feed, or the section page
//	    lang: xx          # BCP 47, when the pages do not say
//	    schedule: "*/10 * * * *"  # five cron fields, six with seconds first,
//	                      # @hourly and the like, "@every 10m", or any of
//	                      # these after "CRON_TZ=Asia/Ho_Chi_Minh "
//	    jitter: 30s       # up to so much later, at random; at most 1h
//	    max_items: 50     # new items a poll; 1 to 1000
//	    include: [...]    # regular expressions on the address: one must match
//	    exclude: [...]    # none may match
//	    follow: [...]     # kind site: addresses that are section pages too
//	    depth: 1          # kind site: levels of section pages, 1 to 3
//	    disabled: true    # listed, not collected
//
// Anchors, aliases and tags of YAML are refused. A sample is
// testdata/sources.yaml.
package crawlers

import (
	"time"

	"presswatch"
)

// Source is one entry of sources.yaml.
type Source struct {
	ID       presswatch.SourceID `json:"id"`
	Name     string              `json:"name"`
	Kind     string              `json:"kind"` // name of one of All
	URL      string              `json:"url"`
	Lang     string              `json:"lang,omitempty"`     // BCP 47
	Schedule string              `json:"schedule"`           // see the package comment
	Jitter   time.Duration       `json:"jitter"`             // a poll starts up to so much later
	MaxItems int                 `json:"max_items"`          // new items a poll
	Include  []string            `json:"include,omitempty"`  // regular expressions; one must match
	Exclude  []string            `json:"exclude,omitempty"`  // regular expressions; none may match
	Follow   []string            `json:"follow,omitempty"`   // kind site: further section pages
	Depth    int                 `json:"depth,omitempty"`    // kind site: levels of section pages
	Disabled bool                `json:"disabled,omitempty"` // listed, not collected
	Line     int                 `json:"line,omitempty"`     // of the entry in sources.yaml; 0 when not from a file
}

// The defaults of what an entry leaves out.
const (
	DefaultSchedule = "@every 10m"
	DefaultJitter   = 30 * time.Second
	DefaultMaxItems = 50
)
