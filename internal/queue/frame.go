package queue

import (
	"encoding/binary"
	"hash/crc32"
	"sync"

	"github.com/klauspost/compress/zstd"

	"presswatch"
)

// A frame carries a small description and a body in one value:
//
//	offset  0  4 bytes  magic "PWC1"
//	        4  1 byte   how the body is stored: 0 as it is, 1 zstd
//	        5  4 bytes  length of the description
//	        9  4 bytes  length of the body, decoded
//	       13  4 bytes  length of the body, as stored
//	       17  4 bytes  CRC-32C of all before it and all after it
//	       21           description, then the stored body, and nothing more
//
// Numbers are big-endian. The checksum guards the whole way from the sender to
// the worker; those of Kafka end at the broker's edges.
const (
	frameMagic = "PWC1"
	frameHead  = 21
	maxMeta    = 1 << 20 // of the description, in bytes
)

const (
	stored     = 0
	compressed = 1
)

// BodySize is how many bytes the body of a capture message has when decoded, as
// its frame says: zero where there is no frame, and never more than
// presswatch.MaxBody, which is all that DecodeCapture gives.
func BodySize(m presswatch.Message) int {
	if len(m.Value) < frameHead || string(m.Value[:len(frameMagic)]) != frameMagic {
		return 0
	}
	return int(min(binary.BigEndian.Uint32(m.Value[9:]), presswatch.MaxBody))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A coder is costly to make and safe to share.
var (
	encoder = sync.OnceValues(func() (*zstd.Encoder, error) {
		return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true))
	})
	decoder = sync.OnceValues(func() (*zstd.Decoder, error) {
		return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecoderMaxMemory(presswatch.MaxBody), zstd.WithDecodeAllCapLimit(true))
	})
)

func appendFrame(dst, meta, body []byte) ([]byte, error) {
	if len(meta) > maxMeta {
		return nil, presswatch.Errorf(presswatch.TooLarge, "frame: description of %d bytes, the most is %d", len(meta), maxMeta)
	}
	if len(body) > presswatch.MaxBody {
		return nil, presswatch.Errorf(presswatch.TooLarge, "frame: body of %d bytes, the most is %d", len(body), presswatch.MaxBody)
	}
	enc, err := encoder()
	if err != nil {
		return nil, err
	}
	at := len(dst)
	dst = append(dst, make([]byte, frameHead)...)
	dst = append(dst, meta...)
	data := len(dst)
	dst = enc.EncodeAll(body, dst)
	kind := byte(compressed)
	if len(dst)-data >= len(body) { // pictures and archives: compressing them gains nothing
		dst, kind = append(dst[:data], body...), stored
	}
	h := dst[at:]
	copy(h, frameMagic)
	h[4] = kind
	binary.BigEndian.PutUint32(h[5:], uint32(len(meta)))
	binary.BigEndian.PutUint32(h[9:], uint32(len(body)))
	binary.BigEndian.PutUint32(h[13:], uint32(len(dst)-data))
	binary.BigEndian.PutUint32(h[17:], frameSum(h))
	return dst, nil
}

func frameSum(frame []byte) uint32 {
	sum := crc32.Checksum(frame[:frameHead-4], castagnoli)
	return crc32.Update(sum, castagnoli, frame[frameHead:])
}

// openFrame splits a frame. Whatever it claims, no more than
// presswatch.MaxBody bytes are made of it. meta points into frame, and so may
// body.
func openFrame(frame []byte) (meta, body []byte, err error) {
	if len(frame) < frameHead || string(frame[:4]) != frameMagic {
		return nil, nil, presswatch.Errorf(presswatch.Invalid, "frame: not one of ours: %d bytes beginning %q", len(frame), frame[:min(len(frame), 4)])
	}
	metaLen := int(binary.BigEndian.Uint32(frame[5:]))
	bodyLen := int(binary.BigEndian.Uint32(frame[9:]))
	dataLen := int(binary.BigEndian.Uint32(frame[13:]))
	switch {
	case metaLen > maxMeta:
		return nil, nil, presswatch.Errorf(presswatch.TooLarge, "frame: claims a description of %d bytes, the most is %d", metaLen, maxMeta)
	case bodyLen > presswatch.MaxBody:
		return nil, nil, presswatch.Errorf(presswatch.TooLarge, "frame: claims a body of %d bytes, the most is %d", bodyLen, presswatch.MaxBody)
	case len(frame)-frameHead-metaLen != dataLen:
		return nil, nil, presswatch.Errorf(presswatch.Invalid, "frame: lengths %d and %d do not add up to %d bytes", metaLen, dataLen, len(frame))
	case frameSum(frame) != binary.BigEndian.Uint32(frame[17:]):
		return nil, nil, presswatch.Errorf(presswatch.Invalid, "frame: checksum is wrong")
	}
	meta, data := frame[frameHead:frameHead+metaLen], frame[frameHead+metaLen:]
	switch frame[4] {
	case stored:
		body = data
	case compressed:
		dec, err := decoder()
		if err != nil {
			return nil, nil, err
		}
		if body, err = dec.DecodeAll(data, make([]byte, 0, bodyLen)); err != nil {
			return nil, nil, presswatch.Errorf(presswatch.Invalid, "frame: body: %w", err)
		}
	default:
		return nil, nil, presswatch.Errorf(presswatch.Invalid, "frame: body stored in unknown way %d", frame[4])
	}
	if len(body) != bodyLen {
		return nil, nil, presswatch.Errorf(presswatch.Invalid, "frame: body has %d bytes, claimed %d", len(body), bodyLen)
	}
	return meta, body, nil
}
