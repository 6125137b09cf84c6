package receipt

import (
	"fmt"
	"strings"

	"rightsdesk/shared/consent"
	"rightsdesk/shared/policy"
)

func nameKantara(doc node, id string) { doc["consentReceiptID"] = id }

// kantara is the receipt as a Kantara Consent Receipt 1.1.0. That format knows
// consents only and not what was shown: both stand in the member "record", beside
// the format's own.
func (d *draft) kantara() node {
	c, contact := d.policy.Controller, d.policy.Contact
	person := contact.Person
	if person == "" {
		person = c.TradeName
	}
	special := []string{}
	var categories []string
	for _, k := range d.categories() {
		categories = append(categories, d.say(k.Label))
		if k.Sensitive {
			special = append(special, d.say(k.Label))
		}
	}
	if len(categories) == 0 {
		categories = []string{d.say(asNotified)}
	}
	purpose := node{
		"purpose":              d.about(),
		"purposeCategory":      []string{d.purposeCategory()},
		"consentType":          d.kantaraType(),
		"piiCategory":          categories,
		"primaryPurpose":       d.Rule.Required,
		"termination":          d.termination(),
		"thirdPartyDisclosure": false,
	}
	if names := d.thirdParties(); names != "" {
		purpose["thirdPartyDisclosure"], purpose["thirdPartyName"] = true, names
	}
	return node{
		"version":          "KI-CR-v1.1.0",
		"jurisdiction":     c.Country,
		"consentTimestamp": d.Entry.At.Unix(),
		"collectionMethod": d.method(),
		"language":         d.language,
		"piiPrincipalId":   d.Subject,
		"piiControllers": []node{{
			"piiController": c.LegalName, "onBehalf": false, "contact": person,
			"address": node{"streetAddress": c.PostalAddress, "addressCountry": c.Country},
			"email":   contact.Email, "phone": fmt.Sprintf(d.say(noPhone), contact.Email), "piiControllerUrl": d.policy.Document.URL,
		}},
		"policyUrl": d.policy.Document.URL,
		"services":  []node{{"service": d.policy.Document.Brand, "purposes": []node{purpose}}},
		"sensitive": len(special) > 0,
		"spiCat":    special,
		"record":    d.record(),
	}
}

// record is what Kantara has no member for.
func (d *draft) record() node {
	n := node{
		"recordId": d.recordID(), "auditEntry": string(d.Entry.ID), "issuedAt": instant(d.now), "purposeId": d.purpose.ID,
		"state": stateWords[d.state], "at": instant(d.Entry.At), "policyVersion": d.Entry.Policy, "withdrawalUrl": d.base + "/preferences",
	}
	if d.Entry.Act != "" {
		n["act"] = d.Entry.Act
	}
	if d.Entry.Page != "" {
		n["page"] = d.Entry.Page
	}
	if d.Entry.Wording != "" {
		n["wording"] = node{"text": d.Wording.Text, "sha256": d.Entry.Wording, "language": d.spoken(), "edition": d.Entry.Edition, "url": d.wording()}
	}
	if next, at, ok := d.after(); ok {
		n["since"] = node{"state": stateWords[next], "at": instant(at)}
	}
	return n
}

var stateWords = map[state]string{given: "granted", refused: "denied", withdrawn: "withdrawn", requested: "asked", expired: "expired"}

// purposeCategory takes the categories of Kantara's own list where one fits.
func (d *draft) purposeCategory() string {
	switch {
	case d.Rule.Marketing:
		return "6 - Marketing"
	case d.Rule.Required:
		return "1 - Core Function"
	}
	return d.label()
}

// kantaraType is EXPLICIT or, as the specification wants it for every other way,
// a description.
func (d *draft) kantaraType() string {
	switch {
	case d.state != given:
		return "NONE: " + stateWords[d.state]
	case d.Entry.Method == consent.Ticked, d.Entry.Method == consent.ContinuedUse, d.Entry.Method == consent.Imported:
		return "IMPLICIT: " + d.method()
	}
	return "EXPLICIT"
}

// termination says when the consent ends, or that it has ended.
func (d *draft) termination() string {
	if next, at, ok := d.after(); ok && d.state == given {
		switch next {
		case withdrawn, refused:
			return fmt.Sprintf(d.say(ended), instant(at))
		case expired:
			return fmt.Sprintf(d.say(overSince), instant(at))
		case given, requested:
		}
	}
	switch d.state {
	case given:
		if !d.Until.IsZero() {
			return fmt.Sprintf(d.say(orWithdrawn), instant(d.Until), d.base+"/preferences")
		}
		return d.say(untilWithdrawn) + ": " + d.base + "/preferences"
	case withdrawn:
		return fmt.Sprintf(d.say(ended), instant(d.Entry.At))
	case expired:
		return fmt.Sprintf(d.say(overSince), instant(d.Entry.At))
	case refused, requested:
	}
	return d.say(neverBegan)
}

// thirdParties names who gets the data and is no processor of the company's.
func (d *draft) thirdParties() string {
	var names []string
	for _, r := range d.recipients() {
		switch {
		case r.Role == policy.RecipientProcessor:
		case r.Name != "":
			names = append(names, r.Name)
		default:
			names = append(names, d.say(r.Function))
		}
	}
	return strings.Join(names, "; ")
}
