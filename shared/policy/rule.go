package policy

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a time zone is known wherever a policy is read, in a bare Lambda too

	"rightsdesk/shared/personal"
)

// rule is what one line of text must look like. It says what is allowed, not
// what is wrong: that is the half a person can act on.
type rule struct {
	says  string
	ok    func(string) bool
	dated bool // YAML reads such a text as a date, and that is fine
}

func oneOf[T ~string](allowed []T) rule {
	list := make([]string, len(allowed))
	for i, a := range allowed {
		list[i] = string(a)
	}
	return rule{says: "must be one of: " + strings.Join(list, ", "), ok: func(s string) bool { return slices.Contains(list, s) }}
}

func matching(says, pattern string) rule {
	return rule{says: says, ok: regexp.MustCompile(pattern).MatchString}
}

// long bounds a rule's length in bytes. A pattern that counts hundreds of
// characters compiles to hundreds of states, at every cold start.
func (r rule) long(least, most int) rule {
	ok := r.ok
	r.ok = func(s string) bool { return len(s) >= least && len(s) <= most && ok(s) }
	return r
}

var (
	anyLine = rule{says: "must be a text of one line", ok: func(string) bool { return true }}

	identifier   = matching("must be of lower-case letters, digits, - and _, begin with a letter and have 40 characters at most", `^[a-z][a-z0-9_-]{0,39}$`)
	fieldName    = matching("must be a field name: letters, digits, - and _, 64 characters at most", `^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)
	fieldPath    = matching("must be a field, or a path of fields with dots, such as stats.users", `^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)*$`).long(1, 200)
	regimeID     = matching("must be the id of a law pack, such as eu-gdpr or us-ca-ccpa", `^[a-z]{2}(-[a-z0-9]{1,20}){1,3}$`)
	attribute    = matching("must be an attribute name of the table", `^\S(.*\S)?$`).long(1, 255)
	bucketName   = matching("must be the name of an S3 bucket", `^[a-z0-9][a-z0-9.-]*[a-z0-9]$`).long(3, 63)
	objectFolder = matching("must be a folder of object keys, with a / at its end, such as uploads/", `/$`).long(1, 512)
	objectKey    = rule{says: "must be the beginning of object keys, such as uploads/", ok: func(string) bool { return true }}.long(1, 512)
	tagKey       = matching("must be the key of an object tag", `^[\pL\pN \t_.:/=+@-]+$`).long(1, 128)
	userPool     = matching("must be the id of a user pool, such as eu-west-3_Ab12Cd34E", `^[a-z0-9-]+_[0-9A-Za-z]+$`).long(3, 55)
	poolTie      = matching("must be username, sub or a custom attribute that users cannot write, such as custom:customer", `^(username|sub|custom:[0-9A-Za-z_-]{1,20})$`)
	logGroup     = matching("must be the name of a log group, or the beginning of several with a * at the end, such as /aws/lambda/shop-*", `^[A-Za-z0-9_./#-]+\*?$`).long(1, 512)
	// The identity is a folder of its own: users/7 would begin users/70 as well.
	keyPrefix  = matching("must have {id} where the identity stands, once and as a folder of its own, such as users/{id}/", `^([^{}]*/)?\{id\}/([^{}]*/)?$`).long(1, 512)
	roleARN    = matching("must be the ARN of an IAM role to assume, such as arn:aws:iam::123456789012:role/rightsdesk", `^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$`).long(1, 600)
	tableName  = matching("must be the name of a DynamoDB table", `^[A-Za-z0-9_.-]+$`).long(3, 255)
	regionName = matching("must be an AWS region, such as eu-west-3", `^[a-z]{2}(-[a-z]+){1,2}-[0-9]$`)

	// What a password or an API key looks like does not fit: a reference is a few
	// short words, and no word of it is long enough to be random.
	secretReference = matching("must be a reference such as secret:crm-hook; the secret itself never stands in a policy file", `^secret:[a-z][a-z0-9]{0,15}(-[a-z0-9]{1,16}){0,4}$`)

	webAddress  = rule{says: "must be an https:// address", ok: isWebAddress}
	mailAddress = rule{says: "must be a mail address", ok: func(s string) bool { _, ok := personal.ParseEmail(s); return ok }}
	webOrigin   = rule{says: "must be an origin as browsers send it: https://, the host in lower case, a port only if it is not 443, and no path; such as https://www.example.com", ok: isOrigin}
	hostName    = rule{says: "must be a host, or host:port, without a path", ok: isHost}
	calendarDay = rule{says: "must be a date such as 2026-05-01", ok: isDate, dated: true}
	timestamp   = rule{says: "must be a date such as 2026-05-01, or a time such as 2026-05-01T09:30:00Z", ok: isTimestamp, dated: true}
	timeZone    = rule{says: "must be a time zone such as Europe/Paris", ok: isTimeZone}
	timeOfDay   = matching("must be a time of day such as 08:00", `^([01][0-9]|2[0-3]):[0-5][0-9]$`)
	aPeriod     = rule{says: "must be a period such as 14d, 24mo or 10y", ok: isPeriod}

	country      = rule{says: "must be a country by its ISO 3166-1 code, such as FR", ok: isCountry}
	residence    = rule{says: "must be a country (FR), a part of one (US-CA), EEA, or \"*\" for everywhere", ok: isResidence}
	location     = rule{says: "must be a country (FR) or EEA", ok: func(s string) bool { return s == EEA || isCountry(s) }}
	holidayPlace = rule{says: "must be a country (FR) or a part of one (GB-SCT)", ok: func(s string) bool { return s != EEA && IsResidence(s) }}
)

// isWebAddress accepts what may be published as a link. Plain http is for the
// machine at hand only, where nobody can listen.
func isWebAddress(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || strings.ContainsAny(s, " \"<>\\") {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname())
}

func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

func isHost(s string) bool {
	u, err := url.Parse("https://" + s)
	return err == nil && u.Host == s && u.Hostname() != "" && u.User == nil && !strings.ContainsAny(s, " *\"<>\\")
}

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

func isTimestamp(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil || isDate(s)
}

func isTimeZone(s string) bool {
	if s == "Local" || s == "" {
		return false
	}
	_, err := time.LoadLocation(s)
	return err == nil
}
