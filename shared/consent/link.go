package consent

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// Faults of linking.
var (
	ErrLinked = fault.New(fault.Conflict, "linked_elsewhere", "This browser or installation is known as somebody else's; give whoever uses it now an id of their own.")
	ErrCrowd  = fault.New(fault.Conflict, "too_many_identifiers", "A person is known by eight identifiers at most.")
)

var errTooMuchForOne = fault.Input(fault.Field{Pointer: "/subjects", Text: "have more choices together than are kept for one person; withdraw what is over first"})

// maxIdentifiers is how many identifiers a subject has at most: all of them are
// written with every change.
const maxIdentifiers = 8

// Link says that two identities are one person: a visitor who signed in, an
// account and its address. No history is lost: both chains stay, and both say so.
// Said again it changes nothing, so that the attempt needs no memory of its own.
func (s *Service) Link(ctx context.Context, app string, a, b personal.Identity, _ Attempt) error {
	var bad []fault.Field
	for i, who := range []personal.Identity{a, b} {
		if _, err := s.speak(Capture{By: ByApp, App: app, Identity: who}); err != nil || who == (personal.Identity{}) {
			bad = append(bad, fault.Field{Pointer: "/subjects/" + strconv.Itoa(i), Text: "must have a type and a value; an anonymous id must be one of ours"})
		}
	}
	if len(bad) > 0 {
		return fault.Input(bad...)
	}
	commit := table.NewID()
	for try := range conflictTries {
		err := s.link(ctx, commit, app, a, b)
		if !errors.Is(err, table.ErrConflict) {
			return unavailable(err)
		}
		if err := table.Sleep(ctx, table.Pause(try)); err != nil {
			return err
		}
	}
	return ErrBusy
}

func (s *Service) link(ctx context.Context, commit table.ID, app string, a, b personal.Identity) error {
	first, err := s.loadOrNew(ctx, s.Keys.Ring.Identifier(a))
	if err != nil {
		return err
	}
	second, err := s.loadOrNew(ctx, s.Keys.Ring.Identifier(b))
	if err != nil {
		return err
	}
	if first.ID == second.ID || first.at == second.at {
		return nil
	}
	first.Known = first.Known || isPerson(a.Kind)
	second.Known = second.Known || isPerson(b.Kind)
	// Somebody else signs in on the same machine: two people would become one, for good.
	if first.Known && second.Known && (!isPerson(a.Kind) || !isPerson(b.Kind)) {
		return ErrLinked
	}
	if len(first.Identifiers)+len(second.Identifiers) > maxIdentifiers {
		return ErrCrowd
	}
	if survives(second, first) {
		first, second = second, first
	}
	before := []Subject{stood(first), stood(second)}
	d := &draft{Subject: first, commit: commit, at: s.now(), actor: string(ByApp) + ":" + app}
	if second.version == 0 {
		d.Known = d.Known || second.Known
		d.adopt(second.at, table.New)
		d.enter(actionLinked, holderFact(second.at), audit.Fact{Name: factOwn, Value: string(first.at)}, d.kindOf())
	} else if err := s.absorb(d, second); err != nil {
		return err
	}
	if err := d.makeRoom(); err != nil {
		return errTooMuchForOne
	}
	for _, who := range []personal.Identity{a, b} {
		if err := s.extend(ctx, d, who); err != nil {
			return err
		}
	}
	for _, sub := range before {
		if err := s.tellLinked(ctx, d, sub); err != nil {
			return err
		}
	}
	_, err = s.save(ctx, d)
	return err
}

// stood keeps what stands for a subject before another becomes part of it.
func stood(sub Subject) Subject {
	return Subject{Purposes: cloned(sub.Purposes), Stops: cloned(sub.Stops)}
}

// tellLinked tells the sources of what stands for one of two who are linked, and
// was chosen by the other: as a visitor, say, whom no source knows.
func (s *Service) tellLinked(ctx context.Context, d *draft, before Subject) error {
	nobody := &act{} // sources are told of whom they know: Subject.Reach
	for _, stop := range []policy.Stop{policy.SaleOptOut, policy.SensitiveLimit} {
		if !s.optedOut(d.Subject, stop) || s.optedOut(before, stop) {
			continue
		}
		if err := s.tell(ctx, d, nobody, Telling{Right: rightOf[stop], On: true, Seq: d.Head.Seq}); err != nil {
			return err
		}
	}
	for _, key := range sorted(d.Purposes) {
		st := d.Purposes[key]
		st.Seq = d.Head.Seq // of the link, which is what brings it about
		purpose, _ := cutKey(key)
		rule, _ := s.Policy.Consent(purpose)
		if err := s.tellOf(ctx, d, nobody, key, rule, before.Purposes[key], st); err != nil {
			return err
		}
	}
	return nil
}

// optedOut reports whether a stop stands, or a signal that means the same.
func (s *Service) optedOut(sub Subject, stop policy.Stop) bool {
	_, on := sub.Stops[stop]
	_, signalled := sub.Stops[policy.GPC]
	return on || stop == policy.SaleOptOut && signalled && honoured(s.Policy, policy.GPC)
}

// extend notes by whom the sources that hear of choices know a linked subject.
func (s *Service) extend(ctx context.Context, d *draft, who personal.Identity) error {
	id := s.Keys.Ring.Identifier(who)
	heard := slices.ContainsFunc(s.Policy.Sources, func(src policy.Source) bool {
		return len(src.Hears) > 0 && slices.Contains(src.Identities, who.Kind)
	})
	if !heard || slices.ContainsFunc(d.Reach, func(r Reach) bool { return r.Holder == id }) {
		return nil
	}
	reach, err := s.reach(ctx, &act{id: id, who: who})
	d.Reach = append(slices.Clone(d.Reach), reach...)
	return err
}

// survives reports whether a goes on and b becomes part of it: who is stored, a
// person before a browser, and of two the one of whom more is recorded.
func survives(a, b Subject) bool {
	if stored := a.version > 0; stored != (b.version > 0) {
		return stored
	}
	if a.Known != b.Known {
		return a.Known
	}
	return a.Head.Seq > b.Head.Seq
}

func (d *draft) adopt(id seal.Identifier, condition table.Precondition) {
	d.Identifiers = append(slices.Clone(d.Identifiers), id)
	adopts := map[seal.Identifier]table.Precondition{id: condition}
	for id, condition := range d.adopts {
		adopts[id] = condition
	}
	d.adopts = adopts
}

// absorb takes another subject into the draft. Of what both chose the later choice
// stands, and at a tie the refusal; what was stopped for one is stopped for both.
func (s *Service) absorb(d *draft, other Subject) error {
	chain := ChainOf(other.ID)
	last, head := other.Head.Append(audit.Entry{
		Chain: chain, At: d.at, Actor: d.actor, Action: actionLinked, Commit: string(d.commit),
		Facts: []audit.Fact{{Name: factChain, Value: ChainOf(d.ID)}, holderFact(d.Subject.at)},
	})
	d.more = append(d.more, table.Put(table.Audit, table.Item{
		Key: entryKey(chain, last.Seq), Body: last.Encode(), Schema: subjectSchema, Expires: s.Policy.Retention.Audit.After(d.at),
	}, table.New))
	seq := d.enter(actionLinked, holderFact(other.at), audit.Fact{Name: factChain, Value: chain},
		audit.Fact{Name: factHead, Value: fmt.Sprintf("%d:%s", head.Seq, hex.EncodeToString(head.Hash[:]))},
		Subject{Known: d.Known || other.Known}.kindOf())
	for _, id := range other.Identifiers {
		condition := table.Exists
		if id == other.at {
			condition = table.Version(other.version)
		}
		d.adopt(id, condition)
	}
	d.Chains = append(slices.Clone(d.Chains), append([]audit.Chain{{Name: chain, Head: head}}, other.Chains...)...)
	d.merge(other, chain, seq)
	return nil
}

// merge adds what stands for another subject, whose own chain is named.
func (d *draft) merge(other Subject, chain string, seq int64) {
	of := func(c string) string {
		if c == "" {
			return chain
		}
		return c
	}
	for key, st := range other.Purposes {
		st.Chain = of(st.Chain)
		if mine, both := d.Purposes[key]; !both || wins(st, mine) {
			d.set(key, st)
		}
	}
	for key, ask := range other.Asks {
		ask.Chain = of(ask.Chain)
		if mine, both := d.Asks[key]; both && !mine.At.Before(ask.At) {
			continue
		}
		if d.Asks == nil {
			d.Asks = map[string]Ask{}
		}
		d.Asks[key] = ask
	}
	d.Held = cloned(d.Held)
	for stop, since := range other.Stops {
		_, stands := d.Stops[stop]
		switch mine, theirs := d.Held[stop], other.Held[stop]; {
		case !stands && len(theirs) > 0, stands && len(mine) > 0 && len(theirs) > 0:
			d.Held[stop] = slices.Concat(mine, theirs)
		default:
			delete(d.Held, stop) // of one of them it stands by itself
		}
		if mine, both := d.Stops[stop]; both && (stop == policy.Bounced || stop == policy.Complained) {
			since = later(mine, since) // what was agreed to between the two does not outweigh it
		} else if both {
			since = earlier(mine, since)
		}
		d.stop(stop, since)
	}
	d.Lists = cloned(d.Lists)
	for mailing, stop := range other.Lists {
		if d.Lists[mailing] != policy.Complained {
			d.Lists[mailing] = stop
		}
	}
	d.settle()
	for _, call := range other.Calls {
		call.Chain = of(call.Chain)
		d.Calls = append(d.Calls, call)
	}
	d.Reach = append(slices.Clone(d.Reach), other.Reach...)
	d.Known = d.Known || other.Known
	if d.Residence == "" {
		d.Residence = other.Residence
	}
	if d.Locale == "" {
		d.Locale = other.Locale
	}
	if len(d.Address) == 0 {
		d.Holder, d.Address = other.Holder, other.Address
	}
	if other.Mailed > d.Mailed {
		d.Mailed, d.MailedAt = other.Mailed, other.MailedAt
	}
	// Numbers of the other chain would be taken for numbers of this one.
	for _, x := range other.Announcements {
		x.Seq = seq
		if !slices.ContainsFunc(d.Announcements, func(y Announcement) bool { return x.Kind == y.Kind && x.Purpose == y.Purpose }) {
			d.Announcements = append(d.Announcements, x)
		}
	}
	if len(d.Announcements) > 0 {
		d.Tries, d.After = 0, d.at.Add(relayWithin)
	}
	for _, t := range other.Tellings {
		t.Seq = seq
		d.Tellings = append(d.Tellings, t)
	}
	for i, t := range d.Tellings { // what is still to be told is what stands now
		d.Tellings[i].On = d.stopped(t)
	}
}

// settle ends what somebody else refused at the time, or later: acts by a refusal
// of all of them, and what waits by any choice that was made since.
func (d *draft) settle() {
	for key := range d.Purposes {
		if st, _ := d.standing(key); st.refuses() {
			d.set(key, st)
		}
	}
	for key, ask := range d.Asks {
		if st, chose := d.standing(key); chose && st.Choice != Ended && !st.At.Before(ask.At) {
			delete(d.Asks, key)
		}
	}
}

// stopped reports what a source is to be told of a matter.
func (sub Subject) stopped(t Telling) bool {
	for stop, right := range rightOf {
		if right == t.Right {
			_, on := sub.Stops[stop]
			_, signalled := sub.Stops[policy.GPC]
			return on || signalled && stop == policy.SaleOptOut && t.On
		}
	}
	return sub.Purposes[t.Purpose].refuses()
}

// wins reports whether a standing takes the place of another: the later one does,
// and at a tie the refusal.
func wins(a, b Standing) bool {
	if !a.At.Equal(b.At) {
		return a.At.After(b.At)
	}
	return a.Choice != Granted && b.Choice == Granted
}
