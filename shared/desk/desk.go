// Package desk joins the services of the domain into one: who tells whom, and what
// all of them stand on. A function of the topology and a run on a laptop are built
// from the same desk, so that what is joined in one is joined in the other.
//
// It holds no rule and no adapter: those are handed to it. boot and infra/local
// import it, and job and httpapi, which work with it.
package desk

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/bulletin"
	"rightsdesk/shared/checkpoint"
	"rightsdesk/shared/closure"
	"rightsdesk/shared/consent"
	"rightsdesk/shared/digest"
	"rightsdesk/shared/edition"
	"rightsdesk/shared/erasure"
	"rightsdesk/shared/export"
	"rightsdesk/shared/hold"
	"rightsdesk/shared/intake"
	"rightsdesk/shared/lifecycle"
	"rightsdesk/shared/mail"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/request"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/retention"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

// Ground is what every service stands on.
type Ground struct {
	Table   table.Table
	Policy  *policy.Policy
	Now     func() time.Time
	BaseURL string // of links in mails and pages, without a slash at the end
	Log     *slog.Logger
	// Shut, if not nil, is why nobody but operators is served: the installation is not
	// open. The fault is edition.ErrNotOpen.
	Shut error
}

// Desk is every service of the domain, joined.
type Desk struct {
	Ground

	Requests  *request.Service
	Consents  *consent.Service
	Closures  *closure.Service
	Holds     *hold.Service
	Retention *retention.Service
	Erasure   *erasure.Service
	Restore   *restore.Service
	Intake    *intake.Service
	Lifecycle *lifecycle.Service
	Digest    *digest.Book
	Editions  *edition.Book
	Sealing   *checkpoint.Service
	Bulletin  *bulletin.Publisher

	recorders []Recorder
	seals     bool
}

// Recorder is told of new entries of the audit, once they are committed. What it
// could not take it is told again, and it may be told twice, late and in any order.
type Recorder func(context.Context, []audit.Entry) error

// New joins the services. Without the key ring, sources and so on they do what
// needs none of them: see Open, Reach, Send, Keep and WakeBy.
func New(g Ground) *Desk {
	keys := seal.Keys{Table: g.Table}
	d := &Desk{
		Ground:    g,
		Requests:  &request.Service{Table: g.Table, Keys: keys, Policy: g.Policy, Now: g.Now, BaseURL: g.BaseURL, Log: g.Log},
		Consents:  &consent.Service{Table: g.Table, Keys: keys, Policy: g.Policy, Now: g.Now, BaseURL: g.BaseURL, Log: g.Log},
		Closures:  &closure.Service{Table: g.Table, Keys: keys, Policy: g.Policy, Now: g.Now, BaseURL: g.BaseURL, Log: g.Log},
		Holds:     &hold.Service{Table: g.Table, Policy: g.Policy, Now: g.Now, Log: g.Log},
		Retention: &retention.Service{Table: g.Table, Keys: keys, Policy: g.Policy, Now: g.Now, Log: g.Log},
		Erasure:   &erasure.Service{Table: g.Table, Keys: keys, Policy: g.Policy, Now: g.Now, Log: g.Log},
		Restore:   &restore.Service{Table: g.Table, Policy: g.Policy, Now: g.Now, Log: g.Log},
		Intake:    &intake.Service{Table: g.Table, Policy: g.Policy, Now: g.Now},
		Lifecycle: &lifecycle.Service{Table: g.Table, Keys: keys, Policy: g.Policy, Now: g.Now, Log: g.Log},
		Digest:    &digest.Book{Table: g.Table, Policy: g.Policy, Now: g.Now, BaseURL: g.BaseURL, Log: g.Log},
		Editions:  &edition.Book{Table: g.Table, Now: g.Now, Log: g.Log},
		Sealing:   &checkpoint.Service{Table: g.Table, Policy: g.Policy, Now: g.Now, BaseURL: g.BaseURL, Log: g.Log},
		Bulletin:  &bulletin.Publisher{Table: g.Table, Now: g.Now, Log: g.Log},
	}
	d.Requests.Choices, d.Requests.Ledger, d.Requests.Holds, d.Requests.Digest = d.Consents, d.Erasure, d.Holds, d.Digest
	d.Requests.Heads, d.Requests.Seals = d.heads, func() request.Seals { return d.Sealing.Look() }
	d.Sealing.Shortest = d.Editions.ShortestAudit
	d.Closures.Work, d.Closures.Lives = d.Requests, d.Lifecycle
	d.Consents.Lives = d.Lifecycle
	d.Lifecycle.Underway = d.Closures.Underway
	d.Lifecycle.Work, d.Lifecycle.Rules, d.Lifecycle.Intake = d.Requests, d.Retention, d.Intake
	d.Holds.Requests, d.Holds.Digest = d.Requests, d.Digest
	d.Retention.Digest = d.Digest
	d.Erasure.Choices, d.Erasure.Held, d.Erasure.Digest = d.Consents, d.held, d.Digest
	d.Erasure.Unsettled = []func(context.Context, string) (bool, error){d.Requests.Unsettled, d.Closures.Unsettled, d.Lifecycle.Unsettled}
	d.Restore.Folders = []restore.Folder{d.Requests, d.Consents, d.Closures, d.Holds, d.Erasure, d.Retention, d.Lifecycle, d.Digest, d.Sealing, d.Editions}
	d.Restore.Ledger, d.Restore.Sources = d.Erasure, d.Retention
	return d
}

// heads are the audit chains of whatever stands under a key of the due-index, or, for
// the zero Key, of what is in no index.
func (d *Desk) heads(ctx context.Context, k table.Key) ([]audit.Chain, error) {
	var all []audit.Chain
	for _, of := range []func(context.Context, table.Key) ([]audit.Chain, error){
		d.Consents.Heads, d.Closures.Heads, d.Holds.Heads, d.Retention.Heads, d.Erasure.Heads, d.Restore.Heads, d.Lifecycle.Heads, d.Editions.Heads, d.Sealing.Heads,
	} {
		chains, err := of(ctx, k)
		if err != nil {
			return nil, err
		}
		all = append(all, chains...)
	}
	return all, nil
}

func (d *Desk) held(ctx context.Context, id seal.Identifier) (bool, []table.Write, error) {
	unless, err := hold.Checks(ctx, d.Holds.Table, hold.Person(id))
	if errors.Is(err, hold.ErrHeld) {
		return true, nil, nil
	}
	return false, unless, err
}

// Follow has every service go by another policy. Nobody may work with the desk
// meanwhile.
func (d *Desk) Follow(pol *policy.Policy) {
	d.Policy = pol
	d.Requests.Policy, d.Consents.Policy, d.Closures.Policy, d.Holds.Policy, d.Retention.Policy = pol, pol, pol, pol, pol
	d.Erasure.Policy, d.Restore.Policy, d.Intake.Policy, d.Lifecycle.Policy, d.Digest.Policy, d.Sealing.Policy = pol, pol, pol, pol, pol, pol
}

// Open gives every service the key ring.
func (d *Desk) Open(ring *seal.Ring) {
	for _, keys := range []*seal.Keys{&d.Requests.Keys, &d.Consents.Keys, &d.Closures.Keys, &d.Retention.Keys, &d.Erasure.Keys, &d.Lifecycle.Keys} {
		keys.Ring = ring
	}
	d.Holds.Ring = ring
}

// Opened reports whether there is a key ring.
func (d *Desk) Opened() bool { return d.Requests.Keys.Ring != nil }

// Reach gives the data stores, by their ids in the policy, to those who ask them.
func (d *Desk) Reach(sources map[string]source.Source) {
	d.Requests.Sources, d.Consents.Sources, d.Retention.Sources = sources, sources, sources
}

// Reaches reports whether the data stores can be asked.
func (d *Desk) Reaches() bool { return d.Requests.Sources != nil && d.Consents.Sources != nil }

// Send gives the mail service to those who write.
func (d *Desk) Send(by mail.Sender) {
	d.Requests.Mail, d.Consents.Mail, d.Closures.Mail, d.Digest.Mail = by, by, by, by
}

// Sends reports whether mail can be sent.
func (d *Desk) Sends() bool { return d.Requests.Mail != nil }

// Keep gives the store of packages, and who makes links into it.
func (d *Desk) Keep(in export.Store, links export.Signer) {
	d.Requests.Exports, d.Requests.Downloads = in, links
}

// ProveBy gives the vault that somebody seals the audit in, and who can check its
// checkpoints, to those who ask what was sealed.
func (d *Desk) ProveBy(vault checkpoint.Vault, by checkpoint.Signer) {
	d.Sealing.Vault, d.Sealing.Signer = vault, by
}

// Proves reports whether what was sealed can be asked about.
func (d *Desk) Proves() bool { return d.Sealing.Vault != nil }

// SealIn is ProveBy for who also seals: every new entry of the audit that is told of.
func (d *Desk) SealIn(vault checkpoint.Vault, by checkpoint.Signer) {
	d.ProveBy(vault, by)
	d.Records(d.Sealing.Record)
	d.seals = true
}

// Seals reports whether the audit can be sealed.
func (d *Desk) Seals() bool { return d.seals }

// TellOn gives the bus that the company's own systems listen to.
func (d *Desk) TellOn(bus bulletin.Bus) {
	d.Bulletin.Bus = bus
	d.Records(d.Bulletin.Record)
}

// WakeBy gives the way in which somebody is told that there is work about an item.
// What it loses, the next sweep finds.
func (d *Desk) WakeBy(hint func(ctx context.Context, about table.Key)) {
	d.Requests.Wake = func(ctx context.Context, id request.ID) { hint(ctx, id.Ref().Key) }
	d.Consents.Wake, d.Closures.Wake, d.Lifecycle.Wake = hint, d.Requests.Wake, d.Requests.Wake
}

// Wakes reports whether anybody can be told.
func (d *Desk) Wakes() bool { return d.Requests.Wake != nil }

// Announces reports whether what stands under a key may have promised to say
// something.
func (d *Desk) Announces(k table.Key) bool { return d.announcer(k) != nil }

// Announce says what the item under a key promised.
func (d *Desk) Announce(ctx context.Context, k table.Key) error { return d.announcer(k)(ctx, k) }

func (d *Desk) announcer(k table.Key) func(context.Context, table.Key) error {
	if id, ok := request.IDOf(k); ok {
		return func(ctx context.Context, _ table.Key) error { return d.Requests.Announce(ctx, id) }
	}
	switch {
	case consent.IsKey(k):
		return d.Consents.Announce
	case closure.IsKey(k):
		return d.Closures.Announce
	}
	return nil
}

// Work does what there is to do about the item that a hint names, as Hint spelled it.
func (d *Desk) Work(ctx context.Context, hint string) error {
	if k, ok := consent.KeyOf(hint); ok {
		return d.Consents.Tell(ctx, k)
	}
	return d.Requests.Work(ctx, request.ID(hint))
}

// Hint is how an item that has work travels in a queue.
func Hint(k table.Key) string {
	if id, ok := request.IDOf(k); ok {
		return string(id)
	}
	return consent.Hint(k)
}

// Records lets somebody hear of every new entry of the audit.
func (d *Desk) Records(by Recorder) { d.recorders = append(d.recorders, by) }

// Record tells all who asked of new entries of the audit. One who fails does not keep
// the others from hearing; the error says that all are to be told again.
func (d *Desk) Record(ctx context.Context, entries []audit.Entry) error {
	var errs []error
	for _, tell := range d.recorders {
		errs = append(errs, tell(ctx, entries))
	}
	return errors.Join(errs...)
}
