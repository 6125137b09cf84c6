package consent

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/law"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
)

var (
	kindPattern     = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)
	actPattern      = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	languagePattern = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}$`)
)

const (
	maxWording = 4000 // characters of a text that an app showed
	maxChoices = 20   // of one call
	maxPage    = 300  // bytes
)

// choice is one that was found to be possible.
type choice struct {
	Asked
	rule    policy.Consent
	hash    string // of what was shown; empty: nothing is known of that
	shown   Wording
	pending bool // it counts once the owner of the address confirms it
}

// methodsOf are the ways of choosing that a speaker can tell of.
var methodsOf = map[Speaker][]Method{
	ByBrowser:  {Form, Banner, Preferences, Ticked, ContinuedUse},
	ByPerson:   {Form, Preferences},
	ByApp:      {Form, Banner, Preferences, Spoken, Written, DoubleOptIn, Ticked, ContinuedUse},
	ByOperator: {Spoken, Written, OperatorsWord, Imported},
}

// act checks a capture and returns what it does. Everything that is wrong is
// told at once.
func (s *Service) act(c Capture) (*act, error) {
	var bad []fault.Field
	wrong := func(pointer, text string) { bad = append(bad, fault.Field{Pointer: pointer, Text: text}) }
	now := s.now()
	if c.Method == "" {
		c.Method = Form
	}
	if !slices.Contains(methodsOf[c.By], c.Method) {
		wrong("/method", "must be a way in which somebody can choose there: "+list(methodsOf[c.By]))
	}
	if c.Language != "" && !languagePattern.MatchString(c.Language) {
		wrong("/language", "must be a language tag such as en or fr-CA")
	}
	if c.Residence != "" && !policy.IsResidence(c.Residence) {
		wrong("/residence", "must be a code such as FR, US-CA or EEA, or be left out")
	}
	c.At = c.At.UTC().Truncate(time.Millisecond)
	switch {
	case c.At.IsZero():
		c.At = time.Time{}
	case c.By != ByApp && c.By != ByOperator:
		wrong("/at", "must be left out: what a browser sends is chosen now")
	case c.At.After(now.Add(time.Minute)) || c.At.Year() < 1990:
		wrong("/at", "must lie in the past")
	}
	if len(c.Asked) > maxChoices {
		wrong("/choices", fmt.Sprintf("must name %d choices at most", maxChoices))
	}
	a := s.plain(c)
	named := map[string]bool{}
	for i, asked := range c.Asked[:min(len(c.Asked), maxChoices)] {
		one, problems := s.choice(c, asked)
		for _, f := range problems {
			wrong(fmt.Sprintf("/choices/%d%s", i, f.Pointer), f.Text)
		}
		if f := one.mustBe(c, s.Policy); f != (fault.Field{}) && len(problems) == 0 {
			wrong(f.Pointer, f.Text)
		}
		key := keyOf(asked.Purpose, asked.Act)
		if named[key] {
			wrong(fmt.Sprintf("/choices/%d/purpose", i), "stands twice; choose once about each purpose")
		}
		named[key] = true
		a.choices = append(a.choices, one)
	}
	if len(bad) > 0 {
		return nil, fault.Input(bad...)
	}
	return a, nil
}

func list[T ~string](of []T) string {
	texts := make([]string, len(of))
	for i, x := range of {
		texts[i] = string(x)
	}
	return strings.Join(texts, ", ")
}

// choice checks one choice by the rule of its purpose.
func (s *Service) choice(c Capture, asked Asked) (one choice, bad []fault.Field) {
	wrong := func(pointer, text string) { bad = append(bad, fault.Field{Pointer: pointer, Text: text}) }
	one = choice{Asked: asked}
	if !slices.Contains(Choices, asked.Choice) {
		wrong("/choice", "must be one of: "+list(Choices))
	}
	rule, ruled := s.Policy.Consent(asked.Purpose)
	if _, known := s.Policy.Purpose(asked.Purpose); !known {
		wrong("/purpose", "must be a purpose of the policy; GET /v1/choices lists those that people choose about")
	} else if !ruled {
		wrong("/purpose", "is not a choice: the purpose does not rest on one")
	}
	if len(bad) > 0 {
		return one, bad
	}
	one.rule = rule
	granted := asked.Choice == Granted
	if rule.Required && !granted {
		wrong("/choice", "cannot be refused or withdrawn; without it: "+rule.Loss.In(c.Language))
	}
	switch {
	case asked.Act == "" && rule.PerAct && granted:
		wrong("/act", "is required: a consent is for one act, which has an id")
	case asked.Act != "" && !rule.PerAct:
		wrong("/act", "must be left out: a consent to this purpose is for no single act")
	case asked.Act != "" && !actPattern.MatchString(asked.Act):
		wrong("/act", "must be an id of letters, digits, dots, - and _, 64 characters at most, without personal data")
	}
	bad = append(bad, one.show(c, s.Policy.Version)...)
	one.pending = granted && c.pends(rule)
	return one, bad
}

// pends reports whether a consent has to be confirmed by mail: what a browser says
// of an address always, for anybody can type one.
func (c Capture) pends(rule policy.Consent) bool {
	if c.By == ByBrowser && c.Identity.Kind == personal.KindEmail {
		return true
	}
	return rule.DoubleOptIn && c.Method != DoubleOptIn && !c.confirmed
}

// show finds what was shown. A refusal never fails for that.
func (one *choice) show(c Capture, version string) (bad []fault.Field) {
	granted := one.Choice == Granted
	wrong := func(pointer, text string) {
		if granted {
			bad = append(bad, fault.Field{Pointer: pointer, Text: text})
		}
	}
	ours := c.By == ByBrowser || c.By == ByPerson
	switch {
	case one.Text != "" && ours:
		wrong("/text", "must be left out: a browser shows the policy's own wording, and names it by its hash")
	case one.Text != "":
		hash := policy.WordingHash(one.Text)
		switch {
		case utf8.RuneCountInString(one.Text) > maxWording || !utf8.ValidString(one.Text):
			wrong("/text", fmt.Sprintf("must have at most %d characters", maxWording))
		case one.Wording != "" && one.Wording != hash:
			wrong("/wording", "must be the SHA-256 of text, or be left out beside it")
		default:
			one.hash, one.shown = hash, Wording{Text: one.Text, Language: c.Language, Purpose: one.Purpose, Policy: version}
		}
	case one.Wording != "":
		text, language, ok := inForce(one.rule, one.Wording)
		if !ok {
			wrong("/wording", "is not of the policy in force; reload the page, so that it shows the present wording")
			break
		}
		one.hash, one.shown = one.Wording, Wording{Text: text, Language: language, Purpose: one.Purpose, Policy: version}
	case c.Method != Imported:
		wrong("/wording", "is required: a consent records what was shown, by its hash or as text")
	}
	return bad
}

// mustBe says what a way of choosing cannot bring about, if anything.
func (one choice) mustBe(c Capture, p *policy.Policy) fault.Field {
	if one.Choice != Granted {
		return fault.Field{}
	}
	passive := c.Method == Ticked || c.Method == ContinuedUse
	switch {
	case one.rule.Explicit && (passive || c.Method == Imported):
		return fault.Field{Pointer: "/method", Text: "must be an act of the person's own: " + one.Purpose + " wants explicit consent"}
	case passive && !mayAssume(p, c.Residence):
		return fault.Field{Pointer: "/method", Text: "is no consent where the law wants people to opt in, and it is not known that it does not there; record what they did themselves"}
	case one.pending && c.Identity.Kind != personal.KindEmail && c.Method != Imported:
		return fault.Field{Pointer: "/subject", Text: "must be a mail address: " + one.Purpose + " counts once the owner of an address has confirmed it"}
	}
	return fault.Field{}
}

// mayAssume reports whether the law asks for no act of people's own where somebody lives.
func mayAssume(p *policy.Policy, residence string) bool {
	return mayDefault(p, policy.Consent{Ground: law.NoConsentNeeded}, residence)
}

// pageOf keeps scheme, host and path of an address, without what may be somebody's:
// parts of the path that hold a mail address or are as long as a token.
func pageOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || !utf8.ValidString(address) {
		return ""
	}
	parts := strings.Split(u.EscapedPath(), "/")
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		if err != nil || strings.Contains(plain, "@") || strings.Contains(plain, "%40") || len(part) > 48 {
			parts[i] = "-"
		}
	}
	page := u.Scheme + "://" + u.Host + strings.Join(parts, "/")
	if strings.Contains(u.Host, "@") || len(page) > maxPage {
		return u.Scheme + "://" + u.Hostname()
	}
	return page
}
