package embedded

import (
	"context"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"rightsdesk/shared/table"
)

// errRepeat ends the transaction of a commit that was applied before.
var errRepeat = errors.New("this commit was applied before")

// Commit implements table.Table.
func (s *Store) Commit(ctx context.Context, id table.ID, writes ...table.Write) error {
	if err := table.ValidateCommit(id, writes); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(writes) == 1 && writes[0].Verb == table.CheckItem {
		return s.check(ctx, writes[0])
	}
	c := commit{id: id, writes: writes, before: make([]table.Item, len(writes)), after: make([]table.Item, len(writes))}
	err := s.db.Update(func(tx *bolt.Tx) error { return c.run(tx, s) })
	if err == nil {
		record(ctx, table.WrittenOps(writes, c.before, c.after)...)
		return nil
	}
	if errors.Is(err, table.ErrConflict) || errors.Is(err, errRepeat) {
		record(ctx, table.RefusedOps(id, writes, c.failed)...)
	}
	if errors.Is(err, errRepeat) {
		return nil
	}
	return err
}

// check is a commit that writes nothing: a read.
func (s *Store) check(ctx context.Context, w table.Write) error {
	it, err := s.Get(ctx, w.Ref)
	if err != nil && !errors.Is(err, table.ErrAbsent) {
		return err
	}
	if !w.If.Holds(it.Version) {
		return &table.Conflict{Ref: w.Ref}
	}
	return nil
}

type commit struct {
	id            table.ID
	writes        []table.Write
	before, after []table.Item // as stored, expired or not; zero: absent
	failed        []table.Item // those of before whose precondition did not hold
}

func (c *commit) run(tx *bolt.Tx, s *Store) error {
	now := s.now()
	c.failed = make([]table.Item, len(c.writes))
	var refusal error
	repeat := false
	for i, w := range c.writes {
		stored, err := load(tx, w.Ref)
		if err != nil {
			return err
		}
		c.before[i] = stored
		live, _ := stored.Live(now)
		if w.Applied(c.id, live) {
			repeat = true
		}
		if !w.If.Holds(live.Version) || w.Applied(c.id, live) {
			c.failed[i] = stored
			if refusal == nil {
				refusal = &table.Conflict{Ref: w.Ref}
			}
		}
		switch w.Verb {
		case table.PutItem:
			c.after[i] = w.Stored(c.id, live)
		case table.CheckItem:
			c.after[i] = stored
		case table.DeleteItem:
		}
	}
	if repeat {
		return errRepeat
	}
	if refusal != nil {
		return refusal
	}
	for i, w := range c.writes {
		if w.Verb == table.CheckItem {
			continue
		}
		if err := store(tx, w.Ref, c.before[i], c.after[i]); err != nil {
			return err
		}
	}
	return purge(tx, now, purgePerWrite)
}

// Count implements table.Table. It is metered as table/dynamo does it: one
// write where the item is absent or the window new, and a refused one before
// it where the window goes on.
func (s *Store) Count(ctx context.Context, t table.Tally) (table.Item, error) {
	if err := table.ValidateTally(t); err != nil {
		return table.Item{}, err
	}
	if err := ctx.Err(); err != nil {
		return table.Item{}, err
	}
	var it table.Item
	var ops []table.Op
	err := s.db.Update(func(tx *bolt.Tx) error {
		stored, err := load(tx, t.Ref)
		if err != nil {
			return err
		}
		now := s.now()
		live, _ := stored.Live(now)
		after, counted := t.Counted(live)
		if counted && after.Size() > table.MaxItemSize {
			return fmt.Errorf("%w: %s with its counter", table.ErrTooLarge, t.Ref)
		}
		ops = t.Ops(stored, now)
		it = live
		switch {
		case live.Version == 0 && t.New.Schema == 0:
			return table.ErrAbsent
		case !counted:
			return table.ErrOver
		}
		it = after
		if err := store(tx, t.Ref, stored, after); err != nil {
			return err
		}
		return purge(tx, now, purgePerWrite)
	})
	record(ctx, ops...)
	if err != nil && !errors.Is(err, table.ErrOver) {
		it = table.Item{}
	}
	return it, err
}

// store replaces one stored item by another and keeps the indexes in step. The
// zero Item stands for none.
func store(tx *bolt.Tx, ref table.Ref, before, after table.Item) error {
	if err := unfile(tx, ref, before); err != nil {
		return err
	}
	if after.Version == 0 {
		return tx.Bucket([]byte(ref.Table)).Delete(itemKey(ref.Key))
	}
	if after.Size() > table.MaxItemSize {
		return fmt.Errorf("%w: %s", table.ErrTooLarge, ref)
	}
	if err := tx.Bucket([]byte(ref.Table)).Put(itemKey(ref.Key), encode(after)); err != nil {
		return fmt.Errorf("write %s: %w", ref, err)
	}
	return file(tx, ref, after)
}

// file enters an item in the indexes that hold it.
func file(tx *bolt.Tx, ref table.Ref, it table.Item) error {
	for _, e := range entries(ref, it) {
		if err := tx.Bucket(e.bucket).Put(e.key, e.value); err != nil {
			return fmt.Errorf("index %s: %w", ref, err)
		}
	}
	return nil
}

// unfile takes an item out of all of them.
func unfile(tx *bolt.Tx, ref table.Ref, it table.Item) error {
	for _, e := range entries(ref, it) {
		if err := tx.Bucket(e.bucket).Delete(e.key); err != nil {
			return fmt.Errorf("index %s: %w", ref, err)
		}
	}
	return nil
}

type entry struct{ bucket, key, value []byte }

func entries(ref table.Ref, it table.Item) []entry {
	var es []entry
	if !it.Due.IsZero() {
		es = append(es, entry{dueBucket, dueKey(table.ShardOf(ref.Key.Partition), it.Due, ref.Key), expiryValue(it.Expires)})
	}
	if it.Subject != "" {
		es = append(es, entry{subjectBucket, subjectKey(it.Subject, ref.Key), expiryValue(it.Expires)})
	}
	if !it.Expires.IsZero() {
		es = append(es, entry{expiryBucket, expiryKey(it.Expires, ref), []byte{}})
	}
	return es
}
