package dynamodbsource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rightsdesk/shared/source"
)

// Execute implements source.Source.
func (s *Source) Execute(ctx context.Context, order source.Order) (source.Done, error) {
	ctx, cancel := order.Call.Within(ctx, s.o.Now())
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
	mine := source.Page{IDs: make([]string, len(changes)), Rest: rest}
	for i, c := range changes {
		mine.IDs[i] = c.id
	}
	page, err := source.RememberOrder(ctx, s.o.Pages, order, mine)
	if err != nil {
		return source.Done{}, err
	}
	done := source.Done{Removed: len(page.IDs), Done: !page.Rest}
	for _, c := range changes {
		if !slices.Contains(page.IDs, c.id) {
			continue // a repeated call: the records after its page
		}
		if err := order.Call.Begins(s.o.Now()); err != nil {
			return source.Done{}, err
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
		if err := order.Call.Begins(s.o.Now()); err != nil {
			return nil, false, err
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
	still  item // attributes that the item must have as they are here; nil: it must lack it
	delete bool
	set    item     // attributes to set
	remove []string // attributes to remove
}

// change works out what an order does to an item; differs is false if that is nothing.
func (s *Source) change(order source.Order, owner leg, id string, it item) (c change, differs bool, err error) {
	c = change{id: id, key: s.m.key(it), still: item{owner.Attribute: &types.AttributeValueMemberS{Value: owner.value}}, set: item{}}
	switch order.Verb {
	case source.Anonymise:
		return c, true, s.mask(&c, order.Masks, order.MaskKey, it)
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
	case source.Choose, source.Archive:
	}
	return c, true, nil // execute lets no other verb through
}

// mask fills in what anonymising does to an item. The masks must name every
// attribute but those that the mapping rests on, which stay, and those that
// people are found by, which go unless a mask replaces them.
func (s *Source) mask(c *change, masks []source.Mask, key []byte, it item) error {
	named := map[string]source.How{}
	for _, m := range masks {
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
	if raw, err = source.MaskObject(raw, masks, key); err != nil {
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
