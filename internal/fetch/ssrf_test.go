package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"

	"presswatch"
)

var errStopped = errors.New("the test lets nothing out")

// watchDials records the addresses that a client connects to. Those outside of
// 127.3.0.0/16 are stopped before a packet leaves.
func watchDials(c *Client) (dialled func() []string) {
	var mu sync.Mutex
	var list []string
	c.guard.dialer.Control = func(_, addr string, _ syscall.RawConn) error {
		if strings.HasPrefix(addr, "127.3.") {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		list = append(list, addr)
		return errStopped
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return list
	}
}

// names is a name server of its own; what it does not know does not exist.
type names struct {
	mu      sync.Mutex
	answers map[string][][]string // one a question; the last one stays
	asked   int
}

func (n *names) LookupNetIP(_ context.Context, _, host string) (out []netip.Addr, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked++
	a := n.answers[strings.TrimSuffix(strings.ToLower(host), ".")]
	if len(a) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	for _, s := range a[0] {
		out = append(out, netip.MustParseAddr(s))
	}
	if len(a) > 1 {
		n.answers[host] = a[1:]
	}
	return out, nil
}

func internalNames() *names {
	n := &names{answers: map[string][][]string{}}
	for host, addr := range map[string]string{
		"localhost": "127.0.0.1", "ip6-localhost": "::1", "localtest.example": "127.0.0.1", "metadata.google.internal": "169.254.169.254",
		"mapped.example": "::ffff:10.0.0.1", "nat64.example": "64:ff9b::7f00:1", "six-to-four.example": "2002:7f00:1::", "teredo.example": "2001:0:0:0::7f00:1",
		"ula.example": "fd00:ec2::254", "local.example": "fe80::1", "zone.example": "fe80::1%lo", "any.example": "0.0.0.0", "any6.example": "::",
		// what a C library makes of spellings that are no addresses to Go
		"127.1": "127.0.0.1", "0177.0.0.1": "127.0.0.1", "0x7f000001": "127.0.0.1", "2130706433": "127.0.0.1",
	} {
		n.answers[host] = [][]string{{addr}}
	}
	n.answers["mixed.example"] = [][]string{{"93.184.216.34", "127.0.0.1"}}
	return n
}

// spellings are ways to write addresses that must never be connected to.
var spellings = []string{
	"127.0.0.1", "127.0.0.1.", "127.1", "127.0.1", "127.255.255.254", "127.000.000.001", "0", "0.0.0.0", "0.0.0.1",
	"2130706433", "0x7f000001", "0x7f.0.0.1", "0x7f.1", "0177.0.0.1", "0177.1", "017700000001", "0x7f.0x0.0x0.0x1", "127.0x1",
	"①②⑦.⓪.⓪.①", "127。0。0。1", "127．0．0．1", "１２７.0.0.1", "%31%32%37.0.0.1", "127%2e0%2e0%2e1", "12\t7.0.0.1",
	"localhost", "LOCALHOST", "localhost.", "ip6-localhost", "localtest.example", "metadata.google.internal", "mapped.example",
	"nat64.example", "six-to-four.example", "teredo.example", "ula.example", "local.example", "zone.example", "any.example", "any6.example", "mixed.example",
	"[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:0:127.0.0.1]", "[::127.0.0.1]",
	"[::ffff:169.254.169.254]", "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]",
	"[2001::7f00:1]", "[2001:db8::1]", "[fe80::1]", "[fe80::1%25lo]", "[fec0::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[100::1]", "[5f00::1]",
	"[2606:4700::5efe:10.0.0.1]", "[2606:4700::200:5efe:127.0.0.1]",
	"10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.100.100.200", "169.254.169.254", "169.254.170.2",
	"0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1",
	"168.63.129.16", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
}

func TestNoSpellingOfAnInternalAddressIsConnectedTo(t *testing.T) {
	if len(spellings) < 60 {
		t.Fatalf("%d spellings", len(spellings))
	}
	c := New(Options{Pace: -1, Resolver: internalNames()})
	dialled := watchDials(c)
	for _, s := range spellings {
		for _, form := range []string{"http://%s/", "https://%s:8443/latest", "http://%s:80\\@example.org/"} {
			addr := fmt.Sprintf(form, s)
			_, err := c.Get(t.Context(), Request{URL: addr, NoRobots: true})
			code := presswatch.CodeOf(err)
			if code != presswatch.Forbidden && code != presswatch.Invalid && !(code == presswatch.Unavailable && strings.Contains(err.Error(), "no such host")) {
				t.Errorf("%s: %v", addr, err)
			}
			if !strings.Contains(fmt.Sprint(err), "://") {
				t.Errorf("%s: the error does not name it: %v", addr, err)
			}
		}
	}
	if list := dialled(); len(list) > 0 {
		t.Errorf("connected to %v", list)
	}
	t.Logf("%d spellings, %d connects", len(spellings), len(dialled()))
}

func TestNoRedirectLeadsInside(t *testing.T) {
	var target string
	var mu sync.Mutex
	base := serve(t, "127.3.0.1", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		w.Header().Set("Location", target)
		w.WriteHeader(http.StatusFound)
	})
	c := testClient(t, Options{Resolver: internalNames(), IgnoreRobots: true})
	dialled := watchDials(c)
	targets := []string{"file:///etc/passwd", "gopher://127.0.0.1:70/_x", "ftp://10.0.0.1/", "data:text/html,x", "javascript:alert(1)",
		"http://user:pass@127.3.0.1/", "//127.0.0.1/", "http:\\\\127.0.0.1\\", "dict://localhost:11211/", "unix:/var/run/docker.sock"}
	for _, s := range spellings {
		targets = append(targets, "http://"+s+"/", "//"+s+":8080/secret")
	}
	for _, to := range targets {
		mu.Lock()
		target = to
		mu.Unlock()
		if r, err := c.Get(t.Context(), Request{URL: base + "/go"}); err == nil && !strings.Contains(to, "\t") {
			t.Errorf("redirect to %q was followed: status %d at %s", to, r.Status, r.FinalURL)
		}
	}
	if list := dialled(); len(list) > 0 {
		t.Errorf("connected to %v", list)
	}
}

func TestARebindingNameIsHeldToTheAddressThatWasChecked(t *testing.T) {
	n := &names{answers: map[string][][]string{"rebind.example": {{"93.184.216.34"}, {"127.0.0.1"}}, "mixed.example": {{"2606:2800:220:1::1", "169.254.169.254"}}}}
	c := New(Options{Pace: -1, Resolver: n, IgnoreRobots: true})
	dialled := watchDials(c)
	for range 4 {
		_, _ = c.Get(t.Context(), Request{URL: "http://rebind.example/"})
		_, _ = c.Get(t.Context(), Request{URL: "http://mixed.example/"})
	}
	for _, a := range dialled() {
		if a != "93.184.216.34:80" {
			t.Errorf("connected to %s", a)
		}
	}
	if len(dialled()) != 1 {
		t.Errorf("connects %v, want the one to the address of the first answer", dialled())
	}
}

func TestPorts(t *testing.T) {
	n := &names{answers: map[string][][]string{"a.example": {{"93.184.216.34"}}}}
	for port, want := range map[string]bool{"80": true, "443": true, "8080": true, "8443": true, "22": false, "25": false, "6379": false, "9200": false, "65535": false} {
		c := New(Options{Pace: -1, Resolver: n, IgnoreRobots: true})
		dialled := watchDials(c)
		_, err := c.Get(t.Context(), Request{URL: "http://a.example:" + port + "/"})
		if got := len(dialled()) > 0; got != want {
			t.Errorf("port %s: connected %v, want %v (%v)", port, got, want, err)
		}
		if !want && presswatch.CodeOf(err) != presswatch.Forbidden {
			t.Errorf("port %s: %v, want Forbidden", port, err)
		}
	}
}

func TestPublic(t *testing.T) {
	for addr, want := range map[string]bool{
		"8.8.8.8": true, "93.184.216.34": true, "1.1.1.1": true, "172.15.0.1": true, "172.32.0.1": true, "100.63.0.1": true, "100.128.0.1": true,
		"2606:4700::1111": true, "2a00:1450::1": true, "2001:4860::8888": true, "::ffff:8.8.8.8": true, "223.255.255.255": true,
		"::ffff:127.0.0.1": false, "fe80::1": false, "2001:1ff::1": false, "4000::1": false, "127.0.0.1": false,
	} {
		if got := Public(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %v, want %v", addr, got, want)
		}
	}
	if Public(netip.Addr{}) || Public(netip.MustParseAddr("2606:4700::1111%eth0")) {
		t.Error("no address, or one with a zone, is public")
	}
}

func TestParseURLFollowsTheBrowsers(t *testing.T) {
	for in, want := range map[string]string{
		" HTTP://Exämple.org:80/a b?q=é#frag ": "http://xn--exmple-cua.org/a%20b?q=%C3%A9",
		"http://a.example/../../x/./y":         "http://a.example/x/y",
		"http:a.example/x":                     "http://a.example/x",
		"https://a.example":                    "https://a.example/",
		"http://a.example/tin-nóng":            "http://a.example/tin-n%C3%B3ng",
		"http://a.example/100%":                "http://a.example/100%25",
	} {
		u, err := ParseURL("", in)
		if err != nil || u.String() != want {
			t.Errorf("%q: %v, %v, want %s", in, u, err, want)
		}
	}
	for _, in := range []string{"", "x", "/x", "http://", "http://a b/", "mailto:a@b", "http://[::1", "http://a.example:99999/", "http://u@a.example/", "http://" + strings.Repeat("a", maxURL)} {
		if u, err := ParseURL("", in); err == nil {
			t.Errorf("%.60q: %v, want an error", in, u)
		}
	}
	if u, err := ParseURL("https://a.example/x/y", "//b.example/z"); err != nil || u.String() != "https://b.example/z" {
		t.Errorf("%v, %v", u, err)
	}
}

func FuzzParseURL(f *testing.F) {
	f.Add("http://a.example/", "/x?y")
	f.Add("", "http://①②⑦.1/\\@x")
	f.Fuzz(func(t *testing.T, base, ref string) {
		u, err := ParseURL(base, ref)
		if err != nil {
			return
		}
		if u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
			t.Errorf("%q, %q: %v", base, ref, u)
		}
	})
}
