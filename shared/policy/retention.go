package policy

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"rightsdesk/shared/source"
)

// RetentionRule is when something that a source holds has outlived its purpose, and
// what becomes of it then.
type RetentionRule struct {
	ID           string
	Source       string
	Category     string
	Trigger      Occasion
	Relationship string // for relationship_ended: which, such as licence; empty: the last of them
	Purpose      string // for purpose_ended: which
	Period       Period // after the trigger; zero: at once
	SetBy        SetBy
	Article      string // for a period that the law set
	Action       RetentionAction
	Masks        []source.Mask // for anonymise
	// Except is what the source itself keeps longer, and why. It is shown with the
	// rule; what only we know of, such as a dispute, is a hold.
	Except []Keep
	Brake  Brake
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

// Occasion is what a retention period begins with.
type Occasion string

// The occasions. The first two are times of a record and swept by age, the others
// happen to a person.
const (
	WhenCollected         Occasion = "collected"
	WhenLastUsed          Occasion = "last_used"
	WhenAccountClosed     Occasion = "account_closed"
	WhenRelationshipEnded Occasion = "relationship_ended"
	WhenPurposeEnded      Occasion = "purpose_ended" // consent to it was withdrawn or has ended
)

var occasions = []Occasion{WhenCollected, WhenLastUsed, WhenAccountClosed, WhenRelationshipEnded, WhenPurposeEnded}

// ByAge reports whether the occasion is a time of the record itself.
func (o Occasion) ByAge() bool { return o == WhenCollected || o == WhenLastUsed }

// occasion returns what the end of a duty is counted from.
func (e Event) occasion() Occasion {
	switch e {
	case FromClosure:
		return WhenAccountClosed
	case FromEnd:
		return WhenRelationshipEnded
	case FromCollection:
		return WhenCollected
	}
	return ""
}

// keptPrefix begins the ids of rules that are made of duties.
const keptPrefix = "keep-"

func (p *Policy) readRelationships(o *object) {
	for _, id := range o.order {
		text := o.text(id, need) // asks for the key, so that it is known
		switch {
		case !identifier.ok(id):
			o.r.refuse(o.at(shown(id)), "the key %s", identifier.says)
		case p.Relationships == nil:
			p.Relationships = map[string]Text{id: text}
		default:
			p.Relationships[id] = text
		}
	}
}

func (p *Policy) readRetentionRule(id string, o *object) {
	r := RetentionRule{
		ID:           id,
		Source:       o.line("source", need, identifier),
		Category:     o.line("category", need, identifier),
		Trigger:      word(o, "trigger", need, occasions),
		Relationship: o.line("relationship", may, identifier),
		Purpose:      o.line("purpose", needIf(o.spells("trigger", string(WhenPurposeEnded))), identifier),
		SetBy:        word(o, "set_by", need, []SetBy{SetByCompany, SetByLaw, SetByOperator}),
		Article:      o.line("article", may, anyLine),
		Action:       word(o, "action", need, []RetentionAction{RetireDelete, RetireAnonymise, RetireArchive}),
	}
	r.Period = o.period("period", needIf(r.Trigger.ByAge()), Period{})
	masked := may
	if r.Action == RetireAnonymise {
		masked = some
	}
	o.entries("masks", masked, fieldName, func(field string, m *object) { r.Masks = append(r.Masks, readMask(field, m)) })
	if o.has("except") {
		o.each("except", may, func(k *object) { r.Except = append(r.Except, readKeep(k)) })
	} else {
		o.asked = append(o.asked, "except")
	}
	o.section("brake", may, func(b *object) { r.Brake = b.brake(p.Retention.Brake) })
	r.check(o)
	p.RetentionRules = append(p.RetentionRules, r)
}

// check refuses keys of a rule that do not go together.
func (r RetentionRule) check(o *object) {
	if strings.HasPrefix(r.ID, keptPrefix) {
		o.r.refuse(o.path, "the key must not begin with %s: rules that are made of holdings with `action: keep` are called so", keptPrefix)
	}
	if o.has("relationship") && r.Trigger != WhenRelationshipEnded && r.Trigger != "" {
		o.r.refuse(o.at("relationship"), "is for `trigger: relationship_ended`")
	}
	if o.has("purpose") && r.Trigger != WhenPurposeEnded && r.Trigger != "" {
		o.r.refuse(o.at("purpose"), "is for `trigger: purpose_ended`")
	}
	if o.has("masks") && r.Action != RetireAnonymise && r.Action != "" {
		o.r.refuse(o.at("masks"), "is for `action: anonymise`")
	}
	if r.SetBy == SetByLaw && !o.has("article") {
		o.r.refuse(o.at("article"), "is required; a period that the law sets is named by its article")
	}
	if o.has("article") && r.SetBy != SetByLaw && r.SetBy != "" {
		o.r.refuse(o.at("article"), "is for `set_by: law`")
	}
}

// brake reads a brake; what it does not say is as it is otherwise.
func (o *object) brake(otherwise Brake) Brake {
	return Brake{Percent: o.percent("percent", otherwise.Percent), Cap: o.number("cap", otherwise.Cap, 100_000_000)}
}

// percent reads a share of a hundred, such as 5 or 0.5.
func (o *object) percent(key string, otherwise float64) float64 {
	const says = "must be a number from 0.01 to 100"
	n := o.take(key, may, says)
	if n == nil {
		return otherwise
	}
	f, err := strconv.ParseFloat(n.Value, 64)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" && n.Tag != "!!float" || err != nil || math.IsNaN(f) || f < 0.01 || f > 100 {
		o.r.refuse(o.at(key), says)
		return otherwise
	}
	return f
}

// endDuties makes a rule of each duty to keep: when it is over, what it kept goes.
func (p *Policy) endDuties() {
	for _, s := range p.Sources {
		for _, h := range s.Holdings {
			if s.Role != AsController || !h.Kept() || s.Kind == KindLogs {
				continue // whose data it is ends it, or the log group by itself does
			}
			set := SetByCompany
			if h.Keep.Ground == LegalDuty {
				set = SetByLaw
			}
			p.RetentionRules = append(p.RetentionRules, RetentionRule{
				ID: keptPrefix + s.ID + "-" + h.Category, Source: s.ID, Category: h.Category,
				Trigger: h.Keep.From.occasion(), Period: h.Keep.Period, SetBy: set, Article: h.Keep.Article,
				Action: RetireDelete, Brake: p.Retention.Brake, Kept: true,
			})
		}
	}
}

// RulesFor returns the rules about what a source holds of a category, in the order of
// the file; the one that ends a duty is among them.
func (p *Policy) RulesFor(source, category string) []RetentionRule {
	return slices.DeleteFunc(slices.Clone(p.RetentionRules), func(r RetentionRule) bool { return r.Source != source || r.Category != category })
}

// RetentionRule returns the rule with that id, be it written or made of a duty.
func (p *Policy) RetentionRule(id string) (RetentionRule, bool) {
	i := slices.IndexFunc(p.RetentionRules, func(r RetentionRule) bool { return r.ID == id })
	if i < 0 {
		return RetentionRule{}, false
	}
	return p.RetentionRules[i], true
}

// Retention is how long the product keeps its own records, and what bounds the
// work of its rules. What the company's stores hold is ruled by RetentionRules.
type Retention struct {
	Requests Period        // after a request ended
	Audit    Period        // of audit entries
	Salts    time.Duration // from an erasure until what it takes to read about the person is destroyed
	Brake    Brake         // of rules that have none of their own
	// AfterRelationship is the longest that anything stays once a relationship or an
	// account has ended; zero: the policy does not promise one.
	AfterRelationship Period
}

func (p *Policy) readRetention(o *object) {
	const day = 24 * time.Hour
	p.Retention = Retention{
		Requests:          o.period("requests", may, Period{Months: 24}), // California, 11 CCR 7101(a): at least 24 months
		Audit:             o.period("audit", may, Period{Years: 6}),
		Salts:             o.span("salts", 30*day, day, 180*day),
		AfterRelationship: o.period("after_relationship", may, Period{}),
	}
	o.section("brake", may, func(b *object) { p.Retention.Brake = b.brake(Brake{Percent: 5, Cap: 10_000}) })
}
