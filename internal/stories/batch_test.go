package stories

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestRunBatch(t *testing.T) {
	line := func(v map[string]any) string { b, _ := json.Marshal(v); return string(b) + "\n" }
	in := line(map[string]any{"id": "a", "text": flood, "tag": 5}) +
		line(map[string]any{"id": "b", "text": market}) +
		"{broken\n" +
		line(map[string]any{"id": "c", "text": flood, "title": "Tin lũ"}) +
		line(map[string]any{"id": "", "text": flood}) +
		line(map[string]any{"id": "e"}) +
		line(map[string]any{"id": "f", "text": 7})
	var out bytes.Buffer
	ok, bad, err := RunBatch(t.Context(), strings.NewReader(in), &out, NewMemory())
	if err != nil || ok != 3 || bad != 4 {
		t.Fatalf("ok %d, bad %d, err %v; want 3, 4, nil", ok, bad, err)
	}
	type rec struct {
		ID, Story, Relation, Error string
		CopyOf                     *string `json:"copy_of"`
		CopyGroup                  string  `json:"copy_group"`
		Similarity                 float64
		Tag                        int
	}
	var got []rec
	for d := json.NewDecoder(&out); d.More(); {
		var r rec
		if err := d.Decode(&r); err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	if got[0].Relation != "new" || got[0].CopyOf != nil || got[0].Tag != 5 {
		t.Errorf("first record %+v", got[0])
	}
	if c := got[3]; c.CopyOf == nil || *c.CopyOf != "a" || c.CopyGroup != got[0].CopyGroup || c.Story != got[0].Story || c.Relation != "exact" || c.Similarity != 1 {
		t.Errorf("the copy is %+v", c)
	}
	for i, want := range map[int]string{2: "line 3: not a JSON object", 4: "line 5: id is empty", 5: "line 6: neither title nor text", 6: "line 7: text: want a string"} {
		if !strings.HasPrefix(got[i].Error, want) {
			t.Errorf("record %d: error %q, want %q", i, got[i].Error, want)
		}
	}
}

func TestSeedPairHasNoCopies(t *testing.T) {
	raw := readShared(t, "data/stories", "seed-pair.jsonl")
	var out bytes.Buffer
	if _, bad, err := RunBatch(t.Context(), bytes.NewReader(raw), &out, NewMemory()); err != nil || bad != 0 {
		t.Fatalf("bad %d, err %v", bad, err)
	}
	if n := strings.Count(out.String(), `"relation":"new"`); n != 5 {
		t.Errorf("%d of five different articles are new, want 5", n)
	}
}
