package crawlers

import (
	"context"
	"time"

	"presswatch"
	"presswatch/internal/fetch"
)

// CheckReport says whether a source can be collected, for a person.
type CheckReport struct {
	ID        presswatch.SourceID `json:"id"`
	URL       string              `json:"url"`
	OK        bool                `json:"ok"`
	Reachable bool                `json:"reachable"`        // the listing was had and understood
	Robots    string              `json:"robots"`           // "allowed", "disallowed", or why it is not known
	Items     int                 `json:"items"`            // that the listing has
	Matching  int                 `json:"matching"`         // of them that include and exclude let pass
	Sample    []CheckItem         `json:"sample,omitempty"` // the first few
	Took      time.Duration       `json:"took"`
	Error     string              `json:"error,omitempty"` // what to look at
}

// CheckItem is one item of a listing.
type CheckItem struct {
	URL       string    `json:"url"`
	Title     string    `json:"title,omitempty"`
	Published time.Time `json:"published,omitzero"`
	Robots    string    `json:"robots"`
}

const checkSample = 5

// Check lists a source once and publishes nothing. It also asks robots.txt
// about the first items.
func Check(ctx context.Context, client *fetch.Client, s Source) CheckReport {
	start := time.Now()
	r := CheckReport{ID: s.ID, URL: s.URL}
	defer func() { r.Took = time.Since(start) }()
	r.Robots = robotsOf(ctx, client, s.URL)
	fail := func(err error) CheckReport {
		r.Error, r.Took = err.Error(), time.Since(start)
		return r
	}
	var l lister
	for _, k := range All() {
		if found, ok := k.(lister); ok && k.Kind() == s.Kind {
			l = found
		}
	}
	if l == nil {
		return fail(presswatch.Errorf(presswatch.Invalid, "kind %q cannot be checked", s.Kind))
	}
	match, err := newMatcher(s)
	if err != nil {
		return fail(err)
	}
	list, err := l.list(ctx, client, s, validators{})
	if err != nil {
		return fail(err)
	}
	r.Reachable, r.Items = true, len(list.items)
	for _, it := range list.items {
		if !match.ok(it.url) {
			continue
		}
		if r.Matching++; len(r.Sample) < checkSample {
			c := CheckItem{URL: it.url, Title: it.hints.Title, Published: it.hints.Published, Robots: "not asked"}
			if it.body == nil {
				c.Robots = robotsOf(ctx, client, it.url)
			}
			r.Sample = append(r.Sample, c)
		}
	}
	if r.Matching == 0 {
		return fail(presswatch.Errorf(presswatch.NotFound, "%d items found, %d of them match; look at url, include and exclude", r.Items, r.Matching))
	}
	r.OK, r.Took = true, time.Since(start)
	return r
}

func robotsOf(ctx context.Context, client *fetch.Client, url string) string {
	ok, err := client.Allowed(ctx, url)
	switch {
	case err != nil:
		return err.Error()
	case ok:
		return "allowed"
	default:
		return "disallowed"
	}
}
