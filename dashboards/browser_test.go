package dashboards

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"presswatch"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdplog "github.com/chromedp/cdproto/log"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// tab is a real browser on a site. It fails the test at its end when a page
// opened a dialog or broke the content security policy.
type tab struct {
	*site
	ctx   context.Context
	axe   string // source of axe-core; empty: not checked
	shots string // folder of screenshots; empty: none
}

func newTab(t *testing.T, s *site) *tab {
	t.Helper()
	path := "/usr/bin/chromium"
	if v := os.Getenv("PRESSWATCH_CHROMIUM"); v != "" {
		path = v
	}
	if _, err := os.Stat(path); err != nil {
		t.Skipf("NO BROWSER at %s (PRESSWATCH_CHROMIUM): the pages are not tried in a real one", path)
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.DisableGPU)
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox)
	}
	alloc, stop := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	b := &tab{site: s, ctx: ctx, shots: os.Getenv("PRESSWATCH_SCREENSHOTS")}
	if axe := os.Getenv("PRESSWATCH_AXE"); axe != "" {
		src, err := os.ReadFile(axe)
		if err != nil {
			t.Fatal(err)
		}
		b.axe = string(src)
	} else {
		t.Log("NO AXE (PRESSWATCH_AXE): accessibility is not checked")
	}
	var mu sync.Mutex
	var alarms []string
	if err := chromedp.Listen(ctx, func(ev any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := ev.(type) {
		case *cdppage.EventJavascriptDialogOpening:
			alarms = append(alarms, "dialog: "+e.Message)
		case *cdplog.EventEntryAdded:
			if e.Entry.Source == "security" || strings.Contains(e.Entry.Text, "Content Security Policy") {
				alarms = append(alarms, e.Entry.Text)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		for _, a := range alarms {
			t.Errorf("the browser reports: %s", a)
		}
	})
	return b
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) open(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.server.URL + path))
	b.until(`document.readyState === "complete"`)
}

// keys presses keys as a keyboard does: the character belongs to the press,
// and is not typed when the page has handled the press.
func (b *tab) keys(keys string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		for _, r := range keys {
			events := kb.Encode(r)
			down, up := *events[0], *events[len(events)-1]
			if len(events) == 3 {
				down.Text, down.UnmodifiedText = events[1].Text, events[1].UnmodifiedText
			}
			for _, e := range []input.DispatchKeyEventParams{down, up} {
				if _, err := chromedp.Call(ctx, input.DispatchKeyEvent, e); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// until waits for a JavaScript condition to hold.
func (b *tab) until(cond string) {
	b.t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("Boolean("+cond+")"))
		if err == nil && ok {
			return
		}
		if time.Now().After(deadline) {
			at, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](`location.href + " " + (document.querySelector("#reason")?.value ?? "")`))
			b.t.Fatalf("never true at %s: %s (%v)", at, cond, err)
		}
	}
}

func eval[T any](b *tab, js string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](js))
	if err != nil {
		b.t.Fatalf("%s: %v", js, err)
	}
	return v
}

// inspect takes a picture of the page, checks that nothing is wider than the
// window, and asks axe.
func (b *tab) inspect(name string) {
	b.t.Helper()
	if b.shots != "" {
		img, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
		if err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(b.shots, name+".png"), img, 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
	if wide := eval[int](b, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); wide > 0 {
		b.t.Errorf("%s: %d px wider than the window", name, wide)
	}
	if b.axe == "" {
		return
	}
	for _, v := range b.violations() {
		b.t.Errorf("%s: axe: %.600s", name, v)
	}
}

// violations is what axe finds wrong with the page.
func (b *tab) violations() (found []string) {
	b.t.Helper()
	eval[bool](b, b.axe+";true")
	const run = `axe.run(document, {rules: {"target-size": {enabled: true}}}).then(r => JSON.stringify(r.violations.map(v => v.id + ": " + v.nodes.map(n => n.target.join(" ") + " " + n.failureSummary).join(" | "))))`
	got, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](run, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(got), &found); err != nil {
		b.t.Fatal(err)
	}
	return found
}

func (b *tab) signIn(login string) {
	b.t.Helper()
	token, err := b.auth.NewLink(b.t.Context(), login, time.Hour)
	if err != nil {
		b.t.Fatal(err)
	}
	b.open("/sign-in/" + token)
	b.inspect("link")
	b.do(chromedp.Click(chromedp.CSS("main button")))
	b.until(`location.pathname === "/queue"`)
}

func TestBrowserDecidesByKeyboard(t *testing.T) {
	s := newSite(t, press()...)
	b := newTab(t, s)
	b.do(chromedp.EmulateViewport(1280, 900))
	b.open("/sign-in")
	b.inspect("sign-in")
	b.signIn("officer")
	b.inspect("queue")

	first, second := presswatch.NewCaseID(s.docs[0].ID), presswatch.NewCaseID(s.docs[1].ID)
	b.keys("j")
	b.keys("j")
	b.keys("k")
	b.until(`document.activeElement.closest("[data-row]") === document.querySelector("[data-row]")`)
	b.keys("\r")
	b.until(fmt.Sprintf(`location.pathname === "/cases/%s" && document.readyState === "complete"`, first))
	b.inspect("case")
	b.keys("]")
	b.until(`document.activeElement.tagName === "MARK"`)
	b.keys("1")
	b.until(`document.querySelector("input[value=false]").checked`)
	b.keys("c")
	b.until(`document.activeElement.id === "reason"`)
	b.keys("n 5 ? / g q") // typed, not obeyed
	b.until(`document.querySelector("#reason").value === "n 5 ? / g q" && document.querySelector("input[value=false]").checked`)
	b.keys("\x1b")
	b.keys("n")
	b.until(fmt.Sprintf(`location.pathname === "/cases/%s" && document.querySelector("#flash")`, second))
	b.inspect("case-flash")
	c, events, err := s.db.CaseByID(t.Context(), first)
	if err != nil || c.Decision == nil || c.Decision.Label != "false" || c.Decision.By != "officer" || len(events) != 2 {
		t.Fatalf("case %+v, %d events, %v", c, len(events), err)
	}
	b.keys("u")
	b.until(fmt.Sprintf(`location.pathname === "/cases/%s" && document.readyState === "complete"`, first))
	if c, _, err = s.db.CaseByID(t.Context(), first); err != nil || c.Status != presswatch.CaseOpen || c.Version != 3 {
		t.Fatalf("after undo: %+v, %v", c, err)
	}
	b.keys("g")
	b.keys("s")
	b.until(`location.pathname === "/search" && document.readyState === "complete"`)
	b.keys("/")
	b.until(`document.activeElement.id === "q"`)
	b.keys("nuoc may\r")
	b.until(`location.search.includes("nuoc") && document.querySelectorAll("[data-row]").length === 1`)
	b.inspect("search")
	b.open("/search")
	b.inspect("search-all")
	b.keys("?")
	b.until(`document.querySelector("#keys").open`)
	b.inspect("keys")
	b.do(chromedp.Click(chromedp.CSS("#keys [data-keys-switch]")))
	b.keys("\x1b")
	b.until(`!document.querySelector("#keys").open && document.documentElement.dataset.keys === "off"`)
	b.keys("g")
	b.keys("q")
	b.open(caseURL(s.docs[1]))
	b.keys("2")
	if eval[bool](b, `document.querySelector("input[value=misleading]").checked || document.documentElement.dataset.keys !== "off"`) {
		t.Error("a key works though keys are off")
	}
}

func TestBrowserComposingIsNotObeyed(t *testing.T) {
	s := newSite(t, press()...)
	b := newTab(t, s)
	b.signIn("officer")
	b.open(caseURL(s.docs[0]))
	for name, init := range map[string]string{
		"composing": `{key: "1", code: "Digit1", isComposing: true}`, "control": `{key: "1", code: "Digit1", ctrlKey: true}`,
		"alt": `{key: "1", code: "Digit1", altKey: true}`, "command": `{key: "1", code: "Digit1", metaKey: true}`,
	} {
		eval[bool](b, `document.body.dispatchEvent(new KeyboardEvent("keydown", Object.assign({bubbles: true}, `+init+`)))`)
		if eval[bool](b, `Boolean(document.querySelector("input[name=label]:checked"))`) {
			t.Errorf("%s: the key was obeyed", name)
		}
	}
	eval[bool](b, `document.body.dispatchEvent(new KeyboardEvent("keydown", {bubbles: true, key: "٣", code: "Digit3"}))`)
	if got := eval[string](b, `document.querySelector("input[name=label]:checked")?.value ?? ""`); got != "unproven" {
		t.Errorf("the third key of an Arabic board chose %q", got)
	}
}

func TestBrowserEveryPageAndWidth(t *testing.T) {
	s := newSite(t, press()...)
	s.addUser("huda", presswatch.RoleSenior, "ar")
	b := newTab(t, s)
	b.signIn("huda")
	done := presswatch.NewCaseID(s.docs[2].ID)
	if _, err := s.db.Decide(t.Context(), done, 1, presswatch.Decision{Label: "misleading", Reason: "रिज़र्व बैंक ने ऐसा कोई आदेश जारी नहीं किया।", By: "officer", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	for _, v := range []struct {
		name   string
		w, h   int64
		scheme string
	}{{"wide", 1280, 900, "light"}, {"dark", 1280, 900, "dark"}, {"narrow", 360, 740, "light"}, {"narrow-dark", 360, 740, "dark"}} {
		b.do(chromedp.EmulateViewport(v.w, v.h), chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: v.scheme}}})
			return err
		}))
		for name, path := range map[string]string{
			"queue-ar": "/queue?lang=ar", "case-ar": caseURL(s.docs[3]) + "?lang=ar", "case-hi": caseURL(s.docs[1]) + "?lang=hi", "queue-vi": "/queue?status=all&lang=vi", "case-vi": caseURL(s.docs[0]) + "?lang=vi",
			"decided": "/cases/" + string(done) + "?lang=en", "search-ar": "/search?lang=ar&level=high", "document": "/documents/" + string(s.docs[0].ID) + "?lang=vi",
			"help-hi": "/help?lang=hi", "missing": "/no-such-page?lang=en", "sign-out": "/sign-out?lang=en", "empty": "/queue?lang=en&language=hi&level=high",
		} {
			b.open(path)
			b.inspect(name + "-" + v.name)
		}
	}
	b.do(chromedp.EmulateViewport(1280, 900))
	b.open("/queue?lang=ar")
	if b.axe != "" { // the check itself: axe does see what is wrong
		eval[bool](b, `document.querySelector("main").append(document.createElement("img"), document.createElement("input")); true`)
		if n := len(b.violations()); n < 2 {
			t.Errorf("axe finds %d faults in a page with two", n)
		}
	}
	if got := eval[string](b, `getComputedStyle(document.body).direction`); got != "rtl" {
		t.Errorf("the Arabic page runs %s", got)
	}
}
