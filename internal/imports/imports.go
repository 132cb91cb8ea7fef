// Package imports turns files that people have into captures, for the same
// pipeline that crawled pages go through: WARC, folders of HTML, JSON lines and
// CSV. It streams, so that memory does not grow with a file; it can go on
// where it stopped; and reading the same file again gives the same captures,
// with the same IDs.
//
// Fields of JSON lines and columns of CSV, all but url optional:
//
//	url                  the address, http or https; the document goes by it
//	html | text | file   the page, its plain text, or a file with either
//	                     (JSON lines only; below the folder of the file; may be .gz)
//	title
//	lang, language       BCP 47
//	date, published      RFC 3339, a date, or Unix seconds; UTC when no zone is given
//	author, byline       one name; in JSON also a list
//	site                 name of the outlet
//	kind                 "post" for a post; anything else is an article
//	source               source id; else Options.Source
//	fetched_at           as date; else the time the file was changed
package imports

import (
	"bufio"
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"presswatch"
)

// DefaultSource is the source of what comes from a file that does not name one.
const DefaultSource presswatch.SourceID = "import"

// maxLine is the most bytes of a JSON line, and of a CSV row.
const maxLine = 32 << 20

// Options say how to read. The zero value is good.
type Options struct {
	Source presswatch.SourceID // for records that name none; empty means DefaultSource
	Kind   presswatch.Kind     // for records that name none; empty means Article
	Now    func() time.Time    // bounds times: nothing was fetched in the future; nil means time.Now
	From   int64               // go on behind the item that had this Pos

	maxLine int // of a JSON line and of a CSV row; 0 means maxLine; tests set less
}

// Item is one record: a capture, or the reason why there is none.
type Item struct {
	Capture presswatch.Capture
	// Pos goes up with each item of a path. An import that has dealt with
	// this item goes on behind it with Options.From. Of a folder it counts
	// files in order, so it is of use while no file is added or removed.
	Pos int64
	Err error // what is wrong with this record, and where; the rest goes on
}

// Reader reads the items of one path.
type Reader interface {
	// Next returns the next item, or io.EOF after the last. Any other error
	// ends the import; of a single bad record Item.Err tells.
	Next(ctx context.Context) (Item, error)
	// Size says how many bytes of how many are used up, as stored on disk; total
	// is 0 when it is not known. It may be called while Next runs.
	Size() (done, total int64)
	// Close releases the files.
	Close() error
}

// Open opens a path for reading, by what it is: a folder, or by its name or
// its first bytes a WARC file, JSON lines or CSV, each also as .gz.
func Open(path string, o Options) (Reader, error) {
	if o.Source == "" {
		o.Source = DefaultSource
	}
	if o.Kind == "" {
		o.Kind = presswatch.Article
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.maxLine == 0 {
		o.maxLine = maxLine
	}
	st, err := os.Stat(path)
	if os.IsNotExist(err) {
		return nil, presswatch.Errorf(presswatch.NotFound, "%w", err)
	}
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Unavailable, "%w", err)
	}
	if st.IsDir() {
		return openFolder(path, o)
	}
	if !st.Mode().IsRegular() {
		return nil, presswatch.Errorf(presswatch.Invalid, "%s is neither a file nor a folder", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Unavailable, "%w", err)
	}
	r, err := openFile(&source{f: f, path: path, size: st.Size(), mtime: st.ModTime()}, o)
	if err != nil {
		f.Close()
		return nil, err
	}
	return r, nil
}

func openFile(s *source, o Options) (Reader, error) {
	switch s.format() {
	case ".warc":
		return openWARC(s, o)
	case ".jsonl":
		return openJSONL(s, o)
	case ".csv":
		return openCSV(s, o)
	}
	return nil, presswatch.Errorf(presswatch.Invalid,
		"%s: not a kind of file that can be imported: WARC (.warc, .warc.gz), JSON lines (.jsonl, .ndjson), CSV (.csv), each also as .gz, or a folder of HTML", s.path)
}

// source is an open file that knows how much of it was read.
type source struct {
	f     *os.File
	path  string
	size  int64
	mtime time.Time
	read  atomic.Int64
}

// Read counts.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.f.Read(p)
	s.read.Add(int64(n))
	return n, err
}

// Size is the Size of a Reader.
func (s *source) Size() (done, total int64) { return min(s.read.Load(), s.size), s.size }

// Close closes the file.
func (s *source) Close() error { return s.f.Close() }

// format names the format, by the ending of the name, or else by how the
// content begins.
func (s *source) format() string {
	name := strings.TrimSuffix(strings.ToLower(s.path), ".gz")
	switch ext := filepath.Ext(name); ext {
	case ".warc", ".jsonl", ".csv":
		return ext
	case ".ndjson":
		return ".jsonl"
	case ".tsv":
		return ".csv"
	}
	head := s.head()
	switch {
	case strings.HasPrefix(head, "WARC/"):
		return ".warc"
	case strings.HasPrefix(strings.TrimLeft(head, " \t\r\n"), "{"):
		return ".jsonl"
	}
	return ""
}

// head is how the content begins, after the byte order mark.
func (s *source) head() string {
	b := make([]byte, 4096)
	n, _ := s.f.ReadAt(b, 0)
	head := string(b[:n])
	if strings.HasPrefix(head, "\x1f\x8b") {
		if zr, err := gzip.NewReader(strings.NewReader(head)); err == nil {
			n, _ = io.ReadFull(zr, b[:64])
			head = string(b[:n])
		}
	}
	return strings.TrimPrefix(head, bom)
}

const bom = "\ufeff"

// text opens the content for reading as text, taking off gzip.
func (s *source) text() (*bufio.Reader, error) {
	raw := bufio.NewReaderSize(s, 64<<10)
	if magic, _ := raw.Peek(2); string(magic) != "\x1f\x8b" {
		return raw, nil
	}
	zr, err := gzip.NewReader(raw)
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Invalid, "%s: %w", s.path, err)
	}
	return bufio.NewReaderSize(zr, 64<<10), nil
}

// stamp is when a file counts as fetched: when it was changed, in the
// microseconds that capture IDs know, and not in the future.
func (o Options) stamp(t time.Time) time.Time {
	if now := o.Now(); t.After(now) {
		t = now
	}
	return t.UTC().Truncate(time.Microsecond)
}
