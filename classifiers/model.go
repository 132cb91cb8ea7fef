package classifiers

import (
	"math"
	"time"

	"presswatch"
	"presswatch/classifiers/linear"
)

// Model is what training leaves behind: the heads, how they are mixed with the
// other signals, where the levels begin, and how all of it was measured.
type Model struct {
	Meta

	vocab     linear.Vocab
	heads     map[string]*linear.Head // falsehood, by language code; "" is the shared head
	clickbait map[string]*linear.Head // titles, by language code
	trained   []uint64                // Bloom filter of the texts it has learned from
	extractor linear.Extractor
}

// Meta is the readable part of a model file.
type Meta struct {
	Name    string             `json:"name"`
	Created time.Time          `json:"created"`
	Seed    uint64             `json:"seed"`
	Mixes   map[string]Mix     `json:"mixes"`   // by head
	Weights map[string]float64 `json:"weights"` // log-odds of a full score, by signal
	Levels  Levels             `json:"levels"`
	Report  Report             `json:"report"`
}

// Mix calibrates a head: how far its log-odds are trusted, and the log-odds of
// a text about which no signal says anything. Both change with length.
type Mix struct {
	Base    float64    `json:"base"`
	BaseLen float64    `json:"base_len"` // added to Base times the length
	Text    float64    `json:"text"`
	TextLen float64    `json:"text_len"` // added to Text times the length
	Curve   float64    `json:"curve"`    // added to Text times |log-odds|: strong opinions are trusted more
	Lengths [2]float64 `json:"lengths"`  // the shortest and longest met in training, as lengthOf; beyond them nothing changes
	Press   Press      `json:"press"`
}

// Press says how articles of the press differ from the texts that a head was
// trained on, which are mostly posts: log-odds are multiplied by Trust and
// drawn to Prior.
type Press struct {
	Trust float64 `json:"trust"` // 0 to 1; 1 leaves articles as they are
	Prior float64 `json:"prior"` // log-odds
}

// Levels are the risks at which a level begins.
type Levels struct {
	Review float64 `json:"review"`
	High   float64 `json:"high"`
}

// Of is the level of a risk.
func (l Levels) Of(risk float64) presswatch.Level {
	switch {
	case risk >= l.High:
		return presswatch.High
	case risk >= l.Review:
		return presswatch.Review
	}
	return presswatch.Low
}

// unknownPrior is the log-odds to which a text of mostly unknown words is
// drawn: about one in eight.
const unknownPrior = -2.0

// lengthOf maps a number of words to -1 (8 words or fewer) to 1 (400 or more).
func lengthOf(words int) float64 {
	return min(max(math.Log(float64(max(words, 1))/57)/math.Log(7), -1), 1)
}

// wordsOf is the number of words of a length; the inverse of lengthOf.
func wordsOf(length float64) float64 { return 57 * math.Pow(7, length) }

// trustOf turns the share of familiar words into how far the words are
// believed: not at all up to 0.35, fully from 0.75.
func trustOf(familiar float64) float64 { return min(max((familiar-0.35)/0.4, 0), 1) }

// enough is 1 for texts at least as long as the shortest that the head has
// met, and falls with their words below that: a remark of three words is no
// claim.
func (m Mix) enough(words int) float64 {
	return min(1, float64(words)/wordsOf(m.Lengths[0]))
}

// parts are the log-odds of a mix: what the base and the text contribute, and
// by what the weights of the other signals are multiplied.
type parts struct{ base, text, others float64 }

// apply mixes the log-odds of the text z. trust is trustOf the text.
func (m Mix) apply(z, trust float64, words int, kind presswatch.Kind) parts {
	l := min(max(lengthOf(words), m.Lengths[0]), m.Lengths[1])
	p := parts{
		base:   trust*(m.Base+m.BaseLen*l) + (1-trust)*unknownPrior,
		text:   z * max(0.05, m.Text+m.TextLen*l+m.Curve*min(math.Abs(z), mostCurve)),
		others: 1,
	}
	if kind == presswatch.Article && m.Press.Trust > 0 {
		t := m.Press.Trust
		p = parts{base: t*p.base + (1-t)*m.Press.Prior, text: t * p.text, others: t}
	}
	return p
}

// reading is what the heads make of a document.
type reading struct {
	head     string  // name of the head that read it
	z        float64 // log-odds by the text, drawn to 0 as the words are less familiar
	trust    float64 // see trustOf
	familiar float64
	phrases  []linear.Phrase
}

// read scores a document's words. explain also finds the phrases that count.
func (m *Model) read(v *view, explain bool) reading {
	r := reading{head: v.profile.Code}
	h, ok := m.heads[r.head]
	if !ok {
		r.head = ""
		if h, ok = m.heads[""]; !ok {
			return r
		}
	}
	s := m.extractor.Extract(v.title, v.text)
	defer m.extractor.Release(s)
	s.Row, s.Values = m.vocab.Vector(s, s.Row[:0], s.Values[:0])
	r.familiar = h.Familiar(s.Words)
	r.trust = trustOf(r.familiar) * m.Mixes[r.head].enough(len(s.Words))
	r.z = r.trust * min(max(h.Dot(s.Row, s.Values), -mostLogit), mostLogit)
	if explain && r.z > 0 {
		r.phrases = h.Explain(s, s.Row, s.Values, 5, 6)
	}
	return r
}

// mostLogit bounds what the words alone can say, mostCurve what Mix.Curve adds
// for strong opinions.
const mostLogit, mostCurve = 12.0, 4.0

// titleClickbait is the probability that a title is made to be clicked; false
// when no head was trained for its language.
func (m *Model) titleClickbait(code, title string) (float64, []linear.Phrase, bool) {
	h, ok := m.clickbait[code]
	if !ok {
		return 0, nil, false
	}
	s := m.extractor.Extract(title)
	defer m.extractor.Release(s)
	s.Row, s.Values = m.vocab.Vector(s, s.Row[:0], s.Values[:0])
	p := sigmoid(h.Dot(s.Row, s.Values))
	if p < 0.5 {
		return p, nil, true
	}
	return p, h.Explain(s, s.Row, s.Values, 2, 6), true
}

// bloomBits is the size of Model.trained.
const bloomBits = 1 << 20

// remember notes a text as learned from.
func (m *Model) remember(title, text string) {
	for _, b := range bloomAt(title, text) {
		m.trained[b/64] |= 1 << (b % 64)
	}
}

// Trained reports whether the model has learned from this very text. It may be
// wrong for one text in several thousand.
func (m *Model) Trained(title, text string) bool {
	for _, b := range bloomAt(title, text) {
		if len(m.trained) == 0 || m.trained[b/64]>>(b%64)&1 == 0 {
			return false
		}
	}
	return true
}

func bloomAt(title, text string) (at [6]uint64) {
	h := mix(hash64(title, text))
	for i := range at {
		at[i] = h % bloomBits
		h = mix(h + 0x9E3779B97F4A7C15)
	}
	return at
}

func sigmoid(z float64) float64 { return 1 / (1 + math.Exp(-z)) }
