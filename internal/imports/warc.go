package imports

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"presswatch"
	"presswatch/internal/evidence"
)

// archive reads the pages of a WARC file. Pos counts records.
type archive struct {
	*source
	o Options
	r *evidence.Reader
}

func openWARC(s *source, o Options) (Reader, error) {
	r := evidence.NewReader(s)
	r.File = s.path
	return &archive{source: s, o: o, r: r}, nil
}

// Next reads up to the next page. What is no page is passed over: requests,
// redirects, pictures, styles.
func (a *archive) Next(ctx context.Context) (Item, error) {
	for {
		if err := ctx.Err(); err != nil {
			return Item{}, err
		}
		rec, err := a.r.Next()
		if bad := (*evidence.RecordError)(nil); errors.As(err, &bad) {
			if int64(bad.N) <= a.o.From {
				continue
			}
			return Item{Pos: int64(bad.N), Err: bad}, nil
		}
		if err == io.EOF {
			return Item{}, err
		}
		if err != nil {
			return Item{}, err
		}
		if int64(rec.N) <= a.o.From || !worth(rec) {
			continue
		}
		c, keep, err := a.capture(rec)
		if err != nil {
			return Item{Pos: int64(rec.N), Err: &evidence.RecordError{File: a.path, N: rec.N, Offset: rec.Offset, Err: err}}, nil
		}
		if keep {
			return Item{Pos: int64(rec.N), Capture: c}, nil
		}
	}
}

// worth tells by its header whether a record can hold a page.
func worth(rec evidence.Record) bool {
	switch rec.Type {
	case "response":
		return strings.HasPrefix(strings.ToLower(rec.Get("Content-Type")), "application/http") || rec.Get("Content-Type") == ""
	case "resource", "conversion":
		return rec.Own() || readable(rec.Get("Content-Type"), nil)
	}
	return false
}

// capture makes a capture; keep is false when it is no page after all.
func (a *archive) capture(rec evidence.Record) (c presswatch.Capture, keep bool, err error) {
	c, err = rec.Capture()
	if err != nil {
		return c, false, err
	}
	if rec.Own() { // as it was, whatever it was
		return c, true, nil
	}
	if c.URL, err = address(c.URL); err != nil {
		return c, false, nil // dns:, metadata: and the like
	}
	if c.Status != 0 && (c.Status < 200 || c.Status > 299) || len(c.Body) == 0 || !readable(c.ContentType, c.Body) {
		return c, false, nil
	}
	if c.FetchedAt.IsZero() {
		c.FetchedAt = a.mtime
	}
	c.FetchedAt = a.o.stamp(c.FetchedAt)
	c.Source, c.Kind = a.o.Source, a.o.Kind
	c.ID = presswatch.NewCaptureID(c.Source, c.URL, c.FetchedAt, c.Body)
	return c, true, c.Validate()
}

// readable reports whether a content type is that of a page or a text; where
// there is none, the body tells.
func readable(contentType string, body []byte) bool {
	if contentType == "" && body != nil {
		contentType = http.DetectContentType(body)
	}
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(contentType)), ";")
	}
	switch kind {
	case "text/html", "application/xhtml+xml", "text/plain":
		return true
	}
	return false
}
