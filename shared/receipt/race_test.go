//go:build race

package receipt_test

// every: the race detector takes ten times as long.
const every = 16
