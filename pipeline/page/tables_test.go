package page

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCanonical(t *testing.T) {
	for name, tc := range map[string]struct{ raw, base, want string }{
		"already canonical":                {"https://bao.example/tin/a-1.html", "", "https://bao.example/tin/a-1.html"},
		"fragment and tracking go":         {"https://bao.example/a?utm_source=x&id=5&fbclid=1&UTM_Medium=y#top", "", "https://bao.example/a?id=5"},
		"nothing left of the query":        {"https://bao.example/a?gclid=1", "", "https://bao.example/a"},
		"an empty query goes":              {"https://bao.example/a?", "", "https://bao.example/a"},
		"order and repeats of others stay": {"https://bao.example/a?b=2&a=1&b=3", "", "https://bao.example/a?b=2&a=1&b=3"},
		"host and scheme in lower case":    {"HTTPS://Bao.Example/Tin", "", "https://bao.example/Tin"},
		"default ports go":                 {"http://bao.example:80/a", "", "http://bao.example/a"},
		"other ports stay":                 {"http://127.1.2.3:18080/a", "", "http://127.1.2.3:18080/a"},
		"user and password go":             {"https://me:secret@bao.example/a", "", "https://bao.example/a"},
		"a dot after the host goes":        {"https://bao.example./a", "", "https://bao.example/a"},
		"index pages go":                   {"https://bao.example/tin/index.html", "", "https://bao.example/tin/"},
		"index.php without a query goes":   {"https://bao.example/index.php", "", "https://bao.example/"},
		"index.php with one stays":         {"https://bao.example/index.php?id=4", "", "https://bao.example/index.php?id=4"},
		"a relative one":                   {"../b.html", "https://bao.example/tin/x/a.html", "https://bao.example/tin/b.html"},
		"one without a scheme":             {"//anh.example/a", "https://bao.example/", "https://anh.example/a"},
		"dots in the path":                 {"https://bao.example/a/./b/../c", "", "https://bao.example/a/c"},
		"letters beyond ASCII":             {"https://báo.example/tin mới", "", "https://xn--bo-mia.example/tin%20m%E1%BB%9Bi"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Canonical(tc.raw, tc.base)
			if err != nil || got != tc.want {
				t.Fatalf("Canonical(%q, %q) = %q, %v; want %q", tc.raw, tc.base, got, err, tc.want)
			}
			if again, err := Canonical(got, ""); err != nil || again != got {
				t.Errorf("not idempotent: %q gives %q, %v", got, again, err)
			}
		})
	}
	for _, bad := range []string{"", "   ", "javascript:alert(1)", "mailto:a@b.example", "/no/base", "http://", "ftp://bao.example/a", "data:text/html,x", "https://bao.example/" + strings.Repeat("a", 9000)} {
		if got, err := Canonical(bad, ""); err == nil {
			t.Errorf("Canonical(%.40q) = %q, want an error", bad, got)
		}
	}
}

func TestBelievable(t *testing.T) {
	const own = "https://www.bao.example.vn/tin/a.html?x=1"
	for name, tc := range map[string]struct {
		claim, own, want string
	}{
		"the same site":                   {"https://bao.example.vn/tin/a.html", own, "https://bao.example.vn/tin/a.html"},
		"a relative claim":                {"/tin/a.html", own, "https://www.bao.example.vn/tin/a.html"},
		"another site":                    {"https://kia.example/tin/a.html", own, ""},
		"another site of a shared suffix": {"https://kia.com.vn/a", "https://bao.com.vn/a", ""},
		"the home page":                   {"https://www.bao.example.vn/", own, ""},
		"the home page of a home page":    {"https://bao.example.vn/", "https://www.bao.example.vn/", "https://bao.example.vn/"},
		"the same address in numbers":     {"http://127.1.2.3:80/a", "http://127.1.2.3/b", "http://127.1.2.3/a"},
		"another address in numbers":      {"http://127.1.2.4/a", "http://127.1.2.3/b", ""},
		"no address":                      {"javascript:void(0)", own, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := believable(tc.claim, tc.own)
			if got != tc.want || ok != (tc.want != "") {
				t.Errorf("believable(%q, %q) = %q, %v; want %q", tc.claim, tc.own, got, ok, tc.want)
			}
		})
	}
}

func TestDate(t *testing.T) {
	for name, tc := range map[string]struct {
		in       string
		dayFirst bool
		want     string // RFC 3339, or "" when it is no date
	}{
		"RFC 3339":                            {"2025-09-21T14:05:00+07:00", false, "2025-09-21T14:05:00+07:00"},
		"a zone without a colon":              {"2025-09-21T14:05:00+0700", false, "2025-09-21T14:05:00+07:00"},
		"fractions of a second":               {"2025-09-21T14:05:00.123Z", false, "2025-09-21T14:05:00Z"},
		"no zone is UTC":                      {"2025-09-21 14:05", false, "2025-09-21T14:05:00Z"},
		"a day":                               {"2025-09-21", false, "2025-09-21T00:00:00Z"},
		"RFC 1123":                            {"Sun, 21 Sep 2025 14:05:00 +0700", false, "2025-09-21T14:05:00+07:00"},
		"Unix seconds":                        {"1758438300", false, "2025-09-21T07:05:00Z"},
		"Unix milliseconds":                   {"1758438300000", false, "2025-09-21T07:05:00Z"},
		"Vietnamese, as news sites write it":  {"Thứ hai, 21/11/2026, 14:05 (GMT+7)", true, "2026-11-21T14:05:00+07:00"},
		"Vietnamese in words":                 {"21 tháng 09 năm 2025", true, "2025-09-21T00:00:00Z"},
		"Vietnamese in words, no hint":        {"Ngày 3 tháng 4 năm 2025", false, "2025-04-03T00:00:00Z"},
		"Vietnamese, numbered weekday":        {"Thứ 5, 22/10/2025 14:30", true, "2025-10-22T14:30:00Z"},
		"Vietnamese, hour with an h":          {"22/10/2025 - 9h05", true, "2025-10-22T09:05:00Z"},
		"Vietnamese, dash before the time":    {"22/10/2025 - 10:30", true, "2025-10-22T10:30:00Z"},
		"Vietnamese, time first":              {"08:15 | 22/10/2025", true, "2025-10-22T08:15:00Z"},
		"Hindi":                               {"21 सितंबर 2025, 02:30 PM IST", true, "2025-09-21T14:30:00Z"},
		"Hindi, digits of its own":            {"२१ सितम्बर २०२५", true, "2025-09-21T00:00:00Z"},
		"Arabic, Gulf":                        {"21 سبتمبر 2025", true, "2025-09-21T00:00:00Z"},
		"Arabic, Levant, with the weekday":    {"الأحد 21 أيلول 2025", true, "2025-09-21T00:00:00Z"},
		"Arabic, Levant, two words":           {"5 كانون الثاني 2026", true, "2026-01-05T00:00:00Z"},
		"Arabic, digits of its own":           {"٢١ سبتمبر ٢٠٢٥", true, "2025-09-21T00:00:00Z"},
		"English, American":                   {"September 21, 2025 2:05 p.m.", false, "2025-09-21T14:05:00Z"},
		"English, British":                    {"21st September 2025", false, "2025-09-21T00:00:00Z"},
		"English, short":                      {"Published: Sep 21, 2025", false, "2025-09-21T00:00:00Z"},
		"twelve at night":                     {"Sep 21, 2025 12:10 am", false, "2025-09-21T00:10:00Z"},
		"one that is clear either way":        {"25/12/2025", false, "2025-12-25T00:00:00Z"},
		"one that is clear, month first":      {"12/25/2025", false, "2025-12-25T00:00:00Z"},
		"day first where people write so":     {"03/04/2025", true, "2025-04-03T00:00:00Z"},
		"never guess":                         {"03/04/2025", false, ""},
		"no such day":                         {"31/04/2025", true, ""},
		"no such month":                       {"21 tháng 13 năm 2025", true, ""},
		"words":                               {"hôm qua", true, ""},
		"a year alone":                        {"2025", true, ""},
		"two years of digits":                 {"21/11/26", true, ""},
		"a month that is none":                {"21 Smarch 2025", false, ""},
		"a number that is no time":            {"42", false, ""},
		"long text is not searched for dates": {strings.Repeat("x", 200) + " 21/11/2026", true, ""},
		"a date of another age":               {"0001-01-01T00:00:00Z", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := Date(tc.in, tc.dayFirst)
			s := ""
			if ok {
				s = got.Truncate(time.Second).Format(time.RFC3339)
			}
			if s != tc.want {
				t.Errorf("Date(%q, %v) = %q, want %q", tc.in, tc.dayFirst, s, tc.want)
			}
		})
	}
}

func TestDecode(t *testing.T) {
	for name, tc := range map[string]struct{ in, contentType, want string }{
		"UTF-8":                               {"Tiếng Việt", "", "Tiếng Việt"},
		"a byte order mark goes":              {"\xef\xbb\xbfTin", "text/html; charset=windows-1252", "Tin"},
		"UTF-16 by its mark":                  {"\xff\xfeT\x00\xbf\x1e", "", "Tế"},
		"windows-1258 by HTTP":                {"Ti\xea\xecng", "text/html; charset=windows-1258", "Tiê\u0301ng"},
		"windows-1252 by a meta element":      {`<meta charset="windows-1252">caf` + "\xe9", "text/html", `<meta charset="windows-1252">café`},
		"a meta element behind much else":     {"<!--" + strings.Repeat("x", 3000) + `--><meta charset="windows-1256">` + "\xda\xdf", "", "<!--" + strings.Repeat("x", 3000) + `--><meta charset="windows-1256">عك`},
		"UTF-8 that is called something else": {"Tiếng Việt", "text/html; charset=iso-8859-1", "Tiếng Việt"},
		"a bad byte is marked":                {"Ti\xffếng Việt có dấu", "text/html; charset=utf-8", "Ti\uFFFDếng Việt có dấu"},
		"one bad byte makes no Latin of it":   {strings.Repeat("Tiếng Việt ", 200) + "\xff", "", strings.Repeat("Tiếng Việt ", 200) + "\uFFFD"},
		"an unknown charset":                  {"abc", "text/html; charset=klingon", "abc"},
		"nothing":                             {"", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Decode([]byte(tc.in), tc.contentType); got != tc.want {
				t.Errorf("Decode(%.60q) = %.60q, want %.60q", tc.in, got, tc.want)
			}
		})
	}
}

func TestTitle(t *testing.T) {
	for name, tc := range map[string]struct{ head, body, want string }{
		"the name of the site goes":               {`<title>Cầu mới mở cửa cho xe tải - Báo Sông</title><meta property=og:site_name content="Báo Sông">`, "", "Cầu mới mở cửa cho xe tải"},
		"so does the domain's":                    {`<title>Bridge opens to lorries | bao.example</title>`, "", "Bridge opens to lorries"},
		"another dash stays":                      {`<title>Huế - thành phố bên sông</title>`, "", "Huế - thành phố bên sông"},
		"what another title has alone":            {`<title>Cầu mới mở cửa cho xe tải | Thời sự</title><meta property=og:title content="Cầu mới mở cửa cho xe tải">`, "", "Cầu mới mở cửa cho xe tải"},
		"the only h1 that is like it":             {`<title>Cầu mới mở cửa | Thời sự</title>`, "<h1>Cầu mới mở cửa</h1>", "Cầu mới mở cửa"},
		"an h1 that is a logo is not":             {`<title>Cầu mới mở cửa cho xe tải</title>`, "<h1>Báo Sông</h1>", "Cầu mới mở cửa cho xe tải"},
		"JSON-LD before the title element":        {`<title>Trang</title><script type="application/ld+json">{"@type":"NewsArticle","headline":"Cầu mới &amp; đường mới"}</script>`, "", "Cầu mới & đường mới"},
		"JSON-LD with line ends inside a string":  {"<title>Trang</title><script type=\"application/ld+json\">{\"@type\":\"NewsArticle\",\"headline\":\"Cầu mới\nmở cửa\"}</script>", "", "Cầu mới mở cửa"},
		"references that were escaped twice":      {`<title>Tin &amp;#039;nóng&amp;#039;</title>`, "", "Tin 'nóng'"},
		"nothing but headings":                    {``, "<h1>Một</h1><h1>Hai</h1>", "Một"},
		"a site before the title":                 {`<title>Báo Sông | Cầu mới mở cửa cho xe tải</title><meta property=og:site_name content="Báo Sông">`, "", "Cầu mới mở cửa cho xe tải"},
		"a title that is the site's name is kept": {`<title>Báo Sông</title><meta property=og:site_name content="Báo Sông">`, "", "Báo Sông"},
	} {
		t.Run(name, func(t *testing.T) {
			src := "<html><head>" + tc.head + "</head><body>" + tc.body + "<p>" + needle + "</p></body></html>"
			if got := Read(Input{Body: []byte(src), URL: "https://www.bao.example/a"}).Title; got != tc.want {
				t.Errorf("title %q, want %q", got, tc.want)
			}
		})
	}
}

func TestPeople(t *testing.T) {
	for in, want := range map[string][]string{
		"By Anna Lee and Bo Chen":     {"Anna Lee", "Bo Chen"},
		"Theo Nguyễn Văn A và Lê B":   {"Nguyễn Văn A", "Lê B"},
		"अनिल कुमार और सीता":          {"अनिल कुमार", "सीता"},
		"بقلم: أحمد علي":              {"أحمد علي"},
		"https://bao.example/tac-gia": nil,
		"toasoan@bao.example":         nil,
		strings.Repeat("dài ", 40):    nil,
		"":                            nil,
	} {
		if got := people(in); !slices.Equal(got, want) {
			t.Errorf("people(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestParagraphs(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"one empty line between":    {"a\n\n\n\nb\n", "a\n\nb"},
		"lines that touch stay":     {"a\nb", "a\nb"},
		"white space is one space":  {"  a \t b\u00a0c ", "a b c"},
		"a line of blanks is empty": {"a\n   \nb", "a\n\nb"},
		"nothing":                   {" \n ", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := Paragraphs(tc.in)
			if got != tc.want {
				t.Errorf("Paragraphs(%q) = %q, want %q", tc.in, got, tc.want)
			}
			if again := Paragraphs(got); again != got {
				t.Errorf("not idempotent: %q", again)
			}
		})
	}
}
