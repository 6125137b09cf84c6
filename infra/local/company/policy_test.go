package company_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"rightsdesk/infra/local/company"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/source"
)

// The policy file and the stores are written by different hands. What one says
// the other must have, or a first request in make run is refused.
func TestThePolicyDescribesTheStores(t *testing.T) {
	t.Parallel()
	p, err := policy.Parse(company.Policy)
	if err != nil {
		t.Fatal(err)
	}
	c := open(t, nil)
	if len(p.Sources) != len(company.Categories) {
		t.Errorf("the policy has %d sources, the company %d", len(p.Sources), len(company.Categories))
	}
	for _, s := range p.Sources {
		if !slices.Equal(s.Identities, company.Knows[s.ID]) {
			t.Errorf("%s is said to know people by %v, and does by %v", s.ID, s.Identities, company.Knows[s.ID])
		}
		var said []string
		for _, h := range s.Holdings {
			said = append(said, h.Category)
			holds := fieldsOf(t, c, s.ID, h.Category)
			if h.Action == policy.ActionAnonymise {
				var masked []string
				for _, m := range h.Masks {
					masked = append(masked, m.Field)
				}
				if slices.Sort(masked); !slices.Equal(masked, holds) {
					t.Errorf("%s, %s: the masks are for %v, the fields are %v", s.ID, h.Category, masked, holds)
				}
			}
			for _, field := range h.Correctable {
				if !slices.Contains(holds, field) {
					t.Errorf("%s, %s: the field %s is said to be correctable, the fields are %v", s.ID, h.Category, field, holds)
				}
			}
		}
		if !slices.Equal(slices.Sorted(slices.Values(said)), slices.Sorted(slices.Values(company.Categories[s.ID]))) {
			t.Errorf("%s is said to hold %v, and holds %v", s.ID, said, company.Categories[s.ID])
		}
	}
}

// fieldsOf returns the names of the fields of a category, in order.
func fieldsOf(t *testing.T, c *company.Company, store, category string) []string {
	t.Helper()
	page, err := c.Source(store).Find(t.Context(), source.Ask{
		Identities: []personal.Identity{adaByNo}, Category: category, Values: true, Call: source.Call{Key: "fields", Lease: today.Add(time.Minute)},
	})
	if err != nil || len(page.Records) == 0 {
		t.Fatalf("%s, %s: %d records, %v", store, category, len(page.Records), err)
	}
	var fields map[string]any
	if err := json.Unmarshal(page.Records[0].Fields, &fields); err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(fields))
}
