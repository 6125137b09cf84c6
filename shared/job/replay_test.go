package job_test

import (
	"log/slog"
	"os"
	"testing"
	"time"

	"rightsdesk/shared/desk"
	"rightsdesk/shared/job"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

// A salt is due and so are the rules, when a replay begins that has not given the
// legal holds back yet.
func TestNothingIsDestroyedWhileAReplayGoesOn(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("../../infra/local/company/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	pol, err := policy.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	now := func() time.Time { return at }
	store := tabletest.Embedded(t, now)
	d := desk.New(desk.Ground{Table: store, Policy: pol, Now: now, Log: slog.New(slog.DiscardHandler)})
	d.Open(seal.NewRing())
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	ada := personal.MakeIdentity(personal.KindEmail, "ada@example.org")
	_, _, err = d.Erasure.Keys.Contact(t.Context(), ada, at, 5)
	must(err)
	id := d.Erasure.Keys.Ring.Identifier(ada)
	writes, _, err := d.Erasure.Entombing(t.Context(), request.Tomb{
		Request: "r1", At: at, Until: at, Holder: id, Identifiers: []seal.Identifier{id},
		From: []request.From{{Source: "shop", Category: "account", Verb: policy.ActionDelete}},
	})
	must(err)
	must(store.Commit(t.Context(), table.NewID(), writes...))
	gone := func() bool {
		t.Helper()
		destroyed, err := d.Erasure.Destroyed(t.Context(), id)
		must(err)
		return !destroyed.IsZero()
	}

	jobs := job.Jobs(d)["retention"]
	at = at.Add(pol.Retention.Salts + 24*time.Hour)
	_, err = d.Restore.Start(t.Context(), operator.Identity{ID: "h1", Roles: []operator.Role{operator.Handler}, MFA: true})
	must(err)
	rep, err := jobs["sweeps"](t.Context())
	if err != nil || rep != (job.Report{}) || gone() {
		t.Errorf("while it goes on: %+v, %v; the salt is gone: %t", rep, err, gone())
	}
	for range 5 {
		at = at.Add(time.Minute)
		_, err = jobs["replay"](t.Context())
		must(err)
	}
	run, err := d.Restore.Show(t.Context(), operator.Identity{ID: "a1", Roles: []operator.Role{operator.Auditor}, MFA: true})
	if err != nil || run.Phase != restore.Ended {
		t.Fatalf("the replay is in its phase %s, %v: %+v", run.Phase, err, run.Report)
	}
	for range 3 {
		at = at.Add(time.Hour)
		rep, err = jobs["sweeps"](t.Context())
		must(err)
	}
	if rep.Seen == 0 || !gone() {
		t.Errorf("after it: %+v; the salt is gone: %t", rep, gone())
	}
}
