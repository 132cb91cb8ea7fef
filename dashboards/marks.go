package dashboards

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"presswatch"
)

const (
	maxSpans = 500     // marks shown in one text
	maxRunes = 200_000 // characters of a text that are shown
)

// piece is a stretch of text under the same marks.
type piece struct {
	Text  string
	ID    string // of the first piece of a mark, to link to
	Marks []int  // numbers of the evidence that points here, from 1, rising; none: plain
	Why   string // what the marks say, for a tooltip
}

// paragraph is a line of pieces.
type paragraph []piece

// marked is a text cut into paragraphs and pieces.
type marked struct {
	Paragraphs []paragraph
	Cut        bool // the text was longer than what is shown
}

// pointer is a span with the number of what points.
type pointer struct{ start, end, n int }

// mark cuts a text of a document at the spans that point into the field.
// ids are given as prefix and number; first collects, by evidence, the first
// of its ids.
func mark(field, text, prefix string, spans []presswatch.Span, owner []int, first map[int]string) marked {
	runes := []rune(text)
	var m marked
	if len(runes) > maxRunes {
		runes, m.Cut = runes[:maxRunes], true
	}
	var ps []pointer
	for i, s := range spans {
		start, end := max(0, s.Start), min(len(runes), s.End)
		if s.Field == field && start < end && len(ps) < maxSpans {
			ps = append(ps, pointer{start, end, owner[i]})
		}
	}
	seen := 0
	emit := func(from, to int, on []int) {
		p := piece{Marks: on}
		if len(on) > 0 {
			seen++
			p.ID = prefix + strconv.Itoa(seen)
			for _, n := range on {
				if first[n] == "" {
					first[n] = p.ID
				}
			}
		}
		m.add(string(runes[from:to]), p)
	}
	sweep(len(runes), ps, emit)
	return m
}

// sweep walks over the borders of the pointers and emits the stretches
// between them with the numbers that are on.
func sweep(n int, ps []pointer, emit func(from, to int, on []int)) {
	borders := []int{0, n}
	for _, p := range ps {
		borders = append(borders, p.start, p.end)
	}
	slices.Sort(borders)
	borders = slices.Compact(borders)
	slices.SortFunc(ps, func(a, b pointer) int { return cmp.Compare(a.start, b.start) })
	next, from := 0, 0
	var active []pointer
	var before []int
	for i := 0; i+1 < len(borders); i++ {
		at := borders[i]
		active = slices.DeleteFunc(active, func(p pointer) bool { return p.end <= at })
		for ; next < len(ps) && ps[next].start <= at; next++ {
			active = append(active, ps[next])
		}
		var on []int
		for _, p := range active {
			on = append(on, p.n)
		}
		slices.Sort(on)
		on = slices.Compact(on)
		if i > 0 && !slices.Equal(on, before) {
			emit(from, at, before)
			from = at
		}
		before = on
	}
	if from < n {
		emit(from, n, before)
	}
}

// add appends a stretch, opening a paragraph at each empty line.
func (m *marked) add(text string, p piece) {
	for i, s := range strings.Split(text, "\n\n") {
		if i > 0 || len(m.Paragraphs) == 0 {
			m.Paragraphs = append(m.Paragraphs, nil)
		}
		if s == "" {
			continue
		}
		p.Text = s
		last := len(m.Paragraphs) - 1
		m.Paragraphs[last] = append(m.Paragraphs[last], p)
		p.ID = "" // an id stands once
	}
}

// markEvidence marks title and text of a document with what its evidence
// points at, and returns the first mark of each piece of evidence.
func (p *page) markEvidence(d presswatch.Document) (title, text marked, first map[int]string) {
	var spans []presswatch.Span
	var owner []int
	for i, e := range d.Verdict.Evidence {
		for _, s := range e.Spans {
			spans, owner = append(spans, s), append(owner, i+1)
		}
	}
	first = map[int]string{}
	title = mark("title", d.Title, "t", spans, owner, first)
	text = mark("text", d.Text, "m", spans, owner, first)
	for _, m := range []marked{title, text} {
		for _, par := range m.Paragraphs {
			for i := range par {
				var why []string
				for _, n := range par[i].Marks {
					why = append(why, p.Why(d.Verdict.Evidence[n-1]).Text)
				}
				par[i].Why = strings.Join(why, " · ")
			}
		}
	}
	return title, text, first
}

// snippetRunes is how much of a text a hit shows.
const snippetRunes = 280

// snippet is the part of a text around its first highlight.
func snippet(text string, hl []presswatch.Span) marked {
	runes := []rune(text)
	from := 0
	for _, s := range hl {
		if s.Field == "text" && s.Start >= 0 && s.Start < len(runes) {
			from = max(0, s.Start-snippetRunes/3)
			break
		}
	}
	for from > 0 && runes[from-1] != ' ' && runes[from-1] != '\n' {
		from--
	}
	to := min(len(runes), from+snippetRunes)
	for to < len(runes) && runes[to] != ' ' && runes[to] != '\n' && to < from+snippetRunes+30 {
		to++
	}
	moved, owner := make([]presswatch.Span, len(hl)), make([]int, len(hl))
	for i, s := range hl {
		moved[i], owner[i] = presswatch.Span{Field: s.Field, Start: s.Start - from, End: min(s.End, to) - from}, 1
	}
	part := strings.ReplaceAll(string(runes[from:to]), "\n", " ")
	m := mark("text", part, "", moved, owner, map[int]string{})
	if len(m.Paragraphs) > 0 {
		if from > 0 {
			m.Paragraphs[0] = append(paragraph{{Text: "… "}}, m.Paragraphs[0]...)
		}
		if last := len(m.Paragraphs) - 1; to < len(runes) {
			m.Paragraphs[last] = append(m.Paragraphs[last], piece{Text: " …"})
		}
	}
	return m
}
