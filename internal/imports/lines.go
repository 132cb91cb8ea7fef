package imports

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"presswatch"
)

// errLong is the cause when a line is longer than what is allowed.
var errLong = errors.New("too long")

// lines reads a text line by line, in memory bounded by the longest line that
// is allowed, and knows their numbers.
type lines struct {
	r    *bufio.Reader
	n    int64 // number of the line returned last, from 1
	most int
	back []byte // read but not yet returned, see unread
	buf  []byte
}

// next returns the next line with its end; it is valid until the call after.
// A longer line is read over and reported as errLong. An error of reading is
// returned as it is, io.EOF at the end.
func (l *lines) next() ([]byte, error) {
	if len(l.back) > 0 {
		i := bytes.IndexByte(l.back, '\n') + 1
		if i == 0 {
			i = len(l.back)
		}
		line := l.back[:i:i]
		l.back = l.back[i:]
		l.n++
		return line, nil
	}
	line, err := l.read()
	if l.n == 0 {
		line = bytes.TrimPrefix(line, []byte(bom))
	}
	if err == nil || errors.Is(err, errLong) {
		l.n++
	}
	return line, err
}

func (l *lines) read() ([]byte, error) {
	l.buf = l.buf[:0]
	long := false
	for {
		part, err := l.r.ReadSlice('\n')
		if long = long || len(l.buf)+len(part) > l.most; long {
			l.buf = nil // give the memory back
		} else {
			l.buf = append(l.buf, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err == io.EOF && (long || len(l.buf) > 0), err == nil:
			if long {
				return nil, presswatch.Errorf(presswatch.TooLarge, "%w: more than %d bytes", errLong, l.most)
			}
			return l.buf, nil
		default:
			return nil, err
		}
	}
}

// unread puts whole lines back, the last ones read, to be returned once more.
func (l *lines) unread(b []byte) {
	n := bytes.Count(b, []byte("\n"))
	if len(b) > 0 && b[len(b)-1] != '\n' {
		n++
	}
	l.back = append(bytes.Clone(b), l.back...)
	l.n -= int64(n)
}

// readError gives an error of reading a file its place; damage of gzip is the
// file's fault, anything else the disk's.
func readError(path string, after int64, err error) error {
	return presswatch.Errorf(presswatch.Unavailable, "%s: after line %d: %w", path, after, err)
}
