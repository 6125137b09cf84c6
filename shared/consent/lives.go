package consent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
)

// toLives stands in a Telling where the name of a source does: Lives is told. No
// source can be called so.
const toLives = "(lifecycle)"

// ending reports whether the end of a purpose ends what is held for it: a retention
// rule waits for it.
func ending(p *policy.Policy, purpose string) bool {
	return slices.ContainsFunc(p.RetentionRules, func(r policy.RetentionRule) bool {
		return r.Trigger == policy.WhenPurposeEnded && r.Purpose == purpose
	})
}

// tellEnd promises that Lives hears until when a purpose goes on, about every
// identity by which the person is known. What they ask for by a request it hears as
// well: whoever makes that tells sources, and nobody else.
func (s *Service) tellEnd(ctx context.Context, d *draft, a *act, key string) error {
	purpose, _, _ := strings.Cut(key, "/")
	if !ending(s.Policy, purpose) {
		return nil
	}
	reach := slices.DeleteFunc(slices.Clone(d.Reach), func(r Reach) bool { return r.Holder == a.id })
	if a.who != (personal.Identity{}) {
		mine, err := s.reach(ctx, a)
		if err != nil {
			return err
		}
		reach = append(reach, mine...)
	}
	for _, r := range reach {
		end := d.end(purpose, d.at)
		t := Telling{
			Source: toLives, Right: policy.WithdrawConsent, Purpose: purpose, On: !end.IsZero() && !end.After(d.at), Seq: d.Head.Seq,
			At: d.at, Holder: r.Holder, Who: r.Who, After: d.at.Add(relayWithin),
		}
		d.Tellings = slices.DeleteFunc(slices.Clone(d.Tellings), func(x Telling) bool {
			return x.Source == t.Source && x.Purpose == t.Purpose && x.Holder == t.Holder
		})
		d.Tellings = append(d.Tellings, t)
	}
	return nil
}

// end returns when a purpose ends or ended: with the last consent to it or to an act
// of it, at the latest refusal if there is none, zero if it goes on without an end.
// Where nobody ever agreed it is the given instant.
func (sub Subject) end(purpose string, otherwise time.Time) time.Time {
	var agreed, refused time.Time
	for key, st := range sub.Purposes {
		if of, _, _ := strings.Cut(key, "/"); of != purpose {
			continue
		}
		switch {
		case st.Choice == Granted && st.Until.IsZero():
			return time.Time{}
		case st.Choice == Granted:
			agreed = later(agreed, st.Until)
		default:
			refused = later(refused, st.At)
		}
	}
	for _, end := range []time.Time{agreed, refused} {
		if !end.IsZero() {
			return end
		}
	}
	return otherwise
}

// tellLives has Lives hear what stands now, and not what stood when it was promised.
func (s *Service) tellLives(ctx context.Context, sub Subject, t Telling) error {
	if s.Lives == nil {
		return fmt.Errorf("%w: what ends cannot be noted from here", source.ErrRefused)
	}
	who, err := s.open(ctx, t.Holder, fieldWho, t.Who)
	if errors.Is(err, seal.ErrSealed) {
		return errNobody
	}
	if err != nil {
		return err
	}
	return s.Lives.Chose(ctx, who, t.Purpose, s.now(), sub.end(t.Purpose, t.At))
}
