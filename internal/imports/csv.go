package imports

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"presswatch"
)

// table reads CSV with a header.
type table struct {
	*source
	o      Options
	lines  lines
	comma  rune
	header []string // lower case
	ended  bool
}

func openCSV(s *source, o Options) (Reader, error) {
	r, err := s.text()
	if err != nil {
		return nil, err
	}
	t := &table{source: s, o: o, lines: lines{r: r, most: o.maxLine}}
	head, at, err := t.row()
	if err == io.EOF {
		return nil, presswatch.Errorf(presswatch.Invalid, "%s: empty; the first line must name the columns", s.path)
	}
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Invalid, "%s:%d: %w", s.path, max(at, 1), err)
	}
	t.comma = separator(head)
	fields, err := t.split(head)
	if err != nil {
		return nil, atLine(s.path, at, err)
	}
	for _, f := range fields {
		t.header = append(t.header, strings.ToLower(strings.TrimSpace(f)))
	}
	found := strings.Join(t.header, ", ")
	if !slices.Contains(t.header, "url") {
		return nil, presswatch.Errorf(presswatch.Invalid, "%s: the column \"url\" is missing; found %.500s", s.path, found)
	}
	if !slices.Contains(t.header, "text") && !slices.Contains(t.header, "html") {
		return nil, presswatch.Errorf(presswatch.Invalid, "%s: a column \"text\" or \"html\" is missing; found %.500s", s.path, found)
	}
	return t, nil
}

// separator is the one of comma, semicolon and tab that stands in the header
// most often outside quotes.
func separator(head []byte) rune {
	best, most := ',', 0
	for _, c := range ",;\t" {
		n, quoted := 0, false
		for _, b := range string(head) {
			if b == '"' {
				quoted = !quoted
			} else if b == c && !quoted {
				n++
			}
		}
		if n > most {
			best, most = c, n
		}
	}
	return best
}

// row returns the lines of the next row, up to where its quotes are closed,
// and the number of the first. Where they never are, the row is an error, and
// reading goes on with the line behind its first.
func (t *table) row() (row []byte, at int64, err error) {
	line, err := t.lines.next()
	at = t.lines.n
	if err != nil {
		return nil, at, err
	}
	quotes := bytes.Count(line, []byte{'"'})
	if quotes%2 == 0 {
		return line, at, nil
	}
	firstEnd := len(line)
	row = bytes.Clone(line)
	for quotes%2 == 1 {
		line, err = t.lines.next()
		if err == nil && len(row)+len(line) <= t.lines.most {
			row, quotes = append(row, line...), quotes+bytes.Count(line, []byte{'"'})
			continue
		}
		switch {
		case err == nil, err == io.EOF: // too much for one row, or the end: the quote was a slip
			t.lines.unread(append(row[firstEnd:], line...))
			return nil, at, presswatch.Errorf(presswatch.Invalid, "a quote is opened and never closed")
		case errors.Is(err, errLong):
			return nil, at, presswatch.Errorf(presswatch.TooLarge, "a quoted column runs into line %d, which is %w", t.lines.n, err)
		default:
			return nil, at, err
		}
	}
	return row, at, nil
}

func (t *table) split(row []byte) ([]string, error) {
	r := csv.NewReader(bytes.NewReader(row))
	r.Comma, r.FieldsPerRecord = t.comma, -1
	fields, err := r.Read()
	if err == nil {
		return fields, nil
	}
	if pe, ok := err.(*csv.ParseError); ok { // its line numbers start with the row
		err = fmt.Errorf("column %d: %w", pe.Column, pe.Err)
	}
	return nil, presswatch.Errorf(presswatch.Invalid, "%w", err)
}

// Next reads the next row. Pos is the number of its last line.
func (t *table) Next(ctx context.Context) (Item, error) {
	for {
		if err := ctx.Err(); err != nil {
			return Item{}, err
		}
		if t.ended {
			return Item{}, io.EOF
		}
		row, at, err := t.row()
		code := presswatch.CodeOf(err)
		switch {
		case err == io.EOF:
			return Item{}, err
		case err != nil && code != presswatch.Invalid && code != presswatch.TooLarge:
			if !damaged(err) {
				return Item{}, readError(t.path, t.lines.n, err)
			}
			t.ended = true
			if t.lines.n < t.o.From {
				return Item{}, io.EOF
			}
			return Item{Pos: t.lines.n + 1, Err: atLine(t.path, t.lines.n, damage(err))}, nil
		case t.lines.n <= t.o.From:
			continue
		case err != nil:
			return Item{Pos: t.lines.n, Err: atLine(t.path, at, err)}, nil
		case len(bytes.TrimSpace(row)) == 0:
			continue
		}
		c, err := t.parse(row)
		if err != nil {
			if first := bytes.IndexByte(row, '\n') + 1; first > 0 && first < len(row) && (errors.Is(err, csv.ErrQuote) || errors.Is(err, csv.ErrBareQuote)) {
				t.lines.unread(row[first:]) // a stray quote has drawn in rows of their own
			}
			return Item{Pos: t.lines.n, Err: atLine(t.path, at, err)}, nil
		}
		return Item{Pos: t.lines.n, Capture: c}, nil
	}
}

func (t *table) parse(row []byte) (presswatch.Capture, error) {
	fields, err := t.split(row)
	if err != nil {
		return presswatch.Capture{}, err
	}
	if len(fields) != len(t.header) {
		return presswatch.Capture{}, presswatch.Errorf(presswatch.Invalid, "%d columns, the header has %d", len(fields), len(t.header))
	}
	col := func(name string) string {
		if i := slices.Index(t.header, name); i >= 0 {
			return fields[i]
		}
		return ""
	}
	r := record{
		url: col("url"), title: col("title"), lang: either(col("lang"), col("language")),
		date: either(col("date"), col("published")), site: col("site"), kind: col("kind"), source: col("source"),
		fetchedAt: col("fetched_at"), byline: []string{either(col("author"), col("byline"))}, changed: t.mtime,
	}
	switch html, text := col("html"), col("text"); {
	case html != "":
		r.body, r.contentType = []byte(html), typeHTML
	case text != "":
		r.body, r.contentType = []byte(text), typeText
	default:
		return presswatch.Capture{}, presswatch.Errorf(presswatch.Invalid, "neither text nor html has content")
	}
	return r.capture(t.o)
}
