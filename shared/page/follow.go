package page

import (
	"html/template"
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
	Deadlines []Deadline
	WhyIn     string    // language of their steps, if it is not the page's
	Still     []Still   // what time stands still for; empty: it runs
	Extended  Extension // zero: the answer was not put off

	Reason   string // why it was denied, in the reader's language
	Article  string // of the law that lets us
	About    string // number of the request that this one is about; empty: none
	Decision string // how what was weighed ended: upheld, partly_upheld, rejected
	// Explanation is why it did.
	Explanation personal.Text

	Letters  []Letter // oldest first
	Question *Letter  // what waits for the person's answer; nil: nothing does
	Reply    *Reply   // nil: nothing can be written now
	Appeal   *Appeal  // nil: none is possible
	// Appealed is the number of the appeal that was made; empty: none.
	Appealed string
	// Complain leads to the form for a complaint about this request; empty: nowhere.
	Complain string

	Timeline []Entry // oldest first
	Systems  []words.System
	Ignored  []personal.Identity // nothing ties them to the verified one
	Actions  []Action

	// NotCovered is data that the policy does not cover: nobody looked for it, and
	// somebody else must be asked.
	NotCovered []policy.ExclusionView

	Authority words.Authority
}

// Deadline is one of the request's clocks, and how its date came about.
type Deadline struct {
	Name  string // respond, acknowledge...: see law.Clock
	Date  time.Time
	Done  time.Time // zero: it still runs
	Steps []Step
}

// Key is where the catalogue says what the clock's date is.
func (d Deadline) Key() string {
	if d.Name == "records" {
		return "deadline.from"
	}
	return "deadline.by"
}

// Still is one reason for which time stands still.
type Still struct {
	Since time.Time
	Cause string // identity, clarification...: see law.Cause
}

// Extension says that the answer was put off.
type Extension struct {
	From, To      time.Time
	Text, Article string // why, in the reader's language
}

// Letter is what one side wrote to the other.
type Letter struct {
	At    time.Time
	By    string // actor of the audit entry
	Text  personal.Text
	Proof string // that it asks for; empty: none
	Files []Attached
}

// Attached is a file that came with a letter.
type Attached struct {
	Name personal.Text
	Size int // in bytes
	Gone bool
}

// Kilobytes is the size for people, never zero.
func (a Attached) Kilobytes() int { return max(1, (a.Size+1023)/1024) }

// Reply is the form to write to the company. It posts do=reply, text and any
// number of files to Path, as multipart/form-data.
type Reply struct {
	Path     string
	Key      string
	Answers  bool          // a question
	Text     personal.Text // as it was entered
	Problems []FieldProblem
	// Files is how many can be attached, of Megabytes each, and Days for how long
	// they are kept at most.
	Files, Megabytes, Days int
}

// Problem returns what is wrong with a field, nil if nothing is.
func (r Reply) Problem(f string) *FieldProblem { return find(r.Problems, f) }

// Described returns the attributes that tie a field to its hint and its problem.
func (r Reply) Described(field string, hint bool) template.HTMLAttr {
	return described(r.Problems, field, hint)
}

// Appeal is the form to appeal against the answer. It posts do=appeal and text to Path.
type Appeal struct {
	Path     string
	Key      string
	Until    time.Time     // zero: at any time
	Text     personal.Text // as it was entered
	Problems []FieldProblem
}

// Problem returns what is wrong with a field, nil if nothing is.
func (a Appeal) Problem(f string) *FieldProblem { return find(a.Problems, f) }

// Described returns the attributes that tie a field to its problem.
func (a Appeal) Described(field string) template.HTMLAttr { return described(a.Problems, field, false) }

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

func (f Follow) failed() bool { return len(f.Problems()) > 0 }

// Problems is what is wrong with the form that was sent.
func (f Follow) Problems() []FieldProblem {
	var list []FieldProblem
	if f.Reply != nil {
		list = append(list, f.Reply.Problems...)
	}
	if f.Appeal != nil {
		list = append(list, f.Appeal.Problems...)
	}
	return list
}

// Moves says who moves next.
func (f Follow) Moves(w words.Words, brand string) string {
	if f.Question != nil {
		return w.T("moves.waiting", "brand", brand)
	}
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
