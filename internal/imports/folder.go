package imports

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"presswatch"
)

// folder reads the HTML files below a folder, sorted by name folder by folder.
// Symbolic links to folders are not followed, those to files only when they
// stay inside.
type folder struct {
	o     Options
	root  *os.Root
	base  string // absolute
	next  func() (found, bool)
	stop  func()
	n     int64
	done  atomic.Int64
	total int64
}

// found is a file of the walk, or a folder that could not be read.
type found struct {
	name string
	size int64
	err  error
}

func openFolder(path string, o Options) (Reader, error) {
	base, err := filepath.Abs(path)
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Invalid, "%w", err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Unavailable, "%w", err)
	}
	f := &folder{o: o, root: root, base: base}
	for e := range walk(root) {
		f.total += e.size
	}
	f.next, f.stop = iter.Pull(walk(root))
	return f, nil
}

// walk yields the files that look like pages.
func walk(root *os.Root) iter.Seq[found] {
	return func(yield func(found) bool) {
		_ = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				if !yield(found{name: name, err: err}) {
					return fs.SkipAll
				}
				return nil
			case d.IsDir() || !page(name):
				return nil
			}
			e := found{name: name}
			if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
				e.size = info.Size()
			}
			if !yield(e) {
				return fs.SkipAll
			}
			return nil
		})
	}
}

func page(name string) bool {
	switch filepath.Ext(strings.TrimSuffix(strings.ToLower(name), ".gz")) {
	case ".html", ".htm", ".xhtml":
		return true
	}
	return false
}

// Next reads the next file.
func (f *folder) Next(ctx context.Context) (Item, error) {
	for {
		if err := ctx.Err(); err != nil {
			return Item{}, err
		}
		e, ok := f.next()
		if !ok {
			return Item{}, io.EOF
		}
		f.n++
		f.done.Add(e.size)
		if f.n <= f.o.From {
			continue
		}
		c, err := f.read(e)
		if err != nil {
			code := presswatch.CodeOf(err)
			if code == presswatch.Internal { // of the file system, which has no codes
				code = presswatch.Invalid
			}
			return Item{Pos: f.n, Err: presswatch.Errorf(code, "%s: %w", filepath.Join(f.base, e.name), err)}, nil
		}
		return Item{Pos: f.n, Capture: c}, nil
	}
}

func (f *folder) read(e found) (presswatch.Capture, error) {
	if e.err != nil {
		return presswatch.Capture{}, e.err
	}
	body, more, changed, err := readPage(f.root, e.name)
	if err != nil {
		return presswatch.Capture{}, err
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return presswatch.Capture{}, presswatch.Errorf(presswatch.Invalid, "the file is empty")
	}
	c := presswatch.Capture{
		Source: f.o.Source, Kind: f.o.Kind, URL: f.address(e.name, body), FetchedAt: f.o.stamp(changed),
		ContentType: typeHTMLFile, Body: body, Truncated: more,
	}
	c.ID = presswatch.NewCaptureID(c.Source, c.URL, c.FetchedAt, c.Body)
	return c, c.Validate()
}

// address is where a page says that a browser saved it from, in its first
// lines; else that of the file. The page's own canonical address, where it has
// one, is found by extraction.
func (f *folder) address(name string, body []byte) string {
	head := body[:min(len(body), 2048)]
	if _, rest, ok := bytes.Cut(head, []byte("<!-- saved from url=(")); ok {
		if _, rest, ok = bytes.Cut(rest, []byte(")")); ok {
			saved, _, _ := bytes.Cut(rest, []byte("-->"))
			if u, err := address(string(saved)); err == nil {
				return u
			}
		}
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(f.base, name))}
	return u.String()
}

// Size counts the bytes of the files as stored.
func (f *folder) Size() (done, total int64) { return f.done.Load(), f.total }

// Close ends the walk.
func (f *folder) Close() error {
	f.stop()
	return f.root.Close()
}
