package stores

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rightsdesk/shared/table"
)

// pages remembers which records a call to a table was about, because a table
// itself cannot: a repeated call must not do the next page.
//
//	table  partition    sort  body
//	state  page#<call>  -     ids of records, nothing personal; expires
type pages struct {
	table table.Table
	now   func() time.Time
}

const (
	pageSchema = 1
	// pageLife outlives every repetition: a step is tried for hours, and again
	// when an operator says so within the law's longest period.
	pageLife = 120 * 24 * time.Hour
)

// Remember keeps the page under the call's key, or returns the one that an
// earlier try of the same call kept.
func (p pages) Remember(ctx context.Context, key string, page []byte) ([]byte, error) {
	k := table.Key{Partition: "page#" + key, Sort: "-"}
	item := table.Item{Key: k, Schema: pageSchema, Body: page, Expires: p.now().Add(pageLife)}
	err := p.table.Commit(ctx, table.NewID(), table.Put(table.State, item, table.New))
	if err == nil {
		return page, nil
	}
	if !errors.Is(err, table.ErrConflict) {
		return nil, fmt.Errorf("remember a page: %w", err)
	}
	kept, err := p.table.Get(ctx, table.Ref{Table: table.State, Key: k})
	if err != nil {
		return nil, fmt.Errorf("recall a page: %w", err)
	}
	return kept.Body, nil
}
