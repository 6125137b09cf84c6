package company

import (
	"context"
	"fmt"
	"time"

	"rightsdesk/shared/source"
)

// faulty is a store that fails as Options.Fault says.
type faulty struct {
	*store
	name  string
	fault func(Call) Fault
}

// Find implements source.Source.
func (f faulty) Find(ctx context.Context, ask source.Ask) (source.Found, error) {
	return failing(ctx, f, Call{f.name, "find", ask.Category, ask.Call.Key}, func() (source.Found, error) {
		return f.store.Find(ctx, ask)
	})
}

// Execute implements source.Source.
func (f faulty) Execute(ctx context.Context, order source.Order) (source.Done, error) {
	return failing(ctx, f, Call{f.name, string(order.Verb), order.Category, order.Call.Key}, func() (source.Done, error) {
		return f.store.Execute(ctx, order)
	})
}

// Old implements source.Sweeper.
func (f faulty) Old(ctx context.Context, age source.Age) (source.Aged, error) {
	return failing(ctx, f, Call{f.name, "old", age.Category, age.Call.Key}, func() (source.Aged, error) {
		return f.store.Old(ctx, age)
	})
}

// Expire implements source.Sweeper.
func (f faulty) Expire(ctx context.Context, e source.Expiry) (source.Done, error) {
	return failing(ctx, f, Call{f.name, "expire", e.Category, e.Call.Key}, func() (source.Done, error) {
		return f.store.Expire(ctx, e)
	})
}

func failing[T any](ctx context.Context, f faulty, call Call, do func() (T, error)) (T, error) {
	var none T
	if f.fault == nil {
		return do()
	}
	fault := f.fault(call)
	select {
	case <-time.After(fault.Slow):
	case <-ctx.Done():
		return none, fmt.Errorf("%w: %w", source.ErrLater, ctx.Err())
	}
	if fault.Before {
		return none, fmt.Errorf("%w: the store fails before it begins", source.ErrLater)
	}
	answer, err := do()
	if fault.After {
		return none, fmt.Errorf("%w: the store fails after it is done", source.ErrLater)
	}
	return answer, err
}
