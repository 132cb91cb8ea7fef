package evidence

import (
	"bufio"
	"io"
	"strings"

	"presswatch"
)

// readLine reads a line without its end. A line longer than most bytes is an
// error; the end of input within it is io.ErrUnexpectedEOF.
func readLine(r *bufio.Reader, most int) (string, error) {
	var b []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(b)+len(part) > most {
			return "", presswatch.Errorf(presswatch.TooLarge, "a header line of more than %d bytes", most)
		}
		b = append(b, part...)
		if err == nil {
			return strings.TrimRight(string(b), "\r\n"), nil
		}
		if err != bufio.ErrBufferFull {
			return "", short(err)
		}
	}
}

// readFields reads header fields up to the empty line. Continuation lines
// belong to the field before; lines without a colon are passed over, since
// archives are full of them.
func readFields(r *bufio.Reader) ([]field, error) {
	var fields []field
	total := 0
	for n := 0; ; n++ {
		s, err := readLine(r, maxHeader)
		if err != nil {
			return nil, err
		}
		if s == "" {
			return fields, nil
		}
		if total += len(s); total > maxHeader || n >= maxFields {
			return nil, presswatch.Errorf(presswatch.TooLarge, "a header of more than %d bytes or %d lines", maxHeader, maxFields)
		}
		if s[0] == ' ' || s[0] == '\t' {
			if len(fields) > 0 {
				fields[len(fields)-1].value += " " + strings.TrimSpace(s)
			}
			continue
		}
		if name, value, ok := strings.Cut(s, ":"); ok {
			fields = append(fields, field{strings.TrimSpace(name), strings.TrimSpace(value)})
		}
	}
}

// readAtMost reads r to its end, but no more than most bytes; more reports
// whether there was more.
func readAtMost(r io.Reader, most int) (b []byte, more bool, err error) {
	b, err = io.ReadAll(io.LimitReader(r, int64(most)+1))
	if len(b) > most {
		return b[:most], true, nil
	}
	return b, false, err
}
