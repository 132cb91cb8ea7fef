package evidence

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"presswatch"
)

// Limits of what is read; everything in a WARC file is hostile.
const (
	maxHeader  = 1 << 20                        // bytes of a record's header, and of an HTTP header
	maxFields  = 1000                           // lines in either
	maxBlock   = presswatch.MaxBody + maxHeader // bytes of a block that are kept
	maxRecord  = 8 << 30                        // bytes of a block that are skipped
	maxPadding = 1 << 16                        // blank bytes between records
)

// Record is one record of a WARC file.
type Record struct {
	N      int    // its place in the file, from 1; damaged records count
	Offset int64  // where its gzip member, or in a plain file it itself, begins, in bytes of the file
	Type   string // WARC-Type in lower case: response, resource, warcinfo, request, ...
	Length int64  // bytes of its block in the file
	Block  []byte // the first 17 MiB of it
	fields map[string]string
}

// Get returns the first value of a header field, by any case of its name.
func (r Record) Get(name string) string { return r.fields[strings.ToLower(name)] }

// URL is the WARC-Target-URI, without the angle brackets that WARC 1.0 wrote.
func (r Record) URL() string {
	u := strings.TrimSpace(r.Get("WARC-Target-URI"))
	return strings.TrimSuffix(strings.TrimPrefix(u, "<"), ">")
}

// Date is the WARC-Date; the zero time when there is none that can be read.
func (r Record) Date() time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "20060102150405", time.DateOnly} {
		if t, err := time.Parse(layout, strings.TrimSpace(r.Get("WARC-Date"))); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// RecordError says that a record is damaged, and where. Reading goes on with
// the next record that can be found.
type RecordError struct {
	File   string // empty when the reader does not know it
	N      int    // the record's place in the file, from 1
	Offset int64  // as Record.Offset
	Err    error
}

// Error names file, record and offset.
func (e *RecordError) Error() string {
	file := e.File
	if file == "" {
		file = "WARC"
	}
	return fmt.Sprintf("%s: record %d at byte %d: %v", file, e.N, e.Offset, e.Err)
}

// Unwrap gives the cause.
func (e *RecordError) Unwrap() error { return e.Err }

// errTorn is the cause when a file ends in the middle of a record.
var errTorn = presswatch.Errorf(presswatch.Invalid, "the file is cut short here: %w", io.ErrUnexpectedEOF)

// Reader reads the records of a WARC file one after the other: plain, one gzip
// member a record, or all in one member. It keeps one record in memory.
type Reader struct {
	File string // for messages

	in   *counter
	raw  *bufio.Reader // bytes of the file
	rec  *bufio.Reader // bytes of records: raw itself, or what zr gives
	zr   *gzip.Reader
	gz   bool
	base int64 // where in stands in the file when it is not at its start
	n    int
	at   int64 // where the member began
	open bool  // within a member, or a plain file
	lost bool  // damage came before: look for the next record
	err  error // for good
}

// NewReader reads from r. When r has a name, as files do, messages carry it.
func NewReader(r io.Reader) *Reader {
	out := &Reader{in: &counter{r: r}}
	out.raw = bufio.NewReaderSize(out.in, 64<<10)
	out.rec = bufio.NewReaderSize(nil, 64<<10)
	if f, ok := r.(interface{ Name() string }); ok {
		out.File = f.Name()
	}
	return out
}

// Next returns the next whole record, or io.EOF after the last. A
// *RecordError tells of a damaged record; calling again goes on behind it.
// Any other error is of the file itself and stays.
func (r *Reader) Next() (Record, error) {
	if r.err != nil {
		return Record{}, r.err
	}
	if err := r.seekRecord(); err != nil {
		return Record{}, r.fail(err)
	}
	r.n++
	at := r.at
	if !r.gz {
		at = r.offset()
	}
	rec, err := r.readRecord()
	if err != nil {
		return Record{}, r.damaged(at, err)
	}
	rec.N, rec.Offset = r.n, at
	return rec, nil
}

// fail handles an error between records.
func (r *Reader) fail(err error) error {
	if err == io.EOF {
		r.err = io.EOF
		return err
	}
	at := r.offset()
	if r.gz {
		at = r.at
	}
	r.n++
	return r.damaged(at, err)
}

func (r *Reader) damaged(at int64, err error) error {
	if r.in.err != nil {
		r.err = presswatch.Errorf(presswatch.Unavailable, "%s: at byte %d: %w", r.File, r.offset(), r.in.err)
		return r.err
	}
	r.lost = true
	if presswatch.CodeOf(err) == presswatch.Internal { // gzip and flate errors have no code
		err = presswatch.Errorf(presswatch.Invalid, "%w", err)
	}
	return &RecordError{File: r.File, N: r.n, Offset: at, Err: err}
}

// offset is how far the file has been consumed.
func (r *Reader) offset() int64 { return r.base + r.in.n - int64(r.raw.Buffered()) }

// Offset is how many bytes of the file have been used up, for a progress bar.
func (r *Reader) Offset() int64 { return r.offset() }

// seekRecord stands before the first byte of the next record.
func (r *Reader) seekRecord() error {
	if !r.open {
		if err := r.start(); err != nil {
			return err
		}
	}
	for {
		err := r.toVersion()
		if err == nil {
			r.lost = false
			return nil
		}
		if !r.gz || err != io.EOF && !r.lost {
			return err
		}
		if err := r.member(); err != nil { // this one is used up, or beyond hope
			return err
		}
	}
}

// toVersion goes to the next record of the member.
func (r *Reader) toVersion() error {
	if r.lost {
		return r.findVersion()
	}
	return r.skipBlank()
}

// start looks at the first bytes to see what the file is.
func (r *Reader) start() error {
	magic, err := r.raw.Peek(2)
	if len(magic) == 0 {
		return err
	}
	r.open = true
	if r.gz = len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b; !r.gz {
		r.rec = r.raw
		return nil
	}
	return r.member()
}

// member opens the next gzip member; after damage, the next that begins with
// a record.
func (r *Reader) member() error {
	if r.lost {
		if err := r.findMember(); err != nil {
			return err
		}
	}
	if _, err := r.raw.Peek(1); err != nil {
		return err
	}
	r.at = r.offset()
	r.rec.Reset(eof{}) // nothing to read should the header be bad
	var err error
	if r.zr == nil {
		r.zr, err = gzip.NewReader(r.raw)
	} else {
		err = r.zr.Reset(r.raw)
	}
	if err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return errTorn
		}
		return presswatch.Errorf(presswatch.Invalid, "no gzip member: %w", err)
	}
	r.zr.Multistream(false)
	r.rec.Reset(r.zr)
	return nil
}

// findMember drops bytes until a gzip header. What looks like one by chance
// fails soon after, and the search goes on from there.
func (r *Reader) findMember() error {
	for {
		p, err := r.raw.Peek(3)
		if len(p) < 3 {
			if err == io.EOF {
				_, _ = r.raw.Discard(len(p))
			}
			return err
		}
		if p[0] == 0x1f && p[1] == 0x8b && p[2] == 8 {
			return nil
		}
		buf, _ := r.raw.Peek(r.raw.Buffered())
		skip := bytes.IndexByte(buf[1:], 0x1f) + 1
		if skip == 0 {
			skip = len(buf)
		}
		_, _ = r.raw.Discard(skip)
	}
}

// skipBlank drops line ends between records, to the end of the member; so it
// also has the member's checksum verified.
func (r *Reader) skipBlank() error {
	for n := 0; ; n++ {
		b, err := r.rec.Peek(1)
		if err != nil {
			return torn(err)
		}
		if b[0] != '\r' && b[0] != '\n' {
			return nil
		}
		if n > maxPadding {
			return presswatch.Errorf(presswatch.TooLarge, "more than %d blank bytes between records", maxPadding)
		}
		_, _ = r.rec.Discard(1)
	}
}

// findVersion drops lines until one that begins a record.
func (r *Reader) findVersion() error {
	for {
		p, err := r.rec.Peek(5)
		if string(p) == "WARC/" {
			return nil
		}
		if len(p) == 0 {
			return torn(err)
		}
		if _, err := r.rec.ReadSlice('\n'); err != nil && err != bufio.ErrBufferFull {
			return torn(err)
		}
	}
}

func (r *Reader) readRecord() (Record, error) {
	version, err := readLine(r.rec, maxHeader)
	if err != nil {
		return Record{}, torn(err)
	}
	if len(version) < 8 || version[:5] != "WARC/" || version[5] < '0' || version[5] > '9' {
		return Record{}, presswatch.Errorf(presswatch.Invalid, "%.40q where WARC/1.1 is expected", version)
	}
	fields, err := readFields(r.rec)
	if err != nil {
		return Record{}, torn(err)
	}
	rec := Record{fields: map[string]string{}}
	for _, f := range fields {
		if key := strings.ToLower(f.name); rec.fields[key] == "" {
			rec.fields[key] = f.value
		}
	}
	rec.Type = strings.ToLower(rec.Get("WARC-Type"))
	rec.Length, err = strconv.ParseInt(rec.Get("Content-Length"), 10, 64)
	switch {
	case err != nil || rec.Length < 0:
		return Record{}, presswatch.Errorf(presswatch.Invalid, "Content-Length %.40q is no length", rec.Get("Content-Length"))
	case rec.Length > maxRecord:
		return Record{}, presswatch.Errorf(presswatch.TooLarge, "a block of %d bytes, the most is %d", rec.Length, int64(maxRecord))
	}
	return rec, r.readBlock(&rec)
}

// readBlock reads the block and what follows it, up to the next record: a
// record is whole when the checksum of its member was right, too.
func (r *Reader) readBlock(rec *Record) error {
	var b bytes.Buffer
	keep := min(rec.Length, maxBlock)
	b.Grow(int(min(keep, 256<<10))) // not more than a lie about the length may cost
	if _, err := io.CopyN(&b, r.rec, keep); err != nil {
		return torn(short(err))
	}
	if _, err := io.CopyN(io.Discard, r.rec, rec.Length-keep); err != nil {
		return torn(short(err))
	}
	rec.Block = b.Bytes()
	if err := r.skipBlank(); err != nil && err != io.EOF {
		return err
	}
	return nil
}

// short is for places where the end must not come.
func short(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func torn(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errTorn
	}
	return err
}

// counter counts what is read, and keeps the error that is not the end.
type counter struct {
	r   io.Reader
	n   int64
	err error
}

// Read passes on to the reader beneath.
func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }
