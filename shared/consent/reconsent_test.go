package consent

import (
	"testing"
	"time"

	"rightsdesk/shared/policy"
)

func TestAnotherEditionAsksAgainAndOldConsentsStayWhatTheyWere(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	old := d.chose(a1, Granted, "newsletter").Records[0]
	text := "Send me the newsletter, and let partners choose what I read."
	next := d.another()
	p := *d.Policy
	p.Consents = append([]policy.Consent(nil), d.Policy.Consents...)
	p.Version = "p1-next"
	rule("newsletter", func(c *policy.Consent) { c.Wording, c.Edition = policy.Text{"en": text}, 2 })(&p)
	next.Policy = &p
	asks := Question{Identity: a1, Purposes: []string{"newsletter"}}
	list, err := next.Decide(d.ctx(), asks)
	if err != nil || list[0].May || list[0].Why != WordingChanged || !list[0].Ask || list[0].Record != old.ID {
		t.Fatalf("%+v, %v", list, err)
	}
	// What was agreed to is still told as it was.
	e, err := next.EvidenceFor(d.ctx(), a1, old.ID)
	if err != nil || e.Entry.Edition != 1 || e.Wording.Text != "Send me the newsletter and suggestions." || e.Entry.Policy != d.Policy.Version || e.State != Granted {
		t.Errorf("%+v, %v", e, err)
	}
	// The wording that nobody shows any more is no longer agreed to by its hash.
	c := d.says(a1, Granted, "newsletter")
	if _, err := next.Capture(d.ctx(), c); !isInput(err) {
		t.Errorf("the old wording: %v", err)
	}
	c.Asked[0].Wording = policy.WordingHash(text)
	if _, err := next.Capture(d.ctx(), c); err != nil {
		t.Fatal(err)
	}
	if list, err := next.Decide(d.ctx(), asks); err != nil || !list[0].May {
		t.Errorf("%+v, %v", list, err)
	}
	if e, err := next.EvidenceFor(d.ctx(), a1, old.ID); err != nil || e.Entry.Edition != 1 || e.Wording.Text == text {
		t.Errorf("the old record has changed: %+v, %v", e, err)
	}
	// A mended wording of the same edition asks nobody.
	rule("newsletter", func(c *policy.Consent) { c.Wording = policy.Text{"en": text + "!"} })(&p)
	if list, err := next.Decide(d.ctx(), asks); err != nil || !list[0].May {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestAConsentEndsByItsRuleAndWithItsEvidenceAtTheLatest(t *testing.T) {
	t.Parallel()
	d := newDesk(t, rule("analytics", func(c *policy.Consent) { c.Expires = policy.Period{Years: 50} }), func(p *policy.Policy) { p.Retention.Audit = policy.Period{Years: 3} })
	got := d.chose(a1, Granted, "newsletter", "analytics", "reports")
	sub := d.get(a1)
	for key, want := range map[string]time.Time{
		"newsletter": d.at.AddDate(2, 0, 0), "analytics": d.at.AddDate(3, 0, 0), "reports": d.at.AddDate(3, 0, 0),
	} {
		if until := sub.Purposes[key].Until; !until.Equal(want) {
			t.Errorf("%s ends at %s, want %s", key, until, want)
		}
	}
	d.pass(3*365*24*time.Hour + 23*time.Hour) // an hour before a leap year's end
	if why := d.may(a1, "analytics"); why != "+consent" {
		t.Error(why)
	}
	if e, err := d.EvidenceFor(d.ctx(), a1, got.Records[1].ID); err != nil || !e.Until.Equal(sub.Purposes["analytics"].Until) {
		t.Errorf("%+v, %v", e, err)
	}
	d.pass(time.Hour)
	if why := d.may(a1, "analytics"); why != "expired" {
		t.Errorf("its evidence is gone: %s", why)
	}
	if _, err := d.EvidenceFor(d.ctx(), a1, got.Records[1].ID); err == nil {
		t.Error("the evidence is still there")
	}
}

func TestADecisionAsksAMonthBeforeTheEnd(t *testing.T) {
	t.Parallel()
	d := newDesk(t, rule("reports", func(c *policy.Consent) { c.Expires = policy.Period{Days: 14} }))
	d.chose(a1, Granted, "newsletter", "reports")
	asked := func() (both [2]bool) {
		list, err := d.Decide(d.ctx(), Question{Identity: a1, Purposes: []string{"newsletter", "reports"}})
		if err != nil {
			t.Fatal(err)
		}
		return [2]bool{list[0].Ask, list[1].Ask}
	}
	if got := asked(); got != [2]bool{false, false} {
		t.Errorf("at once: %v", got)
	}
	d.pass(7 * 24 * time.Hour)
	if got := asked(); got != [2]bool{false, true} {
		t.Errorf("half way of two weeks: %v", got)
	}
	d.pass((731 - 30 - 7) * 24 * time.Hour)
	if got := asked(); got != [2]bool{true, true} {
		t.Errorf("a month before: %v", got)
	}
}
