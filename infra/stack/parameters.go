package stack

import (
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// Groups of parameters. The console shows them in the order of the catalogue.
const (
	groupWho       = "Who this installation belongs to"
	groupMail      = "Mail"
	groupOperators = "Who may operate it"
	groupAddress   = "Under which address it answers"
	groupSources   = "What it may reach in your account"
	groupCare      = "Watching, recovery and limits"
	groupCode      = "Where the code comes from"
)

// What a value may look like.
const (
	mailAddress = `[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;.]+`
	hostName    = `([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}`
	partition   = `arn:aws[a-z-]*:`
)

// A mode that cannot be undone says so in its name: nobody chooses it by accident.
const (
	lockGovernance = "GOVERNANCE"
	lockForGood    = "COMPLIANCE-cannot-be-undone"
)

// What a token's claims are called unless the operator says otherwise.
const (
	defaultRoleClaim = "rightsdesk:roles"
	defaultMFAClaim  = "amr"
)

// profiles are those that are compiled into the functions; a test compares.
var profiles = []string{"serverless-vendor", "server-automation", "cloud-platform", "paas-canada", "addon-france"}

// parameter is one thing that the operator may say when installing.
type parameter struct {
	name, group, label, says string

	pattern string   // of what is given, without anchors; blank if it is one of allowed or a number
	allowed []string // the only values
	low     int      // of a number, with high
	high    int
	hint    string // what to write instead of what was refused

	fallback  string // what is taken unless it is given
	mandatory bool   // there is nothing to fall back to
	list      bool   // several, separated by commas
	release   bool   // only where the code comes from a release
}

// catalogue is every parameter there is. None is a secret.
var catalogue = []parameter{
	{
		name: "AdminContact", group: groupWho, label: "Mail address of whoever runs this installation",
		says:    "Is told of alarms, and is the first operator if no issuer of tokens is given. Never shown to people.",
		pattern: mailAddress, hint: "A bare mail address, such as privacy-team@company.example.", mandatory: true,
	},
	{
		name: "Profile", group: groupWho, label: "Policy to begin with",
		says:    "The profile that the first edition of the policy is made of. Later editions are published by operators and do not follow this.",
		allowed: profiles, fallback: "server-automation", hint: "The name of a profile that is compiled in.",
	},
	{
		name: "ControllerName", group: groupWho, label: "Legal name of the company",
		says:    "The controller that pages and mails name; behind a semicolon its postal address. Blank: no request is taken in until an operator publishes a policy that names it.",
		pattern: `[^\s<>]([^<>]{0,198}[^\s<>])?`, hint: "At most 200 characters, and none of < and >.",
	},
	{
		name: "PrivacyContact", group: groupWho, label: "Mail address that people write to",
		says:    "Shown on pages and in mails. Blank: no request is taken in until an operator publishes a policy that names it.",
		pattern: mailAddress, hint: "A bare mail address, such as privacy@company.example.",
	},
	{
		name: "Sender", group: groupMail, label: "From address of all mail",
		says:    "It or its domain is a verified identity of the mail service, or becomes one by SenderIdentity. Blank: no request is taken in, unless MailMode is off.",
		pattern: mailAddress, hint: "A bare mail address, such as privacy@company.example.",
	},
	{
		name: "MailMode", group: groupMail, label: "Whether people are written to",
		says:    "on: they are. sandbox: the account is still in the mail service's sandbox, and whom it refuses to write to is told by the event bus alone. off: nobody is written to; pages and the event bus serve alone.",
		allowed: []string{"on", "sandbox", "off"}, fallback: "on", hint: "on, sandbox or off.",
	},
	{
		name: "SenderIdentity", group: groupMail, label: "Identity of the sender",
		says:    "existing: Sender or its domain is verified already, by you. create: Sender's domain becomes an identity, and the outputs say which DNS records it wants. It stays if the stack goes: a further stack is given existing.",
		allowed: []string{"existing", "create"}, fallback: "existing", hint: "existing or create.",
	},
	{
		name: "OperatorIssuer", group: groupOperators, label: "Issuer of operators' tokens (OpenID Connect)",
		says:    "Exactly as in the token's iss. Blank: a user pool with a second factor is made, and AdminContact is its first user.",
		pattern: `https://\S+`, hint: "An https URL, exactly as in the token's iss.",
	},
	{
		name: "OperatorAudience", group: groupOperators, label: "Audience of operators' tokens",
		says:    "Given together with the issuer.",
		pattern: `\S+`, hint: "Exactly as in the token's aud or client_id.",
	},
	{
		name: "RoleClaim", group: groupOperators, label: "Claim that lists an operator's roles",
		says:    "Of your own issuer's tokens. Its values are handler and auditor.",
		pattern: `[A-Za-z0-9:_./-]{1,128}`, fallback: defaultRoleClaim, hint: "The name of a claim.",
	},
	{
		name: "MfaClaim", group: groupOperators, label: "Claim that says that a second factor was used",
		says:    "Of your own issuer's tokens: amr, or one that is true. A single - means that the issuer lets nobody in without one.",
		pattern: `[A-Za-z0-9:_./-]{1,128}`, fallback: defaultMFAClaim, hint: "The name of a claim, or - if the issuer always demands a second factor.",
	},
	{
		name: "DomainName", group: groupAddress, label: "Your own domain name",
		says:    "Such as privacy.company.example. The outputs say to which target its DNS record leads. Blank: the address is the service's.",
		pattern: hostName, hint: "A host name in small letters, without https:// and without a path.",
	},
	{
		name: "CertificateArn", group: groupAddress, label: "Certificate of the domain",
		says:    "ARN of a certificate for DomainName: in this region, or in us-east-1 if EdgeWebAclArn is given.",
		pattern: partition + `acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+`, hint: "The ARN of a certificate.",
	},
	{
		name: "EdgeWebAclArn", group: groupAddress, label: "Firewall at the edge",
		says:    "ARN of a global web ACL, such as the template for the edge makes in us-east-1. Given, the API answers behind a distribution only. Blank: there is none.",
		pattern: partition + `wafv2:us-east-1:[0-9]{12}:global/webacl/[A-Za-z0-9_-]+/[A-Za-z0-9-]+`, hint: "The ARN of a global web ACL.",
	},
	{
		name: "SourceRoleArns", group: groupSources, label: "Roles that open your data stores",
		says:    "ARNs, separated by commas. The functions that read and erase data may assume these and no others. Blank: none.",
		pattern: partition + `iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+`, hint: "ARNs of roles, separated by commas without spaces.", list: true,
	},
	{
		name: "PermissionsBoundaryArn", group: groupSources, label: "Permissions boundary of every role",
		says:    "ARN of the managed policy that your organisation wants on each role. Blank: none.",
		pattern: partition + `iam::([0-9]{12}|aws):policy/[A-Za-z0-9+=,.@_/-]+`, hint: "The ARN of a managed policy.",
	},
	{
		name: "AlarmTopicArn", group: groupCare, label: "Topic that alarms notify",
		says:    "ARN of an SNS topic in this region. Blank: one is made, and AdminContact is asked to subscribe.",
		pattern: partition + `sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+`, hint: "The ARN of a topic.",
	},
	{
		name: "LogDays", group: groupCare, label: "Days that logs are kept",
		says:    "They hold no personal data.",
		allowed: []string{"1", "3", "5", "7", "14", "30", "60", "90", "120", "150", "180", "365", "400", "545", "731"}, fallback: "30", hint: "1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545 or 731.",
	},
	{
		name: "MaxUnitsPerSecond", group: groupCare, label: "Fuse for the tables' throughput",
		says: "At most so many reads and so many writes a second of each table, whatever asks for them. It bounds what a flood can cost; an alarm tells when it is reached.",
		low:  50, high: 40000, fallback: "1000", hint: "From 50 to 40000.",
	},
	{
		name: "EventArchiveDays", group: groupCare, label: "Days that the event bus keeps events",
		says: "So that your own systems can have them again. 0: they are not kept.",
		low:  0, high: 3650, fallback: "0", hint: "From 0 to 3650.",
	},
	{
		name: "CheckpointLock", group: groupCare, label: "Lock of sealed entries",
		says:    "Under GOVERNANCE somebody with a permission of their own may shorten it. Under the other nobody can, the account's owner included, until CheckpointDays are over.",
		allowed: []string{lockGovernance, lockForGood}, fallback: lockGovernance, hint: lockGovernance + " or " + lockForGood + ".",
	},
	{
		name: "CheckpointDays", group: groupCare, label: "Days that sealed entries are locked",
		says: "They hold hashes and random ids, and the ids of operators; nobody's name or address.",
		low:  1, high: 36500, fallback: "400", hint: "From 1 to 36500.",
	},
	{
		name: "CodeBucket", group: groupCode, label: "Your own bucket with the code",
		says:    "For mirrors and accounts without a way out: a bucket in this region with the files of the release under the same keys. Blank: the publisher's.",
		pattern: `[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]`, hint: "The name of a bucket.", release: true,
	},
}

// parameters are what the operator said. What was not given reads as a blank text.
type parameters struct {
	values map[string]*string // by the name of the parameter: a reference, or what a setting fixed; lists are not among them

	adminContact *string
	profile      *string
	controller   choice
	contact      choice
	alarmTopic   choice
	boundary     choice
	domain       choice
	certificate  choice
	webACL       choice
	issuer       choice // without one there is a user pool
	audience     *string
	roleClaim    *string
	mfaClaim     *string

	sender        *string
	mailMode      *string
	mails         awscdk.CfnCondition // mail is not off, and the region has it
	sends         awscdk.CfnCondition // it mails, and there is a sender
	makesIdentity awscdk.CfnCondition // sends, and the identity is ours to make

	sourceRoles    *[]*string
	hasSourceRoles awscdk.CfnCondition

	logDays          *string // a number in text; so are the others
	maxUnits         *string
	eventArchiveDays *string
	keepsEvents      awscdk.CfnCondition // eventArchiveDays is not 0, and the region can
	checkpointLock   *string             // GOVERNANCE or COMPLIANCE, as S3 has it
	checkpointDays   *string

	makesOperators awscdk.CfnCondition // no issuer was given, and the region has user pools
	hasEdge        awscdk.CfnCondition // a firewall was given, and the region may have an edge
	servesDomain   awscdk.CfnCondition // the API itself has the domain; an edge would have it instead

	codeBucket choice // of a release only
}

// choice is a parameter that may stay blank.
type choice struct {
	value *string
	given awscdk.CfnCondition // has the name "Has" and the parameter's
}

// or returns what was given, and otherwise the other value.
func (c choice) or(other *string) *string {
	return either(c.given, c.value, other)
}

// either is one text if a condition holds, and else the other.
func either(condition awscdk.CfnCondition, yes, no *string) *string {
	return awscdk.Token_AsString(awscdk.Fn_ConditionIf(condition.LogicalId(), yes, no), nil)
}

// numeral makes a number of a parameter that is one.
func numeral(text *string) *float64 {
	if n, err := strconv.ParseFloat(*text, 64); err == nil {
		return &n // fixed by a setting
	}
	return awscdk.Token_AsNumber(awscdk.Token_AsAny(text))
}

func (s *system) addParameters() {
	s.param.values = map[string]*string{}
	var open []parameter
	for _, p := range catalogue {
		if p.release && s.release == nil {
			continue
		}
		fixed, ok := s.fixed[p.name]
		if !ok {
			open = append(open, p)
		}
		switch {
		case p.list && ok:
			s.param.sourceRoles = jsii.Strings(strings.Split(fixed, ",")...)
		case p.list:
			s.param.sourceRoles = s.addParameter(p).ValueAsList()
		case ok:
			s.param.values[p.name] = &fixed
		default:
			s.param.values[p.name] = awscdk.Token_AsString(s.addParameter(p).Value(), nil)
		}
	}
	s.addInterface(open)
	v := s.param.values
	s.param.adminContact, s.param.profile = v["AdminContact"], v["Profile"]
	s.param.sender, s.param.mailMode = v["Sender"], v["MailMode"]
	s.param.audience, s.param.roleClaim, s.param.mfaClaim = v["OperatorAudience"], v["RoleClaim"], v["MfaClaim"]
	s.param.logDays, s.param.maxUnits = v["LogDays"], v["MaxUnitsPerSecond"]
	s.param.eventArchiveDays, s.param.checkpointDays = v["EventArchiveDays"], v["CheckpointDays"]
	s.param.controller, s.param.contact = s.choice("ControllerName"), s.choice("PrivacyContact")
	s.param.issuer, s.param.domain = s.choice("OperatorIssuer"), s.choice("DomainName")
	s.param.certificate, s.param.webACL = s.choice("CertificateArn"), s.choice("EdgeWebAclArn")
	s.param.boundary, s.param.alarmTopic = s.choice("PermissionsBoundaryArn"), s.choice("AlarmTopicArn")
	if s.release != nil {
		s.param.codeBucket = s.choice("CodeBucket")
	}
	s.param.mails = s.condition("Mails", awscdk.Fn_ConditionAnd(not(equals(s.param.mailMode, "off")), outside(withoutMail)))
	s.param.sends = s.condition("Sends", awscdk.Fn_ConditionAnd(s.param.mails, not(equals(s.param.sender, ""))))
	s.param.makesIdentity = s.condition("MakesIdentity", awscdk.Fn_ConditionAnd(s.param.sends, equals(v["SenderIdentity"], "create")))
	s.param.hasSourceRoles = s.condition("HasSourceRoleArns", not(equals(awscdk.Fn_Join(jsii.String(""), s.param.sourceRoles), "")))
	s.param.keepsEvents = s.condition("KeepsEvents", awscdk.Fn_ConditionAnd(not(equals(s.param.eventArchiveDays, "0")), outside(withoutArchives)))
	s.param.makesOperators = s.condition("MakesOperators", awscdk.Fn_ConditionAnd(not(s.param.issuer.given), outside(withoutUserPools)))
	s.param.hasEdge = s.condition("HasEdge", awscdk.Fn_ConditionAnd(s.param.webACL.given, outside(withoutEdge)))
	s.param.servesDomain = s.condition("ServesDomain", awscdk.Fn_ConditionAnd(s.param.certificate.given, not(s.param.hasEdge)))
	s.param.checkpointLock = either(s.condition("LocksForGood", equals(v["CheckpointLock"], lockForGood)),
		jsii.String("COMPLIANCE"), jsii.String("GOVERNANCE"))
}

func (s *system) addParameter(p parameter) awscdk.CfnParameter {
	props := &awscdk.CfnParameterProps{
		Description:           &p.says,
		ConstraintDescription: &p.hint,
	}
	if !p.mandatory {
		props.Default = p.fallback
	}
	switch {
	case p.high > 0:
		props.Type = jsii.String("Number")
		props.MinValue, props.MaxValue = jsii.Number(p.low), jsii.Number(p.high)
	case len(p.allowed) > 0:
		props.AllowedValues = jsii.Strings(p.allowed...)
	default:
		props.AllowedPattern = jsii.String(p.whole())
	}
	if p.list {
		props.Type = jsii.String("CommaDelimitedList")
	}
	return awscdk.NewCfnParameter(s.stack, &p.name, props)
}

// whole is the pattern that the whole of a value fits.
func (p parameter) whole() string {
	if p.mandatory || p.fallback != "" {
		return "^(" + p.pattern + ")$"
	}
	return "^(|" + p.pattern + ")$"
}

func (s *system) choice(name string) choice {
	value := s.param.values[name]
	return choice{value, s.condition("Has"+name, not(equals(value, "")))}
}

func (s *system) condition(name string, expression awscdk.ICfnConditionExpression) awscdk.CfnCondition {
	return awscdk.NewCfnCondition(s.stack, &name, &awscdk.CfnConditionProps{Expression: expression})
}

func equals(value *string, to string) awscdk.ICfnConditionExpression {
	return awscdk.Fn_ConditionEquals(value, to)
}

func not(expression awscdk.ICfnConditionExpression) awscdk.ICfnConditionExpression {
	return awscdk.Fn_ConditionNot(expression)
}

// addInterface tells the console in which groups and by which names to show parameters.
func (s *system) addInterface(shown []parameter) {
	labels := map[string]any{}
	groups := []any{}
	at := map[string]int{}
	for _, p := range shown {
		i, ok := at[p.group]
		if !ok {
			i = len(groups)
			at[p.group] = i
			groups = append(groups, map[string]any{"Label": map[string]string{"default": p.group}})
		}
		group := groups[i].(map[string]any) //nolint:forcetypeassert // put there above
		names, _ := group["Parameters"].([]string)
		group["Parameters"] = append(names, p.name)
		labels[p.name] = map[string]string{"default": p.label}
	}
	s.stack.TemplateOptions().SetMetadata(&map[string]any{
		"AWS::CloudFormation::Interface": map[string]any{"ParameterGroups": groups, "ParameterLabels": labels},
	})
}
