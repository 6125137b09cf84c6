package table

import (
	"math"
	"time"
)

// Units are what the service bills: read units of 4 KB, write units of 1 KB.
// An eventually consistent read counts half.
type Units struct{ Read, Write float64 }

// Add returns the sum.
func (u Units) Add(v Units) Units { return Units{u.Read + v.Read, u.Write + v.Write} }

// ReadUnits are those of a strongly consistent read of that many bytes. A read
// that finds nothing counts as one of the smallest item. A page of a query
// rounds the sum of its items up, not each of them.
func ReadUnits(size int) float64 { return math.Max(1, math.Ceil(float64(size)/(4<<10))) }

// WriteUnits are those of a write to the table, by the larger of the sizes
// before and after; 0 means absent. A delete is billed by what it deletes, and
// a write that was refused for its precondition is billed all the same.
func WriteUnits(before, after int) float64 {
	return math.Max(1, math.Ceil(float64(max(before, after))/(1<<10)))
}

// TransactionFactor is how many times a transaction is billed for each item of
// the table. Entries of indexes are billed once.
const TransactionFactor = 2

// IndexUnits are those of bringing an index up to date after a write. An item
// that moves within the index is taken out and put in: twice.
func IndexUnits(ix Index, before, after Item) float64 {
	was, is := before.EntrySize(ix), after.EntrySize(ix)
	switch {
	case was == 0 && is == 0:
		return 0
	case was == 0 || is == 0:
		return WriteUnits(was, is)
	case !before.samePlace(ix, after):
		return WriteUnits(was, 0) + WriteUnits(0, is)
	case !before.Expires.Equal(after.Expires): // the only projected value that is no key
		return WriteUnits(was, is)
	}
	return 0
}

func (it Item) samePlace(ix Index, other Item) bool {
	if ix == Due {
		return it.Due.Equal(other.Due)
	}
	return it.Subject == other.Subject
}

// WrittenOps are what the writes of one commit cost by the rules, given the
// stored items before and after each, expired ones included: an op for every
// table and index. A commit of one write is no transaction.
func WrittenOps(writes []Write, before, after []Item) []Op {
	factor := factorOf(writes)
	return opsOf(Wrote, writes, func(i int, ix Index) float64 {
		if ix != Primary {
			return IndexUnits(ix, before[i], after[i])
		}
		return factor * WriteUnits(before[i].storedSize(), after[i].storedSize())
	})
}

// RefusedOps are what a refused commit costs: as much as if it had been applied,
// but without indexes. found holds, for each write whose precondition failed,
// the item that was found, and zero Items for the others: the service tells no more.
func RefusedOps(id ID, writes []Write, found []Item) []Op {
	factor := factorOf(writes)
	return opsOf(Refused, writes, func(i int, ix Index) float64 {
		if ix != Primary {
			return 0
		}
		size := 0
		if w := writes[i]; w.Verb == PutItem {
			size = w.Stored(id, Item{}).Size()
		}
		return factor * WriteUnits(found[i].storedSize(), size)
	})
}

func factorOf(writes []Write) float64 {
	if len(writes) == 1 {
		return 1
	}
	return TransactionFactor
}

func opsOf(call Call, writes []Write, units func(i int, ix Index) float64) []Op {
	var ops []Op
	for _, name := range Names {
		for _, ix := range []Index{Primary, Due, Subject} {
			sum := 0.0
			for i, w := range writes {
				if w.Ref.Table == name {
					sum += units(i, ix)
				}
			}
			if sum > 0 {
				ops = append(ops, Op{Call: call, Table: name, Index: ix, Units: Units{Write: sum}})
			}
		}
	}
	return ops
}

// storedSize is Size, but 0 of the zero Item: nothing is stored.
func (it Item) storedSize() int {
	if it.Version == 0 {
		return 0
	}
	return it.Size()
}

// Ops are what counting costs by the rules, given the stored item before it,
// expired or not. The first try is made for an absent item or a new window and
// costs one write; it is refused, and billed, where the window goes on.
func (t Tally) Ops(stored Item, now time.Time) []Op {
	live, _ := stored.Live(now)
	after, counted := t.Counted(live)
	ref := []Write{{Ref: t.Ref}}
	refused := opsOf(Refused, ref, func(_ int, ix Index) float64 {
		if ix != Primary {
			return 0
		}
		return WriteUnits(stored.storedSize(), 0)
	})
	if !counted || live.Version == 0 && t.New.Schema == 0 {
		return refused
	}
	ops := WrittenOps(ref, []Item{stored}, []Item{after})
	if stored.Version == 0 || t.FirstTry(stored, now) {
		return ops
	}
	return append(refused, ops...)
}

// FirstTry reports whether the first try succeeds on an item that is stored. It
// has to work for an absent item too, so it takes only an item that has all the
// optional attributes that New would give it.
func (t Tally) FirstTry(stored Item, now time.Time) bool {
	live, ok := stored.Live(now)
	_, counted := t.Counted(live)
	return ok && counted && (live.Counted.Total == 0 || t.Window > live.Counted.Window) &&
		(t.New.Due.IsZero() || !live.Due.IsZero()) &&
		(t.New.Subject == "" || live.Subject != "") &&
		(t.New.Expires.IsZero() || !live.Expires.IsZero())
}
