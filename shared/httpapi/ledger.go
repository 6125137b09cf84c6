package httpapi

import (
	"net/http"
	"time"

	"rightsdesk/shared/erasure"
	"rightsdesk/shared/fault"
)

// maxGuarded is how many identities one call of the import guard may name: each costs
// two reads of the store.
const maxGuarded = 100

// guarded is what an app that imports somebody has to heed.
type guarded struct {
	ErasedAt   *time.Time `json:"erased_at,omitempty"`
	DropBefore *time.Time `json:"drop_before,omitempty"` // what is older was erased and must not come back
	Suppressed []string   `json:"suppressed"`            // no mail of these purposes, or none that these stops end
}

// appGuard tells an app whom not to bring back, in the order of its questions. Of
// whoever was never here it says the same as of whoever never asked for anything.
func (env Env) appGuard(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Subjects []identity `json:"subjects"`
	}
	if _, err := read(r, &b); err != nil {
		return err
	}
	if n := len(b.Subjects); n == 0 || n > maxGuarded {
		return fault.Input(fault.Field{Pointer: "/subjects", Text: "must be from 1 to 100 identities"})
	}
	people, err := env.peopleOf("/subjects", b.Subjects)
	if err != nil {
		return err
	}
	list, err := env.Erasure.Guard(r.Context(), people)
	if err != nil {
		return err
	}
	out := make([]guarded, 0, len(list))
	for _, g := range list {
		out = append(out, guarded{maybe(g.ErasedAt), maybe(g.DropBefore), append([]string{}, g.Suppressed...)})
	}
	return ok(w, map[string]any{"results": out})
}

// salts is how far the destruction of salts is.
type salts struct {
	Waiting   int        `json:"waiting"`
	Blocked   int        `json:"blocked"` // due, and stopped by the brake
	Destroyed int        `json:"destroyed_today"`
	Allowed   int        `json:"allowed_today"` // without an operator
	Extra     int        `json:"extra"`         // beyond that, that an operator let go
	Braked    *time.Time `json:"braked_since,omitempty"`
}

// saltsAs answers with how far the destruction of salts is.
func saltsAs(w http.ResponseWriter, s erasure.Salts, err error) error {
	if err != nil {
		return err
	}
	return ok(w, salts{s.Waiting, s.Blocked, s.Destroyed, s.Allowed, s.Extra, maybe(s.Braked)})
}

func (env Env) operatorSalts(w http.ResponseWriter, r *http.Request) error {
	s, err := env.Erasure.Salts(r.Context(), who(r))
	return saltsAs(w, s, err)
}

// operatorConfirmSalts wants the number that the operator saw: nobody lets go what
// they did not see.
func (env Env) operatorConfirmSalts(w http.ResponseWriter, r *http.Request) error {
	var b struct {
		Blocked int `json:"blocked"`
	}
	if _, err := call(r, &b); err != nil {
		return err
	}
	s, err := env.Erasure.ConfirmSalts(r.Context(), who(r), b.Blocked)
	return saltsAs(w, s, err)
}
