package main

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/mail"
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/policy"
)

// The promises to everyone, through all five profiles.

func TestALL_01_TheContactIsInThePolicyAtTheAPIAndInEveryMail(t *testing.T) {
	t.Parallel()
	for _, name := range policy.ProfileNames() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := openProfile(t, name)
			c := w.policy.Contact
			details := []string{c.Email}
			for _, more := range []string{c.Person, c.PostalAddress} {
				if more != "" {
					details = append(details, more)
				}
			}
			pub, page := w.published()
			if pub.Contact != policy.ContactView(c) || c.Email == "" {
				t.Errorf("the policy publishes the contact %+v, want %+v", pub.Contact, c)
			}
			shows(t, page, details...)
			for _, path := range []string{"/", "/requests/r0"} {
				shows(t, string(w.call("GET", path, nil).Body), c.Email)
			}

			// One person for every way that a request can end, and every letter on that
			// way. Package mail composes the others with the same contact.
			person := func(n int) string { return []string{"ada", "ben", "cy", "dot", "eve", "fay"}[n] + "@example.net" }
			id := w.ask("access", person(0))
			s, _ := w.answered(id, person(0)) // verify, verified, ready
			if s.Contact["email"] != c.Email || s.Contact["postal"] != c.PostalAddress || s.Contact["name"] != c.Person {
				t.Errorf("the answer names the contact %v", s.Contact)
			}
			id = w.ask("erasure", person(1))
			w.answered(id, person(1)) // fulfilled
			id = w.ask("rectification", person(2), func(b map[string]any) {
				b["corrections"] = []map[string]string{{"field": "email", "value": "new@example.net"}}
			})
			w.verify(id, person(2)) // confirm_address
			id = w.ask("erasure", person(3))
			w.must(http.StatusOK, "POST", "/v1/requests/"+id+"/revoke", map[string]any{}, bearerOf(w.verify(id, person(3)))) // revoked
			id = w.ask("erasure", person(4))
			w.verify(id, person(4))
			var shown struct{ Reasons []string }
			w.must(http.StatusOK, "GET", "/v1/operator/requests/"+id, nil, w.operator()).into(t, &shown)
			w.must(http.StatusOK, "POST", "/v1/operator/requests/"+id+"/deny", map[string]string{"reason": shown.Reasons[0]}, w.operator()) // denied
			w.ask("access", person(5))
			w.pass(40 * 24 * time.Hour) // lapsed

			expected := []mail.Kind{mail.Verify, mail.Verified, mail.Ready, mail.Fulfilled, mail.ConfirmAddress, mail.Revoked, mail.Denied, mail.Lapsed}
			speak := words.In(w.policy.Document.Languages[0])
			w.await("each of these letters is there", func() bool {
				subjects := map[string]bool{}
				for _, m := range w.mails("") {
					subjects[m.Subject] = true
				}
				return !slices.ContainsFunc(expected, func(k mail.Kind) bool {
					return !subjects[speak.T("mail."+string(k)+".subject", "brand", w.policy.Document.Brand)]
				})
			})
			for _, m := range w.mails("") {
				said := w.said(m.N)
				for _, d := range details {
					if !strings.Contains(said, strings.Join(strings.Fields(d), " ")) && !strings.Contains(said, htmlOf(d)) {
						t.Errorf("the mail %q does not give %q", m.Subject, d)
					}
				}
			}
		})
	}
}

// scrub takes out of an answer what differs between any two: ids, keys, codes, tokens, times.
var scrub = regexp.MustCompile(`r[0-9a-v]{20,}|/r/[A-Za-z0-9._~-]+|[0-9A-Za-z_-]{22,}|\b\d{6}\b|\d{2}:\d{2}(:\d{2}(\.\d+)?)?`)

// kind is an answer without that: its status, the names of its headers, its body.
func kind(a answer) string {
	var names []string
	for name := range a.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	return http.StatusText(a.Status) + "\n" + strings.Join(names, " ") + "\n" + scrub.ReplaceAllString(a.Header.Get("Location")+"\n"+string(a.Body), "*")
}

func TestALL_03_TheSameKindOfAnswerThroughEveryProfile(t *testing.T) {
	t.Parallel()
	for _, name := range policy.ProfileNames() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := openProfile(t, name)
			const known, unknown, invented = "ada@example.org", "eva@example.org", "r0123456789abcdefghijklmnopqrstuv"
			same := func(what string, a, b string) {
				t.Helper()
				if a != b {
					t.Errorf("%s differs: for somebody the company knows\n%s\nand for somebody else\n%s", what, a, b)
				}
			}
			// First of all, an address has only so many mails a day.
			ids := map[string]string{}
			for n, email := range []string{known, unknown} {
				ids[email] = w.from(10 + n).submit(submission("access", email, livesIn(residences[name])))
			}
			submit := func(right policy.Right) {
				t.Helper()
				body := func(email string) map[string]any {
					return submission(string(right), email, livesIn(map[bool]string{true: "US-CA", false: residences[name]}[right == policy.Know || right == policy.OptOutSale]), func(b map[string]any) {
						if right == policy.Rectification {
							b["corrections"] = []map[string]string{{"field": "name", "value": "Ada"}}
						}
					})
				}
				same("POST /v1/requests for "+string(right),
					kind(w.from(1).must(http.StatusAccepted, "POST", "/v1/requests", body(known))), kind(w.from(2).must(http.StatusAccepted, "POST", "/v1/requests", body(unknown))))
			}
			for right := range w.policy.Rights {
				if !right.Unverified() {
					submit(right)
				}
			}
			ask := func(email string) url.Values {
				return url.Values{"right": {"erasure"}, "residence": {residences[name]}, "email": {email}, "key": {"a-key-of-the-form"}}
			}
			same("the form's answer", kind(w.from(3).call("POST", "/requests", ask(known))), kind(w.from(4).call("POST", "/requests", ask(unknown))))

			// With a request of each, and with one that never was.
			letters := map[string]string{}
			for email, id := range ids {
				letters[email] = scrub.ReplaceAllString(strings.ReplaceAll(w.said(w.mailed(email, id, 1).N), email, "*"), "*")
			}
			same("the first mail", letters[known], letters[unknown])
			for _, c := range []struct {
				method, path string
				body         any
				headers      []header
			}{
				{"POST", "/code", map[string]any{}, nil},
				{"POST", "/verify", map[string]string{"code": "000000"}, nil},
				{"GET", "", nil, nil},
				{"GET", "", nil, []header{bearerOf("forged")}},
				{"GET", "/deadline", nil, nil},
				{"POST", "/revoke", map[string]any{}, nil},
				{"POST", "/deliver", map[string]any{}, nil},
			} {
				of := func(id string) string { return kind(w.call(c.method, "/v1/requests/"+id+c.path, c.body, c.headers...)) }
				same(c.method+" "+c.path, of(ids[known]), of(ids[unknown]))
				same(c.method+" "+c.path+" of no request", of(ids[known]), of(invented))
			}
			page := func(id string) string { return kind(w.call("GET", "/requests/"+id, nil)) }
			same("the page that asks for the code", page(ids[known]), page(ids[unknown]))
			same("the page that asks for the code of no request", page(ids[known]), page(invented))
			for id := range w.sources {
				if w.called(id) != 0 {
					t.Errorf("%s was asked before anybody was verified", id)
				}
			}
			for right := range w.policy.Rights { // a choice is told to sources, whoever makes it
				if right.Unverified() {
					submit(right)
				}
			}
		})
	}
}

func TestALL_05_TheProductDoesNotStartWithHalfAPolicy(t *testing.T) {
	t.Parallel()
	for _, name := range policy.ProfileNames() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, _ := policy.Profile(name)
			p, err := policy.Parse(file)
			if err != nil {
				t.Fatal(err)
			}
			broken(t, name, "  effective: "+p.Document.Effective, "  # effective: "+p.Document.Effective, "document.effective", "required")
			broken(t, name, "  email: "+p.Contact.Email+"\n", "", "contact.email", "required")
			pub, page := openProfile(t, name).published()
			if pub.Document.Effective == "" || pub.Document.Updated == "" || pub.Contact.Email == "" {
				t.Errorf("published without a date or a contact: %+v", pub.Document)
			}
			// Every reference of the page leads somewhere on it.
			for _, ref := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page, -1) {
				if !strings.Contains(page, `id="`+ref[1]+`"`) {
					t.Errorf("#%s leads nowhere", ref[1])
				}
			}
		})
	}
	const mailer = "[a mail service](vendor:mailer) sends"
	broken(t, "server-automation", mailer, "[a mail service](vendor:pigeons) sends", "document.sections.sub_processors.body", "vendor:pigeons")
	broken(t, "server-automation", "[what stays longer](#kept)", "[what stays longer](#keeps)", "document.sections.data.body", "#keeps")
}
