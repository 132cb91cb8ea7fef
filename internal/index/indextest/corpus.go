package indextest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"presswatch"
	"presswatch/internal/lang/ar"
	"presswatch/internal/lang/en"
	"presswatch/internal/lang/hi"
	"presswatch/internal/lang/vi"
)

// The languages of the test documents, by their codes.
var (
	vietnamese = vi.Profile().Code
	english    = en.Profile().Code
	hindi      = hi.Profile().Code
	arabic     = ar.Profile().Code
)

// vocabulary is how texts of a language are made: words by falling frequency.
type vocabulary struct {
	code  string
	words []string
}

// vocabularies makes the words of each language: frequent ones, then many that
// are put together from parts.
func vocabularies() []vocabulary {
	return []vocabulary{
		{vietnamese, append(words(`và của là có được trong cho với không này người từ khi đến về cũng tại theo tỉnh bộ y tế công an
			thủ tướng chính phủ hà nội thành phố hồ chí minh đắk lắk quảng ninh vắc xin tiêm chủng học sinh bão lũ giá xăng
			tin giả lừa đảo mạng xã hội nước ngoài việt nam kinh doanh đất đai bóng đá`),
			combine("b c ch d đ g h kh l m n ng nh ph qu r s t th tr v x", "a à á ạ ân ấn ăng ắng e ế iên iến o ố ông ộng ơi u ưng ướng ay ây oan uyên")...)},
		{english, append(words(`the of and to in a is that for on was with as said by at from health minister government city
			nation nations vaccine vaccines school schools flood floods price prices rumour rumours fake news report reports
			reporting reported bank banking economy police court hospital hospitals election elections market Hanoi Vietnam
			president running runs run organised organising`),
			combine("re un in con pro dis over sub trans ex", "port tract press form vert duct ject struct scribe mit spect fer clude pose volve")...)},
		{hindi, append(words(`के में की है और से का को पर ने यह कि एक भी नहीं सरकार मंत्री स्वास्थ्य टीका टीके लड़का लड़के लड़कियाँ
			बाढ़ कीमत कीमतें अफ़वाह खबर ख़बर दिल्ली भारत चुनाव चुनावों अस्पताल पुलिस अदालत स्कूल विद्यालय किताब किताबें हिन्दी हिंदी`),
			combine("प्र अ सु वि सम् नि उप अनु", "कार देश मान योग वाद शासन चार भाव लाभ पात गम हार")...)},
		{arabic, append(words(`في من على إلى أن عن التي الذي هذا ما مع كان لا بين بعد الحكومة وزير الوزير الصحة لقاح اللقاح لقاحات
			المدينة مدرسة المدارس فيضان الفيضانات سعر الأسعار شائعة الشائعات خبر الأخبار والأخبار الجزائر مصر انتخابات المستشفى أحمد إسلام`),
			combine("ال وال بال م ت است", "كتب درس علم عمل حكم نشر سكن خرج دخل شهد قرر نظم")...)},
	}
}

func words(s string) []string { return strings.Fields(s) }

func combine(heads, tails string) []string {
	var out []string
	for _, h := range strings.Fields(heads) {
		for _, t := range strings.Fields(tails) {
			out = append(out, h+t)
		}
	}
	return out
}

// Corpus makes n documents in four languages, the same ones on each call: words
// by falling frequency, some twenty sources, two years of dates, every level.
// A text has about length words; some Vietnamese ones are written without
// marks, as on social networks.
func Corpus(n, length int) []presswatch.Document {
	r := rand.New(rand.NewPCG(1, 2))
	vocs := vocabularies()
	for i := range vocs { // made words in any order, so that they are not all alike
		w := vocs[i].words
		r.Shuffle(len(w)-40, func(a, b int) { w[40+a], w[40+b] = w[40+b], w[40+a] })
	}
	start := time.Date(2024, 12, 1, 5, 30, 0, 0, time.UTC)
	docs := make([]presswatch.Document, n)
	for i := range docs {
		voc := vocs[[]int{0, 0, 0, 1, 1, 2, 3}[r.IntN(7)]]
		d := Document(i, sentence(r, voc, 8), text(r, voc, length/2+r.IntN(length)))
		d.Language = voc.code
		d.Source = presswatch.SourceID(fmt.Sprintf("source-%02d", r.IntN(20)))
		if r.IntN(5) == 0 {
			d.Kind = presswatch.Post
			if voc.code == vietnamese {
				d.Title, d.Text = bare(d.Title), bare(d.Text)
			}
		}
		if r.IntN(10) > 0 {
			d.Published = start.Add(time.Duration(r.IntN(700*24*60)) * time.Minute)
		}
		d.FetchedAt = start.Add(time.Duration(r.IntN(700*24*60)) * time.Minute)
		d.Verdict.Risk = float64(r.IntN(101)) / 100
		d.Verdict.Level = []presswatch.Level{presswatch.Low, presswatch.Review, presswatch.High}[min(2, int(d.Verdict.Risk*3))]
		d.Story = presswatch.Story{ID: presswatch.StoryID(fmt.Sprintf("story-%d", r.IntN(n/4+1))), Relation: presswatch.New}
		docs[i] = d
	}
	return docs
}

// Document makes a small valid document; n makes its address.
func Document(n int, title, text string) presswatch.Document {
	u := fmt.Sprintf("https://news.example/%d", n)
	return presswatch.Document{
		ID: presswatch.NewDocID(u), URL: u, CanonicalURL: u, Title: title, Text: text,
		Version: presswatch.ContentVersion(title, text), Seq: 1_700_000_000_000_000 + int64(n),
		Source: "daily", Kind: presswatch.Article, Language: vietnamese,
		FetchedAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Second),
		Capture:   fmt.Sprintf("c%d", n), Verdict: presswatch.Verdict{Level: presswatch.Low, Evidence: []presswatch.Evidence{}, Model: "test"},
	}
}

func sentence(r *rand.Rand, v vocabulary, n int) string {
	w := make([]string, n)
	for i := range w {
		// Zipf's law by hand: the rank falls off exponentially in its logarithm.
		rank := int(float64(len(v.words)) * r.Float64() * r.Float64() * r.Float64())
		w[i] = v.words[min(rank, len(v.words)-1)]
	}
	return strings.Join(w, " ")
}

func text(r *rand.Rand, v vocabulary, n int) string {
	var paragraphs []string
	for n > 0 {
		var b strings.Builder
		for range 4 {
			k := 8 + r.IntN(14)
			b.WriteString(sentence(r, v, k))
			b.WriteString([]string{". ", ", ", "! ", " – "}[r.IntN(4)])
			n -= k
		}
		paragraphs = append(paragraphs, strings.TrimSpace(b.String()))
	}
	return strings.Join(paragraphs, "\n\n")
}

// bare writes Vietnamese as people do who do not type marks.
func bare(s string) string {
	from := []rune("àáạăắâấđếếêèéẹìíịốôòóọơớờợùúụưướừựỳýộệậảẻỉỏủỷãẽĩõũỹằẳẵặầẩẫềểễồổỗởỡửữ")
	to := []rune("aaaaaaadeeeeeeiiiooooooooouuuuuuuuyyoeaaeiouyaeiouyaaaaaaaeeeooooouu")
	return strings.Map(func(r rune) rune {
		if i := slices.Index(from, r); i >= 0 {
			return to[i]
		}
		return r
	}, s)
}
