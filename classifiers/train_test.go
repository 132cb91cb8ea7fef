package classifiers

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"presswatch"
	"presswatch/classifiers/metrics"
)

func trainTiny(t *testing.T, seed uint64) (Report, string) {
	t.Helper()
	out := t.TempDir()
	r, err := Train(t.Context(), TrainOptions{
		Dir: filepath.Join("testdata", "sets"), Out: out, Press: []string{}, Seed: seed,
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return r, out
}

func TestTrainLearnsATinyCorpus(t *testing.T) {
	r, out := trainTiny(t, 0)
	var names []string
	for _, s := range r.Sets {
		names = append(names, s.Name)
		if s.Random.AUC < 0.9 {
			t.Errorf("%s: AUC %.2f out of fold", s.Name, s.Random.AUC)
		}
	}
	if want := []string{"hand_en", "hand_vi", "clickbait_vi"}; !slices.Equal(names, want) {
		t.Errorf("learned from %v, want %v: harm is not falsehood", names, want)
	}
	f, err := os.Open(filepath.Join(out, ModelFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := Read(f)
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(m)
	if err != nil {
		t.Fatal(err)
	}
	loud := presswatch.Document{Language: "en", Text: "Wake up, lemon kills the virus, forward to everyone"}
	calm := presswatch.Document{Language: "en", Text: "The council said it opened a library on Tuesday."}
	if e.Classify(t.Context(), &loud) != nil || e.Classify(t.Context(), &calm) != nil {
		t.Fatal("cannot classify")
	}
	if loud.Verdict.Level == presswatch.Low || calm.Verdict.Level != presswatch.Low {
		t.Errorf("loud %.2f, calm %.2f", loud.Verdict.Risk, calm.Verdict.Risk)
	}
	if !slices.ContainsFunc(loud.Verdict.Evidence, func(e presswatch.Evidence) bool {
		return e.Signal == signalText && len(e.Spans) > 0 && e.Weight > 0
	}) {
		t.Errorf("the words are not shown: %+v", loud.Verdict.Evidence)
	}
	report, err := Eval(t.Context(), filepath.Join("testdata", "sets"), e)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range report.Sets {
		if s.Task == string(falsehood) && (s.Seen < 0.99 || s.All.AUC < 0.95) || s.Name == "victsd" && s.Seen != 0 {
			t.Errorf("%s: %.2f seen, AUC %.2f", s.Name, s.Seen, s.All.AUC)
		}
	}
	if table := report.String(); !strings.Contains(table, "hand_vi") || !strings.Contains(table, "flatter") {
		t.Errorf("table %s", table)
	}
}

func TestTrainingIsDeterministic(t *testing.T) {
	read := func(dir string) []byte {
		raw, err := os.ReadFile(filepath.Join(dir, ModelFile))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	_, a := trainTiny(t, 5)
	_, b := trainTiny(t, 5)
	_, c := trainTiny(t, 6)
	if !bytes.Equal(read(a), read(b)) {
		t.Error("the same seed gives another file")
	}
	if bytes.Equal(read(a), read(c)) {
		t.Error("another seed gives the same file")
	}
}

func TestCardNamesSetsLicencesAndLimits(t *testing.T) {
	_, out := trainTiny(t, 1)
	raw, err := os.ReadFile(filepath.Join(out, CardFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"hand_vi", "clickbait_vi", "CC BY 4.0", "## Limits", "2026-03-01", "Review from 0.50", "never says that an item is false"} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("the card lacks %q", want)
		}
	}
	if strings.Contains(string(raw), "NaN") {
		t.Error("the card has a figure that is no number")
	}
}

func TestCommittedCardIsThatOfTheEmbeddedModel(t *testing.T) {
	path := filepath.Join("model", CardFile)
	want := Card(mustDefault(t).model, len(embedded))
	if *trainDir != "" {
		t.Skip("the card is being rewritten")
	}
	if os.Getenv("UPDATE_CARD") != "" {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("the card does not belong to the model (err %v); train again, or run with UPDATE_CARD=1", err)
	}
}

func TestTrainRefusesBadSets(t *testing.T) {
	for name, tc := range map[string]struct {
		file, content string
		code          presswatch.Code
		says          string
	}{
		"an empty folder":   {"readme.txt", "", presswatch.NotFound, "no labelled sets"},
		"broken JSON":       {"a.jsonl", "{\"label\":1,\"text\":\"x\"}\n{", presswatch.Invalid, "set a, line 2"},
		"no label":          {"a.jsonl", `{"text":"x"}`, presswatch.Invalid, "label"},
		"a label above one": {"a.jsonl", `{"text":"x","label":2}`, presswatch.Invalid, "label"},
		"nothing to learn":  {"vihsd.jsonl", `{"text":"x","label":1}`, presswatch.Invalid, "no set"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, tc.file), []byte(tc.content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Train(t.Context(), TrainOptions{Dir: dir, Out: t.TempDir(), Press: []string{}})
			if presswatch.CodeOf(err) != tc.code || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("err %v", err)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Train(ctx, TrainOptions{Dir: filepath.Join("testdata", "sets"), Out: t.TempDir(), Press: []string{}}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Log-odds three times too strong, of texts of which a fifth is positive: the
// mix must find both out.
func TestFitMixCalibrates(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var rows []mixRow
	var raw, mixed []metrics.Pair
	for range 4000 {
		z := rng.NormFloat64() * 1.5
		label := rng.Float64() < sigmoid(z-1.5)
		rows = append(rows, mixRow{head: "x", z: 3 * z, words: 30, label: label, cost: 1})
	}
	mixes, weights := fitMix(rows)
	for _, r := range rows {
		raw = append(raw, metrics.Pair{Score: sigmoid(r.z), Label: r.label})
		mixed = append(mixed, metrics.Pair{Score: sigmoid(r.logOdds(mixes["x"], weights)), Label: r.label})
	}
	if before, after := metrics.ECE(raw, 15), metrics.ECE(mixed, 15); after > 0.03 || after > before/3 {
		t.Errorf("calibration error %.3f, then %.3f", before, after)
	}
	if a, b := metrics.AUC(raw), metrics.AUC(mixed); math.Abs(a-b) > 0.001 {
		t.Errorf("AUC %v, then %v: the order changed", a, b)
	}
}

func TestFitMixLearnsWeightsButNeverBelowZero(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var rows []mixRow
	for range 4000 {
		x, y := rng.Float64(), rng.Float64()
		rows = append(rows, mixRow{head: "x", words: 30, cost: 1, label: rng.Float64() < sigmoid(2*x-2*y),
			scores: map[string]float64{signalShare: x, signalShouting: y, signalNumbers: y}})
	}
	_, w := fitMix(rows)
	if w[signalShare] < 1.2 || w[signalShouting] != 0 {
		t.Errorf("weights %v", w)
	}
	if w[signalNumbers] != policyWeights()[signalNumbers] {
		t.Errorf("a kept weight moved to %v", w[signalNumbers])
	}
}

func TestPressAndUnknownWordsAreDrawnDown(t *testing.T) {
	m := Mix{Base: 0.5, Text: 1, Lengths: [2]float64{-1, 1}, Press: Press{Trust: 0.5, Prior: -3}}
	post, article := m.apply(2, 1, 300, presswatch.Post), m.apply(2, 1, 300, presswatch.Article)
	if got, want := article.base+article.text, 0.5*(post.base+post.text)+0.5*-3; math.Abs(got-want) > 1e-9 {
		t.Errorf("article %v, want %v", got, want)
	}
	if p := m.apply(0, 0, 300, presswatch.Post); p.base != unknownPrior {
		t.Errorf("unknown words: base %v", p.base)
	}
}

func TestFoldsKeepCopiesAndSourcesTogether(t *testing.T) {
	text := "the council of the town met on monday to talk about the new bridge over the river and its cost"
	one := 1
	ex := []example{
		{set: "liar", ID: "a", Text: text, Group: "x", Label: &one},
		{set: "liar", ID: "b", Text: strings.ToUpper(text) + "!", Group: "y", Label: &one},
		{set: "liar", ID: "c", Text: "an entirely different sentence about the price of rice in spring", Group: "y", Label: &one},
		{set: "liar", ID: "d", Text: "nothing in common with any of the others whatever one may say", Group: "", Label: &one},
	}
	copies, sources := clustersOf(ex, byCopy), clustersOf(ex, bySource)
	if copies[0] != copies[1] || copies[2] == copies[1] || copies[3] == copies[0] {
		t.Errorf("copies %v", copies)
	}
	if sources[0] != sources[1] || sources[1] != sources[2] || sources[3] == sources[0] {
		t.Errorf("sources %v", sources)
	}
	for seed := range uint64(20) {
		if f := folds(ex, copies, 4, seed); f[0] != f[1] {
			t.Fatalf("seed %d: copies in parts %v", seed, f)
		}
	}
}

func TestLateHoldsBackTheLastFifthAndItsCopies(t *testing.T) {
	var ex []example
	for i := range 100 {
		ts := int64(i)
		ex = append(ex, example{set: "arcov", ID: string(rune('a' + i)), TS: &ts})
	}
	clusters := make([]int, 100)
	for i := range clusters {
		clusters[i] = i
	}
	clusters[99] = 3 // the last is a copy of an early one
	test, skip := late(ex, clusters)
	n := 0
	for i := range ex {
		if test[i] {
			n++
			if i <= 80 {
				t.Errorf("%d is held back", i)
			}
		}
	}
	if n < 15 || n > 20 || !skip[3] || skip[4] {
		t.Errorf("%d held back, skip %v %v", n, skip[3], skip[4])
	}
}

// sharedDir is a folder of the shared data, or a skip.
func sharedDir(t *testing.T, parts ...string) string {
	t.Helper()
	root := os.Getenv("PRESSWATCH_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "shared")
	}
	dir := filepath.Join(append([]string{root}, parts...)...)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the shared data is not here: %v", err)
	}
	return dir
}

// The embedded model has learned from these rows, so that this cannot measure
// it; it catches a file and features that no longer fit together.
func TestEmbeddedModelReachesItsCard(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 40 MB")
	}
	dir, e := sharedDir(t, "data", "risk"), mustDefault(t)
	r, err := Eval(t.Context(), dir, e)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", r)
	for _, s := range r.Sets {
		i := slices.IndexFunc(e.model.Report.Sets, func(x SetReport) bool { return x.Name == s.Name && x.Task == string(falsehood) })
		if i < 0 {
			continue
		}
		card := e.model.Report.Sets[i].Random
		if s.All.AUC < card.AUC-0.02 || s.All.MacroF1 < card.MacroF1-0.03 {
			t.Errorf("%s: AUC %.3f and macro-F1 %.3f, the card says %.3f and %.3f", s.Name, s.All.AUC, s.All.MacroF1, card.AUC, card.MacroF1)
		}
	}
}

func TestOrdinaryPressIsSeldomFlagged(t *testing.T) {
	path, e := sharedDir(t, "data", "pages", "pages.jsonl"), mustDefault(t)
	n, flagged := 0, 0
	if err := readPress(path, func(a pressArticle) {
		d := a.document()
		if err := e.classify(t.Context(), &d, false); err != nil {
			t.Fatal(err)
		}
		if n++; d.Verdict.Level.AtLeast(presswatch.Review) {
			flagged++
		}
	}); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d articles at Review or above", flagged, n)
	if 100*flagged > 8*n || n == 0 {
		t.Errorf("%d of %d articles are flagged", flagged, n)
	}
}
