package storetest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"presswatch"
)

// doc makes a document that is worth a case.
func doc(n int, risk float64) presswatch.Document {
	u := fmt.Sprintf("https://bao.example/bai-%d", n)
	level := presswatch.Review
	if risk >= 0.8 {
		level = presswatch.High
	}
	return presswatch.Document{
		ID: presswatch.NewDocID(u), CanonicalURL: u, URL: u, Source: "bao", Language: "fr",
		Title: fmt.Sprintf("Bài số %d", n), Text: "…", Published: Start.Add(-time.Hour),
		Story:   presswatch.Story{ID: "s1"},
		Verdict: presswatch.Verdict{Risk: risk, Level: level},
	}
}

func decision(by string) presswatch.Decision {
	return presswatch.Decision{Label: "false", Reason: "trái với thông cáo", By: by}
}

func cases(t *testing.T, newURL func(testing.TB) string) {
	t.Run("a document opens a case once", func(t *testing.T) {
		db, _ := Open(t, newURL(t))
		docs := []presswatch.Document{doc(1, 0.7), doc(2, 0.9), doc(1, 0.7)}
		for i, want := range []int{2, 0} {
			if got := must(db.OpenCases(t.Context(), docs))(t); got != want {
				t.Errorf("time %d: %d new cases, want %d", i+1, got, want)
			}
		}
		c, events, err := db.CaseByID(t.Context(), presswatch.NewCaseID(docs[0].ID))
		if err != nil {
			t.Fatal(err)
		}
		want := presswatch.Case{
			ID: presswatch.NewCaseID(docs[0].ID), Doc: docs[0].ID, Status: presswatch.CaseOpen, Risk: 0.7, Level: presswatch.Review,
			Title: "Bài số 1", Language: "fr", Source: "bao", Story: "s1",
			Published: docs[0].Published, OpenedAt: Start, UpdatedAt: Start, Version: 1,
		}
		if diff := cmp.Diff(want, c); diff != "" {
			t.Errorf("case (-want +got):\n%s", diff)
		}
		if len(events) != 1 || events[0].Type != presswatch.EventOpened || events[0].By != "pipeline" {
			t.Errorf("events: %+v", events)
		}
	})
	t.Run("all cases of a batch are opened, or none", func(t *testing.T) {
		db, _ := Open(t, newURL(t))
		for name, bad := range map[string]func(*presswatch.Document){
			"no id":        func(d *presswatch.Document) { d.ID = "" },
			"risk above 1": func(d *presswatch.Document) { d.Verdict.Risk = 1.5 },
			"risk NaN":     func(d *presswatch.Document) { d.Verdict.Risk = math.NaN() },
		} {
			d := doc(2, 0.5)
			bad(&d)
			_, err := db.OpenCases(t.Context(), []presswatch.Document{doc(1, 0.5), d})
			if presswatch.CodeOf(err) != presswatch.Invalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		if page := must(db.ListCases(t.Context(), presswatch.CaseQuery{}))(t); page.Total != 0 {
			t.Errorf("%d cases were opened", page.Total)
		}
	})
	t.Run("hostile text is kept and harms nothing", func(t *testing.T) {
		db, _ := Open(t, newURL(t))
		d := doc(1, 0.5)
		d.Title = "a\x00b\xff'); DROP TABLE cases;--" + strings.Repeat("x", 5000)
		d.Language, d.Story.ID, d.Source = "v\x00", "s\xfe\x00", "\x00"
		must(db.OpenCases(t.Context(), []presswatch.Document{d}))(t)
		c, _, err := db.CaseByID(t.Context(), presswatch.NewCaseID(d.ID))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(c.Title, "a\x00b\uFFFD'); DROP") || len([]rune(c.Title)) != 500 {
			t.Errorf("title %.60q of %d characters", c.Title, len([]rune(c.Title)))
		}
		_, _, err = db.CaseByID(t.Context(), "k\x00\xff")
		wantCode(t, err, presswatch.NotFound)
	})
	rescoring(t, newURL)
	lowOpensNone(t, newURL)
	deciding(t, newURL)
}

func rescoring(t *testing.T, newURL func(testing.TB) string) {
	for name, tc := range map[string]struct {
		change  func(*presswatch.Document)
		version int
	}{
		"the same verdict changes nothing": {func(*presswatch.Document) {}, 1},
		"less than 0.01 changes nothing":   {func(d *presswatch.Document) { d.Verdict.Risk = 0.509 }, 1},
		"0.01 more is rescored":            {func(d *presswatch.Document) { d.Verdict.Risk = 0.51 }, 2},
		"0.01 less is rescored":            {func(d *presswatch.Document) { d.Verdict.Risk = 0.49 }, 2},
		"another level is rescored":        {func(d *presswatch.Document) { d.Verdict.Level = presswatch.High }, 2},
		"a new title is shown":             {func(d *presswatch.Document) { d.Title = "khác" }, 2},
		"it follows below the review level": {func(d *presswatch.Document) {
			d.Verdict.Level, d.Verdict.Risk, d.Seq = presswatch.Low, 0.1, d.Seq+1
		}, 2},
		"an older version that comes late changes nothing": {func(d *presswatch.Document) {
			d.Verdict.Level, d.Verdict.Risk, d.Seq = presswatch.High, 0.9, d.Seq-1
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			db, _ := Open(t, newURL(t))
			d := doc(1, 0.5)
			must(db.OpenCases(t.Context(), []presswatch.Document{d}))(t)
			tc.change(&d)
			if n := must(db.OpenCases(t.Context(), []presswatch.Document{d}))(t); n != 0 {
				t.Errorf("%d new cases", n)
			}
			c, _, err := db.CaseByID(t.Context(), presswatch.NewCaseID(d.ID))
			if err != nil || c.Version != tc.version {
				t.Errorf("version %d, want %d (err %v)", c.Version, tc.version, err)
			}
			if tc.version > 1 && (c.Risk != d.Verdict.Risk || c.Level != d.Verdict.Level) {
				t.Errorf("case shows %v %v, want %v %v", c.Risk, c.Level, d.Verdict.Risk, d.Verdict.Level)
			}
		})
	}
}

func lowOpensNone(t *testing.T, newURL func(testing.TB) string) {
	t.Run("a document below the review level opens none", func(t *testing.T) {
		db, _ := Open(t, newURL(t))
		d := doc(1, 0.1)
		d.Verdict.Level = presswatch.Low
		if n := must(db.OpenCases(t.Context(), []presswatch.Document{d}))(t); n != 0 {
			t.Errorf("%d cases", n)
		}
	})
}

func deciding(t *testing.T, newURL func(testing.TB) string) {
	db, clock := Open(t, newURL(t))
	d := doc(1, 0.5)
	id := presswatch.NewCaseID(d.ID)
	must(db.OpenCases(t.Context(), []presswatch.Document{d}))(t)
	t.Run("a decision needs a label, a reason and an author", func(t *testing.T) {
		_, err := db.Decide(t.Context(), id, 1, presswatch.Decision{Label: "no", Reason: "x", By: "anna"})
		wantCode(t, err, presswatch.Invalid)
		_, err = db.Decide(t.Context(), id, 1, presswatch.Decision{Label: "false", By: "anna"})
		wantCode(t, err, presswatch.Invalid)
		_, err = db.Reopen(t.Context(), id, 1, "")
		wantCode(t, err, presswatch.Invalid)
	})
	t.Run("an unknown case is not found", func(t *testing.T) {
		_, err := db.Decide(t.Context(), "k0", 1, decision("anna"))
		wantCode(t, err, presswatch.NotFound)
		_, err = db.Reopen(t.Context(), "k0", 1, "anna")
		wantCode(t, err, presswatch.NotFound)
	})
	t.Run("an open case cannot be reopened", func(t *testing.T) {
		_, err := db.Reopen(t.Context(), id, 1, "anna")
		wantCode(t, err, presswatch.Conflict)
	})
	t.Run("a decision is kept with the time of the store", func(t *testing.T) {
		clock.Add(time.Minute)
		forged := decision("anna")
		forged.At = Start.Add(-24 * time.Hour)
		c := must(db.Decide(t.Context(), id, 1, forged))(t)
		if c.Status != presswatch.CaseDecided || c.Version != 2 || c.Decision == nil || !c.Decision.At.Equal(clock.Now()) || !c.UpdatedAt.Equal(clock.Now()) {
			t.Errorf("case %+v, decision %+v", c, c.Decision)
		}
	})
	t.Run("the second to decide is told who was first", func(t *testing.T) {
		for _, version := range []int{1, 2} {
			_, err := db.Decide(t.Context(), id, version, decision("binh"))
			wantCode(t, err, presswatch.Conflict)
			if !strings.Contains(err.Error(), "anna decided") {
				t.Errorf("version %d: %q does not say that anna decided", version, err)
			}
		}
	})
	t.Run("a decided case is not rescored", func(t *testing.T) {
		d.Verdict.Risk = 0.99
		must(db.OpenCases(t.Context(), []presswatch.Document{d}))(t)
		if c, _, err := db.CaseByID(t.Context(), id); err != nil || c.Risk != 0.5 || c.Version != 2 {
			t.Errorf("case %+v, err %v", c, err)
		}
	})
	t.Run("a decision is taken back once", func(t *testing.T) {
		c := must(db.Reopen(t.Context(), id, 2, "chi"))(t)
		if c.Status != presswatch.CaseOpen || c.Decision != nil || c.Version != 3 {
			t.Errorf("case %+v", c)
		}
		_, err := db.Reopen(t.Context(), id, 2, "chi")
		wantCode(t, err, presswatch.Conflict)
	})
	t.Run("the history tells all of it", func(t *testing.T) {
		c, events, err := db.CaseByID(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, e := range events {
			told = append(told, e.Type+" "+e.By)
		}
		if want := []string{"opened pipeline", "decided anna", "reopened chi"}; !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
		if folded := must(presswatch.FoldCase(events))(t); !cmp.Equal(folded, c) {
			t.Errorf("fold differs: %s", cmp.Diff(folded, c))
		}
	})
}

func lists(t *testing.T, newURL func(testing.TB) string) {
	db, _ := Open(t, newURL(t))
	var docs []presswatch.Document
	for i := range 25 {
		d := doc(i, float64(i%5)/10+0.5)
		d.Language = []string{"fr", "de"}[i%2]
		d.Story.ID = presswatch.StoryID(fmt.Sprintf("s%d", i%3))
		docs = append(docs, d)
	}
	must(db.OpenCases(t.Context(), docs))(t)
	must(db.Decide(t.Context(), presswatch.NewCaseID(docs[7].ID), 1, decision("anna")))(t)
	filtering(t, db)
	paging(t, db)
}
