//go:build race

package law_test

// cases: the detector takes ten times as long and has nothing to find in a package
// that shares nothing, so a tenth of the cases will do.
func cases(n int) int { return n / 10 }
