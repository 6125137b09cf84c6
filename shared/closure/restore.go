package closure

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/request"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

var _ restore.Sweeper = (*Service)(nil)

// Chain implements restore.Folder.
func (s *Service) Chain(name string) bool { return strings.HasPrefix(name, prefix) }

// Restore implements restore.Folder. A closure is made of its chain alone: what was
// taken back since the copy stays taken back, and what was begun goes on. Letters are
// not sent again; who has the mail of before can go on using its link.
func (s *Service) Restore(ctx context.Context, chain string, entries []audit.Entry) (restore.Outcome, error) {
	return restore.Deciding(ctx, func(commit table.ID) (restore.Outcome, error) {
		return s.restore(ctx, chain, entries, commit)
	})
}

func (s *Service) restore(ctx context.Context, chain string, entries []audit.Entry, commit table.ID) (restore.Outcome, error) {
	id := ID(strings.TrimPrefix(chain, prefix))
	c, err := s.load(ctx, id)
	found := err == nil
	if err != nil && !errors.Is(err, ErrNotFound) {
		return restore.Outcome{}, err
	}
	if len(entries) == 0 {
		return restore.Outcome{What: restore.Over}, nil
	}
	tail := restore.TailOf(c.Head, entries)
	out := restore.Outcome{What: restore.Advanced, Ahead: tail.Ahead}
	if !found {
		out.What = restore.Remade
		if first := entries[0].Action; first != asked && first != began {
			return restore.Outcome{What: restore.Over}, nil // what began it has expired, and so has it
		}
		c = Closure{ID: id}
	}
	before, now := c.Head, s.now()
	for _, e := range tail.News {
		c.fold(e)
	}
	if c.Status.Final() {
		c.Forget = s.Policy.Retention.Requests.After(c.Over)
		if !found && !now.Before(c.Forget) {
			return restore.Outcome{What: restore.Over}, nil
		}
	}
	if c.Status == Closing && c.Look.IsZero() {
		c.Look = now
	}
	d := &draft{Closure: c, commit: commit, at: now}
	if err := s.repoint(ctx, d); err != nil {
		return out, err
	}
	if found && tail.Stands() && len(d.more) == 0 {
		return restore.Outcome{What: restore.Stood}, nil
	}
	if len(tail.News) > 0 {
		d.Announcements, d.Tries, d.After = nil, 0, time.Time{}
	}
	e, head := tail.Entry(chain, before, now, commit, audit.Fact{Name: factStatus, Value: string(c.Status)})
	d.Head, d.entries = head, []audit.Entry{e}
	_, err = s.save(ctx, d)
	return out, err
}

// repoint adds to a draft what makes its pointers stand as its status has it.
func (s *Service) repoint(ctx context.Context, d *draft) error {
	for _, id := range d.Identifiers {
		ref := pointerRef(id)
		item, err := s.Table.Get(ctx, ref)
		stands, there := table.New, false
		if err != nil && !errors.Is(err, table.ErrAbsent) {
			return fmt.Errorf("look whether an account is closing: %w", err)
		}
		var p pointer
		if err == nil {
			stands, there = table.Version(item.Version), true
			if err := json.Unmarshal(item.Body, &p); err != nil {
				return fmt.Errorf("decode whether an account is closing: %w", err)
			}
		}
		switch own := p.Closure == d.ID; {
		case d.Status.live() && !own:
			w, err := pointing(id, d.ID, stands)
			if err != nil {
				return err
			}
			d.more = append(d.more, w)
		case !d.Status.live() && there && own:
			d.more = append(d.more, table.Delete(ref, stands))
		}
	}
	return nil
}

// fold brings about what an entry tells of. Folding what is known already changes nothing.
func (c *Closure) fold(e audit.Entry) {
	fact := func(name string) string { return restore.Fact(e, name) }
	if status := Status(fact(factStatus)); slices.Contains(Statuses, status) {
		c.Status = status
	}
	if c.Status.Final() && c.Over.IsZero() {
		c.Over, c.LapseAt = e.At, time.Time{}
	}
	switch e.Action {
	case asked, began:
		c.Subject, c.Holder, c.Policy = fact(factSubject), seal.Identifier(fact(factHolder)), fact(factPolicy)
		c.Residence, c.Locale, c.App = fact(factPlace), fact(factLanguage), fact(factApp)
		c.Asked, c.LapseAt = e.At.Truncate(time.Second), restore.Time(e, factLapse)
		c.Who, _ = base64.RawStdEncoding.DecodeString(fact(factSealed)) // it was encoded by us
		c.Mute = fact(factMute) == "true"
		c.Identifiers = nil
		for _, id := range strings.Fields(fact(factIDs)) {
			c.Identifiers = append(c.Identifiers, seal.Identifier(id))
		}
	case string(Confirm):
		c.Spent, c.LapseAt = true, time.Time{}
	case string(Begin):
		c.Work = request.ID(fact(factWork))
	}
	if at := restore.Time(e, factCloses); !at.IsZero() {
		c.Confirmed, c.ClosesAt, c.GoneBy = e.At, at, restore.Time(e, factGone)
	}
}

// Orphan implements restore.Sweeper: pointers to closures that are gone or over.
func (s *Service) Orphan(ctx context.Context, k table.Key) (bool, error) {
	id, ok := strings.CutPrefix(k.Partition, "closing#")
	if !ok || k.Sort != "-" {
		return false, nil
	}
	_, stands, err := s.pointed(ctx, seal.Identifier(id))
	if _, there := stands.AtVersion(); !there || !errors.Is(err, ErrNotFound) {
		return false, unless(err, ErrNotFound)
	}
	err = s.Table.Commit(ctx, table.NewID(), table.Delete(table.Ref{Table: table.State, Key: k}, stands))
	if errors.Is(err, table.ErrConflict) {
		return false, nil
	}
	return err == nil, err
}

func unless(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}

// Unsettled reports whether a closure of a subject still needs what can be read of
// them: it is not over, or has a letter to send.
func (s *Service) Unsettled(ctx context.Context, subject string) (bool, error) {
	q := table.Query{Table: table.State, Index: table.Subject, Partition: subject}
	for {
		page, err := s.Table.Query(ctx, q)
		if err != nil {
			return false, fmt.Errorf("list somebody's closures: %w", err)
		}
		for _, item := range page.Items {
			id, ok := IDOf(item.Key)
			if !ok {
				continue
			}
			c, err := s.load(ctx, id)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if err != nil || !c.Status.Final() || len(c.Announcements) > 0 {
				return true, err
			}
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return false, nil
		}
	}
}
