package dynamodbsource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
)

// Client is what is used of the SDK's.
type Client interface {
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	DeleteItem(context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
}

// Options declare a table.
type Options struct {
	ID      string // the source's id in the policy
	Mapping Mapping
	Client  Client
	Pages   source.Pages
	Now     func() time.Time
}

// Source is a source.Sweeper on a table.
type Source struct {
	o Options
	m Mapping
}

// New refuses a mapping that cannot be followed, and a source that could not
// remember its calls (source.ErrRefused).
func New(o Options) (*Source, error) {
	if err := o.Mapping.check(); err != nil {
		return nil, fmt.Errorf("source %s: %w", o.ID, refused(err))
	}
	if o.Client == nil || o.Pages == nil || o.Now == nil {
		return nil, fmt.Errorf("source %s: %w", o.ID, refused(errors.New("it has no client, no memory of pages or no clock")))
	}
	return &Source{o: o, m: o.Mapping}, nil
}

// maxPageBytes ends a page early; a thousand items could hold 400 MB.
const maxPageBytes = 4 << 20

// Find implements source.Source. The cursor holds keys of the table, but not the
// identities that were asked for.
func (s *Source) Find(ctx context.Context, ask source.Ask) (source.Found, error) {
	ctx, cancel := ask.Call.Within(ctx, s.o.Now())
	defer cancel()
	page, err := s.find(ctx, ask)
	if err != nil {
		return source.Found{}, fmt.Errorf("source %s: find: %w", s.o.ID, err)
	}
	return page, nil
}

func (s *Source) find(ctx context.Context, ask source.Ask) (source.Found, error) {
	legs, err := s.legs(ask.Identities, ask.Category)
	if err != nil {
		return source.Found{}, err
	}
	at, err := parsePosition(ask.Cursor, legs)
	if err != nil {
		return source.Found{}, err
	}
	limit, size := source.Size(ask.Limit), 0
	page := source.Found{}
	for len(page.Records) < limit && size < maxPageBytes {
		if err := ask.Call.Begins(s.o.Now()); err != nil {
			return source.Found{}, err
		}
		items, next, err := s.look(ctx, legs, at, limit-len(page.Records))
		if err != nil {
			return source.Found{}, err
		}
		for _, it := range items {
			page.Ties = append(page.Ties, s.ties(legs[at.Leg], it)...)
			r, wanted, err := s.record(it, ask.Category, ask.Until)
			if err != nil {
				return source.Found{}, refused(err)
			}
			if !wanted {
				continue
			}
			if ask.Values {
				if r.Fields, err = it.fields(func(string) bool { return true }); err != nil {
					return source.Found{}, refused(err)
				}
				size += len(r.Fields)
			}
			page.Records = append(page.Records, r)
		}
		if at = next; at.Leg == len(legs) {
			page.Done = true
			return page, nil
		}
	}
	page.Cursor = at.cursor(legs)
	return page, nil
}

// record reads an item; wanted says whether it is of the category, if one is
// given, and not newer than until.
func (s *Source) record(it item, category string, until time.Time) (r source.Record, wanted bool, err error) {
	if r.Category, err = s.m.category(it); err != nil {
		return r, false, err
	}
	if r.At, err = s.m.CollectedAt.of(it); err != nil {
		return r, false, err
	}
	if r.ID, err = s.m.id(it); err != nil {
		return r, false, err
	}
	return r, (category == "" || category == r.Category) && (until.IsZero() || !r.At.After(until)), nil
}

// ties returns the identities that an item binds to the one it was found by.
func (s *Source) ties(l leg, it item) []personal.Identity {
	var out []personal.Identity
	for _, t := range s.m.Ties {
		if v, ok := text(it[t.Attribute]); ok && v != "" && t.FoundBy == l.Identity {
			out = append(out, personal.MakeIdentity(t.Identity, v))
		}
	}
	return out
}

// leg is one way on which a look goes: one identity by one lookup.
type leg struct {
	Lookup
	value string // what the attribute must be
}

// legs returns the way of a look. An identity that no lookup is for is an error:
// passing over it would be saying "nothing found" without having looked.
func (s *Source) legs(ids []personal.Identity, category string) ([]leg, error) {
	if len(ids) == 0 {
		return nil, fmt.Errorf("%w: nobody is named", source.ErrRefused)
	}
	if category != "" && !slices.ContainsFunc(s.m.Items, func(r Rule) bool { return r.Category == category }) {
		return nil, fmt.Errorf("%w: the mapping has no such category", source.ErrRefused)
	}
	var legs []leg
	for _, id := range ids {
		n := len(legs)
		for _, l := range s.m.FindBy {
			if l.Identity == id.Kind && id.Reveal() != "" {
				legs = append(legs, leg{l, l.Prefix + id.Reveal()})
			}
		}
		if len(legs) == n {
			return nil, fmt.Errorf("%w: the mapping finds nobody by %s", source.ErrRefused, id.Kind)
		}
	}
	return legs, nil
}

// owns reports whether an item lies on a leg.
func (l leg) owns(it item) bool {
	v, ok := text(it[l.Attribute])
	return ok && v == l.value
}
