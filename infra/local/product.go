package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rightsdesk/infra/local/company"
	"rightsdesk/shared/certificate"
	"rightsdesk/shared/desk"
	"rightsdesk/shared/export/folder"
	"rightsdesk/shared/httpapi"
	"rightsdesk/shared/job"
	"rightsdesk/shared/mail/mailbox"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/receipt"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	httpsource "rightsdesk/shared/source/http"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/embedded"
	"rightsdesk/shared/table/hostile"
	"rightsdesk/shared/topology"
)

// options say what to run. The zero value of each is what a newcomer wants.
type options struct {
	Listen     string
	Dir        string
	PolicyFile string
	People     int
	Records    int
	NoHints    bool
	Mail       string // on, off or sandbox; on, if it is empty
	Hostile    uint64
	Journal    bool
	NoSync     bool // for tests, whose files need not outlive the machine
	Log        *slog.Logger

	// Table, if set, stands in for the embedded database: tests run the product
	// on DynamoDB's adapter.
	Table func(now func() time.Time) (table.Table, error)
	// Fault is what goes wrong with calls to the sample company.
	Fault func(company.Call) company.Fault
}

// product is everything, running.
type product struct {
	*desk.Desk

	URL         string
	OperatorKey string
	Clock       *clock
	Company     *company.Company
	Jobs        map[string]job.Set
	Mailbox     *mailbox.Mailbox
	Bus         *bus
	Storage     *folder.Store

	o       options
	hints   hints
	entries *feed
	server  *http.Server
	closers []func() error
	work    sync.WaitGroup
	answers atomic.Pointer[http.Handler] // by the policy in force
	moved   atomic.Bool                  // another policy may have come into force
	serving sync.RWMutex                 // held by whoever is answered: the policy does not change under them
	turning sync.Mutex                   // one turn of the clock at a time
	busy    sync.RWMutex                 // held by whoever works: the clock does not jump under a call's lease and signature
	cancel  context.CancelFunc
	stopped <-chan struct{}
	failed  chan error
}

// sampleAddress is where the sample company's policy file says its hooks are;
// the address that is really listened on takes its place.
const sampleAddress = "127.0.0.1:8080"

// start opens or makes everything in the folder and serves it.
func start(ctx context.Context, o options) (*product, error) {
	ctx, cancel := context.WithCancel(ctx)
	p := &product{o: o, cancel: cancel, stopped: ctx.Done(), failed: make(chan error, 1)}
	if err := p.open(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func (p *product) open(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Join(p.o.Dir, "secrets"), 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", p.o.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s; is it running already? Use -listen for another port: %w", p.o.Listen, err)
	}
	p.closers = append(p.closers, func() error { return ignoreClosed(listener.Close()) })
	address := listener.Addr().String()
	if host, _, _ := net.SplitHostPort(address); !net.ParseIP(host).IsLoopback() {
		return fmt.Errorf("%s is not a loopback address: a laptop's run has no TLS and shows every mail", address)
	}
	p.URL = "http://" + address
	if p.Clock, err = openClock(filepath.Join(p.o.Dir, "clock")); err != nil {
		return err
	}
	if err := p.openService(ctx); err != nil {
		return err
	}
	handler, err := p.handler(p.Policy)
	if err != nil {
		return err
	}
	p.answers.Store(&handler)
	p.moved.Store(false)
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
	p.background(ctx, listener)
	return nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// openService opens the stores and builds the service on them.
func (p *product) openService(ctx context.Context) error {
	now := p.Clock.Now
	store, err := p.openTable(now)
	if err != nil {
		return err
	}
	pol, err := p.publish(ctx, store)
	if err != nil {
		return err
	}
	ring, err := openRing(filepath.Join(p.o.Dir, "keys.json"))
	if err != nil {
		return err
	}
	if p.OperatorKey, err = openSecret(filepath.Join(p.o.Dir, "operator.key")); err != nil {
		return err
	}
	if p.Mailbox, err = mailbox.Open(filepath.Join(p.o.Dir, "mailbox.db"), now); err != nil {
		return err
	}
	p.closers = append(p.closers, p.Mailbox.Close)
	hook, err := openSecret(filepath.Join(p.o.Dir, "secrets", "shop-hook"))
	if err != nil {
		return err
	}
	p.Company, err = company.Open(company.Options{
		Path: filepath.Join(p.o.Dir, "company.db"), People: p.o.People, Records: p.o.Records, Seed: 1, Now: now,
		Secrets: [][]byte{[]byte(hook)}, Journal: p.o.Journal, NoSync: p.o.NoSync, Fault: p.o.Fault,
	})
	if err != nil {
		return err
	}
	p.closers = append(p.closers, p.Company.Close)
	if err := p.secretsOf(pol); err != nil {
		return err
	}
	sources, err := p.sources(pol)
	if err != nil {
		return err
	}
	exports, err := folder.New(filepath.Join(p.o.Dir, "exports"), p.URL, []byte(p.OperatorKey), now)
	if err != nil {
		return err
	}
	p.closers = append(p.closers, exports.Close)
	p.Storage = exports
	p.Desk = desk.New(desk.Ground{Table: store, Policy: pol, Now: now, BaseURL: p.URL, Log: p.o.Log})
	p.shelve(p.Editions)
	p.Open(ring)
	p.Reach(sources)
	p.Keep(exports, exports)
	by, err := p.sender(pol)
	if err != nil {
		return err
	}
	p.Send(by)
	p.Bus = &bus{}
	p.TellOn(p.Bus)
	if !p.o.NoHints {
		p.WakeBy(func(_ context.Context, about table.Key) { p.hints.work.put(about) })
	}
	if err := p.openVault(ctx); err != nil {
		return err
	}
	p.Jobs = job.Jobs(p.Desk)
	p.Jobs["relay"]["checkpoint"] = p.sealing(p.Jobs["relay"]["checkpoint"])
	return nil
}

// openTable opens the store and puts around it what this run asks for.
func (p *product) openTable(now func() time.Time) (table.Table, error) {
	p.hints = newHints()
	var store table.Table
	if p.o.Table != nil {
		t, err := p.o.Table(now)
		if err != nil {
			return nil, err
		}
		store = t
	} else {
		var more []embedded.Option
		if p.o.NoSync {
			more = append(more, embedded.NoSync())
		}
		file, err := embedded.Open(filepath.Join(p.o.Dir, "state.db"), now, more...)
		if err != nil {
			return nil, err
		}
		p.closers = append(p.closers, file.Close)
		store = file
	}
	sleep := table.Sleep
	if p.o.Hostile != 0 {
		store = hostile.New(store, p.o.Hostile, now)
		// It fails by dice, so nobody is given time by waiting.
		sleep = func(ctx context.Context, d time.Duration) error { return table.Sleep(ctx, d/20) }
	}
	store = table.Steady(store, sleep)
	p.entries = newFeed()
	told := stream{Table: store, entries: p.entries}
	if !p.o.NoHints {
		told.announces, told.to = func(k table.Key) bool { return p.Announces(k) }, p.hints.relay
	}
	return told, nil
}

// sources builds the data stores that the policy declares.
func (p *product) sources(pol *policy.Policy) (map[string]source.Source, error) {
	sources := map[string]source.Source{}
	for _, s := range pol.Sources {
		if s.Kind != policy.KindHTTP {
			continue // a task is done by a person; a table needs an account
		}
		secret, err := os.ReadFile(secretFile(p.o.Dir, s.Secret))
		if err != nil {
			return nil, fmt.Errorf("source %s: its secret is read from a file of that name: %w", s.ID, err)
		}
		var categories []string
		for _, h := range s.Holdings {
			categories = append(categories, h.Category)
		}
		sources[s.ID], err = httpsource.New(httpsource.Options{
			ID: s.ID, URL: s.HTTP.URL, Secret: []byte(strings.TrimSpace(string(secret))), Categories: categories,
			Ties: s.HTTP.Ties, AllowHosts: s.HTTP.AllowHosts, Now: p.Clock.Now,
		})
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", s.ID, err)
		}
	}
	return sources, nil
}

// handler serves every route of the topology, and what only a laptop has.
func (p *product) handler(pol *policy.Policy) (http.Handler, error) {
	p.Requests.NoMail = p.o.Mail == topology.MailOff
	p.Consents.NoMail = p.Requests.NoMail
	env := httpapi.Env{
		NoMail:   p.Consents.NoMail,
		Requests: p.Requests, Consents: p.Consents, Closures: p.Closures, Erasure: p.Erasure, Holds: p.Holds, Intake: p.Intake,
		Lifecycle: p.Lifecycle, Restore: p.Restore, Retention: p.Retention, Editions: p.Editions, Policy: pol, Log: p.o.Log, Local: true,
		Operator: func(r *http.Request) (operator.Identity, bool) {
			who := operator.Identity{ID: "local", Roles: []operator.Role{operator.Handler, operator.Auditor}, MFA: true}
			return who, seal.Same(httpapi.Bearer(r), p.OperatorKey)
		},
		Keys: func(_ context.Context, app string, _ bool) ([][]byte, error) {
			a, ok := pol.App(app)
			if !ok {
				return nil, nil
			}
			secret, err := os.ReadFile(secretFile(p.o.Dir, a.Secret)) // so that a key can be replaced as it runs
			return httpapi.AppKeys(string(secret)), err
		},
		Receipts:     &receipt.Maker{Policy: pol, Ring: p.Requests.Keys.Ring, BaseURL: p.URL, Now: p.Clock.Now},
		Certificates: &certificate.Maker{Policy: pol, Ring: p.Requests.Keys.Ring, BaseURL: p.URL, Now: p.Clock.Now},
	}
	mux := http.NewServeMux()
	sets := httpapi.Sets(env)
	for _, fn := range topology.All {
		if err := httpapi.Register(mux, env, fn, sets[fn.Name]); err != nil {
			return nil, err
		}
	}
	p.localRoutes(mux, env)
	return p.thisHost(mux), nil
}

// thisHost serves only who calls the runner by a loopback name: a web page
// elsewhere could let its own name point here and read the mailbox.
func (p *product) thisHost(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "this is a run on a laptop; call it by 127.0.0.1 or localhost\n", http.StatusMisdirectedRequest)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// background serves, runs the schedules and works off the hints.
func (p *product) background(ctx context.Context, listener net.Listener) {
	p.work.Go(func() {
		if err := p.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			p.failed <- err
		}
	})
	for _, fn := range topology.All {
		for _, s := range fn.Schedules {
			p.work.Go(func() { p.tick(ctx, s.Every, p.Jobs[fn.Name][s.Job]) })
		}
	}
	p.work.Go(func() { p.tellEntries(ctx) })
	if !p.o.NoHints {
		p.work.Go(func() { p.hints.relay.drain(ctx, p.logged(p.Announce)) })
		for range workers {
			p.work.Go(func() { p.hints.work.drain(ctx, p.logged(p.workOff)) })
		}
	}
}

// workers is how many plans are worked on at once.
const workers = 4

// tick runs a job in real time; turning the clock runs it in between.
func (p *product) tick(ctx context.Context, every time.Duration, run job.Job) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			p.busy.RLock()
			_, err := run(ctx)
			p.busy.RUnlock()
			p.follow(ctx)
			if err != nil && ctx.Err() == nil {
				p.o.Log.WarnContext(ctx, "a scheduled job failed; it runs again", "err", err)
			}
		}
	}
}

func (p *product) logged(do func(context.Context, table.Key) error) func(context.Context, table.Key) {
	return func(ctx context.Context, k table.Key) {
		p.busy.RLock()
		err := do(ctx, k)
		p.busy.RUnlock()
		if err != nil && ctx.Err() == nil {
			p.o.Log.WarnContext(ctx, "work failed; the next sweep tries again", "about", k.Partition, "err", err)
		}
	}
}

// Wait serves until the context that it was started with ends or serving fails,
// and then closes everything.
func (p *product) Wait() error {
	var err error
	select {
	case err = <-p.failed:
	case <-p.stopped:
	}
	return errors.Join(err, p.Close())
}

// Close stops serving and closes the files.
func (p *product) Close() error {
	p.cancel()
	var errs []error
	if p.server != nil {
		ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
		defer stop()
		if err := p.server.Shutdown(ctx); err != nil {
			errs = append(errs, p.server.Close())
		}
	}
	p.work.Wait()
	if p.Desk != nil && p.Seals() {
		errs = append(errs, p.entries.deliver(context.Background(), p.Record))
	}
	for i := len(p.closers) - 1; i >= 0; i-- {
		errs = append(errs, p.closers[i]())
	}
	p.closers = nil
	return errors.Join(errs...)
}
