package linear

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func tokensOf(s string) (out []string) {
	var sc scanner
	sc.scan(0, s)
	rs := []rune(s)
	for _, t := range sc.tokens {
		out = append(out, string(rs[t.start:t.end])+"="+string(t.fold))
	}
	return out
}

func TestScan(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"words are folded, symbols stay":    {"Đắk Lắk!", "Đắk=dak|Lắk=lak|!=!"},
		"digits have no value":              {"12 ca", "12=00|ca=ca"},
		"digits of other scripts neither":   {"१२", "१२=00"},
		"an address is one token":           {"xem https://a.b/c?d=1 nhé", "xem=xem|https://a.b/c?d=1=" + url + "|nhé=nhe"},
		"a run of a symbol counts to three": {"a!!!!!b", "a=a|!!!!!=!!!|b=b"},
		"a word beginning with h is a word": {"hôm www", "hôm=hom|www=www"},
		"bad bytes are passed over":         {"a\xff\x00b", "a=a|b=b"},
		"vowel signs belong to their word":  {"हिन्दी में", "हिन्दी=हिन्दी|में=में"},
		"nothing":                           {" \n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(tokensOf(tc.in), "|"); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestLongRunsAreCut(t *testing.T) {
	var x Extractor
	s := x.Extract(strings.Repeat("a", 100000), strings.Repeat("ш", 100000))
	if n := len(s.Words); n != 2*MaxRunes/MaxWord {
		t.Errorf("%d words, want %d", n, 2*MaxRunes/MaxWord)
	}
}

func TestMarksMakeOtherFeatures(t *testing.T) {
	var x Extractor
	with, without := slices.Clone(x.Extract("lừa đảo").Index), slices.Clone(x.Extract("lua dao").Index)
	shared := 0
	for _, i := range without {
		if slices.Contains(with, i) {
			shared++
		}
	}
	if shared != len(without) {
		t.Errorf("%d of %d features of the unmarked text are in the marked one", shared, len(without))
	}
	if len(with) <= len(without) {
		t.Error("marks add nothing")
	}
}

func TestExtractIsRepeatable(t *testing.T) {
	var x Extractor
	a := x.Extract("Tin nóng", "hôm nay, hôm nay")
	index, count := slices.Clone(a.Index), slices.Clone(a.Count)
	x.Release(a)
	b := x.Extract("Tin nóng", "hôm nay, hôm nay")
	if !slices.Equal(index, b.Index) || !slices.Equal(count, b.Count) {
		t.Error("the second extraction differs: buffers leak")
	}
}

func TestVectorHasLengthOneInEachPart(t *testing.T) {
	var x Extractor
	rapid.Check(t, func(t *rapid.T) {
		s := x.Extract(rapid.String().Draw(t, "title"), rapid.String().Draw(t, "text"))
		defer x.Release(s)
		df := make([]uint32, Dim)
		for _, i := range s.Index {
			df[i] = 2
		}
		index, value := NewVocab(df, 10, 2).Vector(s, nil, nil)
		var norm [2]float64
		for k, i := range index {
			norm[part(i)] += float64(value[k]) * float64(value[k])
		}
		for p, n := range norm {
			if n != 0 && math.Abs(n-1) > 1e-4 {
				t.Fatalf("part %d has norm %v", p, n)
			}
		}
	})
}

func TestRareFeaturesAreLeftOut(t *testing.T) {
	v := NewVocab([]uint32{0, 1, 2, 9}, 10, 2)
	if v.IDF[0] != 0 || v.IDF[1] != 0 || v.IDF[2] == 0 || v.IDF[3] == 0 || v.IDF[3] >= v.IDF[2] {
		t.Errorf("weights %v", v.IDF)
	}
}

func corpus() (texts []string, labels []bool) {
	for _, a := range []string{"miracle", "secret", "shocking", "hidden"} {
		for _, b := range []string{"cure", "plot", "truth"} {
			texts, labels = append(texts, a+" "+b+" they hide"), append(labels, true)
		}
	}
	for _, a := range []string{"council", "ministry", "office", "school"} {
		for _, b := range []string{"report", "budget", "plan"} {
			texts, labels = append(texts, a+" "+b+" was approved"), append(labels, false)
		}
	}
	return texts, labels
}

func trained(t *testing.T) (*Extractor, Vocab, *Data, Dense) {
	t.Helper()
	x, df, data := new(Extractor), make([]uint32, Dim), &Data{}
	texts, labels := corpus()
	for _, s := range texts {
		for _, i := range x.Extract(s).Index {
			df[i]++
		}
	}
	v := NewVocab(df, len(texts), 1)
	rows := []int{}
	for i, s := range texts {
		index, value := v.Vector(x.Extract(s), nil, nil)
		data.Append(index, value, labels[i], 4)
		rows = append(rows, i)
	}
	m, err := Fit(t.Context(), data, rows, 50, 7)
	if err != nil {
		t.Fatal(err)
	}
	return x, v, data, m
}

func TestFitReachesTheOptimum(t *testing.T) {
	_, _, data, m := trained(t)
	loss := func(m Dense) float64 {
		sum := 0.0
		for _, w := range m.W {
			sum += float64(w) * float64(w) / 2
		}
		for i, y := range data.Label {
			z := m.Dot(data.Row(i))
			if !y {
				z = -z
			}
			sum += data.Cost[i] * math.Log1p(math.Exp(-z))
		}
		return sum
	}
	best := loss(m)
	for _, f := range []float32{0.9, 1.1} {
		other := Dense{W: slices.Clone(m.W)}
		for i := range other.W {
			other.W[i] *= f
		}
		if loss(other) < best {
			t.Errorf("weights times %v have loss %v, fitted ones %v", f, loss(other), best)
		}
	}
	for i, y := range data.Label {
		if z := m.Dot(data.Row(i)); z > 0 != y {
			t.Errorf("row %d: log-odds %v, label %v", i, z, y)
		}
	}
}

func TestFitIsDeterministicAndStops(t *testing.T) {
	_, _, _, a := trained(t)
	_, _, data, b := trained(t)
	if !slices.Equal(a.W, b.W) {
		t.Error("the same seed gives other weights")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Fit(ctx, data, []int{0}, 5, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("err %v", err)
	}
}

func TestCoordinateSolvesItsEquation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		norm := rapid.Float64Range(1, 3).Draw(t, "norm")
		margin := rapid.Float64Range(-25, 25).Draw(t, "margin")
		c := rapid.Float64Range(0.01, 50).Draw(t, "c")
		old := c * rapid.Float64Range(0, 1).Draw(t, "old")
		a := coordinate(norm, margin, old, c)
		if a <= 0 || a > c {
			t.Fatalf("%v is not between 0 and %v", a, c)
		}
		if f := norm*(a-old) + margin + math.Log(a/(c-a)); c-a > 1e-9*c && math.Abs(f) > 1e-3 {
			t.Fatalf("a %v leaves %v", a, f)
		}
	})
}

func TestQuantisedHeadAgrees(t *testing.T) {
	x, v, data, m := trained(t)
	known := make([]uint64, KnownBits/64)
	s := x.Extract("secret plot they hide")
	Learn(known, s.Words)
	h := Quantise(m, known, len(data.Label))
	for i := range data.Label {
		if a, b := m.Dot(data.Row(i)), h.Dot(data.Row(i)); math.Abs(a-b) > 0.1 {
			t.Errorf("row %d: %v quantised to %v", i, a, b)
		}
	}
	if f := h.Familiar(s.Words); f != 1 {
		t.Errorf("familiar %v", f)
	}
	if f := h.Familiar(x.Extract("entirely other wording").Words); f != 0 {
		t.Errorf("unfamiliar words: %v", f)
	}
	if h.Familiar(nil) != 0 {
		t.Error("no words are familiar")
	}
	_ = v
}

func TestQuantiseOfNothing(t *testing.T) {
	h := Quantise(Dense{W: make([]float32, Dim+1)}, nil, 0)
	if h.Scale != 0 || h.Dot([]uint32{1}, []float32{1}) != 0 {
		t.Errorf("scale %v", h.Scale)
	}
}

func TestExplainPointsAtWhatCounts(t *testing.T) {
	x, v, _, m := trained(t)
	h := Quantise(m, nil, 1)
	in := "the council budget, and a secret plot they hide"
	s := x.Extract("", in)
	index, value := v.Vector(s, nil, nil)
	ps := h.Explain(s, index, value, 3, 6)
	if len(ps) == 0 {
		t.Fatal("no phrase")
	}
	got := string([]rune(in)[ps[0].Start:ps[0].End])
	if ps[0].Field != 1 || !strings.Contains(got, "hide") || strings.Contains(got, "budget") {
		t.Errorf("first phrase %q in field %d", got, ps[0].Field)
	}
	if !slices.IsSortedFunc(ps, func(a, b Phrase) int { return int(math.Copysign(1, b.Weight-a.Weight)) }) {
		t.Errorf("not by weight: %v", ps)
	}
}

func FuzzExtract(f *testing.F) {
	for _, s := range []string{"Đắk Lắk!!", "http://", "\xff\x00", "؟؟ عاجل", "ẞİǅ", "e\u0301\u0301"} {
		f.Add(s, s)
	}
	var x Extractor
	f.Fuzz(func(t *testing.T, title, text string) {
		s := x.Extract(title, text)
		defer x.Release(s)
		fields := []int{len([]rune(title)), len([]rune(text))}
		at, field := int32(0), uint8(0)
		for _, k := range s.scan.tokens {
			if k.field != field {
				at, field = 0, k.field
			}
			if k.start < at || k.end <= k.start || int(k.end) > fields[k.field] {
				t.Fatalf("token %d-%d after %d in %d code points", k.start, k.end, at, fields[k.field])
			}
			at = k.end
		}
		total := 0
		for _, c := range s.Count {
			total += int(c)
		}
		if total != len(s.occ) && len(s.occ) < math.MaxUint16 {
			t.Fatalf("%d counted of %d", total, len(s.occ))
		}
	})
}
