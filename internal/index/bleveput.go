package index

import (
	"context"
	"encoding/json"

	index "github.com/blevesearch/bleve_index_api"

	"presswatch"
)

// The limits of one bleve batch, which is held in memory whole.
const (
	batchDocs  = 200
	batchBytes = 4 << 20 // of JSON
)

// Put implements presswatch.Index.
func (b *bleveIndex) Put(ctx context.Context, docs []presswatch.Document) ([]error, error) {
	done, err := b.use()
	if err != nil {
		return nil, err
	}
	defer done()
	errs := make([]error, len(docs))
	var batch []*entry
	var at []int // the places of batch in docs
	size := 0
	flush := func() {
		if len(batch) == 0 {
			return
		}
		if err := b.write(batch); err != nil {
			for _, i := range at {
				errs[i] = err
			}
		}
		batch, at, size = batch[:0], at[:0], 0
	}
	for i, d := range docs {
		if err := ctx.Err(); err != nil {
			errs[i] = presswatch.Errorf(presswatch.Unavailable, "index: %w", err)
			continue
		}
		e, err := newEntry(d, b.analyzer)
		if err != nil {
			errs[i] = err
			continue
		}
		batch, at, size = append(batch, e), append(at, i), size+len(e.json)
		if len(batch) >= batchDocs || size >= batchBytes {
			flush()
		}
	}
	flush()
	return errs, nil
}

// write stores entries in one commit, leaving out those that are older than
// what is there. It returns when they are on the disk.
func (b *bleveIndex) write(entries []*entry) (err error) {
	defer caught(&err)
	b.writing.Lock()
	defer b.writing.Unlock()
	newest := map[string]*entry{}
	for _, e := range entries {
		if have := newest[e.id]; have == nil || e.seq >= have.seq {
			newest[e.id] = e
		}
	}
	reader, err := b.scorch.Reader()
	if err != nil {
		return presswatch.Errorf(presswatch.Unavailable, "index: %w", err)
	}
	defer reader.Close()
	st, err := readStats(reader)
	if err != nil {
		return presswatch.Errorf(presswatch.Internal, "index: statistics: %w", err)
	}
	if err := dropOlder(reader, newest, &st); err != nil {
		return presswatch.Errorf(presswatch.Internal, "index: %w", err)
	}
	if len(newest) == 0 {
		return nil
	}
	batch := index.NewBatch()
	for _, e := range newest {
		m := metaOf(e)
		st.add(m, 1)
		batch.Update(bleveDocument(e, m, b.enc.EncodeAll(e.json, nil)))
	}
	st.Batches++
	raw, err := json.Marshal(st)
	if err != nil {
		return presswatch.Errorf(presswatch.Internal, "index: %w", err)
	}
	batch.SetInternal(statsKey, raw)
	// The batch is not "unsafe" in scorch's words: Batch returns when its
	// segment file and the list of segments are synced.
	if err := b.scorch.Batch(batch); err != nil {
		return presswatch.Errorf(presswatch.Unavailable, "index: %w", err)
	}
	return nil
}

// dropOlder removes from newest what the index has in a higher Seq, and takes
// what will be replaced out of the statistics.
func dropOlder(reader index.IndexReader, newest map[string]*entry, st *stats) error {
	ids := make([]string, 0, len(newest))
	for id := range newest {
		ids = append(ids, id)
	}
	found, err := reader.DocIDReaderOnly(ids)
	if err != nil {
		return err
	}
	defer found.Close()
	for {
		internal, err := found.Next()
		if internal == nil || err != nil {
			return err
		}
		id, err := reader.ExternalID(internal)
		if err != nil {
			return err
		}
		m, err := storedMeta(reader, id)
		if err != nil {
			return err
		}
		if m.seq > newest[id].seq {
			delete(newest, id)
			continue
		}
		st.add(m, -1)
	}
}

func storedMeta(reader index.IndexReader, id string) (m meta, err error) {
	raw, err := stored(reader, id, fieldMeta)
	if err != nil {
		return m, err
	}
	m, ok := readMeta(raw)
	if !ok {
		return m, presswatch.Errorf(presswatch.Internal, "document %s: its record is damaged: %w", id, ErrRebuild)
	}
	return m, nil
}

// stored reads a stored field of a document; nil when there is no such
// document.
func stored(reader index.IndexReader, id, field string) (value []byte, err error) {
	d, err := reader.Document(id)
	if d == nil || err != nil {
		return nil, err
	}
	d.VisitFields(func(f index.Field) {
		if f.Name() == field {
			value = f.Value()
		}
	})
	if value == nil {
		return nil, presswatch.Errorf(presswatch.Internal, "document %s: no %s is stored: %w", id, field, ErrRebuild)
	}
	return value, nil
}
