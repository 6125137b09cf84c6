package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"rightsdesk/infra/local/company"
)

// The promises of the cloud platform that need the running product.

// platformKim has something in everything that the platform controls.
func platformKim(w *profiled, activities int) {
	w.t.Helper()
	w.live(kimAccount, kim, map[string]any{"name": "Kim Wintr", "company": "Example Bakery", "joined": "2021-02-03"})
	for i := range 3 {
		w.has(company.Shop, kimAccount, company.Orders, fmt.Sprintf("bill-%d", i), fmt.Sprintf(`{"invoice_number":"%d","amount":"%d USD","joined":"x"}`, i, 10+i))
	}
	w.has(company.Shop, kimAccount, company.Credentials, "token-kim", `{"value":"secret"}`)
	w.has(company.Shop, kimAccount, company.SupportMail, "place-kim", `{"city":"Lyon"}`)
	w.has(company.Newsletter, kimAccount, company.ReadingHistory, "customers-kim", `{"account":"acc-kim","title":"of a customer","minutes":7}`)
	var log []company.Line
	for i := range activities {
		log = append(log, company.Line{
			Account: kimAccount, Category: company.AccessLog, ID: fmt.Sprintf("act-%05d", i), At: w.Clock.Now().AddDate(0, 0, -2).Truncate(1e6),
			Fields: fmt.Appendf(nil, `{"did":"deploy %d","ip":"192.0.2.1"}`, i),
		})
	}
	w.fill(company.Shop, log)
}

func TestPS_01_AccessIsToAllThatIsHeld(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "cloud-platform")
	platformKim(w, 1201) // two pages and one record
	id := w.ask("access", kim)
	_, token := w.answered(id, kim)
	p, _ := w.unpack(id, token)
	given := map[string]map[string]any{}
	for _, c := range p.Categories {
		for _, r := range c.Records {
			given[c.ID+"/"+r.ID] = r.Fields
		}
	}
	of := map[string]string{} // of the shop -> of the platform
	for _, s := range []string{"members", "activity"} {
		for ours, theirs := range w.sources[s].as {
			of[company.Shop+"/"+theirs] = ours
		}
	}
	held, shown := 0, 0
	for place, fields := range w.records(kimAccount) {
		parts := strings.SplitN(place, "/", 3)
		category, ok := of[parts[0]+"/"+parts[1]]
		switch {
		case !ok: // the customers', see PS-04
		case category == "tokens":
			held++
		default:
			var want map[string]any
			if err := json.Unmarshal([]byte(fields), &want); err != nil {
				t.Fatal(err)
			}
			if got, ok := given[category+"/"+parts[2]]; !ok || !reflect.DeepEqual(got, want) {
				t.Errorf("of %s the package holds %v, want %v", place, got, want)
			}
			shown++
		}
	}
	if shown != len(given) || shown != 1+3+1+1201 || held != 1 {
		t.Errorf("%d records are held and to be shown, %d are in the package; %d are held and not shown", shown, len(given), held)
	}
	for category, want := range map[string]string{"tokens": "held", "customers_data": "processor", "correspondence": "apart"} {
		if !slices.ContainsFunc(p.Outcomes, func(o parcelOutcome) bool { return o.Category == category && o.Result == want }) {
			t.Errorf("the package does not say %s of %s: %+v", want, category, p.Outcomes)
		}
	}
}

func TestPS_02_WhatIsHistoricalIsNotCorrected(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "cloud-platform")
	platformKim(w, 3)
	correct := func(fields ...string) (seen, string) {
		id := w.ask("rectification", kim, func(b map[string]any) {
			var list []map[string]string
			for i := 0; i < len(fields); i += 2 {
				list = append(list, map[string]string{"field": fields[i], "value": fields[i+1]})
			}
			b["corrections"] = list
		})
		s, _ := w.answered(id, kim)
		n := len(w.mails(kim))
		w.await("the answer is mailed", func() bool {
			return len(w.mails(kim)) > 0 && n > 0 && strings.Contains(w.mails(kim)[0].Subject, "done")
		})
		return s, w.said(w.mails(kim)[0].N)
	}
	before := w.records(kimAccount)
	s, mail := correct("joined", "1999-01-01", "amount", "0 USD", "invoice_number", "99")
	for _, category := range []string{"Profile", "Bills"} {
		if got := s.result(category); got != "historical" {
			t.Errorf("of %s the answer says %q", category, got)
		}
	}
	if !strings.Contains(mail, "it records what was true at the time") {
		t.Errorf("the mail does not give the reason: %s", mail)
	}
	if after := w.records(kimAccount); !reflect.DeepEqual(after, before) {
		t.Errorf("historical records are now %v", after)
	}
	if n := w.accesses(func(a company.Access) bool { return a.Operation == "correct" }); n != 0 {
		t.Errorf("%d records were corrected", n)
	}

	s, _ = correct("name", "Kim Winter", "joined", "1999-01-01")
	var results []string
	for _, sys := range s.Outcome {
		for _, c := range sys.Categories {
			if c.Category == "Profile" {
				results = append(results, c.Result)
			}
		}
	}
	if !slices.Equal(results, []string{"corrected", "historical"}) {
		t.Errorf("of the profile the answer says %v", results)
	}
	const profile = "shop/account/cust-" + kimAccount
	before[profile] = strings.Replace(before[profile], "Kim Wintr", "Kim Winter", 1)
	if after := w.records(kimAccount); !reflect.DeepEqual(after, before) {
		t.Errorf("after the correction the records are\n%v, want\n%v", after, before)
	}
}

func TestPS_04_ACustomersDataIsForTheCustomer(t *testing.T) {
	t.Parallel()
	const holding, source = "      customers_data: {action: delete}\n", "    label: What our customers store on the platform\n"
	masked := replaced(t, holding, `      customers_data:
        action: anonymise
        masks: {account: {how: keyed_hash}, title: {how: preserve}, minutes: {how: preserve}}
`)
	named := replaced(t, source, source+"    controller: Example Bakery\n")
	for name, c := range map[string]struct {
		changes []func(string) string
		told    string
		named   string
	}{
		"deletion, and whose it is is not known": {nil, "The company only stores this for somebody else. Please ask them", ""},
		"deletion, for a customer with a name":   {[]func(string) string{named}, "The company only stores this for Example Bakery. Please ask them", "Example Bakery"},
		"anonymisation":                          {[]func(string) string{named, masked}, "The company only stores this for Example Bakery. Please ask them", "Example Bakery"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := openProfile(t, "cloud-platform", c.changes...)
			platformKim(w, 2)
			const place = "newsletter/reading_history/customers-kim"
			before := w.records(kimAccount)[place]
			id := w.ask("erasure", kim)
			s, token := w.answered(id, kim)
			got, controller := "", ""
			for _, sys := range s.Outcome {
				for _, o := range sys.Categories {
					if o.Category == "What our customers store" {
						got, controller = o.Result, o.Controller
					}
				}
			}
			if got != "elsewhere" || controller != c.named {
				t.Errorf("the answer says %q and names %q", got, controller)
			}
			if page := string(w.must(http.StatusOK, "GET", "/r/"+token, nil).Body); !strings.Contains(page, c.told) {
				t.Errorf("the page of the request does not say %q", c.told)
			}
			w.await("the answer is mailed", func() bool { return strings.Contains(w.said(w.mails(kim)[0].N), c.told) })
			if n := w.called("customers_storage"); n != 0 || before == "" || w.records(kimAccount)[place] != before {
				t.Errorf("the customers' storage was called %d times, and holds %q", n, w.records(kimAccount)[place])
			}
			if s.result("Profile") != "erased" {
				t.Errorf("what the platform controls is not erased: %+v", s.Outcome)
			}
			if pub, page := w.published(); !strings.Contains(page, "What our customers store on the platform") || pub.Places[3].Role != "processor" || pub.Places[3].Controller != c.named {
				t.Errorf("the policy says of the customers' storage %+v", pub.Places)
			}
		})
	}
}
