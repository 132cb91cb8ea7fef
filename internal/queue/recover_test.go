package queue

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"presswatch"
)

// fill writes so many messages of 100 kB to the single partition of a topic
// and leaves the files as a crash would: without the broker's snapshots.
func fill(t *testing.T, n int) (log, partition string) {
	t.Helper()
	dir := t.TempDir()
	b, err := StartBroker(t.Context(), BrokerOptions{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	k, err := Open(t.Context(), Options{Brokers: []string{b.Addr()}, Partitions: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.EnsureTopics(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := k.Publish(t.Context(), presswatch.TopicCaptures, presswatch.Message{Key: fmt.Sprint(i), Value: noise(100_000)}); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = k.Close(), b.Close()
	partition = filepath.Join(dir, logName, "partitions", presswatch.TopicCaptures+"-0")
	return filepath.Join(dir, logName), partition
}

func readSnapshot(t *testing.T, partition string) (s snapshot) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(partition, "snapshot.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// What we write after a crash must be what the broker writes when it stops in
// order: a new version of it that changes its files fails here.
func TestRecoveredSnapshotIsTheBrokersOwn(t *testing.T) {
	log, partition := fill(t, 100) // three segments
	want := readSnapshot(t, partition)
	if len(want.Segments) < 2 || want.HighWatermark != 100 {
		t.Fatalf("the broker's snapshot has %d segments and offset %d; the test needs more", len(want.Segments), want.HighWatermark)
	}
	if err := os.Remove(filepath.Join(partition, "snapshot.json")); err != nil {
		t.Fatal(err)
	}
	if err := recoverLog(log, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	got := readSnapshot(t, partition)
	got.CreatedAt, want.CreatedAt = want.CreatedAt, want.CreatedAt.UTC()
	got.CreatedAt = got.CreatedAt.UTC()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("got  %s\nwant %s", g, w)
	}
	before, err := os.Stat(filepath.Join(partition, "snapshot.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := recoverLog(log, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(filepath.Join(partition, "snapshot.json")); err != nil || !os.SameFile(before, after) {
		t.Errorf("a snapshot that fits was written again (%v)", err)
	}
}

func TestRecoverCutsAndRemoves(t *testing.T) {
	log, partition := fill(t, 100)
	want := readSnapshot(t, partition)
	last := want.Segments[len(want.Segments)-1]
	path := filepath.Join(partition, segmentName(last.BaseOffset))
	if err := os.Truncate(path, last.Size-1); err != nil { // the last batch lost its end
		t.Fatal(err)
	}
	empty := filepath.Join(partition, segmentName(1000)) // made, and then the power went
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := recoverLog(log, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(empty); !os.IsNotExist(err) {
		t.Errorf("the empty segment is still there: %v", err)
	}
	got := readSnapshot(t, partition)
	if got.HighWatermark != 99 || len(got.Segments) != len(want.Segments) || got.Segments[len(got.Segments)-1].Size >= last.Size-1 {
		t.Errorf("got %+v, want all but the last message of %+v", got, want)
	}
}

func TestScanSegmentStopsAtDamage(t *testing.T) {
	_, partition := fill(t, 3)
	path := filepath.Join(partition, segmentName(0))
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	whole := int64(len(raw))
	for name, tc := range map[string]struct {
		damage func([]byte) []byte
		end    int64
	}{
		"none":              {func(b []byte) []byte { return b }, 3},
		"empty":             {func([]byte) []byte { return nil }, 0},
		"a flipped bit":     {func(b []byte) []byte { b[whole/2] ^= 1; return b }, 1},
		"cut in a head":     {func(b []byte) []byte { return b[:whole/3*2+20] }, 2},
		"cut in the record": {func(b []byte) []byte { return b[:whole-1] }, 2},
		"a negative length": {func(b []byte) []byte { b[8] = 0xff; return b }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := filepath.Join(t.TempDir(), "0.dat")
			damaged := tc.damage(append([]byte(nil), raw...))
			if err := os.WriteFile(p, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := scanSegment(p)
			if err != nil || s.end != tc.end || s.size+s.torn != int64(len(damaged)) {
				t.Errorf("got %+v, %v; want end %d of %d bytes", s, err, tc.end, len(damaged))
			}
		})
	}
}
