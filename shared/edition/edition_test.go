package edition

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/hostile"
)

func TestAnInstallationBeginsShut(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.Lacks = []Lack{NoSender}
	a, p, err := d.InForce(t.Context())
	if err != nil || p != nil || !slices.Equal(a.Lacks, []Lack{NoPolicy, NoSender}) || !errors.Is(a.Shut(), ErrNotOpen) {
		t.Errorf("%+v %v %v", a, p, err)
	}
	err = d.Look(t.Context())
	for _, want := range []string{"PrivacyContact", "Sender", "POST /v1/operator/policy"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the job says %v, not what to do about %s", err, want)
		}
	}
	if d.told() != "" {
		t.Errorf("looking wrote %s", d.told())
	}
	if chains, err := d.Heads(t.Context(), table.Key{}); err != nil || len(chains) > 0 {
		t.Errorf("%v %v", chains, err)
	}
}

func TestAnOperatorPublishes(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	changed := 0
	d.Changed = func() { changed++ }
	first := d.publish("one")
	if first.N != 1 || first.Version != version(t, "one") || !first.Open() || changed != 1 {
		t.Errorf("%+v after %d changes", first, changed)
	}
	if again := d.publish("one"); again.N != 1 || changed != 1 {
		t.Errorf("what is in force was published again: %+v", again)
	}
	d.pass(time.Hour)
	second := d.publish("two")
	if back := d.publish("one"); second.N != 2 || back.N != 3 || back.Version != first.Version {
		t.Errorf("%+v %+v", second, back)
	}
	a, p, err := d.InForce(t.Context())
	if err != nil || p == nil || p.Version != first.Version || a.N != 3 {
		t.Errorf("%+v %v", a, err)
	}
	if want := "operator:h1 published, clock opened, operator:h1 published, operator:h1 published"; d.told() != want {
		t.Errorf("the chain says %s", d.told())
	}
	last := d.entries()[3]
	for name, want := range map[string]string{"edition": "3", "version": version(t, "one"), "was": version(t, "two"), "origin": "operator"} {
		if got := restore.Fact(last, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	v, err := d.Show(t.Context(), auditor)
	if err != nil || len(v.Editions) != 3 || v.Editions[0].By != "operator:h1" || v.Refused != nil {
		t.Errorf("%+v %v", v, err)
	}
	e, file, err := d.File(t.Context(), auditor, 2)
	if err != nil || e.Version != second.Version || string(file) != string(text(t, "two")) {
		t.Errorf("%+v %v", e, err)
	}
	for _, n := range []int64{-1, 0, 4, maxEdition + 1} {
		if _, _, err := d.File(t.Context(), auditor, n); !errors.Is(err, ErrNotFound) {
			t.Errorf("edition %d: %v", n, err)
		}
	}
	d.whole()
}

func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	nobody, oneFactor := operator.Identity{ID: "x", MFA: true}, operator.Identity{ID: "h2", Roles: []operator.Role{operator.Handler}}
	for name, tt := range map[string]struct {
		by   operator.Identity
		want error
	}{"an auditor": {auditor, ErrForbidden}, "nobody": {nobody, ErrForbidden}, "one factor": {oneFactor, ErrFactor}} {
		if _, err := d.Publish(t.Context(), tt.by, Call{File: text(t, "one")}); !errors.Is(err, tt.want) {
			t.Errorf("%s publishes: %v", name, err)
		}
	}
	if _, _, err := d.Check(auditor, text(t, "one")); err != nil {
		t.Errorf("an auditor checks: %v", err)
	}
	if _, _, err := d.Check(nobody, text(t, "one")); !errors.Is(err, ErrForbidden) {
		t.Errorf("nobody checks: %v", err)
	}
	if _, err := d.Show(t.Context(), nobody); !errors.Is(err, ErrForbidden) {
		t.Errorf("nobody looks: %v", err)
	}
	if _, _, err := d.File(t.Context(), nobody, 1); !errors.Is(err, ErrForbidden) {
		t.Errorf("nobody reads: %v", err)
	}
	if d.told() != "" {
		t.Errorf("all the same: %s", d.told())
	}
}

func TestADecisionIsAboutWhatWasSeen(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	seen := d.publish("one")
	d.publish("two")
	if _, err := d.Publish(t.Context(), handler, Call{File: text(t, "three"), Expects: seen.Version}); !errors.Is(err, ErrMoved) {
		t.Errorf("what another operator published was overwritten: %v", err)
	}
	a, err := d.Publish(t.Context(), handler, Call{File: text(t, "three"), Expects: version(t, "two")})
	if err != nil || a.N != 3 {
		t.Errorf("%+v %v", a, err)
	}
	// The answer was lost, and the call is made again.
	if a, err = d.Publish(t.Context(), handler, Call{File: text(t, "three"), Expects: version(t, "two")}); err != nil || a.N != 3 {
		t.Errorf("%+v %v", a, err)
	}
	if _, err := d.Publish(t.Context(), handler, Call{File: text(t, "four"), Expects: "p1-0000000000000000"}); !errors.Is(err, ErrMoved) {
		t.Errorf("err = %v", err)
	}
	d.whole()
}

func TestALateRepetitionUndoesNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	first := Call{File: text(t, "one"), Key: "k"}
	call := func(by operator.Identity, c Call) Active {
		t.Helper()
		a, err := d.Publish(t.Context(), by, c)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	call(handler, first)
	d.publish("two")
	if a := call(handler, first); a.N != 1 || a.Version != version(t, "one") {
		t.Errorf("it is answered otherwise than before: %+v", a)
	}
	if a, _ := d.Active(t.Context()); a.Version != version(t, "two") {
		t.Error("what another operator published meanwhile was overwritten")
	}
	for what, other := range map[string]Call{"another file": {File: text(t, "three"), Key: "k"}, "another decision": {File: first.File, Expects: version(t, "two"), Key: "k"}} {
		if _, err := d.Publish(t.Context(), handler, other); !errors.Is(err, ErrReplay) {
			t.Errorf("%s with the same key: %v", what, err)
		}
	}
	// A call that changed nothing is remembered as well.
	call(handler, Call{File: text(t, "two"), Key: "nothing new"})
	d.publish("three")
	if a := call(handler, Call{File: text(t, "two"), Key: "nothing new"}); a.N != 2 {
		t.Errorf("%+v", a)
	}
	// The key of somebody else is another key.
	colleague := handler
	colleague.ID += "2"
	if a := call(colleague, first); a.N != 4 || a.Version != version(t, "one") {
		t.Errorf("%+v", a)
	}
	for i := range replays {
		call(handler, Call{File: text(t, fmt.Sprint(i%2)), Key: fmt.Sprint(i)})
	}
	if a, _ := d.Active(t.Context()); len(a.Replays) != replays || a.Replays[0].Key == "" || a.N != 4+replays {
		t.Errorf("%d calls are remembered, edition %d", len(a.Replays), a.N)
	}
	d.whole()
}

func TestAnEditionIsNoOlderThanTheOneBefore(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.publish("one")
	d.pass(-time.Hour) // the clock of another process
	d.Lacks = []Lack{NoSender}
	_ = d.Look(t.Context()) // it is shut, and says so
	d.publish("two")
	list, err := d.List(t.Context())
	if err != nil || len(list) != 2 || list[0].At.Before(list[1].At) {
		t.Errorf("%+v %v", list, err)
	}
	var last time.Time
	for _, e := range d.entries() {
		if e.At.Before(last) {
			t.Errorf("entry %d, %s, is of %s, the one before of %s", e.Seq, e.Action, e.At, last)
		}
		last = e.At
	}
	if !strings.Contains(d.told(), "shut") {
		t.Error(d.told())
	}
}

func TestAWrongFileChangesNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.publish("one")
	wrong := strings.Replace(string(text(t, "two")), "country: GB", "country: Atlantis", 1)
	foreign := strings.Replace(string(text(t, "two")), "privacy@small.internal", "privacy@small.example.com", 1)
	for file, want := range map[string]string{wrong: "controller.country", foreign: "contact.email", "": "empty", "a: [": "YAML"} {
		_, err := d.Publish(t.Context(), handler, Call{File: []byte(file)})
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Kind != fault.Invalid || len(f.Fields) == 0 || !strings.Contains(f.Fields[0].Text, want) || f.Fields[0].Pointer != "/file" {
			t.Errorf("%.30q: %v", file, err)
		}
	}
	// A file that does not fit: random letters do not compress.
	if _, problems := d.usable([]byte(string(text(t, "x")) + "# " + noise(700_000))); len(problems) == 0 || !strings.Contains(problems[0].Text, "too large") {
		t.Errorf("%v", problems)
	}
	if d.told() != "operator:h1 published, clock opened" {
		t.Error(d.told())
	}
	d.whole()
}

func TestEachOriginIsRefusedOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	refused := func() int {
		t.Helper()
		_ = d.Look(t.Context()) // there is no policy, and it says so
		return strings.Count(d.log.String(), "a policy was refused")
	}
	d.shelf.file = []byte("a: [")
	d.Profile = func() ([]byte, error) { return []byte("b: ["), nil }
	for range 3 {
		if n := refused(); n != 2 {
			t.Fatalf("%d refusals of two files", n)
		}
	}
	d.shelf.file = []byte("c: [")
	for range 3 {
		if n := refused(); n != 3 {
			t.Fatalf("%d refusals of three files", n)
		}
	}
	if v, err := d.Show(t.Context(), auditor); err != nil || v.Refused == nil || v.Refused.Origin != Bucket {
		t.Errorf("%+v %v", v.Refused, err)
	}
}

func noise(n int) string {
	b, x := make([]byte, n), uint64(1)
	for i := range b {
		x = x*6364136223846793005 + 1442695040888963407
		b[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[x>>58]
	}
	return string(b)
}

func TestAFileThatIsPutOnTheShelf(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	look := func(want error) {
		t.Helper()
		if err := d.Look(t.Context()); !errors.Is(err, want) {
			t.Fatalf("%v, want %v", err, want)
		}
	}
	inForce := func(note string, n int64) {
		t.Helper()
		a, err := d.Active(t.Context())
		if err != nil || a.Version != version(t, note) || a.N != n {
			t.Fatalf("%+v %v, want edition %d, %s", a, err, n, note)
		}
	}
	d.shelf.file = text(t, "one")
	look(nil)
	inForce("one", 1)
	look(nil)
	inForce("one", 1)
	// An operator publishes another, and the file that lies there does not undo that.
	d.publish("two")
	look(nil)
	inForce("two", 2)
	d.shelf.file = text(t, "three")
	look(nil)
	inForce("three", 3)
	// What an operator published is put there as well: that is one edition, not two, and
	// going back to another stays.
	d.publish("four")
	d.shelf.file = text(t, "four")
	look(nil)
	inForce("four", 4)
	d.publish("two")
	look(nil)
	inForce("two", 5)
	// A wrong file is refused once, loudly, and remembered with its lines.
	d.shelf.file = []byte("format: 2\n")
	look(nil)
	look(nil)
	inForce("two", 5)
	if n := strings.Count(d.log.String(), "a policy was refused"); n != 1 {
		t.Errorf("it was said %d times: %s", n, d.log)
	}
	v, err := d.Show(t.Context(), auditor)
	if err != nil || v.Refused == nil || v.Refused.Origin != Bucket || v.Refused.Digest != digestOf(d.shelf.file) || len(v.Refused.Problems) == 0 ||
		v.Refused.Problems[0].Line != 1 {
		t.Errorf("%+v %v", v.Refused, err)
	}
	d.shelf.file = text(t, "five")
	look(nil)
	inForce("five", 6)
	d.shelf.file = nil
	look(nil)
	inForce("five", 6)
	d.shelf.err = errors.New("no bucket")
	look(d.shelf.err)
	d.whole()
}

func TestTheSettingsOpenAnInstallation(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var name, contact string
	d.Profile = func() ([]byte, error) {
		if name == "" || contact == "" {
			return nil, nil
		}
		file, _ := policy.Profile("cloud-platform")
		return policy.Fill(file, policy.ParticularsOf(name, contact, "https://privacy.acme.internal/policy"))
	}
	if err := d.Look(t.Context()); err == nil || !strings.Contains(err.Error(), string(NoPolicy)) {
		t.Fatalf("err = %v", err)
	}
	name, contact = "Acme Ltd", "privacy@acme.example.com"
	if err := d.Look(t.Context()); err == nil {
		t.Fatal("an installation is open whose contact is at an example's domain")
	}
	contact = "privacy@acme.internal"
	if err := d.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	a, p, err := d.InForce(t.Context())
	if err != nil || a.N != 1 || a.Origin != Settings || p.Controller.LegalName != "Acme Ltd" || !a.Open() {
		t.Fatalf("%+v %v", a, err)
	}
	if !strings.Contains(d.log.String(), "reserved for examples") {
		t.Errorf("nobody is told that the profile's addresses are examples: %s", d.log)
	}
	name = "Acme Widgets Ltd"
	if err := d.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a, _ = d.Active(t.Context()); a.N != 2 {
		t.Errorf("changed settings changed nothing: %+v", a)
	}
	// From here on the policy is somebody's own.
	d.publish("own")
	name = "Acme Gadgets Ltd"
	if err := d.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a, _ = d.Active(t.Context()); a.N != 3 || a.Version != version(t, "own") {
		t.Errorf("the settings took an operator's policy out of force: %+v", a)
	}
	d.Profile = func() ([]byte, error) { return nil, errors.New("no such profile") }
	if err := d.Look(t.Context()); err != nil {
		t.Errorf("settings that do not matter any more: %v", err)
	}
	d.whole()
}

func TestWhatIsMissingIsWrittenDown(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.Lacks = []Lack{NoSender}
	d.shelf.file = text(t, "one")
	if err := d.Look(t.Context()); err == nil || !strings.Contains(err.Error(), "Set Sender") {
		t.Fatalf("err = %v", err)
	}
	a, err := d.Active(t.Context())
	if err != nil || a.Open() || a.N != 1 {
		t.Fatalf("%+v %v", a, err)
	}
	d.Lacks = nil
	if err := d.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.Lacks = []Lack{NoSender}
	if err := d.Look(t.Context()); err == nil {
		t.Fatal("it is open without a sender")
	}
	if want := "clock published, clock opened, clock shut"; d.told() != want {
		t.Errorf("the chain says %s, want %s", d.told(), want)
	}
	d.whole()
}

// After going back to an older version of the program the policy may say what that does
// not know.
func TestAPolicyThatThisVersionCannotRead(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.publish("one")
	if err := d.Look(t.Context()); err != nil { // and remembers that it could read it
		t.Fatal(err)
	}
	body, err := zip([]byte("format: 1\ntelepathy: {}\n"))
	if err != nil {
		t.Fatal(err)
	}
	item := table.Item{Key: fileRef(version(t, "one")).Key, Schema: schema, Body: body}
	if err := d.inner.Commit(t.Context(), table.NewID(), table.Put(table.State, item, table.Exists)); err != nil {
		t.Fatal(err)
	}
	a, p, err := d.InForce(t.Context())
	if err != nil || p != nil || !errors.Is(a.Shut(), ErrNotOpen) {
		t.Errorf("%+v %v %v", a, p, err)
	}
	if err := d.Look(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot read") {
		t.Errorf("the job says %v", err)
	}
	if a := d.publish("two"); !a.Open() {
		t.Errorf("%+v", a)
	}
	if want := "operator:h1 published, clock opened, clock shut, operator:h1 published, clock opened"; d.told() != want {
		t.Errorf("the chain says %s", d.told())
	}
}

// life publishes as an operator, from the shelf, and back, repeating what failed.
func (d *desk) life() {
	d.t.Helper()
	patiently(d, func() error { _, err := d.Publish(d.t.Context(), handler, Call{File: text(d.t, "one")}); return err })
	d.shelf.file = text(d.t, "two")
	patiently(d, func() error { return unavailable(d.Look(d.t.Context())) })
	d.shelf.file = []byte("format: 7")
	patiently(d, func() error { return unavailable(d.Look(d.t.Context())) })
	patiently(d, func() error {
		_, err := d.Publish(d.t.Context(), handler, Call{File: text(d.t, "one"), Expects: version(d.t, "two")})
		return err
	})
	patiently(d, func() error { _, err := d.Show(d.t.Context(), auditor); return err })
}

func patiently(d *desk, call func() error) {
	d.t.Helper()
	for range 60 {
		err := call()
		if err == nil {
			return
		}
		if fault.KindOf(err) != fault.Unavailable {
			d.t.Fatal(err)
		}
	}
	d.t.Fatal("a call fails for ever")
}

const lived = "operator:h1 published, clock opened, clock published, operator:h1 published"

func TestEveryCallOfALifeMayFail(t *testing.T) {
	t.Parallel()
	for _, lost := range []bool{false, true} {
		for at := 1; ; at++ {
			d := newDesk(t)
			w := &wires{Table: d.inner, at: at, lost: lost}
			d.Table = w
			d.life()
			d.whole()
			if d.told() != lived {
				t.Errorf("call %d fails, done %t: %s", at, lost, d.told())
			}
			if w.n < at {
				break
			}
		}
	}
}

func TestALifeOnAHostileStore(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.Table = hostile.New(d.inner, seed, d.clock)
			d.life()
			d.whole()
			if d.told() != lived {
				t.Error(d.told())
			}
		})
	}
}

// The schedule may start twice, and operators may publish meanwhile.
func TestManyPublishAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.shelf.file = text(t, "shelf")
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			patiently(d, func() error { return unavailable(d.Look(t.Context())) })
			patiently(d, func() error {
				_, err := d.Publish(t.Context(), handler, Call{File: text(t, fmt.Sprint(i%4))})
				return err
			})
		})
	}
	group.Wait()
	d.whole()
	list, err := d.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	shelved := 0
	for _, e := range list {
		if e.Origin == Bucket {
			shelved++
		}
	}
	if shelved > 1 { // it was put there once
		t.Errorf("the file on the shelf came into force %d times", shelved)
	}
}

func TestARestoredCopyGoesByTheNewestPolicyThatItHas(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.publish("one")
	copied, err := d.inner.Scan(t.Context(), table.Scan{Table: table.State})
	if err != nil {
		t.Fatal(err)
	}
	d.publish("two")
	d.shelf.file = text(t, "three")
	if err := d.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	stood, err := d.Restore(t.Context(), Chain, d.entries())
	if err != nil || stood.What != restore.Stood || len(stood.Missing) > 0 {
		t.Fatalf("%+v %v", stood, err)
	}
	d.overwrite(copied.Items)
	out, err := d.Restore(t.Context(), Chain, d.entries())
	if err != nil || out.What != restore.Advanced || !slices.Equal(out.Missing, []string{missingFile}) {
		t.Fatalf("%+v %v", out, err)
	}
	if again, err := d.Restore(t.Context(), Chain, d.entries()); err != nil || again.What != restore.Stood {
		t.Fatalf("%+v %v", again, err)
	}
	a, p, err := d.InForce(t.Context())
	if err != nil || p == nil || a.Version != version(t, "one") || a.Last != 3 || !a.Open() {
		t.Fatalf("%+v %v", a, err)
	}
	// What lies where operators put it comes back by itself, under a new number.
	if err := d.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a, err = d.Active(t.Context()); err != nil || a.N != 4 || a.Version != version(t, "three") {
		t.Errorf("%+v %v", a, err)
	}
	// All of it is gone: the chain still goes on, and nobody is served.
	d.overwrite(nil)
	out, err = d.Restore(t.Context(), Chain, d.entries())
	if err != nil || out.What != restore.Remade {
		t.Fatalf("%+v %v", out, err)
	}
	if a, err = d.Active(t.Context()); err != nil || a.Open() || a.Version != "" || a.Last != 4 {
		t.Errorf("%+v %v", a, err)
	}
	if a := d.publish("five"); a.N != 5 || !a.Open() {
		t.Errorf("%+v", a)
	}
}

// An operator went back to an older file, whose edition a copy does not know: that
// stands, whatever still lies on the shelf, and people are told what was in force when.
func TestARestoredCopyDoesNotUndoGoingBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	put := func(note string) {
		t.Helper()
		d.pass(time.Hour)
		d.shelf.file = text(t, note)
		if err := d.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	put("one")
	copied, err := d.inner.Scan(t.Context(), table.Scan{Table: table.State})
	if err != nil {
		t.Fatal(err)
	}
	put("two")
	d.pass(time.Hour)
	back := d.publish("one")
	was, err := d.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d.overwrite(copied.Items)
	if out, err := d.Restore(t.Context(), Chain, d.entries()); err != nil || out.What != restore.Advanced || len(out.Missing) > 0 {
		t.Fatalf("%+v %v", out, err)
	}
	put("two") // it lies there still
	a, err := d.Active(t.Context())
	if err != nil || a.N != back.N || a.Version != back.Version || a.Origin != Operator || !a.At.Equal(back.At) {
		t.Errorf("%+v %v", a, err)
	}
	list, err := d.List(t.Context())
	if err != nil || len(list) != 2 || list[0] != was[0] || list[1] != was[2] {
		t.Errorf("%+v %v, want the first and the last of %+v", list, err, was)
	}
	if again, err := d.Restore(t.Context(), Chain, d.entries()); err != nil || again.What != restore.Stood {
		t.Errorf("%+v %v", again, err)
	}
	put("three")
	if a, err = d.Active(t.Context()); err != nil || a.N != 4 || a.Version != version(t, "three") {
		t.Errorf("%+v %v", a, err)
	}
}

// Without a policy in force no replay runs, so publishing must not need one.
func TestARestoredCopyNeedsNoReplayToBePublishedTo(t *testing.T) {
	t.Parallel()
	for name, older := range map[string]bool{"an older copy": true, "an empty table": false} {
		d := newDesk(t)
		d.publish("one")
		var copied []table.Item
		if older {
			page, err := d.inner.Scan(t.Context(), table.Scan{Table: table.State})
			if err != nil {
				t.Fatal(err)
			}
			copied = page.Items
		}
		d.publish("two")
		d.overwrite(copied)
		a := d.publish("three")
		if a.N != 3 || !a.Open() || !strings.HasSuffix(d.told(), ", replay restored, operator:h1 published"+map[bool]string{false: ", clock opened"}[older]) {
			t.Errorf("%s: %+v, %s", name, a, d.told())
		}
		if _, err := audit.Verify(Chain, a.Head, d.encoded()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// overwrite puts the State table back to what a copy held.
func (d *desk) overwrite(items []table.Item) {
	d.t.Helper()
	now, err := d.inner.Scan(d.t.Context(), table.Scan{Table: table.State})
	if err != nil {
		d.t.Fatal(err)
	}
	var writes []table.Write
	for _, item := range now.Items {
		if !slices.ContainsFunc(items, func(i table.Item) bool { return i.Key == item.Key }) {
			writes = append(writes, table.Delete(table.Ref{Table: table.State, Key: item.Key}, table.Exists))
		}
	}
	for _, item := range items {
		writes = append(writes, table.Put(table.State, item, table.Exists))
	}
	if err := d.inner.Commit(d.t.Context(), table.NewID(), writes...); err != nil {
		d.t.Fatal(err)
	}
}

// What it costs, in the units that a table is paid by.
func TestWhatEditionsCost(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	file, _ := policy.Profile("addon-france") // the largest
	own, err := policy.Fill(file, policy.ParticularsOf("Acme Ltd", "privacy@acme.internal", ""))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"publish": 40, "cold start": 3, "look of a function": 1, "job": 8, "while shut": 1}
	measure := func(what string, do func(context.Context) error) {
		t.Helper()
		meter := &table.Meter{}
		if err := do(table.WithMeter(t.Context(), meter)); err != nil {
			t.Fatal(what, err)
		}
		u := meter.Total()
		fmt.Printf("PROOF edition: %s: %g units read, %g written\n", what, u.Read, u.Write)
		if u.Read+u.Write > want[what] {
			t.Errorf("%s costs %+v, want at most %g in all", what, u, want[what])
		}
	}
	measure("while shut", func(ctx context.Context) error { _, _, err := d.InForce(ctx); return err })
	measure("publish", func(ctx context.Context) error { _, err := d.Publish(ctx, handler, Call{File: own}); return err })
	measure("cold start", func(ctx context.Context) error { _, _, err := d.InForce(ctx); return err })
	measure("look of a function", func(ctx context.Context) error { _, err := d.Active(ctx); return err })
	d.shelf.file = own
	if err := d.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	measure("job", d.Look)
}
