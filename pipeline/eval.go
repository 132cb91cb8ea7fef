package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"presswatch"
)

// Score is how well the extracting stages do on a set of labelled pages.
// Precision and recall count shingles of four words against the labelled main
// text and are means over its documents; F1 is made of the two means, MeanF1
// is the mean of the documents' own.
type Score struct {
	Set       string  `json:"set"`
	Docs      int     `json:"docs"`
	Empty     int     `json:"empty"` // without any text, or with an error
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
	MeanF1    float64 `json:"mean_f1"`
	Title     float64 `json:"title"` // share that agrees word for word, of those labelled
	Date      float64 `json:"date"`  // share with the labelled day
}

// Eval runs the extracting stages over DIR/pages.jsonl (id, set, url, file,
// gold, title, date) and returns the scores of each set, those of all last.
// When w is not nil, a table is written to it.
func Eval(ctx context.Context, dir string, w io.Writer) ([]Score, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "pages.jsonl"))
	if err != nil {
		return nil, presswatch.Errorf(presswatch.NotFound, "labelled pages: %w", err)
	}
	var got bytes.Buffer
	if _, _, err := RunBatch(ctx, bytes.NewReader(raw), &got, Batch{Dir: dir, Workers: 2}); err != nil {
		return nil, err
	}
	want, err := decodeAll[labelled](bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	have, err := decodeAll[extracted](&got)
	if err != nil {
		return nil, err
	}
	if len(want) != len(have) {
		return nil, presswatch.Errorf(presswatch.Internal, "%d pages gave %d records", len(want), len(have))
	}
	tallies, total := map[string]*tally{}, &tally{}
	for i, g := range want {
		t := tallies[g.Set]
		if t == nil {
			t = &tally{}
			tallies[g.Set] = t
		}
		t.add(g, have[i])
		total.add(g, have[i])
	}
	var scores []Score
	for set, t := range tallies {
		scores = append(scores, t.score(set))
	}
	slices.SortFunc(scores, func(a, b Score) int { return strings.Compare(a.Set, b.Set) })
	scores = append(scores, total.score("all"))
	if w != nil {
		err = table(w, scores)
	}
	return scores, err
}

type labelled struct{ ID, Set, Gold, Title, Date string }

type extracted struct {
	ID, Text, Title string
	Published       string
}

func decodeAll[T any](r io.Reader) (out []T, err error) {
	for d := json.NewDecoder(r); ; {
		var v T
		if err := d.Decode(&v); err == io.EOF {
			return out, nil
		} else if err != nil {
			return nil, presswatch.Errorf(presswatch.Invalid, "record %d: %w", len(out)+1, err)
		}
		out = append(out, v)
	}
}

// tally sums up what Score is made of.
type tally struct {
	docs, empty, texts, titles, titleOK, dates, dateOK int
	p, r, f                                            float64
}

func (t *tally) add(g labelled, o extracted) {
	t.docs++
	if strings.TrimSpace(o.Text) == "" {
		t.empty++
	}
	if g.Gold != "" {
		p, r := overlap(g.Gold, o.Text)
		t.texts++
		t.p, t.r, t.f = t.p+p, t.r+r, t.f+harmonic(p, r)
	}
	if g.Title != "" {
		t.titles++
		if slices.Equal(tokens(strings.ToLower(g.Title)), tokens(strings.ToLower(o.Title))) {
			t.titleOK++
		}
	}
	if len(g.Date) >= 10 {
		t.dates++
		if strings.HasPrefix(o.Published, g.Date[:10]) {
			t.dateOK++
		}
	}
}

func (t *tally) score(set string) Score {
	p, r := ratio(t.p, t.texts), ratio(t.r, t.texts)
	return Score{Set: set, Docs: t.docs, Empty: t.empty, Precision: p, Recall: r, F1: harmonic(p, r), MeanF1: ratio(t.f, t.texts),
		Title: ratio(float64(t.titleOK), t.titles), Date: ratio(float64(t.dateOK), t.dates)}
}

func ratio(sum float64, n int) float64 {
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

func harmonic(p, r float64) float64 {
	if p+r == 0 {
		return 0
	}
	return 2 * p * r / (p + r)
}

// overlap is precision and recall of b's four-word shingles against a's.
func overlap(a, b string) (p, r float64) {
	want, have := shingles(a), shingles(b)
	tp, na, nb := 0, 0, 0
	for s, n := range have {
		nb += n
		tp += min(n, want[s])
	}
	for _, n := range want {
		na += n
	}
	p, r = 1, 1
	if nb > 0 {
		p = float64(tp) / float64(nb)
	} else if na > 0 {
		p = 0
	}
	if na > 0 {
		r = float64(tp) / float64(na)
	}
	return p, r
}

func shingles(s string) map[string]int {
	const size = 4
	t := tokens(norm.NFC.String(s))
	out := map[string]int{}
	if n := len(t); n > 0 && n < size {
		out[strings.Join(t, " ")]++
	}
	for i := 0; i+size <= len(t); i++ {
		out[strings.Join(t[i:i+size], " ")]++
	}
	return out
}

// tokens are runs of letters, numbers and underscores, as \w+ of Python has
// them: marks divide words there, so they do here.
func tokens(s string) []string {
	return strings.FieldsFunc(norm.NFC.String(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && r != '_'
	})
}

func table(w io.Writer, scores []Score) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "set\tdocs\tempty\tprecision\trecall\tF1\tmean F1\ttitle\tdate\t")
	for _, s := range scores {
		fmt.Fprintf(tw, "%s\t%d\t%d\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t\n", s.Set, s.Docs, s.Empty, s.Precision, s.Recall, s.F1, s.MeanF1, s.Title, s.Date)
	}
	return tw.Flush()
}
