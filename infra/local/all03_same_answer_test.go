package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/infra/local/company"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/embedded"
)

// metered tells a meter what HTTP calls cost a table. What runs beside them, such as
// the sealing of what an earlier call put into the audit, is nobody's answer.
type metered struct {
	table.Table
	m *table.Meter
}

func (t metered) watch(ctx context.Context) context.Context {
	if ctx.Value(http.ServerContextKey) == nil {
		return ctx
	}
	return table.WithMeter(ctx, t.m)
}

func (t metered) Get(ctx context.Context, ref table.Ref) (table.Item, error) {
	return t.Table.Get(t.watch(ctx), ref)
}

func (t metered) Query(ctx context.Context, q table.Query) (table.Page, error) {
	return t.Table.Query(t.watch(ctx), q)
}

func (t metered) Scan(ctx context.Context, s table.Scan) (table.Page, error) {
	return t.Table.Scan(t.watch(ctx), s)
}

func (t metered) Count(ctx context.Context, tally table.Tally) (table.Item, error) {
	return t.Table.Count(t.watch(ctx), tally)
}

func (t metered) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	return t.Table.Commit(t.watch(ctx), id, writes...)
}

// TestALL_03_KnownAndUnknownPeopleGetTheSameAnswer asks for somebody the company
// knows well, for somebody it never heard of, and for somebody who asked before.
// Status, headers, the body but for its id and times, the mail, and what the
// answer costs the database are the same: nobody learns who is a customer. The
// same holds for codes and links of requests that exist and of ones that do not.
func TestALL_03_KnownAndUnknownPeopleGetTheSameAnswer(t *testing.T) {
	t.Parallel()
	meter := &table.Meter{}
	w := open(t, func(o *options) {
		o.NoHints = true // so that nothing but the answer costs anything
		dir := o.Dir
		o.Table = func(now func() time.Time) (table.Table, error) {
			file, err := embedded.Open(filepath.Join(dir, "state.db"), now, embedded.NoSync())
			if err != nil {
				return nil, err
			}
			t.Cleanup(func() { _ = file.Close() })
			return metered{file, meter}, nil
		}
	})
	took := map[string][]time.Duration{}
	// answerTo is everything that a caller can tell answers apart by.
	answerTo := func(who string, call func() answer) string {
		t.Helper()
		meter.Reset()
		began := time.Now()
		a := call()
		took[who] = append(took[who], time.Since(began))
		u := meter.Total()
		return fmt.Sprintf("%d\n%s\n%s\n%g written, %g read", a.Status, headersOf(a.Header), anonymous(a.Body), u.Write, u.Read)
	}
	same := func(what string, answers map[string]string) {
		t.Helper()
		var first string
		for _, who := range slices.Sorted(mapKeys(answers)) {
			if first == "" {
				first = answers[who]
			}
			if answers[who] != first {
				t.Errorf("%s: the answer differs for %s:\n%s\nelsewhere\n%s", what, who, answers[who], first)
			}
		}
	}

	people := map[string]string{"a customer": company.AdaEmail, "a stranger": "zoe@example.org", "who asked before": "ida@example.org"}
	w.from(9).submit(submission("erasure", people["who asked before"]))
	w.pass(49 * time.Hour) // past the day of the reminder too: a mail of the same day counts on
	json, form, ids := map[string]string{}, map[string]string{}, map[string]string{}
	n := 10
	for who, email := range people {
		n++
		at := w.from(n)
		json[who] = answerTo(who, func() answer { return at.call("POST", "/v1/requests", submission("access", email)) })
		n++
		at = w.from(n)
		form[who] = answerTo(who, func() answer {
			return at.call("POST", "/requests", url.Values{"right": {"access"}, "email": {email}, "name": {"Ada"}, "residence": {"FR"}, "idempotency_key": {"k"}})
		})
		n++
		ids[who] = w.from(n).submit(submission("know", email))
	}
	same("POST /v1/requests", json)
	if strings.Contains(json["a stranger"], "\n0 written") {
		t.Error("the answer wrote nothing: what calls cost is not seen any more")
	}
	// The second mail of a day costs one unit more than the first: the counter's
	// window goes on. Whose day it is has nothing to do with the company's data.
	same("the form", form)

	w.pass(2 * time.Minute)
	letters := map[string]string{}
	for who, email := range people {
		m := w.mailed(email, ids[who], 1)
		letters[who] = strings.ReplaceAll(m.Subject, email, "")
	}
	same("the mail", letters)

	ids["who never was"] = "r" + strings.Repeat("0", len(ids["a customer"])-1)
	for _, probe := range []struct {
		what string
		call func(id string) answer
	}{
		{"another code", func(id string) answer {
			return w.call("POST", "/v1/requests/"+id+"/code", map[string]any{})
		}},
		{"a wrong code", func(id string) answer {
			return w.call("POST", "/v1/requests/"+id+"/verify", map[string]string{"code": "00000x"})
		}},
		{"a wrong code on the page", func(id string) answer {
			return w.call("POST", "/requests/"+id, url.Values{"code": {"00000x"}, "idempotency_key": {"k"}})
		}},
		{"a forged link", func(id string) answer {
			return w.call("GET", "/r/"+id+".v.1.zzzzzz.forged", nil)
		}},
		{"a forged session", func(id string) answer {
			return w.call("GET", "/v1/requests/"+id, nil, bearerOf(id+".s.1.zzzzzz.forged"))
		}},
		{"the page that waits for the code", func(id string) answer {
			return w.call("GET", "/requests/"+id, nil)
		}},
	} {
		got := map[string]string{}
		for who, id := range ids {
			a := answerTo("", func() answer { return probe.call(id) })
			if strings.HasPrefix(probe.what, "a wrong code") || probe.what == "another code" {
				a = a[:strings.LastIndexByte(a, '\n')] // the try and the mail are counted where there is something to count on
			}
			got[who] = a
		}
		same(probe.what, got)
	}
	// Time is told, not judged: this machine runs other tests meanwhile.
	var times []string
	for _, who := range slices.Sorted(mapKeys(people)) {
		slices.Sort(took[who])
		times = append(times, fmt.Sprintf("%s %v", who, took[who][0].Round(10*time.Microsecond)))
	}
	proof(t, "ALL-03", "a customer, a stranger and who asked before get the same status, headers, body, mail and cost (%s); fastest answers: %s",
		json["a stranger"][strings.LastIndexByte(json["a stranger"], '\n')+1:], strings.Join(times, ", "))
}

// headersOf is the headers but for the date, and what names the request.
func headersOf(h http.Header) string {
	var lines []string
	for name, values := range h {
		if name != "Date" {
			lines = append(lines, name+": "+anonymous([]byte(strings.Join(values, ","))))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

var (
	requestID = regexp.MustCompile(`r[0-9a-v]{32}`)
	instant   = regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-]\d\d:\d\d)`)
	freshKey  = regexp.MustCompile(`value="[0-9A-V]{26}"`)
)

// anonymous is a body without what is different in every answer: ids, times and
// the keys of forms.
func anonymous(b []byte) string {
	text := requestID.ReplaceAllString(string(b), "<id>")
	text = instant.ReplaceAllString(text, "<time>")
	text = freshKey.ReplaceAllString(text, "<key>")
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	return fmt.Sprint(v)
}
