package closure

import (
	"context"
	"errors"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/table"
)

func (s *Service) view(c Closure) View {
	return View{
		ID: c.ID, Status: c.Status, Locale: c.Locale, Asked: c.Asked, LapseAt: c.LapseAt, ClosesAt: c.ClosesAt, GoneBy: c.GoneBy, Over: c.Over, Request: c.Work,
		Immediate: c.Status == Asked && s.Policy.Closure.Grace == 0 || !c.ClosesAt.IsZero() && !c.ClosesAt.After(c.Confirmed),
	}
}

// Show shows a closure to who confirmed it.
func (s *Service) Show(ctx context.Context, id ID, token string) (View, error) {
	if err := s.authorize(id, token); err != nil {
		return View{}, err
	}
	c, err := s.load(ctx, id)
	if err != nil {
		return View{}, unavailable(err)
	}
	return s.view(c), nil
}

// Behind returns the closure that a mailed link is about, and what the link does, as
// long as it still does something. It changes nothing.
func (s *Service) Behind(ctx context.Context, token string) (View, Verb, error) {
	t, err := s.ParseToken(token)
	if err != nil {
		return View{}, "", err
	}
	c, err := s.load(ctx, t.ID)
	if errors.Is(err, ErrNotFound) {
		err = ErrLinkGone
	}
	if err != nil {
		return View{}, "", unavailable(err)
	}
	switch t.Verb {
	case ConfirmLink:
		if !c.Can(Confirm) || !s.now().Before(c.LapseAt) {
			return View{}, "", ErrLinkGone
		}
	case CancelLink:
		if !c.Can(Cancel) {
			return View{}, "", ErrLinkGone
		}
	case Session:
		return View{}, "", ErrBadToken
	default:
		return View{}, "", ErrBadToken
	}
	return s.view(c), t.Verb, nil
}

// Standing is what an app shows to who is signed in there: whether their account is
// closing. It costs one read where it is not, and two where it is.
func (s *Service) Standing(ctx context.Context, who personal.Identity) (Banner, bool, error) {
	c, _, err := s.pointed(ctx, s.Keys.Ring.Identifier(who))
	if errors.Is(err, ErrNotFound) {
		return Banner{}, false, nil
	}
	if err != nil {
		return Banner{}, false, unavailable(err)
	}
	b := Banner{View: s.view(c)}
	if c.Status == Grace && s.now().Before(c.ClosesAt) {
		b.Cancel = s.cancelURL(c)
	}
	return b, true, nil
}

// Underway reports whether somebody's account is being closed, be it that they can
// still take that back or that the work goes on.
func (s *Service) Underway(ctx context.Context, who personal.Identity) (bool, error) {
	c, _, err := s.pointed(ctx, s.Keys.Ring.Identifier(who))
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && (c.Status == Grace || c.Status == Closing), unavailable(err)
}

// Heads finds the audit chain of what the due-index leads to, as it is remembered.
func (s *Service) Heads(ctx context.Context, k table.Key) ([]audit.Chain, error) {
	id, ok := IDOf(k)
	if !ok {
		return nil, nil
	}
	c, err := s.load(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil, nil // gone since the index was read
	}
	if err != nil {
		return nil, err
	}
	return []audit.Chain{{Name: id.Chain(), Head: c.Head, Since: c.Asked}}, nil
}
