package company_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"rightsdesk/infra/local/company"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/source"
)

func age(category string, by source.Hand, until time.Time) source.Age {
	return source.Age{Category: category, By: by, Until: until, Call: source.Call{Key: "old", Lease: today.Add(time.Minute)}}
}

// old returns the ids of what is old, in the order of the answers.
func old(t *testing.T, s source.Source, a source.Age) (records []source.AgedRecord) {
	t.Helper()
	for {
		page, err := s.(source.Sweeper).Old(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, page.Records...)
		if a.Cursor = page.Cursor; page.Done {
			return records
		}
	}
}

func expire(t *testing.T, s source.Source, verb source.Verb, a source.Age, key string, records []source.AgedRecord) source.Done {
	t.Helper()
	done, err := s.(source.Sweeper).Expire(t.Context(), source.Expiry{
		Verb: verb, Category: a.Category, By: a.By, Until: a.Until, Records: records, Call: source.Call{Key: key, Lease: today.Add(time.Minute)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func TestAnAccountIsAsOldAsItsLastVisit(t *testing.T) {
	t.Parallel()
	shop := open(t, nil)
	s := shop.Source(company.Shop)
	if n := len(old(t, s, age(company.Account, source.Collected, today.AddDate(-1, 0, 1)))); n != 3 {
		t.Errorf("%d accounts are older than a year, want all 3", n)
	}
	if n := len(old(t, s, age(company.Account, source.LastUsed, today.AddDate(-1, 0, 1)))); n != 0 {
		t.Errorf("%d accounts were not used for a year", n)
	}
	all := old(t, s, age(company.Account, source.LastUsed, today))
	if len(all) != 3 {
		t.Fatalf("%d accounts in all", len(all))
	}
	oldest := all[0]
	if !slices.ContainsFunc(oldest.Who, func(i personal.Identity) bool { return i.Kind == personal.KindEmail }) {
		t.Error("the shop knows an address of its customer's and does not say so")
	}
	if err := shop.Use(company.Shop, company.Account, oldest.ID, today); err != nil {
		t.Fatal(err)
	}
	if again := old(t, s, age(company.Account, source.LastUsed, today)); again[2].ID != oldest.ID || !again[2].At.Equal(today) {
		t.Errorf("after a visit today %s is of %v", again[2].ID, again[2].At)
	}
	if done := expire(t, s, source.Delete, age(company.Account, source.LastUsed, today.Add(-time.Hour)), "k", all); done.Removed != 2 || done.Retained != 1 {
		t.Errorf("%+v, want the one retained that was used again", done)
	}
	if _, err := s.(source.Sweeper).Old(t.Context(), age(company.Orders, source.LastUsed, today)); !errors.Is(err, source.ErrRefused) {
		t.Errorf("orders by their last use: %v, want ErrRefused", err)
	}
}

func TestOrdersExpireAfterTenYearsAndNotBefore(t *testing.T) {
	t.Parallel()
	shop := open(t, nil)
	s := shop.Source(company.Shop)
	for id, at := range map[string]time.Time{"o-1": today.AddDate(-10, 0, -1), "o-2": today.AddDate(-10, 0, 1)} {
		if err := shop.Add(company.Shop, company.Line{Account: company.AdaAccount, Category: company.Orders, ID: id, At: at, Fields: []byte(`{"number":"1"}`)}); err != nil {
			t.Fatal(err)
		}
	}
	a := age(company.Orders, source.Collected, today.AddDate(-5, 0, 0))
	due := old(t, s, a)
	if done := expire(t, s, source.Delete, a, "k", due); len(due) != 2 || done.Removed != 1 || done.Retained != 1 || len(done.Messages) != 1 {
		t.Errorf("%d are due: %+v; want one gone and one retained, with a reason", len(due), done)
	}
	if left := old(t, s, a); len(left) != 1 || left[0].ID != "o-2" {
		t.Errorf("left are %+v", left)
	}
}

func TestWhatIsArchivedIsStillFoundButNotArchivedAgain(t *testing.T) {
	t.Parallel()
	shop := open(t, nil)
	s := shop.Source(company.Shop)
	a := age(company.SupportMail, source.Collected, today)
	a.Verb = source.Archive
	all := old(t, s, a)
	if done := expire(t, s, source.Archive, a, "k", all); done.Removed != len(all) || len(all) == 0 {
		t.Fatalf("%+v of %d", done, len(all))
	}
	if left := old(t, s, a); len(left) != 0 {
		t.Errorf("%d are to be archived again", len(left))
	}
	if a.Verb = source.Delete; len(old(t, s, a)) != len(all) {
		t.Error("what is archived cannot be deleted by its age")
	}
	page, err := s.Find(t.Context(), source.Ask{
		Identities: []personal.Identity{personal.MakeIdentity(personal.KindAccount, company.AdaAccount)}, Category: company.SupportMail, Until: today, Call: a.Call,
	})
	if err != nil || len(page.Records) == 0 {
		t.Errorf("%d archived letters are found, %v", len(page.Records), err)
	}
}

func TestTheJournalCountsWhatExpired(t *testing.T) {
	t.Parallel()
	shop := open(t, func(o *company.Options) { o.Journal = true })
	s := shop.Source(company.Shop)
	a := age(company.AccessLog, source.Collected, today)
	all := old(t, s, a)
	for range 3 {
		expire(t, s, source.Delete, a, "k", all)
	}
	n := 0
	if err := shop.Effects(func(e company.Effect) {
		if n++; e.Count != 1 || e.Key != "k" || e.Category != company.AccessLog {
			t.Errorf("%+v", e)
		}
	}); err != nil || n != len(all) || n == 0 {
		t.Errorf("%d effects on %d records, %v", n, len(all), err)
	}
}

// A file that was made before there was an index of ages gets one.
func TestAnOlderFileIsIndexedByAge(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "company.db")
	change := func(o *company.Options) { o.Path = path }
	shop := open(t, change)
	a := age(company.AccessLog, source.Collected, today)
	want := old(t, shop.Source(company.Shop), a)
	if err := shop.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte("shop.ages")) }), db.Close()); err != nil {
		t.Fatal(err)
	}
	if got := old(t, open(t, change).Source(company.Shop), a); len(got) != len(want) || len(got) == 0 {
		t.Errorf("%d are old, %d were", len(got), len(want))
	}
}
