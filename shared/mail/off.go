package mail

import "context"

// Off writes to nobody. It is the sender of an installation that sends no mail: people
// ask and follow in the company's own app, and what a letter would have said the company's
// systems learn from the event bus.
type Off struct{}

var _ Sender = Off{}

// Send withholds the mail.
func (Off) Send(_ context.Context, m Message, _ string) error {
	if err := m.Valid(); err != nil {
		return err
	}
	return ErrWithheld
}
