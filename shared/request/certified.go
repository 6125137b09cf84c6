package request

import (
	"context"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
)

// ErrNotCertified is that there is nothing to certify, or not yet.
var ErrNotCertified = fault.New(fault.Conflict, "no_certificate", "There is a certificate of an erasure, or of the closure of an account, once it is done; this is none, or is not done yet.")

// Certified is what can be certified of an erasure. Nothing in it is personal, and
// nothing of it is sealed: it can be told when the person's salt is long gone.
type Certified struct {
	Request   ID
	Right     policy.Right
	Policy    string // version in force when it was asked for
	Received  time.Time
	Fulfilled time.Time
	Places    []Place
	// Unreadable is when our own record of the person can be read by nobody any more;
	// Destroyed says that this is done, and not only due.
	Unreadable time.Time
	Destroyed  bool
}

// Place is one category of one source, and what became of it.
type Place struct {
	Source   string
	Category string // empty: all that the source holds
	Fate     Fate
	Count    int       // records
	Done     time.Time // when the last of them was changed
	Verified time.Time // when it was looked for again and not found
	Left     int       // records that the source left by its own decision
	// Keep is why it stays, where a duty wants it to; Until is until when, zero: until
	// something else happens, which Keep names.
	Keep  policy.Keep
	Until time.Time
	// Controller is whose data it is, where it is not the company's own.
	Controller string
	// Backups is until when copies of what was erased live on.
	Backups time.Time
}

// Fate is what became of what a source held.
type Fate string

// The fates.
const (
	FateErased     Fate = "erased"
	FateAnonymised Fate = "anonymised"
	FateNothing    Fate = "nothing_found"
	FateKept       Fate = "kept"
	FateReferred   Fate = "referred" // to the controller whose data it is
	FateByHand     Fate = "by_hand"  // a person did it
)

// Certificate returns what can be certified of a request to the person who follows it.
func (s *Service) Certificate(ctx context.Context, id ID, token string) (Certified, error) {
	r, _, err := s.Authorize(ctx, id, token)
	if err != nil {
		return Certified{}, err
	}
	return s.certified(ctx, r)
}

// CertificateFor returns what can be certified of a request to an operator. That they
// asked is not recorded: it says nothing about a person.
func (s *Service) CertificateFor(ctx context.Context, by operator.Identity, id ID) (Certified, error) {
	if err := mayRead(by); err != nil {
		return Certified{}, err
	}
	r, err := s.load(ctx, id)
	if err != nil {
		return Certified{}, err
	}
	return s.certified(ctx, r)
}

func (s *Service) certified(ctx context.Context, r Request) (Certified, error) {
	if !erases(r.Right) || r.Status != Fulfilled {
		return Certified{}, ErrNotCertified
	}
	c := Certified{
		Request: r.ID, Right: r.Right, Policy: r.Policy, Received: r.Received, Fulfilled: r.Closed.Truncate(time.Second),
		Unreadable: r.Closed.Add(s.Policy.Retention.Salts + seal.Recovery).Truncate(time.Second),
	}
	if s.Ledger != nil {
		at, err := s.Ledger.Destroyed(ctx, r.Holder)
		if err != nil {
			return Certified{}, unavailable(err)
		}
		if c.Destroyed = !at.IsZero(); c.Destroyed {
			c.Unreadable = at.Add(seal.Recovery).Truncate(time.Second)
		}
	}
	for _, step := range r.Steps {
		p := s.placed(r, step)
		// What is kept until a while after the end of the account is found by who they
		// are: until then that has to be readable.
		if p.Keep.From == policy.FromClosure && !c.Destroyed {
			c.Unreadable = later(c.Unreadable, p.Until.Add(s.Policy.Retention.Salts+seal.Recovery).Truncate(time.Second))
		}
		c.Places = append(c.Places, p)
	}
	return c, nil
}

// Unrecoverable is from when on nothing of what was erased can be brought back, not
// even from a backup.
func (c Certified) Unrecoverable() time.Time {
	at := c.Unreadable
	for _, p := range c.Places {
		at = later(at, p.Backups)
	}
	return at
}

// placed is what became of what a step was about.
func (s *Service) placed(r Request, step Step) Place {
	decl, _ := s.Policy.Source(step.Source)
	p := Place{
		Source: step.Source, Category: step.Category, Count: step.Done, Left: step.Left,
		Done: step.Acted.Truncate(time.Second), Verified: step.Ended.Truncate(time.Second),
	}
	switch step.Verb {
	case DoDelete, DoArchive, DoCorrect:
		p.Fate = FateErased
	case DoAnonymise:
		p.Fate = FateAnonymised
	case DoKeep:
		p.Fate = FateKept
	case DoRefer:
		p.Fate, p.Controller = FateReferred, decl.Controller
	case DoByHand:
		p.Fate = FateByHand
	case DoExport, DoTell, DoRefuse, DoChoose: // no erasure has such a step
		p.Fate = FateNothing
	}
	if step.State == Nothing {
		p.Fate = FateNothing
	}
	if p.Fate == FateKept {
		p.Count = step.Found
		if h, ok := decl.Holding(step.Category); ok {
			p.Keep, p.Until = h.Keep, r.keptTo(h.Keep)
		}
	}
	if !p.Done.IsZero() && decl.Backups != (policy.Period{}) {
		p.Backups = decl.Backups.After(p.Done)
	}
	return p
}

// keptTo is when a duty to keep ends, as far as it is known; the zero time where it
// begins with something else than what the request knows of.
func (r Request) keptTo(k policy.Keep) time.Time {
	switch {
	case k.From == policy.FromCollection:
		return k.Period.After(later(r.Cutoff, r.Received)) // the youngest record is no older than the cut-off
	case k.From == policy.FromClosure && r.Right == policy.AccountClosure:
		return k.Period.After(r.Received)
	}
	return time.Time{}
}
