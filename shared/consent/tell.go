package consent

import (
	"context"

	"rightsdesk/shared/table"
)

// Tell lets sources know of choices that concern them.
func (s *Service) Tell(ctx context.Context, key table.Key) error { return errUnwritten }
