// Package topology declares what Rightsdesk consists of: functions, their
// routes, schedules, queue and stream, which tables they touch, which settings
// and alarms exist. It is data. Three readers interpret it: infra/stack makes
// CloudFormation of it, infra/local one process on a laptop, boot the part of it
// that is one function's. None of them declares anything itself, so what exists
// in one exists in all.
//
// It imports the standard library only, and every package but the domain's may
// import it.
package topology

import (
	"strings"
	"time"
)

// Caller says who may call a route. It is enforced in two places: API Gateway
// refuses an Operator route without a valid token, and httpapi refuses every
// other route whose credential is missing or wrong.
type Caller int

// The callers.
const (
	Anyone     Caller = iota // no credential; limited by source address
	SignedLink               // the token of a mailed link, in the path
	Person                   // Authorization: Bearer, from verification, for one request only
	App                      // the company's own application, by its service key
	Browser                  // a web page, for its own anonymous id; or App, if a key signs the call
	Operator                 // somebody who acts for the company
)

// Route is one pattern that a function answers.
type Route struct {
	// Pattern is spelled as both net/http and API Gateway read it:
	// "POST /v1/requests/{id}/verify". Greedy parts are spelled apart by the two
	// and therefore forbidden.
	Pattern string
	Caller  Caller
}

// Method returns the HTTP method of the pattern.
func (r Route) Method() string { m, _, _ := strings.Cut(r.Pattern, " "); return m }

// Path returns the path of the pattern.
func (r Route) Path() string { _, p, _ := strings.Cut(r.Pattern, " "); return p }

// Access is what a function may do to a table.
type Access int

// The accesses. No access may change or remove an entry of the audit table.
const (
	None      Access = iota
	Read             // get and query
	Append           // read, and put what is not there yet
	Update           // append, and change what is there
	ReadWrite        // update, and remove
)

// Tables is a function's access to the three tables.
type Tables struct{ State, Audit, Keys Access }

// Schedule runs a job of the function again and again.
type Schedule struct {
	Job   string // name of the job, unique within the function
	Every time.Duration
	// Misses is how many runs in a row may fail or be lost before Alarm rings.
	Misses int
	Alarm  string // PascalCase; docs/runbooks has a page of this name
}

// AlarmWindow is the time without a successful run after which the alarm rings:
// the interval times the runs that may be missed and one more, and a minute for
// the schedule's own precision.
func (s Schedule) AlarmWindow() time.Duration {
	return s.Every*time.Duration(s.Misses+1) + time.Minute
}

// Queue feeds a function with work, at least once each, in no order.
type Queue struct {
	Name  string // unique; senders name it
	Batch int    // messages in one invocation
	// Tries is how often a message is delivered before it is parked in the
	// dead-letter queue, which rings Alarm.
	Tries int
	Alarm string
}

// Feed is the events of another service that a function hears, at least once each,
// in no order. Hardly anything finds again what it loses, so it waits in a queue of its own.
type Feed struct {
	Source string   // as the event bus names the service: aws.ses
	Types  []string // detail-types
	Batch  int      // events in one invocation
	// Tries is how often an event is delivered before it is parked, which rings Alarm.
	Tries int
	Alarm string
}

// Function is one Lambda, one folder in functions/, one row of the data map.
type Function struct {
	Name      string
	Routes    []Route
	Schedules []Schedule
	Queue     *Queue // the queue it works off
	// Stream lets the function see every change of the State table soon after it.
	Stream bool
	// Entries lets the function see every new entry of the audit soon after it: it seals
	// them, and tells the event bus what they say.
	Entries   bool
	Feed      *Feed // what it hears from other services
	Tables    Tables
	Sends     []string // queues it puts work into
	SendsMail bool
	// Suppressions lets the function read the mail service's list of addresses that it
	// writes to no more. Other senders of the account fill it too.
	Suppressions bool
	Restores     bool   // may read whole tables, for the replay after a restore
	Sources      bool   // calls the company's data stores; the only functions that may assume their roles
	Exports      Access // to the bucket with people's packages and what they attached
	// Checkpoints is the access to the write-once bucket of sealed entries.
	Checkpoints Access
	Publishes   bool // puts events on the installation's bus, for the company's own systems
	// Editions lets the function publish policies, from the settings and from the
	// bucket into which operators put theirs.
	Editions bool
	Memory   int // MB
	Timeout  time.Duration
	Alarm    string // rings when it fails
}

// Requests takes in rights requests and shows where they stand, to the person
// and to operators.
var Requests = Function{
	Name: "requests",
	Routes: []Route{
		{"GET /healthz", Anyone},
		{"POST /v1/requests", Anyone},
		{"POST /v1/requests/{id}/code", Anyone},
		{"POST /v1/requests/{id}/verify", Anyone},
		{"GET /v1/requests/{id}", Person},
		{"GET /v1/requests/{id}/deadline", Person},
		{"POST /v1/requests/{id}/revoke", Person},
		{"POST /v1/requests/{id}/deliver", Person},
		{"GET /v1/requests/{id}/certificate", Person},
		{"POST /v1/app/requests", App},
		{"GET /v1/requests/{id}/messages", Person},
		{"POST /v1/requests/{id}/messages", Person},
		{"POST /v1/requests/{id}/appeal", Person},

		{"POST /v1/operator/requests", Operator},
		{"GET /v1/operator/requests", Operator},
		{"GET /v1/operator/requests/{id}", Operator},
		{"POST /v1/operator/requests/{id}/verify", Operator},
		{"POST /v1/operator/requests/{id}/accept", Operator},
		{"POST /v1/operator/requests/{id}/deny", Operator},
		{"POST /v1/operator/requests/{id}/plan", Operator},
		{"POST /v1/operator/requests/{id}/retry", Operator},
		{"POST /v1/operator/requests/{id}/extend", Operator},
		{"POST /v1/operator/requests/{id}/pause", Operator},
		{"POST /v1/operator/requests/{id}/resume", Operator},
		{"POST /v1/operator/requests/{id}/recount", Operator},
		{"POST /v1/operator/requests/{id}/assign", Operator},
		{"GET /v1/operator/requests/{id}/certificate", Operator},
		{"GET /v1/operator/requests/{id}/messages", Operator},
		{"POST /v1/operator/requests/{id}/messages", Operator},
		{"GET /v1/operator/requests/{id}/messages/{message}/files/{file}", Operator},
		{"POST /v1/operator/tasks/{id}/done", Operator},
		{"GET /v1/operator/audit/verify", Operator},
		{"GET /v1/operator/law/cases", Operator},

		{"GET /", Anyone},
		{"POST /requests", Anyone},
		{"GET /requests/{id}", Anyone},
		{"POST /requests/{id}", Anyone},
		{"GET /r/{token}", SignedLink},
		{"POST /r/{token}", SignedLink},
	},
	Tables:  Tables{State: ReadWrite, Audit: Append, Keys: Update},
	Sends:   []string{Steps},
	Exports: Append, // it keeps what people attach; deadlines erases it
	// It asks whether entries that are missing had their time.
	Checkpoints: Read,
	Memory:      256, Timeout: 15 * time.Second,
	Alarm: "RequestsFailing",
}

// Consent takes down what people choose, tells apps what they may do, and shows
// people their own choices.
var Consent = Function{
	Name: "consent",
	Routes: []Route{
		{"GET /v1/choices", Browser},
		{"POST /v1/consents", Browser},
		{"POST /v1/decisions", Browser},
		{"POST /v1/signals", Browser},
		{"POST /v1/receipts", Browser},
		{"OPTIONS /v1/choices", Anyone},
		{"OPTIONS /v1/consents", Anyone},
		{"OPTIONS /v1/decisions", Anyone},
		{"OPTIONS /v1/signals", Anyone},
		{"OPTIONS /v1/receipts", Anyone},
		{"GET /v1/wordings/{hash}", Anyone},
		{"GET /.well-known/jwks.json", Anyone},

		{"POST /v1/preferences/links", Anyone},
		{"GET /v1/preferences", Person},
		{"POST /v1/preferences", Person},
		{"GET /v1/preferences/receipts/{record}", Person},
		{"POST /v1/app/preferences", App},
		{"POST /v1/app/links", App},

		{"POST /v1/operator/consents/import", Operator},
		{"GET /v1/operator/halt", Operator},
		{"POST /v1/operator/halt", Operator},
		{"POST /v1/operator/resume", Operator},

		{"GET /choices", Anyone},
		{"POST /choices", Anyone},
		{"GET /choices.js", Anyone},
		{"GET /preferences", Anyone},
		{"POST /preferences", Anyone},
		{"GET /p/{token}", SignedLink},
		{"POST /p/{token}", SignedLink},
		{"GET /u/{token}", SignedLink},
		{"POST /u/{token}", SignedLink},
		{"GET /c/{token}", SignedLink},
		{"POST /c/{token}", SignedLink},
	},
	Tables: Tables{State: ReadWrite, Audit: Append, Keys: Update},
	Memory: 256, Timeout: 10 * time.Second,
	Alarm: "ConsentFailing",
}

// MailEvents hears what became of mail: an address that takes none, an owner who
// calls it spam. Its schedule finds what no event told.
var MailEvents = Function{
	Name:         "mailevents",
	Schedules:    []Schedule{{Job: "suppressions", Every: 24 * time.Hour, Misses: 2, Alarm: "SuppressionsUnread"}},
	Feed:         &Feed{Source: "aws.ses", Types: []string{"Email Bounced", "Email Complaint Received"}, Batch: 10, Tries: 5, Alarm: "MailEventsParked"},
	Tables:       Tables{State: ReadWrite, Audit: Append, Keys: Read},
	Suppressions: true,
	Memory:       256, Timeout: 2 * time.Minute,
	Alarm: "MailEventsFailing",
}

// LifecycleEvents is what the source of the company's own events begins with on the
// event bus: rightsdesk.app. Whoever may put events there may close accounts.
const LifecycleEvents = "rightsdesk.app"

// Closure is the end of things: accounts that are closed, what apps tell about the
// life of relationships, and for operators retention, legal holds and what follows
// a restore.
var Closure = Function{
	Name: "closure",
	Routes: []Route{
		{"POST /v1/closures", Anyone},
		{"GET /v1/closures/{id}", Person},
		{"POST /v1/closures/{id}/cancel", Person},
		{"POST /v1/app/closures", App},
		{"POST /v1/app/closures/status", App},
		{"POST /v1/app/closures/cancel", App},
		{"POST /v1/app/events", App},
		{"POST /v1/app/import-guard", App},
		{"POST /v1/app/intake", App},

		{"GET /v1/operator/retention", Operator},
		{"GET /v1/operator/retention/{rule}", Operator},
		{"POST /v1/operator/retention/{rule}/preview", Operator},
		{"POST /v1/operator/retention/{rule}/activate", Operator},
		{"POST /v1/operator/retention/{rule}/pause", Operator},
		{"POST /v1/operator/retention/{rule}/confirm", Operator},
		{"GET /v1/operator/holds", Operator},
		{"POST /v1/operator/holds", Operator},
		{"GET /v1/operator/holds/{id}", Operator},
		{"POST /v1/operator/holds/{id}/review", Operator},
		{"POST /v1/operator/holds/{id}/release", Operator},
		{"GET /v1/operator/salts", Operator},
		{"POST /v1/operator/salts/confirm", Operator},
		{"GET /v1/operator/intake", Operator},
		{"GET /v1/operator/replay", Operator},
		{"POST /v1/operator/replay", Operator},

		{"GET /close", Anyone},
		{"POST /close", Anyone},
		{"GET /x/{token}", SignedLink},
		{"POST /x/{token}", SignedLink},
	},
	Feed:   &Feed{Source: LifecycleEvents, Types: []string{"account.opened", "account.closed", "relationship.started", "relationship.ended", "purpose.ended", "record.created"}, Batch: 10, Tries: 5, Alarm: "LifecycleEventsParked"},
	Tables: Tables{State: ReadWrite, Audit: Append, Keys: Update},
	Memory: 256, Timeout: 15 * time.Second,
	Alarm: "ClosureFailing",
}

// Retention sweeps what has outlived its purpose, destroys the salts of people who
// were erased, and replays the ledger after a restore.
var Retention = Function{
	Name: "retention",
	Schedules: []Schedule{
		{Job: "sweeps", Every: 15 * time.Minute, Misses: 4, Alarm: "RetentionSweepStalled"},
		{Job: "replay", Every: 15 * time.Minute, Misses: 4, Alarm: "ReplayStalled"},
	},
	Tables:   Tables{State: ReadWrite, Audit: Append, Keys: ReadWrite},
	Sources:  true,
	Restores: true,
	Memory:   512, Timeout: 10 * time.Minute,
	Alarm: "RetentionFailing",
}

// Notice is the public face of the policy, and publishes its editions.
var Notice = Function{
	Name: "notice",
	Routes: []Route{
		{"GET /policy", Anyone},
		{"GET /v1/policy", Anyone},
		{"GET /v1/policy/vendors", Anyone},
		{"GET /v1/policy/categories", Anyone},
		{"GET /v1/policy/versions", Anyone},
		{"GET /.well-known/gpc.json", Anyone},
		{"GET /.well-known/security.txt", Anyone},

		{"GET /v1/operator/policy", Operator},
		{"POST /v1/operator/policy", Operator},
		{"POST /v1/operator/policy/check", Operator},
		{"GET /v1/operator/policy/{edition}", Operator},
	},
	Schedules: []Schedule{{Job: "editions", Every: 5 * time.Minute, Misses: 4, Alarm: "InstallationNotOpen"}},
	Tables:    Tables{State: ReadWrite, Audit: Append},
	Editions:  true,
	Memory:    256, Timeout: 25 * time.Second,
	Alarm: "NoticeFailing",
}

// Steps is the queue of work on plans: one message, one step on one source.
const Steps = "steps"

// Fulfil works off plans: one step on one data source at a time. Its schedule
// finds what the queue lost.
var Fulfil = Function{
	Name:      "fulfil",
	Queue:     &Queue{Name: Steps, Batch: 1, Tries: 5, Alarm: "StepsParked"},
	Schedules: []Schedule{{Job: "steps", Every: 2 * time.Minute, Misses: 4, Alarm: "FulfilSweepStalled"}},
	Tables:    Tables{State: ReadWrite, Audit: Append, Keys: Read},
	Sends:     []string{Steps},
	Sources:   true,
	Exports:   ReadWrite,
	Memory:    512, Timeout: 5 * time.Minute,
	Alarm: "FulfilFailing",
}

// Deadlines watches the clock: it reminds people and operators, unverified requests
// lapse, packages and attachments are erased.
var Deadlines = Function{
	Name:      "deadlines",
	Schedules: []Schedule{{Job: "clocks", Every: 5 * time.Minute, Misses: 4, Alarm: "DeadlineSweepStalled"}},
	Tables:    Tables{State: ReadWrite, Audit: Append, Keys: Update}, // it meets whom a source tied to a closed account
	Exports:   ReadWrite,
	Memory:    256, Timeout: 5 * time.Minute,
	Alarm: "DeadlinesFailing",
}

// Relay carries what a commit announced to mail, queue, event bus and the sealed
// record. Streams wake it; its schedules find what the State table's stream lost, send
// digests and sign checkpoints.
var Relay = Function{
	Name:    "relay",
	Stream:  true,
	Entries: true,
	Schedules: []Schedule{
		{Job: "announcements", Every: 2 * time.Minute, Misses: 4, Alarm: "RelaySweepStalled"},
		{Job: "checkpoint", Every: time.Hour, Misses: 2, Alarm: "CheckpointStalled"},
	},
	Tables:      Tables{State: ReadWrite, Audit: Append, Keys: Update}, // it counts mails to a new address
	Sends:       []string{Steps},
	SendsMail:   true,
	Checkpoints: Append,
	Publishes:   true,
	Memory:      256, Timeout: 2 * time.Minute,
	Alarm: "RelayFailing",
}

// All is every function, in the order in which a request meets them.
var All = []Function{Requests, Consent, Closure, Notice, Relay, Fulfil, Deadlines, Retention, MailEvents}
