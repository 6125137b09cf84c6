package policy_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"rightsdesk/shared/law"
	"rightsdesk/shared/policy"
)

var update = flag.Bool("update", false, "write testdata/problems.golden anew")

// bad are slips of the pen in testdata/whole.yaml. Those that schema.json can
// see are told by an editor while the pen is still in the hand.
var bad = []struct {
	name      string
	old, with string
	bySchema  bool
}{
	{"a key that does not exist", "  brand: Example Whole\n", "  brand: Example Whole\n  colour: red\n", true},
	{"a section that does not exist", "format: 1\n", "format: 1\nrihgts: {}\n", true},
	{"a section that arrives later", "format: 1\n", "format: 1\ndisclosures: {}\n", true},
	{"a key twice", "  country: FR\n  postal_address: 1 rue de l'Exemple, 75001 Paris, France\n  time_zone", "  country: FR\n  country: DE\n  postal_address: 1 rue de l'Exemple, 75001 Paris, France\n  time_zone", false},
	{"an id twice", "    rest: {title:", "    all: {title: {en: Again, fr: Encore}}\n    rest: {title:", false},
	{"another format", "format: 1\n", "format: 2\n", true},
	{"a word where true or false belongs", "    automatic: true\n", "    automatic: maybe\n", true},
	{"a text where a number belongs", "    promised_days: 30\n", "    promised_days: thirty\n", true},
	{"a number out of bounds", "    promised_days: 30\n", "    promised_days: 3000\n", true},
	{"a number where a text belongs", "  brand: Example Whole\n", "  brand: 1984\n", true},
	{"a value that is missing", "  brand: Example Whole\n", "  brand:\n", true},
	{"a key that is missing", "  url: https://whole.example.com/privacy\n", "", true},
	{"a list where a mapping belongs", "locations:\n  controller_data: [EEA]\n", "locations: [EEA]\n", true},
	{"a mapping where a list belongs", "  controller_data: [EEA]\n", "  controller_data: {EEA: true}\n", true},
	{"an empty list", "  controller_data: [EEA]\n", "  controller_data: []\n", true},
	{"an entry twice", "    residences: [\"*\"]\n", "    residences: [FR, FR]\n", true},
	{"a residence that does not exist", "[US-CA]}\nrights", "[US-QC]}\nrights", false},
	{"a country that does not exist", "    country: US\n    role: processor\n", "    country: UK\n    role: processor\n", false},
	{"a date that does not exist", "  effective: 2026-05-01\n", "  effective: 2026-02-30\n", false},
	{"a time zone that does not exist", "Europe/Paris", "Europe/Lyon", false},
	{"a link that is not https", "  page: https://whole", "  page: javascript:alert(1)//whole", true},
	{"an address that is none", "email: privacy@whole.example.com", "email: privacy", true},
	{"a language that is missing", "  title: {en: Everything, fr: Tout}\n", "  title: {en: Everything}\n", false},
	{"one text for two languages", "  title: {en: Everything, fr: Tout}\n", "  title: Everything\n", false},
	{"a duration in words", "  link_period: 12h\n", "  link_period: half a day\n", true},
	{"a duration out of bounds", "  link_period: 12h\n", "  link_period: 30d\n", false},
	{"a lapse before the link has ended", "  link_period: 12h\n  lapse_after: 20d\n", "  link_period: 5d\n  lapse_after: 3d\n", false},
	{"erasure without time to object", "cooling: 3d", "cooling: 1h", false},
	{"cooling longer than the promise", "cooling: 3d, promised_days: 30", "cooling: 3d, promised_days: 2", false},
	{"a right that a person weighs, run by itself", "  objection: {residences: [\"*\"], automatic: false}", "  objection: {residences: [\"*\"], automatic: true}", true},
	{"an opt-out that is told to run by itself", "  limit_sensitive: {residences: [US-CA]}", "  limit_sensitive: {residences: [US-CA], automatic: true}", true},
	{"a withdrawal that waits for somebody", "  withdraw_consent: {residences: [\"*\"]}", "  withdraw_consent: {residences: [\"*\"], automatic: false}", true},
	{"a withdrawal with papers", "  withdraw_consent: {residences: [\"*\"]}", "  withdraw_consent: {residences: [\"*\"], proof: [address]}", true},
	{"a complaint that runs by itself", "  complaint: {residences: [\"*\"],", "  complaint: {automatic: true,", true},
	{"a complaint that only some may make", "  complaint: {residences: [\"*\"],", "  complaint: {residences: [FR],", true},
	{"a complaint that nobody may make", "  complaint: {residences: [\"*\"],", "  complaint: {residences: [],", true},
	{"an appeal, which comes with the refusal", "  challenge: {residences: [CA]}\n", "  challenge: {residences: [CA]}\n  appeal: {residences: [CA]}\n", true},
	{"an extension as true or false", "    extension: none\n", "    extension: false\n", true},
	{"an extension in days", "    extension: none\n", "    extension: 30d\n", true},
	{"a proof that does not exist", "    proof: [address, data_points]\n", "    proof: [address, handwriting]\n", true},
	{"no proof at all", "    proof: [address, data_points]\n", "    proof: []\n", true},
	{"a copy for a stranger", "    proof: [address, data_points]\n", "    proof: [none]\n", true},
	{"an opt-out with papers, where no law forbids it", "residences: [US-CA], proof: [none]", "residences: [BR], proof: [identity_document]", true},
	{"a refusal twice", "refusals: [manifestly_unfounded, excessive]\n", "refusals: [excessive, excessive]\n", true},
	{"holidays of nowhere", "  holidays: FR-57\n", "  holidays: EEA\n", true},
	{"holidays of a part that does not exist", "  holidays: FR-57\n", "  holidays: US-QC\n", false},
	{"a digest at no time", "digest_at: \"06:30\"", "digest_at: 6.30", true},
	{"a digest in the 25th hour", "digest_at: \"06:30\"", "digest_at: \"24:30\"", true},
	{"a desk without an address", "mail: desk@whole.example.com", "mail: desk", true},
	{"attachments for ever", "  attachment_period: 5d\n", "  attachment_period: 1000d\n", false},
	{"a law that has no pack", "  us-ca-ccpa: {", "  us-cal-ccpa: {", false},
	{"a secret in the file", "secret:shop-hook", "sk_live_51H8xQz0Ab", true},
	{"a secret dressed as a reference", "secret:shop-hook", "secret:9f86d081884c7d659a2feaa0c55ad015", true},
	{"no IAM role", "arn:aws:iam::123456789012:role/rightsdesk", "rightsdesk", true},
	{"a hook on this machine that nobody allowed", "      allow_hosts: [\"127.0.0.1:8080\"]\n", "", false},
	{"a hook that is not signed", "    secret: secret:shop-hook\n", "", true},
	{"the keys of another kind", "    task: {team: office, days: 7}\n", "    task: {team: office, days: 7}\n    http: {url: \"https://a.example.com\"}\n", true},
	{"an identity that a table cannot be asked by", "known_by: [email, account]", "known_by: [email, phone, account]", false},
	{"a way of asking that is not used", "known_by: [email, account]", "known_by: [email]", false},
	{"an item that no holding has", "{category: bills, attribute", "{category: account, attribute", false},
	{"an item rule that compares two ways", "sk, prefix: \"VISIT#\"}", "sk, equals: V, prefix: \"VISIT#\"}", true},
	{"a mask without its value", "page: {how: fixed, value: gone}", "page: {how: fixed}", true},
	{"a mask that does not exist", "page: {how: fixed, value: gone}", "page: {how: blur}", true},
	{"something kept without its article", "          article: Code de commerce L123-22\n", "", true},
	{"something deleted and kept", "      stored: {action: delete}", "      stored: {action: delete, keep: {}}", true},
	{"a purpose for nothing we hold", "    categories: [visits]\n", "    categories: [vists]\n", false},
	{"a category that is held nowhere", "      stored: {action: delete}", "      visits: {action: delete}", false},
	{"data of others among our own", "    acts_as: processor\n    controller: Example Customer\n", "", false},
	{"a correction of history", "joined: {label: {en: Joined, fr: Inscription}, historical: true}", "joined: {label: {en: Joined, fr: Inscription}, historical: true, correctable: request}", false},
	{"a correction nobody offers", "correctable: {name: full_name}", "correctable: {phone: phone}", false},
	{"legitimate interests without the interest", "    interest: {en: Ours, fr: Le nôtre}\n", "", true},
	{"no safeguard", "    safeguard: standard_contractual_clauses\n", "", false},
	{"records gone before California allows", "  requests: 30mo\n", "  requests: 1y\n", false},
	{"machines of nobody", "    not_under_control: true\n    run_by: host\n", "    not_under_control: true\n", true},
	{"a choice about nothing", "consents:\n  safety:", "consents:\n  shelter:", false},
	{"a choice without its words", "    wording: {en: Send me news., fr: Envoyez-moi les nouvelles.}\n", "", true},
	{"a choice without its words in French", "    wording: {en: Send me news., fr: Envoyez-moi les nouvelles.}\n", "    wording: {en: Send me news.}\n", false},
	{"a choice about what is always sent", "  recordings:\n    label:", "  notices:\n    label:", false},
	{"what is always sent on consent", "    bases: [legal_obligation]\n", "    bases: [legal_obligation, consent]\n", true},
	{"what cannot be refused, and no word of why", "    required: true\n    loss: {en: You cannot sign in., fr: Vous ne pouvez pas vous connecter.}\n", "    required: true\n", true},
	{"what cannot be refused, and is marketing", "    required: true\n", "    required: true\n    marketing: true\n", true},
	{"what cannot be refused, and ends", "    required: true\n", "    required: true\n    expires: 1y\n", true},
	{"on by default for no reason", "    ground: existing_customer\n", "", true},
	{"a reason to be on for what is off", "    default: on\n", "", true},
	{"a default that is neither", "    default: on\n", "    default: maybe\n", true},
	{"on by default, and an act of one's own", "    ask_first: true\n", "    explicit: true\n", true},
	{"on by default, and confirmed by mail", "    ask_first: true\n", "    double_opt_in: true\n", true},
	{"on by default on consent alone", "    bases: [consent, legitimate_interests]\n    interest: {en: To be heard, fr: Être entendus}\n", "    bases: [consent]\n", false},
	{"on by default with what is sensitive", "    categories: [bills]\n", "    categories: [bills, account]\n", false},
	{"on by default for customers, and no mail", "    mail: true\n", "", false},
	{"one recording, confirmed by mail", "    per_act: true\n", "    per_act: true\n    double_opt_in: true\n", true},
	{"a stop that does not exist", "    stopped_by: [limit_sensitive]\n", "    stopped_by: [bad_weather]\n", true},
	{"a stop that stands by itself", "    stopped_by: [limit_sensitive]\n", "    stopped_by: [bounce]\n", true},
	{"a stop by a signal that nobody hears", "    stopped_by: [limit_sensitive]\n", "    stopped_by: [limit_sensitive, dnt]\n", false},
	{"a wording of no edition", "    edition: 2\n", "    edition: 0\n", true},
	{"a consent for three winters", "    expires: 18mo\n", "    expires: three winters\n", true},
	{"a consent that outlives its record", "    expires: 18mo\n", "    expires: 8y\n", false},
	{"a signal half heard", "dnt: ignored", "dnt: sometimes", true},
	{"a choice of others without a link", "    link: {text: {en: Their settings, fr: Leurs réglages}, url: \"https://analytics.example.net/settings\"}\n", "", true},
	{"a choice of nobody's", "    performed_by: analytics_provider\n", "    performed_by: somebody\n", true},
	{"a switch of ours for nothing", "performed_by: us, purpose: news}", "performed_by: us}", true},
	{"a switch of ours that is none", "performed_by: us, purpose: news}", "performed_by: us, purpose: service}", false},
	{"a cookie for nothing", "    purpose: safety\n    lifetime", "    purpose: shelter\n    lifetime", false},
	{"a cookie that is essential, and can be refused", "    purpose: safety\n    lifetime", "    purpose: news\n    lifetime", false},
	{"a cookie that is not essential, and cannot be refused", "    essential: true\n", "", false},
	{"an essential cookie that nothing depends on", "    controlled_by: browser\n    loss: {en: You cannot sign in., fr: Vous ne pouvez pas vous connecter.}\n", "    controlled_by: us\n", true},
	{"a cookie without a switch", "party: third, purpose: audience,", "party: third, purpose: service,", false},
	{"a cookie of crumbs", "kind: pixel", "kind: crumbs", true},
	{"a secret of an app in the file", "secret:web-app", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", true},
	{"one secret for an app and a hook", "secret:web-app", "secret:shop-hook", false},
	{"an app that may nothing", "may: [consents, decisions]", "may: []", true},
	{"an app that may everything", "may: [consents, decisions]", "may: [everything]", true},
	{"an origin with a path", "https://page.whole.example.com", "https://page.whole.example.com/", true},
	{"an origin in capitals", "https://page.whole.example.com", "https://Page.whole.example.com", true},
	{"an origin with the port it has anyway", "https://page.whole.example.com", "https://page.whole.example.com:443", false},
	{"every origin", "https://page.whole.example.com", "*", true},
	{"an origin in the clear", "https://page.whole.example.com", "http://page.whole.example.com", true},
	{"a table that hears", "    role: arn:aws:iam::123456789012:role/rightsdesk\n", "    role: arn:aws:iam::123456789012:role/rightsdesk\n    hears: [opt_out_sale]\n", true},
	{"a hook that hears everything", "    hears: [opt_out_sale, withdraw_consent]\n", "    hears: [erasure]\n", true},
	{"an id with capitals", "    rest: {title:", "    Rest: {title:", true},
	{"a field name with a blank", "    phone: {label:", "    a phone: {label:", true},
	{"a section without entries", "  surfaces:\n    site: {label: {en: Site, fr: Site}, url: \"https://whole.example.com\"}\n", "  surfaces: {}\n", true},
	{"a list without entries", "      items:\n        - {category: bills, attribute: sk, equals: BILL}\n        - {category: visits, attribute: sk, prefix: \"VISIT#\"}\n", "      items: []\n", true},
	{"a list where the rules of a right belong", "  portability: {residences: [\"*\"], automatic: true}\n", "  portability: []\n", true},
	{"a mapping where a text belongs", "  brand: Example Whole\n", "  brand: {en: Example Whole}\n", true},
	{"a control character", "  brand: Example Whole\n", "  brand: \"Example\\u0007Whole\"\n", false},
	{"a control character in a text", "{en: Bills are kept., fr:", "{en: \"Bills\\nare kept.\", fr:", false},
	{"a number where a text in two languages belongs", "{en: Bills are kept., fr:", "{en: 7, fr:", true},
	{"a contact who is a number", "  person: Ada Dupont\n", "  person: 7\n", true},
	{"an undertaking that is misspelt", "    undertakings: [no_sale]\n    safeguard", "    undertakings: [no_sell]\n    safeguard", true},
	{"a language that we do not speak", "  languages: [en, fr]\n", "  languages: [en, de]\n", true},
	{"no language that we speak", "  languages: [en, fr]\n", "  languages: [de]\n", true},
	{"a time zone that depends on the machine", "Europe/Paris", "Local", false},
	{"an origin without its name", "    from_outside: [The sign-on provider]\n", "", false},
	{"a name without its origin", "    from: [person, outside]\n", "    from: [person]\n", false},
	{"a vendor without a country", "    country: US\n    role: processor\n", "    role: processor\n", true},
	{"a controller beside our own data", "    acts_as: processor\n    controller: Example Customer\n    country: US\n", "    controller: Example Customer\n    country: FR\n", true},
	{"an IAM role for a hook", "    secret: secret:shop-hook\n", "    secret: secret:shop-hook\n    role: arn:aws:iam::123456789012:role/x\n", true},
	{"a secret for a table", "    role: arn:aws:iam::123456789012:role/rightsdesk\n", "    secret: secret:table\n", true},
	{"a comparison with nothing", "- {category: bills, attribute: sk, equals: BILL}", "- {category: bills, equals: BILL}", true},
	{"masks for what is deleted", "      stored: {action: delete}", "      stored: {action: delete, masks: {a: {how: hash}}}", true},
	{"a value for a mask that needs none", "page: {how: fixed, value: gone}", "page: {how: hash, value: gone}", true},
	{"a tie found by a stranger", "account: {attribute: pk, found_by: email}", "account: {attribute: pk, found_by: phone}", false},
	{"a tie that proves itself", "account: {attribute: pk, found_by: email}", "account: {attribute: pk, found_by: account}", false},
	{"a link that leads nowhere", "(link:browser)", "(link:browsers)", false},
	{"a key that would not be fit to print", "  brand: Example Whole\n", "  brand: Example Whole\n  \"\\u0007" + strings.Repeat("bell ", 12) + "\": 1\n", true},
	{"a residence in no country", "    residences: [\"*\"]\n", "    residences: [XX-YY]\n", false},
	{"an anchor", "  brand: Example Whole\n", "  brand: &b Example Whole\n", false},
	{"a merge key", "  brand: Example Whole\n", "  brand: Example Whole\n  <<: {title: x}\n", true},
	{"a tag", "  brand: Example Whole\n", "  brand: !secret Example Whole\n", false},
	{"a second document", "  contact_is_a_person: [is]\n", "  contact_is_a_person: [is]\n---\nformat: 1\n", false},
	{"a tab", "  brand: Example Whole\n", "\tbrand: Example Whole\n", false},
	{"a closure without its days", "  erased_within: 30\n", "", true},
	{"a closure in no time", "  erased_within: 30\n", "  erased_within: 0\n", true},
	{"a grace period of an hour", "  grace: 14d\n", "  grace: 1h\n", false},
	{"a grace period of a day and a half", "  grace: 14d\n", "  grace: 36h\n", false},
	{"no grace period, in another word", "  grace: 14d\n", "  grace: none\n", true},
	{"no word of a grace period", "  grace: 14d\n", "", true},
	{"a button for a year", "  confirm_within: 3d\n", "  confirm_within: 365d\n", false},
	{"advice that leads nowhere", "Take your data along.", "Take [your data](#data) along.", false},
	{"a rule about a source that is none", "  old_visits:\n    source: tables\n", "  old_visits:\n    source: cupboard\n", false},
	{"a rule about what is not held", "    source: tables\n    category: visits\n", "    source: tables\n    category: papers\n", false},
	{"a rule about what a duty keeps", "    source: tables\n    category: visits\n", "    source: tables\n    category: bills\n", false},
	{"a rule about somebody else's data", "unasked: {source: uploads, category: papers,", "unasked: {source: storage, category: stored,", false},
	{"a rule about a log group", "unasked: {source: uploads, category: papers,", "unasked: {source: journals, category: visits,", false},
	{"a rule that never begins", "    trigger: collected\n    period: 90d\n", "    trigger: full_moon\n    period: 90d\n", true},
	{"a rule by age without an age", "    trigger: collected\n    period: 90d\n", "    trigger: collected\n", true},
	{"a rule by a time that the table does not know", "    trigger: collected\n    period: 90d\n", "    trigger: last_used\n    period: 90d\n", false},
	{"a rule by a time that a bucket does not know", "papers, trigger: collected, period: 30d", "papers, trigger: last_used, period: 30d", false},
	{"two rules for one thing", "unasked: {source: uploads, category: papers, trigger: collected,", "unasked: {source: uploads, category: papers, trigger: relationship_ended, relationship: licence,", false},
	{"a relationship that is none", "relationship: licence, period: 10d", "relationship: marriage, period: 10d", false},
	{"a relationship for what is collected", "trigger: collected, period: 30d", "trigger: collected, relationship: licence, period: 30d", true},
	{"a relationship that nobody tells of", "may: [closures, lifecycle, import, intake]", "may: [closures, import, intake]", false},
	{"a purpose that nobody chooses", "purpose: recordings, set_by", "purpose: service, set_by", false},
	{"the end of a purpose, and no word of which", "purpose_ended, purpose: recordings,", "purpose_ended,", true},
	{"the end of one purpose of two", "{en: To advertise elsewhere, fr: Faire de la publicité ailleurs}\n    bases: [consent]\n    categories: [account]\n", "{en: To advertise elsewhere, fr: Faire de la publicité ailleurs}\n    bases: [consent]\n    categories: [account, talks]\n", false},
	{"a period of nobody's", "period: 10d, set_by: company", "period: 10d, set_by: chance", true},
	{"a period of a law that is not named", "    article: Article 5\n", "", true},
	{"an article for a period of the company's", "period: 10d, set_by: company,", "period: 10d, set_by: company, article: Article 5,", true},
	{"anonymised without masks", "    masks:\n      ip: {how: null}\n      page: {how: fixed, value: none}\n", "", true},
	{"masks for what is deleted by age", "    action: anonymise\n    masks:\n      ip: {how: null}\n      page: {how: fixed", "    action: delete\n    masks:\n      ip: {how: null}\n      page: {how: fixed", true},
	{"an action that does not exist", "last_used, period: 1y, set_by: operator, action: delete}\nintake", "last_used, period: 1y, set_by: operator, action: burn}\nintake", true},
	{"an archive that a table does not have", "    article: Article 5\n    action: anonymise\n    masks:\n      ip: {how: null}\n      page: {how: fixed, value: none}\n", "    article: Article 5\n    action: archive\n", false},
	{"an exception without an end", "An attack is looked into., fr: Une attaque est examinée.}, period: 1y, from: collection}", "An attack is looked into., fr: Une attaque est examinée.}, from: collection}", true},
	{"an exception for no reason", "{ground: legal_duty, article: Article 6, duty:", "{duty:", true},
	{"a brake that does not brake", "brake: {percent: 10, cap: 9000}", "brake: {percent: 101}", true},
	{"a brake of no records", "brake: {percent: 10, cap: 9000}", "brake: {cap: 0}", true},
	{"a rule that is called like a duty", "  talks: {source: shop", "  keep-talks: {source: shop", false},
	{"papers that stay longer than the rest", "relationship: licence, period: 10d", "relationship: licence, period: 100d", false},
	{"papers that wait for nothing", "  old_talks: {source: shop, category: talks, trigger: last_used, period: 1y,", "  old_talks: {source: shop, category: talks, trigger: last_used, period: 20d,", false},
	{"what nothing ends", "  old_talks: {source: shop, category: talks, trigger: last_used, period: 1y, set_by: operator, action: delete}\n", "", false},
	{"what ends too late", "talks, trigger: last_used, period: 1y", "talks, trigger: last_used, period: 4y", false},
	{"people without an account among those with one", "    users: {label: {en: Users, fr: Utilisateurs}, account: true}\n", "    users: {label: {en: Users, fr: Utilisateurs}}\n", false},
	{"a closure that does what an erasure does", "        on_closure: keep\n", "        on_closure: delete\n", true},
	{"a closure of what a duty keeps", "        action: keep\n        keep:\n          ground: legal_duty\n", "        action: keep\n        on_closure: delete\n        keep:\n          ground: legal_duty\n", true},
	{"a choice about what a duty keeps", "        action: keep\n        keep:\n          ground: legal_duty\n", "        action: keep\n        either: true\n        keep:\n          ground: legal_duty\n", true},
	{"a choice without masks", "        either: true\n        masks:\n          ip: {how: hash}\n", "        either: true\n", true},
	{"a closure of somebody else's data", "      stored: {action: delete}", "      stored: {action: delete, on_closure: anonymise, masks: {a: {how: hash}}}", false},
	{"copies for ever", "    backups: 35d\n", "    backups: for ever\n", true},
	{"salts for a second", "  salts: 20d\n", "  salts: 1s\n", false},
	{"an index without its attribute", "index: by-day, attribute: kind, equals: [VISIT],", "index: by-day,", true},
	{"an attribute without its index", "{index: by-day, attribute: kind, equals: [VISIT],", "{attribute: kind, equals: [VISIT],", true},
	{"an index in segments", "hand: collected, units: 5000}", "hand: collected, units: 5000, segments: 2}", true},
	{"a bucket with a capital", "      bucket: whole-uploads\n", "      bucket: Whole-Uploads\n", true},
	{"one person's folder that begins another's", "users/{id}/", "users/{id}", true},
	{"a folder of nobody", "users/{id}/", "users/", true},
	{"a bucket that knows nobody", "      prefix: {account: \"users/{id}/\"}\n      tag: {email: owner}\n", "", true},
	{"a bucket that does not know somebody", "      tag: {email: owner}\n", "", false},
	{"a tag of somebody it is not asked by", "      tag: {email: owner}\n", "      tag: {email: owner, phone: owner}\n", false},
	{"a tag and a prefix for one", "      tag: {email: owner}\n", "      tag: {email: owner, account: account}\n", false},
	{"objects of no holding", "        - {category: papers, prefix: papers/}\n", "        - {category: account, prefix: papers/}\n", false},
	{"a pool of two kinds of data", "      ties: {customer: \"custom:customer\"}\n    holdings:\n", "      ties: {customer: \"custom:customer\"}\n    holdings:\n      talks: {action: delete}\n", true},
	{"a pool asked for a customer number", "    known_by: [account, email]\n    cognito", "    known_by: [account, email, customer]\n    cognito", false},
	{"a pool without its number", "      user_pool: eu-west-3_Whole1\n", "      user_pool: whole\n", true},
	{"somebody to look for in a log", "    country: FR\n    logs:", "    country: FR\n    known_by: [account]\n    logs:", true},
	{"an erasure in a log", "        action: keep\n        keep: {ground: security,", "        action: delete\n        keep: {ground: security,", true},
	{"a log that counts from the closure", "period: 30d, from: collection}", "period: 30d, from: account_closure}", true},
	{"a log group of no name", "groups: [\"/whole/shop\", \"/whole/api-*\"]", "groups: [\"/whole/*/shop\"]", true},
	{"a channel for what it is not from", "    from: outside\n    outside: The sign-on provider\n    keep", "    from: automatic\n    keep", false},
	{"a channel of a stranger", "    outside: The sign-on provider\n    keep", "    outside: A stranger\n    keep", false},
	{"a channel of nobody", "    outside: The sign-on provider\n    keep", "    keep", true},
	{"a channel for nothing we hold", "    category: account\n    from: outside\n", "    category: acount\n    from: outside\n", false},
	{"a channel that keeps nothing", "    keep: [email, licence.edition]\n", "    keep: []\n", true},
	{"a channel that keeps half a path", "    keep: [email, licence.edition]\n", "    keep: [email, \"licence..edition\"]\n", true},
	{"a channel that does what it likes", "    unknown: drop\n", "    unknown: ignore\n", true},
	{"a channel that lets card numbers in", "    refuse: [card_number, precise_position, government_id]\n", "    refuse: [precise_position]\n", false},
	{"a channel that lets positions in", "    label: {en: Licences of the marketplace, fr: Licences de la place de marché}\n    category: account\n    from: outside\n    outside: The sign-on provider\n    keep: [email, licence.edition]\n    unknown: drop\n    refuse: [card_number, precise_position, government_id]\n", "    label: {en: Papers, fr: Pièces}\n    category: papers\n    from: person\n    keep: [kind]\n    unknown: drop\n    refuse: [card_number]\n", false},
	{"a language that is missing from a relationship", "  licence: {en: Licence, fr: Licence}\n", "  licence: {en: Licence}\n", false},
	{"a quote that does not end", "  brand: Example Whole\n", "  brand: \"Example Whole\n", false},
}

func TestProblemsSayWhatIsAllowed(t *testing.T) {
	t.Parallel()
	whole := read(t, "testdata/whole.yaml")
	var got strings.Builder
	got.WriteString("What a person reads who slips in testdata/whole.yaml; see bad_test.go.\n")
	for _, b := range bad {
		fmt.Fprintf(&got, "\n# %s\n%s%s", b.name, marked("- ", b.old), marked("+ ", b.with))
		_, err := policy.Parse(edited(t, whole, b.old, b.with))
		if err == nil {
			t.Errorf("%s: accepted", b.name)
		}
		fmt.Fprintf(&got, "%v\n", err)
	}
	const golden = "testdata/problems.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if want := string(read(t, golden)); got.String() != want {
		t.Errorf("the messages changed; read them and run with -update:\n%s", got.String())
	}
}

func marked(with, text string) string {
	if text == "" {
		return ""
	}
	return with + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+with) + "\n"
}

func TestAPolicyWithoutRightsIsRefused(t *testing.T) {
	t.Parallel()
	const rights = "rights:\n  access: {residences: [\"*\"]}\n  erasure: {residences: [\"*\"], automatic: true}\n"
	refused(t, edited(t, read(t, "testdata/smallest.yaml"), rights, "rights: {}\n"), "rights", "a right or more")
}

// What the law says is not repeated in the golden file: it is the law's to change.
func TestAProofThatALawForbidsIsRefusedInItsWords(t *testing.T) {
	t.Parallel()
	whole := read(t, "testdata/whole.yaml")
	for _, tt := range []struct{ old, with, regime, right, at, article string }{
		{"proof: [address, data_points]", "proof: [address, identity_document]", "eu-gdpr", "access", "64:22 rights.access.proof[1]", "Art. 12(6) GDPR"},
		{"proof: [none]", "proof: [identity_document]", "us-ca-ccpa", "opt_out_sale", "72:47 rights.opt_out_sale.proof[0]", "11 CCR § 7060(b)"},
	} {
		no, forbidden := law.Forbids(tt.regime, tt.right, law.IdentityDocument)
		if !forbidden || no.Text == "" || no.Article != tt.article {
			t.Fatalf("%s on %s: %+v, %v", tt.regime, tt.right, no, forbidden)
		}
		want := tt.at + ": must not be identity_document under " + tt.regime + " (" + tt.article + "): " + no.Text
		if got := problems(t, edited(t, whole, tt.old, tt.with)).Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestALawIsNamedByItsPack(t *testing.T) {
	t.Parallel()
	file := read(t, "testdata/smallest.yaml")
	for id, near := range map[string]string{"uk-gpdr": "there is: uk-gdpr", "us-va-vcdpa": "there is: us-va", "xx-none": "eu-gdpr"} {
		refused(t, edited(t, file, "uk-gdpr", id), "regimes."+id, near)
	}
}

func TestARefusalIsOneThatALawOfTheFileAccepts(t *testing.T) {
	t.Parallel()
	file := read(t, "testdata/smallest.yaml") // under uk-gdpr
	with := func(list string) []byte { return append(slices.Clone(file), "refusals: "+list+"\n"...) }
	refused(t, with("[recourse_pending]"), "refusals[0]", "excessive") // PIPEDA's
	p := parse(t, with("[excessive, not_portable]"))                   // of every right and of one
	if !p.MayRefuse("not_portable") || p.MayRefuse("manifestly_unfounded") {
		t.Errorf("refusals are %v", p.Refusals)
	}
	if p = parse(t, with("[]")); p.MayRefuse("excessive") || len(p.Published("en").Refusals) != 0 {
		t.Error("a company that denies nothing may deny")
	}
}

func TestASecretInTheFileIsNotRepeated(t *testing.T) {
	t.Parallel()
	file := edited(t, read(t, "testdata/whole.yaml"), "secret:shop-hook", "sk_live_51H8xQz0Ab")
	if text := problems(t, file).Error(); strings.Contains(text, "sk_live") {
		t.Errorf("the message repeats the secret: %s", text)
	}
}

func TestAllProblemsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	file := read(t, "testdata/whole.yaml")
	for _, e := range [][2]string{{"  brand: Example Whole\n", "  brand: 7\n"}, {"Europe/Paris", "Paris"}, {"    categories: [visits]\n", "    categories: [vists]\n"}} {
		file = edited(t, file, e[0], e[1])
	}
	ps := problems(t, file)
	var paths []string
	for _, p := range ps {
		paths = append(paths, p.Path)
		if p.Line < 2 || p.Column < 1 || p.Text == "" {
			t.Errorf("%+v has no place or no text", p)
		}
	}
	if got, want := strings.Join(paths, " "), "document.brand controller.time_zone categories.visits purposes.safety.categories[0]"; got != want {
		t.Errorf("problems at %s, want %s", got, want)
	}
}

func TestAFileThatIsTooMuchIsRefused(t *testing.T) {
	t.Parallel()
	small := string(read(t, "testdata/smallest.yaml"))
	for name, file := range map[string]string{
		"over a megabyte":    small + strings.Repeat("#\n", policy.MaxFile/2),
		"empty":              "",
		"only a comment":     "# policy\n",
		"not UTF-8":          small + "# \xff\n",
		"a billion laughs":   "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
		"a list":             "- format: 1\n",
		"a number":           "1",
		"very deep":          strings.Repeat("[", 100_000),
		"very many mistakes": "format: 1\n" + strings.Repeat("? []\n: x\n", 5000),
	} {
		if ps := problems(t, []byte(file)); len(ps) == 0 || len(ps) > 101 {
			t.Errorf("%s: %d problems, want a few", name, len(ps))
		}
	}
	if _, err := policy.Parse([]byte(small + strings.Repeat("#", policy.MaxFile-len(small)))); err != nil {
		t.Errorf("a file of exactly a megabyte is refused: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, file := range files(f) {
		f.Add(file)
	}
	for _, b := range bad {
		f.Add([]byte(b.with))
	}
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("? {a: b}\n: c\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		p, err := policy.Parse(file)
		if (p == nil) == (err == nil) {
			t.Fatalf("got %v and %v, want one of them", p, err)
		}
		if p != nil {
			_ = p.Published("en")
		}
	})
}
