package request

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// Ledger is where it stands who was erased, so that no restored copy brings them back.
type Ledger interface {
	// Entombing returns the writes of the tombs of some identifiers, and the facts
	// that rebuild them from the audit alone. They belong into the commit of the
	// request's own change, which is decided again when they conflict. Called again
	// for the same identifiers it may return other writes, but never another tomb.
	Entombing(ctx context.Context, t Tomb) (writes []table.Write, facts []audit.Fact, err error)
	// Destroyed returns when the salt of an identifier that was entombed was destroyed;
	// the zero time: it was not.
	Destroyed(ctx context.Context, id seal.Identifier) (time.Time, error)
}

// Tomb is who was erased, from where, up to which instant.
type Tomb struct {
	Request     ID
	Identifiers []seal.Identifier // of all that was verified, at most maxTogether at a time
	Holder      seal.Identifier   // whose salt the request's own fields hang on
	At          time.Time         // of the erasure
	Until       time.Time         // the cut-off: what is older was erased, what is newer may have come since
	From        []From
}

// From is one category of one source, and what was done to it.
type From struct {
	Source   string        `json:"source"`
	Category string        `json:"category"`
	Verb     policy.Action `json:"verb"` // delete or anonymise
}

// maxTogether is how many identifiers one commit entombs. A commit takes a hundred
// writes, and a tomb several.
const maxTogether = 15

// erases reports whether the end of a request of this right is an erasure.
func erases(right policy.Right) bool {
	return right == policy.Erasure || right == policy.AccountClosure
}

// tombs returns what is still to be entombed of a request: the next identifiers,
// and how many come after them.
func (s *Service) tombs(r Request, ids []seal.Identifier) (t Tomb, more int) {
	rest := ids[min(r.Entombed, len(ids)):]
	more = max(0, len(rest)-maxTogether)
	t = Tomb{Request: r.ID, Identifiers: rest[:len(rest)-more], Holder: r.Holder, At: s.now(), Until: r.Cutoff}
	for _, step := range r.Steps {
		f := From{Source: step.Source, Category: step.Category, Verb: policy.ActionDelete}
		if step.Verb == DoAnonymise {
			f.Verb = policy.ActionAnonymise
		}
		if step.State == Done || step.State == Nothing { // of what was not there a copy may hold something
			t.Until = later(t.Until, step.Until)
			if step.Verb == DoDelete || step.Verb == DoAnonymise {
				t.From = append(t.From, f)
			}
		}
	}
	return t, more
}

// bury entombs, before the answer, as many identifiers as do not fit into the commit
// of the answer itself; ok is false if all of them do.
func (s *Service) bury(ids []seal.Identifier, r Request) (res result, ok bool) {
	if _, more := s.tombs(r, ids); more == 0 {
		return result{}, false
	}
	return result{
		action: Work,
		facts:  []audit.Fact{{Name: "entombed", Value: strconv.Itoa(maxTogether)}},
		apply:  func(r Request) (Request, error) { return r, nil },
		also:   func(ctx context.Context, r *Request) ([]audit.Fact, error) { return s.entomb(ctx, r, ids) },
	}, true
}

// entomb adds the next tombs to the commit that r is saved with.
func (s *Service) entomb(ctx context.Context, r *Request, ids []seal.Identifier) ([]audit.Fact, error) {
	t, _ := s.tombs(*r, ids)
	if len(t.Identifiers) == 0 {
		return nil, nil
	}
	writes, facts, err := s.Ledger.Entombing(ctx, t)
	if err != nil {
		return nil, unavailable(fmt.Errorf("enter the erasure of request %s: %w", r.ID, err))
	}
	r.also = append(slices.Clone(r.also), writes...)
	r.Entombed += len(t.Identifiers)
	return facts, nil
}

// erased ends an erasure: the answer, and in the same commit the ledger.
func (s *Service) erased(ctx context.Context, r Request) (result, error) {
	ids, err := s.whose(ctx, r)
	if err != nil {
		return result{}, err
	}
	if s.Ledger == nil {
		ids = nil
	}
	// Whose salt holds the names of the others comes last.
	if i := slices.Index(ids, r.Holder); i >= 0 {
		ids = append(slices.Delete(ids, i, i+1), r.Holder)
	}
	if res, more := s.bury(ids, r); more {
		return res, nil
	}
	return result{
		action: Fulfil, say: r.lastMail(mail.Fulfilled),
		apply: func(r Request) (Request, error) { return r, nil },
		also:  func(ctx context.Context, r *Request) ([]audit.Fact, error) { return s.entomb(ctx, r, ids) },
	}, nil
}
