package request

import (
	"context"
	"fmt"

	"rightsdesk/shared/mail"
	"rightsdesk/shared/table"
)

// answer ends the work: with a package, or with the record of what was done.
func (s *Service) answer(ctx context.Context, r Request) (result, error) {
	if erases(r.Right) {
		return s.erased(ctx, r)
	}
	if !exports(r.Right) {
		say := mail.Fulfilled
		if r.Right.Weighed() {
			say = mail.Decided
		}
		return result{
			action: Fulfil, say: []mail.Kind{say},
			apply: func(r Request) (Request, error) { return r, nil },
			also:  s.restrict,
		}, nil
	}
	key, err := s.makePackage(ctx, r)
	if err != nil {
		return s.notMade(r.ID, err), nil
	}
	return result{
		action: Fulfil, say: []mail.Kind{mail.Ready},
		apply: func(r Request) (Request, error) {
			now := s.now()
			r.Package = &Package{
				Key: key, Until: now.Add(s.Policy.Verification.PackagePeriod),
				Link: Proof{Issued: 1, IssuedAt: now},
			}
			return r, nil
		},
	}, nil
}

// notMade records that a package could not be made, to be tried again.
func (s *Service) notMade(id ID, cause error) result {
	res := s.setback(id, fmt.Errorf("make a package: %w", cause), "package", 0, nil)
	res.apply = func(r Request) (Request, error) {
		r.Making.Tries++
		r.Making.Fault = "unreachable"
		r.Making.After = s.now().Add(table.Backoff(min(r.Making.Tries, maxTries)))
		return r, nil
	}
	return res
}
