package policy_test

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/law"
	"rightsdesk/shared/personal"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/source"
)

const samplePolicy = "../../infra/local/company/policy.yaml"

// files are all policies that must be accepted, by name.
func files(tb testing.TB) map[string][]byte {
	tb.Helper()
	all := map[string][]byte{
		"testdata/whole.yaml":    read(tb, "testdata/whole.yaml"),
		"testdata/smallest.yaml": read(tb, "testdata/smallest.yaml"),
		"the sample company":     read(tb, samplePolicy),
	}
	for _, name := range policy.ProfileNames() {
		file, ok := policy.Profile(name)
		if !ok {
			tb.Fatalf("there is no profile %s", name)
		}
		all["profile "+name] = file
	}
	return all
}

func read(tb testing.TB, path string) []byte {
	tb.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return file
}

// parse returns the policy in a file, which must be accepted.
func parse(tb testing.TB, file []byte) *policy.Policy {
	tb.Helper()
	p, err := policy.Parse(file)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// profile returns a profile's policy.
func profile(tb testing.TB, name string) *policy.Policy {
	tb.Helper()
	file, ok := policy.Profile(name)
	if !ok {
		tb.Fatalf("there is no profile %s", name)
	}
	return parse(tb, file)
}

// edited returns a file with old, which must stand there once, replaced.
func edited(tb testing.TB, file []byte, old, with string) []byte {
	tb.Helper()
	if n := strings.Count(string(file), old); n != 1 {
		tb.Fatalf("%q stands in the file %d times, want once", old, n)
	}
	return []byte(strings.Replace(string(file), old, with, 1))
}

// problems returns what is wrong with a file, which must be refused.
func problems(tb testing.TB, file []byte) policy.Problems {
	tb.Helper()
	p, err := policy.Parse(file)
	ps, ok := errors.AsType[policy.Problems](err)
	if !ok || p != nil {
		tb.Fatalf("the file was accepted, or refused without problems: %v", err)
	}
	return ps
}

func TestEveryPolicyOfOursIsAccepted(t *testing.T) {
	t.Parallel()
	for name, file := range files(t) {
		if _, err := policy.Parse(file); err != nil {
			t.Errorf("%s:\n%v", name, err)
		}
	}
	if n := len(policy.ProfileNames()); n != 5 {
		t.Errorf("%d profiles, want 5", n)
	}
	if _, ok := policy.Profile("no-such-profile"); ok {
		t.Error("a profile that does not exist was found")
	}
}

func TestTheVersionNamesTheContent(t *testing.T) {
	t.Parallel()
	file := read(t, "testdata/smallest.yaml")
	a, b := parse(t, file), parse(t, append(file, "# one more comment\n"...))
	if a.Version == b.Version || a.Version != parse(t, file).Version {
		t.Errorf("versions are %s and %s", a.Version, b.Version)
	}
	if !strings.HasPrefix(a.Version, "p1-") || len(a.Version) != len("p1-")+16 {
		t.Errorf("the version is %s, want p1- and 16 digits", a.Version)
	}
}

func TestWhatIsNotSaidHasADefault(t *testing.T) {
	t.Parallel()
	p := parse(t, read(t, "testdata/smallest.yaml"))
	const day = 24 * time.Hour
	want := policy.Verification{
		LinkPeriod: day, LapseAfter: 30 * day, ResendAfter: time.Minute, MailsPerDay: 5, SubmitsPerHour: 20,
		SessionPeriod: 30 * day, PackagePeriod: 7 * day, AttachmentPeriod: 14 * day,
	}
	if !reflect.DeepEqual(p.Verification, want) {
		t.Errorf("verification is %+v, want %+v", p.Verification, want)
	}
	if p.Controller.Holidays != "GB" || p.Operators != (policy.Operators{Mail: "privacy@small.example.com", DigestAt: 8 * time.Hour}) {
		t.Errorf("holidays are those of %q, operators %+v", p.Controller.Holidays, p.Operators)
	}
	if p.Refusals != nil || !p.MayRefuse("excessive") {
		t.Errorf("refusals are %v", p.Refusals)
	}
	if want := (policy.Retention{
		Requests: policy.Period{Months: 24}, Audit: policy.Period{Years: 6}, Salts: 30 * day, Brake: policy.Brake{Percent: 5, Cap: 10_000},
	}); p.Retention != want {
		t.Errorf("retention is %+v, want %+v", p.Retention, want)
	}
	if r := p.Rights[policy.Erasure]; r.Cooling != 7*day || !r.Extension || !r.Agents || r.TaskDays != 14 || r.PromisedDays != 0 {
		t.Errorf("erasure is %+v", r)
	}
	if r := p.Rights[policy.Access]; r.Automatic || r.Cooling != 0 || !slices.Equal(r.Proof, []law.Proof{law.Address}) {
		t.Errorf("access is %+v", r)
	}
	if s := p.Sources[0]; s.PageSize != source.PageSize || s.Role != policy.AsController || s.Task.Days != 14 {
		t.Errorf("the source is %+v", s)
	}
	if p.Regimes[0].Trigger != policy.ResidentOf || p.Categories[0].Role != policy.AsController {
		t.Errorf("the trigger is %q, the role %q", p.Regimes[0].Trigger, p.Categories[0].Role)
	}
}

// Every value of whole.yaml differs from its default, so a key that is read into
// the wrong place, or not at all, shows here.
func TestWhatIsSaidIsRead(t *testing.T) {
	t.Parallel()
	p := parse(t, read(t, "testdata/whole.yaml"))
	const day = 24 * time.Hour
	v := p.Verification
	if v.LinkPeriod != 12*time.Hour || v.AttachmentPeriod != 5*day || v.LapseAfter != 20*day || v.ResendAfter != 90*time.Second || v.MailsPerDay != 4 ||
		v.SubmitsPerHour != 30 || v.SessionPeriod != 60*day || v.PackagePeriod != 3*day || v.WithoutAccount.In("fr") != "Écrivez-nous." {
		t.Errorf("verification is %+v", v)
	}
	if r := p.Rights[policy.Access]; !r.Automatic || r.PromisedDays != 30 || r.Extension || r.Agents || r.TaskDays != 5 ||
		!slices.Equal(r.Proof, []law.Proof{law.Address, law.DataPoints}) || r.SelfService.URL != "https://whole.example.com/data" || r.SelfService.Text.In("en") != "Here" {
		t.Errorf("access is %+v", r)
	}
	if r := p.Rights[policy.Erasure]; r.Cooling != 3*day {
		t.Errorf("erasure is %+v", r)
	}
	if r := p.Rights[policy.Complaint]; r.TaskDays != 9 || !r.Extension {
		t.Errorf("complaint is %+v", r)
	}
	if p.Controller.Holidays != "FR-57" || p.Operators != (policy.Operators{Mail: "desk@whole.example.com", DigestAt: 6*time.Hour + 30*time.Minute}) {
		t.Errorf("holidays are those of %q, operators %+v", p.Controller.Holidays, p.Operators)
	}
	shop, _ := p.Source("shop")
	if shop.HTTP.URL != "http://127.0.0.1:8080/hook" || shop.HTTP.AllowHosts[0] != "127.0.0.1:8080" || shop.HTTP.Ties[0] != personal.KindAccount || shop.Secret != "secret:shop-hook" ||
		shop.PageSize != 100 || !shop.OnPersonalComputers || !shop.NotUnderControl || shop.RunBy != "host" || shop.Identities[0] != personal.KindEmail {
		t.Errorf("the shop is %+v", shop)
	}
	if h, _ := shop.Holding("account"); h.Action != policy.ActionDelete || h.Correctable["name"] != "full_name" {
		t.Errorf("its account holding is %+v", h)
	}
	tables, _ := p.Source("tables")
	d := tables.DynamoDB
	if tables.IAMRole != "arn:aws:iam::123456789012:role/rightsdesk" || d.Table != "whole-table" || d.Region != "eu-west-3" || d.Key != (policy.TableKey{Partition: "pk", Sort: "sk"}) ||
		d.FindBy[0] != (policy.Lookup{Identity: "email", Attribute: "mail", Index: "by-mail"}) || d.FindBy[1] != (policy.Lookup{Identity: "account", Attribute: "pk", Prefix: "ACCOUNT#"}) ||
		d.Items[0] != (policy.ItemRule{Category: "bills", Attribute: "sk", Equals: "BILL"}) || d.Items[1].Prefix != "VISIT#" || d.RecordID != "id" ||
		d.CollectedAt != (policy.Instant{Attribute: "at", Format: policy.RFC3339}) || d.Ties[0] != (policy.Tie{Identity: "account", Attribute: "pk", FoundBy: "email"}) {
		t.Errorf("the tables are %+v", tables)
	}
	bills, _ := tables.Holding("bills")
	if k := bills.Keep; k.Ground != policy.LegalDuty || k.Duty.In("en") != "Bills are kept." || k.Article != "Code de commerce L123-22" ||
		k.Period != (policy.Period{Years: 10}) || k.From != policy.FromCollection {
		t.Errorf("bills are kept for %+v", k)
	}
	visits, _ := tables.Holding("visits")
	if want := []source.Mask{{Field: "ip", How: source.Null}, {Field: "page", How: source.Fixed, Value: "gone"}}; len(visits.Masks) != 2 || visits.Masks[0] != want[0] || visits.Masks[1] != want[1] {
		t.Errorf("visits are masked by %+v", visits.Masks)
	}
	storage, _ := p.Source("storage")
	if storage.Role != policy.AsProcessor || storage.Controller != "Example Customer" || storage.Task != (policy.Task{Team: "office", Days: 7}) {
		t.Errorf("storage is %+v", storage)
	}
	if f, ok := p.Field("account", "password"); !ok || f.HeldNotShown != policy.Password {
		t.Errorf("the password field is %+v", f)
	}
	if c, ok := p.Category("bills"); !ok || !c.Historical || c.California.Category != policy.CommercialInformation {
		t.Errorf("bills are %+v", c)
	}
	if _, ok := p.Category("nothing"); ok {
		t.Error("a category that does not exist was found")
	}
	if p.Controller.TimeZone != "Europe/Paris" || p.Locations.ControllerData[0] != policy.EEA || p.Retention.Requests != (policy.Period{Months: 30}) {
		t.Errorf("controller %+v, locations %+v, retention %+v", p.Controller, p.Locations, p.Retention)
	}
}

func TestEverybodyMayComplainAndAppeal(t *testing.T) {
	t.Parallel()
	p := parse(t, read(t, "testdata/smallest.yaml")) // which says nothing of either
	for _, right := range []policy.Right{policy.Complaint, policy.Appeal} {
		for _, residence := range []string{"GB", "JP", ""} {
			rule, ok := p.Offers(right, residence)
			if !ok || rule.Automatic || rule.TaskDays != 14 || !rule.Extension || !rule.Agents || !slices.Equal(rule.Proof, []law.Proof{law.Address}) {
				t.Errorf("%s for %q is %+v, %v", right, residence, rule, ok)
			}
		}
	}
	if _, ok := p.Rights[policy.Complaint]; !ok {
		t.Error("the rights do not list the complaint")
	}
	if slices.Contains(policy.AllRights, policy.Appeal) {
		t.Error("a policy can declare the appeal")
	}
}

func TestSomeRightsAreWeighedAndSomeNeverWait(t *testing.T) {
	t.Parallel()
	p := parse(t, read(t, "testdata/whole.yaml"))
	weighed := []policy.Right{policy.Challenge, policy.Complaint, policy.Appeal}
	unverified := []policy.Right{policy.OptOutSale, policy.LimitSensitive, policy.WithdrawConsent}
	for _, right := range append(slices.Clone(policy.AllRights), policy.Appeal) {
		if got := right.Weighed(); got != slices.Contains(weighed, right) {
			t.Errorf("%s is weighed: %v", right, got)
		}
		if got := right.Unverified(); got != slices.Contains(unverified, right) {
			t.Errorf("%s never waits: %v", right, got)
		}
		if rule := p.Rights[right]; right.Unverified() && !rule.Automatic {
			t.Errorf("%s waits for somebody", right)
		}
		if got := slices.Contains(p.Rights[right].Proof, law.NoProof); got != right.Unverified() {
			t.Errorf("%s wants proof by %v", right, p.Rights[right].Proof)
		}
	}
}

// A law's word on proofs is for the people that the law protects.
func TestAProofIsForbiddenOnlyWhereTheLawHolds(t *testing.T) {
	t.Parallel()
	file := read(t, "testdata/smallest.yaml") // under uk-gdpr, for Britain
	parse(t, edited(t, file, "  access: {residences: [\"*\"]}", "  access: {residences: [US-NY], proof: [identity_document]}"))
	for _, where := range []string{"GB", "GB-SCT", "\"*\""} {
		refused(t, edited(t, file, "  access: {residences: [\"*\"]}", "  access: {residences: ["+where+"], proof: [address, identity_document]}"),
			"rights.access.proof[1]", "under uk-gdpr")
	}
}

func TestOffersCoversByPlace(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		places    []string
		residence string
		want      bool
	}{
		{"a country covers itself", []string{"FR"}, "FR", true},
		{"a country covers its parts", []string{"US"}, "US-CA", true},
		{"a part does not cover its country", []string{"US-CA"}, "US", false},
		{"a part does not cover another part", []string{"US-CA"}, "US-NY", false},
		{"the EEA covers a state of the Union", []string{"EEA"}, "HR", true},
		{"the EEA covers Norway", []string{"EEA"}, "NO", true},
		{"the EEA covers a part of a state", []string{"EEA"}, "ES-CN", true},
		{"the EEA does not cover Switzerland", []string{"EEA"}, "CH", false},
		{"the EEA does not cover the United Kingdom", []string{"EEA"}, "GB", false},
		{"everywhere covers anywhere", []string{"*"}, "JP", true},
		{"everywhere covers those who do not say where they live", []string{"*"}, "", true},
		{"a country does not cover those who do not say", []string{"FR", "EEA"}, "", false},
		{"Canada is not California", []string{"CA"}, "US-CA", false},
	}
	for _, tt := range tests {
		p := &policy.Policy{Rights: map[policy.Right]policy.RightRule{policy.Access: {Residences: tt.places, PromisedDays: 30}}}
		if rule, ok := p.Offers(policy.Access, tt.residence); ok != tt.want || ok && rule.PromisedDays != 30 {
			t.Errorf("%s: got %+v, %v", tt.name, rule, ok)
		}
		if _, ok := p.Offers(policy.Erasure, tt.residence); ok {
			t.Errorf("%s: a right that the policy does not have was offered", tt.name)
		}
	}
}

func TestRegimesAndAuthoritiesGoByResidence(t *testing.T) {
	t.Parallel()
	p := profile(t, "paas-canada")
	for residence, want := range map[string]string{"CA-QC": "Commission d'accès à l'information du Québec", "CA-ON": "Commissariat à la protection de la vie privée du Canada", "FR": ""} {
		a, ok := p.Authority(residence)
		if a.Name.In("fr") != want || ok != (want != "") {
			t.Errorf("the authority for %s is %q, want %q", residence, a.Name.In("fr"), want)
		}
	}
	p = &policy.Policy{Authorities: []policy.Authority{{Residence: "*", URL: "world"}, {Residence: "EEA", URL: "eea"}, {Residence: "FR", URL: "fr"}}}
	for residence, want := range map[string]string{"FR": "fr", "DE": "eea", "JP": "world", "": "world"} {
		if a, _ := p.Authority(residence); a.URL != want {
			t.Errorf("the authority for %q is %q, want the closest, %q", residence, a.URL, want)
		}
	}
	p = profile(t, "serverless-vendor")
	if got := p.RegimesFor("US-CA"); len(got) != 1 || got[0].ID != "us-ca-ccpa" {
		t.Errorf("regimes of California are %+v", got)
	}
	if got := p.RegimesFor("JP"); len(got) != 0 {
		t.Errorf("regimes of Japan are %+v", got)
	}
}

func TestAPeriodEndsAsTheCalendarDoes(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time { d, _ := time.Parse(time.DateOnly, s); return d }
	for _, tt := range []struct {
		period   policy.Period
		from, to string
	}{
		{policy.Period{Years: 1}, "2024-02-29", "2025-02-28"},
		{policy.Period{Months: 1}, "2026-01-31", "2026-02-28"},
		{policy.Period{Months: 24}, "2026-05-15", "2028-05-15"},
		{policy.Period{Days: 30}, "2026-01-31", "2026-03-02"},
	} {
		if got := tt.period.After(at(tt.from)); !got.Equal(at(tt.to)) {
			t.Errorf("%s after %s is %s, want %s", tt.period, tt.from, got.Format(time.DateOnly), tt.to)
		}
	}
}

func TestAPeriodIsReadAsItIsWritten(t *testing.T) {
	t.Parallel()
	for _, want := range []policy.Period{{Years: 6}, {Months: 18}, {Days: 14}} {
		b, err := json.Marshal(want)
		var got policy.Period
		if err != nil || json.Unmarshal(b, &got) != nil || got != want || got.IsZero() {
			t.Errorf("%+v is written as %s (%v), and read as %+v", want, b, err, got)
		}
	}
	for _, wrong := range []string{`"0d"`, `"soon"`, `14`, `""`} {
		if got := (policy.Period{}); json.Unmarshal([]byte(wrong), &got) == nil || !got.IsZero() {
			t.Errorf("%s is read as %+v", wrong, got)
		}
	}
}

func TestATextFallsBackToALanguageThereIs(t *testing.T) {
	t.Parallel()
	for language, want := range map[string]string{"fr": "oui", "en": "yes", "de": "yes"} {
		if got := (policy.Text{"en": "yes", "fr": "oui"}).In(language); got != want {
			t.Errorf("in %s it is %q, want %q", language, got, want)
		}
	}
	if got := (policy.Text{"fr": "oui"}).In("en"); got != "oui" {
		t.Errorf("French alone in English is %q", got)
	}
	if got := policy.Text(nil).In("en"); got != "" {
		t.Errorf("no text is %q", got)
	}
}
