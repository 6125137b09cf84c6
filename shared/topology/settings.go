package topology

// Setting is the name of an environment variable that a function reads. The
// names are declared here, their values by infra/stack; boot is the only reader.
type Setting string

// NoValue is what a setting is that this installation does not have: Lambda would take
// an empty one for a mistake, and so do we.
const NoValue = "-"

// What MailMode may be.
const (
	MailOn      = "on"      // people are written to
	MailSandbox = "sandbox" // only addresses that the mail service knows; the others' letters are withheld
	MailOff     = "off"     // nobody is: people ask in the company's app, and the bus tells what happened
)

// The settings.
const (
	StateTable       Setting = "RIGHTSDESK_STATE_TABLE"       // physical name of the State table
	AuditTable       Setting = "RIGHTSDESK_AUDIT_TABLE"       // physical name of the Audit table
	KeysTable        Setting = "RIGHTSDESK_KEYS_TABLE"        // physical name of the Keys table
	StepsQueue       Setting = "RIGHTSDESK_STEPS_QUEUE"       // URL of the queue Steps
	ExportsName      Setting = "RIGHTSDESK_EXPORTS"           // name of the bucket with people's packages
	Sender           Setting = "RIGHTSDESK_SENDER"            // the From address, of a verified SES identity; - for none
	ConfigurationSet Setting = "RIGHTSDESK_CONFIGURATION_SET" // name of the SES configuration set that says what became of mail
	MasterKey        Setting = "RIGHTSDESK_MASTER_KEY"        // ARN of the KMS key that wraps the key ring
	BaseURL          Setting = "RIGHTSDESK_BASE_URL"          // https://..., what links in mails begin with
	MailMode         Setting = "RIGHTSDESK_MAIL"              // on, sandbox or off: whether people are written to
	Profile          Setting = "RIGHTSDESK_PROFILE"           // name of the compiled-in profile that the first edition of the policy is made of
	ControllerName   Setting = "RIGHTSDESK_CONTROLLER"        // legal name of the controller; - for none
	PrivacyContact   Setting = "RIGHTSDESK_CONTACT"           // address that people write to; - for none
	PolicyBucket     Setting = "RIGHTSDESK_POLICY_BUCKET"     // name of the bucket into which operators put policy.yaml
	EventBus         Setting = "RIGHTSDESK_EVENT_BUS"         // name of the bus that the company's own systems listen to
	Checkpoints      Setting = "RIGHTSDESK_CHECKPOINTS"       // name of the write-once bucket of sealed entries
	RoleClaim        Setting = "RIGHTSDESK_ROLE_CLAIM"        // the claim of an operator's token that lists roles
	MFAClaim         Setting = "RIGHTSDESK_MFA_CLAIM"         // the claim that says that a second factor was used; - if who signs tokens always demands one
	EdgeSecret       Setting = "RIGHTSDESK_EDGE_SECRET"       // ARN of the secret that the edge sends along; - without an edge
	Installed        Setting = "RIGHTSDESK_INSTALLED"         // the release and the number of its settings, such as 1.2.3/4; whatever of an installation changes, this does too
	SecretNames      Setting = "RIGHTSDESK_SECRETS"           //nolint:gosec // the name of a setting: what the names of secrets begin with, such as rightsdesk/; those of apps go on with apps/
)

// Settings returns what f needs to run.
func (f Function) Settings() []Setting {
	s := []Setting{StateTable, AuditTable, KeysTable, BaseURL, Installed}
	if f.Tables.Keys != None {
		s = append(s, MasterKey)
	}
	if len(f.Sends) > 0 {
		s = append(s, StepsQueue)
	}
	if f.Exports != None {
		s = append(s, ExportsName)
	}
	if f.SendsMail {
		s = append(s, ConfigurationSet)
	}
	if f.SendsMail || f.Suppressions || len(f.Routes) > 0 {
		s = append(s, MailMode) // who takes requests in must know whether a code can be mailed
	}
	if f.SendsMail || f.Editions {
		s = append(s, Sender) // without one an installation is not open
	}
	if f.Editions {
		s = append(s, Profile, ControllerName, PrivacyContact, PolicyBucket)
	}
	if f.Publishes {
		s = append(s, EventBus)
	}
	if f.Checkpoints != None {
		s = append(s, Checkpoints)
	}
	if len(f.Routes) > 0 {
		s = append(s, RoleClaim, MFAClaim, EdgeSecret)
	}
	if f.Sources || f.HearsApps() {
		s = append(s, SecretNames)
	}
	return s
}

// HearsApps reports whether the company's apps call f, so that it needs their keys.
func (f Function) HearsApps() bool {
	for _, r := range f.Routes {
		if r.Caller == App || r.Caller == Browser {
			return true
		}
	}
	return false
}

// Alarms of the installation as a whole, which belong to no single function.
const (
	ErrorsLogged       = "ErrorsLogged"       // some function wrote a line at level ERROR
	DeliveriesLost     = "DeliveriesLost"     // a run or a record never reached its function
	StreamBehind       = "StreamBehind"       // changes and entries wait to be read
	APIFailing         = "APIFailing"         // people are answered 500 and above
	APISlow            = "APISlow"            // people wait
	FunctionsThrottled = "FunctionsThrottled" // the account has no concurrency left
	TablesThrottled    = "TablesThrottled"    // a table's fuse, or the service's own bound, holds
	MailBounces        = "MailBounces"        // near to where the mail service stops the account
	MailComplaints     = "MailComplaints"     // the same
	RequestsOverdue    = "RequestsOverdue"    // the date that binds has passed, and again every week
)

// InstallationAlarms returns the names of the alarms that belong to no single function.
func InstallationAlarms() []string {
	return []string{
		ErrorsLogged, DeliveriesLost, StreamBehind, APIFailing, APISlow,
		FunctionsThrottled, TablesThrottled, MailBounces, MailComplaints, RequestsOverdue,
	}
}

// Alarms returns the name of every alarm, each once.
func Alarms() []string {
	var names []string
	for _, f := range All {
		names = append(names, f.Alarm)
		for _, s := range f.Schedules {
			names = append(names, s.Alarm)
		}
		if f.Queue != nil {
			names = append(names, f.Queue.Alarm)
		}
		if f.Feed != nil {
			names = append(names, f.Feed.Alarm)
		}
	}
	return append(names, InstallationAlarms()...)
}
