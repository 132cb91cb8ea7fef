package indextest

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"presswatch"
)

func testQueries(t *testing.T, idx presswatch.Index) {
	docs := texts(
		"Flood in the north", "Rivers rose after heavy rain; schools closed.", // 0
		"Schools open again", "The rain stopped, the flood is over.", // 1
		"Market report", "Prices rose in covid-19 times. Rain was rare.", // 2
		"Covid news", "Nineteen schools: flood of cases, not of heavy rain or after heavy news.", // 3
		"Empty", "Nothing here but AND OR NOT and marks!", // 4
	)
	for i := range docs {
		docs[i].Language = english
	}
	put(t, idx, docs...)
	for text, want := range map[string][]int{
		"":                                 {0, 1, 2, 3, 4},
		"*":                                {0, 1, 2, 3, 4},
		"  \t\n":                           {0, 1, 2, 3, 4},
		"rain":                             {0, 1, 2, 3},
		"rain flood":                       {0, 1, 3},
		"rain AND flood":                   {0, 1, 3},
		"RAIN Flood":                       {0, 1, 3},
		"flood OR prices":                  {0, 1, 2, 3},
		"flood prices OR empty":            {4},
		"rain -flood":                      {2},
		"rain NOT flood":                   {2},
		"-rain":                            {4},
		"NOT (rain OR flood)":              {4},
		"--rain":                           {0, 1, 2, 3},
		"(flood OR prices) rose":           {0, 2},
		`"heavy rain"`:                     {0, 3},
		`"heavy rain" -nineteen`:           {0},
		"\u201Cheavy rain\u201D":           {0, 3},
		"\u00ABheavy rain\u00BB":           {0, 3},
		`"rain heavy"`:                     {},
		`"north rivers"`:                   {}, // a phrase does not cross from the title into the text
		`north rivers`:                     {0},
		`-"heavy rain" rain`:               {1, 2},
		"covid-19":                         {2},
		"covid - 19":                       {2},
		`"and or not and"`:                 {4},
		"and":                              {4},
		"rain & flood":                     {0, 1, 3},
		"floo*":                            {0, 1, 3},
		"schoo* -clos*":                    {1, 3},
		"* -rain":                          {4},
		"school":                           {0, 1, 3}, // stemmed
		"closing":                          {0},
		"title:flood":                      {},
		"((((rain))))":                     {0, 1, 2, 3},
		"nowhere":                          {},
		"rain nowhere":                     {},
		"rain OR nowhere":                  {0, 1, 2, 3},
		`"heavy rain" OR "flood is over"`:  {0, 1, 3},
		`"after heavy rain"`:               {0},
		`("rose after" OR "rose in") rain`: {0, 2},
		"+rain +prices":                    {2},
	} {
		if got := numbers(docs, find(t, idx, presswatch.Query{Text: text})); !slices.Equal(got, append([]int{}, want...)) {
			t.Errorf("%q found %v, want %v", text, got, want)
		}
	}
}

func testVietnamese(t *testing.T, idx presswatch.Index) {
	docs := texts(
		"Mưa lớn ở Đắk Lắk", "Nhiều nơi ngập.",
		"Mua lon o Dak Lak", "Nhieu noi ngap.",
		"Mưa lớn ở Đăk Lăk", "Cách viết khác.",
		"Bộ Y tế họp", "Về vắc xin.",
		"Bo y te hop", "Ve vac xin.",
	)
	put(t, idx, docs...)
	for _, text := range []string{"dak lak", "Đắk Lắk", "ĐẮK LẮK", "đắk lắk", "Da\u0306\u0301k La\u0306\u0301k", `"Đắk Lắk"`, `"dak lak"`} {
		if got := numbers(docs, find(t, idx, presswatch.Query{Text: text})); !slices.Equal(got, []int{0, 1, 2}) {
			t.Errorf("%q found %v, want 0, 1, 2", text, got)
		}
	}
	if got := find(t, idx, presswatch.Query{Text: "Đắk Lắk"}); got[0] != docs[0].ID {
		t.Errorf("with marks: first %v, want the text with the same marks", numbers(docs, got[:1]))
	}
	if got := find(t, idx, presswatch.Query{Text: `"bộ y tế"`}); len(got) != 2 || got[0] != docs[3].ID {
		t.Errorf("phrase with marks: %v, want 3 before 4", numbers(docs, got))
	}
}

func testForms(t *testing.T, idx presswatch.Index) {
	docs := texts(
		"United Nations", "The ministers reported on organised crime in the minister's city.",
		"स्वास्थ्य मंत्री", "लड़कियाँ स्कूल में किताबें पढ़ती हैं। ख़बर १२३",
		"وزير الصحة", "نشرت الحكومة الأخبار عن اللقاحات في المدارس ٢٠٢٦",
		"Bản tin tiếng Việt", "He wrote nations and the city of London.",
	)
	docs[0].Language, docs[1].Language, docs[2].Language = english, hindi, arabic
	put(t, idx, docs...)
	for text, want := range map[string][]int{
		"nation": {0}, "nations": {0, 3}, "minister": {0}, "Minister\u2019s": {0}, "reporting": {0}, "organising": {0},
		"लड़कियों": {1}, "किताब": {1}, "खबर": {1}, "123": {1}, "१२३": {1}, "स्वास्थ्य": {1},
		"خبر": {}, "الاخبار": {2}, "أخبار": {2}, "والأخبار": {2}, "لقاحات": {2}, "حكومه": {2}, "الوزير": {2}, "2026": {2}, "مدارس": {2},
		"الحك*": {2},
	} {
		if got := numbers(docs, find(t, idx, presswatch.Query{Text: text})); !slices.Equal(got, append([]int{}, want...)) {
			t.Errorf("%q found %v, want %v", text, got, want)
		}
	}
}

func testTitleWeight(t *testing.T, idx presswatch.Index) {
	docs := texts("nothing of note", "flood today in town", "flood today", "nothing of note in town")
	put(t, idx, docs...)
	if got := find(t, idx, presswatch.Query{Text: "flood"}); len(got) != 2 || got[0] != docs[1].ID {
		t.Errorf("order %v, want the title first", numbers(docs, got))
	}
	res := search(t, idx, presswatch.Query{Text: "flood", Limit: 2})
	if res.Hits[0].Score <= res.Hits[1].Score || res.Hits[1].Score <= 0 {
		t.Errorf("scores %v, %v", res.Hits[0].Score, res.Hits[1].Score)
	}
}

func testHighlights(t *testing.T, idx presswatch.Index) {
	d := Document(1, "Tin 😀 Đắk Lắk và dak", "Ở Đắk Lắk, \"tin giả\"… Lắk tin giả Đắk")
	put(t, idx, d)
	for text, want := range map[string][]string{
		"lak":                    {"Lắk", "Lắk", "Lắk"},
		`"dak lak"`:              {"Đắk Lắk", "Đắk Lắk"},
		`"tin giả" OR lắk`:       {"Lắk", "Lắk", "tin giả", "Lắk", "tin giả"},
		"đắk -nowhere":           {"Đắk", "dak", "Đắk", "Đắk"},
		"-nowhere":               nil,
		"*":                      nil,
		"gi*":                    {"giả", "giả"},
		`"dak lak" dak nope*`:    nil, // found nothing
		`"giả lắk" OR "tin giả"`: {"tin giả\"… Lắk", "tin giả"},
	} {
		res := search(t, idx, presswatch.Query{Text: text, Limit: 1})
		var got []string
		for _, h := range res.Hits {
			for _, s := range h.Highlights {
				field := map[string]string{"title": d.Title, "text": d.Text}[s.Field]
				got = append(got, string([]rune(field)[s.Start:s.End]))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	put(t, idx, Document(2, "x", strings.Repeat("many ", 500)))
	if n := len(search(t, idx, presswatch.Query{Text: "many", Limit: 1}).Hits[0].Highlights); n == 0 || n > 20 {
		t.Errorf("%d highlights, want 1 to 20", n)
	}
}

func testInvalid(t *testing.T, idx presswatch.Index) {
	many := make([]presswatch.SourceID, 5000)
	for i := range many {
		many[i] = presswatch.SourceID(strings.Repeat("s", i%90+1) + time.Duration(i).String())
	}
	for name, q := range map[string]presswatch.Query{
		"sort":            {Sort: "best"},
		"interval":        {Interval: "hour"},
		"negative limit":  {Limit: -1},
		"too many values": {Sources: many},
		"a long value":    {Langs: []string{strings.Repeat("x", 10_000)}},
		"risk":            {MinRisk: math.NaN()},
		"open quote":      {Text: `one "two`},
		"open bracket":    {Text: "(one"},
		"closing bracket": {Text: "one)"},
		"no word":         {Text: "?!"},
		"operator first":  {Text: "OR one"},
		"operator last":   {Text: "one AND"},
		"leading star":    {Text: "*one"},
		"inner star":      {Text: "o*ne"},
		"short star":      {Text: "o*"},
		"empty brackets":  {Text: "one ()"},
	} {
		if _, err := idx.Search(t.Context(), q); presswatch.CodeOf(err) != presswatch.Invalid {
			t.Errorf("%s: %v, want Invalid", name, err)
		}
	}
	if res := search(t, idx, presswatch.Query{Limit: math.MaxInt32}); res.Total != 0 {
		t.Errorf("a very large limit: %+v", res)
	}
}

func testHostile(t *testing.T, idx presswatch.Index) {
	put(t, idx, texts("a", "b")...)
	for _, text := range []string{
		"\x00", "\xff\xfe", "a\x00b", strings.Repeat("(", 500), strings.Repeat("-", 500) + "a", strings.Repeat("NOT ", 100) + "a",
		strings.Repeat("a ", 255), strings.Repeat("\"a b\" ", 80), strings.Repeat("ạ", 512), strings.Repeat("a", 100_000),
		`{"match_all":{}}`, `"},"size":9999,{"`, "_id:* OR 1=1", "'; DROP TABLE docs; --", "../../etc/passwd", "/a.*/", "a~2", "a^99", "[a TO z]",
		"title:[* TO *]", "\\", `\"`, `"\"`, "<script>alert(1)</script>", "${jndi:ldap://x}", "{{7*7}}", "\u202Eabc", "\uFEFF", "ﷺ", "🏳️\u200d🌈",
		strings.Repeat("\u0301", 300), "\u0640\u0640", "\u200d", "क्\u200dष", "a OR OR b", "AND", "()", `""`, `"" a`, "-", "- -", "a -", "**", "* *", "-*",
		"%s%n%d", "\r\n", "ａｂｃ", "İ", "ß", "ŉ", strings.Repeat("a* ", 3) + "ab*", "ab* cd* -ef*", "İ*x", "(a", "a)", "((a) b", "a && b || c", "你好 世界", "日本語テキスト",
	} {
		for _, sort := range []presswatch.Sort{"", presswatch.ByNewest} {
			_, err := idx.Search(t.Context(), presswatch.Query{Text: text, Limit: 3, Facets: true, Interval: "week", Sort: sort})
			if err != nil && presswatch.CodeOf(err) != presswatch.Invalid {
				t.Errorf("%.60q: %v", text, err)
			}
		}
	}
	q := presswatch.Query{Limit: 3, Sources: []presswatch.SourceID{"\xff", "*", ""}, Langs: []string{"\x00"}, Stories: []presswatch.StoryID{`"`}}
	if _, err := idx.Search(t.Context(), q); err != nil {
		t.Errorf("odd filters: %v", err)
	}
	for _, at := range []time.Time{time.Unix(math.MaxInt64/2, 0), time.Unix(math.MinInt64/2, 0), time.Date(-5000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(99_999, 1, 1, 0, 0, 0, 0, time.UTC)} {
		for _, q := range []presswatch.Query{{Since: at, Limit: 1}, {Until: at, Limit: 1}, {Since: at, Until: at}} {
			if _, err := idx.Search(t.Context(), q); err != nil && presswatch.CodeOf(err) != presswatch.Invalid {
				t.Errorf("times %v, %v: %v", q.Since, q.Until, errors.Unwrap(err))
			}
		}
	}
}
