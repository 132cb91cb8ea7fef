package app

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// behindProxies gives requests that come through a trusted proxy the address
// of whoever is before it, so that limits and logs mean people, not the proxy.
// With secure set there is a proxy in any case: then nothing counts as coming
// from this machine, since the proxy may stand on it.
func behindProxies(trusted []netip.Prefix, secure bool, next http.Handler) http.Handler {
	if len(trusted) == 0 && !secure {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if secure && r.Header.Get("X-Forwarded-For") == "" && r.Header.Get("Forwarded") == "" {
			r.Header.Set("Forwarded", "for=unknown")
		}
		if ip, ok := client(trusted, r); ok {
			r.RemoteAddr = net.JoinHostPort(ip.String(), "0")
		}
		next.ServeHTTP(w, r)
	})
}

// client is the right-most address of X-Forwarded-For that is no trusted proxy:
// what stands to the left of it anybody may have written.
func client(trusted []netip.Prefix, r *http.Request) (netip.Addr, bool) {
	isProxy := func(ip netip.Addr) bool {
		return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(ip) })
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !isProxy(peer.Addr().Unmap()) {
		return netip.Addr{}, false
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		ip, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return netip.Addr{}, false
		}
		if ip = ip.Unmap(); !isProxy(ip) {
			return ip, true
		}
	}
	return netip.Addr{}, false
}
