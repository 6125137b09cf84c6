package httpsource

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"rightsdesk/shared/source"
)

var _ source.Sweeper = (*Client)(nil)

// Old implements source.Sweeper. A hook that does not know the operation is
// source.ErrNotSwept.
func (c *Client) Old(ctx context.Context, age source.Age) (source.Aged, error) {
	err := errors.Join(age.Check(), c.holds(age.Category))
	if err != nil {
		return source.Aged{}, fmt.Errorf("source %s: old: %w", c.o.ID, err)
	}
	var answer aged
	err = c.post(ctx, age.Call, call{
		Operation: old, Identities: []identity{}, Category: age.Category, By: age.By, Until: age.Until.UTC(),
		Action: age.Verb, Limit: source.Size(age.Limit), Cursor: age.Cursor,
	}, &answer)
	if status, ok := errors.AsType[statusError](err); ok && noSweep(int(status)) {
		err = fmt.Errorf("%w: %w: %w", source.ErrRefused, source.ErrNotSwept, status) // not what err says: 501 will not pass
	}
	if err != nil {
		return source.Aged{}, fmt.Errorf("source %s: old: %w", c.o.ID, err)
	}
	page, err := answer.check(age)
	if err != nil {
		return source.Aged{}, fmt.Errorf("source %s: old: %w: %w", c.o.ID, source.ErrRefused, err)
	}
	return page, nil
}

// Expire implements source.Sweeper.
func (c *Client) Expire(ctx context.Context, e source.Expiry) (source.Done, error) {
	if err := errors.Join(e.Check(), c.holds(e.Category)); err != nil {
		return source.Done{}, fmt.Errorf("source %s: expire: %w", c.o.ID, err)
	}
	body := call{
		Operation: expire, Identities: []identity{}, Category: e.Category, By: e.By, Until: e.Until.UTC(),
		Action: e.Verb, IDs: make([]string, len(e.Records)),
	}
	for i, r := range e.Records {
		body.IDs[i] = r.ID
	}
	if e.Verb == source.Anonymise {
		body.Masks, body.MaskKey = e.Masks, e.MaskKey
	}
	var answer worked
	if err := c.post(ctx, e.Call, body, &answer); err != nil {
		return source.Done{}, fmt.Errorf("source %s: expire: %w", c.o.ID, err)
	}
	done, err := answer.checkExpired(len(e.Records))
	if err != nil {
		return source.Done{}, fmt.Errorf("source %s: expire: %w: %w", c.o.ID, source.ErrRefused, err)
	}
	return done, nil
}

// holds refuses a category that the policy does not give this source.
func (c *Client) holds(category string) error {
	if !slices.Contains(c.o.Categories, category) {
		return fmt.Errorf("%w: the source has no such category", source.ErrRefused)
	}
	return nil
}

// check turns an answer to old into a page, or says what is wrong with it.
func (a aged) check(age source.Age) (source.Aged, error) {
	if a.Data == nil || a.Done == nil {
		return source.Aged{}, errors.New("the answer lacks data or done")
	}
	if a.Seen == 0 {
		a.Seen = len(*a.Data)
	}
	switch {
	case len(*a.Data) > source.Size(age.Limit):
		return source.Aged{}, errors.New("the page holds more records than were asked for")
	case a.Seen < len(*a.Data):
		return source.Aged{}, errors.New("the answer has seen fewer records than it holds")
	case *a.Done && a.Cursor != "":
		return source.Aged{}, errors.New("the answer is done and has a cursor")
	case !*a.Done && (a.Cursor == "" || a.Cursor == age.Cursor || len(a.Cursor) > maxCursor):
		return source.Aged{}, errors.New("the answer is not done and has no cursor that leads on")
	}
	page := source.Aged{Seen: a.Seen, Cursor: a.Cursor, Done: *a.Done}
	seen := make(map[string]bool, len(*a.Data))
	for _, r := range *a.Data {
		if err := (record{Category: r.Category, ID: r.ID, At: r.At}).check(source.Ask{Category: age.Category, Until: age.Until}, Options{Categories: []string{age.Category}}); err != nil {
			return source.Aged{}, err
		}
		who, ok := fromWire(r.Who)
		switch {
		case seen[r.ID]:
			return source.Aged{}, errors.New("the page holds a record twice")
		case !ok || len(who) > maxWho:
			return source.Aged{}, errors.New("a record is about somebody without a kind or a value, or about too many")
		}
		seen[r.ID] = true
		page.Records = append(page.Records, source.AgedRecord{ID: r.ID, At: r.At, Who: who})
	}
	return page, nil
}

// checkExpired turns an answer to expire into what was done to so many records.
func (w worked) checkExpired(records int) (source.Done, error) {
	switch {
	case w.Removed == nil || w.Retained == nil || w.Done == nil:
		return source.Done{}, errors.New("the answer lacks items_removed, items_retained or done")
	case *w.Removed < 0 || *w.Retained < 0:
		return source.Done{}, errors.New("a count is negative")
	case *w.Removed+*w.Retained > records:
		return source.Done{}, errors.New("more was done than was asked for")
	case !*w.Done:
		return source.Done{}, errors.New("an expiry has no pages, and it is not done")
	}
	return source.Done{Removed: *w.Removed, Retained: *w.Retained, Messages: clean(w.Messages, nil), Done: true}, nil
}

// noSweep are the answers of applications that do not know an operation.
func noSweep(status int) bool {
	return slices.Contains([]int{
		http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusUnprocessableEntity, http.StatusNotImplemented,
	}, status)
}

// sweep answers old and expire.
func (e Endpoint) sweep(ctx context.Context, c call, with source.Call) (any, error) {
	s, ok := e.Source.(source.Sweeper)
	if !ok {
		return nil, fmt.Errorf("%w: %w", source.ErrRefused, source.ErrNotSwept)
	}
	if c.Operation == old {
		return e.old(ctx, s, source.Age{
			Category: c.Category, By: c.By, Until: c.Until, Verb: c.Action, Whole: true, Cursor: c.Cursor, Limit: c.Limit, Call: with,
		})
	}
	expiry := source.Expiry{
		Verb: c.Action, Category: c.Category, By: c.By, Until: c.Until, Masks: c.Masks, MaskKey: c.MaskKey, Call: with,
	}
	for _, id := range c.IDs {
		expiry.Records = append(expiry.Records, source.AgedRecord{ID: id})
	}
	if err := expiry.Check(); err != nil {
		return nil, err
	}
	done, err := s.Expire(ctx, expiry)
	if err != nil {
		return nil, err
	}
	return tell(done), nil
}

func (e Endpoint) old(ctx context.Context, s source.Sweeper, age source.Age) (any, error) {
	if err := age.Check(); err != nil {
		return nil, err
	}
	page, err := s.Old(ctx, age)
	if err != nil {
		return nil, err
	}
	data := make([]agedRecord, len(page.Records))
	for i, r := range page.Records {
		if r.Handle.Reveal() != "" {
			return nil, fmt.Errorf("%w: the store needs handles, and those do not travel", source.ErrRefused)
		}
		data[i] = agedRecord{age.Category, r.ID, r.At, toWire(r.Who)}
	}
	return aged{Data: &data, Seen: page.Seen, Cursor: page.Cursor, Done: &page.Done}, nil
}
