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
