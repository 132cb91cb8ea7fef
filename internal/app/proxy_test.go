package app

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestClientBehindProxies(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.1/32")}
	for name, tc := range map[string]struct {
		peer, forwarded, want string
	}{
		"straight from the client":              {"203.0.113.5:4000", "", "203.0.113.5:4000"},
		"a client may not name itself":          {"203.0.113.5:4000", "198.51.100.1", "203.0.113.5:4000"},
		"through a proxy":                       {"10.1.2.3:4000", "198.51.100.1", "198.51.100.1:0"},
		"through two":                           {"127.0.0.1:4000", "198.51.100.1, 10.9.9.9", "198.51.100.1:0"},
		"what the client wrote is not believed": {"10.1.2.3:4000", "1.1.1.1, 198.51.100.1", "198.51.100.1:0"},
		"rubbish":                               {"10.1.2.3:4000", "nobody", "10.1.2.3:4000"},
		"IPv6":                                  {"10.1.2.3:4000", "2001:db8::1", "[2001:db8::1]:0"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = tc.peer
			if tc.forwarded != "" {
				r.Header.Set("X-Forwarded-For", tc.forwarded)
			}
			got := ""
			behindProxies(trusted, false, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr })).ServeHTTP(httptest.NewRecorder(), r)
			if got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestBehindTLSNothingIsLocal(t *testing.T) {
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.RemoteAddr = "127.0.0.1:4000"
	marked := ""
	behindProxies(nil, true, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { marked = r.Header.Get("Forwarded") })).ServeHTTP(httptest.NewRecorder(), r)
	if marked == "" {
		t.Error("a request that comes through a proxy on this machine passes for a local one")
	}
}
