package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// tab is a real browser with one tab, and a person in front of it. Whatever
// page it comes to is looked at: see look.
type tab struct {
	*world
	ctx       context.Context
	name      string
	downloads string
	beside    string // another website that its pages may load from; empty: none

	mu       sync.Mutex
	wrong    []string        // what a page must never do
	refused  map[string]bool // addresses that were expected to answer 4xx
	pictures int
}

// shots is where every page that a test sees is kept as a picture; empty: nowhere.
// For example: RIGHTSDESK_SCREENSHOTS=/tmp go test ./infra/local -run TestPages.
var shots = os.Getenv("RIGHTSDESK_SCREENSHOTS")

// browse starts Chromium. It may reach nothing but this machine.
func browse(w *world, name string, width int64, script bool) *tab {
	t := w.t
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("Chromium is not installed, and with CI=true the pages have to be tried; apt-get install chromium")
		}
		t.Skip("Chromium is not installed, so the pages were not tried in a browser; apt-get install chromium")
	}
	dir := t.TempDir()
	// The test's own context ends before what was registered with Cleanup runs, and
	// leave has something to ask by then.
	ctx, cancel := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()),
		chromedp.ExecPath(path), chromedp.UserDataDir(filepath.Join(dir, "profile")), chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("headless", "new"), chromedp.Flag("no-sandbox", true), chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("disable-default-apps", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("force-prefers-reduced-motion", true), // a click must not miss a button that still glides
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"))
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // how a browser ends is its own business
		cancel()
	})
	b := &tab{world: w, ctx: ctx, name: name, downloads: filepath.Join(dir, "downloads"), refused: map[string]bool{}}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("Chromium does not start: %v", err)
	}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	yes := true
	_, err = chromedp.CallBrowser(ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		//nolint:misspell // the protocol spells it so
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: b.downloads, EventsEnabled: &yes,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !script})
	if err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.EmulateViewport(width, 900))
	t.Cleanup(b.leave)
	return b
}

// hear takes note of what a page must not do. It must return fast.
func (b *tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	note := func(format string, args ...any) { b.wrong = append(b.wrong, fmt.Sprintf(format, args...)) }
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if u := e.Request.URL; !strings.HasPrefix(u, b.URL+"/") && u != "about:blank" && (b.beside == "" || !strings.HasPrefix(u, b.beside+"/")) {
			note("a page asked for %s", u)
		}
		if strings.HasSuffix(e.Request.URL, "/favicon.ico") {
			b.refused[e.Request.URL] = true // browsers ask for it unasked
		}
	case *network.EventResponseReceivedExtraInfo:
		for name := range e.Headers {
			if strings.EqualFold(name, "Set-Cookie") {
				note("an answer set a cookie")
			}
		}
	case *network.EventResponseReceived:
		if e.Response.Status >= http.StatusBadRequest {
			b.refused[e.Response.URL] = true
		}
	case *runtime.EventConsoleAPICalled:
		note("a script wrote to the console")
	case *runtime.EventExceptionThrown:
		note("a script failed: %s", e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		// That a page was answered with 4xx is logged as well; everything else,
		// above all what the content security policy blocked, is a fault.
		if e.Entry.Source == log.EntrySourceNetwork && b.refused[e.Entry.URL] {
			return
		}
		note("the console says: %s %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
	}
}

// leave ends the visit: nothing was wrong, and nothing stayed in the browser.
func (b *tab) leave() {
	got, err := chromedp.CallBrowser(b.ctx, storage.GetCookies, storage.GetCookiesParams{})
	if err != nil {
		b.t.Errorf("ask for cookies: %v", err)
	}
	if len(got.Cookies) > 0 {
		b.t.Errorf("the browser keeps %d cookies", len(got.Cookies))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, w := range b.wrong {
		b.t.Error(w)
	}
}

const patience = 20 * time.Second

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%s: %v", b.where(), err)
	}
}

func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %s: %v", b.where(), expression, err)
	}
	return v
}

func (b *tab) where() string {
	ctx, cancel := context.WithTimeout(b.ctx, time.Second)
	defer cancel()
	u, _ := chromedp.Run(ctx, chromedp.Location()) // it is told where it is known
	return u
}

// loads runs steps that lead to another page, and looks at that page.
func (b *tab) loads(status int, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	res, err := chromedp.RunResponse(ctx, steps...)
	if err != nil {
		b.t.Fatalf("%s: no page came: %v", b.where(), err)
	}
	if int(res.Status) != status {
		b.t.Fatalf("%s answers %d, want %d", res.URL, res.Status, status)
	}
	b.look()
}

func (b *tab) open(status int, path string) {
	b.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = b.URL + path
	}
	b.loads(status, chromedp.Navigate(path))
}

// press clicks what leads to another page.
func (b *tab) press(status int, css string) {
	b.t.Helper()
	b.loads(status, chromedp.Click(chromedp.CSS(css)))
}

func (b *tab) fill(css, text string) {
	b.t.Helper()
	b.do(chromedp.SendKeys(chromedp.CSS(css), text))
}

func (b *tab) text(css string) string {
	b.t.Helper()
	return eval[string](b, `document.querySelector('`+css+`')?.innerText ?? ''`)
}

// look says what holds for every page, whatever it shows.
func (b *tab) look() {
	b.t.Helper()
	v := eval[struct {
		Scripts, Handlers, Headings, Unnamed, Loaded int
		Scroll, Width                                int
		Title, Lang                                  string
		Wide                                         []string
	}](b, `({
		scripts: document.scripts.length,
		handlers: [...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => a.name.startsWith('on'))).length,
		headings: document.querySelectorAll('h1').length,
		loaded: document.querySelectorAll('img, iframe, link[rel=stylesheet], object, embed').length,
		unnamed: [...document.querySelectorAll('input:not([type=hidden]), select, textarea')].filter(e => !e.labels || e.labels.length == 0).length,
		scroll: document.documentElement.scrollWidth, width: document.documentElement.clientWidth,
		wide: [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && !e.closest('pre, table, .scroll')).slice(0, 3).map(e => e.outerHTML.slice(0, 120)),
		title: document.title, lang: document.documentElement.lang,
	})`)
	at := b.where()
	switch {
	case v.Scripts+v.Handlers+v.Loaded > 0:
		b.t.Errorf("%s has %d scripts, %d handlers and %d things to load", at, v.Scripts, v.Handlers, v.Loaded)
	case v.Headings != 1 || v.Title == "" || v.Lang == "":
		b.t.Errorf("%s has %d main headings, the title %q and the language %q", at, v.Headings, v.Title, v.Lang)
	case v.Unnamed > 0:
		b.t.Errorf("%s has %d fields without a label", at, v.Unnamed)
	case v.Scroll > v.Width:
		b.t.Errorf("%s is %d wide in a window of %d: %q", at, v.Scroll, v.Width, v.Wide)
	}
	if shots == "" {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	b.pictures++
	file := fmt.Sprintf("%s-%02d-%s.png", b.name, b.pictures, strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(v.Title), "-"), "-"))
	if err := os.WriteFile(filepath.Join(shots, file), png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// ask fills in the form for somebody in France and returns the request's id.
func (b *tab) ask(lang, right, email string) string {
	b.t.Helper()
	return b.askFrom("FR", lang, right, email)
}

func (b *tab) askFrom(residence, lang, right, email string) string {
	b.t.Helper()
	b.open(http.StatusOK, "/?lang="+lang)
	b.do(chromedp.Click(chromedp.CSS("#right-" + right)))
	b.fill("#email", email)
	b.do(chromedp.SetValue(chromedp.CSS("#residence"), residence))
	b.press(http.StatusOK, "main form button[type=submit]")
	u, err := url.Parse(b.where())
	if err != nil || !strings.HasPrefix(u.Path, "/requests/") {
		b.t.Fatalf("after the form: %s", b.where())
	}
	return strings.TrimPrefix(u.Path, "/requests/")
}

// session is the token in the address of the page that follows a request.
func (b *tab) session() string {
	b.t.Helper()
	u, err := url.Parse(b.where())
	if err != nil || !strings.HasPrefix(u.Path, "/r/") {
		b.t.Fatalf("the page that follows the request is at %s", b.where())
	}
	return strings.TrimPrefix(u.Path, "/r/")
}

// download presses the button and returns what the browser saved.
func (b *tab) download(css string) map[string]string {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(css)))
	var saved []byte
	b.await("the package is saved", func() bool {
		files, err := filepath.Glob(filepath.Join(b.downloads, "*.zip"))
		if err != nil || len(files) != 1 {
			return false
		}
		saved, err = os.ReadFile(files[0])
		if err != nil || len(saved) == 0 {
			return false
		}
		return os.Remove(files[0]) == nil
	})
	return b.unzip(saved)
}

// TestPagesFromTheFormToThePackage is a person's way in each language, at a
// desk without scripts and on a narrow telephone.
func TestPagesFromTheFormToThePackage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lang   string
		width  int64
		script bool
		status string // how the follow page says that it is over
		mail   string
	}{
		{"en", 1280, false, "answered", "Please confirm"},
		{"fr", 320, true, "répon", "confirmer"},
	} {
		t.Run(c.lang, func(t *testing.T) {
			w := open(t)
			b := browse(w, "walk-"+c.lang, c.width, c.script)
			const ada = "ada@example.org"

			id := b.ask(c.lang, "access", ada)
			m := w.mailed(ada, id, 1)
			if !strings.Contains(m.Subject, c.mail) {
				t.Errorf("the mail says %q", m.Subject)
			}
			b.open(http.StatusOK, m.Link)
			b.press(http.StatusOK, "main form button")
			if lang := eval[string](b, "document.documentElement.lang"); lang != c.lang {
				t.Errorf("the page that follows is in %q, want %q", lang, c.lang)
			}
			token := b.session()
			w.reach(id, token, "fulfilled")
			b.loads(http.StatusOK, chromedp.Reload())
			if got := strings.ToLower(b.text("section.status")); !strings.Contains(got, c.status) {
				t.Errorf("the page says %q", got)
			}
			b.open(http.StatusOK, "/r/"+token+"?lang="+c.lang)
			files := b.download("button[value=deliver]")
			if !strings.Contains(files["data.json"], ada) {
				t.Errorf("the package holds %d files and not what was found", len(files))
			}

			// The second download needs a fresh proof of the address.
			w.pass(2 * time.Minute)
			b.open(http.StatusOK, "/r/"+token+"?lang="+c.lang)
			b.press(http.StatusOK, "button[value=deliver]")
			m = w.mailed(ada, id, 4) // to confirm, confirmed, ready, and the new code
			b.fill("#code", "000000")
			b.press(http.StatusBadRequest, "button[value=verify]")
			b.fill("#code", m.Code)
			b.press(http.StatusOK, "button[value=verify]")
			if again := b.session(); again == token {
				t.Error("the new proof gave the old token")
			}
			if files = b.download("button[value=deliver]"); files["index.html"] == "" {
				t.Error("the second package has no page")
			}

			// The mailed link to the package works once, and the one to confirm no more.
			ready := w.mailed(ada, id, 3)
			b.open(http.StatusOK, ready.Link)
			if files = b.download("main form button"); files["index.html"] == "" {
				t.Error("the package of the mailed link has no page")
			}
			b.open(http.StatusGone, ready.Link)
			b.open(http.StatusGone, w.mailed(ada, id, 1).Link)
		})
	}
}

// TestPagesTakenBack asks for erasure and thinks better of it, with wrong turns
// on the way.
func TestPagesTakenBack(t *testing.T) {
	t.Parallel()
	w := open(t)
	b := browse(w, "back", 320, false)
	const grace = "grace@example.net"
	before := w.holds(grace)

	b.open(http.StatusOK, "/?lang=en")
	b.press(http.StatusBadRequest, "main form button[type=submit]") // nothing filled in
	if b.text(".problems") == "" {
		t.Error("an empty form is not told what is wrong")
	}
	if n := eval[int](b, `document.querySelectorAll('.problems li').length`); n != 2 {
		t.Errorf("an empty form is told %d things, want the right and the address", n)
	}
	id := b.ask("en", "erasure", grace)
	b.press(http.StatusOK, "button[value=again]")
	b.open(http.StatusOK, w.mailed(grace, id, 1).Link)
	b.press(http.StatusOK, "main form button")
	token := b.session()
	w.await("the erasure is planned", func() bool { return len(w.see(id, token).Outcome) > 0 })
	b.loads(http.StatusOK, chromedp.Reload())
	b.press(http.StatusOK, "button[value=revoke]")
	b.press(http.StatusOK, "a.button")
	if got := w.see(id, token); got.Status != "revoked" {
		t.Errorf("the request is %s", got.Status)
	}
	w.pass(30 * 24 * time.Hour)
	if after := w.holds(grace); after != before {
		t.Errorf("a revoked erasure changed the stores from\n%s to\n%s", before, after)
	}
	b.open(http.StatusGone, "/r/forged")
	b.open(http.StatusOK, "/policy?lang=en")
	b.open(http.StatusOK, "/policy?lang=fr")
	b.open(http.StatusOK, "/local/mail")
	b.press(http.StatusOK, ".mails a")
	b.open(http.StatusOK, "/local/clock")
}

// TestPagesLinksDoNothingByThemselves opens each kind of mailed link 50 times,
// as mail scanners do, and in a browser, and finds everything as it was.
func TestPagesLinksDoNothingByThemselves(t *testing.T) {
	t.Parallel()
	w := open(t)
	b := browse(w, "links", 1280, true)
	const ada = "ada@example.org"
	id := w.submit(submission("access", ada))
	confirm := w.mailed(ada, id, 1).Link
	for range 50 {
		w.must(http.StatusOK, "GET", confirm, nil)
	}
	b.open(http.StatusOK, confirm)
	var list struct {
		Requests []struct{ ID, Status string }
	}
	w.must(http.StatusOK, "GET", "/v1/operator/requests", nil, w.operator()).into(t, &list)
	if len(list.Requests) != 1 || list.Requests[0].Status != "unverified" {
		t.Fatalf("after the link was opened: %+v", list)
	}
	b.press(http.StatusOK, "main form button")
	token := b.session()
	s := w.reach(id, token, "fulfilled")
	ready := w.mailed(ada, id, 3).Link
	mails := len(w.mails(ada))
	for range 50 {
		w.must(http.StatusOK, "GET", ready, nil)
		w.must(http.StatusOK, "GET", "/r/"+token, nil)
		w.must(http.StatusGone, "GET", confirm, nil)
	}
	b.open(http.StatusOK, ready)
	again := w.see(id, token)
	if len(again.Timeline) != len(s.Timeline) || len(w.mails(ada)) != mails || again.Package == nil || !again.Package.Ready {
		t.Errorf("opening links changed the request: %d entries, then %d; %d mails, then %d; package %+v",
			len(s.Timeline), len(again.Timeline), mails, len(w.mails(ada)), again.Package)
	}
	if files := b.download("main form button"); files["data.json"] == "" {
		t.Error("the link no longer works after it was opened")
	}
}

// TestPagesByKeyboard makes a request, switches the language and confirms
// without a mouse.
func TestPagesByKeyboard(t *testing.T) {
	t.Parallel()
	w := open(t)
	b := browse(w, "keys", 1280, false)
	const ada = "ada@example.org"

	b.open(http.StatusOK, "/?lang=en")
	b.tabTo(".skip")
	b.tabTo("nav a[hreflang=fr]")
	b.loads(http.StatusOK, chromedp.KeyEvent(kb.Enter))
	if lang, h1 := eval[string](b, "document.documentElement.lang"), b.text("h1"); lang != "fr" || h1 == "" {
		t.Errorf("after the switch the page is in %q: %q", lang, h1)
	}
	b.tabTo("nav a[hreflang=en]")
	b.loads(http.StatusOK, chromedp.KeyEvent(kb.Enter))

	b.tabTo("input[name=right]")
	b.do(chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.ArrowUp))
	if v := eval[string](b, `document.querySelector('input[name=right]:checked')?.value ?? ''`); v != "access" {
		t.Fatalf("the arrows chose %q", v)
	}
	b.tabTo("#email")
	b.do(chromedp.KeyEvent(ada))
	b.tabTo("#residence")
	b.do(chromedp.KeyEvent("Fra"))
	b.tabTo("main form button[type=submit]")
	b.loads(http.StatusOK, chromedp.KeyEvent(kb.Enter))
	id := strings.TrimPrefix(strings.SplitN(strings.TrimPrefix(b.where(), b.URL), "?", 2)[0], "/requests/")
	m := w.mailed(ada, id, 1)
	b.tabTo("#code")
	b.do(chromedp.KeyEvent(m.Code))
	b.loads(http.StatusOK, chromedp.KeyEvent(kb.Enter))
	w.reach(id, b.session(), "fulfilled")
	b.loads(http.StatusOK, chromedp.Reload())
	b.tabTo("details summary")
	b.do(chromedp.KeyEvent(kb.Enter))
	if !eval[bool](b, `document.querySelector('details').open`) {
		t.Error("the explanation of the date does not open")
	}
	b.look()
	b.tabTo("button[value=deliver]")
}

// tabTo presses the tab key until the element has the focus, which must be visible.
func (b *tab) tabTo(css string) {
	b.t.Helper()
	for range 60 {
		b.do(chromedp.KeyEvent(kb.Tab))
		v := eval[struct {
			Here    bool
			Outline string
			What    string
		}](b, `(() => { let e = document.activeElement; const at = e; e = e.closest('.choice') ?? e; return {here: at.matches('`+css+`'), what: at.outerHTML.slice(0, 80),
			outline: e.matches('body') ? 'solid' : getComputedStyle(e).outlineStyle} })()`)
		if v.Outline == "none" {
			b.t.Errorf("%s: nobody sees that %q has the focus", b.where(), v.What)
		}
		if v.Here {
			return
		}
	}
	b.t.Fatalf("%s: the tab key does not reach %s", b.where(), css)
}

// TestNoCookieOnAnyRoute is SP-20 for every answer, pages and programs alike.
func TestNoCookieOnAnyRoute(t *testing.T) {
	t.Parallel()
	w := open(t)
	const ada = "ada@example.org"
	id := w.submit(submission("access", ada))
	link := w.mailed(ada, id, 1).Link
	calls := []struct {
		method, path string
		body         any
	}{
		{"GET", "/", nil},
		{"GET", "/policy", nil},
		{"GET", "/v1/policy", nil},
		{"GET", "/requests/" + id, nil},
		{"GET", link, nil},
		{"POST", "/requests", url.Values{"right": {"access"}, "email": {ada}}},
		{"POST", "/requests/" + id, url.Values{"code": {"000000"}, "do": {"verify"}}},
		{"POST", link, url.Values{}},
		{"GET", link, nil},
		{"GET", "/r/forged", nil},
		{"POST", "/v1/requests", submission("access", ada)},
		{"GET", "/choices", nil},
		{"GET", "/choices.js", nil},
		{"POST", "/choices", url.Values{"do": {"deny_all"}}},
		{"POST", "/choices", url.Values{"email": {ada}, "purpose": {"newsletter"}}},
		{"GET", "/preferences", nil},
		{"POST", "/preferences", url.Values{"email": {ada}}},
		{"GET", "/p/" + w.preferences(byMail(ada)), nil},
		{"POST", "/p/" + w.preferences(byMail(ada)), url.Values{"do": {"withdraw_all"}}},
		{"GET", "/u/forged", nil},
		{"POST", "/u/forged", oneClick},
		{"GET", "/c/forged", nil},
		{"GET", "/v1/choices", nil},
		{"POST", "/v1/consents", map[string]any{"choices": []chosen{{Purpose: "analytics", Choice: "denied"}}, "method": "banner"}},
		{"POST", "/v1/signals", map[string]any{"signals": map[string]bool{"gpc": true}}},
	}
	for _, c := range calls {
		if got := w.call(c.method, c.path, c.body); got.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s %s sets a cookie", c.method, c.path)
		}
	}
}
