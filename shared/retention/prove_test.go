package retention

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"rightsdesk/shared/policy"
)

// TestBar3_ASweepCostsWhatIsDueAndNotWhatIsThere sweeps stores of 10^4, 10^5 and 10^6
// records of which one in a hundred is due. The index is asked for hardly more pages
// than the due records fill, with the last look that finds nothing; the process needs
// no more memory for more records; and a record costs the same. The last is measured
// only with RIGHTSDESK_PROVE=full: machines that are busy with something else would
// make it fail.
//
// The store is in memory and its own size is no part of the sweep's.
func TestBar3_ASweepCostsWhatIsDueAndNotWhatIsThere(t *testing.T) {
	full := os.Getenv("RIGHTSDESK_PROVE") == "full"
	sizes := []int{10_000, 100_000}
	if full {
		sizes = append(sizes, 1_000_000)
	}
	var pace []float64 // median milliseconds of a page
	for _, n := range sizes {
		rule := logs()
		rule.Period = policy.Period{Days: 730}
		d := newDesk(t, rule)
		d.Policy.Sources[0].PageSize = 2 // so that the smallest store has pages enough to compare
		size := d.Policy.Sources[0].PageSize
		d.shop.fill(n*99/100, monday.Add(-time.Hour), 700*day/time.Duration(n))
		for i := range n / 100 {
			d.shop.add(fmt.Sprintf("due%07d", i), monday.AddDate(-3, 0, 0).Add(time.Duration(i)*time.Second), fmt.Sprintf("p%d", i%1000))
		}
		d.shop.sort()
		// A preview of a million is a walk of its own; here the rule was previewed before.
		d.Policy.Sources[0].PageSize = 1000
		d.activate("old-logs")
		d.Policy.Sources[0].PageSize = size
		d.shop.asked, d.shop.read = 0, 0
		debug.FreeOSMemory()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var peak atomic.Uint64
		var took []time.Duration
		last := time.Now()
		d.shop.during = func(what string) {
			if what != "expire" {
				return
			}
			now := time.Now()
			took = append(took, now.Sub(last))
			last = now
			if len(took)%10 == 0 {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak.Store(max(peak.Load(), m.HeapAlloc))
				last = time.Now()
			}
		}
		d.sweep()
		runtime.ReadMemStats(&after)
		run := d.show("old-logs").Sweep.Last
		if run == nil || run.Done != n/100 || !run.Verified {
			t.Fatalf("%d records: %+v", n, run)
		}
		least := (n/100+size-1)/size + 1
		if float64(d.shop.asked) > 1.1*float64(least) || d.shop.asked != run.Pages || d.shop.read != n/100 {
			t.Errorf("%d records: %d pages and %d entries of the index were read; %d pages are the least", n, d.shop.asked, d.shop.read, least)
		}
		heap := float64(int64(peak.Load())-int64(before.HeapAlloc)) / (1 << 20)
		if heap > 64 {
			t.Errorf("%d records: the sweep took %.1f MB of heap", n, heap)
		}
		// The same number of pages of each, from all over the run.
		const pages = 45
		sample := make([]time.Duration, pages)
		for i := range sample {
			sample[i] = took[1+i*(len(took)-1)/pages]
		}
		slices.Sort(sample)
		pace = append(pace, float64(sample[pages/2].Microseconds())/1000)
		t.Logf("%8d records, %6d due: %4d pages of the index (%4d are the least), heap +%.1f MB at most, %.2f ms a page of %d, %.0f records a second",
			n, n/100, d.shop.asked, (n/100+size-1)/size+1, max(heap, 0), pace[len(pace)-1], size, float64(size)/pace[len(pace)-1]*1000)
	}
	if full {
		if spread := slices.Max(pace) / slices.Min(pace); spread > 1.2 {
			t.Errorf("a page takes %v ms: the slowest %.2f times the quickest", pace, spread)
		}
	}
}
