package request

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/table"
)

// walk visits keys of the due-index up to an instant, all of them for the zero
// time, shard after shard and oldest first in each. It stops at the end of a page
// once enough says so, and returns the cursor to go on from, empty at the end.
func (s *Service) walk(ctx context.Context, cursor string, until time.Time, visit func(table.Key) error, enough func() bool) (string, error) {
	shard, from, err := parseWalk(cursor)
	if err != nil {
		return "", err
	}
	for ; shard < table.DueShards; shard, from = shard+1, "" {
		for {
			page, err := s.Table.Query(ctx, table.Query{
				Table: table.State, Index: table.Due, Partition: table.DueShard(shard), Until: until, Limit: walkPage, Cursor: from,
			})
			if errors.Is(err, table.ErrMalformed) && from != "" {
				return "", errCursor.Because(err)
			}
			if err != nil {
				return "", fmt.Errorf("walk the due-index: %w", err)
			}
			for _, item := range page.Items {
				if err := visit(item.Key); err != nil {
					return "", err
				}
			}
			if from = page.Cursor; from == "" {
				break
			}
			if enough() {
				return fmt.Sprintf("%d.%s", shard, from), nil
			}
		}
		if shard+1 < table.DueShards && enough() {
			return fmt.Sprintf("%d.", shard+1), nil
		}
	}
	return "", nil
}

// walkPage is how many entries of the due-index are read at once.
const walkPage = 50

var errCursor = fault.Input(fault.Field{Pointer: "/cursor", Text: "must be the cursor of an answer, as it was given"})

func parseWalk(cursor string) (shard int, from string, err error) {
	if cursor == "" {
		return 0, "", nil
	}
	number, from, ok := strings.Cut(cursor, ".")
	shard, err = strconv.Atoi(number)
	if !ok || err != nil || shard < 0 || shard >= table.DueShards {
		return 0, "", errCursor
	}
	return shard, from, nil
}

// Due calls each for every request that somebody must look at by now, oldest
// first in each shard. It goes on after an error and returns the first.
func (s *Service) Due(ctx context.Context, each func(context.Context, ID) error) (seen int, err error) {
	_, walkErr := s.walk(ctx, "", s.now(), func(k table.Key) error {
		if id, ok := IDOf(k); ok {
			seen++
			if e := each(ctx, id); e != nil && err == nil {
				err = e
			}
		}
		return ctx.Err()
	}, func() bool { return false })
	if err == nil {
		err = walkErr
	}
	return seen, err
}

// Verification is what a walk along audit chains found.
type Verification struct {
	Chains  int
	Entries int64
	Broken  []audit.Break
	Cursor  string // where to go on; empty: everything was verified
}

// chainsPerCall is how many chains one call verifies at least, if there are so many.
const chainsPerCall = 200

// VerifyAudit walks the chains of requests and of operators' days, some per
// call, and compares each with the head that its aggregate remembers.
func (s *Service) VerifyAudit(ctx context.Context, by operator.Identity, cursor string) (Verification, error) {
	if err := mayRead(by); err != nil {
		return Verification{}, err
	}
	var v Verification
	next, err := s.walk(ctx, cursor, time.Time{}, func(k table.Key) error {
		chain, head, ok, err := s.head(ctx, k)
		if err != nil || !ok {
			return err
		}
		v.Chains++
		n, err := audit.Verify(chain, head, s.entries(ctx, chain, head.Seq))
		v.Entries += n
		if broken, ok := errors.AsType[*audit.Break](err); ok {
			v.Broken = append(v.Broken, *broken)
			return nil
		}
		return err
	}, func() bool { return v.Chains >= chainsPerCall })
	v.Cursor = next
	return v, err
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
