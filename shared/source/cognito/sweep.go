package cognitosource

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
)

// Old implements source.Sweeper, by when users were created. The pool has no index
// for it: all users are listed, 60 in a request, and
// each that is due is read. Units are requests.
func (s *Source) Old(ctx context.Context, age source.Age) (source.Aged, error) {
	ctx, cancel := age.Call.Within(ctx, s.o.Now())
	defer cancel()
	page, err := s.old(ctx, age)
	if err != nil {
		return source.Aged{}, fmt.Errorf("source %s: old: %w", s.o.ID, err)
	}
	return page, nil
}

// sweeps refuses a rule that no user pool can follow. No verb is a look only.
func (s *Source) sweeps(verb source.Verb, by source.Hand, category string) error {
	switch {
	case verb != "" && verb != source.Delete:
		return refused(errors.New("a user pool can only delete a user when a time is over; declare delete"))
	case by != source.Collected:
		return fmt.Errorf("%w: %w: the pool does not say when a user last signed in", source.ErrRefused, source.ErrNotSwept)
	case category != s.m.Category:
		return refused(errors.New("the mapping has no such category"))
	}
	return nil
}

func (s *Source) old(ctx context.Context, age source.Age) (source.Aged, error) {
	if err := age.Check(); err != nil {
		return source.Aged{}, err
	}
	if err := s.sweeps(age.Verb, age.By, age.Category); err != nil {
		return source.Aged{}, err
	}
	at, err := parsePosition(age.Cursor, 1)
	if err != nil {
		return source.Aged{}, err
	}
	page, limit := source.Aged{}, min(source.Size(age.Limit), maxList)
	for len(page.Records) < limit && page.Seen < maxSeen && (age.Units == 0 || page.Units == 0 || page.Units < age.Units) {
		if err := age.Call.Begins(s.o.Now()); err != nil {
			return source.Aged{}, err
		}
		size := limit - len(page.Records)
		if age.Units > 0 { // a list, and a read for each that is due
			size = max(1, min(size, int(age.Units-page.Units)-1))
		}
		users, next, err := s.list(ctx, "", at.Token, size)
		if err != nil {
			return source.Aged{}, err
		}
		page.Units++
		for _, l := range users {
			if page.Seen++; l.created.After(age.Until) {
				continue
			}
			if err := age.Call.Begins(s.o.Now()); err != nil {
				return source.Aged{}, err
			}
			u, there, err := s.get(ctx, l.name)
			if err != nil {
				return source.Aged{}, err
			}
			if page.Units++; there && !u.created.After(age.Until) {
				page.Records = append(page.Records, source.AgedRecord{ID: u.id(), At: u.created, Who: s.m.is(u), Handle: u.handle()})
			}
		}
		if at.Token = next; next == "" {
			page.Done = true
			return page, nil
		}
	}
	page.Cursor = at.cursor()
	return page, nil
}

// maxSeen ends a page early where little is due.
const maxSeen = 3000

// handle is what it takes to find a user again.
type handle struct {
	Name string `json:"name"`
	Sub  string `json:"sub"`
}

func (u user) handle() personal.Text {
	raw, err := json.Marshal(handle{u.name, u.attributes[sub]})
	if err != nil {
		panic(err) // strings: it cannot fail
	}
	return personal.MakeText(base64.RawURLEncoding.EncodeToString(raw))
}

// Expire implements source.Sweeper.
func (s *Source) Expire(ctx context.Context, e source.Expiry) (source.Done, error) {
	ctx, cancel := e.Call.Within(ctx, s.o.Now())
	defer cancel()
	done, err := s.expire(ctx, e)
	if err != nil {
		return source.Done{}, fmt.Errorf("source %s: expire: %w", s.o.ID, err)
	}
	return done, nil
}

func (s *Source) expire(ctx context.Context, e source.Expiry) (source.Done, error) {
	if err := e.Check(); err != nil {
		return source.Done{}, err
	}
	if err := s.sweeps(e.Verb, e.By, e.Category); err != nil {
		return source.Done{}, err
	}
	var users []user
	var mine source.Page
	for _, r := range e.Records {
		var h handle
		raw, err := base64.RawURLEncoding.DecodeString(r.Handle.Reveal())
		named := user{name: h.Name}
		if err == nil && json.Unmarshal(raw, &h) == nil {
			named = user{name: h.Name, attributes: map[string]string{sub: h.Sub}}
		}
		if named.name == "" || h.Sub == "" || named.id() != r.ID {
			return source.Done{}, refused(errors.New("a record's id and its handle do not belong together"))
		}
		if err := e.Call.Begins(s.o.Now()); err != nil {
			return source.Done{}, err
		}
		u, there, err := s.get(ctx, named.name)
		if err != nil {
			return source.Done{}, err
		}
		if there && u.attributes[sub] == h.Sub && e.Due(r.At, u.created) {
			users, mine.IDs = append(users, u), append(mine.IDs, r.ID)
		}
	}
	page, err := source.RememberExpiry(ctx, s.o.Pages, e, mine)
	if err != nil {
		return source.Done{}, err
	}
	for _, u := range users {
		if !slices.Contains(page.IDs, u.id()) {
			continue
		}
		if _, err := s.apply(ctx, e.Call, u, nil, func(now user) bool { return !now.created.After(e.Until) }); err != nil {
			return source.Done{}, err
		}
	}
	return source.Done{Removed: len(page.IDs), Done: true}, nil
}
