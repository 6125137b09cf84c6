//go:build !race

package receipt_test

// every case is tried; under the race detector one of so many.
const every = 1
