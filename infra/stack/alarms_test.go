package stack_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/topology"
)

func TestAlarmsAreThoseOfTheTopology(t *testing.T) {
	tpl := load(t)
	got, want := map[string]bool{}, map[string]bool{}
	for name, r := range tpl.all("AWS::CloudWatch::Alarm") {
		got[name] = true
		if r.Properties["AlarmDescription"] != "See docs/runbooks/"+name+".md" {
			t.Errorf("%s does not lead to its page", name)
		}
		for _, tells := range []string{"AlarmActions", "OKActions"} {
			if flat(r.Properties[tells]) != `[{"Fn::If":["HasAlarmTopicArn",{"Ref":"AlarmTopicArn"},{"Ref":"AlarmTopic"}]}]` {
				t.Errorf("%s: %s tell nobody: %s", name, tells, flat(r.Properties[tells]))
			}
		}
		if r.Properties["ActionsEnabled"] == false {
			t.Errorf("%s is switched off", name)
		}
		mail := name == topology.MailBounces || name == topology.MailComplaints
		if (r.Condition == "Mails") != mail || !mail && r.Condition != "" {
			t.Errorf("%s is there under the condition %q", name, r.Condition)
		}
	}
	for _, name := range topology.Alarms() {
		want[name] = true
	}
	same(t, "alarm", got, want)
}

// heard are the metrics that an alarm listens to, each as namespace, name and dimensions.
func heard(p map[string]any) []string {
	one := func(m any) string {
		of := []string{str(at(m, "Namespace")), str(at(m, "MetricName"))}
		for _, d := range list(at(m, "Dimensions")) {
			of = append(of, fmt.Sprint(at(d, "Name"), "=", spelt(at(d, "Value"))))
		}
		return strings.Join(of, " ")
	}
	if p["MetricName"] != nil {
		return []string{one(p)}
	}
	var all []string
	for _, m := range list(p["Metrics"]) {
		if metric := at(m, "MetricStat", "Metric"); metric != nil {
			all = append(all, one(metric))
		}
	}
	return all
}

// spelt is a value of the template with what it refers to by plain logical ids:
// Relay:RelayLiveAlias becomes Relay:live.
func spelt(v any) string {
	parts := list(at(v, "Fn::Join", 1))
	if parts == nil {
		return target(v)
	}
	var words []string
	for _, part := range parts {
		if s, ok := part.(string); ok {
			words = append(words, s)
		} else {
			words = append(words, target(part))
		}
	}
	return strings.Join(words, str(at(v, "Fn::Join", 0)))
}

func lambda(metric string, f topology.Function, alias string) string {
	return fmt.Sprintf("AWS/Lambda %s FunctionName=%s Resource=%s:%s", metric, id(f), id(f), alias)
}

// rings describes an alarm: to what it listens, and when it rings.
func rings(p map[string]any) string {
	stat := str(p["Statistic"]) + str(p["ExtendedStatistic"])
	sign := map[any]string{"GreaterThanThreshold": ">", "GreaterThanOrEqualToThreshold": ">=", "LessThanThreshold": "<"}[p["ComparisonOperator"]]
	if p["Metrics"] != nil {
		stat = str(at(p["Metrics"], 0, "Expression"))
		for _, m := range list(p["Metrics"])[1:] {
			if at(m, "MetricStat", "Stat") != "Sum" || at(m, "MetricStat", "Period") != 300.0 {
				stat += " of something else: " + flat(m)
			}
		}
	}
	need := p["DatapointsToAlarm"]
	if need == nil {
		need = p["EvaluationPeriods"]
	}
	return fmt.Sprintf("%s %s %v in %v of %v x %v s, else %v", stat, sign, p["Threshold"], need, p["EvaluationPeriods"], p["Period"], p["TreatMissingData"])
}

func TestAFunctionThatCrashesRings(t *testing.T) {
	tpl := load(t)
	for _, f := range topology.All {
		p := tpl.one(t, "AWS::CloudWatch::Alarm", f.Alarm).Properties
		want := lambda("Errors", f, "live")
		if f.Name == topology.Deadlines.Name || f.Name == topology.Retention.Name {
			want = "AWS/Lambda Errors FunctionName=" + id(f) // nothing but schedules invokes them
		}
		if got := heard(p); len(got) != 1 || got[0] != want {
			t.Errorf("%s listens to %q, want %q", f.Alarm, got, want)
		}
		if got := rings(p); got != "Sum >= 1 in 1 of 1 x 300 s, else notBreaching" {
			t.Errorf("%s rings at %s", f.Alarm, got)
		}
	}
}

// A sweep that does not run makes no noise, so silence has to ring, and only after as
// many misses as the topology allows. A run that fails says 1 where one that succeeds
// says 0, so the least is 1 only if all failed. boot's part is that a job that fails is
// an invocation that fails: its TestHowARunEnds.
func TestSilenceOfAScheduleRings(t *testing.T) {
	tpl := load(t)
	for _, f := range topology.All {
		for _, s := range f.Schedules {
			p := tpl.one(t, "AWS::CloudWatch::Alarm", s.Alarm).Properties
			if got, want := heard(p), lambda("Errors", f, s.Job); len(got) != 1 || got[0] != want {
				t.Errorf("%s listens to %q, want %q", s.Alarm, got, want)
			}
			n, period := math.Ceil(s.AlarmWindow().Minutes()), 60
			if s.AlarmWindow() > 24*time.Hour { // CloudWatch looks back no further by the minute
				n, period = math.Ceil(s.AlarmWindow().Hours()), 3600
			}
			if got, want := rings(p), fmt.Sprintf("Minimum >= 1 in %v of %v x %d s, else breaching", n, n, period); got != want {
				t.Errorf("%s rings at %s, want %s", s.Alarm, got, want)
			}
		}
	}
}

func TestWhatIsParkedRings(t *testing.T) {
	tpl := load(t)
	parked := map[string]string{topology.DeliveriesLost: "Lost"}
	for _, f := range topology.All {
		if f.Queue != nil {
			parked[f.Queue.Alarm] = "StepsDeadLetters"
		}
		if f.Feed != nil {
			parked[f.Feed.Alarm] = id(f) + "DeadLetters"
		}
	}
	last := map[string]bool{}
	for alarm, queue := range parked {
		p := tpl.one(t, "AWS::CloudWatch::Alarm", alarm).Properties
		if got := heard(p); len(got) != 1 || got[0] != "AWS/SQS ApproximateNumberOfMessagesVisible QueueName="+queue {
			t.Errorf("%s listens to %q, want %s", alarm, got, queue)
		}
		if got := rings(p); got != "Maximum > 0 in 1 of 1 x 300 s, else notBreaching" {
			t.Errorf("%s rings at %s", alarm, got)
		}
		last[queue] = true
	}
	for logical, r := range tpl.all("AWS::SQS::Queue") { // whatever nobody reads has an alarm
		if r.Properties["RedrivePolicy"] == nil && !last[plain(logical)] {
			t.Errorf("what lies in %s rings nothing", plain(logical))
		}
	}
}

// What Lambda does not see is in the logs: an answer of 500 is a success to it.
func TestALineAtLevelErrorOfAnyFunctionRings(t *testing.T) {
	tpl := load(t)
	got, want := map[string]bool{}, map[string]bool{}
	p := tpl.one(t, "AWS::CloudWatch::Alarm", topology.ErrorsLogged).Properties
	for logical, r := range tpl.all("AWS::Logs::MetricFilter") {
		if plain(logical) == "DeadlinesOverdue" {
			continue // see TestARequestThatIsOverdueRings
		}
		got[target(r.Properties["LogGroupName"])] = true
		to := at(r.Properties, "MetricTransformations", 0)
		if r.Properties["FilterPattern"] != `{ $.level = "ERROR" }` || at(to, "MetricValue") != "1" || at(to, "DefaultValue") != nil {
			t.Errorf("%s counts something else, or costs while nothing is wrong: %s", logical, flat(r.Properties))
		}
		if at(to, "MetricName") != p["MetricName"] || flat(at(to, "MetricNamespace")) != flat(p["Namespace"]) {
			t.Errorf("%s counts for nobody: each metric of our own costs: %s", logical, flat(to))
		}
		if !strings.Contains(flat(p["Namespace"]), "AWS::StackName") {
			t.Errorf("two installations count as one: %s", flat(p["Namespace"]))
		}
	}
	for _, f := range topology.All {
		want[id(f)+"Log"] = true
	}
	same(t, "log that is listened to", got, want)
	if got := rings(p); got != "Sum >= 1 in 1 of 1 x 300 s, else notBreaching" {
		t.Errorf("it rings at %s", got)
	}
}

// What the pattern looks for is in the line that TestOverdueIsSaidInTheLog of
// shared/request reads.
func TestARequestThatIsOverdueRings(t *testing.T) {
	tpl := load(t)
	p := tpl.one(t, "AWS::CloudWatch::Alarm", topology.RequestsOverdue).Properties
	of := tpl.one(t, "AWS::Logs::MetricFilter", "DeadlinesOverdue").Properties
	to := at(of, "MetricTransformations", 0)
	if of["FilterPattern"] != "{ $.overdue IS TRUE }" || target(of["LogGroupName"]) != "DeadlinesLog" || at(to, "MetricValue") != "1" || at(to, "DefaultValue") != nil {
		t.Errorf("something else is counted, or costs while nothing is late: %s", flat(of))
	}
	if at(to, "MetricName") != p["MetricName"] || p["MetricName"] == topology.ErrorsLogged || flat(at(to, "MetricNamespace")) != flat(p["Namespace"]) {
		t.Errorf("it is counted for nobody: %s, %s", flat(to), flat(p))
	}
	if got := rings(p); got != "Sum >= 1 in 1 of 1 x 300 s, else notBreaching" {
		t.Errorf("it rings at %s", got)
	}
}

func TestTheInstallationsAlarmsListenToWhatTheySay(t *testing.T) {
	tpl := load(t)
	tables := func(names ...string) (all []string) {
		for _, n := range names {
			name, metric, _ := strings.Cut(n, " ")
			all = append(all, "AWS/DynamoDB "+metric+" TableName="+name)
		}
		return all
	}
	for _, c := range []struct {
		alarm, rings string
		heard        []string
	}{
		{
			topology.StreamBehind, fmt.Sprintf("Maximum > %v in 2 of 3 x 300 s, else notBreaching", (15 * time.Minute).Milliseconds()),
			[]string{"AWS/Lambda IteratorAge FunctionName=Relay"},
		},
		{
			topology.APIFailing, "100 * FILL(broken, 0) / called > 5 in 2 of 3 x <nil> s, else notBreaching",
			[]string{"AWS/ApiGateway 5xx ApiId=API", "AWS/ApiGateway Count ApiId=API"},
		},
		{topology.APISlow, "p99 > 3000 in 3 of 3 x 300 s, else notBreaching", []string{"AWS/ApiGateway Latency ApiId=API"}},
		{topology.FunctionsThrottled, "Sum > 0 in 2 of 3 x 300 s, else notBreaching", []string{"AWS/Lambda Throttles"}},
		{
			topology.TablesThrottled,
			"FILL(state_reads, 0) + FILL(state_writes, 0) + FILL(audit_writes, 0) + FILL(keys_reads, 0) + FILL(keys_writes, 0) >= 10 in 2 of 3 x <nil> s, else notBreaching",
			tables("StateTable ReadThrottleEvents", "StateTable WriteThrottleEvents", "AuditTable WriteThrottleEvents", "KeysTable ReadThrottleEvents", "KeysTable WriteThrottleEvents"),
		},
		{topology.MailBounces, "Maximum >= 0.02 in 1 of 1 x 3600 s, else ignore", []string{"AWS/SES Reputation.BounceRate"}},
		{topology.MailComplaints, "Maximum >= 0.0005 in 1 of 1 x 3600 s, else ignore", []string{"AWS/SES Reputation.ComplaintRate"}},
	} {
		p := tpl.one(t, "AWS::CloudWatch::Alarm", c.alarm).Properties
		if got := heard(p); !slices.Equal(got, c.heard) {
			t.Errorf("%s listens to %q, want %q", c.alarm, got, c.heard)
		}
		if got := rings(p); got != c.rings {
			t.Errorf("%s rings at %s, want %s", c.alarm, got, c.rings)
		}
	}
}

// The service asks $0.10 for each metric that an alarm listens to and $0.30 for each of
// our own in the hours in which it says something. The free tier, ten of each, is left out.
func TestAlarmsCostLittle(t *testing.T) {
	tpl := load(t)
	own, listened := map[string]bool{}, 0
	for _, r := range tpl.all("AWS::Logs::MetricFilter") {
		own[flat(at(r.Properties, "MetricTransformations", 0, "MetricName"))] = true
	}
	for _, r := range tpl.all("AWS::CloudWatch::Alarm") {
		listened += len(heard(r.Properties))
	}
	cents := 10*listened + 30*len(own)
	t.Logf("%d alarms listen to %d metrics, %d of our own: $%d.%02d a month",
		len(tpl.all("AWS::CloudWatch::Alarm")), listened, len(own), cents/100, cents%100)
	if cents > 410 {
		t.Errorf("alarms cost $%d.%02d a month, and may cost $4.10", cents/100, cents%100)
	}
}

// Whoever named no topic is told by mail, and nobody but this account's alarms speaks there.
func TestTheAdminContactIsToldOfAlarms(t *testing.T) {
	tpl := load(t)
	topic := tpl.one(t, "AWS::SNS::Topic", "AlarmTopic")
	mail := tpl.one(t, "AWS::SNS::Subscription", "AlarmMail")
	policy := tpl.one(t, "AWS::SNS::TopicPolicy", "AlarmTopicPolicy")
	for _, r := range []resource{topic, mail, policy} {
		if r.Condition != "MakesAlarmTopic" {
			t.Errorf("a %s is there though a topic was named", r.Type)
		}
	}
	if flat(tpl.Conditions["MakesAlarmTopic"]) != `{"Fn::Not":[{"Condition":"HasAlarmTopicArn"}]}` {
		t.Errorf("the topic is made if %s", flat(tpl.Conditions["MakesAlarmTopic"]))
	}
	if mail.Properties["Protocol"] != "email" || target(mail.Properties["Endpoint"]) != "AdminContact" || target(mail.Properties["TopicArn"]) != "AlarmTopic" {
		t.Errorf("the admin contact is not told: %s", flat(mail.Properties))
	}
	if topic.Properties["KmsMasterKeyId"] != nil || topic.Properties["TopicName"] != nil {
		t.Errorf("CloudWatch may not use that key, or the name is fixed: %s", flat(topic.Properties))
	}
	b, err := json.Marshal(at(policy.Properties, "PolicyDocument", "Statement"))
	if err != nil {
		t.Fatal(err)
	}
	const allow = `{"Action":"sns:Publish","Condition":{"StringEquals":{"aws:SourceAccount":{"Ref":"AWS::AccountId"}}},"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Resource":{"Ref":"AlarmTopic"},"Sid":"AlarmsOfThisAccount"}`
	const deny = `{"Action":"sns:Publish","Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny","Principal":"*","Resource":{"Ref":"AlarmTopic"},"Sid":"NothingInClear"}`
	if string(b) != "["+allow+","+deny+"]" {
		t.Errorf("others may speak there, or in clear: %s", b)
	}
}

// The service shows three dashboards with fifty metrics each for nothing.
func TestTheDashboardShowsWhatThereIs(t *testing.T) {
	tpl := load(t)
	r := tpl.one(t, "AWS::CloudWatch::Dashboard", "Dashboard")
	if r.Properties["DashboardName"] != nil {
		t.Error("a second installation has the same dashboard")
	}
	var text strings.Builder
	for _, part := range list(at(r.Properties, "DashboardBody", "Fn::Join", 1)) {
		switch s, ok := part.(string); {
		case ok:
			text.WriteString(s)
		case at(part, "Fn::GetAtt") != nil:
			text.WriteString(target(part) + str(at(part, "Fn::GetAtt", 1)))
		default:
			text.WriteString(spelt(part))
		}
	}
	var body struct {
		Widgets []struct {
			X, Y, Width, Height int
			Properties          struct {
				Title   string
				Alarms  []string
				Query   string
				Metrics [][]any
			}
		}
	}
	if err := json.Unmarshal([]byte(text.String()), &body); err != nil {
		t.Fatalf("%v: %s", err, text.String())
	}
	shown, metrics, alarms := map[string]bool{}, 0, []string{}
	for _, w := range body.Widgets {
		if w.X+w.Width > 24 || w.Height == 0 {
			t.Errorf("%q does not fit", w.Properties.Title)
		}
		alarms = append(alarms, w.Properties.Alarms...)
		metrics += len(w.Properties.Metrics)
		for _, m := range w.Properties.Metrics {
			shown[fmt.Sprint(m[:len(m)-1]...)] = true
		}
		for _, log := range strings.Split(w.Properties.Query, "SOURCE '")[1:] {
			name, _, _ := strings.Cut(log, "'")
			shown[name] = true
		}
	}
	if metrics > 50 || metrics != len(shown)-logs(shown)+1 { // Latency is there twice, by two statistics
		t.Errorf("it shows %d metrics, of which %d are different; fifty are free", metrics, len(shown)-logs(shown))
	}
	for _, f := range topology.All {
		if !shown[id(f)+"Log"] || !strings.Contains(text.String(), `"`+f.Name+`"`) {
			t.Errorf("%s is not shown", f.Name)
		}
		for _, s := range f.Schedules {
			if !strings.Contains(text.String(), `"`+f.Name+": "+s.Job+`"`) {
				t.Errorf("%s of %s is not shown", s.Job, f.Name)
			}
		}
	}
	if want := len(topology.Alarms()) - 2; len(alarms) != want { // those of mail may not be there
		t.Errorf("it shows %d alarms, want %d", len(alarms), want)
	}
}

func logs(shown map[string]bool) (n int) {
	for name := range shown {
		if strings.HasSuffix(name, "Log") {
			n++
		}
	}
	return n
}
