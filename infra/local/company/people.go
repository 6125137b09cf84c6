package company

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
)

// Person is somebody whom a newcomer can try a request with.
type Person struct {
	Name    string `json:"name"`
	Email   string `json:"email"`
	Account string `json:"account"`
	See     string `json:"see"` // the page with everything the company holds of them
}

// People returns the first n people whom the shop knows by an address, in the order of accounts.
func (c *Company) People(n int) ([]Person, error) {
	var people []Person
	err := c.db.View(func(tx *bolt.Tx) error {
		f := c.stores[Shop].files(tx)
		cursor := f.records.Cursor()
		for k, v := cursor.Seek([]byte(Account + "\x00")); k != nil && len(people) < n; k, v = cursor.Next() {
			var e entry
			var a account
			if !strings.HasPrefix(string(k), Account+"\x00") {
				break
			}
			if err := json.Unmarshal(v, &e); err != nil {
				return fmt.Errorf("decode an account: %w", err)
			}
			if e.Owner == "" || json.Unmarshal(e.Fields, &a) != nil {
				continue
			}
			people = append(people, Person{a.Name, a.Email, e.Owner, "/local/company/people?email=" + a.Email})
		}
		return nil
	})
	return people, err
}

// Chosen is the heading under which Holds lists the choices that a store was told of.
const Chosen = "choices"

// Holding is what one store holds of a person, by category.
type Holding map[string][]Held

// Held is one record.
type Held struct {
	ID     string          `json:"id"`
	At     time.Time       `json:"at"`
	Fields json.RawMessage `json:"fields"`
}

// Holds returns what the stores hold of whoever has the address and, if account
// is not empty, the account: the first page of each category, and what they chose.
func (c *Company) Holds(r *http.Request, email, account string) (map[string]Holding, error) {
	var known []personal.Identity
	if account != "" {
		known = append(known, personal.MakeIdentity(personal.KindAccount, account))
	}
	all := map[string]Holding{}
	for _, name := range []string{Shop, Newsletter} {
		s := *c.stores[name]
		s.journal = false // the reader is no caller
		all[name] = Holding{}
		ids := known
		if name == Shop && email != "" {
			ids = append([]personal.Identity{personal.MakeIdentity(personal.KindEmail, email)}, known...)
		}
		if len(ids) == 0 {
			continue
		}
		for _, category := range s.categories {
			page, err := s.Find(r.Context(), source.Ask{Identities: ids, Category: category, Values: true, Call: source.Call{Lease: c.o.Now().Add(time.Minute)}})
			if err != nil {
				return nil, err
			}
			for _, rec := range page.Records {
				all[name][category] = append(all[name][category], Held{rec.ID, rec.At, rec.Fields})
			}
			known = append(known, page.Ties...)
		}
		told, err := c.Told(name, ids...)
		if err != nil {
			return nil, err
		}
		for _, t := range told {
			raw, err := json.Marshal(t)
			if err != nil {
				return nil, fmt.Errorf("encode a choice: %w", err)
			}
			all[name][Chosen] = append(all[name][Chosen], Held{t.Right, t.At, raw})
		}
	}
	return all, nil
}

func (c *Company) servePeople(w http.ResponseWriter, r *http.Request) {
	holds, err := c.Holds(r, r.FormValue("email"), r.FormValue("account"))
	if err != nil {
		http.Error(w, "the company's file cannot be read", http.StatusInternalServerError)
		return
	}
	writeJSON(w, holds)
}

func (c *Company) serveOverview(w http.ResponseWriter, _ *http.Request) {
	people, err := c.People(10)
	if err != nil {
		http.Error(w, "the company's file cannot be read", http.StatusInternalServerError)
		return
	}
	writeJSON(w, map[string]any{
		"company": "Example Books", "about": "Nobody here exists. Ask Rightsdesk for the data of one of them, then look here again.",
		"stores": Categories, "people": people,
	})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // the reader went away
}
