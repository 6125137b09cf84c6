// Package eventbridge puts events on a bus of Amazon EventBridge. It is an adapter of
// bulletin.Bus.
//
// boot imports it.
package eventbridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"rightsdesk/shared/bulletin"
	"rightsdesk/shared/table"
)

// Bus is one bus.
type Bus struct {
	client *eventbridge.Client
	name   string
	pause  func(ctx context.Context, try int) error
}

var _ bulletin.Bus = (*Bus)(nil)

// New returns the bus of that name.
func New(cfg aws.Config, name string) *Bus {
	return &Bus{eventbridge.NewFromConfig(cfg), name, func(ctx context.Context, try int) error { return table.Sleep(ctx, table.Pause(try)) }}
}

const (
	// together is how many events one call takes.
	together = 10
	// tries is how often what was not taken is put again, before whoever called is told.
	tries = 4
)

// Put hands over events, ten at a time. EventBridge may take some of a call and refuse
// others: those are put again, and those alone.
func (b *Bus) Put(ctx context.Context, events []bulletin.Event) error {
	for len(events) > 0 {
		n := min(len(events), together)
		if err := b.some(ctx, events[:n]); err != nil {
			return err
		}
		events = events[n:]
	}
	return nil
}

func (b *Bus) some(ctx context.Context, events []bulletin.Event) error {
	var entries []types.PutEventsRequestEntry
	for _, e := range events {
		detail, err := json.Marshal(e.Detail)
		if err != nil {
			return fmt.Errorf("write an event %s: %w", e.Type, err)
		}
		entries = append(entries, types.PutEventsRequestEntry{
			EventBusName: &b.name, Source: aws.String(bulletin.Source), DetailType: aws.String(e.Type),
			Detail: aws.String(string(detail)), Time: aws.Time(e.At),
		})
	}
	for try := 0; ; try++ {
		out, err := b.client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: entries})
		if err != nil {
			return fmt.Errorf("put events on the bus: %w", err)
		}
		left, why := refused(entries, out)
		if len(left) == 0 {
			return why
		}
		if try+1 >= tries {
			return fmt.Errorf("%d of %d events were not taken by the bus: %w", len(left), len(events), why)
		}
		if err := b.pause(ctx, try); err != nil {
			return err
		}
		entries = left
	}
}

var errAnswer = errors.New("the bus answered for another number of events than it was given")

// refused are the entries that were not taken, and why the first of them was not.
func refused(entries []types.PutEventsRequestEntry, out *eventbridge.PutEventsOutput) (left []types.PutEventsRequestEntry, why error) {
	if len(out.Entries) != len(entries) {
		return nil, errAnswer
	}
	for i, r := range out.Entries {
		if r.EventId != nil && r.ErrorCode == nil {
			continue
		}
		if left = append(left, entries[i]); why == nil {
			why = errors.New(aws.ToString(r.ErrorCode))
		}
	}
	return left, why
}
