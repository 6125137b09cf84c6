package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"
)

// What the bars of the product have in common. Each bar has a file of its own,
// named for what it proves. `make test` runs them at the sizes of a continuous
// integration, `make prove` at their full size.

// full reports whether the bars are to be measured at their full size.
func full() bool { return os.Getenv("RIGHTSDESK_PROVE") == "full" }

// proof prints a figure for whoever reads the output of `make test`.
func proof(t *testing.T, bar, format string, args ...any) {
	t.Helper()
	if t.Failed() {
		return // what was not proven is not claimed
	}
	line := fmt.Sprintf(format, args...)
	t.Log(line)
	fmt.Printf("PROOF %s: %s\n", bar, line)
}

// heap watches how much this process has allocated, garbage included, until the
// returned function is called, which tells the highest amount seen in MB.
func heap() (peak func() float64) {
	runtime.GC()
	stop, highest := make(chan struct{}), make(chan uint64)
	go func() {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		ticker := time.NewTicker(2 * time.Millisecond)
		defer ticker.Stop()
		most := uint64(0)
		for {
			metrics.Read(sample)
			most = max(most, sample[0].Value.Uint64())
			select {
			case <-stop:
				highest <- most
				return
			case <-ticker.C:
			}
		}
	}()
	return func() float64 {
		close(stop)
		return float64(<-highest) / (1 << 20)
	}
}
