package query

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"presswatch"
	"presswatch/internal/index/analysis"
)

// show writes a query so that its shape can be compared.
func show(n Node) string {
	switch n := n.(type) {
	case All:
		return "*"
	case Word:
		s := strings.Join(n.Terms, "|")
		if n.Marks != "" {
			s += "^" + n.Marks
		}
		for _, p := range n.Prefixes {
			s += "," + p + "*"
		}
		return s
	case Phrase:
		var words []string
		for _, w := range n.Words {
			words = append(words, strings.Join(w.Terms, "|"))
		}
		return `"` + strings.Join(words, " ") + `"`
	case And:
		return "(" + list(n.Nodes, " & ") + ")"
	case Or:
		return "(" + list(n.Nodes, " or ") + ")"
	case Not:
		return "!" + show(n.Node)
	}
	return fmt.Sprintf("%T", n)
}

func list(nodes []Node, between string) string {
	var s []string
	for _, n := range nodes {
		s = append(s, show(n))
	}
	return strings.Join(s, between)
}

func TestParse(t *testing.T) {
	a := analysis.New()
	for in, want := range map[string]string{
		"":                        "*",
		" \t ":                    "*",
		"*":                       "*",
		"tin":                     "tin",
		"Tin GIẢ":                 "(tin & gia^giả)",
		"a b c":                   "(a & b & c)",
		"a AND b":                 "(a & b)",
		"a && b || c":             "((a & b) or c)",
		"a OR b c":                "(a or (b & c))",
		"(a OR b) c":              "((a or b) & c)",
		"a and b":                 "(a & and & b)",
		"-a":                      "!a",
		"a -b":                    "(a & !b)",
		"a NOT b":                 "(a & !b)",
		"a AND NOT b":             "(a & !b)",
		"--a":                     "a",
		"-(a b)":                  "!(a & b)",
		`-"a b"`:                  `!"a b"`,
		`"a b"`:                   `"a b"`,
		`"a"`:                     "a",
		"“a b”":                   `"a b"`,
		"„a b“ «c d»":             `("a b" & "c d")`,
		`x"a b"y`:                 `(x & "a b" & y)`,
		"covid-19":                `"covid 19"`,
		"a-b-c":                   `"a b c"`,
		"a - b":                   "(a & b)",
		"nations":                 "nations|nation",
		`"united nations"`:        `"united|unit nations|nation"`,
		"tin*":                    "tin,tin*",
		"Giả*":                    "gia^giả,gia*",
		"الحك*":                   "حك,الحك*,حك*",
		"a & b":                   "(a & b)",
		"a ! b":                   "(a & b)",
		"* a":                     "(* & a)",
		`a ""`:                    "a",
		"((a))":                   "a",
		"title:tin":               `"title|titl tin"`,
		"NOT a OR b":              "(!a or b)",
		"a\u00A0b":                "(a & b)",
		"日本":                      `"日 本"`,
		"'a' `b` [c] {d} a~2 b^3": `(a & b & c & d & "a 2" & "b 3")`,
	} {
		n, err := Parse(in, a)
		if err != nil {
			t.Errorf("%q: %v", in, err)
		} else if got := show(n); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestParseErrorsNameThePosition(t *testing.T) {
	a := analysis.New()
	for in, want := range map[string]string{
		`a "b`:                               "position 3: this quotation mark is never closed",
		`đắk “lắk`:                           "position 5: this quotation mark is never closed",
		"a (b":                               "position 3: this parenthesis is never closed",
		"a b) c":                             "position 4: this parenthesis closes nothing",
		")":                                  "position 1: a word is missing before this parenthesis",
		"()":                                 "position 2: a word is missing before this parenthesis",
		"OR a":                               "position 1: a word is missing before this OR",
		"a AND":                              "position 6: a word is missing at the end",
		"a OR AND b":                         "position 6: a word is missing before this AND",
		"a OR":                               "position 5: a word is missing at the end",
		"a OR )":                             "position 6: a word is missing before this parenthesis",
		"NOT":                                "position 4: a word is missing at the end",
		"a NOT OR b":                         "position 7: a word is missing before this OR",
		"*a":                                 "position 1: a '*' may only stand at the end of a word",
		"b ạ*c":                              "position 4: a '*' may only stand at the end of a word",
		"b a*":                               "position 3: a '*' needs more letters before it",
		"covid-1*":                           "position 1: a '*' needs one word before it",
		"...":                                "position 1: no word to look for",
		`"" -`:                               "position 1: no word to look for",
		strings.Repeat("a ", MaxWords+1):     "position 129: too many words",
		strings.Repeat("(", 17) + "a":        "position 18: nested too deeply",
		strings.Repeat("-(", 9) + "a":        "nested too deeply",
		strings.Repeat("ạ", MaxLength+1):     "513 characters, the most is 512",
		strings.Repeat("NOT ", 17) + "hello": "nested too deeply",
	} {
		_, err := Parse(in, a)
		if presswatch.CodeOf(err) != presswatch.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want Invalid with %q", in, err, want)
		}
	}
}

func TestWordsLeaveOutWhatIsExcluded(t *testing.T) {
	n, err := Parse(`tin "tin giả" -(x OR y) (Tin OR bão NOT lũ) gia`, analysis.New())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range Words(n) {
		got = append(got, w.Plain+"/"+w.Marks)
	}
	if want := []string{"tin/", "gia/giả", "bao/bão", "gia/"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestHighlights(t *testing.T) {
	a := analysis.New()
	d := presswatch.Document{Title: "Tin 😀 giả", Text: "Hà Nội, tin giả; tin giả tin.", Language: "vi"}
	for text, want := range map[string]string{
		"tin":              "[{title 0 3} {text 8 11} {text 17 20} {text 25 28}]",
		`"tin giả"`:        "[{title 0 9} {text 8 15} {text 17 24}]",
		`"giả tin"`:        "[{text 12 20} {text 21 28}]",
		`"tin giả tin"`:    "[{text 8 28}]",
		`ha OR "ha noi"`:   "[{text 0 6}]",
		`"tin giả" OR tin`: "[{title 0 9} {text 8 15} {text 17 24} {text 25 28}]",
		"n*":               "",
		"no*":              "[{text 3 6}]",
		"-tin":             "[]",
		"tin -giả":         "[{title 0 3} {text 8 11} {text 17 20} {text 25 28}]",
	} {
		n, err := Parse(text, a)
		if err != nil {
			if want == "" {
				continue
			}
			t.Fatal(err)
		}
		if got := fmt.Sprint(Highlights(n, d, a)); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestHighlightsAreFew(t *testing.T) {
	a := analysis.New()
	d := presswatch.Document{Title: strings.Repeat("tin ", 12), Text: strings.Repeat("tin x ", 1000)}
	n, _ := Parse("tin", a)
	spans := Highlights(n, d, a)
	if len(spans) != MaxSpans || spans[11].Field != "title" || spans[12] != (presswatch.Span{Field: "text", Start: 0, End: 3}) {
		t.Errorf("%d spans: %v", len(spans), spans)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a b", `"a b" OR -c*`, "((a)", "“a”", "NOT NOT a", "-*", "a\x00b", "\xff", "الحك* ख़*", "*"} {
		f.Add(s)
	}
	a := analysis.New()
	doc := presswatch.Document{Title: "Đắk Lắk a b c", Text: "tin giả nations الوزير लड़के 日本", Language: "en"}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := Parse(s, a)
		if err != nil {
			if presswatch.CodeOf(err) != presswatch.Invalid {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		for _, w := range Words(n) {
			if len(w.Terms) == 0 || slices.Contains(w.Terms, "") || w.Plain == "" {
				t.Fatalf("%q: word %+v", s, w)
			}
		}
		last := 0
		for _, span := range Highlights(n, doc, a) {
			text := map[string]string{"title": doc.Title, "text": doc.Text}[span.Field]
			if span.Start < 0 || span.End <= span.Start || span.End > utf8.RuneCountInString(text) || span.Field == "text" && last > 0 && span.Start < last {
				t.Fatalf("%q: span %+v", s, span)
			}
			if last = span.End; span.Field == "title" {
				last = 0
			}
		}
	})
}
