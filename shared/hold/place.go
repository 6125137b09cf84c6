package hold

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/operator"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
)

const (
	// MaxReview is how far ahead a review may be: nobody remembers a hold for longer.
	MaxReview = 366 * 24 * time.Hour
	// maxIdentities bounds by how much one person is known, so that a hold fits into a commit.
	maxIdentities = 40
	maxArticle    = 200
	maxItem       = 256
)

// reference is what a matter and a reason may look like: nothing that could be an
// address or a sentence.
var reference = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/+-]{0,99}$`)

const sayReference = "must be a short reference such as 2026-CV-0042: letters, digits and . _ : / + - only, nothing about a person"

// Place places a hold. It is in force once the last page of work that it covers, and
// that was claimed before, is over: after about a minute. Called again with the same
// Idempotency-Key it returns the same hold.
func (s *Service) Place(ctx context.Context, by operator.Identity, p Placement) (Hold, error) {
	if !by.May(operator.Handler) {
		return Hold{}, ErrForbidden
	}
	now := s.now()
	h := Hold{
		Scope: p.Scope, Request: p.Request, Source: p.Source, Category: p.Category, Item: p.Item,
		Basis: p.Basis, Article: strings.TrimSpace(p.Article), Matter: p.Matter, Owner: p.Owner, Review: p.Review.UTC().Truncate(time.Millisecond),
		Status: Placing, Placed: now, Since: now, Settles: now.Add(Lease + margin),
		Body: s.Ring.Hash("body", p.Call.Body),
	}
	if h.Owner == "" {
		h.Owner = by.ID
	}
	if !p.Until.IsZero() {
		h.Until = p.Until.UTC().Truncate(time.Millisecond)
	}
	if p.Call.Key == "" {
		h.ID = ID("h" + strings.ToLower(string(table.NewID())))
	} else {
		h.ID = s.derive("placed", by.ID, p.Call.Key)
		if before, err := s.load(ctx, h.ID); !errors.Is(err, ErrNotFound) {
			return before.repeated(h.Body, err)
		}
	}
	if err := s.check(p, h, now); err != nil {
		return Hold{}, err
	}
	var err error
	if h.Identifiers, err = s.whose(ctx, p); err != nil {
		return Hold{}, err
	}
	if h.Scope == OnCategory && h.Source == "" {
		h.Look = now.Add(lookAgain)
	}
	return s.begin(ctx, h, by.Actor())
}

// repeated answers the repetition of a placing.
func (h Hold) repeated(body string, err error) (Hold, error) {
	if err != nil {
		return Hold{}, unavailable(err)
	}
	if h.Body != "" && !seal.Same(h.Body, body) { // one that was rebuilt does not know
		return Hold{}, ErrReplay
	}
	return h, nil
}

// begin commits a new hold.
func (s *Service) begin(ctx context.Context, h Hold, by string) (Hold, error) {
	commit := table.NewID()
	for try := range conflictTries {
		entry := audit.Entry{Chain: h.ID.Chain(), At: h.Placed, Actor: by, Action: string(Place), Facts: h.facts()}
		placed, writes, err := s.writes(ctx, commit, h, entry)
		if err != nil {
			return Hold{}, unavailable(err)
		}
		err = s.Table.Commit(ctx, commit, writes...)
		if err == nil {
			placed.version = 1
			return placed, nil
		}
		if !errors.Is(err, table.ErrConflict) {
			return Hold{}, unavailable(err)
		}
		// A twin of this call, or another hold behind one of the fences.
		if before, err := s.load(ctx, h.ID); !errors.Is(err, ErrNotFound) {
			return before.repeated(h.Body, err)
		}
		if err := table.Sleep(ctx, table.Pause(try)); err != nil {
			return Hold{}, err
		}
	}
	return Hold{}, ErrBusy
}

// whose returns by which keyed hashes a hold knows its person.
func (s *Service) whose(ctx context.Context, p Placement) ([]seal.Identifier, error) {
	var ids []seal.Identifier
	switch p.Scope {
	case OnPerson:
		for _, who := range p.Who {
			id := s.Ring.Identifier(who)
			ids = append(ids, id)
			if s.Requests == nil {
				continue
			}
			kin, err := s.Requests.Kin(ctx, id)
			if err != nil {
				return nil, unavailable(err)
			}
			ids = append(ids, kin...)
		}
	case OnRequest:
		if s.Requests == nil {
			return nil, errors.New("hold: no requests are known here")
		}
		var err error
		if ids, err = s.Requests.Identifiers(ctx, p.Request); fault.KindOf(err) == fault.NotFound {
			return nil, fault.Input(fault.Field{Pointer: "/request", Text: "must be the id of a request"})
		}
		if err != nil {
			return nil, unavailable(err)
		}
	case OnCategory, OnSource, OnItem:
	}
	if ids = unique(ids); len(ids) > maxIdentities {
		return nil, fault.Input(fault.Field{Pointer: "/who", Text: fmt.Sprintf("is somebody known by more than %d identities; hold the source instead", maxIdentities)})
	}
	return ids, nil
}

// check says what is wrong with a placement.
func (s *Service) check(p Placement, h Hold, now time.Time) error {
	var bad []fault.Field
	refuse := func(pointer, text string) { bad = append(bad, fault.Field{Pointer: pointer, Text: text}) }
	if !slices.Contains(Scopes, p.Scope) {
		refuse("/scope", "must be "+list(Scopes))
	}
	if !slices.Contains(Bases, p.Basis) {
		refuse("/basis", "must be "+list(Bases))
	}
	needs := map[Scope][]string{
		OnPerson: {"/who"}, OnRequest: {"/request"}, OnCategory: {"/category"}, OnSource: {"/source"}, OnItem: {"/source", "/category", "/item"},
	}[p.Scope]
	for pointer, has := range map[string]bool{
		"/who": len(p.Who) > 0, "/request": p.Request != "", "/source": p.Source != "", "/category": p.Category != "", "/item": p.Item != "",
	} {
		optional := p.Scope == OnCategory && pointer == "/source"
		switch wanted := slices.Contains(needs, pointer); {
		case wanted && !has:
			refuse(pointer, "must be given for the scope "+string(p.Scope))
		case has && !wanted && !optional:
			refuse(pointer, "does not go with the scope "+string(p.Scope))
		}
	}
	bad = append(bad, s.checkPlace(p)...)
	if len(p.Who) > maxIdentities {
		refuse("/who", fmt.Sprintf("must be at most %d identities", maxIdentities))
	}
	if !harmless(h.Article) || len(h.Article) > maxArticle {
		refuse("/article", "must name an article or an order, in at most 200 characters, without an address")
	}
	if p.Matter != "" && !reference.MatchString(p.Matter) {
		refuse("/matter", sayReference)
	}
	if !reference.MatchString(h.Owner) {
		refuse("/owner", "must be an operator's id")
	}
	bad = append(bad, checkReview(p.Review, p.Until, now)...)
	if len(bad) == 0 {
		return nil
	}
	slices.SortFunc(bad, func(a, b fault.Field) int { return strings.Compare(a.Pointer, b.Pointer) })
	return fault.Input(bad...)
}

// checkPlace says what is wrong with where a placement points to.
func (s *Service) checkPlace(p Placement) (bad []fault.Field) {
	src, known := s.Policy.Source(p.Source)
	_, category := s.Policy.Category(p.Category)
	_, holds := src.Holding(p.Category)
	if p.Source != "" && !known {
		bad = append(bad, fault.Field{Pointer: "/source", Text: "must be a source of the policy"})
	}
	switch {
	case p.Category != "" && !category:
		bad = append(bad, fault.Field{Pointer: "/category", Text: "must be a category of the policy"})
	case p.Category != "" && known && !holds:
		bad = append(bad, fault.Field{Pointer: "/category", Text: "must be one that the source holds"})
	}
	if p.Item != "" && (len(p.Item) > maxItem || !harmless(p.Item)) {
		bad = append(bad, fault.Field{Pointer: "/item", Text: "must be the id of a record, as the source gives it: at most 256 bytes, no address"})
	}
	return bad
}

func checkReview(review, until, now time.Time) (bad []fault.Field) {
	if !review.After(now) || review.Sub(now) > MaxReview {
		bad = append(bad, fault.Field{Pointer: "/review", Text: "must be a date within the next year: somebody has to look again whether it is still needed"})
	}
	if !until.IsZero() && !until.After(now) {
		bad = append(bad, fault.Field{Pointer: "/until", Text: "must be a date that is to come; leave it out if the end is not known"})
	}
	return bad
}

func list[T ~string](words []T) string {
	s := make([]string, len(words))
	for i, w := range words {
		s[i] = string(w)
	}
	return strings.Join(s[:len(s)-1], ", ") + " or " + s[len(s)-1]
}

// harmless reports whether a text can be no address, and no lines of anything.
func harmless(s string) bool {
	return !strings.Contains(s, "@") && !strings.Contains(s, "%40") && strings.IndexFunc(s, unicode.IsControl) < 0
}
