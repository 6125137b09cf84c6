package restore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/table"
)

// Tail is what lies between an aggregate and the end of its chain.
type Tail struct {
	News  []audit.Entry // entries that the aggregate does not know
	End   audit.Head    // of the chain
	Ahead int64         // entries that only the aggregate knows
}

// Stands reports whether the aggregate is where its chain ends.
func (t Tail) Stands() bool { return len(t.News) == 0 && t.Ahead == 0 }

// TailOf compares a head with the chain it is of. Entries that came before what is
// left of the chain have expired.
func TailOf(head audit.Head, entries []audit.Entry) Tail {
	if len(entries) == 0 {
		return Tail{Ahead: head.Seq}
	}
	last := entries[len(entries)-1]
	t := Tail{End: audit.Head{Seq: last.Seq, Hash: last.Hash()}, Ahead: max(0, head.Seq-last.Seq)}
	for i, e := range entries {
		if e.Seq == head.Seq && e.Hash() != head.Hash {
			t.Ahead = 1 // it remembers another entry than the one that was kept
		}
		if e.Seq > head.Seq {
			t.News = entries[i:]
			break
		}
	}
	return t
}

// Entry returns the entry that ends a rebuilding, and the head after it. From is the
// head as the aggregate had it.
func (t Tail) Entry(chain string, from audit.Head, at time.Time, commit table.ID, facts ...audit.Fact) (audit.Entry, audit.Head) {
	own := []audit.Fact{
		{Name: "head", Value: fmt.Sprintf("%d:%x", from.Seq, from.Hash)},
		{Name: "entries", Value: strconv.Itoa(len(t.News))},
	}
	if t.Ahead > 0 {
		own = append(own, audit.Fact{Name: "ahead", Value: strconv.FormatInt(t.Ahead, 10)})
	}
	return t.End.Append(audit.Entry{
		Chain: chain, At: at, Actor: Actor, Action: Restored, Commit: string(commit), Facts: append(own, facts...),
	})
}

// Actor is who rebuilds.
const Actor = "replay"

// EntryKey is where an entry stands in the Audit table.
func EntryKey(chain string, seq int64) table.Key {
	return table.Key{Partition: chain, Sort: fmt.Sprintf("%012d", seq)}
}

// Fact returns a fact of an entry, or the empty string.
func Fact(e audit.Entry, name string) string {
	for _, f := range e.Facts {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// Time returns a fact that is an instant; the zero time if there is none.
func Time(e audit.Entry, name string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, Fact(e, name))
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// deciding is how often a rebuilding is decided anew in a row.
const deciding = 8

// Deciding rebuilds an aggregate, and decides anew when somebody else changed it
// meanwhile: table.ErrBusy if that does not end. All tries are one commit, should the
// answer to one have been lost.
func Deciding(ctx context.Context, rebuild func(commit table.ID) (Outcome, error)) (Outcome, error) {
	commit := table.NewID()
	for try := range deciding {
		out, err := rebuild(commit)
		if !errors.Is(err, table.ErrConflict) {
			return out, err
		}
		if err := table.Sleep(ctx, table.Pause(try)); err != nil {
			return Outcome{}, err
		}
	}
	return Outcome{}, table.ErrBusy
}
