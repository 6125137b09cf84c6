package mail

// Kind is which letter a mail is.
type Kind string

// The kinds. The comment says to whom and when.
const (
	Verify         Kind = "verify"           // the person, on asking, and when they ask for a new code
	Received       Kind = "received"         // the person, on asking for what waits for no proof: an opt-out
	ConfirmAddress Kind = "confirm_address"  // the owner of an address that a correction would set
	Verified       Kind = "verified"         // the person, once we know it was them
	Ready          Kind = "ready"            // the person: the package can be fetched
	Fulfilled      Kind = "fulfilled"        // the person: everything is done
	Denied         Kind = "denied"           // the person, with the reason and whom to complain to
	Revoked        Kind = "revoked"          // the person took the request back
	Lapsed         Kind = "lapsed"           // the person never confirmed: why it ends, and another way
	Remind         Kind = "remind"           // the person, a day later, who has not confirmed yet
	Asked          Kind = "asked"            // the person: an operator has a question
	StillAsked     Kind = "still_asked"      // the person, who has not answered it
	Extended       Kind = "extended"         // the person: it takes longer, why, and whom to complain to
	Late           Kind = "late"             // the person: the date has passed, and whom to complain to
	Decided        Kind = "decided"          // the person: how an appeal, a complaint or a challenge ended
	ConfirmConsent Kind = "confirm_consent"  // the owner of an address: it was given together with a consent, which counts once they say so
	RenewConsent   Kind = "renew_consent"    // the person, a month before a consent ends
	PreferenceLink Kind = "preferences_link" // the owner of an address: the way to their own choices, for which somebody asked
	ConfirmClosure Kind = "confirm_closure"  // the owner of an address: somebody asked to close the account; a button closes it
	ClosureBegun   Kind = "closure_begun"    // the person: the account closes, when, and how to take it back
	ClosureEnded   Kind = "closure_ended"    // the person: it was taken back
	Closed         Kind = "closed"           // the person, the last mail: what went, what stays, why and until when
	Digest         Kind = "digest"           // operators: what needs them
	Overdue        Kind = "overdue"          // the policy's contact: what is late
)

// Kinds lists every kind.
var Kinds = []Kind{Verify, Received, ConfirmAddress, Verified, Ready, Fulfilled, Denied, Revoked, Lapsed, Remind, Asked, StillAsked, Extended, Late, Decided, ConfirmConsent, RenewConsent, PreferenceLink, ConfirmClosure, ClosureBegun, ClosureEnded, Closed, Digest, Overdue}
