package main

import (
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// The promises about what is not kept at all, each through the profile that it comes from.

func TestPT_15_WhatIsNotNeededIsRefusedOrDroppedOnArrival(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "server-automation")
	_, _, said := w.filtered(http.StatusBadRequest, "sign_up", map[string]any{"email": kim, "name": "Kim Winter", "birthday": "1990-01-02"})
	if _, text := said.problem(t); !strings.Contains(text, "/records/0/fields/birthday") || strings.Contains(text, "1990") {
		t.Errorf("the refusal says %s", text)
	}
	kept, dropped, _ := w.filtered(http.StatusOK, "connections", map[string]any{
		"server": map[string]any{"name": "web-1", "system": "linux", "owner": "Kim Winter"}, "clipboard": "secret words",
	})
	if !reflect.DeepEqual(kept, map[string]any{"server": map[string]any{"name": "web-1", "system": "linux"}}) || !slices.Equal(slices.Sorted(slices.Values(dropped)), []string{"clipboard", "server.owner"}) {
		t.Errorf("kept %v, dropped %v", kept, dropped)
	}
	w.counted("connections", "clipboard", "secret words", "Kim Winter")
}

// counted fails unless a channel's drops are counted by name, and no value is
// anywhere to be found.
func (w *profiled) counted(channel, name string, values ...string) {
	w.t.Helper()
	said := string(w.must(http.StatusOK, "GET", "/v1/operator/intake", nil, w.operator()).Body)
	names(w.t, said, channel, name)
	for _, item := range w.copyState() {
		said += string(item.Body)
	}
	for _, v := range values {
		if strings.Contains(said, v) {
			w.t.Errorf("%q was kept", v)
		}
	}
	w.silent(values...)
}

func TestSP_25_AnUndeclaredSourceOfDataIsRefused(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "serverless-vendor")
	kept, _, _ := w.filtered(http.StatusOK, "sign_on", map[string]any{"email": kim, "name": "Kim Winter"})
	if kept["email"] != kim {
		t.Errorf("the declared source gives %v", kept)
	}
	w.filtered(http.StatusNotFound, "data_broker", map[string]any{"email": kim})
	broken(t, "serverless-vendor", "    outside: The sign-on provider that you chose\n", "    outside: A list that somebody sold us\n", "intake.sign_on.outside", "from_outside")
	pub, page := w.published()
	if len(pub.Categories) == 0 {
		t.Fatal("nothing is published")
	}
	for _, c := range pub.Categories {
		if len(c.From) == 0 {
			t.Errorf("%s names no source", c.ID)
		}
	}
	shows(t, page, "The sign-on provider that you chose")
}

func TestSP_31_APrecisePositionIsRefusedBeforeAnythingIsStored(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "serverless-vendor")
	kept, _, _ := w.filtered(http.StatusOK, "locations", map[string]any{"city": "Lyon", "country": "FR"})
	if kept["city"] != "Lyon" {
		t.Errorf("an approximate place becomes %v", kept)
	}
	for _, fields := range []map[string]any{
		{"city": "Lyon", "latitude": 45.76404, "longitude": 4.83566},
		{"city": "45.76404, 4.83566"},
	} {
		_, _, said := w.filtered(http.StatusBadRequest, "locations", fields)
		if code, text := said.problem(t); code != "forbidden_data" || strings.Contains(text, "45.76") {
			t.Errorf("the refusal of %v says %s %s", fields, code, text)
		}
	}
	w.silent("45.76404")
}

func TestPQ_03_WhatTheMarketplaceSendsTooMuchIsThrownAwayAtOnce(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "addon-france")
	kept, dropped, _ := w.filtered(http.StatusOK, "licences", map[string]any{
		"email": kim, "licence": "L-1", "kind": "evaluation", "phone": "+33 6 00 00 00 00", "reseller": map[string]any{"name": "Pierre Printemps"},
	})
	if !reflect.DeepEqual(kept, map[string]any{"email": kim, "licence": "L-1", "kind": "evaluation"}) || len(dropped) != 2 {
		t.Errorf("kept %v, dropped %v", kept, dropped)
	}
	w.counted("licences", "phone", "+33 6 00 00 00 00", "Pierre Printemps", kim)
}

func TestPQ_14_APayloadWithACardNumberIsRefused(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "addon-france")
	for _, card := range []string{"4111 1111 1111 1111", "4111-1111-1111-1111", "378282246310005"} {
		_, _, said := w.filtered(http.StatusBadRequest, "bills", map[string]any{"name": "Kim Winter", "licence": "paid with " + card})
		if _, text := said.problem(t); !strings.Contains(text, "/records/0/fields/licence") || strings.Contains(text, card) {
			t.Errorf("the refusal of %s says %s", card, text)
		}
		w.silent(card)
	}
	if kept, _, _ := w.filtered(http.StatusOK, "bills", map[string]any{"name": "Kim Winter", "licence": "4111 1111 1111 1112", "amount": 12}); kept["licence"] == nil {
		t.Error("a number that is no card's is refused")
	}
	broken(t, "addon-france", "    keep: [name, address, licence, amount, currency, day]\n    unknown: drop\n    refuse: [card_number]\n",
		"    keep: [name, address, licence, amount, currency, day]\n    unknown: drop\n", "intake.bills", "card_number")
}

func TestPQ_17_ASelfReportHoldsStatisticsAndNothingElse(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "addon-france")
	kept, dropped, _ := w.filtered(http.StatusOK, "self_report", map[string]any{
		"users": 12, "server_id": "S-17", "product": map[string]any{"version": "9.1", "admin": "Kim Winter"}, "addon": map[string]any{"version": "3"},
		"connections": map[string]any{"type": "sql", "password": "hunter2"}, "statistics": map[string]any{"queries": 3, "spreadsheets": 1, "features": []any{"pivot"}},
		"licensee": "Winter SARL",
	})
	want := map[string]any{
		"users": 12.0, "server_id": "S-17", "product": map[string]any{"version": "9.1"}, "addon": map[string]any{"version": "3"},
		"connections": map[string]any{"type": "sql"}, "statistics": map[string]any{"queries": 3.0, "spreadsheets": 1.0, "features": []any{"pivot"}},
	}
	if !reflect.DeepEqual(kept, want) || !slices.Equal(slices.Sorted(slices.Values(dropped)), []string{"connections.password", "licensee", "product.admin"}) {
		t.Errorf("kept %v, dropped %v", kept, dropped)
	}
	w.counted("self_report", "licensee", "hunter2", "Winter SARL", "Kim Winter")
}
