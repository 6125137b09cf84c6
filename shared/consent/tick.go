package consent

import (
	"context"

	"rightsdesk/shared/table"
)

// Tick does what the clock brings about: what ends soon is told, what has ended lapses.
func (s *Service) Tick(ctx context.Context, key table.Key) error { return errUnwritten }
