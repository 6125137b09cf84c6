package dynamodbsource_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
	dynamodbsource "rightsdesk/shared/source/dynamodb"
	"rightsdesk/shared/source/sourcetest"
	"rightsdesk/shared/table/tabletest"
)

// swept returns a layout with another way to find what is old.
func swept(m dynamodbsource.Mapping, w dynamodbsource.Sweep) dynamodbsource.Mapping {
	w.Time, w.Hand = m.CollectedAt, source.Collected
	m.Sweep = w
	return m
}

var (
	byKind   = dynamodbsource.Sweep{Index: "by_age", Attribute: "kind", Equals: []string{"letter", "visit"}}
	bySpread = dynamodbsource.Sweep{Index: "by_age", Attribute: "spread", Equals: []string{"s0", "s1", "s2"}}
)

func TestEveryWayToSweepKeepsTheContract(t *testing.T) {
	t.Parallel()
	endpoint := tabletest.Emulator(t)
	for name, layout := range map[string]dynamodbsource.Mapping{
		"by an index":                 swept(indexed, byKind),
		"by a scan":                   indexed,
		"by an index that is spread":  swept(ownKey, bySpread),
		"by a scan of three segments": swept(ownKey, dynamodbsource.Sweep{Segments: 3}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			open := store(endpoint, layout)
			sourcetest.RunSweeps(t, func(t *testing.T) sourcetest.Store {
				t.Helper()
				s := open(t)
				s.OldestFirst = name == "by an index"
				return s
			})
		})
	}
}

// tab adds up what the service bills for reading and writing.
type tab struct {
	dynamodbsource.Client
	mu                 sync.Mutex
	reads, writes      float64
	looks, scans, gets int
	before             func(key map[string]types.AttributeValue)
}

func (b *tab) add(reads *float64, units ...types.ConsumedCapacity) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, u := range units {
		*reads += aws.ToFloat64(u.CapacityUnits)
	}
}

func (b *tab) Query(ctx context.Context, in *dynamodb.QueryInput, o ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	out, err := b.Client.Query(ctx, in, o...)
	if err == nil {
		b.looks++
		b.add(&b.reads, *out.ConsumedCapacity)
	}
	return out, err
}

func (b *tab) Scan(ctx context.Context, in *dynamodb.ScanInput, o ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	out, err := b.Client.Scan(ctx, in, o...)
	if err == nil {
		b.scans++
		b.add(&b.reads, *out.ConsumedCapacity)
	}
	return out, err
}

func (b *tab) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, o ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	out, err := b.Client.BatchGetItem(ctx, in, o...)
	if err == nil {
		b.gets++
		b.add(&b.reads, out.ConsumedCapacity...)
	}
	return out, err
}

func (b *tab) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, o ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	if b.before != nil {
		b.before(in.Key)
	}
	in.ReturnConsumedCapacity = types.ReturnConsumedCapacityTotal
	out, err := b.Client.DeleteItem(ctx, in, o...)
	if err == nil {
		b.add(&b.writes, *out.ConsumedCapacity)
	}
	return out, err
}

// aging makes a table of n visits of many people, of which every hundredth is older
// than a year, and returns when a year ago was.
func aging(t *testing.T, layout dynamodbsource.Mapping, n int) (*dynamodb.Client, *network, dynamodbsource.Mapping, time.Time) {
	t.Helper()
	net := &network{}
	c := newClient(tabletest.Emulator(t), net)
	m := create(t, c, layout)
	until := now.AddDate(-1, 0, 0)
	var writes []types.WriteRequest
	flush := func() {
		if _, err := c.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{m.Table: writes}}); err != nil {
			t.Fatal(err)
		}
		writes = nil
	}
	for i := range n {
		at := until.Add(time.Duration(i+1) * time.Second)
		if i%100 == 7 {
			at = until.Add(-time.Duration(i) * time.Second)
		}
		it := row(m, i%500, "visits", fmt.Sprintf("v-%06d", i), at, json.RawMessage(`{"ip":"192.0.2.1","agent":"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0","path":"/books/on-mending"}`))
		if writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: it}}); len(writes) == 25 {
			flush()
		}
	}
	return c, net, m, until
}

func sweepAge(until time.Time) source.Age {
	return source.Age{Category: "visits", By: source.Collected, Until: until, Verb: source.Delete, Call: call}
}

func sweepExpiry(until time.Time, key string, records []source.AgedRecord) source.Expiry {
	return source.Expiry{
		Verb: source.Delete, Category: "visits", By: source.Collected, Until: until, Records: records,
		Call: source.Call{Key: key, Lease: call.Lease},
	}
}

// A sweep costs what it looks at: by an index what is due, by a scan everything.
func TestWhatASweepCosts(t *testing.T) {
	t.Parallel()
	const items, due = 10_000, 100
	for name, test := range map[string]struct {
		layout        dynamodbsource.Mapping
		reads, writes float64 // for one deleted item, at most
		looks         int     // calls that look, at most
	}{
		"index": {swept(indexed, byKind), 1.6, 3, 5},
		"scan":  {indexed, 5, 3, 30},
	} {
		c, _, m, until := aging(t, test.layout, items)
		b := &tab{Client: c}
		s := open(t, m, b)
		age, pages, removed, units := sweepAge(until), 0, 0, 0.0
		age.Limit = 25
		for done := false; !done; pages++ {
			page, err := s.Old(t.Context(), age)
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Records) > 0 {
				expired, err := s.Expire(t.Context(), sweepExpiry(until, fmt.Sprint("page-", pages), page.Records))
				if err != nil {
					t.Fatal(err)
				}
				removed += expired.Removed
			}
			units += page.Units
			age.Cursor, done = page.Cursor, page.Done
		}
		fmt.Printf("PROOF sweeping a table of %d items with %d due by %s: %d pages of 25 (at least %d), %d looks, %.1f units to look; each deleted item %.2f read and %.2f write units\n",
			items, due, name, pages, due/25, b.looks+b.scans, units, b.reads/due, b.writes/due)
		if removed != due || pages > due/25+1 || b.looks+b.scans > test.looks || b.reads/due > test.reads || b.writes/due > test.writes {
			t.Errorf("%s: %d removed in %d pages with %d looks for %v read and %v write units", name, removed, pages, b.looks+b.scans, b.reads, b.writes)
		}
	}
}

func TestAPageEndsWithItsUnits(t *testing.T) {
	t.Parallel()
	for name, layout := range map[string]dynamodbsource.Mapping{"by an index": swept(indexed, byKind), "by a scan": indexed} {
		c, _, m, until := aging(t, layout, 3000)
		s := open(t, m, c)
		age, found, total, pages := sweepAge(until), 0, 0.0, 0
		age.Units = 10
		for done := false; !done; pages++ {
			page, err := s.Old(t.Context(), age)
			if err != nil || page.Units > 1.2*age.Units {
				t.Fatalf("%s: %v units, %v; want about %v", name, page.Units, err, age.Units)
			}
			found, total = found+len(page.Records), total+page.Units
			age.Cursor, done = page.Cursor, page.Done
		}
		if found != 30 || pages < int(total/age.Units) || pages > int(total/age.Units)+2 {
			t.Errorf("%s: %d found in %d pages for %v units", name, found, pages, total)
		}
	}
}

// The SDK repeats a write whose answer was lost, and so does a worker after another's
// crash. An item that was written again in between is not ours any more.
func TestAnExpiryMeetsItsOwnWorkAndOthers(t *testing.T) {
	t.Parallel()
	c, net, m, until := aging(t, swept(indexed, byKind), 400)
	page, err := open(t, m, c).Old(t.Context(), sweepAge(until))
	if err != nil || len(page.Records) != 4 {
		t.Fatal(page, err)
	}
	b := &tab{Client: c, before: func(key map[string]types.AttributeValue) {
		id := key["id"].(*types.AttributeValueMemberS).Value
		switch id {
		case page.Records[0].ID: // used again
			put(t, c, m.Table, row(m, 7, "visits", id, now, json.RawMessage(`{}`)))
		case page.Records[1].ID: // as old as it was, and somebody else's
			put(t, c, m.Table, row(m, 8, "visits", id, page.Records[1].At, json.RawMessage(`{}`)))
		}
	}}
	net.lose.Store(true)
	s := open(t, m, b)
	for range 2 {
		done, err := s.Expire(t.Context(), sweepExpiry(until, "k", page.Records))
		if err != nil || done.Removed != 2 || done.Retained != 2 || !done.Done || len(done.Messages) != 1 {
			t.Errorf("%+v, %v; want 2 removed and 2 retained", done, err)
		}
	}
	left := dump(t, c, m)
	for i, r := range page.Records {
		if (left[r.ID] != "") != (i < 2) {
			t.Errorf("%s is %q", r.ID, left[r.ID])
		}
	}
}

func TestAnItemThatChangedHandsSinceTheLookIsLeftAlone(t *testing.T) {
	t.Parallel()
	c, _, m, until := aging(t, indexed, 200)
	s := open(t, m, c)
	page, err := s.Old(t.Context(), sweepAge(until))
	if err != nil || len(page.Records) != 2 {
		t.Fatal(page, err)
	}
	put(t, c, m.Table, row(m, 8, "visits", page.Records[0].ID, page.Records[0].At, json.RawMessage(`{}`)))
	if done, err := s.Expire(t.Context(), sweepExpiry(until, "k", page.Records)); err != nil || done.Removed != 1 || done.Retained != 1 {
		t.Errorf("%+v, %v; want the other person's retained", done, err)
	}
}

func TestWhatHasNoTimeIsNeverDueButFound(t *testing.T) {
	t.Parallel()
	c, _, m, until := aging(t, swept(indexed, byKind), 200)
	timeless, odd := row(m, 3, "visits", "timeless", now, json.RawMessage(`{}`)), row(m, 3, "visits", "odd", now, json.RawMessage(`{}`))
	delete(timeless, "at")
	odd["at"] = str("yesterday")
	alien := map[string]types.AttributeValue{"id": str("config"), "kind": str("settings")}
	for _, it := range []map[string]types.AttributeValue{timeless, odd, alien} {
		put(t, c, m.Table, it)
	}
	s := open(t, m, c)
	if page, err := s.Old(t.Context(), sweepAge(until)); err != nil || len(page.Records) != 2 {
		t.Errorf("%d due, %v; want 2", len(page.Records), err)
	}
	age := sweepAge(until)
	age.Whole = true
	page, err := s.Old(t.Context(), age)
	var undated []source.AgedRecord
	for _, r := range page.Records {
		if r.At.IsZero() {
			undated = append(undated, r)
		}
	}
	if err != nil || len(undated) != 2 || page.Seen != 202 || len(undated[0].Who) != 1 {
		t.Fatalf("%d without a time of %d seen, %v; want 2 of 202", len(undated), page.Seen, err)
	}
	put(t, c, m.Table, row(m, 3, "visits", undated[0].ID, now, json.RawMessage(`{}`)))
	if done, err := s.Expire(t.Context(), sweepExpiry(until, "k", undated)); err != nil || done.Removed != 1 || done.Retained != 1 {
		t.Errorf("%+v, %v; want the one retained that has a time now", done, err)
	}
}

func TestTheTimeMayBePartOfTheKey(t *testing.T) {
	t.Parallel()
	timed := indexed
	timed.Key.Sort = "at"
	for _, layout := range []dynamodbsource.Mapping{timed, swept(timed, byKind)} {
		c, _, m, until := aging(t, layout, 400)
		s := open(t, m, c)
		age := sweepAge(until)
		age.Limit = 3
		first, err := s.Old(t.Context(), age)
		if err != nil || len(first.Records) != 3 || first.Done {
			t.Fatalf("%+v, %v", first, err)
		}
		if done, err := s.Expire(t.Context(), sweepExpiry(until, "k", first.Records)); err != nil || done.Removed != 3 {
			t.Errorf("%+v, %v", done, err)
		}
		age.Cursor = first.Cursor
		if page, err := s.Old(t.Context(), age); err != nil || len(page.Records) != 1 || !page.Done {
			t.Errorf("%+v, %v; want the fourth", page, err)
		}
	}
}

func TestASweepByLastUse(t *testing.T) {
	t.Parallel()
	layout := indexed
	layout.Sweep = dynamodbsource.Sweep{Time: dynamodbsource.Instant{Attribute: "seen", Format: dynamodbsource.UnixSeconds}, Hand: source.LastUsed, Index: "by_use", Attribute: "kind", Equals: []string{"visit"}}
	c, _, m, until := aging(t, layout, 0)
	for i := range 6 {
		it := row(m, i, "visits", fmt.Sprintf("v-%d", i), until.AddDate(-3, 0, 0), json.RawMessage(`{}`))
		it["seen"] = &types.AttributeValueMemberN{Value: fmt.Sprint(until.Unix() + int64(i) - 2)}
		put(t, c, m.Table, it)
	}
	s := open(t, m, c)
	for hand, want := range map[source.Hand]int{source.LastUsed: 3, source.Collected: 6} {
		age := sweepAge(until)
		age.By = hand
		if page, err := s.Old(t.Context(), age); err != nil || len(page.Records) != want {
			t.Errorf("by %s %d are due, %v; want %d", hand, len(page.Records), err, want)
		}
	}
	age := sweepAge(until)
	age.By = source.LastUsed
	if _, err := open(t, create(t, c, indexed), c).Old(t.Context(), age); !errors.Is(err, source.ErrNotSwept) || !errors.Is(err, source.ErrRefused) {
		t.Errorf("a table that does not say when items were used: %v", err)
	}
}

func TestASweepRefusesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	c, _, m, until := aging(t, swept(indexed, byKind), 200)
	s := open(t, m, c)
	page, err := s.Old(t.Context(), sweepAge(until))
	if err != nil {
		t.Fatal(err)
	}
	before := dump(t, c, m)
	for name, change := range map[string]func(*source.Expiry){
		"an archive": func(e *source.Expiry) { e.Verb = source.Archive },
		"a mask that leaves something to be found by": func(e *source.Expiry) {
			e.Verb, e.Masks, e.MaskKey = source.Anonymise, append(slices.Clone(masks), source.Mask{Field: "path", How: source.Null}, source.Mask{Field: "account", How: source.KeyedHash}), []byte(strings.Repeat("k", 32))
		},
		"a handle of somebody's making": func(e *source.Expiry) {
			e.Records = []source.AgedRecord{{ID: "v", Handle: personal.MakeText("nonsense")}}
		},
		"no handle": func(e *source.Expiry) { e.Records = []source.AgedRecord{{ID: page.Records[0].ID}} },
	} {
		e := sweepExpiry(until, name, page.Records)
		change(&e)
		if done, err := s.Expire(t.Context(), e); !errors.Is(err, source.ErrRefused) {
			t.Errorf("%s: %+v, %v; want ErrRefused", name, done, err)
		}
	}
	other := page.Records[0] // a handle of another record than the id says
	other.ID = "v-000001"
	if done, err := s.Expire(t.Context(), sweepExpiry(until, "other", []source.AgedRecord{other})); err != nil || done.Removed != 0 {
		t.Errorf("another record's handle: %+v, %v", done, err)
	}
	if !maps.Equal(before, dump(t, c, m)) {
		t.Error("something was changed")
	}
	age := sweepAge(until)
	age.Limit = 1
	if page, err = s.Old(t.Context(), age); err != nil || page.Done {
		t.Fatal(page, err)
	}
	scan := m
	scan.Sweep = dynamodbsource.Sweep{}
	age.Cursor = page.Cursor
	if _, err := open(t, scan, c).Old(t.Context(), age); !errors.Is(err, source.ErrRefused) {
		t.Errorf("a cursor of another mapping: %v", err)
	}
	for name, w := range map[string]dynamodbsource.Sweep{
		"no time":             {Index: "by_age", Attribute: "kind", Equals: []string{"visit"}, Hand: source.Collected},
		"no format":           {Time: dynamodbsource.Instant{Attribute: "at"}, Hand: source.Collected},
		"no hand":             {Time: m.CollectedAt},
		"an index of nothing": {Time: m.CollectedAt, Hand: source.Collected, Index: "by_age", Attribute: "kind"},
		"too many segments":   {Time: m.CollectedAt, Hand: source.Collected, Segments: 65},
	} {
		bad := m
		bad.Sweep = w
		if _, err := dynamodbsource.New(dynamodbsource.Options{ID: "table", Mapping: bad, Client: c, Pages: &memory{}, Now: clock}); !errors.Is(err, source.ErrRefused) {
			t.Errorf("a mapping with %s: %v", name, err)
		}
	}
}
