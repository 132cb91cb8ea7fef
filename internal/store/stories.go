package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"presswatch"
)

const (
	// maxPosting is how many documents a key may stand for. One held by more
	// is on every page of a site, a menu or a disclaimer, and says nothing:
	// Candidates ignores it, and it is not added to.
	maxPosting = 200
	// maxCandidateKeys and maxStoryKeys bound one lookup and one entry.
	maxCandidateKeys = 4096
	maxStoryKeys     = 4096
	maxShingles      = 1 << 20
	// keyBatch is how many keys one statement reads or writes. The statements
	// are prepared once for this number; a short batch repeats its last key.
	keyBatch = 32
	idSize   = 4 // bytes of a document's number in a posting
)

// storyPlans are the prepared statements of the story memory.
type storyPlans struct {
	entry, newID, putDoc, setDoc, getKeys, putKeys, getDocs *sql.Stmt
}

func (p *storyPlans) close() {
	for _, s := range []*sql.Stmt{p.entry, p.newID, p.putDoc, p.setDoc, p.getKeys, p.putKeys, p.getDocs} {
		if s != nil {
			_ = s.Close()
		}
	}
}

// prepareStories prepares each statement once; parsing them anew costs more
// than running them.
func (db *DB) prepareStories(ctx context.Context) error {
	marks, pairs := make([]string, keyBatch), make([]string, keyBatch)
	for i := range keyBatch {
		marks[i] = fmt.Sprintf("$%d", i+1)
		pairs[i] = fmt.Sprintf("($%d, $%d)", 2*i+1, 2*i+2)
	}
	in := strings.Join(marks, ", ")
	for _, s := range []struct {
		to    **sql.Stmt
		query string
	}{
		{&db.plans.entry, `SELECT id, body FROM story_docs WHERE doc = $1`},
		{&db.plans.newID, `SELECT coalesce(max(id), 0) + 1 FROM story_docs`},
		{&db.plans.putDoc, `INSERT INTO story_docs (id, doc, body) VALUES ($1, $2, $3)`},
		{&db.plans.setDoc, `UPDATE story_docs SET body = $2 WHERE id = $1`},
		{&db.plans.getKeys, `SELECT key, docs FROM story_keys WHERE key IN (` + in + `)`},
		{&db.plans.putKeys, `INSERT INTO story_keys (key, docs) VALUES ` + strings.Join(pairs, ", ") +
			` ON CONFLICT (key) DO UPDATE SET docs = excluded.docs`},
		{&db.plans.getDocs, `SELECT id, body FROM story_docs WHERE id IN (` + in + `)`},
	} {
		st, err := db.story.PrepareContext(ctx, s.query)
		if err != nil {
			return db.wrap("prepare the story memory", err)
		}
		*s.to = st
	}
	return nil
}

// Update runs fn alone: no other Update, of this process or another, runs
// meanwhile. What fn puts survives the death of the process when Update
// returns nil (and a power cut, as far as the package comment says); it is
// gone when Update returns an error.
func (db *DB) Update(ctx context.Context, fn func(presswatch.StoryTx) error) error {
	return db.transact(ctx, db.story, nil, "update the story memory", func(tx *sql.Tx) error {
		if err := db.lock(ctx, tx, storiesLock); err != nil {
			return err
		}
		return fn(&storyTx{tx: tx, plans: &db.plans, wrap: db.wrap, postings: map[int64][]byte{}})
	})
}

// storyTx is the memory inside one Update. Since nothing else writes meanwhile,
// it keeps the postings it has read: Put finds there what Candidates looked up.
type storyTx struct {
	tx       *sql.Tx
	plans    *storyPlans
	wrap     func(string, error) error
	postings map[int64][]byte // by key; empty where there is none
}

// Entry returns what is remembered of a document.
func (s *storyTx) Entry(ctx context.Context, id presswatch.DocID) (presswatch.StoryEntry, bool, error) {
	_, e, ok, err := s.entry(ctx, id)
	return e, ok, s.wrap("read a story entry", err)
}

func (s *storyTx) entry(ctx context.Context, doc presswatch.DocID) (id int64, e presswatch.StoryEntry, ok bool, err error) {
	var body []byte
	err = s.tx.StmtContext(ctx, s.plans.entry).QueryRowContext(ctx, string(doc)).Scan(&id, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, e, false, nil
	}
	if err != nil {
		return 0, e, false, err
	}
	e, err = decodeEntry(body)
	return id, e, err == nil, err
}

// Candidates returns the entries that share most of the keys, most first and
// then in the order they came, at most limit. Keys held by more than 200
// documents count for nothing.
func (s *storyTx) Candidates(ctx context.Context, keys []uint64, limit int) ([]presswatch.StoryEntry, error) {
	if limit <= 0 || len(keys) == 0 {
		return nil, nil
	}
	if len(keys) > maxCandidateKeys {
		return nil, presswatch.Errorf(presswatch.TooLarge, "stories: %d keys to look for, the most is %d", len(keys), maxCandidateKeys)
	}
	signed := distinct(keys)
	if err := s.load(ctx, signed); err != nil {
		return nil, s.wrap("look for candidates", err)
	}
	shared := map[uint32]int{}
	for _, k := range signed {
		p := s.postings[k]
		if len(p) > maxPosting*idSize {
			continue
		}
		for ; len(p) >= idSize; p = p[idSize:] {
			shared[binary.BigEndian.Uint32(p)]++
		}
	}
	best := make([]uint32, 0, len(shared))
	for id := range shared {
		best = append(best, id)
	}
	slices.SortFunc(best, func(a, b uint32) int {
		return cmp.Or(shared[b]-shared[a], cmp.Compare(a, b))
	})
	if len(best) > limit {
		best = best[:limit]
	}
	entries, err := s.entries(ctx, best)
	return entries, s.wrap("look for candidates", err)
}

// entries returns the entries with these numbers, in their order.
func (s *storyTx) entries(ctx context.Context, ids []uint32) ([]presswatch.StoryEntry, error) {
	at := make(map[int64]int, len(ids))
	for i, id := range ids {
		at[int64(id)] = i
	}
	out, found := make([]presswatch.StoryEntry, len(ids)), 0
	for part := range slices.Chunk(ids, keyBatch) {
		args := padded(part, func(id uint32) any { return int64(id) })
		err := s.rows(ctx, s.plans.getDocs, args, func(id int64, body []byte) error {
			e, err := decodeEntry(body)
			out[at[id]] = e
			found++
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if found != len(ids) {
		return nil, presswatch.Errorf(presswatch.Internal, "stories: keys name %d documents, %d are there", len(ids), found)
	}
	return out, nil
}

// load reads the postings of keys that are not known yet.
func (s *storyTx) load(ctx context.Context, keys []int64) error {
	missing := make([]int64, 0, len(keys))
	for _, k := range keys {
		if _, ok := s.postings[k]; !ok {
			missing = append(missing, k)
			s.postings[k] = nil
		}
	}
	for part := range slices.Chunk(missing, keyBatch) {
		args := padded(part, func(k int64) any { return k })
		err := s.rows(ctx, s.plans.getKeys, args, func(k int64, docs []byte) error {
			s.postings[k] = docs
			return nil
		})
		if err != nil {
			for _, k := range missing { // not known after all
				delete(s.postings, k)
			}
			return err
		}
	}
	return nil
}

// rows runs a query that gives a number and bytes a row.
func (s *storyTx) rows(ctx context.Context, plan *sql.Stmt, args []any, fn func(int64, []byte) error) error {
	rows, err := s.tx.StmtContext(ctx, plan).QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	for rows.Next() {
		var (
			n int64
			b []byte
		)
		if err := rows.Scan(&n, &b); err != nil {
			return errors.Join(err, rows.Close())
		}
		if err := fn(n, b); err != nil {
			return errors.Join(err, rows.Close())
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

// padded is the arguments of one batch; the last one fills it up.
func padded[T any](part []T, arg func(T) any) []any {
	args := make([]any, keyBatch)
	for i := range args {
		args[i] = arg(part[min(i, len(part)-1)])
	}
	return args
}

// distinct sorts keys, drops doubles, and makes them what SQL can hold.
func distinct(keys []uint64) []int64 {
	out := make([]int64, len(keys))
	for i, k := range keys {
		out[i] = int64(k) // same bits
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Put remembers an entry in place of the one with its Doc.
func (s *storyTx) Put(ctx context.Context, e presswatch.StoryEntry) error {
	switch {
	case e.Doc == "":
		return presswatch.Errorf(presswatch.Invalid, "story entry: doc is empty")
	case len(e.Keys) > maxStoryKeys || len(e.Shingles) > maxShingles:
		return presswatch.Errorf(presswatch.TooLarge, "story entry %s: %d keys and %d shingles, the most is %d and %d",
			e.Doc, len(e.Keys), len(e.Shingles), maxStoryKeys, maxShingles)
	}
	return s.wrap("remember a story entry", s.put(ctx, e))
}

func (s *storyTx) put(ctx context.Context, e presswatch.StoryEntry) error {
	id, old, known, err := s.entry(ctx, e.Doc)
	if err != nil {
		return err
	}
	body := encodeEntry(e)
	if known && bytes.Equal(body, encodeEntry(old)) {
		return nil // the same message came again
	}
	if known {
		_, err = s.tx.StmtContext(ctx, s.plans.setDoc).ExecContext(ctx, id, body)
	} else if err = s.tx.StmtContext(ctx, s.plans.newID).QueryRowContext(ctx).Scan(&id); err == nil {
		if id > 1<<32-1 {
			return presswatch.Errorf(presswatch.TooLarge, "stories: the memory is full, at %d documents", id)
		}
		_, err = s.tx.StmtContext(ctx, s.plans.putDoc).ExecContext(ctx, id, string(e.Doc), body)
	}
	if err != nil {
		return err
	}
	return s.index(ctx, uint32(id), distinct(old.Keys), distinct(e.Keys))
}

// index makes a document be found under its new keys instead of its old ones.
func (s *storyTx) index(ctx context.Context, id uint32, was, is []int64) error {
	if err := s.load(ctx, append(slices.Clone(was), is...)); err != nil {
		return err
	}
	var changed []int64
	for _, k := range was {
		if _, still := slices.BinarySearch(is, k); still {
			continue
		}
		// A posting that ran over stays so: how many hold the key is not known.
		if p := s.postings[k]; len(p) <= maxPosting*idSize {
			s.postings[k] = without(p, id)
			changed = append(changed, k)
		}
	}
	for _, k := range is {
		p := s.postings[k]
		if len(p) <= maxPosting*idSize && !holds(p, id) {
			s.postings[k] = binary.BigEndian.AppendUint32(slices.Clip(p), id)
			changed = append(changed, k)
		}
	}
	for part := range slices.Chunk(changed, keyBatch) {
		if err := s.putKeys(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// putKeys writes the postings of at most keyBatch keys.
func (s *storyTx) putKeys(ctx context.Context, keys []int64) error {
	if len(keys) == keyBatch {
		args := make([]any, 0, 2*keyBatch)
		for _, k := range keys {
			args = append(args, k, s.posting(k))
		}
		_, err := s.tx.StmtContext(ctx, s.plans.putKeys).ExecContext(ctx, args...)
		return err
	}
	marks, args := make([]string, len(keys)), make([]any, 0, 2*len(keys))
	for i, k := range keys {
		marks[i] = fmt.Sprintf("($%d, $%d)", 2*i+1, 2*i+2)
		args = append(args, k, s.posting(k))
	}
	_, err := s.tx.ExecContext(ctx, `INSERT INTO story_keys (key, docs) VALUES `+strings.Join(marks, ", ")+
		` ON CONFLICT (key) DO UPDATE SET docs = excluded.docs`, args...)
	return err
}

func (s *storyTx) posting(k int64) []byte {
	if p := s.postings[k]; p != nil {
		return p
	}
	return []byte{}
}

func holds(p []byte, id uint32) bool {
	for ; len(p) >= idSize; p = p[idSize:] {
		if binary.BigEndian.Uint32(p) == id {
			return true
		}
	}
	return false
}

func without(p []byte, id uint32) []byte {
	out := make([]byte, 0, len(p))
	for ; len(p) >= idSize; p = p[idSize:] {
		if binary.BigEndian.Uint32(p) != id {
			out = append(out, p[:idSize]...)
		}
	}
	return out
}
