package erasure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/digest"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/table"
)

// salts is what is known of all salts together. Every destruction puts it, so that no
// two of them are counted as one.
type salts struct {
	Day       string         `json:"day,omitempty"`
	Destroyed int            `json:"destroyed,omitempty"` // on Day
	Known     map[string]int `json:"known,omitempty"`     // erasures of the last days, by day
	Waiting   int            `json:"waiting,omitempty"`   // entered, and not destroyed yet
	Blocked   int            `json:"blocked,omitempty"`   // of those: due, and stopped by the brake
	Braked    time.Time      `json:"braked,omitzero"`     // since when nothing is destroyed
	Extra     int            `json:"extra,omitempty"`     // beyond a day's, that an operator let go
	Head      audit.Head     `json:"head"`

	version int64
}

// Salts is what operators see of the destruction of salts.
type Salts struct {
	Waiting   int
	Blocked   int // due, and stopped by the brake
	Destroyed int // today
	Allowed   int // today, without an operator
	Extra     int // beyond that, that an operator let go
	Braked    time.Time
}

const (
	// A salt cannot be had back, so a mistake in whoever orders its destruction may
	// cost a day's few, never all: more than usual waits for an operator.
	fewest   = 20 // a day, at least
	share    = 20 // one in so many of the erasures of the last days
	lastDays = 30

	// Whoever is not due yet for another reason than the wait is looked at again.
	lookAgain = 6 * time.Hour
	// blockedFor is how long a salt that the brake stopped is left alone: once it is
	// confirmed it goes within so long.
	blockedFor = time.Hour

	conflictTries = 8
)

func (s *Service) loadSalts(ctx context.Context) (salts, error) {
	item, err := s.Table.Get(ctx, saltsRef)
	if errors.Is(err, table.ErrAbsent) {
		return salts{}, nil
	}
	if err != nil {
		return salts{}, fmt.Errorf("load what is known of salts: %w", err)
	}
	all := salts{version: item.Version}
	if err := json.Unmarshal(item.Body, &all); err != nil || item.Schema != schema {
		return salts{}, fmt.Errorf("erasure: what is known of salts has schema %d, this version reads %d", item.Schema, schema)
	}
	return all, nil
}

func (a salts) put() (table.Write, error) {
	body, err := json.Marshal(a)
	if err != nil {
		return table.Write{}, fmt.Errorf("encode what is known of salts: %w", err)
	}
	pre := table.New
	if a.version > 0 {
		pre = table.Version(a.version)
	}
	return table.Put(table.State, table.Item{Key: saltsRef.Key, Schema: schema, Body: body}, pre), nil
}

// on returns a as it is on the day of an instant.
func (a salts) on(now time.Time) salts {
	// A clock that is behind does not begin a day anew that another one has begun.
	if day := now.Format(time.DateOnly); day > a.Day {
		a.Day, a.Destroyed = day, 0
	}
	oldest := now.AddDate(0, 0, -lastDays).Format(time.DateOnly)
	a.Known = maps.Clone(a.Known)
	maps.DeleteFunc(a.Known, func(day string, _ int) bool { return day < oldest })
	return a
}

// allowed is how many salts a day takes without an operator.
func (a salts) allowed() int {
	n := 0
	for _, erased := range a.Known {
		n += erased
	}
	return max(fewest, n/share)
}

// entered counts one more erasure, and one more salt that waits if it is of somebody
// whose salt does not wait already.
func (a *salts) entered(at time.Time, waits bool) {
	if a.Known == nil {
		a.Known = map[string]int{}
	}
	a.Known[at.Format(time.DateOnly)]++
	if waits {
		a.Waiting++
	}
}

// enter appends an entry to the chain of the salts and returns its write.
func (s *Service) enter(a *salts, now time.Time, actor, action string, commit table.ID, facts ...audit.Fact) table.Write {
	var e audit.Entry
	e, a.Head = a.Head.Append(audit.Entry{Chain: saltsName, At: now, Actor: actor, Action: action, Commit: string(commit), Facts: facts})
	return entryWrite(e, s.Policy.Retention.Audit.After(now))
}

// Tick does what follows from an erasure: at once what was agreed to ends, and after
// the wait the salt is destroyed, unless somebody still needs it.
func (s *Service) Tick(ctx context.Context, key table.Key) error {
	commit := table.NewID()
	for try := range conflictTries {
		t, err := s.load(ctx, identifierOf(key))
		if err != nil {
			return err
		}
		var writes []table.Write
		switch {
		case t.version == 0, t.Stage == Destroyed:
			return nil
		case t.Stage == Entombed:
			writes, err = s.forget(ctx, t, commit)
		default:
			writes, err = s.shred(ctx, t, commit)
		}
		if err != nil {
			return fmt.Errorf("follow an erasure up: %w", err)
		}
		err = s.Table.Commit(ctx, commit, writes...)
		if err == nil {
			if t.Stage == Entombed {
				commit = table.NewID() // it may be due already: after an outage, say
				continue
			}
			return nil
		}
		if !errors.Is(err, table.ErrConflict) {
			return fmt.Errorf("follow an erasure up: %w", err)
		}
		if err := table.Sleep(ctx, table.Pause(try)); err != nil {
			return err
		}
	}
	return nil // the sweep comes back
}

// forget ends what the person had agreed to, and counts the erasure.
func (s *Service) forget(ctx context.Context, t Tomb, commit table.ID) ([]table.Write, error) {
	now := s.now()
	all, err := s.loadSalts(ctx)
	if err != nil {
		return nil, err
	}
	all = all.on(now)
	all.entered(t.At, !t.Counted)
	t.Counted = true
	var writes []table.Write
	if s.Choices != nil {
		if writes, err = s.Choices.Forgetting(ctx, t.id); err != nil {
			return nil, err
		}
	}
	t.Stage = Waiting
	return s.with(writes, t, all, t.At.Add(s.Policy.Retention.Salts), t.enter(now, bySystem, actionForgotten, commit))
}

// with are the writes of a step: of its tombstone, of the salts, and others.
func (s *Service) with(writes []table.Write, t Tomb, all salts, due time.Time, entries ...table.Write) ([]table.Write, error) {
	put, err := t.put(due)
	if err != nil {
		return nil, err
	}
	sum, err := all.put()
	if err != nil {
		return nil, err
	}
	return slices.Concat(writes, []table.Write{put, sum}, entries), nil
}

// shred destroys the salt of somebody who was erased, once nobody needs it any more.
func (s *Service) shred(ctx context.Context, t Tomb, commit table.ID) ([]table.Write, error) {
	now := s.now()
	if due := t.At.Add(s.Policy.Retention.Salts); now.Before(due) {
		return only(t.put(due))
	}
	needed, unless, err := s.needed(ctx, t)
	if err != nil {
		return nil, err
	}
	if needed {
		return only(t.put(now.Add(lookAgain)))
	}
	all, err := s.loadSalts(ctx)
	if err != nil {
		return nil, err
	}
	all = all.on(now)
	keys, err := s.Keys.Destroy(ctx, t.id, t.Generation)
	if err != nil {
		return nil, err
	}
	if t.Generation == 0 {
		keys = nil // there was none to destroy
	}
	if len(keys) > 0 {
		switch {
		case !all.Braked.IsZero():
			return s.block(t, all, now)
		case all.Destroyed < all.allowed():
		case all.Extra > 0:
			all.Extra--
		default:
			return s.brake(ctx, t, all, commit, now)
		}
		all.Destroyed++
	}
	all.Waiting = max(0, all.Waiting-1)
	if t.Blocked {
		all.Blocked = max(0, all.Blocked-1)
	}
	t.Stage, t.Destroyed, t.Blocked, t.Counted = Destroyed, now, false, false
	facts := []audit.Fact{{Name: factGeneration, Value: strconv.Itoa(int(t.Generation))}}
	if len(keys) == 0 {
		facts = append(facts, audit.Fact{Name: "stood_already", Value: "true"})
	}
	return s.with(append(keys, unless...), t, all, now, t.enter(now, byClock, actionDestroyed, commit, facts...))
}

// only is a step of one write.
func only(w table.Write, err error) ([]table.Write, error) { return []table.Write{w}, err }

// needed reports whether somebody still has to read what hangs on a salt; if nobody
// has, it returns what must still be so when the salt is destroyed.
func (s *Service) needed(ctx context.Context, t Tomb) (yes bool, unless []table.Write, err error) {
	for _, id := range t.First {
		other, err := s.load(ctx, id)
		if err != nil || other.version > 0 && other.Stage != Destroyed {
			return true, nil, err
		}
	}
	if s.Held != nil {
		if yes, unless, err = s.Held(ctx, t.id); err != nil || yes {
			return true, nil, err
		}
	}
	salt, err := s.Keys.Stands(ctx, t.id)
	if err != nil || salt.Subject == "" {
		return false, unless, err
	}
	// Who asks for something right now has it sealed under this salt, and no index
	// knows of it yet.
	if salt.Contacted >= s.now().AddDate(0, 0, -1).Format(time.DateOnly) {
		return true, nil, nil
	}
	for _, unsettled := range s.Unsettled {
		if open, err := unsettled(ctx, salt.Subject); err != nil || open {
			return true, nil, err
		}
	}
	return false, unless, nil
}

// block notes, once, that a salt would be due.
func (s *Service) block(t Tomb, all salts, now time.Time) ([]table.Write, error) {
	if t.Blocked {
		return only(t.put(now.Add(blockedFor)))
	}
	t.Blocked = true
	all.Blocked++
	return s.with(nil, t, all, now.Add(blockedFor))
}

// brake stops the destruction until an operator confirms it.
func (s *Service) brake(ctx context.Context, t Tomb, all salts, commit table.ID, now time.Time) ([]table.Write, error) {
	all.Braked = now
	entry := s.enter(&all, now, byClock, actionBraked, commit,
		audit.Fact{Name: "destroyed", Value: strconv.Itoa(all.Destroyed)}, audit.Fact{Name: "allowed", Value: strconv.Itoa(all.allowed())})
	writes := []table.Write{entry}
	if s.Digest != nil {
		notes, err := s.Digest.Note(ctx, digest.Operators, digest.Line{Request: saltsName, Right: saltsName, RespondBy: now, SafeBy: now, Why: []digest.Why{whyBraked}})
		if err != nil {
			return nil, err
		}
		writes = append(writes, notes...)
	}
	// It may have been stopped before, and confirmed with others that were faster.
	if !t.Blocked {
		t.Blocked = true
		all.Blocked++
	}
	more, err := s.with(writes, t, all, now.Add(blockedFor))
	if s.Log != nil {
		s.Log.WarnContext(ctx, "more salts are due than a day usually has; an operator has to confirm", "destroyed", all.Destroyed, "allowed", all.allowed())
	}
	return more, err
}

// Salts shows operators how far the destruction of salts is.
func (s *Service) Salts(ctx context.Context, by operator.Identity) (Salts, error) {
	if !by.May(operator.Handler) && !by.May(operator.Auditor) {
		return Salts{}, ErrForbidden
	}
	all, err := s.loadSalts(ctx)
	if err != nil {
		return Salts{}, unavailable(err)
	}
	return all.on(s.now()).view(), nil
}

func (a salts) view() Salts {
	return Salts{Waiting: a.Waiting, Blocked: a.Blocked, Destroyed: a.Destroyed, Allowed: a.allowed(), Extra: a.Extra, Braked: a.Braked}
}

// ConfirmSalts lets the salts go that the brake has stopped: as many as the operator
// saw. They go within the hour.
func (s *Service) ConfirmSalts(ctx context.Context, by operator.Identity, blocked int) (Salts, error) {
	if !by.May(operator.Handler) {
		return Salts{}, ErrForbidden
	}
	commit, now := table.NewID(), s.now()
	all, err := s.loadSalts(ctx)
	if err != nil {
		return Salts{}, unavailable(err)
	}
	all = all.on(now)
	switch {
	case all.Braked.IsZero():
		return Salts{}, ErrNoBrake
	case all.Blocked != blocked:
		return Salts{}, ErrMoved
	}
	all.Braked, all.Extra = time.Time{}, all.Extra+blocked
	entry := s.enter(&all, now, by.Actor(), actionConfirmed, commit, audit.Fact{Name: "extra", Value: strconv.Itoa(blocked)})
	put, err := all.put()
	if err != nil {
		return Salts{}, err
	}
	if err := s.Table.Commit(ctx, commit, put, entry); errors.Is(err, table.ErrConflict) {
		return Salts{}, ErrMoved.Because(err)
	} else if err != nil {
		return Salts{}, unavailable(err)
	}
	return all.view(), nil
}

const (
	byClock              = "clock" // who does what a wait brings about
	whyBraked digest.Why = "braked"
)
