// Package page is what people see in a browser: the shell and the parts that
// every page is made of, and one type per page. A page is data; Render makes
// HTML of it in the reader's language. Pages need no script, load nothing from
// anywhere, set no cookie, and work with a keyboard, a screen reader and on a
// narrow telephone.
//
// It knows no HTTP: a handler reads the form, calls the domain, fills a page and
// writes what Headers and Render give it. A personal value is revealed here, in
// the templates, and nowhere before. httpapi, mail/mailbox and infra/local import it.
package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"rightsdesk/shared/page/words"
)

// Frame is what a page stands in.
type Frame struct {
	Brand     string         // what the company is called
	Contact   words.Contact  // who answers questions; in the foot of every page
	Language  string         // of the reader; see Language
	Languages []string       // offered; with two or more there is a switch
	Path      string         // of this page, for the switch; empty where the page answers a form
	Zone      *time.Location // in which dates are told; nil is UTC
	Local     bool           // on a laptop: links to the mailbox and the clock
	Choices   bool           // the policy lets people choose: a link to their choices is in every foot
	Closes    bool           // accounts can be closed here: a link to the form is in every foot
	Shut      bool           // nobody is served yet: the page leads nowhere
}

// Page is one of the pages of this package.
type Page interface {
	// name is the template, title the heading and what the browser's tab says.
	name() string
	title(w words.Words) string
}

// Render writes a page, or nothing and an error.
func Render(out io.Writer, f Frame, p Page) error {
	v := view{Words: words.In(f.Language), Frame: f, P: p, CSS: template.CSS(css)} // #nosec G203 -- our own file
	v.Title = p.title(v.Words)
	v.Public = public(p)
	if c, ok := p.(interface{ failed() bool }); ok {
		v.Failed = c.failed()
	}
	var body, whole bytes.Buffer
	if err := templates().ExecuteTemplate(&body, p.name(), v); err != nil {
		return fmt.Errorf("render page %s: %w", p.name(), err)
	}
	v.Body = template.HTML(body.String()) // #nosec G203 -- what html/template has escaped just now
	if err := templates().ExecuteTemplate(&whole, "shell.html", v); err != nil {
		return fmt.Errorf("render page %s: %w", p.name(), err)
	}
	_, err := out.Write(whole.Bytes())
	return err
}

// public reports whether search engines may list a page: the policy, and where an
// account is closed, which the stores want to be found.
func public(p Page) bool {
	switch p := p.(type) {
	case Policy:
		return true
	case Close:
		return !p.Mailed && !p.failed()
	}
	return false
}

// Headers returns the headers that every page is sent with. A form may lead to
// this site only, and to the hosts given ("https://bucket.example"): a browser
// applies the rule to where an answer redirects, too.
func Headers(formHosts ...string) map[string]string {
	return map[string]string{
		"Content-Type": "text/html; charset=utf-8",
		"Content-Security-Policy": "default-src 'none'; style-src '" + styleHash() + "'; form-action " +
			strings.Join(append([]string{"'self'"}, formHosts...), " ") + "; base-uri 'none'; frame-ancestors 'none'",
		"Referrer-Policy":        "no-referrer",
		"Cache-Control":          "no-store",
		"X-Content-Type-Options": "nosniff",
	}
}

var (
	//go:embed page.css
	css string
	//go:embed templates/*.html
	files embed.FS
)

var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(files, "templates/*.html"))
})

var styleHash = sync.OnceValue(func() string {
	sum := sha256.Sum256([]byte(css))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
})

// view is what templates see: the words, the frame, and a page or a part of one.
type view struct {
	words.Words
	Frame
	P      any
	Title  string
	Failed bool // the page lists problems, which the title announces
	Public bool // search engines may list the page
	CSS    template.CSS
	Body   template.HTML
}

// Language is the language of the page, which is not always the one that was asked for.
func (v view) Language() string { return v.Words.Language() }

// With returns the view of a part.
func (v view) With(p any) view { v.P = p; return v }

// Day tells a date in the frame's zone.
func (v view) Day(t time.Time) string { return v.Words.Day(t, v.Zone) }

// Moment tells a date and a time in it.
func (v view) Moment(t time.Time) string { return v.Words.Moment(t, v.Zone) }

// Became says what became of some data.
func (v view) Became(o words.Outcome) string { return v.Outcome(o, v.Zone) }

// Ordinal tells rows of a form apart for who hears it.
func (v view) Ordinal(i int) string { return strconv.Itoa(i + 1) }

// To is a link to a page of ours, in the same language.
func (v view) To(path string) string { return in(path, v.Language()) }

// in is the address of a page in a language.
func in(path, language string) string {
	if strings.Contains(path, "?") {
		return path + "&lang=" + language
	}
	return path + "?lang=" + language
}

// choice is one entry of the language switch.
type choice struct {
	Language, Name, URL string
	Current             bool
}

// Others returns the language switch.
func (v view) Others() []choice {
	if v.Path == "" || len(v.Languages) < 2 {
		return nil
	}
	var list []choice
	for _, l := range v.Languages {
		w := words.In(l)
		list = append(list, choice{Language: l, Name: w.T("language.name"), URL: in(v.Path, l), Current: l == v.Language()})
	}
	return list
}

// By says who did something, from the actor of an audit entry.
func (v view) By(actor string) string {
	switch {
	case actor == "person":
		return v.T("by.person")
	case strings.HasPrefix(actor, "operator"):
		return v.T("by.operator", "brand", v.Brand)
	}
	return v.T("by.machine")
}

// From says who wrote a letter, from the actor of its audit entry.
func (v view) From(actor string) string {
	if actor == "person" {
		return v.T("messages.by.person")
	}
	return v.T("messages.by.operator", "brand", v.Brand)
}

// Options returns the list of places to choose from. It is the same for
// everybody, and long, so it is rendered once for each language.
func (v view) Options() template.HTML { return places()[v.Language()] }

// group is a part of the list of places.
type group struct {
	Name   string
	Places []words.Place
}

var places = sync.OnceValue(func() map[string]template.HTML {
	all := map[string]template.HTML{}
	for _, l := range words.Languages() {
		w := words.In(l)
		groups := []group{{Name: w.T("ask.countries")}, {Name: w.T("ask.states")}, {Name: w.T("ask.provinces")}}
		for _, p := range w.Places() {
			i := 0
			switch country, _, part := strings.Cut(p.Code, "-"); {
			case part && country == "US":
				i = 1
			case part:
				i = 2
			}
			groups[i].Places = append(groups[i].Places, p)
		}
		var out strings.Builder
		if err := templates().ExecuteTemplate(&out, "places", groups); err != nil {
			panic(err) // the template is wrong, and every test of the form says so
		}
		all[l] = template.HTML(out.String()) // #nosec G203 -- what html/template has escaped just now
	}
	return all
})
