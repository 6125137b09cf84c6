package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"rightsdesk/shared/table"
)

// closures closes accounts and keeps them, tells what happened, looks after retention,
// holds, salts and replays, and certifies what is gone.
func (a *apiPage) closures() {
	w := a.w
	type body = map[string]any
	const grace = "grace@example.net"
	op, none, acc := w.operator(), body{}, account("acc-1001")
	guest := bearerOf("nobody")

	// By mail.
	var c struct {
		ID, Status, Token, Request string
	}
	a.call(202, "POST", "/v1/closures", body{"email": grace, "residence": "FR", "language": "en"}).into(w.t, &c)
	a.call(400, "POST", "/v1/closures", body{"email": "x"})
	key := header{"Idempotency-Key", "close-1"}
	a.call(202, "POST", "/v1/closures", body{"email": "nobody@example.org"}, key)
	a.call(422, "POST", "/v1/closures", body{"email": "nobody@example.org", "language": "fr"}, key)
	link := a.link(grace)
	said := w.press(link, "")
	session, ok := strings.CutPrefix(said.Header.Get("Location"), "/x/")
	if said.Status != http.StatusSeeOther || !ok {
		w.t.Fatalf("the button answers %d %s", said.Status, said.Body)
	}
	session, _, _ = strings.Cut(session, "?")
	mine := bearerOf(session)
	a.call(200, "GET", "/v1/closures/"+c.ID, nil, mine)
	a.call(401, "GET", "/v1/closures/"+c.ID, nil, guest)
	a.call(400, "POST", "/v1/closures/"+c.ID+"/cancel", body{"why": "x"}, mine)
	a.call(200, "POST", "/v1/closures/"+c.ID+"/cancel", none, mine)
	a.call(401, "POST", "/v1/closures/"+c.ID+"/cancel", none, guest)

	// By the company's app.
	a.signed(200, "POST", "/v1/app/closures/status", body{"subject": acc})
	a.signed(400, "POST", "/v1/app/closures/status", none)
	a.signed(404, "POST", "/v1/app/closures/cancel", body{"subject": acc})
	a.signed(201, "POST", "/v1/app/closures", body{"subject": acc, "email": "ada@example.org", "residence": "FR", "language": "fr"})
	a.signed(400, "POST", "/v1/app/closures", body{"subject": acc, "email": "x"})
	a.signed(200, "POST", "/v1/app/closures/status", body{"subject": acc, "language": "fr"})
	a.signed(200, "POST", "/v1/app/closures/cancel", body{"subject": acc})

	// What happened, what may be kept, whom not to bring back.
	at := w.Clock.Now().Add(-time.Hour).Format(time.RFC3339)
	a.signed(200, "POST", "/v1/app/events", body{"events": []body{
		{"id": "e1", "type": "account.opened", "at": at, "subject": acc},
		{"id": "e2", "type": "relationship.ended", "at": at, "subject": acc, "relationship": "newsletter"},
		{"type": "record.created", "at": at, "source": "newsletter", "category": "reading_history", "channel": "suggestions", "fields": body{"title": "Winter", "shoe": 41}},
		{"type": "record.created", "at": at, "source": "newsletter", "category": "reading_history", "channel": "suggestions", "fields": body{"title": "4111 1111 1111 1111"}},
	}})
	a.signed(400, "POST", "/v1/app/events", body{"events": []body{{"type": "account.invented", "at": at, "subject": acc}}})
	a.signed(200, "POST", "/v1/app/intake", body{"channel": "suggestions", "records": []body{{"fields": body{"title": "Winter", "shoe": 41}}}})
	a.signed(400, "POST", "/v1/app/intake", body{"channel": "suggestions", "records": []body{{"fields": body{"title": "4111 1111 1111 1111"}}}})
	a.signed(404, "POST", "/v1/app/intake", body{"channel": "nowhere", "records": []body{{"fields": none}}})
	a.call(200, "GET", "/v1/operator/intake", nil, op)
	a.call(400, "GET", "/v1/operator/intake?since=x", nil, op)
	a.signed(200, "POST", "/v1/app/import-guard", body{"subjects": []subject{acc, byMail("nobody@example.org")}})
	a.signed(400, "POST", "/v1/app/import-guard", none)

	a.retained()
	a.held()

	// An erasure, and what certifies it. What ada and grace have in dispute keeps theirs.
	const henry = "henry@example.org"
	id := w.submit(submission("erasure", henry))
	token := w.verify(id, henry)
	a.call(409, "GET", "/v1/requests/"+id+"/certificate", nil, bearerOf(token))
	a.call(401, "GET", "/v1/requests/"+id+"/certificate", nil, guest)
	w.pass(8 * 24 * time.Hour)
	a.fulfilled(id)
	for _, query := range []string{"", "?signed=1", "?lang=fr"} {
		a.call(200, "GET", "/v1/operator/requests/"+id+"/certificate"+query, nil, op)
		a.call(200, "GET", "/v1/requests/"+id+"/certificate"+query, nil, bearerOf(w.session(id)))
	}
	a.call(404, "GET", "/v1/operator/requests/nobody/certificate", nil, op)
	a.signed(200, "POST", "/v1/app/import-guard", body{"subjects": []subject{byMail(henry)}})

	a.call(200, "GET", "/v1/operator/salts", nil, op)
	a.call(401, "GET", "/v1/operator/salts", nil, guest)
	a.call(409, "POST", "/v1/operator/salts/confirm", body{"blocked": 1}, op)
	a.salts()

	a.call(404, "GET", "/v1/operator/replay", nil, op)
	a.call(400, "POST", "/v1/operator/replay", none, op)
	a.call(202, "POST", "/v1/operator/replay", body{"confirm": true}, op)
	w.await("the replay has ended", func() bool {
		var run struct{ Phase string }
		w.pass(15 * time.Minute)
		a.call(200, "GET", "/v1/operator/replay", nil, op).into(w.t, &run)
		return run.Phase == "ended"
	})
}

// link waits for the newest mail with a link about the closing of an account.
func (a *apiPage) link(to string) (link string) {
	a.w.t.Helper()
	a.w.await("a mail about closing an account", func() bool {
		for _, m := range a.w.mails(to) {
			if i := strings.Index(m.Link, "/x/"); i >= 0 && link == "" {
				link = m.Link[i:]
			}
		}
		return link != ""
	})
	return link
}

// fulfilled waits until a request is, and does what is left to people's hands.
func (a *apiPage) fulfilled(id string) {
	a.w.t.Helper()
	a.w.await("the request "+id+" is fulfilled", func() bool {
		var shown struct {
			Request struct{ Status string }
			Steps   []struct{ Task string }
		}
		a.call(200, "GET", "/v1/operator/requests/"+id, nil, a.w.operator()).into(a.w.t, &shown)
		for _, s := range shown.Steps {
			if s.Task != "" {
				a.w.call("POST", "/v1/operator/tasks/"+s.Task+"/done", map[string]any{}, a.w.operator())
			}
		}
		return shown.Request.Status == "fulfilled"
	})
}

// retained looks after the first retention rule that is swept.
func (a *apiPage) retained() {
	w := a.w
	op, none := w.operator(), map[string]any{}
	type rule struct {
		ID, Version, Status string
		Preview             *struct{ Due int }
	}
	var list struct{ Rules []rule }
	const all = "/v1/operator/retention"
	w.await("a rule is previewed", func() bool {
		w.pass(15 * time.Minute)
		a.call(200, "GET", all, nil, op).into(w.t, &list)
		return len(list.Rules) > 0 && list.Rules[0].Status == "previewed"
	})
	a.call(401, "GET", all, nil, bearerOf("nobody"))
	r := list.Rules[0]
	at, seen := all+"/"+r.ID, map[string]any{"version": r.Version}
	a.call(200, "GET", at, nil, op)
	a.call(404, "GET", all+"/nothing", nil, op)
	a.call(400, "POST", at+"/activate", none, op)
	a.call(409, "POST", at+"/activate", map[string]any{"version": "other"}, op)
	a.call(409, "POST", at+"/pause", none, op)
	a.call(200, "POST", at+"/activate", seen, op)
	a.call(409, "POST", at+"/confirm", seen, op)
	a.call(200, "POST", at+"/preview", none, op)
	a.call(404, "POST", all+"/nothing/preview", none, op)
	a.call(200, "POST", at+"/pause", none, op)
	a.call(200, "POST", at+"/activate", seen, op)
	w.await("the brake holds a rule", func() bool {
		w.pass(24 * time.Hour)
		a.call(200, "GET", at, nil, op).into(w.t, &r)
		return r.Status == "braked"
	})
	a.call(200, "POST", at+"/confirm", map[string]any{"version": r.Version, "extra": 0}, op)
}

// held places legal holds, reviews and releases them.
func (a *apiPage) held() {
	w := a.w
	type body = map[string]any
	const all = "/v1/operator/holds"
	op, review := w.operator(), w.Clock.Now().AddDate(0, 3, 0).Format(time.RFC3339)
	place := body{"scope": "person", "who": []subject{byMail("frank@example.com")}, "basis": "legal_claims", "matter": "2026-CV-0042", "review": review}
	key := header{"Idempotency-Key", "hold-1"}
	var h struct{ ID, Status string }
	a.call(201, "POST", all, place, op, key).into(w.t, &h)
	place["matter"] = "2026-CV-0043"
	a.call(422, "POST", all, place, op, key)
	a.call(400, "POST", all, body{"scope": "planet"}, op)
	a.call(201, "POST", all, body{"scope": "category", "category": "orders", "basis": "authority_order", "review": review, "until": review}, op)
	a.call(200, "GET", all+"?status=placing&scope=person", nil, op)
	a.call(400, "GET", all+"?cursor=x", nil, op)
	at := all + "/" + h.ID
	w.await("the hold is in force", func() bool {
		w.pass(5 * time.Minute)
		a.call(200, "GET", at, nil, op).into(w.t, &h)
		return h.Status == "in_force"
	})
	a.call(404, "GET", all+"/h0", nil, op)
	a.call(200, "POST", at+"/review", body{"review": w.Clock.Now().AddDate(0, 6, 0).Format(time.RFC3339), "owner": "h2"}, op)
	a.call(400, "POST", at+"/review", body{}, op)
	a.call(400, "POST", at+"/release", body{"reason": "it is over"}, op)
	a.call(200, "POST", at+"/release", body{"reason": "case-closed"}, op)
	a.call(409, "POST", at+"/review", body{"review": w.Clock.Now().AddDate(0, 6, 0).Format(time.RFC3339)}, op)
}

// salts has the brake on salts pulled, and lets them go.
func (a *apiPage) salts() {
	w := a.w
	if err := w.brakeSalts(3); err != nil {
		w.t.Fatal(err)
	}
	var s struct{ Blocked int }
	a.call(200, "GET", "/v1/operator/salts", nil, w.operator()).into(w.t, &s)
	if s.Blocked != 3 {
		w.t.Fatalf("%d salts are blocked", s.Blocked)
	}
	a.call(200, "POST", "/v1/operator/salts/confirm", map[string]any{"blocked": 3}, w.operator())
}

// brakeSalts stores that the brake on salts holds so many, as after a day on which
// more were due than on others.
func (w *world) brakeSalts(n int) error {
	ctx, ref := w.t.Context(), table.Ref{Table: table.State, Key: table.Key{Partition: "salts", Sort: "-"}}
	item, err := w.Requests.Table.Get(ctx, ref)
	if err != nil {
		return err
	}
	var all map[string]any
	if err := json.Unmarshal(item.Body, &all); err != nil {
		return err
	}
	all["braked"], all["blocked"] = w.Clock.Now().Format(time.RFC3339), n
	if item.Body, err = json.Marshal(all); err != nil {
		return err
	}
	return w.Requests.Table.Commit(ctx, table.NewID(), table.Put(table.State, item, table.Version(item.Version)))
}
