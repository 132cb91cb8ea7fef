package page

import (
	"testing"
	"unicode/utf8"
)

func FuzzDate(f *testing.F) {
	for _, s := range []string{"Thứ hai, 21/11/2026, 14:05 (GMT+7)", "21 tháng 09 năm 2025", "5 كانون الثاني 2026", "Sep 21, 2025 12:10 am", "2025-09-21T14:05:00+0700", "१/२/२०२५", "99:99 31/12/9999 +99:99"} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, first bool) {
		if d, ok := Date(s, first); ok && (d.Year() < 1900 || d.Year() >= 2200) {
			t.Fatalf("Date(%q) = %v", s, d)
		}
	})
}

func FuzzCanonical(f *testing.F) {
	for _, s := range []string{"https://bao.example/a?utm_source=x#y", "//x", "../a", "http://[::1]:80/", "http://1.2.3", "https://báo.example./index.html", "HTTP://a:b@c:99999/", "https://bao.example/?&&=&a"} {
		f.Add(s, "https://bao.example/tin/")
	}
	f.Fuzz(func(t *testing.T, raw, base string) {
		got, err := Canonical(raw, base)
		if err != nil {
			return
		}
		if !utf8.ValidString(got) {
			t.Fatalf("Canonical(%q, %q) = %q", raw, base, got)
		}
		if again, err := Canonical(got, ""); err != nil || again != got {
			t.Fatalf("Canonical(%q, %q) = %q, and of that %q, %v", raw, base, got, again, err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("<meta charset=big5>\xa4\xa4"), "text/html")
	f.Add([]byte("\x1b$B\x1b(B"), "text/html; charset=iso-2022-jp")
	f.Add([]byte("\xfe\xff\xd8\x00"), "")
	f.Fuzz(func(t *testing.T, b []byte, contentType string) {
		if s := Decode(b, contentType); !utf8.ValidString(s) {
			t.Fatalf("Decode(%q, %q) = %q", b, contentType, s)
		}
	})
}
