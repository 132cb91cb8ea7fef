package page

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"presswatch/internal/lang/all"
	"presswatch/internal/text"
)

// layouts are the machine forms. Those without a zone are read as UTC, so
// that the day stays the one that is written.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04Z07:00", "2006-01-02T15:04Z0700",
	"2006-01-02T15:04:05.999999999", "2006-01-02T15:04",
	"2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05 Z07:00", "2006-01-02 15:04:05 Z0700", "2006-01-02 15:04:05Z0700", "2006-01-02 15:04:05 MST",
	"2006-01-02 15:04:05.999999999", "2006-01-02 15:04", "2006-01-02", "20060102T150405Z", "20060102",
	"2006/01/02 15:04:05", "2006/01/02 15:04", "2006/01/02",
	time.RFC1123Z, time.RFC1123, time.RFC850, "Mon, 2 Jan 2006 15:04:05 Z0700", "2 Jan 2006 15:04:05 Z0700", "Mon Jan 2 15:04:05 2006", "Mon Jan 2 15:04:05 MST 2006",
}

const maxDate = 120 // bytes of text in which a date is looked for

// Date reads a date as machines or people write it, in the languages of
// lang/all. dayFirst says how 03/04/2025 is read; without it, such a date is
// read only when one of the numbers cannot be a month. It never guesses: what
// is not clear is not a date. Times without a zone are UTC.
func Date(s string, dayFirst bool) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > maxDate {
		return time.Time{}, false
	}
	for _, l := range layouts {
		if t, err := time.Parse(l, s); err == nil {
			return sane(t)
		}
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil { // Unix time, in seconds or milliseconds
		switch {
		case n > 1e11 && n < 1e13:
			return sane(time.UnixMilli(n).UTC())
		case n > 6e8 && n < 1e10:
			return sane(time.Unix(n, 0).UTC())
		}
		return time.Time{}, false
	}
	return written(twoWords.Replace(text.Fold(s)), dayFirst)
}

func sane(t time.Time) (time.Time, bool) {
	return t, t.Year() >= 1900 && t.Year() < 2200
}

var (
	// 21 tháng 09 năm 2025; 21/9/2025; 21-09-2025; 21.9.2025; ngày 21 tháng 9, 2025
	dayMonthYear = regexp.MustCompile(`(?:^|\D)(\d{1,2})\s*(?:[/.-]|\s*thang\s*)\s*(\d{1,2})\s*(?:[/.-]|,?\s*nam\s*|,\s*)\s*(\d{4})(?:\D|$)`)
	yearMonthDay = regexp.MustCompile(`(?:^|\D)(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})(?:\D|$)`)
	named        = regexp.MustCompile(`(?:^|\D)(\d{1,2})(?:st|nd|rd|th)?\s+(?:of\s+)?([\p{L}\p{M}]+)\.?,?\s+(\d{4})(?:\D|$)`)
	namedFirst   = regexp.MustCompile(`(?:^|[^\p{L}\p{M}])([\p{L}\p{M}]{3,})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?:\D|$)`)
	clock        = regexp.MustCompile(`(?:^|[^\d:])(\d{1,2})[:h](\d{2})(?::(\d{2}))?(?:\s*([ap])\.?m\b)?(?:[^\d:]|$)`)
	zone         = regexp.MustCompile(`(?:(?:gmt|utc)\s*|\d)([+-])(\d{1,2}):?(\d{2})?(?:\D|$)`)
)

// written reads folded text: digits are ASCII, Vietnamese has no marks.
func written(s string, dayFirst bool) (time.Time, bool) {
	y, m, d, rest, ok := calendarDay(s, dayFirst)
	if !ok || m < 1 || m > 12 || d < 1 || d > 31 {
		return time.Time{}, false
	}
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if t.Day() != d { // 31 April
		return time.Time{}, false
	}
	hour, minute, second, ok := timeOfDay(rest)
	if !ok {
		return sane(t)
	}
	t = time.Date(y, time.Month(m), d, hour, minute, second, 0, zoneOf(rest))
	return sane(t)
}

// calendarDay finds the day and returns what is written around it.
func calendarDay(s string, dayFirst bool) (y, m, d int, rest string, ok bool) {
	around := func(at []int) string { return s[:at[2]] + " " + s[at[7]:] }
	num := func(at []int, i int) int { n, _ := strconv.Atoi(s[at[2*i]:at[2*i+1]]); return n }
	if at := yearMonthDay.FindStringSubmatchIndex(s); at != nil {
		return num(at, 1), num(at, 2), num(at, 3), around(at), true
	}
	if at := dayMonthYear.FindStringSubmatchIndex(s); at != nil {
		a, b := num(at, 1), num(at, 2)
		vietnamese := strings.Contains(s[at[0]:at[1]], "thang")
		switch {
		case vietnamese || dayFirst || a > 12 || a == b:
			return num(at, 3), b, a, around(at), true
		case b > 12:
			return num(at, 3), a, b, around(at), true
		}
		return 0, 0, 0, "", false
	}
	if at := named.FindStringSubmatchIndex(s); at != nil {
		if m := months[s[at[4]:at[5]]]; m > 0 {
			return num(at, 3), m, num(at, 1), around(at), true
		}
	}
	if at := namedFirst.FindStringSubmatchIndex(s); at != nil {
		if m := months[s[at[2]:at[3]]]; m > 0 {
			return num(at, 3), m, num(at, 2), around(at), true
		}
	}
	return 0, 0, 0, "", false
}

func timeOfDay(s string) (hour, minute, second int, ok bool) {
	at := clock.FindStringSubmatch(s)
	if at == nil {
		return 0, 0, 0, false
	}
	hour, _ = strconv.Atoi(at[1])
	minute, _ = strconv.Atoi(at[2])
	second, _ = strconv.Atoi(at[3])
	switch at[4] {
	case "p":
		if hour < 12 {
			hour += 12
		}
	case "a":
		hour %= 12
	}
	return hour, minute, second, hour < 24 && minute < 60 && second < 60
}

func zoneOf(s string) *time.Location {
	at := zone.FindStringSubmatch(s)
	if at == nil {
		return time.UTC
	}
	h, _ := strconv.Atoi(at[2])
	m, _ := strconv.Atoi(at[3])
	off := (h*60 + m) * 60
	if h > 14 || m > 59 || off == 0 {
		return time.UTC
	}
	if at[1] == "-" {
		off = -off
	}
	return time.FixedZone("", off)
}

// months maps folded names of months to 1..12: those of the profiles, short
// forms of English, other spellings of Hindi and Arabic, and the names that
// are used from Iraq to Lebanon.
var months = monthNames()

func monthNames() map[string]int {
	out := map[string]int{}
	for _, p := range all.Profiles() {
		for i, name := range p.Months {
			out[text.Fold(name)] = i + 1
		}
	}
	for i, list := range []string{
		"jan", "feb شباط فبراير फरवरी", "mar آذار", "apr نيسان ابريل अप्रेल", "أيار ايار", "jun حزيران",
		"jul تموز", "aug آب اغسطس", "sep sept أيلول ايلول सितम्बर", "oct اكتوبر अक्तूबर", "nov नवम्बर", "dec दिसम्बर",
	} {
		for name := range strings.FieldsSeq(list) {
			out[text.Fold(name)] = i + 1
		}
	}
	return out
}

// twoWords are the names of months of two words, in one that months has.
var twoWords = strings.NewReplacer("كانون الثاني", "يناير", "كانون الأول", "ديسمبر", "تشرين الأول", "أكتوبر", "تشرين الثاني", "نوفمبر")
