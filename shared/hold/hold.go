// Package hold keeps what somebody has to keep away from deletion: a legal hold on
// a person, a request, a category, a source or an item. A hold never keeps anybody
// from seeing or exporting what is held.
//
// A hold comes about in two commits. The first one, placing, bumps the fences of
// what it covers: the items whose versions every claim of destructive work checks,
// so that no covered page can be claimed any more. The second one, in_force, comes
// when the last page that was claimed before is over, and lists what went.
//
//	table  partition            sort                    body
//	state  holds                <id>                    Hold; due at Next
//	state  held                 <id>                    what a hold covers, in few words: while it is not released
//	state  fence#person#<id>    -                       the holds behind it; <id> is an identifier. Expires once there is none
//	state  fence#request#<id>   -                       the same
//	state  fence#source#<id>    -                       the same: of the source, its categories and its items
//	state  fence#all            -                       bumped by every placing and release: what a sweep checks
//	state  claim#<source>       <lease's end>#<page>    Claimed: a page of destructive work, and what became of it; expires
//	state  waiting#<hold>       <request>               a request that waits for a release; expires
//	audit  hold#<id>            000000000001            one entry (package audit): the hold as it is from then on
//
// Nothing in a hold is personal in clear: a person is there as keyed hashes, the
// matter is a reference. It knows no HTTP, no AWS and no clock; request, the sweeps
// of retention, httpapi, job, boot and infra/local import it.
package hold

import (
	"slices"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// ID names a hold. It is a keyed hash or random and gives nothing away.
type ID string

// Key is where a hold stands.
func (id ID) Key() table.Key { return table.Key{Partition: partition, Sort: string(id)} }

// Chain names the hold's audit chain.
func (id ID) Chain() string { return chainPrefix + string(id) }

const (
	partition   = "holds"
	chainPrefix = "hold#"
)

func (id ID) ref() table.Ref { return table.Ref{Table: table.State, Key: id.Key()} }

// IsKey reports whether a key of the due-index is a hold's.
func IsKey(k table.Key) bool { return k.Partition == partition && k.Sort != "" }

// Scope is what kind of thing a hold is on.
type Scope string

// The scopes.
const (
	OnPerson   Scope = "person"   // everything of a person's, wherever it is
	OnRequest  Scope = "request"  // the work on a request, and its record
	OnCategory Scope = "category" // everything of a category, in one source or in all
	OnSource   Scope = "source"   // everything in a source
	OnItem     Scope = "item"     // one record of a source
)

// Scopes lists every scope.
var Scopes = []Scope{OnPerson, OnRequest, OnCategory, OnSource, OnItem}

// Basis is why something has to be kept.
type Basis string

// The bases. The last two are those of automatic holds.
const (
	LegalClaims    Basis = "legal_claims"    // to establish, exercise or defend them; GDPR Article 17(3)(e)
	LegalDuty      Basis = "legal_duty"      // a law wants it kept; GDPR Article 17(3)(b)
	AuthorityOrder Basis = "authority_order" // a court or an authority wants it kept
	Security       Basis = "security"        // an incident or abuse is being looked into
	Recourse       Basis = "recourse"        // what was asked for, until its recourse is over; s. 8(8) PIPEDA
	Dispute        Basis = "dispute"         // an appeal, a complaint or a challenge is open
)

// Bases lists the bases that an operator can name.
var Bases = []Basis{LegalClaims, LegalDuty, AuthorityOrder, Security}

// Hold is the aggregate.
type Hold struct {
	ID          ID                `json:"-"`
	Scope       Scope             `json:"scope"`
	Identifiers []seal.Identifier `json:"ids,omitempty"` // of a person; of a request: whose it is, so that it stays readable
	Request     string            `json:"request,omitempty"`
	Source      string            `json:"source,omitempty"`
	Category    string            `json:"category,omitempty"`
	Item        string            `json:"item,omitempty"` // id of the record in its source and category

	Basis   Basis     `json:"basis"`
	Article string    `json:"article,omitempty"`
	Matter  string    `json:"matter,omitempty"` // a reference such as 2026-CV-0042: nothing about a person
	Owner   string    `json:"owner"`            // id of the operator who answers for it; "policy" for automatic ones
	Review  time.Time `json:"review,omitzero"`  // somebody looks by then whether it is still needed
	Until   time.Time `json:"until,omitzero"`   // it ends by itself then; zero: when somebody releases it

	Status    Status    `json:"status"`
	Placed    time.Time `json:"placed"`
	InForce   time.Time `json:"in_force,omitzero"`
	Released  time.Time `json:"released,omitzero"`
	Automatic bool      `json:"auto,omitempty"`    // a law's, because of the request For
	For       string    `json:"for,omitempty"`     // the request that it follows
	Spares    string    `json:"spares,omitempty"`  // the request whose work goes on all the same: it is what the dispute is about
	Reason    string    `json:"reason,omitempty"`  // code of the release
	Went      []Went    `json:"went,omitempty"`    // what went between placing and in_force
	Omitted   int       `json:"omitted,omitempty"` // entries of Went beyond what one hold can list

	Since    time.Time `json:"since"`             // it is in placing since; Placed, or when it was widened
	Settles  time.Time `json:"settles,omitzero"`  // in placing: somebody looks then whether it can come into force
	Fenced   []string  `json:"fenced,omitempty"`  // sources whose fences it stands in
	Look     time.Time `json:"look,omitzero"`     // of a category in all sources: somebody looks then whether there are new ones
	Reminded time.Time `json:"reminded,omitzero"` // operators were reminded of the review
	Forget   time.Time `json:"forget,omitzero"`   // end of the retention of this record
	Body     string    `json:"body,omitempty"`    // keyed hash of what was placed, for its repetition
	Replays  []Replay  `json:"replays,omitempty"`

	Head audit.Head `json:"head"`

	version int64     // as loaded; 0: not stored yet
	filed   time.Time // in the due-index, as loaded
}

// Went is something that was deleted or changed while a hold was being placed, by a
// page of work that was claimed before.
type Went struct {
	Source   string    `json:"source"`
	Category string    `json:"category"`
	Owner    string    `json:"owner"` // whose page it was: request#<id> or sweep#<rule>
	Page     string    `json:"page"`
	At       time.Time `json:"at"`             // it was claimed
	Ended    time.Time `json:"ended,omitzero"` // its answer came
	Count    int       `json:"count"`          // records; of an unknown outcome: as many as it may be at most, 0: not known
	IDs      []string  `json:"ids,omitempty"`  // of the records, where they are known
	Outcome  Outcome   `json:"outcome"`
}

// Outcome is what is known about a page.
type Outcome string

// The outcomes.
const (
	Done    Outcome = "done"
	Unknown Outcome = "unknown" // its answer never came: it may have happened or not
	Nothing Outcome = "nothing" // it removed nothing
)

// Replay remembers one call that changed something, for its repetition.
type Replay struct {
	Key  string    `json:"k"` // keyed hash of the verb and the Idempotency-Key
	Body string    `json:"b"` // keyed hash of what was sent with it
	At   time.Time `json:"t"`
}

// Call identifies one attempt of a caller to change something.
type Call struct {
	Key  string // Idempotency-Key; empty: none was sent
	Body string // what was sent with it, in any stable form
}

// Faults that callers meet. Their codes are part of the API.
var (
	ErrNotFound  = fault.New(fault.NotFound, "hold_not_found", "There is no such hold.")
	ErrReplay    = fault.New(fault.Mismatch, "idempotency_mismatch", "This Idempotency-Key was used with other content; use a new key.")
	ErrBusy      = fault.New(fault.Unavailable, "try_again", "Somebody else places or releases a hold on the same; try the same call again in a moment.")
	ErrReleased  = fault.New(fault.Conflict, "hold_released", "The hold was released; place another one if something has to be kept again.")
	ErrForbidden = fault.New(fault.Forbidden, "role_needed", "Your role does not allow this; somebody with the role handler can do it.")
	ErrTooMany   = fault.New(fault.Conflict, "too_many_holds", "There are too many holds on the same; hold the category or the source instead of each item.")
)

// covers reports whether a page of work falls under the hold, as far as it is known.
func (h Hold) covers(c Claimed) bool {
	in := func(ids []seal.Identifier) bool {
		return slices.ContainsFunc(ids, func(id seal.Identifier) bool { return slices.Contains(h.Identifiers, id) })
	}
	switch h.Scope {
	case OnPerson:
		if c.Owner == ownerOf(h.Spares) || h.Automatic && c.Corrects {
			return false
		}
		return in(c.Identifiers) || slices.ContainsFunc(c.Records, func(r Record) bool { return in(r.Who) })
	case OnRequest:
		return c.Owner == ownerOf(h.Request)
	case OnCategory:
		return c.Category == h.Category && (h.Source == "" || c.Source == h.Source)
	case OnSource:
		return c.Source == h.Source
	case OnItem:
		return c.Source == h.Source && c.Category == h.Category &&
			(len(c.Records) == 0 || slices.ContainsFunc(c.Records, func(r Record) bool { return r.ID == h.Item || r.ID == "" }))
	}
	return true
}

// ownerOf is how a page of a request's names its owner. No request: nobody.
func ownerOf(request string) string {
	if request == "" {
		return ""
	}
	return ByRequest(request)
}

// ByRequest is the owner of the pages of a request's.
func ByRequest(id string) string { return byRequest + id }

// BySweep is the owner of the pages of a retention rule's.
func BySweep(rule string) string { return "sweep#" + rule }

const byRequest = "request#"
