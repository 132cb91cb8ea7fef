package queuetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"presswatch"
	"presswatch/internal/queue"
)

func arrives(t *testing.T, q presswatch.Queue) {
	want := presswatch.Message{Key: "ключ", Value: []byte("giá trị\x00\xff"), Headers: map[string]string{"ce_id": "1", "empty": "", "ce_type": "خبر"}}
	must(t, q.Publish(t.Context(), topic, want, presswatch.Message{}))
	got := collect(t, q, topic, "g", []presswatch.Message{want, {}})
	for _, m := range got {
		if m.Topic != topic || m.Time.IsZero() {
			t.Errorf("got topic %q and time %v", m.Topic, m.Time)
		}
		if m.Key == "" {
			if len(m.Value) != 0 || len(m.Headers) != 0 {
				t.Errorf("an empty message arrived as %+v", m)
			}
			continue
		}
		if m.Key != want.Key || string(m.Value) != string(want.Value) || fmt.Sprint(m.Headers) != fmt.Sprint(want.Headers) {
			t.Errorf("got %q %q %v, want %q %q %v", m.Key, m.Value, m.Headers, want.Key, want.Value, want.Headers)
		}
	}
}

func nothing(t *testing.T, q presswatch.Queue) { must(t, q.Publish(t.Context(), topic)) }

func ordered(t *testing.T, q presswatch.Queue) {
	const n, keys = 600, 7
	want := messages(n, keys)
	must(t, q.Publish(t.Context(), topic, want[:n/2]...))
	for _, m := range want[n/2:] {
		if rand.IntN(8) == 0 { // a few alone, so that batches differ
			must(t, q.Publish(t.Context(), topic, m))
			continue
		}
		must(t, q.Publish(t.Context(), topic, m))
	}
	last, parts := map[string]int{}, map[int]bool{}
	for _, m := range collect(t, q, topic, "g", want) {
		var i int
		_, _ = fmt.Sscan(string(m.Value), &i)
		if before, ok := last[m.Key]; ok && i <= before {
			t.Fatalf("%s: %d came after %d", m.Key, i, before)
		}
		last[m.Key], parts[m.Partition] = i, true
	}
	if len(parts) < 2 {
		t.Errorf("all keys went to partitions %v; the test needs two", parts)
	}
}

func groups(t *testing.T, q presswatch.Queue) {
	want := messages(20, 5)
	must(t, q.Publish(t.Context(), topic, want...))
	for _, g := range []string{"one", "two"} {
		if got := collect(t, q, topic, g, want); len(got) != len(want) {
			t.Errorf("group %s got %d messages, want %d", g, len(got), len(want))
		}
	}
}

// shares publishes until both members have got something, and stops one of
// them: the other takes over all.
func shares(t *testing.T, q presswatch.Queue) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var j journal
	var wg sync.WaitGroup
	first, stopFirst := context.WithCancel(ctx)
	start := func(ctx context.Context, who string) {
		wg.Go(func() {
			err := q.Consume(ctx, topic, "g", func(_ context.Context, msgs []presswatch.Message) error {
				for _, m := range msgs {
					j.add("%s", m.Value)
				}
				j.add("%s was here", who)
				return nil
			})
			if err != nil {
				t.Errorf("%s: %v", who, err)
			}
		})
	}
	start(first, "first")
	start(ctx, "second")
	n := 0
	publish := func() {
		for i := range 12 {
			must(t, q.Publish(ctx, topic, presswatch.Message{Key: fmt.Sprint("k", i), Value: []byte(fmt.Sprint(n))}))
			n++
		}
	}
	for j.count("first was here") == 0 || j.count("second was here") == 0 {
		if ctx.Err() != nil {
			t.Fatalf("one member got nothing: %d and %d batches", j.count("first was here"), j.count("second was here"))
		}
		publish()
	}
	stopFirst()
	publish()
	for i := 0; i < n; {
		if j.count(fmt.Sprint(i)) > 0 {
			i++
		} else if ctx.Err() != nil {
			t.Fatalf("message %d of %d did not arrive", i, n)
		} else {
			time.Sleep(5 * time.Millisecond)
		}
	}
	cancel()
	wg.Wait()
}

func redelivers(t *testing.T, q presswatch.Queue) {
	want := messages(10, 3)
	must(t, q.Publish(t.Context(), topic, want...))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var failed []presswatch.Message
	done := map[string]bool{}
	tries := 0
	err := q.Consume(ctx, topic, "g", func(_ context.Context, msgs []presswatch.Message) error {
		if tries++; tries <= 3 {
			if failed != nil && !sameOffsets(failed, msgs) {
				t.Errorf("try %d got other messages than the failed try before", tries)
			}
			failed = slices.Clone(msgs)
			return errors.New("not yet")
		}
		for _, m := range msgs {
			done[string(m.Value)] = true
		}
		if len(done) == len(want) {
			cancel()
		}
		return nil
	})
	if err != nil || len(done) != len(want) || tries < 4 {
		t.Errorf("err %v, %d of %d done after %d tries", err, len(done), len(want), tries)
	}
}

func sameOffsets(a, b []presswatch.Message) bool {
	return slices.EqualFunc(a, b, func(x, y presswatch.Message) bool { return x.Partition == y.Partition && x.Offset == y.Offset })
}

// unfinished lets a consumer do some messages and fail on one, and stops it:
// what was not acknowledged comes again, what was does not.
func unfinished(t *testing.T, q presswatch.Queue) {
	want := messages(200, 9)
	must(t, q.Publish(t.Context(), topic, want...))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	done := map[string]bool{}
	var failed []presswatch.Message
	must(t, q.Consume(ctx, topic, "g", func(_ context.Context, msgs []presswatch.Message) error {
		if len(done) > 0 {
			failed = slices.Clone(msgs)
			cancel()
			return errors.New("cut off")
		}
		for _, m := range msgs {
			done[string(m.Value)] = true
		}
		return nil
	}))
	if len(done) == 0 || len(failed) == 0 {
		t.Fatalf("%d done and %d failed; the test needs both", len(done), len(failed))
	}
	left := slices.DeleteFunc(slices.Clone(want), func(m presswatch.Message) bool { return done[string(m.Value)] })
	collect(t, q, topic, "g", left)
}

func resumes(t *testing.T, q presswatch.Queue) {
	for range 3 {
		want := messages(30, 4)
		for i := range want {
			want[i].Value = fmt.Appendf(nil, "%s of %d", want[i].Value, rand.Int64())
		}
		must(t, q.Publish(t.Context(), topic, want...))
		if got := collect(t, q, topic, "g", want); len(got) != len(want) {
			t.Errorf("got %d messages, want %d", len(got), len(want))
		}
	}
}

func finishes(t *testing.T, q presswatch.Queue) {
	must(t, q.Publish(t.Context(), topic, presswatch.Message{Key: "a", Value: []byte("first")}))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	must(t, q.Consume(ctx, topic, "g", func(fctx context.Context, _ []presswatch.Message) error {
		cancel()
		return fctx.Err() // still alive: the work may be finished
	}))
	next := []presswatch.Message{{Key: "a", Value: []byte("second")}}
	must(t, q.Publish(t.Context(), topic, next...))
	collect(t, q, topic, "g", next)
}

func ends(t *testing.T, q presswatch.Queue) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	must(t, q.Consume(ctx, topic, "g", func(context.Context, []presswatch.Message) error { return nil }))
}

func large(t *testing.T, q presswatch.Queue) {
	body := make([]byte, presswatch.MaxBody)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(body)
	want := presswatch.Capture{ID: "c1", Kind: presswatch.Article, URL: "https://bao.example/anh.jpg", FetchedAt: time.Unix(1, 0).UTC(), Body: body,
		Header: map[string][]string{"Content-Type": {"image/jpeg"}, "X-Long": {strings.Repeat("x", 64<<10)}}}
	m, err := queue.EncodeCapture(want)
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	must(t, q.Publish(ctx, presswatch.TopicCaptures, m))
	consume(t, q, presswatch.TopicCaptures, "g", func(msgs []presswatch.Message) bool {
		got, err := queue.DecodeCapture(msgs[0])
		must(t, err)
		if got.ID != want.ID || string(got.Body) != string(body) {
			t.Errorf("got capture %s with another body of %d bytes", got.ID, len(got.Body))
		}
		return true
	})
	must(t, queue.Work(deadline(t), stopAfter(q, func() bool { return len(list(t, q)) == 1 }), queue.WorkSpec{
		Topic: presswatch.TopicCaptures, Group: "h", Stage: "test", Attempts: 1, Log: slog.New(slog.DiscardHandler),
		Handle: func(context.Context, []presswatch.Message) []error { return []error{errors.New("no")} },
	}))
	d, err := q.(Dead).DeadByID(ctx, list(t, q)[0].ID)
	must(t, err)
	if string(d.Message.Value) != string(m.Value) {
		t.Errorf("its dead letter has another value, of %d bytes", len(d.Message.Value))
	}
}

func tooLarge(t *testing.T, q presswatch.Queue) {
	err := q.Publish(t.Context(), topic, presswatch.Message{Value: make([]byte, 32<<20)})
	if presswatch.CodeOf(err) != presswatch.TooLarge {
		t.Errorf("got %v, want too_large", err)
	}
}

func ended(t *testing.T, q presswatch.Queue) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.Publish(ctx, topic, presswatch.Message{Value: []byte("x")}); !presswatch.Retryable(err) {
		t.Errorf("got %v, want unavailable", err)
	}
}
