package restore_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/infra/local/company"
	"rightsdesk/shared/closure"
	"rightsdesk/shared/consent"
	"rightsdesk/shared/hold"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

const (
	people = 130
	gone   = 100 // of them are erased after the copy
)

// history is an installation with a past: copies of how it was, and what became of it.
type history struct {
	*office
	persons            []company.Person
	old, middle, final copies
	known              []personal.Identity // everybody, by everything
	want               map[string]string   // what is decided about them at the end
	held               []hold.ID
	requests           []request.ID
}

func (h *history) erased() []company.Person { return h.persons[:gone] }
func (h *history) others() []company.Person { return h.persons[gone:] }

// live lets an installation live: people choose, a copy is made, a hundred are erased,
// others choose, hold, ask and close.
func lived(t *testing.T) *history {
	t.Helper()
	o := newOffice(t, people)
	h := &history{office: o}
	var err error
	h.persons, err = o.shop.People(people)
	o.must(err)
	for i, p := range h.persons {
		h.known = append(h.known, address(p.Email), account(p.Account))
		o.choose(account(p.Account), consent.Granted, "analytics", "survey")
		if i%2 == 0 {
			o.choose(address(p.Email), consent.Granted, "newsletter")
		}
		if i%5 == 0 {
			o.must(o.consents.Link(o.ctx(), "shop", account(p.Account), address(p.Email), consent.Attempt{}))
		}
	}
	others := h.others()
	inFlight := o.ask(policy.Access, others[0].Email, "access")
	waiting := o.submit(policy.Erasure, others[1].Email, "unproven")
	o.live(3, time.Hour)
	released, err := o.holds.Place(o.ctx(), handler, hold.Placement{
		Scope: hold.OnPerson, Who: []personal.Identity{address(others[2].Email)}, Basis: hold.LegalClaims, Matter: "case-1", Review: o.clock.now().AddDate(0, 3, 0), Call: hold.Call{Key: "hold-0"},
	})
	o.must(err)
	for _, p := range h.erased()[:20] { // on their way when the copy is made
		h.requests = append(h.requests, o.ask(policy.Erasure, p.Email, "erasure "+p.Account))
	}
	o.live(3, time.Hour)
	h.old = o.backup()

	for _, p := range h.erased()[20:] {
		h.requests = append(h.requests, o.ask(policy.Erasure, p.Email, "erasure "+p.Account))
	}
	o.live(24, time.Hour)
	h.middle = o.backup()
	// Choices since the copy.
	for i, p := range others {
		switch i % 6 {
		case 0:
			o.choose(account(p.Account), consent.Withdrawn, "survey")
		case 1:
			_, err := o.consents.SwitchFor(o.ctx(), "shop", account(p.Account), consent.Change{Stops: map[policy.Stop]bool{policy.SaleOptOut: true, policy.MarketingOptOut: true}})
			o.must(err)
		case 2:
			email, _ := personal.ParseEmail(p.Email)
			o.must(o.consents.Heed(o.ctx(), consent.Feedback{Address: email, Stop: policy.Complained, At: o.clock.now()}))
		case 3:
			o.must(o.consents.Unsubscribe(o.ctx(), consent.Link{Identifier: o.ring.Identifier(address(p.Email)), Verb: consent.UnsubscribeLink, Purpose: "offers"}))
		case 4:
			o.must(o.consents.Link(o.ctx(), "shop", account(p.Account), address(p.Email), consent.Attempt{}))
			o.choose(address(p.Email), consent.Denied, "offers")
		case 5:
			o.ask(policy.Objection, p.Email, "objection "+p.Account)
		}
	}
	for i, p := range h.erased()[:30] { // some had said no before they went
		if i%3 == 0 {
			o.choose(address(p.Email), consent.Denied, "offers")
		}
	}
	for n, p := range others[6:10] {
		placed, err := o.holds.Place(o.ctx(), handler, hold.Placement{
			Scope: hold.OnPerson, Who: []personal.Identity{address(p.Email), account(p.Account)}, Basis: hold.LegalClaims, Matter: fmt.Sprintf("case-%d", n+2),
			Review: o.clock.now().AddDate(0, 3, 0), Call: hold.Call{Key: fmt.Sprintf("hold-%d", n+1)},
		})
		o.must(err)
		h.held = append(h.held, placed.ID)
	}
	_, err = o.holds.Release(o.ctx(), handler, released.ID, "case-closed", hold.Call{Key: "release-0"})
	o.must(err)
	_, err = o.closures.Begin(o.ctx(), "shop", closure.Signed{Who: account(others[12].Account), Email: mustEmail(others[12].Email), Locale: "en", Call: closure.Call{Key: "close-1"}})
	o.must(err)
	o.live(24*10, time.Hour) // the cooling, and the work
	for _, id := range h.requests {
		if e, err := o.requests.Ending(o.ctx(), id); err != nil || e.Status != request.Fulfilled {
			t.Fatalf("erasure %s: %+v, %v", id, e, err)
		}
	}
	h.requests = append(h.requests, inFlight, waiting)
	o.live(31*2, 12*time.Hour) // the wait for the salts
	if salts, err := o.erasures.Salts(o.ctx(), handler); err != nil || salts.Braked.IsZero() || salts.Blocked == 0 {
		t.Fatalf("more salts go than a day usually has: %+v, %v", salts, err)
	} else if _, err := o.erasures.ConfirmSalts(o.ctx(), handler, salts.Blocked); err != nil {
		t.Fatal(err)
	}
	o.live(24, time.Hour)
	// A few who were erased come back, and somebody else is about to go.
	for _, p := range h.erased()[40:43] {
		o.choose(address(p.Email), consent.Granted, "newsletter")
	}
	_, err = o.closures.Begin(o.ctx(), "shop", closure.Signed{Who: account(others[13].Account), Email: mustEmail(others[13].Email), Locale: "en", Call: closure.Call{Key: "close-2"}})
	o.must(err)
	o.live(2, time.Hour)
	h.final = o.backup()
	h.want = o.may(h.known)
	return h
}

func mustEmail(text string) personal.Email {
	email, _ := personal.ParseEmail(text)
	return email
}

// restored opens the installation on another store, filled with copies.
func (h *history) restored(t *testing.T, state, keys []table.Item) *office {
	t.Helper()
	store := tabletest.Embedded(t, h.clock.now)
	load(t, store, h.clock.now(), table.State, state)
	load(t, store, h.clock.now(), table.Keys, keys)
	load(t, store, h.clock.now(), table.Audit, h.final.tables[table.Audit])
	file := filepath.Join(t.TempDir(), "company.db")
	if err := os.WriteFile(file, h.old.file, 0o600); err != nil {
		t.Fatal(err)
	}
	back := *h.office
	back.t = t
	return back.on(store, file, people)
}

// replay runs a replay to its end.
func (o *office) replay() restore.Report {
	o.t.Helper()
	_, err := o.replaying.Start(o.ctx(), handler)
	o.must(err)
	for range 500 {
		o.must(o.replaying.Act(o.ctx(), table.Key{Partition: "replay", Sort: "-"}))
		run, err := o.replaying.Show(o.ctx(), handler)
		o.must(err)
		if run.Phase == restore.Ended {
			return run.Report
		}
		o.clock.pass(time.Minute)
	}
	o.t.Fatal("the replay has no end")
	return restore.Report{}
}

// check looks at everything that a restore must not undo.
func (h *history) check(t *testing.T, o *office) {
	t.Helper()
	for _, p := range h.erased() {
		who := []personal.Identity{address(p.Email), account(p.Account)}
		if got, want := o.finds(who...), h.finds(who...); !maps.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%s was erased; found %v, want %v", p.Account, got, want)
		}
		list, err := o.erasures.Guard(o.ctx(), who)
		if err != nil || list[0].ErasedAt.IsZero() || list[1].ErasedAt.IsZero() {
			t.Errorf("the guard lets %s in: %+v, %v", p.Account, list, err)
		}
	}
	for _, p := range h.others() {
		who := []personal.Identity{address(p.Email), account(p.Account)}
		if got, want := o.finds(who...), h.finds(who...); !maps.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%s was harmed; found %v, want %v", p.Account, got, want)
		}
	}
	got := o.may(h.known)
	for _, who := range slices.Sorted(maps.Keys(h.want)) {
		if got[who] != h.want[who] {
			t.Errorf("%s\ngot  %s\nwant %s", who, got[who], h.want[who])
		}
	}
	for _, id := range h.requests {
		was, err := h.office.requests.Ending(o.ctx(), id)
		is, err2 := o.requests.Ending(o.ctx(), id)
		if err != nil || err2 != nil || was.Status != is.Status || was.Over != is.Over {
			t.Errorf("request %s: %+v, %v, want %+v, %v", id, is, err2, was, err)
		}
	}
	wasHeld, _, err := h.holds.List(o.ctx(), handler, hold.Filter{})
	isHeld, _, err2 := o.holds.List(o.ctx(), handler, hold.Filter{})
	if err != nil || err2 != nil || fmt.Sprint(standing(isHeld)) != fmt.Sprint(standing(wasHeld)) {
		t.Errorf("holds %v, %v, want %v, %v", standing(isHeld), err2, standing(wasHeld), err)
	}
	for _, p := range h.others()[6:10] {
		if covered, err := o.holds.Covered(o.ctx(), o.identifiers(address(p.Email))); err != nil || !covered {
			t.Errorf("%s is not held: %v", p.Account, err)
		}
	}
	for _, p := range h.others()[12:14] {
		was, on, err := h.closures.Standing(o.ctx(), account(p.Account))
		is, onToo, err2 := o.closures.Standing(o.ctx(), account(p.Account))
		if err != nil || err2 != nil || on != onToo || was.Status != is.Status || !was.ClosesAt.Equal(is.ClosesAt) {
			t.Errorf("closure of %s: %+v, %t, %v, want %+v, %t, %v", p.Account, is, onToo, err2, was, on, err)
		}
	}
	for _, p := range h.erased() {
		for _, who := range []personal.Identity{address(p.Email), account(p.Account)} {
			was, err := h.salts().Stands(o.ctx(), o.ring.Identifier(who))
			is, err2 := o.salts().Stands(o.ctx(), o.ring.Identifier(who))
			if err != nil || err2 != nil || was.Destroyed && !is.Destroyed {
				t.Errorf("the salt of %s is back: %+v, %v", p.Account, is, err2)
			}
		}
	}
	o.verify()
	o.silentAbout(h.persons)
}

func standing(list []hold.Hold) (lines []string) {
	for _, h := range list {
		lines = append(lines, fmt.Sprintf("%s %s", h.ID, h.Status))
	}
	slices.Sort(lines)
	return lines
}

// verify verifies every chain that anything remembers, and finds each remembered.
func (o *office) verify() {
	o.t.Helper()
	cursor, chains := "", 0
	for {
		v, err := o.requests.VerifyAudit(o.ctx(), handler, cursor)
		o.must(err)
		for _, b := range v.Broken {
			o.t.Error(b.Error())
		}
		chains += v.Chains
		if cursor = v.Cursor; cursor == "" {
			break
		}
	}
	if chains < people {
		o.t.Errorf("only %d chains are remembered", chains)
	}
}

// silentAbout looks for anybody's values in the tables' bytes.
func (o *office) silentAbout(persons []company.Person) {
	o.t.Helper()
	var all bytes.Buffer
	for _, name := range table.Names {
		for _, item := range dump(o.t, o.store, name) {
			fmt.Fprintf(&all, "%s %s %s\n", item.Key.Partition, item.Key.Sort, item.Body)
		}
	}
	text := all.String()
	for _, p := range persons {
		for _, value := range []string{p.Email, p.Name, `"` + p.Account + `"`} {
			if strings.Contains(text, value) {
				o.t.Errorf("%q stands in a table", value)
			}
		}
	}
}

// goOn changes every aggregate once more.
func (h *history) goOn(o *office) {
	o.t.Helper()
	for i, who := range h.known {
		if i%3 == 0 {
			o.choose(who, consent.Denied, "advertising")
		}
	}
	for n, id := range h.held {
		if _, err := o.holds.Release(o.ctx(), handler, id, "case-closed", hold.Call{Key: fmt.Sprintf("over-%d", n)}); err != nil {
			o.t.Errorf("hold %s: %v", id, err)
		}
	}
	for _, p := range h.others()[20:24] {
		o.ask(policy.Access, p.Email, "later "+p.Account)
	}
	o.live(40*2, 12*time.Hour)
	o.verify()
}

// What was said and done since a copy is in force again after the copy was restored,
// and nobody who was erased comes back: whether the copy is whole or torn, of the
// state alone or of the keys as well.
func TestARestoreBringsNobodyBack(t *testing.T) {
	t.Parallel()
	h := lived(t)
	random := rand.New(rand.NewPCG(5, 100))
	state := func(c copies) []table.Item { return c.tables[table.State] }
	cases := map[string]struct{ state, keys []table.Item }{
		"nothing was lost":    {state(h.final), h.final.tables[table.Keys]},
		"whole":               {state(h.old), h.final.tables[table.Keys]},
		"whole, old keys":     {state(h.old), h.old.tables[table.Keys]},
		"empty":               {nil, h.final.tables[table.Keys]},
		"torn":                {mixed(random, state(h.old), state(h.final)), h.final.tables[table.Keys]},
		"torn again":          {mixed(random, state(h.old), state(h.final)), h.old.tables[table.Keys]},
		"torn in three times": {mixed(random, state(h.old), state(h.middle), state(h.final)), h.middle.tables[table.Keys]},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			o := h.restored(t, c.state, c.keys)
			report := o.replay()
			t.Logf("PROOF bar 1: %s: %+v", name, report)
			if len(report.Broken) > 0 || len(report.Unknown) > 0 {
				t.Errorf("broken %v, unknown %v", report.Broken, report.Unknown)
			}
			h.check(t, o)
			before := o.bytes()
			again := o.replay()
			if again.Advanced+again.Remade+again.Salts+again.Orphans+again.Fences > 0 || o.bytes() != before {
				t.Errorf("a second replay changed something: %+v", again)
			}
			h.goOn(o)
		})
	}
	t.Run("torn, and the replay is killed", h.killed)
}

// bytes is everything that stands, but for the replays themselves.
func (o *office) bytes() string {
	o.t.Helper()
	var lines []string
	for _, name := range table.Names {
		for _, item := range dump(o.t, o.store, name) {
			if !strings.Contains(item.Key.Partition, "replay") && !strings.HasPrefix(item.Key.Partition, "sweep#") && !strings.Contains(item.Key.Partition, "claim#") {
				lines = append(lines, fmt.Sprintf("%s %s %s %d %s", name, item.Key.Partition, item.Key.Sort, item.Version, item.Body))
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (o *office) salts() seal.Keys { return seal.Keys{Ring: o.ring, Table: o.store} }

// killed replays a torn copy and is killed, again and again: it comes to the same.
func (h *history) killed(t *testing.T) {
	t.Helper()
	random := rand.New(rand.NewPCG(6, 100))
	o := h.restored(t, mixed(random, h.old.tables[table.State], h.final.tables[table.State]), h.old.tables[table.Keys])
	if _, err := o.replaying.Start(o.ctx(), handler); err != nil {
		t.Fatal(err)
	}
	store, kills := o.store, 0
	for ended := false; !ended; {
		m := &mortal{Table: store, left: 1 + random.IntN(400), random: random}
		err := o.standing(m).replaying.Act(o.ctx(), table.Key{Partition: "replay", Sort: "-"})
		if err != nil && !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		if err != nil {
			kills++
		}
		o.clock.pass(5 * time.Minute) // whoever was killed has a lease
		run, err := o.replaying.Show(o.ctx(), handler)
		ended = err == nil && run.Phase == restore.Ended
	}
	t.Logf("PROOF bar 1: killed %d times", kills)
	if kills < 10 {
		t.Errorf("it was killed %d times only", kills)
	}
	h.check(t, o)
	if again := o.replay(); again.Advanced+again.Remade+again.Salts+again.Orphans > 0 {
		t.Errorf("something was left: %+v", again)
	}
	h.goOn(o)
}
