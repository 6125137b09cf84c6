package consent

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/mail"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

// listing is the mail service's list, which several senders of one account fill.
type listing struct {
	all   []mail.Suppressed
	asked [][2]time.Time
	fails error // of the call after the last that succeeds
	calls int   // how many succeed; 0: all
	over  context.CancelFunc
}

func (l *listing) Between(ctx context.Context, from, to time.Time, each func(mail.Suppressed) error) error {
	l.asked = append(l.asked, [2]time.Time{from, to})
	if l.calls > 0 && len(l.asked) > l.calls {
		if l.over != nil {
			l.over()
		}
		return l.fails
	}
	for _, x := range l.all {
		if x.At.Before(from) || x.At.After(to) {
			continue
		}
		if err := each(x); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// reads has the list read, and wants everybody on it taken in.
func (o *office) reads(l *listing) {
	o.t.Helper()
	o.Suppressions = l
	if _, failed, err := o.HeedListed(o.ctx()); err != nil || failed > 0 {
		o.t.Fatalf("%d failed: %v", failed, err)
	}
}

// on is the list with one address on it.
func on(t *testing.T, stop policy.Stop, at time.Time, addresses ...string) *listing {
	t.Helper()
	l := &listing{}
	for _, a := range addresses {
		l.all = append(l.all, mail.Suppressed{Address: address(t, a), Complained: stop == policy.Complained, At: at})
	}
	return l
}

// What somebody's chain says after the list was read, whether or not the event came.
func TestTheListMakesGoodWhatWasLost(t *testing.T) {
	t.Parallel()
	const lists = 2 * time.Minute // what the list says is a little later than what the event says
	for name, c := range map[string]struct {
		before func(o *office, hear func(list string, stop policy.Stop))
		stop   policy.Stop
		chain  string
		why    string // of the newsletter, then of the survey
	}{
		"a complaint was lost": {func(*office, func(string, policy.Stop)) {}, policy.Complained, "granted granted suppressed", "false complaint, false complaint"},
		"a bounce was lost":    {func(*office, func(string, policy.Stop)) {}, policy.Bounced, "granted granted suppressed", "false bounce, false bounce"},
		"it came, of all mail": {func(_ *office, hear func(string, policy.Stop)) { hear("", policy.Bounced) }, policy.Bounced, "granted granted suppressed", "false bounce, false bounce"},
		"it came, of one list": {func(_ *office, hear func(string, policy.Stop)) { hear("newsletter", policy.Bounced) }, policy.Bounced, "granted granted suppressed", "false bounce, true consent"},
		"the other kind came":  {func(_ *office, hear func(string, policy.Stop)) { hear("newsletter", policy.Bounced) }, policy.Complained, "granted granted suppressed suppressed", "false bounce, false complaint"},
		"it came, long before": {func(o *office, hear func(string, policy.Stop)) {
			hear("newsletter", policy.Bounced)
			o.pass(48 * time.Hour)
		}, policy.Bounced, "granted granted suppressed suppressed", "false bounce, false bounce"},
		"the second of two came": {func(o *office, hear func(string, policy.Stop)) {
			hear("newsletter", policy.Bounced)
			o.pass(72 * time.Hour)
			hear("survey", policy.Bounced)
		}, policy.Bounced, "granted granted suppressed suppressed", "false bounce, false bounce"},
		"subscribed between the two": {func(o *office, hear func(string, policy.Stop)) {
			hear("newsletter", policy.Bounced)
			o.pass(time.Hour)
			o.grants(byMail(adaAddress), "newsletter")
			o.pass(time.Hour)
		}, policy.Bounced, "granted granted suppressed granted suppressed", "false bounce, false bounce"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := openOffice(t, 0)
			who := byMail(adaAddress)
			o.grants(who, "newsletter", "survey")
			o.pass(time.Hour)
			c.before(o, func(list string, stop policy.Stop) {
				if err := o.Heed(o.ctx(), Feedback{Address: address(t, adaAddress), Stop: stop, List: list, At: o.clock(), MessageID: "m1"}); err != nil {
					t.Fatal(err)
				}
			})
			l := on(t, c.stop, o.clock().Add(lists), adaAddress)
			for range 3 { // every day for two weeks
				o.pass(20 * time.Hour)
				o.reads(l)
			}
			sub, _ := o.stored(who)
			if got := o.actions(ChainOf(sub.ID)); got != c.chain {
				t.Errorf("the chain: %s", got)
			}
			if got := o.why(who, "newsletter") + ", " + o.why(who, "survey"); got != c.why {
				t.Errorf("the decisions: %s", got)
			}
			e := o.entries(ChainOf(sub.ID))
			if last := e[len(e)-1]; strings.HasPrefix(name, "a ") && (factOfEntry(last, factMade) != l.all[0].At.Format(time.RFC3339Nano) ||
				factOfEntry(last, factMethod) != string(MailFeedback) || last.Actor != string(ByMailer)) {
				t.Errorf("the entry: %+v", last)
			}
		})
	}
}

// Whoever subscribed since then wants the mail, also if the event that came then has no
// trace but in the chain.
func TestTheListDoesNotUndoWhatIsNewer(t *testing.T) {
	t.Parallel()
	for name, heard := range map[string]bool{"its event was lost": false, "its event came": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := openOffice(t, 0)
			who := byMail(adaAddress)
			o.grants(who, "newsletter", "survey")
			o.pass(time.Hour)
			if heard {
				if err := o.Heed(o.ctx(), Feedback{Address: address(t, adaAddress), Stop: policy.Bounced, List: "newsletter", At: o.clock(), MessageID: "m1"}); err != nil {
					t.Fatal(err)
				}
			}
			l := on(t, policy.Bounced, o.clock(), adaAddress)
			o.pass(time.Hour)
			o.grants(who, "newsletter")
			o.pass(time.Hour)
			o.reads(l)
			if why := o.why(who, "newsletter"); why != "true consent" {
				t.Errorf("whoever subscribed again: %s", why)
			}
			want := map[bool]string{false: "false bounce", true: "true consent"}[heard]
			if why := o.why(who, "survey"); why != want {
				t.Errorf("of the other list: %s, want %s", why, want)
			}
		})
	}
}

// counting is a store that counts what is written.
type counting struct {
	table.Table
	commits int
}

func (c *counting) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	c.commits++
	return c.Table.Commit(ctx, id, writes...)
}

// Other senders of the account fill the list too.
func TestOfStrangersOnTheListNothingIsKept(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	if _, _, err := o.Keys.Contact(o.ctx(), byMail(graceAddress), o.clock(), 3); err != nil { // who asked for her data, and chose nothing
		t.Fatal(err)
	}
	store := &counting{Table: o.inner}
	o.Table = store
	l := on(t, policy.Complained, o.clock(), adaAddress, graceAddress)
	o.reads(l)
	if _, stands := o.stored(byMail(adaAddress)); stands || store.commits != 1 {
		t.Errorf("of a stranger something stands: %v, after %d commits", stands, store.commits)
	}
	if sub, stands := o.stored(byMail(graceAddress)); !stands || !sub.Known || o.actions(ChainOf(sub.ID)) != "suppressed" {
		t.Errorf("of somebody who is known there stands %+v", sub)
	}
	if o.log.Len() > 0 {
		t.Errorf("the log says %s", o.log.String())
	}
}

func TestTheListIsReadBackWithoutAGap(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	l := &listing{}
	o.reads(l)
	if n := len(l.asked); n != listedDays || l.asked[0][1] != o.clock() || o.clock().Sub(l.asked[n-1][0]) < listedDays*24*time.Hour {
		t.Fatalf("asked for %v", l.asked)
	}
	for i, days := range l.asked[1:] {
		if !days[1].After(l.asked[i][0]) {
			t.Errorf("nobody asks for what lies between %v and %v", days[1], l.asked[i][0])
		}
	}
	o.Suppressions = nil
	if seen, failed, err := o.HeedListed(o.ctx()); seen+failed > 0 || err != nil {
		t.Errorf("without a list: %d, %d, %v", seen, failed, err)
	}
}

// One who fails is nobody else's loss, but the run's.
func TestSomebodyOnTheListWhoFails(t *testing.T) {
	t.Parallel()
	o := openOffice(t, 0)
	ada, grace := byMail(adaAddress), byMail(graceAddress)
	o.grants(ada, "newsletter")
	o.grants(grace, "newsletter")
	o.Table = unreadable{o.inner, Ref(o.Keys.Ring.Identifier(ada))}
	o.Suppressions = on(t, policy.Bounced, o.clock(), adaAddress, graceAddress)
	seen, failed, err := o.HeedListed(o.ctx())
	if seen != 2 || failed != 1 || !errors.Is(err, ErrBusy) || strings.Contains(err.Error(), "ada") {
		t.Errorf("%d, %d, %v", seen, failed, err)
	}
	if sub, _ := o.stored(grace); len(sub.Stops) != 1 {
		t.Errorf("the other: %+v", sub)
	}
}

// A run has to get through its own day and the one before. What hinders it fails the
// run, the end of its time too.
func TestTheListIsLongerThanTheTimeOfARun(t *testing.T) {
	t.Parallel()
	lost := errors.New("ses: no answer")
	for name, c := range map[string]struct {
		calls int
		over  bool
		want  error
	}{
		"no answer on the first day":   {calls: 1, want: lost},
		"no answer on the last":        {calls: listedDays - 1, want: lost},
		"no time on the second day":    {calls: 1, over: true, want: errListUnread},
		"no time after the second day": {calls: 2, over: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := openOffice(t, 0)
			ctx, cancel := context.WithCancel(o.ctx())
			defer cancel()
			l := &listing{calls: c.calls, fails: lost}
			if c.over {
				l.over = cancel
			}
			o.Suppressions = l
			_, _, err := o.HeedListed(ctx)
			if !errors.Is(err, c.want) || errors.Is(err, context.Canceled) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if len(l.asked) != c.calls+1 {
				t.Errorf("asked %d times", len(l.asked))
			}
			if said := strings.Contains(o.log.String(), "no time to look further back"); said != (c.want == nil) {
				t.Errorf("the log says %s", o.log.String())
			}
		})
	}
}
