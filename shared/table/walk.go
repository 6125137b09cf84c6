package table

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// WalkDue visits the keys of the due-index up to an instant, all of them for the
// zero time, shard after shard and oldest first in each. It stops at the end of a
// page once enough says so, and returns the cursor to go on from, empty at the
// end; nil is never enough. A visit that fails ends it.
func WalkDue(ctx context.Context, t Table, cursor string, until time.Time, visit func(Key) error, enough func() bool) (string, error) {
	shard, from, err := parseWalk(cursor)
	if err != nil {
		return "", err
	}
	done := func() bool { return enough != nil && enough() }
	for ; shard < DueShards; shard, from = shard+1, "" {
		for {
			page, err := t.Query(ctx, Query{Table: State, Index: Due, Partition: DueShard(shard), Until: until, Limit: walkPage, Cursor: from})
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
			if done() {
				return fmt.Sprintf("%d.%s", shard, from), nil
			}
		}
		if shard+1 < DueShards && done() {
			return fmt.Sprintf("%d.", shard+1), nil
		}
	}
	return "", nil
}

// walkPage is how many entries of the due-index are read at once.
const walkPage = 50

func parseWalk(cursor string) (shard int, from string, err error) {
	if cursor == "" {
		return 0, "", nil
	}
	number, from, ok := strings.Cut(cursor, ".")
	shard, err = strconv.Atoi(number)
	if !ok || err != nil || shard < 0 || shard >= DueShards {
		return 0, "", fmt.Errorf("%w: no cursor of a walk", ErrMalformed) // it is the caller's: not for the log
	}
	return shard, from, nil
}
