package receipt

import (
	"slices"

	"rightsdesk/shared/consent"
	"rightsdesk/shared/law"
	"rightsdesk/shared/page/words"
	"rightsdesk/shared/policy"
)

// schema is the profile of DPV that a receipt and its record conform to.
const schema = "https://w3id.org/dpv/schema/dpv-27560#"

// dpvContext makes the names of a receipt those of the vocabularies. It stands in
// the receipt, so that nobody needs the network to read one.
func dpvContext() node {
	c := node{
		"dct":      "http://purl.org/dc/terms/",
		"dpv":      "https://w3id.org/dpv#",
		"eu-gdpr":  "https://w3id.org/dpv/legal/eu/gdpr#",
		"legal-eu": "https://w3id.org/dpv/legal/eu#",
		"loc":      "https://w3id.org/dpv/loc#",
		"rdf":      "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
		"schema":   "https://schema.org/",
		"skos":     "http://www.w3.org/2004/02/skos/core#",
		"xsd":      "http://www.w3.org/2001/XMLSchema#",
	}
	for _, t := range []string{"dct:created", "dpv:isIndicatedAtTime"} {
		c[t] = node{"@type": "xsd:dateTime"}
	}
	for _, t := range []string{
		"dct:conformsTo", "dct:publisher", "dpv:hasAuthority", "dpv:hasDataController", "dpv:hasDataProcessor", "dpv:hasJurisdiction",
		"dpv:hasLegalBasis", "dpv:hasLocation", "dpv:hasNecessity", "dpv:hasNotice", "dpv:hasProcessing", "dpv:hasRecipient", "dpv:hasThirdParty",
		"dpv:isExercisedAt", "dpv:isIndicatedBy", "schema:recipient", "schema:url", "skos:broader",
	} {
		c[t] = node{"@type": "@id"}
	}
	return c
}

func nameDPV(doc node, id string) {
	doc["@id"] = "urn:uuid:" + id
	doc["dct:identifier"], doc["dpv:hasIdentifier"] = id, id
}

// dpv is the receipt as JSON-LD: a dpv:ConsentReceipt with the record in it, as
// the guide to ISO/IEC TS 27560 wants it. The comments name the guide's fields.
func (d *draft) dpv() node {
	profile := ""
	if d.gdpr() {
		profile = "-eu-gdpr"
	}
	record := node{
		"@id":               "urn:uuid:" + d.recordID(),
		"@type":             "dpv:ConsentRecord",
		"dct:identifier":    d.recordID(), // record id
		"dpv:hasIdentifier": d.recordID(),
		"dct:conformsTo":    schema + "record" + profile, // schema version
		"dct:created":       instant(d.Entry.At),
		"dct:language":      d.spoken(),                                 // language
		"dct:source":        node{"dct:identifier": string(d.Entry.ID)}, // its name in the audit log
		"dpv:hasDataSubject": node{ // pii principal id
			"@id": d.subject(), "@type": "dpv:DataSubject", "dct:identifier": d.Subject,
		},
		"dpv:hasDataController": d.controllers(),
		"dpv:hasJurisdiction":   []string{"loc:" + d.policy.Controller.Country}, // jurisdiction
		"dpv:hasApplicableLaw":  d.laws(),
		"dpv:hasLegalBasis":     d.bases(),   // lawful basis
		"dpv:hasNotice":         d.notices(), // privacy notice
		"dpv:hasProcess":        d.process(),
		"dpv:hasConsentControl": node{ // withdrawal method
			"@type": []string{"dpv:ProvideConsent", "dpv:WithdrawConsent"}, "dpv:isExercisedAt": d.base + "/preferences",
		},
		"dpv:hasRight":         d.rights(),
		"dpv:hasConsentStatus": d.events(),
		"dpv:hasEntity":        d.parties(),
	}
	if authorities := d.authorities(); len(authorities) > 0 {
		record["dpv:hasAuthority"] = authorities
	}
	return node{
		"@context":       dpvContext(),
		"@type":          "dpv:ConsentReceipt",
		"dct:conformsTo": schema + "receipt" + profile,
		"dct:created":    instant(d.now),
		"dct:language":   d.language,
		"dct:publisher":  d.controller(),
		"dct:source": node{ // whose words describe the processing
			"@id": d.edition(d.policy.Version), "@type": "dpv:PrivacyNotice", "schema:url": d.policy.Document.URL, "schema:version": d.policy.Version,
		},
		"schema:recipient":        "dpv:DataSubject",
		"dpv:hasRecordOfActivity": record,
	}
}

// gdpr reports whether the GDPR applies: it does to whoever is established in the
// EEA (Article 3(1)), and to others for the people there (Article 3(2)).
func (d *draft) gdpr() bool {
	return policy.Covers([]string{policy.EEA}, d.policy.Controller.Country) ||
		slices.ContainsFunc(d.policy.Regimes, func(r policy.Regime) bool { return r.ID == "eu-gdpr" })
}

func (d *draft) subject() string    { return d.base + "/#subject-" + d.Subject }
func (d *draft) controller() string { return d.base + "/#controller" }

func (d *draft) party(r policy.Recipient) string { return d.base + "/#recipient-" + r.ID }

// controllers are the company, and who decides together with it.
func (d *draft) controllers() []string {
	all := []string{d.controller()}
	for _, r := range d.recipients() {
		if r.Role == policy.RecipientJoint && r.Name != "" {
			all = append(all, d.party(r))
		}
	}
	return all
}

// laws are the laws of the policy, each with the places whose people it is for:
// where somebody lives is not recorded with their consent.
func (d *draft) laws() []node {
	all := []node{}
	for _, r := range d.policy.Regimes {
		n := node{"@type": "dpv:Law", "dct:identifier": r.ID}
		if pack, ok := law.ByID(r.ID); ok {
			n["dct:title"] = pack.Name
		}
		if r.ID == "eu-gdpr" {
			n["@id"] = "legal-eu:law-GDPR"
		}
		if places := places(r.AppliesTo); len(places) > 0 {
			n["dpv:hasJurisdiction"] = places
		}
		all = append(all, n)
	}
	return all
}

// places are residences as terms; everywhere is none.
func places(residences []string) []string {
	var terms []string
	for _, r := range residences {
		if r != policy.Everywhere {
			terms = append(terms, "loc:"+r)
		}
	}
	return terms
}

// bases are the legal bases that the choice is about: the consent, or what the
// purpose rests on where people can only say no. A consent to sensitive data is one
// under Article 9 too where it has to be explicit.
func (d *draft) bases() []string {
	terms := map[policy.Basis][2]string{
		policy.OnConsent:             {"dpv:Consent", "eu-gdpr:A6-1-a"},
		policy.OnContract:            {"dpv:Contract", "eu-gdpr:A6-1-b"},
		policy.OnLegalObligation:     {"dpv:LegalObligation", "eu-gdpr:A6-1-c"},
		policy.OnVitalInterests:      {"dpv:VitalInterest", "eu-gdpr:A6-1-d"},
		policy.OnPublicTask:          {"dpv:PublicInterest", "eu-gdpr:A6-1-e"},
		policy.OnLegitimateInterests: {"dpv:LegitimateInterest", "eu-gdpr:A6-1-f"},
	}
	which := 0
	if d.gdpr() {
		which = 1
	}
	rests := d.purpose.Bases
	if len(rests) == 0 || slices.Contains(rests, policy.OnConsent) {
		rests = []policy.Basis{policy.OnConsent}
	}
	var all []string
	for _, b := range rests {
		all = append(all, terms[b][which])
	}
	if d.gdpr() && d.Rule.Explicit && slices.ContainsFunc(d.categories(), func(c policy.Category) bool { return c.Sensitive }) {
		all = append(all, "eu-gdpr:A9-2-a")
	}
	return all
}

// notices are the words that were shown, to the letter and with their hash, and
// the policy that was in force.
func (d *draft) notices() []node {
	var all []node
	if d.Entry.Wording != "" {
		n := node{
			"@id":           d.wording(),
			"@type":         "dpv:ConsentNotice",
			"dct:language":  d.spoken(),
			"schema:sha256": d.Entry.Wording,
		}
		if d.Wording.Text != "" {
			n["schema:text"] = node{"@value": d.Wording.Text, "@language": d.spoken()}
		}
		if d.Entry.Edition > 0 {
			n["schema:version"] = d.Entry.Edition
		}
		all = append(all, n)
	}
	return append(all, node{
		"@id": d.edition(d.Entry.Policy), "@type": "dpv:PrivacyNotice", "schema:url": d.policy.Document.URL, "schema:version": d.Entry.Policy,
		"dct:language": d.spoken(), "dct:title": d.say(d.policy.Document.Title),
	})
}

// edition names one version of the policy. The address alone names all of them: in
// a graph, one thing would then have two versions.
func (d *draft) edition(version string) string { return d.base + "/policy#" + version }

func (d *draft) wording() string { return d.base + "/v1/wordings/" + d.Entry.Wording }

// process is what is done with the data.
func (d *draft) process() node {
	n := node{
		"@type": "dpv:Process",
		"dpv:hasPurpose": node{ // purpose, purpose type
			"@type": "dpv:Purpose", "dct:identifier": d.purpose.ID, "dct:title": d.label(), "dct:description": d.about(), "skos:broader": d.purposeType(),
		},
		"dpv:hasService":          node{"@type": "dpv:Service", "dct:title": d.policy.Document.Brand},
		"dpv:hasDataController":   d.controllers(),
		"dpv:hasPersonalData":     d.data(),    // pii information, pii type
		"dpv:hasDataSource":       d.sources(), // collection method
		"dpv:hasStorageCondition": d.storage(), // storage locations, retention period
	}
	if d.Entry.Act != "" {
		n["dpv:hasContext"] = node{"@type": "dpv:Context", "dct:identifier": d.Entry.Act} // the one thing the consent is for
	}
	d.receive(n)
	return n
}

func (d *draft) purposeType() string {
	if d.Rule.Marketing {
		return "dpv:Marketing"
	}
	return "dpv:Purpose"
}

func (d *draft) data() []node {
	necessity := "dpv:Optional"
	if d.Rule.Required {
		necessity = "dpv:Required"
	}
	var all []node
	for _, c := range d.categories() {
		n := node{
			"@type": "dpv:PersonalData", "skos:broader": "dpv:PersonalData",
			"dct:identifier": c.ID, "dct:title": d.say(c.Label), "dpv:hasNecessity": necessity,
		}
		if c.Sensitive {
			n["@type"], n["skos:broader"] = []string{"dpv:PersonalData", "dpv:SensitivePersonalData"}, "dpv:SensitivePersonalData"
		}
		if s := d.say(c.Examples); s != "" {
			n["dct:description"] = s
		}
		all = append(all, n)
	}
	if len(all) == 0 {
		all = append(all, node{"@type": "dpv:PersonalData", "skos:broader": "dpv:PersonalData", "dct:title": d.say(asNotified), "dpv:hasNecessity": necessity})
	}
	return all
}

// sources says where the data comes from.
func (d *draft) sources() []node {
	all := []node{}
	for _, c := range d.categories() {
		for _, from := range c.From {
			n := node{"@type": "dpv:DataSubjectDataSource", "dct:identifier": c.ID}
			switch from {
			case policy.FromPerson:
				n["dpv:hasProcessing"] = "dpv:Collect"
			case policy.FromMachine:
				n["dpv:hasProcessing"] = "dpv:Observe"
			case policy.FromOthers:
				n["@type"], n["dpv:hasProcessing"], n["dct:title"] = "dpv:ThirdPartyDataSource", "dpv:Obtain", c.FromOutside
			}
			if c.Inference {
				n["dpv:hasProcessing"] = "dpv:Infer"
			}
			all = append(all, n)
		}
	}
	return all
}

// storage says where data of the purpose is kept, and how long.
func (d *draft) storage() []node {
	var countries []string
	var kept []node
	open := len(d.purpose.Categories) == 0
	for _, s := range d.policy.Sources {
		used := slices.DeleteFunc(slices.Clone(s.Holdings), func(h policy.Holding) bool { return !d.uses([]string{h.Category}) })
		if len(used) > 0 && !slices.Contains(countries, "loc:"+s.Country) {
			countries = append(countries, "loc:"+s.Country)
		}
		for _, h := range used {
			if h.Action != policy.ActionKeep || len(d.purpose.Categories) == 0 {
				open = true
				continue
			}
			kept = append(kept, node{
				"@type": "dpv:StorageDuration", "dct:identifier": h.Category, "dct:description": d.say(h.Keep.Duty),
				"dpv:hasDuration": node{"@type": "dpv:TemporalDuration", "rdf:value": node{"@type": "xsd:duration", "@value": duration(h.Keep.Period)}},
			})
		}
	}
	all := []node{{"@type": "dpv:StorageLocation", "dpv:hasLocation": countries}}
	if open || len(kept) == 0 {
		all = append(all, node{"@type": "dpv:StorageDuration", "dpv:hasDuration": untilEvent(d.say(untilNeedless))})
	}
	return append(all, kept...)
}

// duration writes a period as ISO 8601 does.
func duration(p policy.Period) string {
	s := p.String() // 10y, 6mo, 30d
	switch {
	case p.Years > 0:
		return "P" + s[:len(s)-1] + "Y"
	case p.Months > 0:
		return "P" + s[:len(s)-2] + "M"
	default:
		return "P" + s[:len(s)-1] + "D"
	}
}

func untilEvent(what string) node { return node{"@type": "dpv:UntilEventDuration", "rdf:value": what} }

// receive adds who gets the data. The company itself is one, so that the field is
// never empty; a class of recipients whose names the policy does not give is told
// by what it does.
func (d *draft) receive(n node) {
	all := []any{d.controller()}
	var processors, third []string
	for _, r := range d.recipients() {
		if r.Name == "" {
			all = append(all, node{"@type": roleTypes(r.Role), "dct:identifier": r.ID, "dct:title": d.say(r.Function)})
			continue
		}
		all = append(all, d.party(r))
		switch r.Role {
		case policy.RecipientProcessor:
			processors = append(processors, d.party(r))
		case policy.RecipientController, policy.RecipientAuthority:
			third = append(third, d.party(r))
		case policy.RecipientJoint: // stands among the controllers
		}
	}
	n["dpv:hasRecipient"] = all // recipient third parties
	if len(processors) > 0 {
		n["dpv:hasDataProcessor"] = processors
	}
	if len(third) > 0 {
		n["dpv:hasThirdParty"] = third
	}
}

func roleTypes(r policy.RecipientRole) []string {
	switch r {
	case policy.RecipientProcessor:
		return []string{"dpv:Recipient", "dpv:DataProcessor"}
	case policy.RecipientController:
		return []string{"dpv:Recipient", "dpv:ThirdParty", "dpv:DataController"}
	case policy.RecipientAuthority:
		return []string{"dpv:Recipient", "dpv:ThirdParty", "dpv:Authority"}
	case policy.RecipientJoint:
		return []string{"dpv:Recipient", "dpv:DataController"}
	}
	return []string{"dpv:Recipient"}
}

// rights are what the person can ask for, and where. Withdrawing stands first: it
// is what belongs to a consent.
func (d *draft) rights() []node {
	articles := map[policy.Right]string{
		policy.WithdrawConsent: "A7-3", policy.Access: "A15", policy.Rectification: "A16", policy.Erasure: "A17", policy.Restriction: "A18",
		policy.Portability: "A20", policy.Objection: "A21",
	}
	speak := words.In(d.language)
	var all []node
	add := func(r policy.Right, at string) {
		types := []string{"dpv:DataSubjectRight"}
		if article, ok := articles[r]; ok && d.gdpr() {
			types = append(types, "eu-gdpr:"+article)
		}
		all = append(all, node{"@type": types, "dct:identifier": string(r), "dct:title": speak.T("right." + string(r)), "dpv:isExercisedAt": at})
	}
	add(policy.WithdrawConsent, d.base+"/preferences")
	for _, r := range policy.AllRights {
		if _, ok := d.policy.Rights[r]; ok && r != policy.WithdrawConsent {
			add(r, d.base+"/")
		}
	}
	return all
}

func (d *draft) authorities() []node {
	var all []node
	for _, a := range d.policy.Authorities {
		n := node{"@type": "dpv:DataProtectionAuthority", "dpv:hasName": d.say(a.Name), "schema:url": a.URL}
		if places := places([]string{a.Residence}); len(places) > 0 {
			n["dpv:hasJurisdiction"] = places
		}
		all = append(all, n)
	}
	return all
}

// events are what the record is about, and what became of it.
func (d *draft) events() []node {
	record := node{
		"@type":                   []string{status(d.state), d.consentType()}, // event state, event type
		"dpv:isIndicatedAtTime":   instant(d.Entry.At),                        // event time
		"dpv:isIndicatedBy":       d.actor(d.state),                           // entity id
		"dpv:hasDuration":         d.validity(d.state),                        // validity duration
		"dpv:hasIndicationMethod": d.method(),
	}
	if d.Entry.Wording != "" {
		record["dpv:hasNotice"] = d.wording()
	}
	if d.Entry.Page != "" {
		record["schema:url"] = d.Entry.Page
	}
	all := []node{record}
	if next, at, ok := d.after(); ok {
		term := status(next)
		if next == given && d.state == given {
			term = "dpv:RenewedConsentGiven"
		}
		all = append(all, node{
			"@type":                 []string{term, d.consentType()},
			"dpv:isIndicatedAtTime": instant(at),
			"dpv:isIndicatedBy":     d.actor(next),
			"dpv:hasDuration":       d.validity(next),
		})
	}
	return all
}

func status(s state) string {
	switch s {
	case refused:
		return "dpv:ConsentRefused"
	case withdrawn:
		return "dpv:ConsentWithdrawn"
	case requested:
		return "dpv:ConsentRequested"
	case expired:
		return "dpv:ConsentExpired"
	case given:
	}
	return "dpv:ConsentGiven"
}

// consentType says what kind of act the consent is asked for by. A refusal has the
// kind of what was refused.
func (d *draft) consentType() string {
	switch {
	case d.state == given && (d.Entry.Method == consent.Ticked || d.Entry.Method == consent.ContinuedUse):
		return "dpv:ImpliedConsent"
	case d.state == given && d.Entry.Method == consent.Imported:
		return "dpv:Consent" // what kind of act it was, the other system knows
	case d.Rule.Explicit:
		return "dpv:ExplicitlyExpressedConsent"
	}
	return "dpv:ExpressedConsent"
}

// actor is whose act an event was. That a time is over is nobody's but the company's.
func (d *draft) actor(s state) string {
	if s == expired {
		return d.controller()
	}
	return d.subject()
}

func (d *draft) validity(s state) node {
	switch s {
	case given:
		if !d.Until.IsZero() {
			return node{"@type": "dpv:UntilTimeDuration", "rdf:value": node{"@type": "xsd:dateTime", "@value": instant(d.Until)}}
		}
		return untilEvent(d.say(untilWithdrawn))
	case requested:
		return untilEvent(d.say(untilConfirmed))
	case refused, withdrawn, expired:
	}
	return untilEvent(d.say(untilChosen))
}

func (d *draft) method() string {
	if t, ok := methods[d.Entry.Method]; ok {
		return d.say(t)
	}
	return string(d.Entry.Method)
}

// parties are the company and the recipients that the policy names: party id,
// name, address, contact and role.
func (d *draft) parties() []node {
	c, contact := d.policy.Controller, d.policy.Contact
	point := node{"@type": "schema:ContactPoint", "schema:email": contact.Email}
	if contact.Person != "" {
		point["schema:name"] = contact.Person
	}
	if contact.Page != "" {
		point["schema:url"] = contact.Page
	}
	all := []node{{
		"@id": d.controller(), "@type": []string{"dpv:Organisation", "dpv:DataController"},
		"dpv:hasIdentifier": d.controller(), "dpv:hasName": c.LegalName, "schema:alternateName": c.TradeName,
		"schema:address":      node{"@type": "schema:PostalAddress", "schema:streetAddress": c.PostalAddress, "schema:addressCountry": c.Country},
		"schema:contactPoint": point, "schema:email": contact.Email, "schema:url": d.policy.Document.URL,
	}}
	for _, r := range d.recipients() {
		if r.Name == "" {
			continue
		}
		all = append(all, node{
			"@id": d.party(r), "@type": append([]string{"dpv:Organisation"}, roleTypes(r.Role)...),
			"dpv:hasIdentifier": d.party(r), "dpv:hasName": r.Name, "dct:description": d.say(r.Function),
			"schema:address":      node{"@type": "schema:PostalAddress", "schema:addressCountry": r.Country},
			"schema:contactPoint": node{"@type": "schema:ContactPoint", "schema:url": r.Policy},
			"schema:url":          r.Policy,
		})
	}
	return all
}
