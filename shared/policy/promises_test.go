package policy_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"rightsdesk/shared/law"
	"rightsdesk/shared/policy"
)

// Each test here is named after a promise that a company made, and goes through the
// profile of the company that made the promise: the profile keeps it, and the
// profile with one line changed is refused, or publishes something else.

// change returns a profile's file with old, which must stand there once, replaced.
func change(tb testing.TB, name, old, with string) []byte {
	tb.Helper()
	file, ok := policy.Profile(name)
	if !ok {
		tb.Fatalf("there is no profile %s", name)
	}
	return edited(tb, file, old, with)
}

// refused fails unless the file is refused at the path, with the word in the text.
func refused(tb testing.TB, file []byte, path, word string) {
	tb.Helper()
	for _, p := range problems(tb, file) {
		if p.Path == path && strings.Contains(p.Text, word) {
			return
		}
	}
	tb.Errorf("no problem at %s that says %q, but:\n%v", path, word, problems(tb, file))
}

// offered fails unless the profile offers each of the rights to somebody of that residence.
func offered(tb testing.TB, p *policy.Policy, residence string, rights ...policy.Right) {
	tb.Helper()
	for _, right := range rights {
		if _, ok := p.Offers(right, residence); !ok {
			tb.Errorf("%s is not offered in %s", right, residence)
		}
	}
}

func TestSP_01_WhoeverIsInACountryUnderTheGDPRHasItsRights(t *testing.T) {
	t.Parallel()
	p := profile(t, "serverless-vendor")
	for residence, regime := range map[string]string{"DE": "eu-gdpr", "NO": "eu-gdpr", "GB": "uk-gdpr", "GB-SCT": "uk-gdpr"} {
		offered(t, p, residence, policy.Access, policy.Rectification, policy.Erasure, policy.Objection, policy.Restriction, policy.Portability, policy.Complaint)
		if g := p.RegimesFor(residence); len(g) != 1 || g[0].ID != regime || g[0].Trigger != policy.LocatedIn {
			t.Errorf("in %s the laws are %+v, want %s for who is there", residence, g, regime)
		}
		if _, ok := p.Authority(residence); !ok {
			t.Errorf("nobody hears a complaint from %s", residence)
		}
	}
	// An exemption applies only if the answer names it: there is no other reason than the law's.
	for _, r := range p.Published("en").Refusals {
		if r.Text == "" || len(r.Articles) == 0 {
			t.Errorf("a refusal is published as %+v", r)
		}
	}
	refused(t, change(t, "serverless-vendor", "  complaint: {task_days: 14}", "  complaint: {residences: [US]}"), "rights.complaint.residences[0]", "everybody")
}

func TestSP_02_CaliforniansOptOutWithoutShowingWhoTheyAre(t *testing.T) {
	t.Parallel()
	p := profile(t, "serverless-vendor")
	offered(t, p, "US-CA", policy.Know, policy.Erasure, policy.OptOutSale, policy.Rectification)
	rule, _ := p.Offers(policy.OptOutSale, "US-CA")
	if !slices.Equal(rule.Proof, []law.Proof{law.NoProof}) || !rule.Automatic {
		t.Errorf("the opt-out is %+v", rule)
	}
	const line = "  opt_out_sale: {residences: [US-CA], task_days: 5"
	for _, proof := range []string{"address", "data_points", "identity_document"} {
		refused(t, change(t, "serverless-vendor", line, line+", proof: ["+proof+"]"), "rights.opt_out_sale.proof[0]", "us-ca-ccpa (11 CCR § 7060(b))")
	}
	refused(t, change(t, "serverless-vendor", line, line+", automatic: true"), "rights.opt_out_sale.automatic", "always takes effect at once")
}

func TestSP_03_ThePublishedPolicyAndTheAnswerToKnowListTheSameCategories(t *testing.T) {
	t.Parallel()
	p := profile(t, "serverless-vendor")
	want := []policy.CaliforniaCategory{
		policy.Identifiers, policy.ProtectedCharacteristics, policy.CommercialInformation, policy.NetworkActivity,
		policy.Geolocation, policy.AudioElectronicVisual, policy.ProfessionalInformation, policy.Inferences,
	}
	published, answer := p.Published("en").California, p.California("en")
	if got := categories(answer); !slices.Equal(got, want) {
		t.Errorf("the answer lists %v, want %v", got, want)
	}
	if got := categories(published); !slices.Equal(got, want) {
		t.Errorf("the policy lists %v, want %v", got, want)
	}
	for _, row := range answer {
		if len(row.IDs) == 0 || len(row.Sources) == 0 || len(row.Purposes) == 0 || row.Sold {
			t.Errorf("the row %+v lacks sources or purposes, or says that it is sold", row)
		}
	}

	// What was not collected in the last 12 months is in neither.
	p = parse(t, change(t, "serverless-vendor", "{category: inferences}", "{category: inferences, collected_last_12_months: false}"))
	published, answer = p.Published("en").California, p.California("en")
	if slices.Contains(categories(answer), policy.Inferences) || slices.Contains(categories(published), policy.Inferences) {
		t.Error("a category that was not collected in the last 12 months is listed")
	}
	refused(t, change(t, "serverless-vendor", "    california: {category: inferences}\n", ""), "categories.predictions.california", "know")
}

func categories(rows []policy.CaliforniaView) []policy.CaliforniaCategory {
	var list []policy.CaliforniaCategory
	for _, r := range rows {
		list = append(list, r.Category)
	}
	return list
}

func TestSP_10_TheVendorTableIsPublishedEmptyOrNot(t *testing.T) {
	t.Parallel()
	p := profile(t, "serverless-vendor").Published("en")
	if out, _ := json.Marshal(p); len(p.Vendors) != 0 || !strings.Contains(string(out), `"vendors":[]`) {
		t.Errorf("the vendor table is %+v, want an empty list", p.Vendors)
	}
	const before = "    function: The machines that we run on\n"
	p = parse(t, change(t, "serverless-vendor", before, "    name: Example Cloud\n    policy: https://cloud.example.net/privacy\n"+before)).Published("en")
	if len(p.Vendors) != 1 || p.Vendors[0].Name != "Example Cloud" || p.Vendors[0].Function == "" || p.Vendors[0].Policy != "https://cloud.example.net/privacy" {
		t.Errorf("the vendor table is %+v, want the vendor that was named", p.Vendors)
	}
	refused(t, change(t, "serverless-vendor", before, "    name: Example Cloud\n"+before), "recipients.cloud.policy", "required")
	// Current: who runs a source must be declared.
	refused(t, change(t, "serverless-vendor", "    label: The account database\n    country: US\n    run_by: cloud\n", "    label: The account database\n    country: US\n    run_by: newcomer\n"),
		"sources.accounts.run_by", "newcomer")
}

func TestSP_12_EveryPurposeDeclaresItsLegalBases(t *testing.T) {
	t.Parallel()
	p := profile(t, "serverless-vendor").Published("en")
	declared := map[policy.Basis]bool{}
	for _, u := range p.Purposes {
		if len(u.Bases) == 0 {
			t.Errorf("the purpose %s has no legal basis", u.ID)
		}
		for _, b := range u.Bases {
			declared[b] = true
		}
	}
	for _, b := range []policy.Basis{policy.OnContract, policy.OnLegalObligation, policy.OnVitalInterests, policy.OnLegitimateInterests, policy.OnConsent} {
		if !declared[b] {
			t.Errorf("no purpose rests on %s", b)
		}
	}
	const books = "    text: To keep our books as tax law demands\n    bases: [legal_obligation]\n"
	refused(t, change(t, "serverless-vendor", books, "    text: To keep our books as tax law demands\n"), "purposes.books.bases", "required")
	refused(t, change(t, "serverless-vendor", books, "    text: To keep our books as tax law demands\n    bases: []\n"), "purposes.books.bases", "must be one of")
	refused(t, change(t, "serverless-vendor", books, "    text: To keep our books as tax law demands\n    bases: [because]\n"), "purposes.books.bases[0]", "contract")
}

func TestSP_33_TheControllerAndTheScopeAreNamed(t *testing.T) {
	t.Parallel()
	p := profile(t, "serverless-vendor").Published("en")
	if p.Controller.LegalName != "Example Serverless, Inc." || p.Controller.TradeName != "Example Serverless" {
		t.Errorf("the controller is published as %+v", p.Controller)
	}
	var surfaces []string
	for _, s := range p.Scope.Surfaces {
		surfaces = append(surfaces, s.Text)
	}
	if got := strings.Join(surfaces, "; "); got != "Our websites; Our mobile apps; Job applications to us or to a subsidiary" || len(p.Scope.Subsidiaries) == 0 {
		t.Errorf("the scope is published as %s, with subsidiaries %v", got, p.Scope.Subsidiaries)
	}
	refused(t, change(t, "serverless-vendor", "  legal_name: Example Serverless, Inc.\n", ""), "controller.legal_name", "required")
	refused(t, change(t, "serverless-vendor", "  trade_name: Example Serverless\n", ""), "controller.trade_name", "required")
}

func TestPT_01_ThirtyDaysAndNoExtension(t *testing.T) {
	t.Parallel()
	p := profile(t, "server-automation")
	for right, rule := range p.Rights {
		if rule.PromisedDays != 30 || rule.Extension {
			t.Errorf("%s is %+v", right, rule)
		}
	}
	for _, r := range p.Published("en").Rights {
		if r.PromisedDays != 30 || r.Extension {
			t.Errorf("%s is published as %+v", r.Right, r)
		}
	}
	if p.Controller.Holidays != "DE" {
		t.Errorf("the holidays are those of %q", p.Controller.Holidays)
	}
	const access = "  access: {residences: [\"*\"], automatic: true, promised_days: 30, extension: "
	refused(t, change(t, "server-automation", access+"none", access+"false"), "rights.access.extension", "`false` is `none`")
}

func TestPT_02_EverybodyHasTheSevenRights(t *testing.T) {
	t.Parallel()
	for _, residence := range []string{"DE", "US-NY", "JP", ""} {
		offered(t, profile(t, "server-automation"), residence, policy.Access, policy.Rectification, policy.Erasure, policy.Restriction,
			policy.Objection, policy.Portability, policy.Complaint)
	}
}

func TestPT_03_ARefusalNamesACircumstanceOfThePolicy(t *testing.T) {
	t.Parallel()
	p := profile(t, "server-automation")
	for _, code := range []string{"manifestly_unfounded", "identity_not_established", "compelling_grounds"} {
		if !p.MayRefuse(code) {
			t.Errorf("%s is declared, and nothing may be refused for it", code)
		}
	}
	if p.MayRefuse("public_health") || p.MayRefuse("inconvenient") {
		t.Error("what is not declared is a reason to refuse")
	}
	if got := p.Published("en").Refusals; len(got) != len(p.Refusals) {
		t.Errorf("published are %+v, want %v", got, p.Refusals)
	}
	refused(t, change(t, "server-automation", "  - excessive\n", "  - inconvenient\n"), "refusals[1]", "excessive")
	// What a duty keeps is named, item by item.
	kept := p.Published("en").Kept
	if !slices.ContainsFunc(kept, func(k policy.KeptView) bool { return k.Ground == policy.LegalDuty && k.Duty != "" && k.Article != "" }) {
		t.Errorf("kept is %+v, want a duty with its article", kept)
	}
}

func TestPT_04_TheAuthorityOfThePersonsCountryIsNamed(t *testing.T) {
	t.Parallel()
	p := profile(t, "server-automation")
	for residence, want := range map[string]string{"DE": "www.bfdi.bund.de", "PT": "www.edpb.europa.eu", "JP": "www.datenschutz-berlin.de", "": "www.datenschutz-berlin.de"} {
		if a, _ := p.Authority(residence); !strings.Contains(a.URL, want) {
			t.Errorf("in %q the authority is %q, want %s", residence, a.URL, want)
		}
	}
}

func TestPT_11_SubProcessorsArePublishedWithTheirFunction(t *testing.T) {
	t.Parallel()
	functions := map[string]string{}
	for _, v := range profile(t, "server-automation").Published("en").Vendors {
		functions[v.Name] = v.Function
	}
	want := map[string]string{
		"Example Cloud A": "Cloud service on which the product runs",
		"Example Cloud B": "Cloud service that keeps encrypted copies",
		"Example Hosting": "Hosting provider of our websites",
		"Example Mailer":  "Transactional mail service",
	}
	if len(functions) != len(want) {
		t.Errorf("%d sub-processors are published, want %d", len(functions), len(want))
	}
	for name, function := range want {
		if functions[name] != function {
			t.Errorf("%s is published as %q, want %q", name, functions[name], function)
		}
	}
	refused(t, change(t, "server-automation", "    function: Transactional mail service\n", ""), "recipients.mailer.function", "required")
}

func TestPT_18_ADisclosureForValueIsRefused(t *testing.T) {
	t.Parallel()
	p := profile(t, "server-automation")
	if got := p.Assertions[policy.NeverSold]; !slices.Equal(got, []policy.Tense{policy.Was, policy.Will}) {
		t.Errorf("the profile asserts never_sold as %v, want was and will", got)
	}
	const mailer = "    function: Transactional mail service\n"
	refused(t, change(t, "server-automation", mailer, mailer+"    for_value: true\n"), "recipients.mailer.for_value", "never_sold")
	// The exceptional disclosures of a later release cannot be a way around it.
	refused(t, change(t, "server-automation", "format: 1\n", "format: 1\ndisclosures: {sale: {}}\n"), "disclosures", "not yet known")
}

func TestPS_07_SubProcessorsArePublished(t *testing.T) {
	t.Parallel()
	var names []string
	for _, v := range profile(t, "cloud-platform").Published("en").Vendors {
		names = append(names, v.Name)
		if v.Function == "" || v.Policy == "" || v.Role != policy.RecipientProcessor {
			t.Errorf("%+v is published without function, policy or role", v)
		}
	}
	if want := []string{"Example Data Centre", "Example Mailer", "Example Payments"}; !slices.Equal(names, want) {
		t.Errorf("sub-processors are %v, want %v", names, want)
	}
}

func TestPS_11_TheLatestPolicyIsAtOneURLWithItsTimestamp(t *testing.T) {
	t.Parallel()
	d := profile(t, "cloud-platform").Published("en").Document
	if d.URL != "https://platform.example.com/privacy" || d.Updated != "2026-03-01T08:00:00Z" {
		t.Errorf("the policy is published at %q, of %q", d.URL, d.Updated)
	}
	refused(t, change(t, "cloud-platform", "  updated: 2026-03-01T08:00:00Z\n", ""), "document.updated", "required")
	refused(t, change(t, "cloud-platform", "  updated: 2026-03-01T08:00:00Z\n", "  updated: last spring\n"), "document.updated", "must be a date")
	refused(t, change(t, "cloud-platform", "  url: https://platform.example.com/privacy\n", ""), "document.url", "required")
}

func TestPS_14_DataThatTheCompanyControlsStaysInTheUnitedStates(t *testing.T) {
	t.Parallel()
	members := "    label: The members' database\n    country: "
	refused(t, change(t, "cloud-platform", members+"US\n", members+"IE\n"), "sources.members.country", "must be one of: US")
	// What it only processes for customers may be elsewhere.
	storage := "    acts_as: processor\n    country: "
	parse(t, change(t, "cloud-platform", storage+"US\n", storage+"IE\n"))
}

func TestPS_15_NothingCanEnableASale(t *testing.T) {
	t.Parallel()
	const books, payments = "    bases: [contract, legal_obligation]\n", "    function: Takes payments\n"
	refused(t, change(t, "cloud-platform", books, books+"    for_value: true\n"), "purposes.books.for_value", "never_sold")
	refused(t, change(t, "cloud-platform", books, "    bases: [consent]\n    for_value: true\n"), "purposes.books.for_value", "never_sold")
	refused(t, change(t, "cloud-platform", payments, payments+"    for_value: true\n"), "recipients.payments.for_value", "never_sold")
	// Nor can a consent: what people agree to is a purpose, and none may be for value.
	const agreed = "    text: To show your profile to everybody\n    bases: [consent]\n"
	refused(t, change(t, "cloud-platform", agreed, agreed+"    for_value: true\n"), "purposes.public_profile.for_value", "never_sold")
}

func TestSB_01_AChallengeEndsWithAnOutcome(t *testing.T) {
	t.Parallel()
	p := profile(t, "paas-canada")
	offered(t, p, "CA-ON", policy.Access, policy.Rectification, policy.Erasure, policy.Challenge)
	if !policy.Challenge.Weighed() {
		t.Error("a challenge has no outcome")
	}
	if a, _ := p.Authority("CA-ON"); !strings.Contains(a.Name["en"], "Privacy Commissioner") {
		t.Errorf("the authority is %+v, want the Commissioner", a)
	}
	const challenge = "  challenge: {residences: [\"*\"], extension: law, "
	refused(t, change(t, "paas-canada", challenge, challenge+"automatic: true, "), "rights.challenge.automatic", "must be false")
}

func TestSB_02_TheLawsThirtyDaysAndItsExtension(t *testing.T) {
	t.Parallel()
	p := profile(t, "paas-canada")
	for right, rule := range p.Rights {
		if !rule.Extension || rule.PromisedDays != 0 {
			t.Errorf("%s is %+v, want what the law says", right, rule)
		}
	}
	if g := p.RegimesFor("CA-ON"); len(g) != 1 || g[0].ID != "ca-pipeda" {
		t.Errorf("the laws are %+v", g)
	}
}

func TestSB_13_RecipientsAreAClosedSet(t *testing.T) {
	t.Parallel()
	want := []policy.RecipientClass{
		policy.CloudInfrastructure, policy.IdentityVerification, policy.PublicAuthority, policy.PaymentAccounting,
		policy.EmailDelivery, policy.AnalyticsMonitoring,
	}
	p := profile(t, "paas-canada").Published("fr")
	if !slices.Equal(p.RecipientClasses, want) {
		t.Errorf("the published classes are %v, want %v", p.RecipientClasses, want)
	}
	if len(p.Vendors) != 5 || len(p.Recipients) != 1 {
		t.Errorf("%d recipients with a name and %d without are published, want 5 and 1", len(p.Vendors), len(p.Recipients))
	}
	refused(t, change(t, "paas-canada", "    class: analytics_monitoring\n", "    class: advertising\n"), "recipients.monitoring.class", "recipient_rules")
	refused(t, change(t, "paas-canada", "    class: analytics_monitoring\n", "    class: data_broker\n"), "recipients.monitoring.class", "must be one of")
}

func TestPQ_09_APartnerWithoutTheUndertakingIsRefused(t *testing.T) {
	t.Parallel()
	published := map[string]string{}
	for _, v := range profile(t, "addon-france").Published("en").Vendors {
		published[v.Function] = string(v.Undertakings[0]) + " " + string(v.Undertakings[1])
	}
	for _, function := range []string{"Hosting", "Mailing list", "Marketplace", "Support"} {
		if published[function] != "no_sale no_own_use" {
			t.Errorf("the partner for %s is published with %q", function, published[function])
		}
	}
	const desk = "    categories: [support]\n    undertakings: "
	refused(t, change(t, "addon-france", desk+"[no_sale, no_own_use]\n", desk+"[no_sale]\n"), "recipients.support-desk.undertakings", "no_own_use")
	refused(t, change(t, "addon-france", desk+"[no_sale, no_own_use]\n", "    categories: [support]\n"), "recipients.support-desk.undertakings", "no_sale, no_own_use")
}

func TestPQ_10_PlacesArePublishedPerSource(t *testing.T) {
	t.Parallel()
	type place struct {
		country               string
		personal, notOurHands bool
	}
	got := map[string]place{}
	for _, v := range profile(t, "addon-france").Published("en").Places {
		got[v.Label] = place{v.Country, v.OnPersonalComputers, v.NotUnderControl}
	}
	want := map[string]place{
		"Our servers in France":                {"FR", false, false},
		"Our servers in Europe":                {"EEA", false, false},
		"Our web servers in the United States": {"US", false, false},
		"The support desk in Canada":           {"CA", false, false},
		"The founder's own computers":          {"FR", true, false},
		"The marketplace's servers":            {"US", false, true},
	}
	for label, place := range want {
		if got[label] != place {
			t.Errorf("%s is published as %+v, want %+v", label, got[label], place)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d places are published, want %d", len(got), len(want))
	}
	refused(t, change(t, "addon-france", "    country: EEA\n", ""), "sources.statistics.country", "required")
	refused(t, change(t, "addon-france", "    not_under_control: true\n    run_by: marketplace\n", "    not_under_control: true\n"), "sources.marketplace.run_by", "required")
}

func TestPQ_13_TheContactIsANamedPersonWithAPostalAddress(t *testing.T) {
	t.Parallel()
	p := profile(t, "addon-france").Published("en")
	if !strings.HasPrefix(p.Contact.Person, "Claire ") || !strings.Contains(p.Contact.PostalAddress, "Lyon") {
		t.Errorf("the contact is published as %+v", p.Contact)
	}
	refused(t, change(t, "addon-france", "  person: "+p.Contact.Person+"\n", ""), "contact.person", "required")
	refused(t, change(t, "addon-france", "  postal_address: "+p.Contact.PostalAddress+"\n", ""), "contact.postal_address", "required")
}

func TestALL_01_TheContactIsInEveryPolicy(t *testing.T) {
	t.Parallel()
	for _, name := range policy.ProfileNames() {
		c := profile(t, name).Published("en").Contact
		if c.Email == "" || c.PostalAddress == "" {
			t.Errorf("%s publishes the contact %+v", name, c)
		}
		refused(t, change(t, name, "  email: "+c.Email+"\n", ""), "contact.email", "required")
	}
}

func TestALL_05_APolicyIsPublishedOnlyIfItIsWhole(t *testing.T) {
	t.Parallel()
	for _, name := range policy.ProfileNames() {
		p := profile(t, name).Published("en")
		if p.Document.Effective == "" || p.Document.Updated == "" || p.Contact.Email == "" {
			t.Errorf("%s has no date or no contact", name)
		}
		refused(t, change(t, name, "  effective: "+p.Document.Effective, "  # effective: "+p.Document.Effective), "document.effective", "required")
	}
	refused(t, change(t, "addon-france", "  email: privacy@addons.example.net\n", ""), "contact.email", "required")

	const body = "document.sections.sub_processors.body.en"
	const mailer = "[a mail service](vendor:mailer) sends"
	refused(t, change(t, "server-automation", mailer, "[a mail service](vendor:pigeons) sends"), body, "vendor:pigeons")
	refused(t, change(t, "server-automation", mailer, "[a mail service](vendor:authorities) sends"), body, "vendor:authorities") // it has no name
	refused(t, change(t, "server-automation", mailer, "[a mail service](https://mailer.example.com) sends"), body, "leads nowhere")
	refused(t, change(t, "server-automation", mailer, "www.mailer.example.com sends"), body, "an address stands in the text")
	refused(t, change(t, "server-automation", "[what stays longer](#kept)", "[what stays longer](#keeps)"), "document.sections.data.body.en", "#keeps")
	parse(t, change(t, "server-automation", mailer, "[a mail service](#who) sends"))
}

// rule returns what a profile says of choosing about a purpose.
func rule(tb testing.TB, p *policy.Policy, purpose string) policy.Consent {
	tb.Helper()
	c, ok := p.Consent(purpose)
	if !ok {
		tb.Fatalf("nobody chooses about %s", purpose)
	}
	return c
}

// alwaysSent fails unless each of the purposes goes whatever anybody chose.
func alwaysSent(tb testing.TB, p *policy.Policy, purposes ...string) {
	tb.Helper()
	for _, id := range purposes {
		u, ok := p.Purpose(id)
		if _, choice := p.Consent(id); !ok || !u.AlwaysSent || choice {
			tb.Errorf("%s is %+v, and a choice: %v", id, u, choice)
		}
	}
}

func TestSP_06_OneNoEndsMarketingAndTheRestStillGoes(t *testing.T) {
	t.Parallel()
	p := profile(t, "serverless-vendor")
	alwaysSent(t, p, "account_mail", "payment_verification", "legal_notices")
	for _, id := range []string{"marketing", "segments", "campaigns"} {
		if c := rule(t, p, id); !c.StoppedByIt(policy.MarketingOptOut) {
			t.Errorf("%s is stopped by %v", id, c.StoppedBy)
		}
	}
	const notices = "    text: To tell you what a law wants us to tell you\n    bases: "
	refused(t, change(t, "serverless-vendor", notices+"[legal_obligation]\n", notices+"[consent]\n"), "purposes.legal_notices.always_sent", "must be false")
}

func TestSP_17_DoNotTrackIsNotRespondedToAndThePolicySaysSo(t *testing.T) {
	t.Parallel()
	if s := profile(t, "serverless-vendor").Published("en").Signals; s.DNT != policy.Ignored || s.GPC != policy.Honoured || s.Updated != "2026-05-04" {
		t.Errorf("signals are published as %+v", s)
	}
	// What a file says that it ignores cannot stop anything in the same file.
	refused(t, change(t, "serverless-vendor", "stopped_by: [opt_out_sale, gpc]", "stopped_by: [opt_out_sale, gpc, dnt]"), "consents.campaigns.stopped_by[2]", "dnt: honoured")
	refused(t, change(t, "serverless-vendor", "  gpc: honoured # law: California\n", "  gpc: ignored\n"), "signals.gpc", "must not be ignored under us-ca-ccpa")
}

func TestSP_20_NoCookieTracksAndNoneIsFirstParty(t *testing.T) {
	t.Parallel()
	if k := profile(t, "serverless-vendor").Published("en").Cookies; len(k) != 0 {
		t.Errorf("cookies are %+v", k)
	}
	const before, ours, theirs = "signals: # SP-17\n",
		"cookies:\n  c: {name: c, kind: cookie, party: first, essential: true, purpose: service, lifetime: A day, controlled_by: us, loss: Everything.}\n",
		"cookies:\n  c: {name: c, kind: pixel, party: third, purpose: campaigns, lifetime: A day, controlled_by: us}\n"
	refused(t, change(t, "serverless-vendor", before, ours+before), "cookies.c", "no_first_party_cookies")
	refused(t, change(t, "serverless-vendor", before, theirs+before), "cookies.c", "no_tracking_cookies")
}

func TestSP_28_HashedAddressesAreADeclaredPurposeAndRecipient(t *testing.T) {
	t.Parallel()
	p := profile(t, "serverless-vendor")
	if c := rule(t, p, "campaigns"); c.Default != policy.Off || !c.StoppedByIt(policy.MarketingOptOut) || !c.StoppedByIt(policy.Objected) || !c.StoppedByIt(policy.SaleOptOut) {
		t.Errorf("campaigns are %+v", c)
	}
	if !slices.ContainsFunc(p.Recipients, func(to policy.Recipient) bool {
		return to.Class == policy.Advertising && strings.Contains(to.Function.In("en"), "hashed mail addresses")
	}) {
		t.Error("nobody gets hashed addresses")
	}
}

func TestSP_32_PredictionsAndSegmentsAreDeclaredAndAnObjectionStopsBoth(t *testing.T) {
	t.Parallel()
	p := profile(t, "serverless-vendor")
	if c, _ := p.Category("predictions"); !c.Inference || !c.Shown() {
		t.Errorf("predictions are %+v", c)
	}
	for _, id := range []string{"retention_predictions", "segments"} {
		if c := rule(t, p, id); !c.StoppedByIt(policy.Objected) || c.Ground != policy.WhileNobodyObjects {
			t.Errorf("%s is %+v", id, c)
		}
	}
}

func TestPT_05_NewsOnlyWithPermissionAndSurveysUntilOneNo(t *testing.T) {
	t.Parallel()
	p := profile(t, "server-automation")
	alwaysSent(t, p, "product_updates")
	if c := rule(t, p, "news"); c.Default != policy.Off || !c.Mail {
		t.Errorf("news are %+v", c)
	}
	if c := rule(t, p, "surveys"); c.Default != policy.On || !c.Mail {
		t.Errorf("surveys are %+v", c)
	}
	if c := rule(t, p, "name_in_marketing"); c.Default != policy.Off || !c.Explicit {
		t.Errorf("a name in marketing is %+v", c)
	}
	const news = "    wording: Send me the newsletter and other news, by mail. I can leave in every one.\n    double_opt_in: true"
	refused(t, change(t, "server-automation", news, strings.TrimSuffix(news, "    double_opt_in: true")+"    default: on\n    ground: existing_customer"), "consents.news.default", "silence is no consent")
}

func TestPT_09_EachRecordingHasAnExplicitConsentOfItsOwn(t *testing.T) {
	t.Parallel()
	if c := rule(t, profile(t, "server-automation"), "interview_recording"); !c.Explicit || !c.PerAct || c.Default != policy.Off {
		t.Errorf("recordings are %+v", c)
	}
	refused(t, change(t, "server-automation", "    per_act: true\n", "    per_act: true\n    default: on\n    ground: existing_customer\n"), "consents.interview_recording.per_act", "must be false")
}

func TestPT_17_CookiesAreControlledInTheBrowserAndWithASwitchOfOurOwn(t *testing.T) {
	t.Parallel()
	p := profile(t, "server-automation")
	parties := map[policy.Party]int{}
	for _, k := range p.Cookies {
		parties[k.Party]++
		c := rule(t, p, k.Purpose)
		if k.ControlledBy != policy.ByBrowser || k.Loss.In("en") == "" || c.Required != k.Essential {
			t.Errorf("the cookie %s is %+v, its switch %+v", k.ID, k, c)
		}
	}
	if parties[policy.FirstParty] != 3 || parties[policy.ThirdParty] != 1 {
		t.Errorf("cookies are of %v", parties)
	}
	refused(t, change(t, "server-automation", "    controlled_by: browser\n    loss: Nothing that you notice.\n", "    controlled_by: browser\n"), "cookies.analytics.loss", "required")
}

func TestPS_12_EssentialCookiesAreToldApartWithTheirLoss(t *testing.T) {
	t.Parallel()
	p := profile(t, "cloud-platform")
	essential := 0
	for _, k := range p.Published("en").Cookies {
		if k.Essential {
			essential++
		}
		if k.Essential != (k.Loss != "") {
			t.Errorf("the cookie %s is published as %+v", k.ID, k)
		}
	}
	if c := rule(t, p, "essential_cookies"); essential != 2 || len(p.Cookies) != 3 || !c.Required || c.Loss.In("en") == "" {
		t.Errorf("%d of %d cookies are essential, by %+v", essential, len(p.Cookies), c)
	}
	const loss = "    loss: You cannot sign in, and no form can be sent.\n"
	refused(t, change(t, "cloud-platform", loss, ""), "consents.essential_cookies.loss", "required")
}

func TestPS_13_APublicProfileIsTheUsersOwnAct(t *testing.T) {
	t.Parallel()
	if c := rule(t, profile(t, "cloud-platform"), "public_profile"); c.Default != policy.Off || !c.Explicit || c.Required {
		t.Errorf("the public profile is %+v", c)
	}
	refused(t, change(t, "cloud-platform", "    explicit: true\n", "    default: on\n    ground: no_consent_needed\n"), "consents.public_profile.default", "silence is no consent")
}

func TestSB_07_AlertsGoToEverybodyAndMarketingOnConsentOnly(t *testing.T) {
	t.Parallel()
	p := profile(t, "paas-canada")
	alwaysSent(t, p, "system_alerts", "terms_changes", "breach_notices")
	if c := rule(t, p, "marketing"); c.Default != policy.Off || !c.Mail || !c.Marketing {
		t.Errorf("marketing is %+v", c)
	}
	refused(t, change(t, "paas-canada", "consents: # ours: the words\n", "consents:\n  system_alerts: {label: {en: A, fr: A}, wording: {en: A, fr: A}}\n"), "consents.system_alerts", "must be left out")
}

func TestPQ_04_ReportsWaitUntilTheSetUpHasAsked(t *testing.T) {
	t.Parallel()
	if c := rule(t, profile(t, "addon-france"), "in_app_analytics"); !c.AskFirst || !c.StoppedByIt(policy.Objected) {
		t.Errorf("reports are %+v", c)
	}
}

func TestPQ_05_TheTrainersListIsByDefaultWhereTheLawLetsIt(t *testing.T) {
	t.Parallel()
	p := profile(t, "addon-france")
	c := rule(t, p, "training")
	if c.Default != policy.On || !c.Mail || !c.StoppedByIt(policy.MarketingOptOut) {
		t.Errorf("the trainer's list is %+v", c)
	}
	for residence, want := range map[string]bool{"FR": true, "JP": true, "IN": false} {
		lets := true
		for _, g := range p.RegimesFor(residence) {
			_, ok := law.DefaultOn(g.ID, string(c.Ground))
			lets = lets && ok
		}
		if lets != want {
			t.Errorf("in %s the law lets it: %v, want %v", residence, lets, want)
		}
	}
	refused(t, change(t, "addon-france", "    ground: existing_customer\n", "    ground: no_consent_needed\n"), "consents.training.ground", "none knows this one")
}

func TestPQ_06_WhoPerformsTheOptOutIsDeclaredWithTheLink(t *testing.T) {
	t.Parallel()
	p := profile(t, "addon-france")
	var theirs, ours int
	for _, e := range p.Published("fr").Choices {
		switch {
		case e.PerformedBy == policy.ByAnalyticsProvider && e.Link != nil:
			theirs++
		case e.PerformedBy == policy.ByUs && e.Purpose == "ad_analytics":
			ours++
		}
	}
	if theirs != 2 || ours != 1 {
		t.Errorf("%d choices are the provider's, %d ours", theirs, ours)
	}
	const link = "    link: {text: {en: The provider's opt-out, fr: L'opposition chez le fournisseur}, url: \"https://analytics.example.com/opt-out\"}\n"
	refused(t, change(t, "addon-france", link, ""), "choices.ad_opt_out.link", "required")
}

func TestPQ_12_EveryNewsletterIsAMailingListThatOneClickEnds(t *testing.T) {
	t.Parallel()
	p := profile(t, "addon-france")
	for _, id := range []string{"newsletters", "training"} {
		if c := rule(t, p, id); !c.Mail {
			t.Errorf("%s cannot be left in one click: %+v", id, c)
		}
	}
}

// The programs that ask are declared: without one nobody could speak for who is signed in.
func TestEveryProfileHasAnAppAndItsPages(t *testing.T) {
	t.Parallel()
	for _, name := range policy.ProfileNames() {
		p := profile(t, name)
		if len(p.Apps) != 1 || len(p.Apps[0].May) < 6 || len(p.Browsers.Origins) == 0 {
			t.Errorf("%s has the apps %+v and the origins %v", name, p.Apps, p.Browsers.Origins)
		}
		offered(t, p, "FR-75", policy.WithdrawConsent)
	}
}

// The rows below are proven end to end elsewhere; here, that a policy can say them.

func TestAPolicyCanSayWhatTheRunningProductKeeps(t *testing.T) {
	t.Parallel()
	serverless := profile(t, "serverless-vendor")
	if x := serverless.Published("en").Scope.Exclusions; len(x) != 1 || x[0].Redirect.URL == "" || x[0].Redirect.Text == "" {
		t.Errorf("SP-16: exclusions are %+v, want one with a redirect", x)
	}
	if c, _ := serverless.Category("deploy_credentials"); !c.Credential || c.Shown() {
		t.Errorf("SP-23: credentials are %+v, want them not to be shown", c)
	}
	if serverless.Verification.WithoutAccount.In("en") == "" {
		t.Error("SP-04: people without an account are told nothing")
	}
	platform := profile(t, "cloud-platform")
	if c, _ := platform.Category("activity"); !c.Historical {
		t.Error("PS-02: the activity log is not historical")
	}
	if f, _ := platform.Field("profile", "joined"); !f.Historical {
		t.Error("PS-02: the day of joining is not historical")
	}
	if s, _ := platform.Source("customers_storage"); s.Role != policy.AsProcessor {
		t.Error("PS-04: the customers' storage is not declared as a processor's")
	}
}
