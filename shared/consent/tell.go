package consent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

// The entries of tellings: of one that was answered, and of one that has failed so
// often that an operator has to look.
const (
	actionPassedOn    = "passed_on"
	actionNotPassedOn = "not_passed_on"
)

const (
	// leaseFor is how long a worker may take for one call. A hook is cut off after
	// half of it, so that an answer never arrives when somebody else has taken over.
	leaseFor = time.Minute
	callFor  = leaseFor / 2
	// maxTries is how often a source fails before an operator is alarmed: with the
	// pauses of table.Backoff, after about four hours. It is called every day from then
	// on: an opt-out that somebody has not heard of is never given up.
	maxTries = 8
	everyDay = 24 * time.Hour
	// maxTellings bounds one call; more wait for the next look.
	maxTellings = 20
)

// The faults of tellings that nobody can mend: they end.
var (
	errNoSource = fault.New(fault.Conflict, "no_source", "The policy in force has no such source, or it is not to hear of choices any more.")
	errNobody   = fault.New(fault.Gone, "forgotten", "Whom it is about is not kept any more.")
)

// Tell lets sources know of choices that concern them, until nothing can be done
// now or the context ends. The call under way is then still finished.
func (s *Service) Tell(until context.Context, key table.Key) error {
	if isErrand(key) {
		return nil
	}
	ctx := context.WithoutCancel(until)
	at := identifierOf(key)
	for n := 0; n < maxTellings && until.Err() == nil; n++ {
		sub, err := s.load(ctx, at)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		i := sub.toTell(s.now())
		if i < 0 {
			return nil
		}
		// The claim is a try that nobody repeats before its lease has ended.
		t := sub.Tellings[i]
		t.Tries++
		t.After = s.now().Add(leaseFor)
		sub.Tellings = slices.Clone(sub.Tellings)
		sub.Tellings[i] = t
		if sub, err = s.keep(ctx, sub); errors.Is(err, table.ErrConflict) {
			continue // somebody else tells it, or changed their mind: look again
		}
		if err != nil {
			return fmt.Errorf("claim what a source is to hear: %w", err)
		}
		if err := s.heard(ctx, at, t, s.call(ctx, sub, t)); err != nil {
			return err
		}
	}
	return nil
}

// toTell is the first of the tellings that can be worked on now, -1 if there is none.
func (sub Subject) toTell(now time.Time) int {
	return slices.IndexFunc(sub.Tellings, func(t Telling) bool { return t.Tries == 0 || !t.After.After(now) })
}

// call has one source hear of one choice.
func (s *Service) call(ctx context.Context, sub Subject, t Telling) error {
	if t.Source == toLives {
		return s.tellLives(ctx, sub, t)
	}
	decl, ok := s.Policy.Source(t.Source)
	if !ok || !slices.Contains(decl.Hears, t.Right) {
		return errNoSource
	}
	src, ok := s.Sources[t.Source]
	if !ok {
		return fmt.Errorf("%w: %s cannot be called from here", source.ErrRefused, t.Source)
	}
	who, err := s.open(ctx, t.Holder, fieldWho, t.Who)
	if errors.Is(err, seal.ErrSealed) {
		return errNobody
	}
	if err != nil {
		return err
	}
	choice := source.Choice{Right: string(t.Right), On: t.On}
	if t.Purpose != "" {
		choice.Purposes = []string{t.Purpose}
	}
	ctx, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	done, err := src.Execute(ctx, source.Order{
		Verb: source.Choose, Identities: []personal.Identity{who}, Until: t.At, Choice: choice,
		Call: source.Call{
			Key:   s.callKey("tell", sub.ID, strconv.FormatInt(t.Seq, 10), t.Source, string(t.Right), t.Purpose, strconv.FormatBool(t.On), string(t.Holder)),
			Lease: t.After,
		},
	})
	if err == nil && !done.Done {
		err = fmt.Errorf("%w: the source has not obeyed", source.ErrLater)
	}
	return err
}

// heard keeps what came of a call.
func (s *Service) heard(ctx context.Context, at seal.Identifier, t Telling, cause error) error {
	over := cause == nil || errors.Is(cause, errNoSource) || errors.Is(cause, errNobody)
	rings := false
	sub, err := s.change(ctx, at, string(ByClock), func(d *draft) error {
		rings = false
		i := slices.IndexFunc(d.Tellings, t.same)
		if i < 0 || !over && (d.Tellings[i].Tries != t.Tries || !d.Tellings[i].After.Equal(t.After)) {
			return errUnchanged // another worker took over when the lease had ended
		}
		d.Tellings = slices.Clone(d.Tellings)
		if over {
			d.Tellings = slices.Delete(d.Tellings, i, i+1)
			action := actionPassedOn
			if cause != nil {
				action = actionNotPassedOn
			}
			d.enter(action, t.facts(cause)...)
			return nil
		}
		next := &d.Tellings[i]
		before := next.Fault
		next.Fault, next.After = codeOf(cause), d.at.Add(table.Backoff(t.Tries))
		// From then on it rings every day: what is refused is not mended by itself.
		if next.Fault != unreachable || t.Tries >= maxTries {
			next.Tries, next.After = max(t.Tries, maxTries), d.at.Add(everyDay)
			rings = true
			if t.Tries == maxTries || before != next.Fault {
				d.enter(actionNotPassedOn, t.facts(cause)...)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep what came of telling %s: %w", t.Source, err)
	}
	if cause == nil || s.Log == nil {
		return nil
	}
	level := slog.LevelWarn
	if rings {
		level = slog.LevelError
	}
	s.Log.Log(ctx, level, "a source was not told of a choice", "subject", sub.ID, "source", t.Source, "right", string(t.Right), "tries", t.Tries, "code", codeOf(cause), "err", cause)
	return nil
}

// unreachable is the fault of a source that may answer another time.
const unreachable = "unreachable"

func codeOf(cause error) string {
	if f, ok := errors.AsType[*fault.Error](cause); ok {
		return f.Code
	}
	if errors.Is(cause, source.ErrRefused) {
		return "refused"
	}
	return unreachable
}

// same reports whether two are the same telling, at whatever try.
func (t Telling) same(u Telling) bool {
	return t.Source == u.Source && t.Right == u.Right && t.Purpose == u.Purpose && t.On == u.On && t.Seq == u.Seq &&
		t.Holder == u.Holder && bytes.Equal(t.Who, u.Who)
}

func (t Telling) facts(cause error) []audit.Fact {
	facts := []audit.Fact{
		{Name: factSource, Value: t.Source},
		{Name: "right", Value: string(t.Right)},
		{Name: factPurpose, Value: t.Purpose},
		{Name: "on", Value: strconv.FormatBool(t.On)},
	}
	if cause != nil {
		facts = append(facts, audit.Fact{Name: "fault", Value: codeOf(cause)})
	}
	return facts
}

// Hint is how a key of a subject travels in a queue; KeyOf is its inverse.
func Hint(key table.Key) string { return key.Partition }

// KeyOf returns the key that a hint names.
func KeyOf(hint string) (table.Key, bool) {
	key := table.Key{Partition: hint, Sort: "-"}
	return key, IsKey(key) && len(hint) < 200
}
