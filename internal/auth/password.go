package auth

import (
	"bufio"
	_ "embed" // the list of common passwords
	"encoding/base64"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/unicode/norm"

	"presswatch"
)

const (
	minPassword = 12  // characters; OWASP ASVS 5.0, 6.2.1 asks for 8 and recommends 15
	maxPassword = 128 // characters; ASVS 6.2.9 asks for at least 64
)

// hashParams are the first choice of the OWASP password storage cheat sheet:
// argon2id with 19 MiB, two passes, one lane.
func hashParams() *argon2id.Params {
	return &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}
}

// HashPassword hashes a password with argon2id (19 MiB, 2 passes, 1 lane) and
// a new salt, after CheckPassword has found nothing wrong with it.
func HashPassword(password string) (string, error) {
	if err := CheckPassword(password); err != nil {
		return "", err
	}
	h, err := argon2id.CreateHash(norm.NFC.String(password), hashParams())
	if err != nil {
		return "", presswatch.Errorf(presswatch.Internal, "hash a password: %w", err)
	}
	return h, nil
}

// CheckPassword says what is wrong with a new password; the error is Invalid.
// It must have 12 to 128 characters, of any kind, and must not be easy to
// guess: not on the list of common passwords of this package, no keys or
// numbers in a row, no repetition of a short piece, no date or telephone number,
// and not up to three common words dressed up with digits, signs and capitals.
// Nothing else is asked: rules of composition make passwords worse.
func CheckPassword(password string) error {
	password = norm.NFC.String(password)
	n := utf8.RuneCountInString(password)
	switch {
	case !utf8.ValidString(password) || strings.ContainsFunc(password, unicode.IsControl):
		return presswatch.Errorf(presswatch.Invalid, "password: it holds characters that cannot be typed")
	case n < minPassword:
		return presswatch.Errorf(presswatch.Invalid, "password: at least %d characters; four or five words are easy to remember", minPassword)
	case n > maxPassword:
		return presswatch.Errorf(presswatch.Invalid, "password: at most %d characters", maxPassword)
	}
	if why := guessable(password); why != "" {
		return presswatch.Errorf(presswatch.Invalid, "password: %s, which is guessed first; four or five words that do not belong together are better", why)
	}
	return nil
}

// samePassword compares a password with a stored hash. A hash that no
// reasonable setting makes is refused before it costs memory.
func samePassword(password, hash string) (bool, error) {
	p, _, key, err := argon2id.DecodeHash(hash)
	if err != nil {
		return false, err
	}
	if p.Iterations < 1 || p.Iterations > 16 || p.Parallelism < 1 || p.Memory > 256*1024 || len(key) < 16 {
		return false, fmt.Errorf("argon2id parameters out of range: %+v", *p)
	}
	if r := []rune(password); len(r) > maxPassword {
		password = string(r[:maxPassword+1]) // never right: none that long was ever hashed
	}
	return argon2id.ComparePasswordAndHash(norm.NFC.String(password), hash)
}

// nobodysHash is compared with when there is no user, so that it takes as long
// as when there is one. No password is known to match it.
func nobodysHash() string {
	p, b64 := hashParams(), base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", p.Memory, p.Iterations, p.Parallelism,
		b64.EncodeToString(make([]byte, p.SaltLength)), b64.EncodeToString(make([]byte, p.KeyLength)))
}

//go:embed common.txt
var commonList string

// keyRows are rows and columns of keyboards, and the orders everybody knows.
const keyRows = "abcdefghijklmnopqrstuvwxyz 01234567890 qwertyuiop asdfghjkl zxcvbnm azertyuiop qsdfghjklm " +
	"1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol 1q2w3e4r5t6y7u8i9o0p qazwsxedcrfvtgbyhnujmikolp zaqxswcdevfrbgtnhymjukilop"

// guessable says why a password is among the first that anybody tries.
func guessable(password string) string {
	flat := strings.ToLower(password)
	switch {
	case distinctRunes(flat) < 5:
		return "it has fewer than five different characters"
	case repeats(flat):
		return "it repeats one piece"
	case inRows(flat):
		return "it follows the keys or the numbers in a row"
	}
	bare := plain(flat)
	if strings.Count(strings.Map(letters, bare), "")-1 <= 2 && utf8.RuneCountInString(flat) < 16 {
		return "it is nearly all numbers, as dates and telephone numbers are"
	}
	words, notLetter := commonWords(), func(r rune) bool { return !unicode.IsLetter(r) }
	for _, s := range []string{bare, unleet(strings.TrimRightFunc(bare, notLetter)), unleet(strings.TrimFunc(bare, notLetter))} {
		if madeOf(words, strings.Map(letters, s)) {
			return "it is a common password, or made of common words"
		}
	}
	return ""
}

// commonWords reads the list: one word or password a line, '#' begins a note.
func commonWords() map[string]bool {
	words := map[string]bool{}
	for sc := bufio.NewScanner(strings.NewReader(commonList)); sc.Scan(); {
		if w := strings.TrimSpace(sc.Text()); w != "" && w[0] != '#' {
			words[w] = true
		}
	}
	return words
}

// maxParts is of how many common words a password may not consist; more are
// already hard to guess, at ten tries a quarter of an hour.
const maxParts = 3

// madeOf reports whether s is at most three words of the list; a letter more,
// in front, between or behind, counts as a word.
func madeOf(words map[string]bool, s string) bool {
	parts := make([]int, len(s)+1) // fewest parts that make s[:i]
	for i := 1; i <= len(s); i++ {
		parts[i] = parts[i-1] + 1
		for j := max(0, i-32); j < i; j++ {
			if parts[j]+1 < parts[i] && words[s[j:i]] {
				parts[i] = parts[j] + 1
			}
		}
	}
	return parts[len(s)] <= maxParts && parts[len(s)] < len(s) // a word at least
}

func letters(r rune) rune {
	if unicode.IsLetter(r) {
		return r
	}
	return -1
}

// plain takes the marks off letters: "mật khẩu" is "mat khau".
func plain(s string) string {
	s = strings.ReplaceAll(s, "đ", "d")
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(s))
}

// unleet undoes the usual disguises.
func unleet(s string) string {
	return strings.NewReplacer("0", "o", "1", "i", "!", "i", "3", "e", "4", "a", "@", "a", "5", "s", "$", "s", "7", "t").Replace(s)
}

func distinctRunes(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}

// repeats reports whether s is one piece over and over, the last time perhaps
// cut short: "matkhau1matkhau1mat".
func repeats(s string) bool {
	r := []rune(s)
	for size := 1; size <= len(r)/2; size++ {
		same := true
		for i := size; i < len(r) && same; i++ {
			same = r[i] == r[i-size]
		}
		if same {
			return true
		}
	}
	return false
}

// inRows reports whether at least two thirds of s are runs of four or more
// characters along keyRows, forwards or backwards.
func inRows(s string) bool {
	back := []rune(keyRows)
	for i, j := 0, len(back)-1; i < j; i, j = i+1, j-1 {
		back[i], back[j] = back[j], back[i]
	}
	rows := keyRows + " " + string(back)
	r := []rune(s)
	covered := 0
	for i := 0; i < len(r); {
		n := 0
		for i+n < len(r) && strings.Contains(rows, string(r[i:i+n+1])) && r[i+n] != ' ' {
			n++
		}
		if n >= 4 {
			covered += n
		}
		i += max(n, 1)
	}
	return 3*covered >= 2*len(r)
}
