package stories

import (
	"cmp"
	"context"
	"slices"

	"presswatch"
)

// NewMemory makes a memory inside the process, for the batch command and
// tests. It grows with what is put into it, about 16 bytes a word.
func NewMemory() presswatch.StoryMemory {
	m := &memory{turn: make(chan struct{}, 1), entries: map[presswatch.DocID]presswatch.StoryEntry{}, byKey: map[uint64][]presswatch.DocID{}}
	m.turn <- struct{}{}
	return m
}

type memory struct {
	turn    chan struct{} // holds one token; who has it works alone
	entries map[presswatch.DocID]presswatch.StoryEntry
	byKey   map[uint64][]presswatch.DocID
}

// Update implements presswatch.StoryMemory.
func (m *memory) Update(ctx context.Context, fn func(presswatch.StoryTx) error) error {
	select {
	case <-m.turn:
	case <-ctx.Done():
		return presswatch.Errorf(presswatch.Unavailable, "stories: %w", ctx.Err())
	}
	tx, done := &memoryTx{m: m}, false
	defer func() {
		if !done { // fn failed, or panicked
			tx.undo()
		}
		m.turn <- struct{}{}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	done = true
	return nil
}

// memoryTx writes at once and remembers what was there before.
type memoryTx struct {
	m   *memory
	old []before
}

type before struct {
	id    presswatch.DocID
	entry presswatch.StoryEntry
	known bool
}

// Entry implements presswatch.StoryTx.
func (t *memoryTx) Entry(_ context.Context, id presswatch.DocID) (presswatch.StoryEntry, bool, error) {
	e, ok := t.m.entries[id]
	return e, ok, nil
}

// Candidates implements presswatch.StoryTx; of entries that share equally many
// keys the older comes first.
func (t *memoryTx) Candidates(_ context.Context, keys []uint64, limit int) ([]presswatch.StoryEntry, error) {
	shared := map[presswatch.DocID]int{}
	for _, k := range keys {
		for _, id := range t.m.byKey[k] {
			shared[id]++
		}
	}
	list := make([]presswatch.StoryEntry, 0, len(shared))
	for id := range shared {
		list = append(list, t.m.entries[id])
	}
	slices.SortFunc(list, func(a, b presswatch.StoryEntry) int {
		return cmp.Or(cmp.Compare(shared[b.Doc], shared[a.Doc]), cmp.Compare(a.At, b.At), cmp.Compare(a.Doc, b.Doc))
	})
	return list[:min(len(list), max(limit, 0))], nil
}

// Put implements presswatch.StoryTx.
func (t *memoryTx) Put(_ context.Context, e presswatch.StoryEntry) error {
	old, known := t.m.entries[e.Doc]
	t.old = append(t.old, before{e.Doc, old, known})
	if known {
		t.m.forget(old)
	}
	t.m.remember(e)
	return nil
}

func (t *memoryTx) undo() {
	for _, b := range slices.Backward(t.old) {
		t.m.forget(t.m.entries[b.id])
		delete(t.m.entries, b.id)
		if b.known {
			t.m.remember(b.entry)
		}
	}
}

func (m *memory) remember(e presswatch.StoryEntry) {
	m.entries[e.Doc] = e
	for _, k := range e.Keys {
		m.byKey[k] = append(m.byKey[k], e.Doc)
	}
}

func (m *memory) forget(e presswatch.StoryEntry) {
	for _, k := range e.Keys {
		rest := slices.DeleteFunc(m.byKey[k], func(id presswatch.DocID) bool { return id == e.Doc })
		if len(rest) == 0 {
			delete(m.byKey, k)
		} else {
			m.byKey[k] = rest
		}
	}
}
