package consent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// View is everything of a subject that their own page shows.
type View struct {
	Subject  Subject
	Purposes []Decision // every purpose that people choose about, and every act that was granted
	History  []Entry    // the newest first, at most 500
	Honoured []policy.Stop
}

// maxHistory is how much of a history is shown. An access request gets all of it.
const maxHistory = 500

// Show returns what stands and what was, for whoever holds the link or the key.
func (s *Service) Show(ctx context.Context, l Link, signals Signals) (View, error) {
	if l.Verb != PreferLink {
		return View{}, ErrBadToken
	}
	return s.show(ctx, l.Identifier, signals)
}

// ShowTo is Show for an app or a browser that names the identity.
func (s *Service) ShowTo(ctx context.Context, i personal.Identity, signals Signals) (View, error) {
	return s.show(ctx, s.Keys.Ring.Identifier(i), signals)
}

func (s *Service) show(ctx context.Context, id seal.Identifier, signals Signals) (View, error) {
	halt, err := s.Halted(ctx)
	if err != nil {
		return View{}, err
	}
	sub, err := s.load(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return View{}, unavailable(err)
	}
	v := View{Subject: sub, Honoured: s.honouredOf(sub, signals)}
	c := s.circumstances(halt, signals)
	c.residence = sub.Residence
	for _, rule := range s.Policy.Consents {
		if !rule.PerAct {
			v.Purposes = append(v.Purposes, judge(s.Policy, sub, rule.Purpose, c))
			continue
		}
		for _, key := range (choice{Asked: Asked{Purpose: rule.Purpose}}).acts(sub) {
			v.Purposes = append(v.Purposes, judge(s.Policy, sub, key, c))
		}
	}
	if v.History, err = s.history(ctx, sub); err != nil {
		return View{}, unavailable(err)
	}
	return v, nil
}

// history reads what was recorded of a subject, the newest first.
func (s *Service) history(ctx context.Context, sub Subject) ([]Entry, error) {
	var list []Entry
	for _, chain := range sub.chains() {
		entries, err := s.latest(ctx, chain, maxHistory)
		if err != nil {
			return nil, err
		}
		list = append(list, entries...)
	}
	slices.SortStableFunc(list, func(a, b Entry) int { return b.At.Compare(a.At) })
	return list[:min(len(list), maxHistory)], nil
}

// chains are all chains of a subject, its own first.
func (sub Subject) chains() []audit.Chain {
	if sub.ID == "" {
		return nil
	}
	return append([]audit.Chain{{Name: ChainOf(sub.ID), Head: sub.Head}}, sub.Chains...)
}

// latest reads the last entries of a chain, the newest first. They are read by the
// hundred, whose numbers begin alike.
func (s *Service) latest(ctx context.Context, chain audit.Chain, most int) ([]Entry, error) {
	var list []Entry
	for hundred := chain.Head.Seq / 100; hundred >= 0 && len(list) < most; hundred-- {
		block, err := s.block(ctx, chain, hundred)
		if err != nil {
			return nil, err
		}
		slices.Reverse(block)
		list = append(list, block...)
		if len(block) == 0 {
			break // older ones have expired
		}
	}
	return list, nil
}

func (s *Service) block(ctx context.Context, chain audit.Chain, hundred int64) ([]Entry, error) {
	var list []Entry
	q := table.Query{Table: table.Audit, Partition: chain.Name, Prefix: fmt.Sprintf("%010d", hundred)}
	for {
		page, err := s.Table.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("read chain %s: %w", chain.Name, err)
		}
		for _, item := range page.Items {
			e, err := audit.Decode(item.Body)
			if err != nil {
				return nil, fmt.Errorf("read an entry of %s: %w", chain.Name, err)
			}
			if e.Seq <= chain.Head.Seq { // later ones were committed after the head was read
				list = append(list, entryOf(e))
			}
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return list, nil
		}
	}
}

// Heads returns the chains of whoever stands under a key of the due-index, each
// with the head that is remembered of it, so that they can be verified. The chain
// of the halt switch, which is in no index, stands under the zero Key.
func (s *Service) Heads(ctx context.Context, key table.Key) ([]audit.Chain, error) {
	if key == (table.Key{}) {
		h, err := s.loadHalt(ctx)
		if err != nil || h.version == 0 {
			return nil, err
		}
		return []audit.Chain{{Name: haltChain, Head: h.Head}}, nil
	}
	if isErrand(key) || !IsKey(key) {
		return nil, nil
	}
	sub, err := s.load(ctx, identifierOf(key))
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return sub.chains(), err
}

// Evidence is what a receipt is made of: one record, and what was shown then.
type Evidence struct {
	Entry   Entry
	Subject string // random id
	Wording Wording
	Rule    policy.Consent
	Until   time.Time
	State   Choice    // what stands now
	StateAt time.Time // since when; zero: since the record
}

// EvidenceFor returns the evidence of a record, for whoever may see the subject. A
// visitor who was linked to a person sees what was chosen as that visitor: several
// people may use the browser that keeps the id.
func (s *Service) EvidenceFor(ctx context.Context, i personal.Identity, id RecordID) (Evidence, error) {
	at := s.Keys.Ring.Identifier(i)
	ev, err := s.evidence(ctx, at, id)
	if err == nil && i.Kind == KindVisitor && !slices.Contains(ev.Entry.Facts, audit.Fact{Name: factID, Value: string(at)}) {
		return Evidence{}, ErrNotFound
	}
	return ev, err
}

// EvidenceBy is EvidenceFor for whoever holds the link.
func (s *Service) EvidenceBy(ctx context.Context, l Link, id RecordID) (Evidence, error) {
	if l.Verb != PreferLink {
		return Evidence{}, ErrBadToken
	}
	return s.evidence(ctx, l.Identifier, id)
}

func (s *Service) evidence(ctx context.Context, at seal.Identifier, id RecordID) (Evidence, error) {
	chain, seq, ok := id.parts()
	if !ok {
		return Evidence{}, ErrNotFound
	}
	sub, err := s.load(ctx, at)
	if err != nil {
		return Evidence{}, unavailable(err)
	}
	if !slices.ContainsFunc(sub.chains(), func(c audit.Chain) bool { return c.Name == chain && seq <= c.Head.Seq }) {
		return Evidence{}, ErrNotFound
	}
	e, err := s.entry(ctx, chain, seq)
	if err != nil {
		return Evidence{}, unavailable(err)
	}
	ev := Evidence{Entry: entryOf(e), Subject: strings.TrimPrefix(chain, "consent#")}
	for _, f := range e.Facts {
		if f.Name == factUntil && e.Action != actionAsked {
			ev.Until, _ = time.Parse(time.RFC3339, f.Value) // we wrote it
		}
	}
	if ev.Entry.Wording != "" {
		if ev.Wording, err = s.WordingOf(ctx, ev.Entry.Wording); err != nil {
			return Evidence{}, err
		}
	}
	ev.Rule, _ = s.Policy.Consent(ev.Entry.Purpose) // without one the policy asks for it no longer
	st, _ := sub.standing(keyOf(ev.Entry.Purpose, ev.Entry.Act))
	ev.State, ev.StateAt = st.Choice, st.At
	return ev, nil
}
