package analysis

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"presswatch/internal/lang/all"
)

func terms(a *Analyzer, s, language string) (out []string) {
	for t := range a.Tokens(s, language) {
		out = append(out, t.Term)
	}
	return out
}

func TestTokens(t *testing.T) {
	a := New()
	for name, tc := range map[string]struct{ in, language, want string }{
		"Vietnamese is folded":                  {"Đắk Lắk, Bộ Y tế!", "vi", "dak lak bo y te"},
		"Vietnamese is not stemmed":             {"những nations", "vi", "nhung nations"},
		"English is stemmed":                    {"The nations' ministers were reporting", "en", "the nation minist were report"},
		"English by its region too":             {"nations", "en-GB", "nation"},
		"English by an upper-case code":         {"nations", "EN", "nation"},
		"a genitive s is not a word":            {"the minister's and the minister\u2019s", "en", "the minist and the minist"},
		"an s alone is":                         {"s S' x's", "vi", "s s x"},
		"Hindi forms are one":                   {"लड़का लड़के लड़की ख़बर खबर", "hi", "लडक लडक लडक खबर खबर"},
		"Hindi in any document":                 {"किताबें", "vi", "किताब"},
		"Arabic article, hamza, ta marbuta":     {"الوزير وزير الحكومة حكومه أحمد احمد", "ar", "زير زير حكوم حكوم احمد احمد"},
		"Arabic vowels and tatweel":             {"الصِّحّـــة الصحة", "ar", "صح صح"},
		"digits of all scripts":                 {"१२३ ٤٥٦ 789", "hi", "123 456 789"},
		"Han and Kana stand for themselves":     {"日本とVietnam戦", "ja", "日 本 と vietnam 戦"},
		"decomposed text":                       {"Vie\u0323\u0302t", "vi", "viet"},
		"marks alone are no word":               {"\u0301 \u200d \u0640 a", "vi", "a"},
		"punctuation and emoji are no words":    {"— 😀 … ?!", "vi", ""},
		"empty":                                 {"", "vi", ""},
		"a very long word is cut":               {strings.Repeat("a", 200), "vi", strings.Repeat("a", MaxTerm)},
		"a very long word with marks is cut":    {strings.Repeat("ạ", 200), "vi", strings.Repeat("a", MaxTerm)},
		"bad UTF-8 separates":                   {"a\xffb", "vi", "a b"},
		"an unknown language is only folded":    {"Nations Straße", "xx", "nations strasse"},
		"und is only folded":                    {"Nations", "und", "nations"},
		"English words in a Hindi document":     {"WHO nations", "hi", "who nations"},
		"Vietnamese words in an English text":   {"Hà Nội's mayors", "en", "ha noi mayor"},
		"a word keeps its joiners out of sight": {"क्\u200dष क्ष", "hi", "कष कष"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(terms(a, tc.in, tc.language), " "); got != tc.want {
				t.Errorf("%q in %s: %q, want %q", tc.in, tc.language, got, tc.want)
			}
		})
	}
}

func TestMarks(t *testing.T) {
	a := New()
	for in, want := range map[string]string{
		"Đắk": "đắk", "dak": "", "DAK": "", "nations": "", "أحمد": "أحمد", "احمد": "", "१२३": "१२३", "Vie\u0323\u0302t": "việt",
	} {
		for token := range a.Tokens(in, "en") {
			if token.Marks != want {
				t.Errorf("%q: marks %q, want %q", in, token.Marks, want)
			}
		}
		if w := a.Query(in); len(w) != 1 || w[0].Marks != want {
			t.Errorf("query %q: %+v, want marks %q", in, w, want)
		}
	}
}

func TestOffsetsPointAtTheWord(t *testing.T) {
	a := New()
	const s = "Bộ Y tế: हिन्दी, العربيّة 日本 minister's 2026!"
	var got []string
	for token := range a.Tokens(s, "en") {
		got = append(got, s[token.Start:token.End])
	}
	if want := []string{"Bộ", "Y", "tế", "हिन्दी", "العربيّة", "日", "本", "minister", "2026"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A word of a query must look for what the same word became in a document of
// any language.
func TestQueryFindsEveryForm(t *testing.T) {
	a := New()
	for _, s := range []string{"Nations", "Đắk", "reporting", "organised", "الوزير", "وزير", "लड़कियाँ", "café", "Straße", "ITEMS", "s", "日", "agencies"} {
		words := a.Query(s)
		for _, p := range all.Profiles() {
			for i, term := range terms(a, s, p.Code) {
				if !slices.Contains(words[i].Terms, term) {
					t.Errorf("%q became %q in %s; the query looks for %q", s, term, p.Code, words[i].Terms)
				}
			}
		}
	}
}

func TestLongTextsEnd(t *testing.T) {
	a, n := New(), 0
	for range a.Tokens(strings.Repeat("a ", 3*MaxTokens), "vi") {
		n++
	}
	if n != MaxTokens {
		t.Errorf("%d words, want %d", n, MaxTokens)
	}
}

func TestMemoryIsBoundedAndShared(t *testing.T) {
	a := New()
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 20_000 {
				word := string([]rune{rune('a' + g), rune('a' + i%26), rune('a' + i/26%26), rune('Ā' + i/676), 'ạ'})
				if got := terms(a, word, "vi"); len(got) != 1 || !strings.HasSuffix(got[0], "a") || len(got[0]) != 5 {
					t.Errorf("%q gave %q", word, got)
					return
				}
			}
		})
	}
	wg.Wait()
	if len(a.words) > maxCached {
		t.Errorf("%d words remembered, the most is %d", len(a.words), maxCached)
	}
}

func FuzzTokens(f *testing.F) {
	for _, s := range []string{"Đắk Lắk", "nations'", "लड़कियाँ ख़", "الوزير ـ", "日本s's", "a\xff\u200d", "ẞİŉﷺ"} {
		f.Add(s, "en")
	}
	a := New()
	f.Fuzz(func(t *testing.T, s, language string) {
		end := 0
		for token := range a.Tokens(s, language) {
			if token.Start < end || token.End <= token.Start || token.End > len(s) {
				t.Fatalf("offsets %d to %d after %d of %d", token.Start, token.End, end, len(s))
			}
			end = token.End
			for _, v := range []string{token.Term, token.Marks} {
				// Elasticsearch splits at white space, and a term has a limit.
				if !utf8.ValidString(v) || utf8.RuneCountInString(v) > MaxTerm || strings.ContainsFunc(v, unicode.IsSpace) {
					t.Fatalf("term %q of %q", v, s[token.Start:token.End])
				}
			}
			if token.Term == "" {
				t.Fatalf("empty term of %q", s[token.Start:token.End])
			}
		}
	})
}
