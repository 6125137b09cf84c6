package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rightsdesk/shared/policy"
)

// Promises that are declared: the running product publishes them, as data and as
// a page, and neither `policy check` nor the product takes a file that breaks them.

// broken fails unless a profile so changed is refused, by the command and by the
// product, at the path and with the word.
func broken(t *testing.T, profile, old, with, path, word string) {
	t.Helper()
	file, _ := policy.Profile(profile)
	name := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(name, []byte(replaced(t, old, with)(string(file))), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := start(t.Context(), options{Listen: "127.0.0.1:0", Dir: t.TempDir(), PolicyFile: name, People: 1, NoSync: true})
	if err == nil {
		t.Errorf("the product starts with %q", with)
		err = p.Close()
	}
	for who, err := range map[string]error{"policy check": checkPolicy([]string{"check", name}), "the product": err} {
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), word) {
			t.Errorf("%s says %v, want a problem at %s with %q", who, err, path, word)
		}
	}
}

// shows fails unless a page shows every text.
func shows(t *testing.T, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if text == "" || !strings.Contains(page, htmlOf(text)) {
			t.Errorf("the policy page does not show %q", text)
		}
	}
}

func TestSP_10_TheVendorTableIsPublishedAndMayBeEmpty(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "serverless-vendor")
	pub, page := w.published()
	if pub.Vendors == nil || len(pub.Vendors) != 0 || strings.Contains(page, `id="vendor-`) {
		t.Errorf("vendors are %v", pub.Vendors)
	}
	if a := w.must(http.StatusOK, "GET", "/v1/policy/vendors", nil); !strings.Contains(string(a.Body), `"vendors":[]`) {
		t.Errorf("/v1/policy/vendors answers %s", a.Body)
	}
	const before = "    function: The machines that we run on\n"
	w = openProfile(t, "serverless-vendor", replaced(t, before, "    name: Example Cloud\n    policy: https://cloud.example.net/privacy\n"+before))
	pub, page = w.published()
	if len(pub.Vendors) != 1 || pub.Vendors[0].Name != "Example Cloud" || pub.Vendors[0].Policy != "https://cloud.example.net/privacy" {
		t.Errorf("vendors are %+v", pub.Vendors)
	}
	shows(t, page, `id="vendor-cloud"`, "Example Cloud", "The machines that we run on", `href="https://cloud.example.net/privacy"`)
	broken(t, "serverless-vendor", before, "    name: Example Cloud\n"+before, "recipients.cloud.policy", "required")
	// Current: who runs a store and is not in the table is refused.
	broken(t, "serverless-vendor", "    label: The account database\n    country: US\n    run_by: cloud\n", "    label: The account database\n    country: US\n    run_by: newcomer\n", "sources.accounts.run_by", "newcomer")
}

func TestSP_12_LegalBasesAreDeclaredPerPurpose(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "serverless-vendor")
	pub, page := w.published()
	declared := map[policy.Basis]bool{}
	for _, u := range pub.Purposes {
		if len(u.Bases) == 0 {
			t.Errorf("the purpose %s has no basis", u.ID)
		}
		for _, b := range u.Bases {
			declared[b] = true
		}
		shows(t, page, u.Text)
	}
	if len(declared) != 5 || !declared[policy.OnVitalInterests] {
		t.Errorf("the bases declared are %v, want all five", declared)
	}
	shows(t, page, "A contract with you", "A legal obligation", "Somebody’s life or health", "A legitimate interest", "Your consent", "Our interest in a service that works and is not abused")
	const books = "    text: To keep our books as tax law demands\n"
	broken(t, "serverless-vendor", books+"    bases: [legal_obligation]\n", books, "purposes.books.bases", "required")
}

func TestSP_33_ControllerAndScopeAreNamed(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "serverless-vendor")
	pub, page := w.published()
	if pub.Controller.LegalName != "Example Serverless, Inc." || pub.Controller.TradeName != "Example Serverless" {
		t.Errorf("the controller is %+v", pub.Controller)
	}
	shows(t, page, "Example Serverless, Inc.", "(Example Serverless)", "Our websites", "Our mobile apps", "Job applications to us or to a subsidiary", "Example Serverless Europe, Ltd.")
	broken(t, "serverless-vendor", "  legal_name: Example Serverless, Inc.\n", "", "controller.legal_name", "required")
	broken(t, "serverless-vendor", "  trade_name: Example Serverless\n", "", "controller.trade_name", "required")
}

func TestPT_11_SubProcessorsArePublished(t *testing.T) {
	t.Parallel()
	pub, page := openProfile(t, "server-automation").published()
	if len(pub.Vendors) != 4 {
		t.Errorf("%d sub-processors are published, want 4", len(pub.Vendors))
	}
	shows(t, page,
		"Example Cloud A", "Cloud service on which the product runs", "Example Cloud B", "Cloud service that keeps encrypted copies",
		"Example Hosting", "Hosting provider of our websites", "Example Mailer", "Transactional mail service")
	broken(t, "server-automation", "    function: Transactional mail service\n", "", "recipients.mailer.function", "required")
}

func TestPT_18_NeverSold(t *testing.T) {
	t.Parallel()
	pub, _ := openProfile(t, "server-automation").published()
	i := slices.IndexFunc(pub.Assertions, func(a policy.AssertionView) bool { return a.Assertion == policy.NeverSold })
	if i < 0 || !slices.Equal(pub.Assertions[i].Tenses, []policy.Tense{policy.Was, policy.Will}) {
		t.Errorf("published assertions: %+v", pub.Assertions)
	}
	const mailer = "    function: Transactional mail service\n"
	broken(t, "server-automation", mailer, mailer+"    for_value: true\n", "recipients.mailer.for_value", "never_sold")
}

func TestPS_07_SubProcessorsArePublishedByThePlatform(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "cloud-platform")
	pub, page := w.published()
	var names []string
	for _, v := range pub.Vendors {
		names = append(names, v.Name)
		shows(t, page, `id="vendor-`+v.ID+`"`, v.Name, v.Function, `href="`+v.Policy+`"`)
	}
	if want := []string{"Example Data Centre", "Example Mailer", "Example Payments"}; !slices.Equal(names, want) {
		t.Errorf("sub-processors are %v, want %v", names, want)
	}
	broken(t, "cloud-platform", "    function: Delivers our mail\n", "", "recipients.mailer.function", "required")
}

func TestPS_11_OneURLHasTheLatestPolicy(t *testing.T) {
	t.Parallel()
	const updated = "  updated: 2026-03-01T08:00:00Z\n"
	pub, page := openProfile(t, "cloud-platform").published()
	if pub.Document.URL != "https://platform.example.com/privacy" || pub.Document.Updated != "2026-03-01T08:00:00Z" {
		t.Errorf("the policy is published at %s, of %s", pub.Document.URL, pub.Document.Updated)
	}
	shows(t, page, "1 March 2026", pub.Version)
	// The next version takes its place, at the same address.
	next, page := openProfile(t, "cloud-platform", replaced(t, updated, "  updated: 2026-09-09T10:30:00Z\n"), replaced(t, "  changelog:\n", "  changelog:\n    2026-09-09: {text: The second edition.}\n")).published()
	if next.Document.Updated != "2026-09-09T10:30:00Z" || next.Version == pub.Version || next.Document.URL != pub.Document.URL {
		t.Errorf("the next policy is published at %s, of %s", next.Document.URL, next.Document.Updated)
	}
	shows(t, page, "9 September 2026", "The second edition.", next.Version)
	broken(t, "cloud-platform", updated, "", "document.updated", "required")
}

func TestPS_14_WhatIsControlledStaysInTheUnitedStates(t *testing.T) {
	t.Parallel()
	pub, page := openProfile(t, "cloud-platform").published()
	for _, p := range pub.Places {
		if p.Role == policy.AsController && p.Country != "US" {
			t.Errorf("%s is in %s", p.Label, p.Country)
		}
		shows(t, page, p.Label)
	}
	shows(t, page, "United States")
	for _, source := range []string{"The members' database", "The activity log", "The help desk"} {
		label := "    label: " + source + "\n    country: "
		broken(t, "cloud-platform", label+"US\n", label+"IE\n", ".country", "must be one of: US")
	}
	// What is processed for customers may be elsewhere, and the policy says where.
	const storage = "    acts_as: processor\n    country: "
	pub, _ = openProfile(t, "cloud-platform", replaced(t, storage+"US\n", storage+"IE\n")).published()
	if p := pub.Places[3]; p.Role != policy.AsProcessor || p.Country != "IE" {
		t.Errorf("the customers' storage is published as %+v", p)
	}
}

func TestPS_15_NothingEnablesASale(t *testing.T) {
	t.Parallel()
	pub, page := openProfile(t, "cloud-platform").published()
	for _, row := range pub.California {
		if row.Sold {
			t.Errorf("%s is published as sold", row.Category)
		}
	}
	if !slices.ContainsFunc(pub.Assertions, func(a policy.AssertionView) bool { return a.Assertion == policy.NeverSold }) {
		t.Errorf("published assertions: %+v", pub.Assertions)
	}
	shows(t, page, "We do not sell personal information to third parties under any circumstances.")
	const books, payments = "    bases: [contract, legal_obligation]\n", "    function: Takes payments\n"
	broken(t, "cloud-platform", books, books+"    for_value: true\n", "purposes.books.for_value", "never_sold")
	broken(t, "cloud-platform", books, "    bases: [consent]\n    for_value: true\n", "purposes.books.for_value", "never_sold")
	broken(t, "cloud-platform", payments, payments+"    for_value: true\n", "recipients.payments.for_value", "never_sold")
}

func TestSB_13_OnlyRecipientsOfTheseKinds(t *testing.T) {
	t.Parallel()
	pub, page := openProfile(t, "paas-canada").published()
	want := []policy.RecipientClass{
		policy.CloudInfrastructure, policy.IdentityVerification, policy.PublicAuthority, policy.PaymentAccounting, policy.EmailDelivery, policy.AnalyticsMonitoring,
	}
	if !slices.Equal(pub.RecipientClasses, want) {
		t.Errorf("the classes are %v, want %v", pub.RecipientClasses, want)
	}
	for _, to := range slices.Concat(pub.Vendors, pub.Recipients) {
		if !slices.Contains(want, to.Class) {
			t.Errorf("%s is of the class %s", to.ID, to.Class)
		}
		shows(t, page, to.Function)
	}
	for _, v := range pub.Vendors {
		shows(t, page, v.Name)
	}
	broken(t, "paas-canada", "    class: analytics_monitoring\n", "    class: advertising\n", "recipients.monitoring.class", "recipient_rules")
}

func TestPQ_09_PartnersByFunctionWithTheirUndertaking(t *testing.T) {
	t.Parallel()
	pub, page := openProfile(t, "addon-france").published()
	functions := map[string]bool{}
	for _, v := range pub.Vendors {
		functions[v.Function] = slices.Contains(v.Undertakings, policy.NoSale) && slices.Contains(v.Undertakings, policy.NoOwnUse)
	}
	for _, f := range []string{"Hosting", "Mailing list", "Marketplace", "Support"} {
		if !functions[f] {
			t.Errorf("%s is not published with its undertakings", f)
		}
		shows(t, page, f)
	}
	const desk = "    categories: [support]\n    undertakings: "
	broken(t, "addon-france", desk+"[no_sale, no_own_use]\n", desk+"[no_sale]\n", "recipients.support-desk.undertakings", "no_own_use")
}

func TestPQ_10_EveryPlaceIsPublished(t *testing.T) {
	t.Parallel()
	pub, page := openProfile(t, "addon-france").published()
	var got []string
	for _, p := range pub.Places {
		got = append(got, fmt.Sprintf("%s %t %t", p.Country, p.OnPersonalComputers, p.NotUnderControl))
		shows(t, page, p.Label)
	}
	if want := []string{"FR false false", "EEA false false", "US false false", "CA false false", "FR true false", "US false true"}; !slices.Equal(got, want) {
		t.Errorf("the places are %v, want %v", got, want)
	}
	shows(t, page, "France", "European Economic Area", "United States", "Canada")
	broken(t, "addon-france", "    country: EEA\n", "", "sources.statistics.country", "required")
}

func TestPQ_13_TheContactIsAPerson(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "addon-france")
	pub, page := w.published()
	if !strings.HasPrefix(pub.Contact.Person, "Claire ") || !strings.Contains(pub.Contact.PostalAddress, "Lyon") {
		t.Errorf("the contact is %+v", pub.Contact)
	}
	shows(t, page, pub.Contact.Person, pub.Contact.PostalAddress)
	id := w.ask("access", "ada@example.org")
	s, _ := w.answered(id, "ada@example.org")
	if s.Contact["name"] != pub.Contact.Person || s.Contact["postal"] != pub.Contact.PostalAddress {
		t.Errorf("the answer names %v", s.Contact)
	}
	broken(t, "addon-france", "  person: "+pub.Contact.Person+"\n", "", "contact.person", "required")
	broken(t, "addon-france", "  postal_address: "+pub.Contact.PostalAddress+"\n", "", "contact.postal_address", "required")
}
