package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/request"
	"rightsdesk/shared/table"
)

// givenBy makes a request's dates what an older version counted: so many days earlier.
func (w *world) givenBy(id string, days int) {
	w.t.Helper()
	item, err := w.Requests.Table.Get(w.t.Context(), request.ID(id).Ref())
	if err != nil {
		w.t.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal(item.Body, &body); err != nil {
		w.t.Fatal(err)
	}
	for _, field := range []string{"respond_by", "safe_by"} {
		at, err := time.Parse(time.RFC3339, body[field].(string))
		if err != nil {
			w.t.Fatal(err)
		}
		body[field] = at.AddDate(0, 0, -days)
	}
	if item.Body, err = json.Marshal(body); err != nil {
		w.t.Fatal(err)
	}
	if err := w.Requests.Table.Commit(w.t.Context(), table.NewID(), table.Put(table.State, item, table.Version(item.Version))); err != nil {
		w.t.Fatal(err)
	}
}

// TestLawDiffShowsWhichDatesWouldMove asks a running installation, as the next
// version's operators do before they install it.
func TestLawDiffShowsWhichDatesWouldMove(t *testing.T) {
	w := open(t, startsAt(t, "2026-03-05"))
	t.Setenv("RIGHTSDESK_OPERATOR_KEY", w.OperatorKey)
	law := func(args ...string) string {
		t.Helper()
		out, err := lawCommand(t.Context(), append([]string{"diff", "-url", w.URL}, args...))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	as := func(who string) string {
		id := w.submit(submission("restriction", who))
		w.verify(id, who)
		return id
	}
	same, other := as("sam@example.org"), as("olga@example.org")
	if got := law(); got != "None of the 2 open requests would get other dates.\n" {
		t.Errorf("with the same packs it says %q", got)
	}
	before := w.deadline(other, w.session(other))
	w.givenBy(other, 3)
	got := law()
	if !strings.Contains(got, other) || strings.Contains(got, same) || !strings.Contains(got, "1 of 2 open requests") || !strings.Contains(got, " -> "+before.RespondBy.Format(time.DateOnly)) {
		t.Errorf("it says %s", got)
	}
	if d := w.deadline(other, w.session(other)); d.RespondBy.Equal(before.RespondBy) {
		t.Error("looking changed a date")
	}
	if got := law("-adopt"); !strings.Contains(got, other+" has the new dates.") {
		t.Errorf("it says %s", got)
	}
	if d := w.deadline(other, w.session(other)); !d.RespondBy.Equal(before.RespondBy) {
		t.Errorf("answered by %s, want %s", d.RespondBy, before.RespondBy)
	}
	if got := law(); !strings.HasPrefix(got, "None of") {
		t.Errorf("afterwards it says %s", got)
	}

	t.Setenv("RIGHTSDESK_OPERATOR_KEY", "not the key")
	if _, err := lawCommand(t.Context(), []string{"diff", "-url", w.URL}); err == nil || !strings.Contains(err.Error(), "sign_in") {
		t.Errorf("with a wrong key: %v", err)
	}
}
