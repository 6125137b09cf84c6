package indynamodb_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"rightsdesk/infra/local/company"
	"rightsdesk/infra/local/company/indynamodb"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/source"
	dynamodbsource "rightsdesk/shared/source/dynamodb"
	"rightsdesk/shared/table/tabletest"
)

var today = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

func clock() time.Time { return today }

// pages is a memory of calls.
type pages struct{ sync.Map }

func (p *pages) Remember(_ context.Context, key string, page []byte) ([]byte, error) {
	first, _ := p.LoadOrStore(key, page)
	return first.([]byte), nil
}

// What the newsletter holds of Ada is the same through its hook's store and
// through the table, and the policy's own orders are carried out there.
func TestTheNewsletterInATable(t *testing.T) {
	t.Parallel()
	endpoint := tabletest.Emulator(t)
	client := dynamodb.New(dynamodb.Options{
		BaseEndpoint: &endpoint, Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	c, err := company.Open(company.Options{Path: filepath.Join(t.TempDir(), "company.db"), People: 60, Now: clock, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	n, err := indynamodb.Load(t.Context(), client, "newsletter", c)
	if err != nil || n < 120 {
		t.Fatalf("%d items, %v", n, err)
	}
	table, err := dynamodbsource.New(dynamodbsource.Options{ID: company.Newsletter, Mapping: indynamodb.Mapping("newsletter"), Client: client, Pages: &pages{}, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	find := func(s source.Source, account string) map[string]source.Record {
		page, err := s.Find(t.Context(), source.Ask{
			Identities: []personal.Identity{personal.MakeIdentity(personal.KindAccount, account)}, Until: today, Values: true,
			Call: source.Call{Key: "find", Lease: today.Add(time.Minute)},
		})
		if err != nil || !page.Done {
			t.Fatal(page, err)
		}
		all := map[string]source.Record{}
		for _, r := range page.Records {
			all[r.ID] = r
		}
		return all
	}
	here, there := find(c.Source(company.Newsletter), company.AdaAccount), find(table, company.AdaAccount)
	if len(here) == 0 || len(here) != len(there) {
		t.Fatalf("%d records in the store, %d in the table", len(here), len(there))
	}
	for id, r := range here {
		if got := there[id]; got.Category != r.Category || !got.At.Equal(r.At) {
			t.Errorf("%s: %s of %v, want %s of %v", id, got.Category, got.At, r.Category, r.At)
		}
	}

	old := func(s source.Source, until time.Time) (ids []string) {
		age := source.Age{Category: company.ReadingHistory, By: source.Collected, Until: until, Limit: 20, Call: source.Call{Key: "old", Lease: today.Add(time.Minute)}}
		for {
			page, err := s.(source.Sweeper).Old(t.Context(), age)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Records {
				ids = append(ids, r.ID)
			}
			if age.Cursor = page.Cursor; page.Done {
				return ids
			}
		}
	}
	for _, until := range []time.Time{today, today.AddDate(0, 0, -100), today.AddDate(-5, 0, 0)} {
		here, there := old(c.Source(company.Newsletter), until), old(table, until)
		if !slices.Equal(here, there) || (len(here) == 0) != until.Before(today.AddDate(-1, 0, 0)) {
			t.Errorf("until %v: old are %d in the store, %d in the table, or in another order", until, len(here), len(there))
		}
	}

	pol, err := policy.Parse(company.Policy)
	if err != nil {
		t.Fatal(err)
	}
	declared, _ := pol.Source(company.Newsletter)
	for _, h := range declared.Holdings {
		order := source.Order{
			Verb: source.Verb(h.Action), Identities: []personal.Identity{personal.MakeIdentity(personal.KindAccount, company.AdaAccount)},
			Category: h.Category, Until: today, Masks: h.Masks, MaskKey: []byte(strings.Repeat("k", 32)),
			Call: source.Call{Key: h.Category, Lease: today.Add(time.Minute)},
		}
		if done, err := table.Execute(t.Context(), order); err != nil || done.Removed == 0 || !done.Done {
			t.Errorf("%s: %+v, %v", h.Category, done, err)
		}
	}
	if left := find(table, company.AdaAccount); len(left) != 0 {
		t.Errorf("%d records of Ada's are left", len(left))
	}
	if theirs := find(table, company.GraceAccount); len(theirs) != len(find(c.Source(company.Newsletter), company.GraceAccount)) {
		t.Error("records of Grace's are gone")
	}
}
