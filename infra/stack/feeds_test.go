package stack_test

import (
	"encoding/json"
	"fmt"
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
		if !strings.Contains(fmt.Sprint(r.DependsOn), "SchedulerRoleDefaultPolicy") {
			t.Errorf("%s starts before it may start anything", logical)
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
		// What a schedule finds again is given up soon; an entry of the audit is tried until the
		// stream is about to forget it.
		if tries, age := p["MaximumRetryAttempts"], p["MaximumRecordAgeInSeconds"]; target(p["EventSourceArn"]) == "StateTable" && (tries != 5.0 || age != 3600.0) ||
			target(p["EventSourceArn"]) == "AuditTable" && (tries != -1.0 || age != 82800.0) {
			t.Errorf("%s tries %v times, for %v s", logical, tries, age)
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
	waits, _ := at(p, "MessageRetentionPeriod").(float64)
	if kept, _ := at(tpl.one(t, "AWS::SQS::Queue", parked).Properties, "MessageRetentionPeriod").(float64); waits < 4*86400 || kept < waits+7*86400 {
		t.Errorf("%s: a message waits %v s at most, and is gone %v s after it was sent: nobody can look at it", queue, waits, kept)
	}
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
	for _, r := range tpl.Resources {
		if strings.HasPrefix(r.Type, "AWS::SES::ConfigurationSet") && r.Condition != "Mails" {
			t.Errorf("a %s is there though mail is off", r.Type)
		}
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
		if !f.SendsMail {
			continue
		}
		r := tpl.one(t, "AWS::IAM::Policy", id(f)+"Mail")
		if r.Condition != "Sends" || target(at(r.Properties, "PolicyDocument", "Statement", 0, "Condition", "StringEquals", "ses:FromAddress")) != "Sender" {
			t.Errorf("%s may send as anybody: %s", f.Name, flat(r))
		}
	}
}

// A domain that somebody else may send from by then outlives the stack.
func TestTheSendersDomainIsMadeOnlyIfAskedFor(t *testing.T) {
	tpl := load(t)
	r := tpl.one(t, "AWS::SES::EmailIdentity", "SenderDomain")
	if r.Condition != "MakesIdentity" || r.DeletionPolicy != "Retain" || r.UpdateReplacePolicy != "Retain" {
		t.Errorf("an identity comes or goes with the stack: %s", flat(r))
	}
	if at(r.Properties, "DkimAttributes", "SigningEnabled") != true || target(r.Properties["EmailIdentity"]) != "Sender" {
		t.Errorf("it is not the sender's domain, or mail from it is not signed: %s", flat(r.Properties))
	}
	for i := 1; i <= 3; i++ {
		out := tpl.Outputs[fmt.Sprintf("MailDnsRecord%d", i)]
		if at(out, "Condition") != "MakesIdentity" || !strings.Contains(flat(at(out, "Value")), fmt.Sprintf(`"DkimDNSTokenValue%d"`, i)) {
			t.Errorf("nobody is told of DNS record %d: %s", i, flat(out))
		}
	}
}

func TestTheBusIsArchivedOnlyIfAskedFor(t *testing.T) {
	tpl := load(t)
	bus := tpl.one(t, "AWS::Events::EventBus", "Bus").Properties
	if flat(bus["Name"]) != `{"Ref":"AWS::StackName"}` {
		t.Errorf("the bus of a second installation has the same name: %s", flat(bus))
	}
	r := tpl.one(t, "AWS::Events::Archive", "BusArchive")
	if r.Condition != "KeepsEvents" || target(r.Properties["SourceArn"]) != "Bus" || target(r.Properties["RetentionDays"]) != "EventArchiveDays" {
		t.Errorf("events are kept unasked, or for ever: %s", flat(r))
	}
	if n := len(tpl.all("AWS::Events::EventBusPolicy")); n > 0 {
		t.Errorf("%d policies let others speak on the bus", n)
	}
}
