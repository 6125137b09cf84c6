package consent

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/restore"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

var _ restore.Folder = (*Service)(nil)

// What a rebuilding may have to tell that it could not bring back.
const (
	missingAsk     = "pending_consent" // it waited for a mail's button: it has to be asked for again
	missingTelling = "untold_source"   // a source may not have heard of a choice, and whom to name is not known
	missingWording = "wording"         // the words that an app had shown
)

// Chain implements restore.Folder.
func (s *Service) Chain(name string) bool {
	return name == haltChain || strings.HasPrefix(name, ChainOf(""))
}

// Restore implements restore.Folder. What stands is folded from the entries: who
// chose what, when, and what stops or suppresses mail. An address, and what waits
// to be told, is sealed and in no entry: as far as the copy has them they stay.
func (s *Service) Restore(ctx context.Context, chain string, entries []audit.Entry) (restore.Outcome, error) {
	return restore.Deciding(ctx, func(commit table.ID) (restore.Outcome, error) {
		return s.restore(ctx, chain, entries, commit)
	})
}

func (s *Service) restore(ctx context.Context, chain string, entries []audit.Entry, commit table.ID) (restore.Outcome, error) {
	if chain == haltChain {
		return s.restoreHalt(ctx, entries, commit)
	}
	f, err := s.rebuilt(ctx, chain, entries)
	if err != nil {
		return restore.Outcome{}, err
	}
	out := restore.Outcome{What: restore.Stood, Ahead: f.tail.Ahead, Missing: f.missing}
	switch {
	case f.absorbed: // whoever it became part of has it
		return restore.Outcome{What: restore.Over}, nil
	case f.over():
		return restore.Outcome{What: restore.Over}, s.unmake(ctx, f)
	case f.tail.Stands() && !f.torn():
		return out, nil
	case f.found:
		out.What = restore.Advanced
	default:
		out.What = restore.Remade
	}
	d := &draft{Subject: f.Subject, commit: commit, at: s.now(), actor: restore.Actor}
	e, head := f.tail.Entry(chain, f.from, d.at, commit)
	d.Head, d.entries = head, []audit.Entry{e}
	d.adopts = map[seal.Identifier]table.Precondition{}
	for _, id := range d.Identifiers {
		d.adopts[id] = f.items[id].condition()
	}
	if err := s.join(ctx, d, f); err != nil {
		return out, err
	}
	lost, err := s.heal(ctx, d, f)
	if err != nil {
		return out, err
	}
	if lost {
		out.Missing = append(out.Missing, missingWording)
	}
	if d.untold(s.Policy, f.tail.News) {
		out.Missing = append(out.Missing, missingTelling)
	}
	_, err = s.save(ctx, d)
	if err != nil && !errors.Is(err, table.ErrConflict) {
		err = fmt.Errorf("rebuild what somebody chose: %w", err)
	}
	return out, err
}

// stored is what stands under one identifier.
type stored struct {
	version int64
	body    []byte
	sub     Subject
}

func (i stored) condition() table.Precondition {
	if i.version == 0 {
		return table.New
	}
	return table.Version(i.version)
}

// folded is a subject as its chain says it is.
type folded struct {
	Subject
	from     audit.Head // of the newest copy of it that was found
	found    bool       // there was one
	copy     Subject    // that one
	tail     restore.Tail
	absorbed bool // it became part of another
	forgot   bool // the last that is told of it is that it was forgotten
	items    map[seal.Identifier]stored
	missing  []string
}

// over reports whether nothing is left of a subject, and it is not kept either.
func (f folded) over() bool {
	return f.bare() && (f.forgot || len(f.Identifiers) <= 1 && len(f.Chains) == 0)
}

// torn reports whether the items of a subject are not all the same.
func (f folded) torn() bool {
	var first []byte
	for _, id := range f.Identifiers {
		item := f.items[id]
		if item.version == 0 || item.sub.ID != f.ID || first != nil && !bytes.Equal(item.body, first) {
			return true
		}
		first = item.body
	}
	return false
}

// rebuilt folds a chain onto the newest copy of its subject that stands anywhere.
func (s *Service) rebuilt(ctx context.Context, chain string, entries []audit.Entry) (folded, error) {
	f := folded{items: map[seal.Identifier]stored{}}
	f.ID = strings.TrimPrefix(chain, ChainOf(""))
	ids := identifiersIn(entries)
	for n := 0; n < len(ids); n++ { // a copy may know more identifiers than what is left of the chain
		item, err := s.under(ctx, ids[n])
		if err != nil {
			return f, err
		}
		f.items[ids[n]] = item
		if item.sub.ID != f.ID {
			continue
		}
		if !f.found || item.sub.Head.Seq > f.Head.Seq {
			f.Subject, f.found = item.sub, true
		}
		for _, id := range item.sub.Identifiers {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	f.copy, f.from = f.Subject, f.Head
	f.own()
	f.tail = restore.TailOf(f.Head, entries)
	for _, e := range f.tail.News {
		if err := s.fold(ctx, &f, e); err != nil {
			return f, err
		}
	}
	f.Head = f.tail.End
	f.forgot = len(entries) > 0 && entries[len(entries)-1].Action == actionForgotten
	return f, nil
}

// own gives a subject maps and lists of its own.
func (sub *Subject) own() {
	sub.Purposes, sub.Asks, sub.Stops, sub.Held, sub.Lists = maps.Clone(sub.Purposes), maps.Clone(sub.Asks), maps.Clone(sub.Stops), maps.Clone(sub.Held), maps.Clone(sub.Lists)
	sub.Identifiers = slices.Clone(sub.Identifiers)
}

func (s *Service) under(ctx context.Context, id seal.Identifier) (stored, error) {
	item, err := s.Table.Get(ctx, Ref(id))
	if errors.Is(err, table.ErrAbsent) {
		return stored{}, nil
	}
	if err != nil {
		return stored{}, fmt.Errorf("load what somebody chose: %w", err)
	}
	sub, err := decode(item)
	return stored{version: item.Version, body: item.Body, sub: sub}, err
}

// identifiersIn are those that the entries of a chain were made by or adopt.
func identifiersIn(entries []audit.Entry) (ids []seal.Identifier) {
	for _, e := range entries {
		for _, id := range named(e) {
			if !ended(e) && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// named are the identifiers that an entry names, the one from before first.
func named(e audit.Entry) (ids []seal.Identifier) {
	for _, fact := range []string{factOwn, factID} {
		if id := seal.Identifier(restore.Fact(e, fact)); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// ended reports whether an entry says that its subject became part of another, whose
// identifier it names.
func ended(e audit.Entry) bool {
	return e.Action == actionLinked && restore.Fact(e, factChain) != "" && restore.Fact(e, factHead) == ""
}

// fold brings about what an entry tells of.
func (s *Service) fold(ctx context.Context, f *folded, e audit.Entry) error {
	d := &draft{Subject: f.Subject, at: e.At}
	defer func() { f.Subject = d.Subject }()
	if ended(e) {
		f.absorbed = true
		return nil
	}
	d.meet(e)
	x := entryOf(e)
	switch e.Action {
	case actionAsked:
		d.Mailed++ // no mail from before confirms what is asked for from now on
		f.missing = append(f.missing, missingAsk)
	case string(Granted), string(Denied), string(Withdrawn), actionConfirmed:
		if restore.Fact(e, factEffect) != effectNone {
			s.refold(d, x, e)
		}
	case actionLapsed:
		d.lapsed(keyOf(x.Purpose, x.Act), e)
	case actionStopped, actionStarted:
		d.restop(e, x.At)
	case actionSignalled:
		if stop := policy.Stop(restore.Fact(e, factStop)); d.Stops[stop].IsZero() {
			d.stop(stop, e.At)
		}
	case actionSuppressed:
		d.resuppress(x.Purpose, policy.Stop(restore.Fact(e, factStop)), x.At)
	case actionTold:
		if st, chose := d.Purposes[keyOf(x.Purpose, x.Act)]; chose {
			st.Asked = true
			d.set(keyOf(x.Purpose, x.Act), st)
		}
	case actionPassedOn:
		d.Tellings = slices.DeleteFunc(slices.Clone(d.Tellings), func(t Telling) bool { return toldOf(t, e) })
	case actionForgotten:
		d.forget()
	case actionLinked:
		if chain := restore.Fact(e, factChain); chain != "" {
			return s.reabsorb(ctx, f, d, chain, e)
		}
	}
	if err := d.makeRoom(); err != nil {
		return nil // there was room when it was chosen: a policy with more purposes drops nothing
	}
	return nil
}

// meet takes what an entry says of the person.
func (d *draft) meet(e audit.Entry) {
	for _, id := range named(e) {
		if !slices.Contains(d.Identifiers, id) {
			d.Identifiers = append(d.Identifiers, id)
		}
	}
	speaker, _, _ := strings.Cut(e.Actor, ":")
	trusted := Speaker(speaker) != ByBrowser || !d.Known
	switch kind := personal.Kind(restore.Fact(e, factKind)); {
	case kind == kindNotTold:
	case kind != "":
		d.Known = d.Known || isPerson(kind)
	case Speaker(speaker) != ByBrowser && Speaker(speaker) != ByClock || e.Action == actionAsked:
		d.Known = true // an entry from before kinds were told: two people are rather kept apart
	}
	if place := restore.Fact(e, factResidence); place != "" && trusted {
		d.Residence = place
	}
	if language := restore.Fact(e, factLanguage); language != "" && trusted {
		d.Locale = language
	}
}

// refold makes a choice stand.
func (s *Service) refold(d *draft, x Entry, e audit.Entry) {
	key := keyOf(x.Purpose, x.Act)
	one := choice{Asked: Asked{Purpose: x.Purpose, Act: x.Act, Choice: x.Choice}}
	for _, waits := range one.waiting(d.Subject) {
		if !d.Asks[waits].At.After(x.At) {
			delete(d.Asks, waits)
		}
	}
	st := Standing{Choice: x.Choice, At: x.At, Seq: e.Seq}
	if x.Choice == Granted {
		rule, _ := s.Policy.Consent(x.Purpose)
		st.Edition, st.Until = x.Edition, restore.Time(e, factUntil)
		st.Asked = rule.Expires.IsZero() || len(d.Address) == 0
		if e.Action == actionConfirmed || x.Method != Imported && restore.Fact(e, factMade) == "" {
			delete(d.Lists, key)
		}
	}
	d.set(key, st)
	if x.Act != "" || x.Choice == Granted {
		return
	}
	for _, act := range one.acts(d.Subject) {
		if !d.Purposes[act].At.After(st.At) {
			d.set(act, st)
		}
	}
}

// lapsed ends what the clock ended.
func (d *draft) lapsed(key string, e audit.Entry) {
	if restore.Fact(e, factOf) == actionAsked {
		delete(d.Asks, key)
		return
	}
	if st := d.Purposes[key]; st.Choice == Granted {
		d.set(key, Standing{Choice: Ended, At: st.Until, Seq: e.Seq, Edition: st.Edition})
	}
}

// restop puts a stop on, or takes it off.
func (d *draft) restop(e audit.Entry, at time.Time) {
	stop, on := policy.Stop(restore.Fact(e, factStop)), e.Action == actionStopped
	_, stands := d.Stops[stop]
	d.hold(restore.Fact(e, factRequest), stop, on)
	switch {
	case !on:
		delete(d.Stops, stop)
		d.Held = cloned(d.Held)
		delete(d.Held, stop)
	case !stands:
		d.stop(stop, at)
	}
}

// resuppress ends a list, or all of them. That it had an effect is why there is an entry.
func (d *draft) resuppress(mailing string, stop policy.Stop, at time.Time) {
	if mailing == "" {
		d.stop(stop, later(d.Stops[stop], at))
		return
	}
	if d.Lists == nil {
		d.Lists = map[string]policy.Stop{}
	}
	if d.Lists[mailing] != policy.Complained {
		d.Lists[mailing] = stop
	}
}

// toldOf reports whether an entry tells that a telling is done.
func toldOf(t Telling, e audit.Entry) bool {
	return t.Source == restore.Fact(e, factSource) && string(t.Right) == restore.Fact(e, "right") &&
		t.Purpose == restore.Fact(e, factPurpose) && strconv.FormatBool(t.On) == restore.Fact(e, "on")
}

// reabsorb takes another subject in, as it was when the two were linked.
func (s *Service) reabsorb(ctx context.Context, f *folded, d *draft, chain string, e audit.Entry) error {
	head, ok := headOf(restore.Fact(e, factHead))
	if !ok || slices.ContainsFunc(d.Chains, func(c audit.Chain) bool { return c.Name == chain }) {
		return nil
	}
	entries, err := s.before(ctx, chain, head.Seq)
	if err != nil {
		return err
	}
	other, err := s.rebuilt(ctx, chain, entries)
	if err != nil {
		return err
	}
	f.missing = append(f.missing, other.missing...)
	for id, item := range other.items {
		if _, known := f.items[id]; !known {
			f.items[id] = item
		}
	}
	for _, id := range other.Identifiers {
		if !slices.Contains(d.Identifiers, id) {
			d.Identifiers = append(slices.Clone(d.Identifiers), id)
		}
	}
	d.Chains = append(slices.Clone(d.Chains), append([]audit.Chain{{Name: chain, Head: head}}, other.Chains...)...)
	d.merge(other.Subject, chain, e.Seq)
	return nil
}

// headOf reads a head as link writes it.
func headOf(text string) (audit.Head, bool) {
	number, hash, ok := strings.Cut(text, ":")
	seq, err := strconv.ParseInt(number, 10, 64)
	sum, err2 := hex.DecodeString(hash)
	h := audit.Head{Seq: seq}
	copy(h.Hash[:], sum)
	return h, ok && err == nil && err2 == nil && len(sum) == len(h.Hash)
}

// before reads the entries of a chain before a number.
func (s *Service) before(ctx context.Context, chain string, seq int64) (list []audit.Entry, err error) {
	q := table.Query{Table: table.Audit, Partition: chain}
	for {
		page, err := s.Table.Query(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("read chain %s: %w", chain, err)
		}
		for _, item := range page.Items {
			e, err := audit.Decode(item.Body)
			if err != nil {
				return nil, fmt.Errorf("read an entry of %s: %w", chain, err)
			}
			if e.Seq < seq {
				list = append(list, e)
			}
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return list, nil
		}
	}
}

// join takes in whoever was met under one of the identifiers since the restore, before
// this: the traffic came back too early. Nothing that they chose is lost.
func (s *Service) join(ctx context.Context, d *draft, f folded) error {
	for _, id := range slices.Clone(d.Identifiers) {
		item := f.items[id]
		chain := ChainOf(item.sub.ID)
		if item.version == 0 || item.sub.ID == f.ID || slices.ContainsFunc(d.Chains, func(c audit.Chain) bool { return c.Name == chain }) {
			continue
		}
		entries, err := s.before(ctx, chain, math.MaxInt64)
		if err != nil {
			return err
		}
		other, err := s.rebuilt(ctx, chain, entries)
		if err != nil {
			return err
		}
		if other.absorbed || other.over() {
			continue // there is nothing of them but what a copy brought back: this takes its place
		}
		d.Identifiers = slices.DeleteFunc(slices.Clone(d.Identifiers), func(x seal.Identifier) bool { return slices.Contains(other.Identifiers, x) })
		other.at, other.version = id, item.version
		if err := s.absorb(d, other.Subject); err != nil {
			return err
		}
	}
	return nil
}

// unmake removes what a copy has brought back of somebody about whom nothing is left.
func (s *Service) unmake(ctx context.Context, f folded) error {
	if !f.forgot {
		return nil // what was only forgotten for being empty is, again, when it is due
	}
	var writes []table.Write
	for _, id := range slices.Sorted(maps.Keys(f.items)) {
		if item := f.items[id]; item.sub.ID == f.ID {
			writes = append(writes, table.Delete(Ref(id), item.condition()))
		}
	}
	if len(writes) == 0 {
		return nil
	}
	return unless(s.Table.Commit(ctx, table.NewID(), writes...), "remove what a copy brought back")
}

// heal keeps again what was shown, where the policy in force still has the words, and
// reports whether there are words that nobody has any more.
func (s *Service) heal(ctx context.Context, d *draft, f folded) (lost bool, err error) {
	for _, e := range f.tail.News {
		x := entryOf(e)
		if x.Wording == "" {
			continue
		}
		_, err := s.Table.Get(ctx, wordingRef(x.Wording))
		if err == nil {
			continue
		}
		if !errors.Is(err, table.ErrAbsent) {
			return lost, fmt.Errorf("look for a wording: %w", err)
		}
		rule, _ := s.Policy.Consent(x.Purpose)
		text, language, ok := inForce(rule, x.Wording)
		if !ok {
			lost = true
			continue
		}
		one := choice{Asked: Asked{Purpose: x.Purpose}, hash: x.Wording, shown: Wording{Text: text, Language: language, Purpose: x.Purpose, Policy: x.Policy}}
		if err := s.keepWording(ctx, d, one); err != nil {
			return lost, err
		}
	}
	return lost, nil
}

// untold has the sources told again, that know the person by an identity that the copy
// has, and reports whether there may be others that have not heard.
func (d *draft) untold(p *policy.Policy, news []audit.Entry) bool {
	heard := func(right policy.Right) bool {
		return slices.ContainsFunc(p.Sources, func(src policy.Source) bool { return slices.Contains(src.Hears, right) })
	}
	for _, e := range news {
		right := rightOf[policy.Stop(restore.Fact(e, factStop))]
		if e.Action == string(Withdrawn) || e.Action == string(Denied) {
			right = policy.WithdrawConsent
		}
		silent := restore.Fact(e, factRequest) != "" // the request tells
		told := slices.ContainsFunc(news, func(x audit.Entry) bool {
			return x.Action == actionPassedOn && x.Seq > e.Seq && restore.Fact(x, "right") == string(right)
		})
		if right != "" && !silent && !told && heard(right) {
			return true
		}
	}
	return false
}

// restoreHalt rebuilds the switch.
func (s *Service) restoreHalt(ctx context.Context, entries []audit.Entry, commit table.ID) (restore.Outcome, error) {
	h, err := s.loadHalt(ctx)
	if err != nil {
		return restore.Outcome{}, err
	}
	tail := restore.TailOf(h.Head, entries)
	out := restore.Outcome{What: restore.Stood, Ahead: tail.Ahead}
	if tail.Stands() {
		return out, nil
	}
	pre := table.Version(h.version)
	if out.What = restore.Advanced; h.version == 0 {
		pre, out.What = table.New, restore.Remade
	}
	from, now := h.Head, s.now()
	for _, e := range tail.News {
		switch e.Action {
		case "halted":
			h.On, h.Since, h.Cause, h.Upgrade = true, e.At, restore.Fact(e, "cause"), ""
		case "resumed":
			h.On, h.Since, h.Upgrade = false, e.At, restore.Fact(e, "upgrade")
		}
	}
	var e audit.Entry
	e, h.Head = tail.Entry(haltChain, from, now, commit)
	body, err := json.Marshal(h)
	if err != nil {
		return out, fmt.Errorf("encode the halt switch: %w", err)
	}
	err = s.Table.Commit(ctx, commit,
		table.Put(table.State, table.Item{Key: haltRef.Key, Body: body, Schema: haltSchema}, pre),
		table.Put(table.Audit, table.Item{Key: entryKey(haltChain, e.Seq), Body: e.Encode(), Schema: haltSchema, Expires: s.Policy.Retention.Audit.After(now)}, table.New))
	if err != nil && !errors.Is(err, table.ErrConflict) {
		err = fmt.Errorf("rebuild the halt switch: %w", err)
	}
	return out, err
}
