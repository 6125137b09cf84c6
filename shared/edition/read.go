package edition

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"rightsdesk/shared/operator"
	"rightsdesk/shared/policy"
)

// ErrUnreadable is that this version of the program cannot use the policy in force.
var ErrUnreadable = errors.New("edition: this version cannot read the policy in force")

// Read returns the policy that is in force.
func (b *Book) Read(ctx context.Context, a Active) (*policy.Policy, error) {
	file, err := b.file(ctx, a.Version)
	return read(a, file, err)
}

// read parses the file of what is in force, if it could be got.
func read(a Active, file []byte, err error) (*policy.Policy, error) {
	if errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("%w: its file is not there", ErrUnreadable)
	}
	if err != nil {
		return nil, err
	}
	p, err := policy.Parse(file)
	if err != nil {
		return nil, fmt.Errorf("%w (%s): %w", ErrUnreadable, a.Version, err)
	}
	return p, nil
}

// readable returns ErrUnreadable if Read would. A file that could be read is not parsed
// again: the job asks every few minutes.
func (b *Book) readable(ctx context.Context, a Active) error {
	file, err := b.file(ctx, a.Version)
	if last := b.read.Load(); err == nil && last != nil && bytes.Equal(file, *last) {
		return nil
	}
	p, err := read(a, file, err)
	if p != nil {
		b.read.Store(&file)
	}
	return err
}

// Text returns the file of a version that was published.
func (b *Book) Text(ctx context.Context, version string) ([]byte, error) {
	return b.file(ctx, version)
}

// InForce returns what is in force and its policy. Where there is none that can be
// used, the policy is nil and Active says what is missing.
func (b *Book) InForce(ctx context.Context) (Active, *policy.Policy, error) {
	a, err := b.Active(ctx)
	if err != nil || a.Version == "" {
		return a, nil, err
	}
	p, err := b.Read(ctx, a)
	if errors.Is(err, ErrUnreadable) {
		b.Log.ErrorContext(ctx, "the policy in force cannot be used; nobody is served", "version", a.Version, "err", err)
		a.Lacks = []Lack{Unreadable}
		return a, nil, nil
	}
	return a, p, err
}

// ShortestAudit returns the shortest time that any policy let entries of the audit be kept
// for that was ever in force here: a given one, unless that is zero, or one of the editions.
// A file that is not the one its edition names, or that this version cannot read, is left out.
func (b *Book) ShortestAudit(ctx context.Context, shortest policy.Period) (policy.Period, error) {
	list, err := b.List(ctx)
	if err != nil {
		return shortest, err
	}
	known := map[string]bool{}
	for _, e := range list {
		if known[e.Version] {
			continue
		}
		known[e.Version] = true
		p, err := b.Read(ctx, Active{Version: e.Version})
		switch {
		case errors.Is(err, ErrUnreadable):
			continue
		case err != nil:
			return shortest, unavailable(err)
		}
		var begin time.Time // one day is as good as another, but for the days of a month
		kept := p.Retention.Audit
		if p.Version == e.Version && (shortest.IsZero() || kept.After(begin).Before(shortest.After(begin))) {
			shortest = kept
		}
	}
	return shortest, nil
}

// View is what operators see of the policy.
type View struct {
	Active   Active
	Editions []Edition // the newest first
	Refused  *Refusal  // the last one
	Examples policy.Problems
}

// Show returns what is in force, what was, and what was refused.
func (b *Book) Show(ctx context.Context, by operator.Identity) (View, error) {
	if !by.May(operator.Handler) && !by.May(operator.Auditor) {
		return View{}, ErrForbidden
	}
	a, err := b.Active(ctx)
	if err != nil {
		return View{}, unavailable(err)
	}
	v := View{Active: a}
	if v.Editions, err = b.List(ctx); err != nil {
		return View{}, err
	}
	if v.Refused, _, err = b.refusal(ctx); err != nil {
		return View{}, unavailable(err)
	}
	if a.Version == "" {
		return v, nil
	}
	file, err := b.file(ctx, a.Version)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return View{}, unavailable(err)
	}
	v.Examples = policy.Examples(file)
	return v, nil
}

// File returns an edition and its file.
func (b *Book) File(ctx context.Context, by operator.Identity, n int64) (Edition, []byte, error) {
	if !by.May(operator.Handler) && !by.May(operator.Auditor) {
		return Edition{}, nil, ErrForbidden
	}
	if n < 1 || n > maxEdition {
		return Edition{}, nil, ErrNotFound
	}
	list, err := b.List(ctx)
	if err != nil {
		return Edition{}, nil, err
	}
	for _, e := range list {
		if e.N == n {
			file, err := b.file(ctx, e.Version)
			return e, file, unavailable(err)
		}
	}
	return Edition{}, nil, ErrNotFound
}

// maxEdition is the highest number that an edition can have.
const maxEdition = 99_999_999
