package consent

import (
	"context"

	"rightsdesk/shared/table"
)

// Announce writes the letters that commits promised, and commits that they left.
func (s *Service) Announce(ctx context.Context, key table.Key) error { return errUnwritten }
