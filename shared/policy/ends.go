package policy

import (
	"fmt"
	"slices"
	"strings"
)

// checkRules refuses rules that nothing could follow: about what is not held, by a
// time that the store does not know, after an event that nobody tells of.
func checkRules(p *Policy, refuse report) {
	for i, r := range p.RetentionRules {
		if r.Kept {
			continue // checked where the duty stands
		}
		at := "retention_rules." + r.ID
		s, known := p.Source(r.Source)
		if !known {
			if r.Source != "" {
				ids := namesOf(p.Sources, func(s Source) string { return s.ID })
				refuse(at+".source", "there is no source `%s`; declared under sources: %s", r.Source, strings.Join(ids, ", "))
			}
			continue
		}
		h, held := s.Holding(r.Category)
		switch {
		case r.Category == "":
		case s.Role == AsProcessor:
			refuse(at+".source", "must not be a source that `acts_as: processor`; how long its data stays is for its controller to say")
		case s.Kind == KindLogs:
			refuse(at+".source", "must not be a source of `kind: logs`; its holdings say how long a log group keeps")
		case !held:
			ids := namesOf(s.Holdings, func(h Holding) string { return h.Category })
			refuse(at+".category", "the source `%s` holds no such category; it holds: %s", s.ID, strings.Join(ids, ", "))
		case h.Kept():
			refuse(at+".category", "is kept by sources.%s.holdings.%s.keep, which says for how long; there is no second end to it", s.ID, h.Category)
		}
		checkTrigger(p, r, s, refuse)
		if r.Action == RetireArchive && s.Kind != KindHTTP && s.Kind != KindS3 {
			refuse(at+".action", "must not be archive for a source of `kind: %s`; only a hook and a bucket have somewhere else to put it", s.Kind)
		}
		for _, before := range p.RetentionRules[:i] {
			if before.Source == r.Source && before.Category == r.Category && before.Trigger == r.Trigger && before.Relationship == r.Relationship && before.Purpose == r.Purpose {
				refuse(at+".trigger", "is that of retention_rules.%s, for the same category; one of them is never reached", before.ID)
			}
		}
	}
}

// checkTrigger refuses a rule that never begins.
func checkTrigger(p *Policy, r RetentionRule, s Source, refuse report) {
	at := "retention_rules." + r.ID
	switch {
	case r.Trigger.ByAge():
		switch {
		case s.Kind == KindDynamoDB && s.DynamoDB.Sweep.Time == "":
			refuse(at+".trigger", "the table does not say when; declare dynamodb.collected_at or dynamodb.sweep")
		case s.Kind == KindDynamoDB && string(s.DynamoDB.Sweep.Hand) != string(r.Trigger):
			refuse(at+".trigger", "the table says when its items were %s, and nothing else; see dynamodb.sweep", s.DynamoDB.Sweep.Hand)
		case r.Trigger == WhenLastUsed && (s.Kind == KindS3 || s.Kind == KindCognito):
			refuse(at+".trigger", "must not be last_used for a source of `kind: %s`; it does not know", s.Kind)
		}
	case r.Trigger == WhenAccountClosed:
		if !p.Closure.Offered && !p.tells() {
			refuse(at+".trigger", "nobody tells that an account was closed; offer `closure`, or let an app tell: `may: [lifecycle]`")
		}
	case r.Trigger == WhenRelationshipEnded:
		if r.Relationship != "" {
			checkRelationship(p, at+".relationship", r.Relationship, refuse)
		}
		checkEndIsTold(p, at+".trigger", refuse)
	case r.Trigger == WhenPurposeEnded:
		checkPurposeEnds(p, r, refuse)
	}
}

// tells reports whether an app may tell of what happens to accounts and relationships.
func (p *Policy) tells() bool {
	return slices.ContainsFunc(p.Apps, func(a App) bool { return slices.Contains(a.May, MayLifecycle) })
}

func checkRelationship(p *Policy, at, id string, refuse report) {
	if _, ok := p.Relationships[id]; !ok {
		refuse(at, "there is no relationship `%s`; they are declared under relationships", id)
	}
}

func checkEndIsTold(p *Policy, at string, refuse report) {
	switch {
	case len(p.Relationships) == 0:
		refuse(at, "the policy declares no relationship that could end; see relationships")
	case !p.tells():
		refuse(at, "nobody tells that a relationship ended; let an app tell: `may: [lifecycle]`")
	}
}

// checkPurposeEnds refuses to take data away from a purpose that goes on.
func checkPurposeEnds(p *Policy, r RetentionRule, refuse report) {
	at := "retention_rules." + r.ID + ".purpose"
	u, ok := p.Purpose(r.Purpose)
	switch _, chosen := p.Consent(r.Purpose); {
	case r.Purpose == "":
	case !ok:
		refuse(at, "there is no purpose `%s`; declared under purposes: %s", r.Purpose, strings.Join(namesOf(p.Purposes, func(u Purpose) string { return u.ID }), ", "))
	case !chosen:
		refuse(at, "must be one that people choose about, under consents; no other ends by their word")
	case !slices.Contains(u.Categories, r.Category):
		refuse(at, "must be one that uses the category `%s`", r.Category)
	default:
		for _, other := range p.PurposesOf(r.Category) {
			if other.ID != r.Purpose {
				refuse(at, "must be the only purpose of the category `%s`; `%s` uses it as well, and would lose it", r.Category, other.ID)
				return
			}
		}
	}
}

// checkDuties refuses a duty to keep whose end nobody would hear of, and a closure
// of what is not ours to close.
func checkDuties(p *Policy, refuse report) {
	for _, s := range p.Sources {
		for _, h := range s.Holdings {
			at := "sources." + s.ID + ".holdings." + h.Category
			if h.Kept() && h.Keep.From == FromEnd {
				checkEndIsTold(p, at+".keep.from", refuse)
			}
			if s.Role == AsProcessor && h.OnClosure != "" {
				refuse(at+".on_closure", "must be left out; what a source holds as a processor, no closure of ours touches")
			}
			if s.Role == AsProcessor && h.Either {
				refuse(at+".either", "must be left out; what a source holds as a processor is for its controller to delete or anonymise")
			}
		}
	}
	for _, r := range p.RetentionRules {
		for i, k := range r.Except {
			if k.From == FromEnd {
				checkEndIsTold(p, fmt.Sprintf("retention_rules.%s.except[%d].from", r.ID, i), refuse)
			}
		}
	}
}

// checkEnds refuses what would stay for ever: whatever we decide about ends by a rule,
// with the duty that keeps it, or with the account, where all whose data it is have one.
func checkEnds(p *Policy, refuse report) {
	most := p.Retention.AfterRelationship
	for _, s := range p.Sources {
		for _, h := range s.Holdings {
			if s.Role != AsController || h.Action == ActionKeep || h.Action == "" {
				continue
			}
			at := "sources." + s.ID + ".holdings." + h.Category
			rules := p.RulesFor(s.ID, h.Category)
			bound := p.endsWithAccount(h)
			switch {
			case len(rules) == 0 && !bound:
				refuse(at, "nothing ends it; write a rule for it under retention_rules%s", p.orAccount(h))
			case most.IsZero() || bound || slices.ContainsFunc(rules, func(r RetentionRule) bool {
				return r.Kept || r.Trigger != WhenPurposeEnded && !r.Period.longerThan(most)
			}):
			default:
				refuse(at, "nothing ends it within %s of the end of a relationship, which retention.after_relationship promises", most)
			}
		}
	}
}

// endsWithAccount reports whether the closure of the account ends the holding, for
// everybody whose data it can be.
func (p *Policy) endsWithAccount(h Holding) bool {
	c, ok := p.Category(h.Category)
	return ok && p.Closure.Offered && h.OnClosure != ActionKeep && !slices.ContainsFunc(c.Subjects, func(id string) bool {
		return !slices.ContainsFunc(p.Scope.Populations, func(q Population) bool { return q.ID == id && q.Account })
	})
}

// orAccount says what else than a rule would end a holding.
func (p *Policy) orAccount(h Holding) string {
	if !p.Closure.Offered {
		return ", or offer `closure`, which ends what is held of people who have an account"
	}
	c, _ := p.Category(h.Category)
	return fmt.Sprintf("; the closure of an account ends it only if all of its subjects (%s) have one: scope.populations says `account: true`", strings.Join(c.Subjects, ", "))
}

// checkPapers holds copies of government-issued papers to the shortest period that
// the file declares.
func checkPapers(p *Policy, refuse report) {
	papers := func(r RetentionRule) bool { c, _ := p.Category(r.Category); return c.IdentityDocument }
	for _, r := range p.RetentionRules {
		if r.Kept || !papers(r) {
			continue
		}
		for _, other := range p.RetentionRules {
			if !papers(other) && !other.Period.IsZero() && r.Period.longerThan(other.Period) {
				refuse("retention_rules."+r.ID+".period", "must not be longer than that of retention_rules.%s (%s); papers have the shortest period of all", other.ID, other.Period)
				break
			}
		}
	}
	for _, s := range p.Sources {
		for _, h := range s.Holdings {
			c, _ := p.Category(h.Category)
			if c.IdentityDocument && s.Role == AsController && !h.Kept() && len(p.RulesFor(s.ID, h.Category)) == 0 {
				refuse("sources."+s.ID+".holdings."+h.Category, "needs a rule under retention_rules; copies of papers do not wait for the account to be closed")
			}
		}
	}
}

// checkIntakes refuses a channel for what the category does not come from, and one
// that lets in what the policy says is never held.
func checkIntakes(p *Policy, refuse report) {
	for _, in := range p.Intakes {
		at := "intake." + in.ID
		c, ok := p.Category(in.Category)
		switch {
		case in.Category == "":
		case !ok:
			refuse(at+".category", "there is no category `%s`; declared under categories: %s", in.Category, strings.Join(namesOf(p.Categories, func(c Category) string { return c.ID }), ", "))
		case in.From != "" && !slices.Contains(c.From, in.From):
			refuse(at+".from", "must be one of those that the category `%s` comes from: %s", c.ID, list(c.From))
		case in.Outside != "" && in.From != FromOthers && in.From != "":
			refuse(at+".outside", "is for `from: outside`")
		case in.Outside != "" && !slices.Contains(c.FromOutside, in.Outside):
			refuse(at+".outside", "must be one of those that from_outside of the category `%s` names: %s", c.ID, strings.Join(c.FromOutside, ", "))
		}
		if p.Asserts(NoCardData) && !slices.Contains(in.Refuse, CardNumbers) {
			refuse(at+".refuse", "must have card_number: assertions.no_card_data says that no card number is held")
		}
		if c.Approximate && !slices.Contains(in.Refuse, PrecisePositions) {
			refuse(at+".refuse", "must have precise_position: the category `%s` is flagged approximate", c.ID)
		}
	}
}
