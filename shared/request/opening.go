package request

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

// Opening is work that we begin ourselves: what a closed account, or data that has
// outlived its purpose, leaves to do. It is done by the same engine as the answer
// to a right, and nobody has to ask for it, prove anything or accept it.
type Opening struct {
	// From names what opens it: the chain of a closure, or of a life with what became
	// due in it. The same name is the same request, however often it is opened.
	From  string
	Right policy.Right        // AccountClosure or RetentionEnd
	Who   []personal.Identity // verified; the first holds the salt where there is no address
	Email personal.Email      // verified; zero: nobody is written to
	// Until is the cut-off, zero: now. What is newer stays where a period has ended, and
	// goes as well where an account has.
	Until     time.Time
	RespondBy time.Time // when it has to be done
	Locale    string
	Residence string
	// Parts is what it is about; none: every source, as its holdings say.
	Parts  []Part
	Commit table.ID // that the writes go into, for the entry; may be empty
}

// Part is one category of one source, and what is to become of it.
type Part struct {
	Source   string                 `json:"source"`
	Category string                 `json:"category"`
	Verb     policy.RetentionAction `json:"verb"`
	Masks    []source.Mask          `json:"masks,omitempty"`
	Rule     string                 `json:"rule,omitempty"` // of the policy, that says so
}

var errOpening = errors.New("request: not work that can be opened")

// OpeningID names the request that an Opening opens.
func (s *Service) OpeningID(from string, right policy.Right) ID {
	return ID("r" + s.Keys.Ring.Hash("opening", from, string(right)))
}

// Opening returns the writes that open work, for the commit of whatever opens it,
// and the request's number. There are none if it is open, or was, already. The
// commit conflicts if somebody else opens it meanwhile.
func (s *Service) Opening(ctx context.Context, o Opening) ([]table.Write, ID, error) {
	who := o.Who
	if o.Email != (personal.Email{}) {
		who = slices.Concat([]personal.Identity{o.Email.Identity()}, slices.DeleteFunc(slices.Clone(o.Who), func(i personal.Identity) bool { return i == o.Email.Identity() }))
	}
	if !o.Right.Internal() || o.From == "" || len(who) == 0 {
		return nil, "", errOpening
	}
	id := s.OpeningID(o.From, o.Right)
	if _, err := s.load(ctx, id); !errors.Is(err, ErrNotFound) {
		return nil, id, err
	}
	subject, err := s.Keys.Meet(ctx, who[0])
	if err != nil {
		return nil, "", fmt.Errorf("open work: %w", err)
	}
	now := s.now()
	r := Request{
		ID: id, Right: o.Right, Opener: o.From, Only: o.Parts, Mute: o.Email == (personal.Email{}),
		Residence: o.Residence, Locale: o.Locale, Policy: s.Policy.Version, Status: InProgress, Automatic: true,
		Received: now.Truncate(time.Second), RespondBy: o.RespondBy, SafeBy: o.RespondBy,
		Subject: subject.ID, Holder: subject.Holder,
		Proof: Proof{Times: 1, At: now, By: ByPolicy},
	}
	if err := s.sealPerson(&r, subject, Person{Email: o.Email}); err != nil {
		return nil, "", fmt.Errorf("seal a person: %w", err)
	}
	ties := who
	if !r.Mute {
		ties = who[1:]
	}
	if len(ties) > 0 {
		if err := s.sealTies(&r, subject, ties); err != nil {
			return nil, "", err
		}
	}
	if r.Looks = lookAt(s.Policy, r); len(r.Looks) == 0 {
		r.Steps = planSteps(s.Policy, r, nil, nil, now)
	}
	if r.Cutoff = o.Until; r.Cutoff.IsZero() {
		r.Cutoff = now
	}
	parts, err := json.Marshal(r.Only)
	if err != nil {
		return nil, "", fmt.Errorf("encode what work is about: %w", err)
	}
	e := audit.Entry{
		Chain: r.ID.Chain(), At: now, Actor: ByPolicy, Action: "open",
		Facts: []audit.Fact{
			{Name: "status", Value: string(r.Status)},
			{Name: "right", Value: string(r.Right)},
			{Name: "from", Value: r.Opener},
			{Name: "subject", Value: r.Subject},
			{Name: "holder", Value: string(r.Holder)},
			{Name: "cutoff", Value: r.Cutoff.UTC().Format(time.RFC3339)},
			{Name: "respond_by", Value: r.RespondBy.UTC().Format(time.RFC3339)},
			{Name: "residence", Value: r.Residence},
			{Name: "language", Value: r.Locale},
			{Name: factMute, Value: strconv.FormatBool(r.Mute)},
			// Nobody asked for it, so nobody would ask again: a copy that lost it is made
			// whole from these. They are unreadable once the salt is gone.
			{Name: factPerson, Value: base64.RawStdEncoding.EncodeToString(r.Person)},
			{Name: factTies, Value: base64.RawStdEncoding.EncodeToString(r.Ties)},
			{Name: factParts, Value: string(parts)},
		},
	}
	_, writes, err := s.saving(o.Commit, r, e, nil)
	return writes, id, err
}

// Facts of the entry that opens work.
const (
	factMute   = "mute"
	factPerson = "person" // sealed
	factTies   = "ties"   // sealed
	factParts  = "parts"
)

// reopened takes what the entry that opens work tells of it.
func (r *Request) reopened(fact func(string) string) {
	r.Opener, r.Automatic, r.Mute, r.Locale = fact("from"), true, fact(factMute) != "false", fact("language")
	r.Person, _ = base64.RawStdEncoding.DecodeString(fact(factPerson)) // without it nobody can be looked for
	if r.Ties, _ = base64.RawStdEncoding.DecodeString(fact(factTies)); len(r.Ties) == 0 {
		r.Ties = nil
	}
	_ = json.Unmarshal([]byte(fact(factParts)), &r.Only) // an entry from before there were any has none
}

// Ending is how far work that was opened is.
type Ending struct {
	Status Status
	Over   bool
	At     time.Time // when it was over
}

// Ending tells whoever opened work how far it is. What is not there is not over: a
// restore has lost it, and replay brings it back.
func (s *Service) Ending(ctx context.Context, id ID) (Ending, error) {
	r, err := s.load(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return Ending{Status: InProgress}, nil
	}
	if err != nil {
		return Ending{}, err
	}
	return Ending{Status: r.Status, Over: r.Status.Final(), At: r.Closed}, nil
}

// Verified returns whom work is about: by what it was opened for, and by what the
// sources tied to that since. Nobody, once the person's salt is gone.
func (s *Service) Verified(ctx context.Context, id ID) ([]personal.Identity, error) {
	r, err := s.load(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p, subject, err := s.person(ctx, r)
	if errors.Is(err, seal.ErrSealed) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s.identities(r, p, subject)
}

// internal lists what can happen to work that we began: nobody proves, takes back,
// refuses or puts off anything, and no law's clock stops.
func (a Action) internal() bool {
	switch a {
	case Looked, Work, Retry, Fulfil, Overrun, Remind, Assign, Said, Withheld:
		return true
	case Resend, Verify, Confirm, Accept, Deliver, Deny, Revoke, Lapse, Clear, Ask, Answer, Pause, Resume, Extend, Recount, Shred:
	}
	return false
}

// lastMail is what is said when it is all done.
func (r Request) lastMail(kind mail.Kind) []mail.Kind {
	if r.Right == policy.AccountClosure {
		kind = mail.Closed
	}
	return []mail.Kind{kind}
}

// ends lets what the person agreed to end with the account. Refusals, opt-outs and
// whatever suppresses mail stay: they stand under keyed hashes and not under a salt.
func (s *Service) ends() result {
	return result{
		action: Work,
		apply: func(r Request) (Request, error) {
			r.Switched = s.now()
			return r, nil
		},
		also: func(ctx context.Context, r *Request) ([]audit.Fact, error) {
			if s.Choices == nil {
				return nil, nil
			}
			who, err := s.who(ctx, *r)
			if err != nil {
				return nil, err
			}
			changed, err := s.set(ctx, r, who, nil)
			if err != nil || !changed {
				return []audit.Fact{{Name: "stood_already", Value: "everything"}}, err
			}
			return []audit.Fact{{Name: "withdrawn", Value: "everything"}}, nil
		},
	}
}
