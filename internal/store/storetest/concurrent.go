package storetest

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"presswatch"
	"presswatch/internal/store"
)

// workers is how many run at once; half of them share each of two handles, as
// two processes would.
const workers = 6

// race runs fn in all workers and waits for them.
func race(a, b *store.DB, fn func(worker int, db *store.DB)) {
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() { fn(w, []*store.DB{a, b}[w%2]) })
	}
	wg.Wait()
}

func concurrent(t *testing.T, newURL func(testing.TB) string) {
	t.Run("a new database is opened by all", func(t *testing.T) {
		url := newURL(t)
		race(nil, nil, func(int, *store.DB) {
			db, err := store.Open(t.Context(), url, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Error(err)
				return
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	})
	url := newURL(t)
	a, _ := Open(t, url)
	b, _ := Open(t, url)
	t.Run("a document opens one case", func(t *testing.T) {
		var opened atomic.Int64
		race(a, b, func(w int, db *store.DB) {
			for i := range 10 {
				n, err := db.OpenCases(t.Context(), []presswatch.Document{doc(i, 0.5), doc(i+1, 0.5)})
				if err != nil {
					t.Error(err)
				}
				opened.Add(int64(n))
			}
		})
		if page := must(a.ListCases(t.Context(), presswatch.CaseQuery{}))(t); opened.Load() != 11 || page.Total != 11 {
			t.Errorf("%d opened, %d there; want 11", opened.Load(), page.Total)
		}
	})
	t.Run("of all decisions on a version, one wins", func(t *testing.T) {
		id := presswatch.NewCaseID(doc(3, 0).ID)
		var won atomic.Int64
		race(a, b, func(w int, db *store.DB) {
			switch _, err := db.Decide(t.Context(), id, 1, decision(fmt.Sprintf("user%d", w))); presswatch.CodeOf(err) {
			case "":
				won.Add(1)
			case presswatch.Conflict:
			default:
				t.Error(err)
			}
		})
		if won.Load() != 1 {
			t.Errorf("%d won", won.Load())
		}
	})
	t.Run("the chain is whole", func(t *testing.T) {
		if n, err := a.VerifyEvents(t.Context()); n != 12 || err != nil {
			t.Errorf("%d good events, %v", n, err)
		}
		if n, err := b.VerifyCases(t.Context()); n != 11 || err != nil {
			t.Errorf("%d good cases, %v", n, err)
		}
	})
	t.Run("a link lets one in", func(t *testing.T) {
		if err := a.AddUser(t.Context(), user("anna")); err != nil {
			t.Fatal(err)
		}
		if err := a.NewLink(t.Context(), "anna", []byte("h"), Start.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		var in atomic.Int64
		race(a, b, func(w int, db *store.DB) {
			if _, err := db.UseLink(t.Context(), []byte("h"), Start); err == nil {
				in.Add(1)
			}
		})
		if in.Load() != 1 {
			t.Errorf("%d got in", in.Load())
		}
	})
	t.Run("updates of stories run one at a time", func(t *testing.T) { storyRace(t, a, b) })
}

// storyRace counts in a shared entry: a lost update would miss a number.
func storyRace(t *testing.T, a, b *store.DB) {
	var inside atomic.Int64
	race(a, b, func(w int, db *store.DB) {
		for range 8 {
			err := db.Update(t.Context(), func(tx presswatch.StoryTx) error {
				if n := inside.Add(1); n != 1 {
					t.Errorf("%d updates at once", n)
				}
				defer inside.Add(-1)
				e, _, err := tx.Entry(t.Context(), "counter")
				if err != nil {
					return err
				}
				e.Doc = "counter"
				e.At++
				e.Keys = []uint64{uint64(e.At)}
				return tx.Put(t.Context(), e)
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
	if got := candidates(t, a, 9, 8*workers); !slices.Equal(got, []presswatch.DocID{"counter"}) {
		t.Errorf("the last number is not %d", 8*workers)
	}
}
