package index

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"presswatch"
	"presswatch/internal/index/indextest"
)

// faulty speaks as much of the bulk API as is needed to show faults that a
// healthy server cannot be made to show. It keeps what it acknowledged.
type faulty struct {
	mu      sync.Mutex
	calls   int
	largest int              // bytes of a bulk request
	stored  map[string]int   // how often each document was acknowledged as stored
	version map[string]int64 // by external_gte
	missing bool             // the alias is not there
	// answer may take over a bulk call: it returns false to let it pass.
	answer func(call int, w http.ResponseWriter, ids []string) bool
	// item may fail one item: status 0 lets it pass.
	item func(call int, id string) (status int, kind string)
}

func (f *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	switch {
	case strings.HasSuffix(r.URL.Path, "/_mapping") && f.missing:
		http.Error(w, `{"error":{"type":"index_not_found_exception","reason":"no"},"status":404}`, http.StatusNotFound)
	case strings.HasSuffix(r.URL.Path, "/_mapping"):
		fmt.Fprintf(w, `{"i":{"mappings":{"_meta":{"presswatch":%d}}}}`, elasticFormat)
	case r.Method == http.MethodPut:
		f.missing = false
		fmt.Fprint(w, `{"acknowledged":true}`)
	case strings.HasSuffix(r.URL.Path, "/_bulk"):
		f.bulk(w, r)
	default:
		http.Error(w, `{"error":"not here","status":501}`, http.StatusNotImplemented)
	}
}

func (f *faulty) bulk(w http.ResponseWriter, r *http.Request) {
	var body bytes.Buffer
	if _, err := body.ReadFrom(r.Body); err != nil {
		return
	}
	f.calls++
	f.largest = max(f.largest, body.Len())
	type action struct {
		ID      string `json:"_id"`
		Version int64
	}
	var actions []action
	var ids []string
	for i, line := range strings.Split(strings.TrimSpace(body.String()), "\n") {
		if i%2 == 0 {
			var a struct{ Index action }
			if err := json.Unmarshal([]byte(line), &a); err != nil {
				http.Error(w, "bad line", http.StatusBadRequest)
				return
			}
			actions, ids = append(actions, a.Index), append(ids, a.Index.ID)
		}
	}
	if f.answer != nil && f.answer(f.calls, w, ids) {
		return
	}
	var items []string
	for _, a := range actions {
		status, kind := 0, ""
		if f.item != nil {
			status, kind = f.item(f.calls, a.ID)
		}
		if have, ok := f.version[a.ID]; status == 0 && ok && have > a.Version {
			status, kind = http.StatusConflict, "version_conflict_engine_exception"
		}
		if status != 0 {
			items = append(items, fmt.Sprintf(`{"index":{"status":%d,"error":{"type":%q,"reason":"r"}}}`, status, kind))
			continue
		}
		f.version[a.ID] = a.Version
		f.stored[a.ID]++
		items = append(items, `{"index":{"status":201}}`)
	}
	fmt.Fprintf(w, `{"items":[%s]}`, strings.Join(items, ","))
}

// openFaulty starts the stub. The clock stands still but for the waits, which
// take no time.
func openFaulty(t *testing.T, f *faulty, o ElasticOptions) (idx presswatch.Index, waits *[]time.Duration) {
	t.Helper()
	f.stored, f.version = map[string]int{}, map[string]int64{}
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	now, slept := time.Unix(1e9, 0), []time.Duration{}
	o.Addresses = []string{srv.URL}
	o.Log = slog.New(slog.DiscardHandler)
	o.Now = func() time.Time { return now }
	o.Sleep = func(ctx context.Context, d time.Duration) error {
		now = now.Add(d)
		slept = append(slept, d)
		return ctx.Err()
	}
	o.Rand = func() float64 { return 0.5 }
	idx, err := OpenElastic(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { idx.Close() })
	return idx, &slept
}

// status answers a whole call with a status.
func status(code int, body string) func(w http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

func hijack(w http.ResponseWriter, raw string) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	fmt.Fprint(conn, raw)
	conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}

func TestBulkWholeCallFails(t *testing.T) {
	for name, fail := range map[string]func(w http.ResponseWriter){
		"429":              status(429, `{"error":{"type":"es_rejected_execution_exception","reason":"queue"},"status":429}`),
		"500":              status(500, `{"error":"boom"}`),
		"502 from a proxy": status(502, "<html>bad gateway</html>"),
		"503":              status(503, ""),
		"504":              status(504, ""),
		"401":              status(401, `{"error":{"type":"security_exception","reason":"who"},"status":401}`),
		"403":              status(403, `{"error":{"type":"cluster_block_exception","reason":"disk is full"},"status":403}`),
		"408":              status(408, ""),
		"connection cut":   func(w http.ResponseWriter) { hijack(w, "") },
		"answer cut off": func(w http.ResponseWriter) {
			hijack(w, "HTTP/1.1 200 OK\r\nX-Elastic-Product: Elasticsearch\r\nContent-Length: 5000\r\n\r\n{\"items\":[{\"index\":{\"status\":201}}")
		},
		"answer is not JSON":       status(200, "OK"),
		"answer names too few":     status(200, `{"items":[{"index":{"status":201}}]}`),
		"answer names none":        status(200, `{}`),
		"answer without a status":  status(200, `{"items":[`+strings.Repeat(`{"index":{}},`, 19)+`{}]}`),
		"answer is not from there": func(w http.ResponseWriter) { w.Header().Del("X-Elastic-Product"); status(404, "nothing here")(w) },
	} {
		t.Run(name, func(t *testing.T) {
			f := &faulty{answer: func(call int, w http.ResponseWriter, _ []string) bool {
				if call <= 3 {
					fail(w)
				}
				return call <= 3
			}}
			idx, waits := openFaulty(t, f, ElasticOptions{})
			docs := indextest.Corpus(20, 10)
			put(t, idx, docs)
			f.mustHold(t, docs)
			if f.calls != 4 || len(*waits) != 3 {
				t.Errorf("%d calls, waits %v", f.calls, *waits)
			}
			for i, w := range *waits {
				if want := firstWait << i * 3 / 4; w != want {
					t.Errorf("wait %d is %v, want %v", i, w, want)
				}
			}
		})
	}
}

// mustHold checks that every document is stored, and none twice.
func (f *faulty) mustHold(t *testing.T, docs []presswatch.Document) {
	t.Helper()
	for _, d := range docs {
		if f.stored[string(d.ID)] != 1 {
			t.Errorf("%s is stored %d times, want once", d.ID, f.stored[string(d.ID)])
		}
	}
}

func TestBulkAwayForLong(t *testing.T) {
	f := &faulty{answer: func(_ int, w http.ResponseWriter, _ []string) bool { status(503, "")(w); return true }}
	idx, waits := openFaulty(t, f, ElasticOptions{RetryFor: 20 * time.Second})
	docs := indextest.Corpus(5, 10)
	errs, err := idx.Put(t.Context(), docs)
	if err != nil {
		t.Fatal(err)
	}
	total := time.Duration(0)
	for _, w := range *waits {
		total += w
	}
	for i, e := range errs {
		if !presswatch.Retryable(e) || !strings.Contains(e.Error(), string(docs[i].ID)) || !strings.Contains(e.Error(), "503") {
			t.Errorf("document %d: %v, want Unavailable with its name and reason", i, e)
		}
	}
	if total >= 20*time.Second || total < 10*time.Second || f.calls != len(*waits)+1 || f.calls > 20 {
		t.Errorf("%d calls over %v", f.calls, total)
	}
	f.answer = nil
	put(t, idx, docs) // the caller tries again, when it is back
	f.mustHold(t, docs)
}

func TestBulkItemErrors(t *testing.T) {
	docs := indextest.Corpus(40, 10)
	kinds := map[string]struct {
		status int
		kind   string
		until  int // call up to which it fails
		want   presswatch.Code
	}{
		string(docs[3].ID):  {429, "es_rejected_execution_exception", 2, ""},
		string(docs[4].ID):  {503, "unavailable_shards_exception", 4, ""},
		string(docs[5].ID):  {400, "document_parsing_exception", 99, presswatch.Invalid},
		string(docs[6].ID):  {400, "mapper_parsing_exception", 99, presswatch.Invalid},
		string(docs[7].ID):  {409, "version_conflict_engine_exception", 99, ""},
		string(docs[8].ID):  {500, "exception", 1, ""},
		string(docs[9].ID):  {429, "es_rejected_execution_exception", 99, presswatch.Unavailable},
		string(docs[10].ID): {404, "index_not_found_exception", 1, ""},
	}
	f := &faulty{}
	f.item = func(call int, id string) (int, string) {
		if k, ok := kinds[id]; ok && call <= k.until {
			return k.status, k.kind
		}
		return 0, ""
	}
	perCall := map[int]int{}
	f.answer = func(call int, _ http.ResponseWriter, ids []string) bool { perCall[call] = len(ids); return false }
	idx, _ := openFaulty(t, f, ElasticOptions{RetryFor: 30 * time.Second})
	errs, err := idx.Put(t.Context(), docs)
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range docs {
		k := kinds[string(d.ID)]
		if got := presswatch.CodeOf(errs[i]); got != k.want {
			t.Errorf("document %d (%s): %v, want code %q", i, k.kind, errs[i], k.want)
		}
		want := 1
		if k.want != "" || k.status == 409 {
			want = 0
		}
		if f.stored[string(d.ID)] != want {
			t.Errorf("document %d is stored %d times, want %d", i, f.stored[string(d.ID)], want)
		}
	}
	if perCall[1] != 40 || perCall[2] != 5 || perCall[3] != 3 || perCall[5] != 2 || perCall[6] != 1 {
		t.Errorf("documents in each call: %v; only what failed may be sent again", perCall)
	}
}

func TestBulkTooLargeGoesInHalves(t *testing.T) {
	f := &faulty{}
	f.answer = func(_ int, w http.ResponseWriter, ids []string) bool {
		for _, id := range ids {
			if len(ids) > 3 || id == string(presswatch.NewDocID("https://news.example/5")) {
				status(413, "")(w)
				return true
			}
		}
		return false
	}
	idx, waits := openFaulty(t, f, ElasticOptions{})
	docs := indextest.Corpus(20, 10)
	errs, err := idx.Put(t.Context(), docs)
	if err != nil || len(*waits) > 0 {
		t.Fatal(err, *waits)
	}
	for i, e := range errs {
		if want := map[bool]presswatch.Code{true: presswatch.TooLarge}[i == 5]; presswatch.CodeOf(e) != want {
			t.Errorf("document %d: %v, want code %q", i, e, want)
		}
	}
	f.mustHold(t, append(append([]presswatch.Document{}, docs[:5]...), docs[6:]...))
}

func TestBulkSizeIsBounded(t *testing.T) {
	f := &faulty{}
	idx, _ := openFaulty(t, f, ElasticOptions{BulkBytes: 20_000})
	docs := indextest.Corpus(60, 100)
	docs[30].Text = strings.Repeat("long ", 10_000) // larger than a bulk alone
	put(t, idx, docs)
	f.mustHold(t, docs)
	if f.calls < 10 || f.largest < 50_000 || f.largest > 200_000 {
		t.Errorf("%d calls, the largest %d bytes", f.calls, f.largest)
	}
}

func TestBulkStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := &faulty{answer: func(call int, w http.ResponseWriter, _ []string) bool {
		if call == 2 {
			cancel()
		}
		status(429, "")(w)
		return true
	}}
	idx, _ := openFaulty(t, f, ElasticOptions{RetryFor: time.Hour})
	errs, err := idx.Put(ctx, indextest.Corpus(3, 10))
	if err != nil || f.calls > 2 {
		t.Fatalf("%d calls, %v", f.calls, err)
	}
	for _, e := range errs {
		if !presswatch.Retryable(e) || !errors.Is(e, context.Canceled) {
			t.Errorf("%v, want Unavailable over the context", e)
		}
	}
}

func TestBulkAnswerLostAfterStoring(t *testing.T) {
	// The server stores and then the connection breaks: the second delivery of
	// the same versions must not be an error.
	f := &faulty{}
	f.answer = func(call int, w http.ResponseWriter, ids []string) bool {
		if call == 1 {
			for _, id := range ids {
				f.version[id] = 1 << 60 // even a newer one came in between
			}
			hijack(w, "")
		}
		return call == 1
	}
	idx, _ := openFaulty(t, f, ElasticOptions{})
	put(t, idx, indextest.Corpus(5, 10))
	if f.calls != 2 {
		t.Errorf("%d calls, want 2", f.calls)
	}
}

func TestIndexDeletedUnderUsIsMadeAgain(t *testing.T) {
	f := &faulty{}
	f.answer = func(_ int, w http.ResponseWriter, _ []string) bool {
		if f.missing {
			status(404, `{"error":{"type":"index_not_found_exception","reason":"no such index"},"status":404}`)(w)
		}
		return f.missing
	}
	idx, _ := openFaulty(t, f, ElasticOptions{})
	f.missing = true
	docs := indextest.Corpus(5, 10)
	put(t, idx, docs)
	f.mustHold(t, docs)
}

func TestElasticAway(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := "http://" + l.Addr().String()
	l.Close()
	if _, err := OpenElastic(t.Context(), ElasticOptions{Addresses: []string{addr}}); !presswatch.Retryable(err) {
		t.Errorf("nobody listens: %v, want Unavailable", err)
	}
	if _, err := OpenElastic(t.Context(), ElasticOptions{}); presswatch.CodeOf(err) != presswatch.Invalid {
		t.Errorf("no address: %v, want Invalid", err)
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }))
	defer other.Close()
	if _, err := OpenElastic(t.Context(), ElasticOptions{Addresses: []string{other.URL}}); err == nil {
		t.Error("a server that is not Elasticsearch was accepted")
	}
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		fmt.Fprint(w, `{"old":{"mappings":{"_meta":{"presswatch":0}}}}`)
	}))
	defer old.Close()
	if _, err := OpenElastic(t.Context(), ElasticOptions{Addresses: []string{old.URL}}); !errors.Is(err, ErrRebuild) {
		t.Errorf("another version: %v, want ErrRebuild", err)
	}
}

func TestSearchFaults(t *testing.T) {
	for name, answer := range map[string]string{
		"timed out": `200 {"timed_out":true,"hits":{"total":{"value":1},"hits":[]}}`,
		"rejected":  `429 {"error":{"type":"es_rejected_execution_exception","reason":"queue"},"status":429}`,
		"shards":    `503 {"error":{"type":"search_phase_execution_exception","reason":"all shards failed"},"status":503}`,
		"cut off":   `200 {"hits":{"total":{"value":1}`,
		"no index":  `404 {"error":{"type":"index_not_found_exception","reason":"no such index"},"status":404}`,
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Elastic-Product", "Elasticsearch")
				if strings.HasSuffix(r.URL.Path, "/_mapping") {
					fmt.Fprintf(w, `{"i":{"mappings":{"_meta":{"presswatch":%d}}}}`, elasticFormat)
					return
				}
				code, body, _ := strings.Cut(answer, " ")
				n, _ := strconv.Atoi(code)
				status(n, body)(w)
			}))
			defer srv.Close()
			idx, err := OpenElastic(t.Context(), ElasticOptions{Addresses: []string{srv.URL}})
			if err != nil {
				t.Fatal(err)
			}
			defer idx.Close()
			if _, err := idx.Search(t.Context(), presswatch.Query{Text: "a", Limit: 1}); !presswatch.Retryable(err) {
				t.Errorf("search: %v, want Unavailable", err)
			}
		})
	}
}

func TestElasticTimeoutIsUnavailable(t *testing.T) {
	release := make(chan struct{})
	f := &faulty{}
	idx, _ := openFaulty(t, f, ElasticOptions{Timeout: 50 * time.Millisecond, RetryFor: time.Second})
	f.answer = func(int, http.ResponseWriter, []string) bool { <-release; return true }
	errs, err := idx.Put(t.Context(), indextest.Corpus(1, 10))
	close(release)
	if err != nil || !presswatch.Retryable(errs[0]) {
		t.Errorf("%v, %v; want Unavailable", errs, err)
	}
}

func TestElasticLeavesNoGoroutines(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	f := &faulty{stored: map[string]int{}, version: map[string]int64{}}
	srv := httptest.NewServer(f)
	defer srv.Close()
	idx, err := OpenElastic(t.Context(), ElasticOptions{Addresses: []string{srv.URL}})
	if err != nil {
		t.Fatal(err)
	}
	put(t, idx, indextest.Corpus(3, 10))
	idx.Close()
}
