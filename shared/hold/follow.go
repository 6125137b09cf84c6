package hold

import (
	"context"
	"errors"
	"slices"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/table"
)

// Following returns the writes that let an automatic hold be as a request wants it:
// placed, widened, ended; none if it is so already. They belong into the commit of
// the request's own change, which is decided again when they conflict. A hold that
// an operator released stays released.
func (s *Service) Following(ctx context.Context, f Following) ([]table.Write, error) {
	id := s.derive("following", f.Request)
	h, err := s.load(ctx, id)
	now, commit := s.now(), table.NewID()
	f.Until = f.Until.UTC().Truncate(time.Millisecond)
	if errors.Is(err, ErrNotFound) {
		if f.Over || !f.Until.IsZero() && !f.Until.After(now) {
			return nil, nil
		}
		h := Hold{
			ID: id, Scope: OnPerson, Identifiers: unique(f.Identifiers), Basis: f.Basis, Article: f.Article,
			Owner: ByPolicy, Until: f.Until, Status: Placing, Placed: now, Since: now, Settles: now.Add(Lease + margin),
			Automatic: true, For: f.Request, Spares: f.Spares,
		}
		_, writes, err := s.writes(ctx, commit, h, audit.Entry{Chain: id.Chain(), At: now, Actor: ByPolicy, Action: string(Place), Facts: h.facts()})
		return writes, err
	}
	if err != nil || h.Status == Released {
		return nil, err
	}
	before := h
	h.Identifiers, h.Until = unique(append(slices.Clone(h.Identifiers), f.Identifiers...)), f.Until
	var e audit.Entry
	switch {
	case f.Over:
		h, e, err = s.release(before, ByPolicy, "over")
	case len(h.Identifiers) > len(before.Identifiers) && len(h.Identifiers) <= maxIdentities:
		h, e, err = h.Apply(Widen, ByPolicy, now)
	case !h.Until.Equal(before.Until):
		h.Identifiers = before.Identifiers
		h, e, err = h.Apply(Review, ByPolicy, now)
	default:
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	_, writes, err := s.writes(ctx, commit, h, e)
	return writes, err
}
