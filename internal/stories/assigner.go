// Package stories gives each document its place among the others: whether it
// is the same text as one before it, a copy edited a little, or new.
package stories

import (
	"context"

	"presswatch"
)

// maxCandidates is how many remembered documents a text is compared with.
const maxCandidates = 24

// Assigner places documents. It is safe for concurrent use as far as its
// memory is.
type Assigner struct{ mem presswatch.StoryMemory }

// New makes an assigner that remembers in mem.
func New(mem presswatch.StoryMemory) *Assigner { return &Assigner{mem: mem} }

// Place sets d.Story. A document that was placed before in the same version
// gets the same answer; a new version stays where the first one was, and is
// found by its new text from then on. Errors are those of the memory, and then
// d is as before.
func (a *Assigner) Place(ctx context.Context, d *presswatch.Document) error {
	return a.PlaceAll(ctx, []*presswatch.Document{d})
}

// PlaceAll places documents in their order in one update of the memory: all or
// none.
func (a *Assigner) PlaceAll(ctx context.Context, docs []*presswatch.Document) error {
	sketches := make([]sketch, len(docs))
	for i, d := range docs {
		if d.ID == "" {
			return presswatch.Errorf(presswatch.Invalid, "a document without an id cannot be placed")
		}
		sketches[i] = newSketch(d.Title, d.Text)
	}
	placed := make([]presswatch.Story, len(docs))
	err := a.mem.Update(ctx, func(tx presswatch.StoryTx) error {
		for i, d := range docs {
			st, err := place(ctx, tx, d, sketches[i])
			if err != nil {
				return err
			}
			placed[i] = st
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, d := range docs {
		d.Story = placed[i]
	}
	return nil
}

func place(ctx context.Context, tx presswatch.StoryTx, d *presswatch.Document, s sketch) (presswatch.Story, error) {
	old, known, err := tx.Entry(ctx, d.ID)
	if err != nil {
		return presswatch.Story{}, err
	}
	if known {
		if old.Version == d.Version || d.Seq < old.At { // the same again, or one that comes late
			return old.Story, nil
		}
		return old.Story, tx.Put(ctx, s.entry(d, old.Story))
	}
	st, err := find(ctx, tx, d, s)
	if err != nil {
		return presswatch.Story{}, err
	}
	return st, tx.Put(ctx, s.entry(d, st))
}

// find looks for the text that d is a copy of.
func find(ctx context.Context, tx presswatch.StoryTx, d *presswatch.Document, s sketch) (presswatch.Story, error) {
	list, err := tx.Candidates(ctx, s.keys, maxCandidates)
	if err != nil {
		return presswatch.Story{}, err
	}
	st := presswatch.Story{ID: presswatch.StoryID("s" + string(d.ID)), CopyGroup: "g" + string(d.ID), Relation: presswatch.New}
	share := 0.0
	for _, e := range list {
		sh, rel := likeness(s, e)
		if rel == presswatch.New || rel == presswatch.Near && sh <= share {
			continue
		}
		joined, ok, err := join(ctx, tx, s, e, presswatch.Story{Relation: rel, Similarity: sh})
		if err != nil {
			return st, err
		}
		if !ok {
			continue
		}
		st, share = joined, sh
		if rel == presswatch.Exact {
			break
		}
	}
	return st, nil
}

// join makes the story of a text that is a copy of e. It says no when the
// first of e's group is a template of the text and no copy: a short extract
// between the two may hold no figures at all. Relation and similarity are
// those to the first, where it is alike; else those to e stand.
func join(ctx context.Context, tx presswatch.StoryTx, s sketch, e presswatch.StoryEntry, st presswatch.Story) (presswatch.Story, bool, error) {
	st.ID, st.CopyGroup, st.CopyOf = e.Story.ID, e.Story.CopyGroup, e.Story.CopyOf
	if st.CopyOf == "" {
		st.CopyOf = e.Doc
		return st, true, nil
	}
	first, ok, err := tx.Entry(ctx, st.CopyOf)
	if err != nil || !ok {
		return st, err == nil, err
	}
	share, rel := likeness(s, first)
	if rel == presswatch.New && otherFigures(s, first, share) {
		return st, false, nil
	}
	if rel != presswatch.New {
		st.Similarity, st.Relation = share, rel
	}
	return st, true, nil
}
