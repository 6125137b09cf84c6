// Package task is the kind "task": a store that no program reaches, a filing
// cabinet or a supplier's help desk. A person looks and a person acts, by a date.
//
// Source answers every call with source.ErrHuman. The request service then makes
// a task with a due date, and what the operator reports is the answer: a task
// never passes for "nothing found". It is no source.Sweeper: what is old in a
// cabinet is for its team to look through, and the retention rules say when.
//
// It imports source only.
package task

import (
	"context"
	"fmt"

	"rightsdesk/shared/source"
)

// Source is a store that needs a person. Its value is the source's id in the policy.
type Source string

// Find implements source.Source.
func (s Source) Find(context.Context, source.Ask) (source.Found, error) {
	return source.Found{}, fmt.Errorf("source %s: %w", string(s), source.ErrHuman)
}

// Execute implements source.Source.
func (s Source) Execute(context.Context, source.Order) (source.Done, error) {
	return source.Done{}, fmt.Errorf("source %s: %w", string(s), source.ErrHuman)
}
