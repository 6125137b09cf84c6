package operate

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"rightsdesk/shared/topology"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// Look says what doctor looks at beyond what it always does.
type Look struct {
	Send   bool // mails to the mail service's own simulator
	Chains bool // every entry of the audit, which reads the whole table
}

// live is the alias that calls, queues and streams go to.
const live = "live"

// Doctor looks at an installation and changes nothing in it. An error means that
// there is none to look at.
func (a *Account) Doctor(ctx context.Context, name string, look Look) (*Report, error) {
	s, err := a.Stack(ctx, name)
	if err != nil {
		return nil, err
	}
	r := &Report{}
	a.stackItself(r, s)
	a.tables(ctx, r, s)
	a.masterKey(ctx, r, s)
	settings := a.functions(ctx, r, s)
	a.schedules(ctx, r, s)
	a.alarms(ctx, r, s)
	a.listeners(ctx, r, s)
	a.address(ctx, r, s)
	a.mail(ctx, r, settings, look.Send)
	if look.Chains {
		a.chains(ctx, r, s)
	}
	return r, nil
}

// redeploy is what to do where a stack lacks what an installation of this version has.
const redeploy = "deploy it with the version of this command"

// stackItself looks at what CloudFormation says.
func (a *Account) stackItself(r *Report, s *Stack) {
	const what = "stack"
	version := cmp.Or(s.Outputs["SolutionVersion"], "of a checkout")
	switch {
	case strings.HasSuffix(s.Status, "_IN_PROGRESS"):
		r.Note(what, s.Status+": somebody changes it at this moment", "look again when CloudFormation is done")
	case s.Status == "CREATE_COMPLETE" || s.Status == "UPDATE_COMPLETE" || s.Status == "IMPORT_COMPLETE":
		r.Good(what, fmt.Sprintf("%s, version %s, changed %s", s.Status, version, day(s.Changed)))
	case s.Status == "UPDATE_ROLLBACK_COMPLETE" || s.Status == "IMPORT_ROLLBACK_COMPLETE":
		r.Bad(what, s.Status+": the last change was refused and taken back. "+s.Why, "its reason stands in the stack's events; mend it and deploy again")
	default:
		r.Bad(what, s.Status+" "+s.Why, "see the stack's events; an UPDATE_ROLLBACK_FAILED is ended by aws cloudformation continue-update-rollback --stack-name "+s.Name)
	}
	if !s.Protected {
		r.Note(what, "it may be deleted by a single call", "aws cloudformation update-termination-protection --enable-termination-protection --stack-name "+s.Name)
	}
	switch s.Drift {
	case "IN_SYNC":
		r.Good("drift", "nobody changed anything by hand, as of "+day(s.DriftAt))
	case "DRIFTED":
		var changed []string
		for _, x := range s.Resources {
			if x.Drift == "MODIFIED" || x.Drift == "DELETED" {
				changed = append(changed, x.Logical+" ("+strings.ToLower(x.Drift)+")")
			}
		}
		r.Bad("drift", "changed by hand: "+strings.Join(changed, ", "), "put it back, or say it by a parameter: the next deployment may undo it or stumble over it")
	default:
		r.Note("drift", "CloudFormation never looked", "aws cloudformation detect-stack-drift --stack-name "+s.Name+", and then this command again")
	}
	for _, want := range topology.All {
		if _, ok := s.function(want.Name); !ok {
			r.Bad("function "+want.Name, "the stack has none", "deploy it with the version of this command, or use the command of the version that is deployed")
		}
	}
}

// tables looks at what protects the data: an administrator may have switched it off.
func (a *Account) tables(ctx context.Context, r *Report, s *Stack) {
	client := dynamodb.NewFromConfig(a.AWS)
	for _, output := range []string{"StateTableName", "AuditTableName", "KeysTableName"} {
		what := "table " + strings.ToLower(strings.TrimSuffix(output, "TableName"))
		name, err := s.output(output)
		if err != nil {
			r.Bad(what, err.Error(), redeploy)
			continue
		}
		d, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
		if err != nil {
			r.Failed(what, err)
			continue
		}
		b, err := client.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &name})
		if err != nil {
			r.Failed(what, err)
			continue
		}
		ttl, err := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &name})
		if err != nil {
			r.Failed(what, err)
			continue
		}
		var off []string
		if d.Table.TableStatus != types.TableStatusActive && d.Table.TableStatus != types.TableStatusUpdating {
			off = append(off, "it is "+string(d.Table.TableStatus))
		}
		if !aws.ToBool(d.Table.DeletionProtectionEnabled) {
			off = append(off, "it may be deleted by a single call")
		}
		if c := b.ContinuousBackupsDescription; c == nil || c.PointInTimeRecoveryDescription == nil ||
			c.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus != types.PointInTimeRecoveryStatusEnabled {
			off = append(off, "it cannot be restored to an earlier instant")
		}
		if ttl.TimeToLiveDescription == nil || ttl.TimeToLiveDescription.TimeToLiveStatus != types.TimeToLiveStatusEnabled {
			off = append(off, "what has expired in it is never removed")
		}
		if len(off) > 0 {
			r.Bad(what, strings.Join(off, "; "), "the template has it on: switch it on again for "+name+", and find out who switched it off")
			continue
		}
		r.Good(what, fmt.Sprintf("protected and recoverable, about %d items", aws.ToInt64(d.Table.ItemCount)))
	}
}

// masterKey looks at the key without which nothing sealed can be read.
func (a *Account) masterKey(ctx context.Context, r *Report, s *Stack) {
	const what = "KMS key"
	arn, err := s.output("MasterKeyArn")
	if err != nil {
		r.Bad(what, err.Error(), redeploy)
		return
	}
	client := kms.NewFromConfig(a.AWS)
	d, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &arn})
	if err != nil {
		r.Failed(what, err)
		return
	}
	rotation, err := client.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: &arn})
	switch {
	case d.KeyMetadata.KeyState == kmstypes.KeyStatePendingDeletion:
		r.Bad(what, "it is about to be deleted, on "+day(aws.ToTime(d.KeyMetadata.DeletionDate))+"; with it everything sealed becomes unreadable", "aws kms cancel-key-deletion --key-id "+arn+", and then enable-key")
	case d.KeyMetadata.KeyState != kmstypes.KeyStateEnabled:
		r.Bad(what, "it is "+string(d.KeyMetadata.KeyState)+", so no function can start", "aws kms enable-key --key-id "+arn)
	case err != nil:
		r.Failed(what, err)
	case !rotation.KeyRotationEnabled:
		r.Bad(what, "it is not renewed by itself", "aws kms enable-key-rotation --key-id "+arn)
	default:
		r.Good(what, "enabled, renewed by itself")
	}
}

// health is what a function answers to the event {"check":"health"}.
type health struct {
	Function string    `json:"function"`
	Policy   string    `json:"policy"`
	Now      time.Time `json:"now"`
	OK       bool      `json:"ok"`
	Checks   []struct {
		Name   string `json:"name"`
		OK     bool   `json:"ok"`
		Detail string `json:"detail"`
		Next   string `json:"next"`
	} `json:"checks"`
	Untried []string `json:"untried"`
}

// skew is how far the clocks of this machine and of a function may be apart.
const skew = time.Minute

// functions asks each for its health, and returns the settings of those that write mail.
func (a *Account) functions(ctx context.Context, r *Report, s *Stack) (settings map[string]string) {
	client := lambda.NewFromConfig(a.AWS, func(o *lambda.Options) { o.RetryMaxAttempts = 2 })
	settings = map[string]string{}
	policies := map[string][]string{}
	untried := []string{}
	for _, f := range topology.All {
		name, ok := s.function(f.Name)
		if !ok {
			continue // it was said
		}
		what := "function " + f.Name
		began := a.Now()
		out, err := client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &name, Qualifier: aws.String(live), Payload: []byte(`{"check":"health"}`)})
		if err != nil {
			r.Failed(what, err)
			continue
		}
		h, err := readHealth(out)
		if err != nil {
			r.Bad(what, err.Error(), "its log group has the rest; docs/runbooks/"+f.Alarm+".md")
			continue
		}
		if h.OK {
			r.Good(what, fmt.Sprintf("%d checks, version %s", len(h.Checks), aws.ToString(out.ExecutedVersion)))
		}
		for _, c := range h.Checks {
			if !c.OK {
				r.Bad(what+", "+c.Name, c.Detail, c.Next)
			}
		}
		if apart := h.Now.Sub(began); apart > skew+a.Now().Sub(began) || apart < -skew {
			r.Bad("clock", fmt.Sprintf("%s and this machine are %s apart", f.Name, apart.Round(time.Second).Abs()), "set this machine's clock; signatures and deadlines go by it")
		}
		policies[h.Policy] = append(policies[h.Policy], f.Name)
		untried = append(untried, h.Untried...)
		a.code(ctx, r, client, f, name, settings)
	}
	switch versions := slices.Sorted(keysOf(policies)); {
	case len(versions) == 1:
		r.Good("policy", "version "+versions[0]+" in every function")
	case len(versions) > 1:
		var each []string
		for _, v := range versions {
			each = append(each, v+" in "+strings.Join(policies[v], ", "))
		}
		r.Note("policy", "functions go by several: "+strings.Join(each, "; "), "a new edition reaches all within a few minutes; look again then")
	}
	slices.Sort(untried)
	for _, u := range slices.Compact(untried) {
		r.Note("not tried", u, "")
	}
	return settings
}

func keysOf[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// readHealth returns what a function answered, or why it did not.
func readHealth(out *lambda.InvokeOutput) (health, error) {
	if out.FunctionError != nil {
		var e struct {
			Message string `json:"errorMessage"`
		}
		_ = json.Unmarshal(out.Payload, &e) // without a message its kind has to do
		return health{}, fmt.Errorf("it fails (%s): %s", *out.FunctionError, cmp.Or(e.Message, "it gives no reason"))
	}
	var h health
	if err := json.Unmarshal(out.Payload, &h); err != nil || h.Function == "" {
		return health{}, fmt.Errorf("it does not know the question: is it older than this command?")
	}
	return h, nil
}

// code compares what is served with what was deployed, and reads the settings.
func (a *Account) code(ctx context.Context, r *Report, client *lambda.Client, f topology.Function, name string, settings map[string]string) {
	what := "code of " + f.Name
	served, err := client.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name, Qualifier: aws.String(live)})
	if err != nil {
		r.Failed(what, err)
		return
	}
	if served.Environment != nil {
		for k, v := range served.Environment.Variables {
			settings[k] = v
		}
	}
	latest, err := client.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name})
	if err != nil {
		r.Failed(what, err)
		return
	}
	if aws.ToString(latest.CodeSha256) != aws.ToString(served.CodeSha256) {
		r.Bad(what, "what was uploaded last is not what is served", "if nobody went back to an earlier version on purpose, find out who uploaded it, and deploy again")
	}
	pages := lambda.NewListAliasesPaginator(client, &lambda.ListAliasesInput{FunctionName: &name})
	versions := map[string][]string{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			r.Failed(what, err)
			return
		}
		for _, alias := range page.Aliases {
			v := aws.ToString(alias.FunctionVersion)
			if split(alias) {
				v += " and others by chance"
			}
			versions[v] = append(versions[v], aws.ToString(alias.Name))
		}
	}
	if len(versions) > 1 {
		r.Bad(what, "its aliases lead to several versions", "point all of them to the same one, or deploy again")
	}
}

func split(alias lambdatypes.AliasConfiguration) bool {
	return alias.RoutingConfig != nil && len(alias.RoutingConfig.AdditionalVersionWeights) > 0
}

// schedules sees that each is there and switched on.
func (a *Account) schedules(ctx context.Context, r *Report, s *Stack) {
	client := scheduler.NewFromConfig(a.AWS)
	found := map[string]string{}
	for _, x := range s.of("AWS::Scheduler::Schedule") {
		found[plain(x.Logical)] = x.Physical
	}
	on := 0
	for _, f := range topology.All {
		for _, sched := range f.Schedules {
			what := "schedule " + f.Name + "/" + sched.Job
			name, ok := found[title(f.Name)+title(sched.Job)+"Schedule"]
			if !ok {
				r.Bad(what, "the stack has none", redeploy)
				continue
			}
			out, err := client.GetSchedule(ctx, &scheduler.GetScheduleInput{Name: &name})
			switch {
			case code(err) == "ResourceNotFoundException":
				r.Bad(what, "somebody deleted it", "deploy again; meanwhile nothing is found again that a queue lost")
			case err != nil:
				r.Failed(what, err)
			case out.State != schedulertypes.ScheduleStateEnabled:
				r.Bad(what, "somebody switched it off", "switch it on in EventBridge Scheduler: "+name)
			default:
				on++
			}
		}
	}
	if on > 0 {
		r.Good("schedules", fmt.Sprintf("%d are on", on))
	}
}

func title(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

// alarms says which ring, and whether anybody would hear them.
func (a *Account) alarms(ctx context.Context, r *Report, s *Stack) {
	const what = "alarms"
	logical, names := map[string]string{}, []string{}
	for _, x := range s.of("AWS::CloudWatch::Alarm") {
		logical[x.Physical] = plain(x.Logical)
		names = append(names, x.Physical)
	}
	client := cloudwatch.NewFromConfig(a.AWS)
	quiet, seen := 0, map[string]bool{}
	var mute []string
	for some := range slices.Chunk(names, 100) {
		out, err := client.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: some})
		if err != nil {
			r.Failed(what, err)
			return
		}
		for _, x := range out.MetricAlarms {
			name := logical[aws.ToString(x.AlarmName)]
			seen[aws.ToString(x.AlarmName)] = true
			switch {
			case x.StateValue == cloudwatchtypes.StateValueAlarm:
				r.Bad("alarm "+name, "it rings since "+day(aws.ToTime(x.StateTransitionedTimestamp)), "docs/runbooks/"+name+".md")
			case !aws.ToBool(x.ActionsEnabled) || len(x.AlarmActions) == 0:
				mute = append(mute, name)
			default:
				quiet++
			}
		}
	}
	for _, n := range names {
		if !seen[n] {
			r.Bad("alarm "+logical[n], "somebody deleted it", "deploy again")
		}
	}
	if len(mute) > 0 {
		slices.Sort(mute)
		r.Bad(what, fmt.Sprintf("nobody would hear %s", strings.Join(mute, ", ")), "give the stack an AlarmTopicArn, and switch the alarms' actions on")
	}
	if quiet > 0 {
		r.Good(what, fmt.Sprintf("%d are quiet and would be heard", quiet))
	}
}

// listeners sees that somebody confirmed to be told of alarms: until then the topic
// tells nobody.
func (a *Account) listeners(ctx context.Context, r *Report, s *Stack) {
	const what = "alarms' topic"
	topic, err := s.output("AlarmsGoTo")
	if err != nil {
		r.Bad(what, err.Error(), redeploy)
		return
	}
	confirmed, pending := 0, 0
	pages := sns.NewListSubscriptionsByTopicPaginator(sns.NewFromConfig(a.AWS), &sns.ListSubscriptionsByTopicInput{TopicArn: &topic})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			r.Failed(what, err)
			return
		}
		for _, x := range page.Subscriptions {
			if strings.HasPrefix(aws.ToString(x.SubscriptionArn), "arn:") {
				confirmed++
			} else {
				pending++
			}
		}
	}
	switch {
	case confirmed == 0 && pending > 0:
		r.Bad(what, "nobody has confirmed to be told", "open the link in the mail that AWS sent to AdminContact; after three days subscribe the address to "+topic+" anew")
	case confirmed == 0:
		r.Bad(what, "it tells nobody", "subscribe somebody to "+topic)
	default:
		r.Good(what, fmt.Sprintf("%d are told", confirmed))
	}
}

// address calls the installation as a person would.
func (a *Account) address(ctx context.Context, r *Report, s *Stack) {
	base, err := s.output("Address")
	if err != nil {
		r.Bad("address", err.Error(), redeploy)
		return
	}
	base = strings.TrimSuffix(base, "/")
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		r.Bad("address", base+" is none", "deploy again")
		return
	}
	if _, err := a.names().LookupHost(ctx, u.Hostname()); err != nil {
		r.Bad("address", u.Hostname()+" leads nowhere", "make the DNS record that the stack's outputs name")
		return
	}
	status, _, err := a.get(ctx, base+"/healthz")
	switch {
	case err != nil:
		r.Bad("address", base+" does not answer: "+err.Error(), "see that its DNS record leads to the target in the stack's outputs, and that its certificate is valid")
		return
	case status != http.StatusOK:
		r.Bad("address", fmt.Sprintf("%s/healthz answers %d", base, status), "docs/runbooks/RequestsFailing.md")
		return
	}
	r.Good("address", base+" answers")
	status, body, err := a.get(ctx, base+"/v1/policy")
	var problem struct{ Code, Detail string }
	_ = json.Unmarshal(body, &problem) // a policy is no problem
	switch {
	case err != nil:
		r.Bad("open", err.Error(), "try again")
	case problem.Code == "not_open_yet":
		r.Bad("open", "people are turned away: "+problem.Detail, "docs/runbooks/InstallationNotOpen.md")
	case status != http.StatusOK:
		r.Bad("open", fmt.Sprintf("%s/v1/policy answers %d", base, status), "docs/runbooks/NoticeFailing.md")
	default:
		r.Good("open", "requests are taken in")
	}
}

func (a *Account) get(ctx context.Context, at string) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, http.NoBody)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := a.web().Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	body, err = io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	return resp.StatusCode, body, err
}

func day(t time.Time) string {
	if t.IsZero() {
		return "at an unknown time"
	}
	return t.UTC().Format("2006-01-02 15:04")
}
