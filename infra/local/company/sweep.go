package company

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
)

var _ source.Sweeper = faulty{}

// Old implements source.Sweeper. It reads what is old and nothing else.
func (s *store) Old(_ context.Context, age source.Age) (source.Aged, error) {
	if err := age.Check(); err != nil {
		return source.Aged{}, err
	}
	if !s.now().Before(age.Call.Lease) {
		return source.Aged{}, source.ErrLease
	}
	head, err := s.ageHead(age.Category, age.By)
	if err != nil {
		return source.Aged{}, err
	}
	after, err := base64.RawURLEncoding.DecodeString(age.Cursor)
	if err != nil || len(after) > 0 && (len(after) < 10 || after[8] != 0) {
		return source.Aged{}, fmt.Errorf("%w: the cursor is none of this store's", source.ErrRefused)
	}
	page := source.Aged{Done: true}
	err = s.db.View(func(tx *bolt.Tx) error {
		f := s.files(tx)
		who := map[string][]personal.Identity{}
		c := f.byAge.Cursor()
		var last []byte
		for k, v := c.Seek(append(slices.Clone(head), after...)); bytes.HasPrefix(k, head); k, v = c.Next() {
			tail := k[len(head):]
			at := binary.BigEndian.Uint64(tail)
			switch {
			case bytes.Equal(tail, after): // the last one of the page before
				continue
			case at > stamp(age.Until): // the rest is younger
				return nil
			case len(page.Records) == source.Size(age.Limit):
				page.Done, page.Cursor = false, base64.RawURLEncoding.EncodeToString(last)
				return nil
			}
			last = slices.Clone(tail)
			page.Seen++
			a := parseAged(v)
			if a.archived && age.Verb == source.Archive {
				continue
			}
			if who[a.owner] == nil {
				if who[a.owner], err = f.who(a.owner); err != nil {
					return err
				}
			}
			page.Records = append(page.Records, source.AgedRecord{ID: string(tail[9:]), At: unstamp(at), Who: who[a.owner]})
		}
		return nil
	})
	if err != nil {
		return source.Aged{}, err
	}
	return page, nil
}

// ageHead is what the lines of a category begin with in the index of ages.
func (s *store) ageHead(category string, by source.Hand) ([]byte, error) {
	if _, err := s.asked(category); err != nil {
		return nil, err
	}
	hand := byte(collected)
	if by == source.LastUsed {
		if hand = used; !slices.Contains(s.used, category) {
			return nil, fmt.Errorf("%w: this store does not know when a record of the category was last used", source.ErrRefused)
		}
	}
	return append([]byte(category), 0, hand), nil
}

// who returns whom the records of an account are about, as far as the store knows.
func (f files) who(account string) ([]personal.Identity, error) {
	who := []personal.Identity{personal.MakeIdentity(personal.KindAccount, account)}
	if f.name != Shop {
		return who, nil
	}
	err := f.walk([]string{account}, []string{Account}, time.Time{}, position{}, func(_ position, p place) (bool, error) {
		e, err := f.get(p)
		if err != nil {
			return false, err
		}
		if line := addressLine(p, e.Fields); line != nil {
			address, _, _ := bytes.Cut(line, []byte{0})
			who = append(who, personal.MakeIdentity(personal.KindEmail, string(address)))
		}
		return true, nil
	})
	return who, err
}

// duty is how long the shop keeps an order, whoever wants it gone.
const duty = 10 // years

// Expire implements source.Sweeper. One transaction holds the page's effects, and
// the memory that they were done.
func (s *store) Expire(_ context.Context, e source.Expiry) (source.Done, error) {
	if err := e.Check(); err != nil {
		return source.Done{}, err
	}
	if _, err := s.ageHead(e.Category, e.By); err != nil {
		return source.Done{}, err
	}
	var done source.Done
	err := s.db.Update(func(tx *bolt.Tx) (err error) {
		// Looked at inside: the transaction may have waited for another one.
		if !s.now().Before(e.Call.Lease) {
			return source.ErrLease
		}
		f := s.files(tx)
		var known bool
		if done, known, err = f.recall(e.Call.Key, digestOf(e)); known || err != nil {
			return err
		}
		done = source.Done{Done: true}
		for _, r := range e.Records {
			if err := f.expire(tx, e, place{category: e.Category, id: r.ID}, &done); err != nil {
				return err
			}
		}
		return f.remember(e.Call.Key, digestOf(e), done)
	})
	if err != nil {
		return source.Done{}, err // and no effect: the transaction is gone
	}
	return done, nil
}

// expire does to one record what is due, and counts it.
func (f files) expire(tx *bolt.Tx, e source.Expiry, p place, done *source.Done) error {
	if f.records.Get(p.record()) == nil {
		return nil // gone
	}
	it, err := f.get(p)
	if err != nil {
		return err
	}
	at := it.At
	if e.By == source.LastUsed {
		at = it.last()
	}
	switch p.owner, p.at = it.Owner, it.At; {
	case it.Owner == "", it.Archived && e.Verb == source.Archive: // so already
		return nil
	case stamp(at) > stamp(e.Until):
		done.Retained++
		return nil
	case e.Category == Orders && it.At.AddDate(duty, 0, 0).After(f.now()):
		done.Retained++
		done.Messages = []string{"Orders stay for ten years after the day they were placed: tax law."}
		return nil
	}
	if err := f.act(source.Order{Verb: e.Verb, Masks: e.Masks, MaskKey: e.MaskKey}, p); err != nil {
		return err
	}
	done.Removed++
	return f.noteEffect(tx, e.Call.Key, e.Verb, p)
}

// digestOf tells pages of records apart.
func digestOf(e source.Expiry) [sha256.Size]byte {
	ids := make([]string, len(e.Records))
	for i, r := range e.Records {
		ids[i] = r.ID
	}
	raw, err := json.Marshal([]any{e.Verb, e.Category, e.By, e.Until.UTC().Format(time.RFC3339Nano), ids, e.Masks, e.MaskKey})
	if err != nil {
		panic(err) // strings and bytes: it cannot fail
	}
	return sha256.Sum256(raw)
}
