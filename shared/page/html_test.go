package page_test

import (
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// reporter is the part of testing.T that says what is wrong, so that a test can
// ask whether anything would be said.
type reporter interface {
	Helper()
	Error(args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// element is one element of a page. The reader below is stricter than a browser:
// what it cannot read, a browser would guess at.
type element struct {
	tag      string
	attrs    map[string]string
	parent   *element
	children []*element
	pieces   []any  // texts and children, in their order
	text     string // of the element itself and of all below it
}

var (
	void    = strings.Fields("meta input br link img hr source")
	inline  = strings.Fields("a bdi strong code time")
	tag     = regexp.MustCompile(`(?s)^<(/?)([a-z][a-z0-9]*)((?:\s+[a-z-]+(?:="[^"<>]*")?)*)\s*>`)
	attr    = regexp.MustCompile(`([a-z-]+)(?:="([^"<>]*)")?`)
	entity  = regexp.MustCompile(`&(#[0-9]+|#x[0-9a-fA-F]+|amp|lt|gt|quot);`)
	comment = regexp.MustCompile(`(?s)<!--.*?-->`)
)

// parse reads a page, and reports every way in which it is not well-formed.
func parse(t reporter, source string) *element {
	t.Helper()
	source, ok := strings.CutPrefix(source, "<!doctype html>")
	if !ok {
		t.Error("there is no doctype")
	}
	if comment.MatchString(source) {
		t.Error("a comment went out")
	}
	root := &element{tag: "#root"}
	at := root
	for source != "" {
		if !strings.HasPrefix(source, "<") {
			end := strings.IndexByte(source, '<')
			if end < 0 {
				end = len(source)
			}
			if rest := entity.ReplaceAllString(source[:end], ""); strings.ContainsAny(rest, "&>") && at.tag != "style" {
				t.Errorf("an unescaped character in %q", source[:end])
			}
			at.pieces = append(at.pieces, html.UnescapeString(source[:end]))
			source = source[end:]
			continue
		}
		m := tag.FindStringSubmatch(source)
		if m == nil {
			t.Fatalf("no tag: %.80q", source)
		}
		source = source[len(m[0]):]
		if m[1] == "/" {
			if at.tag != m[2] {
				t.Fatalf("</%s> closes <%s>, before %.80q", m[2], at.tag, source)
			}
			at = at.parent
			continue
		}
		e := &element{tag: m[2], attrs: map[string]string{}, parent: at}
		for _, a := range attr.FindAllStringSubmatch(m[3], -1) {
			if _, twice := e.attrs[a[1]]; twice {
				t.Errorf("<%s> has %s twice", e.tag, a[1])
			}
			e.attrs[a[1]] = html.UnescapeString(a[2])
		}
		at.children = append(at.children, e)
		at.pieces = append(at.pieces, e)
		if !slices.Contains(void, e.tag) {
			at = e
		}
	}
	if at != root {
		t.Errorf("<%s> is never closed", at.tag)
	}
	root.read()
	return root
}

// read gathers the text of e from its pieces.
func (e *element) read() string {
	var b strings.Builder
	for _, p := range e.pieces {
		switch p := p.(type) {
		case string:
			b.WriteString(p)
		case *element:
			gap := "\n"
			if slices.Contains(inline, p.tag) {
				gap = ""
			}
			b.WriteString(gap + p.read() + gap)
		}
	}
	e.text = b.String()
	return e.text
}

// all returns every element below e, itself included, in the order of the page.
func (e *element) all() []*element {
	list := []*element{e}
	for _, c := range e.children {
		list = append(list, c.all()...)
	}
	return list
}

// find returns the elements with one of the tags.
func (e *element) find(tags ...string) []*element {
	return slices.DeleteFunc(e.all(), func(e *element) bool { return !slices.Contains(tags, e.tag) })
}

// within reports whether e is inside an element with the tag.
func (e *element) within(tag string) bool {
	for p := e; p != nil; p = p.parent {
		if p.tag == tag {
			return true
		}
	}
	return false
}

var unfilled = regexp.MustCompile(`\{[a-z]+\}|\b(` + strings.Join([]string{
	"shell", "contact", "right", "hint", "wish", "request", "status", "moves", "stage", "result", "ask", "field", "problems?", "asked", "confirm",
	"done", "gone", "trouble", "follow", "action", "entry", "by", "policy", "local", "mailbox", "mail", "clock", "basis", "class", "origin",
}, "|") + `)\.[a-z_]+\b|<no value>|%!`)

// check reports what is wrong with a page for who cannot see it, or uses a
// keyboard, or wants nothing loaded from elsewhere.
func check(t reporter, language, source string) {
	t.Helper()
	root := parse(t, source)
	one := func(tag string) *element {
		found := root.find(tag)
		if len(found) != 1 {
			t.Errorf("there are %d <%s>, want 1", len(found), tag)
			return &element{attrs: map[string]string{}}
		}
		return found[0]
	}
	if h := one("html"); h.attrs["lang"] != language || h.attrs["dir"] != "ltr" {
		t.Errorf("html has lang %q and dir %q", h.attrs["lang"], h.attrs["dir"])
	}
	for _, tag := range []string{"title", "h1", "main", "footer", "header"} {
		if strings.TrimSpace(one(tag).text) == "" {
			t.Errorf("<%s> is empty", tag)
		}
	}
	ids := map[string]*element{}
	for _, e := range root.all() {
		if id, ok := e.attrs["id"]; ok {
			if ids[id] != nil || id == "" {
				t.Errorf("the id %q stands twice or is empty", id)
			}
			ids[id] = e
		}
	}
	labels := map[string]string{}
	for _, l := range root.find("label") {
		labels[l.attrs["for"]] += strings.TrimSpace(l.text)
	}
	level := 0
	for _, e := range root.all() {
		for name, value := range e.attrs {
			switch {
			case strings.HasPrefix(name, "on"), name == "style", name == "src", name == "srcset", name == "target":
				t.Errorf("<%s> has %s", e.tag, name)
			case name == "for", name == "aria-describedby", name == "aria-labelledby":
				for id := range strings.FieldsSeq(value) {
					if ids[id] == nil {
						t.Errorf("<%s %s=%q> points to nothing", e.tag, name, value)
					}
				}
			case name == "href" && strings.HasPrefix(value, "#"):
				if ids[value[1:]] == nil {
					t.Errorf("the link %s leads nowhere", value)
				}
			case name == "href" && strings.HasPrefix(value, "http"):
				if e.tag != "a" || e.attrs["rel"] != "noreferrer" && !e.within("pre") {
					t.Errorf("<%s href=%s> does not say noreferrer, or loads something", e.tag, value)
				}
			case name == "href" && !strings.HasPrefix(value, "/") && !strings.HasPrefix(value, "mailto:"):
				t.Errorf("the link %q is of no kind we use", value)
			}
		}
		switch e.tag {
		case "script", "iframe", "img", "link", "object", "embed", "svg", "video", "audio", "base":
			t.Errorf("there is a <%s>", e.tag)
		case "input", "select", "textarea":
			if e.attrs["type"] != "hidden" && labels[e.attrs["id"]] == "" {
				t.Errorf("<%s name=%q> has no label", e.tag, e.attrs["name"])
			}
			if e.attrs["name"] == "" {
				t.Errorf("<%s id=%q> has no name", e.tag, e.attrs["id"])
			}
			if e.attrs["aria-invalid"] == "true" && !strings.Contains(e.attrs["aria-describedby"], "-problem") {
				t.Errorf("<%s name=%q> is invalid and does not say why", e.tag, e.attrs["name"])
			}
		case "button", "a", "th", "legend", "summary", "label", "option":
			if strings.TrimSpace(e.text) == "" {
				t.Errorf("<%s> has no text", e.tag)
			}
		case "fieldset":
			if len(e.children) == 0 || e.children[0].tag != "legend" {
				t.Error("a <fieldset> does not begin with a legend")
			}
		case "ul", "ol":
			for _, c := range e.children {
				if c.tag != "li" {
					t.Errorf("<%s> has a <%s>", e.tag, c.tag)
				}
			}
		case "h1", "h2", "h3", "h4":
			if now := int(e.tag[1] - '0'); now > level+1 {
				t.Errorf("<%s> %q follows a heading of level %d", e.tag, e.text, level)
				level = now
			} else {
				level = now
			}
		case "form":
			checkForm(t, e)
		}
	}
	body := strings.ReplaceAll(one("body").text, "policy.yaml", "")
	if found := unfilled.FindString(body); found != "" {
		t.Errorf("the page shows %q", found)
	}
}

func checkForm(t reporter, form *element) {
	t.Helper()
	if !strings.HasPrefix(form.attrs["action"], "/") || strings.HasPrefix(form.attrs["action"], "//") {
		t.Errorf("a form goes to %q", form.attrs["action"])
	}
	var hidden []string
	for _, i := range form.find("input") {
		if i.attrs["type"] == "hidden" {
			hidden = append(hidden, i.attrs["name"])
		}
	}
	if !slices.Contains(hidden, "lang") && !strings.Contains(form.attrs["action"], "?lang=") {
		t.Errorf("the form to %q forgets the language", form.attrs["action"])
	}
	if len(form.find("button")) == 0 {
		t.Errorf("the form to %q has no button", form.attrs["action"])
	}
}

// TestTheCheckFinds proves that check is not blind: each page has one flaw.
func TestTheCheckFinds(t *testing.T) {
	t.Parallel()
	const good = `<!doctype html><html lang="en" dir="ltr"><title>a</title><body>
<header>a</header>
<main><h1>a</h1>
%
</main>
<footer>a</footer></body></html>`
	flaws := map[string]string{
		"an input without a label":  `<form method="post" action="/"><input type="hidden" name="lang" value="en"><input type="text" name="x" id="x"><button>a</button></form>`,
		"a form without a language": `<form method="post" action="/"><button>a</button></form>`,
		"a form to elsewhere":       `<form method="post" action="https://evil.example/"><input type="hidden" name="lang"><button>a</button></form>`,
		"an event handler":          `<p onclick="x">a</p>`,
		"an image":                  `<img>`,
		"a script":                  `<script></script>`,
		"a link to elsewhere":       `<a href="https://evil.example/">a</a>`,
		"a link that runs":          `<a href="javascript:alert(1)">a</a>`,
		"a link to nothing":         `<a href="#nothing">a</a>`,
		"a second h1":               `<h1>b</h1>`,
		"a skipped level":           `<h3>b</h3>`,
		"an id twice":               `<p id="x">a</p><p id="x">b</p>`,
		"a description of nothing":  `<p aria-describedby="x">a</p>`,
		"an empty button":           `<button> </button>`,
		"a key without a text":      `<p>problem.email</p>`,
		"a place without a value":   `<p>until {until}</p>`,
		"an unescaped ampersand":    `<p>a & b</p>`,
	}
	probe := func(body string) bool {
		var r recorder
		r.ask(func() { check(&r, "en", strings.Replace(good, "%", body, 1)) })
		return r.said
	}
	if probe("<p>a</p>") {
		t.Error("a good page is found bad")
	}
	for name, body := range flaws {
		if !probe(body) {
			t.Errorf("not found: %s", name)
		}
	}
}

// recorder remembers that something was said.
type recorder struct{ said bool }

func (r *recorder) Helper()               {}
func (r *recorder) Error(...any)          { r.said = true }
func (r *recorder) Errorf(string, ...any) { r.said = true }
func (r *recorder) Fatalf(string, ...any) { r.said = true; panic(r) }

func (r *recorder) ask(f func()) {
	defer func() {
		if p := recover(); p != nil && p != r {
			panic(p)
		}
	}()
	f()
}
