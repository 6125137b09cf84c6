package stack

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"rightsdesk/shared/topology"
)

const (
	// parkedFor is the longest that SQS keeps a message. A parked message is
	// evidence; the work itself stays due in the State table.
	parkedFor = 14 * 24 * time.Hour
	// waitsFor is shorter, because the time that a message waited counts on when it is parked.
	waitsFor = 4 * 24 * time.Hour

	streamBatch = 100
	streamTries = 5
	// streamAge is when a change of the State table is given up. The relay's schedule
	// has long done the work by then.
	streamAge = time.Hour
	// entriesAge is when an entry of the audit is given up, which no schedule finds
	// again: just before the stream itself forgets it, so that it is parked all the same.
	entriesAge = 23 * time.Hour
	// asOftenAsItTakes is how Lambda spells that only the age ends the tries.
	asOftenAsItTakes = -1

	// How long the bus tries to hand an event over: as long as it can at most.
	handTries = 185
	handAge   = 24 * time.Hour
)

// addQueues adds each queue and each feed with its dead-letter queue, and one for what
// schedules and the streams could not deliver.
func (s *system) addQueues() {
	s.lost = s.queue("Lost", &awssqs.QueueProps{RetentionPeriod: lasting(parkedFor)})
	s.queues, s.feeds, s.parked = map[string]awssqs.Queue{}, map[string]awssqs.Queue{}, map[string]awssqs.Queue{}
	for _, f := range topology.All {
		if q := f.Queue; q != nil {
			s.queues[q.Name], s.parked[q.Name] = s.fed(title(q.Name), "Queue", f, q.Tries)
		}
		if e := f.Feed; e != nil {
			s.feeds[f.Name], s.parked[f.Name] = s.fed(title(f.Name), "Feed", f, e.Tries)
			s.addRule(f)
		}
	}
}

// fed adds a queue that feeds a function, and its dead-letter queue.
func (s *system) fed(name, kind string, f topology.Function, tries int) (queue, parked awssqs.Queue) {
	parked = s.queue(name+"DeadLetters", &awssqs.QueueProps{RetentionPeriod: lasting(parkedFor)})
	return s.queue(name+kind, &awssqs.QueueProps{
		// Six times the function's time is AWS's advice: a message is not handed
		// out again while Lambda still tries to place it.
		VisibilityTimeout: lasting(6 * f.Timeout),
		RetentionPeriod:   lasting(waitsFor),
		DeadLetterQueue:   &awssqs.DeadLetterQueue{Queue: parked, MaxReceiveCount: jsii.Number(tries)},
	}), parked
}

// addRule leads the events that a function hears from the account's bus to its
// feed. What the bus cannot hand over is parked too, so that nothing is lost unseen.
func (s *system) addRule(f topology.Function) {
	queue, parked := s.feeds[f.Name], s.parked[f.Name]
	rule := awsevents.NewCfnRule(s.stack, jsii.String(title(f.Name)+"Rule"), &awsevents.CfnRuleProps{
		Description:  jsii.String("What " + f.Name + " hears from " + f.Feed.Source),
		EventPattern: map[string]any{"source": []string{f.Feed.Source}, "detail-type": f.Feed.Types},
		Targets: []any{awsevents.CfnRule_TargetProperty{
			Id:  jsii.String(f.Name),
			Arn: queue.QueueArn(),
			RetryPolicy: awsevents.CfnRule_RetryPolicyProperty{
				MaximumRetryAttempts:     jsii.Number(handTries),
				MaximumEventAgeInSeconds: jsii.Number(handAge.Seconds()),
			},
			DeadLetterConfig: awsevents.CfnRule_DeadLetterConfigProperty{Arn: parked.QueueArn()},
		}},
	})
	for _, q := range []awssqs.Queue{queue, parked} {
		q.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
			Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil)},
			Actions:    jsii.Strings("sqs:SendMessage"),
			Resources:  in(q.QueueArn()),
			Conditions: &map[string]any{"ArnEquals": map[string]*string{"aws:SourceArn": rule.AttrArn()}},
		}))
	}
}

func (s *system) queue(id string, props *awssqs.QueueProps) awssqs.Queue {
	props.Encryption = awssqs.QueueEncryption_SQS_MANAGED
	props.EnforceSSL = jsii.Bool(true)
	return awssqs.NewQueue(s.stack, &id, props)
}

// addFeeds connects a function with the queue, the events and the stream that it reads.
func (s *system) addFeeds(u unit) {
	reads := func(id string, queue awssqs.Queue, batch int) {
		awslambda.NewCfnEventSourceMapping(s.stack, jsii.String(title(u.Name)+id), &awslambda.CfnEventSourceMappingProps{
			FunctionName:          u.live.FunctionArn(),
			EventSourceArn:        queue.QueueArn(),
			BatchSize:             jsii.Number(batch),
			FunctionResponseTypes: jsii.Strings("ReportBatchItemFailures"),
		})
	}
	if q := u.Queue; q != nil {
		reads("Queue", s.queues[q.Name], q.Batch)
	}
	if e := u.Feed; e != nil {
		reads("Events", s.feeds[u.Name], e.Batch)
	}
	if u.Stream { // what is gone announces nothing
		s.addStream(u, "Stream", s.state.TableStreamArn(), `{"eventName":["INSERT","MODIFY"]}`, streamTries, streamAge)
	}
	if u.Entries { // an entry is never changed, and one that expired was seen long ago
		s.addStream(u, "Entries", s.audit.TableStreamArn(), `{"eventName":["INSERT"]}`, asOftenAsItTakes, entriesAge)
	}
}

// addStream lets a function see those changes of a table that fit a pattern, and parks
// what it cannot take after so many tries or so long.
func (s *system) addStream(u unit, id string, stream *string, pattern string, tries int, age time.Duration) {
	awslambda.NewCfnEventSourceMapping(s.stack, jsii.String(title(u.Name)+id), &awslambda.CfnEventSourceMappingProps{
		FunctionName:               u.live.FunctionArn(),
		EventSourceArn:             stream,
		StartingPosition:           jsii.String("TRIM_HORIZON"),
		BatchSize:                  jsii.Number(streamBatch),
		FunctionResponseTypes:      jsii.Strings("ReportBatchItemFailures"),
		BisectBatchOnFunctionError: true,
		MaximumRetryAttempts:       jsii.Number(tries),
		MaximumRecordAgeInSeconds:  jsii.Number(age.Seconds()),
		DestinationConfig: awslambda.CfnEventSourceMapping_DestinationConfigProperty{
			OnFailure: awslambda.CfnEventSourceMapping_OnFailureProperty{Destination: s.lost.QueueArn()},
		},
		FilterCriteria: awslambda.CfnEventSourceMapping_FilterCriteriaProperty{
			Filters: []any{awslambda.CfnEventSourceMapping_FilterProperty{Pattern: &pattern}},
		},
	})
}

func lasting(d time.Duration) awscdk.Duration {
	return awscdk.Duration_Seconds(jsii.Number(d.Seconds()))
}
