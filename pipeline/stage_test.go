package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"presswatch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type step struct {
	name string
	run  func(*Item) error
}

func (s step) Name() string                          { return s.name }
func (s step) Run(_ context.Context, it *Item) error { return s.run(it) }

func TestChain(t *testing.T) {
	boom := presswatch.Errorf(presswatch.Unavailable, "store is away")
	mark := func(name string) step {
		return step{name, func(it *Item) error { it.Doc.Title += name; return nil }}
	}
	for name, tc := range map[string]struct {
		chain     Chain
		ran       string
		stage     string
		code      presswatch.Code
		retryable bool
	}{
		"stages run in order":         {Chain{mark("a"), mark("b")}, "ab", "", "", false},
		"a drop ends the run early":   {Chain{mark("a"), step{"d", func(it *Item) error { it.Dropped = "old"; return nil }}, mark("b")}, "a", "", "", false},
		"an error names its stage":    {Chain{mark("a"), step{"store", func(*Item) error { return fmt.Errorf("put: %w", boom) }}, mark("b")}, "a", "store", presswatch.Unavailable, true},
		"a panic is an error of ours": {Chain{mark("a"), step{"bad", func(*Item) error { panic("index out of range") }}}, "a", "bad", presswatch.Internal, false},
	} {
		t.Run(name, func(t *testing.T) {
			it := Item{Capture: captureFor("https://bao.example/a", nil)}
			err := tc.chain.Run(t.Context(), &it)
			if it.Doc.Title != tc.ran || StageOf(err) != tc.stage || presswatch.CodeOf(err) != tc.code || presswatch.Retryable(err) != tc.retryable {
				t.Errorf("ran %q, err %v (stage %q, code %q); want %q, stage %q, code %q", it.Doc.Title, err, StageOf(err), presswatch.CodeOf(err), tc.ran, tc.stage, tc.code)
			}
		})
	}
}

func TestAPanicIsLoggedWithItsStack(t *testing.T) {
	var b bytes.Buffer
	d := Deps{Log: slog.New(slog.NewTextHandler(&b, nil))}
	chain := d.with(step{"bad", func(*Item) error { panic("page of doom") }})
	it := Item{Capture: captureFor("https://bao.example/doom", nil)}
	err := chain.Run(t.Context(), &it)
	if err == nil || !strings.Contains(err.Error(), "https://bao.example/doom") || !strings.Contains(err.Error(), "bad: ") {
		t.Errorf("err %v names neither stage nor address", err)
	}
	if s := b.String(); !strings.Contains(s, "stage_test.go") || !strings.Contains(s, "page of doom") {
		t.Errorf("log has no stack: %s", s)
	}
}

func TestAllRunsEveryStageInOrder(t *testing.T) {
	var got []string
	for _, s := range All(Deps{}) {
		got = append(got, s.Name())
	}
	if want := "extract language normalise stories classify"; strings.Join(got, " ") != want {
		t.Errorf("stages %v, want %s", got, want)
	}
	var order []string
	note := func(name string, check func(d *presswatch.Document) bool) func(context.Context, *presswatch.Document) error {
		return func(_ context.Context, d *presswatch.Document) error {
			if order = append(order, name); !check(d) {
				t.Errorf("%s got %+v", name, d)
			}
			return nil
		}
	}
	chain := All(Deps{
		Place: note("place", func(d *presswatch.Document) bool {
			d.Story.CopyGroup = "g"
			return d.ID != "" && d.Version != "" && d.Language == "vi"
		}),
		Classify: note("classify", func(d *presswatch.Document) bool { return d.Story.CopyGroup == "g" }),
	})
	it := Item{Capture: captureFor("https://bao.example/a", []byte("<p>Cầu mới đã mở cửa cho người dân hai xã ven sông.</p>"))}
	if err := chain.Run(t.Context(), &it); err != nil || strings.Join(order, " ") != "place classify" {
		t.Errorf("order %v, err %v", order, err)
	}
}

func TestProcess(t *testing.T) {
	var mu sync.Mutex
	seen := map[string][]string{}
	chain := Chain{step{"note", func(it *Item) error {
		mu.Lock()
		defer mu.Unlock()
		seen[it.Capture.URL] = append(seen[it.Capture.URL], it.Capture.ID)
		switch {
		case it.Capture.ID == "c7":
			return errors.New("refused")
		case it.Capture.ID == "c8":
			panic("doom")
		}
		it.Doc.Title = it.Capture.ID
		return nil
	}}}
	var captures []presswatch.Capture
	for i := range 200 {
		captures = append(captures, presswatch.Capture{ID: fmt.Sprintf("c%d", i), URL: fmt.Sprintf("https://bao.example/%d", i%9)})
	}
	got := Process(t.Context(), chain, captures, 8)
	if len(got) != len(captures) {
		t.Fatalf("%d results of %d captures", len(got), len(captures))
	}
	for i, r := range got {
		if bad := i == 7 || i == 8; bad != (r.Err != nil) || r.Item.Capture.ID != captures[i].ID || !bad && r.Item.Doc.Title != captures[i].ID {
			t.Errorf("result %d: %+v", i, r)
		}
	}
	for url, ids := range seen {
		for i := 1; i < len(ids); i++ {
			if len(ids[i]) < len(ids[i-1]) || len(ids[i]) == len(ids[i-1]) && ids[i] < ids[i-1] {
				t.Errorf("%s: %s ran before %s", url, ids[i-1], ids[i])
			}
		}
	}
}

func TestProcessStopsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	chain := Chain{step{"count", func(*Item) error {
		if n++; n == 3 {
			cancel()
		}
		return nil
	}}}
	captures := make([]presswatch.Capture, 10)
	got := Process(ctx, chain, captures, 1)
	for i, r := range got {
		if stopped := i >= 3; stopped != presswatch.Retryable(r.Err) {
			t.Errorf("result %d: err %v", i, r.Err)
		}
	}
	if got := Process(t.Context(), chain, nil, 4); len(got) != 0 {
		t.Errorf("no captures gave %d results", len(got))
	}
}
