package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/policy"
	"rightsdesk/shared/topology"
)

// The promises about choices: who may be written to, what may be shown and
// counted, what ends that, and that it ends at once.

// rightTo asks for a right that is a choice, as anybody can, and returns its id.
func (w *profiled) rightTo(right, email, place string) string {
	w.t.Helper()
	return w.ask(right, email, livesIn(place))
}

func TestSP_02_CaliforniansOptOutAndAreServedNoWorse(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "serverless-vendor")
	who := byMail(kim)
	w.choose(who, "campaigns", "granted", lives("US-CA"))
	w.may(true, "consent", who, "campaigns")
	before := w.decide(who, "service")

	// No proof, no account, no delay: the answer is the opt-out.
	id := w.rightTo("opt_out_sale", kim, "US-CA")
	w.may(false, "opt_out_sale", who, "campaigns")
	if after := w.decide(who, "service"); after.May != before.May || after.Why != before.Why || !after.May {
		t.Errorf("whoever opted out of sale is served as %+v, before as %+v", after, before)
	}
	w.reach(id, w.verify(id, kim), "fulfilled") // only to look at it

	// Know and delete are theirs as well.
	for _, right := range []string{"know", "erasure"} {
		other := right + "@example.org"
		w.verify(w.ask(right, other, livesIn("US-CA")), other)
	}
	// Opting out twice changes nothing, and asks nothing.
	w.rightTo("opt_out_sale", kim, "US-CA")
	if got := w.look(who).Stops; got["opt_out_sale"] == nil {
		t.Errorf("their own page shows the stops %v", got)
	}
}

func TestSP_06_MarketingEndsOnEveryChannelAndNoticesGoOn(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "serverless-vendor")
	mail, phone := byMail(kim), subject{"phone", "+33 1 23 45 67 89"}
	w.appMust(http.StatusOK, "POST", "/v1/app/links", map[string]any{"subjects": []subject{account("kim-1"), mail}})
	w.appMust(http.StatusOK, "POST", "/v1/app/links", map[string]any{"subjects": []subject{account("kim-1"), phone}})
	w.choose(mail, "marketing", "granted", lives("FR"))

	d := w.may(true, "consent", mail, "marketing")
	w.may(true, "consent", phone, "marketing")
	link := bracketed(t, d)
	if d.Headers["List-Unsubscribe-Post"] != oneClick {
		t.Errorf("the headers are %v", d.Headers)
	}
	// By the message's own instructions. The person is one, whichever way they are reached.
	if a := w.press(link, oneClick); a.Status != http.StatusOK {
		t.Fatalf("one click answers %d %s", a.Status, a.Body)
	}
	for _, who := range []subject{mail, phone, account("kim-1")} {
		w.may(false, "withdrawn", who, "marketing")
	}
	// Or by telling the company.
	grace := byMail("grace@example.net")
	w.choose(grace, "marketing", "granted", lives("FR"))
	w.choose(grace, "campaigns", "granted", lives("FR"))
	w.must(http.StatusOK, "POST", "/v1/preferences", map[string]any{"stops": map[string]bool{"marketing_opt_out": true}}, bearerOf(w.preferences(grace)))
	for _, purpose := range []string{"marketing", "segments", "campaigns"} {
		w.may(false, "marketing_opt_out", grace, purpose)
	}
	for _, who := range []subject{mail, grace} {
		for _, purpose := range []string{"account_mail", "payment_verification", "legal_notices"} {
			w.may(true, "always_sent", who, purpose)
		}
	}
}

func TestSP_17_DoNotTrackChangesNothingAndGPCDoes(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "serverless-vendor")
	var published struct {
		GPC        bool
		LastUpdate string
	}
	a := w.must(http.StatusOK, "GET", "/.well-known/gpc.json", nil)
	a.into(t, &published)
	if !published.GPC || published.LastUpdate != "2026-05-04" || !strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") {
		t.Errorf("gpc.json says %s", a.Body)
	}
	grant := func(visitor string, headers ...header) captured {
		t.Helper()
		b := w.choice(subject{"anonymous", visitor}, "campaigns", "granted")
		if visitor == "" {
			delete(b, "subject")
		}
		var c captured
		w.must(http.StatusCreated, "POST", "/v1/consents", b, headers...).into(t, &c)
		return c
	}
	decide := func(visitor string, headers ...header) decided {
		t.Helper()
		var d struct{ Decisions []decided }
		w.must(http.StatusOK, "POST", "/v1/decisions", map[string]any{"subject": subject{"anonymous", visitor}, "purposes": []string{"campaigns"}}, headers...).into(t, &d)
		return d.Decisions[0]
	}
	visitor := grant("").Visitor
	if d := decide(visitor, header{"DNT", "1"}); !d.May {
		t.Errorf("DNT changed the answer to %+v", d)
	}
	w.pass(time.Minute) // a signal stops what was agreed to before it
	for _, value := range []string{"0", "true", "11", "yes", ""} {
		if d := decide(visitor, header{"Sec-GPC", value}); !d.May {
			t.Errorf("Sec-GPC: %q counts: %+v", value, d)
		}
	}
	if d := decide(visitor, header{"Sec-GPC", "1"}); d.May || d.Why != "gpc" || !d.Ask {
		t.Errorf("with Sec-GPC: 1 the answer is %+v", d)
	}
	if d := decide(visitor); !d.May {
		t.Errorf("a visit that did not record the signal left %+v", d)
	}
	// Recorded, it holds; bound to the account once that is known; and shown back.
	var c captured
	w.must(http.StatusOK, "POST", "/v1/signals", map[string]any{"subject": subject{"anonymous", visitor}}, header{"Sec-GPC", "1"}).into(t, &c)
	if !slices.Equal(c.Honoured, []string{"gpc"}) {
		t.Errorf("the signal is answered with %+v", c)
	}
	if d := decide(visitor); d.May || d.Why != "gpc" {
		t.Errorf("after the signal was recorded: %+v", d)
	}
	w.appMust(http.StatusOK, "POST", "/v1/app/links", map[string]any{"subjects": []subject{account("kim-2"), {"anonymous", visitor}}})
	w.may(false, "gpc", account("kim-2"), "campaigns")
	o := w.look(account("kim-2"))
	if !slices.Contains(o.Honoured, "gpc") {
		t.Errorf("their own page honours %v", o.Honoured)
	}
	page := w.must(http.StatusOK, "GET", "/p/"+w.preferences(account("kim-2")), nil)
	if !strings.Contains(string(page.Body), "Opt-out request honoured") {
		t.Error("the page does not say that the opt-out request is honoured")
	}
}

func TestSP_20_NoRouteSetsACookie(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "serverless-vendor")
	if !w.policy.Asserts("no_first_party_cookies") || !w.policy.Asserts("no_tracking_cookies") {
		t.Error("the profile does not say that no cookie is set")
	}
	b := w.choice(subject{}, "campaigns", "granted")
	delete(b, "subject")
	var c captured
	w.must(http.StatusCreated, "POST", "/v1/consents", b).into(t, &c)
	visitor := c.Visitor
	id := w.ask("access", kim, livesIn("FR"))
	session := w.verify(id, kim)
	token := w.preferences(byMail(kim))
	w.choose(byMail(kim), "marketing", "granted", lives("FR"))
	unsubscribe, err := url.Parse(bracketed(t, w.decide(byMail(kim), "marketing")))
	if err != nil {
		t.Fatal(err)
	}
	paths := strings.NewReplacer("{id}", id, "/p/{token}", "/p/"+token, "/r/{token}", "/r/"+session, "/u/{token}", unsubscribe.Path, "{hash}", w.wording("marketing", "en"))
	n := 0
	for _, fn := range topology.All {
		for _, r := range fn.Routes {
			if r.Caller == topology.Operator {
				continue
			}
			bearer := session
			if strings.Contains(r.Pattern, "preferences") {
				bearer = token
			}
			body, headers := "{}", []header{bearerOf(bearer)}
			if r.Caller == topology.Browser {
				headers = []header{{"Sec-GPC", "1"}}
				raw, _ := json.Marshal(map[string]any{"subject": subject{"anonymous", visitor}, "purposes": []string{"campaigns"}})
				body = string(raw)
			}
			if r.Caller == topology.Anyone && r.Path() == "/v1/requests" {
				body = `{"right":"access","residence":"FR","person":{"email":"cookie@example.org"}}`
			}
			if strings.HasPrefix(r.Path(), "/u/") || r.Path() == "/choices" {
				body, headers = oneClick, []header{{"Content-Type", "application/x-www-form-urlencoded"}}
			}
			a := w.call(r.Method(), paths.Replace(r.Path()), body, append(headers, header{"Cookie", "old=1"})...)
			if c := a.Header.Values("Set-Cookie"); len(c) > 0 {
				t.Errorf("%s sets %v", r.Pattern, c)
			}
			if a.Status >= 500 {
				t.Errorf("%s answers %d %s", r.Pattern, a.Status, a.Body)
			}
			n++
		}
	}
	if n < 40 {
		t.Errorf("%d routes were called", n)
	}
	script := w.must(http.StatusOK, "GET", "/choices.js", nil)
	if strings.Contains(string(script.Body), "document.cookie") {
		t.Error("the snippet knows cookies")
	}
	// A policy that says so and declares one is refused.
	said := "  no_first_party_cookies: [is]"
	file, _ := policy.Profile("serverless-vendor")
	if !strings.Contains(string(file), said) {
		t.Fatalf("the profile has no line %q", said)
	}
	bad := strings.Replace(string(file), "\nassertions:", "\ncookies:\n  sneaky: {name: s, kind: cookie, party: first, essential: true, purpose: service, lifetime: A day, controlled_by: us, loss: Nothing.}\n\nassertions:", 1)
	if _, err := policy.Parse([]byte(bad)); err == nil || !strings.Contains(err.Error(), "cookies.sneaky") {
		t.Errorf("a first-party cookie beside the assertion: %v", err)
	}
}

func TestSP_28_HashedAddressesForCampaignsEndWithAnyOptOut(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "serverless-vendor")
	var p struct {
		Purposes   []struct{ ID string }
		Recipients []struct{ ID, Class string }
	}
	w.must(http.StatusOK, "GET", "/v1/policy", nil).into(t, &p)
	declared := slices.ContainsFunc(p.Purposes, func(u struct{ ID string }) bool { return u.ID == "campaigns" }) &&
		slices.ContainsFunc(p.Recipients, func(r struct{ ID, Class string }) bool { return r.Class == "advertising" })
	if !declared {
		t.Error("campaigns, or who gets the addresses, are not published")
	}
	for end, with := range map[string]func(email string){
		"marketing_opt_out": func(email string) {
			w.must(http.StatusOK, "POST", "/v1/preferences", map[string]any{"stops": map[string]bool{"marketing_opt_out": true}}, bearerOf(w.preferences(byMail(email))))
		},
		"objection": func(email string) { w.verify(w.ask("objection", email, livesIn("FR")), email) },
		"opt_out_sale": func(email string) {
			w.rightTo("opt_out_sale", email, "US-CA")
		},
	} {
		email := end + "@example.org"
		w.may(false, "not_asked", byMail(email), "campaigns")
		w.choose(byMail(email), "campaigns", "granted")
		w.may(true, "consent", byMail(email), "campaigns")
		with(email)
		if d := w.decide(byMail(email), "campaigns"); d.May || d.Why != end && end != "objection" {
			t.Errorf("after %s: %+v", end, d)
		}
	}
}

func TestSP_32_PredictionsAndSegmentsAreShownAndEndWithAnObjection(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "serverless-vendor")
	who := byMail(kim)
	for _, purpose := range []string{"segments", "retention_predictions"} {
		w.may(true, "default", who, purpose, lives("FR"))
	}
	// Access answers show both: the inference, and the purpose.
	asked := w.ask("access", kim, livesIn("FR"))
	_, token := w.answered(asked, kim)
	_, files := w.unpack(asked, token)
	shown := strings.Join(slices.Collect(maps.Values(files)), "\n")
	for _, want := range []string{"Predictions", "groups", "predict"} {
		if !strings.Contains(shown, want) {
			t.Errorf("the answer does not show %q", want)
		}
	}
	id := w.ask("objection", kim, livesIn("FR"))
	for _, purpose := range []string{"segments", "retention_predictions"} {
		w.may(true, "default", who, purpose, lives("FR")) // nobody has shown yet that it is them
	}
	session := w.verify(id, kim)
	if d := w.decide(who, "segments", lives("FR")); d.May {
		t.Errorf("after the objection segments go on: %+v", d)
	}
	w.may(false, "objection", who, "retention_predictions", lives("FR"))
	w.may(true, "legal_basis", who, "service")
	// Compelling grounds let predictions go on. Direct marketing has none (Article 21(3)).
	w.must(http.StatusOK, "POST", "/v1/operator/requests/"+id+"/deny", map[string]string{"reason": "compelling_grounds"}, w.operator())
	w.reach(id, session, "denied")
	w.may(true, "default", who, "retention_predictions", lives("FR"))
	w.may(false, "marketing_opt_out", who, "segments", lives("FR"))
}

func TestPT_05_NewsletterByPermissionSurveysByOneOptOutUpdatesAlways(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "server-automation")
	who := byMail(kim)
	w.may(false, "not_asked", who, "news", lives("DE"))
	if c := w.choose(who, "news", "granted", lives("DE")); !c.Records[0].Pending {
		t.Errorf("the newsletter counts before the button: %+v", c)
	}
	w.may(false, "unconfirmed", who, "news")
	w.confirm(kim)
	d := w.may(true, "consent", who, "news")
	if a := w.press(bracketed(t, d), oneClick); a.Status != http.StatusOK {
		t.Fatalf("one click answers %d", a.Status)
	}
	w.may(false, "withdrawn", who, "news")

	grace := byMail("grace@example.net")
	d = w.may(true, "default", grace, "surveys", lives("DE"))
	if a := w.press(bracketed(t, d), oneClick); a.Status != http.StatusOK {
		t.Fatalf("one click answers %d", a.Status)
	}
	w.may(false, "withdrawn", grace, "surveys", lives("DE"))

	w.may(false, "not_asked", grace, "name_in_marketing")
	for _, method := range []string{"preticked", "continued_use"} {
		if code, said := w.app("POST", "/v1/consents", w.choice(grace, "name_in_marketing", "granted", by(method)), "").problem(t); code != "invalid_input" || !strings.Contains(said, "/method") {
			t.Errorf("%s is answered %s: %s", method, code, said)
		}
	}
	w.choose(grace, "name_in_marketing", "granted", by("written"))
	w.may(true, "consent", grace, "name_in_marketing")

	for _, s := range []subject{who, grace} {
		w.must(http.StatusOK, "POST", "/v1/preferences", map[string]any{"withdraw_all": true}, bearerOf(w.preferences(s)))
		w.may(true, "always_sent", s, "product_updates")
	}
	w.may(false, "withdrawn", grace, "name_in_marketing")
}

func TestPT_09_AnInterviewIsRecordedWithExplicitConsentForThatRecording(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "server-automation")
	who := byMail(kim)
	w.may(false, "act_needed", who, "interview_recording")
	w.may(false, "not_asked", who, "interview_recording/2026-06-01-a")
	if code, said := w.app("POST", "/v1/consents", w.choice(who, "interview_recording", "granted"), "").problem(t); code != "invalid_input" || !strings.Contains(said, "/act") {
		t.Errorf("a consent to no recording in particular is answered %s: %s", code, said)
	}
	for _, method := range []string{"import", "preticked", "continued_use"} {
		a := w.app("POST", "/v1/consents", w.choice(who, "interview_recording", "granted", act("2026-06-01-a"), by(method)), "")
		if a.Status != http.StatusBadRequest {
			t.Errorf("by %s it is taken: %d %s", method, a.Status, a.Body)
		}
	}
	w.choose(who, "interview_recording", "granted", act("2026-06-01-a"), by("spoken"))
	w.may(true, "consent", who, "interview_recording/2026-06-01-a")
	w.may(false, "not_asked", who, "interview_recording/2026-06-02-b")
	w.choose(who, "interview_recording", "withdrawn", act("2026-06-01-a"))
	w.may(false, "withdrawn", who, "interview_recording/2026-06-01-a")
}

func TestPT_17_CookiesAreTheBrowsersToBlockAndOursToSwitchOff(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "server-automation")
	var p struct {
		Cookies []struct {
			ID, Party, Purpose, Loss string
			ControlledBy             string `json:"controlled_by"`
		}
		Choices []struct {
			PerformedBy string `json:"performed_by"`
		}
	}
	w.must(http.StatusOK, "GET", "/v1/policy", nil).into(t, &p)
	parties := map[string]bool{}
	for _, c := range p.Cookies {
		parties[c.Party] = true
		if c.ControlledBy != "browser" || c.Loss == "" {
			t.Errorf("the cookie %+v does not say that the browser blocks it, or what is lost then", c)
		}
	}
	if len(p.Cookies) < 4 || !parties["first"] || !parties["third"] || !slices.ContainsFunc(p.Choices, func(c struct {
		PerformedBy string `json:"performed_by"`
	},
	) bool {
		return c.PerformedBy == "browser"
	}) {
		t.Errorf("published are %d cookies of %v", len(p.Cookies), parties)
	}
	// Our own switch: without an answer none, and the answer is kept.
	page := w.must(http.StatusOK, "GET", "/policy", nil)
	for _, want := range []string{"automation_session", "_visits", "Our sites forget your settings"} {
		if !strings.Contains(string(page.Body), want) {
			t.Errorf("the policy page does not show %q", want)
		}
	}
	var c captured
	b := w.choice(subject{}, "site_preferences", "granted")
	delete(b, "subject")
	b["choices"] = []chosen{
		{Purpose: "site_preferences", Choice: "granted", Wording: w.wording("site_preferences", "en")},
		{Purpose: "site_analytics", Choice: "denied"},
		{Purpose: "ab_testing", Choice: "denied"},
	}
	w.must(http.StatusCreated, "POST", "/v1/consents", b).into(t, &c)
	visitor := subject{"anonymous", c.Visitor}
	w.may(true, "consent", visitor, "site_preferences")
	w.may(false, "denied", visitor, "site_analytics")
	w.may(false, "denied", visitor, "ab_testing")
	w.may(true, "essential", visitor, "site_state")
	w.pass(300 * 24 * time.Hour)
	w.may(false, "denied", visitor, "site_analytics")
}

func TestPS_12_EssentialCookiesAreToldApartAndUseIsNoConsent(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "cloud-platform")
	var offered struct {
		Purposes []struct {
			Purpose, Loss string
			Required      bool
		}
	}
	w.must(http.StatusOK, "GET", "/v1/choices?residence=FR&lang=en", nil).into(t, &offered)
	required := map[string]string{}
	for _, p := range offered.Purposes {
		if p.Required {
			required[p.Purpose] = p.Loss
		}
	}
	if len(required) != 1 || !strings.Contains(required["essential_cookies"], "cannot sign in") {
		t.Errorf("essential are %v", required)
	}
	who := account("acc-12")
	code, said := w.app("POST", "/v1/consents", w.choice(who, "essential_cookies", "denied"), "").problem(t)
	if code != "invalid_input" || !strings.Contains(said, "cannot sign in") {
		t.Errorf("refusing what is essential is answered %s: %s", code, said)
	}
	w.may(true, "essential", who, "essential_cookies")

	// "By using our site, you consent" is no consent where opt-in is the rule, and is
	// not stored as one. Where an opt-out is all that the law asks for, the default says so.
	a := w.app("POST", "/v1/consents", w.choice(who, "site_analytics", "granted", by("continued_use"), lives("FR")), "")
	if code, said := a.problem(t); a.Status != http.StatusBadRequest || code != "invalid_input" || !strings.Contains(said, "/method") {
		t.Errorf("continued use is answered %d %s: %s", a.Status, code, said)
	}
	w.may(false, "not_asked", who, "site_analytics", lives("FR"))
	w.may(false, "not_asked", who, "site_analytics") // nobody knows where they are
	w.may(true, "default", who, "site_analytics", lives("US-CA"))
	if got := w.look(who).history("site_analytics"); len(got) != 0 {
		t.Errorf("the history of somebody who chose nothing is %v", got)
	}
	w.choose(who, "site_analytics", "denied", lives("US-CA"))
	w.may(false, "denied", who, "site_analytics", lives("US-CA"))
}

func TestPS_13_APublicProfileIsTheirOwnOptInAndReversible(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "cloud-platform")
	who := account("acc-13")
	for _, place := range []string{"US-CA", "US", "FR", ""} {
		w.may(false, "not_asked", who, "public_profile", lives(place))
	}
	if a := w.app("POST", "/v1/consents", w.choice(who, "public_profile", "granted", by("preticked"), lives("US-CA")), ""); a.Status != http.StatusBadRequest {
		t.Errorf("a ticked box opens the profile: %d %s", a.Status, a.Body)
	}
	token := w.preferences(who)
	flip := func(choice string) {
		t.Helper()
		one := chosen{Purpose: "public_profile", Choice: choice}
		if choice == "granted" {
			one.Wording = w.wording("public_profile", "en")
		}
		w.must(http.StatusOK, "POST", "/v1/preferences", map[string]any{"choices": []chosen{one}}, bearerOf(token))
	}
	flip("granted")
	w.may(true, "consent", who, "public_profile")
	flip("withdrawn")
	w.may(false, "withdrawn", who, "public_profile")
	flip("granted")
	w.may(true, "consent", who, "public_profile")
	if got := w.look(who).history("public_profile"); !slices.Equal(got, []string{"granted", "withdrawn", "granted"}) {
		t.Errorf("the history is %v", got)
	}
}

func TestSB_07_NoticesReachEverybodyAndMarketingOnlyWhoConsented(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "paas-canada")
	always := func(who subject) {
		t.Helper()
		for _, purpose := range []string{"system_alerts", "terms_changes", "breach_notices"} {
			w.may(true, "always_sent", who, purpose)
		}
	}
	for i, place := range []string{"CA-ON", "CA-QC", "US", ""} {
		who := byMail(strings.ToLower("p" + string(rune('a'+i)) + "@example.org"))
		w.may(false, "not_asked", who, "marketing", lives(place))
		always(who)
		w.choose(who, "marketing", "granted", lives(place))
		w.may(true, "consent", who, "marketing")
		w.choose(who, "marketing", "withdrawn")
		w.may(false, "withdrawn", who, "marketing")
		always(who)
	}
	// Neither an opt-out of everything nor a complaint keeps a notice back.
	w.must(http.StatusOK, "POST", "/v1/preferences", map[string]any{
		"withdraw_all": true, "stops": map[string]bool{"marketing_opt_out": true},
	}, bearerOf(w.preferences(byMail("pa@example.org"))))
	always(byMail("pa@example.org"))
	w.rightTo("withdraw_consent", "pb@example.org", "CA-ON")
	always(byMail("pb@example.org"))
}

func TestPQ_04_ReportsAreRefusedBeforeTheFirstAndEverAfter(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "addon-france")
	fresh, off, on := subject{"installation", "server-1"}, subject{"installation", "server-2"}, subject{"installation", "server-3"}
	// Before anybody was asked there is no report, whatever the default.
	if d := w.may(false, "not_asked", fresh, "in_app_analytics", lives("FR")); !d.Ask {
		t.Error("the set-up is not told to ask")
	}
	// In the set-up, before the first report.
	w.choose(off, "in_app_analytics", "denied", lives("FR"))
	w.may(false, "denied", off, "in_app_analytics")
	// Later, inside the software.
	w.choose(on, "in_app_analytics", "granted", lives("FR"))
	w.may(true, "consent", on, "in_app_analytics")
	w.pass(32 * 24 * time.Hour)
	w.may(true, "consent", on, "in_app_analytics")
	w.choose(on, "in_app_analytics", "withdrawn")
	w.may(false, "withdrawn", on, "in_app_analytics")
	w.pass(32 * 24 * time.Hour)
	w.may(false, "withdrawn", on, "in_app_analytics")
	w.may(false, "denied", off, "in_app_analytics")
}

func TestPQ_05_TheTrainersListIsOnOnlyWhereTheLawLetsItAndEachMailLeaves(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "addon-france")
	who := byMail(kim)
	d := w.may(true, "default", who, "training", lives("FR"))
	w.may(true, "default", who, "training", lives("US"))
	for _, place := range []string{"IN", ""} { // where the law wants consent first, or may want it
		w.may(false, "not_asked", byMail("far@example.org"), "training", lives(place))
	}
	w.pass(7 * 24 * time.Hour) // week by week; last week's way out is good for ever
	w.may(true, "default", who, "training", lives("FR"))
	for range 50 { // robots look at links
		if a := w.call("GET", bracketed(t, d), nil); a.Status != http.StatusOK {
			t.Fatalf("the page behind the link answers %d", a.Status)
		}
	}
	w.may(true, "default", who, "training", lives("FR"))
	a := w.press(bracketed(t, d), oneClick)
	if a.Status != http.StatusOK || a.Header.Get("Location") != "" {
		t.Fatalf("one click answers %d to %q", a.Status, a.Header.Get("Location"))
	}
	w.may(false, "withdrawn", who, "training", lives("FR"))
	w.may(false, "not_asked", who, "newsletters") // one token, one list: this one was never chosen
}

func TestPQ_06_TheProvidersOptOutIsTheProvidersAndOursKeepsTheTagOff(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "addon-france")
	var p struct {
		Choices []struct {
			ID          string
			PerformedBy string `json:"performed_by"`
			Link        *struct{ URL string }
		}
	}
	w.must(http.StatusOK, "GET", "/v1/policy", nil).into(t, &p)
	by := map[string]string{}
	for _, c := range p.Choices {
		if by[c.ID] = c.PerformedBy; c.Link != nil {
			by[c.ID] += " " + c.Link.URL
		}
	}
	for id, want := range map[string]string{
		"ad_opt_out":  "analytics_provider https://analytics.example.com/opt-out",
		"ad_settings": "analytics_provider https://analytics.example.com/ad-settings",
		"tag":         "us",
	} {
		if by[id] != want {
			t.Errorf("the choice %s is performed by %q, want %q", id, by[id], want)
		}
	}
	page := string(w.must(http.StatusOK, "GET", "/p/"+w.preferences(account("acc-6")), nil).Body)
	if !strings.Contains(page, "https://analytics.example.com/opt-out") || !strings.Contains(page, "https://analytics.example.com/ad-settings") {
		t.Error("the preference centre does not lead to the provider")
	}
	// Ours: the tag is served to who said yes, and to nobody after a no or a signal.
	w.may(false, "not_asked", account("acc-6"), "ad_analytics")
	w.choose(account("acc-6"), "ad_analytics", "granted")
	w.may(true, "consent", account("acc-6"), "ad_analytics")
	w.pass(time.Minute) // a signal stops what was agreed to before it
	w.may(false, "gpc", account("acc-6"), "ad_analytics", func(b map[string]any) { b["signals"] = map[string]bool{"gpc": true} })
	w.choose(account("acc-6"), "ad_analytics", "withdrawn")
	w.may(false, "withdrawn", account("acc-6"), "ad_analytics")
}

func TestPQ_12_EveryNewsletterCanBeLeftWhenItIsReceived(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "addon-france")
	who := byMail(kim)
	for _, list := range []string{"newsletters", "training"} {
		w.choose(who, list, "granted", lives("FR"))
		d := w.may(true, "consent", who, list)
		link := bracketed(t, d)
		for name, body := range map[string]string{"nothing": "", "something else": "a=b", "half": "List-Unsubscribe=One-Clic", "more": oneClick + "&x=1"} {
			if a := w.press(link, body); a.Status != http.StatusBadRequest {
				t.Errorf("%s: a post of %s is answered %d", list, name, a.Status)
			}
		}
		w.may(true, "consent", who, list)
		for range 2 { // a mail program may press twice
			a := w.press(link, oneClick)
			if a.Status != http.StatusOK || a.Header.Get("Location") != "" || len(a.Header.Values("Set-Cookie")) > 0 {
				t.Fatalf("%s: one click answers %d %v", list, a.Status, a.Header)
			}
		}
		w.may(false, "withdrawn", who, list)
		if got := w.look(who).history(list); !slices.Equal(slices.DeleteFunc(got, func(action string) bool { return action == "passed_on" }), []string{"withdrawn", "granted"}) {
			t.Errorf("the history of %s is %v", list, got)
		}
	}
}
