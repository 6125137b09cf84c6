package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/infra/local/company"
	"rightsdesk/shared/audit"
	"rightsdesk/shared/consent"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
)

// TestRequestsThatAreChoicesTakeEffectAtOnce makes requests that stop the company from
// something, and asks right afterwards what it may do. The stores hear of it.
func TestRequestsThatAreChoicesTakeEffectAtOnce(t *testing.T) {
	t.Parallel()
	for name, weather := range weathers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, func(o *options) { weather(t, o) })
			takeEffect(w)
			var v struct{ Broken []any }
			w.must(http.StatusOK, "GET", "/v1/operator/audit/verify", nil, w.operator()).into(t, &v)
			if len(v.Broken) > 0 {
				t.Errorf("the audit chains: %+v", v)
			}
		})
	}
}

func takeEffect(w *world) {
	t := w.t
	t.Helper()
	people, err := w.Company.People(6)
	if err != nil {
		t.Fatal(err)
	}
	california := livesIn("US-CA")

	// Eight times the same call is one request, and one entry; nobody was asked for proof.
	who := people[0]
	ids := at8(func(n int) string {
		return w.from(100+n).submit(submission("opt_out_sale", who.Email, california), header{"Idempotency-Key", "one"})
	})
	if len(slices.Compact(slices.Sorted(slices.Values(ids)))) != 1 {
		t.Errorf("one call made %v", ids)
	}
	w.stopped(who, "advertising", "opt_out_sale")
	if got := w.stops(who, policy.SaleOptOut); !slices.Equal(got, []string{"stopped by " + ids[0]}) {
		t.Errorf("the audit has %q", got)
	}
	w.obeyed(who, company.Shop, "opt_out_sale")
	w.obeyed(who, company.Newsletter, "opt_out_sale") // which knows them by the account that the shop ties
	w.reach(ids[0], w.verify(ids[0], who.Email), "fulfilled")

	// Eight calls are eight requests, each with its entry: what is denied to one stands for the others.
	who = people[1]
	ids = at8(func(n int) string {
		return w.from(200+n).submit(submission("limit_sensitive", who.Email, california), header{"Idempotency-Key", fmt.Sprint(n)})
	})
	if len(slices.Compact(slices.Sorted(slices.Values(ids)))) != 8 {
		t.Errorf("eight calls made %v", ids)
	}
	if got := w.stops(who, policy.SensitiveLimit); len(slices.Compact(slices.Sorted(slices.Values(got)))) != 8 {
		t.Errorf("the audit has %q", got)
	}

	who = people[2]
	id := w.from(300).submit(submission("withdraw_consent", who.Email, func(b map[string]any) { b["purposes"] = []string{"offers"} }))
	w.stopped(who, "offers", "withdrawn")
	w.obeyed(who, company.Newsletter, "withdraw_consent")
	w.reach(id, w.verify(id, who.Email), "fulfilled")

	// An objection is somebody's once it is verified. Denied, it lets go of everything but marketing.
	who = people[3]
	id = w.from(301).submit(submission("objection", who.Email))
	if got := w.stops(who, policy.Objected); len(got) > 0 {
		t.Errorf("before anybody proved anything the audit has %q", got)
	}
	session := w.verify(id, who.Email)
	w.stopped(who, "analytics", "objection")
	w.must(http.StatusOK, "POST", "/v1/operator/requests/"+id+"/deny", map[string]string{"reason": "compelling_grounds"}, w.operator(), header{"Idempotency-Key", "deny"})
	w.reach(id, session, "denied")
	w.stopped(who, "offers", "marketing_opt_out")
	w.stopped(who, "analytics", "not_asked")
	if got := w.stops(who, policy.Objected); !slices.Equal(got, []string{"started by " + id, "stopped by " + id}) {
		t.Errorf("the audit has %q", got)
	}

	who = people[4]
	id = w.from(302).submit(submission("restriction", who.Email))
	session = w.verify(id, who.Email)
	w.must(http.StatusOK, "POST", "/v1/operator/requests/"+id+"/accept", map[string]any{}, w.operator(), header{"Idempotency-Key", "accept"})
	w.must(http.StatusOK, "POST", "/v1/operator/tasks/"+id+".0/done", map[string]any{}, w.operator(), header{"Idempotency-Key", "done"})
	w.reach(id, session, "fulfilled")
	w.stopped(who, "sell_books", "restriction")

	// Whoever is signed in is known by the account as well.
	who = people[5]
	body := submission("opt_out_sale", who.Email, california, func(b map[string]any) { b["account"] = who.Account })
	var mine, again struct{ ID, Status, Token string }
	for i, into := range []any{&mine, &again} {
		var a answer
		w.await("the app is answered", func() bool {
			a = w.app("POST", "/v1/app/requests", body, "signed-in")
			return a.Status != http.StatusServiceUnavailable
		})
		if a.Status != http.StatusCreated {
			t.Fatalf("call %d: %d %s", i, a.Status, a.Body)
		}
		a.into(t, into)
	}
	if mine != again || mine.Status != "open" {
		t.Errorf("the app is answered %+v, then %+v", mine, again)
	}
	w.reach(mine.ID, mine.Token, "fulfilled")
	w.stopped(company.Person{Account: who.Account}, "advertising", "opt_out_sale")
	w.stopped(who, "advertising", "opt_out_sale")
	w.obeyed(who, company.Newsletter, "opt_out_sale")
}

// at8 does something eight times at once.
func at8(do func(n int) string) []string {
	list := make([]string, 8)
	var wg sync.WaitGroup
	for n := range list {
		wg.Go(func() { list[n] = do(n) })
	}
	wg.Wait()
	return list
}

// identityOf is how the choices know somebody: the address, or the account alone.
func identityOf(who company.Person) personal.Identity {
	if who.Email == "" {
		return personal.MakeIdentity(personal.KindAccount, who.Account)
	}
	return personal.MakeIdentity(personal.KindEmail, who.Email)
}

// stopped fails the test unless the company may not do something, for a reason.
func (w *world) stopped(who company.Person, purpose string, why consent.Why) {
	w.t.Helper()
	var d []consent.Decision
	w.weathered(func() (err error) {
		d, err = w.Consents.Decide(w.t.Context(), consent.Question{Identity: identityOf(who), Purposes: []string{purpose}, Residence: "FR"})
		return err
	})
	if len(d) != 1 || d[0].May || d[0].Why != why {
		w.t.Errorf("%s: %+v, want no because of %s", purpose, d, why)
	}
}

// stops lists what the audit has of a stop of somebody's, the newest first, and which
// request brought it about.
func (w *world) stops(who company.Person, stop policy.Stop) (list []string) {
	w.t.Helper()
	var v consent.View
	w.weathered(func() (err error) {
		v, err = w.Consents.ShowTo(w.t.Context(), identityOf(who), consent.Signals{})
		return err
	})
	for _, e := range v.History {
		if slices.Contains(e.Facts, audit.Fact{Name: "stop", Value: string(stop)}) {
			for _, f := range e.Facts {
				if f.Name == "request" {
					list = append(list, e.Action+" by "+f.Value)
				}
			}
		}
	}
	return list
}

// weathered repeats what the store of a bad day refuses.
func (w *world) weathered(do func() error) {
	w.t.Helper()
	var err error
	for range 20 {
		if err = do(); err == nil || w.o.Hostile == 0 {
			break
		}
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// obeyed waits until a store shows that it was told of a choice.
func (w *world) obeyed(who company.Person, store, right string) {
	w.t.Helper()
	w.await("the "+store+" hears of it", func() bool {
		var stores map[string]map[string][]struct {
			ID     string
			At     time.Time
			Fields json.RawMessage
		}
		q := url.Values{"email": {who.Email}, "account": {who.Account}}
		w.must(http.StatusOK, "GET", "/local/company/people?"+q.Encode(), nil).into(w.t, &stores)
		for _, told := range stores[store][company.Chosen] {
			if told.ID == right && !told.At.IsZero() && strings.Contains(string(told.Fields), `"on": true`) {
				return true
			}
		}
		return false
	})
}
