package text

import (
	"slices"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestFold(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"Vietnamese marks go, đ becomes d":      {"Đắk Lắk: 12 tỉnh, nước ngoài", "dak lak: 12 tinh, nuoc ngoai"},
		"decomposed text folds like composed":   {norm.NFD.String("Đắk Lắk ở Việt Nam"), "dak lak o viet nam"},
		"digits of all scripts are ASCII":       {"१२३ ٤٥٦ ۷۸۹ ９", "123 456 789 9"},
		"Devanagari marks stay":                 {"हिन्दी में", "हिन्दी में"},
		"Arabic marks stay, tatweel goes":       {"الـــعربيّة", "العربيّة"},
		"zero-width characters go":              {"ti\u200Bn gi\uFEFFả", "tin gia"},
		"typography becomes plain":              {"“tin” – ‘giả’…", `"tin" - 'gia'...`},
		"ligatures and the sharp s are written": {"Æsop Straße", "aesop strasse"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Fold(tc.in); got != tc.want {
				t.Errorf("Fold(%q) = %q, want %q", tc.in, got, tc.want)
			}
			if once := Fold(tc.in); Fold(once) != once {
				t.Errorf("Fold is not idempotent on %q", tc.in)
			}
		})
	}
}

func TestClean(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"plain ASCII is untouched":   {"a b\n\tc", "a b\n\tc"},
		"bad UTF-8 is marked":        {"b\xffài", "b\uFFFDài"},
		"NUL and controls go":        {"b\x00à\x1bi", "bài"},
		"line ends are one":          {"a\r\nb\rc\u2028d", "a\nb\nc\nd"},
		"NFD becomes NFC":            {norm.NFD.String("Tiếng Việt"), "Tiếng Việt"},
		"joiners of Devanagari stay": {"क्\u200Dष", "क्\u200Dष"},
		"soft hyphens and marks go":  {"\uFEFFtin\u00ADtức", "tintức"},
		"control in pure ASCII goes": {"a\x07b\x7f", "ab"},
		"CRLF in pure ASCII is one":  {"a\r\nb", "a\nb"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Clean(tc.in); got != tc.want {
				t.Errorf("Clean(%q) = %q, want %q", tc.in, got, tc.want)
			}
		})
	}
}

func TestWords(t *testing.T) {
	in := "Bộ Y tế: हिन्दी, العربيّة 2026!"
	var got []string
	for at, w := range Words(in) {
		if in[at:at+len(w)] != w {
			t.Errorf("word %q is not at %d", w, at)
		}
		got = append(got, w)
	}
	if want := []string{"Bộ", "Y", "tế", "हिन्दी", "العربيّة", "2026"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzClean(f *testing.F) {
	f.Add("Đắk\xff\x00Lắk")
	f.Fuzz(func(t *testing.T, s string) {
		c := Clean(s)
		if !utf8.ValidString(c) || !norm.NFC.IsNormalString(c) || Clean(c) != c {
			t.Errorf("Clean(%q) = %q", s, c)
		}
		if folded := Fold(c); !utf8.ValidString(folded) {
			t.Errorf("Fold(%q) = %q", c, folded)
		}
	})
}

func BenchmarkFold(b *testing.B) {
	s := "Đắk Lắk: lãnh đạo tỉnh yêu cầu các sở, ngành và địa phương tiếp tục cải cách hành chính."
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		Fold(s)
	}
}
