package law_test

import (
	"errors"
	"testing"
	"time"

	"rightsdesk/shared/law"
)

func asked(regimes ...string) law.Case {
	return law.Case{Regimes: regimes, Right: "access", Received: time.Date(2026, time.June, 22, 9, 0, 0, 0, time.UTC), Zone: time.UTC}
}

func TestWhatWaitingDoesUnderTheLawThatBinds(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		law.Case
		cause law.Cause
		right string
		place string
		want  law.Asked
	}{
		"a restart in Britain":     {asked("uk-gdpr"), law.Identity, "erasure", "GB", law.Asked{Law: "uk-gdpr", Effect: law.Restart, Article: "Art. 12A(2)(b) UK GDPR", Mark: law.Verified}},
		"no pause for an erasure":  {asked("uk-gdpr"), law.Clarification, "erasure", "GB", law.Asked{Law: "uk-gdpr", Effect: law.Ignore, Article: "Art. 12A UK GDPR", Mark: law.Verified}},
		"nor for a complaint":      {asked("uk-gdpr"), law.Identity, law.Complaint, "GB", law.Asked{Law: "uk-gdpr", Effect: law.Ignore, Article: "Art. 12A UK GDPR", Mark: law.Verified}},
		"a rule that says: ignore": {asked("us-ca-ccpa"), law.Identity, "know", "US-CA", law.Asked{Law: "us-ca-ccpa", Effect: law.Ignore, Article: "11 CCR § 7021(b)", Mark: law.Verified}},
		"France":                   {asked("eu-gdpr"), law.Identity, "access", "FR", law.Asked{Law: "eu-gdpr", Effect: law.PauseExclusive, Article: "Art. 77 décret n° 2019-536", Mark: law.Secondary}},
		"its neighbour":            {asked("eu-gdpr"), law.Identity, "access", "BE", law.Asked{Law: "eu-gdpr", Effect: law.Ignore, Article: "Art. 12(3) GDPR", Mark: law.Verified}},
		"the strictest is asked":   {asked("us-ca-ccpa", "uk-gdpr"), law.Identity, "access", "GB", law.Asked{Law: "uk-gdpr", Effect: law.Restart, Article: "Art. 12A(2)(b) UK GDPR", Mark: law.Verified}},
	}
	for name, c := range tests {
		c.Right, c.Place = c.right, c.place
		got, err := law.Asking(c.Case, c.cause)
		if got.Source == "" {
			t.Errorf("%s: no source", name)
		}
		if got.Source = ""; err != nil || got != c.want {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, c.want)
		}
	}
	if _, err := law.Asking(asked(), law.Fee); !errors.Is(err, law.ErrNoLaw) {
		t.Errorf("without a law: %v", err)
	}
}

func TestWhatCanBePutOff(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		law.Case
		right string
		want  string // the law, the last day of the notice, the last day; or the error
	}{
		"the GDPR":                 {asked("eu-gdpr"), "access", "eu-gdpr 2026-07-22 2026-09-22"},
		"the strictest of several": {asked("eu-gdpr", "us-ca-ccpa"), "access", "eu-gdpr 2026-07-22 2026-09-20"}, // 90 days end before three months
		"a law without":            {asked("br-lgpd"), "access", law.ErrNoExtension.Error()},
		"a stricter law without":   {asked("eu-gdpr", "br-lgpd"), "access", law.ErrNoExtension.Error()},
		"a law ahead of its time":  {asked("eu-gdpr", "us-nv", "in-dpdp"), "access", "eu-gdpr 2026-07-22 2026-09-20"},
		"an opt-out":               {asked("us-ca-ccpa"), "opt_out_sale", law.ErrNoExtension.Error()},
		"an appeal":                {asked("us-co"), law.Appeal, "us-co 2026-08-06 2026-10-05"},
		"an appeal that cannot be": {asked("us-va"), law.Appeal, law.ErrNoExtension.Error()},
		"a complaint":              {asked("uk-gdpr"), law.Complaint, law.ErrNoExtension.Error()},
	}
	for name, c := range tests {
		c.Right = c.right
		e, err := law.ExtensionOf(c.Case)
		got := e.Law + " " + e.Notice.Format(time.DateOnly) + " " + e.Until.Format(time.DateOnly)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestWhoCanAppealToTheCompany(t *testing.T) {
	t.Parallel()
	tests := map[string]error{"us-va": nil, "us-states": nil, "us-ut": law.ErrNoAppeal, "us-ca-ccpa": law.ErrNoAppeal, "eu-gdpr": law.ErrNoAppeal, "xx-none": law.ErrUnknown}
	for id, want := range tests {
		if err := law.Appeals(asked(id)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", id, err, want)
		}
	}
	both := asked("us-states", "us-ca-ccpa")
	both.Residence = "US-CA"
	if err := law.Appeals(both); !errors.Is(err, law.ErrNoAppeal) {
		t.Errorf("in California its own law binds, not that of the other states: %v", err)
	}
}

func TestSilenceIsARefusal(t *testing.T) {
	t.Parallel()
	day := law.Day(2026, time.June, 22)
	if article, ok := law.Silence("ca-pipeda", day); !ok || article != "s. 8(5) PIPEDA" {
		t.Errorf("PIPEDA: %q, %v", article, ok)
	}
	for _, id := range []string{"eu-gdpr", "xx-none", "ca-qc"} {
		if article, ok := law.Silence(id, day-4000); ok || article != "" {
			t.Errorf("%s: %q, %v", id, article, ok)
		}
	}
}

func TestWhatALawForbidsToAskFor(t *testing.T) {
	t.Parallel()
	tests := []struct {
		law, right string
		proof      law.Proof
		article    string // empty: it may be asked for
	}{
		{"us-ca-ccpa", "opt_out_sale", law.DataPoints, "11 CCR § 7060(b)"},
		{"us-ca-ccpa", "know", law.DataPoints, ""},
		{"eu-gdpr", "access", law.Notarised, "Art. 12(5)-(6) GDPR"},
		{"eu-gdpr", "access", law.Address, ""},
		{"eu-gdpr", law.Complaint, law.Notarised, ""},
		{"xx-none", "access", law.Notarised, ""},
	}
	for _, c := range tests {
		got, ok := law.Forbids(c.law, c.right, c.proof)
		if ok != (c.article != "") || got.Article != c.article || ok && (got.Text == "" || got.Source == "" || got.Mark == "") {
			t.Errorf("%s, %s, %s: %+v, %v, want %q", c.law, c.right, c.proof, got, ok, c.article)
		}
	}
}
