package page

import (
	"html/template"
	"slices"
	"time"

	"rightsdesk/shared/fault"
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
)

// Verb is what pressing the button behind a link does.
type Verb string

// The verbs.
const (
	Verify  Verb = "verify"  // proves that the request came from the address
	Address Verb = "address" // proves that a new address belongs to who gave it
	Deliver Verb = "deliver" // hands out the package
	Revoke  Verb = "revoke"  // takes the request back
	Show    Verb = "follow"  // shows where the request stands
	Taken   Verb = "taken"   // what needs no proof was taken in, where nobody is written to
)

// Named is an identity that a requester named.
type Named struct {
	Kind  string
	Value personal.Text
}

// Correction is a row of the form: what is wrong, what it should say.
type Correction struct{ Field, Value personal.Text }

// Ask is the form to make a request, posted to /requests. Its fields:
//
//	right, residence, email, name, account, details   one value each
//	about                                             the number of a request, with the right complaint
//	identity_kind, identity_value                     one each per row, in order
//	correction_field, correction_value                one each per row, in order
//	idempotency_key, lang                             hidden
//
// What was entered is shown again beside the Problems.
type Ask struct {
	Rights   []string // offered, as the policy spells them, in its order
	Kinds    []string // of identities that the company's systems know; email first
	Notes    []string // what the policy does not cover, and whom to ask instead
	NoMail   bool     // nobody is written to: only what needs no proof is offered
	Key      string   // idempotency key, fresh for each form
	Problems []FieldProblem

	Right       string
	Residence   string // ISO 3166; empty if not told
	Email       personal.Text
	Name        personal.Text
	Account     personal.Text
	Details     personal.Text
	About       string   // number of the request that a complaint is about
	Hows        []string // what may become of what is erased, where the person chooses; none: nothing is left to choose
	How         string   // which of them; empty: what the policy says
	Identities  []Named
	Corrections []Correction
}

func (Ask) name() string               { return "ask" }
func (Ask) title(w words.Words) string { return w.T("ask.title") }
func (a Ask) failed() bool             { return len(a.Problems) > 0 }

// Problem returns what is wrong with a field, nil if nothing is.
func (a Ask) Problem(f string) *FieldProblem { return find(a.Problems, f) }

// Described returns the attributes that tie a field to its hint and its problem.
func (a Ask) Described(field string, hint bool) template.HTMLAttr {
	return described(a.Problems, field, hint)
}

// Complains reports whether complaints are on offer.
func (a Ask) Complains() bool { return slices.Contains(a.Rights, "complaint") }

// Unproven reports whether something is on offer that waits for no proof.
func (a Ask) Unproven() bool {
	return slices.ContainsFunc(a.Rights, func(r string) bool { return policy.Right(r).Unverified() })
}

// Corrects reports whether corrections are on offer.
func (a Ask) Corrects() bool { return slices.Contains(a.Rights, "rectification") }

// Rows that a form has without a script that adds some.
const (
	correctionRows = 3
	identityRows   = 2
)

// CorrectionRows returns what was entered and empty rows after it.
func (a Ask) CorrectionRows() []Correction { return fill(a.Corrections, correctionRows) }

// IdentityRows returns what was entered and empty rows after it.
func (a Ask) IdentityRows() []Named { return fill(a.Identities, identityRows) }

// IdentityKinds returns the kinds to choose from.
func (a Ask) IdentityKinds() []string {
	if len(a.Kinds) == 0 {
		return []string{string(personal.KindEmail), string(personal.KindAccount), string(personal.KindPhone)}
	}
	return a.Kinds
}

// Opened reports whether the optional part holds something to look at.
func (a Ask) Opened() bool {
	return len(a.Identities) > 0 || a.Account != personal.Text{} ||
		slices.ContainsFunc(a.Problems, func(p FieldProblem) bool { return p.Field == "account" || p.Field == "identities" })
}

func fill[T any](rows []T, n int) []T {
	rows = slices.Clone(rows)
	for len(rows) < n {
		rows = append(rows, *new(T))
	}
	return rows
}

// FieldProblem says that a field of the form cannot be used. What is expected
// there stands in the catalogue, as problem.<field>.
type FieldProblem struct {
	// Field is right, residence, email, name, account, identities, details, about, corrections, code, reply, files,
	// appeal, choices, wording, halted or visitor.
	Field string
}

// Key is where the catalogue says what is expected.
func (p FieldProblem) Key() string { return "problem." + p.Field }

// Anchor is the id of what to mend.
func (p FieldProblem) Anchor() string {
	if p.Field == "wording" || p.Field == "halted" {
		return "choices" // it is about them
	}
	return p.Field
}

func find(problems []FieldProblem, field string) *FieldProblem {
	i := slices.IndexFunc(problems, func(p FieldProblem) bool { return p.Field == field })
	if i < 0 {
		return nil
	}
	return &problems[i]
}

func described(problems []FieldProblem, field string, hint bool) template.HTMLAttr {
	by, invalid := "", ""
	if hint {
		by = field + "-hint"
	}
	if find(problems, field) != nil {
		if hint {
			by += " "
		}
		by += field + "-problem"
		invalid = ` aria-invalid="true"`
	}
	if by == "" {
		return ""
	}
	return template.HTMLAttr(`aria-describedby="` + by + `"` + invalid) // #nosec G203 -- field names of our own
}

// Asked asks for the code that was mailed. It is the same whether or not anybody
// is known under the address. It posts code, for and do (verify, or again to
// have another mail) to Path.
type Asked struct {
	Verb      Verb // Verify, Deliver for a fresh code before a download, or Show for what waits for no proof
	ID        string
	Path      string    // /requests/{id}
	Key       string    // idempotency key of the code's form
	AgainKey  string    // and of the other one
	CodeUntil time.Time // zero if it must not be told: the page is the same for every id
	Again     bool      // another mail was just sent
	Problems  []FieldProblem
}

func (Asked) name() string                 { return "asked" }
func (a Asked) title(w words.Words) string { return w.T("asked." + string(a.Verb) + ".title") }
func (a Asked) failed() bool               { return len(a.Problems) > 0 }

// Problem returns what is wrong with a field, nil if nothing is.
func (a Asked) Problem(f string) *FieldProblem { return find(a.Problems, f) }

// Described returns the attributes that tie a field to its hint and its problem.
func (a Asked) Described(field string, hint bool) template.HTMLAttr {
	return described(a.Problems, field, hint)
}

// Confirm is the page behind a mailed link: it says what its one button does.
// Opening it does nothing, so that a mail scanner cannot act.
type Confirm struct {
	Verb     Verb
	Path     string // /r/{token}
	Key      string
	ID       string
	Right    string
	Received time.Time
	Starts   time.Time      // of work that cannot be undone
	Until    time.Time      // the link works
	Address  personal.Email // for the verb Address
}

func (Confirm) name() string                 { return "confirm" }
func (c Confirm) title(w words.Words) string { return w.T("confirm." + string(c.Verb) + ".title") }

// Done says that the button did what it said.
type Done struct {
	Verb     Verb
	ID       string
	Starts   time.Time
	AnswerBy time.Time
	Follow   string // where the request can be followed; empty: nowhere
}

func (Done) name() string                 { return "done" }
func (d Done) title(w words.Words) string { return w.T("done." + string(d.Verb) + ".title") }

// Gone is the page behind a link that was used or is too old. It posts do=again to Path.
type Gone struct {
	Path string // where a new link can be asked for; empty: only by a new request
	Key  string
	// Choice is the page where one begins anew, if the link was about choices or an account:
	// choices, preferences or close; empty: it was about a request.
	Choice string
}

func (Gone) name() string               { return "gone" }
func (Gone) title(w words.Words) string { return w.T("gone.title") }

// Problem says that something did not work, and what to do next.
type Problem struct {
	Kind       fault.Kind
	Code       string // of the fault; some have words of their own
	RetryAfter time.Duration
	Reference  string // for us to find it in the log; empty: none
}

func (Problem) name() string                 { return "problem" }
func (p Problem) title(w words.Words) string { return w.T(p.Key() + ".title") }

// Key is where the catalogue speaks about the problem.
func (p Problem) Key() string {
	if p.Code == MailIsOff {
		return "trouble." + MailIsOff
	}
	name, ok := troubles[p.Kind]
	if !ok {
		name = troubles[fault.Internal]
	}
	return "trouble." + name
}

// MailIsOff is the code of what cannot be done where nobody is written to.
const MailIsOff = "mail_is_off"

// Leads reports whether beginning anew may help.
func (p Problem) Leads() bool { return p.Code != MailIsOff }

// Next says what to do next.
func (p Problem) Next(w words.Words) string {
	if p.RetryAfter > 0 {
		return w.N("trouble.minutes", int((p.RetryAfter+time.Minute-1)/time.Minute))
	}
	return w.T(p.Key() + ".next")
}

var troubles = map[fault.Kind]string{
	fault.Internal:        "internal",
	fault.Invalid:         "invalid",
	fault.Unauthenticated: "unauthenticated",
	fault.Forbidden:       "forbidden",
	fault.NotFound:        "not_found",
	fault.Conflict:        "conflict",
	fault.Gone:            "gone",
	fault.TooLarge:        "too_large",
	fault.Mismatch:        "mismatch",
	fault.TooMany:         "too_many",
	fault.Unavailable:     "unavailable",
}
