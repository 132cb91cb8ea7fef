package imports

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"presswatch"
)

// maxHint is the most bytes of a title, a name or a site; maxNames the most
// names of a byline.
const maxHint, maxNames = 4 << 10, 20

// record is what JSON lines and CSV rows have in common.
type record struct {
	url, title, lang, date, site, kind, source, fetchedAt string
	byline                                                []string
	body                                                  []byte
	contentType                                           string
	truncated                                             bool
	changed                                               time.Time // of the file it stands in
}

var sourceID = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// capture checks a record and makes a capture of it; the error names the field.
func (r record) capture(o Options) (presswatch.Capture, error) {
	fail := func(format string, args ...any) (presswatch.Capture, error) {
		return presswatch.Capture{}, presswatch.Errorf(presswatch.Invalid, format, args...)
	}
	addr, err := address(r.url)
	if err != nil {
		return fail("url: %w", err)
	}
	c := presswatch.Capture{
		Source: o.Source, Kind: o.Kind, URL: addr, FetchedAt: o.stamp(r.changed),
		ContentType: r.contentType, Body: r.body, Truncated: r.truncated,
		Hints: presswatch.Hints{
			Title: clip(r.title), Language: clip(r.lang), Site: clip(r.site), DocURL: addr,
		},
	}
	if r.source != "" {
		if !sourceID.MatchString(r.source) {
			return fail("source: %.80q: only a-z, 0-9, '-', '.' and '_', at most 64", r.source)
		}
		c.Source = presswatch.SourceID(r.source)
	}
	if r.kind != "" {
		c.Kind = presswatch.Article
		if strings.EqualFold(strings.TrimSpace(r.kind), string(presswatch.Post)) {
			c.Kind = presswatch.Post
		}
	}
	if r.fetchedAt != "" {
		t, ok := parseTime(r.fetchedAt)
		if !ok {
			return fail("fetched_at: %.40q is no time; write 2026-11-21T09:30:00+07:00", r.fetchedAt)
		}
		c.FetchedAt = o.stamp(t)
	}
	c.Hints.Published, _ = parseTime(r.date) // a hint; what cannot be read is none
	for _, name := range r.byline {
		if name = clip(name); name != "" && len(c.Hints.Byline) < maxNames {
			c.Hints.Byline = append(c.Hints.Byline, name)
		}
	}
	if len(c.Body) > presswatch.MaxBody {
		c.Body, c.Truncated = c.Body[:presswatch.MaxBody], true
	}
	c.ID = presswatch.NewCaptureID(c.Source, c.URL, c.FetchedAt, c.Body)
	return c, c.Validate()
}

// address checks that s is the address of a page.
func address(s string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", presswatch.Errorf(presswatch.Invalid, "missing")
	}
	u, err := url.Parse(s)
	if err != nil {
		return "", presswatch.Errorf(presswatch.Invalid, "%w", err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return "", presswatch.Errorf(presswatch.Invalid, "%.200q is no http or https address", s)
	}
	return s, nil
}

// parseTime reads the ways in which files write a time.
func parseTime(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05Z07:00", time.DateTime,
		"2006-01-02 15:04", time.DateOnly, time.RFC1123Z, time.RFC1123,
	} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 0 {
			return t.UTC(), true
		}
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && f >= 0 {
		if f > 1e11 { // milliseconds
			f /= 1000
		}
		if f < 1e11 { // before the year 5138
			return time.UnixMicro(int64(f * 1e6)).UTC(), true
		}
	}
	return time.Time{}, false
}

// clip trims a hint and bounds its length, at the border of a character.
func clip(s string) string {
	s = strings.ToValidUTF8(strings.TrimSpace(s), "\uFFFD")
	if len(s) <= maxHint {
		return s
	}
	return strings.ToValidUTF8(s[:maxHint], "")
}
