// Package intake lets in what the policy says is needed, and nothing else. What a
// channel does not name is thrown away or refused before anything is stored, and
// what was thrown away is counted by the name of its field, never by its value.
//
// It stores nothing of what arrives: what is kept goes back to the caller, whose own
// store it is for. It owns the partitions intake# of the State table:
//
//	table  partition          sort    body
//	state  intake#<channel>   <day>   Day: what was counted on a day (expires)
//
// Filter is pure. Service counts; the time comes from Service.Now. The package knows
// no HTTP, no AWS and no clock; httpapi, lifecycle, boot and infra/local import it.
package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

// Service filters what arrives by a channel, and counts. A function sets the fields
// that its topology entry grants.
type Service struct {
	Table  table.Table
	Policy *policy.Policy
	Now    func() time.Time
}

// Taken is what became of one object.
type Taken struct {
	Kept    map[string]any
	Dropped []string // paths, each once
	Err     error    // why nothing of it was taken; its fields point into the object
}

const (
	prefix = "intake#"
	schema = 1

	// countsFor is how long what was counted stays.
	countsFor = 400 * 24 * time.Hour
	// maxNames bounds the names that one day of a channel counts apart.
	maxNames = 200
	maxName  = 64

	// MaxBatch bounds one call.
	MaxBatch = 100

	conflictTries = 8
)

// ErrBusy asks for the call to be repeated: it was not counted, and what was filtered
// is not given out uncounted.
var ErrBusy = fault.New(fault.Unavailable, "try_again", "We are busy; try again in a moment.").After(time.Second)

// Take filters objects that arrived by a channel and counts what was thrown away and
// what was refused. It returns one Taken for each, or ErrUndeclared.
func (s *Service) Take(ctx context.Context, channel string, objects []map[string]any) ([]Taken, error) {
	in, ok := s.Policy.IntakeChannel(channel)
	if !ok {
		return nil, ErrUndeclared
	}
	if len(objects) == 0 || len(objects) > MaxBatch {
		return nil, fault.Input(fault.Field{Pointer: "/records", Text: fmt.Sprintf("must have 1 to %d objects", MaxBatch)})
	}
	all := make([]Taken, len(objects))
	day := Day{}
	for i, o := range objects {
		t := Taken{}
		t.Kept, t.Dropped, t.Err = Filter(in, o)
		if f, refused := errors.AsType[*fault.Error](t.Err); refused {
			day.refuse(f.Code)
		} else {
			day.Taken++
		}
		for _, path := range t.Dropped {
			day.drop(safe(path), 1)
		}
		all[i] = t
	}
	return all, s.count(ctx, in.ID, day)
}

// Day is what a channel counted on one day.
type Day struct {
	Taken   int            `json:"taken"`
	Refused map[string]int `json:"refused,omitempty"` // objects, by the code of the reason
	Dropped map[string]int `json:"dropped,omitempty"` // fields, by path
}

// What is counted for names that are not told.
const (
	Unnamed = "(unnamed)" // the name looks like data
	Other   = "(other)"   // there are too many
)

func (d *Day) refuse(code string) {
	if d.Refused == nil {
		d.Refused = map[string]int{}
	}
	d.Refused[code]++
}

// drop counts a name, which is safe, or with the others if there are too many.
func (d *Day) drop(path string, n int) {
	if d.Dropped == nil {
		d.Dropped = map[string]int{}
	}
	if _, known := d.Dropped[path]; !known && path != Unnamed && len(d.Dropped) >= maxNames {
		path = Other
	}
	d.Dropped[path] += n
}

// safe returns a field's path, or Unnamed if it looks like something about somebody:
// a program that writes data into names must not make us keep it.
func safe(path string) string {
	digits := 0
	for _, r := range path {
		switch {
		case unicode.IsDigit(r):
			digits++
		case r != '.' && r != '_' && r != '-' && !unicode.IsLetter(r):
			return Unnamed
		}
	}
	if path == "" || len(path) > maxName || digits > 4 || strings.Count(path, "-") > 3 {
		return Unnamed
	}
	return path
}

func ref(channel, day string) table.Ref {
	return table.Ref{Table: table.State, Key: table.Key{Partition: prefix + channel, Sort: day}}
}

// count adds to what stands for today.
func (s *Service) count(ctx context.Context, channel string, more Day) error {
	now := s.Now().UTC()
	at := ref(channel, now.Format(time.DateOnly))
	commit := table.NewID()
	for try := range conflictTries {
		day, write := Day{}, table.New
		item, err := s.Table.Get(ctx, at)
		switch {
		case errors.Is(err, table.ErrAbsent):
		case err != nil:
			return unavailable(fmt.Errorf("count what arrived: %w", err))
		default:
			if item.CommitID == commit {
				return nil // it was counted; the answer was lost
			}
			if err := json.Unmarshal(item.Body, &day); err != nil {
				return fmt.Errorf("decode what was counted: %w", err)
			}
			write = table.Version(item.Version)
		}
		day.add(more)
		body, err := json.Marshal(day)
		if err != nil {
			return fmt.Errorf("encode what was counted: %w", err)
		}
		err = s.Table.Commit(ctx, commit, table.Put(table.State, table.Item{Key: at.Key, Body: body, Schema: schema, Expires: now.Add(countsFor)}, write))
		if !errors.Is(err, table.ErrConflict) {
			return unavailable(err)
		}
		if err := table.Sleep(ctx, table.Pause(try)); err != nil {
			return err
		}
	}
	return ErrBusy
}

func (d *Day) add(more Day) {
	d.Taken += more.Taken
	for code, n := range more.Refused {
		if d.Refused == nil {
			d.Refused = map[string]int{}
		}
		d.Refused[code] += n
	}
	for _, path := range slices.Sorted(maps.Keys(more.Dropped)) { // in order, so that the first names stay
		if path == Other {
			continue
		}
		d.drop(path, more.Dropped[path])
	}
	if n := more.Dropped[Other]; n > 0 {
		d.Dropped[Other] += n // there are names, or there would be no others
	}
}

func unavailable(err error) error {
	if errors.Is(err, table.ErrBusy) || errors.Is(err, table.ErrUnknown) {
		return ErrBusy.Because(err)
	}
	return err
}

// Count is what a channel counted on a day.
type Count struct {
	Channel string
	Day     string // 2026-05-01
	Counted Day
}

// Counts returns what every channel of the policy counted from a day on, newest first
// within a channel.
func (s *Service) Counts(ctx context.Context, since time.Time) ([]Count, error) {
	var all []Count
	from := since.UTC().Format(time.DateOnly)
	for _, in := range s.Policy.Intakes {
		var days []Count
		for cursor := ""; ; {
			page, err := s.Table.Query(ctx, table.Query{Table: table.State, Index: table.Primary, Partition: prefix + in.ID, Cursor: cursor})
			if err != nil {
				return nil, unavailable(fmt.Errorf("read what was counted: %w", err))
			}
			for _, item := range page.Items {
				c := Count{Channel: in.ID, Day: item.Key.Sort}
				if c.Day < from {
					continue
				}
				if err := json.Unmarshal(item.Body, &c.Counted); err != nil {
					return nil, fmt.Errorf("decode what was counted: %w", err)
				}
				days = append(days, c)
			}
			if cursor = page.Cursor; cursor == "" {
				break
			}
		}
		slices.Reverse(days)
		all = append(all, days...)
	}
	return all, nil
}
