package consent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// now is the time in the precision that is stored.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

func decode(item table.Item) (Subject, error) {
	if !IsKey(item.Key) || item.Schema != subjectSchema {
		return Subject{}, fmt.Errorf("consent: an item has schema %d, this version reads %d", item.Schema, subjectSchema)
	}
	sub := Subject{at: identifierOf(item.Key), version: item.Version}
	if err := json.Unmarshal(item.Body, &sub); err != nil {
		return Subject{}, fmt.Errorf("decode a subject of consents: %w", err)
	}
	return sub, nil
}

func identifierOf(k table.Key) seal.Identifier { return seal.Identifier(k.Partition[len("consent#"):]) }

// load reads what stands under an identifier, or returns ErrNotFound. It is one
// strongly consistent read.
func (s *Service) load(ctx context.Context, at seal.Identifier) (Subject, error) {
	item, err := s.Table.Get(ctx, Ref(at))
	if errors.Is(err, table.ErrAbsent) {
		return Subject{}, ErrNotFound
	}
	if err != nil {
		return Subject{}, fmt.Errorf("load what somebody chose: %w", err)
	}
	return decode(item)
}

// loadOrNew is load, but returns a fresh subject where there is none.
func (s *Service) loadOrNew(ctx context.Context, at seal.Identifier) (Subject, error) {
	sub, err := s.load(ctx, at)
	if errors.Is(err, ErrNotFound) {
		return newSubject(at), nil
	}
	return sub, err
}

func newSubject(at seal.Identifier) Subject {
	return Subject{ID: seal.NewSubjectID(), Identifiers: []seal.Identifier{at}, at: at}
}

// puts are the writes of a subject as it is: the same body under each of its
// identifiers. The one that it was loaded by is put under the version it had
// then. Whoever changes the subject puts every item, so two changes at once meet
// on at least one of these versions, whichever identifiers they came by.
func (sub Subject) puts() ([]table.Write, error) {
	body, err := json.Marshal(sub)
	if err != nil {
		return nil, fmt.Errorf("encode a subject of consents: %w", err)
	}
	writes := make([]table.Write, 0, len(sub.Identifiers))
	for i, id := range sub.Identifiers {
		item := table.Item{Key: Ref(id).Key, Body: body, Schema: subjectSchema}
		if i == 0 {
			item.Due = sub.Filed
		}
		condition, ok := sub.adopts[id]
		switch {
		case ok:
		case id != sub.at:
			condition = table.Exists
		case sub.version == 0:
			condition = table.New
		default:
			condition = table.Version(sub.version)
		}
		writes = append(writes, table.Put(table.State, item, condition))
	}
	return writes, nil
}

// draft is a subject while a call changes it, with the entries that say so.
type draft struct {
	Subject
	commit  table.ID
	at      time.Time // of the change
	actor   string
	entries []audit.Entry
	more    []table.Write
	// released is that a request was taken off one of its stops, which stands for others.
	released bool
}

// enter appends an entry and returns its number. Facts without a value are left out.
func (d *draft) enter(action string, facts ...audit.Fact) int64 {
	e := audit.Entry{Chain: ChainOf(d.ID), At: d.at, Actor: d.actor, Action: action, Commit: string(d.commit)}
	for _, f := range facts {
		if f.Value != "" {
			e.Facts = append(e.Facts, f)
		}
	}
	e, d.Head = d.Head.Append(e)
	d.entries = append(d.entries, e)
	return e.Seq
}

// say promises a letter. What is new does not wait for what could not be said.
func (d *draft) say(seq int64, kind mail.Kind, purpose string) {
	d.Announcements = append(d.Announcements, Announcement{Seq: seq, Kind: kind, Purpose: purpose})
	d.Tries, d.After = 0, d.at.Add(relayWithin)
}

// writes are those of a whole change.
func (s *Service) writes(d *draft) ([]table.Write, error) {
	d.forgetAddress()
	d.Filed = s.file(d.Subject, false)
	writes, err := d.puts()
	if err != nil {
		return nil, err
	}
	return slices.Concat(writes, s.entryWrites(d), d.more), nil
}

// entryWrites are the writes of the entries of a draft.
func (s *Service) entryWrites(d *draft) (writes []table.Write) {
	expires := s.Policy.Retention.Audit.After(s.now())
	for _, e := range d.entries {
		writes = append(writes, table.Put(table.Audit, table.Item{
			Key: entryKey(e.Chain, e.Seq), Body: e.Encode(), Schema: subjectSchema, Expires: expires,
		}, table.New))
	}
	return writes
}

func entryKey(chain string, seq int64) table.Key {
	return table.Key{Partition: chain, Sort: fmt.Sprintf("%012d", seq)}
}

// conflictTries is how often a change is decided again on a newer version.
const conflictTries = 8

var errUnchanged = errors.New("consent: nothing to change")

// change loads what stands under an identifier, lets decide make the next of it,
// and commits that with its entries; somebody else's commit in between makes it
// decide again. Where nothing stands decide gets a new subject, of version 0.
// It returns errUnchanged to leave everything as it is.
func (s *Service) change(ctx context.Context, at seal.Identifier, actor string, decide func(*draft) error) (Subject, error) {
	commit := table.NewID()
	for try := range conflictTries {
		sub, err := s.loadOrNew(ctx, at)
		if err != nil {
			return Subject{}, unavailable(err)
		}
		d := &draft{Subject: sub, commit: commit, at: s.now(), actor: actor}
		if err := decide(d); err != nil {
			if errors.Is(err, errUnchanged) {
				return d.Subject, nil
			}
			return Subject{}, unavailable(err)
		}
		next, err := s.save(ctx, d)
		if err == nil {
			return next, nil
		}
		if !errors.Is(err, table.ErrConflict) {
			return Subject{}, unavailable(err)
		}
		if err := table.Sleep(ctx, table.Pause(try)); err != nil {
			return Subject{}, err
		}
	}
	return Subject{}, ErrBusy
}

// save commits a change.
func (s *Service) save(ctx context.Context, d *draft) (Subject, error) {
	writes, err := s.writes(d)
	if err != nil {
		return Subject{}, err
	}
	if err := s.Table.Commit(ctx, d.commit, writes...); err != nil {
		return Subject{}, err
	}
	next := d.Subject
	next.version++
	next.adopts = nil
	return next, nil
}

// keep commits progress that is no change in the sense of the audit: a letter
// that left, a try that failed, a look that found nothing to do. It files the
// subject anew, exactly. The caller decides again on table.ErrConflict.
func (s *Service) keep(ctx context.Context, sub Subject) (Subject, error) {
	sub.forgetAddress()
	sub.Filed = s.file(sub, true)
	writes, err := sub.puts()
	if err != nil {
		return Subject{}, err
	}
	if err := s.Table.Commit(ctx, table.NewID(), writes...); err != nil {
		return Subject{}, err
	}
	sub.version++
	return sub, nil
}

// absent turns what is not there into ErrNotFound.
func absent(err error, doing string) error {
	if errors.Is(err, table.ErrAbsent) {
		return ErrNotFound
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// unavailable turns a store that is busy, or that lost an answer, into a fault
// that asks the caller to repeat the call.
func unavailable(err error) error {
	if errors.Is(err, table.ErrBusy) || errors.Is(err, table.ErrUnknown) {
		return ErrBusy.Because(err)
	}
	if errors.Is(err, table.ErrTooLarge) {
		return errTooMuch.Because(err)
	}
	return err
}

// set makes a purpose stand as given; maps of a loaded subject are its own.
func (sub *Subject) set(key string, st Standing) {
	if sub.Purposes == nil {
		sub.Purposes = map[string]Standing{}
	}
	sub.Purposes[key] = st
}

func (sub *Subject) stop(stop policy.Stop, since time.Time) {
	if sub.Stops == nil {
		sub.Stops = map[policy.Stop]time.Time{}
	}
	sub.Stops[stop] = since
}

// waiting lists what the owner of the address is asked to confirm, by purpose or
// purpose/act. A confirming mail shows all of it, and its button confirms what was
// asked by its generation or an earlier one.
func (sub Subject) waiting() []string { return sorted(sub.Asks) }

// sorted are the keys of a map in order, so that two who do the same do it in the same order.
func sorted[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
