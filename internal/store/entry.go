package store

import (
	"encoding/binary"
	"math"

	"presswatch"
)

// entryForm is the first byte of a stored entry; another form gets another one.
const entryForm = 1

// encodeEntry writes an entry as bytes: strings with their length, counts as
// varints, hashes in 8 bytes each (they are random, so nothing is saved by
// writing differences).
func encodeEntry(e presswatch.StoryEntry) []byte {
	b := make([]byte, 0, 256+8*(len(e.Keys)+len(e.Shingles)))
	b = append(b, entryForm)
	for _, s := range []string{
		string(e.Doc), e.Version, e.Language,
		string(e.Story.ID), e.Story.CopyGroup, string(e.Story.CopyOf), string(e.Story.Relation),
	} {
		b = appendString(b, s)
	}
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(e.Story.Similarity))
	b = binary.AppendVarint(b, e.At)
	for _, hashes := range [][]uint64{e.Keys, e.Shingles} {
		b = binary.AppendUvarint(b, uint64(len(hashes)))
		for _, h := range hashes {
			b = binary.BigEndian.AppendUint64(b, h)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(e.Numbers)))
	for _, n := range e.Numbers {
		b = appendString(b, n)
	}
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decodeEntry reads what encodeEntry wrote. Bytes that it cannot have written
// are an Internal error.
func decodeEntry(b []byte) (presswatch.StoryEntry, error) {
	r := reader{b: b}
	var e presswatch.StoryEntry
	if form := r.take(1); len(form) == 1 && form[0] != entryForm {
		r.bad = true
	}
	e.Doc, e.Version, e.Language = presswatch.DocID(r.str()), r.str(), r.str()
	e.Story = presswatch.Story{
		ID: presswatch.StoryID(r.str()), CopyGroup: r.str(),
		CopyOf: presswatch.DocID(r.str()), Relation: presswatch.Relation(r.str()),
	}
	if f := r.take(8); f != nil {
		e.Story.Similarity = math.Float64frombits(binary.BigEndian.Uint64(f))
	}
	e.At = r.varint()
	e.Keys, e.Shingles = r.hashes(), r.hashes()
	if n := r.count(1); n > 0 {
		e.Numbers = make([]string, n)
		for i := range e.Numbers {
			e.Numbers[i] = r.str()
		}
	}
	if r.bad || len(r.b) > 0 {
		return presswatch.StoryEntry{}, presswatch.Errorf(presswatch.Internal, "story memory: an entry of %d bytes is damaged", len(b))
	}
	return e, nil
}

// reader takes bytes apart; after the first mistake it gives zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n > len(r.b) {
		r.bad = true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad = true
	}
	r.take(max(n, 0))
	return v
}

// count reads a number of things that take at least size bytes each.
func (r *reader) count(size int) int {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > uint64(len(r.b)/size) {
		r.bad = true
		return 0
	}
	r.take(n)
	if r.bad {
		return 0
	}
	return int(v)
}

func (r *reader) str() string { return string(r.take(r.count(1))) }

func (r *reader) hashes() []uint64 {
	raw := r.take(8 * r.count(8))
	if len(raw) == 0 {
		return nil
	}
	out := make([]uint64, len(raw)/8)
	for i := range out {
		out[i] = binary.BigEndian.Uint64(raw[8*i:])
	}
	return out
}
