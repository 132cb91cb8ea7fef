package page

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

const needle = "Cây cầu mới qua sông đã mở cửa cho xe tải vào sáng thứ hai."

// hostile are pages made to be costly; each still holds the needle.
func hostile() map[string]string {
	para := "<p>" + needle + "</p>"
	var ids strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&ids, "<b id=%d><p>x", i)
	}
	var attrs strings.Builder
	attrs.WriteString("<div")
	for i := range 300_000 {
		fmt.Fprintf(&attrs, " a%d=v", i)
	}
	attrs.WriteString(">")
	return map[string]string{
		"100,000 deep":                 strings.Repeat("<div>", 100_000) + para,
		"100,000 deep, blockquotes":    strings.Repeat("<blockquote><p>", 50_000) + para,
		"just within the parser":       strings.Repeat("<div>", 490) + strings.Repeat(para, 200),
		"deep and long":                strings.Repeat("<div>", 490) + "<p>" + strings.Repeat("nước lên cao ", 200_000) + para,
		"20,000 elements misnested":    ids.String() + para,
		"20,000 formatting, no blocks": strings.Repeat("<i><b>", 10_000) + para,
		"300,000 attributes":           attrs.String() + para,
		"300,000 attributes on html":   "<html>" + strings.Replace(attrs.String(), "<div", "<html", 1) + para,
		"10 MB on one line":            "<body><p>" + strings.Repeat("một hai ba ", 800_000) + "</p>" + para,
		"10 MB of one word":            "<body><p>" + strings.Repeat("a", 10<<20) + "</p>" + para,
		"a million empty elements":     strings.Repeat("<p></p>", 1_000_000) + para,
		"a million line ends":          "<body>" + strings.Repeat("<br>", 1_000_000) + para,
		"a giant table":                "<table>" + strings.Repeat("<tr><td>1<td>2<td>3", 100_000) + "</table>" + para,
		"tables in tables":             strings.Repeat("<table><tr><td>", 30_000) + para,
		"nested links":                 strings.Repeat("<a href=x>", 100_000) + para,
		"5,000 small paragraphs":       strings.Repeat("<div><p>"+needle+"</p></div>", 5000),
		"40,000 list items":            "<ul>" + strings.Repeat("<li><a href=/x>Tin</a>", 40_000) + "</ul>" + para,
		"a giant title":                "<title>" + strings.Repeat("dài ", 1<<20) + "</title>" + para,
		"10,000 meta elements":         strings.Repeat("<meta name=author content='Lê Na'>", 10_000) + para,
		"deep JSON-LD":                 "<script type=application/ld+json>" + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + "</script>" + para,
		"wide JSON-LD":                 `<script type=application/ld+json>{"@type":"NewsArticle","author":[` + strings.Repeat(`{"name":["a"]},`, 30_000) + `1]}</script>` + para,
		"unclosed script":              para + "<script>" + strings.Repeat("</s", 1<<20),
		"unclosed comment":             para + "<!--" + strings.Repeat("-- >", 1<<20),
		"unclosed tag":                 para + "<div " + strings.Repeat("x", 1<<20),
		"a select of options":          "<select>" + strings.Repeat("<option>x", 100_000) + "</select>" + para,
		"entities":                     "<p>" + strings.Repeat("&amp;&#x1F600;&notit;", 200_000) + "</p>" + para,
		"frames and templates":         strings.Repeat("<template><svg><math>", 100) + strings.Repeat("</math></svg></template>", 100) + para,
		"divs with classes":            strings.Repeat(`<div class="author byline date article-body comment">`, 400) + strings.Repeat(para, 3000),
	}
}

// TestHostilePagesStillGiveTheirText also logs what each costs; the limit of
// F15 is two seconds of CPU.
func TestHostilePagesStillGiveTheirText(t *testing.T) {
	for name, src := range hostile() {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := cpu()
			p := Read(Input{Body: []byte(src), ContentType: "text/html; charset=utf-8", URL: "https://bao.example/a"})
			used := cpu() - start
			runtime.ReadMemStats(&after)
			t.Logf("%d bytes: %v CPU, %d MB allocated, fallback %v, %d bytes of text", len(src), used.Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20, p.Fallback, len(p.Text))
			if want := !strings.HasPrefix(name, "unclosed t") && !strings.HasPrefix(name, "10 MB"); want && !strings.Contains(p.Text, needle) {
				t.Errorf("the text is lost: %.100q", p.Text)
			}
			if p.Text == "" || !utf8.ValidString(p.Text) {
				t.Errorf("no valid text: %.100q", p.Text)
			}
			if os.Getenv("PRESSWATCH_TIMES") != "" && used > 2*time.Second {
				t.Errorf("took %v of CPU", used)
			}
		})
	}
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
