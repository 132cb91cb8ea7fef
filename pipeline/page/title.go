package page

import (
	"net/url"
	"slices"
	"strings"

	"presswatch/internal/text"
)

// title chooses the headline and takes the name of the site off it where it
// is clear that it is one. The only h1 of a page is the headline that readers
// see, unless it shares no words with what the page tells machines: then it
// is a logo or a section.
func title(f *facts, siteName, addr string) string {
	cands := []string{oneLine(f.ld.headline), oneLine(f.first("og:title")), oneLine(f.first("twitter:title")), f.titleTag}
	cands = slices.DeleteFunc(cands, func(c string) bool { return c == "" })
	names := siteNames(siteName, f, addr)
	if len(f.headings) == 1 {
		h := f.headings[0]
		if !names[squeeze(h)] && slices.ContainsFunc(cands, func(c string) bool { return alike(h, c) }) {
			return stripSite(h, names, cands)
		}
		cands = append(cands, h)
	}
	if len(cands) > 0 {
		return stripSite(cands[0], names, cands)
	}
	if len(f.headings) > 0 {
		return f.headings[0]
	}
	return ""
}

// alike reports whether half the words of each line are in the other; where
// words are not spaced, whether one holds the other.
func alike(a, b string) bool {
	wa, wb := wordSet(a), wordSet(b)
	if len(wa) < 3 || len(wb) < 3 {
		sa, sb := squeeze(a), squeeze(b)
		return len(sa) > 8 && len(sb) > 8 && (strings.Contains(sa, sb) || strings.Contains(sb, sa))
	}
	n := 0
	for w := range wa {
		if wb[w] {
			n++
		}
	}
	return 2*n >= len(wa) && 2*n >= len(wb)
}

func wordSet(s string) map[string]bool {
	out := map[string]bool{}
	for _, w := range text.Words(text.Fold(s)) {
		out[w] = true
	}
	return out
}

// siteNames are the folded names by which a title may call its site.
func siteNames(name string, f *facts, addr string) map[string]bool {
	out := map[string]bool{}
	for _, n := range []string{name, f.ld.publisher, f.first("application-name"), f.first("twitter:site"), f.first("apple-mobile-web-app-title")} {
		if n = squeeze(n); n != "" {
			out[n] = true
		}
	}
	if u, err := url.Parse(addr); err == nil {
		host := strings.TrimPrefix(u.Hostname(), "www.")
		out[squeeze(host)] = true
		if reg := site(host); reg != "" {
			out[squeeze(reg)] = true
			label, _, _ := strings.Cut(reg, ".")
			out[squeeze(label)] = true
		}
	}
	delete(out, "")
	return out
}

// squeeze folds and keeps letters and digits only, so that "VN Express" and
// "vnexpress" are one.
func squeeze(s string) string {
	var b strings.Builder
	for _, w := range text.Words(text.Fold(s)) {
		b.WriteString(w)
	}
	return b.String()
}

var separators = []string{" | ", " - ", " – ", " — ", " » ", " « ", " :: ", " · ", " • ", " / ", "| "}

func stripSite(t string, names map[string]bool, others []string) string {
	for range 3 {
		cut := t
		for _, sep := range separators {
			if i := strings.LastIndex(t, sep); i > 0 && clear(t[:i], t[i+len(sep):], names, others) {
				cut = t[:i]
			} else if i := strings.Index(t, sep); i > 0 && names[squeeze(t[:i])] && len(t)-i > 12 {
				cut = t[i+len(sep):]
			}
			if cut != t {
				break
			}
		}
		if cut = strings.TrimSpace(cut); cut == t || cut == "" {
			return t
		}
		t = cut
	}
	return t
}

// clear reports whether tail is surely a site's name: it is one of the names,
// or another of the page's titles is head alone.
func clear(head, tail string, names map[string]bool, others []string) bool {
	if names[squeeze(tail)] {
		return true
	}
	h := squeeze(head)
	for _, o := range others {
		if len(h) > 10 && squeeze(o) == h {
			return true
		}
	}
	return false
}
