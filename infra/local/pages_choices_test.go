package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"rightsdesk/infra/local/company"
)

// website is a page of the company's own, on another origin than ours. Its content
// security policy lets our script in, and nothing inline.
type website struct {
	*tab
	URL     string
	counted atomic.Int64 // how often the tag's script was asked for
	answers atomic.Bool  // our API answers; false: it cannot be reached
}

const visit = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Shop</title>
<script src="/watch.js"></script><script src="%[1]s/choices.js" data-lang="%[2]s" defer></script>
<script type="text/plain" data-purpose="analytics" data-src="/tag.js" data-site="7"></script>%[3]s</head><body><h1>Shop</h1><p><a href="/">Home</a></p></body></html>`

// openSite starts the product and a website that its policy lets call, and a browser
// that does before every page what the scripts say.
func openSite(t *testing.T, width int64, before ...string) *website {
	t.Helper()
	s := &website{}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.URL = server.URL
	const origins = `origins: ["http://127.0.0.1:8080"]`
	if !bytes.Contains(company.Policy, []byte(origins)) {
		t.Fatalf("the policy has no %q", origins)
	}
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, bytes.Replace(company.Policy, []byte(origins), []byte(`origins: ["`+s.URL+`"]`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	w := open(t, func(o *options) { o.PolicyFile = file })
	s.answers.Store(true)
	mux.HandleFunc("GET /{$}", func(out http.ResponseWriter, r *http.Request) {
		api := w.URL
		out.Header().Set("Content-Type", "text/html; charset=utf-8")
		out.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self' "+api+"; connect-src "+api+"; base-uri 'none'")
		lang, more := "en", ""
		if r.FormValue("lang") != "" {
			lang = r.FormValue("lang")
		}
		if r.FormValue("none") != "" { // a page that uses nothing
			_, _ = fmt.Fprintf(out, strings.Replace(visit, `data-purpose="analytics"`, `data-purpose="essential_cookies"`, 1), api, lang, more)
			return
		}
		_, _ = fmt.Fprintf(out, visit, api, lang, more)
	})
	mux.HandleFunc("GET /watch.js", func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Content-Type", "text/javascript")
		_, _ = io.WriteString(out, `window.heard = 0; document.addEventListener("rightsdesk", () => window.heard++);`)
	})
	mux.HandleFunc("GET /tag.js", func(out http.ResponseWriter, _ *http.Request) {
		s.counted.Add(1)
		out.Header().Set("Content-Type", "text/javascript")
		out.Header().Set("Cache-Control", "no-store")
		_, _ = io.WriteString(out, `window.tagged = document.currentScript.dataset.site;`)
	})
	s.tab = browse(w, "site", width, true)
	s.beside = s.URL
	for _, script := range before {
		_, err := chromedp.Call(s.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// comes lets the visitor come to a page, which has then heard what it may do.
func (s *website) comes(query string) {
	s.t.Helper()
	s.do(chromedp.Navigate(s.URL + "/" + query))
	s.until("the script has decided", `window.heard > 0`)
	s.picture("website")
}

// picture keeps what a website's page looks like.
func (s *website) picture(name string) {
	s.t.Helper()
	if shots == "" {
		return
	}
	png, err := chromedp.Run(s.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		s.t.Fatal(err)
	}
	s.pictures++
	if err := os.WriteFile(filepath.Join(shots, fmt.Sprintf("%s-%02d-%s.png", strings.ReplaceAll(s.t.Name(), "/", "-"), s.pictures, name)), png, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (b *tab) until(what, expression string) {
	b.t.Helper()
	end := time.Now().Add(patience)
	for !eval[bool](b, expression) {
		if time.Now().After(end) {
			b.t.Fatalf("%s: waited in vain until %s", b.where(), what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// shadow is where the script shows itself.
const shadow = `[...document.querySelectorAll('body > div')].find(e => e.shadowRoot).shadowRoot`

// button is a button of the script's with that text, that can be seen.
func button(text string) chromedp.JSPath {
	return chromedp.JSPath(`[...` + shadow + `.querySelectorAll('button')].find(b => b.textContent == '` + text + `' && b.checkVisibility())`)
}

// asks reports whether the script's dialog is open.
func (s *website) asks() bool {
	s.t.Helper()
	return eval[bool](s.tab, shadow+`.querySelector('[role=dialog]').open`)
}

// choose presses a button of the script's, and waits until it counts.
func (s *website) choose(text string) {
	s.t.Helper()
	before := eval[int](s.tab, `window.heard`)
	s.do(chromedp.Click(button(text)))
	s.until("the choice has been taken down", fmt.Sprintf(`window.heard > %d`, before))
}

// allows fails the test unless the script says so, on this view of the page and on
// the next one, and the tag is loaded accordingly.
func (s *website) allows(want bool) {
	s.t.Helper()
	if got := eval[bool](s.tab, `window.rightsdesk.may('analytics')`); got != want {
		s.t.Errorf("may is %t, want %t", got, want)
	}
	if want {
		s.until("the tag runs on this view", `window.tagged == '7'`) // or its loading would be counted below
	}
	loads := s.counted.Load()
	s.comes("")
	if got := eval[bool](s.tab, `window.rightsdesk.may('analytics')`); got != want {
		s.t.Errorf("on the next view may is %t, want %t", got, want)
	}
	if want {
		s.until("the tag runs, with its attributes", `window.tagged == '7'`)
	}
	time.Sleep(100 * time.Millisecond) // for what must not come
	if got := s.counted.Load() - loads; (got == 1) != want || got > 1 {
		s.t.Errorf("the tag was loaded %d times where may is %t", got, want)
	}
}

// visitor is who the browser says it is.
func (s *website) visitor() subject {
	s.t.Helper()
	id := eval[string](s.tab, `window.rightsdesk.visitor() ?? ''`)
	if id == "" {
		s.t.Fatal("the visitor has no id")
	}
	return subject{"anonymous", id}
}

// TestPagesOfAWebsiteAskAndObey: nothing is loaded before a yes, a yes is obeyed at
// once, a no for good; both are records with the words shown.
func TestPagesOfAWebsiteAskAndObey(t *testing.T) {
	t.Parallel()
	for _, width := range []int64{1280, 360} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			t.Parallel()
			s := openSite(t, width)
			s.comes("")
			if !s.asks() || s.counted.Load() != 0 || eval[bool](s.tab, `window.rightsdesk.may('analytics')`) {
				t.Fatalf("before a choice: asked %t, loaded %d", s.asks(), s.counted.Load())
			}
			s.equal()
			if n := eval[int](s.tab, `localStorage.length`); n != 0 {
				t.Errorf("%d things are kept before a choice", n)
			}
			s.choose("Allow all")
			s.until("the tag runs at once", `window.tagged == '7'`)
			if s.asks() {
				t.Error("it still asks")
			}
			s.allows(true)
			if s.asks() {
				t.Error("it asks again")
			}
			visitor := s.visitor()
			w := s.world
			w.may(true, "consent", visitor, "analytics")
			seen := w.look(visitor)
			if len(seen.History) != 1 || seen.History[0].Wording != w.wording("analytics", "en") || seen.History[0].Method != "banner" {
				t.Errorf("the history is %+v", seen.History)
			}

			s.choose("Withdraw my consent")
			s.allows(false)
			w.may(false, "withdrawn", visitor, "analytics")
			if s.asks() {
				t.Error("it asks again after a withdrawal")
			}

			s.do(chromedp.Click(button("Privacy choices")))
			if !s.asks() {
				t.Fatal("the link opens nothing")
			}
			s.do(chromedp.Click(chromedp.JSPath(shadow + `.querySelector('input')`)))
			s.choose("Save my selection")
			s.allows(true)
			s.do(chromedp.Click(button("Privacy choices")))
			s.choose("Refuse all")
			s.allows(false)
			if got := s.visitor(); got != visitor {
				t.Error("the visitor is somebody else")
			}
			if got := w.look(visitor).history("analytics"); strings.Join(got, " ") != "withdrawn granted withdrawn granted" {
				t.Errorf("the history is %v", got)
			}
		})
	}
}

// equal looks at the dialog: nothing is ticked, and no answer is easier than another.
func (s *website) equal() {
	s.t.Helper()
	v := eval[struct {
		Ticked, Boxes  int
		Look           []string
		Tall           []float64
		Label, Focus   string
		Wide, Viewport float64
	}](s.tab, `(() => {
		const root = `+shadow+`, d = root.querySelector('[role=dialog]'), answers = [...d.querySelectorAll('div button')];
		return {
			ticked: d.querySelectorAll(':checked').length, boxes: d.querySelectorAll('input').length,
			look: answers.map(b => { const c = getComputedStyle(b); return [c.color, c.backgroundColor, c.fontWeight, c.fontSize, c.borderTopWidth, b.offsetWidth].join() }),
			tall: answers.map(b => b.getBoundingClientRect().height),
			label: root.getElementById(d.getAttribute('aria-labelledby')).textContent, focus: root.activeElement?.tagName ?? '',
			wide: d.getBoundingClientRect().right, viewport: innerWidth,
		}
	})()`)
	if v.Ticked != 0 || v.Boxes != 1 {
		s.t.Errorf("%d of %d boxes are ticked", v.Ticked, v.Boxes)
	}
	if len(v.Look) != 3 || v.Look[0] != v.Look[1] || v.Look[1] != v.Look[2] {
		s.t.Errorf("the answers look like %q", v.Look)
	}
	for _, h := range v.Tall {
		if h < 44 || h != v.Tall[0] {
			s.t.Errorf("an answer is %v pixels high", h)
		}
	}
	if v.Label != "Your privacy choices" || v.Focus != "H2" {
		s.t.Errorf("the dialog is called %q, and the focus is on %q", v.Label, v.Focus)
	}
	if v.Wide > v.Viewport {
		s.t.Errorf("the dialog reaches to %v of %v", v.Wide, v.Viewport)
	}
}

// TestPagesOfAWebsiteByKeyboard: Escape is "not now", which decides nothing.
func TestPagesOfAWebsiteByKeyboard(t *testing.T) {
	t.Parallel()
	s := openSite(t, 1280)
	s.comes("?lang=fr")
	if got := eval[string](s.tab, shadow+`.querySelector('h2').textContent`); got != "Vos choix de confidentialité" {
		t.Errorf("in French it says %q", got)
	}
	s.do(chromedp.KeyEvent(kb.Escape))
	if s.asks() {
		t.Fatal("Escape does not close the dialog")
	}
	s.comes("?lang=fr")
	if s.asks() {
		t.Error("it asks again at once")
	}
	if eval[string](s.tab, `window.rightsdesk.visitor() ?? ''`) != "" || s.counted.Load() != 0 {
		t.Error(`"not now" decided something`)
	}
	s.do(chromedp.Focus(button("Choix de confidentialité")), chromedp.KeyEvent(kb.Enter))
	if !s.asks() {
		t.Fatal("the link does not open by keyboard")
	}
	for range 12 { // the focus stays inside
		s.do(chromedp.KeyEvent(kb.Tab))
	}
	if !eval[bool](s.tab, shadow+`.querySelector('dialog').matches(':modal')`) || !eval[bool](s.tab, `document.activeElement.shadowRoot != null || document.activeElement == document.body`) {
		t.Error("the focus leaves the dialog")
	}
	s.do(chromedp.KeyEvent(kb.Escape))
	if got := eval[string](s.tab, shadow+`.activeElement?.textContent ?? ''`); got != "Choix de confidentialité" {
		t.Errorf("after that the focus is on %q", got)
	}
	// A day later it asks again; a page that uses nothing asks nothing.
	_ = eval[bool](s.tab, `localStorage.setItem('rightsdesk', JSON.stringify({later: Date.now() - 864e5 - 1})) == null`)
	s.comes("?none=1")
	if s.asks() {
		t.Error("a page that uses nothing asks")
	}
	s.comes("")
	if !s.asks() {
		t.Error("it never asks again")
	}
}

// TestPagesOfAWebsiteObeyTheSignal: who sends Global Privacy Control is not asked
// about what it stops; it is recorded once, shown, and outlives the signal.
func TestPagesOfAWebsiteObeyTheSignal(t *testing.T) {
	t.Parallel()
	const signal = `Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => !window.name.includes('no signal')})`
	s := openSite(t, 1280, signal)
	header := func(value string) {
		headers := network.Headers{}
		if value != "" {
			headers["Sec-GPC"] = value
		}
		if _, err := chromedp.Call(s.ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: headers}); err != nil {
			t.Fatal(err)
		}
	}
	header("1")
	shown := func() bool {
		return eval[bool](s.tab, `[...`+shadow+`.querySelectorAll('b')].some(b => b.textContent == 'Opt-out request honoured' && b.checkVisibility())`)
	}
	s.comes("")
	if s.asks() || !shown() {
		t.Fatalf("with the signal it asks: %t; it shows that the signal is honoured: %t", s.asks(), shown())
	}
	visitor := s.visitor()
	s.allows(false)
	s.allows(false)
	w := s.world
	if got := w.look(visitor); len(got.History) != 1 || got.History[0].Action != "signalled" || strings.Join(got.Honoured, " ") != "gpc" {
		t.Errorf("after five views of the page: %+v", got)
	}
	w.may(false, "gpc", visitor, "analytics")
	header("")
	_ = eval[string](s.tab, `window.name = 'no signal'`)
	s.allows(false) // it was recorded
	// A word of their own about this very purpose, given after it, outweighs it.
	s.do(chromedp.Click(button("Privacy choices")))
	s.choose("Allow all")
	s.allows(true)
}

// TestPagesOfAWebsiteWithoutStorage: where nothing can be kept, a choice holds for
// the view of the page, and no visitor is made for a signal.
func TestPagesOfAWebsiteWithoutStorage(t *testing.T) {
	t.Parallel()
	const blocked = `Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('blocked', 'SecurityError') }})`
	s := openSite(t, 360, blocked)
	s.comes("")
	s.choose("Allow all")
	s.until("the tag runs at once", `window.tagged == '7'`)
	s.comes("")
	if !s.asks() || eval[bool](s.tab, `window.rightsdesk.may('analytics')`) {
		t.Error("a choice that nobody keeps holds on the next view")
	}
	s = openSite(t, 360, blocked, `Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {value: true})`)
	s.comes("")
	if s.asks() || eval[string](s.tab, `window.rightsdesk.visitor() ?? ''`) != "" {
		t.Error("a signal is asked about, or made a visitor")
	}
	s.allows(false)
}

// TestPagesOfAWebsiteOffline: a refusal that does not reach us counts all the same,
// and is sent with the next view of a page; a consent counts only once it has.
func TestPagesOfAWebsiteOffline(t *testing.T) {
	t.Parallel()
	s := openSite(t, 1280)
	s.comes("")
	s.choose("Allow all")
	visitor := s.visitor()
	offline := func(yes bool) {
		t.Helper()
		_, err := chromedp.Call(s.ctx, network.SetBlockedURLs, network.SetBlockedURLsParams{
			URLPatterns: []*network.BlockPattern{{URLPattern: s.world.URL + "/v1/consents", Block: yes}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	s.mu.Lock()
	s.refused[s.world.URL+"/v1/consents"] = true
	s.mu.Unlock()
	offline(true)
	s.do(chromedp.Click(button("Withdraw my consent")))
	s.until("it says that it is not saved", shadow+`.querySelector('[role=status]').textContent == 'This is not saved yet. We try again.'`)
	s.allows(false)
	s.may(true, "consent", visitor, "analytics") // nobody could know
	offline(false)
	s.allows(false)
	s.may(false, "withdrawn", visitor, "analytics")
	if got := s.world.look(visitor).history("analytics"); strings.Join(got, " ") != "withdrawn granted" {
		t.Errorf("the history is %v", got)
	}
	offline(true)
	s.do(chromedp.Click(button("Privacy choices")))
	s.do(chromedp.Click(button("Allow all")))
	s.until("it says that it is not saved", shadow+`.querySelector('[role=status]').textContent == 'This is not saved yet. We try again.'`)
	if eval[bool](s.tab, `window.rightsdesk.may('analytics')`) {
		t.Error("a consent that nobody has counts")
	}
	offline(false)
	s.comes("")
	s.may(true, "consent", visitor, "analytics")
}

// TestPagesOfAWebsiteWithAnOldMemory: what the browser kept is not what stands. A
// refusal of words that are others by now is a refusal; a consent to them is none;
// and who has no id of ours begins anew.
func TestPagesOfAWebsiteWithAnOldMemory(t *testing.T) {
	t.Parallel()
	s := openSite(t, 1280)
	s.comes("")
	keep := func(choice string) {
		t.Helper()
		_ = eval[bool](s.tab, `localStorage.setItem('rightsdesk', JSON.stringify(Object.assign({}, JSON.parse(localStorage.getItem('rightsdesk')), {todo: [{key: 'old-`+choice+`',
			choices: [{purpose: 'analytics', choice: '`+choice+`', wording: '`+strings.Repeat("0", 64)+`'}], language: 'en', page: 'https://shop.example/'}]}))) == null`)
	}
	keep("denied")
	s.comes("")
	if s.asks() {
		t.Error("it asks who refused")
	}
	visitor := s.visitor()
	s.may(false, "denied", visitor, "analytics")
	keep("granted")
	s.comes("")
	s.may(false, "denied", visitor, "analytics")
	if left := eval[int](s.tab, `(JSON.parse(localStorage.getItem('rightsdesk')).todo || []).length`); left != 0 {
		t.Errorf("%d choices are tried for ever", left)
	}

	_ = eval[bool](s.tab, `localStorage.setItem('rightsdesk', '{"id": "v0"}') == null`)
	s.do(chromedp.Navigate(s.URL + "/"))
	s.until("the id is forgotten", `JSON.parse(localStorage.getItem('rightsdesk')).id == ''`)
	for _, junk := range []string{`nonsense`, `null`, `7`, `"text"`, `[]`} {
		_ = eval[bool](s.tab, `localStorage.setItem('rightsdesk', '`+junk+`') == null`)
		s.comes("")
		if !s.asks() {
			t.Errorf("with %s kept it does not ask", junk)
		}
	}
	if s.counted.Load() != 0 {
		t.Error("the tag was loaded")
	}
}

// TestPagesOfAWebsiteKeepTheLastWord: neither an answer that was on its way when
// somebody refused, nor a consent that reaches us late, undoes the refusal.
func TestPagesOfAWebsiteKeepTheLastWord(t *testing.T) {
	t.Parallel()
	const slow = `const real = window.fetch;
		window.held = [];
		window.fetch = (where, how) => {
			if (window.down && how.body && how.body.includes('"granted"')) return Promise.reject(new TypeError('no network'));
			const answer = real(where, how);
			return window.hold && String(where).endsWith('/decisions') ? answer.then(r => new Promise(done => window.held.push(() => done(r)))) : answer;
		};`
	s := openSite(t, 1280, slow)
	s.comes("")
	_ = eval[bool](s.tab, `window.hold = true`)
	s.do(chromedp.Click(button("Allow all")))
	s.until("the answer to the consent is on its way", `window.held.length == 1`)
	s.may(true, "consent", s.visitor(), "analytics")
	_ = eval[bool](s.tab, `window.hold = false`)
	s.do(chromedp.Click(button("Privacy choices")))
	s.choose("Refuse all")
	heard := eval[int](s.tab, `window.held[0](), window.heard`)
	s.until("the old answer has come", fmt.Sprintf(`window.heard > %d`, heard))
	s.allows(false)
	if s.counted.Load() != 0 {
		t.Error("the tag was loaded after a refusal")
	}

	_ = eval[bool](s.tab, `window.down = true`)
	s.do(chromedp.Click(button("Privacy choices")))
	s.do(chromedp.Click(button("Allow all")))
	s.until("it says that it is not saved", shadow+`.querySelector('[role=status]').textContent == 'This is not saved yet. We try again.'`)
	s.do(chromedp.Click(button("Privacy choices")))
	s.do(chromedp.Click(button("Refuse all")))
	s.until("the refusal is taken down", `!(JSON.parse(localStorage.getItem('rightsdesk')).todo || []).some(t => t.choices.some(c => c.choice == 'denied'))`)
	s.comes("") // with the network back
	s.allows(false)
	s.may(false, "denied", s.visitor(), "analytics")
}

// TestPagesOfAWebsiteObeyTheHeaderAlone: what sends the signal need not tell scripts.
func TestPagesOfAWebsiteObeyTheHeaderAlone(t *testing.T) {
	t.Parallel()
	const on = `const real = window.fetch;
		window.fetch = (where, how) => real(where, how).then(async r => String(where).includes('/choices?')
			? new Response((await r.text()).replaceAll('"default":"off"', '"default":"on"'), {status: r.status}) : r);`
	s := openSite(t, 1280, on, `Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {value: undefined})`)
	if _, err := chromedp.Call(s.ctx, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Sec-GPC": "1"}}); err != nil {
		t.Fatal(err)
	}
	s.comes("")
	if s.asks() {
		t.Error("it asks about what the signal stops")
	}
	s.may(false, "gpc", s.visitor(), "analytics")
	s.allows(false)
}

// TestPagesOfAWebsiteAreNotLedElsewhere: an element that takes the place of the
// script's own tag would answer all its questions.
func TestPagesOfAWebsiteAreNotLedElsewhere(t *testing.T) {
	t.Parallel()
	s := openSite(t, 1280, `Object.defineProperty(document, 'currentScript', {value: document.createElement('img')})`)
	s.do(chromedp.Navigate(s.URL+"/"), chromedp.WaitVisible("h1"))
	if eval[bool](s.tab, `'rightsdesk' in window`) || s.counted.Load() != 0 {
		t.Error("the script takes another element for its tag")
	}
}

// TestPagesOfTheLocalShop is the page on which a newcomer can try the script.
func TestPagesOfTheLocalShop(t *testing.T) {
	t.Parallel()
	w := open(t)
	for lang, c := range map[string]struct{ yes, said string }{"en": {"Allow all", "Yes, it is."}, "fr": {"Tout autoriser", "Si : elle l’est."}} {
		s := &website{tab: browse(w, "shop-"+lang, 360, true)}
		s.do(chromedp.Navigate(w.URL + "/local/shop?lang=" + lang))
		s.until("it asks", `(() => { const e = [...document.querySelectorAll('body > div')].find(e => e.shadowRoot); return e != null && e.shadowRoot.querySelector('dialog').open })()`)
		s.picture("shop")
		if eval[bool](s.tab, `'counted' in window`) {
			t.Error("the tag runs before anybody allowed it")
		}
		s.do(chromedp.Click(button(c.yes)))
		s.until("the tag runs", `window.counted == 1 && document.querySelector('#visits').textContent.endsWith('`+c.said+`')`)
	}
}

// TestChoicesScriptIsCached: it is the same for everybody, and asked for once.
func TestChoicesScriptIsCached(t *testing.T) {
	t.Parallel()
	w := open(t)
	a := w.must(http.StatusOK, "GET", "/choices.js", nil)
	for name, want := range map[string]string{
		"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "public, max-age=3600", "Cross-Origin-Resource-Policy": "cross-origin",
		"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff",
	} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	tag := a.Header.Get("ETag")
	for _, tag := range []string{tag, strings.TrimPrefix(tag, "W/"), `"other", ` + tag, "*"} {
		if b := w.must(http.StatusNotModified, "GET", "/choices.js", nil, header{"If-None-Match", tag}); len(b.Body) != 0 {
			t.Errorf("%s is answered with a body", tag)
		}
	}
	w.must(http.StatusOK, "GET", "/choices.js", nil, header{"If-None-Match", `"other"`})
	for accept, want := range map[string]string{"gzip, br": "gzip", "br, gzip;q=0.5": "gzip", "identity": "", "gzip;q=0": "", "gzip;q=0.0, br": "", "x-gzipped": ""} {
		b := w.must(http.StatusOK, "GET", "/choices.js", nil, header{"Accept-Encoding", accept})
		if got := b.Header.Get("Content-Encoding"); got != want || want == "gzip" && len(b.Body) > 4<<10 || want == "" && !bytes.Equal(b.Body, a.Body) {
			t.Errorf("for %q it comes as %q, in %d bytes", accept, got, len(b.Body))
		}
	}
	if b := w.must(http.StatusOK, "HEAD", "/choices.js", nil); len(b.Body) != 0 {
		t.Error("HEAD has a body")
	}
	if strings.Contains(string(a.Body), "//") || strings.Contains(string(a.Body), "/*") {
		t.Error("comments go out")
	}
}

// nth returns the n-th mail to an address, once it is there.
func (w *world) nth(to string, n int) letter {
	w.t.Helper()
	var list []letter
	w.await(fmt.Sprintf("mail %d arrives", n), func() bool {
		list = w.mails(to)
		return len(list) >= n
	})
	return list[len(list)-n]
}

// unsubscribeLink is the address in the header of a newsletter.
func (w *world) unsubscribeLink(to string) string {
	w.t.Helper()
	h := w.decide(byMail(to), "newsletter").Headers
	link := strings.Trim(h["List-Unsubscribe"], "<>")
	if link == "" || h["List-Unsubscribe-Post"] != oneClick {
		w.t.Fatalf("the headers of a newsletter are %q: %+v", h, w.decide(byMail(to), "newsletter"))
	}
	return link
}

// stands is everything that is kept of somebody's choices, as their page has it.
func (w *world) stands(who subject) string {
	w.t.Helper()
	token := w.preferences(who)
	return string(w.must(http.StatusOK, "GET", "/v1/preferences", nil, bearerOf(token)).Body)
}

// TestPagesLinksOfChoicesDoNothingByThemselves opens each kind of mailed link 50
// times with GET and with HEAD, as mail scanners do, and in a browser, and finds
// everything as it was.
func TestPagesLinksOfChoicesDoNothingByThemselves(t *testing.T) {
	t.Parallel()
	w := open(t)
	b := browse(w, "choice-links", 360, true)
	const ada = "ada@example.org"
	w.must(http.StatusOK, "POST", "/choices", url.Values{"email": {ada}, "purpose": {"newsletter"}})
	confirm := w.nth(ada, 1).Link
	robots := func(link string) {
		t.Helper()
		before, mails := w.stands(byMail(ada)), len(w.mails(ada))
		for range 50 {
			w.must(http.StatusOK, "GET", link, nil)
			w.must(http.StatusOK, "HEAD", link, nil)
		}
		b.open(http.StatusOK, link)
		w.pass(3 * time.Minute)
		if after := w.stands(byMail(ada)); after != before {
			t.Errorf("opening %.40s... changed\n%s to\n%s", link, before, after)
		}
		if n := len(w.mails(ada)); n != mails {
			t.Errorf("opening a link brought %d mails", n-mails)
		}
	}
	robots(confirm)
	w.may(false, "unconfirmed", byMail(ada), "newsletter")
	b.press(http.StatusOK, "main form button")
	w.may(true, "consent", byMail(ada), "newsletter")

	robots(w.unsubscribeLink(ada))
	w.may(true, "consent", byMail(ada), "newsletter")
	w.must(http.StatusOK, "POST", "/preferences", url.Values{"email": {ada}})
	robots(w.nth(ada, 2).Link)
	w.may(true, "consent", byMail(ada), "newsletter")
	for _, link := range []string{"/p/forged", "/u/forged", "/c/forged", strings.Replace(confirm, "/c/", "/p/", 1)} {
		w.must(http.StatusGone, "GET", link, nil)
		w.must(http.StatusGone, "POST", link, oneClick, header{"Content-Type", "application/x-www-form-urlencoded"})
	}
}

// TestOneClickIsAsTheRFCHasIt is RFC 8058, section 3: a POST with the one field, in
// either form, unsubscribes; anything else does nothing.
func TestOneClickIsAsTheRFCHasIt(t *testing.T) {
	t.Parallel()
	w := open(t)
	const ada, plain = "ada@example.org", "application/x-www-form-urlencoded"
	subscribe := func() string {
		t.Helper()
		w.pass(time.Minute) // the same call, signed in the same second, is the same call
		w.choose(byMail(ada), "newsletter", "granted", by("double_opt_in"))
		return w.unsubscribeLink(ada)
	}
	parts := func(fields ...string) (kind, body string) {
		var out bytes.Buffer
		m := multipart.NewWriter(&out)
		for _, f := range fields {
			name, value, _ := strings.Cut(f, "=")
			if err := m.WriteField(name, value); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		return m.FormDataContentType(), out.String()
	}
	kind, body := parts(oneClick)
	for name, c := range map[string]struct{ kind, body string }{
		"urlencoded":            {plain, oneClick},
		"with a character set":  {plain + "; charset=UTF-8", oneClick},
		"multipart":             {kind, body},
		"in capitals":           {strings.Replace(kind, "multipart/form-data", "Multipart/Form-Data", 1), body},
		"as the page sends it ": {plain, url.Values{"List-Unsubscribe": {"One-Click"}}.Encode()},
	} {
		link := subscribe()
		for range 2 { // a mail program may send it twice
			a := w.call("POST", link, c.body, header{"Content-Type", c.kind}, header{"Cookie", "a=b"})
			if a.Status != http.StatusOK || a.Header.Get("Location") != "" || a.Header.Get("Set-Cookie") != "" || strings.Contains(string(a.Body), "<form") {
				t.Errorf("%s: %d, Location %q, Set-Cookie %q", name, a.Status, a.Header.Get("Location"), a.Header.Get("Set-Cookie"))
			}
		}
		w.may(false, "withdrawn", byMail(ada), "newsletter")
		if got := w.look(byMail(ada)).history("newsletter"); got[0] != "withdrawn" || got[1] == "withdrawn" {
			t.Errorf("%s: the history is %v", name, got)
		}
	}
	link := subscribe()
	twice, twiceBody := parts(oneClick, oneClick)
	more, moreBody := parts(oneClick, "email=eve@example.net")
	for name, c := range map[string]struct{ kind, body string }{
		"nothing":             {plain, ""},
		"no kind":             {"", oneClick},
		"JSON":                {"application/json", `{"List-Unsubscribe": "One-Click"}`},
		"text":                {"text/plain", oneClick},
		"another value":       {plain, "List-Unsubscribe=Two-Clicks"},
		"another spelling":    {plain, "list-unsubscribe=One-Click"},
		"something beside it": {plain, oneClick + "&email=eve%40example.net"},
		"twice":               {plain, oneClick + "&" + oneClick},
		"twice in parts":      {twice, twiceBody},
		"more in parts":       {more, moreBody},
		"broken parts":        {kind, body[:len(body)-8]},
	} {
		if a := w.call("POST", link, c.body, header{"Content-Type", c.kind}); a.Status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, a.Status)
		}
	}
	if a := w.call("POST", link+"?List-Unsubscribe=One-Click", "", header{"Content-Type", plain}); a.Status != http.StatusBadRequest {
		t.Errorf("in the address: %d", a.Status)
	}
	w.may(true, "consent", byMail(ada), "newsletter")
}

// way counts what somebody does: pages that load, buttons that are clicked, fields
// that are filled in.
type way struct{ loads, clicks, fields int }

// steps is all of it.
func (a way) steps() int { return a.loads + a.clicks + a.fields }

func (a way) String() string {
	return fmt.Sprintf("%d steps (pages %d, clicks %d, fields %d)", a.steps(), a.loads, a.clicks, a.fields)
}

// counted is a tab whose person's steps are counted.
type counted struct {
	*tab
	so way // far
}

func (c *counted) opens(link string) { c.t.Helper(); c.open(http.StatusOK, link); c.so.loads++ }
func (c *counted) presses(css string) {
	c.t.Helper()
	c.press(http.StatusOK, css)
	c.so.loads++
	c.so.clicks++
}
func (c *counted) fills(css, text string) { c.t.Helper(); c.fill(css, text); c.so.fields++ }

// done returns the way so far, and begins a new one.
func (c *counted) done() way {
	w := c.so
	c.so = way{}
	return w
}

// TestPagesWithdrawingTakesNoMoreStepsThanGranting counts them in a browser, for
// each way to consent and each way back (GDPR, Article 7(3)).
func TestPagesWithdrawingTakesNoMoreStepsThanGranting(t *testing.T) {
	t.Parallel()
	compare := func(t *testing.T, how string, grant, withdraw way) {
		t.Helper()
		t.Logf("PROOF %s: granting takes %s; withdrawing %s", how, grant, withdraw)
		if withdraw.steps() > grant.steps() || withdraw.loads > grant.loads || withdraw.clicks > grant.clicks {
			t.Errorf("%s: withdrawing takes more", how)
		}
	}
	t.Run("newsletter", func(t *testing.T) {
		t.Parallel()
		w := open(t)
		c := &counted{tab: browse(w, "steps", 360, false)}
		const ada = "ada@example.org"
		subscribe := func(n int) way {
			c.do(chromedp.Navigate(w.URL + "/local/shop")) // the smallest form there can be, on a website
			c.so.loads++
			c.fills("#email", ada)
			c.presses("button[value=newsletter]")
			c.opens(w.nth(ada, n).Link)
			c.presses("main form button")
			w.may(true, "consent", byMail(ada), "newsletter")
			return c.done()
		}
		grant := subscribe(1)
		c.opens(w.unsubscribeLink(ada))
		c.presses("main form button")
		w.may(false, "withdrawn", byMail(ada), "newsletter")
		compare(t, "a newsletter, by the link in it", grant, c.done())

		grant = subscribe(2)
		c.opens("/preferences?lang=en")
		c.fills("#email", ada)
		c.presses("main form button")
		c.opens(w.nth(ada, 3).Link)
		c.presses("#purpose-newsletter button[value=withdraw]")
		w.may(false, "withdrawn", byMail(ada), "newsletter")
		compare(t, "a newsletter, on the page of one's choices", grant, c.done())
	})
	t.Run("website", func(t *testing.T) {
		t.Parallel()
		s := openSite(t, 1280)
		s.comes("")
		s.choose("Allow all")
		grant := way{loads: 1, clicks: 1}
		s.may(true, "consent", s.visitor(), "analytics")
		s.comes("")
		s.choose("Withdraw my consent")
		s.may(false, "withdrawn", s.visitor(), "analytics")
		compare(t, "a website's script", grant, way{loads: 1, clicks: 1})
	})
	t.Run("switch", func(t *testing.T) {
		t.Parallel()
		w := open(t)
		c := &counted{tab: browse(w, "switch", 1280, false)}
		link := "/p/" + w.preferences(account("17"))
		c.opens(link)
		c.presses("#purpose-analytics button")
		w.may(true, "consent", account("17"), "analytics")
		grant := c.done()
		c.opens(link)
		c.presses("#purpose-analytics button")
		w.may(false, "withdrawn", account("17"), "analytics")
		compare(t, "a switch of the page of one's choices", grant, c.done())
	})
	t.Run("without a script", func(t *testing.T) {
		t.Parallel()
		w := open(t)
		c := &counted{tab: browse(w, "plain", 360, false)}
		c.opens("/choices?lang=en")
		c.do(chromedp.Click(chromedp.CSS("#analytics-granted")))
		c.so.clicks++
		c.presses("button[value=save]")
		visitor := subject{"anonymous", c.text(".reference code")}
		w.may(true, "consent", visitor, "analytics")
		grant := c.done()
		c.presses("main form button")
		w.may(false, "withdrawn", visitor, "analytics")
		compare(t, "the form without a script", grant, c.done())

		// And on another day, with the reference that was kept.
		w.choose(visitor, "analytics", "granted")
		c.opens("/choices?lang=en")
		c.fills("#visitor", visitor.Value)
		c.presses("button[value=deny_all]")
		w.may(false, "denied", visitor, "analytics")
		compare(t, "the form without a script, on another day", grant, c.done())
	})
}

// TestPagesOfOnesOwnChoices is the page behind the link, with its switches, twice.
func TestPagesOfOnesOwnChoices(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lang  string
		width int64
	}{{"en", 1280}, {"fr", 360}} {
		t.Run(c.lang, func(t *testing.T) {
			t.Parallel()
			w := open(t)
			b := browse(w, "own-"+c.lang, c.width, false)
			who := byMail("grace@example.net")
			w.choose(who, "survey", "granted")
			link := "/p/" + w.preferences(who) + "?lang=" + c.lang
			b.open(http.StatusOK, link)
			if n := eval[int](b, `document.querySelectorAll('#purpose-survey button').length`); n != 1 {
				t.Errorf("a purpose has %d switches", n)
			}
			if eval[bool](b, `document.querySelector('#purpose-essential_cookies button') != null`) {
				t.Error("what cannot be refused has a switch")
			}
			b.press(http.StatusOK, "#purpose-survey button")
			w.may(false, "withdrawn", who, "survey")
			if b.text("#changed") == "" {
				t.Error("the page does not say what changed")
			}
			entries := len(w.look(who).History)
			b.loads(http.StatusOK, chromedp.Reload()) // sends the form again
			if got := len(w.look(who).History); got != entries {
				t.Errorf("the same form made %d more records", got-entries)
			}
			b.press(http.StatusOK, "#stop-marketing_opt_out button")
			w.may(false, "marketing_opt_out", who, "offers")
			b.press(http.StatusOK, "#stop-marketing_opt_out button")
			b.press(http.StatusOK, "#purpose-survey button")
			w.may(true, "consent", who, "survey")
			b.press(http.StatusOK, "button[value=withdraw_all]")
			for _, purpose := range []string{"survey", "offers", "newsletter"} {
				if d := w.decide(who, purpose); d.May {
					t.Errorf("after everything was withdrawn, %s may be done because of %s", purpose, d.Why)
				}
			}
			if eval[bool](b, `document.querySelector('button[value=withdraw_all]') != null`) {
				t.Error("there is still something to withdraw")
			}
			if !regexp.MustCompile(`(?s)<blockquote lang="en">.*better`).MatchString(eval[string](b, `document.querySelector('#wordings').parentElement.outerHTML`)) {
				t.Error("the words that were shown are not on the page")
			}
			b.open(http.StatusOK, link)
			b.do(chromedp.Click(chromedp.CSS("button[value=receipt]")))
			b.await("the receipt is saved", func() bool {
				raw, err := os.ReadFile(filepath.Join(b.downloads, "receipt.jws"))
				return err == nil && strings.Count(string(raw), ".") == 2
			})
			w.pass(31 * time.Minute)
			b.open(http.StatusGone, link)
			b.press(http.StatusOK, "main a.button")
			b.press(http.StatusBadRequest, "main form button")
			b.fill("#email", "grace@example.net")
			b.press(http.StatusOK, "main form button")
			b.open(http.StatusOK, w.nth("grace@example.net", 1).Link)
		})
	}
}

// TestPagesOfChoicesSayWhatIsWrong: a form that cannot be used is shown again, with
// what to mend, and nothing is taken down.
func TestPagesOfChoicesSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := open(t)
	b := browse(w, "choices", 360, false)
	b.open(http.StatusOK, "/choices?lang=en")
	for _, width := range []int64{360, 540, 1280} {
		b.do(chromedp.EmulateViewport(width, 900))
		if n := eval[int](b, `new Set([...document.querySelectorAll('.equal button')].map(b => { const c = getComputedStyle(b); return [b.offsetWidth, b.offsetHeight, c.color, c.backgroundColor, c.fontWeight].join() })).size`); n != 1 {
			t.Errorf("%d pixels wide, the three answers look like %d", width, n)
		}
	}
	b.do(chromedp.EmulateViewport(360, 900))
	b.press(http.StatusBadRequest, "button[value=save]")
	if got := b.text(".problems li"); got != "Choose for one thing at least" {
		t.Errorf("an empty form is told %q", got)
	}
	b.do(chromedp.Click(chromedp.CSS("#newsletter-granted")))
	b.press(http.StatusBadRequest, "button[value=save]") // where should it go
	if !eval[bool](b, `document.querySelector('#newsletter-granted').checked`) || b.text("#email-problem") == "" {
		t.Error("what was chosen is lost, or the address is not asked for")
	}
	b.fill("#email", "ada@")
	b.press(http.StatusBadRequest, "button[value=save]")
	b.open(http.StatusOK, "/choices?lang=fr")
	b.fill("#visitor", "v0")
	b.press(http.StatusBadRequest, "button[value=deny_all]")
	b.open(http.StatusOK, "/choices?lang=fr")
	b.press(http.StatusOK, "button[value=grant_all]")
	visitor := subject{"anonymous", b.text(".reference code")}
	w.may(true, "consent", visitor, "analytics")
	w.may(false, "not_asked", visitor, "newsletter") // there is no address

	old := w.wording("survey", "fr")
	for name, f := range map[string]url.Values{
		"words of another purpose": {"choice_analytics": {"granted"}, "wording_analytics": {old}, "visitor": {visitor.Value}},
		"no words":                 {"choice_analytics": {"granted"}, "visitor": {visitor.Value}},
		"another choice":           {"choice_analytics": {"perhaps"}, "visitor": {visitor.Value}},
		"a small form, no address": {"purpose": {"newsletter"}},
		"a purpose there is not":   {"purpose": {"spying"}, "email": {"ada@example.org"}},
		"what cannot be refused":   {"choice_essential_cookies": {"denied"}, "email": {"ada@example.org"}},
		"for somebody's account":   {"choice_analytics": {"granted"}, "visitor": {"17"}},
	} {
		before := w.stands(visitor)
		if a := w.call("POST", "/choices", f); a.Status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, a.Status)
		}
		if w.stands(visitor) != before {
			t.Errorf("%s: something was taken down", name)
		}
	}
	if n := len(w.mails("ada@example.org")); n != 0 {
		t.Errorf("%d mails went out", n)
	}
}

// TestPagesOfChoicesHeedTheSignal: without a script too.
func TestPagesOfChoicesHeedTheSignal(t *testing.T) {
	t.Parallel()
	w := open(t)
	signal := header{"Sec-GPC", "1"}
	const honoured = "Opt-out request honoured"
	if a := w.must(http.StatusOK, "GET", "/choices?lang=en", nil, signal); !strings.Contains(string(a.Body), honoured) || strings.Count(string(a.Body), `id="stopped-`) != 2 {
		t.Error("the form does not say that the signal is honoured, and what it stops")
	}
	if a := w.must(http.StatusOK, "GET", "/choices?lang=en", nil); strings.Contains(string(a.Body), honoured) {
		t.Error("without the signal it says so too")
	}
	a := w.must(http.StatusOK, "POST", "/choices", url.Values{"do": {"deny_all"}, "lang": {"en"}}, signal)
	id := regexp.MustCompile(`<code>(v[^<]+)</code>`).FindSubmatch(a.Body)
	if id == nil || !strings.Contains(string(a.Body), honoured) {
		t.Fatalf("the answer is %s", a.Body)
	}
	visitor := subject{"anonymous", string(id[1])}
	w.may(false, "gpc", visitor, "advertising")
	link := "/p/" + w.preferences(visitor) + "?lang=en"
	if a := w.must(http.StatusOK, "GET", link, nil); !strings.Contains(string(a.Body), honoured) { // it is stored
		t.Error("their own page does not say so")
	}
}

// TestPagesOfChoicesTellNobodyApart: whoever types an address sees the same,
// whether or not it is known, and whatever stands.
func TestPagesOfChoicesTellNobodyApart(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.choose(byMail("ada@example.org"), "survey", "granted")
	w.choose(byMail("ada@example.org"), "newsletter", "granted", by("double_opt_in"))
	keys := regexp.MustCompile(`name="idempotency_key" value="[^"]*"`)
	see := func(path, email string, f url.Values) string {
		f = maps.Clone(f)
		f["email"] = []string{email}
		a := w.must(http.StatusOK, "POST", path, f)
		return strings.ReplaceAll(keys.ReplaceAllString(string(a.Body), ""), email, "")
	}
	for _, f := range []url.Values{{"do": {"grant_all"}}, {"do": {"deny_all"}}, {"choice_survey": {"withdrawn"}}, {"purpose": {"newsletter"}}} {
		if known, never := see("/choices", "ada@example.org", f), see("/choices", "nobody@example.net", f); known != never {
			t.Errorf("%v: somebody is told apart:\n%s\n%s", f, known, never)
		}
	}
	if see("/preferences", "ada@example.org", url.Values{}) != see("/preferences", "nobody2@example.net", url.Values{}) {
		t.Error("the page of the link tells people apart")
	}
}

// TestPagesOfChoicesDuringAHalt: a refusal is taken, a consent is not, and the page
// says why.
func TestPagesOfChoicesDuringAHalt(t *testing.T) {
	t.Parallel()
	w := open(t)
	b := browse(w, "halt", 360, false)
	who := account("17")
	w.choose(who, "analytics", "granted")
	w.must(http.StatusOK, "POST", "/v1/operator/halt", map[string]string{"cause": "leak"}, w.operator())
	w.pass(time.Minute)
	b.open(http.StatusOK, "/p/"+w.preferences(who)+"?lang=en")
	if eval[bool](b, `document.querySelector('#purpose-survey button') != null`) {
		t.Error("something can be switched on")
	}
	b.press(http.StatusOK, "#purpose-analytics button")
	if got := w.look(who).history("analytics"); !slices.Contains(got, "withdrawn") {
		t.Errorf("the history is %v", got)
	}
	link := "/p/" + w.preferences(who)
	a := w.call("POST", link, url.Values{"do": {"grant"}, "purpose": {"survey"}, "wording": {w.wording("survey", "en")}, "lang": {"en"}})
	if a.Status != http.StatusServiceUnavailable || !strings.Contains(string(a.Body), "only refusals and withdrawals are taken") {
		t.Errorf("a consent is answered %d", a.Status)
	}
	for choice, want := range map[string]int{"granted": http.StatusServiceUnavailable, "denied": http.StatusOK} {
		f := url.Values{"choice_analytics": {choice}, "wording_analytics": {w.wording("analytics", "en")}, "lang": {"en"}}
		if a := w.call("POST", "/choices", f); a.Status != want || strings.Contains(string(a.Body), "choose only what you refuse") == (want == http.StatusOK) {
			t.Errorf("%s is answered %d", choice, a.Status)
		}
	}
}
