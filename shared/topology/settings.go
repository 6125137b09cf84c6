package topology

// Setting is the name of an environment variable that a function reads. The
// names are declared here, their values by infra/stack; boot is the only reader.
type Setting string

// The settings.
const (
	StateTable       Setting = "RIGHTSDESK_STATE_TABLE"       // physical name of the State table
	AuditTable       Setting = "RIGHTSDESK_AUDIT_TABLE"       // physical name of the Audit table
	KeysTable        Setting = "RIGHTSDESK_KEYS_TABLE"        // physical name of the Keys table
	StepsQueue       Setting = "RIGHTSDESK_STEPS_QUEUE"       // URL of the queue Steps
	ExportsName      Setting = "RIGHTSDESK_EXPORTS"           // name of the bucket with people's packages
	Sender           Setting = "RIGHTSDESK_SENDER"            // the From address, a verified SES identity
	ConfigurationSet Setting = "RIGHTSDESK_CONFIGURATION_SET" // name of the SES configuration set that says what became of mail
	MasterKey        Setting = "RIGHTSDESK_MASTER_KEY"        // ARN of the KMS key that wraps the key ring
	BaseURL          Setting = "RIGHTSDESK_BASE_URL"          // https://..., what links in mails begin with
	PolicyName       Setting = "RIGHTSDESK_POLICY"            // name of the compiled-in profile in force
	SecretNames      Setting = "RIGHTSDESK_SECRETS"           //nolint:gosec // the name of a setting: what the names of secrets begin with, such as rightsdesk/; those of apps go on with apps/
)

// Settings returns what f needs to run.
func (f Function) Settings() []Setting {
	s := []Setting{StateTable, AuditTable, KeysTable, BaseURL, PolicyName}
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
		s = append(s, Sender, ConfigurationSet)
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
	return names
}
