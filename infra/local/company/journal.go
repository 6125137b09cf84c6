package company

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"rightsdesk/shared/source"
)

// Buckets of the journal. It is in the file, not in memory: a person may have a
// million records.
const (
	effectsBucket  = "journal.effects"  // key, store, category, id -> count
	accessesBucket = "journal.accesses" // sequence -> Access
)

// Effect is how often the calls with one key changed one record: once, or
// something is wrong.
type Effect struct {
	Key, Store, Category, ID string
	Count                    uint64
}

// Access is one record that one call read or changed. It holds ids only. A look for
// what is old is none: it is about nobody, and reads times.
type Access struct {
	Key, Store, Operation, Category, ID string
}

// Effects visits every effect there was, in the order of keys. The company must
// have been opened with Journal.
func (c *Company) Effects(visit func(Effect)) error {
	return c.db.View(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(effectsBucket))
		if b == nil {
			return nil
		}
		return b.ForEach(func(k, v []byte) error {
			var of [4]string
			if err := json.Unmarshal(k, &of); err != nil {
				return fmt.Errorf("decode an effect: %w", err)
			}
			visit(Effect{of[0], of[1], of[2], of[3], binary.BigEndian.Uint64(v)})
			return nil
		})
	})
}

// Accesses visits every access there was, in the order of time. The company must
// have been opened with Journal.
func (c *Company) Accesses(visit func(Access)) error {
	return c.db.View(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(accessesBucket))
		if b == nil {
			return nil
		}
		return b.ForEach(func(_, v []byte) error {
			var a Access
			if err := json.Unmarshal(v, &a); err != nil {
				return fmt.Errorf("decode an access: %w", err)
			}
			visit(a)
			return nil
		})
	})
}

// noteEffect is part of the transaction that has the effect.
func (s *store) noteEffect(tx *bolt.Tx, key string, verb source.Verb, p place) error {
	if !s.journal {
		return nil
	}
	b, err := tx.CreateBucketIfNotExists([]byte(effectsBucket))
	if err != nil {
		return err
	}
	k, err := json.Marshal([4]string{key, s.name, p.category, p.id})
	if err != nil {
		return err
	}
	count := uint64(1)
	if v := b.Get(k); v != nil {
		count += binary.BigEndian.Uint64(v)
	}
	if err := b.Put(k, binary.BigEndian.AppendUint64(nil, count)); err != nil {
		return err
	}
	return noteAccess(tx, Access{key, s.name, string(verb), p.category, p.id})
}

func (s *store) noteReads(ask source.Ask, page source.Found) error {
	if !s.journal || len(page.Records) == 0 {
		return nil
	}
	return s.db.Update(func(tx *bolt.Tx) error {
		for _, r := range page.Records {
			if err := noteAccess(tx, Access{ask.Call.Key, s.name, "find", r.Category, r.ID}); err != nil {
				return err
			}
		}
		return nil
	})
}

func noteAccess(tx *bolt.Tx, a Access) error {
	b, err := tx.CreateBucketIfNotExists([]byte(accessesBucket))
	if err != nil {
		return err
	}
	n, err := b.NextSequence()
	if err != nil {
		return err
	}
	v, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return b.Put(binary.BigEndian.AppendUint64(nil, n), v)
}
