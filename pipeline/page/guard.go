package page

import (
	"strings"

	"golang.org/x/net/html"
)

// Caps on pages that are read by a tree. A typical article page has 3,000
// nodes at a depth of 30; the largest of 850 real ones had 40,000.
const (
	maxTags   = 120_000  // "<" in the source outside scripts
	maxNodes  = 120_000  // nodes of the tree, scripts and the like not counted
	maxOpen   = 100      // formatting elements open at once: each is made anew in every block
	maxAttrs  = 2000     // attributes of one element
	maxWeight = 32 << 20 // sum of text bytes (and 16 a node) times depth: what measuring the text of every element costs
)

// plausible looks over the source, without parsing it, for what makes a tree
// costly: many tags, a giant tag, formatting elements that are never closed.
func plausible(src string) bool {
	tags, open := 0, 0
	for rest := src; ; {
		i := strings.IndexByte(rest, '<')
		if i < 0 || i+1 >= len(rest) {
			return true
		}
		rest = rest[i+1:]
		name, closing := tagName(rest)
		if name == "" {
			continue
		}
		if tags++; tags > maxTags {
			return false
		}
		end, ok := tagEnd(rest)
		if !ok {
			return false
		}
		rest = rest[end:]
		switch {
		case !formatting[name]:
		case closing:
			open = max(0, open-1)
		default:
			if open++; open > maxOpen {
				return false
			}
		}
		if !closing && (name == "script" || name == "style") {
			rest = afterRaw(rest, name)
		}
	}
}

var formatting = map[string]bool{
	"a": true, "b": true, "big": true, "code": true, "em": true, "font": true, "i": true, "nobr": true,
	"s": true, "small": true, "strike": true, "strong": true, "tt": true, "u": true,
}

// tagName is the name at the beginning of what follows a "<", in lower case;
// "" when it is no name of at most eight letters and so of no interest.
func tagName(s string) (name string, closing bool) {
	if s[0] == '/' {
		closing, s = true, s[1:]
	}
	n := 0
	for n < len(s) && n < 9 && (s[n]|0x20 >= 'a' && s[n]|0x20 <= 'z' || n > 0 && s[n] >= '0' && s[n] <= '9') {
		n++
	}
	if n == 0 || s[0]|0x20 < 'a' {
		return "", closing
	}
	return strings.ToLower(s[:n]), closing
}

// tagEnd finds where the tag ends that s begins with, past quoted values, and
// says false when it has more than maxAttrs attributes.
func tagEnd(s string) (end int, ok bool) {
	attrs, last := 0, byte(0) // last is the byte before that is no white space
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '>':
			return i, true
		case '"', '\'':
			if last == '=' {
				n := strings.IndexByte(s[i+1:], c)
				if n < 0 {
					return len(s), true
				}
				i += n + 1
			}
			last = c
		case ' ', '\n', '\t', '\r', '\f':
			if i+1 < len(s) && s[i+1] > ' ' { // the last of a run
				if attrs++; attrs > maxAttrs {
					return i, false
				}
			}
		default:
			last = c
		}
	}
	return len(s), true
}

// afterRaw skips the content of a script or style element.
func afterRaw(s, name string) string {
	for rest := s; ; {
		i := strings.Index(rest, "</")
		if i < 0 {
			return ""
		}
		rest = rest[i+2:]
		if len(rest) >= len(name) && strings.EqualFold(rest[:len(name)], name) {
			return rest
		}
	}
}

// survey walks a parsed page once: it notes the facts, measures the tree, and
// takes out what is never text, so that reading has less to copy.
type survey struct {
	facts  *facts
	nodes  int
	weight int
}

func (s *survey) walk(n *html.Node, depth int) {
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		switch c.Type {
		case html.CommentNode:
			n.RemoveChild(c)
		case html.TextNode:
			s.nodes++
			s.weight += (len(c.Data) + 16) * depth
		case html.ElementNode:
			s.nodes++
			s.weight += 16 * depth
			if s.note(c) {
				n.RemoveChild(c)
			} else if s.nodes <= maxNodes {
				s.walk(c, depth+1)
			}
		}
		c = next
	}
}

// note takes the facts of one element and reports whether it can go.
func (s *survey) note(n *html.Node) (remove bool) {
	f := s.facts
	switch n.Data {
	case "script":
		if strings.EqualFold(strings.TrimSpace(attr(n.Attr, "type")), "application/ld+json") && n.FirstChild != nil {
			f.addLD(n.FirstChild.Data)
		}
		return true
	case "style", "template", "svg", "noscript":
		return true
	case "meta":
		f.addMeta(n.Attr)
	case "link":
		f.addLink(n.Attr)
		return true
	case "base":
		if f.base == "" {
			f.base = attr(n.Attr, "href")
		}
	case "html":
		f.lang = attr(n.Attr, "lang")
	case "title":
		if c := n.FirstChild; c != nil && len(c.Data) > maxField { // its words are looked for with patterns
			c.Data = strings.ToValidUTF8(c.Data[:maxField], "")
		}
		if f.titleTag == "" && n.Namespace == "" {
			f.titleTag = oneLine(inner(n, maxField))
		}
	case "h1":
		addNote(&f.headings, inner(n, maxField))
	case "time":
		f.addTime(n.Attr, oneLine(inner(n, 200)))
	default:
		s.marked(n)
	}
	return false
}

// marked notes elements whose attributes say that they hold a byline or a date.
func (s *survey) marked(n *html.Node) {
	for i := range n.Attr {
		a := &n.Attr[i]
		switch a.Key {
		case "rel", "itemprop", "class":
		default:
			continue
		}
		v := a.Val
		if len(v) > 200 {
			continue
		}
		switch {
		case a.Key == "itemprop" && strings.HasPrefix(v, "date"):
			s.facts.addTime([]html.Attribute{{Key: "datetime", Val: firstOf(attr(n.Attr, "content"), attr(n.Attr, "datetime"))}, {Key: "itemprop", Val: v}}, oneLine(inner(n, 200)))
		case strings.Contains(v, "author") || strings.Contains(v, "byline") || strings.Contains(v, "tac-gia"):
			addNote(&s.facts.bylines, inner(n, 400))
		case a.Key == "class" && (strings.Contains(v, "date") || strings.Contains(v, "time") || strings.Contains(v, "publish")):
			addNote(&s.facts.dateTexts, inner(n, 200))
		}
	}
}

// inner is the text below a node, at most that many bytes and a text node more.
func inner(n *html.Node, most int) string {
	var b strings.Builder
	innerTo(&b, n, most)
	return b.String()
}

func innerTo(b *strings.Builder, n *html.Node, most int) {
	for c := n.FirstChild; c != nil && b.Len() <= most; c = c.NextSibling {
		switch {
		case c.Type == html.TextNode:
			b.WriteString(c.Data)
		case c.Type == html.ElementNode && c.Data != "script" && c.Data != "style" && c.Data != "svg":
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			innerTo(b, c, most)
		}
	}
}
