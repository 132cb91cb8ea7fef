package index

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"math"

	"presswatch"
)

// cursor is the place of a hit in the order of a search: where the next page
// goes on.
type cursor struct {
	sort  presswatch.Sort
	score float64 // ByRelevance
	at    int64   // ByNewest, Unix microseconds
	risk  int     // ByRisk, steps
	id    string
}

// The letters that stand for the sorts in a cursor.
var sortLetters = map[presswatch.Sort]byte{presswatch.ByRelevance: 'r', presswatch.ByNewest: 'n', presswatch.ByRisk: 'k'}

// cursorSalt makes a checksum that other data does not have by accident.
const cursorSalt = "presswatch cursor 1"

// String writes the cursor as Result.Next: letters that are safe in URLs.
func (c cursor) String() string {
	b := []byte{sortLetters[c.sort]}
	b = binary.BigEndian.AppendUint64(b, c.value())
	b = append(b, c.id...)
	b = binary.BigEndian.AppendUint32(b, checksum(b))
	return base64.RawURLEncoding.EncodeToString(b)
}

func (c cursor) value() uint64 {
	switch c.sort {
	case presswatch.ByNewest:
		return uint64(c.at)
	case presswatch.ByRisk:
		return uint64(c.risk)
	}
	return math.Float64bits(c.score)
}

func checksum(b []byte) uint32 {
	return crc32.Update(crc32.ChecksumIEEE([]byte(cursorSalt)), crc32.IEEETable, b)
}

// readCursor reads what String wrote, for a search in the same order.
func readCursor(s string, sort presswatch.Sort) (*cursor, error) {
	if len(s) > 2*maxKeyword {
		return nil, presswatch.Errorf(presswatch.Invalid, "after: not a cursor of ours")
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) < 14 || binary.BigEndian.Uint32(b[len(b)-4:]) != checksum(b[:len(b)-4]) {
		return nil, presswatch.Errorf(presswatch.Invalid, "after: not a cursor of ours")
	}
	if b[0] != sortLetters[sort] {
		return nil, presswatch.Errorf(presswatch.Invalid, "after: the cursor is of a search in another order")
	}
	c := &cursor{sort: sort, id: string(b[9 : len(b)-4])}
	v := binary.BigEndian.Uint64(b[1:9])
	switch sort {
	case presswatch.ByNewest:
		c.at = int64(v)
	case presswatch.ByRisk:
		c.risk = int(v)
		if v > riskSteps {
			return nil, presswatch.Errorf(presswatch.Invalid, "after: not a cursor of ours")
		}
	default:
		if c.score = math.Float64frombits(v); math.IsNaN(c.score) || math.IsInf(c.score, 0) {
			return nil, presswatch.Errorf(presswatch.Invalid, "after: not a cursor of ours")
		}
	}
	return c, nil
}
