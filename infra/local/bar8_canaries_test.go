package main

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"index/suffixarray"
	"io/fs"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"rightsdesk/infra/local/company"
	"rightsdesk/shared/request"
	"rightsdesk/shared/table"
)

// scanner finds personal values in what was written, however they were written.
type scanner struct {
	needles map[string]string // what to look for -> how it is written
}

// newScanner looks for each value as it is, in the forms that the product itself
// brings values into, and for each of those in every usual encoding and as an
// unsalted digest.
func newScanner(values ...string) *scanner {
	s := &scanner{needles: map[string]string{}}
	for _, v := range values {
		forms := []string{v, strings.ToLower(v), strings.ToUpper(v), strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "").Replace(v)}
		slices.Sort(forms)
		for _, form := range slices.Compact(forms) {
			s.add(form)
		}
	}
	return s
}

func (s *scanner) add(v string) {
	put := func(how, needle string) {
		if _, there := s.needles[needle]; !there && len(needle) >= 8 {
			s.needles[needle] = how + " of " + v
		}
	}
	put("clear", v)
	put("JSON", inJSON(v))
	put("ASCII JSON", inASCII(v))
	put("HTML", html.EscapeString(v))
	put("quoted Go", strings.Trim(fmt.Sprintf("%q", v), `"`))
	put("query", url.QueryEscape(v))
	put("path", url.PathEscape(v))
	put("hex", hex.EncodeToString([]byte(v)))
	put("HEX", strings.ToUpper(hex.EncodeToString([]byte(v))))
	// Base64 depends on what stands before: three positions, and of the text only
	// what no neighbour can change.
	for shift := range 3 {
		padded := append(bytes.Repeat([]byte{0}, shift), v...)
		whole := len(padded) / 3 * 4
		first := (shift*8 + 5) / 6
		put("base64", base64.RawStdEncoding.EncodeToString(padded)[first:whole])
		put("base64url", base64.RawURLEncoding.EncodeToString(padded)[first:whole])
	}
	sum1, sum2, sum3 := sha256.Sum256([]byte(v)), md5.Sum([]byte(v)), sha1.Sum([]byte(v))
	for how, digest := range map[string][]byte{"SHA-256": sum1[:], "MD5": sum2[:], "SHA-1": sum3[:]} {
		put(how, string(digest))
		put(how+" hex", hex.EncodeToString(digest))
		put(how+" HEX", strings.ToUpper(hex.EncodeToString(digest)))
		put(how+" base64", base64.RawStdEncoding.EncodeToString(digest))
		put(how+" base64url", base64.RawURLEncoding.EncodeToString(digest))
	}
}

// inJSON is v as encoding/json writes it in a string.
func inJSON(v string) string {
	b, err := json.Marshal(v)
	if err != nil {
		return v
	}
	return strings.Trim(string(b), `"`)
}

// inASCII is v as programs write it in JSON that allow ASCII only.
func inASCII(v string) string {
	var b strings.Builder
	for _, r := range v {
		if r < 128 && r != '"' && r != '\\' && r >= ' ' {
			b.WriteRune(r)
			continue
		}
		for _, u := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, u)
		}
	}
	return b.String()
}

// find returns what of its needles a text holds, each once.
func (s *scanner) find(text []byte) []string {
	index := suffixarray.New(text)
	var found []string
	for needle, how := range s.needles {
		if len(index.Lookup([]byte(needle), 1)) > 0 {
			found = append(found, how)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// TestBar8_TheScannerFindsEveryEncoding hides a value in every way that the
// scanner knows, at every place that matters, and expects it to be found.
func TestBar8_TheScannerFindsEveryEncoding(t *testing.T) {
	t.Parallel()
	const value = `Zoë "Cnry7f3q" <O'Neil> & Söhne+1@example.org`
	s := newScanner(value)
	sum := sha256.Sum256([]byte(strings.ToLower(value)))
	five := md5.Sum([]byte(value))
	hidden := map[string]string{
		"clear":            "before " + value + " after",
		"lower case":       strings.ToLower(value),
		"upper case":       strings.ToUpper(value),
		"JSON":             `{"name":"` + inJSON(value) + `"}`,
		"ASCII JSON":       `{"name":"` + inASCII(value) + `"}`,
		"HTML":             "<p>" + html.EscapeString(value) + "</p>",
		"query":            "/?name=" + url.QueryEscape(value) + "&x=1",
		"path":             "/people/" + url.PathEscape(value),
		"hex":              "0x" + hex.EncodeToString([]byte(value)),
		"HEX":              strings.ToUpper(hex.EncodeToString([]byte(value))),
		"SHA-256 hex":      hex.EncodeToString(sum[:]),
		"SHA-256 base64":   base64.StdEncoding.EncodeToString(sum[:]),
		"SHA-256 url":      base64.RawURLEncoding.EncodeToString(sum[:]),
		"SHA-256 in bytes": "x" + string(sum[:]) + "x",
		"MD5 hex":          hex.EncodeToString(five[:]),
		"MD5 HEX":          strings.ToUpper(hex.EncodeToString(five[:])),
		"MD5 base64":       base64.StdEncoding.EncodeToString(five[:]),
	}
	for _, enc := range map[string]*base64.Encoding{"std": base64.StdEncoding, "url": base64.URLEncoding, "raw": base64.RawStdEncoding, "raw url": base64.RawURLEncoding} {
		for before := range 3 {
			for after := range 3 {
				text := strings.Repeat("b", before) + value + strings.Repeat("a", after)
				hidden[fmt.Sprintf("base64 %p between %d and %d bytes", enc, before, after)] = enc.EncodeToString([]byte(text))
			}
		}
	}
	for how, text := range hidden {
		if len(s.find([]byte("something else, "+text+", and more"))) == 0 {
			t.Errorf("%s is not found", how)
		}
	}
	if found := s.find([]byte(strings.Repeat("Zoë Cnry7f3 O'Neil Söhne example.org ", 50))); len(found) > 0 {
		t.Errorf("found what is not there: %v", found)
	}
	t.Logf("%d ways to write one value, all found among %d needles", len(hidden), len(s.needles))
}

// recorder writes down where every call went and where its answer led.
type recorder struct {
	inner http.RoundTripper
	urls  *safeBuffer
}

func (r recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	_, _ = fmt.Fprintln(r.urls, req.URL)
	res, err := r.inner.RoundTrip(req)
	if err == nil {
		_, _ = fmt.Fprintln(r.urls, res.Header.Get("Location"))
	}
	return res, err
}

// person is somebody made of canaries: values that nobody else has, in the form
// that hurts most.
type person struct{ email, name, account, phone, passport, details, address, another string }

// canaries makes the n-th such person.
func canaries(n int) person {
	tag := func(field string) string { return fmt.Sprintf("cnry%s%02dx7q", field, n) }
	return person{
		email: "Zo." + tag("mail") + "+tag@Example.ORG", name: `Zoë "` + tag("name") + `" <O'Neil> & Söhne`, account: tag("acct") + "/ä 1",
		phone: fmt.Sprintf("+33 (6) 12-%02d 778899", n), passport: tag("pass"), details: "I lived at\n" + tag("detl") + " Straße; DROP TABLE <b>", address: tag("addr") + " rue de l'Église",
		another: tag("othr") + "@example.net",
	}
}

// values are what must not be found.
func (p person) values() []string {
	return []string{p.email, p.name, p.account, p.phone, p.passport, p.details, p.address, p.another}
}

// tags are the parts of the values that nothing can change.
func (p person) tags() []string {
	var list []string
	for _, v := range p.values() {
		if i := strings.Index(v, "cnry"); i >= 0 {
			list = append(list, v[i:i+len("cnrymail00x7q")])
		}
	}
	return list
}

// asks is a submission that names everything there is.
func (p person) asks(right string) map[string]any {
	b := map[string]any{
		"right": right, "residence": "FR", "locale": "fr", "details": p.details,
		"person": map[string]any{
			"email": p.email, "name": p.name, "account": p.account,
			"identities": []map[string]string{{"type": "phone", "value": p.phone}, {"type": "passport", "value": p.passport}, {"type": "email", "value": p.another}},
		},
	}
	if right == "rectification" {
		b["corrections"] = []map[string]string{{"field": "name", "value": p.name + " II"}, {"field": "address", "value": p.address}, {"field": "email", "value": p.another}, {"field": p.account, "value": p.passport}}
	}
	return b
}

// form is the same as the page's form.
func (p person) form(right string) url.Values {
	return url.Values{
		"right": {right}, "residence": {"FR"}, "email": {p.email}, "name": {p.name}, "account": {p.account}, "details": {p.details},
		"identity_kind": {"phone", "passport"}, "identity_value": {p.phone, p.passport}, "idempotency_key": {p.passport},
	}
}

// customer puts the person into the company's stores.
func (p person) customer(w *world) {
	w.t.Helper()
	at := w.Clock.Now().Add(-48 * time.Hour).Truncate(time.Millisecond)
	fields := func(v any) []byte {
		b, err := json.Marshal(v)
		if err != nil {
			w.t.Fatal(err)
		}
		return b
	}
	w.fill(company.Shop, []company.Line{
		{Account: p.account, Category: company.Account, ID: "c-" + fmt.Sprint(len(p.email), p.phone[8:10]), At: at, Fields: fields(map[string]string{"email": p.email, "name": p.name, "phone": p.phone, "address": p.address})},
		{Account: p.account, Category: company.SupportMail, ID: "m-" + p.phone[8:10], At: at, Fields: fields(map[string]string{"email": p.email, "subject": p.passport, "body": p.details})},
		{Account: p.account, Category: company.AccessLog, ID: "l-" + p.phone[8:10], At: at, Fields: fields(map[string]string{"ip": p.passport, "path": "/", "user_agent": "x"})},
	})
	w.fill(company.Newsletter, []company.Line{
		{Account: p.account, Category: company.ReadingHistory, ID: "h-" + p.phone[8:10], At: at, Fields: fields(map[string]string{"account": p.account, "title": "On Mending"})},
	})
}

// TestBar8_NoPersonalValueLeavesItsPlace runs every right to every end it can
// take, by API and by page, for people made of canaries, with wrong codes, broken
// bodies and hostile input in between. Afterwards no canary stands in the logs,
// the audit, on the event bus, in the database file, the other files and file names of the data
// folder, or in any URL that the product made: not in clear, not encoded, not as
// an unsalted digest.
//
// Excepted are mailbox.db, which stands for the mail service, company.db, which
// is the company, and exports/, which holds the packages; what people attach lies
// there sealed, and is looked at. What a hostile caller
// writes into a URL is the caller's; the log must not repeat it all the same.
// Queue and stream carry request ids and nothing else, by their type
// (chan request.ID): the ids are among the URLs.
func TestBar8_NoPersonalValueLeavesItsPlace(t *testing.T) {
	t.Parallel()
	wrong := newFaults(8)
	w := open(t, func(o *options) { o.Fault, o.Hostile = wrong.of, 8 })
	urls := &safeBuffer{}
	hostile := *w // its URLs are its own
	w.client.Transport = recorder{w.client.Transport, urls}
	hostile.client = caller("127.0.9.9")

	var people []person
	someone := func() person {
		p := canaries(len(people))
		people = append(people, p)
		return p
	}
	everywhere(w, &hostile, someone)
	attached := w.attached()
	w.pass(40 * 24 * time.Hour)
	for range 3 {
		w.pass(time.Hour)
	}

	var values []string
	for _, p := range people {
		values = append(append(values, p.values()...), p.tags()...)
	}
	scan := newScanner(values...)
	report := func(where string, text []byte) {
		t.Helper()
		if found := scan.find(text); len(found) > 0 {
			t.Errorf("%s holds %d canaries: %.1500s", where, len(found), strings.Join(found, "\n"))
		}
	}
	audit, entries := w.auditRaw()
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	log, links := []byte(w.log.String()), []byte(urls.String())
	report("the log", log)
	report("the audit", audit)
	report("a URL", links)
	events, types := w.asPublished()
	report("the event bus", events)
	if told := len(w.Bus.events("")); told < 150 || len(types) < 25 {
		t.Errorf("too little was told to be sure: %d events of %d types", told, len(types))
	}
	for key, b := range attached {
		report("an attached file", append([]byte(key+"\n"), b...))
	}
	if len(attached) < 5 {
		t.Errorf("only %d attached files were scanned", len(attached))
	}
	if left := w.attached(); len(left) > 0 {
		t.Errorf("%d attached files are left weeks after the requests ended", len(left))
	}
	var names bytes.Buffer
	size := 0
	err := filepath.WalkDir(w.o.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(w.o.Dir, path)
		names.WriteString(name + "\n")
		if d.IsDir() || name == "mailbox.db" || name == "company.db" || strings.HasPrefix(name, "exports/") {
			return nil
		}
		b, err := os.ReadFile(path)
		size += len(b)
		report(name, b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	report("a file's name", names.Bytes())
	mailed, err := os.ReadFile(filepath.Join(w.o.Dir, "mailbox.db"))
	if err != nil || len(scan.find(mailed)) == 0 {
		t.Errorf("the mailbox holds no canary, so the scan shows nothing: %v", err)
	}
	if len(log) < 1000 || entries < 50 || size < 100_000 {
		t.Fatalf("too little was scanned: %d bytes of log, %d audit entries, %d bytes of files", len(log), entries, size)
	}
	proof(t, "bar 8", "%d people made of canaries, every right to every end: of %d values in %d written forms 0 in %d bytes of log, %d audit entries, %d events of %d types on the bus, %d URLs, %d bytes of database and other files, or file names",
		len(people), len(values), len(scan.needles), len(log), entries, len(w.Bus.events("")), len(types), bytes.Count(links, []byte("\n")), size)
}

// everywhere takes people through everything that can happen to a request.
func everywhere(w, hostile *world, someone func() person) {
	t := w.t
	t.Helper()
	n := 0
	submit := func(p person, right string) (id, email string) {
		n++
		t.Helper()
		at := w.from(n)
		at.client.Transport = recorder{at.client.Transport, w.client.Transport.(recorder).urls}
		return at.submit(p.asks(right)), strings.ToLower(p.email)
	}
	empty := map[string]any{}
	operate := func(status int, path string, body any) answer {
		t.Helper()
		return w.must(status, "POST", "/v1/operator/"+path, body, w.operator())
	}
	read := func(id string) {
		t.Helper()
		w.must(http.StatusOK, "GET", "/v1/operator/requests/"+id, nil, w.operator())
		w.must(http.StatusOK, "GET", "/v1/operator/requests?status=open", nil, w.operator())
	}

	// Packages, downloaded twice.
	for _, right := range []string{"access", "portability", "know"} {
		p := someone()
		p.customer(w)
		id, email := submit(p, right)
		token := w.verifyQuietly(id, email)
		w.reach(id, token, "fulfilled")
		read(id)
		w.download(id, token)
		w.call("POST", "/v1/requests/"+id+"/deliver", empty, bearerOf(token))
		w.must(http.StatusOK, "GET", "/r/"+token, nil)
		w.must(http.StatusSeeOther, "POST", "/r/"+token, url.Values{"do": {"deliver"}})
	}
	// Corrections: the new address says yes, a task is done; and one that is denied.
	p := someone()
	p.customer(w)
	id, email := submit(p, "rectification")
	token := w.verifyQuietly(id, email)
	link := w.letterTo(p.another, id, false).Link
	w.must(http.StatusOK, "GET", link, nil)
	w.must(http.StatusOK, "POST", link, url.Values{"idempotency_key": {p.passport}})
	operate(http.StatusOK, "requests/"+id+"/plan", empty)
	w.await("the plan is there", func() bool { return len(w.see(id, token).Outcome) > 0 })
	if own := w.see(id, token).result(p.account); own != "waiting" {
		t.Errorf("the field that only the person can name is %q, want it shown by its name, waiting", own)
	}
	read(id)
	operate(http.StatusOK, "requests/"+id+"/accept", empty)
	var shown struct {
		Steps []struct{ Task string }
	}
	w.await("only the task is left", func() bool {
		w.must(http.StatusOK, "GET", "/v1/operator/requests/"+id, nil, w.operator()).into(t, &shown)
		return slices.ContainsFunc(shown.Steps, func(s struct{ Task string }) bool { return s.Task != "" })
	})
	for _, step := range shown.Steps {
		if step.Task != "" {
			operate(http.StatusOK, "tasks/"+step.Task+"/done", empty)
		}
	}
	w.reach(id, token, "fulfilled")

	// Erasures: one to its end, one taken back, one that nobody verifies, by page.
	p = someone()
	p.customer(w)
	id, email = submit(p, "erasure")
	token = w.verifyQuietly(id, email)
	w.pass(8 * 24 * time.Hour)
	w.reach(id, token, "fulfilled")
	p = someone()
	p.customer(w)
	id, email = submit(p, "erasure")
	token = w.verifyQuietly(id, email)
	w.must(http.StatusOK, "POST", "/v1/requests/"+id+"/revoke", empty, bearerOf(token), header{"Idempotency-Key", p.passport})
	p = someone()
	a := w.must(http.StatusSeeOther, "POST", "/requests", p.form("erasure"))
	w.must(http.StatusOK, "GET", a.Header.Get("Location"), nil)
	w.call("POST", a.Header.Get("Location"), url.Values{"code": {p.passport}})
	w.call("POST", a.Header.Get("Location"), url.Values{"do": {"again"}})

	// What people weigh: done and denied, by phone too.
	for _, right := range []string{"restriction", "objection", "challenge", "complaint"} {
		p := someone()
		id, email := submit(p, right)
		token := w.verifyQuietly(id, email)
		p.talks(w, id, token)
		operate(http.StatusOK, "requests/"+id+"/accept", empty)
		decision := map[string]any{}
		if right == "challenge" || right == "complaint" {
			decision = map[string]any{"outcome": "rejected", "text": "Dear " + p.name + ", " + p.details}
		}
		operate(http.StatusOK, "tasks/"+id+".0/done", decision)
		w.reach(id, token, "fulfilled")
		w.must(http.StatusOK, "GET", "/r/"+token, nil)
		read(id)

		p = someone()
		b := p.asks(right)
		b["received_at"], b["channel"] = w.Clock.Now().Add(-time.Hour), "phone"
		var rec struct{ ID string }
		operate(http.StatusAccepted, "requests", b).into(t, &rec)
		operate(http.StatusOK, "requests/"+rec.ID+"/verify", map[string]string{"reason": p.name + " called from " + p.phone})
		operate(http.StatusBadRequest, "requests/"+rec.ID+"/deny", map[string]string{"reason": p.details})
		var reasons struct{ Reasons []string }
		w.must(http.StatusOK, "GET", "/v1/operator/requests/"+rec.ID, nil, w.operator()).into(t, &reasons)
		if right != "complaint" { // it is weighed, and never denied
			operate(http.StatusOK, "requests/"+rec.ID+"/deny", map[string]string{"reason": reasons.Reasons[0]})
		}
		read(rec.ID)
	}

	// What people choose: it ends by itself, and the stores are told.
	for _, right := range []string{"opt_out_sale", "limit_sensitive", "withdraw_consent"} {
		p := someone()
		p.customer(w)
		id, email := submit(p, right)
		token := w.verifyQuietly(id, email)
		w.reach(id, token, "fulfilled")
		w.must(http.StatusOK, "GET", "/r/"+token, nil)
		read(id)

		p = someone()
		b := p.asks(right)
		b["received_at"], b["channel"] = w.Clock.Now().Add(-time.Hour), "phone"
		var rec struct{ ID string }
		operate(http.StatusAccepted, "requests", b).into(t, &rec)
		operate(http.StatusBadRequest, "requests/"+rec.ID+"/deny", map[string]string{"reason": p.details})
		read(rec.ID)
	}

	p = someone()
	p.customer(w)
	p.chooses(w, hostile)

	// Bodies, headers and paths that are wrong, with a canary in each.
	p = someone()
	h := func(method, path string, body any, headers ...header) {
		t.Helper()
		if a := hostile.call(method, path, body, headers...); a.Status >= http.StatusInternalServerError && a.Status != http.StatusServiceUnavailable {
			t.Errorf("%s is answered by %d", method, a.Status)
		}
	}
	bad := p.asks("access")
	for _, body := range []any{
		`{"right":"` + p.passport, `["` + p.passport + `"]`, `{"` + p.passport + `":1}`, `{"right":{"` + p.passport + `":"` + p.account + `"}}`,
		`{"right":"access","right":"` + p.passport + `"}`, p.details, `{"person":{"email":["` + p.another + `"]}}`,
		map[string]any{"right": p.passport, "residence": "FR", "person": map[string]any{"email": p.email}},
		map[string]any{"right": "access", "residence": p.passport, "person": map[string]any{"email": p.email}},
		map[string]any{"right": "access", "residence": "FR", "locale": p.passport, "person": map[string]any{"email": p.email}},
		map[string]any{"right": "access", "residence": "FR", "person": map[string]any{"email": p.name}},
		map[string]any{"right": "access", "residence": "FR", "person": map[string]any{"email": p.email, "identities": []map[string]string{{"type": p.passport, "value": p.account}}}},
		map[string]any{"right": "rectification", "residence": "FR", "person": map[string]any{"email": "nobody"}, "corrections": []map[string]string{{"field": p.passport, "value": p.account}}},
	} {
		h("POST", "/v1/requests", body, header{"Idempotency-Key", p.passport}, header{"Accept-Language", p.passport}, header{"User-Agent", p.passport}, header{"X-Request-Id", p.passport}, header{"Referer", "http://x/" + p.passport})
	}
	h("POST", "/v1/requests", bad, header{"Idempotency-Key", p.passport})
	bad["details"] = "something else"
	h("POST", "/v1/requests", bad, header{"Idempotency-Key", p.passport}) // the same key with another body
	h("POST", "/v1/requests", bad, header{"Idempotency-Key", strings.Repeat(p.passport, 40)})
	h("POST", "/requests", url.Values{"right": {p.passport}, "email": {p.name}, "residence": {p.passport}})
	h("POST", "/requests", "%zz"+p.passport, header{"Content-Type", "application/x-www-form-urlencoded"})
	h("GET", "/?lang="+p.passport+"&email="+url.QueryEscape(p.email), nil)
	for _, path := range []string{"/r/" + p.passport, "/r/" + id + ".v.1.zzzzzz." + p.passport, "/requests/" + p.passport, "/v1/requests/" + p.passport, "/nowhere/" + p.passport, "/v1/operator/requests?cursor=" + p.passport, "/v1/operator/requests?due_before=" + p.passport} {
		h("GET", path, nil, bearerOf(p.passport))
		h("GET", path, nil, hostile.operator())
		h("POST", path, map[string]string{"code": p.passport}, bearerOf(p.passport))
	}
	h("POST", "/v1/requests/"+p.passport+"/code", empty)
	h("POST", "/v1/requests/"+p.passport+"/verify", map[string]string{"code": p.account})
	h("POST", "/v1/requests/"+id+"/verify", map[string]string{"token": p.account})
	h("POST", "/v1/operator/tasks/"+p.passport+"/done", empty, hostile.operator())
	h("POST", "/v1/operator/requests/"+p.passport+"/accept", empty, hostile.operator())
	h("POST", "/local/clock?by="+p.passport, nil)
}

// chooses takes the person through everything that can be chosen, by program, by
// page and by the company's app, has mail come back, and tries what is wrong.
func (p person) chooses(w, hostile *world) {
	t := w.t
	t.Helper()
	who, acc, phone := byMail(p.email), account(p.account), subject{"phone", p.phone}
	at := func(b map[string]any) {
		b["page"] = "https://www.example.com/" + url.PathEscape(p.email) + "?name=" + url.QueryEscape(p.name)
	}
	referer := header{"Referer", "https://www.example.com/" + url.PathEscape(p.email) + "?" + url.QueryEscape(p.account)}
	w.must(http.StatusCreated, "POST", "/v1/consents", w.choice(who, "newsletter", "granted", at), header{"Idempotency-Key", p.passport}, referer)
	w.must(http.StatusCreated, "POST", "/v1/consents", w.choice(who, "offers", "denied", at))
	w.choose(acc, "analytics", "granted", at)
	w.choose(phone, "survey", "granted", at)
	for _, other := range []subject{who, phone} {
		w.appMust(http.StatusOK, "POST", "/v1/app/links", map[string]any{"subjects": []subject{acc, other}})
	}
	w.must(http.StatusOK, "POST", "/choices", url.Values{"email": {p.email}, "purpose": {"newsletter"}, "idempotency_key": {p.passport}}, referer)
	w.must(http.StatusBadRequest, "POST", "/choices", url.Values{"email": {p.name}, "visitor": {p.account}, "purpose": {"newsletter"}})
	w.must(http.StatusBadRequest, "POST", "/choices", url.Values{"visitor": {p.passport}, "do": {p.account}, "purpose": {p.passport}})
	w.must(http.StatusOK, "POST", "/preferences", url.Values{"email": {p.email}})
	w.must(http.StatusBadRequest, "POST", "/preferences", url.Values{"email": {p.name}})
	w.must(http.StatusAccepted, "POST", "/v1/preferences/links", map[string]string{"email": p.another})
	w.decide(who, "newsletter")

	token := w.preferences(acc)
	w.must(http.StatusOK, "GET", "/v1/preferences", nil, bearerOf(token))
	w.must(http.StatusOK, "POST", "/v1/preferences", map[string]any{"stops": map[string]bool{"opt_out_sale": true}}, bearerOf(token), header{"Idempotency-Key", p.passport})
	w.call("POST", "/v1/preferences", map[string]any{"choices": []chosen{{Purpose: p.passport, Choice: p.account, Wording: p.name}}}, bearerOf(token))
	w.must(http.StatusOK, "GET", "/p/"+token, nil)
	w.must(http.StatusOK, "POST", "/p/"+token, url.Values{"do": {"withdraw_all"}, "idempotency_key": {p.passport}})
	w.call("POST", "/p/"+token, url.Values{"do": {"receipt"}, "record": {p.passport}, "format": {"signed"}})
	w.call("POST", "/p/"+token, url.Values{"do": {p.passport}, "purpose": {p.account}})

	line := func(b map[string]any) map[string]any { b["at"] = "2026-01-02"; return b }
	for _, dry := range []bool{true, false} {
		w.must(http.StatusOK, "POST", "/v1/operator/consents/import", map[string]any{"dry_run": dry, "lines": []any{
			line(map[string]any{"subject": byMail(p.another), "stop": "bounce", "evidence": "crm-1", "page": "https://www.example.com/" + p.email}),
			line(map[string]any{"subject": account(p.passport), "purpose": "analytics", "choice": "denied", "method": "import", "evidence": "crm-2"}),
			line(map[string]any{"subject": subject{p.passport, p.account}, "purpose": p.name, "choice": p.details}),
			map[string]any{"subject": who, "at": p.passport, "stop": p.account},
		}}, w.operator())
	}
	for _, kind := range []string{"bounce", "complaint?list=newsletter"} {
		var list []letter
		hostile.must(http.StatusOK, "GET", "/local/mail?format=json&to="+url.QueryEscape(strings.ToLower(p.email)), nil).into(t, &list)
		i := slices.IndexFunc(list, func(m letter) bool { return m.To == strings.ToLower(p.email) })
		if i < 0 {
			t.Fatal("there is no mail that could come back")
		}
		w.must(http.StatusNoContent, "POST", fmt.Sprintf("/local/mail/%d/%s", list[i].N, kind), nil)
	}

	for _, path := range []string{"/v1/consents", "/v1/decisions", "/v1/signals", "/v1/receipts", "/v1/app/links", "/v1/app/preferences", "/v1/app/requests"} {
		for _, body := range []any{
			`{"` + p.passport + `":1}`, `{"subject":"` + p.passport + `"`, p.details,
			map[string]any{"subject": subject{p.passport, p.account}},
			map[string]any{"subject": who, "purposes": []string{p.passport}, "record": p.passport, "choices": []chosen{{Purpose: p.passport, Choice: p.account}}, "method": p.name, "residence": p.passport, "language": p.account},
		} {
			for _, h := range [][]header{
				{{"Origin", "https://" + p.passport}, {"Sec-GPC", p.account}, {"Idempotency-Key", p.passport}},
				{{"Authorization", "Rightsdesk app=" + p.passport + ", time=1, signature=" + strings.Repeat("0", 64)}},
			} {
				if a := hostile.call("POST", path, body, h...); a.Status >= http.StatusInternalServerError {
					t.Errorf("POST %s is answered by %d", path, a.Status)
				}
			}
		}
	}
	for _, path := range []string{"/p/" + p.passport, "/u/" + p.passport, "/c/" + token + p.passport, "/v1/wordings/" + p.passport, "/v1/preferences/receipts/" + p.passport, "/choices?lang=" + p.passport, "/v1/choices?residence=" + p.passport} {
		hostile.call("GET", path, nil, bearerOf(token))
		hostile.call("POST", path, url.Values{"List-Unsubscribe": {p.passport}})
	}
}

// talks has an operator ask, and the person answer: by program and by page, with
// files, and with what is refused.
func (p person) talks(w *world, id, token string) {
	w.t.Helper()
	op, auth := "/v1/operator/requests/"+id, bearerOf(token)
	w.must(http.StatusOK, "POST", op+"/messages", map[string]string{"text": p.name + ", is it " + p.account + "?", "cause": "identity"}, w.operator())
	w.call("POST", op+"/messages", map[string]string{"text": "x", "cause": p.passport}, w.operator())
	w.call("POST", op+"/pause", map[string]string{"cause": p.passport}, w.operator())
	w.call("POST", op+"/extend", map[string]string{"ground": p.passport}, w.operator())
	content := base64.StdEncoding.EncodeToString([]byte(p.details))
	w.must(http.StatusOK, "POST", "/v1/requests/"+id+"/messages", map[string]any{
		"text": p.details, "files": []any{map[string]string{"name": p.name + ".txt", "content": content}},
	}, auth, header{"Idempotency-Key", p.passport})
	w.call("POST", "/v1/requests/"+id+"/messages", map[string]any{"files": []any{map[string]string{"name": p.name, "content": p.passport + "%"}}}, auth)
	w.call("POST", "/v1/requests/"+id+"/appeal", map[string]string{"text": p.details}, auth)
	form, kind := formWithFile(w.t, map[string]string{"do": "reply", "text": p.another, "idempotency_key": p.account}, p.account+".pdf", "%PDF-1.7 "+p.passport)
	w.must(http.StatusSeeOther, "POST", "/r/"+token, form, kind)
	form, kind = formWithFile(w.t, map[string]string{"do": "reply", "text": p.another}, p.account+".exe", "MZ\x00 "+p.passport)
	w.must(http.StatusBadRequest, "POST", "/r/"+token, form, kind)
	w.must(http.StatusOK, "GET", "/r/"+token, nil)
	w.must(http.StatusOK, "GET", "/v1/requests/"+id+"/messages", nil, auth)
	w.must(http.StatusOK, "GET", op+"/messages", nil, w.operator())
	w.must(http.StatusOK, "GET", op+"/messages/2/files/1", nil, w.operator())
	w.call("GET", op+"/messages/2/files/9", nil, w.operator())
}

// formWithFile is a form as a browser sends it, and the header that says so.
func formWithFile(t *testing.T, fields map[string]string, name, content string) (string, header) {
	t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for field, value := range fields {
		if err := form.WriteField(field, value); err != nil {
			t.Fatal(err)
		}
	}
	part, err := form.CreateFormFile("files", name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String(), header{"Content-Type", form.FormDataContentType()}
}

// attached is what people attached to messages, as it lies in the store, by its key.
func (w *world) attached() map[string][]byte {
	w.t.Helper()
	found := map[string][]byte{}
	dir := filepath.Join(w.o.Dir, "exports")
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(path, "/messages") {
			return err
		}
		b, err := os.ReadFile(path)
		found[path] = b
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

// letterTo waits for a mail to an address about a request, with a code in it if that
// is wanted, without the address in any URL: the list is read whole.
func (w *world) letterTo(to, id string, coded bool) letter {
	w.t.Helper()
	var found letter
	w.await("the mail arrives", func() bool {
		var list []letter
		w.must(http.StatusOK, "GET", "/local/mail?format=json", nil).into(w.t, &list)
		for _, m := range list {
			if m.To == to && strings.Contains(m.Link, id) && (m.Code != "" || !coded) {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

// verifyQuietly is verify without the address in any URL.
func (w *world) verifyQuietly(id, email string) string {
	w.t.Helper()
	w.call("POST", "/v1/requests/"+id+"/verify", map[string]string{"code": "nonsense"})
	var p struct{ Token string }
	w.must(http.StatusOK, "POST", "/v1/requests/"+id+"/verify", map[string]string{"code": w.letterTo(email, id, true).Code}).into(w.t, &p)
	return p.Token
}

// auditRaw returns every audit entry as it is stored, of every chain that the
// due-index and the operators' days lead to.
func (w *world) auditRaw() (raw []byte, entries int) {
	w.t.Helper()
	var chains []string
	for shard := range table.DueShards {
		q := table.Query{Table: table.State, Index: table.Due, Partition: table.DueShard(shard)}
		for {
			page, err := w.Requests.Table.Query(w.t.Context(), q)
			if err != nil {
				w.t.Fatal(err)
			}
			for _, item := range page.Items {
				chains = append(chains, item.Key.Partition)
			}
			if q.Cursor = page.Cursor; q.Cursor == "" {
				break
			}
		}
	}
	operators := 0
	for _, chain := range chains {
		if _, isRequest := request.IDOf(table.Key{Partition: chain, Sort: "-"}); !isRequest {
			operators++
		}
		q := table.Query{Table: table.Audit, Partition: chain}
		for {
			page, err := w.Requests.Table.Query(w.t.Context(), q)
			if err != nil {
				w.t.Fatal(err)
			}
			for _, item := range page.Items {
				entries++
				raw = append(append(raw, item.Body...), '\n')
			}
			if q.Cursor = page.Cursor; q.Cursor == "" {
				break
			}
		}
	}
	if operators == 0 {
		w.t.Error("no chain of an operator's day was read")
	}
	return raw, entries
}
