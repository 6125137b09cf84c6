package company

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
)

// store is one of the two. Its buckets:
//
//	<name>.records  category 0 id                      -> entry
//	<name>.owners   account 0 category 0 at(8) 0 id    -> nothing
//	<name>.emails   address 0 account                  -> nothing; the shop only
//	<name>.ages     category 0 hand(1) at(8) 0 id      -> aged: whether it is archived, and its owner
//	<name>.calls    idempotency key                    -> what the call did
//	<name>.choices  account 0 right 0 purpose          -> Told
//
// The index of owners is in the order of time within a category: a look for what
// is older than a cut-off reads only that, and a page starts where the last one
// ended. The index of ages does the same for what is old of everybody: it has a line
// for each time that a record of the category has. Nothing is counted, nothing is held in memory beyond a page.
type store struct {
	name       string
	categories []string
	knows      []personal.Kind
	db         *bolt.DB
	used       []string // categories of which the store knows when a record was last used
	now        func() time.Time
	journal    bool
}

// entry is a stored record. An anonymised one has no owner, and no index leads to it.
type entry struct {
	Owner    string          `json:"owner,omitempty"`
	At       time.Time       `json:"at"`
	Used     time.Time       `json:"used,omitzero"` // last; zero: not since it was collected
	Archived bool            `json:"archived,omitempty"`
	Fields   json.RawMessage `json:"fields"`
}

// last is when the record was last used.
func (e entry) last() time.Time {
	if e.Used.After(e.At) {
		return e.Used
	}
	return e.At
}

// place is where a record is: its line in the index of owners.
type place struct {
	owner, category, id string
	at                  time.Time
}

func (p place) index() []byte {
	b := append([]byte(p.owner), 0)
	b = append(append(b, p.category...), 0)
	b = binary.BigEndian.AppendUint64(b, stamp(p.at))
	return append(append(b, 0), p.id...)
}

func (p place) record() []byte { return []byte(p.category + "\x00" + p.id) }

// parsePlace reads a line of the index. The file is ours: a line that cannot be
// read is a bug, and panics.
func parsePlace(b []byte) place {
	owner, rest, _ := bytes.Cut(b, []byte{0})
	category, rest, _ := bytes.Cut(rest, []byte{0})
	return place{string(owner), string(category), string(rest[9:]), unstamp(binary.BigEndian.Uint64(rest))}
}

// The hands of the index of ages.
const (
	collected = 'c'
	used      = 'u'
)

// aged is a record's line in the index of ages.
func (p place) aged(hand byte, at time.Time) []byte {
	b := append([]byte(p.category), 0, hand)
	b = binary.BigEndian.AppendUint64(b, stamp(at))
	return append(append(b, 0), p.id...)
}

// ages are all of a record's lines in that index.
func (s *store) ages(p place, e entry) [][]byte {
	lines := [][]byte{p.aged(collected, e.At)}
	if slices.Contains(s.used, p.category) {
		lines = append(lines, p.aged(used, e.last()))
	}
	return lines
}

// stamp counts milliseconds, as the data does. Example Books is younger than 1970.
func stamp(t time.Time) uint64   { return uint64(max(0, t.UnixMilli())) }
func unstamp(u uint64) time.Time { return time.UnixMilli(int64(u)).UTC() } //nolint:gosec // it was one

// files are the store's buckets in one transaction.
type files struct {
	*store
	records, owners, emails, calls, choices, byAge *bolt.Bucket
}

func (s *store) names() [6]string {
	return [6]string{s.name + ".records", s.name + ".owners", s.name + ".emails", s.name + ".calls", s.name + ".choices", s.name + ".ages"}
}

func (s *store) files(tx *bolt.Tx) files {
	n := s.names()
	bucket := func(i int) *bolt.Bucket { return tx.Bucket([]byte(n[i])) }
	return files{s, bucket(0), bucket(1), bucket(2), bucket(3), bucket(4), bucket(5)}
}

func (s *store) create(tx *bolt.Tx) error {
	before := s.files(tx)
	for _, n := range s.names() {
		b, err := tx.CreateBucketIfNotExists([]byte(n))
		if err != nil {
			return err
		}
		b.FillPercent = 0.9 // filled in order
	}
	if before.records == nil || before.byAge != nil {
		return nil
	}
	f := s.files(tx) // the file is older than the index of ages
	return f.owners.ForEach(func(k, _ []byte) error {
		p := parsePlace(k)
		e, err := f.get(p)
		if err != nil {
			return err
		}
		return f.fileByAge(p, e)
	})
}

// put stores a record and files it under its owner, its address and its age.
func (f files) put(p place, e entry) error {
	e.Owner, e.At = p.owner, p.at
	value, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode a record: %w", err)
	}
	if err := f.records.Put(p.record(), value); err != nil || p.owner == "" {
		return err
	}
	if err := f.owners.Put(p.index(), nil); err != nil {
		return err
	}
	if line := addressLine(p, e.Fields); line != nil {
		if err := f.emails.Put(line, nil); err != nil {
			return err
		}
	}
	return f.fileByAge(p, e)
}

func (f files) fileByAge(p place, e entry) error {
	for _, line := range f.ages(p, e) {
		if err := f.byAge.Put(line, aged{e.Archived, p.owner}.bytes()); err != nil {
			return err
		}
	}
	return nil
}

// unfile takes a record out of the indexes: nobody's look finds it any more.
func (f files) unfile(p place, e entry) error {
	if err := f.owners.Delete(p.index()); err != nil {
		return err
	}
	if line := addressLine(p, e.Fields); line != nil {
		if err := f.emails.Delete(line); err != nil {
			return err
		}
	}
	for _, line := range f.ages(p, e) {
		if err := f.byAge.Delete(line); err != nil {
			return err
		}
	}
	return nil
}

// aged is what the index of ages says of a record.
type aged struct {
	archived bool
	owner    string
}

func (a aged) bytes() []byte {
	if a.archived {
		return []byte("a" + a.owner)
	}
	return []byte("-" + a.owner)
}

func parseAged(b []byte) aged { return aged{b[0] == 'a', string(b[1:])} }

// addressLine is the line of an account in the index of addresses.
func addressLine(p place, fields json.RawMessage) []byte {
	var account struct {
		Email string `json:"email"`
	}
	if p.category != Account || json.Unmarshal(fields, &account) != nil || account.Email == "" {
		return nil
	}
	return []byte(personal.MakeIdentity(personal.KindEmail, account.Email).Reveal() + "\x00" + p.owner)
}

func (f files) get(p place) (entry, error) {
	var e entry
	if err := json.Unmarshal(f.records.Get(p.record()), &e); err != nil {
		return entry{}, fmt.Errorf("decode the record %s of %s: %w", p.id, p.category, err)
	}
	return e, nil
}

// accounts returns whose data identities name, in their order and each once, and
// what is tied to an address.
func (s *store) accounts(f files, ids []personal.Identity) (accounts []string, ties []personal.Identity, err error) {
	if len(ids) == 0 {
		return nil, nil, fmt.Errorf("%w: nobody is named", source.ErrRefused)
	}
	seen := map[string]bool{}
	add := func(account string) {
		if !seen[account] {
			seen[account] = true
			accounts = append(accounts, account)
		}
	}
	for _, id := range ids {
		switch {
		case id.Kind == personal.KindAccount:
			add(id.Reveal())
		case id.Kind == personal.KindEmail && s.name == Shop:
			prefix := []byte(id.Reveal() + "\x00")
			c := f.emails.Cursor()
			for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
				account := string(k[len(prefix):])
				add(account)
				ties = append(ties, personal.MakeIdentity(personal.KindAccount, account))
			}
		default:
			// Passing over it would be saying "nothing found" without having looked.
			return nil, nil, fmt.Errorf("%w: this store knows nobody by %s", source.ErrRefused, id.Kind)
		}
	}
	return accounts, ties, nil
}
