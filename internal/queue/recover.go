package queue

import (
	"encoding/binary"
	"hash/crc32"
	"log/slog"
	"os"
	"path/filepath"
)

// recoverLog makes the folder of a broker that did not stop in order fit to be
// opened again.
func recoverLog(dir string, log *slog.Logger) error {
	// The members of consumer groups lived in the process that is gone; as long
	// as the broker waits for them, nobody else gets their partitions.
	if err := os.Remove(filepath.Join(dir, "session_state.json")); err != nil && !os.IsNotExist(err) {
		return err
	}
	return repairGroups(filepath.Join(dir, "groups.log"), log)
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
