package stack

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/jsii-runtime-go"

	"rightsdesk/shared/topology"
)

// scheduleTries is how often the service tries to hand a run over. A run that
// is lost all the same is made good by the next.
const scheduleTries = 2

// addScheduler adds the role that starts what a schedule starts.
func (s *system) addScheduler() {
	s.scheduler = awsiam.NewRole(s.stack, jsii.String("SchedulerRole"), &awsiam.RoleProps{
		Description: jsii.String("Starts the scheduled functions"),
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("scheduler.amazonaws.com"), &awsiam.ServicePrincipalOpts{
			Conditions: &map[string]any{"StringEquals": map[string]*string{"aws:SourceAccount": s.stack.Account()}},
		}),
	})
	s.scheduler.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings("sqs:SendMessage"),
		Resources: in(s.lost.QueueArn()),
	}))
}

// addSchedules adds the schedules of a function.
func (s *system) addSchedules(u unit) {
	if len(u.Schedules) == 0 {
		return
	}
	arns := []*string{}
	for _, sched := range u.Schedules {
		arns = append(arns, u.runs[sched.Job].FunctionArn())
	}
	allowed := s.scheduler.AddToPrincipalPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings("lambda:InvokeFunction"),
		Resources: &arns,
	}))
	for _, sched := range u.Schedules {
		made := awsscheduler.NewCfnSchedule(s.stack, jsii.String(title(u.Name)+title(sched.Job)+"Schedule"), &awsscheduler.CfnScheduleProps{
			Description:        jsii.String(u.Name + ": " + sched.Job),
			ScheduleExpression: jsii.String(rate(sched.Every)),
			FlexibleTimeWindow: awsscheduler.CfnSchedule_FlexibleTimeWindowProperty{Mode: jsii.String("OFF")},
			Target: awsscheduler.CfnSchedule_TargetProperty{
				Arn:     u.runs[sched.Job].FunctionArn(),
				RoleArn: s.scheduler.RoleArn(),
				Input:   jsii.String(runOf(sched)),
				RetryPolicy: awsscheduler.CfnSchedule_RetryPolicyProperty{
					MaximumRetryAttempts: jsii.Number(scheduleTries),
					// Beyond its interval a run is better replaced by the next one.
					MaximumEventAgeInSeconds: jsii.Number(min(sched.Every, 24*time.Hour).Seconds()),
				},
				DeadLetterConfig: awsscheduler.CfnSchedule_DeadLetterConfigProperty{Arn: s.lost.QueueArn()},
			},
		})
		// It starts at once, and what it may not start yet would be lost and ring.
		made.Node().AddDependency(allowed.PolicyDependable)
	}
}

// runOf is the event that starts a run of a schedule.
func runOf(s topology.Schedule) string {
	event, err := json.Marshal(map[string]string{"job": s.Job})
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(event)
}

// rate spells an interval as the Scheduler reads it, which has no seconds.
func rate(d time.Duration) string {
	minutes := int(d / time.Minute)
	switch {
	case d < time.Minute || d%time.Minute != 0:
		panic(fmt.Sprintf("stack: a schedule cannot run every %v, only every so many minutes", d))
	case minutes == 1:
		return "rate(1 minute)"
	}
	return fmt.Sprintf("rate(%d minutes)", minutes)
}
