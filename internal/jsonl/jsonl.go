// Package jsonl runs the batch commands: JSON lines in, JSON lines out, in the
// order of the input. A bad line gives a record with an error, and the run
// goes on.
package jsonl

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"

	"presswatch"
)

// MaxLine is the longest line that is read, in bytes.
const MaxLine = 32 << 20

// Record is one object; fields that nobody asks for pass through untouched.
type Record map[string]json.RawMessage

// String returns a field of text; one that is missing or null is "". Any
// other type is an Invalid error that names the field.
func (r Record) String(field string) (string, error) {
	var s *string
	if raw, ok := r[field]; ok {
		if err := json.Unmarshal(raw, &s); err != nil {
			return "", presswatch.Errorf(presswatch.Invalid, "%s: want a string: %w", field, err)
		}
	}
	if s == nil {
		return "", nil
	}
	return *s, nil
}

// Set puts a field; v must be something that JSON can hold.
func (r Record) Set(field string, v any) {
	raw, err := encode(v)
	if err != nil {
		raw = []byte("null")
	}
	r[field] = raw
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// task is one line on its way; done is closed when out is there.
type task struct {
	line int
	raw  []byte
	err  error // the line could not be read as a whole
	out  []byte
	good bool
	done chan struct{}
}

// Run reads objects from in, lets fn edit each, and writes it to out. fn runs
// on the given number of goroutines (less than one means one: then the
// records come in order). Where fn or the line itself fails, the record
// written is {"id","error"}, the error beginning with the number of the line.
// ok and bad count the records; err says that in or out failed, or that ctx
// ended, and then the rest is missing.
func Run(ctx context.Context, in io.Reader, out io.Writer, workers int, fn func(ctx context.Context, r Record) error) (ok, bad int, err error) {
	workers = max(1, workers)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work, order := make(chan *task), make(chan *task, 2*workers)
	readErr := make(chan error, 1)
	go func() {
		defer close(order)
		defer close(work)
		readErr <- read(ctx, in, func(t *task) bool {
			select {
			case order <- t:
			case <-ctx.Done():
				return false
			}
			work <- t // the workers go on until work is closed
			return true
		})
	}()
	finished := make(chan struct{})
	for range workers {
		go func() {
			for t := range work {
				t.run(ctx, fn)
			}
			finished <- struct{}{}
		}()
	}
	w := bufio.NewWriter(out)
	for t := range order {
		<-t.done
		if err != nil {
			continue // the rest is let run out, unwritten
		}
		if t.good {
			ok++
		} else {
			bad++
		}
		if _, err = w.Write(t.out); err != nil {
			cancel()
		}
	}
	for range workers {
		<-finished
	}
	return ok, bad, errors.Join(err, w.Flush(), <-readErr)
}

func (t *task) run(ctx context.Context, fn func(context.Context, Record) error) {
	defer close(t.done)
	var rec Record
	err := t.err
	if err == nil {
		if e := json.Unmarshal(t.raw, &rec); e != nil {
			err = presswatch.Errorf(presswatch.Invalid, "not a JSON object: %w", e)
		} else if rec == nil {
			err = presswatch.Errorf(presswatch.Invalid, "not a JSON object but null")
		}
	}
	t.raw = nil
	id := rec["id"]
	if err == nil {
		err = fn(ctx, rec)
	}
	t.good = err == nil
	if err != nil {
		if id == nil {
			id = json.RawMessage(`""`)
		}
		rec = Record{"id": id}
		rec.Set("error", presswatch.Errorf(presswatch.Invalid, "line %d: %w", t.line, err).Error())
	}
	b, e := encode(rec)
	if e != nil { // a field that fn set to no JSON
		t.good = false
		b = []byte(`{"id":"","error":"record cannot be written"}`)
	}
	t.out = append(b, '\n')
}

// read cuts in into lines until give says stop. A line beyond MaxLine is
// given as an error without being held.
func read(ctx context.Context, in io.Reader, give func(*task) bool) error {
	r := bufio.NewReaderSize(in, 64<<10)
	for n := 1; ; n++ {
		raw, long, err := line(r)
		if t := (&task{line: n, raw: raw, done: make(chan struct{})}); long || len(bytes.TrimSpace(raw)) > 0 {
			if long {
				t.err = presswatch.Errorf(presswatch.TooLarge, "longer than %d bytes", MaxLine)
			}
			if !give(t) {
				return ctx.Err()
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func line(r *bufio.Reader) (raw []byte, long bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if len(raw)+len(part) > MaxLine {
			raw, long = nil, true
		}
		if !long {
			raw = append(raw, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return raw, long, err
		}
	}
}
