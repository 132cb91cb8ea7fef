package pipeline

import (
	"context"

	"presswatch"
)

// Stories gives the document its place among the others.
type Stories struct {
	Place func(ctx context.Context, d *presswatch.Document) error
}

// Name is "stories".
func (Stories) Name() string { return "stories" }

// Run calls Place; without one, the document keeps an empty Story.
func (s Stories) Run(ctx context.Context, it *Item) error {
	if s.Place == nil {
		return nil
	}
	return s.Place(ctx, &it.Doc)
}

// Classify gives the document its verdict.
type Classify struct {
	Judge func(ctx context.Context, d *presswatch.Document) error
}

// Name is "classify".
func (Classify) Name() string { return "classify" }

// Run calls Judge; without one, the document keeps an empty Verdict.
func (c Classify) Run(ctx context.Context, it *Item) error {
	if c.Judge == nil {
		return nil
	}
	return c.Judge(ctx, &it.Doc)
}
