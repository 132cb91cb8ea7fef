package index

import (
	"runtime"
	"syscall"
	"testing"
	"time"

	"presswatch"
	"presswatch/internal/index/indextest"
)

// BenchmarkBlevePut measures what storing an article of 600 words costs, in
// CPU time of the whole process, merges and syncs included.
func BenchmarkBlevePut(b *testing.B) {
	docs := indextest.Corpus(2000, 600)
	idx, err := OpenBleve(b.TempDir(), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer idx.Close()
	n, before := 0, cpu()
	for b.Loop() {
		at := n % len(docs)
		batch := docs[at:min(at+100, len(docs))]
		for i := range batch { // each time another document, until the benchmark ends
			batch[i].CanonicalURL += "x"
			batch[i].ID = presswatch.NewDocID(batch[i].CanonicalURL)
		}
		if errs, err := idx.Put(b.Context(), batch); err != nil || errs[0] != nil {
			b.Fatal(err, errs[0])
		}
		n += len(batch)
	}
	used := cpu() - before
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(used.Microseconds())/float64(n)/1000, "cpu-ms/doc")
	b.ReportMetric(float64(n)/used.Seconds(), "docs/cpu-s")
	b.ReportMetric(float64(m.Sys)/(1<<20), "MB-sys")
}

func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkBlevePutSmall is the same in batches of ten, as a quiet stream gives
// them: each is synced, and merges are many.
func BenchmarkBlevePutSmall(b *testing.B) {
	docs := indextest.Corpus(b.N*10, 600)
	idx, err := OpenBleve(b.TempDir(), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer idx.Close()
	b.ResetTimer()
	before := cpu()
	for i := 0; i < len(docs); i += 10 {
		if errs, err := idx.Put(b.Context(), docs[i:i+10]); err != nil || errs[0] != nil {
			b.Fatal(err, errs[0])
		}
	}
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(len(docs))/1000, "cpu-ms/doc")
}

// BenchmarkBleveSearch measures searches over 20,000 short articles.
func BenchmarkBleveSearch(b *testing.B) {
	idx, err := OpenBleve(b.TempDir(), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer idx.Close()
	docs := indextest.Corpus(20_000, 60)
	for i := 0; i < len(docs); i += 200 {
		if errs, err := idx.Put(b.Context(), docs[i:i+200]); err != nil || errs[0] != nil {
			b.Fatal(err, errs[0])
		}
	}
	for name, q := range map[string]presswatch.Query{
		"words":  {Text: "chính phủ đắk lắk", Limit: 20},
		"phrase": {Text: `"chính phủ"`, Limit: 20},
		"all":    {Limit: 20, Facets: true, Interval: "week"},
		"facets": {Text: "của", Limit: 20, Facets: true, Interval: "day"},
		"prefix": {Text: "th*", Limit: 20},
		"since":  {Text: "của", Limit: 20, Since: time.Date(2025, 6, 1, 3, 0, 0, 0, time.UTC), MinRisk: 0.5},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := idx.Search(b.Context(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
