package demo

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"presswatch"
)

//go:embed content layouts
var files embed.FS

// Label says what a piece is.
type Label string

// The labels.
const (
	News       Label = "news"
	Rumour     Label = "rumour" // not so, or nobody knows: for the review queue
	Satire     Label = "satire"
	Opinion    Label = "opinion"
	Correction Label = "correction" // an outlet takes something back
)

// Piece is one article or post, and what is known about it.
type Piece struct {
	Slug     string              `yaml:"slug"`     // unique among all pieces
	Outlet   string              `yaml:"outlet"`   // id of its outlet
	Lang     string              `yaml:"lang"`     // BCP 47; empty: its outlet's
	Is       Label               `yaml:"is"`       // what it is
	Of       string              `yaml:"of"`       // slug of the piece that Relation refers to
	Relation presswatch.Relation `yaml:"relation"` // exact, near, translation or same_event; empty: a text of its own
	Corrects string              `yaml:"corrects"` // slug of the piece that a correction takes back
	Title    string              `yaml:"title"`    // empty for a post
	Byline   string              `yaml:"byline"`
	Hours    float64             `yaml:"hours"`   // published so long before the servers started
	Section  string              `yaml:"section"` // as the outlet calls it
	TextOf   string              `yaml:"text_of"` // slug of the piece whose text this one starts from, before Edits
	Edits    []Edit              `yaml:"edits"`
	Kind     presswatch.Kind     `yaml:"-"`
	Text     []string            `yaml:"-"` // paragraphs
}

// Edit replaces a passage, which must be there. To is empty to drop it.
type Edit struct {
	From string `yaml:"from"`
	To   string `yaml:"to"`
}

// Content returns all pieces, in the order of their files.
func Content() []Piece {
	_, pieces, err := load()
	if err != nil {
		return nil // a test sees to it that this cannot be
	}
	return pieces
}

// outlet is one newsroom.
type outlet struct {
	ID       string            `yaml:"id"`
	Name     string            `yaml:"name"`
	Motto    string            `yaml:"motto"`
	Lang     string            `yaml:"lang"`
	Layout   string            `yaml:"layout"` // file below layouts/
	Kind     string            `yaml:"kind"`   // of its source: feed, site or posts
	Feed     string            `yaml:"feed"`   // rss or atom
	Path     string            `yaml:"path"`   // of an article: %s is its slug
	Date     string            `yaml:"date"`   // see formatDate
	Zone     float64           `yaml:"zone"`   // hours east of Greenwich
	Sections []string          `yaml:"sections"`
	Words    map[string]string `yaml:"words"`    // what the layout says around the text
	Comments []string          `yaml:"comments"` // of readers
}

// load reads outlets and pieces, and checks that they fit together.
func load() ([]outlet, []Piece, error) {
	b, err := files.ReadFile("content/outlets.yaml")
	if err != nil {
		return nil, nil, err
	}
	var outlets []outlet
	if err := yaml.UnmarshalWithOptions(b, &outlets, yaml.Strict()); err != nil {
		return nil, nil, fmt.Errorf("outlets.yaml: %w", err)
	}
	names, err := fs.Glob(files, "content/*.md")
	if err != nil {
		return nil, nil, err
	}
	var pieces []Piece
	for _, name := range names {
		b, err := files.ReadFile(name)
		if err != nil {
			return nil, nil, err
		}
		more, err := parse(b)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", path.Base(name), err)
		}
		pieces = append(pieces, more...)
	}
	return outlets, pieces, link(outlets, pieces)
}

// parse reads a file of pieces: each is a front matter of YAML between two
// lines "---", and then paragraphs separated by empty lines.
func parse(b []byte) (out []Piece, err error) {
	parts := []string{""}
	for line := range strings.Lines(string(b)) {
		if strings.TrimSpace(line) == "---" {
			parts = append(parts, "")
			continue
		}
		parts[len(parts)-1] += line
	}
	if strings.TrimSpace(parts[0]) != "" || len(parts)%2 != 1 {
		return nil, fmt.Errorf("%d lines of ---, want two a piece, the first at the start", len(parts)-1)
	}
	for i := 1; i < len(parts); i += 2 {
		var p Piece
		if err := yaml.UnmarshalWithOptions([]byte(parts[i]), &p, yaml.Strict()); err != nil {
			return nil, fmt.Errorf("piece %d: %w", i/2+1, err)
		}
		for _, para := range strings.Split(parts[i+1], "\n\n") {
			if para = strings.Join(strings.Fields(para), " "); para != "" {
				p.Text = append(p.Text, para)
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// link fills in what follows from outlets and other pieces.
func link(outlets []outlet, pieces []Piece) error {
	slugs := map[string]int{}
	for i := range pieces {
		p := &pieces[i]
		at := slices.IndexFunc(outlets, func(o outlet) bool { return o.ID == p.Outlet })
		if at < 0 {
			return fmt.Errorf("%s: no outlet %q", p.Slug, p.Outlet)
		}
		o := outlets[at]
		if p.Kind = presswatch.Article; o.Kind == "posts" {
			p.Kind = presswatch.Post
		}
		if p.Lang == "" {
			p.Lang = o.Lang
		}
		if p.Relation == "" {
			p.Relation = presswatch.New
		}
		if _, twice := slugs[p.Slug]; twice || p.Slug == "" {
			return fmt.Errorf("slug %q is empty or used twice", p.Slug)
		}
		slugs[p.Slug] = i
	}
	for i := range pieces {
		p := &pieces[i]
		for _, ref := range []string{p.Of, p.Corrects, p.TextOf} {
			if _, ok := slugs[ref]; ref != "" && !ok {
				return fmt.Errorf("%s: no piece %q", p.Slug, ref)
			}
		}
		if p.TextOf != "" {
			p.Text = append(slices.Clone(pieces[slugs[p.TextOf]].Text), p.Text...)
		}
		if err := p.edit(); err != nil {
			return err
		}
	}
	return nil
}

func (p *Piece) edit() error {
	for _, e := range p.Edits {
		done := false
		for i, para := range p.Text {
			if e.From != "" && strings.Contains(para, e.From) {
				p.Text[i], done = strings.TrimSpace(strings.Replace(para, e.From, e.To, 1)), true
				break
			}
		}
		if !done {
			return fmt.Errorf("%s: the passage %q is not there", p.Slug, e.From)
		}
	}
	p.Text = slices.DeleteFunc(p.Text, func(s string) bool { return s == "" })
	return nil
}
