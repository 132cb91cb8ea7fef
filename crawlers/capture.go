package crawlers

import (
	"net/http"
	"slices"

	"presswatch"
	"presswatch/internal/fetch"
)

const (
	maxHeaders     = 64
	maxHeaderBytes = 16 << 10 // of all headers that a capture keeps
)

// captureOf makes a capture of a response.
func captureOf(s Source, kind presswatch.Kind, r fetch.Response, h presswatch.Hints) presswatch.Capture {
	c := presswatch.Capture{
		ID:     presswatch.NewCaptureID(s.ID, r.URL, r.FetchedAt, r.Body),
		Source: s.ID, Kind: kind, URL: r.URL, Status: r.Status, Header: keepHeader(r.Header),
		ContentType: r.ContentType, FetchedAt: r.FetchedAt.UTC(), Truncated: r.Truncated, Hints: h, Body: r.Body,
	}
	if r.FinalURL != r.URL {
		c.FinalURL = r.FinalURL
	}
	return c
}

// keepHeader copies what may be kept of a response header: no cookies, which
// are ours alone, and no more than the limits, by name.
func keepHeader(h http.Header) map[string][]string {
	names := make([]string, 0, len(h))
	for name := range h {
		if name != "Set-Cookie" && name != "Set-Cookie2" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	out, size := map[string][]string{}, 0
	for _, name := range names[:min(len(names), maxHeaders)] {
		for _, v := range h[name] {
			if size += len(name) + len(v); size > maxHeaderBytes {
				return out
			}
			out[name] = append(out[name], v)
		}
	}
	return out
}
