package hold

import (
	"context"
	"log/slog"
	"time"

	"rightsdesk/shared/digest"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// Service does everything that can be done to holds.
type Service struct {
	Table  table.Table
	Ring   *seal.Ring
	Policy *policy.Policy
	Now    func() time.Time

	Digest   *digest.Book // where operators are reminded; nil: nowhere
	Requests Requests     // nil: none is known
	Log      *slog.Logger
}

// Requests is what a hold has to know of requests.
type Requests interface {
	// Identifiers returns by whom a request is about its person; a fault of the kind
	// NotFound if there is none such.
	Identifiers(ctx context.Context, request string) ([]seal.Identifier, error)
	// Kin returns what else a person is known by, whom requests know by an identifier.
	Kin(ctx context.Context, id seal.Identifier) ([]seal.Identifier, error)
	// Unheld lets the work go on that waited for a release. It is a hint that makes
	// things faster: without it, the work looks again by itself.
	Unheld(ctx context.Context, request string) error
}

// Placement is a hold to be placed by an operator.
type Placement struct {
	Scope    Scope
	Who      []personal.Identity // of a person: everything they are known by that the operator knows
	Request  string
	Source   string // of a category: empty for every source
	Category string
	Item     string
	Basis    Basis
	Article  string
	Matter   string
	Owner    string    // empty: whoever places it
	Review   time.Time // somebody looks by then, at most MaxReview ahead
	Until    time.Time // it ends by itself then; zero: when somebody releases it
	Call     Call
}

// Following is what the law wants kept because of a request, for as long as that and
// its recourse last.
type Following struct {
	Request     string
	Identifiers []seal.Identifier // of the person
	Basis       Basis
	Article     string
	Spares      string    // the request whose work goes on: what the dispute is about
	Until       time.Time // zero: nobody knows yet
	Over        bool      // nothing has to be kept any more
}

// now is the time in the precision that is stored.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

// Covered reports whether any hold is on somebody who is known by one of the
// identifiers, be it on a request of theirs only.
func (s *Service) Covered(ctx context.Context, ids []seal.Identifier) (bool, error) {
	return Covered(ctx, s.Table, ids)
}
