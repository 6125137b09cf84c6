package company

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"rightsdesk/shared/source"
)

// maxPageBytes ends a page early: a thousand long mails would not fit an answer.
const maxPageBytes = 4 << 20

// walk visits what accounts hold in the given categories and no later than
// until, from after on, until visit says stop. An account's lines are visited
// category by category, and within one in the order of time.
func (f files) walk(accounts, categories []string, until time.Time, after position, visit func(position, place) (more bool, err error)) error {
	c := f.owners.Cursor()
	for n := after.segment; n < len(accounts)*len(categories); n++ {
		head := []byte(accounts[n/len(categories)] + "\x00" + categories[n%len(categories)] + "\x00")
		start := head
		if n == after.segment {
			start = append(slices.Clone(head), after.tail...)
		}
		for k, _ := c.Seek(start); bytes.HasPrefix(k, head); k, _ = c.Next() {
			tail := k[len(head):]
			if n == after.segment && bytes.Equal(tail, after.tail) {
				continue // the last one of the page before
			}
			if !until.IsZero() && binary.BigEndian.Uint64(tail) > stamp(until) {
				break // the rest is newer
			}
			more, err := visit(position{n, tail}, parsePlace(k))
			if err != nil || !more {
				return err
			}
		}
	}
	return nil
}

// position is how far a look has come: the n-th account and category, and within
// them the time and id of the last record. As a cursor it names nobody.
type position struct {
	segment int
	tail    []byte
}

func (p position) String() string {
	segment := binary.BigEndian.AppendUint32(nil, uint32(p.segment)) //nolint:gosec // accounts times categories: few
	return base64.RawURLEncoding.EncodeToString(append(segment, p.tail...))
}

func parsePosition(s string) (position, error) {
	if s == "" {
		return position{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) < 13 {
		return position{}, fmt.Errorf("%w: the cursor is none of this store's", source.ErrRefused)
	}
	return position{int(binary.BigEndian.Uint32(b)), b[4:]}, nil
}

// Find implements source.Source.
func (s *store) Find(_ context.Context, ask source.Ask) (source.Found, error) {
	if !s.now().Before(ask.Call.Lease) {
		return source.Found{}, source.ErrLease
	}
	categories, err := s.asked(ask.Category)
	if err != nil {
		return source.Found{}, err
	}
	from, err := parsePosition(ask.Cursor)
	if err != nil {
		return source.Found{}, err
	}
	page, last, size := source.Found{Done: true}, from, 0
	err = s.db.View(func(tx *bolt.Tx) error {
		f := s.files(tx)
		accounts, ties, err := s.accounts(f, ask.Identities)
		if err != nil {
			return err
		}
		page.Ties = ties
		return f.walk(accounts, categories, ask.Until, from, func(at position, p place) (bool, error) {
			if len(page.Records) == source.Size(ask.Limit) || size >= maxPageBytes {
				page.Done, page.Cursor = false, last.String()
				return false, nil
			}
			r := source.Record{Category: p.category, ID: p.id, At: p.at}
			if ask.Values {
				e, err := f.get(p)
				if err != nil {
					return false, err
				}
				r.Fields = e.Fields
				size += len(e.Fields)
			}
			page.Records = append(page.Records, r)
			last = position{at.segment, slices.Clone(at.tail)}
			return true, nil
		})
	})
	if err != nil {
		return source.Found{}, err
	}
	return page, s.noteReads(ask, page)
}

// asked returns the categories a call is about.
func (s *store) asked(category string) ([]string, error) {
	if category == "" {
		return s.categories, nil
	}
	if !slices.Contains(s.categories, category) {
		return nil, fmt.Errorf("%w: this store has no such category", source.ErrRefused)
	}
	return []string{category}, nil
}
