package job_test

import (
	"context"
	"os"
	"testing"
	"time"

	"rightsdesk/shared/desk"
	"rightsdesk/shared/job"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

// endless is a store whose first page of old records takes all the time of a run.
type endless struct {
	source.Source

	over context.CancelFunc
}

func (s endless) Old(context.Context, source.Age) (source.Aged, error) {
	s.over()
	return source.Aged{}, source.ErrLater
}

func (endless) Expire(context.Context, source.Expiry) (source.Done, error) {
	return source.Done{}, source.ErrLater
}

func TestRulesThatTakeAllTheTimeDoNotKeepErasuresWaiting(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../infra/local/company/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	now := func() time.Time { return at }
	d := desk.New(desk.Ground{Table: tabletest.Embedded(t, now), Policy: p, Now: now})
	d.Open(seal.NewRing())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stores := map[string]source.Source{}
	for _, src := range p.Sources {
		stores[src.ID] = endless{over: cancel}
	}
	d.Reach(stores)
	id := d.Erasure.Keys.Ring.Identifier(personal.MakeIdentity(personal.KindAccount, "acc-ada"))
	writes, _, err := d.Erasure.Entombing(ctx, request.Tomb{Request: "r1", Identifiers: []seal.Identifier{id}, Holder: id, At: at, Until: at})
	if err == nil {
		err = d.Table.Commit(ctx, table.NewID(), writes...)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, _ = job.Jobs(d)["retention"]["sweeps"](ctx) // what its time did not suffice for waits
	if ctx.Err() == nil {
		t.Fatal("no rule was worked off")
	}
	auditor := operator.Identity{ID: "a1", Roles: []operator.Role{operator.Auditor}, MFA: true}
	if s, err := d.Erasure.Salts(t.Context(), auditor); err != nil || s.Waiting != 1 {
		t.Errorf("nothing followed from the erasure: %+v, %v", s, err)
	}
}
