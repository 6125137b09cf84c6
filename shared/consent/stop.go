package consent

import (
	"context"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

// Unsubscribe ends one mailing list for one address (RFC 8058). It works for ever,
// also for a list that the policy no longer knows and for somebody of whom nothing
// stands: that they want no mail is then the first that is known of them. Repeated
// it changes nothing more.
func (s *Service) Unsubscribe(ctx context.Context, l Link) error {
	if l.Verb != UnsubscribeLink || l.Purpose == "" {
		return ErrBadToken
	}
	a := &act{id: l.Identifier, who: l.Who, by: ByPerson, actor: string(ByPerson), method: OneClick}
	rule, _ := s.Policy.Consent(l.Purpose)
	a.choices = []choice{{Asked: Asked{Purpose: l.Purpose, Choice: Withdrawn}, rule: rule}}
	_, err := s.change(ctx, a.id, a.actor, func(d *draft) error {
		st, chose := d.Purposes[l.Purpose]
		_, asked := d.Asks[l.Purpose]
		if chose && (st.Choice == Withdrawn || st.Choice == Denied) && !asked {
			return errUnchanged
		}
		return s.take(ctx, d, a)
	})
	return err
}

// Feedback is what came back of a mail.
type Feedback struct {
	Address   personal.Email
	Stop      policy.Stop // Bounced or Complained
	List      string      // purpose of the mailing list; empty: not known, all of them
	At        time.Time
	MessageID string // of the mail service: the same feedback may arrive twice
	// Listed says that it is off a list of the mail service's, on which there are also
	// people of whom we know nothing, and some whose feedback arrived already: both are
	// not heeded. See HeedListed.
	Listed bool
}

// Heed takes down a bounce or a complaint. It stops mailing lists and nothing else.
// One that is older than a consent to the list is not heeded: whoever subscribed
// since then, by an act of their own, wants the mail.
func (s *Service) Heed(ctx context.Context, f Feedback) error {
	if f.Address == (personal.Email{}) || f.Stop != policy.Bounced && f.Stop != policy.Complained {
		return fault.Input(fault.Field{Pointer: "", Text: "must be a bounce or a complaint of an address"})
	}
	if rule, ok := s.Policy.Consent(f.List); !ok || !rule.Mail {
		f.List = "" // it names no list of ours: nobody knows which mail they meant
	}
	who := f.Address.Identity()
	a := &act{id: s.Keys.Ring.Identifier(who), who: who, by: ByMailer, actor: string(ByMailer), method: MailFeedback}
	if f.MessageID != "" {
		a.facts = []audit.Fact{{Name: factEvidence, Value: s.Keys.Ring.Hash("mail", f.MessageID)}}
	}
	_, err := s.change(ctx, a.id, a.actor, func(d *draft) error {
		mine := *a
		mine.made = later(earlier(f.At.UTC().Truncate(time.Millisecond), d.at), time.Unix(0, 0).UTC())
		if f.Listed {
			if news, err := s.unheard(ctx, d, f.Stop, mine.made); err != nil {
				return err
			} else if !news {
				return errUnchanged
			}
		}
		if !d.suppress(f.List, f.Stop, mine.made) {
			return errUnchanged
		}
		d.Known = true
		d.enter(actionSuppressed, s.common(&mine,
			audit.Fact{Name: factPurpose, Value: f.List}, audit.Fact{Name: factStop, Value: string(f.Stop)},
			audit.Fact{Name: factMethod, Value: string(MailFeedback)})...)
		return nil
	})
	return err
}

// suppress ends one mailing list, or all of them, and reports whether that is new.
func (d *draft) suppress(mailing string, stop policy.Stop, at time.Time) bool {
	if mailing == "" {
		if since, stands := d.Stops[stop]; stands && !d.subscribed(since, at) {
			return false
		}
		d.stop(stop, at)
		return true
	}
	st, chose := d.Purposes[mailing]
	if before, stands := d.Lists[mailing]; stands && (before == stop || before == policy.Complained) || chose && st.Choice == Granted && st.At.After(at) {
		return false
	}
	if d.Lists == nil {
		d.Lists = map[string]policy.Stop{}
	}
	d.Lists[mailing] = stop
	return true
}

// subscribed reports whether something was agreed to in between: what comes back
// after that is new.
func (d *draft) subscribed(after, until time.Time) bool {
	for _, st := range d.Purposes {
		if st.Choice == Granted && st.At.After(after) && !st.At.After(until) {
			return true
		}
	}
	return false
}

// Stopping returns the writes that put stops on a person known by an identity
// (true), or take them off (false). They belong into the commit of the change that
// asks for them; none if all of it stands so already. What is taken off is what
// stands for that request alone: if it stands for others too, the writes have no
// entry, and it goes on to stand. For the right
// withdraw_consent there are no stops, and purposes lists what is withdrawn, none:
// everything. No two calls go into one commit unless their items differ.
//
// No source is told: the request that asks does that.
func (s *Service) Stopping(ctx context.Context, who personal.Identity, stops map[policy.Stop]bool, purposes []string, request string) ([]table.Write, error) {
	a := &act{
		id: s.Keys.Ring.Identifier(who), who: who, by: ByPerson, actor: string(ByPerson), method: Request,
		stops: stops, silent: true, request: request, facts: []audit.Fact{{Name: factRequest, Value: request}},
	}
	a.all = len(stops) == 0 && len(purposes) == 0
	sub, err := s.loadOrNew(ctx, a.id)
	if err != nil {
		return nil, err
	}
	for _, purpose := range purposes {
		rule, ok := s.Policy.Consent(purpose)
		st, chose := sub.Purposes[purpose]
		_, asked := sub.Asks[purpose]
		if !ok || rule.Required || chose && (st.Choice == Withdrawn || st.Choice == Denied) && !asked {
			continue
		}
		a.choices = append(a.choices, choice{Asked: Asked{Purpose: purpose, Choice: Withdrawn}, rule: rule})
	}
	// The commit's own id is not known here: the request's entry, in the same commit, has it.
	d := &draft{Subject: sub, commit: table.ID(request), at: s.now(), actor: a.actor}
	if err := s.take(ctx, d, a); err != nil {
		return nil, err
	}
	if len(d.entries) == 0 && !d.released {
		return nil, nil
	}
	return s.writes(d)
}
