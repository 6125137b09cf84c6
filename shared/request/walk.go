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

// Verification is what a walk along audit chains found.
type Verification struct {
	Chains  int
	Entries int64
	Broken  []audit.Break
	Cursor  string // where to go on; empty: everything was verified
}

// chainsPerCall is how many chains one call verifies at least, if there are so many.
const chainsPerCall = 200

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
		func() bool { return v.Chains >= chainsPerCall })
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
		v.Chains++
		n, err := audit.Verify(c.Name, c.Head, s.entries(ctx, c.Name, c.Head.Seq))
		v.Entries += n
		if broken, ok := errors.AsType[*audit.Break](err); ok {
			v.Broken = append(v.Broken, *broken)
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// entries yields a chain's encoded entries up to seq. Later ones were committed
// after the head was read.
func (s *Service) entries(ctx context.Context, chain string, seq int64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		q := table.Query{Table: table.Audit, Partition: chain}
		for {
			page, err := s.Table.Query(ctx, q)
			if err != nil {
				yield(nil, fmt.Errorf("read chain %s: %w", chain, err))
				return
			}
			for _, item := range page.Items {
				if item.Key.Sort > entrySort(seq) || !yield(item.Body, nil) {
					return
				}
			}
			if q.Cursor = page.Cursor; q.Cursor == "" {
				return
			}
		}
	}
}
