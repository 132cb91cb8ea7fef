package queue

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"time"

	"presswatch"
)

// WorkSpec says what a worker does. Zero values take the defaults named here.
type WorkSpec struct {
	Topic, Group string
	Stage        string // named in dead letters
	Attempts     int    // tries before a message becomes a dead letter; 3. What is Invalid or TooLarge has one

	// StageOf, when set, names the place of an error more closely; "" leaves Stage.
	StageOf func(error) string

	// Handle works on messages, of which no two have the same key, and returns
	// one error a message, nil where its effects are durable. Unavailable means
	// that something we depend on is away. A nil slice means that all went well.
	Handle func(ctx context.Context, msgs []presswatch.Message) []error

	Log        *slog.Logger
	BackoffMin time.Duration  // first pause before failed messages are tried again; 200 ms
	BackoffMax time.Duration  // longest pause; 15 s
	Rand       func() float64 // 0 to 1, for jitter; math/rand

	// Failed, when set, is told of every failed try: for metrics.
	Failed func(code presswatch.Code, dead bool)
}

// Work consumes spec.Topic until ctx ends, and does what a worker owes its
// messages. A message that failed as Unavailable is tried for as long as ctx
// lives, after growing pauses; one that failed otherwise, or panicked, up to
// Attempts times (once, when trying again cannot help), and then goes to the
// topic dead, with the reason and as it was. Finished messages are not run again while others of their batch are
// retried. Messages with the same key are worked on one after another, in
// order: a later one waits for an earlier one to be done or dead. Offsets are
// committed when the whole batch is done; whatever happens before, even to the
// process, the messages come again.
func Work(ctx context.Context, q presswatch.Queue, spec WorkSpec) error {
	if spec.Handle == nil {
		return presswatch.Errorf(presswatch.Invalid, "queue: work on %s: no Handle", spec.Topic)
	}
	spec.Attempts = cmp.Or(spec.Attempts, 3)
	spec.Log = cmp.Or(spec.Log, slog.Default())
	spec.BackoffMin = cmp.Or(spec.BackoffMin, 200*time.Millisecond)
	spec.BackoffMax = cmp.Or(spec.BackoffMax, 15*time.Second)
	if spec.Rand == nil {
		spec.Rand = rand.Float64
	}
	return q.Consume(ctx, spec.Topic, spec.Group, func(fctx context.Context, msgs []presswatch.Message) error {
		b := &work{WorkSpec: spec, q: q, life: ctx}
		for _, m := range msgs {
			b.jobs = append(b.jobs, &job{msg: m})
		}
		return b.run(fctx)
	})
}

// work is one batch being worked on.
type work struct {
	WorkSpec
	q    presswatch.Queue
	life context.Context // of the worker; ends before that of a running Handle
	jobs []*job
}

// job is one message of it.
type job struct {
	msg      presswatch.Message
	done     bool
	bury     bool // all attempts are used up; only the dead letter remains to be written
	attempts int  // that failed for a reason of its own
	err      error
}

// run returns nil when every message is done or dead.
func (w *work) run(ctx context.Context) error {
	for pauses := 0; ; {
		ready, tried := w.ready()
		if len(ready) == 0 {
			return nil
		}
		if ctx.Err() != nil {
			return presswatch.Errorf(presswatch.Unavailable, "queue: %s stopped with messages not done: %w", w.Stage, ctx.Err())
		}
		if tried { // nothing is left but what has failed before
			if w.life.Err() != nil || !w.wait(ctx, pauses) {
				return presswatch.Errorf(presswatch.Unavailable, "queue: %s stopped with messages not done: %w", w.Stage, ready[0].err)
			}
			pauses++
			w.Log.Warn("queue: trying again what failed", "stage", w.Stage, "topic", w.Topic, "messages", len(ready), "round", pauses, "err", ready[0].err)
		} else {
			pauses = 0
		}
		w.handle(ctx, ready)
	}
}

// wait pauses, and ends early when the worker or the delivery ends.
func (w *work) wait(ctx context.Context, pauses int) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(w.life, cancel)()
	return pause(ctx, pauses, w.BackoffMin, w.BackoffMax, w.Rand)
}

// ready lists the first unfinished message of every key; first of all those
// never tried, and when there are none, those that failed. Messages without a
// key do not wait for one another.
func (w *work) ready() (jobs []*job, tried bool) {
	var failed []*job
	seen := map[string]bool{}
	for _, j := range w.jobs {
		if j.done || j.msg.Key != "" && seen[j.msg.Key] {
			continue
		}
		seen[j.msg.Key] = true
		if j.err == nil {
			jobs = append(jobs, j)
		} else {
			failed = append(failed, j)
		}
	}
	if len(jobs) > 0 {
		return jobs, false
	}
	return failed, true
}

// handle runs messages once and notes what became of them.
func (w *work) handle(ctx context.Context, jobs []*job) {
	var run []*job
	for _, j := range jobs {
		if j.bury {
			w.toDead(ctx, j)
		} else {
			run = append(run, j)
		}
	}
	if len(run) == 0 {
		return
	}
	errs, panicked := w.call(ctx, run)
	if panicked && len(run) > 1 { // find out whose it is: one at a time
		for _, j := range run {
			w.handle(ctx, []*job{j})
		}
		return
	}
	for i, j := range run {
		w.note(ctx, j, errs[i])
	}
}

func (w *work) note(ctx context.Context, j *job, err error) {
	j.err = err
	switch code := presswatch.CodeOf(err); {
	case err == nil:
		j.done = true
	case ctx.Err() != nil: // stopped in the middle; nobody's fault
	case code == presswatch.Unavailable:
		w.failed(code, false)
	default:
		j.attempts++
		j.bury = j.attempts >= w.Attempts || code == presswatch.Invalid || code == presswatch.TooLarge
		w.failed(code, j.bury)
		if j.bury {
			w.toDead(ctx, j)
		}
	}
}

func (w *work) failed(code presswatch.Code, dead bool) {
	if w.Failed != nil {
		w.Failed(code, dead)
	}
}

// toDead writes the dead letter. While that fails the message is not done, so
// run comes back to it after a pause.
func (w *work) toDead(ctx context.Context, j *job) {
	if err := w.q.Publish(ctx, presswatch.TopicDead, deadMessage(w.WorkSpec, j)); err != nil {
		w.Log.Error("queue: dead letter not written, trying again", "stage", w.Stage, "topic", j.msg.Topic, "partition", j.msg.Partition, "offset", j.msg.Offset, "err", err)
		return
	}
	j.done = true
	w.Log.Error("queue: message given up", "stage", w.Stage, "topic", j.msg.Topic, "partition", j.msg.Partition, "offset", j.msg.Offset, "attempts", j.attempts, "err", j.err)
}

// call runs Handle; a panic is an error of all its messages.
func (w *work) call(ctx context.Context, jobs []*job) (errs []error, panicked bool) {
	msgs := make([]presswatch.Message, len(jobs))
	for i, j := range jobs {
		msgs[i] = j.msg
	}
	defer func() {
		if p := recover(); p != nil {
			w.Log.Error("queue: handler panicked", "stage", w.Stage, "messages", len(jobs), "panic", p, "stack", clip(string(debug.Stack()), maxDeadError))
			errs, panicked = same(len(jobs), presswatch.Errorf(presswatch.Internal, "panic: %v", p)), true
		}
	}()
	errs = w.Handle(ctx, msgs)
	switch {
	case errs == nil:
		errs = make([]error, len(jobs))
	case len(errs) != len(jobs):
		errs = same(len(jobs), fmt.Errorf("handler gave %d results for %d messages", len(errs), len(jobs)))
	}
	return errs, false
}

func same(n int, err error) []error {
	errs := make([]error, n)
	for i := range errs {
		errs[i] = err
	}
	return errs
}
