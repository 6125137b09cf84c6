package boot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/table/dynamo"
	"rightsdesk/shared/topology"

	"github.com/aws/aws-lambda-go/events"
)

// stored are records of the Audit table's stream. It takes as much of one as it needs:
// so records that somebody reads from the stream by hand, whose times are spelled
// otherwise, can be handed to the function again.
type stored struct {
	Records []struct {
		Name   string `json:"eventName"`
		Source string `json:"eventSourceARN"`
		Change struct {
			Keys           map[string]events.DynamoDBAttributeValue
			NewImage       map[string]events.DynamoDBAttributeValue
			SequenceNumber string
		} `json:"dynamodb"`
	}
}

// ofAudit reports whether an event comes from the Audit table. Records that were read
// by hand do not say where from; only those of the Audit table have images.
func (h *handler) ofAudit(raw json.RawMessage) bool {
	var e stored
	if !h.a.Function.Entries || json.Unmarshal(raw, &e) != nil || len(e.Records) == 0 {
		return false
	}
	first := e.Records[0]
	if first.Source == "" {
		return first.Change.NewImage != nil
	}
	return strings.Contains(first.Source, ":table/"+h.a.Setting(topology.AuditTable)+"/")
}

var errEntry = errors.New("boot: the record of the stream holds no entry of the audit")

// entries tells of new entries of the audit. What fails is reported, so that the stream
// brings it again, for as long as it keeps it: nobody else looks for entries. One that
// cannot be read can never be told, and would keep all others waiting if it were
// reported; it is logged as an error, and whoever verifies the audit finds it.
func (h *handler) entries(ctx context.Context, raw json.RawMessage) (any, error) {
	var e stored
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, errEvent
	}
	answer := events.DynamoDBEventResponse{BatchItemFailures: []events.DynamoDBBatchItemFailure{}}
	var all []audit.Entry
	var from string // where the stream would begin again
	for _, rec := range e.Records {
		if rec.Name != string(events.DynamoDBOperationTypeInsert) {
			continue // an entry is never changed, and one that expired was told of long ago
		}
		entry, err := entryOf(rec.Change.Keys, rec.Change.NewImage)
		if err != nil {
			h.a.Log.ErrorContext(ctx, "an entry of the audit cannot be read; it is not sealed", "about", text(rec.Change.Keys["p"]), "seq", text(rec.Change.Keys["s"]), "err", err)
			continue
		}
		if len(all) == 0 {
			from = rec.Change.SequenceNumber
		}
		all = append(all, entry)
	}
	if len(all) == 0 {
		return answer, nil
	}
	if err := h.a.Record(ctx, all); err != nil {
		h.a.Log.WarnContext(ctx, "new entries of the audit could not be told; the stream brings them again", "entries", len(all), "err", err)
		answer.BatchItemFailures = append(answer.BatchItemFailures, events.DynamoDBBatchItemFailure{ItemIdentifier: from})
	}
	return answer, nil
}

// entryOf reads an entry of the audit out of an item as it was stored.
func entryOf(keys, image map[string]events.DynamoDBAttributeValue) (audit.Entry, error) {
	body, ok := image[dynamo.Body]
	if !ok || body.DataType() != events.DataTypeBinary {
		return audit.Entry{}, errEntry
	}
	e, err := audit.Decode(body.Binary())
	if err != nil {
		return audit.Entry{}, err
	}
	if k := restore.EntryKey(e.Chain, e.Seq); text(keys["p"]) != k.Partition || text(keys["s"]) != k.Sort {
		return audit.Entry{}, fmt.Errorf("%w: it stands in the place of another", errEntry)
	}
	return e, nil
}
