package policy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/policy"
)

// endings returns how a category ends in the published policy, in words.
func endings(p *policy.Policy, category string) []string {
	c, _ := p.Category(category)
	var list []string
	pub := p.Published("en")
	for _, r := range pub.Retention {
		if r.Category != c.Label.In("en") {
			continue
		}
		period := "at once"
		if r.Period != nil {
			period = r.Period.String()
		}
		list = append(list, strings.Join([]string{period, string(r.Trigger), string(r.Action), string(r.SetBy)}, " "))
	}
	for _, k := range pub.Kept {
		if k.Category == c.Label.In("en") {
			list = append(list, strings.Join([]string{k.Period.String(), string(k.From), "kept", string(k.Ground)}, " "))
		}
	}
	return list
}

// ends fails unless a category of the profile ends as said.
func ends(tb testing.TB, p *policy.Policy, category string, want ...string) {
	tb.Helper()
	if got := endings(p, category); !slices.Equal(got, want) {
		tb.Errorf("%s ends %q, want %q", category, got, want)
	}
}

// without returns a profile's file without a rule, given with the comment beside its name.
func without(tb testing.TB, name, rule string) []byte {
	tb.Helper()
	file, _ := policy.Profile(name)
	var kept []string
	cutting, found := false, false
	for _, line := range strings.SplitAfter(string(file), "\n") {
		if strings.HasPrefix(line, "  "+rule+":") && slices.ContainsFunc(kept, func(l string) bool { return strings.HasPrefix(l, "retention_rules:") }) {
			cutting, found = true, true
			continue
		}
		if cutting = cutting && strings.HasPrefix(line, "    "); !cutting {
			kept = append(kept, line)
		}
	}
	if !found {
		tb.Fatalf("%s has no rule %s", name, rule)
	}
	return []byte(strings.Join(kept, ""))
}

const day = 24 * time.Hour

func TestSP_07_VisitorsLogsGoNinetyDaysAfterTheEntry(t *testing.T) {
	t.Parallel()
	ends(t, profile(t, "serverless-vendor"), "site_logs", "90d collected delete company")
	refused(t, without(t, "serverless-vendor", "site_logs"), "sources.logs.holdings.site_logs", "nothing ends it")
}

// Of every category and every purpose it serves, the file says what ends it.
func TestSP_08_EveryCategoryHasAnEnd(t *testing.T) {
	t.Parallel()
	for _, name := range policy.ProfileNames() {
		p := profile(t, name)
		for _, c := range p.Categories {
			if c.Role == policy.AsController && (len(endings(p, c.ID)) == 0 || len(p.PurposesOf(c.ID)) == 0) {
				t.Errorf("%s: nothing ends %s", name, c.ID)
			}
		}
	}
	refused(t, without(t, "serverless-vendor", "communications"), "sources.help_desk.holdings.communications", "users, visitors, applicants")
	refused(t, change(t, "serverless-vendor", "use our service, account: true}", "use our service}"), "sources.accounts.holdings.account", "nothing ends it")
}

func TestSP_09_WhatAClosedAccountLeavesHasAGroundAndAnEnd(t *testing.T) {
	t.Parallel()
	p := profile(t, "serverless-vendor")
	if c := p.Published("en").Closure; c == nil || c.GraceDays != 14 || c.ErasedWithin != 30 || c.Immediate || len(c.Before) == 0 {
		t.Errorf("closure is published as %+v", c)
	}
	ends(t, p, "account", "at once account_closed delete company")
	ends(t, p, "purchases", "7y collection kept legal_duty")
	r, ok := p.RetentionRule("keep-accounts-purchases")
	if !ok || !r.Kept || r.Trigger != policy.WhenCollected || r.Period != (policy.Period{Years: 7}) || r.Action != policy.RetireDelete || r.SetBy != policy.SetByLaw {
		t.Errorf("the end of the duty is %+v", r)
	}
	refused(t, change(t, "serverless-vendor", "          period: 7y # ours\n", ""), "sources.accounts.holdings.purchases.keep.period", "required")
}

func TestSP_18_ApplicantsMaterialHasAPeriodOfItsOwn(t *testing.T) {
	t.Parallel()
	ends(t, profile(t, "serverless-vendor"), "applications", "12mo collected delete operator")
	// Applicants have no account whose closure could end it.
	refused(t, without(t, "serverless-vendor", "applications"), "sources.hiring.holdings.applications", "applicants")
}

func TestSP_25_AnUndeclaredSourceIsRefused(t *testing.T) {
	t.Parallel()
	p := profile(t, "serverless-vendor")
	for _, c := range p.Categories {
		if len(c.From) == 0 || slices.Contains(c.From, policy.FromOthers) != (len(c.FromOutside) > 0) {
			t.Errorf("%s comes from %v, %v", c.ID, c.From, c.FromOutside)
		}
	}
	if _, ok := p.IntakeChannel("sign_on"); !ok {
		t.Error("the sign-on provider has no channel")
	}
	refused(t, change(t, "serverless-vendor", "    outside: The sign-on provider that you chose\n", "    outside: A list that we bought\n"), "intake.sign_on.outside", "The sign-on provider that you chose")
	refused(t, change(t, "serverless-vendor", "    from: outside\n    outside: The sign-on provider that you chose\n", "    from: automatic\n"), "intake.sign_on.from", "person, outside")
}

func TestSP_31_APrecisePositionIsRefusedOnArrival(t *testing.T) {
	t.Parallel()
	if c, _ := profile(t, "serverless-vendor").Category("approximate_location"); !c.Approximate {
		t.Errorf("the location is %+v", c)
	}
	refused(t, change(t, "serverless-vendor", "    refuse: [precise_position]\n", ""), "intake.locations.refuse", "precise_position")
}

func TestPT_06_TheFileSaysInHowManyDaysAnAccountIsGone(t *testing.T) {
	t.Parallel()
	p := profile(t, "server-automation")
	ends(t, p, "account_content", "at once account_closed delete company")
	if p.Closure.ErasedWithin != 14 || p.Closure.Grace != 7*day {
		t.Errorf("closure is %+v", p.Closure)
	}
	refused(t, change(t, "server-automation", "  erased_within: 14 # ours: the figure that must stand here\n", ""), "closure.erased_within", "required")
}

func TestPT_07_SignInsLiveWithTheAccount(t *testing.T) {
	t.Parallel()
	p := profile(t, "server-automation")
	ends(t, p, "sign_ins", "at once account_closed delete company")
	ends(t, p, "sign_up_address", "90d account_closure kept security")
	if r, ok := p.RetentionRule("keep-product-sign_up_address"); !ok || r.Trigger != policy.WhenAccountClosed || r.Period.Days != 90 {
		t.Errorf("the sign-up address ends by %+v", r)
	}
}

func TestPT_08_LettersAreKeptForAPeriodOfTheOperators(t *testing.T) {
	t.Parallel()
	ends(t, profile(t, "server-automation"), "correspondence", "3y collected delete operator")
	refused(t, without(t, "server-automation", "correspondence"), "sources.letters.holdings.correspondence", "writers")
}

func TestPT_15_WhatIsNotNeededIsRefused(t *testing.T) {
	t.Parallel()
	p := profile(t, "server-automation")
	if in, _ := p.IntakeChannel("sign_up"); in.Unknown != policy.RefuseField || slices.Contains(in.Keep, "birthday") {
		t.Errorf("the form is %+v", in)
	}
	refused(t, change(t, "server-automation", "    keep: [email, name, company, password]\n", ""), "intake.sign_up.keep", "required")
}

func TestPS_03_ThePersonChoosesBetweenDeletionAndAnonymisation(t *testing.T) {
	t.Parallel()
	s, _ := profile(t, "cloud-platform").Source("members")
	if h, _ := s.Holding("profile"); !h.Either || h.Action != policy.ActionDelete || len(h.Masks) != 4 {
		t.Errorf("the profile is %+v", h)
	}
	refused(t, change(t, "cloud-platform", `        masks:
          mail: {how: "null"}
          name: {how: "null"}
          company: {how: "null"}
          joined: {how: preserve}
`, ""), "sources.members.holdings.profile.masks", "required")
}

func TestPS_06_EveryExceptionHasAGroundAndAnEnd(t *testing.T) {
	t.Parallel()
	p := profile(t, "cloud-platform")
	ends(t, p, "billing", "7y collection kept legal_duty")
	ends(t, p, "activity", "12mo collection kept security")
	ends(t, p, "correspondence", "2y collected delete operator", "at once account_closed delete company")
	r, _ := p.RetentionRule("correspondence")
	if len(r.Except) != 1 || r.Except[0].Ground != policy.SecurityGround || r.Except[0].Period.IsZero() {
		t.Errorf("the exception is %+v", r.Except)
	}
	exception := "      - ground: security\n        duty: Letters about an attack are kept until it has been dealt with.\n        period: 3y # ours\n"
	refused(t, change(t, "cloud-platform", exception, strings.Replace(exception, "        period: 3y # ours\n", "", 1)), "retention_rules.correspondence.except[0].period", "required")
	refused(t, change(t, "cloud-platform", exception, strings.Replace(exception, "ground: security", "ground: habit", 1)), "retention_rules.correspondence.except[0].ground", "legal_duty")
}

func TestSB_04_TheGracePeriodStandsInTheFile(t *testing.T) {
	t.Parallel()
	p := profile(t, "paas-canada")
	if p.Closure.Grace != 30*day || p.Published("fr").Closure.GraceDays != 30 {
		t.Errorf("closure is %+v", p.Closure)
	}
	refused(t, change(t, "paas-canada", "  grace: 30d # ours: the figure that must stand here\n", ""), "closure.grace", "required")
	refused(t, change(t, "paas-canada", "  erased_within: 30 # ours\n", ""), "closure.erased_within", "required")
}

func TestSB_06_WhatIsKeptForAnalyticsIsAnonymised(t *testing.T) {
	t.Parallel()
	p := profile(t, "paas-canada")
	ends(t, p, "usage", "12mo collected anonymise operator", "at once account_closed anonymise company")
	for _, s := range p.Published("en").Places {
		if s.Label == "The platform's database" && (s.Backups == nil || s.Backups.String() != "35d") {
			t.Errorf("SB-05: its backups are published as %v", s.Backups)
		}
	}
}

func TestSB_08_PapersHaveTheShortestPeriod(t *testing.T) {
	t.Parallel()
	ends(t, profile(t, "paas-canada"), "identity_papers", "30d collected delete operator", "at once account_closed delete company")
	refused(t, change(t, "paas-canada", "    period: 30d # ours\n", "    period: 3y # ours\n"), "retention_rules.identity_papers.period", "shortest")
	refused(t, without(t, "paas-canada", "identity_papers"), "sources.papers.holdings.identity_papers", "papers")
}

func TestSB_14_EveryCategoryEndsWhenServicesOrTheLawNeedItNoLonger(t *testing.T) {
	t.Parallel()
	p := profile(t, "paas-canada")
	ends(t, p, "account", "at once account_closed delete company")
	ends(t, p, "payments", "6y collection kept legal_duty")
	file, _ := policy.Profile("paas-canada")
	closure := string(file)[strings.Index(string(file), "\nclosure:"):strings.Index(string(file), "\nretention_rules:")]
	refused(t, change(t, "paas-canada", closure, "\n"), "sources.platform.holdings.account", "offer `closure`")
}

func TestPQ_01_EverythingEndsTwoYearsAfterTheRelationship(t *testing.T) {
	t.Parallel()
	p := profile(t, "addon-france")
	for _, id := range []string{"licence", "evaluation", "support", "mailing"} {
		if p.Relationships[id] == nil {
			t.Errorf("there is no relationship %s", id)
		}
	}
	two := policy.Period{Years: 2}
	if p.Retention.AfterRelationship != two {
		t.Errorf("the promise is %v", p.Retention.AfterRelationship)
	}
	for _, r := range p.RetentionRules {
		if r.Trigger == policy.WhenRelationshipEnded && r.Period != two {
			t.Errorf("%s ends after %s", r.ID, r.Period)
		}
	}
	ends(t, p, "billing", "10y collection kept legal_duty")
	for rule, path := range map[string]string{
		"reports": "sources.statistics.holdings.in_app_analytics", "support_desk": "sources.desk.holdings.support", "marketplace": "sources.marketplace.holdings.api_information",
	} {
		refused(t, without(t, "addon-france", rule), path, "nothing ends it")
	}
	refused(t, change(t, "addon-france", "    relationship: licence\n    period: 2y\n    set_by: company\n    action: delete\n  application_data:", "    relationship: licence\n    period: 3y\n    set_by: company\n    action: delete\n  application_data:"),
		"sources.statistics.holdings.in_app_analytics", "within 2y")
	refused(t, change(t, "addon-france", "may: [consents, decisions, requests, lifecycle, import, intake]", "may: [consents, decisions, requests]"), "retention_rules.licences.trigger", "nobody tells")
}

func TestPQ_14_ACardNumberIsRefusedOnEveryChannel(t *testing.T) {
	t.Parallel()
	p := profile(t, "addon-france")
	for _, in := range p.Intakes {
		if !slices.Contains(in.Refuse, policy.CardNumbers) {
			t.Errorf("%s lets card numbers in", in.ID)
		}
	}
	bills := "    keep: [name, address, licence, amount, currency, day]\n    unknown: drop\n"
	refused(t, change(t, "addon-france", bills+"    refuse: [card_number]\n", bills), "intake.bills.refuse", "no_card_data")
}

func TestPQ_17_AReportHoldsWhatThePolicyNamesAndNothingElse(t *testing.T) {
	t.Parallel()
	p := profile(t, "addon-france")
	want := []string{
		"users", "product.version", "addon.version", "connections.type", "statistics.queries", "statistics.spreadsheets", "statistics.features", "server_id",
	}
	for _, in := range p.Published("en").Intake {
		if in.Label == "What an installation reports about itself" && (!slices.Equal(in.Keep, want) || in.Unknown != policy.DropField) {
			t.Errorf("PQ-17: a report is published as %+v", in)
		}
	}
	// PQ-03: what the marketplace sends and nobody needs is thrown away as it arrives.
	if in, _ := p.IntakeChannel("licences"); in.Unknown != policy.DropField || in.Outside != "The marketplace" || slices.Contains(in.Keep, "phone") {
		t.Errorf("PQ-03: the channel of licences is %+v", in)
	}
}

func TestWhatIsSaidAboutTheEndIsRead(t *testing.T) {
	t.Parallel()
	p := parse(t, read(t, "testdata/whole.yaml"))
	if c := p.Closure; !c.Offered || c.Grace != 14*day || c.ConfirmWithin != 3*day || c.ErasedWithin != 30 || c.Before["fr"] == "" {
		t.Errorf("closure is %+v", c)
	}
	if r := p.Retention; r.Salts != 20*day || r.Brake != (policy.Brake{Percent: 2.5, Cap: 500}) || r.AfterRelationship != (policy.Period{Years: 3}) {
		t.Errorf("retention is %+v", r)
	}
	r, _ := p.RetentionRule("old_visits")
	if r.Brake != (policy.Brake{Percent: 10, Cap: 9000}) || len(r.Masks) != 2 || len(r.Except) != 1 || r.Article != "Article 5" || r.SetBy != policy.SetByLaw {
		t.Errorf("a rule is %+v", r)
	}
	if r, _ := p.RetentionRule("papers"); r.Brake != p.Retention.Brake || r.Relationship != "licence" || r.Action != policy.RetireArchive {
		t.Errorf("a rule without a brake of its own is %+v", r)
	}
	var kept []string
	for _, r := range p.RetentionRules {
		if r.Kept {
			kept = append(kept, r.ID+" "+string(r.Trigger))
		}
	}
	if want := []string{"keep-shop-visits relationship_ended", "keep-tables-bills collected"}; !slices.Equal(kept, want) {
		t.Errorf("duties end by %q, want %q", kept, want)
	}
	if p, err := policy.Parse(edited(t, read(t, "testdata/whole.yaml"), "  grace: 14d\n", "  grace: immediate\n")); err != nil || p.Closure.Grace != 0 || !p.Published("en").Closure.Immediate {
		t.Errorf("an immediate closure is %v, %v", p, err)
	}
	small := parse(t, read(t, "testdata/smallest.yaml"))
	if small.Closure.Offered || small.Published("en").Closure != nil || len(small.RetentionRules) != 1 {
		t.Errorf("without a word closure is %+v, the rules are %+v", small.Closure, small.RetentionRules)
	}
}

func TestTheNewKindsOfSourcesAreRead(t *testing.T) {
	t.Parallel()
	p := parse(t, read(t, "testdata/whole.yaml"))
	tables, _ := p.Source("tables")
	if s := tables.DynamoDB.Sweep; s.Index != "by-day" || s.Attribute != "kind" || !slices.Equal(s.Equals, []string{"VISIT"}) || s.Time != "at" || s.Hand != "collected" || s.Units != 5000 || s.Segments != 1 {
		t.Errorf("a sweep by an index is %+v", s)
	}
	archive, _ := p.Source("archive")
	if s := archive.DynamoDB.Sweep; s.Index != "" || s.Time != "seen" || s.Format != policy.UnixSeconds || s.Hand != "last_used" || s.Segments != 4 || s.Units != 20_000 {
		t.Errorf("a sweep by a scan is %+v", s)
	}
	// A table that says when its items were collected is swept by that.
	p2 := parse(t, edited(t, read(t, "testdata/whole.yaml"), "      sweep: {index: by-day, attribute: kind, equals: [VISIT], time: at, format: rfc3339, hand: collected, units: 5000}\n", ""))
	tables, _ = p2.Source("tables")
	if s := tables.DynamoDB.Sweep; s.Time != "at" || s.Format != policy.RFC3339 || s.Hand != "collected" || s.Segments != 1 || s.Index != "" {
		t.Errorf("without a word the sweep is %+v", s)
	}
	uploads, _ := p.Source("uploads")
	if s := uploads.S3; s.Bucket != "whole-uploads" || s.Region != "eu-west-3" || s.Prefix["account"] != "users/{id}/" || s.Tag["email"] != "owner" || s.Within != "users/" || !s.OpenNames ||
		!slices.Equal(s.Objects, []policy.ObjectRule{{Category: "papers", Prefix: "papers/"}}) || uploads.IAMRole == "" {
		t.Errorf("the bucket is %+v", s)
	}
	pool, _ := p.Source("sign_in")
	if c := pool.Cognito; c.UserPool != "eu-west-3_Whole1" || c.Account != "username" || c.Category != "account" || c.Ties["customer"] != "custom:customer" {
		t.Errorf("the pool is %+v", c)
	}
	logs, _ := p.Source("journals")
	if l := logs.Logs; len(l.Groups) != 2 || !l.Set || l.Region != "eu-west-3" || len(logs.Identities) > 0 {
		t.Errorf("the logs are %+v", l)
	}
	shop, _ := p.Source("shop")
	if h, _ := shop.Holding("visits"); h.OnClosure != policy.ActionKeep || !h.Either || !h.Kept() || shop.Backups != (policy.Period{Days: 35}) {
		t.Errorf("a holding is %+v, the backups %v", h, shop.Backups)
	}
}
