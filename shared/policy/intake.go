package policy

import "slices"

// Intake is one channel by which data arrives, and what of it may be kept. What is
// not named is thrown away, or refused, before anything is stored.
type Intake struct {
	ID       string
	Label    Text
	Category string
	From     Origin
	Outside  string      // who, for the origin outside: one of the category's from_outside
	Keep     []string    // the fields that are needed; a dot goes into an object: stats.users
	Unknown  Unknown     // what becomes of a field that is not named
	Refuse   []Forbidden // values that are refused whatever the field is called
}

// Unknown is what becomes of a field that nobody needs.
type Unknown string

// The ways.
const (
	DropField   Unknown = "drop"
	RefuseField Unknown = "refuse"
)

// Forbidden is a kind of value that is never taken.
type Forbidden string

// The kinds.
const (
	CardNumbers      Forbidden = "card_number"      // 13 to 19 digits that satisfy the check of ISO/IEC 7812-1
	PrecisePositions Forbidden = "precise_position" // latitude and longitude finer than 0.1 degree
	GovernmentIDs    Forbidden = "government_id"
)

func (p *Policy) readIntake(id string, o *object) {
	p.Intakes = append(p.Intakes, Intake{
		ID:       id,
		Label:    o.text("label", need),
		Category: o.line("category", need, identifier),
		From:     word(o, "from", need, []Origin{FromPerson, FromMachine, FromOthers}),
		Outside:  o.line("outside", needIf(o.spells("from", string(FromOthers))), anyLine),
		Keep:     o.lines("keep", need, fieldPath),
		Unknown:  word(o, "unknown", need, []Unknown{DropField, RefuseField}),
		Refuse:   words(o, "refuse", may, []Forbidden{CardNumbers, PrecisePositions, GovernmentIDs}),
	})
}

// IntakeChannel returns the channel with that id.
func (p *Policy) IntakeChannel(id string) (Intake, bool) {
	i := slices.IndexFunc(p.Intakes, func(c Intake) bool { return c.ID == id })
	if i < 0 {
		return Intake{}, false
	}
	return p.Intakes[i], true
}
