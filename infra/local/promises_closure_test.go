package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"rightsdesk/infra/local/company"
	"rightsdesk/shared/table"
)

// The promises about the end of accounts, each through the profile that it comes from.

func TestSP_09_AClosedAccountLeavesWhatADutyKeepsAndThatGoesToo(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "serverless-vendor", replaced(t, "period: 7y # ours", "period: 60d # ours"))
	w.sources["accounts"].as["purchases"], w.sources["accounts"].as["predictions"] = company.SupportMail, "" // the shop keeps its orders itself
	w.live(kimAccount, kim, map[string]any{"full_name": "Kim Winter"})
	w.has(company.Shop, kimAccount, company.Credentials, "token-kim", `{"token":"t"}`)
	w.had(company.Shop, kimAccount, company.SupportMail, "invoice-kim", 24*day)
	w.activate("keep-accounts-purchases")
	id := w.close(kim)

	// Nothing is touched before the grace period is over, and it is what it was if it
	// is taken back.
	before := w.records(kimAccount)
	w.pass(13 * day)
	if s := w.banner(byMail(kim)); s.Status != "grace" || s.ID != id {
		t.Errorf("the banner says %+v", s)
	}
	w.press(w.linked(kim, "/x/"), "")
	if s := w.banner(byMail(kim)); s.Status != "none" {
		t.Errorf("taken back, the banner says %+v", s)
	}
	if now := w.records(kimAccount); len(now) != len(before) {
		t.Errorf("of %d records %d are left within the grace period", len(before), len(now))
	}
	again := w.close(kim)
	if again == id {
		t.Errorf("closed again, it is the same closure %s", id)
	}
	w.pass(14*day + time.Hour)
	work := w.done(string(onlyOne(t, w.opened("account_closure"))))
	if _, stays := w.records(kimAccount)[company.Shop+"/"+company.SupportMail+"/invoice-kim"]; !stays || len(w.records(kimAccount)) != 1 {
		t.Errorf("what stays is %v, want the invoice alone", w.records(kimAccount))
	}
	if s := work.onto("purchases"); len(s) != 1 || s[0].State != "kept" {
		t.Errorf("the work says of the invoices: %+v", s)
	}
	names(t, w.farewell(kim), "26 U.S.C. 6001", "Records of what was sold, for the tax authority.", "account database")

	// The first sweep after its end erases what was kept.
	w.pass(5 * day)
	if !w.stays(company.Shop, kimAccount, company.SupportMail, "invoice-kim") {
		t.Error("the invoice went before its time")
	}
	w.pass(5 * day)
	w.swept("keep-accounts-purchases")
	if w.stays(company.Shop, kimAccount, company.SupportMail, "invoice-kim") {
		t.Error("the duty is over, and the invoice is still there")
	}
	w.silent(kim, "Kim Winter")
}

func TestPT_03_ClosingKeepsWhatADutyKeepsAndNamesIt(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "server-automation")
	w.live(kimAccount, kim, map[string]any{"name": "Kim Winter"})
	w.close(kim)
	w.pass(7*day + time.Hour)
	work := w.done(string(onlyOne(t, w.opened("account_closure"))))
	if len(work.onto("account_content")) == 0 {
		t.Errorf("the work is not about the content: %+v", work)
	}
	names(t, w.farewell(kim), "Abgabenordnung section 147", "Invoices have to be kept for the tax office.")
}

func TestPT_06_ContentLivesAsLongAsTheAccountAndIsLookedForAgain(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "server-automation")
	w.live(kimAccount, kim, map[string]any{"name": "Kim Winter"})
	w.had(company.Shop, kimAccount, company.SupportMail, "script-1", 800*day) // what is old stays all the same
	w.close(kim)
	w.pass(6 * day)
	if !w.stays(company.Shop, kimAccount, company.SupportMail, "script-1") {
		t.Fatal("the content went while there was an account")
	}
	w.has(company.Shop, kimAccount, company.SupportMail, "script-2", `{"note":"written in the grace period"}`)
	w.pass(day + time.Hour)
	id := string(onlyOne(t, w.opened("account_closure")))
	work := w.done(id)
	for _, script := range []string{"script-1", "script-2"} {
		if w.stays(company.Shop, kimAccount, company.SupportMail, script) {
			t.Errorf("%s outlived the account", script)
		}
	}
	looked := w.accesses(func(a company.Access) bool { return a.Category == company.SupportMail })
	if s := work.onto("account_content"); len(s) != 1 || s[0].Done != 2 || s[0].State != "done" || looked < 2 {
		t.Errorf("the work says of the content: %+v, after %d looks", s, looked)
	}
	// Within the days that the file states, or it is late.
	var shown struct {
		Request struct {
			Deadline struct {
				RespondBy time.Time `json:"respond_by"`
			}
			Received time.Time `json:"received_at"`
		}
	}
	w.must(http.StatusOK, "GET", "/v1/operator/requests/"+id, nil, w.operator()).into(t, &shown)
	if got := shown.Request.Deadline.RespondBy.Sub(shown.Request.Received); got < 13*day || got > 15*day {
		t.Errorf("it is to be done after %s, and the policy states 14 days", got)
	}
	broken(t, "server-automation", "  erased_within: 14 # ours: the figure that must stand here\n", "", "closure.erased_within", "required")
}

func TestPT_07_TheRecordOfSignInsEndsWithTheAccountAndTheSignUpAddressLater(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "server-automation")
	w.live(kimAccount, kim, map[string]any{"name": "Kim Winter"})
	w.had(company.Shop, kimAccount, company.AccessLog, "sign-in-1", 900*day)
	w.sources["product"].as["account_content"], w.sources["product"].as["sign_up_address"] = "", company.SupportMail
	w.had(company.Shop, kimAccount, company.SupportMail, "sign-up", 900*day)
	w.pass(day)
	if !w.stays(company.Shop, kimAccount, company.AccessLog, "sign-in-1") {
		t.Fatal("a sign-in went while the account was active")
	}
	w.activate("keep-product-sign_up_address")
	w.close(kim)
	w.pass(7*day + time.Hour)
	work := w.done(string(onlyOne(t, w.opened("account_closure"))))
	if w.stays(company.Shop, kimAccount, company.AccessLog, "sign-in-1") {
		t.Error("a sign-in outlived the account")
	}
	if s := work.onto("sign_ins"); len(s) != 1 || s[0].Done != 1 {
		t.Errorf("the work says of the sign-ins: %+v", s)
	}
	w.pass(89 * day) // its period is the operator's
	if !w.stays(company.Shop, kimAccount, company.SupportMail, "sign-up") {
		t.Error("the sign-up address went with the account")
	}
	w.pass(2 * day)
	if w.stays(company.Shop, kimAccount, company.SupportMail, "sign-up") {
		t.Error("ninety days after the account was closed the sign-up address is there")
	}
}

func TestPS_03_DeletionOrAnonymisationIsThePersonsChoice(t *testing.T) {
	t.Parallel()
	for how, stays := range map[string]bool{"delete": false, "anonymise": true} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			w := openProfile(t, "cloud-platform", replaced(t, "          mail: {how: \"null\"}", "          email: {how: \"null\"}"))
			w.live(kimAccount, kim, map[string]any{"name": "Kim Winter", "company": "Winter Ltd"})
			id := w.ask("erasure", kim, func(b map[string]any) { b["how"] = how })
			s, _ := w.answered(id, kim)
			if s.Status != "fulfilled" {
				t.Fatalf("%+v", s)
			}
			left := ""
			if err := w.Company.Nobodys(company.Shop, func(l company.Line) { left += string(l.Fields) }); err != nil {
				t.Fatal(err)
			}
			if len(w.records(kimAccount)) != 0 || (left != "") != stays || strings.Contains(left, kim) || strings.Contains(left, "Kim Winter") {
				t.Errorf("what is left of the profile is %q, beside %v", left, w.records(kimAccount))
			}
		})
	}
}

func TestSB_04_TheGracePeriodIsStatedToldAndTheDeletionVerified(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "paas-canada")
	w.live(kimAccount, kim, map[string]any{"name": "Kim Winter"})
	broken(t, "paas-canada", "  grace: 30d # ours: the figure that must stand here\n", "", "closure.grace", "required")
	w.close(kim)
	told := ""
	w.await("the mail tells the end of the grace period", func() bool {
		told = w.lasts(kim)
		return strings.Contains(told, "30 days") || strings.Contains(told, w.Clock.Now().Add(30*day).Format("2 January 2006"))
	})
	c := w.banner(byMail(kim))
	if c.Status != "grace" || c.ClosesAt == nil || c.ClosesAt.Sub(w.Clock.Now()) < 29*day {
		t.Errorf("the banner says %+v", c)
	}
	page := string(w.must(http.StatusOK, "GET", "/close?lang=en", nil).Body)
	names(t, page, "30 days")
	w.pass(30*day + time.Hour)
	work := w.done(string(onlyOne(t, w.opened("account_closure"))))
	if s := work.onto("account"); len(s) != 1 || s[0].State != "done" || s[0].Done != 1 {
		t.Errorf("the work says of the account: %+v", s)
	}
	looked := w.accesses(func(a company.Access) bool { return a.Category == company.Account })
	if len(w.records(kimAccount)) != 0 || looked < 2 {
		t.Errorf("%d records are left after %d looks", len(w.records(kimAccount)), looked)
	}
}

func TestSB_05_ARestoreBringsNobodyBack(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "paas-canada")
	w.live(kimAccount, kim, map[string]any{"name": "Kim Winter"})
	w.live("acc-noor", "noor@example.net", map[string]any{"name": "Noor Sommer"})
	copied := w.Clock.Now()
	w.close(kim)
	w.pass(30*day + time.Hour)
	w.done(string(onlyOne(t, w.opened("account_closure"))))
	w.await("the ledger says so", func() bool { return w.guarded(byMail(kim)) != nil })

	// The company restores its own store from a copy: Kim is there again, and so is
	// somebody who came back of their own will since.
	w.fill(company.Shop, []company.Line{{
		Account: kimAccount, Category: company.Account, ID: "cust-" + kimAccount, At: copied.Add(-48 * time.Hour).Truncate(time.Millisecond),
		Fields: []byte(`{"email":"` + kim + `","name":"Kim Winter"}`),
	}})
	report := w.replay()
	if w.stays(company.Shop, kimAccount, company.Account, "cust-"+kimAccount) {
		t.Errorf("the copy brought Kim back: %v", report)
	}
	if !w.stays(company.Shop, "acc-noor", company.Account, "cust-acc-noor") {
		t.Error("somebody else was erased")
	}
	if before := w.guarded(byMail(kim)); before == nil || before.Before(copied) {
		t.Errorf("an app that imports is told to drop what is older than %v", before)
	}
	if w.guarded(byMail("noor@example.net")) != nil {
		t.Error("an app is told not to bring back somebody who never left")
	}
}

// guarded asks whether somebody was erased, and returns from when what is kept of
// them is their own again.
func (w *world) guarded(who subject) *time.Time {
	w.t.Helper()
	var b struct {
		Results []struct {
			DropBefore *time.Time `json:"drop_before"`
		}
	}
	w.appMust(http.StatusOK, "POST", "/v1/app/import-guard", map[string]any{"subjects": []subject{who}}).into(w.t, &b)
	if len(b.Results) != 1 {
		w.t.Fatalf("one question has %d answers", len(b.Results))
	}
	return b.Results[0].DropBefore
}

func TestSP_11_AnOptOutSurvivesPoliciesAndRestores(t *testing.T) {
	t.Parallel()
	for _, class := range []string{"data_broker", "buyer"} {
		broken(t, "serverless-vendor", "    class: cloud_infrastructure\n", "    class: "+class+"\n", "recipients", "must be one of")
	}
	w := openProfile(t, "serverless-vendor")
	copied := w.copyState()
	w.ask("opt_out_sale", kim, livesIn("US-CA"))
	w.may(false, "opt_out_sale", byMail(kim), "campaigns")
	w.restoreState(copied)
	if d := w.decide(byMail(kim), "campaigns"); d.Why == "opt_out_sale" {
		t.Fatalf("the copy is none: %+v", d)
	}
	w.replay()
	w.may(false, "opt_out_sale", byMail(kim), "campaigns")
}

func TestSB_03_WhatWasAskedForIsKeptUntilRecourseIsOver(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "paas-canada")
	w.live(kimAccount, kim, map[string]any{"name": "Kim Winter"})
	id := w.ask("access", kim)
	if s, _ := w.answered(id, kim); s.Status != "fulfilled" {
		t.Fatalf("%+v", s)
	}
	var mine holdSeen
	for _, h := range w.allHolds() {
		if h.For == id {
			mine = h
		}
	}
	if !mine.Automatic || mine.Basis != "recourse" || !strings.Contains(mine.Article, "8(8)") {
		t.Fatalf("the holds are %+v", w.allHolds())
	}
	// The end of the account does not take it away while there is recourse.
	if mine.Until == nil {
		t.Fatalf("the hold has no end: %+v", mine)
	}
	w.pass(mine.Until.Sub(w.Clock.Now()) - 40*day)
	w.close(kim)
	w.pass(31 * day)
	work := w.work(string(onlyOne(t, w.opened("account_closure"))))
	if s := work.onto("account"); len(s) != 1 || s[0].State == "done" || s[0].Done != 0 || !w.stays(company.Shop, kimAccount, company.Account, "cust-"+kimAccount) {
		t.Errorf("while there is recourse the work says of the account: %+v", s)
	}
	if mine = w.hold(mine.ID); mine.Until == nil {
		t.Fatalf("the hold has no end: %+v", mine)
	}
	w.pass(mine.Until.Sub(w.Clock.Now()) + 3*time.Hour)
	if h := w.hold(mine.ID); h.Status != "released" {
		t.Errorf("when recourse is over the hold is %s", h.Status)
	}
	w.pass(3 * time.Hour)
	w.done(work.Request.ID)
	if w.stays(company.Shop, kimAccount, company.Account, "cust-"+kimAccount) {
		t.Error("recourse is over, and the account is still there")
	}
}

func TestSB_06_WhatStaysForAnalyticsIsNobodysAnyMore(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "paas-canada")
	w.live(kimAccount, kim, map[string]any{"name": "Kim Winter"})
	w.has(company.Shop, kimAccount, company.SupportMail, "use-1", `{"account":"acc-kim","ip":"192.0.2.7","comment":"I am Kim Winter","page":"/build","milliseconds":"80"}`)
	w.close(kim)
	w.pass(30*day + time.Hour)
	work := w.done(string(onlyOne(t, w.opened("account_closure"))))
	found := ""
	if err := w.Company.Nobodys(company.Shop, func(l company.Line) {
		if strings.Contains(string(l.Fields), "/build") {
			found += string(l.Fields)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(found, "/build") || strings.Contains(found, "Kim") || strings.Contains(found, "192.0.2.7") {
		t.Errorf("what stays is %q, after %+v", found, work.onto("usage"))
	}
	id := w.ask("access", kim)
	if s, token := w.answered(id, kim); s.Status == "fulfilled" {
		if answer, _ := w.unpack(id, token); len(answer.Categories) > 0 {
			for _, c := range answer.Categories {
				if len(c.Records) > 0 {
					t.Errorf("a request finds it again: %+v", c)
				}
			}
		}
	}
}

func TestSB_08_PapersAreKeptShortestAndMaskedForOperators(t *testing.T) {
	t.Parallel()
	const rule = "    trigger: collected\n    period: 30d # ours\n"
	broken(t, "paas-canada", rule, strings.Replace(rule, "30d", "10y", 1), "retention_rules.identity_papers", "shortest")
	w := openProfile(t, "paas-canada",
		replaced(t, "      account: {action: delete, correctable: {name: name}}\n", "      account: {action: delete, correctable: {name: name}}\n      identity_papers: {action: delete}\n"),
		replaced(t, "\n  usage: # SB-06: nothing", "\n  papers_online: {source: platform, category: identity_papers, trigger: collected, period: 30d, set_by: operator, action: delete}\n  usage: # SB-06: nothing"))
	w.live(kimAccount, kim, map[string]any{"name": "Kim Winter"})
	w.had(company.Shop, kimAccount, company.AccessLog, "passport-C01X00T47", day)
	id := w.ask("erasure", kim)
	w.verify(id, kim)
	var shown string
	w.await("the plan is there", func() bool {
		shown = string(w.must(http.StatusOK, "GET", "/v1/operator/requests/"+id, nil, w.operator()).Body)
		return strings.Contains(shown, "identity_papers")
	})
	if strings.Contains(shown, "C01X00T47") || !strings.Contains(shown, "cust-"+kimAccount) {
		t.Errorf("operators see of papers and of the account: %s", shown)
	}
	if r := w.rule("identity_papers"); r.ByHand == nil || r.ByHand.Team != "compliance" {
		t.Errorf("whoever has the papers is told to destroy them: %+v", r)
	}
}

// stateCopy is the State table as it was.
type stateCopy map[table.Key]table.Item

// copyState copies the State table.
func (w *world) copyState() stateCopy {
	w.t.Helper()
	all := stateCopy{}
	for q := (table.Scan{Table: table.State}); ; {
		page, err := w.Table.Scan(w.t.Context(), q)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, item := range page.Items {
			all[item.Key] = item
		}
		if q.Cursor = page.Cursor; q.Cursor == "" {
			return all
		}
	}
}

// restoreState puts the State table back to a copy, item by item, while nothing else
// is done.
func (w *world) restoreState(old stateCopy) {
	w.t.Helper()
	w.busy.Lock()
	defer w.busy.Unlock()
	for key, item := range w.copyState() {
		write := table.Delete(table.Ref{Table: table.State, Key: key}, table.Exists)
		if was, ok := old[key]; ok {
			write = table.Put(table.State, was, table.Version(item.Version))
		}
		if err := w.Table.Commit(w.t.Context(), table.NewID(), write); err != nil {
			w.t.Fatal(err)
		}
	}
	now := w.copyState()
	for key, item := range old {
		if _, ok := now[key]; ok {
			continue
		}
		if err := w.Table.Commit(w.t.Context(), table.NewID(), table.Put(table.State, item, table.New)); err != nil {
			w.t.Fatal(err)
		}
	}
}
