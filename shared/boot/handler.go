package boot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"rightsdesk/shared/job"
	"rightsdesk/shared/request"
	"rightsdesk/shared/seal/kms"
	"rightsdesk/shared/table"

	"github.com/aws/aws-lambda-go/events"
)

// handler answers every event that the topology lets reach a function: a call
// over HTTP, a run of a schedule, messages of its queue, events of another service,
// changes of the State table.
type handler struct {
	a    *Assembly
	http func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) // nil: it has no routes
	jobs job.Set
}

// kind is what tells the events apart.
type kind struct {
	Version  string `json:"version"`
	RouteKey string `json:"routeKey"`
	Job      string `json:"job"`
	Check    string `json:"check"`
	Records  []struct {
		EventSource string `json:"eventSource"`
	} `json:"Records"`
}

var errEvent = errors.New("boot: the event is of no kind that this function gets")

// Invoke answers one event.
func (h *handler) Invoke(ctx context.Context, raw json.RawMessage) (any, error) {
	var k kind
	if err := json.Unmarshal(raw, &k); err != nil {
		return nil, errEvent
	}
	if k.Check == "health" {
		return h.health(ctx), nil
	}
	if k.Job != "" && h.jobs[k.Job] == nil {
		return nil, fmt.Errorf("boot: %s has no job %q", h.a.Function.Name, k.Job)
	}
	if err := h.a.openRing(ctx); errors.Is(err, kms.ErrNone) && k.Job != "" {
		h.ran(ctx, k.Job, job.Report{}, nil) // nobody ever asked for anything
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	switch {
	case k.RouteKey != "" && k.Version == "2.0" && h.http != nil:
		var e events.APIGatewayV2HTTPRequest
		if err := json.Unmarshal(raw, &e); err != nil {
			return nil, errEvent
		}
		return h.http(ctx, e)
	case k.Job != "":
		return h.run(ctx, k.Job)
	case len(k.Records) > 0 && k.Records[0].EventSource == "aws:sqs":
		return h.messages(ctx, raw)
	case len(k.Records) > 0 && k.Records[0].EventSource == "aws:dynamodb" && h.ofAudit(raw):
		return h.entries(ctx, raw)
	case len(k.Records) > 0 && k.Records[0].EventSource == "aws:dynamodb":
		return h.changes(ctx, raw)
	}
	return nil, errEvent
}

// ending returns a context that ends while there is still time to finish the
// page of work under way.
func ending(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end.Add(-request.PageTime))
}

// run does a scheduled job.
func (h *handler) run(ctx context.Context, name string) (any, error) {
	until := ctx
	if !h.a.Function.Editions { // whose job is a few commits, and no pages
		var cancel context.CancelFunc
		until, cancel = ending(ctx)
		defer cancel()
	}
	rep, err := h.jobs[name](until)
	if until.Err() != nil && errors.Is(err, until.Err()) && rep.Seen > rep.Failed {
		err = nil // there is more work than time, which is no failure: the next run goes on
	}
	h.ran(ctx, name, rep, err)
	return nil, err
}

// ran writes down what a run did. The alarm of its schedule listens to whether the
// invocation failed, which is what Lambda counts for nothing.
func (h *handler) ran(ctx context.Context, name string, rep job.Report, err error) {
	h.a.Log.InfoContext(ctx, "a job ran", "job", name, "seen", rep.Seen, "failed", rep.Failed, "err", err)
}

// messages works off the queue, or takes down what was heard. A message that failed
// goes back to where it came from.
func (h *handler) messages(ctx context.Context, raw json.RawMessage) (any, error) {
	var e events.SQSEvent
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, errEvent
	}
	if h.a.Hear == nil { // what is heard is one commit, which needs no time set aside
		var cancel context.CancelFunc
		ctx, cancel = ending(ctx)
		defer cancel()
	}
	var failed events.SQSEventResponse
	if h.a.Shut != nil && h.a.Hear == nil {
		return failed, nil // a hint: what it is about stays due
	}
	for _, m := range e.Records {
		about := m.MessageId // an event holds addresses
		var err error
		switch {
		case h.a.Shut != nil:
			err = h.a.Shut // what was heard waits in its queue until somebody can take it down
		case h.a.Hear != nil:
			err = h.a.Hear(ctx, []byte(m.Body))
		default:
			about, err = m.Body, h.a.Work(ctx, m.Body)
		}
		if err != nil {
			h.a.Log.WarnContext(ctx, "work failed; its message comes again", "about", about, "err", err)
			failed.BatchItemFailures = append(failed.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		}
	}
	return failed, nil
}

// changes delivers what the changed requests and choices announce. A stream keeps its order
// by holding everything back behind a failure, so none is reported: what failed,
// or was not reached in time, stays due, and the sweep tries again.
func (h *handler) changes(ctx context.Context, raw json.RawMessage) (any, error) {
	var e events.DynamoDBEvent
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, errEvent
	}
	if h.a.Shut != nil {
		e.Records = nil // they stay due
	}
	until, cancel := ending(ctx)
	defer cancel()
	seen := map[table.Key]bool{}
	for _, rec := range e.Records {
		if until.Err() != nil {
			break // a mail under way when Lambda ends us would be sent twice
		}
		k := rec.Change.Keys
		key := table.Key{Partition: text(k["p"]), Sort: text(k["s"])}
		if seen[key] || !h.a.Announces(key) {
			continue
		}
		seen[key] = true
		if err := h.a.Announce(ctx, key); err != nil {
			h.a.Log.WarnContext(ctx, "an announcement failed; the sweep tries again", "about", key.Partition, "err", err)
		}
		if id, ok := request.IDOf(key); ok && h.a.Wakes() {
			h.a.Requests.Nudge(ctx, id)
		}
	}
	return events.DynamoDBEventResponse{BatchItemFailures: []events.DynamoDBBatchItemFailure{}}, nil
}

func text(v events.DynamoDBAttributeValue) string {
	if v.DataType() != events.DataTypeString {
		return ""
	}
	return v.String()
}
