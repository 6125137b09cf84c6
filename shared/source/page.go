package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Pages remembers which records a call was for. A store that has no memory for our
// keys would do the next page when a call whose answer was lost is repeated, and
// nobody would have counted the first.
type Pages interface {
	// Remember stores page under the call's key unless something is stored there
	// already, and returns what is stored. A page holds ids of records, nothing
	// personal, and is at most 300 KB. It may be forgotten when the request is closed.
	Remember(ctx context.Context, key string, page []byte) ([]byte, error)
}

// Page is the records that a call was for when it was made for the first time.
type Page struct {
	IDs  []string `json:"ids"`
	Rest bool     `json:"rest"` // there are more
}

var errUnreadable = errors.New("what is remembered of the page cannot be read")

// RememberOrder fixes which records an order's page is for, and returns those of
// its first time. A key that was used for another order is refused.
func RememberOrder(ctx context.Context, pages Pages, o Order, mine Page) (Page, error) {
	var fields []string
	for _, c := range o.Corrections { // not the values: a hash of those can be guessed, and this one is stored
		fields = append(fields, c.Field)
	}
	return remember(ctx, pages, o.Call.Key, []any{o.Verb, o.Category, o.Until.UTC().Format(time.RFC3339Nano), o.Limit, o.Masks, fields, o.Keep}, mine)
}

// RememberExpiry is RememberOrder for a page of records whose time is over.
func RememberExpiry(ctx context.Context, pages Pages, e Expiry, mine Page) (Page, error) {
	ids := make([]string, len(e.Records))
	for i, r := range e.Records {
		ids[i] = r.ID
	}
	return remember(ctx, pages, e.Call.Key, []any{e.Verb, e.Category, e.By, e.Until.UTC().Format(time.RFC3339Nano), e.Masks, ids}, mine)
}

func remember(ctx context.Context, pages Pages, key string, what []any, mine Page) (Page, error) {
	type remembered struct {
		Order []byte `json:"order"` // a hash that tells orders apart
		Page
	}
	told, err := json.Marshal(what)
	if err != nil {
		return Page{}, fmt.Errorf("%w: the order cannot be encoded", ErrRefused)
	}
	sum := sha256.Sum256(told)
	raw, err := json.Marshal(remembered{sum[:], mine})
	if err != nil {
		return Page{}, fmt.Errorf("%w: the page cannot be encoded", ErrRefused)
	}
	if raw, err = pages.Remember(ctx, key, raw); err != nil {
		return Page{}, fmt.Errorf("%w: remember the page: %w", ErrLater, err)
	}
	var first remembered
	if err := json.Unmarshal(raw, &first); err != nil {
		return Page{}, fmt.Errorf("%w: %w", ErrRefused, errUnreadable)
	}
	if !bytes.Equal(first.Order, sum[:]) {
		return Page{}, fmt.Errorf("%w: the key was used for another order", ErrRefused)
	}
	return first.Page, nil
}
