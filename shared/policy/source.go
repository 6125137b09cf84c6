package policy

import (
	"net/url"
	"slices"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
)

// Source is one data store of the company's: how it is reached, whom it can be
// asked about, and what becomes of what it holds.
type Source struct {
	ID    string
	Kind  SourceKind
	Label Text // for people: "the shop", never an address or a table name

	Role       Role   // the file spells it acts_as
	Controller string // whose data it is, if we are the processor; empty: not known

	Country             string // of the machines: FR or EEA
	OnPersonalComputers bool   // processed on somebody's own computer too
	NotUnderControl     bool   // the machines are somebody else's and do as they like
	RunBy               string // the recipient whose machines they are; empty: ours

	Identities []personal.Kind // what it can be asked by; the file spells it known_by
	IAMRole    string          // to assume; the file spells it role. Empty: the function's own
	Secret     string          // a reference, secret:NAME
	PageSize   int             // records a call
	Backups    Period          // how long copies of it live on after an erasure; zero: none are made

	HTTP     HTTP     // for the kind http
	DynamoDB DynamoDB // for the kind dynamodb
	S3       S3       // for the kind s3
	Cognito  Cognito  // for the kind cognito
	Logs     Logs     // for the kind logs
	Task     Task     // for the kind task

	Holdings []Holding
	Hears    []Right // the choices that it is told of at once; only a hook can be
}

// SourceKind is how a source is reached.
type SourceKind string

// The kinds of sources.
const (
	KindHTTP     SourceKind = "http"     // a hook in the company's own program
	KindDynamoDB SourceKind = "dynamodb" // a table
	KindS3       SourceKind = "s3"       // objects in a bucket
	KindCognito  SourceKind = "cognito"  // a user pool
	KindLogs     SourceKind = "logs"     // CloudWatch log groups, whose retention is set and watched
	KindTask     SourceKind = "task"     // a team that does it by hand
)

// HTTP is how to reach a hook.
type HTTP struct {
	URL string
	// AllowHosts are hosts, with their ports where given, that may have a private
	// address. Any other host that resolves to one is not called.
	AllowHosts []string
	// Ties are the kinds of identity that the hook may bind to a verified one, such
	// as the account of a verified address. What it binds counts as verified.
	Ties []personal.Kind
}

// DynamoDB is how to read a table that knows nothing of Rightsdesk.
type DynamoDB struct {
	Table       string
	Region      string // empty: the backend's own
	Key         TableKey
	FindBy      []Lookup   // one for each kind of identity the source is known by
	Items       []ItemRule // the first that matches says what an item is; an item without one is an error
	RecordID    string     // attribute that names the item and is no personal data; empty: a hash of its key
	CollectedAt Instant
	Ties        []Tie
	Sweep       Sweep // how old items are found
}

// Sweep is how a table is asked for its oldest items.
type Sweep struct {
	// Index is an index whose partition key is Attribute and always Equals, and whose
	// sort key is the time; without it the table is scanned.
	Index     string
	Attribute string
	Equals    []string // the values of Attribute, where the index is spread over several
	Sort      string
	Format    TimeFormat
	Hand      source.Hand // which time it is: collected or last_used
	Segments  int         // of a scan
	Units     float64     // read units that one run may use
}

// S3 is which objects of a bucket belong to a person: those below a prefix that
// names them, or those with a tag. One kind of identity has either, not both.
type S3 struct {
	Bucket string
	Region string // empty: the backend's own
	// Prefix has {id} once, where the identity stands, and a slash on either side of
	// it: users/{id}/ or {id}/. Otherwise the prefix of one person would begin
	// that of another.
	Prefix map[personal.Kind]string
	// Tag is the tag whose value is the identity. S3 finds nothing by tags: those of
	// every object below Within are read, which Execute does for 10,000 at most.
	Tag     map[personal.Kind]string
	Within  string       // only objects below this prefix; it ends in a slash, or is empty
	Objects []ObjectRule // the first that matches says what an object is; an object without one is an error
	// OpenNames says that the part of a key after the prefix is no personal data and
	// unique in its category: it becomes the record's id. Otherwise a hash of the key does.
	OpenNames bool
}

// ObjectRule puts objects into a category, by how their keys go on: after the
// prefix that names the person, or after Within where a tag does.
type ObjectRule struct {
	Category string
	Prefix   string // empty: every object
}

// Cognito is a user pool. A user is one record, of one category. By an address or a
// phone number a user is found only if the pool says that it was verified.
type Cognito struct {
	UserPool string
	Region   string // empty: the one that the pool's id begins with
	Category string
	// Account is which attribute is the account id that the source is asked by:
	// username or sub. Cognito finds nobody by custom attributes.
	Account string
	// Ties are the kinds of identity that a user found by a verified address names, and
	// the attribute: username, sub, or one such as custom:customer that no app client
	// lets users write themselves.
	Ties map[personal.Kind]string
}

// Logs is log groups that hold something of everybody: nobody can be found in them,
// so they are kept short, and that is watched. For how long is what the source's
// holdings say, all of which are kept, from collection, for the same period.
type Logs struct {
	Region string   // empty: the backend's own
	Groups []string // names, or prefixes that end in *
	// Set lets a retention be set where that deletes nothing: on groups that are younger
	// than it. Elsewhere an operator confirms it.
	Set bool
}

// TableKey is the key of the table itself: what it takes to write an item.
type TableKey struct {
	Partition string
	Sort      string // empty: the table has none
}

// Lookup is how the items of a person are found: the attribute, which is a
// partition key of the table or the index, equals Prefix and the identity.
type Lookup struct {
	Identity  personal.Kind
	Attribute string
	Index     string // empty: the table itself
	Prefix    string // put before the identity, such as USER#
}

// ItemRule puts items into a category. Of Equals and Prefix at most one is set;
// with neither, having the attribute is enough; without an attribute, every item matches.
type ItemRule struct {
	Category  string
	Attribute string
	Equals    string
	Prefix    string
}

// Instant is where an item says when it was collected.
type Instant struct {
	Attribute string // empty: it does not say
	Format    TimeFormat
}

// TimeFormat is how a table writes a time.
type TimeFormat string

// The formats.
const (
	RFC3339     TimeFormat = "rfc3339"
	UnixSeconds TimeFormat = "unix_seconds"
	UnixMillis  TimeFormat = "unix_millis"
)

// Tie says that an item found by one verified identity names another one, which
// counts as verified from then on: the account of a verified address.
type Tie struct {
	Identity  personal.Kind // what the attribute is
	Attribute string
	FoundBy   personal.Kind // only items found by this prove it
}

// Task is who does by hand what no program can.
type Task struct {
	Team string
	Days int // it is due after so many days
}

// Holding is what a source holds of a category, and what erasure does to it.
type Holding struct {
	Category string
	Action   Action
	Masks    []source.Mask // for anonymise: every field, preserved or masked
	Keep     Keep          // for keep
	// OnClosure is what the closure of the account does to it, where that differs.
	OnClosure Action
	// Either says that the person chooses between erasure and anonymisation.
	Either bool
	// Correctable maps a field of the category to its name in this source.
	Correctable map[string]string
}

// Action is what erasure does to a holding.
type Action string

// The actions.
const (
	ActionDelete    Action = "delete"
	ActionAnonymise Action = "anonymise"
	ActionKeep      Action = "keep"
)

// Keep is why something stays, and until when.
type Keep struct {
	Ground  Ground
	Duty    Text   // in words: commercial records must be kept
	Article string // Code de commerce L123-22
	Period  Period
	From    Event
}

// Ground is the reason in law for keeping what somebody wants erased (GDPR Article 17(3)).
type Ground string

// The grounds.
const (
	LegalDuty      Ground = "legal_duty"
	LegalClaims    Ground = "legal_claims"
	SecurityGround Ground = "security"
	PublicInterest Ground = "public_interest"
)

// Event is what a period begins with.
type Event string

// The events.
const (
	FromCollection Event = "collection"
	FromClosure    Event = "account_closure"
	FromEnd        Event = "relationship_end"
)

func (p *Policy) readSource(id string, o *object) {
	s := Source{
		ID:                  id,
		Kind:                word(o, "kind", need, []SourceKind{KindHTTP, KindDynamoDB, KindTask}),
		Label:               o.text("label", need),
		Role:                actsAs(o),
		Controller:          o.line("controller", may, anyLine),
		Country:             o.line("country", need, location),
		OnPersonalComputers: o.flag("on_personal_computers", false),
		NotUnderControl:     o.flag("not_under_control", false),
		RunBy:               o.line("run_by", may, identifier),
		Identities:          asKinds(o.lines("known_by", need, identifier)),
		IAMRole:             o.line("role", may, roleARN),
		Secret:              o.line("secret", may, secretReference),
		PageSize:            o.number("page_size", source.PageSize, source.MaxPageSize),
		Hears:               words(o, "hears", may, []Right{OptOutSale, LimitSensitive, WithdrawConsent}),
	}
	readers := map[SourceKind]func(*object){KindHTTP: s.readHTTP, KindDynamoDB: s.readDynamoDB, KindTask: s.readTask}
	for _, kind := range []SourceKind{KindHTTP, KindDynamoDB, KindTask} {
		o.section(string(kind), needIf(kind == s.Kind), readers[kind])
		if o.has(string(kind)) && s.Kind != "" && kind != s.Kind {
			o.r.refuse(o.at(string(kind)), "is for a source of `kind: %s`; this one is of `kind: %s`", kind, s.Kind)
		}
	}
	o.entries("holdings", some, identifier, s.readHolding)
	s.check(o)
	p.Sources = append(p.Sources, s)
}

// check refuses keys of a source that do not go together.
func (s *Source) check(o *object) {
	if s.Controller != "" && s.Role == AsController {
		o.r.refuse(o.at("controller"), "is for a source with `acts_as: processor`; it names whose data it is")
	}
	if s.NotUnderControl && s.RunBy == "" && !o.has("run_by") {
		o.r.refuse(o.at("run_by"), "is required; it names the recipient who controls the machines")
	}
	if s.IAMRole != "" && s.Kind != KindDynamoDB {
		o.r.refuse(o.at("role"), "is for a source of `kind: dynamodb`; no other needs an IAM role")
	}
	if len(s.Hears) > 0 && s.Kind != KindHTTP {
		o.r.refuse(o.at("hears"), "is for a source of `kind: http`; no other can be told at once")
	}
	if o.has("secret") && s.Kind != KindHTTP {
		o.r.refuse(o.at("secret"), "is for a source of `kind: http`; no other signs its calls")
	}
	if !o.has("secret") && s.Kind == KindHTTP {
		o.r.refuse(o.at("secret"), "is required; calls to a hook are signed. It %s", secretReference.says)
	}
}

func asKinds(list []string) []personal.Kind {
	identities := make([]personal.Kind, len(list))
	for i, s := range list {
		identities[i] = personal.Kind(s)
	}
	return identities
}

func (s *Source) readHTTP(o *object) {
	s.HTTP.AllowHosts = o.lines("allow_hosts", may, hostName)
	s.HTTP.Ties = asKinds(o.lines("ties", may, identifier))
	s.HTTP.URL = o.line("url", need, webAddress)
	if u, err := url.Parse(s.HTTP.URL); err == nil && isLoopback(u.Hostname()) &&
		!slices.Contains(s.HTTP.AllowHosts, u.Host) && !slices.Contains(s.HTTP.AllowHosts, u.Hostname()) {
		o.r.refuse(o.at("url"), "is this very machine; if that is meant, name it: `allow_hosts: [\"%s\"]`", u.Host)
	}
}

func (s *Source) readDynamoDB(o *object) {
	d := &s.DynamoDB
	d.Table = o.line("table", need, tableName)
	d.Region = o.line("region", may, regionName)
	o.section("key", need, func(k *object) {
		d.Key = TableKey{Partition: k.line("partition", need, attribute), Sort: k.line("sort", may, attribute)}
	})
	o.entries("find_by", some, identifier, func(kind string, l *object) {
		d.FindBy = append(d.FindBy, Lookup{
			Identity:  personal.Kind(kind),
			Attribute: l.line("attribute", need, attribute),
			Index:     l.line("index", may, tableName),
			Prefix:    l.line("prefix", may, anyLine),
		})
	})
	o.each("items", need, func(i *object) {
		rule := ItemRule{
			Category:  i.line("category", need, identifier),
			Attribute: i.line("attribute", may, attribute),
			Equals:    i.line("equals", may, anyLine),
			Prefix:    i.line("prefix", may, anyLine),
		}
		if rule.Equals != "" && rule.Prefix != "" {
			i.r.refuse(i.at("prefix"), "must not stand beside `equals`; one of them decides")
		}
		if rule.Attribute == "" && (rule.Equals != "" || rule.Prefix != "") {
			i.r.refuse(i.at("attribute"), "is required; it names what is compared")
		}
		d.Items = append(d.Items, rule)
	})
	d.RecordID = o.line("record_id", may, attribute)
	o.section("collected_at", may, func(c *object) {
		d.CollectedAt = Instant{
			Attribute: c.line("attribute", need, attribute),
			Format:    word(c, "format", need, []TimeFormat{RFC3339, UnixSeconds, UnixMillis}),
		}
	})
	o.entries("ties", may, identifier, func(kind string, t *object) {
		d.Ties = append(d.Ties, Tie{
			Identity:  personal.Kind(kind),
			Attribute: t.line("attribute", need, attribute),
			FoundBy:   personal.Kind(t.line("found_by", need, identifier)),
		})
	})
}

func (s *Source) readTask(o *object) {
	s.Task = Task{Team: o.line("team", need, identifier), Days: o.number("days", defaultTaskDays, 365)}
}

func (s *Source) readHolding(category string, o *object) {
	h := Holding{Category: category, Action: word(o, "action", need, []Action{ActionDelete, ActionAnonymise, ActionKeep})}
	masked := may
	if h.Action == ActionAnonymise {
		masked = some
	}
	o.entries("masks", masked, fieldName, func(field string, m *object) {
		h.Masks = append(h.Masks, readMask(field, m))
	})
	if len(h.Masks) > 0 && h.Action != ActionAnonymise && h.Action != "" {
		o.r.refuse(o.at("masks"), "is for `action: anonymise`")
	}
	o.section("keep", needIf(h.Action == ActionKeep), func(k *object) {
		h.Keep = Keep{
			Ground:  word(k, "ground", need, []Ground{LegalDuty, LegalClaims, SecurityGround, PublicInterest}),
			Duty:    k.text("duty", need),
			Article: k.line("article", may, anyLine),
			Period:  k.period("period", need, Period{}),
			From:    word(k, "from", need, []Event{FromCollection, FromClosure}),
		}
		if h.Keep.Ground == LegalDuty && !k.has("article") {
			k.r.refuse(k.at("article"), "is required; a legal duty is named by its article")
		}
	})
	if o.has("keep") && h.Action != ActionKeep && h.Action != "" {
		o.r.refuse(o.at("keep"), "is for `action: keep`")
	}
	o.section("correctable", may, func(c *object) {
		for _, field := range c.order {
			if h.Correctable == nil {
				h.Correctable = map[string]string{}
			}
			h.Correctable[field] = c.line(field, need, fieldName)
		}
	})
	s.Holdings = append(s.Holdings, h)
}

func readMask(field string, o *object) source.Mask {
	if n := o.values["how"]; n != nil && n.Tag == "!!null" && n.Value == string(source.Null) {
		n.Tag = "!!str" // YAML takes the word null for nothing; here it is one of the ways
	}
	m := source.Mask{
		Field: field,
		How:   word(o, "how", need, []source.How{source.Null, source.Fixed, source.Hash, source.KeyedHash, source.Preserve}),
		Value: o.line("value", may, anyLine),
	}
	switch {
	case m.How == source.Fixed && !o.has("value"):
		o.r.refuse(o.at("value"), "is required; it is what stands there instead")
	case m.How != source.Fixed && m.How != "" && o.has("value"):
		o.r.refuse(o.at("value"), "is for `how: fixed`")
	}
	return m
}

// Source returns the source with that id.
func (p *Policy) Source(id string) (Source, bool) {
	i := slices.IndexFunc(p.Sources, func(s Source) bool { return s.ID == id })
	if i < 0 {
		return Source{}, false
	}
	return p.Sources[i], true
}

// Holding returns what the source holds of a category.
func (s Source) Holding(category string) (Holding, bool) {
	i := slices.IndexFunc(s.Holdings, func(h Holding) bool { return h.Category == category })
	if i < 0 {
		return Holding{}, false
	}
	return s.Holdings[i], true
}
