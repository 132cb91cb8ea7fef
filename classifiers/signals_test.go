package classifiers

import (
	"context"
	"strings"
	"testing"

	"presswatch"
)

// pointed is what the spans of e stand on in d, joined by "|".
func pointed(t *testing.T, e presswatch.Evidence, d presswatch.Document) string {
	t.Helper()
	fields := map[string][]rune{fieldTitle: []rune(d.Title), fieldText: []rune(d.Text)}
	var out []string
	for _, s := range e.Spans {
		rs, ok := fields[s.Field]
		if !ok || s.Start < 0 || s.End <= s.Start || s.End > len(rs) {
			t.Fatalf("%s: span %+v in %d code points", e.Signal, s, len(rs))
		}
		out = append(out, string(rs[s.Start:s.End]))
	}
	return strings.Join(out, "|")
}

func TestSignals(t *testing.T) {
	w := newWordings()
	clean := strings.Repeat("The council met and talked about roads. ", 10)
	for name, tc := range map[string]struct {
		signal Signal
		doc    presswatch.Document
		key    string // empty: the signal has nothing to say
		at     string
	}{
		"loud words, with their marks":           {NewSensational(w), presswatch.Document{Language: "vi", Title: "Sốc: bí mật động trời", Text: "Không có gì"}, "evidence.sensational", "Sốc|bí mật động trời"},
		"a word with other marks is another":     {NewSensational(w), presswatch.Document{Language: "vi", Text: "sóc nâu"}, "", ""},
		"Hindi":                                  {NewSensational(w), presswatch.Document{Language: "hi", Text: "यह एक बड़ा खुलासा है"}, "evidence.sensational", "बड़ा खुलासा"},
		"Arabic":                                 {NewSensational(w), presswatch.Document{Language: "ar", Text: "هذه فضيحة كبيرة"}, "evidence.sensational", "فضيحة"},
		"a region of the language":               {NewSensational(w), presswatch.Document{Language: "en-GB", Text: "a bombshell"}, "evidence.sensational", "bombshell"},
		"another language's words mean nothing":  {NewSensational(w), presswatch.Document{Language: "de", Text: "a bombshell"}, "", ""},
		"a phrase does not run from title on":    {NewSensational(w), presswatch.Document{Language: "en", Title: "must", Text: "see the new bridge"}, "", ""},
		"a call to share":                        {NewShareCall(w), presswatch.Document{Language: "vi", Text: "Hãy chia sẻ, share gấp!"}, "evidence.share_call", "Hãy chia sẻ|share gấp"},
		"no call to share":                       {NewShareCall(w), presswatch.Document{Language: "en", Text: "shares fell"}, "", ""},
		"hearsay":                                {NewAttribution(w), presswatch.Document{Language: "en", Text: "People say the bank will close."}, "evidence.hearsay", "People say"},
		"hearsay beside a source":                {NewAttribution(w), presswatch.Document{Language: "en", Text: "People say it; the ministry denied it, according to a report."}, "", ""},
		"figures nobody vouches for":             {NewAttribution(w), presswatch.Document{Language: "en", Text: clean + "It cost 40 million for 12 km."}, "evidence.figures_unsourced", "40|12"},
		"a long text without a source":           {NewAttribution(w), presswatch.Document{Language: "en", Text: clean}, "evidence.unsourced", ""},
		"a short text needs none":                {NewAttribution(w), presswatch.Document{Language: "en", Text: "The council met."}, "", ""},
		"capitals":                               {Shouting{}, presswatch.Document{Language: "en", Title: "WAKE UP PEOPLE"}, "evidence.shouting", "WAKE|PEOPLE"},
		"one acronym among many words":           {Shouting{}, presswatch.Document{Language: "en", Title: "Members of the UNESCO council met again on Monday to talk"}, "", ""},
		"runs of marks":                          {Shouting{}, presswatch.Document{Language: "ar", Text: "ماذا؟؟ نعم!!!"}, "evidence.shouting", "؟؟|!!!"},
		"many pictures":                          {Shouting{}, presswatch.Document{Language: "vi", Text: "trời ơi 😱😱😱😱😱"}, "evidence.shouting", ""},
		"a number only the title has":            {HeadlineNumbers{}, presswatch.Document{Language: "en", Title: "500 flee flood", Text: clean}, "evidence.headline_numbers", "500"},
		"a number written with separators":       {HeadlineNumbers{}, presswatch.Document{Language: "en", Title: "12,500 flee", Text: clean + "Some 12.500 fled."}, "", ""},
		"the same number in other digits":        {HeadlineNumbers{}, presswatch.Document{Language: "hi", Title: "५०० लोग", Text: strings.Repeat("शब्द ", 50) + "500"}, "", ""},
		"small numbers may be spelt out":         {HeadlineNumbers{}, presswatch.Document{Language: "en", Title: "5 flee flood", Text: clean}, "", ""},
		"a teaser may leave numbers out":         {HeadlineNumbers{}, presswatch.Document{Language: "en", Title: "500 flee flood", Text: "Read on."}, "", ""},
		"a title that asks":                      {NewClickbait(&Model{}), presswatch.Document{Language: "en", Title: " Is this the end?"}, "evidence.clickbait_open", "Is this the end?"},
		"a title that says":                      {NewClickbait(&Model{}), presswatch.Document{Language: "en", Title: "Council approves the budget"}, "", ""},
		"a title of two words is not judged":     {NewClickbait(&Model{}), presswatch.Document{Language: "en", Title: "Why now?"}, "", ""},
		"no words":                               {NewText(&Model{}), presswatch.Document{Language: "en", Text: "…!"}, "evidence.text_none", ""},
		"words, but no head: nothing is claimed": {NewText(&Model{}), presswatch.Document{Language: "en", Text: "a word"}, "evidence.text_unfamiliar", ""},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := tc.signal.Score(t.Context(), tc.doc)
			if err != nil || e.Signal != tc.signal.Spec().Name || e.Score < 0 || e.Score > 1 {
				t.Fatalf("evidence %+v, err %v", e, err)
			}
			if e.Key != tc.key || (e.Reason == "") != (tc.key == "") || (e.Score == 0) != (tc.key == "") {
				t.Fatalf("key %q (score %v, reason %q), want %q", e.Key, e.Score, e.Reason, tc.key)
			}
			if got := pointed(t, e, tc.doc); got != tc.at {
				t.Errorf("spans stand on %q, want %q", got, tc.at)
			}
		})
	}
}

func TestMoreOfTheSameScoresHigher(t *testing.T) {
	w := newWordings()
	one, two := presswatch.Document{Language: "en", Text: "please share"}, presswatch.Document{Language: "en", Text: "please share, spread the word"}
	a, _ := NewShareCall(w).Score(t.Context(), one)
	b, _ := NewShareCall(w).Score(t.Context(), two)
	if !(a.Score < b.Score) {
		t.Errorf("one call %v, two %v", a.Score, b.Score)
	}
	short, long := presswatch.Document{Language: "en", Text: "a shocking secret cure"}, presswatch.Document{Language: "en", Text: "a shocking secret cure " + strings.Repeat("and much else ", 200)}
	a, _ = NewSensational(w).Score(t.Context(), short)
	b, _ = NewSensational(w).Score(t.Context(), long)
	if !(a.Score > b.Score) {
		t.Errorf("short text %v, long %v", a.Score, b.Score)
	}
}

func TestEverySignalNamesItself(t *testing.T) {
	seen := map[string]bool{signalBase: true}
	for _, s := range All(&Model{}) {
		if sp := s.Spec(); sp.Name == "" || sp.Help == "" || seen[sp.Name] {
			t.Errorf("spec %+v", sp)
		} else {
			seen[sp.Name] = true
		}
	}
	for name := range policyWeights() {
		if !seen[name] {
			t.Errorf("a weight for %q, which is no signal", name)
		}
	}
}

// No reason may say what only a person may find.
func TestReasonsNeverJudge(t *testing.T) {
	e := mustDefault(t)
	for code, texts := range handTexts {
		for _, s := range append(texts.look, texts.plain...) {
			d := presswatch.Document{Language: code, Title: "WHO hides 5000 deaths?", Text: s}
			if err := e.Classify(t.Context(), &d); err != nil {
				t.Fatal(err)
			}
			for _, ev := range d.Verdict.Evidence {
				bare := ev.Reason
				for _, a := range ev.Args {
					bare = strings.ReplaceAll(bare, a, "")
				}
				for _, word := range []string{"false", "fake", " lie", "untrue", "hoax"} {
					if strings.Contains(strings.ToLower(bare), word) {
						t.Errorf("%s: %q says %q", ev.Signal, ev.Reason, word)
					}
				}
				pointed(t, ev, d)
			}
		}
	}
}

func TestGuessLanguage(t *testing.T) {
	for want, texts := range handTexts {
		for _, s := range append(texts.look, texts.plain...) {
			if got := guessLanguage(s); got != want && len(strings.Fields(s)) > 12 {
				t.Errorf("%q looks like %q, want %q", s, got, want)
			}
		}
	}
	for _, s := range []string{"", "123 !!!", "新闻报道"} {
		if got := guessLanguage(s); got != "" {
			t.Errorf("%q looks like %q", s, got)
		}
	}
}

func TestViewIsThatOfItsDocument(t *testing.T) {
	ctx := withView(context.Background(), newView(presswatch.Document{Title: "One", Text: "two"}))
	other := presswatch.Document{Title: "Three four", Text: "five"}
	if v := viewOf(ctx, other); v.title != "Three four" || len(v.words) != 3 {
		t.Errorf("the view of another document is used: %q", v.title)
	}
}
