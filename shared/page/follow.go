package page

import (
	"slices"
	"time"

	"rightsdesk/shared/page/words"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
)

// Follow tells a person where their request stands.
type Follow struct {
	ID       string
	Right    string
	Status   string // unverified, open, in_progress, fulfilled, denied, revoked, expired
	Received time.Time
	Starts   time.Time // of work that cannot be undone; zero: none
	Closed   time.Time

	RespondBy time.Time // the law's date, or the policy's where earlier
	SafeBy    time.Time // the earliest under every reading
	Why       []Step    // how RespondBy came about
	WhyIn     string    // language of the steps, if it is not the page's

	Reason  string // why it was denied, in the reader's language
	Article string // of the law that lets us

	Timeline []Entry // oldest first
	Systems  []words.System
	Ignored  []personal.Identity // nothing ties them to the verified one
	Actions  []Action

	// NotCovered is data that the policy does not cover: nobody looked for it, and
	// somebody else must be asked.
	NotCovered []policy.ExclusionView

	Authority words.Authority
}

// Step is one step of the way to a date.
type Step struct {
	Text    string
	Article string
	Date    time.Time // where the count stands; may be zero
}

// Entry is one thing that happened.
type Entry struct {
	At     time.Time
	Action string // receive, or an action of the request
	By     string // actor of the audit entry
	About  string // label of the category that the work was about; empty: none
}

// Action is something the person can do: Deliver or Revoke. It posts do to Path.
type Action struct {
	Verb  Verb
	Path  string
	Key   string
	Until time.Time // possible until; zero: without limit
}

func (Follow) name() string               { return "follow" }
func (Follow) title(w words.Words) string { return w.T("follow.title") }

// Moves says who moves next.
func (f Follow) Moves(w words.Words, brand string) string {
	if key := "moves." + f.Status; w.Has(key) {
		return w.T(key, "brand", brand)
	}
	return w.T("moves.other", "brand", brand)
}

// stage is one stage in the life of a request.
type stage struct {
	Key           string
	Past, Current bool
}

// Stages returns the stages of a request that goes the usual way, none for one
// that ended in another.
func (f Follow) Stages() []stage {
	at := slices.Index([]string{"unverified", "open", "in_progress", "fulfilled"}, f.Status)
	if at < 0 {
		return nil
	}
	var list []stage
	for i, key := range []string{"stage.asked", "stage.verified", "stage.working", "stage.answered"} {
		list = append(list, stage{Key: key, Past: i < at, Current: i == at})
	}
	return list
}
