package page

import (
	"net/netip"
	"strings"

	"github.com/nlnwa/whatwg-url/url"
	"golang.org/x/net/publicsuffix"

	"presswatch"
)

// maxURL is the longest address that is believed, in bytes.
const maxURL = 8 << 10

var urlParser = url.NewParser()

// Canonical is the one form of an address: absolute http or https, host in
// lower case (and Punycode), without fragment, user, default port, tracking
// parameters and a trailing index page. raw may be relative when base is not
// empty. Errors are Invalid.
func Canonical(raw, base string) (string, error) {
	u, err := absolute(raw, base)
	if err != nil {
		return "", err
	}
	u.SetUsername("")
	u.SetPassword("")
	u.SetHostname(strings.TrimSuffix(u.Hostname(), "."))
	if q := cleanQuery(u.Query()); q != "" {
		u.SetSearch("?" + q) // one "?" is taken off, the query may begin with another
	} else {
		u.SetSearch("")
	}
	p := u.Pathname()
	if i := strings.LastIndexByte(p, '/'); i >= 0 && isIndex(p[i+1:], u.Query() != "") {
		u.SetPathname(p[:i+1])
	}
	return u.Href(true), nil
}

func absolute(raw, base string) (*url.Url, error) {
	raw = strings.TrimSpace(raw)
	if raw == "" || len(raw) > maxURL {
		return nil, presswatch.Errorf(presswatch.Invalid, "an address has 1 to %d bytes, this has %d", maxURL, len(raw))
	}
	var u *url.Url
	var err error
	if base == "" {
		u, err = urlParser.Parse(raw)
	} else {
		u, err = urlParser.ParseRef(base, raw)
	}
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Invalid, "not an address: %w", err)
	}
	if s := u.Scheme(); s != "http" && s != "https" || u.Hostname() == "" {
		return nil, presswatch.Errorf(presswatch.Invalid, "not an http address: %.80q", raw)
	}
	return u, nil
}

// tracking are the parameters that say how a reader came, never what is read.
var tracking = map[string]bool{
	"fbclid": true, "gclid": true, "dclid": true, "gclsrc": true, "wbraid": true, "gbraid": true, "msclkid": true,
	"yclid": true, "twclid": true, "ttclid": true, "igshid": true, "igsh": true, "mc_cid": true, "mc_eid": true,
	"_ga": true, "_gl": true, "zarsrc": true, "gidzl": true, "mkt_tok": true, "oly_anon_id": true, "oly_enc_id": true,
	"vero_id": true, "_hsenc": true, "_hsmi": true, "hsctatracking": true, "wickedid": true, "at_medium": true, "at_campaign": true,
	"ns_campaign": true, "ns_mchannel": true, "ns_source": true, "ns_linkname": true, "ns_fee": true, "cmpid": true, "ref_src": true, "ref_url": true,
}

func cleanQuery(q string) string {
	kept := make([]string, 0, 4)
	for part := range strings.SplitSeq(q, "&") {
		name, _, _ := strings.Cut(part, "=")
		name = strings.ToLower(name)
		if part != "" && !tracking[name] && !strings.HasPrefix(name, "utm_") {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "&")
}

// isIndex reports whether the last part of a path names the index page. With
// a query, index.php is a program that the query speaks to.
func isIndex(name string, query bool) bool {
	switch strings.ToLower(name) {
	case "index.html", "index.htm", "index.xhtml", "index.shtml":
		return true
	case "index.php", "index.asp", "index.aspx", "default.asp", "default.aspx", "index.jsp":
		return !query
	}
	return false
}

// believable returns the canonical form of what a page claims to be its
// address. Only the site itself is believed, and not when it names a mere
// home page: a mistaken template would make all its articles one.
func believable(claim, own string) (string, bool) {
	c, err := Canonical(claim, own)
	if err != nil {
		return "", false
	}
	a, err1 := urlParser.Parse(c)
	b, err2 := urlParser.Parse(own)
	if err1 == nil && strings.HasPrefix(own, "file:") { // a saved page: nobody else can say where it is from
		return c, !isHome(a)
	}
	if err1 != nil || err2 != nil || site(a.Hostname()) != site(b.Hostname()) {
		return "", false
	}
	if isHome(a) && !isHome(b) {
		return "", false
	}
	return c, true
}

func isHome(u *url.Url) bool { return strings.Trim(u.Pathname(), "/") == "" && u.Query() == "" }

// site is the registrable domain; an IP address is its own.
func site(host string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return host
	}
	if d, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return d
	}
	return host
}
