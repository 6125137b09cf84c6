package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rightsdesk/infra/local/company"
)

// vector is a row of the golden vectors: what is received when, what happens
// then, and the dates of it. An empty date is not part of the row.
type vector struct {
	residence, right string
	received         string
	asked, answered  string // a question to the person, and their answer
	cause            string
	acknowledge      string
	ackSafe          string
	due              string // as it stands when everything above has happened
	safe             string
	extended         string
}

// vectors are the golden vectors of the laws, for a controller in Germany.
var vectors = map[string]vector{
	"EU: month end, then a weekend":                {residence: "DE", right: "access", received: "2026-01-31", due: "2026-03-02", safe: "2026-02-27", extended: "2026-04-30"},
	"EU: Easter Sunday, then Easter Monday":        {residence: "DE", right: "access", received: "2026-03-05", due: "2026-04-07", safe: "2026-04-02", extended: "2026-06-05"},
	"EU: a short month":                            {residence: "DE", right: "access", received: "2026-08-31", due: "2026-09-30", extended: "2026-11-30"},
	"EU: a leap year":                              {residence: "DE", right: "access", received: "2024-01-31", due: "2024-02-29", extended: "2024-04-30"},
	"EU: two holidays and a weekend":               {residence: "DE", right: "access", received: "2025-11-25", due: "2025-12-29", extended: "2026-02-25"},
	"EU: the year rolls":                           {residence: "DE", right: "access", received: "2025-12-31", due: "2026-02-02", extended: "2026-03-31"},
	"EU: the extension ends on a month end":        {residence: "DE", right: "access", received: "2026-11-30", due: "2026-12-30", extended: "2027-03-01"},
	"EU: a national holiday":                       {residence: "DE", right: "access", received: "2026-04-01", due: "2026-05-04", extended: "2026-07-01"},
	"UK: who asks is shown later":                  {residence: "GB", right: "access", received: "2026-06-01", cause: "identity", asked: "2026-06-02", answered: "2026-06-09", due: "2026-07-09", extended: "2026-09-09"},
	"UK: eight days of clarification":              {residence: "GB", right: "access", received: "2026-06-01", cause: "clarification", asked: "2026-06-03", answered: "2026-06-10", due: "2026-07-09"},
	"California: confirm, answer, extend":          {residence: "US-CA", right: "know", received: "2026-03-04", acknowledge: "2026-03-18", due: "2026-04-18", extended: "2026-06-02"},
	"California: opt-out":                          {residence: "US-CA", right: "opt_out_sale", received: "2026-03-04", due: "2026-03-25"},
	"California: a holiday, confirm":               {residence: "US-CA", right: "know", received: "2026-02-10", acknowledge: "2026-02-25", ackSafe: "2026-02-24", due: "2026-03-27"},
	"California: a holiday, opt-out":               {residence: "US-CA", right: "opt_out_sale", received: "2026-02-10", due: "2026-03-04", safe: "2026-03-03"},
	"California: nothing pauses for identity":      {residence: "US-CA", right: "know", received: "2026-03-04", cause: "identity", asked: "2026-03-05", answered: "2026-03-20", due: "2026-04-18"},
	"California: nothing pauses for a question":    {residence: "US-CA", right: "know", received: "2026-03-04", cause: "clarification", asked: "2026-03-05", answered: "2026-03-20", due: "2026-04-18"},
	"Canada: 30 days and 30 more":                  {residence: "CA", right: "access", received: "2026-01-31", due: "2026-03-02", extended: "2026-04-01"},
	"Brazil: 15 days":                              {residence: "BR", right: "access", received: "2026-01-31", due: "2026-02-15"},
	"Virginia: 45 days and 45 more":                {residence: "US-VA", right: "access", received: "2026-01-31", due: "2026-03-17", extended: "2026-05-01"},
	"UK: a complaint is acknowledged in 30 days":   {residence: "GB", right: "complaint", received: "2026-06-20", acknowledge: "2026-07-20"},
	"Canada: an Ontarian is protected by the same": {residence: "CA-ON", right: "access", received: "2026-01-31", due: "2026-03-02"},
}

// worldwide is the sample company's policy, moved to Germany and with laws of more countries.
func worldwide(t *testing.T) string {
	t.Helper()
	text := string(company.Policy)
	for from, to := range map[string]string{
		"  time_zone: Europe/Paris\n":                      "  time_zone: Europe/Berlin\n  holidays: DE\n",
		"  ca-pipeda: {applies_to: [CA]}\n":                "  ca-pipeda: {applies_to: [CA]}\n  br-lgpd: {applies_to: [BR]}\n  us-va: {applies_to: [US-VA]}\n",
		"  access: {residences: [\"*\"], automatic: true}": "  access: {residences: [\"*\"]}",
		"  know: {residences: [\"*\"], automatic: true}":   "  know: {residences: [\"*\"]}",
	} {
		if strings.Count(text, from) != 1 {
			t.Fatalf("the sample policy does not hold %q once", from)
		}
		text = strings.Replace(text, from, to, 1)
	}
	path := filepath.Join(t.TempDir(), "worldwide.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// startsAt lets the product begin its life at noon of a day, in Berlin.
func startsAt(t *testing.T, day string) func(*options) {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation(time.DateOnly, day, berlin)
	if err != nil {
		t.Fatal(err)
	}
	return func(o *options) {
		if err := os.WriteFile(filepath.Join(o.Dir, "clock"), []byte(time.Until(at.Add(12*time.Hour)).String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// untilNoonOf turns the clock on to a day.
func (w *world) untilNoonOf(day string) {
	w.t.Helper()
	berlin, _ := time.LoadLocation("Europe/Berlin")
	at, err := time.ParseInLocation(time.DateOnly, day, berlin)
	if err != nil {
		w.t.Fatal(err)
	}
	if d := at.Add(12 * time.Hour).Sub(w.Clock.Now()); d > 0 {
		w.pass(d)
	}
}

// deadline is what GET /v1/requests/{id}/deadline answers.
type deadline struct {
	Law       string
	RespondBy time.Time `json:"respond_by"`
	SafeBy    time.Time `json:"safe_by"`
	Paused    bool
	Extended  bool
	Clocks    []struct {
		Clock, Law  string
		Legal, Safe time.Time
		Done        *time.Time `json:"done_at"`
		Steps       []struct{ Text, Article, Source, Mark string }
	}
}

func (w *world) deadline(id, token string) deadline {
	w.t.Helper()
	var d deadline
	w.must(http.StatusOK, "GET", "/v1/requests/"+id+"/deadline", nil, bearerOf(token)).into(w.t, &d)
	return d
}

// clock returns the dates of one clock.
func (d deadline) clock(name string) (legal, safe string) {
	for _, c := range d.Clocks {
		if c.Clock == name {
			return c.Legal.Format(time.DateOnly), c.Safe.Format(time.DateOnly)
		}
	}
	return "none", "none"
}

// ground is a reason for an extension that the law of a request accepts: whoever
// gives another is told which there are.
func (w *world) ground(id string) string {
	w.t.Helper()
	var problem struct {
		Errors []struct{ Pointer, Detail string }
	}
	a := w.must(http.StatusBadRequest, "POST", "/v1/operator/requests/"+id+"/extend", map[string]string{"ground": "none of them"}, w.operator())
	a.into(w.t, &problem)
	if len(problem.Errors) != 1 || problem.Errors[0].Pointer != "/ground" {
		w.t.Fatalf("a wrong ground is answered with %s", a.Body)
	}
	codes, ok := strings.CutPrefix(problem.Errors[0].Detail, "must be one of ")
	if !ok {
		w.t.Fatalf("a wrong ground is answered with %s", a.Body)
	}
	first, _, _ := strings.Cut(codes, ", ")
	return first
}

func (w *world) extend(id string) {
	w.t.Helper()
	w.must(http.StatusOK, "POST", "/v1/operator/requests/"+id+"/extend", map[string]string{"ground": w.ground(id)}, w.operator())
}

// TestGoldenVectorsThroughTheAPI lives each golden vector: the request is made on
// its day, questions are asked and answered on theirs, and the dates are those
// that the person is told.
func TestGoldenVectorsThroughTheAPI(t *testing.T) {
	t.Parallel()
	for name, v := range vectors {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, func(o *options) { o.PolicyFile, o.People = worldwide(t), 5 }, startsAt(t, v.received))
			const who = "vera@example.org"
			id := w.submit(submission(v.right, who, func(b map[string]any) { b["residence"], b["details"] = v.residence, "all of it" }))
			token := w.verify(id, who)
			if v.cause != "" {
				w.untilNoonOf(v.asked)
				w.must(http.StatusOK, "POST", "/v1/operator/requests/"+id+"/messages", map[string]string{"text": "Which one?", "cause": v.cause}, w.operator())
				w.untilNoonOf(v.answered)
				w.must(http.StatusOK, "POST", "/v1/requests/"+id+"/messages", map[string]any{"text": "This one."}, bearerOf(w.session(id)))
			}
			d := w.deadline(id, w.session(id))
			same := func(what, got, want string) {
				if want != "" && got != want {
					t.Errorf("%s is %s, want %s", what, got, want)
				}
			}
			legal, safe := d.clock("acknowledge")
			same("acknowledge by", legal, v.acknowledge)
			same("acknowledge safely by", safe, v.ackSafe)
			same("respond by", d.RespondBy.Format(time.DateOnly), v.due)
			same("respond safely by", d.SafeBy.Format(time.DateOnly), v.safe)
			if d.SafeBy.After(d.RespondBy) {
				t.Errorf("the safe date %s is after %s", d.SafeBy, d.RespondBy)
			}
			if v.extended != "" {
				w.extend(id)
				d = w.deadline(id, token)
				same("extended, respond by", d.RespondBy.Format(time.DateOnly), v.extended)
				if !d.Extended {
					t.Error("the extension is not shown")
				}
			}
		})
	}
}
