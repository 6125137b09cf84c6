package request

import (
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/mail"
	"rightsdesk/shared/policy"
)

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
