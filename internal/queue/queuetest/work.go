package queuetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"presswatch"
	"presswatch/internal/queue"
)

func deadline(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// stopAfter is q, but its Consume ends once enough says so after a batch that
// was done.
func stopAfter(q presswatch.Queue, enough func() bool) presswatch.Queue { return stopping{q, enough} }

type stopping struct {
	presswatch.Queue
	enough func() bool
}

func (s stopping) Consume(ctx context.Context, topic, group string, fn func(context.Context, []presswatch.Message) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return s.Queue.Consume(ctx, topic, group, func(fctx context.Context, msgs []presswatch.Message) error {
		err := fn(fctx, msgs)
		if err == nil && s.enough() {
			cancel()
		}
		return err
	})
}

func spec(j *journal, each func(presswatch.Message) error) queue.WorkSpec {
	return queue.WorkSpec{
		Topic: topic, Group: "g", Stage: "test", Log: slog.New(slog.DiscardHandler), BackoffMin: time.Millisecond, BackoffMax: 10 * time.Millisecond,
		Handle: func(_ context.Context, msgs []presswatch.Message) []error {
			errs := make([]error, len(msgs))
			for i, m := range msgs {
				if errs[i] = each(m); errs[i] == nil {
					j.add("done %s", m.Value)
				} else {
					j.add("failed %s", m.Value)
				}
			}
			return errs
		},
	}
}

func list(t testing.TB, q presswatch.Queue) []presswatch.DeadLetter {
	t.Helper()
	l, err := q.(Dead).ListDead(t.Context(), 0)
	must(t, err)
	return l
}

var errAway = presswatch.Errorf(presswatch.Unavailable, "the index is away")

func outage(t *testing.T, q presswatch.Queue) {
	want := messages(40, 40)
	must(t, q.Publish(t.Context(), topic, want...))
	var j journal
	fails := map[string]int{"3": 8, "17": 5} // more often than Attempts
	s := spec(&j, func(m presswatch.Message) error {
		if fails[string(m.Value)]--; fails[string(m.Value)] >= 0 {
			return errAway
		}
		return nil
	})
	must(t, queue.Work(deadline(t), stopAfter(q, func() bool { return allDone(&j, len(want)) }), s))
	for i := range want {
		if n := j.count(fmt.Sprint("done ", i)); n != 1 {
			t.Errorf("message %d was done %d times, want once", i, n)
		}
	}
	if a, b := j.count("failed 3"), j.count("failed 17"); a != 8 || b != 5 {
		t.Errorf("failed %d and %d times, want 8 and 5", a, b)
	}
	if l := list(t, q); len(l) != 0 {
		t.Errorf("an outage made %d dead letters", len(l))
	}
}

func allDone(j *journal, n int) bool {
	for i := range n {
		if j.count(fmt.Sprint("done ", i)) == 0 {
			return false
		}
	}
	return true
}

func keyOrder(t *testing.T, q presswatch.Queue) {
	const n = 12
	want := messages(n, 3)
	must(t, q.Publish(t.Context(), topic, want...))
	var j journal
	tries := map[string]int{}
	s := spec(&j, func(m presswatch.Message) error {
		tries[string(m.Value)]++
		switch {
		case string(m.Value) == "3" && tries["3"] <= 4:
			return errAway
		case string(m.Value) == "4":
			return errors.New("poisoned")
		}
		return nil
	})
	must(t, queue.Work(deadline(t), stopAfter(q, func() bool { return j.count("done 9") > 0 && j.count("done 10") > 0 && j.count("done 11") > 0 }), s))
	last := map[int]int{}
	for _, line := range j.all() {
		var what string
		var i int
		_, _ = fmt.Sscan(line, &what, &i)
		if before, ok := last[i%3]; ok && i < before {
			t.Errorf("%d was tried after %d of the same key: %v", i, before, j.all())
		}
		last[i%3] = i
	}
	if got := j.count("failed 3"); got != 4 || tries["4"] != 3 {
		t.Errorf("message 3 failed %d times, want 4; message 4 was tried %d times, want 3", got, tries["4"])
	}
}

func stoppedInOutage(t *testing.T, q presswatch.Queue) {
	want := messages(10, 10)
	must(t, q.Publish(t.Context(), topic, want...))
	var j journal
	ctx, cancel := context.WithCancel(deadline(t))
	s := spec(&j, func(m presswatch.Message) error {
		if string(m.Value) == "5" {
			if j.count("failed 5") >= 3 {
				cancel()
			}
			return errAway
		}
		return nil
	})
	must(t, queue.Work(ctx, q, s))
	j = journal{}
	s = spec(&j, func(presswatch.Message) error { return nil })
	must(t, queue.Work(deadline(t), stopAfter(q, func() bool { return j.count("done 5") > 0 }), s))
}

func poisoned(t *testing.T, q presswatch.Queue) {
	want := messages(10, 10)
	want[4].Headers = map[string]string{"ce_id": "4"}
	must(t, q.Publish(t.Context(), topic, want...))
	var j journal
	s := spec(&j, func(m presswatch.Message) error {
		if string(m.Value) == "4" {
			return presswatch.Errorf(presswatch.Internal, "cannot read it: %s", "ấ\xffx")
		}
		return nil
	})
	s.Attempts = 5
	s.StageOf = func(error) string { return "reading" }
	must(t, queue.Work(deadline(t), stopAfter(q, func() bool { return len(j.all()) >= 14 }), s))
	if n := j.count("failed 4"); n != 5 {
		t.Errorf("tried %d times, want 5", n)
	}
	l := list(t, q)
	if len(l) != 1 {
		t.Fatalf("%d dead letters, want 1", len(l))
	}
	d, err := q.(Dead).DeadByID(t.Context(), l[0].ID)
	must(t, err)
	if d.Topic != topic || d.Group != "g" || d.Stage != "reading" || d.Attempts != 5 || d.Code != presswatch.Internal || d.Time.IsZero() ||
		d.Error != "cannot read it: ấx" || d.Message.Key != "key-4" || string(d.Message.Value) != "4" || fmt.Sprint(d.Message.Headers) != "map[ce_id:4]" {
		t.Errorf("got %+v", d)
	}
}

func hopeless(t *testing.T, q presswatch.Queue) {
	must(t, q.Publish(t.Context(), topic, messages(3, 3)...))
	var j journal
	s := spec(&j, func(m presswatch.Message) error {
		if string(m.Value) == "1" {
			return presswatch.Errorf(presswatch.Invalid, "no text")
		}
		return nil
	})
	must(t, queue.Work(deadline(t), stopAfter(q, func() bool { return len(j.all()) >= 3 }), s))
	if n := j.count("failed 1"); n != 1 {
		t.Errorf("tried %d times, want once: trying again cannot help", n)
	}
	if l := list(t, q); len(l) != 1 || l[0].Attempts != 1 {
		t.Errorf("dead letters %+v, want one after one try", l)
	}
}

func panics(t *testing.T, q presswatch.Queue) {
	want := messages(20, 20)
	must(t, q.Publish(t.Context(), topic, want...))
	var j journal
	s := spec(&j, func(m presswatch.Message) error {
		if string(m.Value) == "7" || string(m.Value) == "8" {
			j.add("panic %s", m.Value)
			panic("cannot bear " + string(m.Value))
		}
		return nil
	})
	must(t, queue.Work(deadline(t), stopAfter(q, func() bool { return len(list(t, q)) == 2 && j.count("done 19") > 0 }), s))
	var errs []string
	for _, d := range list(t, q) {
		errs = append(errs, fmt.Sprint(d.Error, " ", d.Code, " ", d.Attempts))
	}
	slices.Sort(errs)
	if want := []string{"panic: cannot bear 7 internal 3", "panic: cannot bear 8 internal 3"}; !slices.Equal(errs, want) {
		t.Errorf("dead letters %q, want %q", errs, want)
	}
	for i := range want {
		if i != 7 && i != 8 && j.count(fmt.Sprint("done ", i)) == 0 {
			t.Errorf("message %d was not done", i)
		}
	}
}

func forgets(t *testing.T, q presswatch.Queue) {
	must(t, q.Publish(t.Context(), topic, messages(2, 2)...))
	s := queue.WorkSpec{Topic: topic, Group: "g", Attempts: 1, Log: slog.New(slog.DiscardHandler), Handle: func(_ context.Context, msgs []presswatch.Message) []error {
		return make([]error, len(msgs)+1)
	}}
	must(t, queue.Work(deadline(t), stopAfter(q, func() bool { return len(list(t, q)) == 2 }), s))
}

func deadLetters(t *testing.T, q presswatch.Queue) {
	d := q.(Dead)
	want := messages(6, 6)
	must(t, q.Publish(t.Context(), topic, want...))
	var j journal
	s := spec(&j, func(presswatch.Message) error { return errors.New("no") })
	s.Attempts = 1
	must(t, queue.Work(deadline(t), stopAfter(q, func() bool { return len(list(t, q)) == 6 }), s))

	l := list(t, q)
	if two, err := d.ListDead(t.Context(), 2); err != nil || len(two) != 2 || two[0].ID != l[0].ID {
		t.Errorf("the newest two of %v are %v (err %v)", l, two, err)
	}
	for id, want := range map[string]presswatch.Code{"0-99": presswatch.NotFound, "9-0": presswatch.NotFound, "x": presswatch.Invalid, "0--1": presswatch.Invalid} {
		if _, err := d.DeadByID(t.Context(), id); presswatch.CodeOf(err) != want {
			t.Errorf("show %s: %v, want %s", id, err, want)
		}
		if n, err := d.RetryDead(t.Context(), false, l[0].ID, id); presswatch.CodeOf(err) != want || n != 0 {
			t.Errorf("retry %s: %d, %v, want %s", id, n, err, want)
		}
	}
	retry := func(dry bool, want, left int, ids ...string) {
		t.Helper()
		if n, err := d.RetryDead(t.Context(), dry, ids...); err != nil || n != want {
			t.Errorf("retry %v: %d, %v; want %d", ids, n, err, want)
		}
		if got := list(t, q); len(got) != left {
			t.Errorf("%d dead letters are left, want %d", len(got), left)
		}
	}
	retry(true, 6, 6)
	retry(true, 2, 6, l[1].ID, l[3].ID)
	retry(false, 2, 4, l[1].ID, l[3].ID)
	if _, err := d.DeadByID(t.Context(), l[1].ID); presswatch.CodeOf(err) != presswatch.NotFound {
		t.Errorf("a letter sent back is still shown: %v", err)
	}
	retry(false, 4, 0)
	retry(false, 0, 0)

	j = journal{}
	s = spec(&j, func(m presswatch.Message) error {
		if len(m.Headers) != 0 {
			t.Errorf("came back with headers %v", m.Headers)
		}
		return nil
	})
	must(t, queue.Work(deadline(t), stopAfter(q, func() bool { return allDone(&j, len(want)) }), s))
	if n := len(j.all()); n != len(want) {
		t.Errorf("%d messages came back, want %d", n, len(want))
	}
}

func diesAgain(t *testing.T, q presswatch.Queue) {
	must(t, q.Publish(t.Context(), topic, messages(1, 1)...))
	var j journal
	s := spec(&j, func(presswatch.Message) error { return errors.New("no") })
	s.Attempts = 1
	var ids []string
	for range 3 {
		must(t, queue.Work(deadline(t), stopAfter(q, func() bool { return len(list(t, q)) == 1 }), s))
		ids = append(ids, list(t, q)[0].ID)
		if n, err := q.(Dead).RetryDead(t.Context(), false, ids[len(ids)-1]); n != 1 || err != nil {
			t.Fatalf("retry: %d, %v", n, err)
		}
	}
	if ids[0] == ids[1] || ids[1] == ids[2] {
		t.Errorf("letters %v share an ID", ids)
	}
}

func lag(t *testing.T, q presswatch.Queue) {
	check := func(want int64) {
		t.Helper()
		if got, err := q.(Dead).Lag(t.Context(), topic, "g"); err != nil || got != want {
			t.Errorf("lag %d, %v; want %d", got, err, want)
		}
	}
	check(0)
	want := messages(25, 5)
	must(t, q.Publish(t.Context(), topic, want...))
	check(25)
	collect(t, q, topic, "g", want)
	check(0)
	must(t, q.Publish(t.Context(), topic, want[:3]...))
	check(3)
	if _, err := q.(Dead).Lag(t.Context(), "no-such-topic", "g"); err == nil {
		t.Error("the lag of a topic that does not exist is no error")
	}
}
