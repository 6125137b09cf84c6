package erasure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/request"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

// The actions of entries.
const (
	actionEntombed  = "entombed"
	actionForgotten = "forgotten"
	actionDestroyed = "destroyed"
	actionBraked    = "braked"
	actionConfirmed = "confirmed"
)

// The names of facts.
const (
	factRequest    = "request"
	factUntil      = "until"
	factPlace      = "place" // source/category/verb
	factFirst      = "first"
	factGeneration = "generation"
)

// now is the time in the precision that is stored.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

// load reads a tombstone; one of version 0 is none.
func (s *Service) load(ctx context.Context, id seal.Identifier) (Tomb, error) {
	item, err := s.Table.Get(ctx, Ref(id))
	if errors.Is(err, table.ErrAbsent) {
		return Tomb{id: id}, nil
	}
	if err != nil {
		return Tomb{}, fmt.Errorf("load a tombstone: %w", err)
	}
	t := Tomb{id: id, version: item.Version, expires: item.Expires}
	if err := json.Unmarshal(item.Body, &t); err != nil || item.Schema != schema {
		return Tomb{}, fmt.Errorf("erasure: a tombstone has schema %d, this version reads %d", item.Schema, schema)
	}
	return t, nil
}

// put is the write of a tombstone, to be looked at again at an instant.
func (t Tomb) put(due time.Time) (table.Write, error) {
	body, err := json.Marshal(t)
	if err != nil {
		return table.Write{}, fmt.Errorf("encode a tombstone: %w", err)
	}
	if t.Stage == Destroyed {
		due = t.expires // whoever verifies the audit still finds its chain
	}
	pre := table.New
	if t.version > 0 {
		pre = table.Version(t.version)
	}
	return table.Put(table.State, table.Item{Key: Ref(t.id).Key, Schema: schema, Body: body, Due: due, Expires: t.expires}, pre), nil
}

// enter appends an entry to a tombstone's chain and returns its write.
func (t *Tomb) enter(at time.Time, actor, action string, commit table.ID, facts ...audit.Fact) table.Write {
	var e audit.Entry
	e, t.Head = t.Head.Append(audit.Entry{Chain: ChainOf(t.id), At: at, Actor: actor, Action: action, Commit: string(commit), Facts: facts})
	return entryWrite(e, t.expires)
}

func entryWrite(e audit.Entry, expires time.Time) table.Write {
	return table.Put(table.Audit, table.Item{Key: restore.EntryKey(e.Chain, e.Seq), Schema: schema, Body: e.Encode(), Expires: expires}, table.New)
}

// Entombing returns the writes that enter an erasure into the ledger, for the commit
// that ends it, and what its own entry says of that. Each tombstone has a chain of its
// own, from which it can be rebuilt.
func (s *Service) Entombing(ctx context.Context, of request.Tomb) ([]table.Write, []audit.Fact, error) {
	var writes []table.Write
	others := slices.DeleteFunc(slices.Clone(of.Identifiers), func(id seal.Identifier) bool { return id == of.Holder })
	slices.Sort(others)
	others = slices.Compact(others)
	ids := slices.Clone(of.Identifiers)
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		t, err := s.load(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		salt, err := s.Keys.Stands(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		t.bury(of, salt)
		if id == of.Holder {
			t.First = others
		}
		t.expires = later(t.expires, s.Policy.Retention.Audit.After(t.At).Truncate(time.Second))
		facts := []audit.Fact{
			{Name: factRequest, Value: string(of.Request)},
			{Name: factUntil, Value: of.Until.UTC().Format(time.RFC3339Nano)},
			{Name: factGeneration, Value: strconv.Itoa(int(t.Generation))},
		}
		for _, f := range of.From {
			facts = append(facts, audit.Fact{Name: factPlace, Value: f.Source + "/" + f.Category + "/" + string(f.Verb)})
		}
		for _, first := range t.First {
			facts = append(facts, audit.Fact{Name: factFirst, Value: string(first)})
		}
		// The commit's own id is not known here: the request's entry, in the same commit, has it.
		entry := t.enter(t.At, bySystem, actionEntombed, table.ID(of.Request), facts...)
		put, err := t.put(t.At)
		if err != nil {
			return nil, nil, err
		}
		writes = append(writes, put, entry)
	}
	return writes, []audit.Fact{{Name: "entombed", Value: strconv.Itoa(len(writes) / 2)}}, nil
}

// Destroyed returns when the salt of an identifier that was entombed was destroyed; the
// zero time: it was not.
func (s *Service) Destroyed(ctx context.Context, id seal.Identifier) (time.Time, error) {
	t, err := s.load(ctx, id)
	if err != nil || t.Stage != Destroyed {
		return time.Time{}, err
	}
	return t.Destroyed, nil
}

// bySystem is who enters what follows from other work.
const bySystem = request.BySystem

// bury makes the tombstone of an erasure out of what there is of earlier ones.
func (t *Tomb) bury(of request.Tomb, salt seal.Standing) {
	t.At, t.Request, t.Stage = of.At.UTC().Truncate(time.Millisecond), of.Request, Entombed
	t.Until = later(t.Until, of.Until.UTC())
	t.Generation, t.Destroyed, t.First = 0, time.Time{}, nil
	if !salt.Destroyed {
		t.Generation = salt.Generation
	}
	for _, f := range of.From {
		t.from(restore.Place{Source: f.Source, Category: f.Category, Verb: source.Verb(f.Verb)}, of.Until.UTC())
	}
}

// from adds a place. Erased from it twice, the later cut-off counts.
func (t *Tomb) from(p restore.Place, until time.Time) {
	t.From = slices.Clone(t.From)
	i := slices.IndexFunc(t.From, func(x Place) bool { return x.Place == p })
	if i < 0 {
		t.From = append(t.From, Place{Place: p, Until: until})
		return
	}
	t.From[i].Until = later(t.From[i].Until, until)
}

func placeOf(text string) (restore.Place, bool) {
	parts := strings.Split(text, "/")
	if len(parts) != 3 {
		return restore.Place{}, false
	}
	return restore.Place{Source: parts[0], Category: parts[1], Verb: source.Verb(parts[2])}, true
}

// Grave implements restore.Ledger.
func (s *Service) Grave(ctx context.Context, i personal.Identity) (restore.Grave, bool, error) {
	t, err := s.load(ctx, s.Keys.Ring.Identifier(i))
	if err != nil || t.version == 0 {
		return restore.Grave{}, false, err
	}
	var g restore.Grave
	for _, p := range t.From {
		g = append(g, restore.Erased{Place: p.Place, Until: p.Until})
	}
	return g, true, nil
}

// Guarded is what an app that imports somebody has to heed.
type Guarded struct {
	ErasedAt time.Time // zero: they were not
	// DropBefore is up to when what the app has of them is not to come back; what is
	// newer came after the erasure.
	DropBefore time.Time
	Suppressed []string // purposes and stops: no mail of these
}

// Guard tells of each identity whether and what of it may come back. It says the
// same of whoever was never there as of whoever never asked for anything.
func (s *Service) Guard(ctx context.Context, who []personal.Identity) ([]Guarded, error) {
	list := make([]Guarded, 0, len(who))
	for _, i := range who {
		var g Guarded
		t, err := s.load(ctx, s.Keys.Ring.Identifier(i))
		if err != nil {
			return nil, unavailable(err)
		}
		if t.version > 0 {
			g.ErasedAt, g.DropBefore = t.At, t.Until
		}
		if s.Choices != nil {
			if g.Suppressed, err = s.Choices.Suppressed(ctx, i); err != nil {
				return nil, unavailable(err)
			}
		}
		list = append(list, g)
	}
	return list, nil
}

// Heads returns the chains that stand under a key of the due-index, each with the
// head that is remembered of it; under the zero Key that of the salts, which is in no
// index.
func (s *Service) Heads(ctx context.Context, k table.Key) ([]audit.Chain, error) {
	if k == (table.Key{}) {
		all, err := s.loadSalts(ctx)
		if err != nil || all.version == 0 || all.Head.Seq == 0 {
			return nil, err
		}
		return []audit.Chain{{Name: saltsName, Head: all.Head}}, nil
	}
	if !IsKey(k) {
		return nil, nil
	}
	t, err := s.load(ctx, identifierOf(k))
	if err != nil || t.version == 0 {
		return nil, err
	}
	return []audit.Chain{{Name: ChainOf(t.id), Head: t.Head}}, nil
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// unavailable turns a store that is busy, or that lost an answer, into a fault that
// asks the caller to repeat the call.
func unavailable(err error) error {
	if errors.Is(err, table.ErrBusy) || errors.Is(err, table.ErrUnknown) {
		return ErrBusy.Because(err)
	}
	return err
}
