package imports

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"presswatch"
)

// The content types of bodies. Strings of JSON and CSV are UTF-8, whatever the
// page in them says; of files nothing is known.
const (
	typeHTML     = "text/html; charset=utf-8"
	typeText     = "text/plain; charset=utf-8"
	typeHTMLFile = "text/html"
	typeTextFile = "text/plain"
)

// jsonl reads JSON lines.
type jsonl struct {
	*source
	o     Options
	lines lines
	root  *os.Root // the folder of the file
	ended bool
}

func openJSONL(s *source, o Options) (Reader, error) {
	r, err := s.text()
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(filepath.Dir(s.path))
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Unavailable, "%w", err)
	}
	return &jsonl{source: s, o: o, root: root, lines: lines{r: r, most: o.maxLine}}, nil
}

// Close closes file and folder.
func (j *jsonl) Close() error { return errors.Join(j.source.Close(), j.root.Close()) }

// Next reads up to the next line that is not empty.
func (j *jsonl) Next(ctx context.Context) (Item, error) {
	for {
		if err := ctx.Err(); err != nil {
			return Item{}, err
		}
		if j.ended {
			return Item{}, io.EOF
		}
		line, err := j.lines.next()
		switch {
		case err == io.EOF:
			return Item{}, err
		case err != nil && !errors.Is(err, errLong):
			if !damaged(err) {
				return Item{}, readError(j.path, j.lines.n, err)
			}
			j.ended = true
			if j.lines.n < j.o.From {
				return Item{}, io.EOF
			}
			return Item{Pos: j.lines.n + 1, Err: atLine(j.path, j.lines.n, damage(err))}, nil
		case j.lines.n <= j.o.From:
			continue
		case err != nil:
			return j.item(presswatch.Capture{}, err), nil
		case len(bytes.TrimSpace(line)) == 0:
			continue
		}
		return j.item(j.parse(line)), nil
	}
}

// item gives an error its line.
func (j *jsonl) item(c presswatch.Capture, err error) Item {
	if err != nil {
		return Item{Pos: j.lines.n, Err: atLine(j.path, j.lines.n, err)}
	}
	return Item{Pos: j.lines.n, Capture: c}
}

func atLine(path string, n int64, err error) error {
	return presswatch.Errorf(presswatch.CodeOf(err), "%s:%d: %w", path, n, err)
}

// damage is the last error of a gzip stream that breaks off or is broken.
func damage(err error) error {
	return presswatch.Errorf(presswatch.Invalid, "the file is damaged behind this line: %w", err)
}

// damaged tells a broken gzip stream from a disk that cannot be read.
func damaged(err error) bool {
	var path *fs.PathError
	return !errors.As(err, &path)
}

// jsonRecord is one line. What is not listed is passed over: above all the
// answers of labelled sets, which must not reach the documents.
type jsonRecord struct {
	URL       string  `json:"url"`
	HTML      *string `json:"html"`
	Text      *string `json:"text"`
	File      string  `json:"file"`
	Title     scalar  `json:"title"`
	Lang      scalar  `json:"lang"`
	Language  scalar  `json:"language"`
	Date      scalar  `json:"date"`
	Published scalar  `json:"published"`
	Author    names   `json:"author"`
	Byline    names   `json:"byline"`
	Site      scalar  `json:"site"`
	Kind      scalar  `json:"kind"`
	Source    string  `json:"source"`
	FetchedAt scalar  `json:"fetched_at"`
}

// scalar takes a string or a number, and reads anything else as nothing.
type scalar string

// UnmarshalJSON never fails.
func (s *scalar) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		*s = scalar(text)
		return nil
	}
	var n json.Number
	if json.Unmarshal(b, &n) == nil {
		*s = scalar(n)
	}
	return nil
}

// names takes a string or a list of strings, and reads anything else as nothing.
type names []string

// UnmarshalJSON never fails.
func (n *names) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*n = names{one}
		return nil
	}
	var many []string
	if json.Unmarshal(b, &many) == nil {
		*n = many
	}
	return nil
}

func (j *jsonl) parse(line []byte) (presswatch.Capture, error) {
	var in jsonRecord
	if err := json.Unmarshal(line, &in); err != nil {
		return presswatch.Capture{}, presswatch.Errorf(presswatch.Invalid, "not a JSON object with the fields of an import: %w", err)
	}
	r := record{
		url: in.URL, title: string(in.Title), lang: string(either(in.Lang, in.Language)), date: string(either(in.Date, in.Published)),
		site: string(in.Site), kind: string(in.Kind), source: in.Source, fetchedAt: string(in.FetchedAt),
		byline: append(in.Author, in.Byline...), changed: j.mtime,
	}
	if _, err := address(r.url); err != nil { // before a file is read for nothing
		return presswatch.Capture{}, presswatch.Errorf(presswatch.Invalid, "url: %w", err)
	}
	switch {
	case in.HTML != nil && strings.TrimSpace(*in.HTML) != "":
		r.body, r.contentType = []byte(*in.HTML), typeHTML
	case in.File != "":
		if err := j.file(in.File, &r); err != nil {
			return presswatch.Capture{}, err
		}
	case in.Text != nil && strings.TrimSpace(*in.Text) != "":
		r.body, r.contentType = []byte(*in.Text), typeText
	default:
		return presswatch.Capture{}, presswatch.Errorf(presswatch.Invalid, "one of html, text and file is needed, and not empty")
	}
	return r.capture(j.o)
}

// file reads the body from a file below the folder of the JSON lines.
func (j *jsonl) file(name string, r *record) error {
	body, more, changed, err := readPage(j.root, filepath.FromSlash(name))
	if err != nil {
		return presswatch.Errorf(presswatch.CodeOf(err), "file: %w", err)
	}
	r.body, r.truncated, r.changed, r.contentType = body, more, changed, typeHTMLFile
	if strings.HasSuffix(strings.TrimSuffix(strings.ToLower(name), ".gz"), ".txt") {
		r.contentType = typeTextFile
	}
	return nil
}

// readPage reads a file inside root, without gzip, cut at MaxBody.
func readPage(root *os.Root, name string) (body []byte, more bool, changed time.Time, err error) {
	fail := func(err error) ([]byte, bool, time.Time, error) {
		return nil, false, time.Time{}, presswatch.Errorf(presswatch.Invalid, "%w", err)
	}
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe without a writer would hold us for ever
	if err != nil {
		return fail(err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return fail(err)
	}
	if !st.Mode().IsRegular() {
		return fail(presswatch.Errorf(presswatch.Invalid, "%s is not a file", name))
	}
	var r io.Reader = f
	if strings.HasSuffix(strings.ToLower(name), ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return fail(presswatch.Errorf(presswatch.Invalid, "%s: %w", name, err))
		}
	}
	body, err = io.ReadAll(io.LimitReader(r, presswatch.MaxBody+1))
	if err != nil {
		return fail(presswatch.Errorf(presswatch.Invalid, "%s: %w", name, err))
	}
	if len(body) > presswatch.MaxBody {
		body, more = body[:presswatch.MaxBody], true
	}
	return body, more, st.ModTime(), nil
}

func either[T ~string](a, b T) T {
	if a != "" {
		return a
	}
	return b
}
