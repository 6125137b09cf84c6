// Package bulletin tells the company's own systems what happened: that a request was
// received or fulfilled, that somebody withdrew a consent, that a hold was placed. It
// turns audit entries into events and hands them to a bus. bulletin/eventbridge is the
// bus in AWS; a run on a laptop keeps them on a page.
//
// Nothing personal can get into an event. An entry has nothing personal in clear to
// begin with; of what it tells, only facts that a table names are passed on, and each
// only if it looks as its kind does: a word of ours, a number, an instant, a number of a
// request. What the table does not name stays where it is.
//
// Events are told at least once and in any order. Each has a name that a repetition
// has too. What the bus did not take is noted and told later, so that whoever else
// hears of the same entries goes on meanwhile. Of the tables it owns:
//
//	table  partition        sort  body
//	state  bulletin#untold  hash  note: entries of which the bus was not told yet, by chain and number
//
// It is no record of what was told: nobody can ask it later. desk, boot and infra/local
// import it.
package bulletin

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/audit"
)

// Source is what every event on the bus names as its source.
const Source = "rightsdesk"

// Event is one thing that the company's systems are told.
type Event struct {
	Type   string // as events/schema/published names it
	At     time.Time
	Detail map[string]any // as its schema has it; it can be written as JSON
}

// Bus carries events to whoever listens.
type Bus interface {
	// Put hands over events, all of them or an error. After a *Refused all but those that
	// it names were handed over; after any other any of them may have been.
	Put(ctx context.Context, events []Event) error
}

// Refused is the error of a bus that did not take some events.
type Refused struct { //nolint:errname // a fact about some events, which an error carries
	Which  []int // of those that were put, in order
	Why    error // of the first of them or, if it is silent, of that
	Silent bool  // it did not answer for some of them, which are not to blame
}

func (r *Refused) Error() string {
	return fmt.Sprintf("the bus did not take %d events: %v", len(r.Which), r.Why)
}

// Unwrap returns why they were not taken.
func (r *Refused) Unwrap() error { return r.Why }

// refusal is what a bus did not take that answered by an error, or by none. After one that
// is no *Refused that may be any of the events.
func refusal(events []Event, err error) *Refused {
	if r, ok := errors.AsType[*Refused](err); ok || err == nil {
		return cmp.Or(r, &Refused{})
	}
	all := &Refused{Why: err, Silent: true}
	for i := range events {
		all.Which = append(all.Which, i)
	}
	return all
}

// of returns those names that events have which were not taken.
func (r *Refused) of(names []named) (left []named) {
	for _, i := range r.Which {
		left = append(left, names[i])
	}
	return left
}

// Of returns the event that an entry makes. Told is false if it makes none; known is
// false if nobody decided yet whether it makes one, which a test keeps from happening.
func Of(e audit.Entry) (ev Event, told, known bool) {
	family, id := cut(e.Chain)
	t, ok := made[move{family, e.Action}]
	if !ok {
		return Event{}, false, kept(family, e.Action)
	}
	d := map[string]any{
		"event": name(e.Chain, e.Seq),
		"about": About(family),
		"seq":   e.Seq,
		"at":    e.At.UTC().Format(time.RFC3339Nano),
	}
	if ids.MatchString(id) {
		d["id"] = id
	}
	if by := kindOf(e.Actor); by != "" {
		d["by"] = by
	}
	for _, f := range t.Facts {
		for _, told := range e.Facts {
			if told.Name != f.from() {
				continue
			}
			if v, ok := f.Kind.read(told.Value); ok {
				d[f.Name] = v
			}
		}
	}
	return Event{Type: t.Name, At: e.At, Detail: d}, true, true
}

// cut takes the name of a chain apart: what kind of thing it is about, and its id. What
// there is only one of has no id of its own.
func cut(chain string) (family, id string) {
	if family, id, ok := strings.Cut(chain, "#"); ok {
		return family, id
	}
	return chain, chain
}

// About is how events name what the chain of an entry is about.
func About(family string) string {
	if family == "sweep" {
		return "rule"
	}
	return family
}

// name is by which an event is recognised when it comes again. It tells nothing.
func name(chain string, seq int64) string {
	sum := sha256.Sum256([]byte("rightsdesk event\x00" + chain + "\x00" + strconv.FormatInt(seq, 10)))
	return hex.EncodeToString(sum[:16])
}

// Actors are who may have done something, as events say it. Which operator it was, or
// which app, stays in the audit.
var Actors = []string{"person", "browser", "app", "operator", "policy", "clock", "system", "mailer", "recount", "replay", "closure", "consent", "bus"}

func kindOf(actor string) string {
	kind, _, _ := strings.Cut(actor, ":")
	for _, a := range Actors {
		if a == kind {
			return a
		}
	}
	return ""
}

// Kind is how the value of a fact looks. What looks otherwise is not told.
type Kind int

// The kinds.
const (
	Word    Kind = iota // of the law, of ours or of the policy file: opt_out_sale, T-3
	Words               // several, with a comma or a blank between
	Number              // a count
	Instant             // a moment
	Truth               // yes or no
	Name                // the number of a request, a run, a record
	Version             // of the policy or of a rule
	Digest              // SHA-256, in hex
)

// Patterns of what a fact may look like. None lets a blank, an @ or a capital name in.
const (
	WordPattern    = `^([a-z][a-z0-9_]{0,59}|T-[0-9]{1,3})$`
	NamePattern    = `^[a-z0-9][a-z0-9-]{0,79}(\.[0-9]{1,12})?$`
	VersionPattern = `^[A-Za-z0-9][A-Za-z0-9._+-]{0,79}$`
	DigestPattern  = `^[0-9a-f]{64}$`
	// IDPattern is how the id of what an event is about looks.
	IDPattern = `^[A-Za-z0-9][A-Za-z0-9._:#-]{0,119}$`
	// EventPattern is how an event is named.
	EventPattern = `^[0-9a-f]{32}$`
)

var (
	words    = regexp.MustCompile(WordPattern)
	names    = regexp.MustCompile(NamePattern)
	versions = regexp.MustCompile(VersionPattern)
	digests  = regexp.MustCompile(DigestPattern)
	ids      = regexp.MustCompile(IDPattern)
)

// read returns the value of a fact as JSON has it.
func (k Kind) read(value string) (any, bool) {
	switch k {
	case Word:
		return value, words.MatchString(value)
	case Words:
		list := strings.FieldsFunc(value, func(c rune) bool { return c == ',' || c == ' ' })
		for _, w := range list {
			if !words.MatchString(w) {
				return nil, false
			}
		}
		return list, len(list) > 0
	case Number:
		n, err := strconv.ParseInt(value, 10, 64)
		return n, err == nil && n >= 0
	case Instant:
		at, err := time.Parse(time.RFC3339Nano, value)
		return at.UTC().Format(time.RFC3339Nano), err == nil && !at.IsZero()
	case Truth:
		return value == "true", value == "true" || value == "false"
	case Name:
		return value, names.MatchString(value)
	case Version:
		return value, versions.MatchString(value)
	case Digest:
		return value, digests.MatchString(value)
	}
	return nil, false
}
