// Package lifecycle is when people's accounts and relationships began and ended, as
// the company's programs tell it, until when they agreed to what, and what has to go
// because of that: a retention period that begins when an account is closed, or when
// a relationship or a purpose ends, ends here. What is done then is work that package
// request does, source by source.
//
// It keeps nothing that the programs tell beyond those times. Records are not noted
// here at all; what arrives with them goes through package intake.
//
// It owns the partitions life# of the State table, and the chains life#<random> of
// the Audit table:
//
//	table  partition           sort          body
//	state  life#<identifier>   -             Life; due at what ends next, subject index
//	audit  life#<random>       000000000001  one entry (package audit): it tells the whole life, but for who it is
//
// Service does the work, on ports that are handed to it; the time comes from
// Service.Now. It knows no HTTP, no AWS and no clock; httpapi, job, boot and
// infra/local import it, closure and consent by ports of their own.
package lifecycle

import (
	"errors"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// Type is what an event tells.
type Type string

// The types, as they are called on the event bus.
const (
	AccountOpened       Type = "account.opened"
	AccountClosed       Type = "account.closed"
	RelationshipStarted Type = "relationship.started"
	RelationshipEnded   Type = "relationship.ended"
	PurposeEnded        Type = "purpose.ended" // for one person; what people choose here we know without being told
	RecordCreated       Type = "record.created"
)

// Types lists every type.
var Types = []Type{AccountOpened, AccountClosed, RelationshipStarted, RelationshipEnded, PurposeEnded, RecordCreated}

// Event is one thing that happened.
type Event struct {
	ID   string // of the event, for whoever sent it; a repetition is known by what it tells
	Type Type
	At   time.Time // when it happened
	Who  personal.Identity

	Relationship string // for relationship.*
	Purpose      string // for purpose.ended

	// Source and Category are where a record was stored, Channel is how it arrived and
	// Fields what came: for record.created. Without a channel nothing is filtered.
	Source, Category string
	Channel          string
	Fields           map[string]any
}

// Became is what became of an event.
type Became string

// What becomes of events.
const (
	Noted      Became = "noted"
	Repeated   Became = "repeated"   // it was known already
	Superseded Became = "superseded" // something later is known
	Filtered   Became = "filtered"   // nothing is noted of records; what of them is needed is in the result
)

// Result is what became of an event.
type Result struct {
	ID      string
	Became  Became
	Work    request.ID     // that was opened at once; empty: none
	Kept    map[string]any // of a record's fields
	Dropped []string
	Err     error // why a record's fields were refused
}

// Span is from when to when something was. A zero Ended: it goes on, or never began.
type Span struct {
	Started time.Time `json:"s,omitzero"`
	Ended   time.Time `json:"e,omitzero"`
}

// latest is the time of the latest event that counted.
func (s Span) latest() time.Time {
	if s.Ended.After(s.Started) {
		return s.Ended
	}
	return s.Started
}

// open reports whether it began and goes on.
func (s Span) open() bool { return !s.Started.IsZero() && s.Ended.IsZero() }

// begin and end are what an event makes of a span. Events may come late and in any
// order: the later one counts, and of two at the same instant the one that begins,
// since what it keeps can still go, and what the other deletes does not come back.
func (s Span) begin(at time.Time) (Span, Became) {
	switch {
	case at.Equal(s.Started):
		return s, Repeated
	case s.open() && at.After(s.Started):
		// An end in between may still come, and has to be known as one that was followed
		// by this.
		return Span{Started: at}, Noted
	case at.Before(s.latest()):
		return s, Superseded
	}
	return Span{Started: at}, Noted
}

func (s Span) end(at time.Time) (Span, Became) {
	switch {
	case at.Equal(s.Ended):
		return s, Repeated
	case !at.After(s.latest()):
		return s, Superseded
	case !s.Ended.IsZero():
		return s, Repeated // it had ended before, and did not begin again
	}
	s.Ended = at
	return s, Noted
}

// Life is what is known of one identity. Who it is is sealed.
type Life struct {
	// ID is random and names the chain: who is forgotten and comes back has a new one.
	ID      string          `json:"id"`
	Subject string          `json:"subject"` // random
	Holder  seal.Identifier `json:"holder"`  // whose salt Who hangs on
	Who     []byte          `json:"who"`     // sealed; empty: lost with a table, until the next event

	Account       Span              `json:"account,omitzero"`
	Relationships map[string]Span   `json:"relationships,omitempty"`
	Purposes      map[string]Agreed `json:"purposes,omitempty"` // that end with what people choose

	Done  map[string]time.Time `json:"done,omitempty"` // by rule: the end for which work was opened
	Works int                  `json:"works,omitempty"`
	// Look is when we look again whether a rule that is due has been activated.
	Look   time.Time `json:"look,omitzero"`
	Forget time.Time `json:"forget,omitzero"` // end of the retention of this record, once nothing is left to happen

	Head audit.Head `json:"head"`

	at      seal.Identifier
	version int64 // as loaded; 0: not stored yet
	filed   time.Time
}

// Agreed is until when somebody has agreed to a purpose.
type Agreed struct {
	At   time.Time `json:"t"`          // of the choice
	Ends time.Time `json:"e,omitzero"` // zero: it goes on
}

const (
	prefix = "life#"
	schema = 1
)

func (l Life) chain() string { return prefix + l.ID }

// refOf is where a life stands.
func refOf(at seal.Identifier) table.Ref {
	return table.Ref{Table: table.State, Key: table.Key{Partition: prefix + string(at), Sort: "-"}}
}

func identifierOf(k table.Key) (seal.Identifier, bool) {
	at, ok := strings.CutPrefix(k.Partition, prefix)
	return seal.Identifier(at), ok && at != "" && k.Sort == "-"
}

// IsKey reports whether a key of the due-index is a life's.
func IsKey(k table.Key) bool {
	_, ok := identifierOf(k)
	return ok
}

// end returns when that which a rule waits for ended. An account or a relationship
// that began again has not ended, and "any relationship" ends with the last.
func (l Life) end(r policy.RetentionRule) (time.Time, bool) {
	var end time.Time
	switch r.Trigger {
	case policy.WhenAccountClosed:
		end = l.Account.Ended
	case policy.WhenRelationshipEnded:
		if r.Relationship != "" {
			end = l.Relationships[r.Relationship].Ended
			break
		}
		for _, s := range l.Relationships {
			if s.Ended.IsZero() {
				return time.Time{}, false
			}
			if s.Ended.After(end) {
				end = s.Ended
			}
		}
	case policy.WhenPurposeEnded:
		end = l.Purposes[r.Purpose].Ends
	case policy.WhenCollected, policy.WhenLastUsed: // swept by age
	}
	return end, !end.IsZero()
}

// over reports whether everything that is known of the person has ended.
func (l Life) over() bool {
	if l.Account.open() {
		return false
	}
	for _, s := range l.Relationships {
		if s.Ended.IsZero() {
			return false
		}
	}
	for _, a := range l.Purposes {
		if a.Ends.IsZero() {
			return false
		}
	}
	return true
}

// pending is one rule whose period has begun and whose work is not opened yet.
type pending struct {
	rule policy.RetentionRule
	end  time.Time
	due  time.Time
}

// pending lists what is still to happen under a policy, in its order.
func (l Life) pending(p *policy.Policy) []pending {
	var list []pending
	for _, r := range p.RetentionRules {
		end, ok := l.end(r)
		if ok && !l.Done[r.ID].Equal(end) {
			list = append(list, pending{r, end, r.Period.After(end)})
		}
	}
	return list
}

const (
	// lookIn is how often a life is looked at although nothing is due: the policy may
	// have been given a shorter period meanwhile.
	lookIn = 30 * 24 * time.Hour
	// lookForRules is how soon we look again whether a rule was activated.
	lookForRules = 24 * time.Hour
	// nearEnough is how much too early an entry of the due-index may be.
	nearEnough = 5 * time.Minute
)

// Next is the earliest instant at which somebody must look at the life again. Zero:
// nothing is to happen until the next event.
func (l Life) Next(p *policy.Policy, now time.Time) time.Time {
	next := l.Forget
	at := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	if len(l.Who) == 0 {
		return next // nobody can be looked for
	}
	for _, w := range l.pending(p) {
		if due := w.due; due.After(now) || l.Look.Before(due) {
			at(due)
		} else {
			at(l.Look)
		}
		at(now.Add(lookIn))
	}
	return next
}

// The faults of this package.
var (
	// ErrBusy asks for the call to be repeated. What was noted is recognised then.
	ErrBusy = fault.New(fault.Unavailable, "try_again", "We are busy; send the events again in a moment.").After(time.Second)

	errLost = errors.New("lifecycle: nothing is known of this person")
)

// MaxEvents bounds one call.
const MaxEvents = 100
