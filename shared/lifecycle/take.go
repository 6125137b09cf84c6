package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/intake"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

const (
	// ahead is how much the clock of whoever tells may be ahead of ours.
	ahead = 5 * time.Minute
	// workDays is by when work is done that no promise dates.
	workDays = 30
)

// earliest is the first instant that an event can be of: what is older is a program's
// way of saying that it does not know.
var earliest = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)

// Take notes events that happened, by the app that tells them, in their order. If it
// fails some may be noted; all of them can be sent again.
func (s *Service) Take(ctx context.Context, by string, events []Event) ([]Result, error) {
	if len(events) == 0 || len(events) > MaxEvents {
		return nil, fault.Input(fault.Field{Pointer: "/events", Text: fmt.Sprintf("must have 1 to %d events", MaxEvents)})
	}
	var bad []fault.Field
	for i, e := range events {
		bad = append(bad, s.problems(fmt.Sprintf("/events/%d", i), e)...)
	}
	if len(bad) > 0 {
		return nil, fault.Input(bad...)
	}
	results := make([]Result, 0, len(events))
	for _, e := range events {
		r, err := s.take(ctx, by, e)
		if err != nil {
			return nil, unavailable(err)
		}
		results = append(results, r)
	}
	return results, nil
}

// problems says what is wrong with an event that stands at a pointer.
func (s *Service) problems(at string, e Event) []fault.Field {
	var bad []fault.Field
	wrong := func(field, text string) { bad = append(bad, fault.Field{Pointer: at + field, Text: text}) }
	if !slices.Contains(Types, e.Type) {
		wrong("/type", "must be one of: "+list(Types))
		return bad
	}
	if e.Type != RecordCreated || e.Who != (personal.Identity{}) {
		if e.Who.Kind == "" || e.Who.Reveal() == "" {
			wrong("/subject", "must have a type and a value")
		}
	}
	switch {
	case e.At.IsZero() || e.At.Before(earliest):
		wrong("/at", "must be the time at which it happened, such as 2026-05-01T09:30:00Z")
	case e.At.After(s.now().Add(ahead)):
		wrong("/at", "must not be in the future")
	}
	switch e.Type {
	case RelationshipStarted, RelationshipEnded:
		if _, ok := s.Policy.Relationships[e.Relationship]; !ok {
			wrong("/relationship", "must be one of the policy's relationships")
		}
	case PurposeEnded:
		if _, ok := s.Policy.Consent(e.Purpose); !ok {
			wrong("/purpose", "must be a purpose of the policy that people choose about")
		}
	case RecordCreated:
		bad = append(bad, s.misplaced(at, e)...)
	case AccountOpened, AccountClosed:
	}
	return bad
}

// misplaced says what is wrong with where a record is said to be. A source that the
// policy does not declare is refused: nobody could answer for what it holds.
func (s *Service) misplaced(at string, e Event) []fault.Field {
	src, ok := s.Policy.Source(e.Source)
	if !ok {
		return []fault.Field{{Pointer: at + "/source", Text: "must be one of the policy's sources"}}
	}
	if _, ok := src.Holding(e.Category); !ok {
		return []fault.Field{{Pointer: at + "/category", Text: "must be a category that the policy says this source holds"}}
	}
	if e.Channel == "" {
		if len(e.Fields) > 0 {
			return []fault.Field{{Pointer: at + "/channel", Text: "is required with fields; it says what of them is needed"}}
		}
		return nil
	}
	in, ok := s.Policy.IntakeChannel(e.Channel)
	if !ok || in.Category != e.Category || s.Intake == nil {
		return []fault.Field{{Pointer: at + "/channel", Text: "must be an intake channel of the policy, for this category"}}
	}
	return nil
}

func list(types []Type) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = string(t)
	}
	return strings.Join(names, ", ")
}

func (s *Service) take(ctx context.Context, by string, e Event) (Result, error) {
	if e.Type == RecordCreated {
		return s.filter(ctx, e)
	}
	r := Result{ID: e.ID}
	e.At = e.At.UTC().Truncate(time.Millisecond)
	err := s.change(ctx, s.Keys.Ring.Identifier(e.Who), func(d *draft) error {
		r.Work = ""
		if r.Became = d.apply(e); r.Became != Noted {
			return errUnchanged
		}
		if err := s.know(ctx, &d.Life, e.Who); err != nil {
			return err
		}
		d.Look = time.Time{}
		about := []audit.Fact{{Name: factApp, Value: by}}
		opens, err := s.opens(ctx, e)
		if err != nil {
			return err
		}
		if opens {
			if r.Work, err = s.close(ctx, d, e.Who); err != nil {
				return err
			}
			about = append(about, audit.Fact{Name: factWork, Value: string(r.Work)})
		}
		s.settle(d)
		d.enter("app:"+by, string(e.Type), about...)
		return nil
	})
	if err != nil {
		return Result{}, err
	}
	s.wake(ctx, r.Work)
	return r, nil
}

// apply makes what an event tells part of a life.
func (d *draft) apply(e Event) Became {
	var became Became
	switch e.Type {
	case AccountOpened:
		d.Account, became = d.Account.begin(e.At)
	case AccountClosed:
		d.Account, became = d.Account.end(e.At)
	case RelationshipStarted, RelationshipEnded:
		span := d.Relationships[e.Relationship]
		if e.Type == RelationshipStarted {
			span, became = span.begin(e.At)
		} else {
			span, became = span.end(e.At)
		}
		if became == Noted {
			if d.Relationships == nil {
				d.Relationships = map[string]Span{}
			}
			d.Relationships[e.Relationship] = span
		}
	case PurposeEnded:
		became = d.chose(e.Purpose, Agreed{At: e.At, Ends: e.At})
	case RecordCreated: // nothing is noted of it
	}
	return became
}

// chose notes until when somebody agreed to a purpose, unless something later is known.
func (d *draft) chose(purpose string, a Agreed) Became {
	switch was := d.Purposes[purpose]; {
	case !was.At.IsZero() && was.Ends.Equal(a.Ends):
		return Repeated
	case !a.At.After(was.At):
		return Superseded
	}
	if d.Purposes == nil {
		d.Purposes = map[string]Agreed{}
	}
	d.Purposes[purpose] = a
	return Noted
}

// opens reports whether an event leaves work to open at once. Where somebody has closed
// their account with us, and can still take that back, an app that tells of the same
// must not take the time from them.
func (s *Service) opens(ctx context.Context, e Event) (bool, error) {
	if e.Type != AccountClosed || !s.Policy.Closure.Offered {
		return false, nil
	}
	if s.Underway == nil {
		return true, nil
	}
	underway, err := s.Underway(ctx, e.Who)
	if err != nil {
		return false, fmt.Errorf("ask whether an account is closing: %w", err)
	}
	return !underway, nil
}

// close opens the work that a closed account leaves, in the commit that notes it. Who
// tells of it has closed the account itself: there is nothing left to take back.
func (s *Service) close(ctx context.Context, d *draft, who personal.Identity) (request.ID, error) {
	d.Works++
	o := request.Opening{
		From: fmt.Sprintf("%s/%d", d.chain(), d.Works), Right: policy.AccountClosure, Who: []personal.Identity{who},
		RespondBy: d.at.AddDate(0, 0, s.Policy.Closure.ErasedWithin),
	}
	if e, ok := personal.ParseEmail(who.Reveal()); ok && who.Kind == personal.KindEmail {
		o.Email = e
	}
	writes, id, err := s.Work.Opening(ctx, o)
	if err != nil {
		return "", fmt.Errorf("open the work of a closed account: %w", err)
	}
	d.more = append(d.more, writes...)
	return id, nil
}

// filter lets in of a record what its channel needs.
func (s *Service) filter(ctx context.Context, e Event) (Result, error) {
	r := Result{ID: e.ID, Became: Filtered}
	if e.Channel == "" {
		return r, nil
	}
	taken, err := s.Intake.Take(ctx, e.Channel, []map[string]any{e.Fields})
	if err != nil {
		if errors.Is(err, intake.ErrBusy) {
			return Result{}, ErrBusy.Because(err)
		}
		return Result{}, err
	}
	r.Kept, r.Dropped, r.Err = taken[0].Kept, taken[0].Dropped, taken[0].Err
	return r, nil
}

// Closing returns the writes that note the end of the account that is known by these
// identities, for the commit of whatever closes it. What that leaves to do is opened
// there; here begin the periods of what stays.
func (s *Service) Closing(ctx context.Context, who []personal.Identity, at time.Time) ([]table.Write, error) {
	var all []table.Write
	seen := map[seal.Identifier]bool{}
	for _, i := range who {
		id := s.Keys.Ring.Identifier(i)
		if seen[id] {
			continue // one item, one write of a commit
		}
		seen[id] = true
		l, err := s.load(ctx, id)
		if err != nil && !errors.Is(err, errLost) {
			return nil, err
		}
		if l.version == 0 && !s.waits(policy.WhenAccountClosed) {
			continue
		}
		d := &draft{Life: l, at: s.now()}
		if d.apply(Event{Type: AccountClosed, At: at.UTC().Truncate(time.Millisecond)}) != Noted {
			continue
		}
		if err := s.know(ctx, &d.Life, i); err != nil {
			return nil, err
		}
		d.Look = time.Time{}
		s.settle(d)
		d.enter("closure", string(AccountClosed))
		writes, err := s.writes(d)
		if err != nil {
			return nil, err
		}
		all = append(all, writes...)
	}
	return all, nil
}

// Chose notes until when somebody has agreed to a purpose: zero, it goes on; otherwise
// when it ended or is going to. An earlier choice than the one that is known changes
// nothing, and neither does a repetition.
func (s *Service) Chose(ctx context.Context, who personal.Identity, purpose string, at, ends time.Time) error {
	at, ends = at.UTC().Truncate(time.Millisecond), ends.UTC().Truncate(time.Millisecond)
	return s.change(ctx, s.Keys.Ring.Identifier(who), func(d *draft) error {
		if d.chose(purpose, Agreed{At: at, Ends: ends}) != Noted {
			return errUnchanged
		}
		if err := s.know(ctx, &d.Life, who); err != nil {
			return err
		}
		d.Look = time.Time{}
		s.settle(d)
		d.enter("consent", "chose", audit.Fact{Name: "purpose", Value: purpose})
		return nil
	})
}

// waits reports whether a period of the policy begins with an occasion.
func (s *Service) waits(o policy.Occasion) bool {
	return slices.ContainsFunc(s.Policy.RetentionRules, func(r policy.RetentionRule) bool { return r.Trigger == o })
}
