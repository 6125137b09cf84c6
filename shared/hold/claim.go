package hold

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

const (
	// Lease is the longest that a page of destructive work may be claimed for, be it a
	// request's or a sweep's: a hold is in force once so much has passed.
	Lease = time.Minute
	// claimLife is how long it is known what a page did: longer than any outage of what
	// brings holds into force.
	claimLife = 7 * 24 * time.Hour

	claimSchema = 1
	// maxClaim bounds what is remembered of a page, in bytes. Beyond it the ids of its
	// records are left out.
	maxClaim = 200 << 10
)

// Claimed is a page of destructive work: before it is begun it is remembered, so
// that a hold can tell what went while it was placed.
type Claimed struct {
	Owner       string            `json:"owner"` // see ByRequest and BySweep
	Source      string            `json:"-"`
	Category    string            `json:"category"`
	Identifiers []seal.Identifier `json:"ids,omitempty"`      // of a request: everybody whom it is about
	Records     []Record          `json:"records,omitempty"`  // of a sweep: what is to go
	Corrects    bool              `json:"corrects,omitempty"` // it changes, as the person asked, and deletes nothing
	At          time.Time         `json:"at"`
	Until       time.Time         `json:"until"` // the end of the lease, at most Lease after At
	Page        string            `json:"page"`  // key of the call: the same when the page is repeated
	Count       int               `json:"count"` // records at most; 0: not known

	Ended   time.Time `json:"ended,omitzero"` // the answer came
	Removed int       `json:"removed,omitempty"`
	Gone    []string  `json:"gone,omitempty"` // ids of what was removed, where they are known
}

// Record is one record of a sweep's page.
type Record struct {
	ID  string            `json:"id"`
	Who []seal.Identifier `json:"who,omitempty"` // whom it is about, as far as the source knows
}

// Held is what a claim has to leave out.
type Held struct {
	// Items are the records of the source and category that have to stay.
	Items []string
	By    []ID // the holds that keep them
}

// add adds a record that a hold keeps.
func (h *Held) add(b behind) {
	if !slices.Contains(h.Items, b.Item) {
		h.Items = append(h.Items, b.Item)
	}
	if !slices.Contains(h.By, b.Hold) && len(h.By) < maxBy {
		h.By = append(h.By, b.Hold)
	}
	slices.Sort(h.Items)
}

// maxFences bounds the fences that one commit depends on, of the hundred writes that it
// can have. The claim of somebody who is known by more identities depends on the one
// fence that every placing and every release moves.
const maxFences = 40

// maxBy bounds the holds that a page is told of: whoever waits for them is noted with
// each.
const maxBy = 20

// Claim reads the fences of a page that is about one person, and returns what it has
// to leave out and the writes that the claim's commit must carry: conditions that fail
// it should a hold be placed in between, and the page itself, to be settled when its
// answer is there. It returns ErrHeld if a hold covers the page.
func Claim(ctx context.Context, t table.Table, c Claimed) (Held, []table.Write, error) {
	fences := []Fence{Source(c.Source)}
	if id, ok := requestOf(c.Owner); ok {
		fences = append(fences, Request(id))
	}
	for _, id := range c.Identifiers {
		if f := Person(id); !slices.Contains(fences, f) {
			fences = append(fences, f)
		}
	}
	var held Held
	var by []ID
	writes := make([]table.Write, 0, maxFences+2)
	many := len(fences) > maxFences
	if many { // read before the others: what is placed after they were read moves it
		b, err := read(ctx, t, all)
		if err != nil {
			return Held{}, nil, err
		}
		writes = append(writes, b.check())
	}
	for _, f := range fences {
		b, err := read(ctx, t, f)
		if err != nil {
			return Held{}, nil, err
		}
		for _, h := range b.By {
			switch {
			case f.kind == aroundPerson && (h.Salt || h.Auto && c.Corrects || h.Spares != "" && c.Owner == ownerOf(h.Spares)):
			case h.Category != "" && h.Category != c.Category:
			case h.Item != "":
				held.add(h)
			default:
				by = append(by, h.Hold)
			}
		}
		if !many {
			writes = append(writes, b.check())
		}
	}
	if len(by) > 0 {
		return Held{}, nil, heldError{by}
	}
	put, err := c.put(table.New)
	if err != nil {
		return Held{}, nil, err
	}
	return held, append(writes, put), nil
}

// Items returns the records of a source and category that holds on single items keep,
// for a look that changes nothing.
func Items(ctx context.Context, t table.Table, source, category string) (Held, error) {
	b, err := read(ctx, t, Source(source))
	if err != nil {
		return Held{}, err
	}
	var held Held
	for _, h := range b.By {
		if h.Item != "" && h.Category == category {
			held.add(h)
		}
	}
	return held, nil
}

// Settle is the write that says what became of a page. It belongs into the commit
// that records the answer. A page that is never settled may have done its work.
func (c Claimed) Settle(now time.Time, removed int, ids ...string) (table.Write, error) {
	c.Ended, c.Removed, c.Gone = now, removed, ids
	return c.put(table.Exists)
}

// requestOf is the inverse of ByRequest.
func requestOf(owner string) (string, bool) { return strings.CutPrefix(owner, byRequest) }

const claimSort = "2006-01-02T15:04:05.000Z"

func (c Claimed) ref() table.Ref {
	return table.Ref{Table: table.State, Key: table.Key{
		Partition: "claim#" + c.Source, Sort: c.Until.UTC().Format(claimSort) + "#" + c.Page,
	}}
}

func (c Claimed) put(pre table.Precondition) (table.Write, error) {
	if c.Owner == "" || c.Source == "" || c.Page == "" || c.Until.Sub(c.At) > Lease {
		return table.Write{}, fmt.Errorf("hold: a page of %q on %q cannot be claimed for %s", c.Owner, c.Source, c.Until.Sub(c.At))
	}
	body, err := json.Marshal(c)
	if err == nil && len(body) > maxClaim {
		c.Gone, c.Records = nil, slices.Clone(c.Records)
		for i := range c.Records {
			c.Records[i].ID = ""
		}
		body, err = json.Marshal(c)
	}
	if err != nil {
		return table.Write{}, fmt.Errorf("encode a claim: %w", err)
	}
	return table.Put(table.State, table.Item{
		Key: c.ref().Key, Schema: claimSchema, Body: body, Expires: c.Until.Add(claimLife),
	}, pre), nil
}
