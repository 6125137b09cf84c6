package main

import (
	"encoding/json"
	"net/http"
	"strings"
)

// signed makes a call as the company's own program, and compares it with the page.
func (a *apiPage) signed(status int, method, path string, body any) answer {
	a.w.t.Helper()
	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			a.w.t.Fatal(err)
		}
	}
	return a.call(status, method, path, body, a.w.sign(method, path, "", raw)...)
}

// choices records, asks and shows what people choose, imports and halts.
func (a *apiPage) choices() {
	w := a.w
	const ada, nobody = "ada@example.org", "anonymous"
	op, none := w.operator(), map[string]any{}
	type body = map[string]any
	acc := account("acc-1001")
	site := header{"Origin", w.Requests.Policy.Browsers.Origins[0]}
	evil := header{"Origin", "https://evil.example"}
	asked := func(who subject, purposes ...string) body { return body{"subject": who, "purposes": purposes} }

	for _, path := range []string{"/.well-known/gpc.json", "/.well-known/jwks.json", "/v1/choices", "/v1/choices?lang=fr&residence=FR"} {
		a.call(200, "GET", path, nil, header{"Sec-GPC", "1"})
	}
	a.call(400, "GET", "/v1/choices?residence=Frankreich", nil)
	a.call(403, "GET", "/v1/choices", nil, evil)
	a.call(401, "GET", "/v1/choices", nil, bearerOf("x"))

	// A visitor, and somebody who types an address.
	var c captured
	one := w.choice(subject{}, "analytics", "granted")
	delete(one, "subject")
	a.call(201, "POST", "/v1/consents", one, site, header{"Sec-GPC", "1"}).into(w.t, &c)
	me := subject{nobody, c.Visitor}
	a.call(201, "POST", "/v1/consents", w.choice(byMail(ada), "newsletter", "granted"))
	a.call(201, "POST", "/v1/consents", w.choice(byMail(ada), "newsletter", "denied"))
	a.call(400, "POST", "/v1/consents", body{"purpose": "analytics", "choice": "granted"})
	a.call(400, "POST", "/v1/consents", `{"choices":[{"purpose":"analytics","choice":"denied","colour":"red"}]}`)
	a.call(403, "POST", "/v1/consents", w.choice(acc, "analytics", "denied"))
	a.call(403, "POST", "/v1/consents", w.choice(me, "analytics", "denied"), evil)
	a.call(200, "POST", "/v1/decisions", asked(me, "analytics", "newsletter"), site)
	a.call(403, "POST", "/v1/decisions", asked(acc, "analytics"))
	a.call(200, "POST", "/v1/signals", body{"subject": me}, header{"Sec-GPC", "1"})
	a.call(400, "POST", "/v1/signals", none)

	// An app, for who is signed in there.
	a.signed(201, "POST", "/v1/consents", w.choice(acc, "survey", "granted")).into(w.t, &c)
	record := c.Records[0].ID
	a.signed(201, "POST", "/v1/consents", body{"subject": byMail(ada), "purpose": "offers", "choice": "denied", "method": "spoken", "residence": "FR", "at": w.Clock.Now().Add(-3600e9).Format("2006-01-02T15:04:05Z07:00")})
	a.signed(200, "POST", "/v1/decisions", body{"subject": acc, "purposes": []string{"survey", "unheard_of", "essential_cookies"}, "headers": true, "signals": body{"gpc": true}, "residence": "FR"})
	a.signed(200, "POST", "/v1/decisions", body{"questions": []body{asked(acc, "survey"), asked(byMail(ada), "offers")}})
	a.signed(400, "POST", "/v1/decisions", body{"questions": []body{}})
	a.signed(200, "POST", "/v1/signals", body{"subject": acc, "signals": body{"gpc": true, "dnt": true}})
	a.signed(200, "POST", "/v1/app/links", body{"subjects": []subject{acc, me}})
	a.signed(400, "POST", "/v1/app/links", body{"subjects": []subject{acc}})
	key := header{"Idempotency-Key", "choice-1"}
	a.call(201, "POST", "/v1/consents", w.choice(me, "survey", "denied"), key)
	a.call(422, "POST", "/v1/consents", w.choice(me, "survey", "granted"), key)
	for _, format := range []body{{}, {"format": "kantara", "language": "fr"}, {"signed": true}} {
		format["subject"], format["record"] = acc, record
		a.signed(200, "POST", "/v1/receipts", format)
	}
	a.signed(404, "POST", "/v1/receipts", body{"subject": byMail("grace@example.net"), "record": record})
	a.signed(400, "POST", "/v1/receipts", body{"subject": acc, "record": record, "format": "pdf"})
	a.call(200, "GET", "/v1/wordings/"+w.wording("survey", "en"), nil)
	a.call(404, "GET", "/v1/wordings/"+strings.Repeat("0", 64), nil)
	request := submission("access", ada)
	request["account"] = "acc-1001"
	a.signed(201, "POST", "/v1/app/requests", request)
	request["account"] = strings.Repeat("x", 257)
	a.signed(400, "POST", "/v1/app/requests", request)
	a.call(401, "POST", "/v1/app/requests", request)

	// Somebody, for themselves.
	a.call(202, "POST", "/v1/preferences/links", body{"email": ada, "language": "fr"})
	a.call(400, "POST", "/v1/preferences/links", body{"email": "ada"})
	var page struct{ Token string }
	a.signed(200, "POST", "/v1/app/preferences", body{"subject": acc, "minutes": 5}).into(w.t, &page)
	a.signed(400, "POST", "/v1/app/preferences", body{"subject": acc, "minutes": 5000})
	mine := bearerOf(page.Token)
	a.call(200, "POST", "/v1/preferences", body{"choices": []chosen{{Purpose: "survey", Choice: "withdrawn"}}, "stops": body{"opt_out_sale": true}}, mine)
	a.call(200, "POST", "/v1/preferences", body{"withdraw_all": true}, mine)
	a.call(400, "POST", "/v1/preferences", body{"stops": body{"restriction": false}}, mine)
	a.call(200, "GET", "/v1/preferences", nil, mine)
	a.call(401, "GET", "/v1/preferences", nil, bearerOf("x"))
	for _, query := range []string{"", "?format=kantara&lang=fr", "?signed=1"} {
		a.call(200, "GET", "/v1/preferences/receipts/"+record+query, nil, mine)
	}
	a.call(404, "GET", "/v1/preferences/receipts/x.1", nil, mine)

	// An operator imports, halts and resumes.
	line := body{"subject": byMail("alan@example.net"), "stop": "complaint", "at": "2026-01-07"}
	a.call(200, "POST", "/v1/operator/consents/import", body{"dry_run": true, "lines": []body{line, {"subject": acc}}}, op)
	a.call(200, "POST", "/v1/operator/consents/import", body{"lines": []body{line}}, op)
	a.call(400, "POST", "/v1/operator/consents/import", none, op)
	a.call(401, "GET", "/v1/operator/halt", nil)
	a.call(200, "POST", "/v1/operator/halt", body{"cause": "incident-12"}, op)
	a.call(400, "POST", "/v1/operator/halt", body{"cause": "Ada called, ada@example.org"}, op)
	a.call(200, "GET", "/v1/operator/halt", nil, op)
	a.signed(503, "POST", "/v1/consents", w.choice(acc, "survey", "granted"))
	a.signed(200, "POST", "/v1/decisions", asked(acc, "survey"))
	a.call(400, "POST", "/v1/operator/resume", none, op)
	a.call(200, "POST", "/v1/operator/resume", body{"upgrade": "release-2"}, op)
	w.pass(24 * 60 * 60e9)
	a.call(410, "GET", "/v1/preferences", nil, mine)

	w.must(http.StatusNoContent, "OPTIONS", "/v1/consents", nil, site, header{"Access-Control-Request-Method", "POST"})
}
