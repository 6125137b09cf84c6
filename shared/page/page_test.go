package page_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"html"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/page"
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
)

var update = flag.Bool("update", false, "write the golden files anew")

// css is what stands in every page; golden files leave it out.
var css = regexp.MustCompile(`(?s)<style>.*</style>`)

func TestEveryPageInEveryLanguage(t *testing.T) {
	t.Parallel()
	for _, l := range words.Languages() {
		for name, s := range samples(l) {
			t.Run(l+"/"+name, func(t *testing.T) {
				t.Parallel()
				got := render(t, l, s)
				check(t, l, got)
				got = options.ReplaceAllString(css.ReplaceAllString(got, "<style>…</style>"), "$1…$2")
				golden(t, filepath.Join("testdata", l, name+".html"), got)
			})
		}
	}
}

// options is the list of places, which has a test of its own and would make every golden file long.
var options = regexp.MustCompile(`(?s)(<optgroup label="[^"]*">).*?(</optgroup>)`)

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with -update, and read it", err)
	}
	if got != string(want) {
		t.Errorf("%s is not what is rendered; run with -update and read the difference", path)
	}
}

// TestNoEnglishIsLeftInFrench looks for every English text in the French pages.
// A few words are the same in both languages, and the switch names each language
// in its own.
func TestNoEnglishIsLeftInFrench(t *testing.T) {
	t.Parallel()
	french := texts(t, "fr")
	english := map[string]string{}
	for key, text := range texts(t, "en") {
		text = normal(text)
		if len(text) < 7 || key == "language.name" || strings.Contains(text, "{") || inFrench(french, text) {
			continue
		}
		english[key] = text
	}
	if len(english) < 200 {
		t.Fatalf("only %d texts are looked for", len(english))
	}
	foreign := regexp.MustCompile(`https?://\S+|\S+@\S+`)
	for name, s := range samples("fr") {
		seen := foreign.ReplaceAllString(normal(parse(t, render(t, "fr", s)).find("body")[0].text), "")
		for key, text := range english {
			if strings.Contains(seen, text) && regexp.MustCompile(`(^|[^\pL])`+regexp.QuoteMeta(text)+`($|[^\pL])`).MatchString(seen) {
				t.Errorf("%s says %q", name, key)
			}
		}
	}
}

func normal(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

// inFrench reports whether an English text happens to stand in a French one.
func inFrench(french map[string]string, text string) bool {
	for _, f := range french {
		if strings.Contains(normal(f), text) {
			return true
		}
	}
	return false
}

func texts(t *testing.T, language string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("words", language+".json"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestEveryProfilesPolicy shows the ready policies: what they declare has a word
// in every language, and their page is as sound as the others.
func TestEveryProfilesPolicy(t *testing.T) {
	t.Parallel()
	for _, name := range policy.ProfileNames() {
		file, _ := policy.Profile(name)
		p, err := policy.Parse(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range words.Languages() {
			t.Run(name+"/"+l, func(t *testing.T) {
				t.Parallel()
				got := render(t, l, sample{path: "/policy", page: page.Policy{Publication: p.Published(l)}})
				check(t, l, got)
				for _, v := range p.Vendors() {
					if !strings.Contains(html.UnescapeString(got), v.Name) {
						t.Errorf("the vendor %s is not shown", v.Name)
					}
				}
			})
		}
	}
}

// hostile is what somebody could type to break a page.
var hostile = []string{
	`<script>alert(1)</script>`,
	`"><img src=x onerror=alert(1)>`,
	`' onfocus='alert(1)`,
	`</textarea></title></style><script>alert(1)</script>`,
	`javascript:alert(1)`,
	"\u202Egnp.exe\u202C \u2066x\u2069",
	"{{.P}} {until} %!s(MISSING)",
	strings.Repeat("A", 998),
	"\x00\x1b[31m\r\nSet-Cookie: a=b",
	"\xff\xfe",
}

func TestWhatPeopleTypeStaysText(t *testing.T) {
	t.Parallel()
	for _, h := range hostile {
		x := personal.MakeText(h)
		id := personal.MakeIdentity(personal.Kind(h), h)
		letter := page.Letter{At: received, By: h, Text: x, Proof: h, Files: []page.Attached{{Name: x, Size: 1}}}
		pages := []page.Page{
			page.Ask{
				Rights: []string{"access"}, Key: h, Right: h, Residence: h, Email: x, Name: x, Account: x, Details: x, Notes: []string{h}, About: h,
				Identities: []page.Named{{Kind: h, Value: x}}, Corrections: []page.Correction{{Field: x, Value: x}},
			},
			page.Follow{
				ID: h, Status: "open", Right: h, Reason: h, Article: h, Ignored: []personal.Identity{id},
				Systems:   []words.System{{Name: h, Outcomes: []words.Outcome{{Category: h, Result: words.Kept, Duty: h}}}},
				Timeline:  []page.Entry{{At: received, Action: h, By: h}},
				Authority: words.Authority{Name: h, Page: h}, Deadlines: []page.Deadline{{Name: h, Steps: []page.Step{{Text: h, Article: h}}}},
				About: h, Decision: h, Explanation: x, Appealed: h, Still: []page.Still{{Since: received, Cause: h}}, Question: &letter, Letters: []page.Letter{letter},
				Extended: page.Extension{From: received, To: received, Text: h, Article: h},
				Reply:    &page.Reply{Path: "/r/t", Key: h, Text: x}, Appeal: &page.Appeal{Path: "/r/t", Key: h, Text: x}, Complain: "/?about=r",
			},
			page.Choices{
				Key: h, Email: x, Visitor: h,
				Offers: []page.Offer{{Purpose: h, Label: h, Text: h, Wording: h, Hash: h, Chosen: h}, {Purpose: h + "2", Label: h, Text: h, Required: true, Loss: h}},
			},
			page.Chosen{Visitor: h, Key: h, Records: []page.Recorded{{Purpose: h, Label: h, Choice: "granted"}, {Purpose: h, Label: h, Choice: h}}},
			page.MailLink{Key: h, Email: x},
			page.Unsubscribe{Path: "/u/t", List: h},
			page.OptIn{Path: "/c/t", Key: h, Agreed: []page.Agreed{{Label: h, Wording: h}}},
			page.Preferences{
				Path: "/p/t", Posted: true, Changed: []page.Changed{{Action: h, About: h, Stop: h}}, AllKey: h,
				Purposes:  []page.Preference{{Path: "/p/t", Purpose: h, Act: h, Label: h, Text: h, Wording: h, Hash: h, Why: "consent", Loss: h, Switches: []page.Switch{{Do: "grant", Key: h}}}},
				Stops:     []page.Stop{{Stop: "opt_out_sale", Ends: []string{h}, Key: h}},
				History:   []page.Past{{ID: h, At: received, Action: h, About: h, Stop: h, Method: h, By: h, Wording: h}},
				Wordings:  []page.Wording{{Hash: h, About: h, Language: h, Text: h}},
				Receipts:  []page.Receipt{{Record: h, About: h, Choice: h}},
				Elsewhere: []page.Elsewhere{{Text: h, PerformedBy: h, LinkText: h, URL: h, Consequence: h}},
			},
			page.Mailbox{To: x, Mails: []page.MailLine{{N: 1, Subject: h}}},
			page.Mail{Subject: h, Text: x, Code: x},
			page.Problem{Kind: fault.Internal, Reference: h},
		}
		for _, p := range pages {
			f := frame("en", "/")
			f.Brand = "Lumen" + h
			var out strings.Builder
			if err := page.Render(&out, f, p); err != nil {
				t.Fatal(err)
			}
			root := parse(t, out.String())
			for _, e := range root.all() {
				if slices.Contains([]string{"script", "img"}, e.tag) {
					t.Errorf("%T: %q made a <%s>", p, h, e.tag)
				}
				for name, value := range e.attrs {
					if strings.HasPrefix(name, "on") || name == "href" && strings.HasPrefix(value, "javascript:") {
						t.Errorf("%T: %q made %s=%q", p, h, name, value)
					}
				}
			}
			if strings.ContainsAny(out.String(), "\x00\x1b\r") && !strings.Contains(h, "\x00") {
				t.Errorf("%T: %q left a control character", p, h)
			}
		}
	}
}

// TestTurnedTextCannotTurnWhatIsAroundIt: a text that reverses the direction of
// writing is shut in.
func TestTurnedTextCannotTurnWhatIsAroundIt(t *testing.T) {
	t.Parallel()
	const turned = "\u202Egnp.exe"
	p := page.Follow{
		Status: "open", Ignored: []personal.Identity{personal.MakeIdentity("email", turned)},
		Letters: []page.Letter{{At: received, By: "person", Text: personal.MakeText(turned), Files: []page.Attached{{Name: personal.MakeText(turned)}}}},
		Systems: []words.System{{Name: turned, Outcomes: []words.Outcome{{Category: turned, Result: words.Nothing}}}},
	}
	root := parse(t, render(t, "en", sample{page: p}))
	shut := 0
	for _, e := range root.all() {
		if own := e.text; strings.Contains(own, turned) && e.tag == "bdi" {
			shut++
		}
	}
	if all := strings.Count(root.text, turned); shut != all || all != 5 {
		t.Errorf("%d of %d are shut in", shut, all)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	h := page.Headers("https://exports.s3.eu-west-3.amazonaws.com")
	source := render(t, "en", sample{page: page.Gone{}})
	style := css.FindString(source)
	sum := sha256.Sum256([]byte(strings.TrimSuffix(strings.TrimPrefix(style, "<style>"), "</style>")))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self' https://exports.s3.eu-west-3.amazonaws.com; base-uri 'none'; frame-ancestors 'none'"
	if got := h["Content-Security-Policy"]; got != want {
		t.Errorf("the policy is\n%s\nwant\n%s", got, want)
	}
	if !strings.Contains(page.Headers()["Content-Security-Policy"], "form-action 'self';") {
		t.Error("without hosts a form may go elsewhere")
	}
	for name, value := range map[string]string{"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
		if h[name] != value {
			t.Errorf("%s is %q", name, h[name])
		}
	}
	for name := range h {
		if strings.EqualFold(name, "Set-Cookie") {
			t.Error("a page sets a cookie")
		}
	}
	if strings.Contains(style, "url(") || strings.Contains(style, "@import") {
		t.Error("the style loads something")
	}
}

func TestRenderWritesAllOrNothing(t *testing.T) {
	t.Parallel()
	if err := page.Render(broken{}, frame("en", "/"), page.Gone{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("err = %v", err)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestTheSwitchAndTheLinksKeepTheLanguage(t *testing.T) {
	t.Parallel()
	root := parse(t, render(t, "fr", samples("fr")["confirm-verify"]))
	var hrefs []string
	for _, a := range root.find("a") {
		hrefs = append(hrefs, a.attrs["href"])
	}
	for _, want := range []string{"/r/t0ken?lang=en", "/policy?lang=fr", "/?lang=fr"} {
		if !slices.Contains(hrefs, want) {
			t.Errorf("there is no link to %s: %v", want, hrefs)
		}
	}
	if nav := parse(t, render(t, "fr", sample{page: page.Gone{}})).find("nav"); len(nav) != 0 {
		t.Error("a page that answers a form has a switch that leads nowhere")
	}
}

func TestTheFormHasTheFieldsItPromises(t *testing.T) {
	t.Parallel()
	root := parse(t, render(t, "en", samples("en")["ask-problems"]))
	count := map[string]int{}
	values := map[string]string{}
	for _, e := range root.find("input", "select", "textarea") {
		count[e.attrs["name"]]++
		switch {
		case e.tag == "textarea":
			values[e.attrs["name"]] = e.text
		case e.tag == "select":
			for _, o := range e.find("option") {
				if _, ok := o.attrs["selected"]; ok {
					values[e.attrs["name"]] += o.attrs["value"]
				}
			}
		case e.attrs["type"] == "radio":
			if _, ok := e.attrs["checked"]; ok {
				values["right"] = e.attrs["value"]
			}
		default:
			values[e.attrs["name"]] += e.attrs["value"]
		}
	}
	wantCount := map[string]int{
		"right": len(policy.AllRights), "residence": 1, "email": 1, "name": 1, "account": 1, "details": 1, "about": 1, "identity_kind": 2, "identity_value": 2,
		"correction_field": 3, "correction_value": 3, "idempotency_key": 1, "lang": 1,
	}
	wantValues := map[string]string{
		"right": "rectification", "residence": "US-CA", "email": "ada@", "name": "Ada Lovelace", "account": "ada1815", "details": "I moved in March.", "about": "",
		"identity_kind": "phone", "identity_value": "+44 20 7946 0018", "correction_field": "postal address", "correction_value": "",
		"idempotency_key": "k1", "lang": "en",
	}
	if !maps.Equal(count, wantCount) {
		t.Errorf("fields: %v, want %v", count, wantCount)
	}
	if !maps.Equal(values, wantValues) {
		t.Errorf("values: %v, want %v", values, wantValues)
	}
}

// TestTheCodePageTellsNobodyApart: whoever opens the page sees the same, but for what is in its address.
func TestTheCodePageTellsNobodyApart(t *testing.T) {
	t.Parallel()
	see := func(id string) string {
		s := render(t, "en", sample{path: "/requests/" + id, page: page.Asked{Verb: page.Verify, ID: id, Path: "/requests/" + id, Key: "k", AgainKey: "k"}})
		return strings.ReplaceAll(s, id, "ID")
	}
	if see("r_known") != see("r_never") {
		t.Error("the pages differ")
	}
	if strings.Contains(html.UnescapeString(see("r")), "until .") {
		t.Error("the hint names no time and says until")
	}
}

// TestOnlyWhatIsTheSameForAllIsForSearchEngines: what leads to somebody's request is not.
func TestOnlyWhatIsTheSameForAllIsForSearchEngines(t *testing.T) {
	t.Parallel()
	for name, s := range samples("en") {
		hidden := strings.Contains(render(t, "en", s), `<meta name="robots" content="noindex">`)
		if public := strings.HasPrefix(name, "policy") || name == "close" || name == "close-at-once"; hidden == public {
			t.Errorf("%s is hidden from them: %v", name, hidden)
		}
	}
}

func TestCorrectionsAreAskedForWhereTheyAreOffered(t *testing.T) {
	t.Parallel()
	for _, rights := range [][]string{{"access"}, {"access", "rectification"}} {
		got := strings.Contains(render(t, "en", sample{page: page.Ask{Rights: rights}}), `name="correction_field"`)
		if want := len(rights) == 2; got != want {
			t.Errorf("%v: asked for corrections: %v", rights, got)
		}
	}
}

// TestContrast: WCAG 2.2, 1.4.3 and 1.4.11, in light and dark.
func TestContrast(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("page.css")
	if err != nil {
		t.Fatal(err)
	}
	light, dark, ok := strings.Cut(string(file), "@media (prefers-color-scheme: dark)") //nolint:misspell // so CSS spells it
	if !ok {
		t.Fatal("there is no dark scheme")
	}
	variable := regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`)
	pairs := []struct {
		text, ground string
		least        float64
	}{
		{"ink", "paper", 7},
		{"ink", "card", 7},
		{"ink", "wash", 7},
		{"ink", "bad-wash", 7},
		{"soft", "paper", 4.5},
		{"soft", "card", 4.5},
		{"soft", "wash", 4.5},
		{"accent", "paper", 4.5},
		{"accent", "card", 4.5},
		{"accent", "wash", 4.5},
		{"on-accent", "accent", 4.5},
		{"bad", "paper", 4.5},
		{"bad", "card", 4.5},
		{"bad", "bad-wash", 4.5},
		{"card", "bad", 4.5},
		{"warn", "warn-wash", 4.5},
		{"warn", "paper", 4.5},
		{"edge", "paper", 3},
		{"edge", "card", 3},
		{"focus", "paper", 3},
		{"focus", "card", 3},
	}
	for scheme, source := range map[string]string{"light": light, "dark": dark} {
		colour := map[string]string{}
		for _, m := range variable.FindAllStringSubmatch(source, -1) {
			colour[m[1]] = m[2]
		}
		for _, p := range pairs {
			a, b := luminance(t, colour[p.text]), luminance(t, colour[p.ground])
			if got := (max(a, b) + 0.05) / (min(a, b) + 0.05); got < p.least {
				t.Errorf("%s: %s on %s is %.2f, want %.1f", scheme, p.text, p.ground, got, p.least)
			}
		}
	}
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatalf("no colour: %q", hex)
	}
	sum := 0.0
	for i, weight := range []float64{0.0722, 0.7152, 0.2126} { // blue, green, red
		c := float64(n>>(8*i)&0xFF) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	offered := []string{"en", "fr"}
	tests := []struct{ accept, wanted, want string }{
		{"", "", "en"},
		{"fr", "", "fr"},
		{"fr-CA, en;q=0.9", "", "fr"},
		{"en;q=0.5, fr;q=0.6", "", "fr"},
		{"de, fr;q=0.3", "", "fr"},
		{"fr;q=0.5, en;q=0.5", "", "fr"},
		{"de, tlh", "", "en"},
		{"*", "", "en"},
		{"en;q=0, *", "", "fr"},
		{"fr;q=0, de", "", "en"},
		{"FR", "", "fr"},
		{"fr;q=1.001", "", "en"},
		{"fr;q=NaN", "", "en"},
		{"fr;q=-1", "", "en"},
		{"fr;q", "", "en"},
		{"fr;level=1", "", "en"},
		{";;,,=,fr ; q=0.8", "", "fr"},
		{"fr\r\nSet-Cookie: a", "", "en"},
		{"en", "fr", "fr"},
		{"en", "fr-FR", "fr"},
		{"fr", "tlh", "fr"},
		{"fr", "<script>", "fr"},
		{strings.Repeat("de,", 1000) + "fr", "", "en"},
	}
	for _, tt := range tests {
		if got := page.Language(tt.accept, offered, tt.wanted); got != tt.want {
			t.Errorf("Language(%.40q, %q) = %q, want %q", tt.accept, tt.wanted, got, tt.want)
		}
	}
	if got := page.Language("fr", []string{"fr", "en"}, ""); got != "fr" {
		t.Errorf("got %q", got)
	}
	if got := page.Language("fr", nil, "fr"); got != "" {
		t.Errorf("got %q of none", got)
	}
}

func FuzzLanguage(f *testing.F) {
	for _, s := range []string{"fr-CA, en;q=0.9", "*", "en;q=0, *;q=0.001", ";;,,=", "fr;q=1e-9", strings.Repeat("a-", 300)} {
		f.Add(s, "")
		f.Add("", s)
	}
	f.Fuzz(func(t *testing.T, accept, wanted string) {
		if got := page.Language(accept, []string{"en", "fr"}, wanted); got != "en" && got != "fr" {
			t.Errorf("Language(%q, %q) = %q", accept, wanted, got)
		}
	})
}

func BenchmarkAsk(b *testing.B) {
	f := frame("en", "/")
	a := page.Ask{Rights: []string{"access", "erasure"}}
	var out bytes.Buffer
	for b.Loop() {
		out.Reset()
		if err := page.Render(&out, f, a); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(out.Len()), "bytes/page")
}

func ExampleRender() {
	var out strings.Builder
	f := page.Frame{Brand: "Lumen", Language: page.Language("fr-CA, en;q=0.5", []string{"en", "fr"}, "")}
	if err := page.Render(&out, f, page.Gone{}); err != nil {
		fmt.Println(err)
	}
	fmt.Println(regexp.MustCompile(`<h1>.*</h1>`).FindString(out.String()))
	// Output: <h1>Ce lien ne fonctionne plus</h1>
}
