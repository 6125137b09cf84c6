package page

import (
	"html/template"
	"slices"
	"time"

	"rightsdesk/shared/page/words"
	"rightsdesk/shared/personal"
)

// Offer is a purpose that somebody is asked about.
type Offer struct {
	Purpose  string // id
	Label    string
	Text     string // what the data is used for
	Wording  string // what is agreed to, to the letter
	Hash     string // of the wording
	Required bool   // it cannot be refused; Loss says what is lost without it
	Loss     string
	Stopped  bool   // the signal that the browser sent stops it
	On       bool   // it is on until it is refused
	Chosen   string // granted or denied, as it was entered
}

// Choices is the form in which a visitor of a website chooses without a script,
// posted to /choices. Its fields:
//
//	choice_<purpose>       granted or denied; nothing is chosen beforehand
//	wording_<purpose>      hidden: the hash of what is shown
//	email, visitor         who it is; both may stay empty
//	do                     the button: save, grant_all, deny_all
//	idempotency_key, lang  hidden
type Choices struct {
	Offers   []Offer
	Honoured bool // the browser sent a signal that is honoured
	Key      string
	Email    personal.Text
	Visitor  string // reference of an earlier visit
	Problems []FieldProblem
}

func (Choices) name() string               { return "choices" }
func (Choices) title(w words.Words) string { return w.T("choices.title") }
func (c Choices) failed() bool             { return len(c.Problems) > 0 }

// Problem returns what is wrong with a field, nil if nothing is.
func (c Choices) Problem(f string) *FieldProblem { return find(c.Problems, f) }

// Described returns the attributes that tie a field to its hint and its problem.
func (c Choices) Described(field string, hint bool) template.HTMLAttr {
	return described(c.Problems, field, hint)
}

// Free is what can be chosen about.
func (c Choices) Free() []Offer {
	return slices.DeleteFunc(slices.Clone(c.Offers), func(o Offer) bool { return o.Required })
}

// Required is what cannot be refused.
func (c Choices) Required() []Offer {
	return slices.DeleteFunc(slices.Clone(c.Offers), func(o Offer) bool { return !o.Required })
}

// Recorded is one choice that was taken down.
type Recorded struct {
	Purpose string // id
	Label   string
	Choice  string // granted, denied, withdrawn
	Pending bool   // it counts once it is confirmed by mail
}

// Chosen says what was taken down of a Choices form. If something was allowed
// without an address, one button takes it all back: it posts choice_<purpose>
// withdrawn and the visitor to /choices.
type Chosen struct {
	Records  []Recorded
	Visitor  string // the reference under which a visitor is known; empty: an address is
	Mailed   bool   // something counts once a mail's button is pressed
	Honoured bool
	Key      string
}

func (Chosen) name() string               { return "chosen" }
func (Chosen) title(w words.Words) string { return w.T("chosen.title") }

// Back is what the button takes back.
func (c Chosen) Back() []Recorded {
	if c.Visitor == "" {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(c.Records), func(r Recorded) bool { return r.Choice != "granted" })
}

// MailLink is the form to have the link to one's own choices mailed, posted to
// /preferences. The answer is the same for every address.
type MailLink struct {
	Key      string
	Email    personal.Text
	Sent     bool // it was posted
	Problems []FieldProblem
}

func (MailLink) name() string { return "maillink" }
func (m MailLink) title(w words.Words) string {
	if m.Sent {
		return w.T("maillink.sent.title")
	}
	return w.T("maillink.title")
}
func (m MailLink) failed() bool { return len(m.Problems) > 0 }

// Problem returns what is wrong with a field, nil if nothing is.
func (m MailLink) Problem(f string) *FieldProblem { return find(m.Problems, f) }

// Described returns the attributes that tie a field to its hint and its problem.
func (m MailLink) Described(field string, hint bool) template.HTMLAttr {
	return described(m.Problems, field, hint)
}

// Unsubscribe is the page behind a mail's link to end one list. Its button sends
// what a mail program sends by itself (RFC 8058), and nothing else.
type Unsubscribe struct {
	Path string // /u/{token}
	List string // what the list is called
	Done bool   // it was posted
}

func (Unsubscribe) name() string { return "unsubscribe" }
func (u Unsubscribe) title(w words.Words) string {
	if u.Done {
		return w.T("unsubscribe.done.title")
	}
	return w.T("unsubscribe.title")
}

// OptIn is the page behind the mail that asks whether a consent was really given
// by the owner of the address. It shows again what was agreed to.
type OptIn struct {
	Path   string // /c/{token}
	Key    string
	Agreed []Agreed
	Until  time.Time // the link works
	Done   bool      // it was posted
}

// Agreed is one thing that somebody agreed to.
type Agreed struct {
	Label   string
	Wording string // to the letter; empty: it stood on another page
}

func (OptIn) name() string { return "optin" }
func (o OptIn) title(w words.Words) string {
	if o.Done {
		return w.T("optin.done.title")
	}
	return w.T("optin.title")
}

// Preferences is the page where somebody sees and changes their own choices. Each
// of its forms posts do, and what it is about, to Path:
//
//	do=grant, deny, withdraw   purpose, act, wording (hash)
//	do=stop, start             stop: put it on, take it off
//	do=withdraw_all
//	do=receipt                 record, format (signed, dpv, kantara): downloads
type Preferences struct {
	Path     string // /p/{token}
	Until    time.Time
	Changed  []Changed // what the form that was posted brought about
	Posted   bool      // a form was posted
	Refused  string    // why it brought about nothing, a key of the group refused; empty: it did
	Honoured bool      // a signal of the browser stands, or came with this call
	Purposes []Preference
	Stops    []Stop
	AllKey   string // idempotency key of the button that withdraws everything; empty: there is nothing to withdraw
	History  []Past // newest first
	Older    int    // how many records are not shown, because there are so many
	Wordings []Wording
	Receipts []Receipt
	// Elsewhere are the choices that people make somewhere else.
	Elsewhere []Elsewhere
}

func (Preferences) name() string               { return "preferences" }
func (Preferences) title(w words.Words) string { return w.T("prefs.title") }
func (p Preferences) failed() bool             { return p.Refused != "" }

// Changed is one thing that is now other than it was.
type Changed struct {
	Action string // as in Past
	About  string // label of the purpose; empty: none
	Stop   string // policy.Stop; empty: none
}

// Preference is one purpose, and where the person stands on it.
type Preference struct {
	Path     string // where its switches post to
	Purpose  string // id
	Act      string // the one thing that the consent is for; empty: none
	Label    string
	Text     string // what the data is used for
	Wording  string // what the switch agrees to
	Hash     string
	May      bool   // whether the company may
	Why      string // consent.Why
	Since    time.Time
	Until    time.Time // it lapses then
	Required bool      // it cannot be refused; Loss says what is lost without it
	Loss     string
	// Ends is the stop of this page that has to be ended first; empty: none has to be.
	Ends     string
	Switches []Switch // one; two where a consent that ends soon can be kept
}

// Anchor is the id of the part of the page.
func (p Preference) Anchor() string {
	if p.Act != "" {
		return "purpose-" + p.Purpose + "-" + p.Act
	}
	return "purpose-" + p.Purpose
}

// Switch is a button of a purpose.
type Switch struct {
	Do  string // grant, keep (which posts grant), deny, withdraw
	Key string // idempotency key
}

// Posts is what the button posts.
func (s Switch) Posts() string {
	if s.Do == "keep" {
		return "grant"
	}
	return s.Do
}

// Stop is an opt-out that ends more than one use at once.
type Stop struct {
	Stop  string // opt_out_sale, limit_sensitive, marketing_opt_out
	On    bool
	Since time.Time
	Ends  []string // labels of the purposes that it ends
	Key   string
}

// Elsewhere is a choice that is made somewhere else.
type Elsewhere struct {
	Text        string
	PerformedBy string // policy.Performer
	LinkText    string
	URL         string
	Consequence string
}

// Past is one record of the history.
type Past struct {
	ID      string
	At      time.Time
	Action  string // of the audit entry: granted, denied, withdrawn, stopped...
	About   string // label of the purpose, and the act; empty: none
	Stop    string // policy.Stop, for what was stopped or started; empty: none
	System  string // that was told of it; empty: none
	Method  string // consent.Method
	By      string // actor of the audit entry
	Wording string // hash of what was shown, if it stands among Wordings; empty: not
}

// Wording is what was shown, to the letter.
type Wording struct {
	Hash     string
	About    string // label of the purpose
	Language string
	Text     string
	Since    time.Time // first shown
}

// Receipt is a record of which a receipt can be had.
type Receipt struct {
	Record string
	About  string
	Choice string
	At     time.Time
}

// Speaker says who told us of a choice, from the actor of its audit entry.
func (v view) Speaker(actor string) string {
	who := actor
	for i, c := range actor {
		if c == ':' {
			who = actor[:i]
			break
		}
	}
	if key := "speaker." + who; v.Has(key) {
		return v.T(key, "brand", v.Brand)
	}
	return v.T("by.machine")
}
