package crawlers

import (
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"

	"presswatch/internal/fetch"
)

// tracking are query parameters that say where a reader came from and nothing
// about what is read.
var tracking = map[string]bool{
	"fbclid": true, "gclid": true, "dclid": true, "msclkid": true, "yclid": true, "gbraid": true, "wbraid": true,
	"igshid": true, "mc_cid": true, "mc_eid": true, "_ga": true, "gidzl": true, "zarsrc": true, "ref_src": true,
	"at_medium": true, "at_campaign": true, "ns_source": true, "ns_mchannel": true, "ns_campaign": true,
}

// cleanAddress resolves a link and drops what does not change the page:
// fragment, tracking parameters, default port, upper case of the host.
func cleanAddress(base, ref string) (string, error) {
	u, err := fetch.ParseURL(base, strings.TrimSpace(ref))
	if err != nil {
		return "", err
	}
	if u.RawQuery != "" {
		kept := make([]string, 0, 8)
		for part := range strings.SplitSeq(u.RawQuery, "&") {
			name, _, _ := strings.Cut(part, "=")
			if name = strings.ToLower(name); part != "" && !tracking[name] && !strings.HasPrefix(name, "utm_") {
				kept = append(kept, part)
			}
		}
		u.RawQuery = strings.Join(kept, "&")
	}
	u.ForceQuery = false
	return u.String(), nil
}

// sameSite reports whether two addresses are of one site: one host, or two
// below the domain that its owner registered.
func sameSite(a, b string) bool {
	x, y := hostOf(a), hostOf(b)
	return x != "" && (x == y || siteOf(x) == siteOf(y))
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
}

func siteOf(host string) string {
	if d, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil && !strings.Contains(host, ":") {
		if last := host[strings.LastIndexByte(host, '.')+1:]; last[0] < '0' || last[0] > '9' {
			return d
		}
	}
	return host
}
