package consent

import (
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/seal"
)

// RecordID names a record: the subject whose chain it is in, and its number
// there. It holds nothing personal and is not a secret.
type RecordID string

func recordOf(chain string, seq int64) RecordID {
	return RecordID(strings.TrimPrefix(chain, "consent#") + "." + strconv.FormatInt(seq, 10))
}

// parts returns the chain and the number of a record; ok is false for what can be no record.
func (id RecordID) parts() (chain string, seq int64, ok bool) {
	subject, number, ok := strings.Cut(string(id), ".")
	seq, err := strconv.ParseInt(number, 10, 64)
	return ChainOf(subject), seq, ok && err == nil && seq > 0 && len(id) <= 80 && recordOf(ChainOf(subject), seq) == id
}

// chain is where the entry of a standing is, in a subject.
func (st Standing) chain(subject string) string {
	if st.Chain != "" {
		return st.Chain
	}
	return ChainOf(subject)
}

// refuses reports whether it is a no that somebody said.
func (st Standing) refuses() bool { return st.Choice == Denied || st.Choice == Withdrawn }

// standing is where a subject stands on a purpose, or on an act. A refusal of every
// act of a purpose is one of each, until that act is chosen again.
func (sub Subject) standing(key string) (Standing, bool) {
	st, chose := sub.Purposes[key]
	purpose, act := cutKey(key)
	if act == "" {
		return st, chose
	}
	all := sub.Purposes[purpose]
	since := chose && (st.At.After(all.At) || st.At.Equal(all.At) && st.Chain == all.Chain && st.Seq > all.Seq)
	if all.refuses() && !since {
		return all, true
	}
	return st, chose
}

func (a Ask) chain(subject string) string { return Standing{Chain: a.Chain}.chain(subject) }

// Entry is one record of a subject's history.
type Entry struct {
	ID       RecordID
	At       time.Time // when it was chosen; what was taken in late was recorded later
	Action   string
	Purpose  string
	Act      string
	Choice   Choice // of asked, confirmed and imported ones too; empty: no choice about a purpose
	Method   Method
	By       string
	Policy   string
	Wording  string // hash
	Edition  int
	Language string
	Page     string
	Facts    []audit.Fact
}

// The actions of entries that are no choice of their own.
const (
	actionAsked      = "asked"      // a consent that is to be confirmed by mail
	actionConfirmed  = "confirmed"  // it was
	actionLapsed     = "lapsed"     // its time was over, or nobody confirmed it
	actionStopped    = "stopped"    // a stop was put on
	actionStarted    = "started"    // a stop was taken off
	actionSignalled  = "signalled"  // a browser's signal was taken down
	actionLinked     = "linked"     // another identifier, or another subject, is the same person
	actionSuppressed = "suppressed" // mail came back
	actionWithheld   = "withheld"   // a letter went to nobody
)

// The names of facts.
const (
	factPurpose  = "purpose"
	factAct      = "act"
	factPolicy   = "policy"
	factWording  = "wording"
	factEdition  = "edition"
	factLanguage = "language"
	factMethod   = "method"
	factPage     = "page"
	factMade     = "made" // when it was chosen, if not now
	factUntil    = "until"
	factID       = "identifier"
	factEvidence = "evidence"
	factStop     = "stop"
	factSource   = "source"
	factCall     = "call"
	factRecord   = "record"
	factRequest  = "request"
	factChain    = "chain"
	factHead     = "head"
	factEffect   = "effect"
	// What only a rebuilding reads: of which kind the identifier is, what the one was
	// known by that another is linked to, and where they live.
	factKind      = "kind"
	factOwn       = "linked_to"
	factResidence = "residence"
)

// kindNotTold is the kind of whoever a link names by a keyed hash alone.
const kindNotTold personal.Kind = "-"

// kindOf is the kind that an entry tells of somebody who is linked.
func (sub Subject) kindOf() audit.Fact {
	if sub.Known {
		return audit.Fact{Name: factKind, Value: "person"}
	}
	return audit.Fact{Name: factKind, Value: string(KindVisitor)}
}

// older is the effect of a choice that was made before the one that stands.
const effectNone = "none"

func entryOf(e audit.Entry) Entry {
	x := Entry{ID: recordOf(e.Chain, e.Seq), At: e.At, Action: e.Action, By: e.Actor, Facts: e.Facts}
	for _, f := range e.Facts {
		switch f.Name {
		case factPurpose:
			x.Purpose = f.Value
		case factAct:
			x.Act = f.Value
		case factPolicy:
			x.Policy = f.Value
		case factWording:
			x.Wording = f.Value
		case factEdition:
			x.Edition, _ = strconv.Atoi(f.Value) // we wrote it
		case factLanguage:
			x.Language = f.Value
		case factMethod:
			x.Method = Method(f.Value)
		case factPage:
			x.Page = f.Value
		case factMade:
			if made, err := time.Parse(time.RFC3339, f.Value); err == nil {
				x.At = made
			}
		}
	}
	switch e.Action {
	case string(Granted), string(Denied), string(Withdrawn):
		x.Choice = Choice(e.Action)
	case actionAsked, actionConfirmed:
		x.Choice = Granted
	case actionLapsed:
		x.Choice = Ended
	}
	return x
}

func holderFact(id seal.Identifier) audit.Fact { return audit.Fact{Name: factID, Value: string(id)} }
