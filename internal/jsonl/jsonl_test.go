package jsonl_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"presswatch/internal/jsonl"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func upper(_ context.Context, r jsonl.Record) error {
	s, err := r.String("text")
	if err != nil {
		return err
	}
	if s == "bad" {
		return errors.New("refused")
	}
	r.Set("text", strings.ToUpper(s))
	return nil
}

func TestRun(t *testing.T) {
	for name, tc := range map[string]struct {
		in, want string
		ok, bad  int
	}{
		"other fields pass through untouched": {`{"id":"1","text":"a","n":1.50,"deep":{"b":[1, 2]},"tag":"<b>&"}`, `{"deep":{"b":[1,2]},"id":"1","n":1.50,"tag":"<b>&","text":"A"}` + "\n", 1, 0},
		"a failed record keeps id and line":   {"\n" + `{"id":7,"text":"bad"}`, `{"error":"line 2: refused","id":7}` + "\n", 0, 1},
		"a line that is no object":            {`[1]`, `{"error":"line 1: not a JSON object: json: cannot unmarshal array into Go value of type jsonl.Record","id":""}` + "\n", 0, 1},
		"null is no object":                   {`null`, `{"error":"line 1: not a JSON object but null","id":""}` + "\n", 0, 1},
		"a field of another type is named":    {`{"id":"x","text":5}`, `{"error":"line 1: text: want a string: json: cannot unmarshal number into Go value of type string","id":"x"}` + "\n", 0, 1},
		"nothing gives nothing":               {"", "", 0, 0},
		"a missing field is empty":            {`{"id":"x"}`, `{"id":"x","text":""}` + "\n", 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			ok, bad, err := jsonl.Run(t.Context(), strings.NewReader(tc.in), &out, 2, upper)
			if err != nil || ok != tc.ok || bad != tc.bad || out.String() != tc.want {
				t.Errorf("ok %d, bad %d, err %v, wrote\n%swant\n%s", ok, bad, err, out.String(), tc.want)
			}
		})
	}
}

func TestRunKeepsOrderAndGoesOnAfterBadLines(t *testing.T) {
	var in, out bytes.Buffer
	for i := range 500 {
		if i%50 == 49 {
			in.WriteString("{broken\n")
			continue
		}
		fmt.Fprintf(&in, `{"id":"%d","text":"x"}`+"\n", i)
	}
	ok, bad, err := jsonl.Run(t.Context(), &in, &out, 8, upper)
	if err != nil || ok != 490 || bad != 10 {
		t.Fatalf("ok %d, bad %d, err %v; want 490, 10, nil", ok, bad, err)
	}
	for i, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		var r struct{ ID, Error string }
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if i%50 == 49 {
			if !strings.HasPrefix(r.Error, fmt.Sprintf("line %d: ", i+1)) {
				t.Errorf("line %d: error %q", i+1, r.Error)
			}
		} else if r.ID != fmt.Sprint(i) {
			t.Fatalf("line %d has id %s", i+1, r.ID)
		}
	}
}

func TestRunRefusesAGiantLineAndGoesOn(t *testing.T) {
	in := io.MultiReader(strings.NewReader(`{"id":"1","text":"`), io.LimitReader(letters{}, jsonl.MaxLine), strings.NewReader("\"}\n"+`{"id":"2","text":"a"}`))
	var out bytes.Buffer
	ok, bad, err := jsonl.Run(t.Context(), in, &out, 1, upper)
	if err != nil || ok != 1 || bad != 1 || !strings.Contains(out.String(), "line 1: longer than") {
		t.Errorf("ok %d, bad %d, err %v, wrote %.200s", ok, bad, err, out.String())
	}
}

type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestRunSaysWhenOutputFails(t *testing.T) {
	in := strings.NewReader(strings.Repeat(`{"id":"1","text":"`+strings.Repeat("a", 9000)+"\"}\n", 200))
	if _, _, err := jsonl.Run(t.Context(), in, broken{}, 4, upper); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("err %v, want disk full", err)
	}
}

func TestRunStopsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	in := strings.NewReader(strings.Repeat(`{"id":"1"}`+"\n", 1000))
	ok, _, err := jsonl.Run(ctx, in, io.Discard, 1, func(context.Context, jsonl.Record) error {
		if n++; n == 5 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || ok == 1000 {
		t.Errorf("ok %d, err %v; want a part and context.Canceled", ok, err)
	}
}
