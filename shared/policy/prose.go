package policy

import (
	"regexp"
	"slices"
	"strings"
)

// The prose of a section is paragraphs with references:
//
//	[how long we keep it](#retention)      a section of this document
//	[our mail service](vendor:mailer)      a row of the vendor table
//	[the browser's manual](link:browser)   an address declared in document.links
//
// There is no other way to name an address, so no vendor can be linked to
// without standing in the table.

// Span is a piece of a paragraph. With Href it is a link.
type Span struct {
	Text string `json:"text"`
	Href string `json:"href,omitempty"`
}

var (
	reference  = regexp.MustCompile(`\[([^\[\]]+)\]\(([^()\s]*)\)`)
	bare       = regexp.MustCompile(`(?i)\b(https?://|www\.)`)
	paragraphs = regexp.MustCompile(`\n[ ]*\n`)
)

// paragraphsOf cuts a body into paragraphs of spans. target turns a reference
// into an address; what it does not know becomes plain text.
func paragraphsOf(body string, target func(ref string) (href string, ok bool)) [][]Span {
	list := [][]Span{}
	for _, text := range paragraphs.Split(body, -1) {
		text = strings.Join(strings.Fields(text), " ")
		if text == "" {
			continue
		}
		var spans []Span
		end := 0
		for _, at := range reference.FindAllStringSubmatchIndex(text, -1) {
			if at[0] > end {
				spans = append(spans, Span{Text: text[end:at[0]]})
			}
			span := Span{Text: text[at[2]:at[3]]}
			if href, ok := target(text[at[4]:at[5]]); ok {
				span.Href = href
			}
			spans = append(spans, span)
			end = at[1]
		}
		if end < len(text) {
			spans = append(spans, Span{Text: text[end:]})
		}
		list = append(list, spans)
	}
	return list
}

// target returns where a reference leads on the published page.
func (p *Policy) target(ref string) (href string, ok bool) {
	if id, ok := strings.CutPrefix(ref, "#"); ok {
		return ref, slices.ContainsFunc(p.Document.Sections, func(s Section) bool { return s.ID == id })
	}
	switch kind, id, _ := strings.Cut(ref, ":"); kind {
	case "vendor":
		return "#vendor-" + id, slices.ContainsFunc(p.Recipients, func(r Recipient) bool { return r.ID == id && r.Name != "" })
	case "link":
		i := slices.IndexFunc(p.Document.Links, func(l NamedLink) bool { return l.ID == id })
		if i < 0 {
			return "", false
		}
		return p.Document.Links[i].URL, true
	}
	return "", false
}

// checkProse refuses references without a target, and addresses that are written out.
func checkProse(p *Policy, refuse report) {
	bodies := map[string]Text{"closure.before": p.Closure.Before}
	for _, s := range p.Document.Sections {
		bodies["document.sections."+s.ID+".body"] = s.Body
	}
	for path, text := range bodies {
		for language, body := range text {
			at := path + "." + language
			plain := reference.ReplaceAllStringFunc(body, func(found string) string {
				m := reference.FindStringSubmatch(found)
				if _, ok := p.target(m[2]); !ok {
					refuse(at, "[%s](%s) leads nowhere; a reference is (#ID) of a section, (vendor:ID) of a recipient with a name, or (link:ID) of document.links", shown(m[1]), shown(m[2]))
				}
				return m[1]
			})
			if bare.MatchString(plain) {
				refuse(at, "an address stands in the text; declare it under document.links, or its owner under recipients, and write [text](link:ID) or [text](vendor:ID)")
			}
		}
	}
}
