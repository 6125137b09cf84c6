package boot

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"

	"rightsdesk/shared/desk"
	"rightsdesk/shared/edition"
	"rightsdesk/shared/topology"

	"github.com/aws/aws-lambda-go/events"
)

// What another service said is told once: while nobody can take it down it stays in its
// queue. A hint is about what is due anyway.
func TestWhatArrivesBeforeAnythingIsOpenIsNotLost(t *testing.T) {
	t.Parallel()
	message := json.RawMessage(`{"Records":[{"eventSource":"aws:sqs","messageId":"m-1","body":"{}"},{"eventSource":"aws:sqs","messageId":"m-2","body":"{}"}]}`)
	for name, tt := range map[string]struct {
		hear func(context.Context, []byte) error
		back int
	}{
		"an event": {func(context.Context, []byte) error { return errors.New("it was taken down under nobody's policy") }, 2},
		"a hint":   {nil, 0},
	} {
		h := &handler{a: &Assembly{
			Function: topology.Function{Name: "any"}, Hear: tt.hear,
			Desk: &desk.Desk{Ground: desk.Ground{Log: slog.New(slog.DiscardHandler), Shut: edition.ErrNotOpen}},
		}}
		out, err := h.Invoke(t.Context(), message)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if n := len(out.(events.SQSEventResponse).BatchItemFailures); n != tt.back {
			t.Errorf("%s: %d messages go back, want %d", name, n, tt.back)
		}
	}
}
