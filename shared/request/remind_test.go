package request

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/mail"
	"rightsdesk/shared/policy"
)

// Where nobody is written to a letter is over at once: the history says so, nothing is
// tried again, and nobody is taken for out of reach. Who asked by the app was told there.
func TestALetterThatIsWithheldIsOver(t *testing.T) {
	t.Parallel()
	for name, withheld := range map[string]error{"mail is off": mail.ErrWithheld, "in a sandbox": fmt.Errorf("%w: SES is in its sandbox", mail.ErrWithheld)} {
		d := furnished(t, choosing, another)
		calls := 0
		d.post.fail = func(string) error { calls++; return withheld }
		app, _, err := d.SubmitVerified(d.ctx(), "reader", signedIn(policy.Objection))
		if err != nil {
			t.Fatal(err)
		}
		mailed := d.submit(asks(policy.Access))
		for _, id := range []ID{app.ID, mailed} {
			for range 3 {
				d.announce(id)
				d.pass(time.Hour)
			}
			r := d.get(id)
			if len(r.Announcements) > 0 || r.Relay != (Attempts{}) {
				t.Errorf("%s: %s waits for %v, %+v", name, id, r.Announcements, r.Relay)
			}
			want := "withheld mail=verify"
			if id == app.ID {
				want = "withheld mail=verified"
			}
			if told := d.told(id); told[len(told)-1] != want && !slices.Contains(told, want) {
				t.Errorf("%s: the audit tells\n%s", name, strings.Join(told, "\n"))
			}
		}
		if calls != 2 || len(d.post.mails) > 0 {
			t.Errorf("%s: %d calls, %d mails", name, calls, len(d.post.mails))
		}
		if a, b := d.get(app.ID), d.get(mailed); a.Acknowledged.IsZero() != a.AcknowledgeBy.IsZero() || !b.Acknowledged.IsZero() {
			t.Errorf("%s: acknowledged at %v by the app, at %v by nobody", name, a.Acknowledged, b.Acknowledged)
		}
		d.chains()
	}
}

// A mail service that is away for hours does not use up the mails that an address
// may get in a day: the reminder comes when it is back.
func TestAReminderOutlivesTheMailService(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.submit(asks(policy.Access))
	d.announce(id)
	d.pass(24 * time.Hour)
	d.post.fail = func(string) error { return mail.ErrLater }
	for range 12 * 60 {
		d.sweep()
		d.pass(time.Minute)
	}
	d.post.fail = nil
	d.pass(2 * time.Hour)
	d.sweep()
	reminders := 0
	for _, m := range d.post.mails[1:] {
		if strings.Contains(m.Text.Reveal(), "/r/"+string(id)) {
			reminders++
		}
	}
	if r := d.get(id); reminders != 1 || len(r.Announcements) > 0 || r.Relay.Fault != "" {
		t.Errorf("%d reminders, %+v", reminders, r.Relay)
	}
}
