package pipeline

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"presswatch"
	"presswatch/internal/jsonl"
)

// Batch is how the batch command reads records.
type Batch struct {
	Dir     string // folder that the field file is relative to, and must stay in; "" refuses files
	Workers int    // less than one means one
	Deps    Deps   // Log and Now are used; the rest is not
}

// RunBatch reads JSON lines with id, url and html or file (a page, possibly
// .gz), or text, and writes them in order with what the pipeline's extracting
// stages make of them. Other fields pass through untouched. A bad line gives
// {"id","error"} and counts as bad; err says that in or out failed.
func RunBatch(ctx context.Context, in io.Reader, out io.Writer, b Batch) (ok, bad int, err error) {
	var root *os.Root
	if b.Dir != "" {
		if root, err = os.OpenRoot(b.Dir); err != nil {
			return 0, 0, presswatch.Errorf(presswatch.NotFound, "folder of the files: %w", err)
		}
		defer root.Close()
	}
	now := b.Deps.Now
	if now == nil {
		now = time.Now
	}
	chain := Extracting(b.Deps)
	return jsonl.Run(ctx, in, out, b.Workers, func(ctx context.Context, r jsonl.Record) error {
		c, err := captureOf(r, root, now())
		if err != nil {
			return err
		}
		it := Item{Capture: c}
		if err := chain.Run(ctx, &it); err != nil {
			return err
		}
		if it.Dropped != "" {
			return presswatch.Errorf(presswatch.Invalid, "%s", it.Dropped)
		}
		delete(r, "html")
		delete(r, "file")
		SetFields(r, it.Doc)
		return nil
	})
}

// captureOf makes of a record what a fetch would have given.
func captureOf(r jsonl.Record, root *os.Root, now time.Time) (c presswatch.Capture, err error) {
	var f struct{ url, kind, html, file, text string }
	for name, to := range map[string]*string{"url": &f.url, "html": &f.html, "file": &f.file, "text": &f.text} {
		if *to, err = r.String(name); err != nil {
			return c, err
		}
	}
	if f.kind, _ = r.String("kind"); f.kind != string(presswatch.Post) {
		f.kind = string(presswatch.Article)
	}
	c = presswatch.Capture{Kind: presswatch.Kind(f.kind), URL: f.url, FetchedAt: now}
	switch {
	case f.url == "":
		return c, presswatch.Errorf(presswatch.Invalid, "url is empty")
	case f.html != "":
		c.Body, c.ContentType = []byte(f.html), formHTML+"; charset=utf-8"
	case f.file != "":
		c.ContentType = formHTML
		if c.Body, err = readFile(root, f.file); err != nil {
			return c, fmt.Errorf("file %q: %w", f.file, err)
		}
	case f.text != "":
		c.Body, c.ContentType = []byte(f.text), formPlain+"; charset=utf-8"
	default:
		return c, presswatch.Errorf(presswatch.Invalid, "neither html nor file nor text")
	}
	if len(c.Body) > presswatch.MaxBody {
		c.Body, c.Truncated = c.Body[:presswatch.MaxBody], true
	}
	c.ID = presswatch.NewCaptureID(c.Source, c.URL, now, c.Body)
	return c, nil
}

// readFile reads a page below root, decompressing .gz, and one byte beyond
// MaxBody at most: what is longer is seen to be.
func readFile(root *os.Root, name string) ([]byte, error) {
	if root == nil {
		return nil, presswatch.Errorf(presswatch.Invalid, "no folder is given that files may be read from")
	}
	if !filepath.IsLocal(name) {
		return nil, presswatch.Errorf(presswatch.Invalid, "not inside the folder of the records")
	}
	fh, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe without a writer would hold us for ever
	if err != nil {
		return nil, presswatch.Errorf(presswatch.NotFound, "%w", err)
	}
	defer fh.Close()
	if st, err := fh.Stat(); err != nil || !st.Mode().IsRegular() {
		return nil, presswatch.Errorf(presswatch.Invalid, "not a regular file")
	}
	var src io.Reader = fh
	if strings.HasSuffix(strings.ToLower(name), ".gz") {
		z, err := gzip.NewReader(fh)
		if err != nil {
			return nil, presswatch.Errorf(presswatch.Invalid, "%w", err)
		}
		src = z
	}
	b, err := io.ReadAll(io.LimitReader(src, presswatch.MaxBody+1))
	if err != nil && !(errors.Is(err, io.ErrUnexpectedEOF) && len(b) > 0) { // a cut archive gives what it has
		return nil, presswatch.Errorf(presswatch.Invalid, "%w", err)
	}
	return b, nil
}

// SetFields sets the fields that the commands extract and collect write. Dates
// that are not known are null.
func SetFields(r jsonl.Record, d presswatch.Document) {
	r.Set("url", d.URL)
	r.Set("canonical_url", d.CanonicalURL)
	r.Set("title", d.Title)
	r.Set("text", d.Text)
	r.Set("byline", orEmpty(d.Byline))
	r.Set("published", stamp(d.Published))
	r.Set("modified", stamp(d.Modified))
	r.Set("language", d.Language)
	r.Set("site", d.Site)
	r.Set("kind", d.Kind)
	r.Set("images", orEmpty(d.Images))
}

func orEmpty(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func stamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.Format(time.RFC3339)
	return &s
}
