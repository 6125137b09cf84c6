//go:build !race

package law_test

func cases(n int) int { return n }
