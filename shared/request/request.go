// Package request is the rights request: what a person asked for, where it
// stands, what the law and the policy allow, and the work that answers it.
//
// It owns the partition request#<id> of the State table and the chains
// request#<id> of the Audit table:
//
//	table  partition         sort          body
//	state  request#<id>      -             Request; due at Next, subject index; counter: tries of a code, by generation
//	state  request#<id>      plan          Plan: what the sources hold, with sample ids
//	state  request#<id>      message#<n>   one message of the dialogue; its words are sealed
//	state  limit#<hash>      <hour>        submissions from one source address (counter only, expires)
//	audit  request#<id>      000000000001  one entry (package audit)
//
// Service does the work, on ports that are handed to it; the time comes from
// Service.Now. It knows no HTTP, no AWS and no clock; httpapi, job, boot and
// infra/local import it.
package request

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/hold"
	"rightsdesk/shared/law"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

// ID names a request. It is a keyed hash or random, in 160 bits, and gives
// nothing away: it may stand in URLs and logs.
type ID string

// possible reports whether an id that a caller sent can be one: a store refuses
// what cannot be a key, and nobody is to learn that from a failure.
func (id ID) possible() bool {
	return id != "" && len(id) <= 64 && strings.IndexFunc(string(id), func(c rune) bool {
		return c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z')
	}) < 0
}

// Partition is where the request's items stand.
func (id ID) Partition() string { return "request#" + string(id) }

// Chain names the request's audit chain.
func (id ID) Chain() string { return id.Partition() }

// Ref is where the aggregate stands.
func (id ID) Ref() table.Ref {
	return table.Ref{Table: table.State, Key: table.Key{Partition: id.Partition(), Sort: "-"}}
}

// IDOf returns the request whose aggregate stands under a key of the State table.
func IDOf(k table.Key) (ID, bool) {
	id, ok := strings.CutPrefix(k.Partition, "request#")
	return ID(id), ok && k.Sort == "-"
}

// Request is the aggregate. What is personal in it is sealed.
type Request struct {
	ID        ID           `json:"-"`
	Right     policy.Right `json:"right"`
	Residence string       `json:"residence,omitempty"`
	Status    Status       `json:"status"`
	Reason    string       `json:"reason,omitempty"`  // code of the denial, from the law's list
	Channel   string       `json:"channel,omitempty"` // empty: the API or the page
	Locale    string       `json:"locale,omitempty"`
	Policy    string       `json:"policy"`            // version in force at receipt
	Law       string       `json:"law"`               // pack that set the dates
	Regimes   []string     `json:"regimes,omitempty"` // laws in question at receipt, if several

	Received  time.Time `json:"received"`
	RespondBy time.Time `json:"respond_by"`        // the legal date, or the policy's promise where earlier
	SafeBy    time.Time `json:"safe_by"`           // the earliest date under any reading of the law
	LapseAt   time.Time `json:"lapse_at,omitzero"` // unverified until then, it expires
	Start     time.Time `json:"start,omitzero"`    // no destructive step begins earlier
	Since     time.Time `json:"since,omitzero"`    // last change that the audit records
	Closed    time.Time `json:"closed,omitzero"`
	Forget    time.Time `json:"forget,omitzero"`   // end of the retention of this record, known once it is closed
	Overdue   bool      `json:"overdue,omitempty"` // that RespondBy passed was recorded; whether it passed is computed

	Promise       int        `json:"promise,omitempty"`       // days that the policy promised at receipt
	AcknowledgeBy time.Time  `json:"acknowledge_by,omitzero"` // receipt must be confirmed by then; zero: no law says so
	Acknowledged  time.Time  `json:"acknowledged,omitzero"`   // a letter that confirms it left
	Stops         []law.Stop `json:"stops,omitempty"`         // times of waiting for somebody
	Paused        bool       `json:"paused,omitempty"`        // a stop is open that stops the time
	Extension     *Extension `json:"extension,omitempty"`     // the law's, taken once
	Reminded      time.Time  `json:"reminded,omitzero"`       // reminders of dates up to here were given
	Told          []string   `json:"told,omitempty"`          // of what waits for operators, what they were told
	Messages      Dialogue   `json:"messages,omitzero"`       // what was asked and answered
	About         ID         `json:"about,omitempty"`         // the request that an appeal or complaint is about
	Owner         string     `json:"owner,omitempty"`         // id of the operator who has it in hand
	Outcome       Outcome    `json:"outcome,omitempty"`       // of what somebody weighs
	Appealed      ID         `json:"appealed,omitempty"`      // the appeal against this denial

	Opener   string `json:"opener,omitempty"`   // chain of what opened it: it is work that we began ourselves
	Only     []Part `json:"only,omitempty"`     // what such work is about; none: every source
	Mute     bool   `json:"mute,omitempty"`     // there is no address: nobody is written to
	How      How    `json:"how,omitempty"`      // what the person wants done where the policy lets them choose
	Entombed int    `json:"entombed,omitempty"` // identifiers that the ledger of erasures has

	Automatic bool      `json:"auto,omitempty"`     // accepted by the policy, without an operator
	App       string    `json:"app,omitempty"`      // of the company's, that made it for who was signed in there
	Purposes  []string  `json:"purposes,omitempty"` // that consent is withdrawn for; empty: all of them
	Switched  time.Time `json:"on,omitzero"`        // when it put its stop on a person, or withdrew; zero: not, or it stood so already

	Subject string          `json:"-"`              // stands in the item's index
	Holder  seal.Identifier `json:"holder"`         // whose salt the sealed fields hang on
	Person  []byte          `json:"person"`         // sealed: Person
	Ties    []byte          `json:"ties,omitempty"` // sealed: identities that sources bound to the verified one
	// Tied are those identities as keyed hashes, for holds. One from before there were
	// holds has none: see Service.whose.
	Tied    []seal.Identifier `json:"tied,omitempty"`
	Follows string            `json:"follows,omitempty"` // what was held because of it last
	Body    string            `json:"body"`              // keyed hash of the submission, for its repetition

	Proof         Proof          `json:"proof,omitzero"`
	NewAddress    *Proof         `json:"new_address,omitempty"` // of an address given as a correction
	Replays       []Replay       `json:"replays,omitempty"`
	Looks         []Look         `json:"looks,omitempty"`
	Cutoff        time.Time      `json:"cutoff,omitzero"` // records that appeared later are not part of the plan
	Steps         []Step         `json:"steps,omitempty"`
	Making        Attempts       `json:"making,omitzero"` // tries to make the package
	Lease         Lease          `json:"lease,omitzero"`
	Parts         bool           `json:"parts,omitempty"` // objects are kept for the package: they must be erased one day
	Package       *Package       `json:"package,omitempty"`
	Announcements []Announcement `json:"announcements,omitempty"`
	Relay         Attempts       `json:"relay,omitzero"` // tries to deliver the first announcement

	Head audit.Head `json:"head"`

	also    []table.Write // committed with it: what others are to be told
	held    hold.Held     // what the page under way has to leave out
	page    hold.Claimed  // the page under way, if it destroys anything
	version int64         // as loaded; 0: not stored yet
	filed   time.Time     // in the due-index, as loaded
}

// Proof is how far a person has proven an address.
type Proof struct {
	Issued   int       `json:"issued,omitempty"` // generation of the code and link last mailed
	IssuedAt time.Time `json:"issued_at,omitzero"`
	Spent    int       `json:"spent,omitempty"` // highest generation redeemed: it and those before are dead
	Times    int       `json:"times,omitempty"` // how often it was proven; tokens carry the count
	At       time.Time `json:"at,omitzero"`     // when, the last time
	By       string    `json:"by,omitempty"`    // code, link, operator, app or appeal
}

// Proven reports whether the address was ever proven.
func (p Proof) Proven() bool { return p.Times > 0 }

// Replay remembers one call that changed something, so that its repetition
// gets the same answer.
type Replay struct {
	Key    string    `json:"key"`  // keyed hash of action and Idempotency-Key
	Body   string    `json:"body"` // keyed hash of what was sent with it
	Status Status    `json:"status"`
	N      int       `json:"n,omitempty"` // Proof.Times or another number that the answer is derived from
	At     time.Time `json:"at"`
}

// Lease is a worker's exclusive right to work on the request until an instant.
type Lease struct {
	Token string    `json:"token,omitempty"`
	Until time.Time `json:"until,omitzero"`
}

// Attempts counts failures of something that is tried again with back-off.
type Attempts struct {
	Tries int       `json:"tries,omitempty"`
	After time.Time `json:"after,omitzero"`
	Fault string    `json:"fault,omitempty"` // code of the last failure
}

// Package is the answer to an access request, kept for the policy's period.
type Package struct {
	Key       string    `json:"key"`
	Until     time.Time `json:"until"`
	Link      Proof     `json:"link,omitzero"`       // of the mailed download link
	Delivered int       `json:"delivered,omitempty"` // Proof.Times that was last used up by a download
	Cleared   bool      `json:"cleared,omitempty"`
}

// Announcement is something that a commit promised to say to somebody.
type Announcement struct {
	Seq  int64     `json:"seq"`  // of the audit entry it belongs to
	Kind mail.Kind `json:"kind"` // of the mail
}

// Person is what a requester told us, in clear.
type Person struct {
	Email       personal.Email
	Name        personal.Text
	Claims      []personal.Identity // named by the requester, proven by nobody
	Details     personal.Text
	Corrections []source.Correction
}

// Faults that callers meet. Their codes are part of the API.
var (
	ErrNotFound   = fault.New(fault.NotFound, "request_not_found", "There is no such request, or the token is for another one.")
	ErrNotNow     = fault.New(fault.Conflict, "not_possible_now", "The request's status does not allow this; read it and decide again.")
	ErrBusy       = fault.New(fault.Unavailable, "try_again", "The request is being worked on; try the same call again in a moment.")
	ErrReplay     = fault.New(fault.Mismatch, "idempotency_mismatch", "This Idempotency-Key was used with other content; use a new key.")
	ErrNotOffered = fault.New(fault.Invalid, "right_not_offered", "This right is not offered for that residence; GET /v1/policy lists what is.")
	ErrWrongCode  = fault.New(fault.Invalid, "wrong_code", "That is not the code of the latest mail, or it is older than ten minutes; ask for a new one.")
	ErrTries      = fault.New(fault.TooMany, "too_many_tries", "Too many wrong codes; use the link in the mail or ask for a new code.")
	ErrBadToken   = fault.New(fault.Unauthenticated, "invalid_token", "The token is not valid; verify again to get a new one.")
	ErrLinkGone   = fault.New(fault.Gone, "link_gone", "The link was used or is too old; ask for a new one.")
	ErrNoPackage  = fault.New(fault.Gone, "no_package", "There is no package to download, or its time is over.")
	ErrStepUp     = fault.New(fault.Forbidden, "step_up_needed", "The package was already downloaded with this token; ask for a new code, verify, and use the new token.")
	ErrErased     = fault.New(fault.Gone, "person_erased", "What we held of this person was erased; the record of the request stays without them.")
	ErrTooMany    = fault.New(fault.TooMany, "too_many_requests", "Too many requests from your network; try again in an hour.").After(time.Hour)
)

const (
	requestSchema = 1
	personSchema  = 1
)

// storedPerson is Person as it is sealed.
type storedPerson struct {
	V           int              `json:"v"`
	Email       string           `json:"email"`
	Name        string           `json:"name,omitempty"`
	Claims      []storedIdentity `json:"claims,omitempty"`
	Details     string           `json:"details,omitempty"`
	Corrections []storedField    `json:"corrections,omitempty"`
}

type storedIdentity struct {
	Kind  personal.Kind `json:"kind"`
	Value string        `json:"value"`
}

type storedField struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

func storeIdentities(list []personal.Identity) []storedIdentity {
	var out []storedIdentity
	for _, i := range list {
		out = append(out, storedIdentity{i.Kind, i.Reveal()})
	}
	return out
}

func loadIdentities(list []storedIdentity) []personal.Identity {
	var out []personal.Identity
	for _, i := range list {
		out = append(out, personal.MakeIdentity(i.Kind, i.Value))
	}
	return out
}

func (p Person) encode() ([]byte, error) {
	s := storedPerson{V: personSchema, Email: p.Email.Reveal(), Name: p.Name.Reveal(), Details: p.Details.Reveal(), Claims: storeIdentities(p.Claims)}
	for _, c := range p.Corrections {
		s.Corrections = append(s.Corrections, storedField{c.Field, c.Value.Reveal()})
	}
	return json.Marshal(s)
}

func decodePerson(b []byte) (Person, error) {
	var s storedPerson
	if err := json.Unmarshal(b, &s); err != nil || s.V != personSchema {
		return Person{}, errors.New("request: a person is stored in an unknown form")
	}
	email, _ := personal.ParseEmail(s.Email) // it was parsed before it was stored
	p := Person{Email: email, Name: personal.MakeText(s.Name), Details: personal.MakeText(s.Details), Claims: loadIdentities(s.Claims)}
	for _, c := range s.Corrections {
		p.Corrections = append(p.Corrections, source.Correction{Field: c.Field, Value: personal.MakeText(c.Value)})
	}
	return p, nil
}

// places of the sealed fields.
func (r Request) place(field string) seal.Place {
	return seal.Place{Item: r.ID.Partition(), Field: field}
}

// sealPerson puts p into r.
func (s *Service) sealPerson(r *Request, subject seal.Subject, p Person) error {
	plain, err := p.encode()
	if err != nil {
		return fmt.Errorf("encode a person: %w", err)
	}
	r.Person, err = s.Keys.Ring.Seal(subject, r.place("person"), plain)
	return err
}

// person opens what the requester told us. It costs one read of the Keys table.
func (s *Service) person(ctx context.Context, r Request) (Person, seal.Subject, error) {
	subject, err := s.Keys.Load(ctx, r.Holder)
	if err != nil {
		return Person{}, seal.Subject{}, err
	}
	plain, err := s.Keys.Ring.Unseal(subject, r.place("person"), r.Person)
	if err != nil {
		return Person{}, seal.Subject{}, err
	}
	p, err := decodePerson(plain)
	return p, subject, err
}

// proven is the identity that the person themselves proved; none where there is no address.
func (p Person) proven() []personal.Identity {
	if p.Email == (personal.Email{}) {
		return nil
	}
	return []personal.Identity{p.Email.Identity()}
}

// identities returns what counts as verified: the proven address, and what
// sources tied to it.
func (s *Service) identities(r Request, p Person, subject seal.Subject) ([]personal.Identity, error) {
	list := p.proven()
	if r.Ties == nil {
		return list, nil
	}
	plain, err := s.Keys.Ring.Unseal(subject, r.place("ties"), r.Ties)
	if err != nil {
		return nil, err
	}
	var ties []storedIdentity
	if err := json.Unmarshal(plain, &ties); err != nil {
		return nil, fmt.Errorf("decode ties: %w", err)
	}
	return append(list, loadIdentities(ties)...), nil
}
