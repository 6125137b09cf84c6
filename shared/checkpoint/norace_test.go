//go:build !race

package checkpoint_test

// stride is how many bytes lie between two that are changed.
const stride = 1
