package lifecycle

import (
	"context"
	"errors"
	"fmt"

	"rightsdesk/shared/table"
)

// Unsettled reports whether a period of a subject has begun and is not over: what it is
// about is found by who they are, so that has to be readable until then. What a duty
// keeps of a closed account would otherwise be kept for ever.
func (s *Service) Unsettled(ctx context.Context, subject string) (bool, error) {
	q := table.Query{Table: table.State, Index: table.Subject, Partition: subject}
	for {
		page, err := s.Table.Query(ctx, q)
		if err != nil {
			return false, fmt.Errorf("list somebody's lives: %w", err)
		}
		for _, item := range page.Items {
			at, ok := identifierOf(item.Key)
			if !ok {
				continue
			}
			l, err := s.load(ctx, at)
			if errors.Is(err, errLost) {
				continue
			}
			if err != nil || len(l.Who) > 0 && len(l.pending(s.Policy)) > 0 {
				return true, err
			}
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return false, nil
		}
	}
}
