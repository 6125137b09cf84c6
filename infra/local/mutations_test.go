package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// promised are the rows of the promise list that this release keeps.
var promised = []string{
	"SP-01", "SP-02", "SP-03", "SP-04", "SP-06", "SP-07", "SP-08", "SP-09", "SP-10", "SP-11", "SP-12", "SP-16", "SP-17", "SP-18",
	"SP-20", "SP-23", "SP-25", "SP-28", "SP-31", "SP-32", "SP-33",
	"PT-01", "PT-03", "PT-04", "PT-05", "PT-06", "PT-07", "PT-08", "PT-09", "PT-11", "PT-15", "PT-17", "PT-18",
	"PS-01", "PS-02", "PS-03", "PS-04", "PS-06", "PS-07", "PS-11", "PS-12", "PS-13", "PS-14", "PS-15",
	"SB-01", "SB-02", "SB-03", "SB-04", "SB-05", "SB-06", "SB-07", "SB-08", "SB-13", "SB-14",
	"PQ-01", "PQ-03", "PQ-04", "PQ-05", "PQ-06", "PQ-09", "PQ-10", "PQ-12", "PQ-13", "PQ-14", "PQ-17", "ALL-01", "ALL-03", "ALL-05",
}

// mutation is one line of the product that keeps a promise, and what it would be
// if it did not. The test of the row must then fail.
type mutation struct {
	row  string
	file string // from the root
	line string // as it stands there, once, but for tabs
	with string
	test string // in this package
}

var mutations = []mutation{
	{"SP-01", "shared/request/operate.go", `r.Reason = reason`, `r.Reason = ""`, "TestSP_01_TheRightsOfThePeopleInAGDPRCountry"},
	{"SP-02", "shared/consent/decide.go", `for _, stop := range []policy.Stop{policy.MarketingOptOut, policy.Objected, policy.SaleOptOut, policy.SensitiveLimit} {`, `for _, stop := range []policy.Stop{policy.MarketingOptOut, policy.Objected, policy.SensitiveLimit} {`, "TestSP_02_CaliforniansOptOutAndAreServedNoWorse"},
	{"SP-02", "shared/request/choice.go", `return []policy.Stop{policy.SaleOptOut}, true`, `return nil, false`, "TestSP_02_CaliforniansOptOutAndAreServedNoWorse"},
	{"SP-03", "shared/policy/publish.go", `if c.California.Category != name || !c.California.Collected {`, `if c.California.Category != name {`, "TestSP_03_WhatWasNotCollectedIsInNeitherList"},
	{"SP-03", "shared/request/package.go", `m.California = s.california(lang)`, `m.California = nil`, "TestSP_03_TheAnswerToKnowAndThePolicyListTheSameCategories"},
	{"SP-03", "shared/request/plan.go", `case !category.Shown():`, `case right == policy.Know, !category.Shown():`, "TestSP_03_TheAnswerToKnowAndThePolicyListTheSameCategories"},
	{"SP-04", "shared/request/submit.go", `Status: Unverified, Policy: s.Policy.Version, Automatic: rule.Automatic,`, `Status: Open, Policy: s.Policy.Version, Automatic: rule.Automatic,`, "TestSP_04_NothingHappensBeforeThePersonIsVerified"},
	{"SP-04", "shared/request/look.go", `ids := s.known(look.Source, all)`, `ids := s.known(look.Source, append(all, p.Claims...))`, "TestSP_04_NothingHappensBeforeThePersonIsVerified"},
	{"SP-04", "shared/policy/publish.go", `WithoutAccount:   p.Verification.WithoutAccount.In(language),`, `WithoutAccount:   "",`, "TestSP_04_PeopleWithoutAnAccountAreToldAnotherWay"},
	{"SP-06", "shared/consent/decide.go", `case use.AlwaysSent:`, `case false:`, "TestSP_06_MarketingEndsOnEveryChannelAndNoticesGoOn"},
	{"SP-06", "shared/policy/consent.go", `c.StoppedBy = union(c.StoppedBy, []Stop{MarketingOptOut, Objected})`, `c.StoppedBy = union(c.StoppedBy, []Stop{Objected})`, "TestSP_06_MarketingEndsOnEveryChannelAndNoticesGoOn"},
	{"SP-10", "shared/policy/purpose.go", `to.Policy = o.line("policy", needIf(to.Name != ""), webAddress)`, `to.Policy = o.line("policy", may, webAddress)`, "TestSP_10_TheVendorTableIsPublishedAndMayBeEmpty"},
	{"SP-10", "shared/policy/publish.go", `Vendors:          each(p.Vendors(), in.recipient),`, `Vendors:          each(p.Recipients, in.recipient),`, "TestSP_10_TheVendorTableIsPublishedAndMayBeEmpty"},
	{"SP-12", "shared/policy/purpose.go", `Bases:      words(o, "bases", need, bases),`, `Bases:      words(o, "bases", may, bases),`, "TestSP_12_LegalBasesAreDeclaredPerPurpose"},
	{"SP-16", "shared/httpapi/requests.go", `s.Exclusions = append(s.Exclusions, exclusion{x.Text.In(r.Locale), x.Redirect.URL})`, `s.Exclusions = append(s.Exclusions, exclusion{x.Text.In(r.Locale), ""})`, "TestSP_16_DataInACustomersDeploymentIsElsewhere"},
	{"SP-17", "shared/consent/decide.go", `return c.now, stop == policy.GPC && c.signals.GPC || stop == policy.DNT && c.signals.DNT`, `return c.now, stop == policy.DNT && c.signals.DNT`, "TestSP_17_DoNotTrackChangesNothingAndGPCDoes"},
	{"SP-20", "shared/httpapi/mux.go", `w.Header().Set("X-Content-Type-Options", "nosniff")`, `w.Header().Set("Set-Cookie", "seen=1")`, "TestSP_20_NoRouteSetsACookie"},
	{"SP-20", "shared/policy/cookie.go", `if p.Asserts(NoFirstPartyCookies) && k.Kind == HTTPCookie && k.Party == FirstParty {`, `if p.Asserts(NoFirstPartyCookies) && k.Kind == Pixel && k.Party == FirstParty {`, "TestSP_20_NoRouteSetsACookie"},
	{"SP-23", "shared/export/manifest.go", `return func(field string) bool { return names[plainName(field)] }`, `return func(string) bool { return false }`, "TestSP_23_CredentialsAreNowhereToBeSeen"},
	{"SP-23", "shared/policy/category.go", `func (c Category) Shown() bool { return !c.Credential && !c.NeverDisclose }`, `func (c Category) Shown() bool { return true }`, "TestSP_23_CredentialsAreNowhereToBeSeen"},
	{"SP-28", "shared/consent/decide.go", `if on && rule.StoppedByIt(stop) {`, `if on && rule.StoppedByIt(stop) && stop != policy.MarketingOptOut {`, "TestSP_28_HashedAddressesForCampaignsEndWithAnyOptOut"},
	{"SP-32", "shared/request/choice.go", `return []policy.Stop{policy.Objected, policy.MarketingOptOut}, true`, `return []policy.Stop{policy.MarketingOptOut}, true`, "TestSP_32_PredictionsAndSegmentsAreShownAndEndWithAnObjection"},
	{"SP-32", "shared/policy/consent.go", `c.StoppedBy = union(c.StoppedBy, []Stop{Objected})`, `_ = c`, "TestSP_32_PredictionsAndSegmentsAreShownAndEndWithAnObjection"},
	{"SP-33", "shared/policy/document.go", `TradeName:     o.line("trade_name", need, anyLine),`, `TradeName:     o.line("trade_name", may, anyLine),`, "TestSP_33_ControllerAndScopeAreNamed"},
	{"PT-01", "shared/request/submit.go", `Received: sub.Received, Promise: rule.PromisedDays, About: sub.About,`, `Received: sub.Received, About: sub.About,`, "TestPT_01_EveryRequestIsAnsweredWithinThirtyDays"},
	{"PT-01", "shared/request/movement.go", `case !s.rule(r.Right).Extension:`, `case false:`, "TestPT_01_EveryRequestIsAnsweredWithinThirtyDays"},
	{"PT-03", "shared/request/operate.go", `return slices.DeleteFunc(law.Reasons(r.Law, string(r.Right)), func(x law.Reason) bool { return !s.Policy.MayRefuse(x.Code) })`, `return law.Reasons(r.Law, string(r.Right))`, "TestPT_03_ARefusalNamesADutyOrADeclaredCircumstance"},
	{"PT-04", "shared/request/relay.go", `if a, known := law.Authority(residence); known && (!ok || broad) {`, `if a, known := law.Authority(residence); known && (!ok || !broad) {`, "TestPT_04_TheAuthorityStaysOpenThroughout"},
	{"PT-05", "shared/consent/choice.go", `return rule.DoubleOptIn && c.Method != DoubleOptIn && !c.confirmed`, `return false`, "TestPT_05_NewsletterByPermissionSurveysByOneOptOutUpdatesAlways"},
	{"PT-05", "shared/consent/stop.go", `if l.Verb != UnsubscribeLink || l.Purpose == "" {`, `if l.Verb == UnsubscribeLink {`, "TestPT_05_NewsletterByPermissionSurveysByOneOptOutUpdatesAlways"},
	{"PT-09", "shared/consent/choice.go", `case asked.Act == "" && rule.PerAct && granted:`, `case false:`, "TestPT_09_AnInterviewIsRecordedWithExplicitConsentForThatRecording"},
	{"PT-09", "shared/consent/decide.go", `if rule.PerAct && act == "" {`, `if rule.PerAct && purpose == "" {`, "TestPT_09_AnInterviewIsRecordedWithExplicitConsentForThatRecording"},
	{"PT-17", "shared/consent/decide.go", `case chose && st.Choice == Denied:`, `case chose && st.Choice == Denied && c.now.Before(st.At.Add(time.Hour)):`, "TestPT_17_CookiesAreTheBrowsersToBlockAndOursToSwitchOff"},
	{"PT-11", "shared/policy/purpose.go", `Function:        o.text("function", need),`, `Function:        o.text("function", may),`, "TestPT_11_SubProcessorsArePublished"},
	{"PT-18", "shared/policy/check.go", `if to.ForValue {`, `if to.ForValue && to.Class == Advertising {`, "TestPT_18_NeverSold"},
	{"PS-01", "shared/request/execute.go", `if found.Done {`, `if found.Done || w.step.Calls == 0 {`, "TestPS_01_AccessIsToAllThatIsHeld"},
	{"PS-02", "shared/request/plan.go", `case rule.Historical || category.Historical && rule.Name != "":`, `case rule.Historical && category.Historical:`, "TestPS_02_WhatIsHistoricalIsNotCorrected"},
	{"PS-04", "shared/request/plan.go", `case src.Role == policy.AsProcessor:`, `case false:`, "TestPS_04_ACustomersDataIsForTheCustomer"},
	{"PS-04", "shared/request/plan.go", `if src.Role == policy.AsController && src.Kind != policy.KindTask && src.Kind != policy.KindLogs && r.concerns(src) {`, `if src.Kind != policy.KindTask && src.Kind != policy.KindLogs && r.concerns(src) {`, "TestPS_04_ACustomersDataIsForTheCustomer"},
	{"PS-04", "shared/request/view.go", `o.Controller = decl.Controller`, `o.Controller = ""`, "TestPS_04_ACustomersDataIsForTheCustomer"},
	{"PS-07", "shared/policy/purpose.go", `return slices.DeleteFunc(slices.Clone(p.Recipients), func(to Recipient) bool { return to.Name == "" })`, `return nil`, "TestPS_07_SubProcessorsArePublishedByThePlatform"},
	{"PS-11", "shared/policy/document.go", `Updated:   o.line("updated", need, timestamp),`, `Updated:   o.line("updated", may, timestamp),`, "TestPS_11_OneURLHasTheLatestPolicy"},
	{"PS-12", "shared/consent/decide.go", `if rule.Required {`, `if false {`, "TestPS_12_EssentialCookiesAreToldApartAndUseIsNoConsent"},
	{"PS-12", "shared/consent/choice.go", `case passive && !mayAssume(p, c.Residence):`, `case false:`, "TestPS_12_EssentialCookiesAreToldApartAndUseIsNoConsent"},
	{"PS-13", "shared/policy/consent.go", `Explicit:    o.flag("explicit", false),`, `Explicit:    o.flag("explicit", false) && false,`, "TestPS_13_APublicProfileIsTheirOwnOptInAndReversible"},
	{"PS-14", "shared/policy/check.go", `if len(promised) > 0 && s.Country != "" && s.Role == AsController && !Covers(promised, s.Country) {`, `if len(promised) > 0 && s.Country != "" && s.Role == AsController && s.Kind == KindTask && !Covers(promised, s.Country) {`, "TestPS_14_WhatIsControlledStaysInTheUnitedStates"},
	{"PS-15", "shared/policy/check.go", `if u.ForValue {`, `if u.ForValue && !slices.Contains(u.Bases, OnConsent) {`, "TestPS_15_NothingEnablesASale"},
	{"SB-01", "shared/request/operate.go", `r.Outcome = d.Outcome`, `r.Outcome = ""`, "TestSB_01_AChallengeHasAStatusAnOwnerAndAnOutcome"},
	{"SB-01", "shared/request/movement.go", `r.Owner = owner`, `r.Owner = by.ID`, "TestSB_01_AChallengeHasAStatusAnOwnerAndAnOutcome"},
	{"SB-02", "shared/request/movement.go", `if s.now().After(x.Notice) {`, `if false {`, "TestSB_02_ThirtyDaysOneExtensionAndSilenceIsARefusal"},
	{"SB-02", "shared/request/movement.go", `case r.Extension != nil:`, `case false:`, "TestSB_02_ThirtyDaysOneExtensionAndSilenceIsARefusal"},
	{"SB-02", "shared/request/remind.go", `d.facts = append(d.facts, audit.Fact{Name: "deemed_refusal", Value: article})`, `_ = article`, "TestSB_02_ThirtyDaysOneExtensionAndSilenceIsARefusal"},
	{"SB-07", "shared/policy/purpose.go", `AlwaysSent: o.flag("always_sent", false),`, `AlwaysSent: o.flag("always_sent", false) && id == "",`, "TestSB_07_NoticesReachEverybodyAndMarketingOnlyWhoConsented"},
	{"SB-07", "shared/consent/decide.go", `case rule.Default == policy.On && mayDefault(p, rule, c.residence):`, `case rule.Default == policy.On || rule.Mail:`, "TestSB_07_NoticesReachEverybodyAndMarketingOnlyWhoConsented"},
	{"SB-13", "shared/policy/check.go", `if len(rules.Classes) > 0 && to.Class != "" && !slices.Contains(rules.Classes, to.Class) {`, `if len(rules.Classes) > 0 && to.Class == "" {`, "TestSB_13_OnlyRecipientsOfTheseKinds"},
	{"PQ-04", "shared/consent/decide.go", `case rule.AskFirst:`, `case false:`, "TestPQ_04_ReportsAreRefusedBeforeTheFirstAndEverAfter"},
	{"PQ-05", "shared/consent/decide.go", `if _, ok := law.DefaultOn(g.ID, string(rule.Ground)); !ok {`, `if _, ok := law.DefaultOn(g.ID, string(rule.Ground)); !ok && g.ID == "" {`, "TestPQ_05_TheTrainersListIsOnOnlyWhereTheLawLetsItAndEachMailLeaves"},
	{"PQ-06", "shared/policy/publish.go", `v := ChoiceView{ID: e.ID, Text: e.Text.In(in.language), PerformedBy: e.PerformedBy, Consequence: e.Consequence.In(in.language), Purpose: e.Purpose}`, `v := ChoiceView{ID: e.ID, Text: e.Text.In(in.language), PerformedBy: ByUs, Consequence: e.Consequence.In(in.language), Purpose: e.Purpose}`, "TestPQ_06_TheProvidersOptOutIsTheProvidersAndOursKeepsTheTagOff"},
	{"PQ-09", "shared/policy/check.go", `if len(missing) > 0 && to.Class != PublicAuthority {`, `if len(missing) > 1 && to.Class != PublicAuthority {`, "TestPQ_09_PartnersByFunctionWithTheirUndertaking"},
	{"PQ-10", "shared/policy/source.go", `Country:             o.line("country", need, location),`, `Country:             o.line("country", may, location),`, "TestPQ_10_EveryPlaceIsPublished"},
	{"PQ-10", "shared/policy/publish.go", `OnPersonalComputers: s.OnPersonalComputers, NotUnderControl: s.NotUnderControl,`, `OnPersonalComputers: s.OnPersonalComputers,`, "TestPQ_10_EveryPlaceIsPublished"},
	{"PQ-12", "shared/httpapi/choicepages.go", `return len(r.PostForm) == 1 && len(values) == 1 && values[0] == "One-Click", nil`, `_ = values; return true, nil`, "TestPQ_12_EveryNewsletterCanBeLeftWhenItIsReceived"},
	{"PQ-12", "shared/mail/oneclick.go", `return []Header{{unsubscribe, value}, {unsubscribe + "-Post", "List-Unsubscribe=One-Click"}}`, `return []Header{{unsubscribe + "-Post", "List-Unsubscribe=One-Click"}}`, "TestPQ_12_EveryNewsletterCanBeLeftWhenItIsReceived"},
	{"PQ-13", "shared/policy/check.go", `if p.Contact.Person == "" {`, `if p.Contact.Person == "" && p.Contact.Email == "" {`, "TestPQ_13_TheContactIsAPerson"},
	{"SP-07", "shared/retention/page.go", `if standing.Keeps(j.source, j.category, k.ID, k.Who...) {`, `if false {`, "TestSP_07_VisitorLogsAreErasedNinetyDaysAfterTheEntry"},
	{"SP-07", "shared/retention/status.go", `New:       {Declare: New, Entrust: ByHand, Watch: Watched, Look: Previewed, Retire: Retired},`, `New:       {Declare: New, Entrust: ByHand, Watch: Watched, Look: Active, Retire: Retired},`, "TestSP_07_VisitorLogsAreErasedNinetyDaysAfterTheEntry"},
	{"SP-08", "shared/policy/ends.go", `case len(rules) == 0 && !bound:`, `case len(rules) == 0 && !bound && s.Kind == KindTask:`, "TestSP_08_TheFirstSweepAfterThePurposeEnded"},
	{"SP-09", "shared/request/view.go", `o.Duty += " (" + h.Keep.Article + ")"`, `o.Duty += ""`, "TestSP_09_AClosedAccountLeavesWhatADutyKeepsAndThatGoesToo"},
	{"SP-09", "shared/closure/confirm.go", `s.setDates(&d.Closure, d.at, s.Policy.Closure.Grace)`, `s.setDates(&d.Closure, d.at, s.Policy.Closure.Grace/2)`, "TestSP_09_AClosedAccountLeavesWhatADutyKeepsAndThatGoesToo"},
	{"SP-11", "shared/consent/restore.go", `stop, on := policy.Stop(restore.Fact(e, factStop)), e.Action == actionStopped`, `stop, on := policy.Stop(restore.Fact(e, factStop)), false`, "TestSP_11_AnOptOutSurvivesPoliciesAndRestores"},
	{"SP-18", "shared/policy/retention.go", `r.Period = o.period("period", needIf(r.Trigger.ByAge()), Period{})`, `r.Period = o.period("period", may, Period{Years: 1})`, "TestSP_18_ApplicationsHaveAPeriodOfTheirOwn"},
	{"SP-25", "shared/policy/ends.go", `case in.Outside != "" && !slices.Contains(c.FromOutside, in.Outside):`, `case in.Outside == "" && !slices.Contains(c.FromOutside, in.Outside) && in.From == FromOthers:`, "TestSP_25_AnUndeclaredSourceOfDataIsRefused"},
	{"SP-31", "shared/intake/forbidden.go", `return len(decimals) > 1`, `return len(decimals) > 9`, "TestSP_31_APrecisePositionIsRefusedBeforeAnythingIsStored"},
	{"PT-03", "shared/request/plan.go", `if concerned && verb == DoKeep {`, `if concerned && verb == DoRefer {`, "TestPT_03_ClosingKeepsWhatADutyKeepsAndNamesIt"},
	{"PT-06", "shared/policy/closure.go", `if !o.has("erased_within") {`, `if o.has("nothing") {`, "TestPT_06_ContentLivesAsLongAsTheAccountAndIsLookedForAgain"},
	{"PT-07", "shared/closure/tick.go", `writes, err := s.Lives.Closing(ctx, some, d.ClosesAt)`, `writes, err := s.Lives.Closing(ctx, some[:0], d.ClosesAt)`, "TestPT_07_TheRecordOfSignInsEndsWithTheAccountAndTheSignUpAddressLater"},
	{"PT-08", "shared/retention/operate.go", `h.Done, h.By, h.Due = now, by.Actor(), now.Add(cycle)`, `h.Done, h.By = now, by.Actor()`, "TestPT_08_CorrespondenceIsKeptForThePeriodThatTheOperatorStates"},
	{"PT-15", "shared/intake/filter.go", `case channel.Unknown != policy.DropField && len(f.unneeded) > 0: // a way that is not known keeps nothing`, `case false:`, "TestPT_15_WhatIsNotNeededIsRefusedOrDroppedOnArrival"},
	{"PS-03", "shared/request/plan.go", `case r.Right == policy.Erasure && h.Either && h.Action != policy.ActionKeep && r.How == ByAnonymisation:`, `case false:`, "TestPS_03_DeletionOrAnonymisationIsThePersonsChoice"},
	{"PS-06", "shared/retention/late.go", `if over := rule.Period.After(sw.Oldest); over.Add(Every + grace).Before(now) {`, `if over := rule.Period.After(sw.Oldest); over.After(now) {`, "TestPS_06_ExceptionsDeclareTheirEndAndWhatIsPastItIsLate"},
	{"SB-03", "shared/request/holds.go", `writes, err := s.Holds.Following(ctx, f)`, `writes, err := []table.Write(nil), error(nil)`, "TestSB_03_WhatWasAskedForIsKeptUntilRecourseIsOver"},
	{"SB-04", "shared/policy/closure.go", `return parseSpan(o.line("grace", need, is)) // zero for immediate`, `return parseSpan(o.line("grace", may, is))`, "TestSB_04_TheGracePeriodIsStatedToldAndTheDeletionVerified"},
	{"SB-05", "shared/restore/restore.go", `return !at.IsZero() && slices.ContainsFunc(g, func(e Erased) bool { return e.Place == p && !at.After(e.Until) })`, `return at.IsZero() && slices.ContainsFunc(g, func(e Erased) bool { return e.Place == p })`, "TestSB_05_ARestoreBringsNobodyBack"},
	{"SB-06", "shared/request/execute.go", `order.Verb, order.Masks = source.Anonymise, holding.Masks`, `order.Verb, order.Masks = source.Delete, holding.Masks`, "TestSB_06_WhatStaysForAnalyticsIsNobodysAnyMore"},
	{"SB-08", "shared/request/show.go", `if c, ok := s.Policy.Category(category); ok && c.IdentityDocument {`, `if c, ok := s.Policy.Category(category); ok && c.Inference {`, "TestSB_08_PapersAreKeptShortestAndMaskedForOperators"},
	{"SB-14", "shared/policy/ends.go", `bound := p.endsWithAccount(h)`, `bound := true`, "TestSB_14_EachCategoryHasAnEnd"},
	{"PQ-01", "shared/lifecycle/lifecycle.go", `list = append(list, pending{r, end, r.Period.After(end)})`, `list = append(list, pending{r, end, r.Period.After(end).AddDate(1, 0, 0)})`, "TestPQ_01_EverythingIsErasedTwoYearsAfterTheRelationshipEnded"},
	{"PQ-03", "shared/intake/filter.go", `n := none`, `n := whole`, "TestPQ_03_WhatTheMarketplaceSendsTooMuchIsThrownAwayAtOnce"},
	{"PQ-14", "shared/intake/forbidden.go", `if (j == len(digits) || ends[j-1]) && luhn(digits[i:j]) {`, `if (j == len(digits) || ends[j-1]) && !luhn(digits[i:j]) {`, "TestPQ_14_APayloadWithACardNumberIsRefused"},
	{"PQ-17", "shared/intake/filter.go", `kept := f.object(v, path, pointer, depth+1)`, `kept := v`, "TestPQ_17_ASelfReportHoldsStatisticsAndNothingElse"},
	{"ALL-01", "shared/request/relay.go", `return words.Contact{Name: c.Person, Email: c.Email, Page: c.Page, Postal: c.PostalAddress}`, `return words.Contact{Name: c.Person, Email: c.Email, Page: c.Page}`, "TestALL_01_TheContactIsInThePolicyAtTheAPIAndInEveryMail"},
	{"ALL-01", "shared/httpapi/requests.go", `Contact:   contact{v.Contact.Name, v.Contact.Email, v.Contact.Page, v.Contact.Postal},`, `Contact:   contact{},`, "TestALL_01_TheContactIsInThePolicyAtTheAPIAndInEveryMail"},
	{"ALL-03", "shared/request/verify.go", `case errors.Is(err, table.ErrAbsent):`, `case errors.Is(err, table.ErrAbsent) && s.BaseURL == "":`, "TestALL_03_TheSameKindOfAnswerThroughEveryProfile"},
	{"ALL-05", "shared/policy/document.go", `Effective: o.line("effective", need, calendarDay),`, `Effective: o.line("effective", may, calendarDay),`, "TestALL_05_TheProductDoesNotStartWithHalfAPolicy"},
	{"ALL-05", "shared/policy/document.go", `Email:         o.line("email", need, mailAddress),`, `Email:         o.line("email", may, mailAddress),`, "TestALL_05_TheProductDoesNotStartWithHalfAPolicy"},
	{"ALL-05", "shared/policy/prose.go", `if _, ok := p.target(m[2]); !ok {`, `if _, ok := p.target(m[2]); !ok && s.ID == "" {`, "TestALL_05_TheProductDoesNotStartWithHalfAPolicy"},
}

const root = "../.."

// declared returns the names of all tests of the project, with their files.
func declared(t *testing.T) map[string]string {
	t.Helper()
	test := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	names := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		b, err := os.ReadFile(path)
		for _, found := range test.FindAllSubmatch(b, -1) {
			names[string(found[1])] = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestEveryPromiseHasATestAndAMutation: each row of this release has a test with
// its id in the name, and a line of the product that the test watches.
func TestEveryPromiseHasATestAndAMutation(t *testing.T) {
	t.Parallel()
	tests := declared(t)
	for _, row := range promised {
		begins := "Test" + strings.ReplaceAll(row, "-", "_") + "_"
		if !slices.ContainsFunc(slices.Collect(maps.Keys(tests)), func(name string) bool { return strings.HasPrefix(name, begins) }) {
			t.Errorf("no test is called %s...", begins)
		}
		if !slices.ContainsFunc(mutations, func(m mutation) bool { return m.row == row }) {
			t.Errorf("no mutation turns a test of %s red", row)
		}
	}
	for _, m := range mutations {
		if !slices.Contains(promised, m.row) || !strings.HasPrefix(m.test, "Test"+strings.ReplaceAll(m.row, "-", "_")+"_") {
			t.Errorf("%s is not the test of a row: %s", m.test, m.row)
		}
		if in := tests[m.test]; filepath.Dir(in) != "../../infra/local" {
			t.Errorf("%s is no test of this package, it stands in %q", m.test, in)
		}
		if _, err := m.mutated(); err != nil {
			t.Error(err)
		}
	}
}

// mutated returns the file with the line replaced.
func (m mutation) mutated() ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return nil, err
	}
	lines, n := strings.Split(string(b), "\n"), 0
	for i, l := range lines {
		if strings.Trim(l, "\t") == m.line {
			lines[i] = m.with
			n++
		}
	}
	if n != 1 {
		return nil, fmt.Errorf("%s, %s: the line stands there %d times, want once: %s", m.row, m.file, n, m.line)
	}
	return []byte(strings.Join(lines, "\n")), nil
}

// TestProveMutations puts each mutation into the product and runs the test of
// its row, which must fail; without one, all of them pass. It takes minutes, and
// so `make prove` runs it.
func TestProveMutations(t *testing.T) {
	if !full() {
		return // the mutations are named all the same: TestEveryPromiseHasATestAndAMutation
	}
	names := map[string]bool{}
	for _, m := range mutations {
		names[m.test] = true
	}
	all := "^(" + strings.Join(slices.Sorted(maps.Keys(names)), "|") + ")$"
	if out, err := runTests(t.Context(), all); err != nil {
		t.Fatalf("without a mutation: %v\n%s", err, out)
	}
	red := 0
	for i, m := range mutations {
		t.Run(fmt.Sprintf("%s %d", m.row, i), func(t *testing.T) {
			b, err := m.mutated()
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			changed, overlay := filepath.Join(dir, "mutated.go"), filepath.Join(dir, "overlay.json")
			original, err := filepath.Abs(filepath.Join(root, m.file))
			if err != nil {
				t.Fatal(err)
			}
			replace, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
			if err != nil {
				t.Fatal(err)
			}
			for name, content := range map[string][]byte{changed: b, overlay: replace} {
				if err := os.WriteFile(name, content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			began := time.Now()
			out, err := runTests(t.Context(), "^"+m.test+"$", "-overlay", overlay)
			if err == nil || !bytes.Contains(out, []byte("--- FAIL: "+m.test)) {
				t.Fatalf("%s passes, or did not run, with %q in %s: %v\n%s", m.test, m.with, m.file, err, out)
			}
			red++
			t.Logf("%s: %s is red after %s with %q", m.row, m.test, time.Since(began).Round(time.Second), m.with)
		})
	}
	if red < len(mutations) {
		return // some were left out by -run, or are not red
	}
	proof(t, "10 promises", "%d of %d mutations of one line turn the test of their row red, for %d rows", red, len(mutations), len(promised))
}

func runTests(ctx context.Context, run string, more ...string) ([]byte, error) {
	args := append([]string{"test", "-count=1", "-vet=off", "-timeout", "3m", "-run", run}, more...)
	cmd := exec.CommandContext(ctx, "go", append(args, "./infra/local")...)
	cmd.Dir = root
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "RIGHTSDESK_PROVE=") })
	return cmd.CombinedOutput()
}
