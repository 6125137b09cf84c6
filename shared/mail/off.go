package mail

import (
	"context"
	"time"

	"rightsdesk/shared/fault"
)

// ErrOff is what is answered to whoever wants to do what needs a mailed code, where nobody
// is written to.
var ErrOff = fault.New(fault.Forbidden, "mail_is_off", "This installation sends no mail, so nobody can show here who they are. Ask in the company's app, signed in, or write to its contact.")

// Off writes to nobody. It is the sender of an installation that sends no mail: people
// ask and follow in the company's own app, and what a letter would have said the company's
// systems learn from the event bus.
type Off struct{}

var (
	_ Sender       = Off{}
	_ Suppressions = Off{}
)

// Send withholds the mail.
func (Off) Send(_ context.Context, m Message, _ string) error {
	if err := m.Valid(); err != nil {
		return err
	}
	return ErrWithheld
}

// Between knows nobody: where no mail is sent none comes back.
func (Off) Between(context.Context, time.Time, time.Time, func(Suppressed) error) error { return nil }
