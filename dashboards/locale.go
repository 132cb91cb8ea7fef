package dashboards

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"presswatch/internal/lang"
	"presswatch/internal/lang/all"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

//go:embed locales
var localeFiles embed.FS

// catalog is the words of one language.
type catalog struct {
	lang.Profile
	tag      language.Tag
	printer  *message.Printer
	messages map[string]words
}

// words are one message by plural form; "other" is always there.
type words map[string]string

// UnmarshalJSON reads a message: a string, or an object of plural forms.
func (w *words) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*w = words{"other": s}
		return nil
	}
	var m map[string]string
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	if _, ok := m["other"]; !ok {
		return fmt.Errorf("the form %q is missing in %s", "other", b)
	}
	*w = m
	return nil
}

var forms = map[plural.Form]string{plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other"}

// loadCatalogs reads a file for each language of internal/lang, in its order.
func loadCatalogs() ([]*catalog, error) {
	var out []*catalog
	for _, p := range all.Profiles() {
		c := &catalog{Profile: p, tag: language.Make(p.Code)}
		c.printer = message.NewPrinter(language.Make(p.Code + "-u-nu-latn"))
		b, err := localeFiles.ReadFile("locales/" + p.Code + ".json")
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(b, &c.messages); err != nil {
			return nil, fmt.Errorf("locales/%s.json: %w", p.Code, err)
		}
		out = append(out, c)
	}
	return out, nil
}

func mustCatalogs() []*catalog {
	c, err := loadCatalogs()
	if err != nil { // the files are part of the program, and a test reads them all
		panic("dashboards: " + err.Error())
	}
	return c
}

// has reports whether there is a message under the key.
func (c *catalog) has(key string) bool { _, ok := c.messages[key]; return ok }

// say returns the message under key with {0}, {1} ... replaced by args. The
// first whole number among them chooses the plural form. A key without a
// message is returned as it is, so that the gap is seen.
func (c *catalog) say(key string, args ...any) string {
	m, ok := c.messages[key]
	if !ok {
		return key
	}
	form, texts := "other", make([]string, len(args))
	for i := len(args) - 1; i >= 0; i-- {
		switch v := args[i].(type) {
		case int:
			form = forms[plural.Cardinal.MatchPlural(c.tag, v, 0, 0, 0, 0)]
			texts[i] = c.number(v)
		default:
			texts[i] = fmt.Sprint(v)
		}
	}
	s, ok := m[form]
	if !ok {
		s = m["other"]
	}
	return fill(s, texts)
}

// fill replaces {0}, {1} ... in one pass: what an argument contains is never
// taken for a placeholder.
func fill(s string, args []string) string {
	var b strings.Builder
	for {
		open := strings.IndexByte(s, '{')
		if open < 0 {
			break
		}
		end := strings.IndexByte(s[open:], '}')
		if end < 0 {
			break
		}
		b.WriteString(s[:open])
		i, err := strconv.Atoi(s[open+1 : open+end])
		switch {
		case err != nil || i < 0:
			b.WriteString(s[open : open+end+1])
		case i < len(args):
			b.WriteString(args[i])
		}
		s = s[open+end+1:]
	}
	return b.String() + s
}

func (c *catalog) number(n int) string { return c.printer.Sprint(number.Decimal(n)) }

const langCookie = "presswatch_lang"

// pickCatalog chooses the language of a page: the lang parameter, which is
// remembered in a cookie, the cookie, the user's account, the browser, and at
// last the first language.
func (a *app) pickCatalog(w http.ResponseWriter, r *http.Request, userLocale string) *catalog {
	if c := a.catalogOf(r.URL.Query().Get("lang")); c != nil {
		a.rememberLang(w, r, c)
		return c
	}
	if ck, err := r.Cookie(langCookie); err == nil {
		if c := a.catalogOf(ck.Value); c != nil {
			return c
		}
	}
	if c := a.catalogOf(userLocale); c != nil {
		return c
	}
	if tags, q, err := language.ParseAcceptLanguage(cut(r.Header.Get("Accept-Language"), 200)); err == nil {
		for i, t := range tags {
			if c := a.catalogOf(t.String()); c != nil && q[i] > 0 {
				return c
			}
		}
	}
	return a.catalogs[0]
}

func (a *app) rememberLang(w http.ResponseWriter, r *http.Request, c *catalog) {
	http.SetCookie(w, &http.Cookie{
		Name: langCookie, Value: c.Code, Path: "/", MaxAge: 365 * 24 * 60 * 60,
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode,
	})
}

func (a *app) catalogOf(code string) *catalog {
	p, ok := all.ByCode(strings.ToLower(code))
	if !ok {
		return nil
	}
	for _, c := range a.catalogs {
		if c.Code == p.Code {
			return c
		}
	}
	return nil
}

func cut(s string, n int) string { return s[:min(len(s), n)] }
