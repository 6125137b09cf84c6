package httpsource

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
)

// Endpoint makes a hook of a Source: what Client asks, it answers. The Source
// itself refuses what its lease no longer covers and remembers keys.
type Endpoint struct {
	ID      string // the source's id in the policy; a call for another is refused
	Source  source.Source
	Secrets [][]byte // see Verify
	Now     func() time.Time
}

// ServeHTTP implements http.Handler.
func (e Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, answer := e.answer(r)
	body, err := json.Marshal(answer)
	if err != nil { // fields that are no JSON
		status, body = http.StatusInternalServerError, []byte(`{"error":"encoding"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client went away: it will repeat the call
}

func (e Endpoint) answer(r *http.Request) (int, any) {
	if r.Method != http.MethodPost {
		return http.StatusMethodNotAllowed, refusal{"post_only"}
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxCall+1))
	switch {
	case err != nil:
		return http.StatusBadRequest, refusal{"unreadable"}
	case len(raw) > maxCall:
		return http.StatusRequestEntityTooLarge, refusal{"too_large"}
	}
	with, err := Verify(r.Header, raw, e.Secrets, e.Now())
	switch {
	case errors.Is(err, ErrLeaseOver):
		return http.StatusConflict, refusal{"lease_over"}
	case err != nil:
		return http.StatusUnauthorized, refusal{"not_signed"}
	}
	var c call
	ids, ok := []personal.Identity(nil), false
	if decode(raw, &c) == nil {
		ids, ok = fromWire(c.Identities)
	}
	sweeps := c.Operation == old || c.Operation == expire
	if !ok || (len(ids) == 0) != sweeps || c.Version != Version || c.Source != e.ID {
		return http.StatusUnprocessableEntity, refusal{"not_understood"}
	}
	answer, err := e.do(r.Context(), c, ids, with)
	switch {
	case err == nil:
		return http.StatusOK, answer
	case errors.Is(err, source.ErrLater):
		return http.StatusServiceUnavailable, refusal{"later"}
	case errors.Is(err, source.ErrNotSwept):
		return http.StatusUnprocessableEntity, refusal{"does_not_sweep"}
	case errors.Is(err, source.ErrRefused):
		return http.StatusUnprocessableEntity, refusal{"refused"}
	}
	return http.StatusInternalServerError, refusal{"internal"}
}

func (e Endpoint) do(ctx context.Context, c call, ids []personal.Identity, with source.Call) (any, error) {
	if c.Operation == old || c.Operation == expire {
		return e.sweep(ctx, c, with)
	}
	order := source.Order{
		Verb: c.Action, Identities: ids, Category: c.Category, Until: c.Until, Limit: c.Limit,
		Masks: c.Masks, MaskKey: c.MaskKey, Keep: c.Keep, Call: with,
	}
	switch c.Operation {
	case find:
		return e.find(ctx, source.Ask{
			Identities: ids, Category: c.Category, Until: c.Until, Cursor: c.Cursor, Limit: c.Limit, Values: c.Values, Call: with,
		})
	case correct:
		order.Verb = source.Correct
		for _, f := range c.Corrections {
			order.Corrections = append(order.Corrections, source.Correction{Field: f.Field, Value: personal.MakeText(f.Value)})
		}
	case choose:
		if c.Choice == nil {
			return nil, source.ErrRefused
		}
		order.Verb, order.Choice = source.Choose, *c.Choice
	case erase:
		if c.Action != source.Delete && c.Action != source.Anonymise {
			return nil, source.ErrRefused
		}
	default:
		return nil, source.ErrRefused
	}
	done, err := e.Source.Execute(ctx, order)
	if err != nil {
		return nil, err
	}
	return tell(done), nil
}

func tell(done source.Done) worked {
	return worked{&done.Removed, &done.Retained, append([]string{}, done.Messages...), &done.Done}
}

func (e Endpoint) find(ctx context.Context, ask source.Ask) (any, error) {
	page, err := e.Source.Find(ctx, ask)
	if err != nil {
		return nil, err
	}
	data := make([]record, len(page.Records))
	for i, r := range page.Records {
		data[i] = record{r.Category, r.ID, r.At, r.Fields}
	}
	return found{Data: &data, Ties: toWire(page.Ties), Cursor: page.Cursor, Done: &page.Done}, nil
}
