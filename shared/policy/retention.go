package policy

import (
	"slices"

	"rightsdesk/shared/source"
)

// RetentionRule is when something that a source holds has outlived its purpose, and
// what becomes of it then.
type RetentionRule struct {
	ID           string
	Source       string
	Category     string
	Trigger      Occasion
	Relationship string // for relationship_ended: which, such as licence; empty: any
	Purpose      string // for purpose_ended: which
	Period       Period // after the trigger; zero: at once
	SetBy        SetBy
	Action       RetentionAction
	Masks        []source.Mask // for anonymise
	Except       []Keep        // what stays longer, and why: checked when the rule is read, shown with it
	Brake        Brake
	// Kept says that the rule ends a duty to keep, and was made of a holding's keep.
	Kept bool
}

// Brake stops a run that would take more than a fair share.
type Brake struct {
	Percent float64 // of the last counted inventory, in one day
	Cap     int     // records in one day, whatever was counted
}

// RetentionAction is what a retention rule does.
type RetentionAction string

// The actions of retention rules.
const (
	RetireDelete    RetentionAction = "delete"
	RetireAnonymise RetentionAction = "anonymise"
	RetireArchive   RetentionAction = "archive"
)

// SetBy is who set a period.
type SetBy string

// Who sets periods.
const (
	SetByCompany  SetBy = "company" // it promised so
	SetByLaw      SetBy = "law"
	SetByOperator SetBy = "operator" // whoever runs this installation
)

// RetentionRule returns the rule with that id, be it written or made of a duty.
func (p *Policy) RetentionRule(id string) (RetentionRule, bool) {
	i := slices.IndexFunc(p.RetentionRules, func(r RetentionRule) bool { return r.ID == id })
	if i < 0 {
		return RetentionRule{}, false
	}
	return p.RetentionRules[i], true
}

// Occasion is what a retention period begins with.
type Occasion string

// The occasions. The first two are times of a record and swept by age, the others
// happen to a person.
const (
	WhenCollected         Occasion = "collected"
	WhenLastUsed          Occasion = "last_used"
	WhenAccountClosed     Occasion = "account_closed"
	WhenRelationshipEnded Occasion = "relationship_ended"
	WhenPurposeEnded      Occasion = "purpose_ended" // consent to it was withdrawn or has ended, and no other basis is left
)

// ByAge reports whether the occasion is a time of the record itself.
func (o Occasion) ByAge() bool { return o == WhenCollected || o == WhenLastUsed }
