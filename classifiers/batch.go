package classifiers

import (
	"cmp"
	"context"
	"io"
	"runtime"

	"presswatch"
	"presswatch/internal/jsonl"
)

// RunBatch classifies JSON lines: id, title, text, url, language, source (and
// kind, when it is known) in; the same record with risk, level, evidence and
// model out, in the same order. Other fields pass through. With explain the
// evidence of the words names the phrases that count, which takes longer. A
// line that cannot be read gives {"id","error"} with its number and counts as
// bad; the run goes on. A record without language is read in the one it looks
// like. The error is that of in, out or ctx.
func RunBatch(ctx context.Context, in io.Reader, out io.Writer, e *Ensemble, explain bool) (ok, bad int, err error) {
	return jsonl.Run(ctx, in, out, runtime.GOMAXPROCS(0), func(ctx context.Context, r jsonl.Record) error {
		d, err := documentOf(r)
		if err != nil {
			return err
		}
		if err := e.classify(ctx, &d, explain); err != nil {
			return err
		}
		r.Set("risk", d.Verdict.Risk)
		r.Set("level", d.Verdict.Level)
		r.Set("evidence", d.Verdict.Evidence)
		r.Set("model", d.Verdict.Model)
		return nil
	})
}

// documentOf is the record as the signals see it.
func documentOf(r jsonl.Record) (presswatch.Document, error) {
	var f struct{ title, text, url, language, lang, source, kind string }
	for _, want := range []struct {
		name string
		to   *string
	}{{"title", &f.title}, {"text", &f.text}, {"url", &f.url}, {"language", &f.language}, {"lang", &f.lang}, {"source", &f.source}, {"kind", &f.kind}} {
		var err error
		if *want.to, err = r.String(want.name); err != nil {
			return presswatch.Document{}, err
		}
	}
	if f.title == "" && f.text == "" {
		return presswatch.Document{}, presswatch.Errorf(presswatch.Invalid, "title and text: both are empty")
	}
	language := cmp.Or(f.language, f.lang)
	if language == "" {
		language = guessLanguage(f.title + "\n" + f.text)
	}
	return presswatch.Document{Kind: presswatch.Kind(f.kind), Title: f.title, Text: f.text, URL: f.url,
		Source: presswatch.SourceID(f.source), Language: language}, nil
}
