package stack

import (
	"fmt"
	"math"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"rightsdesk/shared/topology"
)

// failingPeriod is the time in which one failure rings a function's alarm.
const failingPeriod = 5 * time.Minute

// doneRun matches the log line of a run that succeeded. The words are boot's; a
// test compares the two.
const doneRun = `{ ($.msg = "a job ran") && ($.job = "%s") && ($.err IS NULL) }`

// addAlarms adds the alarms of a function, its schedules, its queue and its feed.
func (s *system) addAlarms(u unit) {
	s.addFailing(u)
	for _, sched := range u.Schedules {
		s.addHeartbeat(u, sched)
	}
	if u.Queue != nil {
		s.addParked(u.Queue.Alarm, s.parked[u.Queue.Name])
	}
	if u.Feed != nil {
		s.addParked(u.Feed.Alarm, s.parked[u.Name])
	}
}

// addFailing rings when the function crashes or runs out of time, which Lambda
// counts, or logs at level ERROR, which is all that Lambda does not see: an
// answer of 500 is a success to it.
func (s *system) addFailing(u unit) {
	logged := s.count(u, title(u.Name)+"Errors", `{ $.level = "ERROR" }`)
	crashed := &awscloudwatch.CfnAlarm_MetricProperty{
		Namespace: jsii.String("AWS/Lambda"), MetricName: jsii.String("Errors"),
		Dimensions: []any{dimension("FunctionName", u.lambda.FunctionName())},
	}
	s.alarm(u.Alarm, &awscloudwatch.CfnAlarmProps{
		Metrics: []any{
			awscloudwatch.CfnAlarm_MetricDataQueryProperty{
				Id: jsii.String("failures"), Expression: jsii.String("FILL(crashed, 0) + FILL(logged, 0)"), ReturnData: true,
			},
			sumOf("crashed", crashed),
			sumOf("logged", logged),
		},
		ComparisonOperator: jsii.String("GreaterThanOrEqualToThreshold"),
		Threshold:          jsii.Number(1),
		EvaluationPeriods:  jsii.Number(1),
		TreatMissingData:   jsii.String("notBreaching"),
	})
}

// addHeartbeat rings when no run of a schedule has succeeded for its window.
// Silence is the failure, so missing data counts as one.
func (s *system) addHeartbeat(u unit, sched topology.Schedule) {
	done := s.count(u, title(u.Name)+title(sched.Job)+"Runs", fmt.Sprintf(doneRun, sched.Job))
	period, periods := windowOf(sched.AlarmWindow())
	s.alarm(sched.Alarm, &awscloudwatch.CfnAlarmProps{
		Namespace: done.Namespace, MetricName: done.MetricName,
		Statistic:          jsii.String("Sum"),
		Period:             jsii.Number(period.Seconds()),
		EvaluationPeriods:  jsii.Number(periods),
		ComparisonOperator: jsii.String("LessThanThreshold"),
		Threshold:          jsii.Number(1),
		TreatMissingData:   jsii.String("breaching"),
	})
}

// addParked rings as long as messages lie in a dead-letter queue.
func (s *system) addParked(alarm string, parked awssqs.Queue) {
	s.alarm(alarm, &awscloudwatch.CfnAlarmProps{
		Namespace: jsii.String("AWS/SQS"), MetricName: jsii.String("ApproximateNumberOfMessagesVisible"),
		Dimensions:         []any{dimension("QueueName", parked.QueueName())},
		Statistic:          jsii.String("Maximum"),
		Period:             jsii.Number(failingPeriod.Seconds()),
		EvaluationPeriods:  jsii.Number(1),
		ComparisonOperator: jsii.String("GreaterThanThreshold"),
		Threshold:          jsii.Number(0),
		TreatMissingData:   jsii.String("notBreaching"),
	})
}

// alarm adds an alarm whose logical id is its name, so that the name that
// CloudFormation gives it begins with the stack's and contains the runbook's.
func (s *system) alarm(name string, props *awscloudwatch.CfnAlarmProps) {
	props.AlarmDescription = jsii.String("See docs/runbooks/" + name + ".md")
	notify := s.param.alarmTopic.list()
	props.AlarmActions, props.OkActions = notify, notify
	awscdk.Validations_Of(awscloudwatch.NewCfnAlarm(s.stack, &name, props)).Acknowledge(&awscdk.Acknowledgment{
		Id:     jsii.String("CloudFormation-Validate::F3033"),
		Reason: jsii.String("it takes the parameter's empty default for an ARN; the condition leaves the list out then"),
	})
}

// count counts the lines of a function's log that match a pattern.
func (s *system) count(u unit, name, pattern string) *awscloudwatch.CfnAlarm_MetricProperty {
	namespace := awscdk.Fn_Join(jsii.String("/"), &[]*string{jsii.String("Rightsdesk"), awscdk.Aws_STACK_NAME()})
	awslogs.NewCfnMetricFilter(s.stack, &name, &awslogs.CfnMetricFilterProps{
		LogGroupName:  u.logs.LogGroupName(),
		FilterPattern: &pattern,
		MetricTransformations: []any{awslogs.CfnMetricFilter_MetricTransformationProperty{
			MetricNamespace: namespace, MetricName: &name,
			MetricValue: jsii.String("1"), DefaultValue: jsii.Number(0),
		}},
	})
	return &awscloudwatch.CfnAlarm_MetricProperty{Namespace: namespace, MetricName: &name}
}

func sumOf(id string, metric *awscloudwatch.CfnAlarm_MetricProperty) awscloudwatch.CfnAlarm_MetricDataQueryProperty {
	return awscloudwatch.CfnAlarm_MetricDataQueryProperty{
		Id: &id, ReturnData: false,
		MetricStat: awscloudwatch.CfnAlarm_MetricStatProperty{
			Metric: metric, Stat: jsii.String("Sum"), Period: jsii.Number(failingPeriod.Seconds()),
		},
	}
}

func dimension(name string, value *string) awscloudwatch.CfnAlarm_DimensionProperty {
	return awscloudwatch.CfnAlarm_DimensionProperty{Name: &name, Value: value}
}

// windowOf cuts a window into periods as CloudWatch takes them: minutes if they
// make up a day at most, else hours, up to a week.
func windowOf(d time.Duration) (period time.Duration, periods int) {
	period = time.Minute
	if d > 24*time.Hour {
		period = time.Hour
	}
	if d > 7*24*time.Hour {
		panic(fmt.Sprintf("stack: CloudWatch looks back a week, not %v", d))
	}
	return period, int(math.Ceil(float64(d) / float64(period)))
}
