package policy

import (
	"cmp"
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

// Sweep is how a table is asked for its oldest items. A table that says when its
// items were collected is scanned for them where the file says nothing else; with
// the zero Sweep it cannot be asked.
type Sweep struct {
	// Index is an index whose partition key is Attribute, which is always one of
	// Equals, and whose sort key is Time; without it the table is scanned.
	Index     string
	Attribute string
	Equals    []string // the values of Attribute: more than one where the index is spread
	Time      string
	Format    TimeFormat
	Hand      source.Hand // which time it is: collected or last_used
	Segments  int         // of a scan
	Units     float64     // read units that one run may use
}

const defaultSweepUnits = 20_000

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

var sourceKinds = []SourceKind{KindHTTP, KindDynamoDB, KindS3, KindCognito, KindLogs, KindTask}

func (p *Policy) readSource(id string, o *object) {
	s := Source{
		ID:                  id,
		Kind:                word(o, "kind", need, sourceKinds),
		Label:               o.text("label", need),
		Role:                actsAs(o),
		Controller:          o.line("controller", may, anyLine),
		Country:             o.line("country", need, location),
		OnPersonalComputers: o.flag("on_personal_computers", false),
		NotUnderControl:     o.flag("not_under_control", false),
		RunBy:               o.line("run_by", may, identifier),
		Identities:          asKinds(o.lines("known_by", needIf(!o.spells("kind", string(KindLogs))), identifier)),
		IAMRole:             o.line("role", may, roleARN),
		Secret:              o.line("secret", may, secretReference),
		PageSize:            o.number("page_size", source.PageSize, source.MaxPageSize),
		Backups:             o.period("backups", may, Period{}),
		Hears:               words(o, "hears", may, []Right{OptOutSale, LimitSensitive, WithdrawConsent}),
	}
	readers := map[SourceKind]func(*object){
		KindHTTP: s.readHTTP, KindDynamoDB: s.readDynamoDB, KindS3: s.readS3, KindCognito: s.readCognito, KindLogs: s.readLogs, KindTask: s.readTask,
	}
	for _, kind := range sourceKinds {
		o.section(string(kind), needIf(kind == s.Kind), readers[kind])
		if o.has(string(kind)) && s.Kind != "" && kind != s.Kind {
			o.r.refuse(o.at(string(kind)), "is for a source of `kind: %s`; this one is of `kind: %s`", kind, s.Kind)
		}
	}
	o.entries("holdings", some, identifier, s.readHolding)
	s.checkPool(o)
	s.checkLogs(o)
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
	if s.IAMRole != "" && (s.Kind == KindHTTP || s.Kind == KindTask) {
		o.r.refuse(o.at("role"), "is for a source that AWS keeps; one of `kind: %s` needs no IAM role", s.Kind)
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
	o.section("sweep", may, d.readSweep)
	o.entries("ties", may, identifier, func(kind string, t *object) {
		d.Ties = append(d.Ties, Tie{
			Identity:  personal.Kind(kind),
			Attribute: t.line("attribute", need, attribute),
			FoundBy:   personal.Kind(t.line("found_by", need, identifier)),
		})
	})
}

func (d *DynamoDB) readSweep(o *object) {
	if o.broken {
		if c := d.CollectedAt; c.Attribute != "" {
			d.Sweep = Sweep{Time: c.Attribute, Format: c.Format, Hand: source.Collected, Segments: 1, Units: defaultSweepUnits}
		}
		return
	}
	d.Sweep = Sweep{
		Index:     o.line("index", may, tableName),
		Attribute: o.line("attribute", needIf(o.has("index")), attribute),
		Equals:    o.lines("equals", needIf(o.has("index")), anyLine),
		Time:      o.line("time", need, attribute),
		Format:    word(o, "format", need, []TimeFormat{RFC3339, UnixSeconds, UnixMillis}),
		Hand:      word(o, "hand", need, []source.Hand{source.Collected, source.LastUsed}),
		Segments:  o.number("segments", 1, 64),
		Units:     float64(o.number("units", defaultSweepUnits, 100_000_000)),
	}
	for _, key := range []string{"attribute", "equals"} {
		if o.has(key) && !o.has("index") {
			o.r.refuse(o.at(key), "is for a sweep by `index`")
		}
	}
	if o.has("segments") && o.has("index") {
		o.r.refuse(o.at("segments"), "is for a sweep without an index")
	}
}

func (s *Source) readS3(o *object) {
	s.S3 = S3{
		Bucket:    o.line("bucket", need, bucketName),
		Region:    o.line("region", may, regionName),
		Prefix:    o.byKind("prefix", keyPrefix),
		Tag:       o.byKind("tag", tagKey),
		Within:    o.line("within", may, objectFolder),
		OpenNames: o.flag("open_names", false),
	}
	if !o.broken && !o.has("prefix") && !o.has("tag") {
		o.r.refuse(o.at("prefix"), "is required, or `tag`; one of them says whose an object is")
	}
	for kind := range s.S3.Tag {
		if s.S3.Prefix[kind] != "" {
			o.r.refuse(o.at("tag")+"."+string(kind), "must not stand beside prefix.%s; one of them says whose an object is", kind)
		}
	}
	o.each("objects", need, func(i *object) {
		s.S3.Objects = append(s.S3.Objects, ObjectRule{Category: i.line("category", need, identifier), Prefix: i.line("prefix", may, objectKey)})
	})
}

// byKind reads a text for each kind of identity.
func (o *object) byKind(key string, is rule) map[personal.Kind]string {
	var texts map[personal.Kind]string
	o.section(key, may, func(m *object) {
		for _, kind := range m.order {
			text := m.line(kind, need, is)
			if !identifier.ok(kind) {
				m.r.refuse(m.at(shown(kind)), "the key %s", identifier.says)
				continue
			}
			if texts == nil {
				texts = map[personal.Kind]string{}
			}
			texts[personal.Kind(kind)] = text
		}
	})
	return texts
}

func (s *Source) readCognito(o *object) {
	const username, sub = "username", "sub"
	s.Cognito = Cognito{
		UserPool: o.line("user_pool", need, userPool),
		Region:   o.line("region", may, regionName),
		Account:  cmp.Or(word(o, "account", may, []string{username, sub}), sub),
		Ties:     o.byKind("ties", poolTie),
	}
}

// checkPool refuses a second category in a user pool: a user is deleted whole.
func (s *Source) checkPool(o *object) {
	switch {
	case s.Kind != KindCognito || len(s.Holdings) == 0:
	case len(s.Holdings) > 1:
		o.r.refuse(o.at("holdings"), "must be one category; a user of a pool is one record")
	default:
		s.Cognito.Category = s.Holdings[0].Category
	}
}

func (s *Source) readLogs(o *object) {
	s.Logs = Logs{Region: o.line("region", may, regionName), Groups: o.lines("groups", need, logGroup), Set: o.flag("set", false)}
}

// checkLogs refuses what nobody can do to a log: everything in a group goes when one
// period is over, and not before.
func (s *Source) checkLogs(o *object) {
	if s.Kind != KindLogs {
		return
	}
	if o.has("known_by") {
		o.r.refuse(o.at("known_by"), "must be left out; nobody is looked for in a log")
	}
	for _, h := range s.Holdings {
		at := o.at("holdings") + "." + h.Category
		switch k := h.Keep; {
		case h.Action == "":
		case h.Action != ActionKeep:
			o.r.refuse(at+".action", "must be keep; a log group forgets by its period, and nothing in it before")
		case k.From != FromCollection && k.From != "":
			o.r.refuse(at+".keep.from", "must be collection; a log group counts from nothing else")
		case k.Period != s.Holdings[0].Keep.Period && !k.Period.IsZero():
			o.r.refuse(at+".keep.period", "must be that of the other holdings (%s); a log group has one", s.Holdings[0].Keep.Period)
		}
	}
}

func (s *Source) readTask(o *object) {
	s.Task = Task{Team: o.line("team", need, identifier), Days: o.number("days", defaultTaskDays, 365)}
}

func (s *Source) readHolding(category string, o *object) {
	actions := []Action{ActionDelete, ActionAnonymise, ActionKeep}
	h := Holding{
		Category:  category,
		Action:    word(o, "action", need, actions),
		OnClosure: word(o, "on_closure", may, actions),
		Either:    o.flag("either", false),
	}
	h.check(o)
	masked := may
	if h.masked() {
		masked = some
	}
	o.entries("masks", masked, fieldName, func(field string, m *object) {
		h.Masks = append(h.Masks, readMask(field, m))
	})
	if len(h.Masks) > 0 && !h.masked() && h.Action != "" {
		o.r.refuse(o.at("masks"), "is for `action: anonymise`")
	}
	o.section("keep", needIf(h.Kept()), func(k *object) { h.Keep = readKeep(k) })
	if o.has("keep") && !h.Kept() && h.Action != "" {
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

// check refuses a choice or a closure that the action leaves no room for.
func (h Holding) check(o *object) {
	switch {
	case h.Action == "" || h.OnClosure == "":
	case h.Action == ActionKeep:
		o.r.refuse(o.at("on_closure"), "must be left out; what a duty keeps from an erasure it keeps from a closure")
	case h.OnClosure == h.Action:
		o.r.refuse(o.at("on_closure"), "must be left out; it is what `action` says")
	}
	if h.Either && h.Action == ActionKeep {
		o.r.refuse(o.at("either"), "must be false; what is kept is neither deleted nor anonymised")
	}
}

// masked reports whether the holding is ever anonymised.
func (h Holding) masked() bool {
	return h.Action == ActionAnonymise || h.OnClosure == ActionAnonymise || h.Either && h.Action != ActionKeep
}

// Kept reports whether something keeps the holding: from every erasure, or from the
// closure of the account only.
func (h Holding) Kept() bool { return h.Action == ActionKeep || h.OnClosure == ActionKeep }

func readKeep(o *object) Keep {
	k := Keep{
		Ground:  word(o, "ground", need, []Ground{LegalDuty, LegalClaims, SecurityGround, PublicInterest}),
		Duty:    o.text("duty", need),
		Article: o.line("article", may, anyLine),
		Period:  o.period("period", need, Period{}),
		From:    word(o, "from", need, []Event{FromCollection, FromClosure, FromEnd}),
	}
	if k.Ground == LegalDuty && !o.has("article") {
		o.r.refuse(o.at("article"), "is required; a legal duty is named by its article")
	}
	return k
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

// LeavesHow reports whether anything may be erased or made anonymous as the person
// wishes.
func (p *Policy) LeavesHow() bool {
	return slices.ContainsFunc(p.Sources, func(s Source) bool {
		return slices.ContainsFunc(s.Holdings, func(h Holding) bool { return h.Either })
	})
}

// Holding returns what the source holds of a category.
func (s Source) Holding(category string) (Holding, bool) {
	i := slices.IndexFunc(s.Holdings, func(h Holding) bool { return h.Category == category })
	if i < 0 {
		return Holding{}, false
	}
	return s.Holdings[i], true
}
