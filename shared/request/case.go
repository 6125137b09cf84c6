package request

import (
	"context"
	"fmt"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/law"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/table"
)

// Opened is an open request with what its dates hang on, so that another version of
// the law packs can be asked for them before it is installed. Nothing in it is
// personal.
type Opened struct {
	ID           ID
	Case         law.Case
	law.Deadline // as it was given
}

// Cases returns requests that are not over, some per call, and the cursor of the
// next call.
func (s *Service) Cases(ctx context.Context, by operator.Identity, cursor string) (list []Opened, next string, err error) {
	if err := mayRead(by); err != nil {
		return nil, "", err
	}
	now := s.now()
	next, err = s.walk(ctx, cursor, time.Time{}, func(key table.Key) error {
		id, ok := IDOf(key)
		if !ok {
			return nil
		}
		r, err := s.load(ctx, id)
		if fault.KindOf(err) == fault.NotFound {
			return nil // gone since the index was read
		}
		if err != nil || r.Status.Final() || r.Right.Internal() {
			return err
		}
		r = s.current(r)
		o := Opened{
			ID: r.ID, Case: s.legalCase(s.judged(r), now), // as Recount would have it
			Deadline: law.Deadline{Law: r.Law, RespondBy: r.RespondBy, SafeBy: r.SafeBy, AcknowledgeBy: r.AcknowledgeBy},
		}
		if r.Extension != nil && !r.Extension.Until.IsZero() {
			// The day that the person was told is no pack's: packs are compared by the law's.
			if o.Deadline, err = law.Count(o.Case); err != nil {
				return fmt.Errorf("count the deadline: %w", err)
			}
		}
		list = append(list, o)
		return nil
	}, func() bool { return len(list) >= casesPerCall })
	return list, next, err
}

// casesPerCall is how many open requests one call returns at least, if there are so many.
const casesPerCall = 200
