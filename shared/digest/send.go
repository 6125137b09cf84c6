package digest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/table"
)

// Actions of a digest's audit entries, and who did it.
const (
	actionSend = "send" // its letter left; of several tries more than one may have arrived
	actionPark = "park" // the mail service will never take it

	actionWithheld = "withheld" // it went to nobody: this installation sends no mail

	actor = "clock"
)

const (
	// leaseFor is how long a try may take before somebody else tries as well: longer
	// than any relay runs.
	leaseFor = 5 * time.Minute
	// maxLines is how many requests one letter names; the console shows all.
	maxLines = 50
)

// Send sends the digest whose head stands under a key, once it is due. It may be
// called twice and twice at once: one of them sends. A crash after the letter left
// sends it again; the mailbox recognises the key, a mail service may deliver twice,
// and the audit entry tells how often it was tried.
//
// A letter under way when the context ends is still finished: cut off, it might
// have been sent and would be sent again.
func (b *Book) Send(until context.Context, key table.Key) error {
	to, when, err := parseKey(key)
	if err != nil {
		return err
	}
	ctx := context.WithoutCancel(until)
	item, err := b.Table.Get(ctx, refOf(key))
	if errors.Is(err, table.ErrAbsent) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load a digest: %w", err)
	}
	var h head
	if err := decode(item, &h); err != nil {
		return err
	}
	now := b.now()
	if over := h.State == sent || h.State == parked; over || now.Before(when) || now.Before(h.Until) {
		return nil
	}
	lines, claimed, err := b.claim(ctx, key, h, item.Version, now)
	if errors.Is(err, table.ErrConflict) {
		return nil // somebody else is at it
	}
	if err != nil || len(lines) == 0 {
		return err
	}
	return b.finish(ctx, key, claimed, item.Version+1, len(lines), b.mail(ctx, key, to, lines))
}

// claim ends the gathering, takes the right to send for a while, and returns what
// is to be told. A digest without a line was begun for something that never came
// about; it is deleted.
func (b *Book) claim(ctx context.Context, key table.Key, h head, version int64, now time.Time) ([]Line, head, error) {
	h.State, h.Until = sending, now.Add(leaseFor)
	h.Tries++
	put, err := write(key, h, h.Until, now.Add(headLife), table.Version(version))
	if err != nil {
		return nil, h, err
	}
	if err := b.Table.Commit(ctx, table.NewID(), put); err != nil {
		return nil, h, err
	}
	lines, err := b.lines(ctx, key)
	if err == nil && len(lines) == 0 {
		err = b.Table.Commit(ctx, table.NewID(), table.Delete(refOf(key), table.Version(version+1)))
	}
	return lines, h, err
}

// lines reads what is to be told, what is most urgent first: of each request once,
// with all reasons and the dates that were noted last.
func (b *Book) lines(ctx context.Context, key table.Key) ([]Line, error) {
	byRequest, latest := map[string]Line{}, map[string]string{}
	q := table.Query{Table: table.State, Partition: key.Partition}
	for {
		page, err := b.Table.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("read the lines of a digest: %w", err)
		}
		for _, item := range page.Items {
			if item.Key == key {
				continue
			}
			var l Line
			if err := decode(item, &l); err != nil {
				return nil, err
			}
			at := item.Key.Sort[strings.LastIndexByte(item.Key.Sort, '#')+1:]
			before, ok := byRequest[l.Request]
			why := slices.Concat(before.Why, l.Why)
			if ok && at < latest[l.Request] {
				l = before
			} else {
				latest[l.Request] = at
			}
			slices.SortFunc(why, func(a, b Why) int { return cmp.Compare(a.rank(), b.rank()) })
			l.Why = slices.Compact(why)
			byRequest[l.Request] = l
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			break
		}
	}
	return slices.SortedFunc(maps.Values(byRequest), func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), a.RespondBy.Compare(b.RespondBy), cmp.Compare(a.Request, b.Request))
	}), nil
}

// decode reads an item of a digest.
func decode(item table.Item, into any) error {
	if item.Schema != schema {
		return fmt.Errorf("digest: %s has schema %d, this version reads %d", item.Key.Partition, item.Schema, schema)
	}
	if err := json.Unmarshal(item.Body, into); err != nil {
		return fmt.Errorf("decode %s: %w", item.Key.Partition, err)
	}
	return nil
}

// urgency lists the reasons, what is most urgent first.
var urgency = []Why{Overdue, StillOverdue, OneDay, ThreeDays, SevenDays, Unconfirmed, Braked, Failed, Late, Answered, Task, New, PreviewReady, Held, HoldReview, StillWaiting}

func (w Why) rank() int {
	if i := slices.Index(urgency, w); i >= 0 {
		return i
	}
	return len(urgency)
}

// rank is that of the most urgent reason; they are in order.
func (l Line) rank() int {
	if len(l.Why) == 0 {
		return len(urgency)
	}
	return l.Why[0].rank()
}

// mail writes the letter and sends it.
func (b *Book) mail(ctx context.Context, key table.Key, to Audience, lines []Line) error {
	p := b.Policy
	kind, address := kindFor(key), p.Operators.Mail
	if to == Contact {
		address = p.Contact.Email
	}
	recipient, ok := personal.ParseEmail(address)
	if !ok {
		return fmt.Errorf("%w: the policy has no address for %s", mail.ErrRefused, to)
	}
	l := mail.Letter{
		To: recipient, Brand: p.Document.Brand, Zone: b.zone(), Console: b.BaseURL, More: max(0, len(lines)-maxLines),
		Contact: words.Contact{Name: p.Contact.Person, Email: p.Contact.Email, Page: p.Contact.Page, Postal: p.Contact.PostalAddress},
	}
	for _, line := range lines[:min(len(lines), maxLines)] {
		why := make([]string, len(line.Why))
		for i, w := range line.Why {
			why[i] = string(w)
		}
		l.Lines = append(l.Lines, mail.Line{Request: line.Request, Right: line.Right, Call: line.Call, Why: why, RespondBy: line.RespondBy, SafeBy: line.SafeBy})
	}
	m, err := mail.Compose(kind, p.Document.Languages[0], l)
	if err != nil {
		return err
	}
	return b.Mail.Send(ctx, m, key.Partition)
}

// kindFor is which letter a digest is.
func kindFor(key table.Key) mail.Kind {
	if to, _, err := parseKey(key); err == nil && to == Contact {
		return mail.Overdue
	}
	return mail.Digest
}

// finish commits what came of a try.
func (b *Book) finish(ctx context.Context, key table.Key, h head, version int64, lines int, sendErr error) error {
	now := b.now()
	action := actionSend
	switch {
	case sendErr == nil:
		h.State = sent
	case errors.Is(sendErr, mail.ErrWithheld):
		h.State, action = sent, actionWithheld
	case errors.Is(sendErr, mail.ErrRefused):
		h.State, action = parked, actionPark
	default:
		// Whatever it was, a mistake of ours included: operators are still owed it.
		h.Until = now.Add(table.Backoff(h.Tries))
		put, err := write(key, h, h.Until, now.Add(headLife), table.Version(version))
		if err == nil {
			err = b.Table.Commit(ctx, table.NewID(), put)
		}
		return errors.Join(fmt.Errorf("send %s: %w", key.Partition, sendErr), err)
	}
	id := table.NewID()
	facts := []audit.Fact{{Name: "lines", Value: strconv.Itoa(lines)}, {Name: "tries", Value: strconv.Itoa(h.Tries)}}
	if action == actionWithheld {
		facts = append(facts, audit.Fact{Name: "mail", Value: string(kindFor(key))})
	}
	e, end := h.Head.Append(audit.Entry{Chain: key.Partition, At: now, Actor: actor, Action: action, Commit: string(id), Facts: facts})
	h.Head, h.Until = end, time.Time{}
	forget := now.Add(sentLife)
	put, err := write(key, h, forget, forget, table.Version(version))
	if err != nil {
		return err
	}
	err = b.Table.Commit(ctx, id, put, table.Put(table.Audit, table.Item{
		Key: table.Key{Partition: key.Partition, Sort: fmt.Sprintf("%012d", e.Seq)}, Schema: schema, Body: e.Encode(),
		Expires: b.Policy.Retention.Audit.After(now),
	}, table.New))
	if err != nil {
		return fmt.Errorf("record what came of %s: %w", key.Partition, err)
	}
	if h.State == parked && b.Log != nil {
		b.Log.LogAttrs(ctx, slog.LevelError, "a digest was refused for good; mend the address in the policy", slog.String("digest", key.Partition), slog.Any("err", sendErr))
	}
	return nil
}
