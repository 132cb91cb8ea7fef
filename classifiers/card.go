package classifiers

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"presswatch/classifiers/metrics"
)

// Card is the model card, in Markdown: what the model is for, what it learned
// from, how it measured, where it fails. size is that of the model file in
// bytes.
func Card(m *Model, size int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Model card: %s\n\nMade by `presswatch train risk` on %s (seed %d); %.1f MB. Do not edit: train again.\n\n", m.Name, m.Created.Format("2006-01-02"), m.Seed, float64(size)/1e6)
	b.WriteString(cardIntro)
	cardSets(&b, m)
	cardLevels(&b, m)
	cardWeights(&b, m)
	b.WriteString(cardLimits)
	return b.String()
}

const cardIntro = `## For what
It orders items for review by people. A risk says how likely a reader would call the wording of an item unreliable, had it come from sets like
those below. It does not know facts, and never says that an item is false. Nothing may be published, blocked or sent on its word alone.

## How it is made
Hashed word 1-2-grams and character 2-5-grams within words, folded and as written; L2 logistic regression by dual coordinate descent, one head a
language and a shared one for all others; one byte a weight. The log-odds of the words and the scores of the other signals are added; slope and
start depend on head and length, and are fitted (Platt) on log-odds of models that had not seen the example. Articles of the press are drawn
to a low prior, for the labelled texts are mostly posts and headlines; so are texts of mostly unknown words. The evidence adds up to the risk exactly.

`

func cardSets(b *strings.Builder, m *Model) {
	b.WriteString("## Learned from, and measured on\nEvery figure is out of fold: the scoring model had not seen the example, nor a near-duplicate of it. *source*: nor anything of its source,\nspeaker or account. *time*: the last fifth, by a model of the four before. Slopes and starts are fitted on all out-of-fold scores, some twenty numbers.\nThe file holds a model of all rows; measuring it on the same rows flatters it.\n\n")
	b.WriteString("| set | head | split | n | positive | macro-F1 at 0.5 | ROC AUC | AP | ECE | ECE uncalibrated |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, s := range m.Report.Sets {
		row := func(split string, x metrics.Summary, raw string) {
			fmt.Fprintf(b, "| %s | %s | %s | %d | %.2f | %.3f | %.3f | %.3f | %.3f | %s |\n", s.Name, headName(s), split, x.N, x.Positive, x.MacroF1, x.AUC, x.AP, x.ECE, raw)
		}
		row("random", s.Random, fmt.Sprintf("%.3f", s.Raw.ECE))
		if s.Source != nil {
			row("source", *s.Source, "")
		}
		if s.Time != nil {
			row("time", *s.Time, "")
		}
	}
	b.WriteString("\n| set | what it is | licence |\n|---|---|---|\n")
	for _, s := range m.Report.Sets {
		fmt.Fprintf(b, "| %s | %s | %s |\n", s.Name, s.Note, s.Licence)
	}
	b.WriteString("\nNo text of these sets is in the file. \"Published for research\" means that its authors state no licence: who ships this model beyond research should ask them.\n\n")
}

func headName(s SetReport) string {
	name := s.Head
	if name == "" {
		name = "shared"
	}
	if s.Task == string(clickbait) {
		name += " (titles)"
	}
	return name
}

func cardLevels(b *strings.Builder, m *Model) {
	fmt.Fprintf(b, "## Levels\nReview from %.2f, High from %.2f. What they cost and find, out of fold:\n\n| set | level | of 1000 items | precision | recall |\n|---|---|---|---|---|\n", m.Levels.Review, m.Levels.High)
	for _, s := range m.Report.Sets {
		for _, l := range []string{"review", "high"} {
			if n := s.AtLevels[l]; s.Task == string(falsehood) {
				fmt.Fprintf(b, "| %s | %s | %.0f | %.2f | %.2f |\n", s.Name, l, n.Per1000, n.Precision, n.Recall)
			}
		}
	}
	if len(m.Report.Press) == 0 {
		return
	}
	fmt.Fprintf(b, "\nOrdinary press articles that would be flagged in vain (most of them true; half of those at hand, the other half set how\nfar articles are trusted: pages of naeb, readability, WCXB and fundus, stories of VietnameseMDS, translations of NTREX).\nCapacity assumed: %.0f of 1000 at Review.\n\n| head | articles | Review or High | High |\n|---|---|---|---|\n", 1000*pressShare)
	for _, p := range m.Report.Press {
		name := p.Head
		if name == "" {
			name = "shared"
		}
		fmt.Fprintf(b, "| %s | %d | %.1f %% | %.1f %% |\n", name, p.N, 100*p.Review, 100*p.High)
	}
	b.WriteString("\n")
	if len(m.Report.Other) == 0 {
		return
	}
	b.WriteString("Sets of other tasks (harm, check-worthiness), never learned from. High shares here are false alarms: keep reader comments out of the queue.\n\n| set | texts | Review or High | High |\n|---|---|---|---|\n")
	for _, p := range m.Report.Other {
		fmt.Fprintf(b, "| %s | %d | %.1f %% | %.1f %% |\n", p.Head, p.N, 100*p.Review, 100*p.High)
	}
	b.WriteString("\n")
}

func cardWeights(b *strings.Builder, m *Model) {
	b.WriteString("## Weights\nLog-odds that a full score of a signal adds. They start from a policy (in brackets) that labels may move; titles are rare in the sets.\n\n| signal | weight | policy |\n|---|---|---|\n")
	policy := policyWeights()
	for _, s := range slices.Sorted(maps.Keys(m.Weights)) {
		fmt.Fprintf(b, "| %s | %.2f | (%.2f) |\n", s, m.Weights[s], policy[s])
	}
	b.WriteString("\n| head | start | per length | text | per length | per strength | trust in articles |\n|---|---|---|---|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(m.Mixes)) {
		x := m.Mixes[name]
		if name == "" {
			name = "shared"
		}
		fmt.Fprintf(b, "| %s | %.2f | %.2f | %.2f | %.2f | %.2f | %.1f |\n", name, x.Base, x.BaseLen, x.Text, x.TextLen, x.Curve, x.Press.Trust)
	}
	b.WriteString("\n")
}

const cardLimits = `## Limits
- It reads wording, not truth: a false report in sober words scores low, a true one in loud words scores high. Where only a fact was changed
  (ans) or the claim is one sentence (liar), it is near chance, and its risks stay near the base rate.
- The sets are of their time: COVID-19 in English, Hindi and Arabic, 2020 in Vietnam, celebrities in English. New topics score worse: see *time* and *source*.
- Some labels follow the source (coaid): at a random split the model partly learns the source. Trust the *source* rows.
- Hindi and Arabic heads know posts and headlines only; long articles of these languages rest on the prior. No set has long false articles in our
  four languages, so that those are likely missed.
- Languages without a head are read by the shared head and drawn to the prior as their words are unknown.
- The Vietnamese head takes informal reader comments for unreliable posts far too often (see the table of other tasks): its reliable examples are mostly
  press posts. It is for news and public posts, not for comments.
- The clickbait head knows the outlets it learned from; at other outlets it is at chance (see *source*), so that its weight is small.
- Satire reads like what it mocks. Dialects, code-switching and text in pictures are not covered.
- Labels come from their makers, with their views of what is reliable; posts that criticise authorities are over-represented among unreliable ones in
  reintel and vn_huynhtuan. A reviewer must judge the claim, not the tone.
`
