package auth_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"presswatch"
	"presswatch/internal/auth"
)

func TestCheckPassword(t *testing.T) {
	long := "Mùa gặt năm ấy trời không mưa, "
	for name, tc := range map[string]struct {
		password string
		ok       bool
	}{
		"11 characters":                {"zq8!mVw2#kd", false},
		"12 characters":                {"zq8!mVw2#kdP", true},
		"12 characters of many bytes":  {"ữằộẫỷđzqưmkx", true},
		"128 characters":               {strings.Repeat(long, 5)[:len(strings.Repeat(long, 4))] + "abc?", true},
		"129 characters":               {strings.Repeat("ăxk", 43), false},
		"words that are not common":    {"bốn con vịt qua sông xa", true},
		"lower case alone will do":     {"vkzhqwmtrpls", true},
		"a sentence in Arabic":         {"القطة تنام فوق السطح", true},
		"a sentence in Hindi":          {"नदी किनारे पुराना पेड़", true},
		"four common words":            {"tiger paper summer office", true},
		"long and only digits":         {"8391746250918273", true},
		"empty":                        {"", false},
		"a control character":          {"zq8!mVw2#kdP\x00", false},
		"not UTF-8":                    {"zq8!mVw2#kdP\xff", false},
		"one character":                {"aaaaaaaaaaaaaaaa", false},
		"few characters":               {"abababbaabba12", false},
		"a piece repeated":             {"kvartal1kvartal1kvar", false},
		"digits in a row":              {"1234567890123", false},
		"backwards":                    {"poiuytrewq0987", false},
		"keys in a row":                {"qwertyuiop[]12", false},
		"keys in columns":              {"1qaz2wsx3edc", false},
		"the alphabet":                 {"abcdefghijklm", false},
		"a date":                       {"21/11/1985 8h", false},
		"long, with few letters":       {"839.174-625/0918 zqk", true},
		"a telephone number":           {"+84 912 345 678", false},
		"password and a year":          {"Password2026!", false},
		"in disguise":                  {"P@ssw0rd!2026", false},
		"in Vietnamese":                {"Mật khẩu 2026!", false},
		"in Vietnamese, without marks": {"matkhau@123456", false},
		"a common love":                {"anhyeuem1234567", false},
		"the place":                    {"VietNamVoDich#1", false},
		"our own name":                 {"presswatch2026", false},
		"three common words":           {"admin-admin2-welcome", false},
		"a letter beside a word":       {"x.password.1234", false},
	} {
		t.Run(name, func(t *testing.T) {
			err := auth.CheckPassword(tc.password)
			if tc.ok && err != nil || !tc.ok && presswatch.CodeOf(err) != presswatch.Invalid {
				t.Errorf("%q (%d characters): %v", tc.password, utf8.RuneCountInString(tc.password), err)
			}
			if err != nil && tc.password != "" && strings.Contains(err.Error(), tc.password) {
				t.Errorf("the message %q shows the password", err)
			}
		})
	}
}

func TestHashPassword(t *testing.T) {
	if _, err := auth.HashPassword("password2026"); presswatch.CodeOf(err) != presswatch.Invalid {
		t.Errorf("a common password: %v", err)
	}
	hash, err := auth.HashPassword("cà phê sữa đá vỉa hè")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("%q, %v", hash, err)
	}
	other, err := auth.HashPassword("cà phê sữa đá vỉa hè")
	if err != nil || other == hash {
		t.Errorf("the salt is not new each time (%v)", err)
	}
	for password, want := range map[string]bool{
		"cà phê sữa đá vỉa hè": true, "ca phe sua da via he": false, "": false,
	} {
		if same, err := argon2id.ComparePasswordAndHash(password, hash); same != want || err != nil {
			t.Errorf("%q: %v, %v", password, same, err)
		}
	}
}

func TestSignInWithDecomposedMarks(t *testing.T) {
	s := newSite(t, false)
	s.addUser("anna")
	// Some keyboards send letter and mark apart; it is the same password.
	apart := strings.NewReplacer("ố", "o\u0302\u0301", "ị", "i\u0323", "ô", "o\u0302").Replace(goodPassword)
	if apart == goodPassword {
		t.Fatal("nothing to test")
	}
	if status, _ := s.browser().signIn("anna", apart); status != 200 {
		t.Errorf("status %d", status)
	}
}

func TestDamagedHash(t *testing.T) {
	s := newSite(t, false)
	u := s.addUser("anna")
	for _, hash := range []string{
		"x", "$argon2id$v=19$m=19456,t=2,p=0$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=4294967295,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=19456,t=0,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=19456,t=2,p=1$$",
	} {
		u.Hash = hash
		s.update(u)
		if status, _ := s.browser().signIn("anna", goodPassword); status != 401 {
			t.Errorf("hash %q: status %d", hash, status)
		}
	}
}

func FuzzCheckPassword(f *testing.F) {
	for _, s := range []string{"password2026", "ữằộẫỷđzqưmkx", "\xff", "qwertyuiop12", strings.Repeat("ab", 70)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		err := auth.CheckPassword(s)
		if n := utf8.RuneCountInString(s); err == nil && (n < 12 || len(s) > 16*128) {
			t.Errorf("%q of %d characters was accepted", s, n)
		}
	})
}
