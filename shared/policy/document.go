package policy

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Document is the policy as people read it.
type Document struct {
	Brand     string // what the company is called in mail and on pages
	Title     Text
	Languages []string // en, fr; the first is the one the policy was written in
	Effective string   // 2026-05-01
	Updated   string   // a date or an RFC 3339 time: which text this is
	URL       string   // where the latest version always is
	Changelog []Change // newest first
	Links     []NamedLink
	Sections  []Section
}

// Change is one entry of the changelog.
type Change struct {
	Date string
	Text Text
}

// NamedLink is an address that the prose may name as link:ID.
type NamedLink struct {
	ID    string
	Label Text
	URL   string
}

// Section is one heading with its text, and the tables that follow it.
type Section struct {
	ID    string
	Title Text
	Body  Text // paragraphs with references; see prose.go
	Shows []Table
}

// Table is a part of the policy that a section shows as a table or a list. The
// table is made from the declarations, so that it cannot say anything else.
type Table string

// The tables.
const (
	ShowContact     Table = "contact"
	ShowAuthorities Table = "authorities"
	ShowScope       Table = "scope"
	ShowRights      Table = "rights"
	ShowCategories  Table = "categories"
	ShowPurposes    Table = "purposes"
	ShowConsents    Table = "consents"
	ShowSignals     Table = "signals"
	ShowChoices     Table = "choices"
	ShowCookies     Table = "cookies"
	ShowVendors     Table = "vendors"
	ShowPlaces      Table = "places"
	ShowKept        Table = "kept"
	ShowRetention   Table = "retention"
	ShowClosure     Table = "closure"
	ShowChangelog   Table = "changelog"
)

var tables = []Table{
	ShowContact, ShowAuthorities, ShowScope, ShowRights, ShowCategories, ShowPurposes, ShowConsents, ShowSignals, ShowChoices, ShowCookies,
	ShowVendors, ShowPlaces, ShowKept, ShowRetention, ShowClosure, ShowChangelog,
}

func (p *Policy) readDocument(o *object) {
	o.r.languages = words(o, "languages", need, []string{"en", "fr"})
	if slices.Contains(o.r.languages, "") {
		o.r.languages = nil // one of them is wrong, which was said; not of every text as well
	}
	p.Document = Document{
		Languages: o.r.languages,
		Brand:     o.line("brand", need, anyLine),
		Title:     o.text("title", need),
		Effective: o.line("effective", need, calendarDay),
		Updated:   o.line("updated", need, timestamp),
		URL:       o.line("url", need, webAddress),
	}
	o.entries("changelog", may, calendarDay, func(day string, c *object) {
		p.Document.Changelog = append(p.Document.Changelog, Change{Date: day, Text: c.text("text", need)})
	})
	slices.SortStableFunc(p.Document.Changelog, func(a, b Change) int { return strings.Compare(b.Date, a.Date) })
	o.entries("links", may, identifier, func(id string, l *object) {
		p.Document.Links = append(p.Document.Links, NamedLink{ID: id, Label: l.text("label", need), URL: l.line("url", need, webAddress)})
	})
	o.entries("sections", some, identifier, func(id string, s *object) {
		p.Document.Sections = append(p.Document.Sections, Section{
			ID:    id,
			Title: s.text("title", need),
			Body:  s.prose("body", may),
			Shows: words(s, "shows", may, tables),
		})
	})
}

// Controller is who decides about the data and answers for it.
type Controller struct {
	LegalName     string
	TradeName     string
	Form          Form
	Country       string
	PostalAddress string
	TimeZone      string // its days are the days that deadlines are counted in
	Holidays      string // the country, or the part of one, whose public holidays move dates
}

// Form is what kind of person in law the controller is.
type Form string

// The forms.
const (
	Company     Form = "company"
	SoleTrader  Form = "sole_trader"
	Association Form = "association"
	PublicBody  Form = "public_body"
)

func (p *Policy) readController(o *object) {
	p.Controller = Controller{
		LegalName:     o.line("legal_name", need, anyLine),
		TradeName:     o.line("trade_name", need, anyLine),
		Form:          word(o, "form", need, []Form{Company, SoleTrader, Association, PublicBody}),
		Country:       o.line("country", need, country),
		PostalAddress: o.line("postal_address", need, anyLine),
		TimeZone:      o.line("time_zone", need, timeZone),
		Holidays:      o.line("holidays", may, holidayPlace),
	}
	p.Controller.Holidays = cmp.Or(p.Controller.Holidays, p.Controller.Country)
}

// Contact is where questions about privacy go.
type Contact struct {
	Email         string
	Page          string
	Person        string // a named person, where the company names one
	PostalAddress string
}

func (p *Policy) readContact(o *object) {
	p.Contact = Contact{
		Email:         o.line("email", need, mailAddress),
		Page:          o.line("page", may, webAddress),
		Person:        o.line("person", may, anyLine),
		PostalAddress: o.line("postal_address", may, anyLine),
	}
}

// Operators is how the people who work for the company are told what waits for
// them. It is nobody else's business and is not published.
type Operators struct {
	Mail     string
	DigestAt time.Duration // after midnight in the controller's zone
}

func (p *Policy) readOperators(o *object) {
	p.Operators = Operators{
		Mail:     cmp.Or(o.line("mail", may, mailAddress), p.Contact.Email),
		DigestAt: o.clock("digest_at", 8*time.Hour),
	}
}

// Authority is whom a person can complain to.
type Authority struct {
	Residence string // of the people it serves: FR, US-CA, EEA or *
	Name      Text
	URL       string
}

func (p *Policy) readAuthority(residence string, o *object) {
	p.Authorities = append(p.Authorities, Authority{Residence: residence, Name: o.text("name", need), URL: o.line("url", need, webAddress)})
}

// Authority returns the authority for a residence: the one declared for exactly
// it, or else for its country, the EEA, or everywhere.
func (p *Policy) Authority(residence string) (Authority, bool) {
	var best Authority
	rank := 0
	for _, a := range p.Authorities {
		if n := closeness(a.Residence, residence); n > rank {
			best, rank = a, n
		}
	}
	return best, rank > 0
}

func closeness(place, residence string) int {
	switch {
	case !Covers([]string{place}, residence):
		return 0
	case place == Everywhere:
		return 1
	case place == EEA:
		return 2
	case place != residence:
		return 3
	default:
		return 4
	}
}

// Scope is what the policy is about, and what it is not.
type Scope struct {
	Surfaces     []Surface
	Populations  []Population
	Subsidiaries []string
	Exclusions   []Exclusion
}

// Surface is a site, an app or a procedure that the policy covers.
type Surface struct {
	ID    string
	Label Text
	URL   string // empty: it has none
}

// Population is a kind of person that the company holds data of.
type Population struct {
	ID      string
	Label   Text
	Account bool // they have an account, so that its closure ends what is held of them
}

// Exclusion is data that the policy does not cover. Who asks about it is told
// so and is sent where they can ask; nothing there is searched or changed.
type Exclusion struct {
	ID       string
	Text     Text
	Redirect Link
}

func (p *Policy) readScope(o *object) {
	o.entries("surfaces", some, identifier, func(id string, s *object) {
		p.Scope.Surfaces = append(p.Scope.Surfaces, Surface{ID: id, Label: s.text("label", need), URL: s.line("url", may, webAddress)})
	})
	o.entries("populations", some, identifier, func(id string, s *object) {
		p.Scope.Populations = append(p.Scope.Populations, Population{ID: id, Label: s.text("label", need), Account: s.flag("account", false)})
	})
	p.Scope.Subsidiaries = o.lines("subsidiaries", may, anyLine)
	o.entries("exclusions", may, identifier, func(id string, e *object) {
		x := Exclusion{ID: id, Text: e.text("text", need)}
		e.section("redirect", need, func(l *object) { x.Redirect = l.link() })
		p.Scope.Exclusions = append(p.Scope.Exclusions, x)
	})
}

// link reads a text with its address.
func (o *object) link() Link {
	return Link{Text: o.text("text", need), URL: o.line("url", need, webAddress)}
}
