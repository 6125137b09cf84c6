package consent

import (
	"context"
	"errors"
	"maps"
	"slices"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// actionForgotten is the entry of an erasure: what was agreed to is over, and what
// was refused goes on to count.
const actionForgotten = "forgotten"

// Forgetting returns the writes of an erasure: consents and what waits to be confirmed
// end, and whatever is sealed of the person is dropped. Refusals, opt-outs and
// suppressions stay, under keyed hashes alone: they are what keeps the person from
// being written to again. Of somebody about whom nothing is left nothing stays. None
// if nothing is to be forgotten. They belong into the commit of whoever erases, which
// is decided again when they conflict.
func (s *Service) Forgetting(ctx context.Context, id seal.Identifier) ([]table.Write, error) {
	sub, err := s.load(ctx, id)
	if errors.Is(err, ErrNotFound) || err == nil && !sub.remembers() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d := &draft{Subject: sub, commit: "erasure", at: s.now(), actor: string(ByClock)}
	d.forget()
	d.enter(actionForgotten, holderFact(id))
	if d.bare() {
		return s.removal(d), nil
	}
	return s.writes(d)
}

// remembers reports whether a subject has something that an erasure ends.
func (sub Subject) remembers() bool {
	f := sub
	f.forget()
	return f.bare() || len(f.Purposes) != len(sub.Purposes) || len(sub.Asks)+len(sub.Address)+len(sub.Reach)+len(sub.Announcements)+len(sub.Tellings)+len(sub.Calls) > 0 ||
		f.Residence != sub.Residence || f.Locale != sub.Locale
}

// forget drops all but what keeps somebody from being bothered.
func (sub *Subject) forget() {
	sub.Purposes = maps.Clone(sub.Purposes)
	maps.DeleteFunc(sub.Purposes, func(_ string, st Standing) bool { return !st.refuses() })
	sub.Asks, sub.Announcements, sub.Tellings, sub.Reach, sub.Calls = nil, nil, nil, nil, nil
	sub.Holder, sub.Address = "", nil
	sub.Residence, sub.Locale = "", ""
}

// bare reports whether nothing stands that anybody has to heed.
func (sub Subject) bare() bool {
	return len(sub.Purposes)+len(sub.Asks)+len(sub.Stops)+len(sub.Lists) == 0
}

// removal are the writes that remove a subject, under each of its identifiers.
func (s *Service) removal(d *draft) []table.Write {
	var writes []table.Write
	for _, id := range d.Identifiers {
		condition := table.Exists
		if id == d.Subject.at {
			condition = table.Version(d.version)
		}
		writes = append(writes, table.Delete(Ref(id), condition))
	}
	return append(writes, s.entryWrites(d)...)
}

// Suppressed lists what forbids mail to an identity: purposes that were refused, and
// stops.
func (s *Service) Suppressed(ctx context.Context, i personal.Identity) ([]string, error) {
	sub, err := s.load(ctx, s.Keys.Ring.Identifier(i))
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []string
	for key, st := range sub.Purposes {
		if purpose, act := cutKey(key); act == "" && st.refuses() {
			list = append(list, purpose)
		}
	}
	for purpose := range sub.Lists {
		list = append(list, purpose)
	}
	for stop := range sub.Stops {
		if stop != policy.GPC && stop != policy.DNT { // of a browser
			list = append(list, string(stop))
		}
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}
