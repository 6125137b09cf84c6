package httpapi

import (
	"net/http"
	"strconv"
	"time"

	"rightsdesk/shared/hold"
	"rightsdesk/shared/personal"
)

// placing is the body of POST /v1/operator/holds.
type placing struct {
	Scope    string     `json:"scope"`
	Who      []identity `json:"who"`
	Request  string     `json:"request"`
	Source   string     `json:"source"`
	Category string     `json:"category"`
	Item     string     `json:"item"`
	Basis    string     `json:"basis"`
	Article  string     `json:"article"`
	Matter   string     `json:"matter"`
	Owner    string     `json:"owner"`
	Review   time.Time  `json:"review"`
	Until    time.Time  `json:"until"`
}

// held is a legal hold as operators see it. By whom a person is known is not shown:
// what is stored of it cannot be read back.
type held struct {
	ID         string     `json:"id"`
	Scope      string     `json:"scope"`
	Identities int        `json:"identities"` // by how many the person is known
	Request    string     `json:"request,omitempty"`
	Source     string     `json:"source,omitempty"`
	Category   string     `json:"category,omitempty"`
	Item       string     `json:"item,omitempty"`
	Basis      string     `json:"basis"`
	Article    string     `json:"article,omitempty"`
	Matter     string     `json:"matter,omitempty"`
	Owner      string     `json:"owner"`
	Status     string     `json:"status"`
	Placed     time.Time  `json:"placed_at"`
	InForce    *time.Time `json:"in_force_at,omitempty"`
	Released   *time.Time `json:"released_at,omitempty"`
	Reason     string     `json:"reason,omitempty"` // of the release
	Review     *time.Time `json:"review,omitempty"`
	Overdue    bool       `json:"review_overdue"`
	Until      *time.Time `json:"until,omitempty"`
	Automatic  bool       `json:"automatic"`
	For        string     `json:"for,omitempty"`    // the request that an automatic one follows
	Spares     string     `json:"spares,omitempty"` // the request whose work goes on
	Went       []went     `json:"went"`             // between placing and in force
	Omitted    int        `json:"omitted"`          // of that, what one hold cannot list
}

// went is something that went while a hold was being placed.
type went struct {
	Source   string     `json:"source"`
	Category string     `json:"category"`
	By       string     `json:"by"` // request#<id> or sweep#<rule>
	At       time.Time  `json:"at"`
	Ended    *time.Time `json:"ended_at,omitempty"`
	Count    int        `json:"count"`
	IDs      []string   `json:"ids"`
	Outcome  string     `json:"outcome"`
}

func (env Env) heldOf(h hold.Hold) held {
	out := held{
		ID: string(h.ID), Scope: string(h.Scope), Identities: len(h.Identifiers), Request: h.Request, Source: h.Source, Category: h.Category, Item: h.Item,
		Basis: string(h.Basis), Article: h.Article, Matter: h.Matter, Owner: h.Owner, Status: string(h.Status), Placed: h.Placed, InForce: maybe(h.InForce),
		Released: maybe(h.Released), Reason: h.Reason, Review: maybe(h.Review), Until: maybe(h.Until), Automatic: h.Automatic, For: h.For, Spares: h.Spares,
		Went: []went{}, Omitted: h.Omitted,
	}
	out.Overdue = h.Status != hold.Released && !h.Review.IsZero() && env.Holds.Now().After(h.Review)
	for _, w := range h.Went {
		out.Went = append(out.Went, went{w.Source, w.Category, w.Owner, w.At, maybe(w.Ended), w.Count, append([]string{}, w.IDs...), string(w.Outcome)})
	}
	return out
}

// heldAs answers with a hold.
func (env Env) heldAs(w http.ResponseWriter, status int, h hold.Hold, err error) error {
	if err != nil {
		return err
	}
	writeJSON(w, status, "application/json", env.heldOf(h))
	return nil
}

func (env Env) operatorHolds(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	list, next, err := env.Holds.List(r.Context(), who(r), hold.Filter{
		Status: hold.Status(q.Get("status")), Scope: hold.Scope(q.Get("scope")), For: q.Get("request"), Cursor: q.Get("cursor"),
	})
	if err != nil {
		return err
	}
	out := []held{}
	for _, h := range list {
		out = append(out, env.heldOf(h))
	}
	return ok(w, map[string]any{"holds": out, "cursor": next})
}

func (env Env) operatorHold(w http.ResponseWriter, r *http.Request) error {
	h, err := env.Holds.Get(r.Context(), who(r), holdID(r))
	return env.heldAs(w, http.StatusOK, h, err)
}

func holdID(r *http.Request) hold.ID { return hold.ID(r.PathValue("id")) }

func (env Env) operatorPlace(w http.ResponseWriter, r *http.Request) error {
	var b placing
	c, err := call(r, &b)
	if err != nil {
		return err
	}
	p := hold.Placement{
		Scope: hold.Scope(b.Scope), Request: b.Request, Source: b.Source, Category: b.Category, Item: b.Item, Basis: hold.Basis(b.Basis),
		Article: b.Article, Matter: b.Matter, Owner: b.Owner, Review: b.Review, Until: b.Until, Call: hold.Call(c),
	}
	if p.Who, err = env.peopleOf("/who", b.Who); err != nil {
		return err
	}
	h, err := env.Holds.Place(r.Context(), who(r), p)
	return env.heldAs(w, http.StatusCreated, h, err)
}

// peopleOf returns who a list of identities names.
func (env Env) peopleOf(pointer string, list []identity) ([]personal.Identity, error) {
	var people []personal.Identity
	for i, one := range list {
		found, err := env.identityOf(pointer+"/"+strconv.Itoa(i), &one)
		if err != nil {
			return nil, err
		}
		people = append(people, found)
	}
	return people, nil
}

func (env Env) operatorReview(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Review time.Time `json:"review"`
		Owner  string    `json:"owner"`
		Until  time.Time `json:"until"`
	}
	c, err := call(r, &b)
	if err != nil {
		return err
	}
	h, err := env.Holds.Review(r.Context(), who(r), holdID(r), hold.Reviewed{Review: b.Review, Owner: b.Owner, Until: b.Until}, hold.Call(c))
	return env.heldAs(w, http.StatusOK, h, err)
}

func (env Env) operatorRelease(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Reason string `json:"reason"`
	}
	c, err := call(r, &b)
	if err != nil {
		return err
	}
	h, err := env.Holds.Release(r.Context(), who(r), holdID(r), b.Reason, hold.Call(c))
	return env.heldAs(w, http.StatusOK, h, err)
}
