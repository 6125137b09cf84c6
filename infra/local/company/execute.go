package company

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"rightsdesk/shared/source"
)

// Execute implements source.Source. One transaction holds the page's effects,
// and the memory that they were done.
func (s *store) Execute(_ context.Context, order source.Order) (source.Done, error) {
	categories, err := s.asked(order.Category)
	switch {
	case err != nil:
		return source.Done{}, err
	case order.Verb == source.Choose:
	case order.Category == "" || order.Until.IsZero() || order.Call.Key == "":
		return source.Done{}, fmt.Errorf("%w: an order needs a category, a cut-off and a key", source.ErrRefused)
	case order.Verb != source.Delete && order.Verb != source.Anonymise && (order.Verb != source.Correct || len(order.Corrections) == 0):
		return source.Done{}, fmt.Errorf("%w: the order does not say what to do", source.ErrRefused)
	}
	var done source.Done
	err = s.db.Update(func(tx *bolt.Tx) error {
		// Looked at inside: the transaction may have waited for another one.
		if !s.now().Before(order.Call.Lease) {
			return source.ErrLease
		}
		f := s.files(tx)
		var known bool
		if done, known, err = f.recall(order.Call.Key, digest(order)); known || err != nil {
			return err
		}
		if order.Verb == source.Choose {
			done, err = s.choose(f, order)
			return err
		}
		accounts, _, err := s.accounts(f, order.Identities)
		if err != nil {
			return err
		}
		places, rest, err := f.pick(order, accounts, categories)
		if err != nil {
			return err
		}
		if order.Category == Orders && order.Verb != source.Correct {
			done = source.Done{Retained: len(places), Done: true}
			if len(places) > 0 {
				done.Messages = []string{"Orders stay for ten years after the year they were placed: tax law."}
			}
			return f.remember(order.Call.Key, digest(order), done)
		}
		for _, p := range places {
			if err := f.act(order, p); err != nil {
				return err
			}
			if err := s.noteEffect(tx, order.Call.Key, order.Verb, p); err != nil {
				return err
			}
		}
		done = source.Done{Removed: len(places), Done: !rest}
		return f.remember(order.Call.Key, digest(order), done)
	})
	if err != nil {
		return source.Done{}, err // and no effect: the transaction is gone
	}
	return done, nil
}

// pick chooses the page: the first records in the order of the index that the
// order is about and that it would change. rest says that there are more.
func (f files) pick(order source.Order, accounts, categories []string) (places []place, rest bool, err error) {
	keep := make(map[string]bool, len(order.Keep))
	for _, id := range order.Keep {
		keep[id] = true
	}
	err = f.walk(accounts, categories, order.Until, position{}, func(_ position, p place) (bool, error) {
		if keep[p.id] {
			return true, nil
		}
		if order.Verb == source.Correct {
			e, err := f.get(p)
			if err != nil {
				return false, err
			}
			if _, differs, err := corrected(e.Fields, order.Corrections); err != nil || !differs {
				return true, err
			}
		}
		if rest = len(places) == source.Size(order.Limit); rest {
			return false, nil
		}
		places = append(places, p)
		return true, nil
	})
	return places, rest, err
}

// act does what is ordered to one record.
func (f files) act(order source.Order, p place) error {
	e, err := f.get(p)
	if err != nil {
		return err
	}
	if err := f.unfile(p, e); err != nil {
		return err
	}
	switch order.Verb {
	case source.Delete:
		return f.records.Delete(p.record())
	case source.Anonymise:
		e.Fields, err = source.MaskObject(e.Fields, order.Masks, order.MaskKey)
		p.owner = ""
	case source.Correct:
		e.Fields, _, err = corrected(e.Fields, order.Corrections)
	case source.Archive:
		e.Archived = true
	case source.Choose: // it is about no record
	}
	if err != nil {
		return err
	}
	return f.put(p, e)
}

// corrected returns fields with the corrections made, and whether that changed any.
func corrected(fields json.RawMessage, corrections []source.Correction) (json.RawMessage, bool, error) {
	var values map[string]any
	if err := json.Unmarshal(fields, &values); err != nil {
		return nil, false, fmt.Errorf("decode a record's fields: %w", err)
	}
	differs := false
	for _, c := range corrections {
		if values[c.Field] != c.Value.Reveal() {
			values[c.Field] = c.Value.Reveal()
			differs = true
		}
	}
	out, err := json.Marshal(values)
	return out, differs, err
}

// memory is what the store remembers of a call.
type memory struct {
	Order [sha256.Size]byte `json:"order"` // of everything but the lease
	Done  source.Done       `json:"done"`
}

// recall returns what a call with the same key did before, if there was one. The
// same key with another order is a mistake of the caller's.
func (f files) recall(key string, order [sha256.Size]byte) (done source.Done, known bool, err error) {
	raw := f.calls.Get([]byte(key))
	if raw == nil {
		return source.Done{}, false, nil
	}
	var m memory
	if err := json.Unmarshal(raw, &m); err != nil {
		return source.Done{}, false, fmt.Errorf("decode the memory of a call: %w", err)
	}
	if m.Order != order {
		return source.Done{}, false, fmt.Errorf("%w: the key was used for another order", source.ErrRefused)
	}
	return m.Done, true, nil
}

func (f files) remember(key string, order [sha256.Size]byte, done source.Done) error {
	raw, err := json.Marshal(memory{order, done})
	if err != nil {
		return fmt.Errorf("encode the memory of a call: %w", err)
	}
	return f.calls.Put([]byte(key), raw)
}

// digest tells orders apart without keeping what is personal in them.
func digest(o source.Order) [sha256.Size]byte {
	var ids, corrections [][2]string
	for _, id := range o.Identities {
		ids = append(ids, [2]string{string(id.Kind), id.Reveal()})
	}
	for _, c := range o.Corrections {
		corrections = append(corrections, [2]string{c.Field, c.Value.Reveal()})
	}
	slices.SortFunc(ids, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	raw, err := json.Marshal([]any{o.Verb, ids, o.Category, o.Until.UTC().Format(time.RFC3339Nano), o.Limit, o.Masks, o.MaskKey, corrections, o.Keep, o.Choice})
	if err != nil {
		panic(err) // strings, numbers and bytes: it cannot fail
	}
	return sha256.Sum256(raw)
}
