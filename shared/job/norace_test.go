//go:build !race

package job_test

const clocks = 10_000
