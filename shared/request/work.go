package request

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/hold"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

const (
	// leaseFor is how long a worker may take for one page. A hook is cut off after
	// half of it, so that an answer never arrives when somebody else has taken over.
	leaseFor = hold.Lease
	callFor  = leaseFor / 2
	// PageTime is how long one page of work may go on after its context has ended.
	PageTime = callFor + 5*time.Second
	// maxTries is how often a step fails before an operator has to look: with the
	// pauses of table.Backoff, after about four hours.
	maxTries = 8
	// stragglers is how long after the end of a request a worker may still put
	// something away that it had begun: longer than any function runs.
	stragglers = 10 * time.Minute
)

// result is what a piece of work changes. It is applied to the request as it is
// by then: the person may have revoked or stepped up in the meantime.
type result struct {
	apply  func(Request) (Request, error)
	action Action // of the audit entry; empty: progress only
	facts  []audit.Fact
	say    []mail.Kind
	more   []table.Write
	effect bool // a store was changed: that is kept even of a request that is over by now
	// also takes effect with it, and is decided on the version that is saved.
	also func(context.Context, *Request) ([]audit.Fact, error)
}

// Work works off the plan of a request until nothing can be done now, or the
// context ends. The page under way is then still finished: whoever ends the
// context leaves PageTime for it. Two workers may be called at once, and the same
// call may come twice: a lease lets one of them work, the other leaves at once.
func (s *Service) Work(until context.Context, id ID) error {
	ctx := context.WithoutCancel(until)
	r, err := s.load(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil // its retention is over; the message was late
	}
	if err != nil {
		return err
	}
	token := string(table.NewID())
	for until.Err() == nil {
		u, ok := r.unit()
		now := s.now()
		if !ok || u.at.After(now) || r.Lease.Token != token && r.Lease.Until.After(now) {
			break
		}
		r, err = s.claim(ctx, r, u, token, now)
		if errors.Is(err, table.ErrConflict) {
			// Somebody else changed the request, or a hold was placed: look again.
			if r, err = s.load(ctx, id); err != nil {
				return err
			}
			if r.Lease.Token != token && r.Lease.Until.After(now) {
				return nil
			}
			continue
		}
		if errors.Is(err, hold.ErrHeld) {
			if r, err = s.postpone(ctx, r, u, hold.Blocking(err)); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		res, err := s.do(ctx, r, u)
		if err != nil {
			return err
		}
		if r, err = s.finish(ctx, r, res); err != nil || r.Status.Final() {
			return err
		}
		if r.Lease.Token != token && r.Lease.Until.After(s.now()) {
			return nil // another worker took over
		}
	}
	return s.release(ctx, r, token)
}

// claim takes or renews the lease. Before a destructive page it also checks the
// fences, so that a hold placed since fails this commit and not the deletion, and
// notes the page, so that a hold can tell what went while it was placed.
func (s *Service) claim(ctx context.Context, r Request, u unit, token string, now time.Time) (Request, error) {
	var checks []table.Write
	if u.kind == unitAccept || u.kind == unitEnd || u.kind == unitFinish && !exports(r.Right) {
		return r, nil // a decision, not an effect: its own commit lets one worker make it
	}
	if u.kind == unitStep && r.Steps[u.index].Verb.destructive() && !r.destroys(u) {
		var err error
		if r.held, err = hold.Items(ctx, s.Table, r.Steps[u.index].Source, r.Steps[u.index].Category); err != nil {
			return r, err
		}
	}
	until := now.Add(leaseFor).Truncate(time.Millisecond)
	if r.destroys(u) {
		var err error
		if r, checks, err = s.page(ctx, r, u.index, now, until); err != nil {
			return r, err
		}
	} else if r.Lease.Token == token && r.Lease.Until.Sub(now) > callFor && (r.Parts || !r.gathers(u)) {
		return r, nil
	}
	// That objects are kept is known before the first one is: should the request
	// be revoked just then, somebody still comes to erase them.
	r.Parts = r.Parts || r.gathers(u)
	r.Lease = Lease{Token: token, Until: until}
	return s.keep(ctx, r, checks...)
}

// gathers reports whether a piece of work keeps objects for a package.
func (r Request) gathers(u unit) bool {
	return exports(r.Right) && (u.kind == unitFinish || u.kind == unitStep && r.Steps[u.index].Verb == DoExport)
}

// release gives the lease back, so that the next worker need not wait for its end.
func (s *Service) release(ctx context.Context, r Request, token string) error {
	if r.Lease.Token != token {
		return nil
	}
	r.Lease = Lease{}
	_, err := s.keep(ctx, r)
	if errors.Is(err, table.ErrConflict) {
		return nil // somebody else is at it; the lease ends by itself
	}
	return err
}

// finish commits what a piece of work came to, on the newest version of the
// request. Work on a request that is over by now, or that another worker took
// over, is dropped: its effects stand in the stores, where a repetition finds
// them done. Only what was destroyed while the request was closed is still counted.
func (s *Service) finish(ctx context.Context, r Request, res result) (Request, error) {
	commit, held := table.NewID(), r.Lease.Token
	for try := range conflictTries {
		next, err := res.apply(r)
		if err != nil {
			return r, err
		}
		var facts []audit.Fact
		if res.also != nil {
			if facts, err = res.also(ctx, &next); err != nil {
				return r, err
			}
		}
		if res.action == "" {
			next, err = s.keep(ctx, next, res.more...)
		} else {
			var e audit.Entry
			if next, e, err = next.Apply(res.action, BySystem, s.now(), slices.Concat(res.facts, facts)...); err == nil {
				if res.action == Accept {
					e.Actor = ByPolicy
				}
				next, err = s.save(ctx, commit, next, e, res.say, res.more...)
			}
		}
		if err == nil {
			return next, nil
		}
		if !errors.Is(err, table.ErrConflict) {
			return r, err
		}
		if err := table.Sleep(ctx, table.Pause(try)); err != nil {
			return r, err
		}
		if r, err = s.load(ctx, r.ID); err != nil {
			return r, err
		}
		switch {
		case r.Status.Final() && res.effect:
			res.action = ""
		case r.Status.Final() || r.Lease.Token != held || res.action != "" && !r.Can(res.action):
			return r, nil
		}
	}
	return r, ErrBusy
}

// do is one piece of work: the call to a store, or a decision. An error means
// that not even its failure could be recorded; it is then done again.
func (s *Service) do(ctx context.Context, r Request, u unit) (result, error) {
	switch u.kind {
	case unitAccept:
		return s.accept(), nil
	case unitEnd:
		return s.ends(), nil
	case unitLook:
		return s.look(ctx, r, u.index)
	case unitStep:
		return s.step(ctx, r, u.index)
	case unitFinish:
		return s.answer(ctx, r)
	}
	return result{}, fmt.Errorf("request %s: no such work", r.ID)
}

// accept is the policy taking a request on, without an operator.
func (s *Service) accept() result {
	return result{action: Accept, apply: func(r Request) (Request, error) { return s.begin(r), nil }}
}

// begin lays out the first work on an accepted request.
func (s *Service) begin(r Request) Request {
	rule := s.Policy.Rights[r.Right]
	if rule.Cooling > 0 {
		r.Start = later(r.Proof.At, r.Received).Add(rule.Cooling)
	}
	if len(r.Looks) == 0 {
		if r.Looks = lookAt(s.Policy, r); len(r.Looks) > 0 {
			r.Cutoff = s.now()
		}
	}
	if len(r.Looks) == 0 {
		r.Steps = planSteps(s.Policy, r, nil, nil, s.now())
	}
	return r
}

// step does one page of a step.
func (s *Service) step(ctx context.Context, r Request, index int) (result, error) {
	step := r.Steps[index]
	src, ok := s.Sources[step.Source]
	if !ok {
		return s.failed(r.ID, index, fmt.Errorf("%w: the policy in force has no source %s", source.ErrRefused, step.Source)), nil
	}
	p, subject, err := s.person(ctx, r)
	if errors.Is(err, seal.ErrSealed) {
		return s.failed(r.ID, index, errUnreadable), nil
	}
	if err != nil {
		return result{}, err
	}
	ids, err := s.identities(r, p, subject)
	if err != nil {
		return result{}, err
	}
	w := worker{s: s, r: r, index: index, step: step, src: src, ids: s.known(step.Source, ids), person: p, subject: subject}
	ctx, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	var res result
	switch {
	case step.State == Looking:
		res, err = w.again(ctx)
	case step.Verb == DoExport:
		res, err = w.export(ctx)
	case step.Verb == DoChoose:
		res, err = w.choose(ctx)
	default:
		res, err = w.execute(ctx)
	}
	if err != nil {
		// Whatever it was: what is not recorded is tried again without a pause and
		// seen by no operator.
		return s.failed(r.ID, index, err), nil
	}
	return res, nil
}

// failed records that a step could not go on: to be tried again, or, when that
// is useless or was done often enough, to be mended by an operator.
func (s *Service) failed(id ID, index int, cause error) result {
	return s.setback(id, cause, "step", index, func(r *Request) (*Attempts, *State) { return &r.Steps[index].Attempts, &r.Steps[index].State })
}

func (s *Service) setback(id ID, cause error, what string, index int, of func(*Request) (*Attempts, *State)) result {
	code := "unreachable"
	if errors.Is(cause, source.ErrRefused) {
		code = "refused"
	}
	if f, ok := errors.AsType[*fault.Error](cause); ok {
		code = f.Code
	}
	if s.Log != nil {
		s.Log.Warn("a piece of work failed", "request", string(id), what, index, "code", code, "err", cause)
	}
	res := result{}
	res.apply = func(r Request) (Request, error) {
		r.Steps, r.Looks = slices.Clone(r.Steps), slices.Clone(r.Looks)
		a, state := of(&r)
		a.Tries++
		a.Fault = code
		a.After = s.now().Add(table.Backoff(a.Tries))
		if code != "unreachable" || a.Tries >= maxTries {
			*state, a.After = Failed, time.Time{}
		}
		return r, nil
	}
	res.action = Work
	res.facts = []audit.Fact{{Name: what, Value: strconv.Itoa(index)}, {Name: "fault", Value: code}}
	return res
}
