package company

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
)

// Told is a choice that a store was told of and obeys. Of two lines of a purpose,
// its own and the one without a purpose, the later holds.
type Told struct {
	Right   string    `json:"right"`
	Purpose string    `json:"purpose,omitempty"` // empty: none in particular
	On      bool      `json:"on"`
	At      time.Time `json:"at"` // when it was chosen
}

// choose keeps what a person chose, for each account that the identities name,
// unless something later is kept already.
func (s *store) choose(f files, order source.Order) (source.Done, error) {
	if order.Choice.Right == "" || order.Until.IsZero() || order.Call.Key == "" {
		return source.Done{}, fmt.Errorf("%w: a choice needs a right, an instant and a key", source.ErrRefused)
	}
	accounts, _, err := s.accounts(f, order.Identities)
	if err != nil {
		return source.Done{}, err
	}
	purposes := order.Choice.Purposes
	if len(purposes) == 0 {
		purposes = []string{""}
	}
	done := source.Done{Done: true}
	for _, account := range accounts {
		for _, purpose := range purposes {
			changed, err := f.obey(account, Told{order.Choice.Right, purpose, order.Choice.On, order.Until.UTC()})
			if err != nil {
				return source.Done{}, err
			}
			if changed {
				done.Removed++
			}
		}
	}
	return done, f.remember(order.Call.Key, digest(order), done)
}

// obey keeps one line, and reports whether that changes what the store does.
func (f files) obey(account string, t Told) (changed bool, err error) {
	key := []byte(account + "\x00" + t.Right + "\x00" + t.Purpose)
	var old Told
	raw := f.choices.Get(key)
	if raw != nil {
		if err := json.Unmarshal(raw, &old); err != nil {
			return false, fmt.Errorf("decode a choice: %w", err)
		}
		if old.At.After(t.At) {
			return false, nil // tellings can overtake each other
		}
	}
	value, err := json.Marshal(t)
	if err != nil {
		return false, fmt.Errorf("encode a choice: %w", err)
	}
	return raw == nil || old.On != t.On, f.choices.Put(key, value)
}

// told returns what the accounts chose, in the order of accounts, rights and purposes.
func (f files) told(accounts []string) (list []Told, err error) {
	c := f.choices.Cursor()
	for _, account := range accounts {
		prefix := []byte(account + "\x00")
		for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
			var t Told
			if err := json.Unmarshal(v, &t); err != nil {
				return nil, fmt.Errorf("decode a choice: %w", err)
			}
			list = append(list, t)
		}
	}
	return list, nil
}

// Told returns the choices that a store obeys for whoever the identities name.
func (c *Company) Told(store string, ids ...personal.Identity) (list []Told, err error) {
	s := c.stores[store]
	err = c.db.View(func(tx *bolt.Tx) error {
		f := s.files(tx)
		accounts, _, err := s.accounts(f, ids)
		if err != nil {
			return err
		}
		list, err = f.told(accounts)
		return err
	})
	return list, err
}
