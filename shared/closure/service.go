package closure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// Service does everything that can be done to closures. A function sets the fields
// that its topology entry grants.
type Service struct {
	Table   table.Table
	Keys    seal.Keys
	Policy  *policy.Policy
	Now     func() time.Time
	BaseURL string // of links in mails and banners, without a slash at the end

	Mail  mail.Sender // only the relay has it
	Work  Opener      // what a closed account leaves to do
	Lives Lives       // where periods begin that the end of an account begins; nil: nowhere
	// Wake says that a request has work to do. It is a hint; nil: the sweep finds it.
	Wake func(context.Context, request.ID)
	Log  *slog.Logger
}

// Opener opens the work that a closed account leaves, and knows how far it is.
type Opener interface {
	// Opening returns the writes that open the work, for the commit of the closure's
	// own change, and the number of the request. There are none if it is open already.
	Opening(ctx context.Context, o request.Opening) ([]table.Write, request.ID, error)
	// Ending tells how far it is.
	Ending(ctx context.Context, id request.ID) (request.Ending, error)
	// Verified returns whom it is about, what the sources tied to them included.
	Verified(ctx context.Context, id request.ID) ([]personal.Identity, error)
}

// Lives is the record of when accounts and relationships began and ended.
type Lives interface {
	// Closing returns the writes that note the end of the account that is known by
	// these identities. They belong into the commit of the closure's own change.
	Closing(ctx context.Context, who []personal.Identity, at time.Time) ([]table.Write, error)
}

// now is the time in the precision that is stored.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

func decode(item table.Item) (Closure, error) {
	id, ok := IDOf(item.Key)
	if !ok || item.Schema != schema {
		return Closure{}, fmt.Errorf("closure: item %s has schema %d, this version reads %d", item.Key.Partition, item.Schema, schema)
	}
	c := Closure{ID: id, Subject: item.Subject, version: item.Version, filed: item.Due}
	if err := json.Unmarshal(item.Body, &c); err != nil {
		return Closure{}, fmt.Errorf("decode closure %s: %w", id, err)
	}
	return c, nil
}

// load reads the aggregate, or returns ErrNotFound.
func (s *Service) load(ctx context.Context, id ID) (Closure, error) {
	if !id.possible() {
		return Closure{}, ErrNotFound
	}
	item, err := s.Table.Get(ctx, id.Ref())
	if errors.Is(err, table.ErrAbsent) {
		return Closure{}, ErrNotFound
	}
	if err != nil {
		return Closure{}, fmt.Errorf("load closure %s: %w", id, err)
	}
	return decode(item)
}

// put is the write of the aggregate as it is, under the version it was loaded at.
func (c Closure) put() (table.Write, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return table.Write{}, fmt.Errorf("encode closure %s: %w", c.ID, err)
	}
	item := table.Item{Key: c.ID.Ref().Key, Body: body, Schema: schema, Due: c.file(), Subject: c.Subject}
	if c.version == 0 {
		return table.Put(table.State, item, table.New), nil
	}
	return table.Put(table.State, item, table.Version(c.version)), nil
}

// draft is a closure while a call changes it, with the entries that say so and what
// else goes into the commit.
type draft struct {
	Closure
	commit  table.ID
	at      time.Time
	entries []audit.Entry
	more    []table.Write
}

// apply takes one step, and notes its entry.
func (d *draft) apply(a Action, by string, facts ...audit.Fact) error {
	next, e, err := d.Apply(a, by, d.at, facts...)
	if err != nil {
		return err
	}
	d.Closure = next
	d.enter(e)
	return nil
}

func (d *draft) enter(e audit.Entry) {
	e.Commit = string(d.commit)
	e, d.Head = d.Head.Append(e)
	d.entries = append(d.entries, e)
}

// say promises a letter, if there is an address. What is new does not wait for what
// could not be said.
func (d *draft) say(kind mail.Kind) {
	if d.Mute {
		return
	}
	d.Announcements = append(d.Announcements, Announcement{Seq: d.Head.Seq, Kind: kind})
	d.Tries, d.After = 0, d.at.Add(relayWithin)
}

// save commits a change with its entries. It is the only way in which one is stored.
func (s *Service) save(ctx context.Context, d *draft) (Closure, error) {
	if d.Status.Final() && d.Forget.IsZero() {
		d.Forget = s.Policy.Retention.Requests.After(d.Over)
	}
	put, err := d.put()
	if err != nil {
		return Closure{}, err
	}
	writes := []table.Write{put}
	for _, e := range d.entries {
		writes = append(writes, table.Put(table.Audit, table.Item{
			Key: entryKey(e.Chain, e.Seq), Body: e.Encode(), Schema: schema, Expires: s.Policy.Retention.Audit.After(d.Asked),
		}, table.New))
	}
	if err := s.Table.Commit(ctx, d.commit, append(writes, d.more...)...); err != nil {
		return Closure{}, err
	}
	next := d.Closure
	next.version++
	next.filed = put.Item.Due
	return next, nil
}

func entryKey(chain string, seq int64) table.Key {
	return table.Key{Partition: chain, Sort: fmt.Sprintf("%012d", seq)}
}

// keep commits progress that is no change in the sense of the audit.
func (s *Service) keep(ctx context.Context, c Closure) (Closure, error) {
	put, err := c.put()
	if err != nil {
		return Closure{}, err
	}
	if err := s.Table.Commit(ctx, table.NewID(), put); err != nil {
		return Closure{}, err
	}
	c.version++
	c.filed = put.Item.Due
	return c, nil
}

// conflictTries is how often a change is decided again on a newer version.
const conflictTries = 8

var errUnchanged = errors.New("closure: nothing to change")

// change loads the closure, lets decide make the next of it, and commits that;
// somebody else's commit in between makes it decide again. decide returns
// errUnchanged to leave the closure as it is.
func (s *Service) change(ctx context.Context, id ID, decide func(*draft) error) (Closure, error) {
	commit := table.NewID()
	for try := range conflictTries {
		c, err := s.load(ctx, id)
		if err != nil {
			return Closure{}, unavailable(err)
		}
		d := &draft{Closure: c, commit: commit, at: s.now()}
		if err := decide(d); err != nil {
			if errors.Is(err, errUnchanged) {
				return c, nil
			}
			return c, unavailable(err)
		}
		next, err := s.save(ctx, d)
		if err == nil {
			return next, nil
		}
		if !errors.Is(err, table.ErrConflict) {
			return c, unavailable(err)
		}
		if err := table.Sleep(ctx, table.Pause(try)); err != nil {
			return c, err
		}
	}
	return Closure{}, ErrBusy
}

// unavailable turns a store that is busy, or that lost an answer, into a fault that
// asks the caller to repeat the call.
func unavailable(err error) error {
	if errors.Is(err, table.ErrBusy) || errors.Is(err, table.ErrUnknown) {
		return ErrBusy.Because(err)
	}
	return err
}

// maxReplays is how many answers a closure remembers; replayFor is for how long, as
// the published practice of payment APIs is.
const (
	maxReplays = 20
	replayFor  = 24 * time.Hour
)

// replayed reports whether the same call was answered before.
func (s *Service) replayed(c Closure, a Action, call Call) (Replay, bool, error) {
	if call.Key == "" {
		return Replay{}, false, nil
	}
	key := s.replayKey(c.ID, a, call)
	for _, p := range c.Replays {
		if !seal.Same(p.Key, key) {
			continue
		}
		if !seal.Same(p.Body, s.hash("body", call.Body)) {
			return Replay{}, false, ErrReplay
		}
		return p, true, nil
	}
	return Replay{}, false, nil
}

// remember adds the answer of a call to the draft.
func (s *Service) remember(d *draft, a Action, call Call) {
	if call.Key == "" {
		return
	}
	d.Replays = slices.DeleteFunc(slices.Clone(d.Replays), func(p Replay) bool { return d.at.Sub(p.At) > replayFor })
	if len(d.Replays) >= maxReplays {
		d.Replays = d.Replays[len(d.Replays)-maxReplays+1:]
	}
	d.Replays = append(d.Replays, Replay{Key: s.replayKey(d.ID, a, call), Body: s.hash("body", call.Body), Status: d.Status, At: d.at})
}

func (s *Service) replayKey(id ID, a Action, call Call) string {
	return s.hash("closure replay", string(id), string(a), call.Key)
}

func (s *Service) hash(what string, parts ...string) string { return s.Keys.Ring.Hash(what, parts...) }

// account is who a closure is about, in clear.
type account struct {
	Email personal.Email
	Who   []personal.Identity // by what else the account is known
}

// identities are all of them, the one that holds the salt first.
func (a account) identities() []personal.Identity {
	if a.Email == (personal.Email{}) {
		return a.Who
	}
	return append([]personal.Identity{a.Email.Identity()}, a.Who...)
}

type storedAccount struct {
	Email string           `json:"email,omitempty"`
	Who   []storedIdentity `json:"who,omitempty"`
}

type storedIdentity struct {
	Kind  personal.Kind `json:"kind"`
	Value string        `json:"value"`
}

func (c Closure) place() seal.Place { return seal.Place{Item: c.ID.Chain(), Field: "who"} }

// sealed puts an account into c.
func (s *Service) sealed(c *Closure, subject seal.Subject, a account) error {
	stored := storedAccount{Email: a.Email.Reveal()}
	for _, i := range a.Who {
		stored.Who = append(stored.Who, storedIdentity{i.Kind, i.Reveal()})
	}
	plain, err := json.Marshal(stored)
	if err != nil {
		return fmt.Errorf("encode an account: %w", err)
	}
	if c.Who, err = s.Keys.Ring.Seal(subject, c.place(), plain); err != nil {
		return fmt.Errorf("seal an account: %w", err)
	}
	c.Mute = a.Email == personal.Email{}
	c.Identifiers = nil
	for _, i := range a.identities() {
		c.Identifiers = append(c.Identifiers, s.Keys.Ring.Identifier(i))
	}
	return nil
}

// account opens who a closure is about: one read of the Keys table. It returns
// seal.ErrSealed once the salt is gone.
func (s *Service) account(ctx context.Context, c Closure) (account, error) {
	subject, err := s.Keys.Load(ctx, c.Holder)
	if err != nil {
		return account{}, err
	}
	plain, err := s.Keys.Ring.Unseal(subject, c.place(), c.Who)
	if err != nil {
		return account{}, err
	}
	var stored storedAccount
	if err := json.Unmarshal(plain, &stored); err != nil {
		return account{}, fmt.Errorf("decode an account: %w", err)
	}
	a := account{}
	a.Email, _ = personal.ParseEmail(stored.Email) // it was parsed before it was stored
	for _, i := range stored.Who {
		a.Who = append(a.Who, personal.MakeIdentity(i.Kind, i.Value))
	}
	return a, nil
}
