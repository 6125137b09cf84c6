package policy

import "time"

// Closure is how an account is closed. The zero Closure offers none.
type Closure struct {
	Offered bool // the section stands in the file
	// Grace is the time from the confirmation to the erasure, in which a closure can
	// be taken back; zero only where the file says that it is immediate.
	Grace         time.Duration
	ConfirmWithin time.Duration // who asked by mail has so long to press the button
	ErasedWithin  int           // days from the end of the grace period until everything is gone and looked for again
	Before        Text          // what to settle first: subscriptions, data to take along
	Suppressions  bool          // marketing opt-outs outlive the account, as keyed hashes
}

// Bounds of what a policy may say about closure.
const (
	// MinGrace is the floor under a grace period. A stolen session must not be
	// enough to destroy an account before its owner can object.
	MinGrace            = 24 * time.Hour
	MaxGrace            = 90 * 24 * time.Hour
	DefaultConfirmation = 7 * 24 * time.Hour
)
