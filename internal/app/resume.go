package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// resume finds how far an import of the same path came that did not end. The
// name of the cursor holds sizes and times of change: something else begins
// anew.
func (im *importer) resume(ctx context.Context, path string) (cursor string, from int64, err error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", 0, err
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00", abs, im.opts.source)
	if err := describe(h, path); err != nil {
		return "", 0, err
	}
	cursor = "import:" + hex.EncodeToString(h.Sum(nil)[:12])
	if im.opts.again {
		return cursor, 0, nil
	}
	b, err := im.node.db.Cursor(ctx, cursor)
	if err != nil || b == nil {
		return cursor, 0, err
	}
	if err := json.Unmarshal(b, &from); err != nil {
		return cursor, 0, err
	}
	if from > 0 {
		fmt.Fprintf(im.env.stderr, "presswatch: %s: going on where a former import stopped; --again starts over\n", path)
	}
	return cursor, from, nil
}

// describe writes name, size and time of change of a file, or of all below a
// folder.
func describe(w io.Writer, path string) error {
	return filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		st, err := os.Stat(p)
		if err != nil {
			return nil // a link to nowhere: its reader says so
		}
		if !st.IsDir() {
			fmt.Fprintf(w, "%s\x00%d\x00%d\x00", p, st.Size(), st.ModTime().UnixNano())
		}
		return nil
	})
}
