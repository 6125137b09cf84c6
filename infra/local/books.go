package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"rightsdesk/infra/local/company"
	"rightsdesk/infra/operate"
	"rightsdesk/shared/edition"
	"rightsdesk/shared/export/folder"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table/embedded"
)

// openBooks opens what a run on this laptop has kept, while it does not run.
func openBooks(ctx context.Context, dir, policyFile string) (operate.Books, func() error, error) {
	var b operate.Books
	if _, err := os.Stat(filepath.Join(dir, "state.db")); err != nil {
		return b, nil, fmt.Errorf("there is nothing in %s: say with -data in which folder the run keeps its data", dir)
	}
	clock, err := openClock(filepath.Join(dir, "clock"))
	if err != nil {
		return b, nil, err
	}
	store, err := embedded.Open(filepath.Join(dir, "state.db"), clock.Now)
	if err != nil {
		return b, nil, fmt.Errorf("open the database; does it run? Then stop it first: %w", err)
	}
	closers := []func() error{store.Close}
	shut := func() error {
		var errs []error
		for _, c := range closers {
			errs = append(errs, c())
		}
		return errors.Join(errs...)
	}
	refuse := func(err error) (operate.Books, func() error, error) {
		return operate.Books{}, nil, errors.Join(err, shut())
	}
	b.Table, b.Now = store, clock.Now
	keys, err := os.ReadFile(filepath.Join(dir, "keys.json"))
	if err != nil {
		return refuse(fmt.Errorf("read the key ring: %w", err))
	}
	if b.Ring, err = seal.ParseRing(keys); err != nil {
		return refuse(err)
	}
	files, err := folder.New(filepath.Join(dir, "exports"), "", []byte("nothing is signed"), clock.Now)
	if err != nil {
		return refuse(err)
	}
	closers = append(closers, files.Close)
	b.Files = files
	if b.Policy, err = policyInForce(ctx, b, policyFile); err != nil {
		return refuse(err)
	}
	return b, shut, nil
}

// policyInForce is the edition that was published, or else the one that the run
// begins with.
func policyInForce(ctx context.Context, b operate.Books, file string) (*policy.Policy, error) {
	if _, pol, err := (&edition.Book{Table: b.Table, Now: b.Now, Log: slog.New(slog.DiscardHandler)}).InForce(ctx); err != nil || pol != nil {
		return pol, err
	}
	text := company.Policy
	if file != "" {
		var err error
		if text, err = os.ReadFile(file); err != nil {
			return nil, fmt.Errorf("read the policy file: %w", err)
		}
	}
	pol, err := policy.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("the policy file cannot be used:\n%w", err)
	}
	return pol, nil
}
