package seal_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/seal"
	"rightsdesk/shared/table"
	"rightsdesk/shared/table/tabletest"
)

var today = time.Date(2026, 3, 2, 23, 0, 0, 0, time.UTC)

func openKeys(t *testing.T) seal.Keys {
	t.Helper()
	return seal.Keys{Ring: seal.NewRing(), Table: tabletest.Embedded(t, func() time.Time { return today })}
}

func TestAnAddressIsOneSubjectHoweverOftenItIsMet(t *testing.T) {
	t.Parallel()
	k := openKeys(t)
	first, ok, err := k.Contact(t.Context(), ada, today, 3)
	if err != nil || !ok || first.ID == "" || len(first.Salt) < 32 || first.Generation != 1 || first.Holder != k.Ring.Identifier(ada) {
		t.Fatalf("%+v, %t, %v", first, ok, err)
	}
	again, ok, err := k.Contact(t.Context(), personal.MakeIdentity(personal.KindEmail, "ADA@example.org "), today, 3)
	if err != nil || !ok || again.ID != first.ID || string(again.Salt) != string(first.Salt) {
		t.Errorf("%+v, %t, %v; want %+v", again, ok, err, first)
	}
	grace, _, err := k.Contact(t.Context(), personal.MakeIdentity(personal.KindEmail, "grace@example.net"), today, 3)
	if err != nil || grace.ID == first.ID || string(grace.Salt) == string(first.Salt) {
		t.Errorf("somebody else is the same subject, or has the same salt: %v", err)
	}
	loaded, err := k.Load(t.Context(), first.Holder)
	if err != nil || loaded.ID != first.ID || string(loaded.Salt) != string(first.Salt) {
		t.Errorf("Load = %+v, %v", loaded, err)
	}
}

func TestMailsAreCountedByTheDay(t *testing.T) {
	t.Parallel()
	k := openKeys(t)
	allowed := func(now time.Time) (n int) {
		t.Helper()
		for range 6 {
			s, ok, err := k.Contact(t.Context(), ada, now, 3)
			if err != nil || s.ID == "" {
				t.Fatalf("the subject is returned, whatever the count: %+v, %v", s, err)
			}
			if ok {
				n++
			}
		}
		return n
	}
	if n := allowed(today); n != 3 {
		t.Errorf("%d mails on the first day", n)
	}
	holder := k.Ring.Identifier(ada)
	if ok, err := k.Again(t.Context(), holder, today, 3); ok || err != nil {
		t.Errorf("one more on the first day: %t, %v", ok, err)
	}
	if n := allowed(today.Add(time.Hour)); n != 3 { // the next day, in UTC
		t.Errorf("%d mails on the second day", n)
	}
	if ok, err := k.Again(t.Context(), holder, today.Add(26*time.Hour), 3); !ok || err != nil {
		t.Errorf("on the third day: %t, %v", ok, err)
	}
	if n := allowed(today); n != 0 {
		t.Errorf("a clock that went back allows %d more", n)
	}
}

func TestWhomNobodyKnowsGetsNoMailAndOpensNothing(t *testing.T) {
	t.Parallel()
	k := openKeys(t)
	unknown := k.Ring.Identifier(ada)
	if ok, err := k.Again(t.Context(), unknown, today, 3); ok || err != nil {
		t.Errorf("Again = %t, %v", ok, err)
	}
	if _, err := k.Load(t.Context(), unknown); !errors.Is(err, seal.ErrSealed) {
		t.Errorf("Load = %v", err)
	}
}

func TestManyWhoMeetAnAddressFirstMakeOneSubject(t *testing.T) {
	t.Parallel()
	k := openKeys(t)
	var mu sync.Mutex
	ids, mails := map[string]bool{}, 0
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			s, ok, err := k.Contact(t.Context(), ada, today, 5)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if ids[s.ID] = true; ok {
				mails++
			}
		})
	}
	wg.Wait()
	if len(ids) != 1 || mails != 5 {
		t.Errorf("%d subjects and %d mails, want 1 and 5", len(ids), mails)
	}
}

func TestADestroyedSaltOpensNothing(t *testing.T) {
	t.Parallel()
	k := openKeys(t)
	ctx := t.Context()
	s, _, err := k.Contact(ctx, ada, today, 3)
	if err != nil {
		t.Fatal(err)
	}
	at := seal.Place{Item: "request#r1", Field: "person"}
	sealed, err := k.Ring.Seal(s, at, []byte("ada"))
	if err != nil {
		t.Fatal(err)
	}
	ref := table.Ref{Table: table.Keys, Key: table.Key{Partition: "id#" + string(s.Holder), Sort: "-"}}
	for _, c := range []struct {
		name    string
		destroy func() error
	}{ // in this order: what is gone has no salt to lose
		{"the salt", func() error {
			return k.Table.Commit(ctx, table.NewID(), table.Put(table.Keys, table.Item{Key: ref.Key, Schema: 1, Body: []byte(`{"subject":"` + s.ID + `","generation":2}`)}, table.Exists))
		}},
		{"the item", func() error { return k.Table.Commit(ctx, table.NewID(), table.Delete(ref, table.Exists)) }},
	} {
		if err := c.destroy(); err != nil {
			t.Fatal(err)
		}
		if _, err := k.Load(ctx, s.Holder); !errors.Is(err, seal.ErrSealed) {
			t.Errorf("without %s: %v", c.name, err)
		}
		if _, err := k.Ring.Unseal(seal.Subject{ID: s.ID, Holder: s.Holder, Generation: 1}, at, sealed); !errors.Is(err, seal.ErrSealed) {
			t.Errorf("without %s a field opens: %v", c.name, err)
		}
	}
}

func TestAnUnreadableSubjectIsAnError(t *testing.T) {
	t.Parallel()
	k := openKeys(t)
	holder := k.Ring.Identifier(ada)
	key := table.Key{Partition: "id#" + string(holder), Sort: "-"}
	for _, item := range []table.Item{{Key: key, Schema: 2, Body: []byte(`{}`)}, {Key: key, Schema: 1, Body: []byte(`{`)}} {
		pre := table.New
		if _, err := k.Table.Get(t.Context(), table.Ref{Table: table.Keys, Key: key}); err == nil {
			pre = table.Exists
		}
		if err := k.Table.Commit(t.Context(), table.NewID(), table.Put(table.Keys, item, pre)); err != nil {
			t.Fatal(err)
		}
		if _, err := k.Load(t.Context(), holder); err == nil || errors.Is(err, seal.ErrSealed) {
			t.Errorf("schema %d: Load = %v, which would read as erased", item.Schema, err)
		}
	}
}

// broken is a store that answers nothing.
type broken struct{ table.Table }

func (broken) Get(context.Context, table.Ref) (table.Item, error) { return table.Item{}, table.ErrBusy }

func (broken) Count(context.Context, table.Tally) (table.Item, error) {
	return table.Item{}, table.ErrUnknown
}

func TestAStoreThatDoesNotAnswerIsNoAnswer(t *testing.T) {
	t.Parallel()
	k := seal.Keys{Ring: seal.NewRing(), Table: broken{}}
	if _, ok, err := k.Contact(t.Context(), ada, today, 3); ok || !errors.Is(err, table.ErrUnknown) {
		t.Errorf("Contact = %t, %v", ok, err)
	}
	if ok, err := k.Again(t.Context(), "i1x", today, 3); ok || !errors.Is(err, table.ErrUnknown) {
		t.Errorf("Again = %t, %v", ok, err)
	}
	if _, err := k.Load(t.Context(), "i1x"); errors.Is(err, seal.ErrSealed) || !errors.Is(err, table.ErrBusy) {
		t.Errorf("Load = %v", err)
	}
}

// Many who ask at once for somebody whose salt was destroyed meet one and the same.
func TestWhoComesBackIsMetOnce(t *testing.T) {
	t.Parallel()
	k := openKeys(t)
	before, _, err := k.Contact(t.Context(), ada, today, 100)
	if err != nil {
		t.Fatal(err)
	}
	writes, err := k.Destroy(t.Context(), before.Holder, before.Generation)
	if err != nil || len(writes) != 1 {
		t.Fatal(writes, err)
	}
	if err := k.Table.Commit(t.Context(), table.NewID(), writes...); err != nil {
		t.Fatal(err)
	}
	if again, err := k.Destroy(t.Context(), before.Holder, before.Generation); err != nil || len(again) != 0 {
		t.Errorf("destroyed twice: %v, %v", again, err)
	}
	if s, err := k.Stands(t.Context(), before.Holder); err != nil || !s.Destroyed || s.Generation != 1 || s.Contacted != "2026-03-02" {
		t.Errorf("%+v, %v", s, err)
	}
	met := make([]seal.Subject, 20)
	var all sync.WaitGroup
	for i := range met {
		all.Go(func() {
			var err error
			if i%2 == 0 {
				met[i], err = k.Meet(t.Context(), ada)
			} else {
				met[i], _, err = k.Contact(t.Context(), ada, today, 100)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, s := range met {
		if s.ID != met[0].ID || string(s.Salt) != string(met[0].Salt) || s.Generation != 2 || s.ID == before.ID {
			t.Fatalf("%+v, %+v", s, met[0])
		}
	}
	// What followed the salt that is to be destroyed stays.
	if writes, err := k.Destroy(t.Context(), before.Holder, before.Generation); err != nil || len(writes) != 0 {
		t.Errorf("%v, %v", writes, err)
	}
	// Of somebody whom the copy does not know the generation is kept all the same.
	grace := k.Ring.Identifier(personal.MakeIdentity(personal.KindEmail, "grace@example.net"))
	if writes, err = k.Destroy(t.Context(), grace, 3); err != nil || len(writes) != 1 {
		t.Fatal(writes, err)
	}
	if err := k.Table.Commit(t.Context(), table.NewID(), writes...); err != nil {
		t.Fatal(err)
	}
	if s, err := k.Meet(t.Context(), personal.MakeIdentity(personal.KindEmail, "grace@example.net")); err != nil || s.Generation != 4 {
		t.Errorf("%+v, %v", s, err)
	}
}
