package crawlers

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"presswatch"
)

// AddSource appends a source to the list of sources.yaml, or makes the file.
// Everything that is there, comments too, stays as it is. The file is replaced
// at once, and only if it then reads as it did before with the one source
// more. A source that is not valid is Invalid, an ID that is taken Conflict.
func AddSource(path string, s Source) error {
	if s.MaxItems == 0 {
		s.MaxItems = DefaultMaxItems
	}
	if err := s.Validate(); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	old, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		old = []byte("sources:\n")
	case err != nil:
		return presswatch.Errorf(presswatch.Unavailable, "sources: %w", err)
	default:
		if info, err := os.Stat(path); err == nil {
			mode = info.Mode().Perm()
		}
	}
	name := filepath.Base(path)
	have, err := ParseSources(name, old)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(have, func(h Source) bool { return h.ID == s.ID }) {
		return presswatch.Errorf(presswatch.Conflict, "source %q is there already; choose another id", s.ID)
	}
	neu, err := insertSource(old, s)
	if err != nil {
		return err
	}
	got, err := ParseSources(name, neu)
	if err != nil || len(got) != len(have)+1 || got[len(have)].ID != s.ID {
		return presswatch.Errorf(presswatch.Invalid, "%s is written in a way that cannot be added to; add the source by hand: %w", name, errors.Join(err, errShape))
	}
	return replaceFile(path, neu, mode)
}

var errShape = errors.New("sources must be a list with one \"- id:\" a line")

// insertSource puts the text of s behind the last entry of the list.
func insertSource(b []byte, s Source) ([]byte, error) {
	p := &sourceParser{name: "sources.yaml"}
	root := p.parse(b)
	if root == nil {
		return nil, presswatch.Errorf(presswatch.Invalid, "%w", errShape)
	}
	lines := bytes.SplitAfter(b, []byte("\n"))
	at, indent := len(lines), "  "
	fields := p.mapping(root, "sources.yaml")
	for i, f := range fields {
		if f.key != "sources" {
			continue
		}
		if i+1 < len(fields) {
			at = fields[i+1].line - 1
		}
		if seq, ok := f.value.(*ast.SequenceNode); ok && len(seq.Values) > 0 {
			if seq.IsFlowStyle {
				return nil, presswatch.Errorf(presswatch.Invalid, "sources is written in brackets; write one \"- id:\" a line: %w", errShape)
			}
			indent = strings.Repeat(" ", max(seq.Start.Position.Column-1, 0))
		} else if ok {
			lines[f.line-1] = []byte("sources:\n") // was []
		}
	}
	head, tail := bytes.Join(lines[:at], nil), bytes.Join(lines[at:], nil)
	var out bytes.Buffer
	out.Write(head)
	if len(head) > 0 && head[len(head)-1] != '\n' {
		out.WriteByte('\n')
	}
	out.WriteString(sourceText(s, indent))
	out.Write(tail)
	return out.Bytes(), nil
}

// sourceText writes an entry, with what differs from the defaults.
func sourceText(s Source, indent string) string {
	var b strings.Builder
	line := func(key, value string) {
		lead := indent + "  "
		if b.Len() == 0 {
			lead = indent + "- "
		}
		fmt.Fprintf(&b, "%s%s: %s\n", lead, key, value)
	}
	line("id", quote(string(s.ID)))
	line("name", quote(s.Name))
	line("kind", quote(s.Kind))
	line("url", quote(s.URL))
	if s.Lang != "" {
		line("lang", quote(s.Lang))
	}
	if s.Schedule != "" {
		line("schedule", quote(s.Schedule))
	}
	if s.Jitter != 0 {
		line("jitter", s.Jitter.String())
	}
	if s.MaxItems != DefaultMaxItems {
		line("max_items", fmt.Sprint(s.MaxItems))
	}
	for _, l := range []struct {
		key  string
		list []string
	}{{"include", s.Include}, {"exclude", s.Exclude}, {"follow", s.Follow}} {
		if len(l.list) > 0 {
			quoted := make([]string, len(l.list))
			for i, p := range l.list {
				quoted[i] = quote(p)
			}
			line(l.key, "["+strings.Join(quoted, ", ")+"]")
		}
	}
	if s.Depth > 0 {
		line("depth", fmt.Sprint(s.Depth))
	}
	if s.Disabled {
		line("disabled", "true")
	}
	return b.String()
}

// quote writes a YAML string between single quotes, where only they are special.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// replaceFile writes a file whole or not at all.
func replaceFile(path string, b []byte, mode os.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".sources-*")
	if err != nil {
		return presswatch.Errorf(presswatch.Unavailable, "sources: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return presswatch.Errorf(presswatch.Unavailable, "sources: %w", err)
	}
	return nil
}
