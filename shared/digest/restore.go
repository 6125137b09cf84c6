package digest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/table"
)

var _ restore.Folder = (*Book)(nil)

// Chain implements restore.Folder.
func (b *Book) Chain(name string) bool { return strings.HasPrefix(name, prefix) }

// Restore implements restore.Folder. A digest that was sent is not sent again. One
// that gathers has no chain yet: the lines that were noted since the copy are lost,
// and what they told of is still there to be seen.
func (b *Book) Restore(ctx context.Context, chain string, entries []audit.Entry) (restore.Outcome, error) {
	key := table.Key{Partition: chain, Sort: "-"}
	if _, _, err := parseKey(key); err != nil {
		return restore.Outcome{}, err
	}
	var h head
	out, pre := restore.Outcome{What: restore.Advanced}, table.New
	item, err := b.Table.Get(ctx, refOf(key))
	switch {
	case errors.Is(err, table.ErrAbsent):
	case err != nil:
		return out, fmt.Errorf("load a digest: %w", err)
	default:
		pre = table.Version(item.Version)
		if err := decode(item, &h); err != nil {
			return out, err
		}
	}
	tail, now, id := restore.TailOf(h.Head, entries), b.now(), table.NewID()
	last := entries[len(entries)-1]
	forget := last.At.Add(sentLife)
	switch {
	case tail.Stands():
		return restore.Outcome{What: restore.Stood}, nil
	case !forget.After(now) && pre.Is(table.New):
		return restore.Outcome{What: restore.Over}, nil
	case !forget.After(now):
		forget = now.Add(sentLife)
	case pre.Is(table.New):
		out.What = restore.Remade
	}
	out.Ahead = tail.Ahead
	for _, e := range tail.News {
		switch e.Action {
		case actionSend, actionWithheld:
			h.State = sent
		case actionPark:
			h.State = parked
		}
	}
	var e audit.Entry
	before := h.Head
	e, h.Head = tail.Entry(chain, before, now, id)
	h.Until = time.Time{}
	put, err := write(key, h, forget, forget, pre)
	if err != nil {
		return out, err
	}
	err = b.Table.Commit(ctx, id, put, table.Put(table.Audit, table.Item{
		Key: restore.EntryKey(chain, e.Seq), Schema: schema, Body: e.Encode(), Expires: b.Policy.Retention.Audit.After(now),
	}, table.New))
	if err != nil {
		return out, fmt.Errorf("rebuild %s: %w", chain, err)
	}
	return out, nil
}
