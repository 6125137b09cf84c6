package closure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/hold"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// maxTicks bounds how many things one look does; more wait for the next.
const maxTicks = 4

// Tick does what the clock brings about: what nobody confirmed lapses, what nobody
// took back begins, what is done closes, and the record of it ends. What is due for
// others it leaves to them. Called twice, late or too early it does nothing wrong.
func (s *Service) Tick(ctx context.Context, key table.Key) error {
	id, ok := IDOf(key)
	if !ok {
		return nil
	}
	for range maxTicks {
		c, err := s.load(ctx, id)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if !c.Forget.IsZero() && !s.now().Before(c.Forget) {
			return s.forget(ctx, c)
		}
		next, err := s.tick(ctx, c)
		if err != nil {
			return fmt.Errorf("closure %s: %w", id, err)
		}
		s.wake(ctx, next)
		if next.version == c.version {
			return nil
		}
	}
	return nil
}

// tick does the first thing that is due.
func (s *Service) tick(ctx context.Context, c Closure) (Closure, error) {
	now := s.now()
	switch {
	case c.Status == Asked && !now.Before(c.LapseAt):
		return s.change(ctx, c.ID, func(d *draft) error {
			if d.Status != Asked || d.at.Before(d.LapseAt) {
				return errUnchanged
			}
			return d.apply(Lapse, byClock)
		})
	case c.Status == Grace && !now.Before(c.ClosesAt):
		return s.change(ctx, c.ID, s.begin(ctx))
	case c.Status == Closing && !now.Before(c.Look):
		return s.look(ctx, c)
	}
	return c, nil
}

// begin opens the work when the time to change one's mind is over.
func (s *Service) begin(ctx context.Context) func(*draft) error {
	return func(d *draft) error {
		if d.Status != Grace || d.at.Before(d.ClosesAt) {
			return errUnchanged
		}
		a, err := s.account(ctx, d.Closure)
		if errors.Is(err, seal.ErrSealed) {
			// Erased meanwhile, by a request of their own: nothing is left to do, and nobody
			// left to do it for.
			d.unpoint()
			if err := d.apply(Begin, byClock); err != nil {
				return err
			}
			return d.apply(Close, byClock)
		}
		if err != nil {
			return err
		}
		return s.open(ctx, d, a)
	}
}

// look closes the closure once the work is done, or notes when to look again.
func (s *Service) look(ctx context.Context, c Closure) (Closure, error) {
	end, err := s.Work.Ending(ctx, c.Work)
	if err != nil {
		return c, err
	}
	if end.Over {
		return s.change(ctx, c.ID, func(d *draft) error {
			if !d.Can(Close) {
				return errUnchanged
			}
			if err := s.endTied(ctx, d); err != nil {
				return err
			}
			d.unpoint()
			return d.apply(Close, bySystem, audit.Fact{Name: factWork, Value: string(d.Work)})
		})
	}
	c.Looks++
	c.Look = s.now().Add(pause(c.Looks))
	next, err := s.keep(ctx, c)
	if errors.Is(err, table.ErrConflict) {
		return c, nil // somebody else looked
	}
	return next, err
}

// endTied notes the end of the account under what the sources tied to it, too: with
// the account's own record gone, no store finds what stays by the address any more.
func (s *Service) endTied(ctx context.Context, d *draft) error {
	if s.Lives == nil {
		return nil
	}
	who, err := s.Work.Verified(ctx, d.Work)
	if err != nil {
		return fmt.Errorf("ask whom closure %s is about: %w", d.ID, err)
	}
	for len(who) > 0 {
		some := who[:min(len(who), together)]
		writes, err := s.Lives.Closing(ctx, some, d.ClosesAt)
		if err != nil {
			return fmt.Errorf("note the end of the account of closure %s: %w", d.ID, err)
		}
		if who = who[len(some):]; len(who) == 0 || len(writes) == 0 {
			d.more = append(d.more, writes...)
			continue
		}
		// Noted before the closure is over: what is noted already is not noted again.
		if err := s.Table.Commit(ctx, table.NewID(), writes...); err != nil {
			return fmt.Errorf("note the end of the account of closure %s: %w", d.ID, err)
		}
	}
	return nil
}

// together is of how many identities one commit notes the end: it takes a hundred writes.
const together = 20

// forgetAgain is when it is tried again to forget a closure that a hold keeps.
const forgetAgain = 24 * time.Hour

// forget removes the record at the end of its retention, unless the person is held. Its
// audit entries have a period of their own.
func (s *Service) forget(ctx context.Context, c Closure) error {
	fences, err := hold.Purging(ctx, s.Table, c.Identifiers)
	switch {
	case errors.Is(err, hold.ErrHeld):
		c.Forget = s.now().Add(forgetAgain)
		_, err = s.keep(ctx, c)
	case err == nil:
		err = s.Table.Commit(ctx, table.NewID(), append(fences, table.Delete(c.ID.Ref(), table.Version(c.version)))...)
	}
	if errors.Is(err, table.ErrConflict) {
		return nil // changed or already gone: the next look decides
	}
	return err
}
