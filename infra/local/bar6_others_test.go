package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/infra/local/company"
)

// TestBar6_NamingSomebodyElseReachesNothingOfTheirs lets Ada name the account,
// the address, the phone and the customer number of Grace in every right, and
// verify her own address only. Nothing of Grace's is read, shown or changed, and
// Ada is told by type what was ignored.
func TestBar6_NamingSomebodyElseReachesNothingOfTheirs(t *testing.T) {
	t.Parallel()
	w := open(t)
	const ada, grace = company.AdaEmail, company.GraceEmail
	theirs, hers := w.belongings(company.GraceAccount), w.belongings(company.AdaAccount)
	before := w.lines()
	values := []string{grace, company.GraceAccount}
	for v := range theirs.values {
		if !hers.values[v] {
			values = append(values, v)
		}
	}
	naming := func(b map[string]any) {
		p := b["person"].(map[string]any)
		p["account"] = company.GraceAccount
		p["identities"] = []map[string]string{
			{"type": "email", "value": grace},
			{"type": "phone", "value": theirs.phone},
			{"type": "customer_number", "value": theirs.customer},
			{"type": "account", "value": company.AdaAccount}, // her own, which the shop ties to her address
		}
		b["details"] = "I am also known as " + grace + ", " + company.GraceAccount
	}
	// What Ada wrote herself she may read again, on her page and in her mail, and
	// nowhere else.
	named := map[string]bool{grace: true, company.GraceAccount: true, theirs.phone: true, theirs.customer: true}
	hidden := func(where, text string) {
		t.Helper()
		for _, v := range values {
			own := named[v] && (strings.HasPrefix(where, "the page") || strings.HasPrefix(where, "a mail"))
			if strings.Contains(text, v) && !own {
				t.Errorf("%s shows %q of Grace's", where, v)
			}
		}
	}
	told := func(right string, s seen) {
		t.Helper()
		var types []string
		for _, i := range s.Ignored {
			types = append(types, i.Type)
		}
		slices.Sort(types)
		byHand := right == "restriction" || right == "objection" || right == "challenge"
		want := []string{"account", "customer_number", "email", "phone"}
		if byHand {
			want = []string{"account", "account", "customer_number", "email", "phone"} // nobody was asked, so nothing is tied
		}
		if !slices.Equal(types, want) {
			t.Errorf("%s: the answer says that %v were ignored, want %v", right, types, want)
		}
	}
	ask := func(right string, more ...func(map[string]any)) (id, token string) {
		t.Helper()
		id = w.submit(submission(right, ada, append([]func(map[string]any){naming}, more...)...))
		return id, w.verify(id, ada)
	}
	shown := func(right, id, token string) {
		t.Helper()
		hidden(right, string(w.must(http.StatusOK, "GET", "/v1/requests/"+id, nil, bearerOf(token)).Body))
		hidden("the page of "+right, string(w.must(http.StatusOK, "GET", "/r/"+token, nil).Body))
		var o struct{ Steps []struct{ Samples []string } }
		w.must(http.StatusOK, "GET", "/v1/operator/requests/"+id, nil, w.operator()).into(t, &o)
		for _, step := range o.Steps {
			for _, sample := range step.Samples {
				if theirs.ids[sample] {
					t.Errorf("%s: operators see Grace's record %s as Ada's", right, sample)
				}
			}
		}
	}

	for _, right := range []string{"access", "portability", "know"} {
		id, token := ask(right)
		told(right, w.reach(id, token, "fulfilled"))
		shown(right, id, token)
		for name, content := range w.download(id, token) {
			hidden("the package of "+right+", "+name, content)
		}
		w.pass(25 * time.Hour) // five mails a day
	}
	for _, right := range []string{"restriction", "objection", "challenge"} {
		id, token := ask(right)
		w.must(http.StatusOK, "POST", "/v1/operator/requests/"+id+"/accept", map[string]any{}, w.operator())
		done := map[string]any{}
		if right == "challenge" {
			done = map[string]any{"outcome": "rejected", "text": "We looked into it."}
		}
		w.must(http.StatusOK, "POST", "/v1/operator/tasks/"+id+".0/done", done, w.operator())
		told(right, w.reach(id, token, "fulfilled"))
		shown(right, id, token)
	}
	w.pass(25 * time.Hour)

	correct := func(field, value string) func(map[string]any) {
		return func(b map[string]any) { b["corrections"] = []map[string]string{{"field": field, "value": value}} }
	}
	id, token := ask("rectification", correct("name", "Ada Summer"))
	w.await("the sources can be asked", func() bool { return w.see(id, token).Status == "open" })
	w.must(http.StatusOK, "POST", "/v1/operator/requests/"+id+"/accept", map[string]any{}, w.operator())
	told("rectification", w.reach(id, token, "fulfilled"))
	shown("rectification", id, token)
	if !strings.Contains(w.holds(ada), "Ada Summer") {
		t.Error("Ada's own name was not corrected")
	}
	// Grace's address as Ada's new one: Grace would have to say yes.
	id, token = ask("rectification", correct("email", grace))
	w.mailed(grace, id, 1)
	if a := w.must(http.StatusConflict, "POST", "/v1/operator/requests/"+id+"/accept", map[string]any{}, w.operator()); !strings.Contains(string(a.Body), "new_address_unconfirmed") {
		t.Errorf("accepted without the owner's yes: %s", a.Body)
	}
	w.must(http.StatusOK, "POST", "/v1/requests/"+id+"/revoke", map[string]any{}, bearerOf(token))
	w.pass(25 * time.Hour)

	id, token = ask("erasure")
	w.pass(8 * 24 * time.Hour)
	told("erasure", w.reach(id, token, "fulfilled"))
	shown("erasure", id, token)

	for place, l := range w.lines() {
		if l.account == company.GraceAccount && l.sum != before[place].sum {
			t.Errorf("%q of Grace's is not as it was", place)
		}
	}
	lines := 0
	for place, l := range before {
		if l.account == company.GraceAccount {
			lines++
			if _, there := w.lines()[place]; !there {
				t.Errorf("%q of Grace's is gone", place)
			}
		}
	}
	accesses := 0
	if err := w.Company.Accesses(func(a company.Access) {
		accesses++
		if theirs.ids[a.ID] {
			t.Errorf("a call for Ada did %s to Grace's %s %s", a.Operation, a.Category, a.ID)
		}
	}); err != nil {
		t.Fatal(err)
	}
	for _, m := range w.mails(ada) {
		var whole struct{ Text, HTML string }
		w.must(http.StatusOK, "GET", fmt.Sprintf("/local/mail/%d?format=json", m.N), nil).into(t, &whole)
		hidden("a mail to Ada", whole.Text+whole.HTML)
	}
	if lines == 0 || accesses == 0 || len(values) < 10 {
		t.Fatalf("nothing was compared: %d lines, %d accesses, %d values", lines, accesses, len(values))
	}
	proof(t, "bar 6", "8 rights that name somebody else's account, address, phone and number: 0 of %d accesses to their records, %d of %d of their lines byte-identical, 0 of %d values in packages, pages and mails; each answer lists what was ignored by type",
		accesses, lines, lines, len(values))
}

// belongings are what the stores hold of one account.
type belongings struct {
	ids             map[string]bool
	values          map[string]bool // that say something about the person
	phone, customer string
}

func (w *world) belongings(account string) belongings {
	w.t.Helper()
	b := belongings{ids: map[string]bool{}, values: map[string]bool{}}
	generic := map[string]bool{"path": true, "user_agent": true, "title": true, "list": true, "frequency": true, "total": true}
	for store := range company.Categories {
		if err := w.Company.Records(store, func(l company.Line) {
			if l.Account != account {
				return
			}
			b.ids[l.ID] = true
			var fields map[string]any
			if err := json.Unmarshal(l.Fields, &fields); err != nil {
				w.t.Fatal(err)
			}
			for name, v := range fields {
				if text, ok := v.(string); ok && !generic[name] {
					b.values[text] = true
				}
			}
			if l.Category == company.Account {
				b.phone, b.customer = fields["phone"].(string), l.ID
			}
		}); err != nil {
			w.t.Fatal(err)
		}
	}
	return b
}
