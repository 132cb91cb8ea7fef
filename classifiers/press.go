package classifiers

import (
	"bufio"
	"context"
	"encoding/json"
	"maps"
	"os"
	"slices"

	"presswatch"
	langs "presswatch/internal/lang/all"
)

// Where the levels begin. Risk is calibrated, so from reviewRisk on an item is
// more likely than not to be found unreliable, were it drawn from the sets.
const (
	reviewRisk = 0.5
	highRisk   = 0.8
)

// pressShare is how many ordinary articles may reach Review: reviewers of a
// desk with 1000 articles a day then see some 40 in vain.
const pressShare = 0.04

// pressPrior is the log-odds to which articles are drawn: one in twenty.
const pressPrior = -2.94

// leastPress is how many articles of a head are needed to set its Press.
const leastPress = 20

type pressArticle struct {
	ID       string `json:"id"`
	Lang     string `json:"lang"`
	Language string `json:"language"`
	Title    string `json:"title"`
	Text     string `json:"text"`
	Gold     string `json:"gold"`
}

func (a pressArticle) document() presswatch.Document {
	d := presswatch.Document{Kind: presswatch.Article, Title: a.Title, Text: a.Text, Language: a.Language}
	if a.Language == "" {
		d.Language = a.Lang
	}
	if a.Text == "" {
		d.Text = a.Gold
	}
	return d
}

// press draws articles towards pressPrior, head by head, as little as keeps
// pressShare on half of the ordinary articles, and reports the other half.
func (t *trainer) press(ctx context.Context) error {
	use, check := map[string][]presswatch.Document{}, map[string][]presswatch.Document{}
	for _, path := range t.Press {
		if err := readPress(path, func(a pressArticle) {
			d := a.document()
			name := ""
			if p, ok := langs.ByCode(d.Language); ok && t.model.heads[p.Code] != nil {
				name = p.Code
			}
			if mix(hash64(a.ID, a.Title))%2 == 0 {
				use[name] = append(use[name], d)
			} else {
				check[name] = append(check[name], d)
			}
		}); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.model.Mixes)) {
		m := t.model.Mixes[name]
		m.Press = Press{Trust: 0.9, Prior: pressPrior}
		t.model.Mixes[name] = m
		for len(use[name]) >= leastPress && m.Press.Trust > 0.31 {
			r, err := t.flagged(ctx, use[name])
			if err != nil {
				return err
			}
			if r.Review <= pressShare {
				break
			}
			m.Press.Trust -= 0.1
			t.model.Mixes[name] = m
		}
		if len(check[name]) == 0 {
			continue
		}
		r, err := t.flagged(ctx, check[name])
		if err != nil {
			return err
		}
		r.Head = name
		t.model.Report.Press = append(t.model.Report.Press, r)
	}
	return nil
}

// flagged is how many of the documents reach the levels.
func (t *trainer) flagged(ctx context.Context, docs []presswatch.Document) (PressReport, error) {
	e, err := New(t.model)
	if err != nil {
		return PressReport{}, err
	}
	r := PressReport{N: len(docs)}
	for _, d := range docs {
		if err := e.classify(ctx, &d, false); err != nil {
			return r, err
		}
		r.Review += oneIf(d.Verdict.Level.AtLeast(presswatch.Review)) / float64(len(docs))
		r.High += oneIf(d.Verdict.Level == presswatch.High) / float64(len(docs))
	}
	return r, nil
}

func readPress(path string, each func(pressArticle)) error {
	f, err := os.Open(path)
	if err != nil {
		return presswatch.Errorf(presswatch.NotFound, "press articles: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		var a pressArticle
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			return presswatch.Errorf(presswatch.Invalid, "press articles, line %d: %w", n, err)
		}
		each(a)
	}
	if err := lines.Err(); err != nil {
		return presswatch.Errorf(presswatch.Invalid, "press articles: %w", err)
	}
	return nil
}
