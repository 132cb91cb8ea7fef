package storetest

import (
	"encoding/base64"
	"slices"
	"testing"

	"presswatch"
	"presswatch/internal/store"
)

func filtering(t *testing.T, db *store.DB) {
	for name, tc := range map[string]struct {
		q    presswatch.CaseQuery
		want int
	}{
		"all":            {presswatch.CaseQuery{}, 25},
		"open":           {presswatch.CaseQuery{Status: presswatch.CaseOpen}, 24},
		"decided":        {presswatch.CaseQuery{Status: presswatch.CaseDecided}, 1},
		"a language":     {presswatch.CaseQuery{Langs: []string{"de"}}, 12},
		"two languages":  {presswatch.CaseQuery{Langs: []string{"de", "fr"}}, 25},
		"a level":        {presswatch.CaseQuery{Levels: []presswatch.Level{presswatch.High}}, 10},
		"a story":        {presswatch.CaseQuery{Stories: []presswatch.StoryID{"s1"}}, 8},
		"all of them":    {presswatch.CaseQuery{Status: presswatch.CaseOpen, Langs: []string{"fr"}, Stories: []presswatch.StoryID{"s0"}}, 5},
		"nothing":        {presswatch.CaseQuery{Langs: []string{"xx"}}, 0},
		"hostile values": {presswatch.CaseQuery{Langs: []string{"' OR 1=1 --", "\x00\xff"}}, 0},
	} {
		t.Run("filter "+name, func(t *testing.T) {
			p := must(db.ListCases(t.Context(), tc.q))(t)
			if p.Total != tc.want || len(p.Cases) != tc.want || p.Cases == nil {
				t.Errorf("total %d and %d cases, want %d", p.Total, len(p.Cases), tc.want)
			}
		})
	}
	for name, q := range map[string]presswatch.CaseQuery{
		"limit over 100":  {Limit: 101},
		"limit below 0":   {Limit: -1},
		"unknown status":  {Status: "closed"},
		"too many values": {Langs: make([]string, 500)},
		"after: not ours": {After: "abc"},
		"after: not even": {After: "%%%"},
		"after: too long": {After: string(make([]byte, 9999))},
	} {
		t.Run("refused: "+name, func(t *testing.T) {
			_, err := db.ListCases(t.Context(), q)
			wantCode(t, err, presswatch.Invalid)
		})
	}
}

func paging(t *testing.T, db *store.DB) {
	t.Run("pages are ordered, complete, and not moved by what comes in between", func(t *testing.T) {
		whole := must(db.ListCases(t.Context(), presswatch.CaseQuery{Limit: 100}))(t).Cases
		if !slices.IsSortedFunc(whole, byRisk) {
			t.Error("not by falling risk, then ID")
		}
		var got []presswatch.CaseID
		q := presswatch.CaseQuery{Limit: 4}
		for n := 0; ; n++ {
			p := must(db.ListCases(t.Context(), q))(t)
			for _, c := range p.Cases {
				if slices.ContainsFunc(whole, func(w presswatch.Case) bool { return w.ID == c.ID }) {
					got = append(got, c.ID)
				}
			}
			if q.After = p.Next; q.After == "" {
				break
			}
			must(db.OpenCases(t.Context(), []presswatch.Document{doc(100+n, 0.99), doc(200+n, 0.7), doc(300+n, 0.01)}))(t)
			if n > 50 {
				t.Fatal("paging does not end")
			}
		}
		var want []presswatch.CaseID
		for _, c := range whole {
			want = append(want, c.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("pages gave %d of %d cases, or out of order:\n%v\n%v", len(got), len(want), got, want)
		}
	})
	t.Run("a cursor that was touched is refused", func(t *testing.T) {
		q := presswatch.CaseQuery{Limit: 3, Langs: []string{"fr"}}
		next := must(db.ListCases(t.Context(), q))(t).Next
		raw := must(base64.RawURLEncoding.DecodeString(next))(t)
		for i := range raw {
			bent := slices.Clone(raw)
			bent[i] ^= 1
			q.After = base64.RawURLEncoding.EncodeToString(bent)
			if _, err := db.ListCases(t.Context(), q); presswatch.CodeOf(err) != presswatch.Invalid {
				t.Errorf("byte %d changed: %v", i, err)
			}
		}
		q.After, q.Langs = next, []string{"de"}
		_, err := db.ListCases(t.Context(), q)
		wantCode(t, err, presswatch.Invalid)
	})
}

func byRisk(a, b presswatch.Case) int {
	switch {
	case a.Risk > b.Risk, a.Risk == b.Risk && a.ID < b.ID:
		return -1
	case a.ID == b.ID:
		return 0
	default:
		return 1
	}
}
