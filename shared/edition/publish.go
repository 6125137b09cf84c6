package edition

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

// conflictTries is how often a change is decided again on a newer version.
const conflictTries = 8

// offer is a file that somebody wants to be in force.
type offer struct {
	file    []byte
	origin  Origin
	actor   string
	expects string // the version in force that the decision was made about; empty: whichever
	replay  string // Key of its Replay; empty: nobody repeats it
}

// Check says what is wrong with a file, as publishing it would. Nothing is written.
func (b *Book) Check(by operator.Identity, file []byte) (*policy.Policy, policy.Problems, error) {
	if !by.May(operator.Handler) && !by.May(operator.Auditor) {
		return nil, nil, ErrForbidden
	}
	p, problems := b.usable(file)
	return p, problems, nil
}

// usable parses a file, or says all that is wrong with it here.
func (b *Book) usable(file []byte) (*policy.Policy, policy.Problems) {
	p, err := policy.Parse(file)
	if problems, ok := errors.AsType[policy.Problems](err); ok {
		return nil, problems
	}
	if err != nil {
		return nil, policy.Problems{{Line: 1, Column: 1, Text: err.Error()}}
	}
	if foreign := policy.Foreign(file); len(foreign) > 0 && !b.Samples {
		return nil, foreign
	}
	if zipped, err := zip(file); err != nil || len(zipped) > roomFor {
		return nil, policy.Problems{{Line: 1, Column: 1, Text: fmt.Sprintf("the file is too large: compressed it has %d bytes and may have %d", len(zipped), roomFor)}}
	}
	return p, nil
}

// Publish brings a file into force in the name of an operator. Publishing what is in
// force changes nothing. A call whose answer was lost can be made again with the same
// Idempotency-Key, also after others published: it is answered as it was, and does not
// undo what they did.
func (b *Book) Publish(ctx context.Context, by operator.Identity, c Call) (Active, error) {
	switch {
	case !by.May(operator.Handler):
		return Active{}, ErrForbidden
	case !by.MFA:
		return Active{}, ErrFactor
	}
	o := offer{file: c.File, origin: Operator, actor: by.Actor(), expects: c.Expects}
	if c.Key != "" {
		o.replay = digestOf([]byte(by.Actor() + "\x00" + c.Key))
	}
	a, problems, err := b.publish(ctx, o)
	if len(problems) > 0 {
		return Active{}, Refused(problems)
	}
	return a, unavailable(err)
}

// Refused is the fault of a file that cannot be used: one field for each problem, with
// its line.
func Refused(problems policy.Problems) error {
	fields := make([]fault.Field, len(problems))
	for i, p := range problems {
		fields[i] = fault.Field{Pointer: "/file", Text: p.String()}
	}
	return fault.Input(fields...)
}

// publish brings a file into force, as one commit: the edition, its file, what is in
// force now, and the entry that says so. A file with problems changes nothing.
func (b *Book) publish(ctx context.Context, o offer) (Active, policy.Problems, error) {
	p, problems := b.usable(o.file)
	if len(problems) > 0 {
		return Active{}, problems, nil
	}
	digest, commit := digestOf(o.file), table.NewID()
	body := digestOf([]byte(digest + "\x00" + o.expects))
	for try := range conflictTries {
		a, err := b.load(ctx)
		if err != nil && !errors.Is(err, errNone) {
			return Active{}, nil, err
		}
		if before, ok := a.replayed(o.replay); ok {
			if before.Body != body {
				return Active{}, nil, ErrReplay
			}
			a.N, a.Version, a.Lacks = before.N, before.Version, before.Lacks
			return a, nil, nil
		}
		var writes []table.Write
		was, read := a.Version, a.stored
		switch {
		case a.Seen[o.origin] == digest && (a.Version == p.Version || o.origin != Operator):
			if o.replay == "" {
				return a, nil, nil // it is in force, or another run of the job took it already
			}
		case a.Version == p.Version: // it came another way; that is remembered, and nothing else
			a = a.saw(o.origin, digest)
		case o.expects != "" && o.expects != a.Version:
			return Active{}, nil, ErrMoved
		default:
			if a, writes, err = b.succeed(ctx, a, o, p, digest, commit); err != nil {
				return Active{}, nil, err
			}
		}
		if o.replay != "" {
			a = a.remember(Replay{o.replay, body, a.N, a.Version, a.Lacks})
		}
		put, err := a.put()
		if err != nil {
			return Active{}, nil, err
		}
		err = b.Table.Commit(ctx, commit, append(writes, put)...)
		if err == nil {
			a.stored++
			b.told(ctx, a, was, o.file)
			return a, nil, nil
		}
		if !errors.Is(err, table.ErrConflict) {
			return Active{}, nil, fmt.Errorf("publish the policy %s: %w", p.Version, err)
		}
		if err := b.after(ctx, read, try); err != nil {
			return Active{}, nil, err
		}
	}
	return Active{}, nil, ErrBusy
}

// succeed is what is in force after a file is, and the writes that go with it.
func (b *Book) succeed(ctx context.Context, a Active, o offer, p *policy.Policy, digest string, commit table.ID) (Active, []table.Write, error) {
	was, now := a, b.now()
	if now.Before(was.Said) {
		now = was.Said // as the entry
	}
	a = a.saw(o.origin, digest)
	a.N, a.Last, a.Version, a.Origin, a.At = a.Last+1, a.Last+1, p.Version, o.origin, now
	a.Lacks = slices.Clone(b.Lacks)
	facts := []audit.Fact{
		{Name: "edition", Value: strconv.FormatInt(a.N, 10)}, {Name: "version", Value: p.Version}, {Name: "origin", Value: string(o.origin)}, {Name: "digest", Value: digest},
	}
	if was.Version != "" {
		facts = append(facts, audit.Fact{Name: "was", Value: was.Version})
	}
	writes := []table.Write{a.entry(audit.Entry{At: now, Actor: o.actor, Action: Published, Commit: string(commit), Facts: facts})}
	if change, ok := turned(was, a); ok {
		change.At, change.Actor, change.Commit = now, actorOfJobs, string(commit)
		writes = append(writes, a.entry(change))
	}
	header, err := put(editionRef(a.N), Edition{
		N: a.N, Version: p.Version, Origin: o.origin, Digest: digest, Size: len(o.file), By: o.actor, At: now,
		Updated: p.Document.Updated, In: p.Document.Effective,
	}, table.New)
	if err != nil {
		return Active{}, nil, err
	}
	kept, err := b.keep(ctx, p.Version, o.file)
	if err != nil {
		return Active{}, nil, err
	}
	return a, append(writes, header, kept), nil
}

// replays is how many calls are remembered for their repetition. Policies are published
// by people, a few a month.
const replays = 20

// replayed returns what a call was answered, if it is remembered.
func (a Active) replayed(key string) (Replay, bool) {
	i := slices.IndexFunc(a.Replays, func(r Replay) bool { return key != "" && r.Key == key })
	if i < 0 {
		return Replay{}, false
	}
	return a.Replays[i], true
}

// remember returns a with one more replay, without the oldest if there are too many.
func (a Active) remember(r Replay) Active {
	a.Replays = append(slices.Clone(a.Replays[max(0, len(a.Replays)+1-replays):]), r)
	return a
}

// keep is the write of a file, or the check that it is there from an earlier edition.
func (b *Book) keep(ctx context.Context, version string, file []byte) (table.Write, error) {
	_, err := b.Table.Get(ctx, fileRef(version))
	if err == nil {
		return table.Check(fileRef(version), table.Exists), nil
	}
	if !errors.Is(err, table.ErrAbsent) {
		return table.Write{}, fmt.Errorf("look for the policy %s: %w", version, err)
	}
	body, err := zip(file)
	if err != nil {
		return table.Write{}, fmt.Errorf("compress the policy %s: %w", version, err)
	}
	return table.Put(table.State, table.Item{Key: fileRef(version).Key, Schema: schema, Body: body}, table.New), nil
}

// saw remembers what an origin offered.
func (a Active) saw(o Origin, digest string) Active {
	a.Seen = maps.Clone(a.Seen)
	if a.Seen == nil {
		a.Seen = map[Origin]string{}
	}
	a.Seen[o] = digest
	return a
}

// actorOfJobs is who acts where nobody does: the clock.
const actorOfJobs = "clock"

// turned is the entry that says that the installation opened, or is shut again.
func turned(was, is Active) (audit.Entry, bool) {
	opened := was.stored > 0 && was.Open()
	switch {
	case is.Open() && !opened:
		return audit.Entry{Action: Opened}, true
	case !is.Open() && (opened || was.stored > 0 && !slices.Equal(was.Lacks, is.Lacks)):
		return audit.Entry{Action: Closed, Facts: []audit.Fact{{Name: "lacks", Value: words(is.Lacks)}}}, true
	}
	return audit.Entry{}, false
}

func words(lacks []Lack) string {
	s := make([]string, len(lacks))
	for i, l := range lacks {
		s[i] = string(l)
	}
	return strings.Join(s, " ")
}

// told lets whoever listens know of a change, and the log what still leads nowhere.
func (b *Book) told(ctx context.Context, a Active, was string, file []byte) {
	if b.Changed != nil {
		b.Changed()
	}
	if a.Version == was {
		return
	}
	b.Log.InfoContext(ctx, "a policy came into force", "edition", a.N, "version", a.Version, "origin", a.Origin)
	if left := policy.Examples(file); len(left) > 0 && !b.Samples {
		b.Log.WarnContext(ctx, "the policy in force has addresses that are reserved for examples", "version", a.Version, "places", len(left), "first", left[0].String())
	}
}

func (b *Book) now() time.Time { return b.Now().UTC().Truncate(time.Millisecond) }
