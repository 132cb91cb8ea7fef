package web

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"presswatch"
)

func TestStatusOfEveryCode(t *testing.T) {
	for code, want := range map[presswatch.Code]int{
		presswatch.Invalid: 400, presswatch.NotFound: 404, presswatch.Conflict: 409, presswatch.Unauthorized: 401, presswatch.Forbidden: 403,
		presswatch.TooMany: 429, presswatch.TooLarge: 413, presswatch.Unavailable: 503, presswatch.Internal: 500, "odd": 500,
	} {
		if got := Status(code); got != want {
			t.Errorf("%s: %d, want %d", code, got, want)
		}
	}
}

func TestRemoteIP(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	for addr, want := range map[string]string{"203.0.113.5:4000": "203.0.113.5", "[2001:db8::1]:9": "2001:db8::1", "odd": "odd"} {
		r.RemoteAddr = addr
		if got := RemoteIP(r); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}

func TestHeadersLetNothingIn(t *testing.T) {
	h := http.Header{}
	SetHeaders(h, "default-src 'none'")
	for name, want := range map[string]string{"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "X-Frame-Options": "DENY"} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
