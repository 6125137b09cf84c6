package policy_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"rightsdesk/shared/law"
	"rightsdesk/shared/policy"
)

func TestWhatIsSaidAboutChoicesIsRead(t *testing.T) {
	t.Parallel()
	p := parse(t, read(t, "testdata/whole.yaml"))
	news := policy.Consent{
		Purpose: "news", Label: policy.Text{"en": "News", "fr": "Nouvelles"}, Wording: policy.Text{"en": "Send me news.", "fr": "Envoyez-moi les nouvelles."},
		Edition: 2, Default: policy.On, Ground: policy.ExistingCustomer, AskFirst: true, Expires: policy.Period{Months: 18}, Mail: true, Marketing: true,
		// The last two follow from marketing; the file does not name them.
		StoppedBy: []policy.Stop{policy.SensitiveLimit, policy.MarketingOptOut, policy.Objected},
	}
	if got, ok := p.Consent("news"); !ok || !reflect.DeepEqual(got, news) {
		t.Errorf("news are %+v, want %+v", got, news)
	}
	if c, _ := p.Consent("safety"); !c.Required || c.Loss.In("fr") != "Vous ne pouvez pas vous connecter." || c.Edition != 1 || c.Default != policy.Off {
		t.Errorf("safety is %+v", c)
	}
	if c, _ := p.Consent("audience"); !c.DoubleOptIn || c.Marketing || !slices.Equal(c.StoppedBy, []policy.Stop{policy.SaleOptOut, policy.GPC}) {
		t.Errorf("the audience is %+v", c)
	}
	if c, _ := p.Consent("recordings"); !c.Explicit || !c.PerAct || c.StoppedBy != nil || !c.Expires.IsZero() {
		t.Errorf("recordings are %+v", c)
	}
	if _, ok := p.Consent("notices"); ok || len(p.Consents) != 4 {
		t.Errorf("what is always sent is a choice: %+v", p.Consents)
	}
	if u, ok := p.Purpose("notices"); !ok || !u.AlwaysSent {
		t.Errorf("notices are %+v", u)
	}
	if u, _ := p.Purpose("news"); u.AlwaysSent {
		t.Error("news are always sent")
	}
	if _, ok := p.Purpose("nothing"); ok {
		t.Error("a purpose that does not exist was found")
	}
	if want := (policy.Signals{GPC: policy.Honoured, DNT: policy.Ignored, OnConflict: policy.SignalWins, Updated: "2026-04-01"}); p.Signals != want {
		t.Errorf("signals are %+v, want %+v", p.Signals, want)
	}
	choices := []policy.Elsewhere{
		{
			ID: "advertising", Text: policy.Text{"en": "Advertisements", "fr": "Publicités"}, PerformedBy: policy.ByAnalyticsProvider,
			Link:        policy.Link{Text: policy.Text{"en": "Their settings", "fr": "Leurs réglages"}, URL: "https://analytics.example.net/settings"},
			Consequence: policy.Text{"en": "Others are shown.", "fr": "D'autres sont affichées."}, Purpose: "audience",
		},
		{ID: "switch", Text: policy.Text{"en": "Our news", "fr": "Nos nouvelles"}, PerformedBy: policy.ByUs, Purpose: "news"},
	}
	if !reflect.DeepEqual(p.Choices, choices) {
		t.Errorf("choices are %+v, want %+v", p.Choices, choices)
	}
	cookies := []policy.Cookie{
		{
			ID: "session", Name: "sid", Kind: policy.HTTPCookie, Party: policy.FirstParty, Essential: true, Purpose: "safety",
			Lifetime: policy.Text{"en": "Until you leave", "fr": "Jusqu'à votre départ"}, ControlledBy: policy.ByBrowser,
			Loss: policy.Text{"en": "You cannot sign in.", "fr": "Vous ne pouvez pas vous connecter."},
		},
		{
			ID: "counter", Name: "_count", Kind: policy.Pixel, Party: policy.ThirdParty, Purpose: "audience",
			Lifetime: policy.Text{"en": "A year", "fr": "Un an"}, ControlledBy: policy.ByUs,
		},
	}
	if !reflect.DeepEqual(p.Cookies, cookies) {
		t.Errorf("cookies are %+v, want %+v", p.Cookies, cookies)
	}
	web := policy.App{ID: "web", Label: policy.Text{"en": "The site", "fr": "Le site"}, Secret: "secret:web-app", May: []policy.Grant{policy.MayConsents, policy.MayDecisions}}
	if got, ok := p.App("web"); !ok || !reflect.DeepEqual(got, web) {
		t.Errorf("the app is %+v, want %+v", got, web)
	}
	if _, ok := p.App("ghost"); ok {
		t.Error("an app that does not exist was found")
	}
	if want := []string{"https://page.whole.example.com", "http://127.0.0.1:8081"}; !slices.Equal(p.Browsers.Origins, want) {
		t.Errorf("origins are %v, want %v", p.Browsers.Origins, want)
	}
	if s, _ := p.Source("shop"); !slices.Equal(s.Hears, []policy.Right{policy.OptOutSale, policy.WithdrawConsent}) {
		t.Errorf("the shop hears %v", s.Hears)
	}
}

func TestAWordingIsAsLongAsAnybodyReads(t *testing.T) {
	t.Parallel()
	whole := read(t, "testdata/whole.yaml")
	parse(t, edited(t, whole, "en: Send me news.", "en: "+strings.Repeat("é", 4000)))
	refused(t, edited(t, whole, "en: Send me news.", "en: "+strings.Repeat("é", 4001)), "consents.news.wording.en", "4000 characters")
}

func TestASilentFilePromisesNothingAboutChoices(t *testing.T) {
	t.Parallel()
	p := parse(t, read(t, "testdata/smallest.yaml"))
	want := policy.Signals{GPC: policy.Unstated, DNT: policy.Unstated, OnConflict: policy.AskAgain, Updated: "2026-05-01"}
	if p.Signals != want || p.Consents != nil || p.Choices != nil || p.Cookies != nil || p.Apps != nil || p.Browsers.Origins != nil {
		t.Errorf("signals are %+v; %v, %v, %v, %v, %v", p.Signals, p.Consents, p.Choices, p.Cookies, p.Apps, p.Browsers)
	}
	// The day of the document is the day of the signals, whatever the hour.
	p = parse(t, edited(t, read(t, "testdata/smallest.yaml"), "  updated: 2026-05-01\n", "  updated: 2026-05-02T23:30:00-05:00\n"))
	if p.Signals.Updated != "2026-05-02" {
		t.Errorf("signals were updated on %s", p.Signals.Updated)
	}
}

func TestWhatPeopleAreAskedIsPublishedToTheLetter(t *testing.T) {
	t.Parallel()
	p := parse(t, read(t, "testdata/whole.yaml"))
	for language, wording := range map[string]string{"en": "Send me news.", "fr": "Envoyez-moi les nouvelles."} {
		sum := sha256.Sum256([]byte(wording))
		pub := p.Published(language)
		got := pub.Consents[1]
		if got.Purpose != "news" || got.Wording != wording || got.Hash != hex.EncodeToString(sum[:]) || got.Hash != policy.WordingHash(wording) ||
			got.Edition != 2 || got.Expires.String() != "18mo" || len(got.StoppedBy) != 3 || !got.Marketing || !got.Mail || !got.AskFirst ||
			got.Default != policy.On || got.Ground != policy.ExistingCustomer || got.Text == "" {
			t.Errorf("in %s, news are published as %+v", language, got)
		}
		if first := pub.Consents[0]; !first.Required || first.Loss == "" || first.Expires != nil {
			t.Errorf("in %s, what cannot be refused is published as %+v", language, first)
		}
		if c := pub.Choices[0]; c.PerformedBy != policy.ByAnalyticsProvider || c.Link == nil || c.Link.URL != "https://analytics.example.net/settings" || c.Consequence == "" {
			t.Errorf("in %s, who performs a choice is published as %+v", language, c)
		}
		if c := pub.Choices[1]; c.Link != nil || c.Purpose != "news" {
			t.Errorf("in %s, a switch of ours is published as %+v", language, c)
		}
		if k := pub.Cookies[0]; !k.Essential || k.Loss == "" || k.Purpose == "safety" {
			t.Errorf("in %s, a cookie is published as %+v", language, k)
		}
		if pub.Signals != policy.SignalsView(p.Signals) {
			t.Errorf("in %s, signals are published as %+v", language, pub.Signals)
		}
	}
	// Whoever says nothing of these publishes that there is nothing, not null.
	out, err := json.Marshal(parse(t, read(t, "testdata/smallest.yaml")).Published("en"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"consents":[]`, `"choices":[]`, `"cookies":[]`, `"signals":{"gpc":"unstated"`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%s is not published", want)
		}
	}
}

func TestADefaultIsOnOnlyWhereALawOfTheFileLetsItBe(t *testing.T) {
	t.Parallel()
	whole := read(t, "testdata/whole.yaml") // under eu-gdpr and us-ca-ccpa
	ground := func(g string) []byte { return edited(t, whole, "ground: existing_customer", "ground: "+g) }
	parse(t, ground("no_consent_needed")) // in California; in the EEA it is off

	europe := edited(t, ground("no_consent_needed"), "  us-ca-ccpa: {applies_to: [US-CA]}\n", "")
	refused(t, europe, "consents.news.ground", "none knows this one")
	parse(t, edited(t, europe, "ground: no_consent_needed", "ground: existing_customer"))

	// Consent that nobody gave is none, under the GDPR; elsewhere it can be implied.
	const bases = "    bases: [consent, legitimate_interests]\n    interest: {en: To be heard, fr: Être entendus}\n"
	alone := edited(t, whole, bases, "    bases: [consent]\n")
	refused(t, alone, "consents.news.default", "silence is no consent")
	parse(t, edited(t, alone, "  eu-gdpr: {applies_to: [EEA], trigger: located_in}\n", ""))
}

func TestLegitimateInterestsAreForWhatNobodyIsSent(t *testing.T) {
	t.Parallel()
	interests := edited(t, read(t, "testdata/whole.yaml"), "ground: existing_customer", "ground: legitimate_interests")
	refused(t, interests, "consents.news.ground", "must not be legitimate_interests for a mailing list")
	interests = edited(t, interests, "    mail: true\n    marketing: true\n    stopped_by: [limit_sensitive]\n", "    stopped_by: [limit_sensitive]\n")
	p := parse(t, interests)
	if c, _ := p.Consent("news"); !c.StoppedByIt(policy.Objected) || c.StoppedByIt(policy.MarketingOptOut) {
		t.Errorf("what rests on legitimate interests is stopped by %v, want an objection", c.StoppedBy)
	}
	refused(t, edited(t, interests, "bases: [consent, legitimate_interests]\n    interest: {en: To be heard, fr: Être entendus}\n", "bases: [consent, contract]\n"),
		"consents.news.ground", "purposes.news.bases does not name it")
	refused(t, edited(t, interests, "party: third, purpose: audience,", "party: third, purpose: news,"), "consents.news.ground", "Article 5(3)")
}

// A ground that the law knows can be written into a file.
func TestTheLawsKnowTheGroundsByTheNamesOfTheFile(t *testing.T) {
	t.Parallel()
	for _, ground := range law.Defaults {
		file := edited(t, read(t, "testdata/whole.yaml"), "ground: existing_customer", "ground: "+ground)
		if _, err := policy.Parse(file); err != nil && strings.Contains(err.Error(), "consents.news.ground: must be one of") {
			t.Errorf("the law knows %s, a file does not: %v", ground, err)
		}
	}
}

func TestASignalThatALawMakesAnOptOutIsNotIgnored(t *testing.T) {
	t.Parallel()
	whole := read(t, "testdata/whole.yaml")
	const signals, audience = "signals: {gpc: honoured, dnt: ignored, on_conflict: signal_wins, updated: 2026-04-01}\n", "    stopped_by: [opt_out_sale, gpc]\n"
	unheard := func(with string) []byte {
		return edited(t, edited(t, whole, audience, "    stopped_by: [opt_out_sale]\n"), signals, with)
	}
	refused(t, unheard("signals: {gpc: ignored}\n"), "signals.gpc", "us-ca-ccpa (11 CCR § 7025(b)-(c))")
	refused(t, edited(t, whole, "on_conflict: signal_wins", "on_conflict: consent_wins"), "signals.on_conflict", "us-ca-ccpa (11 CCR § 7025(b)-(c))")
	parse(t, edited(t, whole, "on_conflict: signal_wins", "on_conflict: ask"))
	parse(t, unheard("")) // nothing is for value: nothing need be said

	// Where no law says so a company may ignore it, as long as it says so.
	europe := func(file []byte) []byte { return edited(t, file, "  us-ca-ccpa: {applies_to: [US-CA]}\n", "") }
	parse(t, europe(unheard("signals: {gpc: ignored, on_conflict: consent_wins}\n")))

	// What is for value takes more: the law's signal, and an opt-out by hand.
	sold := func(file []byte) []byte {
		file = edited(t, file, "    at_user_direction: false\n    for_value: false\n", "    at_user_direction: false\n    for_value: true\n")
		return edited(t, edited(t, file, "  never_sold: [was, is, will]\n", ""), "  not_a_data_broker: [is]\n", "")
	}
	parse(t, sold(whole))
	refused(t, sold(unheard("")), "signals.gpc", "must be honoured under us-ca-ccpa")
	parse(t, europe(sold(unheard(""))))
}

func TestASaleEndsWhenThePersonOptsOutOfIt(t *testing.T) {
	t.Parallel()
	whole := edited(t, read(t, "testdata/whole.yaml"), "  never_sold: [was, is, will]\n", "")
	const audience = "    bases: [consent]\n    categories: [account]\n  recordings:\n"
	sold := edited(t, whole, audience, "    bases: [consent]\n    categories: [account]\n    for_value: true\n  recordings:\n")
	parse(t, sold)
	const stops = "    stopped_by: [opt_out_sale, gpc]\n"
	refused(t, edited(t, sold, stops, "    stopped_by: [gpc]\n"), "consents.audience.stopped_by", "must have opt_out_sale")
	refused(t, edited(t, sold, stops, ""), "consents.audience.stopped_by", "must have opt_out_sale")
	refused(t, edited(t, sold, stops, "    stopped_by: [opt_out_sale]\n"), "consents.audience.stopped_by", "must have gpc under us-ca-ccpa")
	parse(t, edited(t, edited(t, sold, stops, "    stopped_by: [opt_out_sale]\n"), "  us-ca-ccpa: {applies_to: [US-CA]}\n", ""))
	refused(t, edited(t, whole, "    for_value: false\n  safety:\n", "    for_value: true\n  safety:\n"), "purposes.service.for_value", "needs an entry consents.service")
}

func TestCookiesBearOutWhatIsAsserted(t *testing.T) {
	t.Parallel()
	whole := read(t, "testdata/whole.yaml") // one essential cookie of its own, one pixel of somebody else's
	tracking := edited(t, whole, "  no_tracking_cookies: [was]\n", "  no_tracking_cookies: [is]\n")
	refused(t, tracking, "cookies.counter", "no_tracking_cookies")
	const counter = "  counter: {name: _count, kind: pixel, party: third, purpose: audience, lifetime: {en: A year, fr: Un an}, controlled_by: us}\n"
	without := edited(t, tracking, counter, "")
	parse(t, without)
	for _, tt := range [][2]string{{"    kind: cookie\n", "    kind: pixel\n"}, {"    party: first\n", "    party: third\n"}} {
		refused(t, edited(t, without, tt[0], tt[1]), "cookies.session", "no_tracking_cookies")
	}
	own := edited(t, whole, "  no_first_party_cookies: [was]\n", "  no_first_party_cookies: [will]\n")
	refused(t, own, "cookies.session", "no_first_party_cookies")
	parse(t, edited(t, own, "    kind: cookie\n", "    kind: local_storage\n"))
	parse(t, edited(t, own, "    party: first\n", "    party: third\n"))
}

func TestAnOriginStandsAsBrowsersSendIt(t *testing.T) {
	t.Parallel()
	whole := read(t, "testdata/whole.yaml")
	for origin, want := range map[string]bool{
		"https://example.com": true, "https://a-b.example.com:8443": true, "http://localhost:3000": true, "http://localhost": true, "http://[::1]:3000": true,
		"https://example.com/": false, "https://example.com?": false, "https://example.com#": false, "https://EXAMPLE.com": false, "HTTPS://example.com": false,
		"https://example.com:443": false, "http://127.0.0.1:80": false, "https://example.com:": false, "https://user@example.com": false,
		"https://*.example.com": false, "null": false, "http://example.com": false, "ftp://example.com": false, "//example.com": false, "https://": false,
	} {
		_, err := policy.Parse(edited(t, whole, "https://page.whole.example.com", origin))
		if (err == nil) != want {
			t.Errorf("%s is an origin: %v, want %v", origin, err == nil, want)
		}
	}
}
