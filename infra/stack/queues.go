package stack

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"rightsdesk/shared/topology"
)

const (
	// parkedFor is the longest that SQS keeps a message. A parked message is
	// evidence; the work itself stays due in the State table.
	parkedFor = 14 * 24 * time.Hour

	streamBatch = 100
	streamTries = 5
	// streamAge is when a record of the stream is given up. The relay's schedule
	// has long done the work by then.
	streamAge = time.Hour
)

// addQueues adds each queue with its dead-letter queue, and one for what
// schedules and the stream could not deliver. Nothing alarms on that one: what
// it holds is found by the next sweep, and a sweep that does not run alarms.
func (s *system) addQueues() {
	s.lost = s.queue("Lost", &awssqs.QueueProps{RetentionPeriod: lasting(parkedFor)})
	s.queues, s.parked = map[string]awssqs.Queue{}, map[string]awssqs.Queue{}
	for _, f := range topology.All {
		q := f.Queue
		if q == nil {
			continue
		}
		parked := s.queue(title(q.Name)+"DeadLetters", &awssqs.QueueProps{RetentionPeriod: lasting(parkedFor)})
		s.parked[q.Name] = parked
		s.queues[q.Name] = s.queue(title(q.Name)+"Queue", &awssqs.QueueProps{
			// Six times the function's time is AWS's advice: a message is not handed
			// out again while Lambda still tries to place it.
			VisibilityTimeout: lasting(6 * f.Timeout),
			DeadLetterQueue:   &awssqs.DeadLetterQueue{Queue: parked, MaxReceiveCount: jsii.Number(q.Tries)},
		})
	}
}

func (s *system) queue(id string, props *awssqs.QueueProps) awssqs.Queue {
	props.Encryption = awssqs.QueueEncryption_SQS_MANAGED
	props.EnforceSSL = jsii.Bool(true)
	return awssqs.NewQueue(s.stack, &id, props)
}

// addFeeds connects a function with the queue and the stream that it reads.
func (s *system) addFeeds(u unit) {
	if q := u.Queue; q != nil {
		awslambda.NewCfnEventSourceMapping(s.stack, jsii.String(title(u.Name)+"Queue"), &awslambda.CfnEventSourceMappingProps{
			FunctionName:          u.lambda.FunctionArn(),
			EventSourceArn:        s.queues[q.Name].QueueArn(),
			BatchSize:             jsii.Number(q.Batch),
			FunctionResponseTypes: jsii.Strings("ReportBatchItemFailures"),
		})
	}
	if u.Stream {
		awslambda.NewCfnEventSourceMapping(s.stack, jsii.String(title(u.Name)+"Stream"), &awslambda.CfnEventSourceMappingProps{
			FunctionName:               u.lambda.FunctionArn(),
			EventSourceArn:             s.state.TableStreamArn(),
			StartingPosition:           jsii.String("TRIM_HORIZON"),
			BatchSize:                  jsii.Number(streamBatch),
			FunctionResponseTypes:      jsii.Strings("ReportBatchItemFailures"),
			BisectBatchOnFunctionError: true,
			MaximumRetryAttempts:       jsii.Number(streamTries),
			MaximumRecordAgeInSeconds:  jsii.Number(streamAge.Seconds()),
			DestinationConfig: awslambda.CfnEventSourceMapping_DestinationConfigProperty{
				OnFailure: awslambda.CfnEventSourceMapping_OnFailureProperty{Destination: s.lost.QueueArn()},
			},
			FilterCriteria: awslambda.CfnEventSourceMapping_FilterCriteriaProperty{
				Filters: []any{awslambda.CfnEventSourceMapping_FilterProperty{
					Pattern: jsii.String(`{"eventName":["INSERT","MODIFY"]}`), // what is gone announces nothing
				}},
			},
		})
	}
}

func lasting(d time.Duration) awscdk.Duration {
	return awscdk.Duration_Seconds(jsii.Number(d.Seconds()))
}
