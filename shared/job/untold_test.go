package job_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/bulletin"
	"rightsdesk/shared/desk"
	"rightsdesk/shared/job"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

// slow is a table whose due-index takes all the time of a run.
type slow struct {
	table.Table

	over context.CancelFunc
}

func (s *slow) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if q.Index == table.Due && s.over != nil {
		s.over()
		return table.Page{}, ctx.Err()
	}
	return s.Table.Query(ctx, q)
}

// bus is one that is down, or not.
type bus struct {
	down error
	took int
}

func (b *bus) Put(_ context.Context, events []bulletin.Event) error {
	if b.down == nil {
		b.took += len(events)
	}
	return b.down
}

// What the bus did not take is told by the schedule of announcements, which fails once
// that is late, also where there was no time for the letters.
func TestAnnouncementsTellWhatTheBusDidNotTake(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	now := func() time.Time { return at }
	store := &slow{Table: tabletest.Embedded(t, now)}
	d := desk.New(desk.Ground{Table: store, Policy: &policy.Policy{}, Now: now, Log: slog.New(slog.DiscardHandler)})
	run := job.Jobs(d)["relay"]["announcements"]
	if rep, err := run(t.Context()); err != nil || rep != (job.Report{}) {
		t.Errorf("without a bus: %+v, %v", rep, err)
	}
	b := &bus{down: errors.New("the bus is down")}
	d.TellOn(b)
	e, _ := audit.Head{}.Append(audit.Entry{Chain: "request#r1", At: at, Actor: "person", Action: "receive"})
	err := store.Commit(t.Context(), table.NewID(), table.Put(table.Audit, table.Item{Key: restore.EntryKey(e.Chain, e.Seq), Schema: 1, Body: e.Encode()}, table.New))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Record(t.Context(), []audit.Entry{e}); err != nil {
		t.Fatal(err)
	}
	if rep, err := run(t.Context()); err != nil || rep != (job.Report{Seen: 1, Failed: 1}) {
		t.Errorf("at first: %+v, %v", rep, err)
	}
	at = at.Add(bulletin.Patience + time.Second)
	if _, err := run(t.Context()); err == nil {
		t.Error("nobody hears of it")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	store.over = cancel
	if _, err := run(ctx); ctx.Err() == nil || err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("it is taken for a run that had too little time: %v", err)
	}

	// What it could tell does not make a run look busy whose letters got nowhere.
	b.down = nil
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	store.over = cancel
	if rep, err := run(ctx); !errors.Is(err, context.Canceled) || rep.Seen > rep.Failed || b.took != 1 {
		t.Errorf("told %d; boot takes it for a run with more work than time: %+v, %v", b.took, rep, err)
	}
	b.down = errors.New("the bus is down")
	if err := d.Record(t.Context(), []audit.Entry{e}); err != nil {
		t.Fatal(err)
	}
	store.over, b.down = nil, nil
	if rep, err := run(t.Context()); err != nil || rep != (job.Report{}) || b.took != 2 {
		t.Errorf("after it: %+v, %v; told %d", rep, err, b.took)
	}
}
