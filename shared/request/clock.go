package request

import (
	"context"
	"errors"
	"fmt"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/table"
)

// Tick does what the clock alone brings about: an unverified request lapses, a
// date passes, a package's period ends. What is due for others it leaves to them.
func (s *Service) Tick(ctx context.Context, id ID) error {
	r, err := s.load(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	now := s.now()
	if !r.Forget.IsZero() && !now.Before(r.Forget) && !r.Parts {
		return s.forget(ctx, r)
	}
	passed := func(r Request) (Action, []mail.Kind, bool) {
		switch {
		case r.Status == Unverified && !now.Before(r.LapseAt):
			return Lapse, []mail.Kind{mail.Lapsed}, true
		case r.IsOverdue(now) && !r.Overdue:
			return Overrun, nil, true
		case r.Status.Final() && r.Parts && !now.Before(r.keptUntil()):
			return Clear, nil, true
		}
		return "", nil, false
	}
	a, _, ok := passed(r)
	if !ok {
		return nil
	}
	if a == Clear {
		// First the objects, then the record that they are gone: repeated after a
		// crash it deletes nothing once more.
		if err := s.clear(ctx, id); err != nil {
			return err
		}
	}
	_, err = s.change(ctx, id, func(r Request) (Request, audit.Entry, []mail.Kind, error) {
		a, say, ok := passed(r)
		if !ok {
			return r, audit.Entry{}, nil, errUnchanged
		}
		r.Overdue = r.Overdue || a == Overrun
		if a == Clear {
			r = r.cleared()
		}
		next, e, err := r.Apply(a, ByClock, now)
		return next, e, say, err
	})
	return err
}

// forget removes a closed request at the end of its retention. Its audit entries
// have a period of their own.
func (s *Service) forget(ctx context.Context, r Request) error {
	writes := []table.Write{table.Delete(r.ID.Ref(), table.Version(r.version))}
	plan, err := s.loadPlan(ctx, r.ID)
	if err != nil {
		return err
	}
	if plan.version > 0 {
		writes = append(writes, table.Delete(r.ID.planRef(), table.Version(plan.version)))
	}
	err = s.Table.Commit(ctx, table.NewID(), writes...)
	if errors.Is(err, table.ErrConflict) {
		return nil // changed or already gone: the next look decides
	}
	return err
}

// cleared returns r without anything kept for a package.
func (r Request) cleared() Request {
	r.Parts = false
	if r.Package != nil {
		p := *r.Package
		p.Cleared = true
		r.Package = &p
	}
	return r
}

// clear erases everything that was gathered for a request's package.
func (s *Service) clear(ctx context.Context, id ID) error { return s.erase(ctx, prefix(id)) }

// erase removes the objects whose keys begin so.
func (s *Service) erase(ctx context.Context, beginning string) error {
	cursor := ""
	for {
		keys, next, err := s.Exports.List(ctx, beginning, cursor)
		if err != nil {
			return fmt.Errorf("list the objects of %s: %w", beginning, err)
		}
		if err := s.Exports.Delete(ctx, keys...); err != nil {
			return fmt.Errorf("erase the objects of %s: %w", beginning, err)
		}
		if cursor = next; cursor == "" {
			return nil
		}
	}
}
