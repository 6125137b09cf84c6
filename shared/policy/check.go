package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rightsdesk/shared/law"
	"rightsdesk/shared/personal"
)

// report notes a problem at a path.
type report func(path, format string, args ...any)

// checks compare what the sections say with each other. The first group is
// about the file being whole; the second holds the policy to its own promises.
var checks = []func(*Policy, report){
	checkReferences, checkProse, checkCategories, checkSources, checkTables, checkCorrections, checkPeriods,
	checkRegimes, checkProofs, checkRefusals, checkBuckets, checkPools,

	checkRules, checkDuties, checkEnds, checkPapers, checkIntakes,

	checkConsents, checkDefaults, checkSignals, checkChoices, checkCookies, checkSecrets,

	checkSales, checkOptOuts, checkTracking, checkCards, checkContact, checkRecipients, checkSafeguards, checkLocations,
}

// checkReferences refuses names of things that are declared nowhere.
func checkReferences(p *Policy, refuse report) {
	categories := namesOf(p.Categories, func(c Category) string { return c.ID })
	populations := namesOf(p.Scope.Populations, func(q Population) string { return q.ID })
	purposes := namesOf(p.Purposes, func(u Purpose) string { return u.ID })
	recipients := namesOf(p.Recipients, func(r Recipient) string { return r.ID })
	known := func(path, what, section, id string, declared []string) {
		if id != "" && !slices.Contains(declared, id) {
			refuse(path, "there is no %s `%s`; declared under %s: %s", what, id, section, strings.Join(declared, ", "))
		}
	}
	all := func(path, what, section string, ids, declared []string) {
		for i, id := range ids {
			known(fmt.Sprintf("%s[%d]", path, i), what, section, id, declared)
		}
	}
	for _, c := range p.Categories {
		all("categories."+c.ID+".subjects", "population", "scope.populations", c.Subjects, populations)
	}
	for category := range p.Fields {
		known("fields."+category, "category", "categories", category, categories)
	}
	for _, u := range p.Purposes {
		all("purposes."+u.ID+".categories", "category", "categories", u.Categories, categories)
	}
	for _, c := range p.Consents {
		known("consents."+c.Purpose, "purpose", "purposes", c.Purpose, purposes)
	}
	for _, e := range p.Choices {
		known("choices."+e.ID+".purpose", "purpose", "purposes", e.Purpose, purposes)
	}
	for _, c := range p.Cookies {
		known("cookies."+c.ID+".purpose", "purpose", "purposes", c.Purpose, purposes)
	}
	for _, to := range p.Recipients {
		all("recipients."+to.ID+".categories", "category", "categories", to.Categories, categories)
	}
	for _, s := range p.Sources {
		at := "sources." + s.ID
		known(at+".run_by", "recipient", "recipients", s.RunBy, recipients)
		held := namesOf(s.Holdings, func(h Holding) string { return h.Category })
		for _, h := range s.Holdings {
			known(at+".holdings."+h.Category, "category", "categories", h.Category, categories)
		}
		for i, rule := range s.DynamoDB.Items {
			known(fmt.Sprintf("%s.dynamodb.items[%d].category", at, i), "holding", at+".holdings", rule.Category, held)
		}
	}
}

func namesOf[T any](list []T, name func(T) string) []string {
	names := make([]string, len(list))
	for i, e := range list {
		names[i] = name(e)
	}
	return names
}

// checkCategories refuses data without a purpose, data that no request could
// find, and gaps in the answer that California demands.
func checkCategories(p *Policy, refuse report) {
	_, know := p.Rights[Know]
	for _, c := range p.Categories {
		at := "categories." + c.ID
		if len(p.PurposesOf(c.ID)) == 0 {
			refuse(at, "no purpose uses this category; name it under a purpose, or do not hold it")
		}
		if !slices.ContainsFunc(p.Sources, func(s Source) bool { _, ok := s.Holding(c.ID); return ok }) {
			refuse(at, "no source holds this category, so no request could find it; add it to the holdings of a source (`kind: task` if a team looks by hand)")
		}
		if know && c.California.Category == "" {
			refuse(at+".california", "is required, because the right `know` is offered; its answer lists California's categories")
		}
	}
}

// checkSources refuses a source that mixes the data we decide about with data
// that we hold for somebody else: what becomes of a request differs.
func checkSources(p *Policy, refuse report) {
	for _, s := range p.Sources {
		for _, h := range s.Holdings {
			if c, ok := p.Category(h.Category); ok && c.Role != s.Role {
				refuse("sources."+s.ID+".holdings."+h.Category, "the source says `acts_as: %s`, its category `acts_as: %s`; they must agree", s.Role, c.Role)
			}
		}
	}
}

// checkTables refuses a table that cannot be asked for a person in every way it is said to know them.
func checkTables(p *Policy, refuse report) {
	for _, s := range p.Sources {
		if s.Kind != KindDynamoDB {
			continue
		}
		at := "sources." + s.ID
		for i, kind := range s.Identities {
			if kind != "" && !slices.ContainsFunc(s.DynamoDB.FindBy, func(l Lookup) bool { return l.Identity == kind }) {
				refuse(fmt.Sprintf("%s.known_by[%d]", at, i), "dynamodb.find_by does not say how items are found by %s", kind)
			}
		}
		for _, l := range s.DynamoDB.FindBy {
			if !slices.Contains(s.Identities, l.Identity) {
				refuse(at+".dynamodb.find_by."+string(l.Identity), "known_by does not list %s; a source is asked by those kinds only", l.Identity)
			}
		}
		for _, t := range s.DynamoDB.Ties {
			tie := at + ".dynamodb.ties." + string(t.Identity)
			if t.FoundBy != "" && !slices.Contains(s.Identities, t.FoundBy) {
				refuse(tie+".found_by", "known_by does not list %s", t.FoundBy)
			}
			if t.FoundBy == t.Identity {
				refuse(tie+".found_by", "must be another kind than the one it proves")
			}
		}
		for _, h := range s.Holdings {
			if !slices.ContainsFunc(s.DynamoDB.Items, func(r ItemRule) bool { return r.Category == h.Category }) {
				refuse(at+".holdings."+h.Category, "dynamodb.items has no rule that puts an item into this category")
			}
		}
	}
}

// checkBuckets refuses a bucket that cannot be asked for a person in every way it is
// said to know them, and objects of no category.
func checkBuckets(p *Policy, refuse report) {
	for _, s := range p.Sources {
		if s.Kind != KindS3 {
			continue
		}
		at := "sources." + s.ID
		for i, kind := range s.Identities {
			_, below := s.S3.Prefix[kind]
			_, tagged := s.S3.Tag[kind]
			if kind != "" && !below && !tagged {
				refuse(fmt.Sprintf("%s.known_by[%d]", at, i), "neither s3.prefix nor s3.tag says how objects are found by %s", kind)
			}
		}
		for key, ways := range map[string]map[personal.Kind]string{"prefix": s.S3.Prefix, "tag": s.S3.Tag} {
			for kind := range ways {
				if !slices.Contains(s.Identities, kind) {
					refuse(at+".s3."+key+"."+string(kind), "known_by does not list %s; a source is asked by those kinds only", kind)
				}
			}
		}
		for i, rule := range s.S3.Objects {
			if _, held := s.Holding(rule.Category); !held && rule.Category != "" {
				refuse(fmt.Sprintf("%s.s3.objects[%d].category", at, i), "is no holding of this source")
			}
		}
		for _, h := range s.Holdings {
			if !slices.ContainsFunc(s.S3.Objects, func(r ObjectRule) bool { return r.Category == h.Category }) {
				refuse(at+".holdings."+h.Category, "s3.objects has no rule that puts an object into this category")
			}
		}
	}
}

// checkPools refuses to ask a user pool for what it finds nobody by.
func checkPools(p *Policy, refuse report) {
	known := []personal.Kind{personal.KindAccount, personal.KindEmail, personal.KindPhone}
	for _, s := range p.Sources {
		for i, kind := range s.Identities {
			if s.Kind == KindCognito && kind != "" && !slices.Contains(known, kind) {
				refuse(fmt.Sprintf("sources.%s.known_by[%d]", s.ID, i), "must be one of: %s; a user pool finds nobody by anything else", list(known))
			}
		}
		for kind := range s.Cognito.Ties {
			if slices.Contains(s.Identities, kind) && kind != personal.KindAccount {
				refuse("sources."+s.ID+".cognito.ties."+string(kind), "must be a kind that users are not found by")
			}
		}
	}
}

// checkCorrections refuses to let history be rewritten, and corrections of
// fields that the policy does not offer to correct.
func checkCorrections(p *Policy, refuse report) {
	for category, fields := range p.Fields {
		c, _ := p.Category(category)
		for _, f := range fields {
			if f.Correctable != "" && (f.Historical || c.Historical) {
				refuse("fields."+category+"."+f.Name+".correctable", "must be left out; a historical field says what was and is not corrected")
			}
		}
	}
	for _, s := range p.Sources {
		for _, h := range s.Holdings {
			for name := range h.Correctable {
				if f, _ := p.Field(h.Category, name); f.Correctable != ByRequest {
					refuse("sources."+s.ID+".holdings."+h.Category+".correctable."+name, "fields.%s.%s must say `correctable: request` for it to be corrected here", h.Category, shown(name))
				}
			}
		}
	}
}

// checkPeriods refuses periods that contradict each other or a law the policy names.
func checkPeriods(p *Policy, refuse report) {
	if v := p.Verification; v.LapseAfter < v.LinkPeriod {
		refuse("verification.lapse_after", "must not be shorter than link_period (%s)", short(v.LinkPeriod))
	}
	if e, ok := p.Rights[Erasure]; ok && e.PromisedDays > 0 && e.Cooling >= time.Duration(e.PromisedDays)*24*time.Hour {
		refuse("rights.erasure.cooling", "must be shorter than promised_days (%d), or the promise is broken before the work begins", e.PromisedDays)
	}
	for _, g := range p.Regimes {
		if strings.HasPrefix(g.ID, "us-ca-") && !p.Retention.Requests.atLeast(24) {
			refuse("retention.requests", "must be 24mo or longer under %s (11 CCR 7101)", g.ID)
		}
	}
}

// checkRegimes refuses a law that nobody could count dates by.
func checkRegimes(p *Policy, refuse report) {
	for _, g := range p.Regimes {
		if _, ok := law.ByID(g.ID); !ok {
			refuse("regimes."+g.ID, "there is no law pack of this id; there is: %s", strings.Join(near(g.ID), ", "))
		}
	}
}

// near returns the ids of the law packs that begin most like the id.
func near(id string) []string {
	var ids []string
	most := 0
	for _, pack := range law.Packs() {
		n := 0
		for n < len(id) && n < len(pack.ID) && id[n] == pack.ID[n] {
			n++
		}
		if n > most {
			ids, most = nil, n
		}
		if n == most {
			ids = union(ids, []string{pack.ID})
		}
	}
	return ids
}

// checkProofs refuses to ask people for what the law forbids to ask, and to hand
// anything out to somebody who has shown nothing.
func checkProofs(p *Policy, refuse report) {
	for _, right := range AllRights {
		rule := p.Rights[right]
		for i, proof := range rule.Proof {
			at := fmt.Sprintf("rights.%s.proof[%d]", right, i)
			for _, g := range p.Regimes {
				if no, forbidden := law.Forbids(g.ID, string(right), proof); forbidden && overlap(rule.Residences, g.AppliesTo) {
					refuse(at, "must not be %s under %s (%s): %s", proof, g.ID, no.Article, no.Text)
				}
			}
			switch {
			case proof == "":
			case right.Unverified() && proof != law.NoProof:
				refuse(at, "must be %s: who asks for this need not show who they are", law.NoProof)
			case !right.Unverified() && proof == law.NoProof:
				refuse(at, "must not be %s: nothing is shown or changed before somebody has shown who they are", law.NoProof)
			}
		}
	}
}

// checkRefusals refuses circumstances that no law of the file accepts.
func checkRefusals(p *Policy, refuse report) {
	known := union(nil, namesOf(p.reasons(), func(r law.Reason) string { return r.Code }))
	for i, code := range p.Refusals {
		if code != "" && !slices.Contains(known, code) {
			refuse(fmt.Sprintf("refusals[%d]", i), "the laws under `regimes` know no such reason; they know: %s", strings.Join(known, ", "))
		}
	}
}

// checkSales holds the policy to "never sold" and "no data broker": whatever a
// purpose is based on, consent included, nothing may go to anybody for value.
func checkSales(p *Policy, refuse report) {
	if p.Asserts(NeverSold) {
		for _, u := range p.Purposes {
			if u.ForValue {
				refuse("purposes."+u.ID+".for_value", "must be false: assertions.never_sold says that personal data is not sold, on no legal basis")
			}
		}
		for _, to := range p.Recipients {
			if to.ForValue {
				refuse("recipients."+to.ID+".for_value", "must be false: assertions.never_sold says that personal data is not sold to anybody")
			}
		}
	}
	if p.Asserts(NotADataBroker) {
		for _, to := range p.Recipients {
			for i, id := range to.Categories {
				if c, _ := p.Category(id); to.ForValue && slices.Contains(c.From, FromOthers) {
					refuse(fmt.Sprintf("recipients.%s.categories[%d]", to.ID, i), "must not go there for value: assertions.not_a_data_broker, and we have `%s` from others than the person", id)
				}
			}
		}
	}
}

func checkCards(p *Policy, refuse report) {
	if !p.Asserts(NoCardData) {
		return
	}
	for category, fields := range p.Fields {
		for _, f := range fields {
			if f.HeldNotShown == CardNumber {
				refuse("fields."+category+"."+f.Name+".held_not_shown", "must not be card_number: assertions.no_card_data says that no card number is held")
			}
		}
	}
}

func checkContact(p *Policy, refuse report) {
	if !p.Asserts(ContactIsAPerson) {
		return
	}
	if p.Contact.Person == "" {
		refuse("contact.person", "is required: assertions.contact_is_a_person says that the contact is a named person")
	}
	if p.Contact.PostalAddress == "" {
		refuse("contact.postal_address", "is required: assertions.contact_is_a_person says that the contact has a postal address")
	}
}

// checkRecipients holds every recipient to the closed set of classes and to the
// undertakings that the policy promises of all of them. A public authority gives none.
func checkRecipients(p *Policy, refuse report) {
	rules := p.RecipientRules
	for _, to := range p.Recipients {
		at := "recipients." + to.ID
		if len(rules.Classes) > 0 && to.Class != "" && !slices.Contains(rules.Classes, to.Class) {
			refuse(at+".class", "must be one of the classes in recipient_rules: %s", list(rules.Classes))
		}
		missing := slices.DeleteFunc(slices.Clone(rules.Undertakings), func(u Undertaking) bool { return slices.Contains(to.Undertakings, u) })
		if len(missing) > 0 && to.Class != PublicAuthority {
			refuse(at+".undertakings", "must have %s as well: recipient_rules.undertakings promises it of every recipient", list(missing))
		}
	}
}

// checkSafeguards refuses, under the GDPR, a recipient outside the EEA without a
// safeguard (chapter V). A public authority gets data because a law compels it.
func checkSafeguards(p *Policy, refuse report) {
	if !slices.ContainsFunc(p.Regimes, func(g Regime) bool { return g.ID == "eu-gdpr" }) {
		return
	}
	for _, to := range p.Recipients {
		if to.Country != "" && !Covers([]string{EEA}, to.Country) && to.Safeguard == "" && to.Class != PublicAuthority {
			refuse("recipients."+to.ID+".safeguard", "is required under eu-gdpr, because %s is outside the EEA; one of: %s", to.Country, list(safeguards))
		}
	}
}

// checkLocations holds sources that the company controls to the promised countries.
func checkLocations(p *Policy, refuse report) {
	promised := p.Locations.ControllerData
	for _, s := range p.Sources {
		if len(promised) > 0 && s.Country != "" && s.Role == AsController && !Covers(promised, s.Country) {
			refuse("sources."+s.ID+".country", "must be one of: %s; locations.controller_data promises that data the company controls stays there", strings.Join(promised, ", "))
		}
	}
}

func list[T ~string](words []T) string {
	return strings.TrimPrefix(oneOf(words).says, "must be one of: ")
}
