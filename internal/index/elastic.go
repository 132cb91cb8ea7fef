package index

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/elastic/go-elasticsearch/v8"

	"presswatch"
	"presswatch/internal/index/analysis"
)

// elasticFormat changes whenever documents are laid out or analysed
// differently; it is part of the name of the index and of its mapping.
const elasticFormat = 1

// maxAnswer is the most bytes of an answer that are read.
const maxAnswer = 512 << 20

// ElasticOptions says where Elasticsearch is and how to use it.
type ElasticOptions struct {
	Addresses []string // http://host:9200; several are nodes of one cluster
	Username  string
	Password  string
	APIKey    string // instead of name and password
	CACert    []byte // PEM, for https with an authority of one's own
	Prefix    string // of the names of alias and index; "presswatch-" when empty
	Log       *slog.Logger

	Timeout   time.Duration // for one request; 30 s when 0
	RetryFor  time.Duration // how long Put tries again before an item is Unavailable; 30 s when 0
	BulkBytes int           // size of a bulk request; 5 MB when 0
	Shards    int           // of an index that is made; 1 when 0

	Now   func() time.Time                           // time.Now when nil
	Sleep func(context.Context, time.Duration) error // waits, or returns when the context ends; a timer when nil
	Rand  func() float64                             // 0 to 1, spreads retries; math/rand when nil
}

func (o ElasticOptions) withDefaults() ElasticOptions {
	if o.Prefix == "" {
		o.Prefix = "presswatch-"
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.RetryFor <= 0 {
		o.RetryFor = 30 * time.Second
	}
	if o.BulkBytes <= 0 {
		o.BulkBytes = 5 << 20
	}
	if o.Shards <= 0 {
		o.Shards = 1
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	return o
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// elastic is presswatch.Index on Elasticsearch.
type elastic struct {
	ElasticOptions
	analyzer *analysis.Analyzer
	client   *elasticsearch.BaseClient
	http     *http.Transport
	closed   atomic.Bool
}

// OpenElastic connects to Elasticsearch 8 or 9 and makes the index and its
// alias when they are not there. It is Unavailable when the cluster is away;
// when the index is of another version the error wraps ErrRebuild.
func OpenElastic(ctx context.Context, o ElasticOptions) (presswatch.Index, error) {
	e := &elastic{ElasticOptions: o.withDefaults(), analyzer: analysis.New()}
	if len(o.Addresses) == 0 {
		return nil, presswatch.Errorf(presswatch.Invalid, "elasticsearch: no address")
	}
	e.http = &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConnsPerHost: 8,
		IdleConnTimeout:     time.Minute,
	}
	var err error
	e.client, err = elasticsearch.NewBaseClient(elasticsearch.Config{
		Addresses: o.Addresses, Username: o.Username, Password: o.Password, APIKey: o.APIKey, CACert: o.CACert,
		Transport: e.http,
		// With several nodes a request goes on to the next; all else is retried
		// here, where one knows what was done.
		DisableRetry: len(o.Addresses) == 1, MaxRetries: len(o.Addresses) - 1,
		DisableMetaHeader: true,
	})
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Invalid, "elasticsearch: %w", err)
	}
	if err := e.ensure(ctx); err != nil {
		e.http.CloseIdleConnections()
		return nil, err
	}
	return e, nil
}

func (e *elastic) alias() string { return e.Prefix + "documents" }

// ensure makes the index when it is not there, and checks it when it is.
func (e *elastic) ensure(ctx context.Context) error {
	found, err := e.check(ctx)
	if found || err != nil {
		return err
	}
	body, err := json.Marshal(indexBody(e.alias(), e.Shards))
	if err != nil {
		return presswatch.Errorf(presswatch.Internal, "elasticsearch: %w", err)
	}
	name := fmt.Sprintf("%s-v%d", e.alias(), elasticFormat)
	err = e.call(ctx, http.MethodPut, "/"+url.PathEscape(name), body, nil)
	if f := (*fault)(nil); errors.As(err, &f) && f.kind == "resource_already_exists_exception" {
		if found, err := e.check(ctx); found || err != nil { // another process was first
			return err
		}
		return presswatch.Errorf(presswatch.Conflict, "elasticsearch: index %s is there without its alias %s: %w", name, e.alias(), ErrRebuild)
	}
	if err != nil {
		return coded(err, "making the index "+name)
	}
	e.Log.Info("index made", "index", name, "alias", e.alias())
	return nil
}

// check reports whether the alias is there, and whether we can use what it
// points to.
func (e *elastic) check(ctx context.Context) (bool, error) {
	var indexes map[string]struct {
		Mappings struct {
			Meta struct{ Presswatch int } `json:"_meta"`
		}
	}
	err := e.call(ctx, http.MethodGet, "/"+url.PathEscape(e.alias())+"/_mapping", nil, &indexes)
	if f := (*fault)(nil); errors.As(err, &f) && f.status == http.StatusNotFound {
		return false, nil
	}
	if err != nil {
		return false, coded(err, "reading the mapping")
	}
	for name, ix := range indexes {
		if v := ix.Mappings.Meta.Presswatch; v != elasticFormat {
			return true, rebuild("%s has format %d, this program writes %d", name, v, elasticFormat)
		}
	}
	return len(indexes) > 0, nil
}

// indexBody is the settings and the mapping of an index. Tokens come separated
// by spaces, analysed here, so that any build of Elasticsearch will do.
func indexBody(alias string, shards int) map[string]any {
	type object = map[string]any
	words := object{"type": "text", "analyzer": "whitespace", "similarity": "presswatch"}
	marks := object{"type": "text", "analyzer": "whitespace", "similarity": "presswatch", "index_options": "freqs"}
	keyword := object{"type": "keyword"}
	return object{
		"settings": object{"index": object{
			"number_of_shards": shards, "auto_expand_replicas": "0-1",
			"similarity": object{"presswatch": object{"type": "BM25", "k1": bm25K1, "b": bm25B}},
		}},
		"aliases": object{alias: object{}},
		"mappings": object{
			"_meta":   object{"presswatch": elasticFormat},
			"dynamic": "strict",
			"_source": object{"excludes": scoredFields},
			"properties": object{
				fieldTitle: words, fieldText: words, fieldTitleMarks: marks, fieldTextMarks: marks,
				fieldSource: keyword, fieldLanguage: keyword, fieldLevel: keyword, fieldKind: keyword,
				fieldStory: object{"type": "keyword", "doc_values": false},
				fieldID:    keyword,
				fieldDay:   object{"type": "date", "format": "epoch_millis"},
				fieldAt:    object{"type": "long"},
				fieldRisk:  object{"type": "integer"},
				fieldDoc:   object{"type": "object", "enabled": false},
			},
		},
	}
}

// Fields that only Elasticsearch has.
const (
	fieldID = "id" // DocID, the tie-breaker
	fieldAt = "at" // Unix microseconds
)

// fault is an error that Elasticsearch reported.
type fault struct {
	status int
	kind   string // "mapper_parsing_exception"
	reason string
}

func (f *fault) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("status %d: %s: %s", f.status, f.kind, f.reason), ": ")
}

// retryable reports whether the same request may succeed later. What an
// operator has to mend counts: no document is to blame for a wrong password.
func (f *fault) retryable() bool {
	switch f.status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	case http.StatusNotFound:
		return f.kind == "index_not_found_exception" || f.kind == ""
	}
	return f.status >= 500
}

// coded gives an error of call its code.
func coded(err error, doing string) error {
	code := presswatch.Unavailable
	if f := (*fault)(nil); errors.As(err, &f) && !f.retryable() {
		code = presswatch.Internal
	}
	return presswatch.Errorf(code, "elasticsearch: %s: %w", doing, err)
}

// call sends a request and decodes the answer into out when that is not nil.
// The error is a *fault when Elasticsearch answered with one.
func (e *elastic) call(ctx context.Context, method, path string, body []byte, out any) error {
	if e.closed.Load() {
		return errors.New("closed")
	}
	ctx, cancel := context.WithTimeout(ctx, e.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, path, nil)
	if err != nil {
		return err
	}
	if body != nil {
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		req.Header.Set("Content-Type", contentType(path))
	}
	res, err := e.client.Perform(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return readFault(res)
	}
	if out == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer))
		return err
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(out); err != nil {
		return fmt.Errorf("its answer breaks off or is not JSON: %w", err)
	}
	return nil
}

func contentType(path string) string {
	if strings.Contains(path, "/_bulk") {
		return "application/x-ndjson"
	}
	return "application/json"
}

func readFault(res *http.Response) error {
	f := &fault{status: res.StatusCode}
	raw, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	var answer struct{ Error json.RawMessage }
	if json.Unmarshal(raw, &answer) == nil && answer.Error != nil {
		f.kind, f.reason = readCause(answer.Error)
	}
	return f
}

// readCause reads an error object; it may also be just text.
func readCause(raw json.RawMessage) (kind, reason string) {
	var cause struct{ Type, Reason string }
	if json.Unmarshal(raw, &cause) == nil {
		return cause.Type, cause.Reason
	}
	_ = json.Unmarshal(raw, &reason)
	return "", reason
}

// Refresh implements presswatch.Index.
func (e *elastic) Refresh(ctx context.Context) error {
	if err := e.call(ctx, http.MethodPost, "/"+url.PathEscape(e.alias())+"/_refresh", nil, nil); err != nil {
		return coded(err, "refresh")
	}
	return nil
}

// Close releases the connections.
func (e *elastic) Close() error {
	e.closed.Store(true)
	e.http.CloseIdleConnections()
	return nil
}
