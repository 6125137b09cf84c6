package restore

import (
	"context"
	"fmt"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/source"
)

// sources erases again what a place of the ledger holds of those who were erased from
// it: the source was restored or re-imported itself, perhaps. It reports whether the
// run can go on now.
func (s *Service) sources(until context.Context, r Run) (next Run, more bool, err error) {
	if r.At >= len(r.Places) {
		r.Phase = Ended
		return r, true, nil
	}
	p := r.Places[r.At]
	if n := len(r.Report.Sources); n <= r.At {
		r.Report.Sources = append(r.Report.Sources, Swept{Place: p})
	}
	w, err := s.again(until, r, p)
	if err != nil {
		return r, false, fmt.Errorf("erase %s of %s again: %w", p.Category, p.Source, err)
	}
	r.Report.Sources[r.At] = Swept{Place: p, Seen: w.Seen, Erased: w.Erased, Held: w.Held, ByHand: w.ByHand, Fault: w.Fault}
	r.After = w.After
	if w.Over || w.ByHand {
		r.At, r.After = r.At+1, time.Time{}
		return r, true, nil
	}
	return r, false, nil
}

func (s *Service) again(until context.Context, r Run, p Place) (Walked, error) {
	decl, known := s.Policy.Source(p.Source)
	holding, holds := decl.Holding(p.Category)
	if s.Sources == nil || s.Ledger == nil || !known || !holds || decl.Role != policy.AsController {
		return Walked{ByHand: true}, nil
	}
	w := Walking{Run: r.ID + "-" + string(p.Verb), Place: p, Until: s.now(), Pick: func(ctx context.Context, page []source.AgedRecord) ([]bool, error) {
		return s.pick(ctx, p, page)
	}}
	if p.Verb == source.Anonymise {
		w.Masks = holding.Masks
	}
	return s.Sources.Again(until, w)
}

// pick says which records of a page are of somebody who was erased from there later.
func (s *Service) pick(ctx context.Context, p Place, page []source.AgedRecord) ([]bool, error) {
	due := make([]bool, len(page))
	graves := map[personal.Identity]Grave{}
	for i, rec := range page {
		for _, who := range rec.Who {
			g, asked := graves[who]
			if !asked {
				var err error
				if g, _, err = s.Ledger.Grave(ctx, who); err != nil {
					return nil, err
				}
				graves[who] = g
			}
			due[i] = due[i] || g.Again(p, rec.At)
		}
	}
	return due, nil
}
