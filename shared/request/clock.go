package request

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/table"
)

// Tick does what the clock alone brings about: reminders, an unverified request
// that lapses, a date that passes, the end of a period for which something is
// kept. What is due for others it leaves to them.
func (s *Service) Tick(ctx context.Context, id ID) error {
	for range maxTicks {
		r, err := s.load(ctx, id)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		now := s.now()
		if r.forgettable(now) {
			return s.forget(ctx, r)
		}
		d, err := s.due(ctx, r, now)
		if err != nil || d.action == "" {
			return err
		}
		// First the objects, then the record that they are gone: repeated after a
		// crash it deletes nothing once more.
		switch d.action {
		case Clear:
			err = s.clear(ctx, id)
		case Shred:
			err = s.erase(ctx, attachments(id))
		}
		if err != nil {
			return err
		}
		_, err = s.change(ctx, id, func(r Request) (Request, audit.Entry, []mail.Kind, error) {
			again, err := s.due(ctx, r, now)
			if err != nil {
				return r, audit.Entry{}, nil, err
			}
			if again.action != d.action {
				return r, audit.Entry{}, nil, errUnchanged // somebody else was faster: the next look decides
			}
			next, e, err := again.r.Apply(again.action, ByClock, now, again.facts...)
			return next, e, again.say, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// maxTicks bounds how many things one look does; more wait for the next.
const maxTicks = 5

// forgettable reports whether nothing of the request is kept any more but itself.
func (r Request) forgettable(now time.Time) bool {
	return !r.Forget.IsZero() && !now.Before(r.Forget) && !r.Parts && r.Messages.Attached.IsZero()
}

// due returns the first thing that the clock brings about by now.
func (s *Service) due(ctx context.Context, r Request, now time.Time) (due, error) {
	switch {
	case r.Status == Unverified && !now.Before(r.LapseAt):
		return due{r, Lapse, nil, []mail.Kind{mail.Lapsed}}, nil
	case r.Status.Final() && r.Parts && !now.Before(r.keptUntil()):
		return due{r.cleared(), Clear, nil, nil}, nil
	case !r.Messages.Attached.IsZero() && !now.Before(r.shredAt()):
		r.Messages.Attached, r.Messages.Shred = time.Time{}, time.Time{}
		r.Messages.Shredded = r.Messages.N
		return due{r, Shred, nil, nil}, nil
	}
	return s.reminder(ctx, r, now)
}

// shredAt is when what the person attached is erased: when its period is over, or
// the request is and whoever was still putting something away has ended.
func (r Request) shredAt() time.Time {
	if end := r.Closed.Add(stragglers); r.Status.Final() && end.Before(r.Messages.Shred) {
		return end
	}
	return r.Messages.Shred
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
