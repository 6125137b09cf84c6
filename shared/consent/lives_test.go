package consent

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

// lives hears until when people agreed.
type lives struct {
	fails int // so many calls fail
	heard []heardEnd
}

type heardEnd struct {
	who     personal.Identity
	purpose string
	ends    time.Time
}

func (l *lives) Chose(_ context.Context, who personal.Identity, purpose string, _, ends time.Time) error {
	if l.fails > 0 {
		l.fails--
		return table.ErrBusy
	}
	l.heard = append(l.heard, heardEnd{who, purpose, ends})
	return nil
}

// endsWith has what is held for a purpose end with it.
func endsWith(o *office, purpose string) *lives {
	o.t.Helper()
	p := *o.Policy
	p.RetentionRules = append(slices.Clone(p.RetentionRules), policy.RetentionRule{ID: "ends", Trigger: policy.WhenPurposeEnded, Purpose: purpose})
	l := &lives{}
	o.Policy, o.Lives = &p, l
	return l
}

func (o *office) tells(who personal.Identity) {
	o.t.Helper()
	for range 8 {
		if err := o.Tell(o.ctx(), o.keyOf(who)); err != nil && !errors.Is(err, table.ErrBusy) {
			o.t.Fatal(err)
		}
		o.pass(10 * time.Minute)
	}
}

func TestTheEndOfAPurposeIsHeardOf(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	ada := personal.MakeIdentity(personal.KindAccount, "acc-ends")
	l := endsWith(o, "analytics")
	l.fails = 2
	o.chooses(ByApp, ada, Granted, "analytics")
	sub, _ := o.stored(ada)
	until := sub.Purposes["analytics"].Until
	o.tells(ada)
	if len(l.heard) != 1 || l.heard[0] != (heardEnd{ada, "analytics", until}) || until.IsZero() {
		t.Fatalf("heard is %+v, want the end of the consent, %v", l.heard, until)
	}
	if sub, _ = o.stored(ada); len(sub.Tellings) != 0 {
		t.Errorf("left to tell is %+v", sub.Tellings)
	}
	back := o.clock()
	o.chooses(ByApp, ada, Withdrawn, "analytics")
	o.tells(ada)
	if len(l.heard) != 2 || !l.heard[1].ends.Equal(back) {
		t.Errorf("taken back at %v, heard is %+v", back, l.heard)
	}
	// Only the latest is told.
	o.chooses(ByApp, ada, Granted, "analytics")
	o.chooses(ByApp, ada, Withdrawn, "analytics")
	last := o.clock()
	o.chooses(ByApp, ada, Granted, "analytics")
	o.tells(ada)
	if len(l.heard) != 3 || !l.heard[2].ends.After(last) {
		t.Errorf("heard is %+v", l.heard)
	}
	// Of a purpose that ends nothing, nobody hears.
	o.chooses(ByApp, ada, Granted, "advertising")
	o.tells(ada)
	if len(l.heard) != 3 {
		t.Errorf("heard is %+v", l.heard)
	}
}

func TestAPurposeOfSingleActsEndsWithTheLast(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 5, n, 0, 0, 0, 0, time.UTC) }
	for name, tt := range map[string]struct {
		on   map[string]Standing
		want time.Time
	}{
		"nothing":                       {nil, day(30)},
		"another purpose":               {map[string]Standing{"talks": {Choice: Granted}}, day(30)},
		"one that goes on":              {map[string]Standing{"talk/1": {Choice: Granted}, "talk/2": {Choice: Withdrawn, At: day(3)}}, time.Time{}},
		"two that end":                  {map[string]Standing{"talk/1": {Choice: Granted, Until: day(9)}, "talk/2": {Choice: Granted, Until: day(12)}}, day(12)},
		"one that ends, one taken back": {map[string]Standing{"talk/1": {Choice: Granted, Until: day(9)}, "talk/2": {Choice: Withdrawn, At: day(20)}}, day(9)},
		"both taken back":               {map[string]Standing{"talk/1": {Choice: Withdrawn, At: day(4)}, "talk/2": {Choice: Withdrawn, At: day(7)}}, day(7)},
		"one that has ended":            {map[string]Standing{"talk": {Choice: Ended, At: day(5)}}, day(5)},
	} {
		got := Subject{Purposes: tt.on}.end("talk", day(30))
		if !got.Equal(tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
