package stories

import (
	"context"
	"io"
	"time"

	"presswatch"
	"presswatch/internal/jsonl"
	"presswatch/internal/text"
)

// RunBatch reads JSON lines with id, title, text, language, published and url,
// and writes them with copy_of, copy_group, story, relation and similarity.
// The records are placed in the order in which they come; other fields pass
// through untouched. A bad line gives {"id","error"} and counts as bad; err
// says that in or out failed.
func RunBatch(ctx context.Context, in io.Reader, out io.Writer, mem presswatch.StoryMemory) (ok, bad int, err error) {
	a, n := New(mem), int64(0)
	return jsonl.Run(ctx, in, out, 1, func(ctx context.Context, r jsonl.Record) error {
		n++
		d, err := documentOf(r, n)
		if err != nil {
			return err
		}
		if err := a.Place(ctx, &d); err != nil {
			return err
		}
		write(r, d.Story)
		return nil
	})
}

// documentOf makes a document of a record. Its ID is the record's own, so that
// copy_of names records.
func documentOf(r jsonl.Record, seq int64) (d presswatch.Document, err error) {
	var id, published string
	for name, to := range map[string]*string{"id": &id, "title": &d.Title, "text": &d.Text, "language": &d.Language, "url": &d.URL, "published": &published} {
		if *to, err = r.String(name); err != nil {
			return d, err
		}
	}
	if id == "" {
		return d, presswatch.Errorf(presswatch.Invalid, "id is empty")
	}
	d.Title, d.Text = text.Clean(d.Title), text.Clean(d.Text)
	if d.Title == "" && d.Text == "" {
		return d, presswatch.Errorf(presswatch.Invalid, "neither title nor text")
	}
	if t, e := time.Parse(time.RFC3339, published); e == nil {
		d.Published = t
	}
	d.ID, d.Version, d.Seq = presswatch.DocID(id), presswatch.ContentVersion(d.Title, d.Text), seq
	return d, nil
}

func write(r jsonl.Record, s presswatch.Story) {
	var of *presswatch.DocID
	if s.CopyOf != "" {
		of = &s.CopyOf
	}
	r.Set("copy_of", of)
	r.Set("copy_group", s.CopyGroup)
	r.Set("story", s.ID)
	r.Set("relation", s.Relation)
	r.Set("similarity", s.Similarity)
}
