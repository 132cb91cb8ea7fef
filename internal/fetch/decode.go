package fetch

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"presswatch"
)

const (
	acceptEncoding = "gzip, br, zstd, deflate"
	maxEncodings   = 3       // layers of content coding that are undone
	maxWindow      = 8 << 20 // of zstd, as RFC 9659 allows on the web
)

// errCapped ends a layer that gave more than its most. The outermost layer
// turns it into Truncated.
var errCapped = errors.New("over the limit")

// capped passes on up to left bytes, then fails with errCapped. Each layer of
// decoding has one: a bomb may be hidden below another one.
type capped struct {
	r    io.Reader
	left int64
}

func (c *capped) Read(p []byte) (int, error) {
	if c.left <= 0 {
		var one [1]byte
		if n, err := io.ReadFull(c.r, one[:]); n == 0 {
			return 0, err
		}
		return 0, errCapped
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

// decoder undoes content codings and, by its magic number, a gzip file inside.
// No layer gives more than limit bytes.
type decoder struct {
	io.Reader
	closers []func()
}

func (d *decoder) Close() {
	for _, c := range d.closers {
		c()
	}
	d.closers = nil
}

func newDecoder(raw io.Reader, encoding string, limit int64) (*decoder, error) {
	codings, err := codingsOf(encoding)
	if err != nil {
		return nil, err
	}
	d := &decoder{Reader: &capped{raw, limit}}
	for i := len(codings) - 1; i >= 0; i-- {
		if err := d.undo(codings[i], limit); err != nil {
			d.Close()
			return nil, err
		}
	}
	for range maxEncodings - len(codings) { // a .gz file, perhaps twice
		b := bufio.NewReader(d.Reader)
		d.Reader = b
		if !isGzip(b) {
			break
		}
		if err := d.undo("gzip", limit); err != nil {
			d.Close()
			return nil, err
		}
	}
	return d, nil
}

func codingsOf(encoding string) (codings []string, err error) {
	for _, c := range strings.Split(strings.ToLower(encoding), ",") {
		switch c = strings.TrimSpace(c); c {
		case "", "identity":
		case "gzip", "x-gzip", "br", "zstd", "deflate":
			codings = append(codings, c)
		default:
			return nil, presswatch.Errorf(presswatch.Invalid, "content-encoding %q is not known", c)
		}
	}
	if len(codings) > maxEncodings {
		return nil, presswatch.Errorf(presswatch.TooLarge, "%d content codings, the most is %d", len(codings), maxEncodings)
	}
	return codings, nil
}

func isGzip(b *bufio.Reader) bool {
	head, _ := b.Peek(3)
	return bytes.Equal(head, []byte{0x1f, 0x8b, 8})
}

// undo wraps d.Reader in the decoder of one coding, and that in a cap.
func (d *decoder) undo(coding string, limit int64) error {
	b := bufio.NewReader(d.Reader)
	head, err := b.Peek(2)
	if len(head) == 0 && errors.Is(err, io.EOF) { // coded nothing is nothing
		d.Reader = b
		return nil
	}
	var r io.Reader
	switch coding {
	case "gzip", "x-gzip":
		if !isGzip(b) { // servers that say so and do not: as it is
			d.Reader = b
			return nil
		}
		r, err = gzip.NewReader(b)
	case "deflate":
		if len(head) == 2 && head[0]&0x0f == 8 && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
			r, err = zlib.NewReader(b)
		} else { // what the name says, against the standard
			r, err = flate.NewReader(b), nil
		}
	case "br":
		r, err = brotli.NewReader(b), nil
	case "zstd":
		var z *zstd.Decoder
		z, err = zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err == nil {
			r = z
			d.closers = append(d.closers, z.Close)
		}
	}
	if err != nil {
		return err
	}
	d.Reader = &capped{r, limit}
	return nil
}
