package dashboards

import (
	"slices"
	"strconv"
	"time"

	"presswatch"
)

// Level is a level that there is: what is not known counts as low.
func (p *page) Level(v any) string {
	var l presswatch.Level
	switch v := v.(type) {
	case presswatch.Level:
		l = v
	case string:
		l = presswatch.Level(v)
	}
	if !slices.Contains(levels(), l) {
		l = presswatch.Low
	}
	return string(l)
}

// Kind is the name of a kind of content.
func (p *page) Kind(k presswatch.Kind) string { return p.known("kind."+string(k), string(k)) }

// Relation is how a document stands to the first of its text.
func (p *page) Relation(r presswatch.Relation) string {
	return p.known("relation."+string(r), string(r))
}

// Event is the name of what happened to a case.
func (p *page) Event(t string) string { return p.known("event."+t, t) }

// known is the message under key, or the word itself when there is none.
func (p *page) known(key, word string) string {
	if p.L.has(key) {
		return p.T(key)
	}
	return word
}

// Key is the key of the i-th label.
func (p *page) Key(i int) string { return strconv.Itoa(i + 1) }

// Short is the beginning of a hash.
func (p *page) Short(hash string) string { return cut(hash, 10) }

// Appeared is when the item of a case came up: published, or put into the queue.
func (p *page) Appeared(c presswatch.Case) time.Time {
	if c.Published.IsZero() {
		return c.OpenedAt
	}
	return c.Published
}

// LastBar is the label of the newest bar.
func (p *page) LastBar(b []bar) string { return b[len(b)-1].Label }
