package company

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
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
//	<name>.calls    idempotency key                    -> what the call did
//	<name>.choices  account 0 right 0 purpose          -> Told
//
// The index of owners is in the order of time within a category: a look for what
// is older than a cut-off reads only that, and a page starts where the last one
// ended. Nothing is counted, nothing is held in memory beyond a page.
type store struct {
	name       string
	categories []string
	knows      []personal.Kind
	db         *bolt.DB
	now        func() time.Time
	journal    bool
}

// entry is a stored record. An anonymised one has no owner, and no index leads to it.
type entry struct {
	Owner  string          `json:"owner,omitempty"`
	At     time.Time       `json:"at"`
	Fields json.RawMessage `json:"fields"`
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

// stamp counts milliseconds, as the data does. Example Books is younger than 1970.
func stamp(t time.Time) uint64   { return uint64(max(0, t.UnixMilli())) }
func unstamp(u uint64) time.Time { return time.UnixMilli(int64(u)).UTC() } //nolint:gosec // it was one

// files are the store's buckets in one transaction.
type files struct{ records, owners, emails, calls, choices *bolt.Bucket }

func (s *store) names() [5]string {
	return [5]string{s.name + ".records", s.name + ".owners", s.name + ".emails", s.name + ".calls", s.name + ".choices"}
}

func (s *store) files(tx *bolt.Tx) files {
	n := s.names()
	return files{tx.Bucket([]byte(n[0])), tx.Bucket([]byte(n[1])), tx.Bucket([]byte(n[2])), tx.Bucket([]byte(n[3])), tx.Bucket([]byte(n[4]))}
}

func (s *store) create(tx *bolt.Tx) error {
	for _, n := range s.names() {
		b, err := tx.CreateBucketIfNotExists([]byte(n))
		if err != nil {
			return err
		}
		b.FillPercent = 0.9 // filled in order
	}
	return nil
}

// put stores a record and files it under its owner and address.
func (f files) put(p place, fields json.RawMessage) error {
	value, err := json.Marshal(entry{p.owner, p.at, fields})
	if err != nil {
		return fmt.Errorf("encode a record: %w", err)
	}
	if err := f.records.Put(p.record(), value); err != nil || p.owner == "" {
		return err
	}
	if err := f.owners.Put(p.index(), nil); err != nil {
		return err
	}
	if line := addressLine(p, fields); line != nil {
		return f.emails.Put(line, nil)
	}
	return nil
}

// unfile takes a record out of the indexes: nobody's look finds it any more.
func (f files) unfile(p place, fields json.RawMessage) error {
	if err := f.owners.Delete(p.index()); err != nil {
		return err
	}
	if line := addressLine(p, fields); line != nil {
		return f.emails.Delete(line)
	}
	return nil
}

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
