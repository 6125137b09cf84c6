package company

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
)

// RawScan visits every key and value that the file holds, for tests that look for what
// must be gone. key and value are valid during the visit only.
func (c *Company) RawScan(visit func(store, key, value []byte)) error {
	return c.db.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			return b.ForEach(func(k, v []byte) error {
				visit(name, k, v)
				return nil
			})
		})
	})
}

// Records visits every record of a store that has an owner.
func (c *Company) Records(store string, visit func(Line)) error {
	s, ok := c.stores[store]
	if !ok {
		return fmt.Errorf("the company has no store %q", store)
	}
	return c.db.View(func(tx *bolt.Tx) error {
		f := s.files(tx)
		return f.owners.ForEach(func(k, _ []byte) error {
			p := parsePlace(k)
			e, err := f.get(p)
			if err == nil {
				visit(Line{p.owner, p.category, p.id, p.at, e.Fields})
			}
			return err
		})
	})
}

// Nobodys calls visit with every record of a store that is nobody's any more, because
// it was anonymised.
func (c *Company) Nobodys(store string, visit func(Line)) error {
	s, ok := c.stores[store]
	if !ok {
		return fmt.Errorf("the company has no store %q", store)
	}
	return c.db.View(func(tx *bolt.Tx) error {
		return s.files(tx).records.ForEach(func(k, v []byte) error {
			var e entry
			if err := json.Unmarshal(v, &e); err != nil {
				return fmt.Errorf("decode a record: %w", err)
			}
			if category, id, _ := strings.Cut(string(k), "\x00"); e.Owner == "" {
				visit(Line{"", category, id, e.At, e.Fields})
			}
			return nil
		})
	})
}

// Line is a record of a store.
type Line struct {
	Account, Category, ID string
	At                    time.Time
	Fields                []byte // a JSON object
}

// Add puts records into a store, as the company's own application does while
// requests are worked on.
func (c *Company) Add(store string, lines ...Line) error {
	s, ok := c.stores[store]
	if !ok {
		return fmt.Errorf("the company has no store %q", store)
	}
	return c.db.Update(func(tx *bolt.Tx) error {
		for _, l := range lines {
			if err := s.files(tx).put(place{l.Account, l.Category, l.ID, l.At}, entry{Fields: l.Fields}); err != nil {
				return err
			}
		}
		return nil
	})
}

// Use says that a record was used again, as the company's own application does
// when its owner comes back to it.
func (c *Company) Use(store, category, id string, at time.Time) error {
	s, ok := c.stores[store]
	if !ok {
		return fmt.Errorf("the company has no store %q", store)
	}
	return c.db.Update(func(tx *bolt.Tx) error { return s.files(tx).use(place{category: category, id: id}, at) })
}

func (f files) use(p place, at time.Time) error {
	e, err := f.get(p)
	if err != nil {
		return err
	}
	p.owner, p.at = e.Owner, e.At
	if err := f.unfile(p, e); err != nil {
		return err
	}
	e.Used = at
	return f.put(p, e)
}
