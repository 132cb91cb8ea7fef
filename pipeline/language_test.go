package pipeline

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"presswatch/internal/text"
)

func TestDetect(t *testing.T) {
	l := NewLanguage()
	for name, tc := range map[string]struct{ in, hint, want string }{
		"Vietnamese by its letters":             {"Bộ Y tế cảnh báo dịch sốt xuất huyết", "", "vi"},
		"one Vietnamese word":                   {"phường", "", "vi"},
		"Vietnamese without marks":              {"Nguoi dan cho biet khong co nuoc sach trong nhieu ngay va duong vao xa da bi chia cat", "", "vi"},
		"English by its frequent words":         {"The council said on Tuesday that the bridge is closed for repairs", "", "en"},
		"Hindi":                                 {"सरकार ने कहा है कि सड़क अगले महीने खुलेगी", "", "hi"},
		"Marathi is not Hindi":                  {"मुंबईत आज पावसाळा सुरू झाला असून लोकांना घराबाहेर न पडण्याचे आवाहन केले आहे आणि शाळा बंद आहेत", "", "mr"},
		"Arabic":                                {"قالت الوزارة إن الطريق سيفتح أمام السيارات الأسبوع المقبل", "", "ar"},
		"Persian is not Arabic":                 {"وزارت کشور گفت که این جاده از هفته آینده برای خودروها باز می\u200cشود و مردم می\u200cتوانند بروند", "", "fa"},
		"French marks are not Vietnamese":       {"Le ministère a déclaré que la route sera fermée à la circulation pendant la fête nationale et les élèves resteront chez eux", "", "fr"},
		"a short text takes the page's word":    {"Tin moi", "vi-VN", "vi"},
		"a hint of another script is nothing":   {"Tin mới nhất", "ar", "vi"},
		"a wrong hint does not beat the text":   {"Bộ Y tế cảnh báo dịch sốt xuất huyết đang lan rộng ở các tỉnh", "en", "vi"},
		"a hint of a language that is not ours": {"Ok", "de", "de"},
		"nothing":                               {"", "", "und"},
		"digits and signs only":                 {"12:30 – 15 %", "vi", "und"},
		"a hint that is no code":                {"12", "xx_yy_zz$$", "und"},
		"Japanese":                              {"政府は火曜日、橋が閉鎖されたと発表しました", "", "ja"},
	} {
		t.Run(name, func(t *testing.T) {
			for range 5 { // the trigrams are kept in maps: the answer must not depend on their order
				if got := l.Detect(tc.in, tc.hint); got != tc.want {
					t.Fatalf("Detect(%q, %q) = %q, want %q", tc.in, tc.hint, got, tc.want)
				}
			}
		})
	}
}

// TestDetectOnSentences holds our four languages, and Vietnamese without its
// marks, to what was reached on the labelled sentences, words and pairs.
func TestDetectOnSentences(t *testing.T) {
	dir := shared(t, "data/conformance/langid/language-testdata")
	l := NewLanguage()
	rate := func(kind, code string, change func(string) string) (right float64, wrong map[string]int) {
		raw, err := os.ReadFile(filepath.Join(dir, kind, code+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		n, ok := 0, 0
		wrong = map[string]int{}
		for line := range strings.Lines(string(raw)) {
			if line = strings.TrimSpace(line); line == "" {
				continue
			}
			n++
			if got := l.Detect(change(line), ""); got == code {
				ok++
			} else {
				wrong[got]++
			}
		}
		return float64(ok) / float64(n), wrong
	}
	same := func(s string) string { return s }
	least := map[string]float64{"vi": 0.98, "en": 0.96, "hi": 0.96, "ar": 0.97}
	for code, want := range least {
		got, wrong := rate("sentences", code, same)
		pairs, _ := rate("word-pairs", code, same)
		words, _ := rate("single-words", code, same)
		t.Logf("%s: sentences %.3f, pairs %.3f, words %.3f; sentences taken for %v", code, got, pairs, words, wrong)
		if got < want {
			t.Errorf("%s: %.3f of the sentences, want at least %.3f", code, got, want)
		}
	}
	got, wrong := rate("sentences", "vi", text.Fold)
	t.Logf("vi without marks: %.3f; taken for %v", got, wrong)
	if got < 0.75 {
		t.Errorf("vi without marks: %.3f, want at least 0.75", got)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "sentences", "*.txt"))
	for _, f := range files {
		code := strings.TrimSuffix(filepath.Base(f), ".txt")
		if least[code] > 0 {
			continue
		}
		_, wrong := rate("sentences", code, same)
		ours := wrong["vi"] + wrong["en"] + wrong["hi"] + wrong["ar"]
		t.Logf("%s: %d of 500 taken for one of ours %v", code, ours, wrong)
	}
}
