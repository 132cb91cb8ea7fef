package queue

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// recoverLog makes the folder of a broker that did not stop in order fit to be
// opened again. What is known here of the broker's files was read in kfake
// v0.0.0-20260918054303, persist.go; a new version needs a new look.
func recoverLog(dir string, log *slog.Logger) error {
	// The members of consumer groups lived in the process that is gone; as long
	// as the broker waits for them, nobody else gets their partitions.
	if err := os.Remove(filepath.Join(dir, "session_state.json")); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := repairGroups(filepath.Join(dir, "groups.log"), log); err != nil {
		return err
	}
	parts, err := filepath.Glob(filepath.Join(dir, "partitions", "*"))
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := recoverPartition(p, log); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(p), err)
		}
	}
	return nil
}

// snapshot is the broker's own file about a partition, as far as we need it.
type snapshot struct {
	Version          int             `json:"version"`
	HighWatermark    int64           `json:"high_watermark"`
	LastStableOffset int64           `json:"last_stable_offset"`
	LogStartOffset   int64           `json:"log_start_offset"`
	Epoch            int32           `json:"epoch"`
	MaxTimestamp     int64           `json:"max_timestamp"`
	CreatedAt        time.Time       `json:"created_at"`
	Segments         []snapshotEntry `json:"segments"`
}

type snapshotEntry struct {
	BaseOffset int64 `json:"base_offset"`
	Size       int64 `json:"size"`
	MinEpoch   int32 `json:"min_epoch,omitempty"`
	MaxEpoch   int32 `json:"max_epoch,omitempty"`
}

// recoverPartition writes the snapshot that a broker writes when it stops in
// order. Without it the broker reads all segments of all partitions into memory
// at once: 600 MB for 600 MB of log. With it, it reads one at a time. A torn
// batch at the end is cut off.
func recoverPartition(dir string, log *slog.Logger) error {
	bases, err := segmentBases(dir)
	if err != nil || len(bases) == 0 {
		return err
	}
	path := filepath.Join(dir, "snapshot.json")
	var old snapshot
	if raw, err := os.ReadFile(path); err == nil {
		if json.Unmarshal(raw, &old) == nil && old.matches(dir, bases) {
			return nil // stopped in order
		}
	}
	s := snapshot{Version: 1, LogStartOffset: -1, CreatedAt: old.CreatedAt}
	for i, base := range bases {
		seg, err := scanSegment(filepath.Join(dir, segmentName(base)))
		if err != nil {
			return err
		}
		if seg.torn > 0 {
			if i < len(bases)-1 {
				return nil // damage in the middle is not from a crash; the broker knows best
			}
			log.Warn("broker: cutting a torn batch off the log", "partition", filepath.Base(dir), "bytes", seg.torn)
			if err := os.Truncate(filepath.Join(dir, segmentName(base)), seg.size); err != nil {
				return err
			}
		}
		if seg.size == 0 { // nothing but the torn batch
			if err := removeSegment(dir, base); err != nil {
				return err
			}
			continue
		}
		if s.LogStartOffset < 0 {
			s.LogStartOffset = seg.first
		}
		s.HighWatermark, s.Epoch, s.MaxTimestamp = seg.end, seg.maxEpoch, max(s.MaxTimestamp, seg.maxTime)
		s.Segments = append(s.Segments, snapshotEntry{base, seg.size, seg.minEpoch, seg.maxEpoch})
	}
	if len(s.Segments) == 0 {
		return nil
	}
	s.LastStableOffset = s.HighWatermark // nobody here uses transactions
	if old.LogStartOffset > s.LogStartOffset && old.LogStartOffset <= s.HighWatermark {
		s.LogStartOffset = old.LogStartOffset
	}
	return writeJSON(path, s)
}

func (s snapshot) matches(dir string, bases []int64) bool {
	if len(s.Segments) != len(bases) {
		return false
	}
	for i, e := range s.Segments {
		info, err := os.Stat(filepath.Join(dir, segmentName(e.BaseOffset)))
		if err != nil || e.BaseOffset != bases[i] || info.Size() != e.Size {
			return false
		}
	}
	return true
}

func segmentName(base int64) string { return strconv.FormatInt(base, 10) + ".dat" }

func removeSegment(dir string, base int64) error {
	path := filepath.Join(dir, segmentName(base))
	if err := os.Remove(strings.TrimSuffix(path, ".dat") + ".idx"); err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.Remove(path)
}

// segmentBases lists the segments of a partition, oldest first, and removes
// those that were made but never written to.
func segmentBases(dir string) ([]int64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var bases []int64
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".dat")
		base, err := strconv.ParseInt(name, 10, 64)
		if !ok || err != nil {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		if info.Size() > 0 {
			bases = append(bases, base)
		} else if err := removeSegment(dir, base); err != nil {
			return nil, err
		}
	}
	slices.Sort(bases)
	return bases, nil
}

// segment is what its whole batches say.
type segment struct {
	first, end         int64 // offsets; end is the one after the last
	size, torn         int64 // bytes that are whole, and behind them
	minEpoch, maxEpoch int32
	maxTime            int64
}

// scanSegment reads record batches (format 2) one by one, and stops at the
// first that is cut short or does not match its checksum.
func scanSegment(path string) (s segment, err error) {
	f, err := os.Open(path)
	if err != nil {
		return s, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return s, err
	}
	s.torn = info.Size()
	r := bufio.NewReaderSize(f, 64<<10)
	const fixed = 61 // bytes of a batch before its records
	var buf []byte
	for s.torn >= fixed {
		head := make([]byte, 12)
		if _, err := io.ReadFull(r, head); err != nil {
			return s, err
		}
		n := int64(binary.BigEndian.Uint32(head[8:]))
		if n < fixed-12 || n > s.torn-12 || n > 64<<20 {
			return s, nil
		}
		buf = append(slices.Grow(buf[:0], int(n)+12)[:0], head...)[:n+12]
		if _, err := io.ReadFull(r, buf[12:]); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				return s, nil
			}
			return s, err
		}
		if crc32.Checksum(buf[21:], castagnoli) != binary.BigEndian.Uint32(buf[17:]) {
			return s, nil
		}
		base, epoch := int64(binary.BigEndian.Uint64(buf)), int32(binary.BigEndian.Uint32(buf[12:]))
		if s.size == 0 {
			s.first, s.minEpoch, s.maxEpoch = base, epoch, epoch
		}
		s.end = base + int64(int32(binary.BigEndian.Uint32(buf[23:]))) + 1
		s.minEpoch, s.maxEpoch = min(s.minEpoch, epoch), max(s.maxEpoch, epoch)
		s.maxTime = max(s.maxTime, int64(binary.BigEndian.Uint64(buf[35:])))
		s.size += n + 12
		s.torn -= n + 12
	}
	return s, nil
}

// writeJSON replaces a file in one step, synced.
func writeJSON(path string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path+".tmp", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}

// repairGroups cuts a torn entry off the end of the log of committed offsets.
// The broker ignores it but appends behind it, and would then not find what it
// appended. An entry is its length (of what follows the checksum) and CRC-32C,
// both little-endian, and at least two bytes.
func repairGroups(path string, log *slog.Logger) error {
	raw, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if valid := validEntries(raw); valid < len(raw) {
		log.Warn("broker: cutting a torn entry off the committed offsets", "bytes", len(raw)-valid)
		return os.Truncate(path, int64(valid))
	}
	return nil
}

// validEntries is the length of the whole entries that raw begins with.
func validEntries(raw []byte) int {
	at := 0
	for len(raw)-at >= 10 {
		n := int(binary.LittleEndian.Uint32(raw[at:]))
		if n < 2 || n > len(raw)-at-8 {
			break
		}
		if crc32.Checksum(raw[at+8:at+8+n], castagnoli) != binary.LittleEndian.Uint32(raw[at+4:]) {
			break
		}
		at += 8 + n
	}
	return at
}
