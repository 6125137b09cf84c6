package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"rightsdesk/infra/local/company"
	"rightsdesk/shared/edition"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

// policyFile is where the policy of a run comes from: a file, or the sample company's.
type policyFile string

var _ edition.Shelf = policyFile("")

// Read implements edition.Shelf.
func (f policyFile) Read(context.Context) ([]byte, error) {
	if f == "" {
		return company.Policy, nil
	}
	file, err := os.ReadFile(string(f))
	if err != nil {
		return nil, fmt.Errorf("read the policy file: %w", err)
	}
	return file, nil
}

// parse reads a policy of this run: where it names the address at which the sample
// company's hooks are, the one that is really listened on takes its place.
func (p *product) parse(file []byte) (*policy.Policy, error) {
	return policy.Parse([]byte(strings.ReplaceAll(string(file), sampleAddress, strings.TrimPrefix(p.URL, "http://"))))
}

// publish brings the policy file of this run into force, if it changed since the last
// one, and returns the policy that is.
func (p *product) publish(ctx context.Context, store table.Table) (*policy.Policy, error) {
	file, err := policyFile(p.o.PolicyFile).Read(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := p.parse(file); err != nil {
		return nil, fmt.Errorf("the policy file cannot be used:\n%w", err)
	}
	book := &edition.Book{Table: store, Now: p.Clock.Now, Log: p.o.Log}
	p.shelve(book)
	if err := book.Look(ctx); err != nil {
		return nil, err
	}
	active, err := book.Active(ctx)
	if err != nil {
		return nil, err
	}
	return p.inForceAs(ctx, book, active)
}

// shelve lets a book publish what this run was started with. A sample company may call
// itself an example.
func (p *product) shelve(b *edition.Book) {
	b.Shelf, b.From, b.Samples = policyFile(p.o.PolicyFile), edition.File, true
	b.Changed = func() { p.moved.Store(true) }
}

// inForceAs is the policy in force, as this run goes by it, under its own version.
func (p *product) inForceAs(ctx context.Context, b *edition.Book, active edition.Active) (*policy.Policy, error) {
	file, err := b.Text(ctx, active.Version)
	if err != nil {
		return nil, err
	}
	pol, err := p.parse(file)
	if err != nil {
		return nil, fmt.Errorf("the policy in force, %s, cannot be used:\n%w", active.Version, err)
	}
	pol.Version = active.Version
	return pol, nil
}

// follow goes by another policy, if one may have come into force. Whoever turns the
// clock does it themselves.
func (p *product) follow(ctx context.Context) {
	if !p.moved.Load() || !p.turning.TryLock() {
		return
	}
	defer p.turning.Unlock()
	p.followTurning(ctx)
}

// followTurning is follow while the clock is kept from turning.
func (p *product) followTurning(ctx context.Context) {
	if !p.moved.Swap(false) {
		return
	}
	if err := p.goBy(ctx); err != nil && ctx.Err() == nil {
		p.o.Log.ErrorContext(ctx, "the policy in force cannot be served; the one before it still is", "before", p.Policy.Version, "err", err)
	}
}

// goBy has everything go by the policy in force. Nobody works or is answered meanwhile:
// whoever had begun ends as they began.
func (p *product) goBy(ctx context.Context) error {
	active, err := p.Editions.Active(ctx)
	if err != nil || active.Version == p.Policy.Version {
		return err
	}
	pol, err := p.inForceAs(ctx, p.Editions, active)
	if err != nil {
		return err
	}
	sources, err := p.sources(pol)
	if err != nil {
		return err
	}
	by, err := p.sender(pol)
	if err = errors.Join(err, p.secretsOf(pol)); err != nil {
		return err
	}
	p.busy.Lock()
	defer p.busy.Unlock()
	p.serving.Lock()
	defer p.serving.Unlock()
	p.Follow(pol)
	p.Reach(sources)
	p.Send(by)
	handler, err := p.handler(pol)
	if err != nil {
		return err
	}
	p.answers.Store(&handler)
	return nil
}

// secretsOf makes the keys of apps that have none yet.
func (p *product) secretsOf(pol *policy.Policy) error {
	for _, app := range pol.Apps {
		if _, err := openSecret(secretFile(p.o.Dir, app.Secret)); err != nil {
			return err
		}
	}
	return nil
}

// ServeHTTP answers by the policy in force. What only a laptop has is answered even
// while another comes into force: the sample company is asked by whoever works.
func (p *product) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/local/") {
		(*p.answers.Load()).ServeHTTP(w, r)
		return
	}
	p.serving.RLock()
	(*p.answers.Load()).ServeHTTP(w, r)
	p.serving.RUnlock()
	p.follow(context.WithoutCancel(r.Context()))
}
