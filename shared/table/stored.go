package table

import "time"

// What an engine stores is decided here, once, so that the two cannot differ.

// Live returns the item as a reader at now sees it: an expired one, and with it
// its counters and version, is as absent as one that never was.
func (it Item) Live(now time.Time) (Item, bool) {
	if it.Version == 0 || !it.Expires.IsZero() && it.Expires.Unix() <= now.Unix() {
		return Item{}, false
	}
	return it, true
}

// Stored returns the item that a put leaves behind, given the live one before
// it, or the zero Item if there was none.
func (w Write) Stored(id ID, before Item) Item {
	it := w.Item.rounded()
	it.Version = before.Version + 1
	it.Counted = before.Counted
	it.CommitID = id
	return it
}

// Counted returns the item that counting leaves behind, given the live one
// before it, or the zero Item if there was none; and whether the bounds allow it.
func (t Tally) Counted(before Item) (Item, bool) {
	it := before
	if it.Version == 0 {
		it = t.New.rounded()
		it.Key, it.Version, it.CommitID, it.Counted = t.Ref.Key, 1, "", Counted{}
	}
	c := &it.Counted
	if t.Window < c.Window || t.Total > 0 && c.Total >= t.Total {
		return before, false
	}
	if t.Window > c.Window {
		c.Window, c.N = t.Window, 0
	}
	if c.N >= t.Limit {
		return before, false
	}
	c.N++
	c.Total++
	return it, true
}

// rounded drops the digits of the times that no engine stores.
func (it Item) rounded() Item {
	if !it.Due.IsZero() {
		it.Due = time.UnixMilli(it.Due.UnixMilli()).UTC()
	}
	if !it.Expires.IsZero() {
		it.Expires = time.Unix(it.Expires.Unix(), 0).UTC()
	}
	return it
}

// Applied reports whether stored, the live item at w's key, proves that the
// commit id was applied before and only its answer was lost. Commits are atomic,
// so one item that carries the id speaks for all. Audit items always can, since
// nobody overwrites them.
func (w Write) Applied(id ID, stored Item) bool {
	return w.Verb == PutItem && stored.Version > 0 && stored.CommitID == id
}
