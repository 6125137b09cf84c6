package edition

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/table"
)

var _ restore.Folder = (*Book)(nil)

// Chain implements restore.Folder.
func (b *Book) Chain(name string) bool { return name == Chain }

// missingFile is the code of a policy whose file a copy is older than.
const missingFile = "policy file"

// Restore implements restore.Folder. The chain tells which policy was in force, but not
// what it said: an edition that is younger than the copy has lost its file. The newest
// one whose file is there is in force until somebody publishes the lost one again, which
// the job does by itself where the file still is where operators put it.
func (b *Book) Restore(ctx context.Context, chain string, entries []audit.Entry) (restore.Outcome, error) {
	return restore.Deciding(ctx, func(commit table.ID) (restore.Outcome, error) {
		return b.rebuild(ctx, chain, entries, commit)
	})
}

// after waits after the n-th conflict. If nobody else changed what is in force since it
// was read at a version, the chain is ahead of it: the State table was put back to a
// copy, and nothing could ever be published again. Then it is rebuilt here, because a
// replay runs only where a policy is in force.
func (b *Book) after(ctx context.Context, read int64, n int) error {
	a, err := b.load(ctx)
	if err != nil && !errors.Is(err, errNone) {
		return err
	}
	if a.stored != read {
		return table.Sleep(ctx, table.Pause(n))
	}
	var entries []audit.Entry
	q := table.Query{Table: table.Audit, Partition: Chain}
	for {
		page, err := b.Table.Query(ctx, q)
		if err != nil {
			return fmt.Errorf("read the chain of the policy: %w", err)
		}
		for _, item := range page.Items {
			e, err := audit.Decode(item.Body)
			if err != nil {
				return fmt.Errorf("read the chain of the policy: %w", err)
			}
			entries = append(entries, e)
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			break
		}
	}
	if len(entries) == 0 {
		return table.Sleep(ctx, table.Pause(n))
	}
	_, err = b.Restore(ctx, Chain, entries)
	return err
}

func (b *Book) rebuild(ctx context.Context, chain string, entries []audit.Entry, commit table.ID) (restore.Outcome, error) {
	out := restore.Outcome{What: restore.Advanced}
	a, err := b.load(ctx)
	if errors.Is(err, errNone) {
		a, out.What = b.none(), restore.Remade
	} else if err != nil {
		return out, err
	}
	tail, now := restore.TailOf(a.Head, entries), b.now()
	out.Ahead = tail.Ahead
	before, held := a.Head, a
	a.N, a.Version, a.Origin, a.At = 0, "", "", time.Time{}
	var gone []Edition // the copy is older than these, and not than their files
	for _, e := range entries {
		if e.Action != Published {
			continue
		}
		n, err := strconv.ParseInt(restore.Fact(e, "edition"), 10, 64)
		if err != nil {
			return out, fmt.Errorf("edition: entry %d of the chain has no edition: %w", e.Seq, err)
		}
		a.Last = max(a.Last, n)
		version, digest, origin := restore.Fact(e, "version"), restore.Fact(e, "digest"), Origin(restore.Fact(e, "origin"))
		a = a.saw(origin, digest) // or what an operator went back from would come into force again
		file, err := b.file(ctx, version)
		if errors.Is(err, ErrNotFound) {
			out.Missing = []string{missingFile}
			continue
		} else if err != nil {
			return out, err
		}
		out.Missing = nil
		a.N, a.Version, a.Origin, a.At = n, version, origin, e.At
		if _, err := b.Table.Get(ctx, editionRef(n)); errors.Is(err, table.ErrAbsent) {
			gone = append(gone, editionOf(n, e, file))
		} else if err != nil {
			return out, fmt.Errorf("look for edition %d: %w", n, err)
		}
	}
	if tail.Stands() && a.N == held.N && a.Last == held.Last && len(gone) == 0 {
		return restore.Outcome{What: restore.Stood, Missing: out.Missing}, nil
	}
	if len(out.Missing) > 0 {
		a.Seen = nil // what the origins offer is looked at anew
	}
	if a.Lacks, err = b.missing(ctx, a); err != nil {
		return out, err
	}
	e, head := tail.Entry(chain, before, now, commit)
	a.Head = head
	active, err := a.put()
	if err != nil {
		return out, err
	}
	writes := []table.Write{active, table.Put(table.Audit, table.Item{Key: restore.EntryKey(chain, e.Seq), Schema: schema, Body: e.Encode()}, table.New)}
	for _, g := range gone[max(0, len(gone)-atOnce):] {
		header, err := put(editionRef(g.N), g, table.New)
		if err != nil {
			return out, err
		}
		writes = append(writes, header)
	}
	if err := b.Table.Commit(ctx, commit, writes...); err != nil {
		return out, fmt.Errorf("rebuild which policy is in force: %w", err)
	}
	return out, nil
}

// atOnce is how many editions are listed again by one commit, the newest of them. More
// were not published since any copy.
const atOnce = table.MaxWrites - 5

// editionOf is an edition as its entry and its file tell of it.
func editionOf(n int64, e audit.Entry, file []byte) Edition {
	is := Edition{
		N: n, Version: restore.Fact(e, "version"), Origin: Origin(restore.Fact(e, "origin")), Digest: restore.Fact(e, "digest"),
		Size: len(file), By: e.Actor, At: e.At,
	}
	if p, err := policy.Parse(file); err == nil { // else this version cannot read what it says of itself
		is.Updated, is.In = p.Document.Updated, p.Document.Effective
	}
	return is
}
