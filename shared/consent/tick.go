package consent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/table"
)

// actionTold is the entry of a letter that says that a consent ends soon.
const actionTold = "told"

// Tick does what the clock brings about: what ends soon is told, what has ended
// lapses, and of what nobody confirmed nothing is left but its record.
func (s *Service) Tick(ctx context.Context, key table.Key) error {
	if isErrand(key) {
		return nil // the relay's
	}
	for {
		more := false
		sub, err := s.change(ctx, identifierOf(key), string(ByClock), func(d *draft) error {
			if d.version == 0 {
				return errUnchanged
			}
			s.lapse(d)
			if !s.remind(d) && len(d.entries) == 0 {
				return errUnchanged
			}
			more = d.full()
			return nil
		})
		if err != nil || sub.version == 0 {
			return err
		}
		if !more {
			return s.refile(ctx, sub)
		}
	}
}

// full reports whether a commit of the clock's has as many entries as it should: a
// store takes a hundred writes, those of the identifiers among them.
func (d *draft) full() bool { return len(d.entries) >= 50 }

// lapse ends what nobody confirmed in time, and consents whose time is over.
func (s *Service) lapse(d *draft) {
	over := func(key, of string) int64 {
		return d.enter(actionLapsed, append(about(key), audit.Fact{Name: factMethod, Value: string(Lapse)}, audit.Fact{Name: factOf, Value: of})...)
	}
	for _, key := range d.waiting() {
		if !d.Asks[key].Until.After(d.at) && !d.full() {
			over(key, actionAsked)
			delete(d.Asks, key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(d.Purposes)) {
		if st := d.Purposes[key]; st.Choice == Granted && !st.Until.IsZero() && !st.Until.After(d.at) && !d.full() {
			d.set(key, Standing{Choice: Ended, At: st.Until, Seq: over(key, string(Granted)), Edition: st.Edition})
		}
	}
}

// factOf is what has lapsed: a consent, or one that was asked for.
const factOf = "of"

func about(key string) []audit.Fact {
	purpose, act, _ := strings.Cut(key, "/")
	return []audit.Fact{{Name: factPurpose, Value: purpose}, {Name: factAct, Value: act}}
}

// together is how much earlier than it must be something is told with something else.
const together = 7 * 24 * time.Hour

// remind marks what ends soon, and promises one letter about it where there is
// somebody to write to. What is near its own reminder goes with it, so that nobody
// gets three letters in a week. It reports whether it marked anything.
func (s *Service) remind(d *draft) bool {
	due, near := false, []string(nil)
	for key, st := range d.Purposes {
		if st.Choice == Granted && !st.Until.IsZero() && !st.Asked && !st.remindAt().After(d.at.Add(together)) {
			near = append(near, key)
			due = due || !st.remindAt().After(d.at)
		}
	}
	if !due {
		return false
	}
	slices.Sort(near)
	var seq int64
	for _, key := range near {
		if d.full() {
			break
		}
		st := d.Purposes[key]
		if len(d.Address) > 0 && s.renewable(d.Subject, key, d.at) {
			seq = d.enter(actionTold, append(about(key), audit.Fact{Name: factUntil, Value: st.Until.Format(time.RFC3339)})...)
		}
		st.Asked = true
		d.set(key, st)
	}
	if seq > 0 && !slices.ContainsFunc(d.Announcements, func(a Announcement) bool { return a.Kind == mail.RenewConsent }) {
		d.say(seq, mail.RenewConsent, "")
	}
	return true
}

// renewable reports whether there is something to renew: a consent that nothing
// else ends. Nobody is written to about a newsletter that they opted out of.
func (s *Service) renewable(sub Subject, key string, now time.Time) bool {
	d := judge(s.Policy, sub, key, circumstances{now: now, residence: sub.Residence})
	return d.May && d.Why == ByConsent
}

// ending lists what a letter about the end of consents is about.
func (s *Service) ending(sub Subject) []string {
	now := s.now()
	var list []string
	for _, key := range slices.Sorted(maps.Keys(sub.Purposes)) {
		if st := sub.Purposes[key]; st.Asked && st.Choice == Granted && s.renewable(sub, key, now) {
			list = append(list, key)
		}
	}
	return list
}

// refile files a subject that was looked at for when it is to be looked at next. Of
// one about whom nothing is left, not even an identifier is kept.
func (s *Service) refile(ctx context.Context, sub Subject) error {
	now := s.now()
	sub.Calls = slices.DeleteFunc(slices.Clone(sub.Calls), func(c Call) bool { return now.Sub(c.At) > replayFor })
	if sub.empty() {
		err := s.Table.Commit(ctx, table.NewID(), table.Delete(Ref(sub.at), table.Version(sub.version)))
		return unless(err, "forget somebody about whom nothing is left")
	}
	if sub.Filed.After(now) || s.file(sub, true).Equal(sub.Filed) {
		return nil
	}
	_, err := s.keep(ctx, sub)
	return unless(err, "file somebody's choices")
}

// empty reports whether nothing is left: somebody entered an address that was never
// theirs, say, and nobody confirmed it.
func (sub Subject) empty() bool {
	return len(sub.Identifiers) == 1 && len(sub.Purposes)+len(sub.Asks)+len(sub.Stops)+len(sub.Lists)+len(sub.Calls)+
		len(sub.Chains)+len(sub.Announcements)+len(sub.Tellings) == 0
}

// unless says what failed, unless it was only that somebody else came first: they
// filed the subject themselves.
func unless(err error, what string) error {
	if err == nil || errors.Is(err, table.ErrConflict) {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
