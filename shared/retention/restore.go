package retention

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/table"
)

var _ restore.Folder = (*Service)(nil)

// Chain implements restore.Folder.
func (s *Service) Chain(name string) bool { return strings.HasPrefix(name, prefix) }

// Restore implements restore.Folder. Whether a rule was activated, paused or braked
// survives, and what it counted. A run that was under way is not gone on with: nobody
// knows any more which of its pages were done, or what the day has taken. The next one
// begins on the next day (UTC), so that no day has two shares.
func (s *Service) Restore(ctx context.Context, chain string, entries []audit.Entry) (restore.Outcome, error) {
	return restore.Deciding(ctx, func(commit table.ID) (restore.Outcome, error) {
		return s.restore(ctx, chain, entries, commit)
	})
}

func (s *Service) restore(ctx context.Context, chain string, entries []audit.Entry, commit table.ID) (restore.Outcome, error) {
	sw, err := s.load(ctx, strings.TrimPrefix(chain, prefix))
	if err != nil {
		return restore.Outcome{}, err
	}
	tail := restore.TailOf(sw.Head, entries)
	out := restore.Outcome{What: restore.Advanced, Ahead: tail.Ahead}
	orphan, err := s.orphaned(ctx, sw)
	switch {
	case err != nil:
		return out, err
	case sw.version == 0 && len(entries) == 0:
		return restore.Outcome{What: restore.Over}, nil
	case sw.version == 0:
		out.What = restore.Remade
	case tail.Stands() && sw.Run == nil && sw.Walk == nil && len(orphan) == 0:
		return restore.Outcome{What: restore.Stood}, nil
	}
	before := sw.Head
	asked := sw.Walk != nil || sw.Asked != ""
	sw.Run, sw.Page, sw.Walk, sw.Lease = nil, nil, nil, Lease{}
	sw.Tries, sw.Fault, sw.Extra = 0, "", 0 // what is left of an extra is not known: the brake asks again
	for _, e := range tail.News {
		sw.fold(e)
	}
	if rule, ok := s.rule(sw.Rule); ok && sw.Status == ByHand && sw.ByHand == nil {
		sw.ByHand = s.hand(rule)
	} else if ok && !own(rule) && rule.Trigger.ByAge() && (asked || sw.Status == New || sw.Status == Previewed && sw.Preview == nil) {
		sw.Asked = byClock
	}
	now := s.now()
	if sw.Status == Active {
		sw.After = now.Truncate(24 * time.Hour).Add(24 * time.Hour)
	}
	var e audit.Entry
	e, sw.Head = tail.Entry(chain, before, now, commit, audit.Fact{Name: "status", Value: string(sw.Status)})
	sw.Due = s.next(sw)
	put, err := sw.put(now, s.Policy.Retention.Audit)
	if err != nil {
		return out, err
	}
	writes := append([]table.Write{put, table.Put(table.Audit, table.Item{
		Key: entryKey(chain, e.Seq), Body: e.Encode(), Schema: schema, Expires: s.Policy.Retention.Audit.After(now),
	}, table.New)}, orphan...)
	if err := s.Table.Commit(ctx, commit, writes...); err != nil {
		return out, fmt.Errorf("rebuild the sweep %s: %w", sw.Rule, err)
	}
	return out, nil
}

// orphaned are the writes that remove what was sealed for work that is not gone on with.
func (s *Service) orphaned(ctx context.Context, sw Sweep) ([]table.Write, error) {
	var writes []table.Write
	for _, ref := range []table.Ref{pageRef(sw.Rule), saltRef(sw.Rule)} {
		switch item, err := s.Table.Get(ctx, ref); {
		case err == nil:
			writes = append(writes, table.Delete(ref, table.Version(item.Version)))
		case !errors.Is(err, table.ErrAbsent):
			return nil, fmt.Errorf("look for what is left of the sweep %s: %w", sw.Rule, err)
		}
	}
	return writes, nil
}

// fold brings about what an entry tells of.
func (sw *Sweep) fold(e audit.Entry) {
	number := func(name string) int {
		n, err := strconv.Atoi(restore.Fact(e, name))
		if err != nil {
			return 0
		}
		return n
	}
	if to, ok := moves[sw.Status][Action(e.Action)]; ok {
		sw.Status = to
	} else if to, ok := ends[Action(e.Action)]; ok {
		sw.Status = to // the entries before have expired
	}
	switch Action(e.Action) {
	case Declare, Entrust, Watch:
		sw.Version = restore.Fact(e, "version")
		sw.Preview, sw.Stop, sw.ByHand, sw.Inventory = nil, nil, nil, Inventory{}
		sw.Activated, sw.By, sw.Oldest, sw.Told = time.Time{}, "", time.Time{}, time.Time{}
	case Look:
		if sw.Status == Watched {
			return // it is looked at anew
		}
		sw.Version = restore.Fact(e, "version")
		sw.Preview = &Preview{
			At: e.At, Total: number("total"), Due: number("due"), Held: number("held"), Undated: number("undated"),
			Oldest: restore.Time(e, "oldest"), ByPerson: restore.Fact(e, "counted") != "",
		}
		if !sw.Preview.ByPerson {
			sw.Inventory, sw.Oldest = Inventory{Total: sw.Preview.Total, At: e.At}, sw.Preview.Oldest
		}
	case Activate:
		sw.Version, sw.Activated, sw.By = restore.Fact(e, "version"), e.At, e.Actor
	case Brake:
		sw.Stop = &Stop{At: e.At, Taken: number("taken"), Limit: number("limit")}
	case Confirm:
		if sw.Status == ByHand && sw.ByHand != nil {
			h := *sw.ByHand
			h.Done, h.By, h.Due = e.At, e.Actor, e.At.Add(cycle)
			sw.ByHand = &h
		}
		sw.Stop = nil
	case Begin:
		sw.Last = &Run{ID: restore.Fact(e, "run"), Began: e.At, Until: restore.Time(e, "until")}
	case End:
		last := Run{ID: restore.Fact(e, "run"), Began: e.At}
		if sw.Last != nil && sw.Last.ID == last.ID {
			last.Began = sw.Last.Began
		}
		last.Ended, last.Until = e.At, restore.Time(e, "until")
		last.Seen, last.Done, last.Kept, last.Held, last.Pages = number("seen"), number("done"), number("kept"), number("held"), number("pages")
		last.Verified = restore.Fact(e, "verified") == "true"
		if sw.Last, sw.Seen = &last, last.Until; last.Verified {
			sw.Oldest = time.Time{}
		}
	case Pause, Retire:
	}
}

// ends is where actions lead that always lead to the same status.
var ends = map[Action]Status{
	Declare: New, Entrust: ByHand, Watch: Watched, Activate: Active, Pause: Paused, Begin: Active, End: Active, Brake: Braked, Retire: Retired,
}
