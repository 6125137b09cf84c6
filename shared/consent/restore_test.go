package consent

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

// anything does one thing, at random, that changes what somebody chose.
func (d *desk) anything(r *rand.Rand, who []personal.Identity) {
	d.t.Helper()
	i := who[r.IntN(len(who))]
	var err error
	switch r.IntN(14) {
	case 0, 1, 2:
		c := d.says(i, Choices[r.IntN(3)], []string{"newsletter", "lessons", "recordings/talk-1", "recordings/talk-2"}[r.IntN(4)])
		c.Residence = []string{"", "FR", "US-CA"}[r.IntN(3)]
		_, err = d.Capture(d.ctx(), c)
	case 3:
		_, err = d.Capture(d.ctx(), d.says(i, Withdrawn, "recordings"))
	case 4:
		stop := own[r.IntN(len(own))]
		_, err = d.SwitchFor(d.ctx(), "shop", i, Change{Stops: map[policy.Stop]bool{stop: r.IntN(3) > 0}})
	case 5:
		_, err = d.Signal(d.ctx(), Capture{Identity: i, By: ByApp, App: "shop", Signals: Signals{GPC: true, DNT: r.IntN(2) == 0}})
	case 6:
		email, ok := personal.ParseEmail(i.Reveal())
		if !ok {
			return
		}
		err = d.Heed(d.ctx(), Feedback{Address: email, Stop: []policy.Stop{policy.Bounced, policy.Complained}[r.IntN(2)], List: []string{"", "newsletter", "lessons"}[r.IntN(3)], At: d.now().Add(-time.Minute)})
	case 7:
		err = d.Unsubscribe(d.ctx(), Link{Identifier: d.Keys.Ring.Identifier(i), Verb: UnsubscribeLink, Purpose: "newsletter"})
	case 8:
		err = d.Link(d.ctx(), "shop", i, who[r.IntN(len(who))], Attempt{})
	case 9:
		request := fmt.Sprintf("r%d", r.IntN(3))
		writes, failed := d.Stopping(d.ctx(), i, map[policy.Stop]bool{policy.Objected: true, policy.MarketingOptOut: true}, nil, request)
		if err = failed; err == nil && len(writes) > 0 {
			err = d.inner.Commit(d.ctx(), table.NewID(), writes...)
		}
	case 10:
		line := Import{Capture: Capture{Identity: i, At: d.now().AddDate(0, -r.IntN(30), 0), Asked: d.asks(Denied, "newsletter")}, Evidence: "crm-1"}
		if r.IntN(2) == 0 {
			line = Import{Capture: Capture{Identity: i, At: d.now().AddDate(0, -1, 0)}, Stop: importable[r.IntN(len(importable))], Evidence: "crm-2"}
		}
		_, err = d.Import(d.ctx(), handler, []Import{line}, false)
	case 11:
		_, err = d.SwitchFor(d.ctx(), "shop", i, Change{WithdrawAll: true})
	case 12:
		d.pass(time.Duration(r.IntN(200)) * 24 * time.Hour)
		_, err = table.WalkDue(d.ctx(), d.inner, "", d.now(), func(k table.Key) error { return d.Tick(d.ctx(), k) }, nil)
	case 13:
		if r.IntN(4) > 0 {
			return
		}
		writes, failed := d.Forgetting(d.ctx(), d.Keys.Ring.Identifier(i))
		if err = failed; err == nil && len(writes) > 0 {
			err = d.inner.Commit(d.ctx(), table.NewID(), writes...)
		}
	}
	if f, ok := errors.AsType[*fault.Error](err); err != nil && (!ok || f.Kind == fault.Internal) {
		d.t.Fatal(err)
	}
	d.pass(time.Duration(1+r.IntN(1000)) * time.Second)
}

// stands says everything that a rebuilding brings back of somebody.
func (d *desk) stands(i personal.Identity) string {
	d.t.Helper()
	sub, err := d.another().load(d.ctx(), d.Keys.Ring.Identifier(i))
	if errors.Is(err, ErrNotFound) {
		return "nothing"
	}
	if err != nil {
		d.t.Fatal(err)
	}
	var lines []string
	for key, st := range sub.Purposes {
		st.Asked = false
		lines = append(lines, fmt.Sprintf("%s %+v", key, st))
	}
	for stop, since := range sub.Stops {
		lines = append(lines, fmt.Sprintf("stop %s %s %v", stop, since, sub.Held[stop]))
	}
	for mailing, stop := range sub.Lists {
		lines = append(lines, fmt.Sprintf("list %s %s", mailing, stop))
	}
	ids := slices.Sorted(slices.Values(sub.Identifiers))
	slices.Sort(lines)
	return fmt.Sprintf("%s known %t lives %q speaks %q by %v, chains %d\n%s", sub.ID, sub.Known, sub.Residence, sub.Locale, ids, len(sub.Chains), strings.Join(lines, "\n"))
}

func scan(t *testing.T, from table.Table, name table.Name) (list []table.Item) {
	t.Helper()
	for s := (table.Scan{Table: name}); ; {
		page, err := from.Scan(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, page.Items...)
		if s.Cursor = page.Cursor; s.Cursor == "" {
			return list
		}
	}
}

// Whatever people chose, it stands again after a copy was restored, whole or torn or
// not at all: as the entries tell it, to the last number.
func TestWhatPeopleChoseStandsAgain(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 1))
			d := newDesk(t)
			who := []personal.Identity{ada, grace, a1, identity(personal.KindAccount, "a-2"), d.NewVisitor(), d.NewVisitor(), identity(KindInstallation, "i-1")}
			for range r.IntN(40) {
				d.anything(r, who)
			}
			old := scan(t, d.inner, table.State)
			for range 1 + r.IntN(40) {
				d.anything(r, who)
			}
			// What the clock has ended already by now it ends in the copy as well, later.
			_, err := table.WalkDue(d.ctx(), d.inner, "", d.now(), func(k table.Key) error { return d.Tick(d.ctx(), k) }, nil)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{}
			for _, i := range who {
				want[i.Reveal()] = d.stands(i)
			}
			back := &desk{t: t, at: d.clock(), inner: tabletest.Embedded(t, d.clock)}
			back.Service = &Service{Table: back.inner, Keys: seal.Keys{Ring: d.Keys.Ring, Table: back.inner}, Policy: d.Policy, Now: d.clock}
			put := func(name table.Name, items ...table.Item) {
				for _, item := range items {
					if err := back.inner.Commit(t.Context(), table.NewID(), table.Put(name, item, table.New)); err != nil {
						t.Fatal(err)
					}
				}
			}
			put(table.Audit, scan(t, d.inner, table.Audit)...)
			latest := map[table.Key]table.Item{}
			for _, item := range scan(t, d.inner, table.State) {
				latest[item.Key] = item
			}
			for _, item := range old {
				if now, there := latest[item.Key]; !there || seed%3 == 0 || r.IntN(2) == 0 {
					put(table.State, item)
				} else {
					put(table.State, now)
				}
				delete(latest, item.Key)
			}
			for _, k := range slices.SortedFunc(maps.Keys(latest), func(a, b table.Key) int { return strings.Compare(a.Partition, b.Partition) }) {
				if seed%3 > 0 && r.IntN(2) == 0 {
					put(table.State, latest[k])
				}
			}
			chains := back.chainsByName()
			for round := range 2 {
				for _, n := range r.Perm(len(chains)) {
					out, err := back.Restore(t.Context(), chains[n].name, back.chain(chains[n].name))
					if err != nil {
						t.Fatal(chains[n].name, err)
					}
					if round == 1 && out.What != restore.Stood && out.What != restore.Over {
						t.Errorf("%s is %s once more", chains[n].name, out.What)
					}
				}
			}
			for _, i := range who {
				if got := back.stands(i); got != want[i.Reveal()] {
					t.Errorf("%s\ngot  %s\nwant %s", i.Kind, got, want[i.Reveal()])
				} else if got != "nothing" {
					back.entries(back.get(i)) // which verifies its chains
				}
			}
			for _, i := range who {
				back.chose(i, Withdrawn, "lessons")
			}
		})
	}
}

type chainName struct{ name string }

func (d *desk) chainsByName() (list []chainName) {
	seen := map[string]bool{}
	t, ok := d.t.(*testing.T)
	if !ok {
		return nil
	}
	for _, item := range scan(t, d.inner, table.Audit) {
		if !seen[item.Key.Partition] && d.Chain(item.Key.Partition) {
			seen[item.Key.Partition] = true
			list = append(list, chainName{item.Key.Partition})
		}
	}
	slices.SortFunc(list, func(a, b chainName) int { return strings.Compare(a.name, b.name) })
	return list
}

func (d *desk) chain(name string) (list []audit.Entry) {
	d.t.Helper()
	list, err := d.before(d.ctx(), name, 1<<40)
	if err != nil {
		d.t.Fatal(err)
	}
	return list
}
