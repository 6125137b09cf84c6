package stack

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"rightsdesk/shared/topology"
)

// failingPeriod is the time in which one failure rings a function's alarm.
const failingPeriod = 5 * time.Minute

// Bounds beyond which the alarms of the installation ring.
const (
	apiFailingPercent = 5               // of calls
	apiSlow           = 3 * time.Second // for one call in a hundred
	streamBehindAfter = 15 * time.Minute
	tableThrottles    = 10 // in failingPeriod; fewer are the service splitting a partition, and tried again
	// The service stops an account near 5 % and 0.1 %.
	bounceShare    = 0.02
	complaintShare = 0.0005
)

// Every metric here but two is among those that services count for nothing, because
// each that we counted ourselves would cost more than its alarm. The two only the log
// knows of: lines at level ERROR, shared by all functions, and requests that are overdue.

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
	s.countErrors(u)
}

// addFailing rings when the function crashes or runs out of time. A run that fails is
// its schedule's business, so what schedules invoke is left out, unless nothing else
// invokes the function.
func (s *system) addFailing(u unit) {
	of := []any{dimension("FunctionName", u.lambda.FunctionName())}
	if len(u.Routes) > 0 || u.Queue != nil || u.Feed != nil || u.Stream || u.Entries {
		of = ofAlias(u, u.live)
	}
	s.alarm(u.Alarm, &awscloudwatch.CfnAlarmProps{
		Namespace: jsii.String("AWS/Lambda"), MetricName: jsii.String("Errors"), Dimensions: of,
		Statistic:          jsii.String("Sum"),
		Period:             jsii.Number(failingPeriod.Seconds()),
		EvaluationPeriods:  jsii.Number(1),
		ComparisonOperator: jsii.String("GreaterThanOrEqualToThreshold"),
		Threshold:          jsii.Number(1),
		TreatMissingData:   jsii.String("notBreaching"),
	})
}

// addHeartbeat rings when no run of a schedule has succeeded for its window. Lambda
// says 0 for a run that succeeds and 1 for one that fails, so the least of a minute
// tells whether any succeeded. Silence is the failure, so missing data counts as one.
func (s *system) addHeartbeat(u unit, sched topology.Schedule) {
	period, periods := windowOf(sched.AlarmWindow())
	s.alarm(sched.Alarm, &awscloudwatch.CfnAlarmProps{
		Namespace: jsii.String("AWS/Lambda"), MetricName: jsii.String("Errors"), Dimensions: ofAlias(u, u.runs[sched.Job]),
		Statistic:          jsii.String("Minimum"),
		Period:             jsii.Number(period.Seconds()),
		EvaluationPeriods:  jsii.Number(periods),
		ComparisonOperator: jsii.String("GreaterThanOrEqualToThreshold"),
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

// addInstallationAlarms adds the alarms that belong to no single function.
func (s *system) addInstallationAlarms() {
	s.addParked(topology.DeliveriesLost, s.lost)
	s.addLogged(topology.ErrorsLogged)
	s.addOverdue()
	s.addAPIAlarms()
	for _, u := range s.units {
		if u.Stream {
			s.addStreamBehind(u)
		}
	}
	// Of the whole account, because its functions share what they may use at once.
	s.alarm(topology.FunctionsThrottled, lasts(&awscloudwatch.CfnAlarmProps{
		Namespace: jsii.String("AWS/Lambda"), MetricName: jsii.String("Throttles"), Statistic: jsii.String("Sum"),
		ComparisonOperator: jsii.String("GreaterThanThreshold"), Threshold: jsii.Number(0),
	}))
	s.addTablesThrottled()
	s.addMailAlarms()
}

// addLogged rings when lines of logs were counted under the alarm's name.
func (s *system) addLogged(alarm string) {
	s.alarm(alarm, &awscloudwatch.CfnAlarmProps{
		Namespace: s.namespace(), MetricName: &alarm,
		Statistic:          jsii.String("Sum"),
		Period:             jsii.Number(failingPeriod.Seconds()),
		EvaluationPeriods:  jsii.Number(1),
		ComparisonOperator: jsii.String("GreaterThanOrEqualToThreshold"),
		Threshold:          jsii.Number(1),
		TreatMissingData:   jsii.String("notBreaching"),
	})
}

// countErrors counts the lines at level ERROR in a function's log: an answer of 500 is a
// success to Lambda.
func (s *system) countErrors(u unit) {
	s.count(u, "Errors", `{ $.level = "ERROR" }`, topology.ErrorsLogged)
}

// addOverdue rings when the clock finds that a request's time is over, and again every
// week while it is: operators and the policy's contact are written to, but not where
// MailMode is off.
func (s *system) addOverdue() {
	for _, u := range s.units {
		if u.Name == topology.Deadlines.Name {
			s.count(u, "Overdue", `{ $.overdue IS TRUE }`, topology.RequestsOverdue)
		}
	}
	s.addLogged(topology.RequestsOverdue)
}

// count counts the lines of a function's log that fit a pattern. It says nothing while
// there are none: a metric costs for the hours in which it says something.
func (s *system) count(u unit, id, pattern, metric string) {
	awslogs.NewCfnMetricFilter(s.stack, jsii.String(title(u.Name)+id), &awslogs.CfnMetricFilterProps{
		LogGroupName:  u.logs.LogGroupName(),
		FilterPattern: &pattern,
		MetricTransformations: []any{awslogs.CfnMetricFilter_MetricTransformationProperty{
			MetricNamespace: s.namespace(), MetricName: &metric, MetricValue: jsii.String("1"),
		}},
	})
}

// namespace is where this installation's own metric is.
func (s *system) namespace() *string {
	return awscdk.Fn_Join(jsii.String("/"), &[]*string{jsii.String("Rightsdesk"), awscdk.Aws_STACK_NAME()})
}

// addAPIAlarms rings when people are turned away by our own fault, or wait.
func (s *system) addAPIAlarms() {
	ours := []any{dimension("ApiId", s.api.Ref())}
	counted := func(id, name string) awscloudwatch.CfnAlarm_MetricDataQueryProperty {
		return sumOf(id, &awscloudwatch.CfnAlarm_MetricProperty{
			Namespace: jsii.String("AWS/ApiGateway"), MetricName: &name, Dimensions: ours,
		})
	}
	share := lasts(&awscloudwatch.CfnAlarmProps{
		Metrics: []any{
			awscloudwatch.CfnAlarm_MetricDataQueryProperty{
				Id: jsii.String("share"), Expression: jsii.String("100 * FILL(broken, 0) / called"), ReturnData: true,
			},
			counted("broken", "5xx"),
			counted("called", "Count"),
		},
		ComparisonOperator: jsii.String("GreaterThanThreshold"), Threshold: jsii.Number(apiFailingPercent),
	})
	share.Period = nil // each metric has it
	s.alarm(topology.APIFailing, share)
	slow := lasts(&awscloudwatch.CfnAlarmProps{
		Namespace: jsii.String("AWS/ApiGateway"), MetricName: jsii.String("Latency"), Dimensions: ours,
		ExtendedStatistic:  jsii.String("p99"),
		ComparisonOperator: jsii.String("GreaterThanThreshold"), Threshold: jsii.Number(apiSlow.Milliseconds()),
	})
	slow.DatapointsToAlarm = slow.EvaluationPeriods // one slow start in a quiet quarter of an hour is none
	s.alarm(topology.APISlow, slow)
}

// addStreamBehind rings when what a stream tells waits to be read: entries of the
// audit are not sealed meanwhile, and nobody hears of them.
func (s *system) addStreamBehind(u unit) {
	s.alarm(topology.StreamBehind, lasts(&awscloudwatch.CfnAlarmProps{
		Namespace: jsii.String("AWS/Lambda"), MetricName: jsii.String("IteratorAge"),
		Dimensions:         []any{dimension("FunctionName", u.lambda.FunctionName())},
		Statistic:          jsii.String("Maximum"),
		ComparisonOperator: jsii.String("GreaterThanThreshold"), Threshold: jsii.Number(streamBehindAfter.Milliseconds()),
	}))
}

// addTablesThrottled rings when a table refuses work: its fuse holds, or the service.
// Reads of the audit are not among them, because none is without a write.
func (s *system) addTablesThrottled() {
	queries, ids := []any{}, []string{}
	for _, of := range []struct {
		id, metric string
		table      awsdynamodb.Table
	}{
		{"state_reads", "ReadThrottleEvents", s.state},
		{"state_writes", "WriteThrottleEvents", s.state},
		{"audit_writes", "WriteThrottleEvents", s.audit},
		{"keys_reads", "ReadThrottleEvents", s.keys},
		{"keys_writes", "WriteThrottleEvents", s.keys},
	} {
		ids = append(ids, "FILL("+of.id+", 0)")
		queries = append(queries, sumOf(of.id, &awscloudwatch.CfnAlarm_MetricProperty{
			Namespace: jsii.String("AWS/DynamoDB"), MetricName: jsii.String(of.metric),
			Dimensions: []any{dimension("TableName", of.table.TableName())},
		}))
	}
	all := awscloudwatch.CfnAlarm_MetricDataQueryProperty{
		Id: jsii.String("throttles"), Expression: jsii.String(strings.Join(ids, " + ")), ReturnData: true,
	}
	props := lasts(&awscloudwatch.CfnAlarmProps{
		Metrics:            append([]any{all}, queries...),
		ComparisonOperator: jsii.String("GreaterThanOrEqualToThreshold"), Threshold: jsii.Number(tableThrottles),
	})
	props.Period = nil
	s.alarm(topology.TablesThrottled, props)
}

// addMailAlarms rings before the mail service stops the account. It judges the whole
// account, whoever in it sends, and so do these.
func (s *system) addMailAlarms() {
	for _, of := range []struct {
		alarm, metric string
		share         float64
	}{
		{topology.MailBounces, "Reputation.BounceRate", bounceShare},
		{topology.MailComplaints, "Reputation.ComplaintRate", complaintShare},
	} {
		s.addAlarm(of.alarm, &awscloudwatch.CfnAlarmProps{
			Namespace: jsii.String("AWS/SES"), MetricName: jsii.String(of.metric),
			Statistic:          jsii.String("Maximum"),
			Period:             jsii.Number(time.Hour.Seconds()),
			EvaluationPeriods:  jsii.Number(1),
			ComparisonOperator: jsii.String("GreaterThanOrEqualToThreshold"),
			Threshold:          jsii.Number(of.share),
			TreatMissingData:   jsii.String("ignore"), // it says nothing while nobody sends
		}).CfnOptions().SetCondition(s.param.mails)
	}
}

// lasts makes an alarm ring for what lasts: two of three periods.
func lasts(props *awscloudwatch.CfnAlarmProps) *awscloudwatch.CfnAlarmProps {
	props.Period = jsii.Number(failingPeriod.Seconds())
	props.EvaluationPeriods = jsii.Number(3)
	props.DatapointsToAlarm = jsii.Number(2)
	props.TreatMissingData = jsii.String("notBreaching")
	return props
}

// alarm adds an alarm that every installation has, and shows it on the dashboard.
func (s *system) alarm(name string, props *awscloudwatch.CfnAlarmProps) {
	s.rings = append(s.rings, s.addAlarm(name, props).AttrArn())
}

// addAlarm adds an alarm whose logical id is its name, so that the name that
// CloudFormation gives it begins with the stack's and contains the runbook's.
func (s *system) addAlarm(name string, props *awscloudwatch.CfnAlarmProps) awscloudwatch.CfnAlarm {
	props.AlarmDescription = jsii.String("See docs/runbooks/" + name + ".md")
	notify := []any{s.notified}
	props.AlarmActions, props.OkActions = &notify, &notify
	return awscloudwatch.NewCfnAlarm(s.stack, &name, props)
}

// addAlarmTopic makes a topic that tells the admin contact, unless the operator named
// one. It is not encrypted with a key: CloudWatch may not use the key that the
// account has for topics, one of our own would cost as much as ten alarms, and what
// an alarm says is nothing personal.
func (s *system) addAlarmTopic() {
	own := s.condition("MakesAlarmTopic", not(s.param.alarmTopic.given))
	topic := awssns.NewCfnTopic(s.stack, jsii.String("AlarmTopic"), &awssns.CfnTopicProps{
		DisplayName: jsii.String("Alarms of Rightsdesk"),
	})
	topic.CfnOptions().SetCondition(own)
	awssns.NewCfnSubscription(s.stack, jsii.String("AlarmMail"), &awssns.CfnSubscriptionProps{
		TopicArn: topic.Ref(), Protocol: jsii.String("email"), Endpoint: s.param.adminContact,
	}).CfnOptions().SetCondition(own)
	awssns.NewCfnTopicPolicy(s.stack, jsii.String("AlarmTopicPolicy"), &awssns.CfnTopicPolicyProps{
		Topics: &[]*string{topic.Ref()},
		PolicyDocument: awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &[]awsiam.PolicyStatement{
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				Sid:        jsii.String("AlarmsOfThisAccount"),
				Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), nil)},
				Actions:    jsii.Strings("sns:Publish"),
				Resources:  in(topic.Ref()),
				Conditions: &map[string]any{"StringEquals": map[string]*string{"aws:SourceAccount": s.stack.Account()}},
			}),
			awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
				Sid:        jsii.String("NothingInClear"),
				Effect:     awsiam.Effect_DENY,
				Principals: &[]awsiam.IPrincipal{awsiam.NewStarPrincipal()},
				Actions:    jsii.Strings("sns:Publish"),
				Resources:  in(topic.Ref()),
				Conditions: &map[string]any{"Bool": map[string]string{"aws:SecureTransport": "false"}},
			}),
		}}),
	}).CfnOptions().SetCondition(own)
	s.notified = s.param.alarmTopic.or(topic.Ref())
	s.output("AlarmsGoTo", s.notified, "The topic that alarms notify")
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

// ofAlias are the dimensions under which Lambda counts what an alias ran.
func ofAlias(u unit, alias awslambda.Alias) []any {
	return []any{
		dimension("FunctionName", u.lambda.FunctionName()),
		dimension("Resource", resourceOf(u, alias)),
	}
}

func resourceOf(u unit, alias awslambda.Alias) *string {
	return awscdk.Fn_Join(jsii.String(":"), &[]*string{u.lambda.FunctionName(), alias.AliasName()})
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
