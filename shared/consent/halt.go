package consent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/table"
)

// Halt is the switch that stops collection and processing at once.
type Halt struct {
	On      bool       `json:"on"`
	Since   time.Time  `json:"since,omitzero"`
	Cause   string     `json:"cause,omitempty"`   // code of the operator's: no personal data
	Upgrade string     `json:"upgrade,omitempty"` // what let it resume
	Head    audit.Head `json:"head"`

	version int64
}

const (
	haltChain  = "halt"
	haltSchema = 1
	// haltFresh is how old what an instance knows of the switch may be.
	haltFresh = 5 * time.Second
)

var haltRef = table.Ref{Table: table.State, Key: table.Key{Partition: "halt", Sort: "-"}}

// haltCache is what this instance knows of the switch.
type haltCache struct {
	mu   sync.Mutex
	halt Halt
	at   time.Time // when it was read; zero: never
}

func (c *haltCache) get(now time.Time) (Halt, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	age := now.Sub(c.at)
	return c.halt, !c.at.IsZero() && age >= 0 && age < haltFresh
}

// put keeps what was read at an instant, unless something newer is known.
func (c *haltCache) put(h Halt, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h.version >= c.halt.version {
		c.halt, c.at = h, at
	}
}

var code = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/+-]{0,99}$`)

// Halt stops collection and processing until Resume. While it is on nothing is
// granted or imported and no purpose is allowed but what is always sent; refusals,
// withdrawals, opt-outs and signals are taken as ever.
func (s *Service) Halt(ctx context.Context, by operator.Identity, cause string) (Halt, error) {
	if !code.MatchString(cause) {
		return Halt{}, fault.Input(fault.Field{Pointer: "/cause", Text: "must be a short code such as CVE-2026-1234: letters, digits and . _ : / + - only, nothing about a person"})
	}
	return s.turn(ctx, by, "halted", audit.Fact{Name: "cause", Value: cause}, func(h *Halt, now time.Time) bool {
		if h.On {
			return false
		}
		h.On, h.Since, h.Cause, h.Upgrade = true, now, cause, ""
		return true
	})
}

// Resume ends a halt once the upgrade is recorded.
func (s *Service) Resume(ctx context.Context, by operator.Identity, upgrade string) (Halt, error) {
	if !code.MatchString(upgrade) {
		return Halt{}, fault.Input(fault.Field{Pointer: "/upgrade", Text: "must name what was installed, such as openssl-3.5.4: letters, digits and . _ : / + - only"})
	}
	return s.turn(ctx, by, "resumed", audit.Fact{Name: "upgrade", Value: upgrade}, func(h *Halt, now time.Time) bool {
		if !h.On {
			return false
		}
		h.On, h.Since, h.Upgrade = false, now, upgrade
		return true
	})
}

// turn changes the switch; turned as it is already, nothing is recorded.
func (s *Service) turn(ctx context.Context, by operator.Identity, action string, fact audit.Fact, change func(*Halt, time.Time) bool) (Halt, error) {
	commit := table.NewID()
	for try := range conflictTries {
		h, err := s.loadHalt(ctx)
		if err != nil {
			return Halt{}, unavailable(err)
		}
		now := s.now()
		if !change(&h, now) {
			s.halted.put(h, now)
			return h, nil
		}
		var e audit.Entry
		e, h.Head = h.Head.Append(audit.Entry{
			Chain: haltChain, At: now, Actor: by.Actor(), Action: action, Commit: string(commit), Facts: []audit.Fact{fact},
		})
		body, err := json.Marshal(h)
		if err != nil {
			return Halt{}, fmt.Errorf("encode the halt switch: %w", err)
		}
		condition := table.New
		if h.version > 0 {
			condition = table.Version(h.version)
		}
		err = s.Table.Commit(ctx, commit,
			table.Put(table.State, table.Item{Key: haltRef.Key, Body: body, Schema: haltSchema}, condition),
			table.Put(table.Audit, table.Item{
				Key: entryKey(haltChain, e.Seq), Body: e.Encode(), Schema: haltSchema, Expires: s.Policy.Retention.Audit.After(now),
			}, table.New))
		if err == nil {
			h.version++
			s.halted.put(h, now)
			return h, nil
		}
		if !errors.Is(err, table.ErrConflict) {
			return Halt{}, unavailable(err)
		}
		if err := table.Sleep(ctx, table.Pause(try)); err != nil {
			return Halt{}, err
		}
	}
	return Halt{}, ErrBusy
}

func (s *Service) loadHalt(ctx context.Context) (Halt, error) {
	item, err := s.Table.Get(ctx, haltRef)
	if errors.Is(err, table.ErrAbsent) {
		return Halt{}, nil
	}
	if err != nil {
		return Halt{}, fmt.Errorf("load the halt switch: %w", err)
	}
	h := Halt{version: item.Version}
	if err := json.Unmarshal(item.Body, &h); err != nil || item.Schema != haltSchema {
		return Halt{}, errors.New("consent: the halt switch is stored in an unknown form")
	}
	return h, nil
}

// Halted returns the switch; it may be five seconds old. If it cannot be read,
// nobody is told that nothing is halted.
func (s *Service) Halted(ctx context.Context) (Halt, error) {
	now := s.now()
	if h, fresh := s.halted.get(now); fresh {
		return h, nil
	}
	h, err := s.loadHalt(ctx)
	if err != nil {
		return Halt{}, unavailable(err)
	}
	s.halted.put(h, now)
	return h, nil
}
