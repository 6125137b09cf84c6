package s3source

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"rightsdesk/shared/source"
)

// Options declare a bucket.
type Options struct {
	ID      string // the source's id in the policy
	Mapping Mapping
	Client  *s3.Client
	Pages   source.Pages
	Now     func() time.Time
}

// Source is a source.Source and a source.Sweeper on a bucket.
type Source struct {
	o         Options
	m         Mapping
	maxTagged int
}

var _ source.Sweeper = (*Source)(nil)

// New refuses a mapping that cannot be followed, and a source that could not
// remember its calls (source.ErrRefused).
func New(o Options) (*Source, error) {
	if err := o.Mapping.check(); err != nil {
		return nil, fmt.Errorf("source %s: %w", o.ID, refused(err))
	}
	if o.Client == nil || o.Pages == nil || o.Now == nil {
		return nil, fmt.Errorf("source %s: %w", o.ID, refused(errors.New("it has no client, no memory of pages or no clock")))
	}
	return &Source{o: o, m: o.Mapping, maxTagged: maxTagged}, nil
}

const (
	// maxPageBytes ends a page of values early.
	maxPageBytes = 4 << 20
	// maxLists and maxTags end a page early where little is found, so that a look
	// into a large bucket gets on within its lease: the lists are 1000 versions each.
	maxLists = 20
	maxTags  = 2000
)

// Find implements source.Source. The cursor of a look by tags holds a key.
func (s *Source) Find(ctx context.Context, ask source.Ask) (source.Found, error) {
	ctx, cancel := ask.Call.Within(ctx, s.o.Now())
	defer cancel()
	page, err := s.find(ctx, ask)
	if err != nil {
		return source.Found{}, fmt.Errorf("source %s: find: %w", s.o.ID, err)
	}
	return page, nil
}

func (s *Source) find(ctx context.Context, ask source.Ask) (source.Found, error) {
	legs, err := s.legs(ask.Identities, ask.Category)
	if err != nil {
		return source.Found{}, err
	}
	at, err := parsePosition(ask.Cursor, len(legs))
	if err != nil {
		return source.Found{}, err
	}
	page, size, lists, tags := source.Found{}, 0, 0, 0
	for ; at.Leg < len(legs); at = (position{Leg: at.Leg + 1}) {
		l := legs[at.Leg]
		w := s.walk(l.prefix, at)
		for !w.done {
			if lists == maxLists || tags >= maxTags {
				page.Cursor = at.cursor()
				return page, nil
			}
			if err := ask.Call.Begins(s.o.Now()); err != nil {
				return source.Found{}, err
			}
			groups, err := w.next(ctx)
			if err != nil {
				return source.Found{}, err
			}
			lists++
			read, err := s.own(ctx, legs, at.Leg, groups)
			if err != nil {
				return source.Found{}, err
			}
			tags += read
			for _, g := range groups {
				lead := s.m.lead(l, g.key)
				for _, e := range g.entries {
					if !e.owned || at.passed(g.key[len(l.prefix):], e) {
						continue
					}
					r, wanted, err := s.record(lead, e, ask.Category, ask.Until)
					switch {
					case err != nil:
						return source.Found{}, refused(err)
					case !wanted:
						continue
					case len(page.Records) == source.Size(ask.Limit) || size >= maxPageBytes:
						page.Cursor = at.cursor()
						return page, nil
					}
					if ask.Values {
						if r.Fields, err = s.fields(ctx, lead, e); errors.Is(err, errGone) {
							continue
						} else if err != nil {
							return source.Found{}, err
						}
						size += len(r.Fields)
					}
					page.Records = append(page.Records, r)
					at = at.in(g.key[len(l.prefix):], e)
				}
				at = at.after(g.key[len(l.prefix):])
			}
		}
	}
	page.Done = true
	return page, nil
}

// record reads an entry; wanted says whether it is of the category, if one is
// given, and not newer than until.
func (s *Source) record(lead string, e entry, category string, until time.Time) (r source.Record, wanted bool, err error) {
	rest := e.key[len(lead):]
	r.At = e.at
	if r.Category, err = s.m.category(rest); err != nil {
		return r, false, err
	}
	if r.ID, err = s.m.id(rest, e); err != nil {
		return r, false, err
	}
	return r, (category == "" || category == r.Category) && (until.IsZero() || !r.At.After(until)), nil
}

// position is how far a look has come: after all of one key, and in the next one
// after one version. Keys are without the prefix of the leg, which names the person.
type position struct {
	Leg     int    `json:"leg"`
	Begun   bool   `json:"begun,omitempty"` // a key was done: a prefix can be a key itself
	After   string `json:"after,omitempty"`
	In      string `json:"in,omitempty"`
	At      int64  `json:"at,omitempty"`
	Version string `json:"version,omitempty"`
}

// after returns the place behind a key.
func (p position) after(rest string) position { return position{Leg: p.Leg, Begun: true, After: rest} }

// in returns the place behind one version of the next key.
func (p position) in(rest string, e entry) position {
	p.In, p.At, p.Version = rest, e.at.UnixNano(), e.version
	return p
}

// passed reports whether an entry was on a page before. What was deleted since
// does not shift the place.
func (p position) passed(rest string, e entry) bool {
	return p.Version != "" && rest == p.In && e.order(entry{at: time.Unix(0, p.At), version: p.Version}) <= 0
}

func (p position) cursor() string {
	raw, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and numbers: it cannot fail
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

func parsePosition(cursor string, legs int) (position, error) {
	var p position
	if cursor == "" {
		return p, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || json.Unmarshal(raw, &p) != nil || p.Leg < 0 || p.Leg >= legs {
		return position{}, fmt.Errorf("%w: the cursor is none of this source's", source.ErrRefused)
	}
	return p, nil
}
