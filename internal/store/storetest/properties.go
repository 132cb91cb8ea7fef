package storetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"presswatch"
	"presswatch/internal/store"
)

// properties runs random operations against the store and against a model of
// it, and compares after each.
func properties(t *testing.T, newURL func(testing.TB) string) {
	url := newURL(t)
	db, clock := Open(t, url)
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++ // each run has its own documents in the one database
		m := &model{rt: rt, db: db, run: runs, cases: map[presswatch.CaseID]*modelCase{}}
		rt.Repeat(map[string]func(*rapid.T){
			"open":   m.open,
			"decide": m.decide,
			"reopen": m.reopen,
			"wait":   func(*rapid.T) { clock.Add(1e9) },
			"":       m.check,
		})
	})
	if _, err := db.VerifyEvents(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := db.VerifyCases(t.Context()); err != nil {
		t.Error(err)
	}
}

// modelCase is what a case should be, computed without events.
type modelCase struct {
	risk    float64
	version int
	by      string // of the decision; empty while open
}

type model struct {
	rt    *rapid.T
	db    *store.DB
	run   int
	cases map[presswatch.CaseID]*modelCase
}

func (m *model) doc(t *rapid.T) presswatch.Document {
	return doc(m.run*1000+rapid.IntRange(0, 3).Draw(t, "doc"), float64(rapid.IntRange(0, 40).Draw(t, "risk"))/40)
}

func (m *model) open(t *rapid.T) {
	docs := make([]presswatch.Document, rapid.IntRange(0, 3).Draw(t, "batch"))
	want := 0
	for i := range docs {
		docs[i] = m.doc(t)
		id, risk := presswatch.NewCaseID(docs[i].ID), docs[i].Verdict.Risk
		switch c := m.cases[id]; {
		case c == nil:
			m.cases[id] = &modelCase{risk: risk, version: 1}
			want++
		case c.by == "" && c.risk != risk: // steps of 1/40 are all over 0.01
			c.risk = risk
			c.version++
		}
	}
	if got, err := m.db.OpenCases(t.Context(), docs); err != nil || got != want {
		t.Fatalf("opened %d, %v; want %d", got, err, want)
	}
}

// pick draws a case and a version, mostly the right one.
func (m *model) pick(t *rapid.T) (presswatch.CaseID, *modelCase, int) {
	if len(m.cases) == 0 {
		t.Skip("no case yet")
	}
	ids := make([]presswatch.CaseID, 0, len(m.cases))
	for id := range m.cases {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	id := rapid.SampledFrom(ids).Draw(t, "case")
	c := m.cases[id]
	return id, c, c.version + rapid.SampledFrom([]int{0, 0, 0, -1, 1}).Draw(t, "off")
}

func (m *model) decide(t *rapid.T) {
	id, c, version := m.pick(t)
	by := rapid.SampledFrom([]string{"anna", "binh"}).Draw(t, "by")
	_, err := m.db.Decide(t.Context(), id, version, decision(by))
	if c.by != "" || version != c.version {
		if presswatch.CodeOf(err) != presswatch.Conflict {
			t.Fatalf("decide at %d of %+v: %v", version, *c, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	c.by = by
	c.version++
}

func (m *model) reopen(t *rapid.T) {
	id, c, version := m.pick(t)
	_, err := m.db.Reopen(t.Context(), id, version, "chi")
	if c.by == "" || version != c.version {
		if presswatch.CodeOf(err) != presswatch.Conflict {
			t.Fatalf("reopen at %d of %+v: %v", version, *c, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	c.by = ""
	c.version++
}

// check compares every case with the model and with the fold of its events.
func (m *model) check(t *rapid.T) {
	for id, want := range m.cases {
		c, events, err := m.db.CaseByID(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		folded, err := presswatch.FoldCase(events)
		if err != nil || !cmp.Equal(folded, c) {
			t.Fatalf("case and fold of its events differ (%v): %s", err, cmp.Diff(folded, c))
		}
		got := modelCase{risk: c.Risk, version: c.Version}
		if c.Decision != nil {
			got.by = c.Decision.By
		}
		if got != *want || (c.Status == presswatch.CaseDecided) != (want.by != "") {
			t.Fatalf("case %s is %s", fmt.Sprintf("%+v", got), fmt.Sprintf("want %+v", *want))
		}
	}
}
