package boot

import "time"

// Assemble is what Run does before it serves.
var Assemble = assemble

// SetNow sets the clock by which a sandbox looks for another policy.
func (s *sandbox) SetNow(now func() time.Time) { s.now = now }
