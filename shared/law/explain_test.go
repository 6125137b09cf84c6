package law_test

import (
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/law"
)

// What people read, whole: every day that is skipped has its reason, every figure
// its article.
func TestADateExplainsItself(t *testing.T) {
	t.Parallel()
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d.Add(15 * time.Hour)
	}
	tests := map[string]struct {
		law.Case
		clock law.Clock
		want  string // date, text [article; mark]
	}{
		"a month end, a weekend, a promise": {
			law.Case{Regimes: []string{"eu-gdpr"}, Residence: "FR", Right: "access", Received: day("2026-01-31"), Place: "DE", PromisedDays: 20},
			law.Respond, `
01-31 General Data Protection Regulation (EU) 2016/679 applies. It covers residents of FR.
01-31 Received on Saturday 31 January 2026; the day of receipt is not counted. [Art. 3(1) Regulation (EEC, Euratom) 1182/71; verified]
02-28 The answer is due within 1 month of receipt: Saturday 28 February 2026, the last day of a month that has no 31st. [Art. 12(3) GDPR; verified]
03-02 Saturday 28 February 2026 and Sunday 1 March 2026 are no working days: the period ends with the next one, Monday 2 March 2026. [Art. 3(4) Regulation (EEC, Euratom) 1182/71; verified]
02-20 The policy promises an answer within 20 days: Friday 20 February 2026. That is earlier than the law demands, and binds.`,
		},
		"Christmas, and a promise that comes to nothing": {
			law.Case{Regimes: []string{"eu-gdpr", "us-ca-ccpa"}, Right: "erasure", Received: day("2025-11-25"), Place: "DE", PromisedDays: 60},
			law.Respond, `
11-25 General Data Protection Regulation (EU) 2016/679 applies. The residence is not known. It is the strictest of the laws that the policy names.
11-25 Received on Tuesday 25 November 2025; the day of receipt is not counted. [Art. 3(1) Regulation (EEC, Euratom) 1182/71; verified]
12-25 The answer is due within 1 month of receipt: Thursday 25 December 2025. [Art. 12(3) GDPR; verified]
12-29 Thursday 25 December 2025 (Christmas Day), Friday 26 December 2025 (Second Day of Christmas), Saturday 27 December 2025 and Sunday 28 December 2025 are no working days: the period ends with the next one, Monday 29 December 2025. [Art. 3(4) Regulation (EEC, Euratom) 1182/71; verified]
12-29 The policy promises an answer within 60 days. The law does not wait that long, and binds.
12-25 The safe date leaves out the move to a later day: Thursday 25 December 2025. [Art. 3(4) Regulation (EEC, Euratom) 1182/71; verified]
12-24 Thursday 25 December 2025 (Christmas Day) is no working day: the safe date is the one before, Wednesday 24 December 2025.`,
		},
		"a question, a restart, a bank holiday": {
			law.Case{
				Regimes: []string{"uk-gdpr"}, Residence: "GB", Right: "access", Received: day("2026-07-15"), Place: "GB-ENG",
				Stops: []law.Stop{
					stopped(law.Clarification, "2026-07-22", "2026-07-25"), stopped(law.Clarification, "2026-07-24", "2026-07-29"),
					stopped(law.Identity, "2026-07-16", "2026-07-21"), stopped(law.Mandate, "2026-07-16", "2026-07-21"),
				},
			},
			law.Respond, `
07-15 UK General Data Protection Regulation applies, in the version for what is received from 19 June 2026 on. It covers residents of GB.
07-15 Received on Wednesday 15 July 2026; the day of receipt is not counted. [ICO, right of access: from the day of receipt to the corresponding date; secondary]
07-21 We asked for proof of identity on Thursday 16 July 2026 and had it on Tuesday 21 July 2026: the period begins with that day. [Art. 12A(2)(b) UK GDPR; verified]
08-21 The answer is due within 1 month of that day: Friday 21 August 2026. [Art. 12A UK GDPR; verified]
08-21 Waiting for proof that somebody may act for you stops nothing under this law. [Art. 12A UK GDPR; verified]
08-25 From Wednesday 22 July 2026 to Saturday 25 July 2026 we waited for your clarification: 4 days that do not count. [Art. 12A(5) UK GDPR; verified]
08-29 From Friday 24 July 2026 to Wednesday 29 July 2026 we waited for your clarification: 4 days that do not count. [Art. 12A(5) UK GDPR; verified]
09-01 Saturday 29 August 2026, Sunday 30 August 2026 and Monday 31 August 2026 (Summer bank holiday) are no working days: the period ends with the next one, Tuesday 1 September 2026. [ICO, right of access: weekend or bank holiday; secondary]
08-29 The safe date leaves out the move to a later day: Saturday 29 August 2026. [ICO, right of access: weekend or bank holiday; secondary]
08-28 "One month beginning with" the day can be read to end on the day before the corresponding date. The safe date honours it: Friday 28 August 2026. [Art. 12A UK GDPR; unverified]`,
		},
		"a question that is open, and one that comes too late": {
			law.Case{
				Regimes: []string{"uk-gdpr"}, Residence: "GB", Right: "access", Received: day("2026-06-22"), Place: "GB-ENG",
				Stops: []law.Stop{stopped(law.Clarification, "2026-06-30", ""), stopped(law.Fee, "2026-09-30", "")}, Now: day("2026-07-04"),
			},
			law.ExtendNotice, `
06-22 UK General Data Protection Regulation applies, in the version for what is received from 19 June 2026 on. It covers residents of GB.
06-22 If the answer takes longer, the person must be told so, with the reasons, before the first period ends. [Art. 12A UK GDPR; verified]
06-22 Received on Monday 22 June 2026; the day of receipt is not counted. [ICO, right of access: from the day of receipt to the corresponding date; secondary]
07-22 The answer is due within 1 month of receipt: Wednesday 22 July 2026. [Art. 12A UK GDPR; verified]
07-27 Since Tuesday 30 June 2026 we have been waiting for your clarification: up to Saturday 4 July 2026, 5 days that do not count. [Art. 12A(5) UK GDPR; verified]
07-27 We asked for the fee on Wednesday 30 September 2026, when the time was over: that does not bring it back. [Art. 12A(2)(c) UK GDPR; verified]
07-26 "One month beginning with" the day can be read to end on the day before the corresponding date. The safe date honours it: Sunday 26 July 2026. [Art. 12A UK GDPR; unverified]
07-24 Sunday 26 July 2026 is no working day: the safe date is the one before, Friday 24 July 2026.`,
		},
		"a question on the day of receipt, and a promise before every other date": {
			law.Case{
				Regimes: []string{"eu-gdpr", "uk-gdpr"}, Residence: "XK", Right: "access", Received: day("2026-06-22"), Place: "GB", PromisedDays: 7,
				Stops: []law.Stop{stopped(law.Clarification, "2026-06-22", "2026-06-30")},
			},
			law.Respond, `
06-22 General Data Protection Regulation (EU) 2016/679 applies. No law that the policy names covers residents of XK. It is the strictest of the laws that the policy names.
06-22 Received on Monday 22 June 2026; the day of receipt is not counted. [Art. 3(1) Regulation (EEC, Euratom) 1182/71; verified]
07-22 The answer is due within 1 month of receipt: Wednesday 22 July 2026. [Art. 12(3) GDPR; verified]
07-22 Waiting for your clarification stops nothing under this law. [Art. 12(3) GDPR; verified]
07-22 The public holidays of GB are none under this law: only a weekend moves the last day.
06-29 The policy promises an answer within 7 days: Monday 29 June 2026. That is earlier than the law demands, and binds.`,
		},
		"a question on the day of receipt": {
			law.Case{
				Regimes: []string{"uk-gdpr"}, Residence: "GB", Right: "access", Received: day("2026-06-22"), Place: "GB",
				Stops: []law.Stop{stopped(law.Clarification, "2026-06-22", "2026-06-30")},
			},
			law.Respond, `
06-22 UK General Data Protection Regulation applies, in the version for what is received from 19 June 2026 on. It covers residents of GB.
06-22 Received on Monday 22 June 2026; the day of receipt is not counted. [ICO, right of access: from the day of receipt to the corresponding date; secondary]
07-22 The answer is due within 1 month of receipt: Wednesday 22 July 2026. [Art. 12A UK GDPR; verified]
07-30 From Monday 22 June 2026 to Tuesday 30 June 2026 we waited for your clarification: 8 days that do not count. [Art. 12A(5) UK GDPR; verified]
07-29 "One month beginning with" the day can be read to end on the day before the corresponding date. The safe date honours it: Wednesday 29 July 2026. [Art. 12A UK GDPR; unverified]`,
		},
		"business days over a holiday": {
			law.Case{Regimes: []string{"us-ca-ccpa"}, Residence: "US-CA", Right: "opt_out_sale", Received: day("2026-02-10"), Place: "US-CA"},
			law.OptOut, `
02-10 California Consumer Privacy Act applies. It covers residents of US-CA.
02-10 Received on Tuesday 10 February 2026; the day of receipt is not counted. [11 CCR § 7021(b); verified]
03-04 The sale and the sharing of the data must stop within 15 business days of receipt: Wednesday 4 March 2026. [11 CCR § 7026(f), 7027(g); verified]
03-04 Saturdays and Sundays are no business days, nor is Monday 16 February 2026 (Presidents' Day).
03-03 Which holidays are no business days was not verified: the safe date counts them: Tuesday 3 March 2026. [11 CCR § 7026(f), 7027(g); unverified]`,
		},
		"waiting stops nothing in California": {
			law.Case{
				Regimes: []string{"us-ca-ccpa"}, Residence: "US-CA", Right: "know", Received: day("2026-02-10"), Place: "US-CA",
				Stops: []law.Stop{stopped(law.Identity, "2026-02-11", "2026-02-12"), stopped(law.Identity, "2026-02-14", "")}, Now: day("2026-02-20"),
			},
			law.Extended, `
02-10 California Consumer Privacy Act applies. It covers residents of US-CA.
02-10 Received on Tuesday 10 February 2026; the day of receipt is not counted. [11 CCR § 7021(b); verified]
05-11 The law lets this be put off, once, to 90 days from receipt: Monday 11 May 2026. [11 CCR § 7021(b); verified]
05-11 Waiting for proof of identity stops nothing under this law. [11 CCR § 7021(b); verified]`,
		},
		"a pause that no text confirms": {
			law.Case{
				Regimes: []string{"eu-gdpr"}, Residence: "FR", Right: "access", Received: day("2026-06-01"), Place: "FR",
				Stops: []law.Stop{stopped(law.Identity, "2026-06-03", "2026-06-10"), stopped(law.Identity, "2026-06-12", "2026-06-12")},
			},
			law.Respond, `
06-01 General Data Protection Regulation (EU) 2016/679 applies. It covers residents of FR.
06-01 Received on Monday 1 June 2026; the day of receipt is not counted. [Art. 3(1) Regulation (EEC, Euratom) 1182/71; verified]
07-01 The answer is due within 1 month of receipt: Wednesday 1 July 2026. [Art. 12(3) GDPR; verified]
07-08 After Wednesday 3 June 2026 we waited for proof of identity until Wednesday 10 June 2026: 7 days that do not count. [Art. 77 décret n° 2019-536; secondary]
07-08 We asked for proof of identity on Friday 12 June 2026 and had it on Friday 12 June 2026: no day of the period was lost. [Art. 77 décret n° 2019-536; secondary]
07-01 What waiting for proof of identity does to the time was not verified in its text: the safe date leaves it out. [Art. 77 décret n° 2019-536; secondary]`,
		},
		"a figure that was not verified": {
			law.Case{Regimes: []string{"us-mn"}, Residence: "US-MN", Right: "access", Received: day("2026-05-20"), Place: "US-CA"},
			law.Respond, `
05-20 Minnesota Consumer Data Privacy Act applies. It covers residents of US-MN.
05-20 Received on Wednesday 20 May 2026; the day of receipt is not counted. [Minn. Stat. § 325M.14; unverified]
07-04 The answer is due within 45 days of receipt: Saturday 4 July 2026. [Minn. Stat. § 325M.14; unverified]
07-03 Saturday 4 July 2026 (Independence Day) is no working day: the safe date is the one before, Friday 3 July 2026.
07-03 This figure was not verified, so the safe date binds: Friday 3 July 2026. [Minn. Stat. § 325M.14; unverified]`,
		},
		"a complaint, in a place whose holidays are not this law's": {
			law.Case{Regimes: []string{"eu-gdpr"}, Residence: "BR", Right: law.Complaint, Received: day("2026-06-10"), Place: "US-CA"},
			law.Respond, `
06-10 General Data Protection Regulation (EU) 2016/679 applies. No law that the policy names covers residents of BR. It is the only one of the laws that the policy names.
06-10 Received on Wednesday 10 June 2026; the day of receipt is not counted. [Art. 3(1) Regulation (EEC, Euratom) 1182/71; verified]
06-10 The law sets no period for the answer to a complaint: we take the one that it sets for a request. [Art. 12(3) GDPR; verified]
07-10 The complaint must be answered within 1 month of receipt: Friday 10 July 2026. [Art. 12(3) GDPR; verified]
07-10 The public holidays of US-CA are none under this law: only a weekend moves the last day.`,
		},
		"an extension, the safe date of which is another law's": {
			law.Case{Regimes: []string{"eu-gdpr", "uk-gdpr"}, Right: "access", Received: day("2026-07-01"), Place: "DE"},
			law.Extended, `
07-01 General Data Protection Regulation (EU) 2016/679 applies. The residence is not known. Once the answer is put off it is the strictest of the laws that the policy names.
07-01 Received on Wednesday 1 July 2026; the day of receipt is not counted. [Art. 3(1) Regulation (EEC, Euratom) 1182/71; verified]
10-01 The law lets this be put off, once, to 3 months from receipt: Thursday 1 October 2026. [Art. 12(3) GDPR; verified]
10-01 The safe date honours UK General Data Protection Regulation too, which gives 3 months: Thursday 1 October 2026. [Art. 12A UK GDPR; verified]
09-30 "One month beginning with" the day can be read to end on the day before the corresponding date. The safe date honours it: Wednesday 30 September 2026. [Art. 12A UK GDPR; unverified]`,
		},
		"the safe date of another law": {
			law.Case{Regimes: []string{"eu-gdpr", "uk-gdpr"}, Right: "access", Received: day("2026-06-22"), Place: "DE"},
			law.Respond, `
06-22 General Data Protection Regulation (EU) 2016/679 applies. The residence is not known. It is the strictest of the laws that the policy names.
06-22 Received on Monday 22 June 2026; the day of receipt is not counted. [Art. 3(1) Regulation (EEC, Euratom) 1182/71; verified]
07-22 The answer is due within 1 month of receipt: Wednesday 22 July 2026. [Art. 12(3) GDPR; verified]
07-22 The safe date honours UK General Data Protection Regulation too, which gives 1 month: Wednesday 22 July 2026. [Art. 12A UK GDPR; verified]
07-21 "One month beginning with" the day can be read to end on the day before the corresponding date. The safe date honours it: Tuesday 21 July 2026. [Art. 12A UK GDPR; unverified]`,
		},
		"an appeal": {
			law.Case{Regimes: []string{"us-va", "us-or", "us-ut"}, Right: law.Appeal, Received: day("2026-06-22")},
			law.Decide, `
06-22 Oregon Consumer Privacy Act applies. The residence is not known. It is the strictest of the laws that the policy names and that know an appeal.
06-22 Received on Monday 22 June 2026; the day of receipt is not counted. [ORS § 646A.576(5)(a); verified]
08-06 The appeal must be decided within 45 days of receipt: Thursday 6 August 2026. [ORS § 646A.576(6); verified]`,
		},
		"the record of a request": {
			law.Case{Regimes: []string{"us-ca-ccpa"}, Residence: "US-CA", Right: "know", Received: day("2026-02-10"), Closed: day("2026-02-28")},
			law.Records, `
02-10 California Consumer Privacy Act applies.
02-28 Closed on Saturday 28 February 2026. The record of the request must be kept for 24 months: until Monday 28 February 2028. [11 CCR § 7101(a); verified]`,
		},
	}
	for name, c := range tests {
		c.Zone = time.UTC
		r, ok := clocksOf(t, c.Case)[c.clock]
		if !ok {
			t.Errorf("%s: there is no clock %s", name, c.clock)
			continue
		}
		var got strings.Builder
		for _, s := range r.Steps {
			got.WriteString("\n" + s.Date.Format("01-02 ") + s.Text)
			if s.Article != "" {
				got.WriteString(" [" + s.Article + "; " + s.Mark + "]")
			}
		}
		if got.String() != c.want {
			t.Errorf("%s:%s\nwant:%s", name, got.String(), c.want)
		}
	}
}

// No clock runs that the law does not know.
func TestWhichClocksRun(t *testing.T) {
	t.Parallel()
	received := time.Date(2026, time.June, 22, 9, 0, 0, 0, time.UTC)
	closed := received.AddDate(0, 0, 9)
	tests := map[string]struct {
		law.Case
		want string
	}{
		"a request under the GDPR":              {law.Case{Regimes: []string{"eu-gdpr"}, Right: "access"}, "respond extend_notice extended"},
		"it is the same once it is closed":      {law.Case{Regimes: []string{"eu-gdpr"}, Right: "access", Closed: closed}, "respond extend_notice extended"},
		"California confirms":                   {law.Case{Regimes: []string{"us-ca-ccpa"}, Right: "know"}, "acknowledge respond extend_notice extended"},
		"and keeps a record":                    {law.Case{Regimes: []string{"us-ca-ccpa"}, Right: "know", Closed: closed}, "acknowledge respond extend_notice extended records"},
		"an opt-out is put off by nobody":       {law.Case{Regimes: []string{"us-ca-ccpa"}, Right: "opt_out_sale"}, "opt_out"},
		"a limit is an opt-out":                 {law.Case{Regimes: []string{"us-ca-ccpa"}, Right: "limit_sensitive"}, "opt_out"},
		"a British complaint":                   {law.Case{Regimes: []string{"uk-gdpr"}, Right: law.Complaint}, "acknowledge respond"},
		"a complaint elsewhere":                 {law.Case{Regimes: []string{"eu-gdpr"}, Right: law.Complaint}, "respond"},
		"an appeal":                             {law.Case{Regimes: []string{"us-va"}, Right: law.Appeal}, "decide"},
		"an appeal that can be put off":         {law.Case{Regimes: []string{"us-co"}, Right: law.Appeal}, "decide extend_notice extended"},
		"a law that lets nothing be put off":    {law.Case{Regimes: []string{"br-lgpd"}, Right: "access"}, "respond"},
		"the strictest lets nothing be put off": {law.Case{Regimes: []string{"eu-gdpr", "br-lgpd"}, Right: "access"}, "respond"},
		"an unknown residence":                  {law.Case{Regimes: []string{"eu-gdpr", "us-ca-ccpa"}, Right: "access", Closed: closed}, "acknowledge respond extend_notice extended records"},
	}
	for name, c := range tests {
		c.Zone, c.Received = time.UTC, received
		all, err := law.Clocks(c.Case)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got []string
		for _, r := range all {
			got = append(got, string(r.Clock))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: %s, want %s", name, s, c.want)
		}
	}
	if _, err := law.Clocks(law.Case{}); err == nil {
		t.Error("there are clocks of nothing")
	}
}
