package classifiers

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"presswatch"

	"pgregory.net/rapid"
)

func TestContributionsAddUp(t *testing.T) {
	e := mustDefault(t)
	var all []string
	for _, texts := range handTexts {
		all = append(append(all, texts.look...), texts.plain...)
	}
	rapid.Check(t, func(t *rapid.T) {
		d := presswatch.Document{
			Language: rapid.SampledFrom([]string{"vi", "en", "hi", "ar", "es", "und", ""}).Draw(t, "language"),
			Kind:     rapid.SampledFrom([]presswatch.Kind{"", presswatch.Article, presswatch.Post}).Draw(t, "kind"),
			Title:    rapid.OneOf(rapid.SampledFrom(all), rapid.String()).Draw(t, "title"),
			Text:     rapid.OneOf(rapid.SampledFrom(all), rapid.String()).Draw(t, "text"),
		}
		if err := e.Classify(context.Background(), &d); err != nil {
			t.Fatal(err)
		}
		v := d.Verdict
		if got := sigmoid(LogOdds(v)); math.Abs(got-v.Risk) > 1e-12 || !(v.Risk > 0 && v.Risk < 1) {
			t.Fatalf("weights add up to %v, the risk is %v", got, v.Risk)
		}
		if v.Level != e.Levels().Of(v.Risk) || v.Model != e.Version() {
			t.Fatalf("level %s, model %q", v.Level, v.Model)
		}
		if last := v.Evidence[len(v.Evidence)-1]; last.Signal != signalBase || last.Reason == "" {
			t.Fatalf("last is %+v, want the base", last)
		}
		for _, ev := range v.Evidence {
			for _, s := range ev.Spans {
				n := utf8.RuneCountInString(d.Text)
				if s.Field == fieldTitle {
					n = utf8.RuneCountInString(d.Title)
				}
				if s.Start < 0 || s.End <= s.Start || s.End > n {
					t.Fatalf("%s: span %+v of %d", ev.Signal, s, n)
				}
			}
		}
	})
}

func TestClassifyIsRepeatable(t *testing.T) {
	e := mustDefault(t)
	a := presswatch.Document{Language: "vi", Text: handTexts["vi"].look[0]}
	b := a
	if e.Classify(t.Context(), &a) != nil || e.Classify(t.Context(), &b) != nil {
		t.Fatal("cannot classify")
	}
	if a.Verdict.Risk != b.Verdict.Risk || len(a.Verdict.Evidence) != len(b.Verdict.Evidence) {
		t.Errorf("%v, then %v", a.Verdict, b.Verdict)
	}
}

type broken struct {
	err   error
	panic bool
	score float64
}

func (broken) Spec() Spec { return Spec{Name: "broken", Help: "fails"} }

func (b broken) Score(context.Context, presswatch.Document) (presswatch.Evidence, error) {
	if b.panic {
		panic("no good")
	}
	return presswatch.Evidence{Signal: "broken", Score: b.score}, b.err
}

func TestFailingSignalIsLeftOutAndSaid(t *testing.T) {
	for name, b := range map[string]broken{
		"an error":        {err: errors.New("no good")},
		"a panic":         {panic: true},
		"a score above 1": {score: 2},
		"not a number":    {score: math.NaN()},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			good := mustDefault(t)
			bad := *good
			bad.Log, bad.signals = slog.New(slog.NewTextHandler(&log, nil)), append([]Signal{b}, good.signals...)
			x := presswatch.Document{Language: "en", Text: "They say the bank closes tomorrow, share this"}
			y := x
			if good.Classify(t.Context(), &x) != nil || bad.Classify(t.Context(), &y) != nil {
				t.Fatal("cannot classify")
			}
			if x.Verdict.Risk != y.Verdict.Risk {
				t.Errorf("risk %v, without the broken signal %v", y.Verdict.Risk, x.Verdict.Risk)
			}
			if !strings.Contains(log.String(), "broken") {
				t.Errorf("log %q", log.String())
			}
		})
	}
}

func TestClassifyEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := mustDefault(t).Classify(ctx, &presswatch.Document{Text: "x"}); !errors.Is(err, context.Canceled) {
		t.Errorf("err %v", err)
	}
}

func TestHostileTexts(t *testing.T) {
	e := mustDefault(t)
	for name, s := range map[string]string{
		"empty":            "",
		"NUL":              strings.Repeat("\x00", 1000),
		"no letters":       strings.Repeat("!? ", 100000),
		"bad UTF-8":        strings.Repeat("\xff\xfe\xc3", 10000),
		"16 MB":            strings.Repeat("share this secret ", 16<<20/18),
		"16 MB, no break":  strings.Repeat("a", 16<<20),
		"marks only":       strings.Repeat("\u0301", 50000),
		"joiners only":     strings.Repeat("\u200d", 50000),
		"address for ever": "https://" + strings.Repeat("a", 1<<20),
		"digits":           strings.Repeat("1,234.567 ", 50000),
		"emoji":            strings.Repeat("😱", 50000),
	} {
		t.Run(name, func(t *testing.T) {
			for _, code := range []string{"vi", "ar", "xx"} {
				d := presswatch.Document{Language: code, Title: s, Text: s}
				if err := e.Classify(t.Context(), &d); err != nil || d.Verdict.Risk <= 0 || d.Verdict.Risk >= 1 || math.IsNaN(d.Verdict.Risk) {
					t.Errorf("%s: risk %v, err %v", code, d.Verdict.Risk, err)
				}
			}
		})
	}
}

func TestUnknownWordsAreDrawnToThePrior(t *testing.T) {
	e := mustDefault(t)
	for _, code := range []string{"en", "xx"} {
		d := presswatch.Document{Language: code, Text: strings.Repeat("zxqv wkjf qqpl vvbn xkcd jjwq ", 5)}
		if err := e.Classify(t.Context(), &d); err != nil {
			t.Fatal(err)
		}
		if d.Verdict.Level != presswatch.Low {
			t.Errorf("%s: risk %.2f", code, d.Verdict.Risk)
		}
	}
}

func TestLevels(t *testing.T) {
	l := Levels{Review: 0.5, High: 0.8}
	for risk, want := range map[float64]presswatch.Level{0: presswatch.Low, 0.4999: presswatch.Low, 0.5: presswatch.Review, 0.8: presswatch.High, 1: presswatch.High} {
		if got := l.Of(risk); got != want {
			t.Errorf("risk %v is %s, want %s", risk, got, want)
		}
	}
}

func TestModelFileSurvivesARoundTrip(t *testing.T) {
	m, err := Read(bytes.NewReader(embedded))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), embedded) {
		t.Error("written again, the file differs")
	}
	if len(embedded) > 6<<20 {
		t.Errorf("the file has %d bytes", len(embedded))
	}
}

func TestDamagedModelFileIsInvalid(t *testing.T) {
	flip := func(at int) []byte {
		c := bytes.Clone(embedded)
		c[at] ^= 1
		return c
	}
	for name, raw := range map[string][]byte{
		"empty":           nil,
		"only the magic":  []byte(fileMagic),
		"another kind":    []byte(strings.Repeat("{}", 100)),
		"cut in half":     embedded[:len(embedded)/2],
		"one bit changed": flip(len(embedded) / 2),
		"checksum":        flip(len(fileMagic) + 3),
		"magic":           flip(0),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Read(bytes.NewReader(raw)); presswatch.CodeOf(err) != presswatch.Invalid {
				t.Errorf("err %v, code %s", err, presswatch.CodeOf(err))
			}
		})
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add([]byte{2, 0, 0, 0, '{', '}'})
	f.Add([]byte{255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if m, err := unpack(partReader{raw}); err == nil && len(m.vocab.IDF) == 0 {
			t.Error("a model without vocabulary")
		}
	})
}

func TestNewRefusesUselessModels(t *testing.T) {
	m := mustDefault(t).model
	for name, bad := range map[string]*Model{
		"none":             nil,
		"no heads":         {Meta: m.Meta},
		"levels reversed":  {Meta: Meta{Mixes: m.Mixes, Levels: Levels{Review: 0.9, High: 0.5}}, heads: m.heads},
		"levels not given": {Meta: Meta{Mixes: m.Mixes}, heads: m.heads},
	} {
		if _, err := New(bad); presswatch.CodeOf(err) != presswatch.Invalid {
			t.Errorf("%s: err %v", name, err)
		}
	}
}

func FuzzClassify(f *testing.F) {
	e, err := Default()
	if err != nil {
		f.Fatal(err)
	}
	f.Add("vi", "Sốc", "Chia sẻ ngay\x00 12.345")
	f.Add("ar", "؟", "\u0640\u200d")
	f.Fuzz(func(t *testing.T, code, title, text string) {
		d := presswatch.Document{Language: code, Title: title, Text: text}
		if err := e.Classify(t.Context(), &d); err != nil || !(d.Verdict.Risk > 0 && d.Verdict.Risk < 1) {
			t.Fatalf("risk %v, err %v", d.Verdict.Risk, err)
		}
		for _, ev := range d.Verdict.Evidence {
			pointed(t, ev, d)
		}
	})
}

func BenchmarkClassify(b *testing.B) {
	e := mustDefault(b)
	for code, texts := range handTexts {
		words := strings.Fields(strings.Join(append(texts.look, texts.plain...), " "))
		for len(words) < 600 {
			words = append(words, words...)
		}
		d := presswatch.Document{Kind: presswatch.Article, Language: code, Title: texts.plain[0], Text: strings.Join(words[:600], " "), FetchedAt: time.Unix(0, 0)}
		b.Run(code+" 600 words", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := e.Classify(b.Context(), &d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
