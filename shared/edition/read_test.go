package edition

import (
	"bytes"
	"errors"
	"testing"

	"rightsdesk/shared/policy"
	"rightsdesk/shared/table"
)

// A policy that kept the audit for less counts for ever, if it is what was published.
func TestTheShortestTimeThatTheAuditWasKeptFor(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	keeps := func(period string) {
		t.Helper()
		file := append(text(t, period), "retention: {audit: "+period+"}\n"...)
		if _, err := d.Publish(t.Context(), handler, Call{File: file}); err != nil {
			t.Fatal(err)
		}
	}
	shortest := func(now, want policy.Period) {
		t.Helper()
		if is, err := d.ShortestAudit(t.Context(), now); err != nil || is != want {
			t.Errorf("%s, %v; want %s", is, err, want)
		}
	}
	years, days := policy.Period{Years: 9}, func(n int) policy.Period { return policy.Period{Days: n} }
	shortest(years, years)
	shortest(policy.Period{}, policy.Period{})
	keeps("40d")
	keeps("30d")
	keeps("8y")
	shortest(years, days(30))
	shortest(days(20), days(20))
	shortest(policy.Period{}, days(30))

	// Whoever puts another file under the name of what was published moves nothing.
	list, err := d.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := fileRef(list[1].Version)
	item, err := d.inner.Get(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	file, err := unzip(item.Body)
	if err != nil {
		t.Fatal(err)
	}
	lies := func(file []byte) {
		t.Helper()
		now, err := d.inner.Get(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		body, err := zip(file)
		if err != nil {
			t.Fatal(err)
		}
		item.Body = body
		if err := d.inner.Commit(t.Context(), table.NewID(), table.Put(table.State, item, table.Version(now.Version))); err != nil {
			t.Fatal(err)
		}
	}
	lies(bytes.ReplaceAll(file, []byte("30d"), []byte("1d")))
	shortest(years, days(40))
	lies([]byte("no policy"))
	shortest(years, days(40))
	lies(file)
	shortest(years, days(30))

	busy := &Book{Table: &wires{Table: d.inner, at: 3}, Now: d.Now, Log: d.Log}
	if _, err := busy.ShortestAudit(t.Context(), years); !errors.Is(err, ErrBusy) {
		t.Errorf("where the table is busy: %v", err)
	}
}
