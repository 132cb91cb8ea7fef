package classifiers

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"presswatch"
)

// batchRecord is what RunBatch reads of a line.
type batchRecord struct {
	ID       json.RawMessage `json:"id"`
	Title    string          `json:"title"`
	Text     string          `json:"text"`
	URL      string          `json:"url"`
	Language string          `json:"language"`
	Lang     string          `json:"lang"`
	Source   string          `json:"source"`
	Kind     presswatch.Kind `json:"kind"`
}

// job is one line on its way; done is closed when out is there.
type job struct {
	n    int
	line []byte
	long bool
	out  []byte
	bad  bool
	done chan struct{}
}

// RunBatch classifies JSON lines: id, title, text, url, language, source (and
// kind, when it is known) in; the same line with risk, level, model and, with
// explain, evidence out, in the same order. Other fields pass through. A line
// that cannot be read gives {"id","error"} with its number and counts as bad;
// the run goes on. A line without language is read in the one it looks like.
// The error is that of in, out or ctx.
func RunBatch(ctx context.Context, in io.Reader, out io.Writer, e *Ensemble, explain bool) (ok, bad int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := runtime.GOMAXPROCS(0)
	work, order := make(chan *job), make(chan *job, 4*workers)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for j := range work {
				e.line(ctx, j, explain)
				close(j.done)
			}
		})
	}
	var readErr error
	wg.Go(func() {
		defer close(work)
		defer close(order)
		readErr = feed(ctx, in, work, order)
	})
	w := bufio.NewWriterSize(out, 1<<16)
	for j := range order {
		<-j.done
		if j.bad {
			bad++
		} else {
			ok++
		}
		if _, werr := w.Write(j.out); werr != nil && err == nil {
			err = presswatch.Errorf(presswatch.Unavailable, "output: %w", werr)
			cancel()
		}
	}
	wg.Wait()
	if werr := w.Flush(); err == nil && werr != nil {
		err = presswatch.Errorf(presswatch.Unavailable, "output: %w", werr)
	}
	if err == nil {
		err = readErr
	}
	return ok, bad, err
}

// feed cuts in into lines and hands them out, in order.
func feed(ctx context.Context, in io.Reader, work, order chan<- *job) error {
	r := bufio.NewReaderSize(in, 1<<16)
	for n := 1; ; n++ {
		line, long, err := readLine(r)
		if len(bytes.TrimSpace(line)) > 0 || long {
			j := &job{n: n, line: line, long: long, done: make(chan struct{})}
			select {
			case order <- j:
			case <-ctx.Done():
				return ctx.Err()
			}
			work <- j
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return presswatch.Errorf(presswatch.Unavailable, "input, line %d: %w", n, err)
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
}

// readLine reads one line of at most maxLine bytes; of a longer one it keeps
// nothing.
func readLine(r *bufio.Reader) (line []byte, long bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if long = long || len(line)+len(part) > maxLine; long {
			line = nil
		} else {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, long, err
		}
	}
}

// line works on one job.
func (e *Ensemble) line(ctx context.Context, j *job, explain bool) {
	var rec batchRecord
	fail := func(err error) {
		j.bad = true
		j.out = batchError(rec.ID, fmt.Errorf("line %d: %w", j.n, err))
	}
	if j.long {
		fail(fmt.Errorf("longer than %d bytes", maxLine))
		return
	}
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(j.line, &fields); err != nil {
		fail(err)
		return
	}
	rec.ID = fields["id"]
	if err := json.Unmarshal(j.line, &rec); err != nil {
		fail(err)
		return
	}
	d := rec.document()
	if d.Title == "" && d.Text == "" {
		fail(errors.New("title and text: both are empty"))
		return
	}
	if err := e.classify(ctx, &d, explain); err != nil {
		fail(err)
		return
	}
	j.out = batchResult(j.line, fields, d.Verdict, explain)
}

// document is the record as the signals see it.
func (r batchRecord) document() presswatch.Document {
	d := presswatch.Document{Kind: r.Kind, Title: r.Title, Text: r.Text, URL: r.URL, Source: presswatch.SourceID(r.Source), Language: r.Language}
	if d.Language == "" {
		d.Language = r.Lang
	}
	if d.Language == "" {
		d.Language = guessLanguage(d.Title + "\n" + d.Text)
	}
	return d
}

// batchResult adds the verdict to the line.
func batchResult(line []byte, fields map[string]json.RawMessage, v presswatch.Verdict, explain bool) []byte {
	add := []struct {
		key   string
		value any
	}{{"risk", v.Risk}, {"level", v.Level}, {"evidence", v.Evidence}, {"model", v.Model}}
	clash := false
	for _, a := range add {
		_, has := fields[a.key]
		clash = clash || has
	}
	var b bytes.Buffer
	if clash { // what comes in under our names is dropped, and the order of the others with it
		for _, a := range add {
			delete(fields, a.key)
		}
		line, _ = json.Marshal(fields)
	}
	b.Write(bytes.TrimSuffix(bytes.TrimSpace(line), []byte("}")))
	empty := len(fields) == 0
	for _, a := range add {
		if a.key == "evidence" && !explain {
			continue
		}
		if !empty {
			b.WriteByte(',')
		}
		empty = false
		value, _ := json.Marshal(a.value)
		fmt.Fprintf(&b, "%q:%s", a.key, value)
	}
	b.WriteString("}\n")
	return b.Bytes()
}

func batchError(id json.RawMessage, err error) []byte {
	if len(id) == 0 {
		id = json.RawMessage("null")
	}
	out, _ := json.Marshal(struct {
		ID    json.RawMessage `json:"id"`
		Error string          `json:"error"`
	}{id, err.Error()})
	return append(out, '\n')
}
