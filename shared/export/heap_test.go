package export_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"rightsdesk/shared/export"
	"rightsdesk/shared/source"
)

// endless is a store of parts that are made when they are read, so that what a
// test measures is the builder's memory and not the store's.
type endless struct {
	export.Store
	pages, records int // a page has so many records
	reads          *atomic.Int64
}

func (s endless) List(_ context.Context, _, cursor string) (keys []string, next string, err error) {
	from := 0
	if cursor != "" {
		if _, err := fmt.Sscanf(cursor[strings.LastIndexByte(cursor, '/')+1:], "%d", &from); err != nil {
			return nil, "", err
		}
		from++
	}
	for i := from; i < min(from+1000, s.pages); i++ {
		keys = append(keys, export.PartKey("r1", "logs", "visits", i))
	}
	if from+1000 < s.pages {
		next = keys[len(keys)-1]
	}
	return keys, next, nil
}

func (s endless) Get(_ context.Context, key string) (io.ReadCloser, error) {
	s.reads.Add(1)
	var page int
	if _, err := fmt.Sscanf(key[strings.LastIndexByte(key, '/')+1:], "%d", &page); err != nil {
		return nil, err
	}
	records := make([]source.Record, s.records)
	for i := range records {
		n := page*s.records + i
		records[i] = source.Record{
			Category: "visits", ID: fmt.Sprint(n), At: time.Unix(int64(n), 0),
			Fields: json.RawMessage(fmt.Sprintf(`{"ip":"192.0.2.%d","path":"/articles/%d/how-to-keep-a-promise-%d","agent":"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0","status":200,"took_ms":%d,"referrer":"https://www.example.org/search?q=%d","%s":true}`,
				n%256, n, n*7919, n%977, n*31, [...]string{"first", "again", "bot"}[n%3])),
		}
	}
	b, err := export.EncodePart(records)
	return io.NopCloser(bytes.NewReader(b)), err
}

func endlessManifest(records int) export.Manifest {
	return export.Manifest{
		Request: "r1", Right: export.Access, Received: time.Unix(1, 0), Made: time.Unix(2, 0),
		Categories: []export.Category{{ID: "visits", Label: "Visits"}},
		Outcomes:   []export.Outcome{{Source: "logs", System: "Logs", Category: "visits", Result: export.Found, Records: records}},
	}
}

// heap returns the largest heap seen while work runs, in bytes over what was live before.
func heap(work func()) uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	now := func() uint64 { metrics.Read(sample); return sample[0].Value.Uint64() }
	runtime.GC()
	before, peak := now(), uint64(0)
	done := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for {
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
				peak = max(peak, now())
			}
		}
	}()
	work()
	close(done)
	<-watched
	return peak - min(before, peak)
}

// A package of five times the records takes no more memory, garbage included. The
// full size, 1,000,000 records, is BenchmarkBuild.
func TestMemoryDoesNotGrowWithThePackage(t *testing.T) {
	const limit = 32 << 20
	for _, pages := range []int{2, 10} {
		store := endless{pages: pages, records: 500, reads: new(atomic.Int64)}
		peak := heap(func() {
			if err := export.Build(t.Context(), io.Discard, endlessManifest(pages*500), export.Parts{Store: store}); err != nil {
				t.Fatal(err)
			}
		})
		t.Logf("%d records: peak heap %.1f MB", pages*500, float64(peak)/(1<<20))
		if peak > limit {
			t.Errorf("%d records took %.1f MB of heap, want at most %d", pages*500, float64(peak)/(1<<20), limit>>20)
		}
		// Two readings, and the page's first 1000 records.
		if got, want := store.reads.Load(), int64(2*pages+2); got != want {
			t.Errorf("%d parts were read %d times, want %d", pages, got, want)
		}
	}
}

func TestThePageStopsAtAThousandRecordsAndSaysSo(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	store := endless{pages: 4, records: 500, reads: new(atomic.Int64)}
	if err := export.Build(t.Context(), &b, endlessManifest(2000), export.Parts{Store: store}); err != nil {
		t.Fatal(err)
	}
	files := unzip(t, b.Bytes())
	if n := strings.Count(files["index.html"], `<div class="record">`); n != 1000 {
		t.Errorf("the page shows %d records, want 1000", n)
	}
	if !strings.Contains(files["index.html"], "the first 1000 of 2000 records") {
		t.Error("the page does not say that there are more")
	}
	if n := strings.Count(files["csv/01-visits.csv"], "\r\n"); n != 2001 {
		t.Errorf("the table has %d lines, want 2001", n)
	}
	if !strings.Contains(files["data.json"], `"count":2000}`) {
		t.Error("data.json does not count 2000 records")
	}
}

func TestRecordsWithoutEndOfFieldsGetOneColumn(t *testing.T) {
	t.Parallel()
	var records []source.Record
	for i := range 300 {
		records = append(records, fields("visits", fmt.Sprint(i), "", fmt.Sprintf(`{"=day-%d":1}`, i)))
	}
	for n, heading := range map[int]string{
		2:   `"_system","_record","_collected_at","'=day-0","'=day-1"` + "\r\n" + `"Logs","0","","1",""`,
		300: `"_system","_record","_collected_at","_fields"` + "\r\n" + `"Logs","0","","{""=day-0"":1}"`,
	} {
		var b bytes.Buffer
		store := shelf{parts: map[string][]byte{export.PartKey("r1", "logs", "visits", 0): part(t, records[:n]...)}}
		if err := export.Build(t.Context(), &b, endlessManifest(n), export.Parts{Store: store}); err != nil {
			t.Fatal(err)
		}
		files := unzip(t, b.Bytes())
		if !strings.HasPrefix(files["csv/01-visits.csv"], heading) {
			t.Errorf("%d fields: the table begins\n%.200s\nwant\n%s", n, files["csv/01-visits.csv"], heading)
		}
		if !strings.Contains(files["index.html"], "=day-1") {
			t.Errorf("%d fields: the page does not show them", n)
		}
	}
}

// counter counts what is written.
type counter int64

func (c *counter) Write(b []byte) (int, error) { *c += counter(len(b)); return len(b), nil }

// BenchmarkBuild builds a package of 1,000,000 records, more than 600 MB before
// compression, and reports its peak heap.
func BenchmarkBuild(b *testing.B) {
	for b.Loop() {
		var size counter
		store := endless{pages: 2000, records: 500, reads: new(atomic.Int64)}
		peak := heap(func() {
			if err := export.Build(b.Context(), &size, endlessManifest(1_000_000), export.Parts{Store: store}); err != nil {
				b.Fatal(err)
			}
		})
		b.ReportMetric(float64(peak)/(1<<20), "MB-heap")
		b.ReportMetric(float64(size)/(1<<20), "MB-zip")
	}
}
