package page

import (
	"html/template"
	"time"

	"rightsdesk/shared/page/words"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
)

// Close is the public page on which an account is closed, with or without being
// signed in. It says before anything is asked what goes, what stays and for how
// long. Its form posts email, residence, idempotency_key and lang to /close. With
// Mailed it is the answer, which is the same for everybody.
type Close struct {
	Developer string            // who offers the service, by the name that stands in its store
	Surfaces  []policy.LinkView // the sites and apps that the account is for
	Before    []string          // what to settle first, by paragraphs
	Within    time.Duration     // the mail's button works so long
	Grace     time.Duration     // zero: erasing begins with the button
	Days      int               // until everything is gone, counted from the end of the grace period; zero: not promised
	Fates     []Fate
	Backups   []Backup
	// Suppressions says that marketing opt-outs are still obeyed afterwards.
	Suppressions bool

	Key       string
	Mailed    bool
	Email     personal.Text
	Residence string
	Problems  []FieldProblem
}

func (Close) name() string { return "close" }
func (c Close) title(w words.Words) string {
	if c.Mailed {
		return w.T("close.mailed.title")
	}
	return w.T("close.title")
}
func (c Close) failed() bool { return len(c.Problems) > 0 }

// Problem returns what is wrong with a field, nil if nothing is.
func (c Close) Problem(f string) *FieldProblem { return find(c.Problems, f) }

// Described returns the attributes that tie a field to its hint and its problem.
func (c Close) Described(field string, hint bool) template.HTMLAttr {
	return described(c.Problems, field, hint)
}

// Fate is what the closure of an account does to some data.
type Fate struct {
	Fate   string // delete, anonymise, keep or elsewhere
	Things []Thing
}

// Thing is one category of data in one system.
type Thing struct {
	Category, System string
	Duty, Article    string        // for keep: why it has to stay
	Period           policy.Period // and how long
	From             policy.Event  // beginning when
	Controller       string        // for elsewhere: whom to ask; empty: not known
}

// Backup is how long copies of a system live on.
type Backup struct {
	System string
	Period policy.Period
}

// Closing is the page behind the link in a mail about a closure: before its button
// was pressed, and after. Opening it does nothing.
type Closing struct {
	// Stage is confirm or cancel, for what the button does, or grace, closing,
	// closed, cancelled or lapsed, for where the closure stands then.
	Stage  string
	Path   string // /x/{token}, for a button; in the grace period, one to take the closure back
	Key    string
	Before []string      // what to settle first, by paragraphs, for confirm
	Grace  time.Duration // for confirm; zero: erasing begins at once
	Closes time.Time     // the account is closed then
	Until  time.Time     // the link works
}

func (Closing) name() string                 { return "closing" }
func (c Closing) title(w words.Words) string { return w.T("closing." + c.Stage + ".title") }

// Button reports whether the page has one.
func (c Closing) Button() bool { return c.Stage == "confirm" || c.Stage == "cancel" }

// Span tells a length of time in days, or in hours where it is no number of days.
func (v view) Span(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= day && d%day == 0 {
		return v.N("policy.days", int(d/day))
	}
	return v.N("close.hours", int((d+time.Hour-1)/time.Hour))
}

// BannerText is what an app shows to who is signed in there while their account is
// closing: in the grace period until when it can be kept.
func BannerText(language, status string, closes time.Time, zone *time.Location) string {
	w := words.In(language)
	if status == "grace" {
		return w.T("banner.grace", "until", w.Moment(closes, zone))
	}
	return w.T("banner.closing")
}
