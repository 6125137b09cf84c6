// Package retention ends what has outlived its purpose: it walks the company's data
// stores by the age of their records and deletes, anonymises or archives what the
// policy says is over. Rules whose time begins with something that happens to a
// person are carried out by package lifecycle; whether they may be is decided here.
//
// It deletes nothing that nobody looked at: a rule is previewed, which counts and
// changes nothing, and an operator activates that very version of it. A rule that
// was changed waits for its activation anew, and the old one does not go on
// meanwhile. A brake bounds what one day may take away, whatever a rule says.
//
// It owns the partitions sweep# of the State and Keys tables and the chains sweep#
// of the Audit table:
//
//	table  partition      sort          body
//	state  sweep#<rule>   -             Sweep: where the rule stands; due at Next
//	state  sweep#<rule>   page          the page under way, sealed: ids, handles, times; gone when it is done
//	keys   sweep#<rule>   -             {"salt"} of what is sealed, of one run or walk; gone with its end
//	audit  sweep#<rule>   000000000001  one entry: previewed, activated, a run began, it ended, the brake was pulled
//
// A walk of the replay after a restore stands there too, as the rule
// <run>#<source>#<category>, which no rule of a policy can be called; so does its chain.
//
// Service does the work, on ports that are handed to it; the time comes from
// Service.Now. It knows no HTTP, no AWS and no clock; restore, lifecycle, desk, job,
// httpapi, boot and infra/local import it.
package retention

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/digest"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/hold"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

// Service does everything that can be done to retention rules. A function sets the
// fields that its topology entry grants.
type Service struct {
	Table  table.Table
	Keys   seal.Keys
	Policy *policy.Policy
	Now    func() time.Time

	Sources map[string]source.Source // only the function retention has them
	Digest  *digest.Book             // nil: operators see what needs them in the list only
	Log     *slog.Logger

	holds hold.Watch
}

// Sweep is where one rule stands.
type Sweep struct {
	Rule    string `json:"rule"`
	Version string `json:"version"` // of the definition that all of this is about
	Status  Status `json:"status"`

	Activated time.Time `json:"activated,omitzero"`
	By        string    `json:"by,omitempty"` // who activated it

	Preview   *Preview  `json:"preview,omitempty"` // of this version
	Inventory Inventory `json:"inventory,omitzero"`
	Asked     string    `json:"asked,omitempty"` // who asked for a preview that is to be begun
	Walk      *Walk     `json:"walk,omitempty"`  // a count that is under way
	Run       *Run      `json:"run,omitempty"`   // under way
	Last      *Run      `json:"last,omitempty"`  // the run before
	Page      *Page     `json:"page,omitempty"`  // claimed and not finished

	Day    Day     `json:"day,omitzero"`
	Extra  int     `json:"extra,omitempty"` // what an operator confirmed beyond the shares of the days, and is left
	Stop   *Stop   `json:"stop,omitempty"`  // why the brake holds
	ByHand *Hand   `json:"by_hand,omitempty"`
	Tended *Tended `json:"tended,omitempty"`

	// Oldest is the time of the oldest record that is known to be due and that no hold
	// keeps; zero: none is known.
	Oldest time.Time `json:"oldest,omitzero"`
	// Seen is until when all of the category was looked through: at that instant nothing
	// was left that could have been expired.
	Seen time.Time `json:"seen,omitzero"`
	Told time.Time `json:"told,omitzero"` // when operators were told that the rule is late

	Tries int       `json:"tries,omitempty"` // failures in a row
	Fault string    `json:"fault,omitempty"` // the code of the last
	After time.Time `json:"after,omitzero"`  // the end of the pause after it

	Lease Lease      `json:"lease,omitzero"`
	Due   time.Time  `json:"due"` // in the due-index
	Head  audit.Head `json:"head"`

	version int64 // as loaded; 0: not stored yet
}

// Preview is what a rule would do, as far as a look can tell. It holds no values.
type Preview struct {
	At     time.Time `json:"at"`
	Total  int       `json:"total"` // records of the category
	Due    int       `json:"due"`   // of them, whose time is over
	Held   int       `json:"held"`  // of those, what a legal hold keeps
	Oldest time.Time `json:"oldest,omitzero"`
	Newest time.Time `json:"newest,omitzero"`
	// Undated are records of which the store does not know the age. They are never due.
	Undated int      `json:"undated,omitempty"`
	Samples []string `json:"samples,omitempty"` // ids of due records, at most 20
	// ByPerson says that nothing was counted: the rule's time begins with something
	// that happens to a person, and what it concerns is counted when that is due.
	ByPerson bool `json:"by_person,omitempty"`
}

// Inventory is how much a source holds of the rule's category.
type Inventory struct {
	Total int       `json:"total"`
	At    time.Time `json:"at,omitzero"` // zero: never counted
}

// Walk is a look through a whole category that changes nothing.
type Walk struct {
	ID      string    `json:"id"` // random; names its calls
	Began   time.Time `json:"began"`
	Until   time.Time `json:"until"` // what is of this instant or before is due
	Cursor  []byte    `json:"cursor,omitempty"`
	Pages   int       `json:"pages"`
	Units   float64   `json:"units,omitempty"`
	Preview Preview   `json:"preview"` // so far
	// Quiet says that it only renews the inventory: no operator asked and none is told.
	Quiet bool `json:"quiet,omitempty"`
}

// Run is one sweep through everything that is due.
type Run struct {
	ID     string    `json:"id"` // random; names its calls
	Began  time.Time `json:"began"`
	Ended  time.Time `json:"ended,omitzero"`
	Until  time.Time `json:"until"` // what is of this instant or before is due
	Round  int       `json:"round"` // looks from the start; the last of them verifies the others
	Cursor []byte    `json:"cursor,omitempty"`

	Pages   int       `json:"pages"`             // that the source was asked for
	Seen    int       `json:"seen"`              // records looked at
	Done    int       `json:"done"`              // expired
	Kept    int       `json:"kept"`              // that the source left as they are: used again since, say; of this round
	Seq     int       `json:"seq"`               // pages claimed
	Held    int       `json:"held"`              // that legal holds keep; of this round
	Undated int       `json:"undated,omitempty"` // without a time; of this round
	Units   float64   `json:"units,omitempty"`   // what looking cost, in the source's own unit
	Expect  int       `json:"expect,omitempty"`  // what the preview counted as due, of the first run after it
	Effects int       `json:"effects,omitempty"` // records expired in this round
	Oldest  time.Time `json:"oldest,omitzero"`   // of what this round saw and left, but for holds
	Marks   []Mark    `json:"marks,omitempty"`   // of the last minutes

	// Verified says that the last look found nothing that was due, but for holds.
	Verified bool `json:"verified,omitempty"`
}

// Mark is how far a run was at an instant.
type Mark struct {
	At   time.Time `json:"t"`
	Done int       `json:"n"`
}

// Page is a page of records that was claimed: only these may be expired now.
type Page struct {
	Seq     int       `json:"seq"` // within the run
	Gen     int       `json:"gen"` // of its call: it is another call once a hold took something out
	Tries   int       `json:"tries"`
	Records int       `json:"records"`
	Next    []byte    `json:"next,omitempty"`  // cursor after it
	Over    bool      `json:"over,omitempty"`  // the source said that there is no page after it
	Cut     bool      `json:"cut,omitempty"`   // some of what the source gave was left for later: the cursor stays
	Until   time.Time `json:"until"`           // of its lease
	Day     string    `json:"day,omitempty"`   // whose share it was counted against
	Extra   int       `json:"extra,omitempty"` // records of it that were confirmed beyond that
}

// Day is what one day (UTC) took.
type Day struct {
	Day   string `json:"day"`
	Taken int    `json:"taken"` // claimed, whatever came of it
}

// Stop is why the brake holds a rule.
type Stop struct {
	At    time.Time `json:"at"`
	Taken int       `json:"taken"` // on that day
	Limit int       `json:"limit"` // of that day
	Next  int       `json:"next"`  // what stood on the page that was not begun
}

// Hand is a source that no program can sweep: somebody does it, and says so.
type Hand struct {
	Team string    `json:"team"`
	Due  time.Time `json:"due"`           // when it is to be done next
	Done time.Time `json:"done,omitzero"` // when somebody last said that it was
	By   string    `json:"by,omitempty"`
	Told time.Time `json:"told,omitzero"` // for which Due the team was told
}

// Lease is the right of one worker to work.
type Lease struct {
	Token string    `json:"token,omitempty"`
	Until time.Time `json:"until,omitzero"`
}

// Faults that callers meet. Their codes are part of the API.
var (
	ErrNotFound  = fault.New(fault.NotFound, "rule_not_found", "The policy in force has no such retention rule.")
	ErrVersion   = fault.New(fault.Conflict, "rule_changed", "The rule is not the one you looked at: it was changed since. Look at its preview again.")
	ErrNotNow    = fault.New(fault.Conflict, "not_possible_now", "That cannot be done to the rule as it stands; look at its status.")
	ErrUnseen    = fault.New(fault.Conflict, "not_previewed", "Nobody has seen yet what this version of the rule would do; wait for its preview.")
	ErrBusy      = fault.New(fault.Unavailable, "try_again", "Somebody else changes the same rule; try the same call again in a moment.")
	ErrForbidden = fault.New(fault.Forbidden, "role_needed", "Your role does not allow this; somebody with the role handler can do it.")
	errTooMany   = fault.Input(fault.Field{Pointer: "/extra", Text: "must be a number from 0 to what the preview shows as due"})
)

const schema = 1

const prefix = "sweep#"

// Ref is where a rule's sweep stands.
func Ref(rule string) table.Ref {
	return table.Ref{Table: table.State, Key: table.Key{Partition: prefix + rule, Sort: "-"}}
}

// IsKey reports whether a key of the due-index is a sweep's.
func IsKey(k table.Key) bool {
	return strings.HasPrefix(k.Partition, prefix) && len(k.Partition) > len(prefix) && k.Sort == "-"
}

// ChainOf names the audit chain of a rule.
func ChainOf(rule string) string { return prefix + rule }

// Heads returns the chain of the sweep that stands under a key of the due-index, with
// the head that is remembered of it, so that it can be verified.
func (s *Service) Heads(ctx context.Context, key table.Key) ([]audit.Chain, error) {
	if !IsKey(key) {
		return nil, nil
	}
	sw, err := s.load(ctx, ruleOf(key))
	if err != nil || sw.version == 0 {
		return nil, err
	}
	return []audit.Chain{{Name: ChainOf(sw.Rule), Head: sw.Head}}, nil
}
