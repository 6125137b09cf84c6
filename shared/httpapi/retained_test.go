package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/hold"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/source"
)

// shelf is a source with old letters.
type shelf struct {
	source.Source
	letters []source.AgedRecord
}

func (s *shelf) Old(_ context.Context, a source.Age) (source.Aged, error) {
	page := source.Aged{Done: true, Seen: len(s.letters)}
	for _, l := range s.letters {
		if !l.At.After(a.Until) {
			page.Records = append(page.Records, l)
		}
	}
	return page, nil
}

func (s *shelf) Expire(_ context.Context, e source.Expiry) (source.Done, error) {
	before := len(s.letters)
	s.letters = slices.DeleteFunc(s.letters, func(l source.AgedRecord) bool {
		return slices.ContainsFunc(e.Records, func(r source.AgedRecord) bool { return r.ID == l.ID })
	})
	return source.Done{Removed: before - len(s.letters), Done: true}, nil
}

func TestARuleIsLetLooseByWhoSawIt(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	shop := &shelf{}
	for i := range 40 {
		shop.letters = append(shop.letters, source.AgedRecord{ID: fmt.Sprintf("letter-%d", i), At: e.at.AddDate(-i/10, 0, -1)})
	}
	e.env.Retention.Sources = map[string]source.Source{"shop": shop}
	sweep := func() {
		t.Helper()
		if _, err := e.env.Retention.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	const path = "/v1/operator/retention/letters"
	sweep()
	var list struct{ Rules []sweeping }
	e.into(e.operator(auditorKey, "GET", "/v1/operator/retention", "", "Accept-Language", "en"), http.StatusOK, &list)
	if len(list.Rules) < 3 || list.Rules[0].ID != "letters" || list.Rules[0].Rule.Text != "Letters to our help desk (The shop): deleted 2 years after it was collected" {
		t.Fatalf("%+v", list.Rules)
	}
	var v sweeping
	e.into(e.operator(auditorKey, "GET", path, ""), http.StatusOK, &v)
	if v.Status != "previewed" || v.Preview == nil || v.Preview.Total != 40 || v.Preview.Due != 20 || len(v.Preview.Samples) != 20 || v.Run != nil || v.Rule.Action != "delete" || v.Rule.Period != "2y" {
		t.Fatalf("%+v, preview %+v", v, v.Preview)
	}
	for body, want := range map[string]string{`{}`: "/version", `{"version":1}`: "/version"} {
		for _, verb := range []string{"/activate", "/confirm"} {
			if p := e.pointer(e.operator(operatorKey, "POST", path+verb, body), http.StatusBadRequest, "invalid_input"); p != want {
				t.Errorf("%s %s complains about %q", verb, body, p)
			}
		}
	}
	e.problem(e.operator(operatorKey, "POST", path+"/activate", `{"version":"other"}`), http.StatusConflict, "rule_changed")
	e.problem(e.operator(operatorKey, "GET", "/v1/operator/retention/unheard-of", ""), http.StatusNotFound, "rule_not_found")
	version := fmt.Sprintf(`{"version":%q}`, v.Version)
	e.into(e.operator(operatorKey, "POST", path+"/activate", version), http.StatusOK, &v)
	if v.Status != "active" || v.Activated == nil || v.By != "h1" {
		t.Errorf("%+v", v)
	}
	e.into(e.operator(operatorKey, "POST", path+"/pause", ""), http.StatusOK, &v)
	e.into(e.operator(operatorKey, "POST", path+"/activate", version), http.StatusOK, &v)
	if v.Status != "active" {
		t.Errorf("%+v", v)
	}
	sweep()
	e.into(e.operator(operatorKey, "GET", path, ""), http.StatusOK, &v)
	if v.Status != "braked" || v.Brake == nil || v.Brake.Limit == 0 || len(shop.letters) != 40-v.Brake.Taken || v.Brake.Taken > v.Brake.Limit {
		t.Fatalf("%d letters are left, %+v, brake %+v", len(shop.letters), v, v.Brake)
	}
	if p := e.pointer(e.operator(operatorKey, "POST", path+"/confirm", strings.Replace(version, "}", `,"extra":999}`, 1)), http.StatusBadRequest, "invalid_input"); p != "/extra" {
		t.Error(p)
	}
	v = sweeping{}
	e.into(e.operator(operatorKey, "POST", path+"/confirm", strings.Replace(version, "}", `,"extra":18}`, 1)), http.StatusOK, &v)
	if v.Status != "active" || v.Brake != nil {
		t.Errorf("%+v", v)
	}
	e.into(e.operator(operatorKey, "POST", path+"/preview", "{}"), http.StatusOK, &v)
}

func TestAHoldIsPlacedReviewedAndReleased(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	review := e.at.AddDate(0, 3, 0).Format(time.RFC3339)
	body := `{"scope":"person","who":[` + about("email", "ada@example.org") + `,` + about("account", "acc-1001") + `],"basis":"legal_claims","matter":"2026-CV-0042","review":"` + review + `"}`
	first := e.operator(operatorKey, "POST", "/v1/operator/holds", body, "Idempotency-Key", "k")
	var h held
	e.into(first, http.StatusCreated, &h)
	if h.Status != "placing" || h.Identities != 2 || h.Owner != "h1" || h.Automatic || h.Overdue || strings.Contains(first.Body.String(), "ada") {
		t.Errorf("%s", first.Body)
	}
	if again := e.operator(operatorKey, "POST", "/v1/operator/holds", body, "Idempotency-Key", "k"); again.Code != first.Code || again.Body.String() != first.Body.String() {
		t.Errorf("%s, again %s", first.Body, again.Body)
	}
	e.problem(e.operator(operatorKey, "POST", "/v1/operator/holds", strings.Replace(body, "0042", "0043", 1), "Idempotency-Key", "k"), http.StatusUnprocessableEntity, "idempotency_mismatch")

	path := "/v1/operator/holds/" + h.ID
	e.at = e.at.Add(2 * time.Minute)
	if err := e.env.Holds.Tick(t.Context(), hold.ID(h.ID).Key()); err != nil {
		t.Fatal(err)
	}
	e.into(e.operator(auditorKey, "GET", path, ""), http.StatusOK, &h)
	if h.Status != "in_force" || h.InForce == nil {
		t.Errorf("%+v", h)
	}
	var list struct {
		Holds  []held
		Cursor string
	}
	for query, want := range map[string]int{"": 1, "?status=in_force": 1, "?status=released": 0, "?scope=person": 1, "?scope=source": 0, "?request=r1": 0} {
		e.into(e.operator(auditorKey, "GET", "/v1/operator/holds"+query, ""), http.StatusOK, &list)
		if len(list.Holds) != want || list.Cursor != "" {
			t.Errorf("%s: %+v", query, list)
		}
	}
	e.at = e.at.AddDate(0, 4, 0)
	e.into(e.operator(auditorKey, "GET", path, ""), http.StatusOK, &h)
	if !h.Overdue {
		t.Errorf("%+v", h)
	}
	e.into(e.operator(operatorKey, "POST", path+"/review", `{"review":"`+e.at.AddDate(0, 1, 0).Format(time.RFC3339)+`","owner":"h2"}`), http.StatusOK, &h)
	if h.Overdue || h.Owner != "h2" {
		t.Errorf("%+v", h)
	}
	if p := e.pointer(e.operator(operatorKey, "POST", path+"/release", `{"reason":"she is ada@example.org"}`), http.StatusBadRequest, "invalid_input"); p != "/reason" {
		t.Error(p)
	}
	release := e.operator(operatorKey, "POST", path+"/release", `{"reason":"case-closed"}`, "Idempotency-Key", "r")
	e.into(release, http.StatusOK, &h)
	if again := e.operator(operatorKey, "POST", path+"/release", `{"reason":"case-closed"}`, "Idempotency-Key", "r"); again.Body.String() != release.Body.String() || h.Status != "released" || h.Reason != "case-closed" {
		t.Errorf("%s, again %s", release.Body, again.Body)
	}
	e.problem(e.operator(operatorKey, "POST", path+"/review", `{"review":"`+e.at.AddDate(0, 1, 0).Format(time.RFC3339)+`"}`), http.StatusConflict, "hold_released")
	e.problem(e.operator(operatorKey, "GET", "/v1/operator/holds/h0", ""), http.StatusNotFound, "hold_not_found")
	if log := e.log.String(); strings.Contains(log, "ada@") || strings.Contains(log, "acc-1001") {
		t.Errorf("the log names somebody:\n%s", log)
	}
}

func TestAHoldThatCannotBePlacedIsToldWhy(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	rest := `"basis":"legal_claims","review":"2026-05-01T00:00:00Z"`
	for body, want := range map[string]string{
		`{"scope":"person","who":[` + about("email", "x") + `],` + rest + `}`:                   "/who/0/value",
		`{"scope":"person",` + rest + `}`:                                                       "/who",
		`{"scope":"planet",` + rest + `}`:                                                       "/scope",
		`{"scope":"source","source":"attic",` + rest + `}`:                                      "/source",
		`{"scope":"item","source":"shop","category":"orders",` + rest + `}`:                     "/item",
		`{"scope":"request","request":"r0",` + rest + `}`:                                       "/request",
		`{"scope":"source","source":"shop","matter":"ada@example.org",` + rest + `}`:            "/matter",
		`{"scope":"source","source":"shop","basis":"recourse","review":"2026-05-01T00:00:00Z"}`: "/basis",
		`{"scope":"source","source":"shop","basis":"legal_duty"}`:                               "/review",
		`{"scope":"source","source":"shop","basis":"legal_duty","review":"soon"}`:               "/review",
		`{"scope":"source","source":"shop","until":"2026-01-01T00:00:00Z",` + rest + `}`:        "/until",
	} {
		if p := e.pointer(e.operator(operatorKey, "POST", "/v1/operator/holds", body), http.StatusBadRequest, "invalid_input"); p != want {
			t.Errorf("%s complains about %q", body, p)
		}
	}
}

func TestSaltsAreLetGoByWhoSawHowMany(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	var s salts
	e.into(e.operator(auditorKey, "GET", "/v1/operator/salts", ""), http.StatusOK, &s)
	if s.Allowed == 0 || s.Blocked != 0 || s.Braked != nil {
		t.Errorf("%+v", s)
	}
	e.problem(e.operator(operatorKey, "POST", "/v1/operator/salts/confirm", `{"blocked":3}`), http.StatusConflict, "not_braked")
	e.problem(e.operator(operatorKey, "POST", "/v1/operator/salts/confirm", `{"all":true}`), http.StatusBadRequest, "invalid_json")
}

func TestAReplayIsBegunWithAYes(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	const path = "/v1/operator/replay"
	e.problem(e.operator(operatorKey, "GET", path, ""), http.StatusNotFound, "replay_not_found")
	for _, body := range []string{"", `{"confirm":false}`} {
		if p := e.pointer(e.operator(operatorKey, "POST", path, body), http.StatusBadRequest, "invalid_input"); p != "/confirm" {
			t.Errorf("%s complains about %q", body, p)
		}
	}
	var first, again replayed
	e.into(e.operator(operatorKey, "POST", path, `{"confirm":true}`), http.StatusAccepted, &first)
	e.into(e.operator(operatorKey, "POST", path, `{"confirm":true}`), http.StatusAccepted, &again)
	if first.ID == "" || first.Phase != string(restore.Chains) || again.ID != first.ID {
		t.Errorf("%+v, then %+v", first, again)
	}
	e.into(e.operator(auditorKey, "GET", path, ""), http.StatusOK, &again)
	if again.ID != first.ID || again.Report.Lost == nil || again.Report.Missing == nil || again.Report.Sources == nil {
		t.Errorf("%+v", again)
	}
}

// Auditors read; who has no role does not even that.
func TestWhoMayWhat(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	hold := `{"scope":"source","source":"shop","basis":"legal_duty","review":"2026-05-01T00:00:00Z"}`
	for _, route := range []struct{ method, path, body string }{
		{"GET", "/v1/operator/retention", ""},
		{"GET", "/v1/operator/retention/letters", ""},
		{"GET", "/v1/operator/holds", ""},
		{"GET", "/v1/operator/holds/h0", ""},
		{"GET", "/v1/operator/salts", ""},
		{"GET", "/v1/operator/intake", ""},
		{"GET", "/v1/operator/replay", ""},
		{"POST", "/v1/operator/retention/letters/preview", ""},
		{"POST", "/v1/operator/retention/letters/activate", `{"version":"x"}`},
		{"POST", "/v1/operator/retention/letters/pause", ""},
		{"POST", "/v1/operator/retention/letters/confirm", `{"version":"x"}`},
		{"POST", "/v1/operator/holds", hold},
		{"POST", "/v1/operator/holds/h0/review", `{"review":"2026-05-01T00:00:00Z"}`},
		{"POST", "/v1/operator/holds/h0/release", `{"reason":"x"}`},
		{"POST", "/v1/operator/salts/confirm", `{"blocked":0}`},
		{"POST", "/v1/operator/replay", `{"confirm":true}`},
	} {
		for key, may := range map[string]bool{guestKey: false, auditorKey: route.method == "GET", operatorKey: true} {
			w := e.operator(key, route.method, route.path, route.body)
			if refused := w.Code == http.StatusForbidden; refused == may {
				t.Errorf("%s %s by %s = %d %s", route.method, route.path, key, w.Code, w.Body)
			}
			if w.Code >= http.StatusInternalServerError || w.Code == http.StatusBadRequest {
				t.Errorf("%s %s by %s = %d %s", route.method, route.path, key, w.Code, w.Body)
			}
		}
	}
}
