package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"rightsdesk/infra/local/company"
)

// The promises about the end of data, each through the profile that it comes from.

func TestSP_07_VisitorLogsAreErasedNinetyDaysAfterTheEntry(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "serverless-vendor", replaced(t, "  requests: 24mo # California, 11 CCR 7101\n", "  requests: 24mo # California, 11 CCR 7101\n  brake: {percent: 100, cap: 10000}\n"))
	w.had(company.Shop, kimAccount, company.AccessLog, "visit-old", 89*day)
	w.had(company.Shop, kimAccount, company.AccessLog, "visit-young", 86*day)
	w.had(company.Shop, kimAccount, company.AccessLog, "visit-traced", 89*day)
	// Nothing goes before somebody has looked.
	w.pass(2 * day)
	if !w.stays(company.Shop, kimAccount, company.AccessLog, "visit-old") {
		t.Fatal("a rule that nobody looked at deletes")
	}
	// Longer than that is a hold, which has a reason and an end.
	refused := w.call("POST", "/v1/operator/holds", map[string]any{"scope": "item", "source": "logs", "category": "site_logs", "item": "visit-traced"}, w.operator())
	if _, said := refused.problem(t); refused.Status != http.StatusBadRequest || !strings.Contains(said, "/basis") || !strings.Contains(said, "/review") {
		t.Errorf("a hold without a reason and an end: %d %s", refused.Status, said)
	}
	hold := w.place(map[string]any{"scope": "item", "source": "logs", "category": "site_logs", "item": "visit-traced"})
	w.activate("site_logs")
	w.swept("site_logs")
	for record, stays := range map[string]bool{"visit-old": false, "visit-young": true, "visit-traced": true} {
		if w.stays(company.Shop, kimAccount, company.AccessLog, record) != stays {
			t.Errorf("%s stays: %t, want %t", record, !stays, stays)
		}
	}
	if r := w.rule("site_logs"); r.Last == nil || r.Last.Held != 1 || r.Late != nil {
		t.Errorf("what is held is not late: %+v", r)
	}
	w.pass(day)
	if !w.stays(company.Shop, kimAccount, company.AccessLog, "visit-young") {
		t.Error("a visit went before its ninety days")
	}
	w.let(hold)
	w.pass(2*day + 20*time.Hour) // it is ninety days old by now, and at most one sweep later
	for _, record := range []string{"visit-young", "visit-traced"} {
		if w.stays(company.Shop, kimAccount, company.AccessLog, record) {
			t.Errorf("%s is there after ninety days and a sweep", record)
		}
	}
}

func TestSP_08_TheFirstSweepAfterThePurposeEnded(t *testing.T) {
	t.Parallel()
	// Each category declares what ends it, or the file is refused.
	broken(t, "serverless-vendor", "  site_logs: # SP-07: longer only under a hold, which has a reason and an end\n    source: logs\n    category: site_logs\n    trigger: collected\n    period: 90d\n    set_by: company\n    action: delete\n", "", "logs.holdings.site_logs", "ends")
	w := openProfile(t, "serverless-vendor")
	pub, page := w.published()
	if len(pub.Retention) == 0 {
		t.Error("no period is published")
	}
	shows(t, page, "90 days")
	w.live(kimAccount, kim, map[string]any{"full_name": "Kim Winter"})
	w.has(company.Shop, kimAccount, company.Credentials, "token-kim", `{"token":"t"}`)
	w.has(company.Shop, kimAccount, company.Orders, "invoice-kim", `{"amount":"12 USD"}`)
	// The account was the last purpose of the token; the invoice has a duty by name.
	w.happens("account.closed", account(kimAccount), nil)
	w.pass(round)
	work := w.done(string(onlyOne(t, w.opened("account_closure"))))
	if w.stays(company.Shop, kimAccount, company.Credentials, "token-kim") || !w.stays(company.Shop, kimAccount, company.Orders, "invoice-kim") {
		t.Errorf("after the account was closed there is %v", w.records(kimAccount))
	}
	if s := work.onto("purchases"); len(s) != 1 || s[0].State != "kept" {
		t.Errorf("the work says of the invoices: %+v", s)
	}
}

func TestSP_18_ApplicationsHaveAPeriodOfTheirOwn(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "serverless-vendor")
	c, ok := w.policy.Category("applications")
	if !ok {
		t.Fatal("job applications are no category")
	}
	r := w.rule("applications")
	if r.Rule.SetBy != "operator" || r.ByHand == nil || r.ByHand.Team != "people" {
		t.Errorf("the rule is %+v", r)
	}
	_, page := w.published()
	shows(t, page, c.Label.In("en"), "12 months")
	broken(t, "serverless-vendor", "    trigger: collected\n    period: 12mo # ours\n", "    trigger: collected\n", "retention_rules.applications.period", "required")
	w.pass(2 * day)
	w.await("the team is told", func() bool {
		for _, m := range w.mails("") {
			if strings.Contains(w.said(m.N), "applications") && !strings.Contains(m.To, kim) {
				return true
			}
		}
		return false
	})
}

func TestPT_08_CorrespondenceIsKeptForThePeriodThatTheOperatorStates(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "server-automation")
	w.pass(round)
	r := w.rule("correspondence")
	if r.Rule.SetBy != "operator" || r.ByHand == nil || r.ByHand.Team != "office" || !strings.Contains(r.Rule.Text, "3 years") {
		t.Errorf("the rule is %+v", r)
	}
	_, page := w.published()
	shows(t, page, "3 years")
	broken(t, "server-automation", "  correspondence: # PT-08\n    source: letters\n    category: correspondence\n    trigger: collected\n    period: 3y # ours\n", "  correspondence: # PT-08\n    source: letters\n    category: correspondence\n    trigger: collected\n", "retention_rules.correspondence.period", "required")
	// The office says that it is done, and is told again when it is due again.
	done := w.rule("correspondence")
	w.must(http.StatusOK, "POST", "/v1/operator/retention/correspondence/confirm", map[string]any{"version": done.Version}, w.operator())
	after := w.rule("correspondence")
	if after.ByHand == nil || !after.ByHand.Due.After(done.ByHand.Due) {
		t.Errorf("after it was done it is due %+v, before %+v", after.ByHand, done.ByHand)
	}
}

func TestPS_06_ExceptionsDeclareTheirEndAndWhatIsPastItIsLate(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"          ground: security\n", "          period: 12mo # ours\n"} {
		broken(t, "cloud-platform", line, "", "holdings.activity.keep", "required")
	}
	w := openProfile(t, "cloud-platform")
	w.had(company.Shop, kimAccount, company.AccessLog, "act-1", 400*day)
	id := "keep-activity-activity"
	w.activate(id)
	// The store cannot be reached: what is past its end is reported as late.
	w.silenced.Store(true)
	w.pass(4 * day)
	r := w.rule(id)
	if r.Late == nil || r.Late.Why != "still_there" {
		t.Errorf("past its end, and late is: %+v", r.Late)
	}
	said := ""
	for _, m := range w.mails("") {
		said += w.said(m.N)
	}
	names(t, said, id)
	w.silenced.Store(false)
	w.pass(3 * time.Hour)
	w.swept(id)
	if r = w.rule(id); r.Late != nil || w.stays(company.Shop, kimAccount, company.AccessLog, "act-1") {
		t.Errorf("the store is back, and it is late: %+v", r)
	}
	var answer struct{ Rules []ruleSeen }
	w.must(http.StatusOK, "GET", "/v1/operator/retention", nil, w.operator()).into(t, &answer)
	if len(answer.Rules) == 0 {
		t.Error("operators see no rules")
	}
}

func TestSB_14_EachCategoryHasAnEnd(t *testing.T) {
	t.Parallel()
	const masks = "      milliseconds: {how: preserve}\n  correspondence:"
	w := openProfile(t, "paas-canada", replaced(t, masks, strings.Replace(masks, "\n", "\n      email: {how: \"null\"}\n      subject: {how: \"null\"}\n      body: {how: \"null\"}\n      note: {how: preserve}\n", 1)))
	_, page := w.published()
	for _, c := range w.policy.Categories {
		if !strings.Contains(page, htmlOf(c.Label.In("en"))) {
			t.Errorf("the page does not name %s", c.ID)
		}
	}
	broken(t, "paas-canada", "closure: # SB-04; SB-14: what is not under retention_rules ends with the account\n  grace: 30d # ours: the figure that must stand here\n  erased_within: 30 # ours\n  before:\n    en: Your apps stop running when the grace period is over. Move them first.\n    fr: Vos applications s'arrêtent à la fin du délai de grâce. Déplacez-les d'abord.\n", "", "holdings.account", "ends")
	// A rule by age ends what is older than a year.
	w.had(company.Shop, kimAccount, company.SupportMail, "use-old", 400*day)
	w.had(company.Shop, kimAccount, company.SupportMail, "use-new", 10*day)
	w.activate("usage")
	w.swept("usage")
	if w.stays(company.Shop, kimAccount, company.SupportMail, "use-old") || !w.stays(company.Shop, kimAccount, company.SupportMail, "use-new") {
		t.Errorf("after the sweep there is %v", w.records(kimAccount))
	}
}

func TestPQ_01_EverythingIsErasedTwoYearsAfterTheRelationshipEnded(t *testing.T) {
	t.Parallel()
	w := openProfile(t, "addon-france")
	w.live(kimAccount, kim, map[string]any{"contact_email": kim})
	for _, rule := range []string{"licences", "marketplace", "reports", "application_data"} {
		w.activateByPerson(rule)
	}
	w.happens("relationship.started", byMail(kim), map[string]any{"relationship": "licence"})
	w.pass(800 * day) // it goes on
	if !w.stays(company.Shop, kimAccount, company.Account, "cust-"+kimAccount) {
		t.Fatal("it went while there was a licence")
	}
	w.happens("relationship.ended", byMail(kim), map[string]any{"relationship": "licence"})
	w.pass(729 * day)
	if !w.stays(company.Shop, kimAccount, company.Account, "cust-"+kimAccount) {
		t.Fatal("it went before the two years were over")
	}
	w.pass(3 * day)
	for _, id := range w.opened("retention_end") {
		w.done(id)
	}
	if w.stays(company.Shop, kimAccount, company.Account, "cust-"+kimAccount) || len(w.opened("retention_end")) == 0 {
		t.Errorf("two years after the licence ended there is %v", w.records(kimAccount))
	}
	broken(t, "addon-france", "    trigger: relationship_ended\n    relationship: licence\n    period: 2y\n    set_by: company\n    action: delete\n  application_data:", "    trigger: relationship_ended\n    relationship: friendship\n    period: 2y\n    set_by: company\n    action: delete\n  application_data:", "retention_rules.reports.relationship", "relationships")
}

// activateByPerson lets a rule go whose time begins with something that happens to a
// person; by hand there is nothing to let go.
func (w *world) activateByPerson(id string) {
	w.t.Helper()
	if w.rule(id).ByHand != nil {
		return
	}
	if r := w.activate(id); !r.Preview.ByPerson {
		w.t.Errorf("the preview of %s counts: %+v", id, r)
	}
}
