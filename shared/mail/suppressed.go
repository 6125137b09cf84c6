package mail

import (
	"context"
	"time"

	"rightsdesk/shared/personal"
)

// Suppressed is an address that the mail service writes to no more.
type Suppressed struct {
	Address    personal.Email
	Complained bool      // its owner called a mail spam; otherwise the address takes none
	At         time.Time // of the latest reason
}

// Suppressions is the mail service's own list of such addresses. Whoever else sends
// through the same account fills it too, so most of it may be about nobody we know.
type Suppressions interface {
	// Between hands over, one by one and in no order, who was put on the list between
	// two instants, or put there anew. An error of each ends it and is returned as it
	// is; any other holds no address.
	Between(ctx context.Context, from, to time.Time, each func(Suppressed) error) error
}
