package lifecycle

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/intake"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// Service notes what apps tell, and opens the work that it leads to. A function sets
// the fields that its topology entry grants.
type Service struct {
	Table  table.Table
	Keys   seal.Keys
	Policy *policy.Policy
	Now    func() time.Time

	Work   Opener
	Rules  Rules
	Intake Intake // nil: records with fields are refused
	// Underway reports whether somebody's account is being closed with us already: what
	// that leaves is done at its end, and not a second time. Nil: nobody's is.
	Underway func(ctx context.Context, who personal.Identity) (bool, error)
	// Wake says that a request has work to do. It is a hint; nil: the sweep finds it.
	Wake func(context.Context, request.ID)
	Log  *slog.Logger
}

// Opener opens work that the end of something leaves.
type Opener interface {
	// Opening returns the writes that open the work, for the commit that notes it, and
	// the number of the request. There are none if it is open already.
	Opening(ctx context.Context, o request.Opening) ([]table.Write, request.ID, error)
}

// Rules knows which retention rules an operator has activated, as they stand now.
type Rules interface {
	Active(ctx context.Context, rule string) (bool, error)
}

// Intake filters what arrives with a record.
type Intake interface {
	Take(ctx context.Context, channel string, objects []map[string]any) ([]intake.Taken, error)
}

// now is the time in the precision that is stored.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

func (s *Service) load(ctx context.Context, at seal.Identifier) (Life, error) {
	item, err := s.Table.Get(ctx, refOf(at))
	if errors.Is(err, table.ErrAbsent) {
		return Life{at: at, ID: seal.NewSubjectID()}, errLost
	}
	if err != nil {
		return Life{}, fmt.Errorf("load a life: %w", err)
	}
	if item.Schema != schema {
		return Life{}, fmt.Errorf("lifecycle: an item has schema %d, this version reads %d", item.Schema, schema)
	}
	l := Life{at: at, version: item.Version, filed: item.Due}
	if err := json.Unmarshal(item.Body, &l); err != nil {
		return Life{}, fmt.Errorf("decode a life: %w", err)
	}
	return l, nil
}

// put is the write of a life as it is, under the version it was loaded at.
func (s *Service) put(l Life) (table.Write, error) {
	body, err := json.Marshal(l)
	if err != nil {
		return table.Write{}, fmt.Errorf("encode a life: %w", err)
	}
	item := table.Item{Key: refOf(l.at).Key, Body: body, Schema: schema, Due: s.file(l), Subject: l.Subject}
	if l.version == 0 {
		return table.Put(table.State, item, table.New), nil
	}
	return table.Put(table.State, item, table.Version(l.version)), nil
}

// file returns the instant under which a life is filed in the due-index. An entry
// that is a little too early stays: a look costs less than moving it.
func (s *Service) file(l Life) time.Time {
	next := l.Next(s.Policy, s.now())
	if !l.filed.IsZero() && !l.filed.After(next) && next.Sub(l.filed) <= nearEnough {
		return l.filed
	}
	return next
}

// draft is a life while a call changes it.
type draft struct {
	Life
	at      time.Time // of the change
	entries []audit.Entry
	more    []table.Write
}

// The names of facts.
const (
	factAccount      = "account"
	factRelationship = "relationship." // and its id
	factPurpose      = "purpose."      // and its id
	factIdentifier   = "identifier"
	factDone         = "done." // and the rule's id
	factWorks        = "works"
	factForget       = "forget"
	factSubject      = "subject"
	factHolder       = "holder"
	factSealed       = "sealed" // who it is about; unreadable once the salt is gone

	factRule = "rule"
	factWork = "request"
	factApp  = "by"
)

// enter appends an entry. Each tells what it is about and then the whole life, so
// that the last one alone brings it back.
func (d *draft) enter(actor, action string, about ...audit.Fact) {
	var e audit.Entry
	e, d.Head = d.Head.Append(audit.Entry{
		Chain: d.chain(), At: d.at, Actor: actor, Action: action, Facts: append(about, d.facts()...),
	})
	d.entries = append(d.entries, e)
}

// facts tell a life: times, ids of the policy, and nobody's name but under their salt.
// Who closed an account tells of nothing any more that would mend a life that was lost.
func (l Life) facts() []audit.Fact {
	var list []audit.Fact
	add := func(name, value string) {
		if value != "" {
			list = append(list, audit.Fact{Name: name, Value: value})
		}
	}
	add(factIdentifier, string(l.at))
	add(factAccount, l.Account.String())
	for _, id := range slices.Sorted(maps.Keys(l.Relationships)) {
		add(factRelationship+id, l.Relationships[id].String())
	}
	for _, id := range slices.Sorted(maps.Keys(l.Purposes)) {
		add(factPurpose+id, Span{l.Purposes[id].At, l.Purposes[id].Ends}.String())
	}
	for _, id := range slices.Sorted(maps.Keys(l.Done)) {
		add(factDone+id, stamp(l.Done[id]))
	}
	if l.Works > 0 {
		add(factWorks, fmt.Sprint(l.Works))
	}
	add(factForget, stamp(l.Forget))
	add(factSubject, l.Subject)
	add(factHolder, string(l.Holder))
	add(factSealed, base64.RawStdEncoding.EncodeToString(l.Who))
	return list
}

// String writes a span as facts tell it: from/to, each of which may be empty.
func (s Span) String() string {
	if s == (Span{}) {
		return ""
	}
	return stamp(s.Started) + "/" + stamp(s.Ended)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// writes are those of a whole change.
func (s *Service) writes(d *draft) ([]table.Write, error) {
	put, err := s.put(d.Life)
	if err != nil {
		return nil, err
	}
	all := []table.Write{put}
	expires := s.Policy.Retention.Audit.After(d.at)
	for _, e := range d.entries {
		all = append(all, table.Put(table.Audit, table.Item{
			Key: table.Key{Partition: e.Chain, Sort: fmt.Sprintf("%012d", e.Seq)}, Body: e.Encode(), Schema: schema, Expires: expires,
		}, table.New))
	}
	return append(all, d.more...), nil
}

const conflictTries = 8

var errUnchanged = errors.New("lifecycle: nothing to change")

// change loads a life, lets decide make the next of it, and commits that; somebody
// else's commit in between makes it decide again. Where nothing stands decide gets a
// new life, of version 0. It returns errUnchanged to leave everything as it is.
func (s *Service) change(ctx context.Context, at seal.Identifier, decide func(*draft) error) error {
	commit := table.NewID()
	for try := range conflictTries {
		l, err := s.load(ctx, at)
		if err != nil && !errors.Is(err, errLost) {
			return unavailable(err)
		}
		d := &draft{Life: l, at: s.now()}
		if err := decide(d); err != nil {
			if errors.Is(err, errUnchanged) {
				return nil
			}
			return unavailable(err)
		}
		s.settle(d)
		all, err := s.writes(d)
		if err != nil {
			return err
		}
		err = s.Table.Commit(ctx, commit, all...)
		if !errors.Is(err, table.ErrConflict) {
			return unavailable(err)
		}
		if err := table.Sleep(ctx, table.Pause(try)); err != nil {
			return err
		}
	}
	return ErrBusy
}

// settle lets a life in which nothing is left to happen be forgotten after a while,
// and one in which something is not.
func (s *Service) settle(d *draft) {
	switch done := d.over() && len(d.pending(s.Policy)) == 0; {
	case !done:
		d.Forget = time.Time{}
	case d.Forget.IsZero():
		d.Forget = s.Policy.Retention.Requests.After(d.at)
	}
}

func unavailable(err error) error {
	if errors.Is(err, table.ErrBusy) || errors.Is(err, table.ErrUnknown) {
		return ErrBusy.Because(err)
	}
	return err
}

type storedIdentity struct {
	Kind  personal.Kind `json:"kind"`
	Value string        `json:"value"`
}

func place(at seal.Identifier) seal.Place {
	return seal.Place{Item: refOf(at).Key.Partition, Field: "who"}
}

// know seals who a life is about, unless that stands already. Somebody who was erased
// and comes back is sealed anew.
func (s *Service) know(ctx context.Context, l *Life, who personal.Identity) error {
	subject, err := s.Keys.Meet(ctx, who)
	if err != nil {
		return fmt.Errorf("meet somebody: %w", err)
	}
	if l.Subject == subject.ID && len(l.Who) > 0 {
		return nil
	}
	plain, err := json.Marshal(storedIdentity{who.Kind, who.Reveal()})
	if err != nil {
		return fmt.Errorf("encode an identity: %w", err)
	}
	if l.Who, err = s.Keys.Ring.Seal(subject, place(l.at), plain); err != nil {
		return fmt.Errorf("seal an identity: %w", err)
	}
	l.Subject, l.Holder = subject.ID, subject.Holder
	return nil
}

// who opens who a life is about: one read of the Keys table. It returns
// seal.ErrSealed once the salt is gone.
func (s *Service) who(ctx context.Context, l Life) (personal.Identity, error) {
	subject, err := s.Keys.Load(ctx, l.Holder)
	if err != nil {
		return personal.Identity{}, err
	}
	plain, err := s.Keys.Ring.Unseal(subject, place(l.at), l.Who)
	if err != nil {
		return personal.Identity{}, err
	}
	var stored storedIdentity
	if err := json.Unmarshal(plain, &stored); err != nil {
		return personal.Identity{}, fmt.Errorf("decode an identity: %w", err)
	}
	return personal.MakeIdentity(stored.Kind, stored.Value), nil
}

func (s *Service) wake(ctx context.Context, id request.ID) {
	if s.Wake != nil && id != "" {
		s.Wake(ctx, id)
	}
}
