package index

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"presswatch"
	"presswatch/internal/index/analysis"
)

// The waits between tries of a bulk request: doubled each time, from the first
// to the last, and spread over half of that.
const (
	firstWait = 200 * time.Millisecond
	lastWait  = 5 * time.Second
)

// item is a document on its way.
type item struct {
	at   int // its place in what Put was given
	id   string
	line []byte // action and source, as the bulk API wants them
}

// Put implements presswatch.Index. It returns when every document is stored or
// given up: whoever calls it waits as long as Elasticsearch is slow.
func (e *elastic) Put(ctx context.Context, docs []presswatch.Document) ([]error, error) {
	if e.closed.Load() {
		return nil, presswatch.Errorf(presswatch.Unavailable, "elasticsearch: closed")
	}
	errs := make([]error, len(docs))
	var items []item
	size := 0
	for i, d := range docs {
		en, err := newEntry(d, e.analyzer)
		if err != nil {
			errs[i] = err
			continue
		}
		it := item{i, en.id, bulkLine(en)}
		if size+len(it.line) > e.BulkBytes && len(items) > 0 {
			e.deliver(ctx, items, errs)
			items, size = items[:0], 0
		}
		items, size = append(items, it), size+len(it.line)
	}
	if len(items) > 0 {
		e.deliver(ctx, items, errs)
	}
	return errs, nil
}

// bulkLine is a document for the bulk API. The version is the Seq, and a lower
// one is refused, so that late and repeated deliveries do no harm.
func bulkLine(en *entry) []byte {
	var b bytes.Buffer
	b.Grow(2*len(en.json) + 512)
	write := func(name string, value any) {
		raw, _ := json.Marshal(value) // texts and numbers always can
		b.WriteString(`"` + name + `":`)
		b.Write(raw)
		b.WriteByte(',')
	}
	b.WriteString(`{"index":{"_id":`)
	b.WriteString(strconv.Quote(en.id))
	b.WriteString(`,"version_type":"external_gte","version":` + strconv.FormatInt(en.seq, 10) + "}}\n{")
	write(fieldID, en.id)
	for _, f := range []struct{ name, value string }{
		{fieldTitle, joinTerms(en.title)}, {fieldText, joinTerms(en.text)},
		{fieldTitleMarks, joinMarks(en.title)}, {fieldTextMarks, joinMarks(en.text)},
		{fieldSource, en.key.source}, {fieldLanguage, en.key.language}, {fieldLevel, en.key.level},
		{fieldKind, en.key.kind}, {fieldStory, en.key.story},
	} {
		if f.value != "" {
			write(f.name, f.value)
		}
	}
	write(fieldAt, en.key.at)
	write(fieldDay, dayMillis(en.key.at))
	write(fieldRisk, en.key.risk)
	b.WriteString(`"` + fieldDoc + `":`)
	b.Write(en.json)
	b.WriteString("}\n")
	return b.Bytes()
}

// dayMillis is the beginning of a time's day in UTC, in Unix milliseconds.
func dayMillis(at int64) int64 {
	day := at / dayMicros
	if at%dayMicros < 0 {
		day--
	}
	return day * (dayMicros / 1000)
}

func joinTerms(tokens []analysis.Token) string {
	return join(tokens, func(t analysis.Token) string { return t.Term })
}

func joinMarks(tokens []analysis.Token) string {
	return join(tokens, func(t analysis.Token) string { return t.Marks })
}

func join(tokens []analysis.Token, of func(analysis.Token) string) string {
	var b strings.Builder
	for _, t := range tokens {
		s := of(t)
		if s == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(s)
	}
	return b.String()
}

// deliver sends items until each is stored or refused, or time is up; what
// then is left becomes Unavailable. Only what failed is sent again.
func (e *elastic) deliver(ctx context.Context, items []item, errs []error) {
	pending := append([]item(nil), items...)
	end := e.Now().Add(e.RetryFor)
	for try := 0; ; try++ {
		before := len(pending)
		var err error
		if pending, err = e.flush(ctx, pending, errs); len(pending) == 0 {
			return
		}
		wait := min(firstWait<<min(try, 10), lastWait)
		wait = wait/2 + time.Duration(e.Rand()*float64(wait/2))
		if ctx.Err() == nil && e.Now().Add(wait).Before(end) {
			e.Log.Warn("elasticsearch: trying again", "documents", len(pending), "of", before, "wait", wait, "error", err)
			if e.Sleep(ctx, wait) == nil {
				continue
			}
		}
		for _, it := range pending {
			errs[it.at] = presswatch.Errorf(presswatch.Unavailable, "elasticsearch: document %s: %w", it.id, errors.Join(err, ctx.Err()))
		}
		return
	}
}

// flush sends items in one bulk request and records what is settled. It
// returns the items to try again, and one of the reasons.
func (e *elastic) flush(ctx context.Context, items []item, errs []error) ([]item, error) {
	var body bytes.Buffer
	for _, it := range items {
		body.Write(it.line)
	}
	var answer bulkAnswer
	err := e.call(ctx, http.MethodPost, "/"+url.PathEscape(e.alias())+"/_bulk?require_alias=true&filter_path=items.*.status,items.*.error", body.Bytes(), &answer)
	if err != nil {
		return e.wholeFailed(ctx, items, errs, err)
	}
	if len(answer.Items) != len(items) {
		return items, errors.New("its answer does not name every document")
	}
	var again []item
	var reason error
	for i, it := range items {
		f := answer.Items[i].fault()
		switch {
		case f == nil:
			errs[it.at] = nil
		case f.status == http.StatusConflict: // a version as new or newer is there
			errs[it.at] = nil
		case f.retryable():
			again, reason = append(again, it), f
		default:
			errs[it.at] = presswatch.Errorf(presswatch.Invalid, "elasticsearch: document %s: %w", it.id, f)
		}
	}
	if f := (*fault)(nil); errors.As(reason, &f) && f.status == http.StatusNotFound {
		reason = errors.Join(reason, e.ensure(ctx)) // somebody deleted the index
	}
	return again, reason
}

// wholeFailed handles a bulk request that failed as a whole. Nothing is known
// of its items then, and all are sent again, which the versions make harmless;
// one that is too large is sent in halves.
func (e *elastic) wholeFailed(ctx context.Context, items []item, errs []error, err error) ([]item, error) {
	f := (*fault)(nil)
	if !errors.As(err, &f) || f.retryable() {
		if f != nil && f.status == http.StatusNotFound {
			err = errors.Join(err, e.ensure(ctx))
		}
		return items, err
	}
	if len(items) == 1 {
		code := presswatch.Invalid
		if f.status == http.StatusRequestEntityTooLarge {
			code = presswatch.TooLarge
		}
		errs[items[0].at] = presswatch.Errorf(code, "elasticsearch: document %s: %w", items[0].id, f)
		return nil, nil
	}
	// Either it is too large, or one of them spoils it: halves tell which.
	left, reason := e.flush(ctx, items[:len(items)/2], errs)
	right, reason2 := e.flush(ctx, items[len(items)/2:], errs)
	if reason == nil {
		reason = reason2
	}
	return append(append([]item(nil), left...), right...), reason
}

// bulkAnswer is what the bulk API says of each item, in order.
type bulkAnswer struct {
	Items []bulkItem
}

type bulkItem map[string]struct {
	Status int
	Error  json.RawMessage
}

// fault is what went wrong with an item, nil when nothing did.
func (b bulkItem) fault() *fault {
	for _, r := range b {
		if r.Status >= 200 && r.Status < 300 {
			return nil
		}
		f := &fault{status: r.Status}
		if r.Error != nil {
			f.kind, f.reason = readCause(r.Error)
		}
		if f.status == 0 {
			f.status, f.reason = http.StatusBadGateway, "no status"
		}
		return f
	}
	return &fault{status: http.StatusBadGateway, reason: "no status"}
}
