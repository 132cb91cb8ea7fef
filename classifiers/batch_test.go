package classifiers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"presswatch/internal/jsonl"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func batch(t *testing.T, in string, explain bool) (out []map[string]any, ok, bad int) {
	t.Helper()
	var b bytes.Buffer
	ok, bad, err := RunBatch(t.Context(), strings.NewReader(in), &b, mustDefault(t), explain)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		out = append(out, m)
	}
	return out, ok, bad
}

func TestBatchKeepsOrderAndOtherFields(t *testing.T) {
	var in strings.Builder
	for i := range 300 {
		fmt.Fprintf(&in, "{\"id\":\"n%d\",\"text\":\"They say it, share %d\",\"language\":\"en\",\"extra\":{\"b\":1.50,\"a\":[%d]}}\n", i, i, i)
	}
	out, ok, bad := batch(t, in.String(), false)
	if len(out) != 300 || ok != 300 || bad != 0 {
		t.Fatalf("%d lines, %d ok, %d bad", len(out), ok, bad)
	}
	for i, m := range out {
		if m["id"] != fmt.Sprintf("n%d", i) || m["extra"].(map[string]any)["a"].([]any)[0] != float64(i) {
			t.Fatalf("line %d is %v", i, m)
		}
		if r, is := m["risk"].(float64); !is || r <= 0 || r >= 1 || m["level"] == "" || m["model"] == "" || m["evidence"] == nil {
			t.Fatalf("line %d: %v", i, m)
		}
	}
}

func TestBatchExplains(t *testing.T) {
	out, _, _ := batch(t, `{"id":1,"text":"Chia sẻ ngay trước khi bị xóa!!!","lang":"vi"}`, true)
	ev, is := out[0]["evidence"].([]any)
	if !is || len(ev) < 3 {
		t.Fatalf("evidence %v", out[0]["evidence"])
	}
	for _, x := range ev {
		m := x.(map[string]any)
		if m["signal"] == "" || m["reason"] == "" || m["weight"] == nil || m["score"] == nil {
			t.Errorf("evidence %v", m)
		}
	}
}

func TestBatchGoesOnAfterBadLines(t *testing.T) {
	in := strings.Join([]string{
		`{"id":"a","text":"fine","language":"en"}`, ``, `{"id":"b"`, `[]`, `{"id":"c"}`, `{"id":"d","text":7}`, `null`, `{"id":"e","title":"fine too"}`,
	}, "\n")
	out, ok, bad := batch(t, in, false)
	if ok != 2 || bad != 5 || len(out) != 7 {
		t.Fatalf("%d ok, %d bad, %d lines", ok, bad, len(out))
	}
	for i, want := range []struct{ id, says string }{{"a", ""}, {"", "line 3"}, {"", "line 4"}, {"c", "line 5: title and text"}, {"d", "line 6"}, {"", "line 7"}, {"e", ""}} {
		m := out[i]
		says, _ := m["error"].(string)
		if fmt.Sprint(m["id"]) != want.id || (want.says == "") != (says == "") || !strings.Contains(says, want.says) {
			t.Errorf("line %d is %v, want id %s, error %q", i, m, want.id, want.says)
		}
	}
}

func TestBatchReplacesOldResults(t *testing.T) {
	out, _, _ := batch(t, `{"id":"a","risk":7,"evidence":"old","text":"They say","note":"kept"}`, false)
	if m := out[0]; m["risk"] == 7.0 || m["evidence"] == "old" || m["note"] != "kept" || m["text"] != "They say" {
		t.Errorf("%v", m)
	}
}

func TestBatchSkipsOverlongLine(t *testing.T) {
	in := `{"id":"x","text":"` + strings.Repeat("a", jsonl.MaxLine) + "\"}\n" + `{"id":"y","text":"b"}`
	out, ok, bad := batch(t, in, false)
	if ok != 1 || bad != 1 || out[1]["id"] != "y" || !strings.Contains(out[0]["error"].(string), "line 1") {
		t.Errorf("%d ok, %d bad, %v", ok, bad, out[1])
	}
}

func TestBatchReportsBrokenStreams(t *testing.T) {
	e, boom := mustDefault(t), errors.New("boom")
	if _, _, err := RunBatch(t.Context(), iotest.ErrReader(boom), &bytes.Buffer{}, e, false); !errors.Is(err, boom) {
		t.Errorf("input: %v", err)
	}
	in := strings.Repeat("{\"id\":1,\"text\":\"some words\"}\n", 5000)
	if _, _, err := RunBatch(t.Context(), strings.NewReader(in), failing{boom}, e, true); !errors.Is(err, boom) {
		t.Errorf("output: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := RunBatch(ctx, strings.NewReader(in), &bytes.Buffer{}, e, false); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func FuzzBatch(f *testing.F) {
	e, err := Default()
	if err != nil {
		f.Fatal(err)
	}
	f.Add("{\"id\":1,\"text\":\"x\"}\n{}\nnull\n")
	f.Fuzz(func(t *testing.T, in string) {
		var b bytes.Buffer
		ok, bad, err := RunBatch(t.Context(), strings.NewReader(in), &b, e, true)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(b.String(), "\n"); n != ok+bad {
			t.Fatalf("%d lines out, %d ok, %d bad", n, ok, bad)
		}
		for line := range strings.Lines(b.String()) {
			if !json.Valid([]byte(line)) {
				t.Fatalf("not JSON: %q", line)
			}
		}
	})
}
