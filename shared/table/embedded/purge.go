package embedded

import (
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"rightsdesk/shared/table"
)

// purgePerWrite bounds how much of the expired a write clears away, so that no
// write is slow. It is more than a write can add but for the largest commits.
const purgePerWrite = 16

// Purge deletes up to limit expired items and says how many are gone. Every
// write purges a few; this is for who wants to see the file shrink to what is
// still wanted without writing.
func (s *Store) Purge(limit int) (int, error) {
	n := 0
	err := s.db.Update(func(tx *bolt.Tx) (err error) {
		n, err = purged(tx, s.now(), limit)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("purge: %w", err)
	}
	return n, nil
}

func purge(tx *bolt.Tx, now time.Time, limit int) error {
	_, err := purged(tx, now, limit)
	return err
}

func purged(tx *bolt.Tx, now time.Time, limit int) (int, error) {
	for n := range limit {
		k, _ := tx.Bucket(expiryBucket).Cursor().First()
		if k == nil {
			return n, nil
		}
		expires, ref, ok := parseExpiryKey(k)
		if !ok {
			return n, fmt.Errorf("purge: %w", errCorrupt)
		}
		if expires.Unix() > now.Unix() {
			return n, nil
		}
		it, err := load(tx, ref)
		if err != nil {
			return n, err
		}
		if err := store(tx, ref, it, table.Item{}); err != nil {
			return n, err
		}
	}
	return limit, nil
}
