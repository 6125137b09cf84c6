package request

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/digest"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// Shown is a request as an operator sees it.
type Shown struct {
	View
	Person  Person
	Samples map[string]map[string][]string // ids of records, by source and category
	Reasons []string                       // codes to deny with
}

// Show shows an operator a request with the person's own words. That they read
// it is recorded before they do.
func (s *Service) Show(ctx context.Context, by operator.Identity, id ID) (Shown, error) {
	if err := mayHandle(by); err != nil {
		return Shown{}, err
	}
	r, err := s.load(ctx, id)
	if err != nil {
		return Shown{}, err
	}
	if err := s.recordRead(ctx, by, id); err != nil {
		return Shown{}, unavailable(err)
	}
	out := Shown{}
	if out.View, err = s.view(ctx, r); err != nil {
		return Shown{}, err
	}
	if out.Person, _, err = s.person(ctx, r); err != nil && !errors.Is(err, seal.ErrSealed) {
		return Shown{}, err
	}
	plan, err := s.loadPlan(ctx, id)
	if err != nil {
		return Shown{}, err
	}
	out.Samples = s.masked(plan.Samples)
	for _, x := range s.refusals(r) {
		out.Reasons = append(out.Reasons, x.Code)
	}
	return out, nil
}

// masked hides the numbers of papers: records that hold copies of them are often
// known by nothing else. How many there are is shown.
func (s *Service) masked(samples map[string]map[string][]string) map[string]map[string][]string {
	for _, byCategory := range samples {
		for category, ids := range byCategory {
			if c, ok := s.Policy.Category(category); ok && c.IdentityDocument {
				for i := range ids {
					ids[i] = hidden
				}
			}
		}
	}
	return samples
}

// hidden stands in an operator's view for what is nobody's to read there.
const hidden = "(hidden)"

// day is what one operator did on one day that belongs to no aggregate. It
// holds the head of a chain of its own:
//
//	table  partition                  sort          body
//	state  operator#<id>#2026-03-05   -             {"head"}; due when it may be forgotten
//	audit  operator#<id>#2026-03-05   000000000001  one entry
type day struct {
	Head audit.Head `json:"head"`
}

const dayPrefix = "operator#"

// recordRead appends to the operator's chain of today that they read a request, or
// something of it.
func (s *Service) recordRead(ctx context.Context, by operator.Identity, id ID, more ...audit.Fact) error {
	now := s.now()
	chain := dayPrefix + by.ID + "#" + now.UTC().Format(time.DateOnly)
	ref := table.Ref{Table: table.State, Key: table.Key{Partition: chain, Sort: "-"}}
	forget := s.Policy.Retention.Audit.After(now)
	commit := table.NewID()
	for try := range conflictTries {
		var d day
		pre := table.New
		item, err := s.Table.Get(ctx, ref)
		switch {
		case errors.Is(err, table.ErrAbsent):
		case err != nil:
			return fmt.Errorf("load an operator's day: %w", err)
		default:
			pre = table.Version(item.Version)
			if err := json.Unmarshal(item.Body, &d); err != nil {
				return fmt.Errorf("decode an operator's day: %w", err)
			}
		}
		var e audit.Entry
		e, d.Head = d.Head.Append(audit.Entry{
			Chain: chain, At: now, Actor: by.Actor(), Action: "read", Commit: string(commit),
			Facts: append([]audit.Fact{{Name: "request", Value: string(id)}}, more...),
		})
		body, err := json.Marshal(d)
		if err != nil {
			return fmt.Errorf("encode an operator's day: %w", err)
		}
		err = s.Table.Commit(ctx, commit,
			table.Put(table.State, table.Item{Key: ref.Key, Schema: requestSchema, Body: body, Due: forget, Expires: forget}, pre),
			table.Put(table.Audit, table.Item{Key: table.Key{Partition: chain, Sort: entrySort(e.Seq)}, Schema: requestSchema, Body: e.Encode(), Expires: forget}, table.New))
		if err == nil || !errors.Is(err, table.ErrConflict) {
			return err
		}
		if err := table.Sleep(ctx, table.Pause(try)); err != nil {
			return err
		}
	}
	return table.ErrBusy
}

// head returns the chain whose head stands under a key of the State table. Keys without
// a chain have none.
func (s *Service) head(ctx context.Context, k table.Key) (c audit.Chain, ok bool, err error) {
	_, isRequest := IDOf(k)
	if !isRequest && !digest.IsKey(k) && !strings.HasPrefix(k.Partition, dayPrefix) {
		return c, false, nil
	}
	item, err := s.Table.Get(ctx, table.Ref{Table: table.State, Key: k})
	if errors.Is(err, table.ErrAbsent) {
		return c, false, nil // gone since the index was read
	}
	if err != nil {
		return c, false, fmt.Errorf("load the head of a chain: %w", err)
	}
	var d struct { // all of them have their heads under the same name
		day
		Received time.Time `json:"received"` // of requests only
	}
	if err := json.Unmarshal(item.Body, &d); err != nil {
		return c, false, fmt.Errorf("decode the head of a chain: %w", err)
	}
	return audit.Chain{Name: k.Partition, Head: d.Head, Since: d.Received}, true, nil
}
