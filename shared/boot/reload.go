package boot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"rightsdesk/shared/desk"
	"rightsdesk/shared/edition"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/seal/kms"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/dynamo"
	"rightsdesk/shared/topology"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// lookEvery is how long a sandbox goes by a policy before it looks whether another one
// came into force: one unit a minute.
const lookEvery = time.Minute

// sandbox answers events by the policy in force. When another one comes into force it
// puts a new function together beside the one that works; an event that is under way
// ends as it began.
type sandbox struct {
	fn    topology.Function
	log   *slog.Logger
	parts []Part
	aws   aws.Config
	store table.Table
	book  *edition.Book
	now   func() time.Time

	mu     sync.Mutex
	serves *handler
	active edition.Active
	looked time.Time // zero: look at once
}

// assemble puts a function together by the policy in force.
func assemble(ctx context.Context, fn topology.Function, log *slog.Logger, parts []Part) (*sandbox, error) {
	for _, s := range fn.Settings() {
		if os.Getenv(string(s)) == "" {
			return nil, fmt.Errorf("boot: the setting %s is missing", s)
		}
	}
	for _, p := range parts {
		if !p.Grants(fn) {
			return nil, fmt.Errorf("boot: %s is not granted %s by its topology entry", fn.Name, p.Name)
		}
	}
	s := &sandbox{fn: fn, log: log, parts: parts, aws: config(), now: now}
	a := &Assembly{Function: fn}
	s.store = table.Steady(dynamo.New(s.aws, dynamo.Tables{
		State: a.Setting(topology.StateTable), Audit: a.Setting(topology.AuditTable), Keys: a.Setting(topology.KeysTable),
	}, now), table.Sleep)
	s.book = &edition.Book{Table: s.store, Now: now, Log: log}
	active, pol, err := s.book.InForce(ctx)
	if err != nil {
		return nil, fmt.Errorf("boot: %w", err)
	}
	if s.serves, err = s.build(ctx, active, pol, nil); err != nil {
		return nil, err
	}
	s.active, s.looked = active, now()
	return s, nil
}

// build puts the function together by a policy; by none, it stands in the way of
// whoever calls until there is one.
func (s *sandbox) build(ctx context.Context, active edition.Active, pol *policy.Policy, ring *seal.Ring) (*handler, error) {
	if pol == nil {
		var err error
		if pol, err = standIn(); err != nil {
			return nil, err
		}
	}
	a := &Assembly{Function: s.fn, AWS: s.aws}
	a.Desk = desk.New(desk.Ground{
		Table: s.store, Policy: pol, Now: s.now, BaseURL: strings.TrimSuffix(a.Setting(topology.BaseURL), "/"), Log: s.log, Shut: active.Shut(),
	})
	a.Editions.Changed = s.lookAgain
	if ring != nil {
		a.Open(ring)
	}
	if err := a.openRing(ctx); err != nil && !errors.Is(err, kms.ErrNone) {
		return nil, err
	}
	for _, p := range s.parts {
		if err := p.Fill(ctx, a); err != nil {
			return nil, fmt.Errorf("boot: %s: %w", p.Name, err)
		}
	}
	if err := a.complete(); err != nil {
		return nil, err
	}
	return newHandler(a)
}

// standIn is the policy of an installation that has none: of nobody, with nothing to
// reach. It is shown to nobody, because nobody is served.
func standIn() (*policy.Policy, error) {
	file, _ := policy.Profile(policy.ProfileNames()[0])
	p, err := policy.Parse(file)
	if err != nil {
		return nil, fmt.Errorf("boot: the policy that stands in until there is one: %w", err)
	}
	p.Version, p.Document.Brand, p.Document.Languages, p.Contact = "", "", []string{"en", "fr"}, policy.Contact{}
	p.Sources, p.Apps, p.RetentionRules = nil, nil, nil
	return p, nil
}

// lookAgain has the next event look which policy is in force.
func (s *sandbox) lookAgain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looked = time.Time{}
}

// Invoke answers one event.
func (s *sandbox) Invoke(ctx context.Context, raw json.RawMessage) (any, error) {
	return s.current(ctx).Invoke(ctx, raw)
}

// current is the function by the policy in force, as it was within the last minute. A
// policy that cannot be looked at, or served yet, leaves what works at work.
func (s *sandbox) current(ctx context.Context) *handler {
	s.mu.Lock()
	h, was, due := s.serves, s.active, s.looked.IsZero() || s.now().Sub(s.looked) >= lookEvery
	if due {
		s.looked = s.now()
	}
	s.mu.Unlock()
	if !due {
		return h
	}
	active, err := s.book.Active(ctx)
	if err != nil {
		s.log.WarnContext(ctx, "which policy is in force could not be looked at; the one that was still counts", "version", was.Version, "err", err)
		return h
	}
	if active.Version == was.Version && slices.Equal(active.Lacks, was.Lacks) {
		return h
	}
	next, err := s.renew(ctx, active, h)
	if err != nil {
		s.log.ErrorContext(ctx, "the policy in force cannot be served; the one before it still is", "version", active.Version, "before", was.Version, "err", err)
		return h
	}
	s.mu.Lock()
	s.serves, s.active = next, active
	s.mu.Unlock()
	s.log.InfoContext(ctx, "another policy is in force", "version", active.Version, "before", was.Version, "open", active.Open())
	return next
}

// renew puts the function together by the policy that came into force.
func (s *sandbox) renew(ctx context.Context, active edition.Active, h *handler) (*handler, error) {
	var pol *policy.Policy
	if active.Version != "" {
		var err error
		if pol, err = s.book.Read(ctx, active); errors.Is(err, edition.ErrUnreadable) {
			s.log.ErrorContext(ctx, "the policy in force cannot be read; nobody is served", "version", active.Version, "err", err)
			active.Lacks = []edition.Lack{edition.Unreadable}
		} else if err != nil {
			return nil, err
		}
	}
	return s.build(ctx, active, pol, h.a.ring())
}

// ring is the key ring that was opened, nil if none was yet.
func (a *Assembly) ring() *seal.Ring { return a.Requests.Keys.Ring }
