package crawlers

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"presswatch"
)

const (
	maxSourcesFile = 1 << 20 // bytes
	maxSources     = 5000
	maxProblems    = 50 // that are told at once
	maxNesting     = 20 // of YAML: ours needs four
)

// LoadSources reads sources.yaml. The error has code Invalid and names every
// problem at once, each as "sources.yaml:LINE: field: what, what to do"; what
// cannot be read at all is NotFound or Unavailable.
func LoadSources(path string) ([]Source, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, presswatch.Errorf(presswatch.NotFound, "sources: %w", err)
	case err == nil && info.Size() > maxSourcesFile:
		return nil, presswatch.Errorf(presswatch.TooLarge, "%s: %d bytes, the most is %d", path, info.Size(), maxSourcesFile)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, presswatch.Errorf(presswatch.Unavailable, "sources: %w", err)
	}
	return ParseSources(filepath.Base(path), b)
}

// ParseSources is LoadSources of bytes; name is the file's, for the messages.
func ParseSources(name string, b []byte) ([]Source, error) {
	p := &sourceParser{name: name, ids: map[presswatch.SourceID]int{}}
	p.file(b)
	if len(p.problems) == 0 {
		return p.sources, nil
	}
	slices.SortStableFunc(p.problems, func(a, b problem) int { return a.line - b.line })
	var errs []error
	for _, q := range p.problems[:min(len(p.problems), maxProblems)] {
		errs = append(errs, q)
	}
	if n := len(p.problems) - maxProblems; n > 0 {
		errs = append(errs, fmt.Errorf("%s: and %d more", name, n))
	}
	return nil, presswatch.Errorf(presswatch.Invalid, "%w", errors.Join(errs...))
}

// problem is one thing that is wrong with a file.
type problem struct {
	file        string
	line        int
	field, what string
}

// Error implements error.
func (p problem) Error() string {
	if p.field == "" {
		return fmt.Sprintf("%s:%d: %s", p.file, p.line, p.what)
	}
	return fmt.Sprintf("%s:%d: %s: %s", p.file, p.line, p.field, p.what)
}

type sourceParser struct {
	name     string
	problems []problem
	defaults Source
	sources  []Source
	ids      map[presswatch.SourceID]int // to the line
}

func (p *sourceParser) bad(line int, field, format string, args ...any) {
	p.problems = append(p.problems, problem{p.name, line, field, fmt.Sprintf(format, args...)})
}

// file parses all of a file into p.sources and p.problems.
func (p *sourceParser) file(b []byte) {
	root := p.parse(b)
	if root == nil {
		return
	}
	p.defaults = Source{Schedule: DefaultSchedule, Jitter: DefaultJitter, MaxItems: DefaultMaxItems}
	var list ast.Node
	for _, f := range p.mapping(root, "sources.yaml") {
		switch f.key {
		case "defaults":
			for _, d := range p.mapping(f.value, "defaults") {
				if !slices.Contains([]string{"schedule", "jitter", "max_items", "lang"}, d.key) {
					p.bad(d.line, d.key, "not a key of defaults; use schedule, jitter, max_items or lang")
				} else {
					p.field(&p.defaults, d)
				}
			}
		case "sources":
			list = f.value
		default:
			p.bad(f.line, f.key, "not a key of this file; use sources or defaults")
		}
	}
	switch seq := list.(type) {
	case *ast.SequenceNode:
		if len(seq.Values) > maxSources {
			p.bad(lineOf(seq), "sources", "%d entries, the most is %d; use several files", len(seq.Values), maxSources)
			return
		}
		for _, n := range seq.Values {
			p.entry(n)
		}
	case nil:
		p.bad(1, "sources", "missing; add a list of sources")
	case *ast.NullNode: // "sources:" with nothing below: none yet
	default:
		p.bad(lineOf(list), "sources", "must be a list; begin each entry with \"- id: ...\"")
	}
}

// parse turns bytes into a tree, after a look at what could make the YAML
// parser run out of stack.
func (p *sourceParser) parse(b []byte) (root ast.Node) {
	if len(b) > maxSourcesFile {
		p.bad(1, "", "%d bytes, the most is %d", len(b), maxSourcesFile)
		return nil
	}
	if line := tooDeep(b); line > 0 {
		p.bad(line, "", "nested too deeply; sources.yaml is a list of flat entries")
		return nil
	}
	defer func() { // the parser is not ours
		if r := recover(); r != nil {
			p.bad(1, "", "the YAML cannot be read: %v", r)
			root = nil
		}
	}()
	f, err := parser.ParseBytes(b, 0)
	if err != nil {
		line, what := 1, err.Error()
		if e := yaml.Error(nil); errors.As(err, &e) && e.GetToken() != nil {
			line, what = e.GetToken().Position.Line, e.GetMessage()
		}
		p.bad(line, "", "the YAML cannot be read: %s", what)
		return nil
	}
	if len(f.Docs) != 1 || f.Docs[0].Body == nil {
		p.bad(1, "", "must be one YAML document with the key sources")
		return nil
	}
	return f.Docs[0].Body
}

// tooDeep returns the line where brackets, dashes or indentation nest deeper
// than any file of ours does, or 0. Brackets in quotes count too: no harm.
func tooDeep(b []byte) int {
	brackets := 0
	for i, line := range strings.Split(string(b), "\n") {
		rest := strings.TrimLeft(line, " \t")
		indent := len(line) - len(rest)
		for strings.HasPrefix(rest, "- ") || strings.HasPrefix(rest, "? ") {
			rest = strings.TrimLeft(rest[2:], " \t")
			indent += 2
		}
		if strings.HasPrefix(rest, "#") {
			continue
		}
		brackets = max(0, brackets+strings.Count(rest, "[")+strings.Count(rest, "{"))
		if brackets > 25*maxNesting || indent > 4*maxNesting || strings.Count(rest, "? ")+strings.Count(rest, "- ") > 500 {
			return i + 1
		}
		brackets = max(0, brackets-strings.Count(rest, "]")-strings.Count(rest, "}"))
	}
	return 0
}

// field is one key of a mapping.
type field struct {
	key   string
	line  int
	value ast.Node
}

// mapping lists the keys of a mapping node, in order.
func (p *sourceParser) mapping(n ast.Node, what string) (out []field) {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	case *ast.NullNode:
		return nil
	default:
		p.bad(lineOf(n), what, "must be a mapping of keys to values; write \"key: value\" lines, without anchors, aliases and tags")
		return nil
	}
	for _, v := range values {
		key := v.Key.GetToken()
		if key == nil || v.Value == nil {
			continue
		}
		out = append(out, field{key.Value, key.Position.Line, v.Value})
	}
	return out
}

func lineOf(n ast.Node) int {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 1
	}
	return n.GetToken().Position.Line
}

// entry parses one source.
func (p *sourceParser) entry(n ast.Node) {
	before := len(p.problems)
	s := p.defaults
	s.Line = lineOf(n)
	fields := p.mapping(n, "sources")
	if len(fields) > 0 {
		s.Line = fields[0].line
	} else if len(p.problems) == before {
		p.bad(s.Line, "sources", "an empty entry; remove it")
	}
	lines := map[string]int{}
	for _, f := range fields {
		lines[f.key] = f.line
		p.field(&s, f)
	}
	line := func(key string) int {
		if l := lines[key]; l > 0 {
			return l
		}
		return s.Line
	}
	for _, q := range s.problems() {
		told := slices.ContainsFunc(p.problems[before:], func(b problem) bool { return b.field == q.field })
		if len(fields) > 0 && !told {
			p.bad(line(q.field), q.field, "%s", q.what)
		}
	}
	if first, ok := p.ids[s.ID]; ok && s.ID != "" {
		p.bad(line("id"), "id", "%q is that of line %d too; give one of them another", s.ID, first)
	} else {
		p.ids[s.ID] = s.Line
	}
	p.sources = append(p.sources, s)
}

// field sets one field of a source.
func (p *sourceParser) field(s *Source, f field) {
	switch f.key {
	case "id":
		s.ID = presswatch.SourceID(p.text(f))
	case "name":
		s.Name = p.text(f)
	case "kind":
		s.Kind = p.text(f)
	case "url":
		s.URL = p.text(f)
	case "lang":
		s.Lang = p.text(f)
	case "schedule":
		s.Schedule = p.text(f)
	case "jitter":
		s.Jitter = p.duration(f)
	case "max_items":
		s.MaxItems = p.number(f)
	case "depth":
		s.Depth = p.number(f)
	case "include":
		s.Include = p.texts(f)
	case "exclude":
		s.Exclude = p.texts(f)
	case "follow":
		s.Follow = p.texts(f)
	case "disabled":
		b, ok := f.value.(*ast.BoolNode)
		if !ok {
			p.bad(f.line, f.key, "must be true or false")
			return
		}
		s.Disabled = b.Value
	default:
		p.bad(f.line, f.key, "not a key of a source; use one of %s", strings.Join(sourceKeys, ", "))
	}
}

var sourceKeys = []string{"id", "name", "kind", "url", "lang", "schedule", "jitter", "max_items", "include", "exclude", "follow", "depth", "disabled"}

func (p *sourceParser) text(f field) string {
	s, ok := scalar(f.value)
	if !ok {
		p.bad(f.line, f.key, "must be text; write it in quotes")
	}
	return s
}

func scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		if n.Value != nil {
			return n.Value.Value, true
		}
	}
	return "", false
}

func (p *sourceParser) texts(f field) (out []string) {
	if one, ok := scalar(f.value); ok {
		return []string{one}
	}
	seq, ok := f.value.(*ast.SequenceNode)
	if !ok {
		p.bad(f.line, f.key, "must be a list of patterns; write ['first', 'second']")
		return nil
	}
	for _, v := range seq.Values {
		s, ok := scalar(v)
		if !ok {
			p.bad(lineOf(v), f.key, "must be a list of text; write each pattern in single quotes")
			continue
		}
		out = append(out, s)
	}
	return out
}

func (p *sourceParser) number(f field) int {
	n, ok := f.value.(*ast.IntegerNode)
	if ok {
		switch v := n.Value.(type) {
		case int64:
			if int64(int32(v)) == v {
				return int(v)
			}
		case uint64:
			if v < 1<<31 {
				return int(v)
			}
		}
	}
	p.bad(f.line, f.key, "must be a whole number")
	return 1
}

func (p *sourceParser) duration(f field) time.Duration {
	if n, ok := f.value.(*ast.IntegerNode); ok && n.Token.Value == "0" {
		return 0
	}
	s, ok := scalar(f.value)
	d, err := time.ParseDuration(s)
	if !ok || err != nil {
		p.bad(f.line, f.key, "must be a duration; write 30s, 5m or 1h")
		return 0
	}
	return d
}
