package hold

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// Chain implements restore.Folder.
func (s *Service) Chain(name string) bool { return strings.HasPrefix(name, chainPrefix) }

// Restore implements restore.Folder: it brings a hold, and the fences around what it
// covers, to where its chain ends. The last entry tells the whole hold.
func (s *Service) Restore(ctx context.Context, chain string, entries []audit.Entry) (restore.Outcome, error) {
	id := ID(strings.TrimPrefix(chain, chainPrefix))
	return restore.Deciding(ctx, func(table.ID) (restore.Outcome, error) { return s.restore(ctx, id, entries) })
}

func (s *Service) restore(ctx context.Context, id ID, entries []audit.Entry) (restore.Outcome, error) {
	now, commit := s.now(), table.NewID()
	was, err := s.load(ctx, id)
	absent := errors.Is(err, ErrNotFound)
	if err != nil && !absent {
		return restore.Outcome{}, err
	}
	tail := restore.TailOf(was.Head, entries)
	out := restore.Outcome{What: restore.Advanced, Ahead: tail.Ahead}
	h := was
	switch {
	case len(entries) == 0:
		out.What = restore.Stood
		return out, nil // what is left of it is what the aggregate knows
	case absent:
		out.What = restore.Remade
		if h, out.Missing = s.fold(id, Hold{}, entries, now); h.Status == Released && !h.Forget.After(now) {
			out.What = restore.Over
			return out, nil
		}
	case tail.Stands():
		fences, err := s.fences(ctx, &h)
		if err != nil {
			return restore.Outcome{}, err
		}
		if len(fences) == 0 {
			out.What = restore.Stood
			return out, nil
		}
	default:
		h, out.Missing = s.fold(id, was, entries, now)
	}
	e, head := tail.Entry(id.Chain(), was.Head, now, commit, h.facts()...)
	h.Head, h.version, h.filed = head, was.version, time.Time{}
	_, writes, err := s.stored(ctx, h, e)
	if err != nil {
		return restore.Outcome{}, err
	}
	return out, s.Table.Commit(ctx, commit, writes...)
}

// fold makes a hold of its chain, with what the aggregate remembers beside. It says in
// codes what the chain tells of and does not have.
func (s *Service) fold(id ID, was Hold, entries []audit.Entry, now time.Time) (h Hold, missing []string) {
	last := entries[len(entries)-1]
	fact := func(name string) string { return restore.Fact(last, name) }
	h = Hold{
		ID: id, Scope: Scope(fact(factScope)), Request: fact(factRequest), Source: fact(factSource), Category: fact(factCategory), Item: fact(factItem),
		Basis: Basis(fact(factBasis)), Article: fact(factArticle), Matter: fact(factMatter), Owner: fact(factOwner),
		Review: restore.Time(last, factReview), Until: restore.Time(last, factUntil), Status: Status(fact(factStatus)),
		Placed: restore.Time(last, factPlaced), InForce: restore.Time(last, factInForce),
		For: fact(factFor), Spares: fact(factSpares), Released: restore.Time(last, factReleased), Reason: fact(factReason),
		Went: was.Went, Omitted: was.Omitted, Fenced: was.Fenced, Body: was.Body, Replays: was.Replays, Reminded: was.Reminded,
	}
	h.Automatic = h.For != ""
	h.Since = h.Placed
	for _, text := range strings.Fields(fact(factIDs)) {
		h.Identifiers = append(h.Identifiers, seal.Identifier(text))
	}
	switch h.Status {
	case Placing:
		h.Since, h.Settles = now, now.Add(Lease+margin) // whoever claimed something meanwhile ends first
	case InForce, Released:
	}
	if h.Scope == OnCategory && h.Source == "" && h.Status != Released {
		h.Look = now
	}
	listed := 0
	for _, e := range entries {
		if e.Action == string(Settle) {
			h.gone(e)
			listed, _ = strconv.Atoi(restore.Fact(e, factWent))
		}
	}
	if len(h.Went)+h.Omitted < listed {
		missing = append(missing, "went")
		h.Omitted = listed - len(h.Went)
	}
	if h.Status == Released {
		h.Forget = s.Policy.Retention.Audit.After(h.Released)
	}
	return h, missing
}

// gone adds what an entry tells of what went.
func (h *Hold) gone(e audit.Entry) {
	var list []Went
	for _, f := range e.Facts {
		var w Went
		if f.Name == factGone && json.Unmarshal([]byte(f.Value), &w) == nil {
			list = append(list, w)
		}
	}
	h.list(list)
}
