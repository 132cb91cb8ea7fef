package classifiers

import (
	"context"
	"fmt"
	"strings"

	"presswatch"
	"presswatch/internal/text"
)

// HeadlineNumbers looks for numbers in the title that the text does not have.
type HeadlineNumbers struct{}

// Spec names the signal.
func (HeadlineNumbers) Spec() Spec {
	return Spec{Name: signalNumbers, Help: "numbers of the title that the text does not have"}
}

// smallNumber is up to which number a text may spell it out in words.
const smallNumber = 12

// Score is the share of the title's numbers that the text lacks. A text of
// fewer than sourcedWords words is a teaser and may leave them out.
func (HeadlineNumbers) Score(ctx context.Context, d presswatch.Document) (presswatch.Evidence, error) {
	v := viewOf(ctx, d)
	e := presswatch.Evidence{Signal: signalNumbers}
	titled := numerals(v.words[:v.inTitle])
	if len(titled) == 0 || len(v.body()) < sourcedWords {
		return e, nil
	}
	body := text.Fold(v.text)
	digits := onlyDigits(body)
	var missing []match
	n := 0
	for _, m := range titled {
		number := onlyDigits(text.Fold(m.words[0].low))
		if number == "" || isSmall(number) {
			continue
		}
		if n++; !strings.Contains(digits, number) {
			missing = append(missing, m)
		}
	}
	if len(missing) == 0 {
		return e, nil
	}
	e.Score = float64(len(missing)) / float64(n)
	quotes := quoted(missing, 3)
	e.Reason = fmt.Sprintf("The title has a number that the text does not: %s. Compare the two.", quotes)
	e.Key, e.Args, e.Spans = "evidence.headline_numbers", []string{quotes}, spansOf(missing)
	return e, nil
}

// onlyDigits keeps the digits of folded text, and joins what separators of
// thousands part; other characters become spaces.
func onlyDigits(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case '0' <= r && r <= '9':
			b.WriteRune(r)
		case (r == '.' || r == ',' || r == ' ') && thousands(s, i):
		default:
			if s := b.String(); s != "" && s[len(s)-1] != ' ' {
				b.WriteByte(' ')
			}
		}
	}
	return strings.TrimSpace(b.String())
}

// thousands reports whether the separator at i is followed by three digits and
// no more, and follows a digit.
func thousands(s string, i int) bool {
	digit := func(k int) bool { return k >= 0 && k < len(s) && '0' <= s[k] && s[k] <= '9' }
	return digit(i-1) && digit(i+1) && digit(i+2) && digit(i+3) && !digit(i+4)
}

func isSmall(number string) bool {
	number = strings.TrimLeft(number, "0")
	return len(number) < 2 || len(number) == 2 && number <= fmt.Sprint(smallNumber)
}
