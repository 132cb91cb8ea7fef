package api

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"presswatch"
)

type queuePage struct {
	Items        []presswatch.Case
	Total        int
	Cursor, Next string
}

func TestListCases(t *testing.T) {
	s := newSite(t, archive()...)
	for query, want := range map[string][]int{
		"":                              {0, 2, 1, 3},
		"level=high":                    {0, 2},
		"level=review&level=low":        {1, 3},
		"language=vi&status=open":       {0, 2, 1, 3},
		"language=hi":                   nil,
		"status=decided":                nil,
		"story=s0":                      {0, 1},
		"story=s0&story=s1&level=high":  {0, 2},
		"limit=2&level=high&level=high": {0, 2},
	} {
		var page queuePage
		s.get("/v1/cases?"+query, "user", "officer").into(&page)
		var got, wanted []string
		for _, c := range page.Items {
			got = append(got, c.Title)
		}
		for _, i := range want {
			wanted = append(wanted, s.docs[i].Title)
		}
		if fmt.Sprint(got) != fmt.Sprint(wanted) || page.Total != len(want) || page.Items == nil {
			t.Errorf("%s: %v of %d, want %v", query, got, page.Total, wanted)
		}
	}
}

func TestPagingFollowsNext(t *testing.T) {
	var docs []presswatch.Document
	for i := range 25 {
		docs = append(docs, doc(i, fmt.Sprintf("Bài %d", i), 0.75, presswatch.High))
	}
	s := newSite(t, docs...)
	for _, start := range []string{"/v1/cases?limit=10&level=high&status=open", "/v1/documents?limit=10&level=high&sort=newest&q=b%C3%A0i"} {
		seen, path := map[string]bool{}, start
		for range 5 {
			var page struct {
				Items []struct {
					Title    string
					Document presswatch.Document
				}
				Next string
			}
			s.get(path, "user", "officer").into(&page)
			for _, it := range page.Items {
				title := it.Title + it.Document.Title
				if seen[title] {
					t.Errorf("%s comes twice", title)
				}
				seen[title] = true
			}
			if path = page.Next; path == "" {
				break
			}
		}
		if len(seen) != len(docs) || path != "" {
			t.Errorf("%s: %d of %d, rest %q", start, len(seen), len(docs), path)
		}
	}
}

func TestGetCase(t *testing.T) {
	s := newSite(t, archive()...)
	var got struct {
		Case     presswatch.Case
		Events   []presswatch.CaseEvent
		Document *presswatch.Document
		Copies   []presswatch.Document
		Notice   string
	}
	r := s.get("/v1/cases/"+caseID(s.docs[0]), "user", "auditor").into(&got)
	if r.header.Get("ETag") != `"1"` || len(got.Events) != 1 || got.Document == nil || got.Document.Text != s.docs[0].Text ||
		len(got.Copies) != 1 || got.Copies[0].ID != s.docs[1].ID || got.Copies[0].Text != "" || got.Notice == "" {
		t.Errorf("%s %+v", r.header.Get("ETag"), got)
	}
	lost := doc(9, "Không có trong kho", 0.7, presswatch.High)
	if _, err := s.db.OpenCases(t.Context(), []presswatch.Document{lost}); err != nil {
		t.Fatal(err)
	}
	got.Document = nil
	if s.get("/v1/cases/"+caseID(lost), "user", "auditor").into(&got); got.Document != nil || got.Case.Title != lost.Title {
		t.Errorf("%+v", got)
	}
}

const finding = `{"label":"false","reason":"Sở Y tế đã bác bỏ."}`

func TestDecide(t *testing.T) {
	s := newSite(t, archive()...)
	path := "/v1/cases/" + caseID(s.docs[0])
	s.call("POST", path+"/decision", finding, "user", "officer").problem(http.StatusPreconditionRequired, presswatch.Invalid)
	for _, tag := range []string{`"0"`, `"2"`, `1`, `W/"1"`, `*`, `"01"`, `"1`, `""`, `"-1"`, `"99999999999999999999"`} {
		r := s.call("POST", path+"/decision", finding, "user", "officer", "If-Match", tag)
		if p := r.problem(http.StatusPreconditionFailed, presswatch.Conflict); p.Case == nil || p.Case.Version != 1 || r.header.Get("ETag") != `"1"` {
			t.Errorf("%s: %s", tag, r.body)
		}
	}
	var c presswatch.Case
	r := s.call("POST", path+"/decision", finding, "user", "officer", "If-Match", `"7", "1"`).into(&c)
	if r.header.Get("ETag") != `"2"` || c.Status != presswatch.CaseDecided || c.Decision.By != "officer" || c.Decision.Label != "false" {
		t.Errorf("%s %+v", r.header.Get("ETag"), c)
	}
	r = s.call("POST", path+"/decision", finding, "user", "senior", "If-Match", `"1"`)
	if p := r.problem(http.StatusPreconditionFailed, presswatch.Conflict); p.Case == nil || p.Case.Decision == nil || p.Case.Decision.By != "officer" {
		t.Errorf("the other decision is not shown: %s", r.body)
	}
	s.call("POST", path+"/reopen", "", "user", "officer").problem(http.StatusPreconditionRequired, presswatch.Invalid)
	s.call("POST", path+"/reopen", "", "user", "officer", "If-Match", `"1"`).problem(http.StatusPreconditionFailed, presswatch.Conflict)
	if s.call("POST", path+"/reopen", "", "user", "officer", "If-Match", `"2"`).into(&c); c.Status != presswatch.CaseOpen || c.Version != 3 {
		t.Errorf("%+v", c)
	}
	s.call("POST", path+"/decision", finding, "user", "senior", "If-Match", `"3"`).into(&c)
	s.call("POST", path+"/reopen", "", "user", "officer", "If-Match", `"4"`).problem(403, presswatch.Forbidden)
	s.call("POST", path+"/reopen", "", "user", "senior", "If-Match", `"4"`).into(&c)
}

func TestIdempotencyKey(t *testing.T) {
	s := newSite(t, archive()...)
	path := "/v1/cases/" + caseID(s.docs[0]) + "/decision"
	send := func(body, user, tag, key string) reply {
		return s.call("POST", path, body, "user", user, "If-Match", tag, "Idempotency-Key", key)
	}
	var c presswatch.Case
	first := send(finding, "officer", `"1"`, "k1").into(&c)
	for range 3 {
		if r := send(finding, "officer", `"1"`, "k1"); r.status != 200 || string(r.body) != string(first.body) || r.header.Get("ETag") != `"2"` {
			t.Errorf("again: %d %s", r.status, r.body)
		}
	}
	send(`{"label":"true","reason":"x"}`, "officer", `"1"`, "k1").problem(400, presswatch.Invalid)
	send(finding, "senior", `"1"`, "k1").problem(412, presswatch.Conflict) // another user's key is another key
	s.build()                                                              // a restart forgets the keys
	if r := send(finding, "officer", `"1"`, "k1").into(&c); r.header.Get("ETag") != `"2"` {
		t.Errorf("after a restart: %s", r.body)
	}
	s.build()
	send(`{"label":"false","reason":"Khác."}`, "officer", `"1"`, "k2").problem(412, presswatch.Conflict)
	send(strings.Replace(finding, "false", "odd", 1), "officer", `"2"`, "k3").problem(400, presswatch.Invalid)
	if _, events, err := s.db.CaseByID(t.Context(), presswatch.NewCaseID(s.docs[0].ID)); err != nil || len(events) != 2 {
		t.Errorf("%d events, %v", len(events), err)
	}
}

func TestStormOfRetriesAndRivals(t *testing.T) {
	s := newSite(t, archive()...)
	path := "/v1/cases/" + caseID(s.docs[0]) + "/decision"
	var wg sync.WaitGroup
	var mu sync.Mutex
	got := map[int]int{}
	for i := range 40 {
		wg.Go(func() {
			user, key := "officer", "same"
			if i%2 == 1 {
				user, key = "senior", fmt.Sprint(i)
			}
			r := s.call("POST", path, finding, "user", user, "If-Match", `"1"`, "Idempotency-Key", key)
			mu.Lock()
			defer mu.Unlock()
			got[r.status]++
		})
	}
	wg.Wait()
	for status := range got {
		if status != 200 && status != 409 && status != 412 {
			t.Errorf("statuses %v", got)
		}
	}
	_, events, err := s.db.CaseByID(t.Context(), presswatch.NewCaseID(s.docs[0].ID))
	if err != nil || len(events) != 2 || got[200] == 0 {
		t.Errorf("%d events, statuses %v, %v", len(events), got, err)
	}
}

func TestReplaysForget(t *testing.T) {
	r := newReplays()
	at := archive()[0].Published
	calls := 0
	fn := func() (*decidedOut, error) { calls++; return &decidedOut{}, nil }
	for _, now := range []int{0, 23, 24, 25} {
		if _, err := r.do("k", [32]byte{1}, at.Add(time.Duration(now)*time.Hour), fn); err != nil {
			t.Fatal(err)
		}
	}
	if calls != 2 {
		t.Errorf("%d calls, want 2: a key lasts a day", calls)
	}
	for i := range maxReplays + 50 {
		if _, err := r.do(fmt.Sprint(i), [32]byte{}, at, fn); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.seen) > maxReplays+1 {
		t.Errorf("%d keys are kept", len(r.seen))
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = r.do("p", [32]byte{}, at, func() (*decidedOut, error) { panic("x") })
	}()
	if _, err := r.do("p", [32]byte{}, at, fn); err != nil {
		t.Errorf("a key stays taken after a panic: %v", err)
	}
}

func TestSearchDocuments(t *testing.T) {
	s := newSite(t, archive()...)
	for query, want := range map[string]int{
		"":                                  4,
		"q=nuoc+may":                        2,
		"q=%22c%C3%A2y+xanh%22":             1,
		"level=high":                        2,
		"min_risk=0.5":                      3,
		"since=2026-11-02":                  3,
		"since=2026-11-02&until=2026-11-02": 1,
		"until=2026-11-02T08:00:00Z":        1,
		"story=s1&source=bao&lang=vi&kind=article": 2,
		"kind=post": 0,
		"limit=0":   4,
	} {
		var page struct {
			Items  []presswatch.Hit
			Total  int
			Notice string
		}
		s.get("/v1/documents?"+query, "user", "analyst").into(&page)
		n := want
		if query == "limit=0" {
			n = 0
		}
		if page.Total != want || len(page.Items) != n || page.Notice == "" {
			t.Errorf("%s: %d hits of %d, want %d", query, len(page.Items), page.Total, want)
		}
	}
	var page struct {
		Facets    map[string][]presswatch.Count
		Histogram []presswatch.Count
	}
	s.get("/v1/documents?facets=true&interval=day&limit=1", "user", "analyst").into(&page)
	if len(page.Facets["level"]) != 3 || len(page.Histogram) != 4 {
		t.Errorf("%+v", page)
	}
	var one struct {
		Document presswatch.Document
		Case     presswatch.CaseID
	}
	if s.get("/v1/documents/"+string(s.docs[0].ID), "user", "analyst").into(&one); one.Document.Title != s.docs[0].Title || string(one.Case) != caseID(s.docs[0]) {
		t.Errorf("%+v", one)
	}
}
