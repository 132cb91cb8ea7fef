package fetch

import (
	"bytes"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// rules is what a robots.txt says to one product token, by RFC 9309 read as
// Google's open parser reads it: a byte order mark or a part of one is
// skipped, a missing colon and the usual misspellings are understood, groups
// of one agent are joined, the longest matching pattern wins and Allow wins
// ties.
type rules struct {
	own, any []rule
	named    bool // there is a group for our token, if only an empty one
	delay    time.Duration
}

type rule struct {
	pattern string // in the form of normalise, loosely for Disallow
	allow   bool
}

const (
	maxRobots     = 500 << 10 // bytes that are read, as RFC 9309 has it
	maxRobotsLine = 2083 * 8  // bytes of a line that count
	maxDelay      = 30 * time.Second
)

// parseRobots reads a robots.txt for one product token, of letters, '-', '_'.
func parseRobots(body []byte, token string) *rules {
	p := robotsParser{token: token, out: &rules{}}
	for _, bom := range []byte{0xEF, 0xBB, 0xBF} {
		if len(body) == 0 || body[0] != bom {
			break
		}
		body = body[1:]
	}
	for len(body) > 0 {
		line := body
		if i := bytes.IndexAny(body, "\r\n"); i >= 0 {
			line, body = body[:i], body[i+1:]
		} else {
			body = nil
		}
		p.line(string(line[:min(len(line), maxRobotsLine)]))
	}
	if p.out.named {
		p.out.any, p.anyDelay = nil, p.ownDelay
	}
	p.out.delay = min(p.anyDelay, maxDelay)
	return p.out
}

type robotsParser struct {
	token              string
	out                *rules
	own, any           bool // what the group that is being read is for
	ruled              bool // it has a rule already: a user-agent line begins a new one
	ownDelay, anyDelay time.Duration
}

func (p *robotsParser) line(s string) {
	key, value, ok := splitRobots(s)
	if !ok {
		return
	}
	switch key = strings.ToLower(key); {
	case hasAnyPrefix(key, "user-agent", "useragent", "user agent"):
		p.agent(value)
	case hasAnyPrefix(key, "disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw"):
		p.rule(value, false)
	case strings.HasPrefix(key, "allow"):
		p.rule(value, true)
	case hasAnyPrefix(key, "crawl-delay", "crawldelay"):
		p.delay(value)
	}
}

// splitRobots parts a line at its colon or, that missing, at its only blank.
func splitRobots(s string) (key, value string, ok bool) {
	s, _, _ = strings.Cut(s, "#")
	s = strings.Trim(s, " \t\v\f")
	key, value, ok = strings.Cut(s, ":")
	if !ok {
		i := strings.IndexAny(s, " \t")
		if i < 0 {
			return "", "", false
		}
		key, value = s[:i], strings.Trim(s[i:], " \t")
		if strings.ContainsAny(value, " \t") {
			return "", "", false
		}
	}
	key, value = strings.Trim(key, " \t\v\f"), strings.Trim(value, " \t\v\f")
	return key, value, key != ""
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

func (p *robotsParser) agent(value string) {
	if p.ruled {
		p.own, p.any, p.ruled = false, false, false
	}
	if strings.HasPrefix(value, "*") && (len(value) == 1 || strings.ContainsAny(value[1:2], " \t\v\f")) {
		p.any = true
		return
	}
	if name := tokenOf(value); name != "" && strings.EqualFold(name, p.token) {
		p.own, p.out.named = true, true
	}
}

// tokenOf is the product token at the start of s.
func tokenOf(s string) string {
	i := strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' || r == '_')
	})
	if i < 0 {
		return s
	}
	return s[:i]
}

func (p *robotsParser) rule(pattern string, allow bool) {
	if !p.own && !p.any {
		return
	}
	p.ruled = true
	if pattern == "" {
		return
	}
	add := func(pattern string) {
		r := rule{normalise(pattern, !allow, true), allow}
		if p.own {
			p.out.own = append(p.out.own, r)
		} else {
			p.out.any = append(p.out.any, r)
		}
	}
	add(pattern)
	if i := strings.LastIndexByte(pattern, '/'); allow && i >= 0 && strings.HasPrefix(pattern[i:], "/index.htm") {
		add(pattern[:i+1] + "$")
	}
}

func (p *robotsParser) delay(value string) {
	s, err := strconv.ParseFloat(value, 64)
	if err != nil || !(s > 0) || !p.own && !p.any {
		return
	}
	d := time.Duration(min(s, maxDelay.Seconds()) * float64(time.Second))
	if p.own {
		p.ownDelay = max(p.ownDelay, d)
	} else {
		p.anyDelay = max(p.anyDelay, d)
	}
}

// allowed reports whether path, with its query, may be fetched.
func (r *rules) allowed(path string) bool {
	strict, loose := normalise(path, false, false), normalise(path, true, true)
	list := r.any
	if r.named {
		list = r.own
	}
	best, allow := 0, true
	for _, r := range list {
		form := loose
		if r.allow {
			form = strict
		}
		if n := len(r.pattern); (n > best || n == best && r.allow) && matches(r.pattern, form) {
			best, allow = n, r.allow
		}
	}
	return allow
}

// matches is a glob with '*', anchored at the start, and at the end if the
// pattern ends in '$'. Taking the leftmost place for each piece is enough, so
// the time is linear in path and pattern.
func matches(pattern, path string) bool {
	pattern, end := strings.CutSuffix(pattern, "$")
	pieces := strings.Split(pattern, "*")
	rest, ok := strings.CutPrefix(path, pieces[0])
	if !ok {
		return false
	}
	for i, piece := range pieces[1:] {
		if end && i == len(pieces)-2 {
			return strings.HasSuffix(rest, piece)
		}
		at := strings.Index(rest, piece)
		if at < 0 {
			return false
		}
		rest = rest[at+len(piece):]
	}
	return !end || rest == ""
}

// normalise makes ways to write one path equal: hexadecimal digits are upper
// case; if decode is set, what needs no encoding has none, as RFC 9309 has it;
// if encode is set, bytes beyond ASCII are encoded. Google's parser, the
// measure here, never decodes and encodes only patterns. So Allow is read its
// strict way and Disallow the loose way: in doubt, we stay outside.
func normalise(s string, decode, encode bool) string {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] != '%' && s[i] < utf8.RuneSelf
	}
	if plain {
		return s
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' && i+2 < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				if c = byte(v); decode && unreserved(c) {
					b.WriteByte(c)
				} else {
					b.Write([]byte{'%', hex[c>>4], hex[c&15]})
				}
				i += 2
				continue
			}
		}
		if encode && c >= utf8.RuneSelf {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
}
