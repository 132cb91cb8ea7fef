package pipeline

import (
	"context"
	"sync"

	"presswatch"
)

// Result is what became of one capture.
type Result struct {
	Item Item
	Err  error // see StageOf; nil also for a dropped item
}

// Process takes captures through the chain on the given number of goroutines
// (less than one means one) and answers in the order of the captures. Captures
// of one key run one after the other, in their order. The results come without
// the bodies. When ctx ends, what has
// not run fails as Unavailable.
func Process(ctx context.Context, chain Chain, captures []presswatch.Capture, workers int) []Result {
	out := make([]Result, len(captures))
	var keys [][]int
	at := make(map[string]int, len(captures))
	for i, c := range captures {
		k := c.Key()
		n, ok := at[k]
		if !ok {
			n = len(keys)
			at[k], keys = n, append(keys, nil)
		}
		keys[n] = append(keys[n], i)
	}
	work := make(chan []int)
	var wg sync.WaitGroup
	for range max(1, min(workers, len(keys))) {
		wg.Go(func() {
			for list := range work {
				for _, i := range list {
					out[i].Item.Capture = captures[i]
					out[i].Err = chain.Run(ctx, &out[i].Item)
					out[i].Item.Capture.Body = nil // by far the largest part, and read by nobody from here on
				}
			}
		})
	}
	for _, list := range keys {
		work <- list // the workers go on until work is closed, so this cannot hang
	}
	close(work)
	wg.Wait()
	return out
}
