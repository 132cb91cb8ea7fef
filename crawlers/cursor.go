package crawlers

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"time"

	"presswatch"
)

const (
	maxSeen    = 2000 // items that are remembered a source; more than maxListed
	maxListed  = 1000 // items of a listing that are looked at
	maxPending = 200  // items that wait for another try
	maxAgain   = 3    // times that an item is taken again because it changed
)

// state is what a source's cursor holds: what has been published already, and
// what could not be had yet. It is saved after what it tells of was published,
// so a crash in between publishes twice and loses nothing.
type state struct {
	ETag         string    `json:"etag,omitempty"`
	LastModified string    `json:"last_modified,omitempty"`
	Seen         []byte    `json:"seen,omitempty"` // records of seenSize, the one listed last at the end
	Pending      []pending `json:"pending,omitempty"`

	marks map[uint64]mark
	order []uint64 // may name a key more than once; its last place counts
}

// mark is what is remembered of an item: its version, and how often it was
// taken again.
type mark struct {
	version uint32 // Unix time that the listing says it was changed
	again   uint8
}

const seenSize = 8 + 4 + 1

// pending is an item to be tried again.
type pending struct {
	Key   uint64           `json:"key"`
	URL   string           `json:"url"`
	Hints presswatch.Hints `json:"hints"`
	Tries int              `json:"tries"`
}

// keyOf makes the key of an item from what names it.
func keyOf(name string) uint64 {
	sum := sha256.Sum256([]byte(name))
	return binary.BigEndian.Uint64(sum[:8])
}

func cursorName(id presswatch.SourceID) string { return "crawler/" + string(id) }

// loadState reads the cursor of a source. One that cannot be understood is as
// good as none: what was published is published again, and nothing is lost.
func loadState(ctx context.Context, env *Env, s Source) (*state, error) {
	st := &state{marks: map[uint64]mark{}}
	b, err := env.Cursors.Cursor(ctx, cursorName(s.ID))
	if err != nil {
		return nil, presswatch.Errorf(presswatch.CodeOf(err), "cursor of %s: %w", s.ID, err)
	}
	if len(b) == 0 {
		return st, nil
	}
	if err := json.Unmarshal(b, st); err != nil || len(st.Seen)%seenSize != 0 {
		env.Log.Warn("the cursor cannot be read; starting anew", "source", s.ID, "error", err)
		return &state{marks: map[uint64]mark{}}, nil
	}
	for r := st.Seen; len(r) > 0; r = r[seenSize:] {
		k := binary.BigEndian.Uint64(r)
		st.marks[k] = mark{binary.BigEndian.Uint32(r[8:]), r[12]}
		st.order = append(st.order, k)
	}
	return st, nil
}

// save keeps the state, durably.
func (st *state) save(ctx context.Context, env *Env, s Source) error {
	st.trim()
	st.Seen = st.Seen[:0]
	for _, k := range st.order {
		m := st.marks[k]
		st.Seen = binary.BigEndian.AppendUint64(st.Seen, k)
		st.Seen = append(binary.BigEndian.AppendUint32(st.Seen, m.version), m.again)
	}
	b, err := json.Marshal(st)
	if err == nil {
		err = env.Cursors.SetCursor(ctx, cursorName(s.ID), b)
	}
	if err != nil {
		return presswatch.Errorf(presswatch.CodeOf(err), "cursor of %s: %w", s.ID, err)
	}
	return nil
}

// trim leaves each key once in order, at its last place, and at most maxSeen.
func (st *state) trim() {
	kept, last := make([]uint64, 0, len(st.marks)), map[uint64]bool{}
	for i := len(st.order) - 1; i >= 0; i-- {
		k := st.order[i]
		if last[k] {
			continue
		}
		if last[k] = true; len(kept) < maxSeen {
			kept = append(kept, k)
		} else {
			delete(st.marks, k)
		}
	}
	for i, j := 0, len(kept)-1; i < j; i, j = i+1, j-1 {
		kept[i], kept[j] = kept[j], kept[i]
	}
	st.order = kept
}

// wants reports whether an item is new, or has changed since it was taken. A
// listing that changes the date at every look is believed maxAgain times.
func (st *state) wants(it item) bool {
	m, ok := st.marks[it.key]
	if !ok {
		return true
	}
	st.order = append(st.order, it.key) // still listed: forget it last
	return it.version() > m.version && m.again < maxAgain
}

// took remembers an item as dealt with.
func (st *state) took(it item) {
	m, known := st.marks[it.key]
	if v := it.version(); v > m.version {
		m.version = v
		if known {
			m.again++
		}
	}
	st.marks[it.key] = m
	st.order = append(st.order, it.key)
}

// item is one entry of a listing.
type item struct {
	key     uint64
	url     string
	hints   presswatch.Hints
	changed time.Time // when the listing says it was last changed; zero if it does not
	body    []byte    // of a post: what the listing has of it, HTML
	at      time.Time // of a post: when the listing was fetched
	tries   int       // how often it failed before
}

func (it item) version() uint32 {
	return uint32(min(max(it.changed.Unix(), 0), 1<<32-1))
}
