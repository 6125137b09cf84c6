// Package digest is the letter that operators, and the policy's contact, get
// about everything that needs them: once a day, or soon where a date is near.
//
// A line is written in the commit of what it tells of, into the next digest that
// nobody began to send; so it is told exactly once, whatever comes twice, late or
// not at all. The letter itself may arrive twice where the answer of the mail
// service was lost, and the digest's audit chain says so.
//
//	table  partition                  sort                      body
//	state  digest#<audience>#<when>   -                         head: where it stands; due at <when>, expires
//	state  digest#<audience>#<when>   <request>#<why>#<noted>   Line; expires
//	audit  digest#<audience>#<when>   000000000001              one entry: sent, parked, or withheld
//
// Nothing in a digest is personal. It imports table, audit, mail and policy;
// request, job, boot and infra/local import it.
package digest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

// Audience is who reads a digest.
type Audience string

// The audiences.
const (
	Operators Audience = "operators" // whoever works on requests
	Contact   Audience = "contact"   // the policy's contact: what is overdue escalates to them
)

// Why is what a line tells of a request.
type Why string

// The reasons, those of the clock first.
const (
	SevenDays    Why = "T-7" // until the safe date
	ThreeDays    Why = "T-3"
	OneDay       Why = "T-1"
	Overdue      Why = "overdue"       // the date that binds has passed
	StillOverdue Why = "still_overdue" // every week after that
	StillWaiting Why = "still_waiting" // time stands still, for another week
	New          Why = "new"           // it waits to be accepted or denied
	Task         Why = "task"          // something is to be done by hand
	Failed       Why = "failed"        // a step failed and waits for a retry
	Answered     Why = "answered"      // the person wrote back
	Unconfirmed  Why = "unconfirmed"   // no letter told the person that it was received, as the law wants
	Held         Why = "held"          // a legal hold keeps its work from going on
	HoldReview   Why = "hold_review"   // somebody has to say whether a legal hold is still needed
	PreviewReady Why = "preview_ready" // what a retention rule would do can be seen, and it waits to be activated
	Braked       Why = "braked"        // a retention rule would have taken more than its share
	Late         Why = "late"          // a retention rule leaves something longer than it should
)

// urgent reports whether operators are told soon, and not with the next daily digest.
func (w Why) urgent() bool { return w == OneDay || w == Overdue }

// Join says several reasons in one fact of an audit entry.
func Join(why []Why) string {
	words := make([]string, len(why))
	for i, w := range why {
		words[i] = string(w)
	}
	return strings.Join(words, ",")
}

// Line is what a digest tells of one request, or of something else of ours.
type Line struct {
	Request   string    `json:"request"`        // or what else names what it is about
	Right     string    `json:"right"`          // or what kind of thing it is
	Call      string    `json:"call,omitempty"` // that shows it, where it is no request: GET /v1/operator/holds/h1
	RespondBy time.Time `json:"respond_by"`
	SafeBy    time.Time `json:"safe_by"`
	Why       []Why     `json:"why"`
}

// Book writes digests and sends them. Only Send needs Mail.
type Book struct {
	Table   table.Table
	Now     func() time.Time
	Policy  *policy.Policy
	Mail    mail.Sender
	BaseURL string // where operators look, without a slash at the end
	// Log hears when a digest was refused for good: its audit chain says so too.
	Log *slog.Logger

	mu    sync.Mutex
	open  map[table.Key]time.Time // digests that were seen to gather, and when
	once  sync.Once
	place *time.Location // the controller's, once it was read
}

// state is where a digest stands. The comment says who moves next.
type state string

const (
	gathering state = "gathering" // whoever notes a line; at its time the relay
	sending   state = "sending"   // the relay
	sent      state = "sent"      // nobody
	parked    state = "parked"    // nobody: the mail service will never take it
)

// head is where a digest stands, as it is stored.
type head struct {
	State state      `json:"state"`
	Tries int        `json:"tries,omitempty"` // to send it, each of which may have arrived
	Until time.Time  `json:"until,omitzero"`  // a try is under way, or the pause after one
	Head  audit.Head `json:"head"`
}

const (
	schema = 1
	// begun is the version of a head that gathers: it is made once, and what changes
	// it is the end of gathering.
	begun = 1
	// lineLife is longer than anybody goes on trying to send a digest, headLife than
	// that: as long as there is a line, there is the digest that tells it.
	lineLife = 120 * 24 * time.Hour
	headLife = 150 * 24 * time.Hour
	// sentLife is how long it can be looked up when a digest was sent.
	sentLife = 90 * 24 * time.Hour
	// remembered is how long a digest that was seen to gather is believed to, so that
	// ten thousand lines do not cost ten thousand reads. In the last minute before its
	// time nothing is believed: other machines' clocks may be ahead.
	remembered = time.Minute
)

const prefix = "digest#"

// IsKey reports whether a digest's head stands under a key of the State table.
func IsKey(k table.Key) bool {
	return strings.HasPrefix(k.Partition, prefix) && k.Sort == "-"
}

// keyOf is where the head of a digest stands.
func keyOf(to Audience, when time.Time) table.Key {
	return table.Key{Partition: prefix + string(to) + "#" + when.UTC().Format(time.RFC3339), Sort: "-"}
}

// parseKey is the inverse of keyOf.
func parseKey(k table.Key) (to Audience, when time.Time, err error) {
	audience, at, _ := strings.Cut(strings.TrimPrefix(k.Partition, prefix), "#")
	when, err = time.Parse(time.RFC3339, at)
	if to = Audience(audience); !IsKey(k) || err != nil || to != Operators && to != Contact {
		return "", time.Time{}, fmt.Errorf("digest: %q is no digest", k.Partition)
	}
	return to, when, nil
}

func refOf(k table.Key) table.Ref { return table.Ref{Table: table.State, Key: k} }

// now is the time in the precision that is stored.
func (b *Book) now() time.Time { return b.Now().UTC().Truncate(time.Millisecond) }

// Note returns the writes that put a line into the next digest of an audience. They
// belong into the commit of what the line tells of; if that digest is sent in the
// meantime, the commit conflicts, and Note is to be asked again.
func (b *Book) Note(ctx context.Context, to Audience, line Line) ([]table.Write, error) {
	if b == nil {
		return nil, errors.New("digest: there is no book to note a line in")
	}
	now := b.now()
	body, err := json.Marshal(line)
	if err != nil {
		return nil, fmt.Errorf("encode a line: %w", err)
	}
	urgent := false
	for _, w := range line.Why {
		urgent = urgent || w.urgent()
	}
	when := now
	for range slots {
		when = b.next(when, urgent)
		key := keyOf(to, when)
		gathers, err := b.gathers(ctx, key, now, when)
		if err != nil {
			return nil, err
		}
		if !gathers {
			continue // its letter is being written: the next one, then
		}
		item := table.Item{
			Key:  table.Key{Partition: key.Partition, Sort: line.Request + "#" + Join(line.Why) + "#" + now.Format(noted)},
			Body: body, Schema: schema, Expires: now.Add(lineLife),
		}
		return []table.Write{table.Put(table.State, item, table.New), table.Check(refOf(key), table.Version(begun))}, nil
	}
	return nil, table.ErrBusy
}

const (
	// slots bounds how many digests in a row may be found closed before their time.
	slots = 4
	// noted tells lines apart that say the same of one request on one day.
	noted = "20060102T150405.000"
)

// next is when a digest goes out after an instant: daily at the policy's hour, and
// for what is urgent at the next full quarter of an hour that leaves ten minutes to
// gather, unless the daily one comes before.
func (b *Book) next(after time.Time, urgent bool) time.Time {
	zone := b.zone()
	// The hour on the clock, not so many hours after midnight: on two days of the
	// year that is not the same.
	at, day := b.Policy.Operators.DigestAt, after.In(zone)
	daily := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, int(at/time.Second), 0, zone)
	for n := 1; !daily.After(after); n++ {
		daily = time.Date(day.Year(), day.Month(), day.Day()+n, 0, 0, int(at/time.Second), 0, zone)
	}
	if !urgent {
		return daily.UTC()
	}
	const quarter = 15 * time.Minute
	soon := after.Add(10*time.Minute + quarter - 1).Truncate(quarter)
	if daily.Before(soon) {
		return daily.UTC()
	}
	return soon.UTC()
}

// zone is the controller's, in which days are counted and told.
func (b *Book) zone() *time.Location {
	b.once.Do(func() {
		var err error
		if b.place, err = time.LoadLocation(b.Policy.Controller.TimeZone); err != nil {
			b.place = time.UTC // the policy was checked when it was read
		}
	})
	return b.place
}

// gathers reports whether a digest takes lines. If there is none yet, it makes it.
func (b *Book) gathers(ctx context.Context, key table.Key, now, when time.Time) (bool, error) {
	b.mu.Lock()
	seen, ok := b.open[key]
	b.mu.Unlock()
	if ok && now.Sub(seen) < remembered && when.Sub(now) > remembered {
		return true, nil
	}
	for range slots {
		item, err := b.Table.Get(ctx, refOf(key))
		if err == nil {
			if item.Version == begun {
				b.remember(key, now)
			}
			return item.Version == begun, nil
		}
		if !errors.Is(err, table.ErrAbsent) {
			return false, fmt.Errorf("load a digest: %w", err)
		}
		put, err := write(key, head{State: gathering}, when, when.Add(headLife), table.New)
		if err != nil {
			return false, err
		}
		err = b.Table.Commit(ctx, table.NewID(), put)
		if err == nil {
			b.remember(key, now)
			return true, nil
		}
		if !errors.Is(err, table.ErrConflict) { // somebody else made it, or we did and the answer was lost
			return false, fmt.Errorf("begin a digest: %w", err)
		}
	}
	return false, table.ErrBusy
}

// remember notes that a digest gathers, and forgets those of times past.
func (b *Book) remember(key table.Key, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open == nil {
		b.open = map[table.Key]time.Time{}
	}
	maps.DeleteFunc(b.open, func(_ table.Key, seen time.Time) bool { return now.Sub(seen) >= remembered })
	b.open[key] = now
}

// write is the write of a head.
func write(key table.Key, h head, due, expires time.Time, pre table.Precondition) (table.Write, error) {
	body, err := json.Marshal(h)
	if err != nil {
		return table.Write{}, fmt.Errorf("encode a digest: %w", err)
	}
	return table.Put(table.State, table.Item{Key: key, Schema: schema, Body: body, Due: due, Expires: expires}, pre), nil
}
