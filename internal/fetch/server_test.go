package fetch

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve starts a server on a loopback address of its own.
func serve(t testing.TB, ip string, h http.HandlerFunc) (base string) {
	t.Helper()
	l, err := net.Listen("tcp4", ip+":0")
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return "http://" + l.Addr().String()
}

// testClient may connect to 127.3.0.0/16, without a pace unless told.
func testClient(t testing.TB, o Options) *Client {
	t.Helper()
	o.AllowNet = []netip.Prefix{netip.MustParsePrefix("127.3.0.0/16")}
	if o.Pace == 0 {
		o.Pace = -1
	}
	if o.UserAgent == "" {
		o.UserAgent = "Presswatch/1.0 (+https://presswatch.example/contact)"
	}
	c := New(o)
	t.Cleanup(c.CloseIdle)
	return c
}
