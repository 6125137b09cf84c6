//go:build race

package job_test

// clocks: the race detector takes ten times as long.
const clocks = 1_000
