package consent

import (
	"context"
	"log/slog"
	"time"

	"rightsdesk/shared/mail"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

// Service does everything that can be done to consents. A function sets the
// fields that its topology entry grants.
type Service struct {
	Table   table.Table
	Keys    seal.Keys
	Policy  *policy.Policy
	Now     func() time.Time
	BaseURL string // of links in mails and pages, without a slash at the end

	Mail    mail.Sender              // only the relay has it
	Sources map[string]source.Source // only fulfil has them
	// Lives hears until when people agreed to purposes whose end ends what is held of
	// them; only fulfil tells. nil: nobody hears, and what is promised is kept.
	Lives Lives
	// Suppressions is the mail service's list of whom it writes to no more; only
	// mailevents has it. nil: there is none to read.
	Suppressions mail.Suppressions
	// Wake hints that there is a source to tell. It may lose hints; nil: the sweep
	// finds all of them.
	Wake func(context.Context, table.Key)
	// NoMail says that nobody is written to, so that no consent can be confirmed by mail.
	NoMail bool
	Log    *slog.Logger

	halted haltCache
	seen   wordingCache
	floods floodCache
}

// Lives is the record of what began and ended for people.
type Lives interface {
	// Chose notes until when somebody has agreed to a purpose: zero, it goes on; otherwise
	// when that ended or is going to. Repeating a call has no further effect.
	Chose(ctx context.Context, who personal.Identity, purpose string, at, ends time.Time) error
}

// Attempt identifies one attempt of a caller to change something.
type Attempt struct {
	Key  string // Idempotency-Key; empty: none was sent
	Body string // what was sent with it, in any stable form
}
