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
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"

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
// others: those are put again, and those alone. What it refuses for good keeps nothing
// else from being put. Once it does not answer, what is left is not put at all, and only
// that has to be told again: a bus that fails now and then would never be done otherwise.
func (b *Bus) Put(ctx context.Context, events []bulletin.Event) error {
	list := make([]entry, 0, len(events))
	for i, e := range events {
		detail, err := json.Marshal(e.Detail)
		if err != nil {
			return fmt.Errorf("write an event %s: %w", e.Type, err)
		}
		list = append(list, entry{i, types.PutEventsRequestEntry{
			EventBusName: &b.name, Source: aws.String(bulletin.Source), DetailType: aws.String(e.Type),
			Detail: aws.String(string(detail)), Time: aws.Time(e.At),
		}})
	}
	var all bulletin.Refused
	for from := 0; from < len(list) && !all.Silent; from += together {
		to := min(from+together, len(list))
		left, why, err := b.some(ctx, list[from:to])
		if err != nil {
			left, why = slices.Concat(left, list[to:]), err
		}
		for _, e := range left {
			all.Which = append(all.Which, e.n)
		}
		if all.Silent = err != nil; all.Silent || all.Why == nil {
			all.Why = why
		}
	}
	if len(all.Which) > 0 {
		return &all
	}
	return nil
}

// entry is an event as it is put, and which of them it is.
type entry struct {
	n int
	types.PutEventsRequestEntry
}

// some puts events by one call, and by others what that did not take. It returns those
// that are left and why, and an error if the bus did not answer for some of them.
func (b *Bus) some(ctx context.Context, list []entry) (left []entry, why, err error) {
	for try := 0; ; try++ {
		in := &eventbridge.PutEventsInput{}
		for _, e := range list {
			in.Entries = append(in.Entries, e.PutEventsRequestEntry)
		}
		out, err := b.client.PutEvents(ctx, in)
		switch {
		case unreadable(err) && len(list) > 1:
			return b.singly(ctx, list)
		case unreadable(err):
			return list, err, nil
		case err != nil:
			return list, nil, fmt.Errorf("put events on the bus: %w", err)
		}
		left, why, err := refused(list, out)
		if err != nil || len(left) == 0 || try+1 >= tries {
			return left, why, err
		}
		if err := b.pause(ctx, try); err != nil {
			return left, nil, err
		}
		list = left
	}
}

// singly puts each event by a call of its own.
func (b *Bus) singly(ctx context.Context, list []entry) (left []entry, why, err error) {
	for i := range list {
		not, because, err := b.some(ctx, list[i:i+1])
		if err != nil {
			return slices.Concat(left, not, list[i+1:]), nil, err
		}
		if left = append(left, not...); why == nil {
			why = because
		}
	}
	return left, why, nil
}

// unreadable reports whether EventBridge refused a call for what stands in it: one event
// that is too large or malformed is enough for that.
func unreadable(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && api.ErrorCode() == "ValidationException"
}

var errAnswer = errors.New("the bus answered for another number of events than it was given")

// refused are the events that were not taken, and why the first of them was not.
func refused(list []entry, out *eventbridge.PutEventsOutput) (left []entry, why, err error) {
	if len(out.Entries) != len(list) {
		return list, nil, errAnswer
	}
	for i, r := range out.Entries {
		if r.EventId != nil && r.ErrorCode == nil {
			continue
		}
		if left = append(left, list[i]); why == nil {
			why = errors.New(aws.ToString(r.ErrorCode))
		}
	}
	return left, why, nil
}
