package classifiers

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"presswatch"
	"presswatch/classifiers/linear"
	"presswatch/classifiers/metrics"
)

// TrainOptions says what to learn from and where to put it.
type TrainOptions struct {
	Dir    string           // folder of labelled sets, *.jsonl
	Out    string           // folder for risk.model and MODEL_CARD.md; created when missing
	Press  []string         // JSONL files of ordinary press articles (language or lang, title, text or gold), to set how articles differ from posts; nil: the ones beside Dir, if any
	Seed   uint64           // of every order and lot; 0 means 1
	Passes int              // over the rows, at most; 0 means 15
	Log    *slog.Logger     // nil means slog.Default()
	Now    func() time.Time // nil means time.Now
}

// The files that Train writes.
const (
	ModelFile = "risk.model"
	CardFile  = "MODEL_CARD.md"
)

// foldCount is into how many parts examples are dealt to be scored by a model
// that has not seen them.
const foldCount = 4

// costPerRow is the cost of a mistake against one of regularisation, for a set
// of costRows rows that words foretell perfectly.
const costPerRow, costRows = 16.0, 2000.0

// strangeShare is how much the scores of unseen sources count in calibration,
// against those of unseen texts of any source: most items of a desk come from
// sources that it knows.
const strangeShare = 0.15

// Train learns a model from labelled sets, measures it out of fold, and writes
// it with its card. The same sets, seed and clock give the same bytes. An
// unreadable set is an error; one whose label means something else than
// falsehood or clickbait is left alone.
func Train(ctx context.Context, opts TrainOptions) (Report, error) {
	opts = opts.withDefaults()
	sets, names, err := readSets(opts.Dir)
	if err != nil {
		return Report{}, err
	}
	t := &trainer{TrainOptions: opts, model: &Model{Meta: Meta{Created: opts.Now().UTC().Truncate(time.Second), Seed: opts.Seed},
		heads: map[string]*linear.Head{}, clickbait: map[string]*linear.Head{}, trained: make([]uint64, bloomBits/64)}}
	risk, titles := map[string][]example{}, map[string][]example{}
	for _, name := range names {
		for _, e := range sets[name] {
			switch datasetNamed(name).Task {
			case falsehood:
				risk[e.head()] = append(risk[e.head()], e)
			case clickbait:
				e.Text = "" // the label is about the title
				titles[e.head()] = append(titles[e.head()], e)
			}
		}
	}
	if len(risk) == 0 {
		return Report{}, presswatch.Errorf(presswatch.Invalid, "%s: no set whose label means false or unreliable", opts.Dir)
	}
	if err := t.run(ctx, risk, titles); err != nil {
		return Report{}, err
	}
	if err := t.others(ctx, sets, names); err != nil {
		return Report{}, err
	}
	return t.model.Report, t.write()
}

// others reports how much of the sets of other tasks reaches the levels: texts
// that are no news, from which nothing was learned.
func (t *trainer) others(ctx context.Context, sets map[string][]example, names []string) error {
	for _, name := range names {
		if datasetNamed(name).Task != otherTask {
			continue
		}
		var docs []presswatch.Document
		for _, e := range sets[name] {
			docs = append(docs, e.document())
		}
		r, err := t.flagged(ctx, docs)
		if err != nil {
			return err
		}
		r.Head = name
		t.model.Report.Other = append(t.model.Report.Other, r)
	}
	return nil
}

func (o TrainOptions) withDefaults() TrainOptions {
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Passes == 0 {
		o.Passes = 15
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Press == nil {
		for _, p := range []string{"pages/pages.jsonl", "stories/vi-stories.jsonl", "stories/translations.jsonl"} {
			p = filepath.Join(filepath.Dir(filepath.Clean(o.Dir)), filepath.FromSlash(p))
			if _, err := os.Stat(p); err == nil {
				o.Press = append(o.Press, p)
			}
		}
	}
	return o
}

type trainer struct {
	TrainOptions
	model *Model
}

// scored is an example with what models that have not seen it say.
type scored struct {
	example
	row    mixRow
	random float64
	source float64
	late   *float64
}

func (t *trainer) run(ctx context.Context, risk, titles map[string][]example) error {
	t.vocabulary(risk, titles)
	for _, name := range slices.Sorted(maps.Keys(titles)) {
		out, err := t.head(ctx, titles[name], t.model.clickbait, name)
		if err != nil {
			return err
		}
		t.report(out, clickbait, func(s scored, z float64) float64 { return sigmoid(z) })
	}
	var all []scored
	for _, name := range slices.Sorted(maps.Keys(risk)) {
		out, err := t.head(ctx, risk[name], t.model.heads, name)
		if err != nil {
			return err
		}
		if err := t.signals(ctx, out); err != nil {
			return err
		}
		all = append(all, out...)
	}
	var rows []mixRow
	for _, s := range all {
		near, far := s.row, s.row
		near.z, far.z, far.cost = s.random, s.source, s.row.cost*strangeShare
		rows = append(rows, near, far)
	}
	t.model.Mixes, t.model.Weights = fitMix(rows)
	t.report(all, falsehood, func(s scored, z float64) float64 {
		s.row.z = z
		return sigmoid(s.row.logOdds(t.model.Mixes[s.row.head], t.model.Weights))
	})
	t.model.Levels = Levels{Review: reviewRisk, High: highRisk}
	return t.press(ctx)
}

// vocabulary weighs features by how rare they are in the language where they
// are most frequent.
func (t *trainer) vocabulary(groups ...map[string][]example) {
	t.model.vocab.IDF = make([]uint8, linear.Dim)
	df := map[string][]uint32{}
	rows := map[string]int{}
	for _, g := range groups {
		for name, examples := range g {
			if df[name] == nil {
				df[name] = make([]uint32, linear.Dim)
			}
			rows[name] += len(examples)
			for _, e := range examples {
				s := t.model.extractor.Extract(e.Title, e.Text)
				for _, i := range s.Index {
					df[name][i]++
				}
				t.model.extractor.Release(s)
			}
		}
	}
	for name, counts := range df {
		t.model.vocab.Merge(linear.NewVocab(counts, rows[name], 2))
	}
}

// head trains one head and scores its examples out of fold.
func (t *trainer) head(ctx context.Context, examples []example, into map[string]*linear.Head, name string) ([]scored, error) {
	start := time.Now()
	data, known := &linear.Data{}, make([]uint64, linear.KnownBits/64)
	out := make([]scored, len(examples))
	counts := map[string]int{}
	for _, e := range examples {
		counts[e.set]++
	}
	for i, e := range examples {
		s := t.model.extractor.Extract(e.Title, e.Text)
		s.Row, s.Values = t.model.vocab.Vector(s, s.Row[:0], s.Values[:0])
		balance := balanceOf(counts[e.set])
		data.Append(s.Row, s.Values, e.positive(), costPerRow*balance)
		linear.Learn(known, s.Words)
		out[i] = scored{example: e, row: mixRow{head: name, words: len(s.Words), label: e.positive(), cost: balance}}
		t.model.extractor.Release(s)
		t.model.remember(e.Title, e.Text)
	}
	if err := t.outOfFold(ctx, data, examples, out); err != nil {
		return nil, err
	}
	all := make([]int, len(examples))
	for i := range all {
		all[i] = i
	}
	m, err := linear.Fit(ctx, data, all, t.Passes, t.Seed)
	if err != nil {
		return nil, err
	}
	h := linear.Quantise(m, known, len(examples))
	into[name] = &h
	t.Log.InfoContext(ctx, "head trained", "head", name, "rows", len(examples), "features", len(data.Index), "took", time.Since(start).Round(time.Millisecond))
	return out, nil
}

// outOfFold fills in what models say that have not seen the example: first
// with copies kept together, which also tells how much each set can be learned
// from; then with sources kept together; then the latest by the earlier.
func (t *trainer) outOfFold(ctx context.Context, data *linear.Data, examples []example, out []scored) error {
	copies, sources := clustersOf(examples, byCopy), clustersOf(examples, bySource)
	pass := func(part []int, put func(i int, z float64)) error {
		for k := range foldCount {
			var rows []int
			for i, p := range part {
				if p != k {
					rows = append(rows, i)
				}
			}
			m, err := linear.Fit(ctx, data, rows, t.Passes, t.Seed)
			if err != nil {
				return err
			}
			for i, p := range part {
				if p == k {
					put(i, m.Dot(data.Row(i)))
				}
			}
		}
		return nil
	}
	dealt := folds(examples, copies, foldCount, t.Seed)
	random := func(i int, z float64) { out[i].random = z }
	if err := pass(dealt, random); err != nil {
		return err
	}
	learnable(data, out)
	if err := pass(dealt, random); err != nil {
		return err
	}
	if err := pass(folds(examples, sources, foldCount, t.Seed), func(i int, z float64) { out[i].source = z }); err != nil {
		return err
	}
	test, skip := late(examples, copies)
	if !slices.Contains(test, true) {
		return nil
	}
	var early []int
	for i := range examples {
		if !skip[i] {
			early = append(early, i)
		}
	}
	m, err := linear.Fit(ctx, data, early, t.Passes, t.Seed)
	for i := range examples {
		if err == nil && test[i] {
			z := m.Dot(data.Row(i))
			out[i].late = &z
		}
	}
	return err
}

// learnable lowers the cost of sets whose labels the words hardly foretell, so
// that the head does not learn their noise by heart: by how far the area under
// the curve is above chance.
func learnable(data *linear.Data, out []scored) {
	pairs := map[string][]metrics.Pair{}
	for _, s := range out {
		pairs[s.set] = append(pairs[s.set], metrics.Pair{Score: sigmoid(s.random), Label: s.positive()})
	}
	factor := map[string]float64{}
	for set, p := range pairs {
		g := max(0, 2*metrics.AUC(p)-1)
		factor[set] = min(1, max(0.02, g))
	}
	for i, s := range out {
		data.Cost[i] *= factor[s.set]
	}
}

// signals asks the other signals about each example.
func (t *trainer) signals(ctx context.Context, out []scored) error {
	all := All(t.model)
	for i := range out {
		d := out[i].document()
		v := newView(d)
		v.read, v.quick = &reading{}, true
		out[i].row.words = len(v.words)
		out[i].row.scores = map[string]float64{}
		for _, s := range all {
			name := s.Spec().Name
			if name == signalText {
				continue
			}
			e, err := s.Score(withView(ctx, v), d)
			if err != nil {
				return fmt.Errorf("signal %s on %s: %w", name, out[i].ID, err)
			}
			if e.Score > 0 {
				out[i].row.scores[name] = e.Score
			}
		}
	}
	return ctx.Err()
}

// write names the model by its content and writes both files.
func (t *trainer) write() error {
	var b bytes.Buffer
	if err := t.model.Write(&b); err != nil {
		return err
	}
	t.model.Name = fmt.Sprintf("risk-%s-%08x", t.model.Created.Format("20060102"), uint32(hash64(b.String())))
	b.Reset()
	if err := t.model.Write(&b); err != nil {
		return err
	}
	if err := os.MkdirAll(t.Out, 0o755); err != nil {
		return presswatch.Errorf(presswatch.Unavailable, "folder of the model: %w", err)
	}
	for name, content := range map[string][]byte{ModelFile: b.Bytes(), CardFile: []byte(Card(t.model, b.Len()))} {
		if err := os.WriteFile(filepath.Join(t.Out, name), content, 0o644); err != nil {
			return presswatch.Errorf(presswatch.Unavailable, "%s: %w", name, err)
		}
	}
	return nil
}

// balanceOf weighs the rows of a set so that large sets do not drown small
// ones: by the root of how much larger it is.
func balanceOf(rows int) float64 { return math.Sqrt(costRows / float64(max(rows, 1))) }
