package stack_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/topology"
)

func TestSchedulesAreThoseOfTheTopology(t *testing.T) {
	tpl := load(t)
	got, want := map[string]bool{}, map[string]bool{}
	for logical, r := range tpl.all("AWS::Scheduler::Schedule") {
		p := r.Properties
		got[fmt.Sprint(target(at(p, "Target", "Arn")), at(p, "ScheduleExpression"), at(p, "Target", "Input"))] = true
		if at(p, "FlexibleTimeWindow", "Mode") != "OFF" {
			t.Errorf("%s may be late", logical)
		}
		if target(at(p, "Target", "DeadLetterConfig", "Arn")) != "Lost" {
			t.Errorf("%s has no dead-letter queue", logical)
		}
		tries, _ := at(p, "Target", "RetryPolicy", "MaximumRetryAttempts").(float64)
		age, _ := at(p, "Target", "RetryPolicy", "MaximumEventAgeInSeconds").(float64)
		if tries < 1 || age < 60 || age > 86400 {
			t.Errorf("%s tries again %v times in %v s", logical, tries, age)
		}
	}
	for _, f := range topology.All {
		for _, s := range f.Schedules {
			input, err := json.Marshal(map[string]string{"job": s.Job})
			if err != nil {
				t.Fatal(err)
			}
			want[fmt.Sprint(running(f, s), fmt.Sprintf("rate(%d minutes)", s.Every/time.Minute), string(input))] = true
		}
	}
	same(t, "schedule", got, want)
}

func TestQueuesAndStreamFeedThoseWhoAskForThem(t *testing.T) {
	tpl := load(t)
	got, want := map[string]bool{}, map[string]bool{}
	for logical, r := range tpl.all("AWS::Lambda::EventSourceMapping") {
		p := r.Properties
		got[target(p["EventSourceArn"])+" feeds "+target(p["FunctionName"])] = true
		if at(p, "FunctionResponseTypes", 0) != "ReportBatchItemFailures" {
			t.Errorf("%s repeats a batch for one bad message", logical)
		}
		if strings.HasSuffix(target(p["EventSourceArn"]), "Table") &&
			(p["BisectBatchOnFunctionError"] != true || target(at(p, "DestinationConfig", "OnFailure")) != "Lost" || p["MaximumRetryAttempts"] == nil || p["MaximumRecordAgeInSeconds"] == nil) {
			t.Errorf("%s blocks the stream on one bad record", logical)
		}
	}
	for _, f := range topology.All {
		if f.Stream {
			want["StateTable feeds "+live(f)] = true
		}
		if f.Entries {
			want["AuditTable feeds "+live(f)] = true
		}
		if q := f.Queue; q != nil {
			want["StepsQueue feeds "+live(f)] = true
			tpl.tries(t, "StepsQueue", "StepsDeadLetters", f, q.Tries)
		}
		if e := f.Feed; e != nil {
			want[id(f)+"Feed feeds "+live(f)] = true
			tpl.tries(t, id(f)+"Feed", id(f)+"DeadLetters", f, e.Tries)
		}
	}
	same(t, "feed", got, want)
}

// tries looks at how often a message of a queue is handed to a function, and where it goes then.
func (tpl template) tries(t *testing.T, queue, parked string, f topology.Function, tries int) {
	t.Helper()
	p := tpl.one(t, "AWS::SQS::Queue", queue).Properties
	if at(p, "VisibilityTimeout") != 6*f.Timeout.Seconds() {
		t.Errorf("%s: messages come back after %v s, want six times the function's time", queue, at(p, "VisibilityTimeout"))
	}
	if at(p, "RedrivePolicy", "maxReceiveCount") != float64(tries) || target(at(p, "RedrivePolicy", "deadLetterTargetArn")) != parked {
		t.Errorf("%s: messages are tried %v times, want %d, and parked then", queue, at(p, "RedrivePolicy", "maxReceiveCount"), tries)
	}
}

// What another service says is led to the function that hears it and nowhere else,
// and what the bus cannot hand over is parked with the rest.
func TestRulesLeadEventsToWhoHearsThem(t *testing.T) {
	tpl := load(t)
	got, want := map[string]bool{}, map[string]bool{}
	for logical, r := range tpl.all("AWS::Events::Rule") {
		p := r.Properties
		got[fmt.Sprint(flat(at(p, "EventPattern")), target(at(p, "Targets", 0, "Arn")), target(at(p, "Targets", 0, "DeadLetterConfig", "Arn")))] = true
		if p["EventBusName"] != nil || len(list(p["Targets"])) != 1 {
			t.Errorf("%s listens to another bus than the account's, or tells somebody else too", logical)
		}
		if tries, _ := at(p, "Targets", 0, "RetryPolicy", "MaximumRetryAttempts").(float64); tries < 100 {
			t.Errorf("%s gives up after %v tries", logical, tries)
		}
	}
	for _, f := range topology.All {
		if e := f.Feed; e != nil {
			pattern, err := json.Marshal(map[string]any{"source": []string{e.Source}, "detail-type": e.Types})
			if err != nil {
				t.Fatal(err)
			}
			want[fmt.Sprint(string(pattern), id(f)+"Feed", id(f)+"DeadLetters")] = true
		}
	}
	same(t, "rule", got, want)

	// The bus may put events into these queues, for this rule alone.
	may := map[string]bool{}
	for _, r := range tpl.all("AWS::SQS::QueuePolicy") {
		for _, s := range list(at(r.Properties, "PolicyDocument", "Statement")) {
			if at(s, "Effect") != "Allow" {
				continue
			}
			may[target(at(s, "Resource"))] = true
			if at(s, "Principal", "Service") != "events.amazonaws.com" || at(s, "Action") != "sqs:SendMessage" ||
				!slices.Contains([]string{"MaileventsRule", "ClosureRule"}, target(at(s, "Condition", "ArnEquals", "aws:SourceArn"))) {
				t.Errorf("somebody else may put into a queue: %s", flat(s))
			}
		}
	}
	same(t, "queue of the bus", may, map[string]bool{
		"MaileventsFeed": true, "MaileventsDeadLetters": true, "ClosureFeed": true, "ClosureDeadLetters": true,
	})
}

// Mail leaves through a set that says what became of it, and that never keeps a
// legal notice back because its reader once called a newsletter spam.
func TestMailLeavesThroughOurSet(t *testing.T) {
	tpl := load(t)
	set := tpl.one(t, "AWS::SES::ConfigurationSet", "MailSet").Properties
	if reasons, ok := at(set, "SuppressionOptions", "SuppressedReasons").([]any); !ok || len(reasons) > 0 {
		t.Errorf("the account's list of bounces and complaints keeps mail back: %s", flat(set))
	}
	if set["Name"] != nil || set["TrackingOptions"] != nil {
		t.Errorf("the set has a fixed name, or follows readers: %s", flat(set))
	}
	to := tpl.one(t, "AWS::SES::ConfigurationSetEventDestination", "MailSetEvents").Properties
	if target(to["ConfigurationSetName"]) != "MailSet" || flat(at(to, "EventDestination", "MatchingEventTypes")) != `["BOUNCE","COMPLAINT"]` ||
		at(to, "EventDestination", "Enabled") != true || !strings.Contains(flat(at(to, "EventDestination", "EventBridgeDestination")), ":event-bus/default") {
		t.Errorf("nobody hears of bounces and complaints: %s", flat(to))
	}
	for _, f := range topology.All {
		env := at(tpl.one(t, "AWS::Lambda::Function", id(f)).Properties, "Environment", "Variables", string(topology.ConfigurationSet))
		if (target(env) == "MailSet") != f.SendsMail {
			t.Errorf("%s sends through %v", f.Name, env)
		}
		if may := strings.Join(may(tpl, f, "MailSet"), " "); (may == "SendEmail SendRawEmail") != f.SendsMail {
			t.Errorf("%s may %q through the set", f.Name, may)
		}
	}
}

func TestAlarmsAreThoseOfTheTopology(t *testing.T) {
	tpl := load(t)
	got, want := map[string]bool{}, map[string]bool{}
	for name, r := range tpl.all("AWS::CloudWatch::Alarm") {
		got[name] = true
		if r.Properties["AlarmDescription"] != "See docs/runbooks/"+name+".md" {
			t.Errorf("%s does not lead to its page", name)
		}
		if target(r.Properties["AlarmActions"]) != "AlarmTopicArn" || target(r.Properties["OKActions"]) != "AlarmTopicArn" {
			t.Errorf("%s tells nobody", name)
		}
	}
	for _, name := range topology.Alarms() {
		want[name] = true
	}
	same(t, "alarm", got, want)
}

// A sweep that does not run makes no noise, so silence has to ring, and only
// after as many misses as the topology allows.
func TestSilenceOfAScheduleRings(t *testing.T) {
	tpl := load(t)
	for _, f := range topology.All {
		for _, s := range f.Schedules {
			p := tpl.one(t, "AWS::CloudWatch::Alarm", s.Alarm).Properties
			if p["TreatMissingData"] != "breaching" || p["ComparisonOperator"] != "LessThanThreshold" || p["Threshold"] != 1.0 {
				t.Errorf("%s stays quiet when nothing runs", s.Alarm)
			}
			period, _ := p["Period"].(float64)
			periods, _ := p["EvaluationPeriods"].(float64)
			if got := time.Duration(period*periods) * time.Second; got != s.AlarmWindow() {
				t.Errorf("%s rings after %v, want %v", s.Alarm, got, s.AlarmWindow())
			}
			found := false
			for _, filter := range tpl.all("AWS::Logs::MetricFilter") {
				if at(filter.Properties, "MetricTransformations", 0, "MetricName") == p["MetricName"] {
					found = true
					if target(filter.Properties["LogGroupName"]) != id(f)+"Log" {
						t.Errorf("%s listens to another function", s.Alarm)
					}
					if want := fmt.Sprintf(`{ ($.msg = "a job ran") && ($.job = %q) && ($.err IS NULL) }`, s.Job); filter.Properties["FilterPattern"] != want {
						t.Errorf("%s counts %v, want %s", s.Alarm, filter.Properties["FilterPattern"], want)
					}
				}
			}
			if !found {
				t.Errorf("nothing counts the runs that %s waits for", s.Alarm)
			}
		}
	}
}

// The alarm reads what boot writes. If this fails, the words in boot changed:
// change the pattern with them, or every schedule's alarm rings.
func TestHeartbeatsAreWhatBootWrites(t *testing.T) {
	b, err := os.ReadFile("../../shared/boot/handler.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{`"a job ran", "job", name`, `"err", err)`} {
		if !strings.Contains(string(b), words) {
			t.Errorf("shared/boot/handler.go does not log %s", words)
		}
	}
	var line bytes.Buffer
	slog.New(slog.NewJSONHandler(&line, nil)).Info("a job ran", "job", "steps", "err", error(nil))
	if !strings.Contains(line.String(), `"msg":"a job ran","job":"steps","err":null`) {
		t.Errorf("slog writes a run that succeeded as %s", line.String())
	}
}
