package restore

import (
	"context"
	"errors"
	"fmt"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/source"
)

// sources erases again, page by page, what a place of the ledger holds of those who
// were erased from it: the source was restored or re-imported itself, perhaps.
func (s *Service) sources(ctx context.Context, r Run) (Run, error) {
	if r.At >= len(r.Places) {
		r.Phase, r.Cursor = Ended, ""
		return r, nil
	}
	p := r.Places[r.At]
	if n := len(r.Report.Sources); n == 0 || r.Report.Sources[n-1].Place != p {
		r.Report.Sources = append(r.Report.Sources, Swept{Place: p})
	}
	swept := &r.Report.Sources[len(r.Report.Sources)-1]
	w, err := s.walk(ctx, p, r.Cursor)
	if errors.Is(err, ErrByHand) {
		swept.ByHand = true
		r.At, r.Cursor = r.At+1, ""
		return r, nil
	}
	if err != nil {
		return r, fmt.Errorf("walk %s of %s: %w", p.Category, p.Source, err)
	}
	swept.Seen += w.Seen
	swept.Erased += w.Erased
	swept.Held += w.Held
	if r.Cursor = w.Cursor; r.Cursor == "" {
		r.At++
	}
	return r, nil
}

func (s *Service) walk(ctx context.Context, p Place, cursor string) (Walked, error) {
	decl, known := s.Policy.Source(p.Source)
	if _, holds := decl.Holding(p.Category); s.Sources == nil || s.Ledger == nil || !known || !holds || decl.Role != policy.AsController {
		return Walked{}, ErrByHand
	}
	graves := map[personal.Identity]Grave{}
	return s.Sources.Walk(ctx, p, cursor, func(rec source.AgedRecord) (bool, error) {
		for _, who := range rec.Who {
			g, asked := graves[who]
			if !asked {
				var err error
				if g, _, err = s.Ledger.Grave(ctx, who); err != nil {
					return false, err
				}
				graves[who] = g
			}
			if g.Erased(p, rec.At) {
				return true, nil
			}
		}
		return false, nil
	})
}
