package policy

// Performer is who makes a choice happen.
type Performer string

// The performers.
const (
	ByUs                Performer = "us"
	ByBrowser           Performer = "browser"
	ByDevice            Performer = "device"
	ByAnalyticsProvider Performer = "analytics_provider"
	ByMarketplace       Performer = "marketplace"
)

var performers = []Performer{ByUs, ByBrowser, ByDevice, ByAnalyticsProvider, ByMarketplace}

// Elsewhere is a choice that people make somewhere, and who performs it. The file
// has it under choices.
type Elsewhere struct {
	ID          string
	Text        Text
	PerformedBy Performer
	Link        Link   // where; empty for a switch of ours
	Consequence Text   // what then does not work
	Purpose     string // of ours that it concerns; empty: none
}

func (p *Policy) readChoice(id string, o *object) {
	e := Elsewhere{
		ID:          id,
		Text:        o.text("text", need),
		PerformedBy: word(o, "performed_by", need, performers),
		Consequence: o.text("consequence", may),
		Purpose:     o.line("purpose", may, identifier),
	}
	o.section("link", needIf(e.PerformedBy != ByUs && e.PerformedBy != ""), func(l *object) { e.Link = l.link() })
	if e.PerformedBy == ByUs && !o.has("link") && !o.has("purpose") {
		o.r.refuse(o.at("purpose"), "is required for a choice that we perform, unless it has a `link`; it names the purpose whose switch it is")
	}
	p.Choices = append(p.Choices, e)
}

// Cookie is something that is kept in a person's browser, or a pixel.
type Cookie struct {
	ID           string
	Name         string
	Kind         CookieKind
	Party        Party
	Essential    bool
	Purpose      string // id
	Lifetime     Text
	ControlledBy Performer
	Loss         Text // what does not work without it
}

// CookieKind is what a cookie is made of.
type CookieKind string

// The kinds.
const (
	HTTPCookie   CookieKind = "cookie"
	LocalStorage CookieKind = "local_storage"
	Pixel        CookieKind = "pixel"
)

// Party is whose a cookie is.
type Party string

// The parties.
const (
	FirstParty Party = "first"
	ThirdParty Party = "third"
)

func (p *Policy) readCookie(id string, o *object) {
	c := Cookie{
		ID:           id,
		Name:         o.line("name", need, anyLine),
		Kind:         word(o, "kind", need, []CookieKind{HTTPCookie, LocalStorage, Pixel}),
		Party:        word(o, "party", need, []Party{FirstParty, ThirdParty}),
		Essential:    o.flag("essential", false),
		Purpose:      o.line("purpose", need, identifier),
		Lifetime:     o.text("lifetime", need),
		ControlledBy: word(o, "controlled_by", need, performers),
	}
	c.Loss = o.text("loss", needIf(c.Essential || c.ControlledBy != ByUs && c.ControlledBy != ""))
	p.Cookies = append(p.Cookies, c)
}
