// Package receipttest judges receipts: it has the lists of the fields that their
// formats want, and the terms of the vocabulary that they may use.
//
// Nobody but tests imports it. It imports the standard library only, and nothing of
// the package that it judges.
package receipttest

import (
	_ "embed" // the list of terms
	"encoding/json"
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// The lists of fields below were written out by hand from the W3C community
// group's guide to ISO/IEC TS 27560 (final report of 1 August 2024, sections 8 and
// 9) and from Kantara's Consent Receipt Specification 1.1.0 with its JSON schema.
// What the guide calls MUST is in them, and what the comment says is its own.

// check is what a value has to look like.
type check func(any) bool

var (
	uuid4   = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	term    = regexp.MustCompile(`^(dpv|eu-gdpr|legal-eu|loc):[A-Za-z0-9-]+$`)
	locTerm = regexp.MustCompile(`^loc:(EEA|[A-Z]{2}(-[A-Z0-9]{1,3})?)$`)
)

func text(v any) bool { s, ok := v.(string); return ok && strings.TrimSpace(s) != "" }

func isUUID(v any) bool { s, ok := v.(string); return ok && uuid4.MatchString(s) }

func isTime(v any) bool {
	s, ok := v.(string)
	if !ok {
		return false
	}
	_, err := time.Parse(time.RFC3339Nano, s)
	return err == nil && strings.HasSuffix(s, "Z") // the specification wants UTC
}

func isURL(v any) bool {
	s, ok := v.(string)
	if !ok {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && u.IsAbs()
}

func isAddress(v any) bool {
	s, ok := v.(string)
	if !ok {
		return false
	}
	_, err := mail.ParseAddress(s)
	return err == nil
}

func isLocation(v any) bool { s, ok := v.(string); return ok && locTerm.MatchString(s) }

func isTerm(v any) bool { s, ok := v.(string); return ok && term.MatchString(s) }

func isBool(v any) bool { _, ok := v.(bool); return ok }

func isEpoch(v any) bool {
	n, ok := v.(json.Number)
	return ok && regexp.MustCompile(`^[0-9]+$`).MatchString(n.String())
}

func isObject(v any) bool { o, ok := v.(map[string]any); return ok && len(o) > 0 }

func isList(v any) bool { _, ok := v.([]any); return ok }

func only(values ...string) check {
	return func(v any) bool { s, ok := v.(string); return ok && slices.Contains(values, s) }
}

// anything is a value of several forms: an IRI, a node, a literal.
func anything(v any) bool { return text(v) || isObject(v) }

// Field is a field that has to be there. A step of its path may be narrowed to the
// nodes of a type, as in "dpv:hasStorageCondition[dpv:StorageLocation]": then one or
// more have to be of that type. Every node that a path leads to has to have the next step.
type Field struct {
	Name string // in ISO/IEC TS 27560, or in Kantara
	Path string
	ok   check
}

const (
	record  = "dpv:hasRecordOfActivity/"
	process = record + "dpv:hasProcess/"
	party   = record + "dpv:hasEntity/"
	event   = record + "dpv:hasConsentStatus/"
)

// ISO27560 is what a receipt in DPV has to have.
var ISO27560 = []Field{
	{"receipt: schema version", "dct:conformsTo", only("https://w3id.org/dpv/schema/dpv-27560#receipt", "https://w3id.org/dpv/schema/dpv-27560#receipt-eu-gdpr")},
	{"receipt id", "dct:identifier", isUUID},
	{"receipt id", "dpv:hasIdentifier", isUUID},
	{"receipt: type", "@type", only("dpv:ConsentReceipt")},
	{"receipt: creation", "dct:created", isTime}, // the guide's own
	{"receipt: record", strings.TrimSuffix(record, "/"), isObject},

	{"schema_version", record + "dct:conformsTo", only("https://w3id.org/dpv/schema/dpv-27560#record", "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr")},
	{"record_id", record + "dct:identifier", isUUID},
	{"record_id", record + "dpv:hasIdentifier", isUUID},
	{"record: type", record + "@type", only("dpv:ConsentRecord")},
	{"pii_principal_id", record + "dpv:hasDataSubject/dct:identifier", text},
	{"pii_principal_id", record + "dpv:hasDataSubject/@type", only("dpv:DataSubject")},

	{"privacy_notice", record + "dpv:hasNotice/@id", isURL},
	{"privacy_notice", record + "dpv:hasNotice/@type", only("dpv:ConsentNotice", "dpv:PrivacyNotice")},
	{"privacy_notice: address", record + "dpv:hasNotice[dpv:PrivacyNotice]/schema:url", isURL},
	{"privacy_notice: version", record + "dpv:hasNotice[dpv:PrivacyNotice]/schema:version", text},
	{"language", record + "dct:language", only("en", "fr")},
	{"language", record + "dpv:hasNotice/dct:language", only("en", "fr")},
	{"process", strings.TrimSuffix(process, "/"), isObject}, // the guide's own
	{"purpose", process + "dpv:hasPurpose/dct:description", text},
	{"purpose", process + "dpv:hasPurpose/@type", only("dpv:Purpose")},
	{"purpose_type", process + "dpv:hasPurpose/skos:broader", isTerm},
	{"lawful_basis", record + "dpv:hasLegalBasis", isTerm}, // optional in ISO, mandatory under the GDPR
	{"pii_information", process + "dpv:hasPersonalData/dct:title", text},
	{"pii_controllers", record + "dpv:hasDataController", isURL},
	{"collection_method", process + "dpv:hasDataSource", isList},
	{"storage_locations", process + "dpv:hasStorageCondition[dpv:StorageLocation]/dpv:hasLocation", isLocation},
	{"retention_period", process + "dpv:hasStorageCondition[dpv:StorageDuration]/dpv:hasDuration/rdf:value", anything},
	{"jurisdiction", record + "dpv:hasJurisdiction", isLocation},
	{"recipient_third_parties", process + "dpv:hasRecipient", anything},
	{"withdrawal_method", record + "dpv:hasConsentControl[dpv:WithdrawConsent]/dpv:isExercisedAt", isURL},
	{"privacy_rights", record + "dpv:hasRight/dct:title", text}, // optional in ISO, MUST in the guide
	{"privacy_rights", record + "dpv:hasRight/dpv:isExercisedAt", isURL},

	{"pii_type", process + "dpv:hasPersonalData/skos:broader", isTerm},

	{"party_id", party + "dpv:hasIdentifier", isURL},
	{"party_name", party + "dpv:hasName", text},
	{"party_address", party + "schema:address/schema:addressCountry", text},
	{"party_address", party + "schema:address/@type", only("schema:PostalAddress")},
	{"party_contact", party + "schema:contactPoint", isObject},
	{"party_type", party + "@type", isTerm},
	{"party: the controller", record + "dpv:hasEntity[dpv:DataController]/dpv:hasIdentifier", isURL},
	{"party: the controller's street", record + "dpv:hasEntity[dpv:Organisation]/schema:address", isObject},

	{"event_time", event + "dpv:isIndicatedAtTime", isTime},
	{"validity_duration", event + "dpv:hasDuration/rdf:value", anything},
	{"validity_duration", event + "dpv:hasDuration/@type", only("dpv:UntilTimeDuration", "dpv:UntilEventDuration")},
	{"entity_id", event + "dpv:isIndicatedBy", isURL},
	{"event_type, event_state", event + "@type", only(
		"dpv:ConsentGiven", "dpv:RenewedConsentGiven", "dpv:ConsentRefused", "dpv:ConsentWithdrawn", "dpv:ConsentRequested", "dpv:ConsentExpired",
		"dpv:Consent", "dpv:ExpressedConsent", "dpv:ExplicitlyExpressedConsent", "dpv:ImpliedConsent",
	)},
}

// Kantara is what a Kantara Consent Receipt has to have.
var Kantara = []Field{
	{"version", "version", only("KI-CR-v1.1.0")},
	{"jurisdiction", "jurisdiction", text},
	{"consentTimestamp", "consentTimestamp", isEpoch},
	{"collectionMethod", "collectionMethod", text},
	{"consentReceiptID", "consentReceiptID", isUUID},
	{"language", "language", only("en", "fr")}, // optional
	{"piiPrincipalId", "piiPrincipalId", text},
	{"piiController", "piiControllers/piiController", text},
	{"onBehalf", "piiControllers/onBehalf", isBool}, // optional
	{"contact", "piiControllers/contact", text},
	{"address", "piiControllers/address", isObject},
	{"email", "piiControllers/email", isAddress},
	{"phone", "piiControllers/phone", text},
	{"policyUrl", "policyUrl", isURL},
	{"service", "services/service", text},
	{"purpose", "services/purposes/purpose", text},
	{"consentType", "services/purposes/consentType", text},
	{"purposeCategory", "services/purposes/purposeCategory", text},
	{"piiCategory", "services/purposes/piiCategory", text},
	{"primaryPurpose", "services/purposes/primaryPurpose", isBool}, // optional
	{"termination", "services/purposes/termination", text},
	{"thirdPartyDisclosure", "services/purposes/thirdPartyDisclosure", isBool},
	{"sensitive", "sensitive", isBool},
	{"spiCat", "spiCat", isList},
}

// Missing returns what a receipt lacks of the fields of its format, and where they
// contradict each other.
func Missing(receipt []byte) []string {
	d := json.NewDecoder(strings.NewReader(string(receipt)))
	d.UseNumber()
	var doc map[string]any
	if err := d.Decode(&doc); err != nil {
		return []string{"it is no JSON: " + err.Error()}
	}
	if _, dpv := doc["@context"]; dpv {
		return append(lacks(doc, ISO27560), fitTogether(doc)...)
	}
	problems := lacks(doc, Kantara)
	for _, s := range each(doc["services"]) {
		service, _ := s.(map[string]any)
		for _, p := range each(service["purposes"]) {
			if p, ok := p.(map[string]any); ok && p["thirdPartyDisclosure"] == true && !text(p["thirdPartyName"]) {
				problems = append(problems, "thirdPartyName is required where data is disclosed to a third party")
			}
		}
	}
	if special, ok := doc["spiCat"].([]any); ok && (doc["sensitive"] == true) != (len(special) > 0) {
		problems = append(problems, "sensitive and spiCat contradict each other")
	}
	return problems
}

func lacks(doc map[string]any, list []Field) []string {
	var problems []string
	for _, f := range list {
		if why := walk(doc, strings.Split(f.Path, "/"), f.ok); why != "" {
			problems = append(problems, f.Name+" ("+f.Path+"): "+why)
		}
	}
	return problems
}

func typesOf(n any) []string {
	var types []string
	if o, ok := n.(map[string]any); ok {
		for _, v := range each(o["@type"]) {
			types = append(types, fmt.Sprint(v))
		}
	}
	return types
}

func each(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
}

// walk returns why a value lacks what a path leads to; "" if it does not.
func walk(v any, path []string, ok check) string {
	if len(path) == 0 {
		if ok(v) {
			return ""
		}
		return fmt.Sprintf("must not be %v", v)
	}
	o, isNode := v.(map[string]any)
	if !isNode {
		return fmt.Sprintf("%v has no members", v)
	}
	step, rest := path[0], path[1:]
	name, of, narrowed := strings.Cut(strings.TrimSuffix(step, "]"), "[")
	member, there := o[name]
	if !there {
		return "there is no " + name
	}
	if list, many := member.([]any); many && len(rest) == 0 && ok(list) {
		return "" // it is the list itself that is asked for
	}
	found := 0
	for _, next := range each(member) {
		if narrowed && !slices.Contains(typesOf(next), of) {
			continue
		}
		found++
		if why := walk(next, rest, ok); why != "" {
			return why
		}
	}
	if found == 0 {
		return "there is none in " + step
	}
	return ""
}

// fitTogether is what the guide says about how fields fit together, broken.
func fitTogether(doc map[string]any) []string {
	var problems []string
	record, _ := doc["dpv:hasRecordOfActivity"].(map[string]any)
	known := map[string]bool{}
	for _, e := range each(record["dpv:hasEntity"]) {
		if o, ok := e.(map[string]any); ok {
			known[fmt.Sprint(o["@id"])] = true
			if o["@id"] != o["dpv:hasIdentifier"] {
				problems = append(problems, "the identifier of a party is not declared explicitly")
			}
			if c, ok := o["schema:contactPoint"].(map[string]any); !ok || !isAddress(c["schema:email"]) && !isURL(c["schema:url"]) {
				problems = append(problems, "a party cannot be contacted")
			}
		}
	}
	if s, ok := record["dpv:hasDataSubject"].(map[string]any); ok {
		known[fmt.Sprint(s["@id"])] = true
	}
	p, _ := record["dpv:hasProcess"].(map[string]any)
	var named []any
	for _, of := range []any{
		record["dpv:hasDataController"], p["dpv:hasDataController"], p["dpv:hasDataProcessor"], p["dpv:hasThirdParty"], p["dpv:hasRecipient"], doc["dct:publisher"],
	} {
		named = append(named, each(of)...)
	}
	for _, s := range each(record["dpv:hasConsentStatus"]) {
		if o, ok := s.(map[string]any); ok {
			named = append(named, o["dpv:isIndicatedBy"])
			states := 0
			for _, t := range typesOf(o) {
				if strings.HasPrefix(t, "dpv:Consent") && t != "dpv:Consent" || t == "dpv:RenewedConsentGiven" {
					states++
				}
			}
			if states != 1 || len(typesOf(o)) != 2 {
				problems = append(problems, fmt.Sprintf("an event has the types %v; one state and one type of consent are wanted", typesOf(o)))
			}
		}
	}
	for _, n := range named {
		if s, ok := n.(string); ok && !known[s] {
			problems = append(problems, s+" is named and described nowhere")
		}
	}
	if strings.HasSuffix(fmt.Sprint(doc["dct:conformsTo"]), "-eu-gdpr") {
		if !strings.HasSuffix(fmt.Sprint(record["dct:conformsTo"]), "#record-eu-gdpr") {
			problems = append(problems, "the receipt follows the profile of the GDPR, and its record does not")
		}
		if why := walk(record, []string{"dpv:hasRight[eu-gdpr:A7-3]", "dpv:isExercisedAt"}, isURL); why != "" {
			problems = append(problems, "the right to withdraw of Article 7(3): "+why)
		}
		for _, b := range each(record["dpv:hasLegalBasis"]) {
			if !strings.HasPrefix(fmt.Sprint(b), "eu-gdpr:A") {
				problems = append(problems, fmt.Sprintf("%v is no basis of the GDPR", b))
			}
		}
	}
	return problems
}

// Without returns the receipt without a field, in every node that it stands in.
func Without(receipt []byte, f Field) ([]byte, error) {
	var doc map[string]any
	if err := json.Unmarshal(receipt, &doc); err != nil {
		return nil, err
	}
	steps := strings.Split(regexp.MustCompile(`\[[^]]*]`).ReplaceAllString(f.Path, ""), "/")
	var strip func(v any, steps []string)
	strip = func(v any, steps []string) {
		for _, n := range each(v) {
			if o, ok := n.(map[string]any); ok && len(steps) == 1 {
				delete(o, steps[0])
			} else if ok {
				strip(o[steps[0]], steps[1:])
			}
		}
	}
	strip(doc, steps)
	return json.Marshal(doc)
}

//go:embed terms.txt
var termFile string

var vocabulary = sync.OnceValue(func() map[string]bool {
	known := map[string]bool{}
	for line := range strings.Lines(termFile) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			known[line] = true
		}
	}
	return known
})

// UnknownTerms returns what a receipt takes from the vocabularies of DPV and they do not have.
func UnknownTerms(receipt []byte) []string {
	var doc any
	if err := json.Unmarshal(receipt, &doc); err != nil {
		return []string{err.Error()}
	}
	used := map[string]bool{}
	terms(doc, used)
	for t := range used {
		if vocabulary()[t] || isLocation(t) {
			delete(used, t)
		}
	}
	return slices.Sorted(maps.Keys(used))
}

// terms collects the names of the vocabularies that a value uses.
func terms(v any, into map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if name == "@context" {
				continue
			}
			if term.MatchString(name) {
				into[name] = true
			}
			terms(member, into)
		}
	case []any:
		for _, member := range v {
			terms(member, into)
		}
	case string:
		if term.MatchString(v) {
			into[v] = true
		}
	}
}
