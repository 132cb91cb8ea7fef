package store

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"presswatch"
)

func TestEntryRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		str := func(name string) string { return rapid.String().Draw(t, name) }
		want := presswatch.StoryEntry{
			Doc: presswatch.DocID(str("doc")), Version: str("version"), Language: str("language"),
			Story: presswatch.Story{
				ID: presswatch.StoryID(str("story")), CopyGroup: str("group"), CopyOf: presswatch.DocID(str("of")),
				Relation: presswatch.Relation(str("relation")), Similarity: rapid.Float64Range(0, 1).Draw(t, "similarity"),
			},
			Keys:     some(t, "keys", rapid.Uint64()),
			Shingles: some(t, "shingles", rapid.Uint64()),
			Numbers:  some(t, "numbers", rapid.String()),
			At:       rapid.Int64().Draw(t, "at"),
		}
		raw := encodeEntry(want)
		got, err := decodeEntry(raw)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, %v; want %+v", got, err, want)
		}
		cut := rapid.IntRange(0, len(raw)-1).Draw(t, "cut")
		if _, err := decodeEntry(raw[:cut]); presswatch.CodeOf(err) != presswatch.Internal {
			t.Fatalf("cut at %d of %d: %v", cut, len(raw), err)
		}
		if _, err := decodeEntry(append(raw, 0)); err == nil {
			t.Fatal("a byte too many was not seen")
		}
	})
}

func some[T any](t *rapid.T, name string, g *rapid.Generator[T]) []T {
	if s := rapid.SliceOfN(g, 0, 40).Draw(t, name); len(s) > 0 {
		return s
	}
	return nil
}

func FuzzDecodeEntry(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{2})
	f.Add([]byte{1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	f.Add(encodeEntry(presswatch.StoryEntry{Doc: "d", Keys: []uint64{1}, Shingles: []uint64{2}, Numbers: []string{"3"}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decodeEntry(b)
		if err != nil {
			return
		}
		again, err := decodeEntry(encodeEntry(e))
		if err != nil || len(again.Keys) != len(e.Keys) || again.Doc != e.Doc {
			t.Errorf("%x: read %+v, then %+v, %v", b, e, again, err)
		}
	})
}

func FuzzPageCursor(f *testing.F) {
	flt, err := caseFilter(presswatch.CaseQuery{Status: presswatch.CaseOpen})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(flt.cursor(0.5, "kabc"))
	f.Add("")
	f.Add(strings.Repeat("A", 40))
	f.Fuzz(func(t *testing.T, s string) {
		risk, id, err := flt.parseCursor(s)
		switch {
		case err != nil && presswatch.CodeOf(err) != presswatch.Invalid:
			t.Errorf("%q: %v", s, err)
		case err == nil && flt.cursor(risk, id) != s:
			t.Errorf("%q is read, but would be written %q", s, flt.cursor(risk, id))
		}
	})
}

func TestHashEvent(t *testing.T) {
	base := presswatch.CaseEvent{Seq: 1, Case: "ka", N: 1, Type: "opened", At: fromMicros(1_700_000_000_000_001), By: "pipeline", Data: []byte(`{"risk":0.5}`), Prev: noHash}
	const want = "a31c86fbb8936ecb03f6eec02436c070cc35897cca6f23011fa766ae2f7c12ba"
	if got := HashEvent(base); got != want {
		t.Errorf("the form of the hash has changed: %s; events stored before no longer verify", got)
	}
	seen := map[string]string{HashEvent(base): "base"}
	for name, change := range map[string]func(*presswatch.CaseEvent){
		"seq":                    func(e *presswatch.CaseEvent) { e.Seq++ },
		"n":                      func(e *presswatch.CaseEvent) { e.N++ },
		"at":                     func(e *presswatch.CaseEvent) { e.At = e.At.Add(1000) },
		"prev":                   func(e *presswatch.CaseEvent) { e.Prev = strings.Repeat("1", 64) },
		"by":                     func(e *presswatch.CaseEvent) { e.By = "anna" },
		"data":                   func(e *presswatch.CaseEvent) { e.Data = []byte(`{"risk":0.6}`) },
		"a byte from one to the": func(e *presswatch.CaseEvent) { e.Case, e.Type = "kao", "pened" },
	} {
		e := base
		change(&e)
		h := HashEvent(e)
		if other := seen[h]; other != "" {
			t.Errorf("%s and %s have the same hash", name, other)
		}
		seen[h] = name
	}
}
