package evidence

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"presswatch"
)

// Each calls fn for every capture that stores have written to dir, file by
// file in the order in which they were begun, with Evidence set. Damage is
// given to fn as an error beside an empty capture, and the rest goes on. It
// ends at the first error that fn returns.
func Each(ctx context.Context, dir string, fn func(presswatch.Capture, error) error) error {
	files, err := filepath.Glob(filepath.Join(dir, "presswatch-*.warc.gz"))
	if err != nil {
		return presswatch.Errorf(presswatch.Invalid, "evidence: %w", err)
	}
	slices.Sort(files)
	for _, f := range files {
		if err := eachOf(ctx, f, fn); err != nil {
			return err
		}
	}
	return nil
}

func eachOf(ctx context.Context, path string, fn func(presswatch.Capture, error) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fn(presswatch.Capture{}, presswatch.Errorf(presswatch.Unavailable, "evidence: %w", err))
	}
	defer f.Close()
	name := filepath.Base(path)
	for r := NewReader(f); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		rec, err := r.Next()
		if err == io.EOF {
			return nil
		}
		d := (*RecordError)(nil)
		if err != nil && !errors.As(err, &d) { // of the disk: the file cannot be read on
			return fn(presswatch.Capture{}, fmt.Errorf("evidence %s: %w", name, err))
		}
		if err == nil && !rec.Own() {
			continue // the warcinfo record of the file
		}
		var c presswatch.Capture
		if err == nil {
			c, err = rec.Capture()
		}
		if err != nil {
			c, err = presswatch.Capture{}, fmt.Errorf("evidence %s: %w", name, err)
		} else {
			c.Evidence = name + "#" + strconv.FormatInt(rec.Offset, 10)
		}
		if err := fn(c, err); err != nil {
			return err
		}
	}
}
