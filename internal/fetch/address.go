package fetch

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	whatwg "github.com/nlnwa/whatwg-url/url"

	"presswatch"
)

// Resolver finds the addresses of a host; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// special4 is what of IPv4 is not the public internet: the entries of IANA's
// special-purpose registry (RFC 6890 and after) that are not globally
// reachable, multicast, the reserved space, and the one public address at
// which a cloud serves its machines' secrets.
var special4 = prefixes("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
	"172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
	"192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32")

// global6 is the only part of IPv6 that is given out for public use; special6
// is what of it is not: Teredo and other protocol assignments, documentation,
// 6to4 (an IPv4 address in disguise) and AS112.
var (
	global6  = netip.MustParsePrefix("2000::/3")
	special6 = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "2620:4f:8000::/48")
)

func prefixes(list ...string) (out []netip.Prefix) {
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// Public reports whether an address belongs to the public internet. An
// IPv4-mapped address is judged as the IPv4 address that it is; every other
// way to write IPv4 in IPv6 (NAT64, 6to4, Teredo, ISATAP, compatible) is not
// public, and neither is an address with a zone.
func Public(ip netip.Addr) bool {
	if !ip.IsValid() || ip.Zone() != "" {
		return false
	}
	ip = ip.Unmap()
	contains := func(p netip.Prefix) bool { return p.Contains(ip) }
	if ip.Is4() {
		return !slices.ContainsFunc(special4, contains)
	}
	if !global6.Contains(ip) || slices.ContainsFunc(special6, contains) {
		return false
	}
	b := ip.As16() // ISATAP, RFC 5214: 0000:5efe or 0200:5efe, then an IPv4 address
	return !((b[8] == 0 || b[8] == 2) && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe)
}

// guard decides which addresses may be connected to.
type guard struct {
	allow    []netip.Prefix
	resolver Resolver
	dialer   *net.Dialer
}

// ports that a public address may be spoken to on.
var ports = []uint16{80, 443, 8080, 8443}

func (g *guard) listed(ip netip.Addr) bool {
	ip = ip.Unmap()
	return ip.Zone() == "" && slices.ContainsFunc(g.allow, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// check says why an address may not be connected to, or nil.
func (g *guard) check(ip netip.Addr, port uint16) error {
	if g.listed(ip) {
		return nil
	}
	if !Public(ip) {
		return presswatch.Errorf(presswatch.Forbidden, "address %s is not public; allow_net names private networks that may be fetched from", ip)
	}
	if !slices.Contains(ports, port) {
		return presswatch.Errorf(presswatch.Forbidden, "port %d is not one of %v", port, ports)
	}
	return nil
}

// maxAddresses is how many addresses of one host are tried.
const maxAddresses = 4

// dial resolves, refuses the host if any of its addresses may not be connected
// to, and connects to one of the very addresses that were looked at, so that a
// second answer of the name server cannot lead elsewhere.
func (g *guard) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, p, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Invalid, "%q is no address: %w", addr, err)
	}
	port, err := strconv.ParseUint(p, 10, 16)
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Invalid, "%q is no port: %w", p, err)
	}
	ips, err := g.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	for _, ip := range ips {
		if err := g.check(ip, uint16(port)); err != nil {
			return nil, presswatch.Errorf(presswatch.CodeOf(err), "host %s: %w", host, err)
		}
	}
	for _, ip := range ips[:min(len(ips), maxAddresses)] {
		var conn net.Conn
		if conn, err = g.dialer.DialContext(ctx, network, netip.AddrPortFrom(ip.Unmap(), uint16(port)).String()); err == nil {
			return conn, nil
		}
	}
	return nil, presswatch.Errorf(presswatch.Unavailable, "connect: %w", err)
}

func (g *guard) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	ips, err := g.resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Unavailable, "look up %s: %w", host, err)
	}
	if len(ips) == 0 {
		return nil, presswatch.Errorf(presswatch.Unavailable, "look up %s: no address", host)
	}
	return ips, nil
}

// maxURL is the longest address that is asked for, in bytes.
const maxURL = 8 << 10

// whatwgParser reads addresses as browsers do, so that 0x7f.1 is 127.0.0.1
// here and nowhere something else. Parsing does not change it.
var whatwgParser = whatwg.NewParser(whatwg.WithPercentEncodeSinglePercentSign())

// ParseURL reads an address as browsers do, relative to base if that is not
// empty, and returns it without its fragment. What is not http or https, has
// no host or carries a user name is refused.
func ParseURL(base, ref string) (u *url.URL, err error) {
	if len(ref) > maxURL || len(base) > maxURL {
		return nil, presswatch.Errorf(presswatch.Invalid, "%s: an address of %d bytes, the most is %d", Short(ref), len(ref), maxURL)
	}
	defer func() { // the parser is not ours, and what it reads is hostile
		if r := recover(); r != nil {
			u, err = nil, presswatch.Errorf(presswatch.Invalid, "%s: no address: %v", Short(ref), r)
		}
	}()
	var w *whatwg.Url
	if base == "" {
		w, err = whatwgParser.Parse(ref)
	} else {
		w, err = whatwgParser.ParseRef(base, ref)
	}
	if err == nil {
		u, err = url.Parse(w.Href(true))
	}
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Invalid, "%s: no address: %w", Short(ref), err)
	}
	if err := checkURL(u); err != nil {
		return nil, presswatch.Errorf(presswatch.CodeOf(err), "%s: %w", Short(ref), err)
	}
	return u, nil
}

func checkURL(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return presswatch.Errorf(presswatch.Forbidden, "scheme %q: only http and https", u.Scheme)
	case u.User != nil:
		return presswatch.Errorf(presswatch.Forbidden, "an address with a user name")
	case u.Hostname() == "":
		return presswatch.Errorf(presswatch.Invalid, "an address without a host")
	}
	return nil
}

// Short is an address fit for a message: without password, at most 300 bytes.
func Short(raw string) string {
	if u, err := url.Parse(raw); err == nil && u.User != nil {
		raw = u.Redacted()
	}
	if len(raw) > 300 {
		raw = strings.ToValidUTF8(raw[:300], "") + fmt.Sprintf("... (%d bytes)", len(raw))
	}
	return raw
}

// hostKey names what politeness is owed to: the host, and the port if unusual.
func hostKey(u *url.URL) string {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if p := u.Port(); p != "" && p != "80" && p != "443" {
		return host + ":" + p
	}
	return host
}
