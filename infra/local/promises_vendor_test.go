package main

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/infra/local/company"
	"rightsdesk/shared/policy"
)

// The promises of the serverless-apps vendor that need the running product.

const (
	kim        = "kim@example.org"
	kimAccount = "acc-kim"
)

func TestSP_03_TheAnswerToKnowAndThePolicyListTheSameCategories(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "serverless-vendor")
	w.live(kimAccount, kim, map[string]any{"full_name": "Kim Winter"})
	w.has(company.Shop, kimAccount, company.Orders, "invoice-kim", `{"plan":"large","amount":"12 USD"}`)
	w.has(company.Shop, kimAccount, company.SupportMail, "prediction-kim", `{"stays":"likely"}`)
	id := w.ask("know", kim, livesIn("US-CA"))
	s, token := w.answered(id, kim)
	if s.Status != "fulfilled" {
		t.Fatalf("%+v", s)
	}
	answer, files := w.unpack(id, token)
	pub, page := w.published()

	want := []string{
		"identifiers", "protected_characteristics", "commercial_information", "network_activity", "geolocation",
		"audio_electronic_visual", "professional_information", "inferences",
	}
	var told, listed []string
	for i, row := range answer.California {
		told = append(told, row.Category)
		if len(row.Sources) == 0 || len(row.Purposes) == 0 || len(row.ThirdParties) == 0 || row.Sold {
			t.Errorf("the answer says of %s: %+v", row.Category, row)
		}
		if i < len(pub.California) && (!slices.Equal(row.Categories, pub.California[i].Labels) || !slices.Equal(row.Purposes, pub.California[i].Purposes)) {
			t.Errorf("of %s the answer says %+v, and the policy %+v", row.Category, row, pub.California[i])
		}
		for _, label := range row.Categories {
			if !strings.Contains(files["index.html"], label) {
				t.Errorf("the page of the answer does not name %s", label)
			}
		}
	}
	for _, row := range pub.California {
		listed = append(listed, string(row.Category))
		for _, label := range row.Labels {
			if !strings.Contains(page, label) {
				t.Errorf("the policy page does not name %s", label)
			}
		}
	}
	if !slices.Equal(told, want) || !slices.Equal(listed, want) {
		t.Errorf("the answer lists %v,\nthe policy %v,\nwant %v", told, listed, want)
	}
	if n := strings.Count(page, "Collected in the last 12 months."); n != len(w.policy.Categories) {
		t.Errorf("the policy page says %d times that something was collected in the last 12 months, want %d", n, len(w.policy.Categories))
	}
	var api struct{ California []policy.CaliforniaView }
	w.must(http.StatusOK, "GET", "/v1/policy/categories", nil).into(t, &api)
	if !reflect.DeepEqual(api.California, pub.California) {
		t.Errorf("/v1/policy/categories lists %+v", api.California)
	}
	// The specific pieces: what we conclude about people among them.
	for _, piece := range []string{"Kim Winter", "12 USD", "likely"} {
		if !strings.Contains(files["data.json"], piece) || !strings.Contains(files["index.html"], piece) {
			t.Errorf("the answer lacks %q", piece)
		}
	}
}

func TestSP_03_WhatWasNotCollectedIsInNeitherList(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "serverless-vendor", replaced(t, "{category: inferences}", "{category: inferences, collected_last_12_months: false}"))
	id := w.ask("know", "ada@example.org", livesIn("US-CA"))
	_, token := w.answered(id, "ada@example.org")
	answer, _ := w.unpack(id, token)
	pub, _ := w.published()
	if len(answer.California) != 7 || len(pub.California) != 7 || pub.California[6].Category != policy.ProfessionalInformation || answer.California[6].Category != "professional_information" {
		t.Errorf("the answer lists %+v, the policy %+v", answer.California, pub.California)
	}
}

func TestSP_04_NothingHappensBeforeThePersonIsVerified(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "serverless-vendor")
	const ada, mallory = "ada@example.org", "mallory@example.org"
	before := w.records(company.AdaAccount)
	untouched := func(when string) {
		t.Helper()
		if n := w.accesses(func(company.Access) bool { return true }) + w.called("accounts") + w.called("logs"); n != 0 {
			t.Errorf("%s, the company's stores were called or read %d times", when, n)
		}
		if !reflect.DeepEqual(w.records(company.AdaAccount), before) {
			t.Errorf("%s, the records have changed", when)
		}
	}
	var ids []string
	for _, right := range []string{"access", "portability", "erasure"} {
		ids = append(ids, w.ask(right, ada))
	}
	ids = append(ids, w.ask("know", ada, livesIn("US-CA")))
	ids = append(ids, w.ask("rectification", ada, func(b map[string]any) {
		b["corrections"] = []map[string]string{{"field": "name", "value": "Mallory"}}
	}))
	w.pass(9 * 24 * time.Hour) // the schedules had their turns
	untouched("unverified")
	for _, id := range ids {
		if a := w.call("POST", "/v1/requests/"+id+"/verify", map[string]string{"code": "000000"}); a.Status == http.StatusOK {
			t.Errorf("any code verifies: %s", a.Body)
		}
		for _, h := range [][]header{nil, {bearerOf("x")}, {bearerOf(w.session("another"))}, {bearerOf(w.session(id))}} {
			for _, call := range [][2]string{{"GET", ""}, {"GET", "/deadline"}, {"POST", "/deliver"}, {"POST", "/revoke"}} {
				var body any
				if call[0] == "POST" {
					body = map[string]any{}
				}
				if a := w.call(call[0], "/v1/requests/"+id+call[1], body, h...); a.Status != http.StatusUnauthorized {
					t.Errorf("%s %s before verification = %d %s", call[0], call[1], a.Status, a.Body)
				}
			}
		}
	}
	untouched("after wrong codes and tokens")

	// The code goes to the address of the account and nowhere else.
	for _, m := range w.mails("") {
		if m.To != ada && m.To != w.policy.Contact.Email { // who is told what waits for operators
			t.Errorf("a mail went to %s", m.To)
		}
	}
	// Who verifies another address and names the account gets nothing of it.
	id := w.ask("access", mallory, func(b map[string]any) {
		b["person"].(map[string]any)["account"] = company.AdaAccount //nolint:forcetypeassert // submission makes it so
	})
	s, token := w.answered(id, mallory)
	if n := w.accesses(func(company.Access) bool { return true }); n != 0 || len(s.Ignored) != 1 || s.Ignored[0].Type != "account" {
		t.Errorf("by naming another's account, %d records were read; ignored: %+v", n, s.Ignored)
	}
	if p, _ := w.unpack(id, token); slices.ContainsFunc(p.Outcomes, func(o parcelOutcome) bool { return o.Result == "found" || o.Result == "held" }) {
		t.Errorf("something of another's account was found: %+v", p.Outcomes)
	}
	// From the address of the account, it is done.
	w.pass(25 * time.Hour) // today's mails are used up
	id = w.ask("erasure", ada)
	w.answered(id, ada)
	if left := w.records(company.AdaAccount); left["shop/account/cust-0000001"] != "" || w.called("accounts") == 0 {
		t.Errorf("after verification %d records are left", len(left))
	}
}

func TestSP_04_PeopleWithoutAnAccountAreToldAnotherWay(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "serverless-vendor")
	pub, page := w.published()
	way := w.policy.Verification.WithoutAccount.In("en")
	if !strings.Contains(way, "If you have no account") || pub.WithoutAccount != way || !strings.Contains(page, way) {
		t.Errorf("visitors and applicants are told %q", pub.WithoutAccount)
	}
	// And it works: an applicant without an account verifies, and gets an answer.
	id := w.ask("access", "applicant@example.net")
	s, _ := w.answered(id, "applicant@example.net")
	if s.Status != "fulfilled" || s.result("Account") != "nothing" {
		t.Errorf("an applicant's request is %s: %+v", s.Status, s.Outcome)
	}
}

// The newsletter of the sample company plays a customer's deployment: a store
// that is really there, holds something of the person, and is no source of the
// vendor's policy.
func TestSP_16_DataInACustomersDeploymentIsElsewhere(t *testing.T) {
	t.Parallel()
	const text, ask = "Data inside an app that one of our customers runs, in the customer's own deployment.", "https://serverless.example.com/help/find-the-owner-of-an-app"
	w := openProfile(t, "serverless-vendor")
	const ada = "ada@example.org"
	deployed := func() map[string]string {
		found := map[string]string{}
		for place, fields := range w.records(company.AdaAccount) {
			if strings.HasPrefix(place, company.Newsletter) {
				found[place] = fields
			}
		}
		return found
	}
	before := deployed()
	if len(before) == 0 {
		t.Fatal("the deployment holds nothing of the person")
	}
	about := func(b map[string]any) {
		b["details"] = "It is about what I wrote in the app of Example Bakery, which runs on your service."
		b["person"].(map[string]any)["identities"] = []map[string]string{{"type": "app_user", "value": company.AdaAccount}} //nolint:forcetypeassert // submission makes it so
	}
	for _, right := range []string{"access", "erasure"} {
		id := w.ask(right, ada, about)
		s, token := w.answered(id, ada)
		if len(s.NotCovered) != 1 || s.NotCovered[0].Text != text || s.NotCovered[0].Ask != ask {
			t.Errorf("the answer to %s says that this is not covered: %+v", right, s.NotCovered)
		}
		if len(s.Ignored) != 1 || s.Ignored[0].Type != "app_user" {
			t.Errorf("the user of the app is not told that nothing was looked up by it: %+v", s.Ignored)
		}
		page := string(w.must(http.StatusOK, "GET", "/r/"+token, nil).Body)
		if !strings.Contains(page, htmlOf(text)) || !strings.Contains(page, ask) {
			t.Error("the page of the request does not say whom to ask")
		}
		if right == "access" {
			p, files := w.unpack(id, token)
			if !strings.Contains(strings.Join(p.Notes, "\n"), text) || !strings.Contains(strings.Join(p.Notes, "\n"), ask) || !strings.Contains(files["index.html"], ask) {
				t.Errorf("the package does not say whom to ask: %v", p.Notes)
			}
			for place, fields := range before {
				var values map[string]any
				if err := json.Unmarshal([]byte(fields), &values); err != nil {
					t.Fatal(err)
				}
				if title, ok := values["title"].(string); ok && strings.Contains(files["data.json"], `"title":"`+title) {
					t.Errorf("%s is disclosed", place)
				}
			}
		}
	}
	if n := w.accesses(func(a company.Access) bool { return a.Store == company.Newsletter }); n != 0 || !reflect.DeepEqual(deployed(), before) {
		t.Errorf("in the deployment %d records were read, or some have changed", n)
	}
	if pub, page := w.published(); len(pub.Scope.Exclusions) != 1 || pub.Scope.Exclusions[0].Redirect.URL != ask || !strings.Contains(page, ask) {
		t.Errorf("the policy excludes %+v", pub.Scope.Exclusions)
	}
}

// htmlOf is a text as it stands in a page.
func htmlOf(text string) string { return strings.ReplaceAll(text, "'", "&#39;") }

func TestSP_23_CredentialsAreNowhereToBeSeen(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "serverless-vendor")
	const token1, password, nested = "gho-canary-4a1d", "pw-canary-9c2e", "refresh-canary-77b0"
	w.live(kimAccount, kim, map[string]any{
		"full_name": "Kim Winter", "password": password, "cloud": map[string]any{"refresh_token": nested},
	})
	w.has(company.Shop, kimAccount, company.Credentials, "token-kim", `{"provider":"cloud","token":"`+token1+`"}`)
	seenIn := func(where, text string) {
		t.Helper()
		for _, canary := range []string{token1, password, nested} {
			if strings.Contains(text, canary) {
				t.Errorf("%s shows %s", where, canary)
			}
		}
	}
	for _, c := range []struct{ right, residence string }{{"access", "FR"}, {"portability", "FR"}, {"know", "US-CA"}, {"erasure", "FR"}} {
		id := w.ask(c.right, kim, livesIn(c.residence))
		s, token := w.answered(id, kim)
		if got, want := s.result("Access credentials"), map[bool]string{true: "erased", false: "held"}[c.right == "erasure"]; got != want {
			t.Errorf("the answer to %s says of credentials %q, want %q", c.right, got, want)
		}
		seenIn("the answer to "+c.right, string(w.must(http.StatusOK, "GET", "/v1/requests/"+id, nil, bearerOf(token)).Body))
		seenIn("the page of "+c.right, string(w.must(http.StatusOK, "GET", "/r/"+token, nil).Body))
		seenIn("the operator's view of "+c.right, string(w.must(http.StatusOK, "GET", "/v1/operator/requests/"+id, nil, w.operator()).Body))
		if c.right != "erasure" {
			p, files := w.unpack(id, token)
			for name, content := range files {
				seenIn(name+" of "+c.right, content)
			}
			if !slices.ContainsFunc(p.Outcomes, func(o parcelOutcome) bool { return o.Category == "deploy_credentials" && o.Result == "held" }) {
				t.Errorf("the package for %s does not say that credentials are held: %+v", c.right, p.Outcomes)
			}
		}
	}
	seenIn("the operator's list", string(w.must(http.StatusOK, "GET", "/v1/operator/requests", nil, w.operator()).Body))
	for _, m := range w.mails("") {
		seenIn("the mail "+m.Subject, w.said(m.N))
	}
	seenIn("the log", w.log.String())
	// For nothing but deployments and updates, and the policy says so.
	pub, _ := w.published()
	i := slices.IndexFunc(pub.Categories, func(c policy.CategoryView) bool { return c.ID == "deploy_credentials" })
	if c := pub.Categories[i]; c.Shown || !c.Credential || !slices.Equal(c.Purposes, []string{"To manage deployments and updates in your cloud account"}) {
		t.Errorf("the policy says of credentials %+v", c)
	}
}
