// Package web is what the API and the pages do alike: headers, the status of a
// code, the address of a client.
package web

import (
	"maps"
	"net"
	"net/http"
	"slices"

	"presswatch"
)

// SetHeaders sets the headers that every answer has; policy is its content
// security policy. Data is not to be kept by caches.
func SetHeaders(h http.Header, policy string) {
	h.Set("Content-Security-Policy", policy)
	h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	h.Set("Cache-Control", "no-store")
}

var statuses = map[presswatch.Code]int{
	presswatch.Invalid:      http.StatusBadRequest,
	presswatch.NotFound:     http.StatusNotFound,
	presswatch.Conflict:     http.StatusConflict,
	presswatch.Unauthorized: http.StatusUnauthorized,
	presswatch.Forbidden:    http.StatusForbidden,
	presswatch.TooMany:      http.StatusTooManyRequests,
	presswatch.TooLarge:     http.StatusRequestEntityTooLarge,
	presswatch.Unavailable:  http.StatusServiceUnavailable,
	presswatch.Internal:     http.StatusInternalServerError,
}

// Codes are the codes that have a status, sorted.
func Codes() []presswatch.Code { return slices.Sorted(maps.Keys(statuses)) }

// Status is the HTTP status of a code; 500 of one that is not known.
func Status(code presswatch.Code) int {
	if s, ok := statuses[code]; ok {
		return s
	}
	return http.StatusInternalServerError
}

// RemoteIP is the address that a request comes from, without its port. Behind
// a trusted proxy the server has put the client's there.
func RemoteIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
