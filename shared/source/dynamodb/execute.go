package dynamodbsource

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rightsdesk/shared/source"
)

var errLease = fmt.Errorf("%w: the lease is over", source.ErrLater)

// Execute implements source.Source.
func (s *Source) Execute(ctx context.Context, order source.Order) (source.Done, error) {
	ctx, cancel := s.within(ctx, order.Call)
	defer cancel()
	done, err := s.execute(ctx, order)
	if err != nil {
		return source.Done{}, fmt.Errorf("source %s: %s: %w", s.o.ID, order.Verb, err)
	}
	return done, nil
}

func (s *Source) execute(ctx context.Context, order source.Order) (source.Done, error) {
	if order.Verb == source.Choose {
		return source.Done{}, refused(errors.New("a table obeys nobody's choice; declare a hook that does"))
	}
	legs, err := s.legs(order.Identities, order.Category)
	switch {
	case err != nil:
		return source.Done{}, err
	case order.Category == "" || order.Until.IsZero() || order.Call.Key == "":
		return source.Done{}, refused(errors.New("an order needs a category, a cut-off and a key"))
	case order.Verb == source.Anonymise && s.m.nameIsKey():
		return source.Done{}, refused(errors.New("what names the person is the item's key and cannot be masked; declare delete"))
	case order.Verb != source.Delete && order.Verb != source.Anonymise && (order.Verb != source.Correct || len(order.Corrections) == 0):
		return source.Done{}, refused(errors.New("the order does not say what to do"))
	}
	changes, rest, err := s.pick(ctx, legs, order)
	if err != nil {
		return source.Done{}, err
	}
	page, err := s.remember(ctx, order, changes, rest)
	if err != nil {
		return source.Done{}, err
	}
	done := source.Done{Removed: len(page.IDs), Done: !page.Rest}
	for _, c := range changes {
		if !slices.Contains(page.IDs, c.id) {
			continue // a repeated call: the records after its page
		}
		if !s.o.Now().Before(order.Call.Lease) {
			return source.Done{}, errLease
		}
		theirs, err := s.apply(ctx, c)
		if err != nil {
			return source.Done{}, err
		}
		if theirs {
			done.Removed--
			done.Retained++
		}
	}
	if done.Retained > 0 {
		done.Messages = []string{fmt.Sprintf("%d items had become somebody else's and were left alone.", done.Retained)}
	}
	return done, nil
}

// pick works out the changes of a page before any is made, so that an order that
// must be refused changes nothing. rest says that there are more.
func (s *Source) pick(ctx context.Context, legs []leg, order source.Order) (changes []change, rest bool, err error) {
	keep := make(map[string]bool, len(order.Keep))
	for _, id := range order.Keep {
		keep[id] = true
	}
	for at := (position{}); at.Leg < len(legs); {
		if !s.o.Now().Before(order.Call.Lease) {
			return nil, false, errLease
		}
		items, next, err := s.look(ctx, legs, at, maxLook)
		if err != nil {
			return nil, false, err
		}
		for _, it := range items {
			r, wanted, err := s.record(it, order.Category, order.Until)
			if err != nil {
				return nil, false, refused(err)
			}
			if !wanted || keep[r.ID] {
				continue
			}
			c, differs, err := s.change(order, legs[at.Leg], r.ID, it)
			switch {
			case err != nil:
				return nil, false, err
			case !differs:
				continue
			case len(changes) == source.Size(order.Limit):
				return changes, true, nil
			}
			changes = append(changes, c)
		}
		at = next
	}
	return changes, false, nil
}

// change is what is to happen to one item.
type change struct {
	id     string
	key    item
	owner  leg
	delete bool
	set    item     // attributes to set
	remove []string // attributes to remove
}

// change works out what an order does to an item; differs is false if that is nothing.
func (s *Source) change(order source.Order, owner leg, id string, it item) (c change, differs bool, err error) {
	c = change{id: id, key: s.m.key(it), owner: owner, set: item{}}
	switch order.Verb {
	case source.Anonymise:
		return c, true, s.mask(&c, order, it)
	case source.Correct:
		for _, f := range order.Corrections {
			if s.m.structure(f.Field) {
				return c, false, refused(errors.New("an attribute that the mapping rests on cannot be corrected"))
			}
			was, isText := it[f.Field].(*types.AttributeValueMemberS)
			if it[f.Field] != nil && !isText {
				return c, false, refused(errors.New("an attribute to be corrected is not text"))
			}
			if !isText || was.Value != f.Value.Reveal() {
				c.set[f.Field] = &types.AttributeValueMemberS{Value: f.Value.Reveal()}
			}
		}
		return c, len(c.set) > 0, nil
	case source.Delete:
		c.delete = true
	case source.Choose:
	}
	return c, true, nil // execute lets no other verb through
}

// mask fills in what anonymising does to an item. The masks must name every
// attribute but those that the mapping rests on, which stay, and those that
// people are found by, which go unless a mask replaces them.
func (s *Source) mask(c *change, order source.Order, it item) error {
	named := map[string]source.How{}
	for _, m := range order.Masks {
		if named[m.Field] = m.How; m.How == source.Preserve && s.m.names(m.Field) {
			return refused(errors.New("an attribute that people are found by cannot be preserved"))
		}
		if m.How != source.Preserve && s.m.structure(m.Field) {
			return refused(errors.New("an attribute that the mapping rests on cannot be masked"))
		}
	}
	raw, err := it.fields(func(name string) bool {
		_, masked := named[name]
		return masked || !s.m.structure(name) && !s.m.names(name)
	})
	if err != nil {
		return refused(err)
	}
	if raw, err = source.MaskObject(raw, order.Masks, order.MaskKey); err != nil {
		return err
	}
	var masked map[string]any
	if err := json.Unmarshal(raw, &masked); err != nil {
		return refused(errors.New("a masked item is no JSON object"))
	}
	for name := range it {
		how, has := named[name]
		switch value, isText := masked[name].(string); {
		case has && how == source.Preserve:
		case has && isText:
			c.set[name] = &types.AttributeValueMemberS{Value: value}
		case has, s.m.names(name), !s.m.structure(name):
			c.remove = append(c.remove, name) // null: an index could not hold the null of DynamoDB
		}
	}
	slices.Sort(c.remove)
	return nil
}

// page is what Pages remembers of a call.
type page struct {
	Order []byte   `json:"order"` // a hash that tells orders apart
	IDs   []string `json:"ids"`
	Rest  bool     `json:"rest"`
}

// remember fixes which records the call is for, at its first time.
func (s *Source) remember(ctx context.Context, order source.Order, changes []change, rest bool) (page, error) {
	mine := page{digest(order), make([]string, len(changes)), rest}
	for i, c := range changes {
		mine.IDs[i] = c.id
	}
	raw, err := json.Marshal(mine)
	if err != nil {
		return page{}, refused(errors.New("the page cannot be encoded"))
	}
	if raw, err = s.o.Pages.Remember(ctx, order.Call.Key, raw); err != nil {
		return page{}, fmt.Errorf("%w: remember the page: %w", source.ErrLater, err)
	}
	var first page
	if err := json.Unmarshal(raw, &first); err != nil {
		return page{}, fmt.Errorf("%w: what is remembered of the page cannot be read: %w", source.ErrRefused, err)
	}
	if !bytes.Equal(first.Order, mine.Order) {
		return page{}, refused(errors.New("the key was used for another order"))
	}
	return first, nil
}

// digest tells orders of one person apart. It leaves out who the person is, and
// values: a hash of those can be guessed, and this one is stored.
func digest(o source.Order) []byte {
	var fields []string
	for _, c := range o.Corrections {
		fields = append(fields, c.Field)
	}
	raw, err := json.Marshal([]any{o.Verb, o.Category, o.Until.UTC().Format(time.RFC3339Nano), o.Limit, o.Masks, fields, o.Keep})
	if err != nil {
		panic(err) // strings and numbers: it cannot fail
	}
	sum := sha256.Sum256(raw)
	return sum[:]
}
