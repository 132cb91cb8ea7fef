// Package pipeline turns a capture into a document: stages that each do one
// thing, run in the order in which all.go lists them.
package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"

	"presswatch"
)

// Item is what travels through a chain: the capture as it came, and the
// document that the stages make of it.
type Item struct {
	Capture  presswatch.Capture
	Doc      presswatch.Document
	Dropped  string // why the item goes no further; empty while it does
	LangHint string // BCP 47, what the page or the source says of its language
}

// Stage does one thing to an item: it edits it or drops it.
type Stage interface {
	// Name is one lower-case word; it is written beside errors.
	Name() string
	// Run edits the item, or sets Dropped, or says what is wrong. It may be
	// called by several goroutines at once, each with an item of its own.
	Run(ctx context.Context, it *Item) error
}

// Chain runs its stages in order until one fails or the item is dropped.
type Chain []Stage

// Run takes one item through the chain. An error carries the name of the stage
// (see StageOf) and keeps its code. A stage that panics gives an Internal
// error which names the stage and the address; the stack is logged.
func (c Chain) Run(ctx context.Context, it *Item) error {
	for _, s := range c {
		if err := ctx.Err(); err != nil {
			return &stageError{s.Name(), presswatch.Errorf(presswatch.Unavailable, "stopped: %w", err)}
		}
		if err := guarded(ctx, s, it); err != nil {
			return &stageError{s.Name(), err}
		}
		if it.Dropped != "" {
			return nil
		}
	}
	return nil
}

// StageOf is the name of the stage in which the error arose, or "".
func StageOf(err error) string {
	if e := (*stageError)(nil); errors.As(err, &e) {
		return e.stage
	}
	return ""
}

type stageError struct {
	stage string
	err   error
}

func (e *stageError) Error() string { return e.stage + ": " + e.err.Error() }
func (e *stageError) Unwrap() error { return e.err }

// guarded runs one stage and makes an error of a panic: what is read is
// hostile, and one page must not end the process.
func guarded(ctx context.Context, s Stage, it *Item) (err error) {
	defer func() {
		if p := recover(); p != nil {
			loggerOf(s).ErrorContext(ctx, "a stage panicked", "stage", s.Name(), "url", it.Capture.URL, "capture", it.Capture.ID, "panic", p, "stack", string(debug.Stack()))
			err = presswatch.Errorf(presswatch.Internal, "panic on %s: %v", it.Capture.URL, p)
		}
	}()
	return s.Run(ctx, it)
}

// logged gives a stage the log that its panics go to.
type logged struct {
	Stage
	log *slog.Logger
}

func loggerOf(s Stage) *slog.Logger {
	if l, ok := s.(logged); ok && l.log != nil {
		return l.log
	}
	return slog.Default()
}
