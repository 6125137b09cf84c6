package hold

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// Fence names one item that a claim depends on.
type Fence struct{ kind, id string }

// The kinds of fences.
const (
	aroundPerson  = "person"
	aroundRequest = "request"
	aroundSource  = "source"
	aroundAll     = "all"
)

// Person is the fence around whoever is known by an identifier.
func Person(id seal.Identifier) Fence { return Fence{aroundPerson, string(id)} }

// Request is the fence around one request.
func Request(id string) Fence { return Fence{aroundRequest, id} }

// Source is the fence around one data source.
func Source(id string) Fence { return Fence{aroundSource, id} }

// all is the fence around everything: a sweep meets everybody.
var all = Fence{kind: aroundAll}

// Ref is where the fence stands.
func (f Fence) Ref() table.Ref {
	p := "fence#" + f.kind
	if f.id != "" {
		p += "#" + f.id
	}
	return table.Ref{Table: table.State, Key: table.Key{Partition: p, Sort: "-"}}
}

// ErrHeld says that a hold covers what was to be claimed. Blocking tells which.
var ErrHeld = errors.New("hold: a legal hold is in the way")

// heldError is ErrHeld with the holds that are in the way.
type heldError struct{ ids []ID }

func (heldError) Error() string { return ErrHeld.Error() }

// Unwrap makes errors.Is(err, ErrHeld) work.
func (heldError) Unwrap() error { return ErrHeld }

// Blocking returns the holds that an ErrHeld is about, as far as it says.
func Blocking(err error) []ID {
	if h, ok := errors.AsType[heldError](err); ok {
		ids := slices.Clone(h.ids)
		slices.Sort(ids)
		ids = slices.Compact(ids)
		return ids[:min(len(ids), maxBy)]
	}
	return nil
}

const (
	// fenceSchema is 2: a fence of schema 1 counted holds and could not name them.
	fenceSchema = 2
	// fenceLife is how long a fence without a hold stays: longer than any claim that
	// read it, which must not meet another fence at the same version.
	fenceLife = 24 * time.Hour
	// maxBehind bounds the holds behind one fence.
	maxBehind = 2000
	// maxFence bounds a fence in bytes: an item takes 400 KB, and ids of records are as
	// long as a store makes them.
	maxFence = 300 << 10
)

// fence is a fence's item.
type fence struct {
	By []behind `json:"by"`

	at      Fence
	version int64 // 0: there is none
}

// behind is one hold behind a fence.
type behind struct {
	Hold     ID     `json:"h"`
	Category string `json:"c,omitempty"` // in a source: of this category only
	Item     string `json:"i,omitempty"` // in a source: this record only
	// Salt says that what was sealed for the person has to stay readable, and no more.
	Salt   bool   `json:"s,omitempty"`
	Auto   bool   `json:"a,omitempty"` // a law's: corrections that the person asks for go on
	Spares string `json:"x,omitempty"` // the request whose work goes on
}

// read reads a fence. One that cannot be read holds: deleting is the step that
// cannot be undone.
func read(ctx context.Context, t table.Table, f Fence) (fence, error) {
	item, err := t.Get(ctx, f.Ref())
	if errors.Is(err, table.ErrAbsent) {
		return fence{at: f}, nil
	}
	if err != nil {
		return fence{}, fmt.Errorf("read the fence of a %s: %w", f.kind, err)
	}
	b := fence{at: f, version: item.Version}
	if err := json.Unmarshal(item.Body, &b); err != nil || item.Schema != fenceSchema {
		return fence{}, fmt.Errorf("read the fence of a %s: %w", f.kind, ErrHeld)
	}
	return b, nil
}

// check is the condition that the fence stays as it was read.
func (f fence) check() table.Write {
	if f.version == 0 {
		return table.Check(f.at.Ref(), table.New)
	}
	return table.Check(f.at.Ref(), table.Version(f.version))
}

// put is the write of a fence that has changed.
func (f fence) put(now time.Time) (table.Write, error) {
	if len(f.By) > maxBehind {
		return table.Write{}, ErrTooMany
	}
	body, err := json.Marshal(f)
	if err != nil {
		return table.Write{}, fmt.Errorf("encode a fence: %w", err)
	}
	if len(body) > maxFence {
		return table.Write{}, ErrTooMany
	}
	item := table.Item{Key: f.at.Ref().Key, Schema: fenceSchema, Body: body}
	if len(f.By) == 0 && f.at != all {
		item.Expires = now.Add(fenceLife)
	}
	pre := table.New
	if f.version > 0 {
		pre = table.Version(f.version)
	}
	return table.Put(table.State, item, pre), nil
}

// with returns the fence with what a hold has behind it now; without anything, none.
func (f fence) with(id ID, now ...behind) (changed fence, differs bool) {
	before := slices.DeleteFunc(slices.Clone(f.By), func(b behind) bool { return b.Hold != id })
	if slices.Equal(before, now) {
		return f, false
	}
	f.By = append(slices.DeleteFunc(slices.Clone(f.By), func(b behind) bool { return b.Hold == id }), now...)
	return f, true
}

// Checks reads fences and returns the conditions that a commit must carry which
// destroys what they are around: should any fence change before, the commit fails.
// It returns ErrHeld if one of them holds anything, in whichever way.
func Checks(ctx context.Context, t table.Table, fences ...Fence) ([]table.Write, error) {
	writes := make([]table.Write, 0, len(fences))
	var by []ID
	for _, f := range fences {
		b, err := read(ctx, t, f)
		if err != nil {
			return nil, err
		}
		for _, h := range b.By {
			by = append(by, h.Hold)
		}
		writes = append(writes, b.check())
	}
	if len(by) > 0 {
		return nil, heldError{by}
	}
	return writes, nil
}

// Covered reports whether any hold is on somebody who is known by one of the
// identifiers, be it on a request of theirs only.
func Covered(ctx context.Context, t table.Table, ids []seal.Identifier) (bool, error) {
	for _, id := range ids {
		b, err := read(ctx, t, Person(id))
		if errors.Is(err, ErrHeld) {
			return true, nil
		}
		if err != nil || len(b.By) > 0 {
			return err == nil, err
		}
	}
	return false, nil
}

// Forgetting returns the conditions that the commit must carry which forgets our own record
// of a request: that no hold is on it, nor on the person whom it is about. It returns
// ErrHeld if one is. An open dispute that spares the work on the request does not
// spare its record.
func Forgetting(ctx context.Context, t table.Table, request string, whose []seal.Identifier) ([]table.Write, error) {
	return unheld(ctx, t, append([]Fence{Request(request)}, persons(whose)...))
}

// Purging is Forgetting of a record of ours about a person that is none of a request.
func Purging(ctx context.Context, t table.Table, whose []seal.Identifier) ([]table.Write, error) {
	return unheld(ctx, t, persons(whose))
}

func persons(whose []seal.Identifier) []Fence {
	fences := make([]Fence, len(whose))
	for i, id := range whose {
		fences[i] = Person(id)
	}
	return fences
}

// unheld returns the conditions that nothing is held behind any of the fences.
func unheld(ctx context.Context, t table.Table, fences []Fence) ([]table.Write, error) {
	var writes []table.Write
	for _, f := range fences {
		b, err := read(ctx, t, f)
		if err != nil {
			return nil, err
		}
		for _, h := range b.By {
			if !h.Salt {
				return nil, heldError{[]ID{h.Hold}}
			}
		}
		writes = append(writes, b.check())
	}
	return writes, nil
}

// Owns reports whether an item is one that several holds share, so that a commit that
// conflicts on it can be tried again as it is, once Following was asked anew.
func Owns(ref table.Ref) bool {
	p := ref.Key.Partition
	return ref.Table == table.State && (strings.HasPrefix(p, "fence#") || p == partition || p == heldPartition) ||
		ref.Table == table.Audit && strings.HasPrefix(p, chainPrefix)
}
