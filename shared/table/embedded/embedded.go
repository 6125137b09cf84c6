// Package embedded keeps the item store in one local file, for the local runner
// and for tests. It passes the same contract suite as table/dynamo, meters the
// same units, and holds the same limits, so that what works here works there.
//
// It is not for production: one process owns the file, and nothing replicates
// it. infra/local and tests may import it; nothing else.
//
// The file is bbolt's: a B+ tree, one writer at a time, synced to disk before a
// commit returns. Deleted items linger in its free pages until those are used
// again. That is bearable only because the personal fields of bodies are sealed
// before they get here and keys hold nothing personal in clear; for the same
// reason the file alone, without the keys, tells nothing about anybody.
//
// Buckets:
//
//	bucket   key                              value
//	state    partition NUL sort               item, see encoding.go
//	audit    partition NUL sort               item
//	keys     partition NUL sort               item
//	due      shard NUL ms partition NUL sort  expiry
//	subject  subject NUL partition NUL sort   expiry
//	expiry   s table NUL partition NUL sort   (empty)
//
// where ms and s are times in eight big-endian bytes.
package embedded

import (
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"rightsdesk/shared/table"
)

// lockPatience is how long Open waits for another process to let go of the file.
const lockPatience = time.Second

// Store is the item store in a file. It implements table.Table.
type Store struct {
	db  *bolt.DB
	now func() time.Time
}

var _ table.Table = (*Store)(nil)

// Option changes how a store is opened.
type Option func(*bolt.Options)

// NoSync leaves it to the operating system when a commit reaches the disk. It
// is faster, and loses commits in a crash: for tests only.
func NoSync() Option {
	return func(o *bolt.Options) { o.NoSync, o.NoFreelistSync = true, true }
}

// Open opens the store in the file at path, or makes it. now is the clock that
// decides what has expired.
func Open(path string, now func() time.Time, options ...Option) (*Store, error) {
	o := &bolt.Options{Timeout: lockPatience, FreelistType: bolt.FreelistMapType}
	for _, option := range options {
		option(o)
	}
	db, err := bolt.Open(path, 0o600, o)
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("the store %s is in use by another process: stop the other `make run`, or give this one a file of its own: %w", path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open the store %s: %w", path, err)
	}
	if err := db.Update(makeBuckets); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare the store %s: %w", path, err), db.Close())
	}
	return &Store{db: db, now: now}, nil
}

// Close lets go of the file. Commits under way are finished first.
func (s *Store) Close() error { return s.db.Close() }

func makeBuckets(tx *bolt.Tx) error {
	for _, name := range buckets {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return nil
}
