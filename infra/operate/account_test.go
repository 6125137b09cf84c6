package operate

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/encoding/cbor"

	"rightsdesk/shared/topology"
)

// account is an AWS account with one healthy installation in it, as its services
// answer on the wire. A test breaks something and looks who notices.
type account struct {
	*httptest.Server
	t  *testing.T
	mu sync.Mutex

	status, drift, why string
	protected          bool
	outputs            map[string]string
	resources          []Resource
	policies           map[string]string // deletion policies by logical id
	gone               bool              // the stack was deleted
	stuck              string            // why it cannot be

	health    map[string]map[string]any // by function
	crash     map[string]string         // what a function says instead
	settings  map[string]string         // of the relay
	uploaded  map[string]string         // code by function, if other than what is served
	aliases   map[string][]string       // versions of aliases by function
	schedules map[string]string         // by physical name: ENABLED or DISABLED; absent: deleted
	alarms    map[string]alarm          // by physical name
	tables    map[string]*tableState
	keyState  string
	rotates   bool

	ses        map[string]any
	identities map[string]map[string]any
	told       []string // by the alarms' topic
	events     []string // that the service tells
	deaf       bool
	records    map[string]any // of the DNS
	site       map[string]answer

	refuse  string           // service:Operation that is not granted
	calls   []string         // in order, with what they are about
	objects map[string][]int // sizes of objects by bucket
	locked  bool             // their bucket does not let them go
}

type alarm struct {
	state  string
	silent bool
}

type tableState struct{ protected, recoverable, expires, deleted bool }

type answer struct {
	status int
	body   string
}

const (
	stackName = "Privacy"
	region    = "eu-west-3"
	stackID   = "arn:aws:cloudformation:eu-west-3:111122223333:stack/Privacy/0c1d2e3f"
	masterKey = "arn:aws:kms:eu-west-3:111122223333:key/0000"
)

var today = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// healthy starts an account in which everything is as it should be.
func healthy(t *testing.T) *account {
	t.Helper()
	a := &account{
		t: t, status: "UPDATE_COMPLETE", drift: "IN_SYNC", protected: true,
		policies: map[string]string{}, health: map[string]map[string]any{}, crash: map[string]string{}, uploaded: map[string]string{},
		aliases: map[string][]string{}, schedules: map[string]string{}, alarms: map[string]alarm{}, tables: map[string]*tableState{}, keyState: "Enabled", rotates: true,
		settings: map[string]string{"RIGHTSDESK_SENDER": "privacy@example.org", "RIGHTSDESK_MAIL": "on", "RIGHTSDESK_CONFIGURATION_SET": "set-1"},
		ses: map[string]any{
			"ProductionAccessEnabled": true, "SendingEnabled": true, "EnforcementStatus": "HEALTHY",
			"SendQuota": map[string]any{"Max24HourSend": 50000, "MaxSendRate": 14, "SentLast24Hours": 120},
		},
		identities: map[string]map[string]any{"example.org": {
			"VerifiedForSendingStatus": true,
			"DkimAttributes":           map[string]any{"SigningEnabled": true, "Status": "SUCCESS", "Tokens": []string{"t1", "t2", "t3"}},
			"MailFromAttributes":       map[string]any{"MailFromDomain": "bounce.example.org", "MailFromDomainStatus": "SUCCESS", "BehaviorOnMxFailure": "USE_DEFAULT_VALUE"},
		}},
		told:   []string{"arn:aws:sns:eu-west-3:111122223333:alarms:1"},
		events: []string{"BOUNCE", "COMPLAINT"},
		records: map[string]any{
			"t1._domainkey.example.org": "t1.dkim.amazonses.com.", "t2._domainkey.example.org": "t2.dkim.amazonses.com.", "t3._domainkey.example.org": "t3.dkim.amazonses.com.",
			"bounce.example.org": []string{"v=spf1 include:amazonses.com ~all"}, "mx:bounce.example.org": "feedback-smtp.eu-west-3.amazonses.com.",
			"_dmarc.example.org": []string{"v=DMARC1; p=quarantine"},
		},
		site:    map[string]answer{"/healthz": {200, `{"status":"ok"}`}, "/v1/policy": {200, `{"version":"7"}`}},
		objects: map[string][]int{},
	}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	a.outputs = map[string]string{
		"Address": a.URL, "StateTableName": "state-1", "AuditTableName": "audit-1", "KeysTableName": "keys-1", "MasterKeyArn": masterKey, "SecretNames": "Privacy/",
		"AlarmsGoTo": "arn:aws:sns:eu-west-3:111122223333:alarms", "SignInIssuer": a.URL + "/pool", "SignInClient": "client-1",
	}
	for i, f := range topology.All {
		name := "Privacy-" + f.Name
		a.add(title(f.Name)+fmt.Sprintf("%08X", 0xA0+i), name, "AWS::Lambda::Function", "Delete")
		a.add(title(f.Name)+"CurrentVersion", name+":3", "AWS::Lambda::Version", "RetainExceptOnCreate")
		a.add(f.Alarm+"1", "Privacy-"+f.Alarm, "AWS::CloudWatch::Alarm", "Delete")
		a.alarms["Privacy-"+f.Alarm] = alarm{state: "OK"}
		a.health[name] = map[string]any{
			"function": f.Name, "version": "3", "policy": "7", "now": today, "ok": true, "checks": []any{map[string]any{"name": "table state", "ok": true}},
		}
		a.aliases[name] = []string{"3"}
		for _, s := range f.Schedules {
			a.add(title(f.Name)+title(s.Job)+"Schedule", "Privacy-"+s.Job, "AWS::Scheduler::Schedule", "Delete")
			a.schedules["Privacy-"+s.Job] = "ENABLED"
			a.aliases[name] = append(a.aliases[name], "3")
		}
	}
	for logical, physical := range map[string]string{"StateTable00000001": "state-1", "AuditTable00000002": "audit-1", "KeysTable00000003": "keys-1"} {
		a.add(logical, physical, "AWS::DynamoDB::Table", "Retain")
		a.tables[physical] = &tableState{protected: true, recoverable: true, expires: true}
	}
	a.add("MasterKey00000004", "0000", "AWS::KMS::Key", "Retain")
	a.add("Exports00000005", "exports-1", "AWS::S3::Bucket", "Retain")
	a.add("Checkpoints00000006", "checkpoints-1", "AWS::S3::Bucket", "Retain")
	a.add("OperatorPool", "eu-west-3_Pool", "AWS::Cognito::UserPool", "Retain")
	a.objects["exports-1"], a.objects["checkpoints-1"] = []int{1000, 2000}, []int{300}
	return a
}

func (a *account) add(logical, physical, kind, policy string) {
	a.resources = append(a.resources, Resource{Logical: logical, Physical: physical, Type: kind, Status: "CREATE_COMPLETE"})
	a.policies[logical] = policy
}

// open is the account as a command sees it.
func (a *account) open() *Account {
	endpoint := a.URL
	return &Account{
		AWS: aws.Config{
			Region: region, BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("operator", "not-a-secret", ""),
			RetryMaxAttempts: 3, // a busy machine drops a connection now and then
		},
		Names: zone{a}, Now: func() time.Time { return today }, pause: func(context.Context, time.Duration) error { return nil },
	}
}

// did reports whether a call was made, such as "dynamodb:DeleteTable state-1".
func (a *account) did(call string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Contains(a.calls, call)
}

// zone is the DNS of the account's owner.
type zone struct{ a *account }

var errNone = &net.DNSError{Err: "no such host", IsNotFound: true}

func (z zone) LookupCNAME(_ context.Context, host string) (string, error) {
	if v, ok := z.a.records[host].(string); ok {
		return v, nil
	}
	return "", errNone
}

func (z zone) LookupTXT(_ context.Context, name string) ([]string, error) {
	if v, ok := z.a.records[name].([]string); ok {
		return v, nil
	}
	return nil, errNone
}

func (z zone) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	if v, ok := z.a.records["mx:"+name].(string); ok {
		return []*net.MX{{Host: v, Pref: 10}}, nil
	}
	return nil, errNone
}

func (z zone) LookupHost(_ context.Context, host string) ([]string, error) {
	if z.a.records["gone:"+host] != nil {
		return nil, errNone
	}
	return []string{"192.0.2.1"}, nil
}

// ServeHTTP answers one call.
func (a *account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		a.t.Error(err)
	}
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	parts := strings.Split(credential, "/")
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(parts) < 5 {
		page, ok := a.site[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.WriteHeader(page.status)
		_, _ = io.WriteString(w, page.body)
		return
	}
	_, target, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch service := parts[3]; service {
	case "cloudformation":
		form, _ := url.ParseQuery(string(body))
		if a.may(w, service+":"+form.Get("Action")) {
			a.cloudformation(w, form)
		}
	case "lambda":
		a.lambda(w, r)
	case "scheduler":
		if a.may(w, "scheduler:GetSchedule") {
			a.schedule(w, strings.TrimPrefix(r.URL.Path, "/schedules/"))
		}
	case "monitoring":
		if a.may(w, "cloudwatch:DescribeAlarms") {
			a.cloudwatch(w, body)
		}
	case "sns":
		form, _ := url.ParseQuery(string(body))
		if a.may(w, "sns:"+form.Get("Action")) {
			if form.Get("TopicArn") != a.outputs["AlarmsGoTo"] {
				a.t.Errorf("somebody asks about the topic %s", form.Get("TopicArn"))
			}
			var list string
			for _, arn := range a.told {
				list += "<member><SubscriptionArn>" + arn + "</SubscriptionArn></member>"
			}
			_, _ = fmt.Fprintf(w, `<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions>%s</Subscriptions></ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>`, list)
		}
	case "dynamodb":
		if a.may(w, service+":"+target) {
			a.dynamodb(w, target, body)
		}
	case "kms":
		if a.may(w, service+":"+target) {
			a.kms(w, target)
		}
	case "cognito-idp":
		if a.may(w, service+":"+target) {
			a.note("cognito-idp:" + target + " " + field(body, "UserPoolId"))
			say(w, map[string]any{"UserPool": map[string]string{"MfaConfiguration": "ON"}})
		}
	case "ses":
		a.mail(w, r, body)
	case "s3":
		a.s3(w, r, body)
	default:
		a.t.Errorf("nobody expects a call of %s", service)
		w.WriteHeader(http.StatusNotImplemented)
	}
}

func (a *account) note(call string) { a.calls = append(a.calls, call) }

// may answers what is not granted as IAM does.
func (a *account) may(w http.ResponseWriter, action string) bool {
	if a.refuse != action {
		return true
	}
	w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
	w.WriteHeader(http.StatusForbidden)
	if strings.HasPrefix(action, "cloudformation:") {
		_, _ = fmt.Fprintf(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: arn:x is not authorized to perform: %s</Message></Error></ErrorResponse>`, action)
		return false
	}
	say(w, map[string]string{"__type": "AccessDeniedException", "message": "User: arn:x is not authorized to perform: " + action})
	return false
}

func say(w http.ResponseWriter, v any) {
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(err) // of maps that this file made
	}
}

func field(body []byte, name string) string {
	var v map[string]any
	_ = json.Unmarshal(body, &v)
	s, _ := v[name].(string)
	return s
}

func (a *account) cloudformation(w http.ResponseWriter, form url.Values) {
	type member struct {
		Key   string `xml:"OutputKey"`
		Value string `xml:"OutputValue"`
	}
	type stack struct {
		StackName, StackId, StackStatus, StackStatusReason, CreationTime string
		EnableTerminationProtection                                      bool
		DriftInformation                                                 struct{ StackDriftStatus, LastCheckTimestamp string }
		Outputs                                                          []member `xml:"Outputs>member"`
	}
	action, name := form.Get("Action"), form.Get("StackName")
	if name != stackName && name != stackID || a.gone && name != stackID {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id x does not exist</Message></Error></ErrorResponse>`)
		return
	}
	out := func(result any) {
		b, err := xml.Marshal(result)
		if err != nil {
			a.t.Error(err)
		}
		_, _ = fmt.Fprintf(w, "<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>", action, b)
	}
	switch action {
	case "DescribeStacks":
		s := stack{StackName: stackName, StackId: stackID, StackStatus: a.status, StackStatusReason: a.why, CreationTime: "2026-01-02T03:04:05Z", EnableTerminationProtection: a.protected}
		if a.gone {
			s.StackStatus = "DELETE_COMPLETE"
		}
		s.DriftInformation.StackDriftStatus, s.DriftInformation.LastCheckTimestamp = a.drift, "2026-11-01T00:00:00Z"
		for k, v := range a.outputs {
			s.Outputs = append(s.Outputs, member{k, v})
		}
		out(struct {
			XMLName xml.Name `xml:"Stacks"`
			Member  stack    `xml:"member"`
		}{Member: s})
	case "ListStackResources":
		type summary struct {
			LogicalResourceId, PhysicalResourceId, ResourceType, ResourceStatus, LastUpdatedTimestamp string
			DriftInformation                                                                          struct{ StackResourceDriftStatus string }
		}
		list := struct {
			XMLName xml.Name  `xml:"StackResourceSummaries"`
			Member  []summary `xml:"member"`
		}{}
		for _, r := range a.resources {
			m := summary{LogicalResourceId: r.Logical, PhysicalResourceId: r.Physical, ResourceType: r.Type, ResourceStatus: r.Status, LastUpdatedTimestamp: "2026-01-02T03:04:05Z"}
			m.DriftInformation.StackResourceDriftStatus = r.Drift
			list.Member = append(list.Member, m)
		}
		out(list)
	case "GetTemplate":
		resources := map[string]any{}
		for _, r := range a.resources {
			resources[r.Logical] = map[string]any{"Type": r.Type, "DeletionPolicy": a.policies[r.Logical]}
		}
		b, _ := json.Marshal(map[string]any{"Resources": resources})
		out(struct {
			XMLName xml.Name `xml:"TemplateBody"`
			Body    string   `xml:",chardata"`
		}{Body: string(b)})
	case "UpdateTerminationProtection":
		a.protected = form.Get("EnableTerminationProtection") == "true"
		a.note("cloudformation:UpdateTerminationProtection")
		out(struct {
			XMLName xml.Name `xml:"StackId"`
			ID      string   `xml:",chardata"`
		}{ID: stackID})
	case "DeleteStack":
		if a.protected {
			a.t.Error("a stack is deleted that is protected")
		}
		a.gone = a.stuck == ""
		if a.stuck != "" {
			a.status, a.why = "DELETE_FAILED", a.stuck
		}
		a.note("cloudformation:DeleteStack")
		_, _ = io.WriteString(w, "<DeleteStackResponse></DeleteStackResponse>")
	default:
		a.t.Errorf("nobody expects CloudFormation's %s", action)
	}
}

func (a *account) lambda(w http.ResponseWriter, r *http.Request) {
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/2015-03-31/functions/"), "/")
	if len(path) != 2 {
		a.t.Errorf("nobody expects the call %s %s", r.Method, r.URL.Path)
		return
	}
	name, qualifier := path[0], r.URL.Query().Get("Qualifier")
	switch path[1] {
	case "invocations":
		if !a.may(w, "lambda:InvokeFunction") {
			return
		}
		if qualifier != "live" {
			a.t.Errorf("%s is asked as %q", name, qualifier)
		}
		w.Header().Set("X-Amz-Executed-Version", "3")
		if why, ok := a.crash[name]; ok {
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
			say(w, map[string]string{"errorType": "CannotStart", "errorMessage": why})
			return
		}
		say(w, a.health[name])
	case "configuration":
		if !a.may(w, "lambda:GetFunctionConfiguration") {
			return
		}
		sum := "served"
		if up, ok := a.uploaded[name]; ok && qualifier == "" {
			sum = up
		}
		say(w, map[string]any{"FunctionName": name, "CodeSha256": sum, "Environment": map[string]any{"Variables": a.settings}})
	case "aliases":
		if !a.may(w, "lambda:ListAliases") {
			return
		}
		var list []any
		for i, v := range a.aliases[name] {
			list = append(list, map[string]any{"Name": fmt.Sprintf("alias%d", i), "FunctionVersion": v})
		}
		say(w, map[string]any{"Aliases": list})
	default:
		a.t.Errorf("nobody expects the call %s %s", r.Method, r.URL.Path)
	}
}

func (a *account) schedule(w http.ResponseWriter, name string) {
	state, ok := a.schedules[name]
	if !ok {
		w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
		w.WriteHeader(http.StatusNotFound)
		say(w, map[string]string{"Message": "no such schedule"})
		return
	}
	say(w, map[string]any{"Name": name, "State": state})
}

func (a *account) cloudwatch(w http.ResponseWriter, body []byte) {
	v, err := cbor.Decode(body)
	in, ok := v.(cbor.Map)
	if err != nil || !ok {
		a.t.Errorf("CloudWatch hears %v, %v", v, err)
		return
	}
	list := cbor.List{}
	names, _ := in["AlarmNames"].(cbor.List)
	for _, n := range names {
		name, _ := n.(cbor.String)
		x, ok := a.alarms[string(name)]
		if !ok {
			continue
		}
		m := cbor.Map{
			"AlarmName": name, "StateValue": cbor.String(x.state), "ActionsEnabled": cbor.Bool(!x.silent),
			"AlarmActions": cbor.List{cbor.String("arn:aws:sns:eu-west-3:111122223333:alarms")}, "StateTransitionedTimestamp": &cbor.Tag{ID: 1, Value: cbor.Uint(1_795_000_000)},
		}
		list = append(list, m)
	}
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.Header().Set("Content-Type", "application/cbor")
	_, _ = w.Write(cbor.Encode(cbor.Map{"MetricAlarms": list}))
}

func (a *account) dynamodb(w http.ResponseWriter, operation string, body []byte) {
	name := field(body, "TableName")
	t, ok := a.tables[name]
	if !ok || t.deleted {
		w.WriteHeader(http.StatusBadRequest)
		say(w, map[string]string{"__type": "ResourceNotFoundException", "message": "no such table"})
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	on := func(yes bool) string {
		if yes {
			return "ENABLED"
		}
		return "DISABLED"
	}
	switch operation {
	case "DescribeTable":
		say(w, map[string]any{"Table": map[string]any{
			"TableName": name, "TableStatus": "ACTIVE", "DeletionProtectionEnabled": t.protected, "ItemCount": 1200, "TableSizeBytes": 3 << 30,
		}})
	case "DescribeContinuousBackups":
		say(w, map[string]any{"ContinuousBackupsDescription": map[string]any{
			"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": map[string]any{"PointInTimeRecoveryStatus": on(t.recoverable)},
		}})
	case "DescribeTimeToLive":
		say(w, map[string]any{"TimeToLiveDescription": map[string]any{"TimeToLiveStatus": on(t.expires), "AttributeName": "x"}})
	case "UpdateTable":
		t.protected = strings.Contains(string(body), `"DeletionProtectionEnabled":true`)
		a.note("dynamodb:UpdateTable " + name)
		say(w, map[string]any{"TableDescription": map[string]any{"TableName": name}})
	case "DeleteTable":
		if t.protected || !a.gone {
			a.t.Errorf("%s is deleted: protected %v, the stack is gone %v", name, t.protected, a.gone)
		}
		t.deleted = true
		a.note("dynamodb:DeleteTable " + name)
		say(w, map[string]any{"TableDescription": map[string]any{"TableName": name}})
	default:
		a.t.Errorf("nobody expects DynamoDB's %s", operation)
	}
}

func (a *account) kms(w http.ResponseWriter, operation string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	switch operation {
	case "DescribeKey":
		say(w, map[string]any{"KeyMetadata": map[string]any{"KeyId": "0000", "Arn": masterKey, "KeyState": a.keyState, "DeletionDate": 1_795_000_000}})
	case "GetKeyRotationStatus":
		say(w, map[string]any{"KeyRotationEnabled": a.rotates})
	case "ScheduleKeyDeletion":
		a.keyState = "PendingDeletion"
		a.note("kms:ScheduleKeyDeletion")
		say(w, map[string]any{"KeyId": masterKey, "DeletionDate": 1_797_500_000})
	default:
		a.t.Errorf("nobody expects the key service's %s", operation)
	}
}

func (a *account) mail(w http.ResponseWriter, r *http.Request, body []byte) {
	path := strings.TrimPrefix(r.URL.Path, "/v2/email/")
	switch {
	case path == "account":
		if a.may(w, "ses:GetAccount") {
			say(w, a.ses)
		}
	case strings.HasPrefix(path, "identities/"):
		who, _ := url.PathUnescape(strings.TrimPrefix(path, "identities/"))
		if id, ok := a.identities[who]; ok {
			say(w, id)
			return
		}
		w.Header().Set("X-Amzn-Errortype", "NotFoundException")
		w.WriteHeader(http.StatusNotFound)
		say(w, map[string]string{"message": "no such identity"})
	case path == "configuration-sets/set-1/event-destinations":
		say(w, map[string]any{"EventDestinations": []any{map[string]any{
			"Name": "bus", "Enabled": !a.deaf, "MatchingEventTypes": a.events, "EventBridgeDestination": map[string]any{"EventBusArn": "arn:aws:events:eu-west-3:111122223333:event-bus/default"},
		}}})
	case path == "outbound-emails":
		var in struct {
			FromEmailAddress, ConfigurationSetName string
			Destination                            struct{ ToAddresses []string }
		}
		if err := json.Unmarshal(body, &in); err != nil {
			a.t.Error(err)
		}
		a.note("ses:SendEmail " + in.FromEmailAddress + " " + strings.Join(in.Destination.ToAddresses, " ") + " " + in.ConfigurationSetName)
		say(w, map[string]string{"MessageId": "m-1"})
	default:
		a.t.Errorf("nobody expects the call %s %s", r.Method, r.URL.Path)
	}
}

// s3 holds versions of objects that are all called alike but for a number.
func (a *account) s3(w http.ResponseWriter, r *http.Request, body []byte) {
	bucket, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if host, _, ok := strings.Cut(r.Host, "."); ok && !strings.HasPrefix(r.Host, "127.") {
		bucket = host
	}
	query := r.URL.Query()
	switch {
	case r.Method == http.MethodGet && query.Has("versions"):
		if !a.may(w, "s3:ListBucketVersions") {
			return
		}
		var b strings.Builder
		for i, size := range a.objects[bucket] {
			fmt.Fprintf(&b, `<Version><Key>o%d</Key><VersionId>v%d</VersionId><IsLatest>true</IsLatest><Size>%d</Size></Version>`, i, i, size)
		}
		_, _ = fmt.Fprintf(w, `<ListVersionsResult><IsTruncated>false</IsTruncated>%s</ListVersionsResult>`, b.String())
	case r.Method == http.MethodPost && query.Has("delete"):
		n := strings.Count(string(body), "<Object>")
		a.note(fmt.Sprintf("s3:DeleteObjects %s %d bypass=%s", bucket, n, r.Header.Get("X-Amz-Bypass-Governance-Retention")))
		if a.locked && bucket == "checkpoints-1" {
			_, _ = io.WriteString(w, `<DeleteResult><Error><Key>o0</Key><Code>AccessDenied</Code><Message>Access Denied because object protected by object lock.</Message></Error></DeleteResult>`)
			return
		}
		a.objects[bucket] = nil
		_, _ = io.WriteString(w, `<DeleteResult></DeleteResult>`)
	case r.Method == http.MethodDelete:
		if len(a.objects[bucket]) > 0 {
			a.t.Errorf("%s is deleted with something in it", bucket)
		}
		a.note("s3:DeleteBucket " + bucket)
		w.WriteHeader(http.StatusNoContent)
	default:
		a.t.Errorf("nobody expects the call %s %s", r.Method, r.URL)
	}
}

// What the double calls its outputs is what an installation calls them.
func TestTheStackHasTheOutputsThatCommandsRead(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../stack/testdata/template.golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var template struct{ Outputs map[string]any }
	if err := json.Unmarshal(b, &template); err != nil {
		t.Fatal(err)
	}
	for name := range healthy(t).outputs {
		if template.Outputs[name] == nil {
			t.Errorf("no installation has the output %s", name)
		}
	}
}
