package request

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"rightsdesk/shared/hold"
	"rightsdesk/shared/law"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

// Holds is where what the law wants kept because of a request is held.
type Holds interface {
	// Following returns the writes that let the hold be as the request wants it; none
	// if it is so already. They belong into the commit of the request's own change,
	// which is decided again when they conflict.
	Following(ctx context.Context, f hold.Following) ([]table.Write, error)
}

// held is the fault of a step that waits for a hold.
const held = "held"

// destroys reports whether a piece of work changes what a store holds. To look again
// whether something was left changes nothing.
func (r Request) destroys(u unit) bool {
	return u.kind == unitStep && r.Steps[u.index].Verb.destructive() && r.Steps[u.index].State != Looking
}

// page claims a page of destructive work: it returns what the page has to leave out,
// on the request, and the writes that go with the claim.
func (s *Service) page(ctx context.Context, r Request, index int, now, until time.Time) (Request, []table.Write, error) {
	ids, err := s.whose(ctx, r)
	if err != nil {
		return r, nil, err
	}
	step := r.Steps[index]
	decl, _ := s.Policy.Source(step.Source)
	r.page = hold.Claimed{
		Owner: hold.ByRequest(string(r.ID)), Source: step.Source, Category: step.Category, Identifiers: ids,
		Corrects: step.Verb == DoCorrect, At: now, Until: until, Count: source.Size(decl.PageSize),
		Page: s.callKey(r.ID, "page", step.Source, step.Category, step.Field, strconv.Itoa(step.Round), strconv.Itoa(step.Calls)),
	}
	var writes []table.Write
	r.held, writes, err = hold.Claim(ctx, s.Table, r.page)
	return r, writes, err
}

// whose returns by which identities a request is about its person, as keyed hashes.
func (s *Service) whose(ctx context.Context, r Request) ([]seal.Identifier, error) {
	ids := append([]seal.Identifier{r.Holder}, r.Tied...)
	if r.Ties != nil && len(r.Tied) == 0 {
		p, subject, err := s.person(ctx, r)
		if errors.Is(err, seal.ErrSealed) {
			return ids, nil // nobody can be found by them any more
		}
		if err != nil {
			return nil, err
		}
		known, err := s.identities(r, p, subject)
		if err != nil {
			return nil, err
		}
		for _, i := range known {
			ids = append(ids, s.Keys.Ring.Identifier(i))
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// postpone puts held work off: a hold is not an error, and its end is not known.
func (s *Service) postpone(ctx context.Context, r Request, u unit, by []hold.ID) (Request, error) {
	next := r
	next.Steps = slices.Clone(r.Steps)
	next.Steps[u.index].waitHeld(s.now())
	waiting, err := hold.Waiting(ctx, s.Table, s.now(), string(r.ID), by...)
	if err != nil {
		return r, err
	}
	next, err = s.keep(ctx, next, waiting...)
	if errors.Is(err, table.ErrConflict) {
		return s.load(ctx, r.ID) // decided again
	}
	return next, err
}

// waitHeld puts the step off until a hold may have been released.
func (s *Step) waitHeld(now time.Time) {
	s.After, s.Fault = now.Add(table.Backoff(maxTries)), held
}

// wait is a step of which nothing is left but what holds keep: it begins anew once
// they may have been released.
func (w worker) wait(ctx context.Context, kept int) (result, error) {
	now := w.s.now()
	waiting, err := hold.Waiting(ctx, w.s.Table, now, string(w.r.ID), w.r.held.By...)
	if err != nil {
		return result{}, err
	}
	res := w.set(func(s *Step) {
		s.State = Planned
		s.Found = max(s.Found, s.Done+kept)
		s.waitHeld(now)
	})
	res.more = waiting
	return res, nil
}

// Unheld lets the work go on that waited for a hold, which was released. Without it,
// the work looks again by itself.
func (s *Service) Unheld(ctx context.Context, request string) error {
	for range conflictTries {
		r, err := s.load(ctx, ID(request))
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		r.Steps = slices.Clone(r.Steps)
		waits := false
		for i := range r.Steps {
			if st := &r.Steps[i]; st.State.running() && st.Fault == held {
				st.Attempts, waits = Attempts{}, true
			}
		}
		if !waits {
			return nil
		}
		r, err = s.keep(ctx, r)
		if err == nil {
			s.wake(ctx, r)
			return nil
		}
		if !errors.Is(err, table.ErrConflict) {
			return err
		}
	}
	return nil
}

// Identifiers returns by whom a request is about its person.
func (s *Service) Identifiers(ctx context.Context, request string) ([]seal.Identifier, error) {
	r, err := s.load(ctx, ID(request))
	if err != nil {
		return nil, err
	}
	return s.whose(ctx, r)
}

// followsAnew is Follows of a request whose hold has to be decided again.
const followsAnew = "?"

// maxKin bounds how many requests of one person are looked at for what else they are
// known by.
const maxKin = 100

// Kin returns what else somebody is known by whom requests know by an identifier.
func (s *Service) Kin(ctx context.Context, id seal.Identifier) ([]seal.Identifier, error) {
	subject, err := s.Keys.Load(ctx, id)
	if errors.Is(err, seal.ErrSealed) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	page, err := s.Table.Query(ctx, table.Query{Table: table.State, Index: table.Subject, Partition: subject.ID, Limit: maxKin})
	if err != nil {
		return nil, fmt.Errorf("find somebody's requests: %w", err)
	}
	var ids []seal.Identifier
	for _, item := range page.Items {
		request, ok := IDOf(item.Key)
		if !ok {
			continue
		}
		r, err := s.load(ctx, request)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !r.Proof.Proven() {
			continue // what nobody proved may be somebody else's
		}
		own, err := s.whose(ctx, r)
		if err != nil {
			return nil, err
		}
		ids = append(ids, own...)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// follow returns the writes that let what the law wants kept because of the request
// be held, if that has changed.
func (s *Service) follow(ctx context.Context, r *Request) ([]table.Write, error) {
	if s.Holds == nil {
		return nil, nil
	}
	f, ok := s.following(*r)
	if !ok {
		return nil, nil
	}
	now := fmt.Sprintf("%d %s %t", len(r.Tied), f.Until.UTC().Format(time.RFC3339), f.Over)
	if now == r.Follows {
		return nil, nil
	}
	var err error
	if f.Identifiers, err = s.whose(ctx, *r); err != nil {
		return nil, err
	}
	writes, err := s.Holds.Following(ctx, f)
	if err == nil {
		r.Follows = now
	}
	return writes, err
}

// following is what has to be kept because of a request: what was asked for, until
// its recourse is over (s. 8(8) PIPEDA), and while somebody disputes something,
// whatever the dispute may be about but the request that it is about itself.
func (s *Service) following(r Request) (hold.Following, bool) {
	recourse, has := law.RecourseOf(s.legalCase(r, s.now()))
	f := hold.Following{Request: string(r.ID), Basis: hold.Recourse, Article: recourse.Article, Spares: string(r.About)}
	switch r.Right {
	case policy.Access, policy.Portability, policy.Know, policy.Rectification:
		if !has {
			return f, false
		}
	case policy.Challenge, policy.Complaint, policy.Appeal:
		f.Basis = hold.Dispute
	case policy.Erasure, policy.Restriction, policy.Objection, policy.OptOutSale, policy.LimitSensitive,
		policy.WithdrawConsent, policy.AccountClosure, policy.RetentionEnd:
		return f, false
	}
	switch r.Status {
	case Unverified:
		return f, false
	case Open, InProgress:
		return f, r.Proof.Proven()
	case Fulfilled, Denied:
		f.Until, f.Over = recourse.Until, !has
	case Revoked, Expired:
		f.Over = true
	}
	return f, r.Proof.Proven()
}
