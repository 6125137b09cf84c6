package retention

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/source"
	"rightsdesk/shared/table"
)

// maxPage bounds a sealed page, in bytes: an item takes 400 KB, and some of a page
// does not shrink.
const maxPage = 300 << 10

func pageRef(rule string) table.Ref {
	return table.Ref{Table: table.State, Key: table.Key{Partition: prefix + rule, Sort: "page"}}
}

func saltRef(rule string) table.Ref {
	return table.Ref{Table: table.Keys, Key: table.Key{Partition: prefix + rule, Sort: "-"}}
}

// secret seals what a run or a walk must remember of records. Its salt lives as long
// as they do: what backups of the State table hold of a page can then be read by
// nobody, as soon as those of the Keys table have forgotten it as well.
type secret struct {
	ring    *seal.Ring
	rule    string
	salt    []byte
	version int64 // of its item; 0: there is none
}

type saltBody struct {
	Salt []byte `json:"salt"`
}

// secretOf reads the secret of a rule; without a salt it opens nothing.
func (s *Service) secretOf(ctx context.Context, rule string) (secret, error) {
	c := secret{ring: s.Keys.Ring, rule: rule}
	item, err := s.Table.Get(ctx, saltRef(rule))
	if errors.Is(err, table.ErrAbsent) {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("read the salt of the sweep %s: %w", rule, err)
	}
	var b saltBody
	if err := json.Unmarshal(item.Body, &b); err != nil || item.Schema != schema {
		return c, fmt.Errorf("retention: the salt of the sweep %s is stored in an unknown form", rule)
	}
	c.salt, c.version = b.Salt, item.Version
	return c, nil
}

// fresh is the write that puts a new salt in place of this one.
func (c secret) fresh(expires time.Time) (table.Write, error) {
	condition := table.New
	if c.version > 0 {
		condition = table.Version(c.version)
	}
	c.salt = make([]byte, 32)
	_, _ = rand.Read(c.salt) // never fails (Go 1.24)
	body, err := json.Marshal(saltBody{c.salt})
	if err != nil {
		return table.Write{}, fmt.Errorf("encode a salt: %w", err)
	}
	return table.Put(table.Keys, table.Item{Key: saltRef(c.rule).Key, Body: body, Schema: schema, Expires: expires}, condition), nil
}

// forget are the writes after which nothing that was sealed can be opened.
func (c secret) forget() []table.Write {
	if c.version == 0 {
		return nil
	}
	return []table.Write{table.Delete(saltRef(c.rule), table.Version(c.version))}
}

func (c secret) subject() seal.Subject {
	return seal.Subject{ID: c.rule, Salt: c.salt, Generation: 1}
}

// lock seals a cursor. It may hold the key of a record, and that a person's name.
func (c secret) lock(cursor string) ([]byte, error) {
	if cursor == "" {
		return nil, nil
	}
	return c.ring.Seal(c.subject(), seal.Place{Item: prefix + c.rule, Field: "cursor"}, []byte(cursor))
}

// unlock opens a cursor.
func (c secret) unlock(sealed []byte) (string, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	plain, err := c.ring.Unseal(c.subject(), seal.Place{Item: prefix + c.rule, Field: "cursor"}, sealed)
	return string(plain), err
}

// maskKey is what KeyedHash masks of a run hash with. It is gone with the salt.
func (c secret) maskKey(run string) []byte {
	return []byte(c.ring.Hash("retention mask", c.rule, run, string(c.salt)))
}

// kept is one record of a page under way, as it is remembered.
type kept struct {
	ID     string            `json:"i"`
	At     time.Time         `json:"t"`
	Handle string            `json:"h,omitempty"`
	Who    []seal.Identifier `json:"w,omitempty"` // keyed
}

// keep makes what is remembered of a record.
func keep(ring *seal.Ring, r source.AgedRecord) kept {
	k := kept{ID: r.ID, At: r.At.UTC(), Handle: r.Handle.Reveal()}
	for _, i := range r.Who {
		k.Who = append(k.Who, ring.Identifier(i))
	}
	return k
}

// records are those of a page, as they are handed to the source.
func records(page []kept) []source.AgedRecord {
	list := make([]source.AgedRecord, len(page))
	for i, k := range page {
		list[i] = source.AgedRecord{ID: k.ID, At: k.At, Handle: personal.MakeText(k.Handle)}
	}
	return list
}

// packers are writers to be used again: each takes more memory than most pages.
var packers sync.Pool

// pack seals a page.
func (c secret) pack(page []kept) ([]byte, error) {
	plain, err := json.Marshal(page)
	if err != nil {
		return nil, fmt.Errorf("encode a page: %w", err)
	}
	var small bytes.Buffer
	w, ok := packers.Get().(*flate.Writer)
	if !ok {
		if w, err = flate.NewWriter(nil, flate.BestSpeed); err != nil {
			return nil, fmt.Errorf("pack a page: %w", err)
		}
	}
	defer packers.Put(w)
	w.Reset(&small)
	if _, err = w.Write(plain); err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("pack a page: %w", err)
	}
	return c.ring.Seal(c.subject(), seal.Place{Item: prefix + c.rule, Field: "page"}, small.Bytes())
}

// unpack opens a page.
func (c secret) unpack(sealed []byte) ([]kept, error) {
	small, err := c.ring.Unseal(c.subject(), seal.Place{Item: prefix + c.rule, Field: "page"}, sealed)
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(flate.NewReader(bytes.NewReader(small)))
	if err != nil {
		return nil, fmt.Errorf("unpack a page: %w", err)
	}
	var page []kept
	if err := json.Unmarshal(plain, &page); err != nil {
		return nil, fmt.Errorf("decode a page: %w", err)
	}
	return page, nil
}
