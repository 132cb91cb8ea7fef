package queue_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"presswatch"
	"presswatch/internal/queue"
)

const topic = presswatch.TopicDocuments

// TestMain runs a broker, and nothing else, when a test asks it to: one that it
// can kill.
func TestMain(m *testing.M) {
	if dir := os.Getenv("QUEUE_TEST_BROKER"); dir != "" {
		b, err := queue.StartBroker(context.Background(), queue.BrokerOptions{Dir: dir, Addr: os.Getenv("QUEUE_TEST_ADDR")})
		if err != nil {
			fmt.Println("failed", err)
			os.Exit(1)
		}
		fmt.Println("ready", b.Addr())
		select {}
	}
	os.Exit(m.Run())
}

// child is a broker in a process of its own.
type child struct {
	addr string
	kill func()
}

func startChild(t *testing.T, dir, addr string) child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "QUEUE_TEST_BROKER="+dir, "QUEUE_TEST_ADDR="+addr)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	t.Cleanup(kill)
	line, _ := bufio.NewReader(out).ReadString('\n')
	got, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if !ok {
		t.Fatalf("broker said %q", line)
	}
	return child{got, kill}
}

func publish(t *testing.T, k *queue.Kafka, values ...string) {
	t.Helper()
	for _, v := range values {
		if err := k.Publish(t.Context(), topic, presswatch.Message{Key: v, Value: []byte(v)}); err != nil {
			t.Fatal(err)
		}
	}
}

// consume reads until it has seen so many values, and returns how often each.
func consume(t *testing.T, k *queue.Kafka, n int) map[string]int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	got := map[string]int{}
	err := k.Consume(ctx, topic, "g", func(_ context.Context, msgs []presswatch.Message) error {
		for _, m := range msgs {
			got[string(m.Value)]++
		}
		if len(got) >= n {
			cancel()
		}
		return nil
	})
	if err != nil || len(got) < n {
		t.Fatalf("got %d of %d values, %v", len(got), n, err)
	}
	return got
}

func values(prefix string, n int) []string {
	var v []string
	for i := range n {
		v = append(v, fmt.Sprint(prefix, i))
	}
	return v
}

// A broker is killed again and again while messages are published; what was
// acknowledged must be there, and what was done must not come back.
func TestBrokerKilled(t *testing.T) {
	dir, addr := t.TempDir(), ""
	for round := range 4 {
		c := startChild(t, dir, addr)
		addr = c.addr
		k := open(t, queue.Options{Brokers: []string{addr}})
		want := values(fmt.Sprintf("%d-", round), 50)
		publish(t, k, want...)
		if round%2 == 0 { // consumed before the kill, every other time after it
			if got := consume(t, k, 50); len(got) != 50 {
				t.Errorf("round %d: got %d values, want those 50 of this round", round, len(got))
			}
		}
		c.kill()
		if round%2 == 1 {
			c = startChild(t, dir, addr)
			if got := consume(t, k, 50); len(got) != 50 {
				t.Errorf("round %d: got %d values after the kill, want 50: offsets were lost", round, len(got))
			}
			c.kill()
		}
		_ = k.Close()
	}
}

// The consumer stays while its broker is killed and comes back.
func TestConsumerOutlivesBroker(t *testing.T) {
	dir := t.TempDir()
	c := startChild(t, dir, "")
	k := open(t, queue.Options{Brokers: []string{c.addr}})
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	got := make(chan string, 100)
	done := make(chan error)
	go func() {
		done <- k.Consume(ctx, topic, "g", func(_ context.Context, msgs []presswatch.Message) error {
			for _, m := range msgs {
				got <- string(m.Value)
			}
			return nil
		})
	}()
	await := func(want string) {
		t.Helper()
		for {
			select {
			case v := <-got:
				if v == want {
					return
				}
			case <-ctx.Done():
				t.Fatalf("%q did not arrive", want)
			}
		}
	}
	publish(t, k, "before")
	await("before")
	for _, v := range []string{"after one kill", "after two"} {
		c.kill()
		c = startChild(t, dir, c.addr)
		publish(t, k, v)
		await(v)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestBrokerRefusals(t *testing.T) {
	dir := t.TempDir()
	b := startBroker(t, dir)
	for name, tc := range map[string]struct {
		o    queue.BrokerOptions
		want presswatch.Code
	}{
		"a folder in use":        {queue.BrokerOptions{Dir: dir}, presswatch.Conflict},
		"no folder":              {queue.BrokerOptions{}, presswatch.Invalid},
		"an address for all":     {queue.BrokerOptions{Dir: t.TempDir(), Addr: "0.0.0.0:0"}, presswatch.Invalid},
		"an address of a name":   {queue.BrokerOptions{Dir: t.TempDir(), Addr: "example.org:9092"}, presswatch.Invalid},
		"an address and no port": {queue.BrokerOptions{Dir: t.TempDir(), Addr: "127.0.0.1"}, presswatch.Invalid},
		"an address in use":      {queue.BrokerOptions{Dir: t.TempDir(), Addr: b.Addr()}, presswatch.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := queue.StartBroker(t.Context(), tc.o)
			if presswatch.CodeOf(err) != tc.want {
				t.Errorf("got %v, want %s", err, tc.want)
			}
			if err == nil {
				_ = got.Close()
			}
		})
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := startBroker(t, dir).Close(); err != nil {
		t.Errorf("a closed broker keeps its folder: %v", err)
	}
}

func TestOpenWithoutBroker(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	if _, err := queue.Open(t.Context(), queue.Options{Brokers: []string{addr}}); presswatch.CodeOf(err) != presswatch.Unavailable {
		t.Errorf("got %v, want unavailable", err)
	}
	if _, err := queue.Open(t.Context(), queue.Options{}); presswatch.CodeOf(err) != presswatch.Invalid {
		t.Errorf("without brokers: got %v, want invalid", err)
	}
}

func TestPublishWhileBrokerIsAway(t *testing.T) {
	c := startChild(t, t.TempDir(), "")
	k := open(t, queue.Options{Brokers: []string{c.addr}, PublishTimeout: 300 * time.Millisecond})
	c.kill()
	if err := k.Publish(t.Context(), topic, presswatch.Message{Value: []byte("x")}); presswatch.CodeOf(err) != presswatch.Unavailable {
		t.Errorf("publish: got %v, want unavailable", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := k.Lag(ctx, topic, "g"); presswatch.CodeOf(err) != presswatch.Unavailable {
		t.Errorf("lag: got %v, want unavailable", err)
	}
}

func diskUsage(t *testing.T, dir string) (n int64) {
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		n += info.Size()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTrim(t *testing.T) {
	dir := t.TempDir()
	b, err := queue.StartBroker(t.Context(), queue.BrokerOptions{Dir: dir, Log: quiet(), TrimEvery: -1, Groups: map[string][]string{topic: {"late"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	k := open(t, queue.Options{Brokers: []string{b.Addr()}, Partitions: 1})
	noise := make([]byte, 1<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	for range 30 {
		if err := k.Publish(t.Context(), topic, presswatch.Message{Key: "k", Value: noise}); err != nil {
			t.Fatal(err)
		}
	}
	read := func(group string, n int) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
		defer cancel()
		got := 0
		if err := k.Consume(ctx, topic, group, func(_ context.Context, m []presswatch.Message) error {
			if got += len(m); got >= n {
				cancel()
			}
			return nil
		}); err != nil || got != n {
			t.Fatalf("%s got %d of %d, %v", group, got, n, err)
		}
	}
	trim := func(least, most int64) {
		t.Helper()
		if err := b.Trim(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := diskUsage(t, dir); got < least<<20 || got > most<<20 {
			t.Errorf("the log takes %d MiB, want %d to %d", got>>20, least, most)
		}
	}
	trim(30, 31) // nobody has read anything
	read("early", 30)
	trim(30, 31) // the late one, named beforehand, has not
	read("late", 30)
	trim(1, 6)
	if lag, err := k.Lag(t.Context(), topic, "late"); lag != 0 || err != nil {
		t.Errorf("lag %d, %v", lag, err)
	}
	_ = k.Close()
	_ = b.Close()

	// A crash after trimming must not begin the offsets anew.
	if err := os.Remove(filepath.Join(dir, "log", "partitions", topic+"-0", "snapshot.json")); err != nil {
		t.Fatal(err)
	}
	k = open(t, queue.Options{Brokers: []string{startBroker(t, dir).Addr()}, Partitions: 1})
	publish(t, k, "after")
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	if err := k.Consume(ctx, topic, "late", func(_ context.Context, m []presswatch.Message) error {
		if m[0].Offset != 30 || string(m[0].Value) != "after" {
			t.Errorf("got offset %d and %.10q, want 30 and after", m[0].Offset, m[0].Value)
		}
		cancel()
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// A power cut leaves half-written ends of files.
func TestTornTails(t *testing.T) {
	for name, tail := range map[string]string{
		"half a batch":       "\x00\x00\x00\x00\x00\x00\x00\x09\x00\x00\x01\x00half",
		"a few bytes":        "\x00\x00",
		"zeros":              strings.Repeat("\x00", 4096),
		"an endless batch":   "\x00\x00\x00\x00\x00\x00\x00\x09\xff\xff\xff\xff" + strings.Repeat("x", 100),
		"a wrong checksum":   "\x00\x00\x00\x00\x00\x00\x00\x09\x00\x00\x00\x40" + strings.Repeat("x", 0x40),
		"nothing but a stop": "",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			b := startBroker(t, dir)
			k := open(t, queue.Options{Brokers: []string{b.Addr()}, Partitions: 1})
			publish(t, k, values("a", 10)...)
			consume(t, k, 10)
			publish(t, k, values("b", 10)...)
			_, _ = k.Close(), b.Close()
			for _, f := range []string{"partitions/documents-0/0.dat", "partitions/documents-0/0.idx", "groups.log"} {
				appendFile(t, filepath.Join(dir, "log", f), tail)
			}
			for round := range 2 { // the second opening reads what was written behind the tail
				b = startBroker(t, dir)
				k = open(t, queue.Options{Brokers: []string{b.Addr()}, Partitions: 1})
				if round == 1 {
					publish(t, k, values("b", 10)...)
				}
				for v, n := range consume(t, k, 10) {
					if n != 1 || v[0] != 'b' {
						t.Errorf("opening %d: got %q %d times", round, v, n)
					}
				}
				_, _ = k.Close(), b.Close()
				for _, f := range []string{"partitions/documents-0/snapshot.json"} {
					_ = os.Remove(filepath.Join(dir, "log", f))
				}
			}
		})
	}
}

func appendFile(t *testing.T, path, tail string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(tail); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
