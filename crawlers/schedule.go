package crawlers

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"presswatch"
)

var cronParser = cron.NewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// parseSchedule reads a schedule of sources.yaml. It refuses what cron would
// take for something else, and what never comes.
func parseSchedule(spec string) (_ cron.Schedule, err error) {
	defer func() { // cron panics on some lines
		if r := recover(); r != nil {
			err = presswatch.Errorf(presswatch.Invalid, "%q is no cron line: %v", spec, r)
		}
	}()
	if len(spec) > 200 {
		return nil, presswatch.Errorf(presswatch.Invalid, "%d characters are too many for a cron line", len(spec))
	}
	if every, ok := strings.CutPrefix(spec, "@every "); ok {
		if d, err := time.ParseDuration(every); err != nil || d < time.Second {
			return nil, presswatch.Errorf(presswatch.Invalid, "%q: after @every comes a duration of 1s or more, such as 10m", spec)
		}
	}
	s, err := cronParser.Parse(spec)
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Invalid, "%q is no cron line: %w", spec, err)
	}
	if s.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, presswatch.Errorf(presswatch.Invalid, "%q never comes", spec)
	}
	return s, nil
}

// startup is within how long after the start each source runs for the first time.
const startup = 10 * time.Second

// jittered is a schedule that comes first soon after the start, and then up to
// jitter later than the one it wraps, never twice for one time of it. Only
// cron's own goroutine calls it.
type jittered struct {
	inner  cron.Schedule
	jitter time.Duration
	rand   func() float64
	base   time.Time // the time of inner that was given last
}

// Next implements cron.Schedule.
func (j *jittered) Next(now time.Time) time.Time {
	if j.base.IsZero() {
		j.base = now
		return now.Add(time.Duration(j.rand() * float64(min(startup, max(j.jitter, time.Second)))))
	}
	from := now
	if j.base.After(now.Add(-j.jitter)) && j.base.Before(now) {
		from = j.base
	}
	for range 100 {
		j.base = j.inner.Next(from)
		if j.base.IsZero() {
			return j.base
		}
		if at := j.base.Add(time.Duration(j.rand() * float64(j.jitter))); at.After(now) {
			return at
		}
		from = j.base
	}
	j.base = j.inner.Next(now)
	return j.base
}

// cronLog sends what cron says to slog.
type cronLog struct{ c *Crawler }

// Info drops cron's running commentary.
func (cronLog) Info(string, ...any) {}

// Error implements cron.Logger.
func (l cronLog) Error(err error, msg string, kv ...any) {
	l.c.log.Error("cron: "+msg, "error", err, "detail", fmt.Sprint(kv...))
}
