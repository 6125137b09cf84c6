package stores

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"rightsdesk/shared/source"

	httpsource "rightsdesk/shared/source/http"
)

// hook is a store behind a hook. While its secret is not there, or cannot be read, it
// is unreachable, and it alone: a policy may come into force before somebody has made
// the secret, and what else the function does does not wait for that. Every call looks
// again until there is one.
type hook struct {
	id   string
	open func(ctx context.Context) (*httpsource.Client, error)

	mu     sync.Mutex
	client *httpsource.Client
}

var _ source.Sweeper = (*hook)(nil)

func (h *hook) reach(ctx context.Context) (*httpsource.Client, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.client != nil {
		return h.client, nil
	}
	c, err := h.open(ctx)
	switch {
	case errors.Is(err, source.ErrRefused):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("source %s: %w: %w", h.id, source.ErrLater, err)
	}
	h.client = c
	return c, nil
}

// Find implements source.Source.
func (h *hook) Find(ctx context.Context, ask source.Ask) (source.Found, error) {
	c, err := h.reach(ctx)
	if err != nil {
		return source.Found{}, err
	}
	return c.Find(ctx, ask)
}

// Execute implements source.Source.
func (h *hook) Execute(ctx context.Context, order source.Order) (source.Done, error) {
	c, err := h.reach(ctx)
	if err != nil {
		return source.Done{}, err
	}
	return c.Execute(ctx, order)
}

// Old implements source.Sweeper.
func (h *hook) Old(ctx context.Context, age source.Age) (source.Aged, error) {
	c, err := h.reach(ctx)
	if err != nil {
		return source.Aged{}, err
	}
	return c.Old(ctx, age)
}

// Expire implements source.Sweeper.
func (h *hook) Expire(ctx context.Context, e source.Expiry) (source.Done, error) {
	c, err := h.reach(ctx)
	if err != nil {
		return source.Done{}, err
	}
	return c.Expire(ctx, e)
}
