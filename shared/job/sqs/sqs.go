// Package sqs puts work into queues of SQS. A message makes work faster, it does
// not carry it: what is due stays due in the State table, so a lost message loses
// nothing and one that comes twice does nothing.
//
// boot and tests import it.
package sqs

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// Sender puts messages into queues. It is safe for concurrent use.
type Sender struct {
	client *sqs.Client
	urls   map[string]string
}

// New returns a sender to the queues with the given URLs, by their names in the
// topology.
func New(cfg aws.Config, urls map[string]string) *Sender {
	return &Sender{sqs.NewFromConfig(cfg), urls}
}

// Send puts one message into a queue. The SDK repeats it when the answer is lost,
// so it may arrive twice.
func (s *Sender) Send(ctx context.Context, queue string, body []byte) error {
	url, ok := s.urls[queue]
	if !ok {
		return fmt.Errorf("send: this function has no queue %q; topology declares it in Sends", queue)
	}
	if _, err := s.client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String(string(body))}); err != nil {
		return fmt.Errorf("send to %s: %w", queue, err)
	}
	return nil
}
