package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"presswatch"

	"github.com/gofrs/flock"
)

// running tells other processes on this machine who holds the data folder, and
// how to reach it. The file is readable by the owner only: the token is a key.
type running struct {
	PID     int       `json:"pid"`
	Command string    `json:"command"`
	Since   time.Time `json:"since"`
	Work    bool      `json:"work,omitempty"`  // it runs the pipeline
	Kafka   string    `json:"kafka,omitempty"` // address of the embedded broker
	API     string    `json:"api,omitempty"`   // base address of the API
	Token   string    `json:"token,omitempty"` // bearer token of the API
}

// dataDir is a data folder held by this process alone.
type dataDir struct {
	path string
	lock *flock.Flock
	info running
}

// held is the error of a data folder that another process holds.
type held struct {
	path string
	by   running
}

func (h *held) Error() string {
	who := "another process"
	if h.by.PID != 0 {
		who = h.by.String()
	}
	return "data folder " + h.path + " is in use by " + who + "; stop it first, or choose another folder with --data"
}

// holdDataDir makes the folder if need be and takes it for this process. The
// kernel lets go of it when the process ends, however it ends.
func holdDataDir(path, command string) (*dataDir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, presswatch.Errorf(presswatch.Invalid, "data folder: %w", err)
	}
	d := &dataDir{path: path, lock: flock.New(filepath.Join(path, "lock"))}
	ok, err := d.lock.TryLock()
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Unavailable, "data folder %s: %w", path, err)
	}
	if !ok {
		by, _ := readRunning(path)
		return nil, &presswatch.Error{Code: presswatch.Conflict, Err: &held{path: path, by: by}}
	}
	d.info = running{PID: os.Getpid(), Command: command, Since: time.Now().UTC().Truncate(time.Second)}
	return d, d.publish()
}

// newToken is 256 random bits in hexadecimal.
func newToken() string {
	var b [32]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err) // never happens: crypto/rand ends the process itself
	}
	return hex.EncodeToString(b[:])
}

// publish writes who we are for the others.
func (d *dataDir) publish() error {
	b, err := json.Marshal(d.info)
	if err != nil {
		return err
	}
	tmp := filepath.Join(d.path, "running.json.tmp")
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return presswatch.Errorf(presswatch.Unavailable, "data folder %s cannot be written: give this user the folder, or choose another with --data: %w", d.path, err)
	}
	return os.Rename(tmp, filepath.Join(d.path, "running.json"))
}

// Close lets go of the folder.
func (d *dataDir) Close() error {
	return errors.Join(os.Remove(filepath.Join(d.path, "running.json")), d.lock.Unlock())
}

func readRunning(path string) (running, error) {
	var r running
	b, err := os.ReadFile(filepath.Join(path, "running.json"))
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(b, &r)
}

// live reports whether the process still holds the folder: running.json stays
// behind when one is killed.
func (r running) live(path string) bool {
	l := flock.New(filepath.Join(path, "lock"))
	ok, err := l.TryLock()
	if ok {
		_ = l.Unlock()
	}
	return err == nil && !ok
}

// String is "presswatch up (process 123, since 14:05)".
func (r running) String() string {
	pid := strconv.Itoa(r.PID)
	return "presswatch " + r.Command + " (process " + pid + ", since " + r.Since.Local().Format("15:04") + ")"
}

// awaitRunning is what holds the folder, once it says how to reach it.
func awaitRunning(ctx context.Context, path string) (running, error) {
	for range 50 {
		if r, err := readRunning(path); err == nil && r.Kafka != "" {
			return r, nil
		}
		select {
		case <-ctx.Done():
			return running{}, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return running{}, presswatch.Errorf(presswatch.Unavailable, "the process that holds %s does not say how to reach it", path)
}
