package consent

// Why is the reason of a decision. It is part of the API.
type Why string

// The reasons to say yes.
const (
	ByConsent Why = "consent"     // granted, and in force
	ByDefault Why = "default"     // nobody chose, and the default is on where they live
	ByBasis   Why = "legal_basis" // the purpose rests on another basis than a choice
	Always    Why = "always_sent" // legal, security and account notices
	Essential Why = "essential"   // it cannot be refused
)

// The reasons to say no. Those of package policy's stops are spelled as they are there.
const (
	NeverAsked     Why = "not_asked"
	WasDenied      Why = "denied"
	WasWithdrawn   Why = "withdrawn"
	Unconfirmed    Why = "unconfirmed" // the mail's button was not pressed yet
	Lapsed         Why = "expired"
	WordingChanged Why = "wording_changed" // agreed to an earlier edition
	WasHalted      Why = "halted"
	UnknownPurpose Why = "unknown_purpose"
	NeedsAct       Why = "act_needed" // a consent is for one act, which the question does not name
)
