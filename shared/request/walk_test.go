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
	cost             int       // of a question whether something is covered
	young            time.Time // what was written since has not outlived anything; zero: all has

	first []audit.Entry // that were asked about
	since []time.Time   // the same
	reads int
}

func (s *sealed) Covers(_ context.Context, first audit.Entry) (bool, error) {
	s.first = append(s.first, first)
	s.reads += s.cost
	return s.covers, s.err
}

func (s *sealed) Outlived(_ context.Context, at time.Time) (bool, error) {
	s.since = append(s.since, at)
	return s.outlived && (s.young.IsZero() || at.Before(s.young)), s.err
}

func (s *sealed) Reads() int { return s.reads }

// look is what one walk asks.
func (s *sealed) look() Seals { s.reads = 0; return s }

// aging is an installation with a chain of six entries in no index, of which the first two
// are kept for a day, the next two for two days, and the last two for a year.
func aging(t *testing.T) (*desk, *sealed) {
	t.Helper()
	d, seals := newDesk(t), &sealed{outlived: true}
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
	d.Seals = seals.look
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
	d.pass(25 * time.Hour)
	v := d.walked()
	if v.Expired != 0 || v.Entries != 0 || len(v.Broken) != 1 || v.Broken[0].Seq != 1 || !strings.Contains(v.Broken[0].Why, "entry 3 is the first that is left") {
		t.Errorf("if nothing covers it: %+v", v)
	}
	if len(seals.first) != 1 || seals.first[0].Seq != 3 {
		t.Errorf("checkpoints were asked about %v; want entry 3", seals.first)
	}
	seals.covers = true
	if v := d.walked(); v.Chains != 1 || v.Expired != 1 || v.Entries != 4 || len(v.Broken) > 0 {
		t.Errorf("if a checkpoint covers it: %+v", v)
	}
	seals.outlived = false
	if v := d.walked(); v.Expired != 0 || len(v.Broken) != 1 {
		t.Errorf("in a young installation: %+v", v)
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
	seals.outlived = false
	d.pass(366 * 24 * time.Hour)
	if v := d.walked(); v.Gone != 0 || len(v.Broken) != 1 || v.Broken[0].Seq != 1 || len(seals.since) != 1 {
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

// without is a table out of which somebody took the first entries of a chain.
type without struct {
	table.Table
	chain string
	seq   int64 // the last that was taken
}

func (w without) Query(ctx context.Context, q table.Query) (table.Page, error) {
	page, err := w.Table.Query(ctx, q)
	if q.Table == table.Audit && q.Partition == w.chain {
		page.Items = slices.DeleteFunc(page.Items, func(i table.Item) bool { return i.Key.Sort <= entrySort(w.seq) })
	}
	return page, err
}

// The entries of a request expire together, counted from its receipt, which it remembers.
// So none is missing before that time, be it the first or all. Afterwards some can be left,
// which were written under a policy that keeps them for longer.
func TestTheEntriesOfARequestAreNotGoneBeforeTheirTime(t *testing.T) {
	t.Parallel()
	for name, taken := range map[string]int64{"the first entry": 1, "all": maxSeq} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			seals := &sealed{outlived: true, covers: true, young: d.now()}
			d.Seals = seals.look
			id := d.verified(asks(policy.Access))
			removed := id.Chain()
			d.Table = without{d.Table, removed, taken}
			broken := func(v Verification) bool {
				return slices.ContainsFunc(v.Broken, func(b audit.Break) bool { return b.Chain == removed })
			}
			if v := d.walked(); !broken(v) || v.Gone+v.Expired > 0 || len(seals.first) > 0 {
				t.Errorf("removed on its first day: %+v after asking about %v", v, seals.first)
			}
			if at := d.get(id).Received; !slices.ContainsFunc(seals.since, at.Equal) {
				t.Errorf("it was received at %s, and asked about were %v", at, seals.since)
			}
			seals.young = d.now().Add(time.Minute)
			if v := d.walked(); broken(v) || v.Gone+v.Expired != 1 {
				t.Errorf("after its time: %+v", v)
			}
		})
	}
}

// What others say of their chains counts in the same way.
func TestTheChainsOfOthersMayExpireTogetherToo(t *testing.T) {
	t.Parallel()
	d, seals := aging(t)
	heads, since := d.Heads, d.now()
	d.Heads = func(ctx context.Context, k table.Key) ([]audit.Chain, error) {
		chains, err := heads(ctx, k)
		for i := range chains {
			chains[i].Since = since
		}
		return chains, err
	}
	seals.covers, seals.young = true, since
	d.pass(25 * time.Hour)
	if v := d.walked(); v.Expired != 0 || len(v.Broken) != 1 || len(seals.first) > 0 {
		t.Errorf("before its time: %+v", v)
	}
	seals.young = since.Add(time.Second)
	if v := d.walked(); v.Expired != 1 || len(v.Broken) != 0 {
		t.Errorf("after it: %+v", v)
	}
}

// Reading checkpoints takes long, so that a call takes fewer chains, wherever they stand.
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
	seals := &sealed{covers: true, outlived: true}
	d.Seals = seals.look
	d.Heads = func(_ context.Context, k table.Key) ([]audit.Chain, error) {
		if c, ok := heads[k]; ok {
			return []audit.Chain{c}, nil
		}
		return nil, nil
	}
	walk := func() (calls, reads, expired, all int) {
		t.Helper()
		for cursor := ""; ; {
			v, err := d.VerifyAudit(d.ctx(), handler, cursor)
			if err != nil || len(v.Broken) > 0 {
				t.Fatalf("%+v, %v", v, err)
			}
			calls, reads, expired, all = calls+1, max(reads, seals.reads), expired+v.Expired, all+v.Chains
			if cursor = v.Cursor; cursor == "" {
				return calls, reads, expired, all
			}
		}
	}
	if calls, _, expired, all := walk(); calls != 1 || expired != 0 || all != chains {
		t.Errorf("%d calls for %d whole chains, of which %d expired", calls, all, expired)
	}
	d.pass(90 * time.Minute)
	for _, cost := range []int{3, readsPerCall + 10} { // that of an entry as it should be, and of one that was never sealed
		seals.cost = cost
		if calls, reads, expired, all := walk(); expired != chains || all != chains || reads >= readsPerCall+cost || calls < chains*cost/(readsPerCall+cost) {
			t.Errorf("%d reads each: %d calls of %d reads at most, for %d of %d chains that expired", cost, calls, reads, expired, all)
		}
	}
}
