package store_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"presswatch"
	"presswatch/internal/store"
	"presswatch/internal/store/storetest"
)

// article makes what is remembered of an article of ordinary length: 100 keys
// and 800 shingles; a fifth of the keys it shares with others.
func article(r *rand.Rand, n int) presswatch.StoryEntry {
	e := presswatch.StoryEntry{
		Doc: presswatch.NewDocID(fmt.Sprint(n)), Version: "v", Language: "fr",
		Story: presswatch.Story{ID: "s", CopyGroup: "g", Relation: presswatch.New}, At: int64(n),
		Keys: make([]uint64, 100), Shingles: make([]uint64, 800),
	}
	for i := range e.Shingles {
		e.Shingles[i] = r.Uint64()
	}
	for i := range e.Keys {
		e.Keys[i] = r.Uint64()
		if i < 20 {
			e.Keys[i] %= 5000 // shared
		}
	}
	return e
}

func fill(tb testing.TB, db *store.DB, r *rand.Rand, docs int) {
	for n := 0; n < docs; n += 250 {
		err := db.Update(tb.Context(), func(tx presswatch.StoryTx) error {
			for i := n; i < n+250; i++ {
				if err := tx.Put(tb.Context(), article(r, i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkStory is one document placed among 10,000 in its own update, and in
// updates of 50 documents; cpu-ms/doc is what counts.
func BenchmarkStory(b *testing.B) {
	for _, batch := range []int{1, 50} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			db, err := store.Open(b.Context(), storetest.SQLite(b), slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			r := rand.New(rand.NewPCG(1, 2))
			fill(b, db, r, 10_000)
			n := 10_000
			before := cpu()
			b.ResetTimer()
			for range b.N {
				err := db.Update(b.Context(), func(tx presswatch.StoryTx) error {
					for range batch {
						e := article(r, n)
						n++
						if _, err := tx.Candidates(b.Context(), e.Keys, 10); err != nil {
							return err
						}
						if err := tx.Put(b.Context(), e); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			docs := float64(b.N * batch)
			b.ReportMetric(float64((cpu()-before).Microseconds())/1000/docs, "cpu-ms/doc")
			b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/docs, "ms/doc")
		})
	}
}

// BenchmarkVerifyEvents walks a chain of 20,000 events.
func BenchmarkVerifyEvents(b *testing.B) {
	db, err := store.Open(b.Context(), storetest.SQLite(b), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	const events = 20_000
	before := time.Now()
	for n := 0; n < events; n += 500 {
		docs := make([]presswatch.Document, 500)
		for i := range docs {
			docs[i] = presswatch.Document{ID: presswatch.NewDocID(fmt.Sprint(n + i)), Title: "tựa bài", Verdict: presswatch.Verdict{Risk: 0.5}}
		}
		if _, err := db.OpenCases(b.Context(), docs); err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("opened %d cases, %v each", events, time.Since(before)/events)
	b.ResetTimer()
	for range b.N {
		if n, err := db.VerifyEvents(b.Context()); n != events || err != nil {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(b.N)*events/b.Elapsed().Seconds(), "events/s")
}
