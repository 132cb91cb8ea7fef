package evidence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"

	"presswatch"
)

// DefaultMaxFile is the size in bytes at which a new file is begun.
const DefaultMaxFile = 256 << 20

// Options of a Store. The zero value is good.
type Options struct {
	MaxFile int64            // bytes after which a new file is begun; 0 means DefaultMaxFile
	Now     func() time.Time // names files; nil means time.Now
	Log     *slog.Logger     // nil means slog.Default()
}

// Store appends captures to WARC files in one folder and reads them back. It
// is safe for concurrent use, also by several processes: each has files of
// its own. A store never appends to a file of an earlier run, so a tail torn
// by a crash stays as it is and harms nothing.
type Store struct {
	dir  string
	root *os.Root
	o    Options
	enc  sync.Pool // *encoder

	// syncMu is taken before mu. It orders fsyncs: whoever waits for it finds
	// its records synced by the one before, and returns at once.
	syncMu sync.Mutex
	synced int64 // records that are durable
	failed error // an fsync failed: what the disk holds is unknown, for good

	mu      sync.Mutex
	file    *os.File // nil until the first Write, and after a rotation
	name    string
	size    int64
	count   int   // files begun by this store
	written int64 // records written
	closed  bool
}

// OpenStore opens the folder, making it when it is missing. No file is begun
// before the first Write.
func OpenStore(dir string, o Options) (*Store, error) {
	if o.MaxFile <= 0 {
		o.MaxFile = DefaultMaxFile
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, presswatch.Errorf(presswatch.Unavailable, "evidence: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Unavailable, "evidence: %w", err)
	}
	s := &Store{dir: dir, root: root, o: o}
	s.enc.New = func() any { return newEncoder() }
	return s, nil
}

// Write appends a capture and returns where it stands, "file#offset", fit for
// Capture.Evidence. The record outlives the process when Write returns, and a
// power failure once Sync has returned. After an error nothing was kept, and
// Unavailable (a full disk, say) is worth another try.
func (s *Store) Write(ctx context.Context, c presswatch.Capture) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", presswatch.Errorf(presswatch.Unavailable, "evidence: %w", err)
	}
	if err := c.Validate(); err != nil {
		return "", fmt.Errorf("evidence: %w", err)
	}
	e := s.enc.Get().(*encoder)
	defer s.enc.Put(e)
	rec, err := e.capture(c)
	if err != nil {
		return "", fmt.Errorf("evidence: capture %s: %w", c.ID, err)
	}
	return s.append(rec)
}

func (s *Store) append(rec []byte) (string, error) {
	s.mu.Lock()
	for s.file != nil && s.size >= s.o.MaxFile {
		s.mu.Unlock()
		if err := s.rotate(); err != nil {
			return "", err
		}
		s.mu.Lock()
	}
	defer s.mu.Unlock()
	if s.closed {
		return "", presswatch.Errorf(presswatch.Internal, "evidence: the store is closed")
	}
	if s.file == nil {
		if err := s.begin(); err != nil {
			return "", err
		}
	}
	at := s.size
	if err := s.put(rec); err != nil {
		return "", err
	}
	s.written++
	return s.name + "#" + strconv.FormatInt(at, 10), nil
}

// put writes one record at the end of the file. When that fails half way, the
// torn piece is cut off, or the file is left behind. Callers hold mu.
func (s *Store) put(rec []byte) error {
	n, err := s.file.Write(rec)
	if err == nil {
		s.size += int64(n)
		return nil
	}
	if n > 0 {
		if cut := s.file.Truncate(s.size); cut != nil {
			s.o.Log.Error("evidence: torn record stays in the file", "file", s.name, "offset", s.size, "error", cut)
			s.size = s.o.MaxFile // begin another
		} else if _, seek := s.file.Seek(s.size, 0); seek != nil {
			s.size = s.o.MaxFile
		}
	}
	return presswatch.Errorf(presswatch.Unavailable, "evidence: %s: %w", s.name, err)
}

// begin creates the next file, with its warcinfo record. Callers hold mu.
func (s *Store) begin() error {
	now := s.o.Now().UTC()
	for {
		s.count++
		name := fmt.Sprintf("presswatch-%s-%05d.warc.gz", now.Format("20060102T150405Z"), s.count)
		f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
		if errors.Is(err, fs.ErrExist) {
			continue // another process, or an earlier run within the same second
		}
		if err != nil {
			return presswatch.Errorf(presswatch.Unavailable, "evidence: %w", err)
		}
		e := s.enc.Get().(*encoder)
		defer s.enc.Put(e)
		s.file, s.name, s.size = f, name, 0
		info, err := e.info(name, now)
		if err == nil {
			err = s.put(info)
		}
		if err == nil {
			err = s.syncDir()
		}
		if err != nil {
			s.file = nil
			return errors.Join(err, f.Close())
		}
		return nil
	}
}

// syncDir makes the name of a new file durable.
func (s *Store) syncDir() error {
	d, err := s.root.Open(".")
	if err != nil {
		return presswatch.Errorf(presswatch.Unavailable, "evidence: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return presswatch.Errorf(presswatch.Unavailable, "evidence: %s: %w", s.dir, err)
	}
	return nil
}

// rotate ends the file if it is full, durably.
func (s *Store) rotate() error {
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	s.mu.Lock()
	full := s.file != nil && s.size >= s.o.MaxFile
	s.mu.Unlock()
	if !full {
		return nil
	}
	return s.flush(true)
}

// Sync returns when every record whose Write returned before is durable. It
// serves all who wait with one fsync, so call it once a batch. When an fsync
// fails, nobody can say what the disk holds: from then on every Sync fails,
// until the store is opened again and the records are written anew.
func (s *Store) Sync() error {
	s.mu.Lock()
	want := s.written
	s.mu.Unlock()
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	if s.failed != nil {
		return s.failed
	}
	if s.synced >= want {
		return nil
	}
	return s.flush(false)
}

// flush fsyncs the file, and ends it when asked to. Callers hold syncMu, so
// that no one else closes the file meanwhile; others go on writing.
func (s *Store) flush(end bool) error {
	s.mu.Lock()
	f, upTo := s.file, s.written
	if end {
		s.file = nil
	}
	s.mu.Unlock()
	if s.failed != nil || f == nil {
		return s.failed
	}
	err := f.Sync()
	if end {
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		s.failed = presswatch.Errorf(presswatch.Unavailable, "evidence: sync failed, open the store again: %w", err)
		return s.failed
	}
	s.synced = upTo
	return nil
}

// Close makes everything durable and releases the folder. A second Close does
// nothing.
func (s *Store) Close() error {
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	s.mu.Lock()
	done := s.closed
	s.closed = true
	s.mu.Unlock()
	if done {
		return nil
	}
	return errors.Join(s.flush(true), s.root.Close())
}

// Read returns the capture that a ref of Write names, with its Evidence set.
// The digest is checked: damage is an error, never silence. A ref that is
// none is Invalid; a file or record that is not there is NotFound.
func (s *Store) Read(ref string) (presswatch.Capture, error) {
	c, err := s.read(ref)
	if err != nil {
		return presswatch.Capture{}, fmt.Errorf("evidence %q: %w", ref, err)
	}
	c.Evidence = ref
	return c, nil
}

func (s *Store) read(ref string) (presswatch.Capture, error) {
	name, at, ok := strings.Cut(ref, "#")
	offset, err := strconv.ParseInt(at, 10, 64)
	if !ok || err != nil || offset < 0 || name != filepath.Base(name) || !filepath.IsLocal(name) {
		return presswatch.Capture{}, presswatch.Errorf(presswatch.Invalid, "not a file name, '#' and an offset")
	}
	f, err := s.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return presswatch.Capture{}, presswatch.Errorf(presswatch.NotFound, "%w", err)
	}
	if err != nil {
		return presswatch.Capture{}, presswatch.Errorf(presswatch.Unavailable, "%w", err)
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || offset >= st.Size() {
		return presswatch.Capture{}, presswatch.Errorf(presswatch.NotFound, "the file ends before that offset")
	}
	if _, err := f.Seek(offset, 0); err != nil {
		return presswatch.Capture{}, presswatch.Errorf(presswatch.Unavailable, "%w", err)
	}
	r := NewReader(f)
	r.base = offset
	rec, err := r.Next()
	if err != nil {
		return presswatch.Capture{}, err
	}
	return rec.Capture()
}

// encoder makes gzip members; it is reused.
type encoder struct {
	zw  *gzip.Writer
	out bytes.Buffer
}

func newEncoder() *encoder {
	zw, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // fails on an unknown level only
	return &encoder{zw: zw}
}
