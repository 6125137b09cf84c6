package main

import (
	"testing"
	"time"

	"rightsdesk/infra/local/company"
)

// Whoever closed their account with us can take that back, also when the app tells
// meanwhile that it has closed it too: the work is begun once, and at its time.
func TestAnAppThatTellsOfTheSameClosureTakesNoTimeFromAnybody(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "server-automation")
	w.live(kimAccount, kim, map[string]any{"name": "Kim Winter"})
	w.close(kim)
	w.happens("account.closed", byMail(kim), nil)
	w.pass(6 * day)
	if ids := w.opened("account_closure"); len(ids) != 0 || !w.stays(company.Shop, kimAccount, company.Account, "cust-"+kimAccount) {
		t.Fatalf("within the grace period the work is begun: %v", ids)
	}
	w.pass(day + time.Hour)
	w.done(string(onlyOne(t, w.opened("account_closure"))))
	if len(w.records(kimAccount)) != 0 {
		t.Errorf("after it there is %v", w.records(kimAccount))
	}
}
