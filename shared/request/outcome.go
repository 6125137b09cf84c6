package request

// Outcome is how something that a person weighs ended: a challenge, a complaint,
// an appeal.
type Outcome string

// The outcomes.
const (
	Upheld       Outcome = "upheld"
	PartlyUpheld Outcome = "partly_upheld"
	Rejected     Outcome = "rejected"
)

// Outcomes lists every outcome.
var Outcomes = []Outcome{Upheld, PartlyUpheld, Rejected}
