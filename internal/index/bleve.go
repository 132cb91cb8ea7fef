package index

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	index "github.com/blevesearch/bleve_index_api"
	"github.com/gofrs/flock"
	"github.com/klauspost/compress/zstd"

	"presswatch"
	"presswatch/internal/index/analysis"
)

// ErrRebuild marks the errors of an index that cannot be used as it is, because
// it is damaged or was made by another version: rebuild it with "presswatch
// reindex".
var ErrRebuild = errors.New(`run "presswatch reindex" to build the index anew`)

// bleveFormat changes whenever documents are laid out or analysed differently.
const bleveFormat = 1

// retryPause is the time between two tries to write segments.
const retryPause = 500 * time.Millisecond

const (
	bleveFolder  = "index"
	bleveNew     = "index.new"
	bleveLock    = "lock"
	bleveVersion = "presswatch.json" // inside bleveFolder
)

// bleveIndex is presswatch.Index on a bleve index on disk.
type bleveIndex struct {
	analyzer *analysis.Analyzer
	log      *slog.Logger
	lock     *flock.Flock
	bleve    bleve.Index
	scorch   index.Index
	enc      *zstd.Encoder
	dec      *zstd.Decoder

	writing sync.Mutex   // held while a batch is checked and written
	open    sync.RWMutex // write-locked by Close
	closed  bool
}

// OpenBleve opens the index in a folder, or makes one there. It returns at once
// with a Conflict error when another process has it open. What Put reported as
// stored survives the death of the process and of the machine. An index that
// is damaged or of another version gives an error that wraps ErrRebuild.
func OpenBleve(dir string, log *slog.Logger) (presswatch.Index, error) {
	if log == nil {
		log = slog.Default()
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, presswatch.Errorf(presswatch.Unavailable, "index: %w", err)
	}
	lock := flock.New(filepath.Join(dir, bleveLock))
	switch ok, err := lock.TryLock(); {
	case err != nil:
		return nil, presswatch.Errorf(presswatch.Unavailable, "index: %w", err)
	case !ok:
		return nil, presswatch.Errorf(presswatch.Conflict, "index: another process has %s open", dir)
	}
	b := &bleveIndex{analyzer: analysis.New(), log: log, lock: lock}
	if err := b.start(dir); err != nil {
		_ = lock.Unlock()
		return nil, err
	}
	return b, nil
}

func (b *bleveIndex) start(dir string) (err error) {
	path := filepath.Join(dir, bleveFolder)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := createBleve(path, filepath.Join(dir, bleveNew)); err != nil {
			return presswatch.Errorf(presswatch.Unavailable, "index: %w", err)
		}
	}
	if err := checkVersion(path); err != nil {
		return err
	}
	if b.bleve, err = openBleve(path, b.failed); err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return presswatch.Errorf(presswatch.Unavailable, "index: %w", err)
		}
		if errors.Is(err, ErrRebuild) {
			return err
		}
		return rebuild("%s is damaged: %v", path, err)
	}
	if b.scorch, err = b.bleve.Advanced(); err == nil {
		err = b.codec()
	}
	if err != nil {
		_ = b.bleve.Close()
		return presswatch.Errorf(presswatch.Internal, "index: %w", err)
	}
	return nil
}

func rebuild(format string, args ...any) error {
	return presswatch.Errorf(presswatch.Invalid, "index: %s: %w", fmt.Sprintf(format, args...), ErrRebuild)
}

// createBleve makes an empty index under another name and renames it, so that
// a kill in between leaves nothing half made.
func createBleve(path, temp string) error {
	if err := os.RemoveAll(temp); err != nil {
		return err
	}
	m := bleve.NewIndexMapping()
	m.DefaultMapping.Enabled = false // fields come analysed, see bleveDocument
	idx, err := bleve.NewUsing(temp, m, scorch.Name, scorch.Name, nil)
	if err != nil {
		return err
	}
	if err := idx.Close(); err != nil {
		return err
	}
	version, err := json.Marshal(map[string]int{"format": bleveFormat})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(temp, bleveVersion), version, 0o600); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

func checkVersion(path string) error {
	raw, err := os.ReadFile(filepath.Join(path, bleveVersion))
	if err != nil {
		return rebuild("%s is damaged: %v", path, err)
	}
	var v struct{ Format int }
	if err := json.Unmarshal(raw, &v); err != nil {
		return rebuild("%s is damaged: %s: %v", path, bleveVersion, err)
	}
	if v.Format != bleveFormat {
		return rebuild("%s has format %d, this program writes %d", path, v.Format, bleveFormat)
	}
	return nil
}

// mergePlan lets a step hold more segments, and counts segments down to the size
// of a batch. With bleve's floor of 2,000 documents an index below that is
// merged into one segment after every batch: a third of the processor time
// of collecting the first thousand pages went there.
var mergePlan = map[string]any{"FloorSegmentSize": 32, "MaxSegmentsPerTier": 16, "SegmentsPerMergeTask": 16}

// opening guards bleve's table of callbacks, which it reads while opening.
var opening sync.Mutex

// openBleve opens a bleve index that tells failed of errors in the background.
// A panic over damaged files becomes an error.
func openBleve(path string, failed func(error, string)) (idx bleve.Index, err error) {
	opening.Lock()
	defer opening.Unlock()
	defer caught(&err)
	newest, err := lastCommit(filepath.Join(path, "store"))
	if err != nil {
		return nil, err
	}
	scorch.RegistryAsyncErrorCallbacks[path] = failed
	defer delete(scorch.RegistryAsyncErrorCallbacks, path)
	idx, err = bleve.OpenUsing(path, map[string]any{"bolt_timeout": "2s", "asyncErrorCallbackName": path, "scorchMergePlanOptions": mergePlan})
	if err != nil {
		return nil, err
	}
	if err := isAt(idx, newest); err != nil {
		_ = idx.Close()
		return nil, err
	}
	return idx, nil
}

// lastCommit reads the statistics of the last commit, which differ from those
// of every other.
func lastCommit(store string) ([]byte, error) {
	points, err := scorch.RollbackPoints(store)
	if err != nil || len(points) == 0 {
		return nil, err
	}
	return points[0].GetInternal(statsKey), nil
}

// isAt checks that an index opened at a commit: when it cannot read the files
// of the last one, bleve silently goes back to one before, or to none.
func isAt(idx bleve.Index, commit []byte) error {
	raw, err := idx.GetInternal(statsKey)
	if err == nil && !bytes.Equal(raw, commit) {
		err = errors.New("the last commit cannot be read")
	}
	return err
}

// caught turns a panic, which damaged files can cause in bleve, into an error.
func caught(err *error) {
	if p := recover(); p != nil {
		*err = presswatch.Errorf(presswatch.Internal, "index: its files are damaged (%v): %w", p, ErrRebuild)
	}
}

// failed hears of errors in the background, such as a full disk. Whoever put
// what could not be written is told by Put; bleve tries again at once and for
// ever, so a pause keeps it from burning a processor.
func (b *bleveIndex) failed(err error, path string) {
	b.log.Error("index: writing failed; trying again", "path", path, "error", err)
	time.Sleep(retryPause)
}

// codec makes what compresses stored documents, with small windows: an article
// has some ten kilobytes.
func (b *bleveIndex) codec() (err error) {
	b.enc, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<17), zstd.WithLowerEncoderMem(true), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return err
	}
	b.dec, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxDocument+1<<20))
	return err
}

// use keeps the index open until the returned function is called.
func (b *bleveIndex) use() (done func(), err error) {
	b.open.RLock()
	if b.closed {
		b.open.RUnlock()
		return nil, presswatch.Errorf(presswatch.Unavailable, "index: closed")
	}
	return b.open.RUnlock, nil
}

// Refresh implements presswatch.Index: what Put stored is found at once.
func (b *bleveIndex) Refresh(context.Context) error {
	done, err := b.use()
	if err == nil {
		done()
	}
	return err
}

// Close waits for what is running, then releases files and lock.
func (b *bleveIndex) Close() error {
	b.open.Lock()
	defer b.open.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	b.dec.Close()
	return errors.Join(b.bleve.Close(), b.enc.Close(), b.lock.Unlock())
}
