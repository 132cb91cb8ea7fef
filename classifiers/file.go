package classifiers

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"io"
	"maps"
	"slices"

	"presswatch"
	"presswatch/classifiers/linear"

	"github.com/klauspost/compress/zstd"
)

// A model file is the magic, the SHA-256 of what follows it, and one zstd
// frame. Inside, each part is a length (32 bits, little endian) and its bytes:
// the header as JSON, the vocabulary, the trained filter, then weights and
// known words of each head in the order of the header.
const (
	fileMagic  = "PWRISK1\n"
	mostFile   = 16 << 20
	mostInside = 32 << 20
)

type fileHeader struct {
	Meta
	Unit  float32    `json:"unit"`
	Heads []fileHead `json:"heads"`
}

type fileHead struct {
	Task  task    `json:"task"`
	Name  string  `json:"name"`
	Scale float32 `json:"scale"`
	Bias  float32 `json:"bias"`
	Rows  int     `json:"rows"`
}

// Write stores the model; the same model gives the same bytes.
func (m *Model) Write(w io.Writer) error {
	head := fileHeader{Meta: m.Meta, Unit: m.vocab.Unit}
	var tail [][]byte
	for _, group := range []struct {
		task  task
		heads map[string]*linear.Head
	}{{falsehood, m.heads}, {clickbait, m.clickbait}} {
		for _, name := range slices.Sorted(maps.Keys(group.heads)) {
			h := group.heads[name]
			head.Heads = append(head.Heads, fileHead{group.task, name, h.Scale, h.Bias, h.Rows})
			raw := make([]byte, len(h.W))
			for i, x := range h.W {
				raw[i] = byte(x)
			}
			tail = append(tail, raw, words64(h.Known))
		}
	}
	front, err := json.Marshal(head)
	if err != nil {
		return presswatch.Errorf(presswatch.Internal, "model header: %w", err)
	}
	var inside []byte
	for _, part := range append([][]byte{front, m.vocab.IDF, words64(m.trained)}, tail...) {
		inside = binary.LittleEndian.AppendUint32(inside, uint32(len(part)))
		inside = append(inside, part...)
	}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return presswatch.Errorf(presswatch.Internal, "model: %w", err)
	}
	packed := enc.EncodeAll(inside, nil)
	sum := sha256.Sum256(packed)
	for _, part := range [][]byte{[]byte(fileMagic), sum[:], packed} {
		if _, err := w.Write(part); err != nil {
			return presswatch.Errorf(presswatch.Unavailable, "model: %w", err)
		}
	}
	return nil
}

// Read loads a model file. A file that is cut, changed or of another kind is
// Invalid.
func Read(r io.Reader) (*Model, error) {
	raw, err := io.ReadAll(io.LimitReader(r, mostFile+1))
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Unavailable, "model file: %w", err)
	}
	front := len(fileMagic) + sha256.Size
	switch {
	case len(raw) > mostFile:
		return nil, presswatch.Errorf(presswatch.TooLarge, "model file: more than %d bytes", mostFile)
	case len(raw) < front || string(raw[:len(fileMagic)]) != fileMagic:
		return nil, presswatch.Errorf(presswatch.Invalid, "model file: it does not begin as one")
	}
	if sum := sha256.Sum256(raw[front:]); !bytes.Equal(sum[:], raw[len(fileMagic):front]) {
		return nil, presswatch.Errorf(presswatch.Invalid, "model file: its checksum does not match; it was cut or changed")
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(mostInside), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Internal, "model file: %w", err)
	}
	defer dec.Close()
	inside, err := dec.DecodeAll(raw[front:], nil)
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Invalid, "model file: %w", err)
	}
	return unpack(partReader{inside})
}

func unpack(p partReader) (*Model, error) {
	var head fileHeader
	front, err := p.next("header", -1)
	if err == nil {
		err = json.Unmarshal(front, &head)
	}
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Invalid, "model file, header: %w", err)
	}
	m := &Model{Meta: head.Meta, heads: map[string]*linear.Head{}, clickbait: map[string]*linear.Head{}}
	idf, err := p.next("vocabulary", linear.Dim)
	if err != nil {
		return nil, err
	}
	m.vocab = linear.Vocab{IDF: bytes.Clone(idf), Unit: head.Unit}
	filter, err := p.next("trained", bloomBits/8)
	if err != nil {
		return nil, err
	}
	m.trained = from64(filter)
	for _, h := range head.Heads {
		w, err := p.next("weights of "+h.Name, linear.Dim)
		if err != nil {
			return nil, err
		}
		known, err := p.next("words of "+h.Name, linear.KnownBits/8)
		if err != nil {
			return nil, err
		}
		made := &linear.Head{W: make([]int8, len(w)), Scale: h.Scale, Bias: h.Bias, Rows: h.Rows, Known: from64(known)}
		for i, b := range w {
			made.W[i] = int8(b)
		}
		if h.Task == clickbait {
			m.clickbait[h.Name] = made
		} else {
			m.heads[h.Name] = made
		}
	}
	return m, nil
}

// partReader takes the parts of a model one by one.
type partReader struct{ rest []byte }

// next is the next part, which must have size bytes unless size is negative.
func (p *partReader) next(name string, size int) ([]byte, error) {
	if len(p.rest) < 4 {
		return nil, presswatch.Errorf(presswatch.Invalid, "model file, %s: missing", name)
	}
	n := int(binary.LittleEndian.Uint32(p.rest))
	p.rest = p.rest[4:]
	if n > len(p.rest) || size >= 0 && n != size {
		return nil, presswatch.Errorf(presswatch.Invalid, "model file, %s: %d bytes", name, n)
	}
	part := p.rest[:n]
	p.rest = p.rest[n:]
	return part, nil
}

func words64(ws []uint64) []byte {
	out := make([]byte, 0, 8*len(ws))
	for _, w := range ws {
		out = binary.LittleEndian.AppendUint64(out, w)
	}
	return out
}

func from64(raw []byte) []uint64 {
	out := make([]uint64, len(raw)/8)
	for i := range out {
		out[i] = binary.LittleEndian.Uint64(raw[8*i:])
	}
	return out
}
