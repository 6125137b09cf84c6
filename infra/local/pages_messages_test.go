package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// withAppeals is the sample company's policy with a law that knows appeals, and with
// changes by turns: what stands there, and what is to stand there instead.
func withAppeals(t *testing.T, changes ...string) func(*options) {
	t.Helper()
	file, err := os.ReadFile("company/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const california = "  us-ca-ccpa: {applies_to: [US-CA]}\n"
	changes = append(changes, california, california+"  us-va: {applies_to: [US-VA]}\n")
	for i := 0; i < len(changes); i += 2 {
		if !bytes.Contains(file, []byte(changes[i])) {
			t.Fatalf("the policy has no %q", changes[i])
		}
		file = bytes.ReplaceAll(file, []byte(changes[i]), []byte(changes[i+1]))
	}
	path := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return func(o *options) { o.PolicyFile = path }
}

// byHand is the same with an access that somebody has to accept.
func byHand(t *testing.T) func(*options) {
	t.Helper()
	return withAppeals(t, `  access: {residences: ["*"], automatic: true}`, `  access: {residences: ["*"]}`)
}

// upload chooses a file in the form of a page.
func (b *tab) upload(css, name, content string) {
	b.t.Helper()
	path := filepath.Join(b.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.do(chromedp.SetUploadFiles(chromedp.CSS(css), []string{path}))
}

// respondBy is the date that binds.
func (w *world) respondBy(id, token string) (at time.Time, paused bool) {
	w.t.Helper()
	var d struct {
		RespondBy time.Time `json:"respond_by"`
		Paused    bool
	}
	w.must(http.StatusOK, "GET", "/v1/requests/"+id+"/deadline", nil, bearerOf(token)).into(w.t, &d)
	return d.RespondBy, d.Paused
}

// TestPagesAQuestionAndItsAnswer: an operator asks, the person answers on the page
// with a file, and in between time stands still. Then the answer is put off.
func TestPagesAQuestionAndItsAnswer(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, c := range []struct {
		lang                         string
		width                        int64
		still, extended, erased, not string
	}{
		{"en", 375, "stands still", "takes longer", "erased since", "stands still"},
		{"fr", 320, "suspendu", "prend plus de temps", "effacé depuis", "suspendu"},
	} {
		t.Run(c.lang, func(t *testing.T) {
			w := open(t, byHand(t))
			b := browse(w, "question-"+c.lang, c.width, false)
			const ada, pdf = "ada@example.org", "%PDF-1.7\nthe list of orders"

			id := b.askFrom("GB", c.lang, "access", ada)
			b.open(http.StatusOK, w.mailed(ada, id, 1).Link)
			b.press(http.StatusOK, "main form button")
			token := b.session()
			page := "/r/" + token + "?lang=" + c.lang
			before, _ := w.respondBy(id, token)

			op := "/v1/operator/requests/" + id
			question := "Which orders do you mean?\nPlease attach the list as a PDF."
			w.must(http.StatusOK, "POST", op+"/messages", map[string]any{"text": question, "cause": "clarification"}, w.operator())
			w.pass(5 * day)
			if meanwhile, paused := w.respondBy(id, token); !paused || meanwhile.Sub(before) < 4*day-time.Hour {
				t.Errorf("while we wait the date is %s, first it was %s; paused: %t", meanwhile, before, paused)
			}
			b.open(http.StatusOK, page)
			if got := eval[string](b, `document.querySelector('main h2').closest('section').className`); got != "question" {
				t.Errorf("the first thing on the page is %q, want the question", got)
			}
			if got := b.text(".question .said"); got != question {
				t.Errorf("the question reads %q", got)
			}
			if got := b.text(".warn"); !strings.Contains(got, c.still) {
				t.Errorf("the page does not say that time stands still: %q", got)
			}

			// What cannot be taken is said beside its field, and the words stay.
			b.fill("#reply", "Those of last year.")
			b.upload("#files", "list.pdf", "MZ\x00\x01 a program by another name")
			b.press(http.StatusBadRequest, "button[value=reply]")
			if b.text("#files-problem") == "" || eval[string](b, `document.querySelector('#reply').value`) != "Those of last year." {
				t.Errorf("the page of what is wrong says %q", b.text(".problems"))
			}
			b.upload("#files", "list.pdf", pdf)
			b.press(http.StatusOK, "button[value=reply]")
			if got := b.text(".letters"); !strings.Contains(got, "Those of last year.") || !strings.Contains(got, "list.pdf") {
				t.Errorf("after the answer the page shows %q", got)
			}
			if b.text(".question") != "" || strings.Contains(b.text(".warn"), c.not) {
				t.Errorf("the question is still there, or time still stands: %q", b.text("main"))
			}
			after, paused := w.respondBy(id, token)
			if moved := after.Sub(before); paused || moved < 5*day-time.Hour {
				t.Errorf("after five days of waiting the date moved from %s to %s; paused: %t", before, after, paused)
			}

			// The operator has it, as a file to be saved.
			var list struct {
				Messages []struct {
					N     int
					By    string
					Files []struct{ Name, Type string }
				}
			}
			w.must(http.StatusOK, "GET", op+"/messages", nil, w.operator()).into(t, &list)
			if n := len(list.Messages); n != 2 || list.Messages[1].By != "person" || len(list.Messages[1].Files) != 1 || list.Messages[1].Files[0].Type != "application/pdf" {
				t.Fatalf("the operator sees %+v", list)
			}
			got := w.must(http.StatusOK, "GET", op+"/messages/2/files/1", nil, w.operator())
			if string(got.Body) != pdf || got.Header.Get("Content-Type") != "application/pdf" || got.Header.Get("X-Content-Type-Options") != "nosniff" ||
				got.Header.Get("Content-Disposition") != "attachment; filename=list.pdf" || got.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("the file is %q with %v", got.Body, got.Header)
			}

			// It takes longer; and what was attached goes in time.
			w.must(http.StatusOK, "POST", op+"/extend", map[string]any{"ground": "complexity"}, w.operator())
			w.pass(15 * day)
			w.await("the file is erased", func() bool {
				return w.call("GET", op+"/messages/2/files/1", nil, w.operator()).Status == http.StatusGone
			})
			b.open(http.StatusOK, page)
			b.do(chromedp.Click(chromedp.CSS(".deadlines summary")))
			b.look()
			if got := b.text(".warn"); !strings.Contains(got, c.extended) {
				t.Errorf("the page does not say that it takes longer: %q", got)
			}
			if got := b.text(".letters"); !strings.Contains(got, c.erased) {
				t.Errorf("the page does not say that the file was erased: %q", got)
			}
			b.do(chromedp.Click(chromedp.CSS("section > details summary")))
			b.fill("#reply", "Thank you.")
			b.press(http.StatusOK, "button[value=reply]")
			if got := b.text(".letters"); !strings.Contains(got, "Thank you.") {
				t.Errorf("what was written unasked is not there: %q", got)
			}
		})
	}
}

// TestPagesAppealAndComplain: who is refused appeals where the law knows that, and
// complains where they like.
func TestPagesAppealAndComplain(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "fr"} {
		t.Run(lang, func(t *testing.T) {
			w := open(t, byHand(t))
			b := browse(w, "appeal-"+lang, 320, false)
			const grace, none = "grace@example.net", "{}"
			id := b.askFrom("US-VA", lang, "access", grace)
			b.open(http.StatusOK, w.mailed(grace, id, 1).Link)
			b.press(http.StatusOK, "main form button")
			token := b.session()
			if b.text("#complain + p") == "" {
				t.Error("the page says nothing of an authority")
			}
			op := "/v1/operator/requests/" + id
			var shown struct{ Reasons []string }
			w.must(http.StatusOK, "GET", op, nil, w.operator()).into(t, &shown)
			w.must(http.StatusOK, "POST", op+"/deny", map[string]any{"reason": shown.Reasons[0]}, w.operator())

			b.open(http.StatusOK, "/r/"+token+"?lang="+lang)
			b.press(http.StatusBadRequest, "button[value=appeal]") // nothing written
			b.fill("#appeal", "It was me who asked.")
			b.press(http.StatusOK, "button[value=appeal]")
			appeal := b.session()
			appealID, _, _ := strings.Cut(appeal, ".")
			if appeal == token || !strings.Contains(b.text(".facts"), id) {
				t.Errorf("the appeal's page says %q", b.text(".facts"))
			}
			b.open(http.StatusOK, "/r/"+token+"?lang="+lang)
			if b.text("button[value=appeal]") != "" || !strings.Contains(b.text("main"), appealID) {
				t.Error("the refusal can be appealed against twice, or does not name the appeal")
			}

			// Somebody weighs it, and says why.
			op = "/v1/operator/requests/" + appealID
			w.must(http.StatusOK, "POST", op+"/accept", none, w.operator())
			var weighed struct{ Steps []struct{ Task string } }
			w.await("there is a task", func() bool {
				w.must(http.StatusOK, "GET", op, nil, w.operator()).into(t, &weighed)
				return len(weighed.Steps) > 0 && weighed.Steps[0].Task != ""
			})
			w.must(http.StatusOK, "POST", "/v1/operator/tasks/"+weighed.Steps[0].Task+"/done", map[string]any{"outcome": "upheld", "text": "You are right, it was you."}, w.operator())
			w.reach(appealID, appeal, "fulfilled")
			b.open(http.StatusOK, "/r/"+appeal+"?lang="+lang)
			if got := b.text("#decision ~ .said"); got != "You are right, it was you." {
				t.Errorf("the decision reads %q", got)
			}

			// And a complaint about the first, from its page.
			b.open(http.StatusOK, "/r/"+token+"?lang="+lang)
			b.press(http.StatusOK, "#complain ~ p a.button")
			if about := eval[string](b, `document.querySelector('#about').value`); about != id || !eval[bool](b, `document.querySelector('#right-complaint').checked`) {
				t.Errorf("the form is about %q", about)
			}
			b.fill("#email", grace)
			b.fill("#details", "It took too long.")
			b.press(http.StatusOK, "main form button[type=submit]")
			complaint, _, _ := strings.Cut(strings.TrimPrefix(b.where(), b.URL+"/requests/"), "?")
			b.open(http.StatusOK, w.mailed(grace, complaint, 1).Link)
			b.press(http.StatusOK, "main form button")
			if !strings.Contains(b.text(".facts"), id) {
				t.Errorf("the complaint's page does not say what it is about: %q", b.text(".facts"))
			}

			// To stop a sale waits for no proof.
			b.ask(lang, "opt_out_sale", grace)
			if !strings.Contains(b.where(), "for=follow") || b.text("#code") != "" {
				t.Errorf("after an opt-out: %s", b.where())
			}
		})
	}
}
