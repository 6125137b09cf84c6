package restore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

// Service replays the audit. Its functions may read whole tables.
type Service struct {
	Table  table.Table
	Policy *policy.Policy
	Now    func() time.Time

	Folders []Folder
	// Recount rebuilds what is derived of several aggregates at once, the fences of
	// legal holds, and returns how many were wrong. Nil: there is nothing.
	Recount func(ctx context.Context) (int, error)
	Ledger  Ledger
	Sources Walker
	Log     *slog.Logger
}

// Run is one replay.
type Run struct {
	ID      string    `json:"id,omitempty"`
	By      string    `json:"by,omitempty"` // actor
	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	Phase   Phase     `json:"phase,omitempty"`
	Report  Report    `json:"report,omitzero"`

	Cursor string     `json:"cursor,omitempty"` // of the phase
	Last   string     `json:"last,omitempty"`   // the chain that the page before ended in
	Places []Place    `json:"places,omitempty"` // of the ledger
	At     int        `json:"place,omitempty"`  // the one that is walked
	After  time.Time  `json:"after,omitzero"`   // when it can go on, if it cannot now
	Lease  time.Time  `json:"lease,omitzero"`
	Token  string     `json:"token,omitempty"`
	Head   audit.Head `json:"head"`

	version int64
}

// Phase is what a replay is doing. The comment says what comes of it.
type Phase string

// The phases, in their order.
const (
	Chains  Phase = "chains"  // every aggregate is where its chain ends
	Orphans Phase = "orphans" // nothing stands without its aggregate
	Fences  Phase = "fences"  // legal holds hold
	Sources Phase = "sources" // who was erased is gone from the sources as well
	Ended   Phase = "ended"
)

// Report is what a replay found and did. It holds nothing personal.
type Report struct {
	Chains   int            `json:"chains"`
	Entries  int            `json:"entries"`
	Advanced int            `json:"advanced"`
	Remade   int            `json:"remade"`
	Salts    int            `json:"salts"`   // destroyed again
	Orphans  int            `json:"orphans"` // removed
	Fences   int            `json:"fences"`  // that were wrong
	Ahead    int            `json:"ahead"`   // aggregates that remembered what the audit does not have
	Lost     []string       `json:"lost"`    // chains whose aggregate cannot be made from them
	Broken   []string       `json:"broken"`  // chains that do not verify, and where
	Missing  map[string]int `json:"missing"` // what could not be rebuilt of others, by code
	Unknown  map[string]int `json:"unknown"` // chains that nobody rebuilds, by kind
	Sources  []Swept        `json:"sources"`
	More     int            `json:"more,omitempty"` // lost and broken chains beyond those that are listed
}

// Swept is what became of one place.
type Swept struct {
	Place
	Seen   int    `json:"seen"`
	Erased int    `json:"erased"`
	Held   int    `json:"held,omitempty"`
	ByHand bool   `json:"by_hand,omitempty"` // no program walks it: its team has to
	Fault  string `json:"fault,omitempty"`   // why it does not go on, if it does not
}

// Faults that callers meet.
var (
	ErrForbidden = fault.New(fault.Forbidden, "role_needed", "Your role does not allow this; somebody with the role handler can do it.")
	ErrNotFound  = fault.New(fault.NotFound, "replay_not_found", "There was no replay yet.")
	ErrBusy      = fault.New(fault.Unavailable, "try_again", "Somebody else starts a replay; try the same call again in a moment.")
)

const (
	runSchema = 1
	chain     = "replay"
	// leaseFor is how long a worker is left alone with a page. Two who do the same one
	// only do it twice.
	leaseFor = 2 * time.Minute
	// pageOf is how many entries are looked at between two savings.
	pageOf    = 200
	maxListed = 500
)

var runRef = table.Ref{Table: table.State, Key: table.Key{Partition: chain, Sort: "-"}}

// IsKey reports whether a key of the due-index is the replay's.
func IsKey(k table.Key) bool { return k == runRef.Key }

// now is the time in the precision that is stored.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

// Start begins a replay. If one goes on, it returns that one.
func (s *Service) Start(ctx context.Context, by operator.Identity) (Run, error) {
	if !by.May(operator.Handler) {
		return Run{}, ErrForbidden
	}
	commit := table.NewID()
	r, err := s.load(ctx)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Run{}, err
	}
	if r.Phase != "" && r.Phase != Ended {
		return r, nil
	}
	// The item may be restored too: what the chain says counts.
	entries, _, err := s.entries(ctx, chain)
	if err != nil {
		return Run{}, err
	}
	now := s.now()
	next := Run{ID: strings.ToLower(string(commit)), By: by.Actor(), Started: now, Phase: Chains, Head: TailOf(r.Head, entries).End, version: r.version}
	saved, err := s.enter(ctx, commit, next, by.Actor(), "started")
	if errors.Is(err, table.ErrConflict) {
		return Run{}, ErrBusy.Because(err)
	}
	return saved, err
}

// Show returns the latest replay.
func (s *Service) Show(ctx context.Context, by operator.Identity) (Run, error) {
	if !by.May(operator.Handler) && !by.May(operator.Auditor) {
		return Run{}, ErrForbidden
	}
	return s.load(ctx)
}

// Pending reports whether a replay has been started and has not ended: until then
// legal holds may be missing, and nothing that cannot be had back should be done.
func (s *Service) Pending(ctx context.Context) (bool, error) {
	r, err := s.load(ctx)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && r.Phase != Ended, err
}

// Heads returns the replay's own chain, for its verification, where its key is asked
// about, or the zero Key.
func (s *Service) Heads(ctx context.Context, k table.Key) ([]audit.Chain, error) {
	if k != (table.Key{}) {
		return nil, nil
	}
	r, err := s.load(ctx)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return []audit.Chain{{Name: chain, Head: r.Head}}, err
}

func (s *Service) load(ctx context.Context) (Run, error) {
	item, err := s.Table.Get(ctx, runRef)
	if errors.Is(err, table.ErrAbsent) {
		return Run{}, ErrNotFound
	}
	if err != nil {
		return Run{}, fmt.Errorf("load the replay: %w", err)
	}
	r := Run{version: item.Version}
	if err := json.Unmarshal(item.Body, &r); err != nil || item.Schema != runSchema {
		return Run{}, fmt.Errorf("restore: the replay has schema %d, this version reads %d", item.Schema, runSchema)
	}
	return r, nil
}

// put is the write of a run as it is.
func (r Run) put(now time.Time) (table.Write, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return table.Write{}, fmt.Errorf("encode the replay: %w", err)
	}
	item := table.Item{Key: runRef.Key, Schema: runSchema, Body: body}
	if r.Phase != Ended {
		item.Due = now
		if r.After.After(now) {
			item.Due = r.After
		}
	}
	if r.version == 0 {
		return table.Put(table.State, item, table.New), nil
	}
	return table.Put(table.State, item, table.Version(r.version)), nil
}

// enter saves a run with an entry of its chain.
func (s *Service) enter(ctx context.Context, commit table.ID, r Run, actor, action string, facts ...audit.Fact) (Run, error) {
	now := s.now()
	var e audit.Entry
	e, r.Head = r.Head.Append(audit.Entry{
		Chain: chain, At: now, Actor: actor, Action: action, Commit: string(commit),
		Facts: append([]audit.Fact{{Name: "run", Value: r.ID}}, facts...),
	})
	put, err := r.put(now)
	if err != nil {
		return Run{}, err
	}
	err = s.Table.Commit(ctx, commit, put, table.Put(table.Audit, table.Item{
		Key: EntryKey(chain, e.Seq), Schema: runSchema, Body: e.Encode(), Expires: s.Policy.Retention.Audit.After(now),
	}, table.New))
	if err != nil {
		return Run{}, err
	}
	r.version++
	return r, nil
}

// keep saves progress.
func (s *Service) keep(ctx context.Context, r Run) (Run, error) {
	put, err := r.put(s.now())
	if err != nil {
		return Run{}, err
	}
	if err := s.Table.Commit(ctx, table.NewID(), put); err != nil {
		return Run{}, err
	}
	r.version++
	return r, nil
}

// Act goes on with the replay under a key, page by page, until it is over or the
// context ends. The page under way is still finished. Killed anywhere it is gone on
// with by the next call.
func (s *Service) Act(until context.Context, key table.Key) error {
	ctx := context.WithoutCancel(until)
	token := string(table.NewID())
	r, err := s.load(ctx)
	if errors.Is(err, ErrNotFound) || !IsKey(key) {
		return nil
	}
	if err != nil {
		return err
	}
	for more := true; more && until.Err() == nil && r.Phase != Ended; {
		now := s.now()
		if r.After.After(now) || r.Token != token && r.Lease.After(now) {
			return nil // not yet, or another worker is at it
		}
		r.Token, r.Lease = token, now.Add(leaseFor)
		if r, err = s.keep(ctx, r); errors.Is(err, table.ErrConflict) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("claim a page of the replay: %w", err)
		}
		var next Run
		if next, more, err = s.page(until, r); err != nil {
			return fmt.Errorf("replay, %s: %w", r.Phase, err)
		}
		if next.Phase == Ended {
			next.Ended, next.Lease, next.Token, next.After = s.now(), time.Time{}, "", time.Time{}
			r, err = s.enter(ctx, table.NewID(), next, Actor, "ended", next.Report.facts()...)
		} else {
			r, err = s.keep(ctx, next)
		}
		if errors.Is(err, table.ErrConflict) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("keep a page of the replay: %w", err)
		}
	}
	if r.Token != token || r.Phase == Ended {
		return nil
	}
	r.Token, r.Lease = "", time.Time{}
	if _, err := s.keep(ctx, r); err != nil && !errors.Is(err, table.ErrConflict) {
		return fmt.Errorf("give the replay back: %w", err)
	}
	return nil
}

// facts tell what a replay did.
func (r Report) facts() []audit.Fact {
	n := func(name string, n int) audit.Fact { return audit.Fact{Name: name, Value: strconv.Itoa(n)} }
	erased := 0
	for _, w := range r.Sources {
		erased += w.Erased
	}
	return []audit.Fact{
		n("chains", r.Chains), n("advanced", r.Advanced), n("remade", r.Remade), n("lost", len(r.Lost)), n("broken", len(r.Broken)),
		n("salts", r.Salts), n("erased", erased),
	}
}

// page does one page of the phase that a run is in, and returns the run after it, and
// whether it can go on now.
func (s *Service) page(until context.Context, r Run) (next Run, more bool, err error) {
	ctx := context.WithoutCancel(until)
	// A page that is done again must not count into what the first try counts into.
	r.Report.Missing, r.Report.Unknown = maps.Clone(r.Report.Missing), maps.Clone(r.Report.Unknown)
	r.Report.Lost, r.Report.Broken = slices.Clone(r.Report.Lost), slices.Clone(r.Report.Broken)
	r.Report.Sources, r.Places = slices.Clone(r.Report.Sources), slices.Clone(r.Places)
	switch r.Phase {
	case Chains:
		next, err = s.chains(ctx, r)
	case Orphans:
		next, err = s.orphans(ctx, r)
	case Fences:
		next, err = s.fences(ctx, r)
	case Sources:
		return s.sources(until, r)
	case Ended:
		next = r
	}
	return next, true, err
}

// chains rebuilds the aggregates whose chains begin on one page of the audit.
func (s *Service) chains(ctx context.Context, r Run) (Run, error) {
	page, err := s.Table.Scan(ctx, table.Scan{Table: table.Audit, Limit: pageOf, Cursor: r.Cursor})
	if err != nil {
		return r, fmt.Errorf("read the audit: %w", err)
	}
	for _, item := range page.Items {
		name := item.Key.Partition
		if name == chain || name == r.Last {
			continue
		}
		// Each entry comes once, so each chain is met once by its first one.
		if first, err := s.first(ctx, item.Key); err != nil || !first {
			if err != nil {
				return r, err
			}
			continue
		}
		r.Last = name
		if err := s.rebuild(ctx, &r, name); err != nil {
			return r, fmt.Errorf("rebuild %s: %w", name, err)
		}
	}
	if r.Cursor = page.Cursor; r.Cursor == "" {
		r.Phase, r.Last = Orphans, ""
	}
	return r, nil
}

// first reports whether an entry is the first that is left of its chain.
func (s *Service) first(ctx context.Context, k table.Key) (bool, error) {
	if k == EntryKey(k.Partition, 1) {
		return true, nil
	}
	page, err := s.Table.Query(ctx, table.Query{Table: table.Audit, Partition: k.Partition, Limit: 1})
	if err != nil {
		return false, fmt.Errorf("read chain %s: %w", k.Partition, err)
	}
	return len(page.Items) == 0 || page.Items[0].Key == k, nil
}

// rebuild has one aggregate rebuilt.
func (s *Service) rebuild(ctx context.Context, r *Run, name string) error {
	r.Report.Chains++
	i := slices.IndexFunc(s.Folders, func(f Folder) bool { return f.Chain(name) })
	if i < 0 {
		kind, _, _ := strings.Cut(name, "#")
		r.Report.Unknown = count(r.Report.Unknown, kind)
		return nil
	}
	entries, broken, err := s.entries(ctx, name)
	if err != nil {
		return err
	}
	r.Report.Entries += len(entries)
	if broken != nil {
		r.list(&r.Report.Broken, fmt.Sprintf("%s at %d: %s", name, broken.Seq, broken.Why))
	}
	if len(entries) == 0 {
		return nil
	}
	o, err := s.Folders[i].Restore(ctx, name, entries)
	if err != nil {
		return err
	}
	switch o.What {
	case Advanced:
		r.Report.Advanced++
	case Remade:
		r.Report.Remade++
	case Lost:
		r.list(&r.Report.Lost, name)
	case Stood, Over:
	}
	if o.Ahead > 0 {
		r.Report.Ahead++
	}
	for _, what := range o.Missing {
		r.Report.Missing = count(r.Report.Missing, what)
	}
	r.Report.Salts += o.Salts
	for _, p := range o.Places {
		if !slices.Contains(r.Places, p) {
			r.Places = append(r.Places, p)
		}
	}
	return nil
}

// list adds a line to what is listed, while there is room.
func (r *Run) list(to *[]string, line string) {
	if len(*to) >= maxListed {
		r.Report.More++
		return
	}
	*to = append(*to, line)
}

func count(m map[string]int, what string) map[string]int {
	if m == nil {
		m = map[string]int{}
	}
	m[what]++
	return m
}

// entries reads what is left of a chain. Where an entry does not follow from the one
// before, it says so: what stands in the audit is all there is, and is used.
func (s *Service) entries(ctx context.Context, name string) (list []audit.Entry, broken *audit.Break, err error) {
	q := table.Query{Table: table.Audit, Partition: name}
	for {
		page, err := s.Table.Query(ctx, q)
		if err != nil {
			return nil, nil, fmt.Errorf("read chain %s: %w", name, err)
		}
		for _, item := range page.Items {
			e, err := audit.Decode(item.Body)
			if err != nil || e.Chain != name || item.Key != EntryKey(name, e.Seq) {
				broken = firstOf(broken, &audit.Break{Chain: name, Seq: int64(len(list)) + 1, Why: "an entry cannot be read"})
				continue
			}
			if n := len(list); n > 0 && (list[n-1].Seq+1 != e.Seq || list[n-1].Hash() != e.Prev) || n == 0 && e.Seq == 1 && e.Prev != (audit.Hash{}) {
				broken = firstOf(broken, &audit.Break{Chain: name, Seq: e.Seq, Why: "it does not follow from the entry before"})
			}
			list = append(list, e)
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return list, broken, nil
		}
	}
}

func firstOf(a, b *audit.Break) *audit.Break {
	if a != nil {
		return a
	}
	return b
}

// orphans removes what a torn copy brought back without its aggregate.
func (s *Service) orphans(ctx context.Context, r Run) (Run, error) {
	page, err := s.Table.Scan(ctx, table.Scan{Table: table.State, Limit: pageOf, Cursor: r.Cursor})
	if err != nil {
		return r, fmt.Errorf("read the state: %w", err)
	}
	for _, item := range page.Items {
		for _, f := range s.Folders {
			w, ok := f.(Sweeper)
			if !ok {
				continue
			}
			gone, err := w.Orphan(ctx, item.Key)
			if err != nil {
				return r, err
			}
			if gone {
				r.Report.Orphans++
			}
		}
	}
	if r.Cursor = page.Cursor; r.Cursor == "" {
		r.Phase = Fences
	}
	return r, nil
}

func (s *Service) fences(ctx context.Context, r Run) (Run, error) {
	if s.Recount != nil {
		n, err := s.Recount(ctx)
		if err != nil {
			return r, err
		}
		r.Report.Fences += n
	}
	r.Phase = Sources
	slices.SortFunc(r.Places, func(a, b Place) int { return strings.Compare(a.text(), b.text()) })
	return r, nil
}

func (p Place) text() string { return p.Source + "\n" + p.Category + "\n" + string(p.Verb) }
