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
	// Outlived reports whether the installation, and what was written at an instant, are
	// older than entries were ever kept.
	Outlived(ctx context.Context, at time.Time) (bool, error)
	// Covers reports whether the entries of a chain before one that is left can have had
	// their time.
	Covers(ctx context.Context, first audit.Entry) (bool, error)
	// Reads returns how many objects were read for the answers so far.
	Reads() int
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
}

const (
	// chainsPerCall is how many chains one call verifies at least, if there are so many.
	chainsPerCall = 200
	// readsPerCall is how many objects one call reads of checkpoints before it ends. The
	// chains that it is at may cost some hundred more each: a function has 15 seconds.
	readsPerCall = 100
	// maxSeq is the number of an entry after which no other sorts.
	maxSeq = 999_999_999_999
)

// auditWalk is one call of VerifyAudit.
type auditWalk struct {
	*Service
	seals Seals // nil: nothing expires
	found Verification
}

// VerifyAudit walks the chains of requests, of operators' days and of digests, and
// those of whatever else there is, some per call, and compares each with the head
// that its aggregate remembers.
func (s *Service) VerifyAudit(ctx context.Context, by operator.Identity, cursor string) (Verification, error) {
	if err := mayRead(by); err != nil {
		return Verification{}, err
	}
	w, due := auditWalk{Service: s}, s
	if s.Seals != nil {
		w.seals, due = s.Seals(), &Service{Table: single{s.Table}}
	}
	if cursor == "" {
		if err := w.verify(ctx, table.Key{}); err != nil {
			return w.found, err
		}
	}
	next, err := due.walk(ctx, cursor, time.Time{}, func(k table.Key) error { return w.verify(ctx, k) }, w.enough)
	w.found.Cursor = next
	return w.found, err
}

func (w *auditWalk) enough() bool {
	return w.found.Chains >= chainsPerCall || w.seals != nil && w.seals.Reads() >= readsPerCall
}

// single asks for one item at a time. A walk can end between pages only, and what stands
// on one page of the due-index may cost more than a call has time for.
type single struct{ table.Table }

// Query implements table.Table.
func (t single) Query(ctx context.Context, q table.Query) (table.Page, error) {
	q.Limit = 1
	return t.Table.Query(ctx, q)
}

// verify walks the chains that a key of the due-index leads to, and for the zero
// Key those that are in no index.
func (w *auditWalk) verify(ctx context.Context, k table.Key) error {
	c, ok, err := w.head(ctx, k)
	chains := []audit.Chain{c}
	if err == nil && !ok {
		if chains = nil; w.Heads != nil {
			chains, err = w.Heads(ctx, k)
		}
	}
	if err != nil {
		return err
	}
	for _, c := range chains {
		if err := w.verifyChain(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (w *auditWalk) verifyChain(ctx context.Context, c audit.Chain) error {
	w.found.Chains++
	var left bool
	entries := func(yield func([]byte, error) bool) {
		for item, err := range w.items(ctx, c.Name, c.Head.Seq) {
			if left = item.Version > 0; !yield(item.Body, err) {
				return
			}
		}
	}
	n, err := audit.VerifyKept(c.Name, c.Head, entries, func(e audit.Entry) (bool, error) {
		ok, err := w.outlived(ctx, c)
		if ok {
			ok, err = w.seals.Covers(ctx, e)
		}
		if ok {
			w.found.Expired++
		}
		return ok, err
	})
	w.found.Entries += n
	broken, ok := errors.AsType[*audit.Break](err)
	if !ok {
		return err
	}
	if !left {
		switch gone, err := w.gone(ctx, c); {
		case err != nil:
			return err
		case gone:
			w.found.Gone++
			return nil
		}
	}
	w.found.Broken = append(w.found.Broken, *broken)
	return nil
}

// outlived reports whether anything of a chain can have had its time.
func (w *auditWalk) outlived(ctx context.Context, c audit.Chain) (bool, error) {
	if w.seals == nil {
		return false, nil
	}
	return w.seals.Outlived(ctx, c.Since)
}

// gone reports whether a chain of which nothing is left can have expired as a whole, as
// that of an aggregate does that stays and to which nothing happens for years. When its
// last entry was written nobody remembers, unless all expire together.
func (w *auditWalk) gone(ctx context.Context, c audit.Chain) (bool, error) {
	for _, err := range w.items(ctx, c.Name, maxSeq) {
		return false, err // what came after the head is left all the same
	}
	return w.outlived(ctx, c)
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
