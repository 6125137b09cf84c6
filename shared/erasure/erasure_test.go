package erasure_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/consent"
	"rightsdesk/shared/digest"
	"rightsdesk/shared/erasure"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/hostile"
	"rightsdesk/shared/table/tabletest"
)

var (
	handler = operator.Identity{ID: "h1", Roles: []operator.Role{operator.Handler}, MFA: true}
	auditor = operator.Identity{ID: "a1", Roles: []operator.Role{operator.Auditor}, MFA: true}
)

// yard is the ledger on an embedded store, with a clock that stands until it is turned.
type yard struct {
	*erasure.Service
	t        *testing.T
	at       time.Time
	consents *consent.Service
	open     map[string]bool          // subjects with something unsettled
	held     map[seal.Identifier]bool // by a legal hold
}

func newYard(t *testing.T) *yard {
	t.Helper()
	text, err := os.ReadFile("../../infra/local/company/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	y := &yard{t: t, at: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), open: map[string]bool{}, held: map[seal.Identifier]bool{}}
	now := func() time.Time { return y.at }
	store := tabletest.Embedded(t, now)
	keys := seal.Keys{Ring: seal.NewRing(), Table: store}
	y.consents = &consent.Service{Table: store, Keys: keys, Policy: p, Now: now}
	y.Service = &erasure.Service{
		Table: store, Keys: keys, Policy: p, Now: now, Choices: y.consents,
		Unsettled: []func(context.Context, string) (bool, error){func(_ context.Context, subject string) (bool, error) { return y.open[subject], nil }},
		Held:      func(_ context.Context, id seal.Identifier) (bool, []table.Write, error) { return y.held[id], nil, nil },
		Digest:    &digest.Book{Table: store, Policy: p, Now: now},
	}
	return y
}

func (y *yard) ctx() context.Context { return y.t.Context() }

func (y *yard) must(err error) {
	y.t.Helper()
	if err != nil {
		y.t.Fatal(err)
	}
}

func email(name string) personal.Identity {
	return personal.MakeIdentity(personal.KindEmail, name+"@example.org")
}

func account(name string) personal.Identity {
	return personal.MakeIdentity(personal.KindAccount, "acc-"+name)
}

// meets has somebody known by mail.
func (y *yard) meets(who personal.Identity) seal.Subject {
	y.t.Helper()
	s, _, err := y.Keys.Contact(y.ctx(), who, y.at, 5)
	y.must(err)
	return s
}

// erase enters an erasure, the holder's identity first.
func (y *yard) erase(id string, who ...personal.Identity) {
	y.t.Helper()
	t := request.Tomb{
		Request: request.ID(id), At: y.at, Until: y.at.Add(-time.Hour), Holder: y.Keys.Ring.Identifier(who[0]),
		From: []request.From{{Source: "shop", Category: "account", Verb: policy.ActionDelete}},
	}
	for _, i := range who {
		t.Identifiers = append(t.Identifiers, y.Keys.Ring.Identifier(i))
	}
	writes, _, err := y.Entombing(y.ctx(), t)
	y.must(err)
	y.must(y.Table.Commit(y.ctx(), table.NewID(), writes...))
}

// sweep does what is due.
func (y *yard) sweep() {
	y.t.Helper()
	_, err := table.WalkDue(y.ctx(), y.Table, "", y.at, func(k table.Key) error {
		if erasure.IsKey(k) {
			return y.Tick(y.ctx(), k)
		}
		return nil
	}, nil)
	y.must(err)
}

// live lets hours pass.
func (y *yard) live(hours int) {
	y.t.Helper()
	for range hours {
		y.at = y.at.Add(time.Hour)
		y.sweep()
	}
}

// salted reports whether somebody's salt stands.
func (y *yard) salted(who personal.Identity) bool {
	y.t.Helper()
	_, err := y.Keys.Load(y.ctx(), y.Keys.Ring.Identifier(who))
	if err != nil && !errors.Is(err, seal.ErrSealed) {
		y.t.Fatal(err)
	}
	return err == nil
}

func TestTheGuardKnowsWhoWasErasedAndWhoWantsNoMail(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.meets(email("ada"))
	y.must(y.consents.Unsubscribe(y.ctx(), consent.Link{Identifier: y.Keys.Ring.Identifier(email("grace")), Verb: consent.UnsubscribeLink, Purpose: "newsletter"}))
	y.erase("r1", email("ada"), account("ada"))
	list, err := y.Guard(y.ctx(), []personal.Identity{email("ada"), account("ada"), email("grace"), email("nobody")})
	if err != nil || len(list) != 4 {
		t.Fatal(list, err)
	}
	for i := range 2 {
		if !list[i].ErasedAt.Equal(y.at) || !list[i].DropBefore.Equal(y.at.Add(-time.Hour)) {
			t.Errorf("%d: %+v", i, list[i])
		}
	}
	if !list[2].ErasedAt.IsZero() || !slices.Equal(list[2].Suppressed, []string{"newsletter"}) {
		t.Errorf("%+v", list[2])
	}
	if !list[3].ErasedAt.IsZero() || len(list[3].Suppressed) > 0 {
		t.Errorf("%+v", list[3])
	}
}

// What keeps a salt keeps it for as long as it is there, and no longer.
func TestASaltGoesWhenNobodyNeedsItAnyMore(t *testing.T) {
	t.Parallel()
	ada := email("ada")
	cases := map[string]struct{ keep, let func(*yard, seal.Subject) }{
		"an open request": {
			keep: func(y *yard, s seal.Subject) { y.open[s.ID] = true },
			let:  func(y *yard, s seal.Subject) { y.open[s.ID] = false },
		},
		"a legal hold": {
			keep: func(y *yard, s seal.Subject) { y.held[s.Holder] = true },
			let:  func(y *yard, s seal.Subject) { y.held[s.Holder] = false },
		},
		"a legal hold that is placed just then": {
			keep: func(y *yard, s seal.Subject) {
				fence := table.Ref{Table: table.State, Key: table.Key{Partition: "fence", Sort: "-"}}
				y.Held = func(context.Context, seal.Identifier) (bool, []table.Write, error) {
					return false, []table.Write{table.Check(fence, table.Version(1))}, nil
				}
			},
			let: func(y *yard, s seal.Subject) { y.Held = nil },
		},
		"somebody who writes just now": {
			keep: func(y *yard, _ seal.Subject) { y.meets(ada) },
			let:  func(y *yard, _ seal.Subject) {},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			y := newYard(t)
			s := y.meets(ada)
			y.erase("r1", ada)
			y.live(24*30 - 1)
			if !y.salted(ada) {
				t.Fatal("it went before the wait was over")
			}
			c.keep(y, s)
			y.live(12)
			if !y.salted(ada) {
				t.Fatal("it went although somebody needs it")
			}
			c.let(y, s)
			y.live(60)
			if y.salted(ada) {
				t.Fatal("it stays although nobody needs it")
			}
		})
	}
}

// The holder's salt seals what names the others: it goes last.
func TestTheHoldersSaltGoesLast(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.meets(email("ada"))
	_, err := y.Keys.Meet(y.ctx(), account("ada"))
	y.must(err)
	y.held[y.Keys.Ring.Identifier(account("ada"))] = true
	y.erase("r1", email("ada"), account("ada"))
	y.live(24 * 32)
	if !y.salted(email("ada")) || !y.salted(account("ada")) {
		t.Fatal("a salt went although another has to go first")
	}
	y.held = map[seal.Identifier]bool{}
	y.live(24)
	if y.salted(email("ada")) || y.salted(account("ada")) {
		t.Error("a salt stays")
	}
}

// What was sealed is gone for good; whoever comes back is somebody else.
func TestWhoComesBackIsSomebodyElse(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	ada := email("ada")
	before := y.meets(ada)
	at := seal.Place{Item: "any", Field: "any"}
	sealed, err := y.Keys.Ring.Seal(before, at, []byte("Ada Lovelace"))
	y.must(err)
	y.erase("r1", ada)
	y.live(24 * 31)
	if _, err := y.Keys.Load(y.ctx(), before.Holder); !errors.Is(err, seal.ErrSealed) {
		t.Fatal(err)
	}
	after := y.meets(ada)
	if after.ID == before.ID || after.Generation != before.Generation+1 || string(after.Salt) == string(before.Salt) || len(after.Salt) == 0 {
		t.Errorf("%+v, before %+v", after, before)
	}
	if _, err := y.Keys.Ring.Unseal(after, at, sealed); !errors.Is(err, seal.ErrSealed) {
		t.Errorf("what was sealed before can be read: %v", err)
	}
	again, err := y.Keys.Load(y.ctx(), after.Holder)
	if err != nil || again.ID != after.ID {
		t.Errorf("%+v, %v", again, err)
	}
	y.erase("r2", ada)
	y.live(24 * 31)
	if y.salted(ada) {
		t.Error("the second salt stays")
	}
}

// Consents end with an erasure; what was refused goes on to count.
func TestConsentsEndAndRefusalsStay(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	choose := func(who personal.Identity, c consent.Choice, purpose string) {
		rule, _ := y.Policy.Consent(purpose)
		_, err := y.consents.Capture(y.ctx(), consent.Capture{
			Identity: who, Asked: []consent.Asked{{Purpose: purpose, Choice: c, Wording: policy.WordingHash(rule.Wording["en"])}},
			Method: consent.DoubleOptIn, By: consent.ByApp, App: "shop", Language: "en",
		})
		y.must(err)
	}
	why := func(who personal.Identity, purpose string) consent.Why {
		list, err := y.consents.Decide(y.ctx(), consent.Question{Identity: who, Purposes: []string{purpose}})
		y.must(err)
		return list[0].Why
	}
	for _, who := range []personal.Identity{email("ada"), email("grace")} {
		choose(who, consent.Granted, "newsletter")
	}
	choose(email("ada"), consent.Denied, "offers")
	y.erase("r1", email("ada"))
	y.erase("r2", email("grace"))
	y.sweep()
	if got := why(email("ada"), "newsletter"); got != consent.NeverAsked {
		t.Errorf("the consent of whoever was erased: %s", got)
	}
	if got := why(email("ada"), "offers"); got != consent.WasDenied {
		t.Errorf("the refusal of whoever was erased: %s", got)
	}
	if _, err := y.Table.Get(y.ctx(), consent.Ref(y.Keys.Ring.Identifier(email("grace")))); !errors.Is(err, table.ErrAbsent) {
		t.Errorf("of somebody who refused nothing something stands: %v", err)
	}
	y.live(24 * 31)
	choose(email("ada"), consent.Granted, "newsletter")
	if got := why(email("ada"), "newsletter"); got != consent.ByConsent {
		t.Errorf("whoever comes back and agrees: %s", got)
	}
}

// A day takes no more salts than usual; the rest waits for an operator, who confirms
// the number that they saw.
func TestTheBrakeStopsAtADaysShare(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	const all = 35
	for n := range all {
		who := email(fmt.Sprintf("p%d", n))
		y.meets(who)
		y.erase(fmt.Sprintf("r%d", n), who)
	}
	gone := func() (n int) {
		for i := range all {
			if !y.salted(email(fmt.Sprintf("p%d", i))) {
				n++
			}
		}
		return n
	}
	y.live(24*31 + 5)
	if n := gone(); n != 20 {
		t.Fatalf("%d salts went", n)
	}
	y.live(48) // another day lets nothing go by itself
	s, err := y.Salts(y.ctx(), auditor)
	if err != nil || gone() != 20 || s.Braked.IsZero() || s.Blocked != 15 || s.Waiting != 15 || s.Allowed != 20 {
		t.Fatalf("%d went, %+v, %v", gone(), s, err)
	}
	if _, err := y.ConfirmSalts(y.ctx(), auditor, 15); !errors.Is(err, erasure.ErrForbidden) {
		t.Error(err)
	}
	if _, err := y.ConfirmSalts(y.ctx(), handler, 14); !errors.Is(err, erasure.ErrMoved) {
		t.Error(err)
	}
	if _, err := y.ConfirmSalts(y.ctx(), handler, 15); err != nil {
		t.Fatal(err)
	}
	y.live(2)
	if s, err = y.Salts(y.ctx(), handler); err != nil || gone() != all || s.Waiting != 0 || s.Blocked != 0 || !s.Braked.IsZero() {
		t.Errorf("%d went, %+v, %v", gone(), s, err)
	}
	if _, err := y.ConfirmSalts(y.ctx(), handler, 0); !errors.Is(err, erasure.ErrNoBrake) {
		t.Error(err)
	}
	y.verify()
}

// What the brake stopped, and an operator confirmed, may find that others were faster:
// the brake stops it once more, and what it says of that stands.
func TestTheBrakeStopsTheSameTwice(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	begun := y.at
	entomb := func(from, to int) {
		for n := from; n < to; n++ {
			y.meets(email(fmt.Sprintf("p%d", n)))
			y.erase(fmt.Sprintf("r%d", n), email(fmt.Sprintf("p%d", n)))
		}
		y.sweep()
	}
	entomb(0, 35)
	y.at = begun.Add(30 * time.Minute)
	entomb(35, 45)
	on := func(after time.Duration) {
		y.at = begun.AddDate(0, 0, 30).Add(after)
		y.sweep()
	}
	on(time.Minute)
	if _, err := y.ConfirmSalts(y.ctx(), handler, 15); err != nil {
		t.Fatal(err)
	}
	on(31 * time.Minute) // ten others are due before the fifteen are looked at again
	on(2 * time.Hour)
	s, err := y.Salts(y.ctx(), auditor)
	if err != nil || s.Braked.IsZero() || s.Blocked != 10 || s.Waiting != 10 || s.Extra != 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	y.verify()
	if _, err := y.ConfirmSalts(y.ctx(), handler, 10); err != nil {
		t.Fatal(err)
	}
	on(4 * time.Hour)
	if s, err := y.Salts(y.ctx(), auditor); err != nil || !s.Braked.IsZero() || s.Blocked != 0 || s.Waiting != 0 {
		t.Errorf("%+v, %v", s, err)
	}
	y.verify()
}

// Somebody who is erased twice within the wait has one salt, which waits once.
func TestASaltThatWaitsIsCountedOnce(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.meets(email("ada"))
	y.erase("r1", email("ada"))
	y.live(24)
	y.erase("r2", email("ada"))
	y.live(24)
	if s, err := y.Salts(y.ctx(), auditor); err != nil || s.Waiting != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	y.live(24 * 31)
	if s, err := y.Salts(y.ctx(), auditor); err != nil || s.Waiting != 0 || y.salted(email("ada")) {
		t.Errorf("%+v, %v", s, err)
	}
	y.verify()
}

// Of two machines around midnight one may be behind: together they have one day's share.
func TestAClockThatIsBehindBringsNoSecondShare(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	const all = 70
	for n := range all {
		y.meets(email(fmt.Sprintf("p%d", n)))
		y.erase(fmt.Sprintf("r%d", n), email(fmt.Sprintf("p%d", n)))
	}
	y.sweep()
	tick := func(from, to int, at time.Time) {
		y.at = at
		for n := from; n < to; n++ {
			y.must(y.Tick(y.ctx(), erasure.Ref(y.Keys.Ring.Identifier(email(fmt.Sprintf("p%d", n)))).Key))
		}
	}
	midnight := time.Date(2026, 4, 5, 0, 0, 0, 0, time.UTC)
	tick(0, 15, midnight.Add(time.Second))
	tick(15, 30, midnight.Add(-time.Second))
	tick(30, 45, midnight.Add(time.Second))
	s, err := y.Salts(y.ctx(), auditor)
	if err != nil || s.Braked.IsZero() || s.Destroyed != 20 {
		t.Errorf("%+v, %v", s, err)
	}
}

// verify verifies every chain of the ledger.
func (y *yard) verify() {
	y.t.Helper()
	keys := []table.Key{{}}
	_, err := table.WalkDue(y.ctx(), y.Table, "", time.Time{}, func(k table.Key) error {
		keys = append(keys, k)
		return nil
	}, nil)
	y.must(err)
	n := 0
	for _, k := range keys {
		chains, err := y.Heads(y.ctx(), k)
		y.must(err)
		for _, c := range chains {
			n++
			entries := y.entries(c.Name)
			if tail := restore.TailOf(c.Head, entries); !tail.Stands() {
				y.t.Errorf("%s: %+v", c.Name, tail)
			}
		}
	}
	if n == 0 {
		y.t.Error("there are no chains")
	}
}

func (y *yard) entries(chain string) (list []audit.Entry) {
	y.t.Helper()
	page, err := y.Table.Query(y.ctx(), table.Query{Table: table.Audit, Partition: chain})
	y.must(err)
	for _, item := range page.Items {
		e, err := audit.Decode(item.Body)
		y.must(err)
		list = append(list, e)
	}
	return list
}

// On a store that fails the way clouds fail all of it comes about, once.
func TestAHostileStoreOnlyDelaysIt(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		y := newYard(t)
		for n := range 5 {
			y.meets(email(fmt.Sprint(n)))
			y.erase(fmt.Sprintf("r%d", n), email(fmt.Sprint(n)))
		}
		good := y.Table
		bad := hostile.New(good, seed, y.Now)
		y.Table, y.Keys.Table = bad, bad
		y.consents.Table, y.Digest.Table = bad, bad
		for range 24*32 + 40 {
			y.at = y.at.Add(time.Hour)
			_, _ = table.WalkDue(y.ctx(), good, "", y.at, func(k table.Key) error {
				if erasure.IsKey(k) {
					_ = y.Tick(y.ctx(), k) // what fails is due again
				}
				return nil
			}, nil)
		}
		y.Table, y.Keys.Table = good, good
		for n := range 5 {
			if y.salted(email(fmt.Sprint(n))) {
				t.Errorf("seed %d: the salt of %d stays", seed, n)
			}
			var actions []string
			for _, e := range y.entries(erasure.ChainOf(y.Keys.Ring.Identifier(email(fmt.Sprint(n))))) {
				actions = append(actions, e.Action)
			}
			if got := strings.Join(actions, " "); got != "entombed forgotten destroyed" {
				t.Errorf("seed %d: %s", seed, got)
			}
		}
		if s, err := y.Salts(y.ctx(), auditor); err != nil || s.Waiting != 0 {
			t.Errorf("seed %d: %+v, %v", seed, s, err)
		}
		y.verify()
	}
}

// A tombstone is made of its chain alone, and a salt that a copy of the keys brings
// back is destroyed again; whoever was met since is left alone.
func TestATombstoneIsMadeOfItsChain(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	ada := email("ada")
	y.meets(ada)
	id := y.Keys.Ring.Identifier(ada)
	key := table.Ref{Table: table.Keys, Key: table.Key{Partition: "id#" + string(id), Sort: "-"}}
	old, err := y.Table.Get(y.ctx(), key)
	y.must(err)
	y.erase("r1", ada, account("ada"))
	y.live(24 * 31)
	entries := y.entries(erasure.ChainOf(id))
	stood, err := y.Restore(y.ctx(), erasure.ChainOf(id), entries)
	if err != nil || stood.What != restore.Stood || len(stood.Places) != 1 {
		t.Fatalf("%+v, %v", stood, err)
	}
	// The keys are older.
	now, err := y.Table.Get(y.ctx(), key)
	y.must(err)
	y.must(y.Table.Commit(y.ctx(), table.NewID(), table.Put(table.Keys, old, table.Version(now.Version))))
	if !y.salted(ada) {
		t.Fatal("the copy brings nothing back")
	}
	// So is the state.
	tomb, err := y.Table.Get(y.ctx(), erasure.Ref(id))
	y.must(err)
	y.must(y.Table.Commit(y.ctx(), table.NewID(), table.Delete(erasure.Ref(id), table.Version(tomb.Version))))
	out, err := y.Restore(y.ctx(), erasure.ChainOf(id), entries)
	if err != nil || out.What != restore.Remade || out.Salts != 1 || y.salted(ada) {
		t.Fatalf("%+v, %v", out, err)
	}
	g, ok, err := y.Grave(y.ctx(), ada)
	place := restore.Place{Source: "shop", Category: "account", Verb: source.Delete}
	if err != nil || !ok || len(g) != 1 || g[0].Place != place || !g.Again(place, g[0].Until) || g.Again(place, g[0].Until.Add(time.Second)) || g.Again(place, time.Time{}) {
		t.Errorf("%+v, %t, %v", g, ok, err)
	}
	back := y.meets(ada)
	out, err = y.Restore(y.ctx(), erasure.ChainOf(id), y.entries(erasure.ChainOf(id)))
	if err != nil || out.What != restore.Stood || !y.salted(ada) || back.Generation != 2 {
		t.Errorf("%+v, %v, %+v", out, err, back)
	}
	y.verify()
}
