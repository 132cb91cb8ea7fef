package stories

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"presswatch"
)

// Score is how well copies are found among labelled ones. A copy counts as
// found when its group holds its original, as right when the group holds no
// original of another text.
type Score struct {
	Docs      int                `json:"docs"`
	Precision float64            `json:"precision"`
	Recall    float64            `json:"recall"`
	F1        float64            `json:"f1"`
	Stray     int                `json:"stray"`           // copies that are in a group with another text's original
	Templates float64            `json:"template_merges"` // share of templates with other figures that were taken for copies
	ByEdit    map[string]float64 `json:"recall_by_edit"`
}

type gold struct {
	ID     string
	CopyOf *string `json:"gold_copy_of"`
	Story  string  `json:"gold_story"`
	Edit   string
}

const (
	editOriginal = "original"
	editNumbers  = "numbers" // the trap: same template, other figures, no copy
)

// Eval places the records of DIR/near-duplicates.jsonl in order and returns
// the score. When w is not nil, a table is written to it.
func Eval(ctx context.Context, dir string, w io.Writer) (Score, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "near-duplicates.jsonl"))
	if err != nil {
		return Score{}, presswatch.Errorf(presswatch.NotFound, "labelled copies: %w", err)
	}
	var out bytes.Buffer
	if _, _, err := RunBatch(ctx, bytes.NewReader(raw), &out, NewMemory()); err != nil {
		return Score{}, err
	}
	group := map[string]string{}
	for d := json.NewDecoder(&out); ; {
		var o struct {
			ID    string
			Group string `json:"copy_group"`
		}
		if err := d.Decode(&o); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return Score{}, err
		}
		group[o.ID] = o.Group
	}
	var golds []gold
	for d := json.NewDecoder(bytes.NewReader(raw)); ; {
		var g gold
		if err := d.Decode(&g); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return Score{}, presswatch.Errorf(presswatch.Invalid, "labelled copies, record %d: %w", len(golds)+1, err)
		}
		golds = append(golds, g)
	}
	s := score(golds, group)
	if w != nil {
		err = s.table(w)
	}
	return s, err
}

func score(golds []gold, group map[string]string) Score {
	originals, story := map[string][]string{}, map[string]string{}
	for _, g := range golds {
		story[g.ID] = g.Story
		if at := group[g.ID]; g.Edit == editOriginal && at != "" {
			originals[at] = append(originals[at], g.ID)
		}
	}
	n, hit := map[string]int{}, map[string]int{}
	assigned, correct, real := 0, 0, 0
	s := Score{Docs: len(golds), ByEdit: map[string]float64{}}
	for _, g := range golds {
		if g.Edit == editOriginal {
			continue
		}
		n[g.Edit]++
		if g.Edit != editNumbers {
			real++
		}
		mates := originals[group[g.ID]]
		found := g.CopyOf != nil && slices.Contains(mates, *g.CopyOf)
		stray := slices.ContainsFunc(mates, func(m string) bool { return story[m] != g.Story })
		if len(mates) > 0 {
			assigned++
		}
		if found {
			hit[g.Edit]++
		}
		if stray {
			s.Stray++
		}
		if found && !stray && g.Edit != editNumbers {
			correct++
		}
	}
	s.Precision, s.Recall = part(correct, assigned), part(correct, real)
	if s.Precision+s.Recall > 0 {
		s.F1 = 2 * s.Precision * s.Recall / (s.Precision + s.Recall)
	}
	for e, c := range n {
		if e != editNumbers {
			s.ByEdit[e] = part(hit[e], c)
		}
	}
	s.Templates = part(hit[editNumbers], n[editNumbers])
	return s
}

func part(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

func (s Score) table(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "copies of %d documents: precision %.3f, recall %.3f, F1 %.3f; stray %d, templates taken for copies %.3f\n", s.Docs, s.Precision, s.Recall, s.F1, s.Stray, s.Templates)
	edits := make([]string, 0, len(s.ByEdit))
	for e := range s.ByEdit {
		edits = append(edits, e)
	}
	slices.Sort(edits)
	for _, e := range edits {
		fmt.Fprintf(&b, "  %-14s recall %.3f\n", e, s.ByEdit[e])
	}
	_, err := io.WriteString(w, b.String())
	return err
}
