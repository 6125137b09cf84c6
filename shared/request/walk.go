package request

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/table"
)

// walk visits keys of the due-index, as table.WalkDue does. The cursor may come
// from a caller.
func (s *Service) walk(ctx context.Context, cursor string, until time.Time, visit func(table.Key) error, enough func() bool) (string, error) {
	next, err := table.WalkDue(ctx, s.Table, cursor, until, visit, enough)
	if cursor != "" && errors.Is(err, table.ErrMalformed) {
		return "", errCursor.Because(err)
	}
	return next, err
}

var errCursor = fault.Input(fault.Field{Pointer: "/cursor", Text: "must be the cursor of an answer, as it was given"})

// Seals says what signed checkpoints prove of entries that are missing.
type Seals interface {
	// Covers reports whether the entries of a chain before one that is left, and that
	// expires at an instant, can have had their time.
	Covers(ctx context.Context, first audit.Entry, expires time.Time) (bool, error)
	// Outlived reports whether the installation is older than entries are kept.
	Outlived(ctx context.Context) (bool, error)
}

// Verification is what a walk along audit chains found.
type Verification struct {
	Chains  int
	Entries int64 // that are there and follow from each other
	Expired int   // chains that begin later, because what came before had its time
	// Gone counts chains of which nothing is left, where everything can have had its time.
	// Whether it had, the walk cannot tell.
	Gone   int
	Broken []audit.Break
	Cursor string // where to go on; empty: everything was verified

	proofs int // that were looked for in checkpoints
}

const (
	// chainsPerCall is how many chains one call verifies at least, if there are so many.
	chainsPerCall = 200
	// proofWeighs is for how many chains one counts that checkpoints are read for: a call
	// ends in time also where all have lost their first entries.
	proofWeighs = 10
	// maxSeq is the number of an entry after which no other sorts.
	maxSeq = 999_999_999_999
)

// VerifyAudit walks the chains of requests, of operators' days and of digests, and
// those of whatever else there is, some per call, and compares each with the head
// that its aggregate remembers.
func (s *Service) VerifyAudit(ctx context.Context, by operator.Identity, cursor string) (Verification, error) {
	if err := mayRead(by); err != nil {
		return Verification{}, err
	}
	var v Verification
	if cursor == "" {
		if err := s.verify(ctx, &v, table.Key{}); err != nil {
			return v, err
		}
	}
	next, err := s.walk(ctx, cursor, time.Time{}, func(k table.Key) error { return s.verify(ctx, &v, k) },
		func() bool { return v.Chains+proofWeighs*v.proofs >= chainsPerCall })
	v.Cursor = next
	return v, err
}

// verify walks the chains that a key of the due-index leads to, and for the zero
// Key those that are in no index.
func (s *Service) verify(ctx context.Context, v *Verification, k table.Key) error {
	var chains []audit.Chain
	name, head, ok, err := s.head(ctx, k)
	if ok {
		chains = []audit.Chain{{Name: name, Head: head}}
	}
	if err == nil && !ok && s.Heads != nil {
		chains, err = s.Heads(ctx, k)
	}
	if err != nil {
		return err
	}
	for _, c := range chains {
		if err := s.verifyChain(ctx, v, k, c); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) verifyChain(ctx context.Context, v *Verification, k table.Key, c audit.Chain) error {
	v.Chains++
	var left table.Item // that was read last
	entries := func(yield func([]byte, error) bool) {
		for item, err := range s.items(ctx, c.Name, c.Head.Seq) {
			if left = item; !yield(item.Body, err) {
				return
			}
		}
	}
	n, err := audit.VerifyKept(c.Name, c.Head, entries, func(e audit.Entry) (bool, error) {
		if s.Seals == nil {
			return false, nil
		}
		v.proofs++
		expired, err := s.Seals.Covers(ctx, e, left.Expires)
		if expired {
			v.Expired++
		}
		return expired, err
	})
	v.Entries += n
	broken, ok := errors.AsType[*audit.Break](err)
	if !ok {
		return err
	}
	if left.Version == 0 {
		gone, err := s.gone(ctx, v, k, c.Name)
		switch {
		case errors.Is(err, ErrNotFound):
			return nil // its request has been forgotten meanwhile
		case err != nil:
			return err
		case gone:
			v.Gone++
			return nil
		}
	}
	v.Broken = append(v.Broken, *broken)
	return nil
}

// gone reports whether a chain of which nothing is left can have expired as a whole, as
// that of an aggregate does that stays and to which nothing happens for years. When its
// last entry was written nobody remembers, but for requests: theirs all expire together.
func (s *Service) gone(ctx context.Context, v *Verification, k table.Key, chain string) (bool, error) {
	if s.Seals == nil {
		return false, nil
	}
	if id, ok := IDOf(k); ok {
		r, err := s.load(ctx, id)
		if err != nil || s.Policy.Retention.Audit.After(r.Received).After(s.now()) {
			return false, err
		}
	}
	for _, err := range s.items(ctx, chain, maxSeq) {
		return false, err // what came after the head is left all the same
	}
	v.proofs++
	return s.Seals.Outlived(ctx)
}

// entries yields a chain's encoded entries up to seq.
func (s *Service) entries(ctx context.Context, chain string, seq int64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for item, err := range s.items(ctx, chain, seq) {
			if !yield(item.Body, err) {
				return
			}
		}
	}
}

// items yields a chain's entries up to seq as they are stored. Later ones were committed
// after the head was read.
func (s *Service) items(ctx context.Context, chain string, seq int64) iter.Seq2[table.Item, error] {
	return func(yield func(table.Item, error) bool) {
		q := table.Query{Table: table.Audit, Partition: chain}
		for {
			page, err := s.Table.Query(ctx, q)
			if err != nil {
				yield(table.Item{}, fmt.Errorf("read chain %s: %w", chain, err))
				return
			}
			for _, item := range page.Items {
				if item.Key.Sort > entrySort(seq) || !yield(item, nil) {
					return
				}
			}
			if q.Cursor = page.Cursor; q.Cursor == "" {
				return
			}
		}
	}
}
