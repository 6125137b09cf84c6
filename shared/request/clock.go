package request

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/hold"
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
		if err := s.eraseFor(ctx, r, d.action, now); err != nil {
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

// eraseFor erases the objects that an action of the clock records as gone.
func (s *Service) eraseFor(ctx context.Context, r Request, a Action, now time.Time) error {
	if a == Clear {
		return s.clear(ctx, r.ID)
	}
	if a == Shred {
		return s.shred(ctx, r, now)
	}
	return nil
}

// maxTicks bounds how many things one look does; more wait for the next.
const maxTicks = 5

// forgettable reports whether nothing of the request is kept any more but itself.
func (r Request) forgettable(now time.Time) bool {
	return !r.Forget.IsZero() && !now.Before(r.Forget) && !r.Parts && len(r.Messages.Attached) == 0
}

// due returns the first thing that the clock brings about by now.
func (s *Service) due(ctx context.Context, r Request, now time.Time) (due, error) {
	switch {
	case r.Status == Unverified && !now.Before(r.LapseAt):
		return due{r, Lapse, nil, []mail.Kind{mail.Lapsed}}, nil
	case r.Status.Final() && r.Parts && !now.Before(r.keptUntil()):
		return due{r.cleared(), Clear, nil, nil}, nil
	case len(r.Messages.Attached) > 0 && !now.Before(r.shredAt()):
		r, facts := r.shredded(now)
		return due{r, Shred, facts, nil}, nil
	}
	return s.reminder(ctx, r, now)
}

// forgetAgain is when it is tried again to forget a request that a hold keeps.
const forgetAgain = 24 * time.Hour

// forget removes a closed request at the end of its retention, its messages and
// its plan first if they do not fit into one commit. Its audit entries have a period
// of their own.
func (s *Service) forget(ctx context.Context, r Request) error {
	messages, err := s.messageItems(ctx, r)
	if err != nil {
		return err
	}
	var writes []table.Write
	for _, m := range messages {
		writes = append(writes, table.Delete(table.Ref{Table: table.State, Key: m.Key}, table.Version(m.Version)))
	}
	plan, err := s.loadPlan(ctx, r.ID)
	if err != nil {
		return err
	}
	if plan.version > 0 {
		writes = append(writes, table.Delete(r.ID.planRef(), table.Version(plan.version)))
	}
	whose, err := s.whose(ctx, r)
	if err != nil {
		return err
	}
	fences, err := hold.Forgetting(ctx, s.Table, string(r.ID), whose)
	if errors.Is(err, hold.ErrHeld) {
		r.Forget = s.now().Add(forgetAgain)
		if _, err = s.keep(ctx, r); errors.Is(err, table.ErrConflict) {
			return nil
		}
		return err
	}
	if err != nil {
		return err
	}
	writes = append(writes, table.Delete(r.ID.Ref(), table.Version(r.version)))
	for batch := range slices.Chunk(writes, table.MaxWrites-len(fences)) {
		err := s.Table.Commit(ctx, table.NewID(), slices.Concat(batch, fences)...)
		if errors.Is(err, table.ErrConflict) {
			return nil // changed or already gone: the next look decides
		}
		if err != nil {
			return err
		}
	}
	return nil
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
