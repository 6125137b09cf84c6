package stack_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
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
			want[fmt.Sprint(id(f), fmt.Sprintf("rate(%d minutes)", s.Every/time.Minute), string(input))] = true
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
		if target(p["EventSourceArn"]) == "StateTable" &&
			(p["BisectBatchOnFunctionError"] != true || target(at(p, "DestinationConfig", "OnFailure")) != "Lost" || p["MaximumRetryAttempts"] == nil || p["MaximumRecordAgeInSeconds"] == nil) {
			t.Errorf("%s blocks the stream on one bad record", logical)
		}
	}
	for _, f := range topology.All {
		if f.Stream {
			want["StateTable feeds "+id(f)] = true
		}
		if q := f.Queue; q != nil {
			want["StepsQueue feeds "+id(f)] = true
			p := tpl.one(t, "AWS::SQS::Queue", "StepsQueue").Properties
			if at(p, "VisibilityTimeout") != 6*f.Timeout.Seconds() {
				t.Errorf("%s: messages come back after %v s, want six times the function's time", q.Name, at(p, "VisibilityTimeout"))
			}
			if at(p, "RedrivePolicy", "maxReceiveCount") != float64(q.Tries) {
				t.Errorf("%s: messages are tried %v times, want %d", q.Name, at(p, "RedrivePolicy", "maxReceiveCount"), q.Tries)
			}
		}
	}
	same(t, "feed", got, want)
}

func TestAlarmsAreThoseOfTheTopology(t *testing.T) {
	tpl := load(t)
	got, want := map[string]bool{}, map[string]bool{}
	for name, r := range tpl.all("AWS::CloudWatch::Alarm") {
		got[name] = true
		if r.Properties["AlarmDescription"] != "See docs/runbooks/"+name+".md" {
			t.Errorf("%s does not lead to its page", name)
		}
		if target(r.Properties["AlarmActions"]) != "AlarmTopic" || target(r.Properties["OKActions"]) != "AlarmTopic" {
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
