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

// checkChoices refuses a choice of ours that has no switch.
func checkChoices(p *Policy, refuse report) {
	for _, e := range p.Choices {
		if c, ok := p.Consent(e.Purpose); e.PerformedBy == ByUs && e.Link.URL == "" && (!ok || c.Required) {
			refuse("choices."+e.ID+".purpose", "has no switch of ours: it needs an entry under consents that can be refused, or the choice a `link`")
		}
	}
}

// checkCookies refuses a cookie that people can neither do without nor refuse.
func checkCookies(p *Policy, refuse report) {
	for _, k := range p.Cookies {
		at := "cookies." + k.ID
		c, ok := p.Consent(k.Purpose)
		switch {
		case k.Essential && ok && !c.Required:
			refuse(at+".essential", "must be false: consents.%s lets people refuse it; or that entry says `required: true`", k.Purpose)
		case !k.Essential && c.Required:
			refuse(at+".essential", "must be true: consents.%s says that it cannot be refused", k.Purpose)
		case !k.Essential && !ok && k.ControlledBy == ByUs:
			refuse(at+".controlled_by", "must not be us: there is no switch of ours without an entry consents.%s; or say who else lets people refuse it, and the `loss`", k.Purpose)
		}
	}
}

// checkTracking holds the policy to "no cookie tracks you" and "we set no cookie".
func checkTracking(p *Policy, refuse report) {
	for _, k := range p.Cookies {
		at := "cookies." + k.ID
		if p.Asserts(NoTrackingCookies) && (!k.Essential || k.Party == ThirdParty || k.Kind == Pixel) {
			refuse(at, "must not be there: assertions.no_tracking_cookies says that no cookie tracks anybody; one that is essential and first-party does not")
		}
		if p.Asserts(NoFirstPartyCookies) && k.Kind == HTTPCookie && k.Party == FirstParty {
			refuse(at, "must not be there: assertions.no_first_party_cookies says that we set none")
		}
	}
}
