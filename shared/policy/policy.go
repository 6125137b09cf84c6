// Package policy is the policy file: what a company promises about personal
// data, in a form that the backend can keep. Parse reads one, refuses it with
// every problem at its line and column, or returns a Policy whose promises agree
// with each other: a file that says "never sold" beside a buyer is refused.
// Published is the half of it that everybody may see.
//
// A section that no machinery enforces yet is refused: a promise in the file
// that nobody keeps would be worse than none. Each release that enforces more
// adds its sections. The keys a section may have are those its reading code asks
// for; schema.json says the same for editors, and a test compares the two.
//
// Package policy knows no HTTP, no AWS and no clock. Everything may import it;
// it imports law, personal and source, whose words a policy uses.
package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
)

// Policy is one version of a company's promises. Lists are in the order of the
// file. A Policy is read-only: many requests share one.
type Policy struct {
	// Version names the content: "p1-" and the first 16 digits of what sha256sum
	// says about the file. A changed comment is a new version; a version never
	// means two contents.
	Version string

	Document       Document
	Controller     Controller
	Contact        Contact
	Operators      Operators
	Authorities    []Authority
	Scope          Scope
	Regimes        []Regime
	Rights         map[Right]RightRule
	Refusals       []string // codes of the law's reasons; nil: all of them, empty: none
	Verification   Verification
	Categories     []Category
	Fields         map[string][]Field // by category
	Purposes       []Purpose
	Consents       []Consent
	Signals        Signals
	Choices        []Elsewhere
	Cookies        []Cookie
	RecipientRules RecipientRules
	Recipients     []Recipient
	Locations      Locations
	Sources        []Source
	Apps           []App
	Browsers       Browsers
	Retention      Retention
	Closure        Closure
	RetentionRules []RetentionRule // written in the file, and one for each duty to keep
	Relationships  map[string]Text // what ends with relationship.ended, by id: a licence, an evaluation
	Intakes        []Intake
	Assertions     map[Assertion][]Tense
}

// laterSections are what the policy format is going to hold. Until something
// enforces them they are refused by name, so that nobody takes a spelling
// mistake for a missing feature or the other way round.
var laterSections = []string{
	"access", "disclaimers", "disclosures", "emergency", "notices",
	"publication", "security_measures", "telemetry", "tracking", "transfers",
}

// Parse reads a policy file. The error is Problems, all that were found.
func Parse(file []byte) (*Policy, error) {
	root, problems := load(file)
	if len(problems) > 0 {
		return nil, problems.sorted()
	}
	r := &reader{places: map[string]place{}, refused: map[string]bool{}}
	p := &Policy{Version: versionOf(file)}
	r.object("", root, p.read)
	for _, check := range checks {
		check(p, func(path, format string, args ...any) {
			if !r.hasProblem(path) { // one thing, one problem: what was misread is not judged as well
				r.refuse(path, format, args...)
			}
		})
	}
	if len(r.problems) > 0 {
		return nil, r.problems.sorted()
	}
	return p, nil
}

// read reads the sections. The document comes first: it says in which languages
// all the others speak.
func (p *Policy) read(o *object) {
	const format = "must be 1, the version of the policy format"
	if n := o.take("format", need, format); n != nil && (n.Tag != "!!int" || n.Value != "1") {
		o.r.refuse("format", format)
	}
	o.section("document", need, p.readDocument)
	o.section("controller", need, p.readController)
	o.section("contact", need, p.readContact)
	o.section("operators", may, p.readOperators)
	o.entries("authorities", may, residence, p.readAuthority)
	o.section("scope", need, p.readScope)
	o.entries("regimes", some, regimeID, p.readRegime)
	o.section("rights", need, p.readRights)
	p.readRefusals(o)
	o.section("verification", may, p.readVerification)
	o.entries("categories", some, identifier, p.readCategory)
	o.entries("fields", may, identifier, p.readFields)
	o.entries("purposes", some, identifier, p.readPurpose)
	o.entries("consents", may, identifier, p.readConsent)
	o.section("signals", may, p.readSignals)
	o.entries("choices", may, identifier, p.readChoice)
	o.entries("cookies", may, identifier, p.readCookie)
	o.section("recipient_rules", may, p.readRecipientRules)
	o.entries("recipients", need, identifier, p.readRecipient)
	o.section("locations", may, p.readLocations)
	o.entries("sources", some, identifier, p.readSource)
	o.entries("apps", may, identifier, p.readApp)
	o.section("browsers", may, p.readBrowsers)
	o.section("retention", may, p.readRetention)
	o.section("closure", may, p.readClosure)
	o.section("relationships", may, p.readRelationships)
	o.entries("retention_rules", may, identifier, p.readRetentionRule)
	p.endDuties()
	o.entries("intake", may, identifier, p.readIntake)
	o.section("assertions", may, p.readAssertions)
}

func versionOf(file []byte) string {
	sum := sha256.Sum256(file)
	return "p1-" + hex.EncodeToString(sum[:8])
}

// Text is a text in each language of the policy, by language: en, fr.
type Text map[string]string

// In returns the text in the language, or in English, or in the first language
// there is: a person is better served in a foreign language than not at all.
func (t Text) In(language string) string {
	if s, ok := t[language]; ok {
		return s
	}
	if s, ok := t["en"]; ok {
		return s
	}
	for _, l := range slices.Sorted(maps.Keys(t)) {
		return t[l]
	}
	return ""
}

// Link is a text with the address where it leads.
type Link struct {
	Text Text
	URL  string
}
