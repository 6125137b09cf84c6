package request

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

// sealed stands for signed checkpoints.
type sealed struct {
	covers, outlived bool
	err              error

	first   []audit.Entry // that were asked about
	expires []time.Time
	asked   int // whether the installation is old
}

func (s *sealed) Covers(_ context.Context, first audit.Entry, expires time.Time) (bool, error) {
	s.first, s.expires = append(s.first, first), append(s.expires, expires)
	return s.covers, s.err
}

func (s *sealed) Outlived(context.Context) (bool, error) {
	s.asked++
	return s.outlived, s.err
}

// aging is an installation with a chain of six entries in no index, of which the first two
// are kept for a day, the next two for two days, and the last two for a year.
func aging(t *testing.T) (*desk, *sealed) {
	t.Helper()
	d, seals := newDesk(t), &sealed{}
	var head audit.Head
	for n := range 6 {
		var e audit.Entry
		e, head = head.Append(audit.Entry{Chain: "halt", At: d.now(), Actor: "clock", Action: "resumed", Commit: "c1"})
		days := []int{1, 1, 2, 2, 365, 365}[n]
		err := d.inner.Commit(d.ctx(), table.NewID(), table.Put(table.Audit, table.Item{
			Key: table.Key{Partition: e.Chain, Sort: entrySort(e.Seq)}, Body: e.Encode(), Schema: 1, Expires: d.now().AddDate(0, 0, days),
		}, table.New))
		if err != nil {
			t.Fatal(err)
		}
	}
	d.Seals = seals
	d.Heads = func(_ context.Context, k table.Key) ([]audit.Chain, error) {
		if k != (table.Key{}) {
			return nil, nil
		}
		return []audit.Chain{{Name: "halt", Head: head}}, nil
	}
	return d, seals
}

func (d *desk) walked() Verification {
	d.t.Helper()
	v, err := d.VerifyAudit(d.ctx(), handler, "")
	if err != nil {
		d.t.Fatal(err)
	}
	return v
}

// A chain goes on where its first entries have expired, if a checkpoint covers that.
func TestAChainMayBeginLaterWhereACheckpointCoversIt(t *testing.T) {
	t.Parallel()
	d, seals := aging(t)
	if v := d.walked(); v.Entries != 6 || v.Expired != 0 || len(v.Broken) > 0 || len(seals.first) > 0 {
		t.Errorf("a whole chain: %+v, and checkpoints were asked about %v", v, seals.first)
	}
	expires := d.now().AddDate(0, 0, 2)
	d.pass(25 * time.Hour)
	v := d.walked()
	if v.Expired != 0 || v.Entries != 0 || len(v.Broken) != 1 || v.Broken[0].Seq != 1 || !strings.Contains(v.Broken[0].Why, "entry 3 is the first that is left") {
		t.Errorf("if nothing covers it: %+v", v)
	}
	if len(seals.first) != 1 || seals.first[0].Seq != 3 || !seals.expires[0].Equal(expires.Truncate(time.Second)) {
		t.Errorf("checkpoints were asked about %v, which expires at %v; want entry 3 and %s", seals.first, seals.expires, expires)
	}
	seals.covers = true
	if v := d.walked(); v.Chains != 1 || v.Expired != 1 || v.Entries != 4 || len(v.Broken) > 0 {
		t.Errorf("if a checkpoint covers it: %+v", v)
	}
	seals.err = errors.New("the line broke")
	if _, err := d.VerifyAudit(d.ctx(), handler, ""); !errors.Is(err, seals.err) {
		t.Errorf("if the vault cannot be asked: %v", err)
	}
	d.Seals = nil
	if v := d.walked(); len(v.Broken) != 1 {
		t.Errorf("where nothing expires: %+v", v)
	}
}

// Of a chain of which nothing is left nobody knows when it ended: it is counted apart, and
// only where there was time for that.
func TestAChainOfWhichNothingIsLeftIsCountedApart(t *testing.T) {
	t.Parallel()
	d, seals := aging(t)
	d.pass(366 * 24 * time.Hour)
	if v := d.walked(); v.Gone != 0 || len(v.Broken) != 1 || v.Broken[0].Seq != 1 || seals.asked != 1 {
		t.Errorf("in a young installation: %+v", v)
	}
	seals.outlived = true
	if v := d.walked(); v.Chains != 1 || v.Gone != 1 || v.Expired != 0 || v.Entries != 0 || len(v.Broken) > 0 || len(seals.first) > 0 {
		t.Errorf("in an old one: %+v", v)
	}
	// Something of the chain is left behind its head.
	e, _ := audit.Head{Seq: 6}.Append(audit.Entry{Chain: "halt", At: d.now(), Actor: "clock", Action: "resumed", Commit: "c1"})
	err := d.inner.Commit(d.ctx(), table.NewID(), table.Put(table.Audit, table.Item{Key: table.Key{Partition: "halt", Sort: entrySort(7)}, Body: e.Encode(), Schema: 1}, table.New))
	if err != nil {
		t.Fatal(err)
	}
	if v := d.walked(); v.Gone != 0 || len(v.Broken) != 1 {
		t.Errorf("an entry after the head is left: %+v", v)
	}
}

// without is a table out of which somebody took the entries of a chain.
type without struct {
	table.Table
	chain string
}

func (w without) Query(ctx context.Context, q table.Query) (table.Page, error) {
	if q.Table == table.Audit && q.Partition == w.chain {
		return table.Page{}, nil
	}
	return w.Table.Query(ctx, q)
}

// The entries of a request expire together, counted from its receipt, which it remembers.
func TestTheEntriesOfARequestAreNotGoneBeforeTheirTime(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(p *policy.Policy) { p.Retention.Audit = policy.Period{Days: 20} })
	d.Seals = &sealed{outlived: true, covers: true}
	id := d.verified(asks(policy.Access))
	removed := id.Chain()
	d.Table = without{d.Table, removed}
	broken := func(v Verification) bool {
		return slices.ContainsFunc(v.Broken, func(b audit.Break) bool { return b.Chain == removed })
	}
	if v := d.walked(); !broken(v) || v.Gone > 0 {
		t.Errorf("removed on its first day: %+v", v)
	}
	d.pass(21 * 24 * time.Hour)
	if v := d.walked(); broken(v) || v.Gone != 1 {
		t.Errorf("after its time: %+v", v)
	}
}

// Reading checkpoints takes longer than reading entries, so that a call takes fewer chains.
func TestACallEndsInTimeWhereAllChainsHaveLostTheirFirstEntries(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	const chains = 150
	heads := map[table.Key]audit.Chain{}
	for range chains {
		name := "consent#" + string(table.NewID())
		first, head := audit.Head{}.Append(audit.Entry{Chain: name, At: d.now(), Actor: "person", Action: "granted", Commit: "c1"})
		last, end := head.Append(audit.Entry{Chain: name, At: d.now(), Actor: "person", Action: "withdrawn", Commit: "c2"})
		key := table.Key{Partition: name, Sort: "-"}
		heads[key] = audit.Chain{Name: name, Head: end}
		writes := []table.Write{table.Put(table.State, table.Item{Key: key, Body: []byte("{}"), Schema: 1, Due: d.now()}, table.New)}
		for _, e := range []audit.Entry{first, last} {
			writes = append(writes, table.Put(table.Audit, table.Item{
				Key: table.Key{Partition: name, Sort: entrySort(e.Seq)}, Body: e.Encode(), Schema: 1, Expires: d.now().Add(time.Duration(e.Seq) * time.Hour),
			}, table.New))
		}
		if err := d.inner.Commit(d.ctx(), table.NewID(), writes...); err != nil {
			t.Fatal(err)
		}
	}
	seals := &sealed{covers: true}
	d.Seals = seals
	d.Heads = func(_ context.Context, k table.Key) ([]audit.Chain, error) {
		if c, ok := heads[k]; ok {
			return []audit.Chain{c}, nil
		}
		return nil, nil
	}
	walk := func() (calls, most, expired int) {
		t.Helper()
		for cursor := ""; ; {
			v, err := d.VerifyAudit(d.ctx(), handler, cursor)
			if err != nil || len(v.Broken) > 0 {
				t.Fatalf("%+v, %v", v, err)
			}
			calls, most, expired = calls+1, max(most, v.Chains), expired+v.Expired
			if cursor = v.Cursor; cursor == "" {
				return calls, most, expired
			}
		}
	}
	if calls, _, expired := walk(); calls != 1 || expired != 0 {
		t.Errorf("%d calls for whole chains, of which %d expired", calls, expired)
	}
	d.pass(90 * time.Minute)
	if calls, most, expired := walk(); expired != chains || most > chains/2 || calls < 3 {
		t.Errorf("%d calls, of %d chains at most, for %d chains that expired", calls, most, expired)
	}
}
