package hold

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

const (
	holdSchema  = 1
	entrySchema = 1
	// conflictTries is how often a change is decided again on a newer version.
	conflictTries = 8
	// nearEnough is how much too early an entry of the due-index may be.
	nearEnough = 5 * time.Second
)

func decode(item table.Item) (Hold, error) {
	if !IsKey(item.Key) || item.Schema != holdSchema {
		return Hold{}, fmt.Errorf("hold: %s has schema %d, this version reads %d", item.Key.Sort, item.Schema, holdSchema)
	}
	h := Hold{ID: ID(item.Key.Sort), version: item.Version, filed: item.Due}
	if err := json.Unmarshal(item.Body, &h); err != nil {
		return Hold{}, fmt.Errorf("decode hold %s: %w", h.ID, err)
	}
	return h, nil
}

// possible reports whether an id that a caller sent can be one.
func (id ID) possible() bool {
	return id != "" && len(id) <= 64 && strings.IndexFunc(string(id), func(c rune) bool {
		return (c < '0' || c > '9') && (c < 'a' || c > 'z')
	}) < 0
}

// load reads a hold, or returns ErrNotFound.
func (s *Service) load(ctx context.Context, id ID) (Hold, error) {
	if !id.possible() {
		return Hold{}, ErrNotFound
	}
	item, err := s.Table.Get(ctx, id.ref())
	if errors.Is(err, table.ErrAbsent) {
		return Hold{}, ErrNotFound
	}
	if err != nil {
		return Hold{}, fmt.Errorf("load hold %s: %w", id, err)
	}
	return decode(item)
}

// put is the write of a hold under the version it was loaded at.
func (h Hold) put() (table.Write, error) {
	body, err := json.Marshal(h)
	if err != nil {
		return table.Write{}, fmt.Errorf("encode hold %s: %w", h.ID, err)
	}
	due := h.Next()
	if !h.filed.IsZero() && !h.filed.After(due) && due.Sub(h.filed) <= nearEnough {
		due = h.filed
	}
	pre := table.New
	if h.version > 0 {
		pre = table.Version(h.version)
	}
	return table.Put(table.State, table.Item{Key: h.ID.Key(), Schema: holdSchema, Body: body, Due: due}, pre), nil
}

func entryKey(chain string, seq int64) table.Key {
	return table.Key{Partition: chain, Sort: fmt.Sprintf("%012d", seq)}
}

// writes are those of a change: the hold, its entry, and the fences where they differ.
func (s *Service) writes(ctx context.Context, commit table.ID, h Hold, e audit.Entry) (Hold, []table.Write, error) {
	e.Commit = string(commit)
	e, h.Head = h.Head.Append(e)
	return s.stored(ctx, h, e)
}

// stored is writes of a hold that has the entry in its head.
func (s *Service) stored(ctx context.Context, h Hold, e audit.Entry) (Hold, []table.Write, error) {
	if h.Status == Released && h.Forget.IsZero() {
		h.Forget = s.Policy.Retention.Audit.After(h.Released)
	}
	fences, err := s.fences(ctx, &h)
	if err != nil {
		return Hold{}, nil, err
	}
	put, err := h.put()
	if err != nil {
		return Hold{}, nil, err
	}
	// An entry lives on for the whole period after it was last certain that somebody
	// comes back to the hold, so that one in force can always be rebuilt.
	from := later(later(h.Review, h.Until), e.At)
	entry := table.Item{Key: entryKey(e.Chain, e.Seq), Body: e.Encode(), Schema: entrySchema, Expires: s.Policy.Retention.Audit.After(from)}
	return h, slices.Concat([]table.Write{put, table.Put(table.Audit, entry, table.New)}, fences), nil
}

// fences returns the writes that let the fences say what the hold is now. Where they
// say so already there are none.
func (s *Service) fences(ctx context.Context, h *Hold) ([]table.Write, error) {
	now := s.now()
	wanted := h.behind(s.categorySources(h.Category))
	was := slices.Clone(h.Fenced)
	h.Fenced = nil
	for f := range wanted {
		if f.kind == aroundSource {
			h.Fenced = append(h.Fenced, f.id)
		}
	}
	slices.Sort(h.Fenced)
	for _, id := range was { // of a category, a source that the policy names no longer
		if _, ok := wanted[Source(id)]; !ok {
			wanted[Source(id)] = nil
		}
	}
	var writes []table.Write
	for f, by := range wanted {
		b, err := read(ctx, s.Table, f)
		if err != nil {
			return nil, err
		}
		if h.Status == Released {
			by = nil
		}
		b, differs := b.with(h.ID, by...)
		if !differs {
			continue
		}
		put, err := b.put(now)
		if err != nil {
			return nil, err
		}
		writes = append(writes, put)
	}
	listed, err := s.listed(ctx, *h)
	if err != nil {
		return nil, err
	}
	if writes = append(writes, listed...); len(writes) == 0 {
		return nil, nil
	}
	bump, err := read(ctx, s.Table, all)
	if err != nil {
		return nil, err
	}
	put, err := bump.put(now)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(writes, func(a, b table.Write) int { return strings.Compare(a.Ref.String(), b.Ref.String()) })
	return append(writes, put), nil
}

// listed returns the write that puts a hold into the list of all or takes it off,
// if it is not there as it should be.
func (s *Service) listed(ctx context.Context, h Hold) ([]table.Write, error) {
	body, err := json.Marshal(cover{Scope: h.Scope, Identifiers: h.Identifiers, Source: h.Source, Category: h.Category, Item: h.Item})
	if err != nil {
		return nil, fmt.Errorf("encode what is held: %w", err)
	}
	item, err := s.Table.Get(ctx, h.ID.heldRef())
	absent := errors.Is(err, table.ErrAbsent)
	switch {
	case err != nil && !absent:
		return nil, fmt.Errorf("read what is held: %w", err)
	case h.Status == Released && absent, h.Status != Released && string(item.Body) == string(body):
		return nil, nil
	case h.Status == Released:
		return []table.Write{table.Delete(h.ID.heldRef(), table.Version(item.Version))}, nil
	}
	pre := table.New
	if !absent {
		pre = table.Version(item.Version)
	}
	return []table.Write{table.Put(table.State, table.Item{Key: h.ID.heldRef().Key, Schema: heldSchema, Body: body}, pre)}, nil
}

// behind is what the hold has behind which fence, were it not released.
func (h Hold) behind(sources []string) map[Fence][]behind {
	m := map[Fence][]behind{}
	switch h.Scope {
	case OnPerson:
		for _, id := range h.Identifiers {
			m[Person(id)] = []behind{{Hold: h.ID, Auto: h.Automatic, Spares: h.Spares}}
		}
	case OnRequest:
		m[Request(h.Request)] = []behind{{Hold: h.ID}}
		for _, id := range h.Identifiers {
			m[Person(id)] = []behind{{Hold: h.ID, Salt: true}}
		}
	case OnCategory:
		if h.Source != "" {
			sources = []string{h.Source}
		}
		for _, src := range sources {
			m[Source(src)] = []behind{{Hold: h.ID, Category: h.Category}}
		}
	case OnSource:
		m[Source(h.Source)] = []behind{{Hold: h.ID}}
	case OnItem:
		m[Source(h.Source)] = []behind{{Hold: h.ID, Category: h.Category, Item: h.Item}}
	}
	return m
}

// categorySources lists the sources of the policy that hold a category.
func (s *Service) categorySources(category string) (list []string) {
	for _, src := range s.Policy.Sources {
		if _, ok := src.Holding(category); ok && category != "" {
			list = append(list, src.ID)
		}
	}
	slices.Sort(list)
	return list
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// Names of facts. The last entry of a chain is enough to rebuild its hold.
const (
	factStatus, factScope, factIDs, factRequest, factSource = "status", "scope", "identifiers", "request", "source"
	factCategory, factItem, factBasis, factArticle          = "category", "item", "basis", "article"
	factMatter, factOwner, factReview, factUntil            = "matter", "owner", "review", "until"
	factPlaced, factInForce, factFor, factSpares            = "placed", "in_force", "for", "spares"
	factReleased, factReason, factWent, factGone            = "released", "reason", "went", "gone"
)

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// facts tell the whole hold. Those without a value are left out.
func (h Hold) facts() []audit.Fact {
	ids := make([]string, len(h.Identifiers))
	for i, id := range h.Identifiers {
		ids[i] = string(id)
	}
	return slices.DeleteFunc([]audit.Fact{
		{Name: factStatus, Value: string(h.Status)},
		{Name: factScope, Value: string(h.Scope)},
		{Name: factIDs, Value: strings.Join(ids, " ")},
		{Name: factRequest, Value: h.Request},
		{Name: factSource, Value: h.Source},
		{Name: factCategory, Value: h.Category},
		{Name: factItem, Value: h.Item},
		{Name: factBasis, Value: string(h.Basis)},
		{Name: factArticle, Value: h.Article},
		{Name: factMatter, Value: h.Matter},
		{Name: factOwner, Value: h.Owner},
		{Name: factReview, Value: stamp(h.Review)},
		{Name: factUntil, Value: stamp(h.Until)},
		{Name: factPlaced, Value: stamp(h.Placed)},
		{Name: factInForce, Value: stamp(h.InForce)},
		{Name: factFor, Value: h.For},
		{Name: factSpares, Value: h.Spares},
		{Name: factReleased, Value: stamp(h.Released)},
		{Name: factReason, Value: h.Reason},
	}, func(f audit.Fact) bool { return f.Value == "" })
}

// chain is the hold's, as it remembers it.
func (h Hold) chain() audit.Chain { return audit.Chain{Name: h.ID.Chain(), Head: h.Head} }

// Heads finds the audit chain of a hold whose key is in the due-index; there is none
// outside of it.
func (s *Service) Heads(ctx context.Context, k table.Key) ([]audit.Chain, error) {
	if !IsKey(k) {
		return nil, nil
	}
	h, err := s.load(ctx, ID(k.Sort))
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []audit.Chain{h.chain()}, nil
}

// derive is the id of a hold that follows a request, or of one that was placed with
// an Idempotency-Key.
func (s *Service) derive(parts ...string) ID { return ID("h" + s.Ring.Hash("hold", parts...)) }

// unavailable turns a store that is busy, or that lost an answer, into a fault that
// asks the caller to repeat the call.
func unavailable(err error) error {
	if errors.Is(err, table.ErrBusy) || errors.Is(err, table.ErrUnknown) {
		return ErrBusy.Because(err)
	}
	return err
}

// unique sorts identifiers and drops what is twice.
func unique(ids []seal.Identifier) []seal.Identifier {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}
