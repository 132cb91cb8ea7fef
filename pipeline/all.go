package pipeline

import (
	"context"
	"log/slog"
	"time"

	"presswatch"
)

// Deps is what the stages need of other parts. The functions may be called by
// several goroutines at once.
type Deps struct {
	Place    func(ctx context.Context, d *presswatch.Document) error // sets d.Story; nil leaves it empty
	Classify func(ctx context.Context, d *presswatch.Document) error // sets d.Verdict; nil leaves it empty
	Log      *slog.Logger                                            // nil means slog.Default()
	Now      func() time.Time                                        // when records of RunBatch count as fetched; nil means time.Now
}

// All is every stage, in order.
func All(d Deps) Chain {
	return append(Extracting(d), d.with(
		Stories{Place: d.Place},
		Classify{Judge: d.Classify},
	)...)
}

// Extracting is the stages that need nothing but the capture: for the commands
// collect and extract.
func Extracting(d Deps) Chain {
	return d.with(
		Extract{},
		NewLanguage(),
		NewNormalise(), // a new stage is one new file and one line here
	)
}

func (d Deps) with(stages ...Stage) Chain {
	c := make(Chain, len(stages))
	for i, s := range stages {
		c[i] = logged{s, d.Log}
	}
	return c
}
