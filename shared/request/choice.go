package request

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

// ErrObeyed is that a choice cannot be refused any more.
var ErrObeyed = fault.New(fault.Conflict, "choice_told", "A source was told of this choice, or may have been, and obeys it: it is too late to deny it. The person can switch it off on the page of their choices.")

// effect returns the stops that a right puts on a person, the one that ends with
// the request first. withdraw_consent puts none: it withdraws.
func effect(right policy.Right) (stops []policy.Stop, ok bool) {
	switch right {
	case policy.OptOutSale:
		return []policy.Stop{policy.SaleOptOut}, true
	case policy.LimitSensitive:
		return []policy.Stop{policy.SensitiveLimit}, true
	case policy.WithdrawConsent:
		return nil, true
	case policy.Objection:
		// Against marketing nothing can be weighed (GDPR Article 21(3)): that part of an
		// objection stands however the rest of it ends.
		return []policy.Stop{policy.Objected, policy.MarketingOptOut}, true
	case policy.Restriction:
		return []policy.Stop{policy.Restricted}, true
	case policy.Access, policy.Portability, policy.Know, policy.Rectification, policy.Erasure,
		policy.Challenge, policy.Complaint, policy.Appeal, policy.AccountClosure, policy.RetentionEnd:
	}
	return nil, false
}

// who returns the identities for which a choice takes effect: the address, and the
// account that the company's app vouched for. There is none once they were erased.
func (s *Service) who(ctx context.Context, r Request) ([]personal.Identity, error) {
	p, subject, err := s.person(ctx, r)
	if errors.Is(err, seal.ErrSealed) {
		return nil, nil
	}
	if err != nil {
		return nil, unavailable(err)
	}
	return s.identities(r, p, subject)
}

// take lets what was asked for take effect in the commit that r is saved with, and
// returns what the audit is to know of that.
func (s *Service) take(ctx context.Context, r *Request, who []personal.Identity) ([]audit.Fact, error) {
	stops, ok := effect(r.Right)
	if !ok || s.Choices == nil {
		return nil, nil
	}
	wanted := strings.Join(r.Purposes, " ")
	on := map[policy.Stop]bool{}
	for _, stop := range stops {
		on[stop] = true
		wanted = strings.TrimSpace(wanted + " " + string(stop))
	}
	changed, err := s.set(ctx, r, who, on)
	if err != nil {
		return nil, err
	}
	own := changed && r.Right != policy.Restriction // which nothing of the request's takes off
	if own && len(stops) > 1 {
		// Of two stops the other one alone may be new. This asks last: what comes in
		// between makes the commit conflict.
		alone := *r
		if own, err = s.set(ctx, &alone, who, map[policy.Stop]bool{stops[0]: true}); err != nil {
			return nil, err
		}
	}
	if own {
		r.Switched = s.now()
	}
	name := "switched_on"
	switch {
	case !changed:
		name = "stood_already"
	case len(stops) == 0:
		name = "withdrawn"
	}
	if wanted == "" {
		wanted = "everything"
	}
	return []audit.Fact{{Name: name, Value: wanted}}, nil
}

// restrict lets a restriction take effect with the answer that grants it. Lifting it
// (GDPR Article 18(3)) has no route: a person at the company has to tell the person
// first, and nothing here lets them.
func (s *Service) restrict(ctx context.Context, r *Request) ([]audit.Fact, error) {
	if r.Right != policy.Restriction {
		return nil, nil
	}
	who, err := s.who(ctx, *r)
	if err != nil {
		return nil, err
	}
	return s.take(ctx, r, who)
}

// object lets an objection take effect as soon as it is known whose it is.
func (s *Service) object(ctx context.Context, r *Request) ([]audit.Fact, error) {
	if r.Right != policy.Objection || r.Status != Unverified {
		return nil, nil
	}
	who, err := s.who(ctx, *r)
	if err != nil {
		return nil, err
	}
	return s.take(ctx, r, who)
}

// undo takes off, in the commit that r is saved with, the stop that the request put
// on. One that stood before is not its own to take off; what was withdrawn stays so.
func (s *Service) undo(ctx context.Context, r *Request) ([]audit.Fact, error) {
	stops, _ := effect(r.Right)
	if len(stops) == 0 || r.Switched.IsZero() || s.Choices == nil {
		return nil, nil
	}
	who, err := s.who(ctx, *r)
	if err != nil {
		return nil, err
	}
	if changed, err := s.set(ctx, r, who, map[policy.Stop]bool{stops[0]: false}); err != nil || !changed {
		return nil, err
	}
	return []audit.Fact{{Name: "switched_off", Value: string(stops[0])}}, nil
}

// set adds to r's commit what puts stops on, or takes them off, for identities. Two
// of them that are known to be one person have the same items, which a commit names
// once.
func (s *Service) set(ctx context.Context, r *Request, who []personal.Identity, stops map[policy.Stop]bool) (changed bool, err error) {
	r.also = slices.Clone(r.also)
	for _, i := range who {
		writes, err := s.Choices.Stopping(ctx, i, stops, r.Purposes, string(r.ID))
		if err != nil {
			return false, unavailable(fmt.Errorf("switch for request %s: %w", r.ID, err))
		}
		if !slices.ContainsFunc(writes, func(w table.Write) bool {
			return slices.ContainsFunc(r.also, func(x table.Write) bool { return x.Ref == w.Ref })
		}) {
			r.also = append(r.also, writes...)
		}
		// Without an entry a stop goes on to stand: for another request.
		changed = changed || slices.ContainsFunc(writes, func(w table.Write) bool { return w.Ref.Table == table.Audit })
	}
	return changed, nil
}

// deniable returns why a choice cannot be denied now, nil if it can. A source that was
// told of it, or may have been, would go on obeying.
func (s *Service) deniable(r Request) error {
	told := func(st Step) bool { return st.Calls > 0 || st.Tries > 0 && st.Fault == "unreachable" }
	switch {
	case !r.Right.Unverified():
		return nil
	case slices.ContainsFunc(r.Steps, told):
		return ErrObeyed
	case r.Lease.Until.After(s.now()):
		return ErrBusy // one is being told
	}
	return nil
}

// choiceSteps plans the telling of a choice: one step for each source that hears of it.
func choiceSteps(p *policy.Policy, right policy.Right) []Step {
	var steps []Step
	for _, src := range p.Sources {
		if slices.Contains(src.Hears, right) {
			steps = append(steps, Step{Source: src.ID, Verb: DoChoose, State: Planned})
		}
	}
	return steps
}

// choose tells a source what the person chose.
//
// The address that it is told was proven by nobody: before an opt-out the law
// forbids asking for proof (11 CCR 7060(b)). So anybody can opt anybody out, here
// and in every source that hears of it. That is accepted: it discloses nothing,
// destroys nothing, and its owner, who is mailed, can switch it off again.
func (w worker) choose(ctx context.Context) (result, error) {
	ids, known := w.ids, true
	if len(ids) == 0 {
		var err error
		if ids, known, err = w.bound(ctx); err != nil {
			return result{}, err
		}
	}
	switch {
	case len(ids) == 0 && known:
		return w.over(Nothing, func(*Step) {}), nil
	case len(ids) == 0:
		// The source knows people by what nobody can tell us. A choice is not dropped
		// for that: a person passes it on.
		days := taskDays(w.s.Policy, w.r.Right)
		return w.over(Waiting, func(s *Step) { s.Verb, s.Due = DoByHand, w.s.now().AddDate(0, 0, days) }), nil
	}
	call := w.call("choose")
	for _, i := range ids { // told of somebody else it is another call
		call.Key = w.s.callKey(w.r.ID, call.Key, string(i.Kind), i.Reveal())
	}
	done, err := w.src.Execute(ctx, source.Order{
		Verb: source.Choose, Identities: ids, Until: later(w.r.Switched, w.r.Received),
		Choice: source.Choice{Right: string(w.r.Right), Purposes: w.r.Purposes, On: true}, Call: call,
	})
	if err != nil {
		return result{}, err
	}
	if !done.Done {
		return w.idle(), nil
	}
	res := w.over(Done, func(s *Step) {
		s.Done = done.Removed
		s.Calls++
	})
	res.effect = true
	return res, nil
}

// bound asks the sources that tie what we were given to what the step's source knows
// people by, each for one record; known says that there is such a source. Nothing of
// the answer is kept or shown: the address is unproven.
func (w worker) bound(ctx context.Context) (ids []personal.Identity, known bool, err error) {
	all, err := w.s.identities(w.r, w.person, w.subject)
	if err != nil {
		return nil, false, err
	}
	for _, decl := range w.s.Policy.Sources {
		src, reached := w.s.Sources[decl.ID]
		who := w.s.known(decl.ID, all)
		if !reached || decl.Role != policy.AsController || len(who) == 0 || len(w.s.known(w.step.Source, ties(decl))) == 0 {
			continue
		}
		known = true
		call := w.call("tie")
		call.Key = w.s.callKey(w.r.ID, call.Key, decl.ID)
		found, err := src.Find(ctx, source.Ask{Identities: who, Limit: 1, Call: call})
		if err != nil {
			return nil, false, err
		}
		for _, i := range w.s.known(w.step.Source, found.Ties) {
			if !slices.Contains(ids, i) {
				ids = append(ids, i)
			}
		}
	}
	return ids, known, nil
}

// ties lists the kinds of identity that a source may tie to one it is asked by.
func ties(src policy.Source) (kinds []personal.Identity) {
	for _, kind := range src.HTTP.Ties {
		kinds = append(kinds, personal.Identity{Kind: kind})
	}
	for _, tie := range src.DynamoDB.Ties {
		kinds = append(kinds, personal.Identity{Kind: tie.Identity})
	}
	return kinds
}

// checkPurposes refuses what nobody can withdraw.
func (s *Service) checkPurposes(sub *Submission, wrong func(pointer, text string)) {
	if len(sub.Purposes) > 0 && sub.Right != policy.WithdrawConsent {
		wrong("/purposes", "goes with the right withdraw_consent only")
		return
	}
	if len(sub.Purposes) > maxPurposes {
		wrong("/purposes", fmt.Sprintf("must have at most %d entries", maxPurposes))
		return
	}
	for i, purpose := range sub.Purposes {
		rule, ok := s.Policy.Consent(purpose)
		switch pointer := fmt.Sprintf("/purposes/%d", i); {
		case !ok:
			wrong(pointer, "must be a purpose that people choose about; GET /v1/choices lists them")
		case rule.Required:
			wrong(pointer, "cannot be refused while the service is used: "+rule.Loss.In(sub.Locale))
		}
	}
	sub.Purposes = slices.Compact(slices.Sorted(slices.Values(sub.Purposes)))
}

const maxPurposes = 100

// SubmitVerified stores a request of somebody who is signed in to the company's
// app, which vouches for the address and the account: it waits for no proof. The
// token that it returns follows the request. Repeated with the same key it answers
// as it did the first time.
func (s *Service) SubmitVerified(ctx context.Context, app string, sub Submission) (Receipt, Proven, error) {
	sub.app, sub.By, sub.From, sub.Channel, sub.Received = app, ByApp+":"+app, "", "", time.Time{}
	r, err := s.submit(ctx, sub)
	if err != nil {
		return Receipt{}, Proven{}, err
	}
	return s.receipt(r), s.proven(r, Replay{Status: Open, N: 1, At: r.Received}), nil
}
