package request

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/digest"
	"rightsdesk/shared/export"
	"rightsdesk/shared/hold"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

// Service does everything that can be done to requests. A function sets the
// fields that its topology entry grants: without Sources there is no work on
// plans, without Mail no relay.
type Service struct {
	Table   table.Table
	Keys    seal.Keys
	Policy  *policy.Policy
	Now     func() time.Time
	BaseURL string // of links in mails and pages, without a slash at the end

	Sources   map[string]source.Source // by id in the policy
	Exports   export.Store
	Downloads export.Signer
	Mail      mail.Sender
	NoMail    bool         // nobody is written to, so that operators vouch for addresses
	Digest    *digest.Book // what operators are told once a day, or soon
	Choices   Choices      // where opt-outs, withdrawals and objections take effect
	Ledger    Ledger       // of erasures; nil: none is kept
	Holds     Holds        // of what the law wants kept because of a request; nil: nothing is
	// Heads finds the audit chains of what else the due-index leads to, each as it is
	// remembered, and for the zero Key those that are in no index. Nil: there are none.
	Heads func(ctx context.Context, k table.Key) ([]audit.Chain, error)
	Seals func() Seals // asked by one walk whether entries of the audit expired; nil: none does
	// Wake says that a request has work to do. It is a hint that makes things
	// faster: losing it delays the work until the next sweep.
	Wake func(ctx context.Context, id ID)
	// Log hears why a step failed, which the request itself records as a code only.
	Log *slog.Logger
}

// Choices is where what a person chose stands, and takes effect at once.
type Choices interface {
	// Stopping returns the writes that put stops on a person known by an identity
	// (true), or take them off (false); none if all of it stands so already. They
	// belong into the commit of the request's own change, which is decided again when
	// they conflict. For the right withdraw_consent there are no stops, and purposes
	// are what is withdrawn, none: everything.
	Stopping(ctx context.Context, who personal.Identity, stops map[policy.Stop]bool, purposes []string, request string) ([]table.Write, error)
}

// now is the time in the precision that is stored.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

// item encodes the aggregate.
func (r Request) item() (table.Item, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return table.Item{}, fmt.Errorf("encode request %s: %w", r.ID, err)
	}
	return table.Item{
		Key: r.ID.Ref().Key, Body: body, Schema: requestSchema,
		Due: r.file(), Subject: r.Subject,
	}, nil
}

func decode(item table.Item) (Request, error) {
	id, ok := IDOf(item.Key)
	if !ok || item.Schema != requestSchema {
		return Request{}, fmt.Errorf("request: item %s has schema %d, this version reads %d", item.Key.Partition, item.Schema, requestSchema)
	}
	r := Request{ID: id, Subject: item.Subject, version: item.Version, filed: item.Due}
	if err := json.Unmarshal(item.Body, &r); err != nil {
		return Request{}, fmt.Errorf("decode request %s: %w", id, err)
	}
	return r, nil
}

// load reads the aggregate, or returns ErrNotFound.
func (s *Service) load(ctx context.Context, id ID) (Request, error) {
	if !id.possible() {
		return Request{}, ErrNotFound
	}
	item, err := s.Table.Get(ctx, id.Ref())
	if errors.Is(err, table.ErrAbsent) {
		return Request{}, ErrNotFound
	}
	if err != nil {
		return Request{}, fmt.Errorf("load request %s: %w", id, err)
	}
	return decode(item)
}

// put is the write of the aggregate as it is, under the version it was loaded at.
func (r Request) put() (table.Write, error) {
	item, err := r.item()
	if err != nil {
		return table.Write{}, err
	}
	if r.version == 0 {
		return table.Put(table.State, item, table.New), nil
	}
	return table.Put(table.State, item, table.Version(r.version)), nil
}

// save commits the request with its audit entry, and with what the change
// promises to say. It is the only way in which a change is stored.
func (s *Service) save(ctx context.Context, id table.ID, r Request, e audit.Entry, say []mail.Kind, more ...table.Write) (Request, error) {
	for try := 0; ; try++ {
		holds, err := s.follow(ctx, &r)
		if err != nil {
			return Request{}, err
		}
		saved, writes, err := s.saving(id, r, e, say, slices.Concat(more, holds)...)
		if err != nil {
			return Request{}, err
		}
		err = s.Table.Commit(ctx, id, writes...)
		if err == nil {
			saved.version++
			saved.filed, saved.also = writes[0].Item.Due, nil
			return saved, nil
		}
		c, ok := errors.AsType[*table.Conflict](err)
		if !ok || !hold.Owns(c.Ref) || try == conflictTries {
			return Request{}, err
		}
		// Another hold was placed meanwhile, which has nothing to do with this change.
		r.Follows = followsAnew
		if err := table.Sleep(ctx, table.Pause(try)); err != nil {
			return Request{}, err
		}
	}
}

// saving returns the request as save stores it, and the writes that do, the
// request's own first.
func (s *Service) saving(id table.ID, r Request, e audit.Entry, say []mail.Kind, more ...table.Write) (Request, []table.Write, error) {
	e.Commit = string(id)
	e, r.Head = r.Head.Append(e)
	r.Told = slices.DeleteFunc(slices.Clone(r.Told), func(what string) bool { return !slices.Contains(r.waits(), what) })
	if r.Since = e.At; r.Status.Final() {
		r.Since = time.Time{} // nothing waits for it any more
	}
	if r.Mute {
		say = nil
	}
	for _, kind := range say {
		r.Announcements = append(r.Announcements, Announcement{Seq: e.Seq, Kind: kind})
		r.Relay.After = time.Time{} // what is new does not wait for what cannot be said
	}
	if r.Status.Final() && r.Forget.IsZero() {
		if r.Paused { // a question is open, that nobody waits for now
			_ = s.count(&r, r.Closed) // the stored dates were counted once: they still hold
			r.Paused = false
		}
		r.Forget = later(s.Policy.Retention.Requests.After(r.Closed), s.recordsUntil(r))
	}
	put, err := r.put()
	if err != nil {
		return Request{}, nil, err
	}
	entry := table.Item{
		Key:  table.Key{Partition: e.Chain, Sort: entrySort(e.Seq)},
		Body: e.Encode(), Schema: requestSchema, Expires: s.Policy.Retention.Audit.After(r.Received),
	}
	return r, slices.Concat([]table.Write{put, table.Put(table.Audit, entry, table.New)}, r.also, more), nil
}

// keep commits progress that is no change in the sense of the audit: a claim,
// a page done, a try that failed.
func (s *Service) keep(ctx context.Context, r Request, more ...table.Write) (Request, error) {
	put, err := r.put()
	if err != nil {
		return Request{}, err
	}
	if err := s.Table.Commit(ctx, table.NewID(), append([]table.Write{put}, more...)...); err != nil {
		return Request{}, err
	}
	r.version++
	r.filed = put.Item.Due
	return r, nil
}

func entrySort(seq int64) string { return fmt.Sprintf("%012d", seq) }
