package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"presswatch"
	"presswatch/internal/store"
)

func entry(n int, keys ...uint64) presswatch.StoryEntry {
	id := presswatch.DocID(fmt.Sprintf("d%d", n))
	return presswatch.StoryEntry{
		Doc: id, Version: fmt.Sprintf("v%d", n), Language: "fr", At: int64(n) - 5,
		Story: presswatch.Story{ID: "s1", CopyGroup: "g", CopyOf: "d0", Relation: presswatch.Near, Similarity: 0.875},
		Keys:  keys, Shingles: []uint64{1, 1 << 63, 1<<64 - 1}, Numbers: []string{"1.000", "21/11"},
	}
}

func put(t *testing.T, db *store.DB, entries ...presswatch.StoryEntry) {
	t.Helper()
	err := db.Update(t.Context(), func(tx presswatch.StoryTx) error {
		for _, e := range entries {
			if err := tx.Put(t.Context(), e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// candidates returns the documents found under keys, in order.
func candidates(t *testing.T, db *store.DB, limit int, keys ...uint64) (ids []presswatch.DocID) {
	t.Helper()
	err := db.Update(t.Context(), func(tx presswatch.StoryTx) error {
		found, err := tx.Candidates(t.Context(), keys, limit)
		for _, e := range found {
			ids = append(ids, e.Doc)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func stories(t *testing.T, newURL func(testing.TB) string) {
	t.Run("an entry is kept whole, and found after a restart", func(t *testing.T) {
		url := newURL(t)
		db, _ := Open(t, url)
		want := entry(1, 10, 20, 1<<64-1)
		put(t, db, want, presswatch.StoryEntry{Doc: "bare"})
		again, _ := Open(t, url)
		err := again.Update(t.Context(), func(tx presswatch.StoryTx) error {
			for _, want := range []presswatch.StoryEntry{want, {Doc: "bare"}} {
				got, ok, err := tx.Entry(t.Context(), want.Doc)
				if err != nil || !ok || !cmp.Equal(want, got) {
					t.Errorf("found %v, err %v: %s", ok, err, cmp.Diff(want, got))
				}
			}
			_, ok, err := tx.Entry(t.Context(), "other")
			if ok || err != nil {
				t.Errorf("a document that never came: %v, %v", ok, err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("candidates come by the keys they share, then by age", func(t *testing.T) {
		db, _ := Open(t, newURL(t))
		put(t, db, entry(1, 1, 2, 3), entry(2, 2, 3, 4, 5), entry(3, 9), entry(4, 3, 4, 5))
		for name, tc := range map[string]struct {
			keys  []uint64
			limit int
			want  []presswatch.DocID
		}{
			"most first":            {[]uint64{3, 4, 5}, 9, []presswatch.DocID{"d2", "d4", "d1"}},
			"the limit cuts":        {[]uint64{3, 4, 5}, 2, []presswatch.DocID{"d2", "d4"}},
			"a key twice counts 1":  {[]uint64{1, 1, 1, 4, 5}, 1, []presswatch.DocID{"d2"}},
			"no key, nothing":       {nil, 9, nil},
			"limit 0, nothing":      {[]uint64{3}, 0, nil},
			"unknown keys, nothing": {[]uint64{77, 78}, 9, nil},
		} {
			if got := candidates(t, db, tc.limit, tc.keys...); !slices.Equal(got, tc.want) {
				t.Errorf("%s: got %v, want %v", name, got, tc.want)
			}
		}
	})
	t.Run("a document put again is found under its new keys only", func(t *testing.T) {
		db, _ := Open(t, newURL(t))
		put(t, db, entry(1, 1, 2, 3), entry(2, 2))
		put(t, db, entry(1, 3, 4), entry(1, 3, 4))
		for key, want := range map[uint64][]presswatch.DocID{1: nil, 2: {"d2"}, 3: {"d1"}, 4: {"d1"}} {
			if got := candidates(t, db, 9, key); !slices.Equal(got, want) {
				t.Errorf("key %d: got %v, want %v", key, got, want)
			}
		}
	})
	t.Run("a key of more than 200 documents is ignored", func(t *testing.T) {
		db, _ := Open(t, newURL(t))
		var all []presswatch.StoryEntry
		for i := range 200 {
			all = append(all, entry(i, 7))
		}
		put(t, db, all...)
		if got := candidates(t, db, 300, 7); len(got) != 200 {
			t.Errorf("%d candidates of 200", len(got))
		}
		put(t, db, entry(200, 7, 8), entry(201, 7, 8))
		if got := candidates(t, db, 300, 7); len(got) != 0 {
			t.Errorf("%d candidates under a key that says nothing", len(got))
		}
		if got := candidates(t, db, 300, 7, 8); !slices.Equal(got, []presswatch.DocID{"d200", "d201"}) {
			t.Errorf("got %v", got)
		}
	})
	storyEdges(t, newURL)
}

func storyEdges(t *testing.T, newURL func(testing.TB) string) {
	t.Run("what a failed update put is gone", func(t *testing.T) {
		db, _ := Open(t, newURL(t))
		put(t, db, entry(1, 1))
		mine := errors.New("mine")
		err := db.Update(t.Context(), func(tx presswatch.StoryTx) error {
			if err := tx.Put(t.Context(), entry(1, 2)); err != nil {
				return err
			}
			if err := tx.Put(t.Context(), entry(2, 1)); err != nil {
				return err
			}
			if got, err := tx.Candidates(t.Context(), []uint64{1, 2}, 9); err != nil || len(got) != 2 {
				t.Errorf("inside, %d candidates, %v; want 2", len(got), err)
			}
			return mine
		})
		if !errors.Is(err, mine) {
			t.Errorf("error %v hides the cause", err)
		}
		if got := candidates(t, db, 9, 1, 2); !slices.Equal(got, []presswatch.DocID{"d1"}) {
			t.Errorf("got %v", got)
		}
	})
	t.Run("many keys and many candidates", func(t *testing.T) {
		db, _ := Open(t, newURL(t))
		keys := make([]uint64, 1000)
		for i := range keys {
			keys[i] = uint64(i) * 0x9E3779B97F4A7C15
		}
		var all []presswatch.StoryEntry
		for i := range 90 {
			all = append(all, entry(i, keys[:1000-i]...))
		}
		put(t, db, all...)
		got := candidates(t, db, 80, keys...)
		if len(got) != 80 || got[0] != "d0" || got[79] != "d79" {
			t.Errorf("%d candidates: %v", len(got), got)
		}
	})
	t.Run("too much is refused", func(t *testing.T) {
		db, _ := Open(t, newURL(t))
		for want, e := range map[presswatch.Code]presswatch.StoryEntry{
			presswatch.Invalid: {}, presswatch.TooLarge: {Doc: "d", Keys: make([]uint64, 5000)},
		} {
			err := db.Update(t.Context(), func(tx presswatch.StoryTx) error { return tx.Put(t.Context(), e) })
			wantCode(t, err, want)
		}
		err := db.Update(t.Context(), func(tx presswatch.StoryTx) error {
			_, err := tx.Candidates(t.Context(), make([]uint64, 5000), 1)
			return err
		})
		wantCode(t, err, presswatch.TooLarge)
	})
	t.Run("an update that is given up is unavailable", func(t *testing.T) {
		db, _ := Open(t, newURL(t))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := db.Update(ctx, func(presswatch.StoryTx) error { return nil })
		wantCode(t, err, presswatch.Unavailable)
	})
}
