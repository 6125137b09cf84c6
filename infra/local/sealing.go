package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/checkpoint"
	"rightsdesk/shared/checkpoint/folder"
	"rightsdesk/shared/checkpoint/jws"
	"rightsdesk/shared/job"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

// feed is this process's stream of new entries of the audit. Unlike hints it loses
// nothing: what could not be told is told again, and what a process took with it
// when it died the next one finds.
type feed struct {
	mu       sync.Mutex
	waiting  []audit.Entry
	came     chan struct{}
	delivery sync.Mutex // one at a time
}

func newFeed() *feed { return &feed{came: make(chan struct{}, 1)} }

// put takes a new entry of the audit as it was stored.
func (f *feed) put(entries ...audit.Entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = append(f.waiting, entries...)
	select {
	case f.came <- struct{}{}:
	default:
	}
}

// deliver tells what waits.
func (f *feed) deliver(ctx context.Context, tell func(context.Context, []audit.Entry) error) error {
	f.delivery.Lock()
	defer f.delivery.Unlock()
	f.mu.Lock()
	entries := f.waiting
	f.waiting = nil
	f.mu.Unlock()
	if len(entries) == 0 {
		return nil
	}
	if err := tell(ctx, entries); err != nil {
		f.put(entries...)
		return err
	}
	return nil
}

// gather is how long entries are waited for, so that one batch holds many.
const gather = 250 * time.Millisecond

// tellEntries tells of new entries of the audit as they come.
func (p *product) tellEntries(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.entries.came:
		}
		if table.Sleep(ctx, gather) != nil {
			return
		}
		p.busy.RLock()
		err := p.entries.deliver(ctx, p.Record)
		p.busy.RUnlock()
		if err != nil && ctx.Err() == nil {
			p.o.Log.WarnContext(ctx, "new entries of the audit could not be told; they are told again", "err", err)
		}
	}
}

// vaultDir is where the runner keeps checkpoints.
func vaultDir(dir string) string { return filepath.Join(dir, "checkpoints") }

// openVault lets the audit be sealed in a folder beside the database.
func (p *product) openVault(ctx context.Context) error {
	vault, err := folder.Make(vaultDir(p.o.Dir), !p.o.NoSync)
	if err != nil {
		return err
	}
	p.closers = append(p.closers, vault.Close)
	p.SealIn(vault, jws.Signer{Ring: func() *seal.Ring { return p.Requests.Keys.Ring }})
	return p.catchUp(ctx)
}

// catchUp puts into the feed what an earlier process did not tell any more.
func (p *product) catchUp(ctx context.Context) error {
	filed, err := p.Sealing.Filed(ctx)
	if err != nil {
		return err
	}
	scan := table.Scan{Table: table.Audit}
	for {
		page, err := p.Table.Scan(ctx, scan)
		if err != nil {
			return fmt.Errorf("read the audit: %w", err)
		}
		for _, item := range page.Items {
			e, err := audit.Decode(item.Body)
			if err != nil {
				return fmt.Errorf("entry %s of chain %s: %w", item.Key.Sort, item.Key.Partition, err)
			}
			if !filed[checkpoint.LeafOf(e)] {
				p.entries.put(e)
			}
		}
		if scan.Cursor = page.Cursor; scan.Cursor == "" {
			return nil
		}
	}
}

// sealing is the job of checkpoints, once everything was told that there is to tell:
// a laptop's clock is turned by days, in which a stream would have told it.
func (p *product) sealing(run job.Job) job.Job {
	return func(ctx context.Context) (job.Report, error) {
		if err := p.entries.deliver(ctx, p.Record); err != nil {
			return job.Report{}, errors.Join(errors.New("new entries of the audit could not be told"), err)
		}
		return run(ctx)
	}
}
