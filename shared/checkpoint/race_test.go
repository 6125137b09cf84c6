//go:build race

package checkpoint_test

// stride: the race detector takes ten times as long.
const stride = 11
