package law_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/law"
)

var (
	rights = []string{"access", "know", "portability", "rectification", "erasure", "restriction", "objection", "challenge", "opt_out_sale", "limit_sensitive"}
	marks  = []string{law.Verified, law.Secondary, law.Unverified}
)

func TestEveryPackIsWholeAndSaysWhereItComesFrom(t *testing.T) {
	t.Parallel()
	from := map[string]law.Date{}
	for _, p := range law.Packs() {
		if p.ID == "" || p.Name == "" || p.From == 0 || len(p.Sources) == 0 {
			t.Errorf("%+v lacks something", p)
		}
		if newer, ok := from[p.ID]; ok && p.From >= newer {
			t.Errorf("%s: the version of %v stands after that of %v; the newest goes first", p.ID, p.From, newer)
		}
		from[p.ID] = p.From
		if newest, ok := law.ByID(p.ID); !ok || newest.From < p.From {
			t.Errorf("ByID(%s) = %v, %v", p.ID, newest.From, ok)
		}
		for _, s := range p.Sources {
			if u, err := url.Parse(s); err != nil || u.Scheme != "https" {
				t.Errorf("%s: source %q", p.ID, s)
			}
		}
		for _, right := range rights {
			if len(law.Reasons(p.ID, right)) == 0 {
				t.Errorf("%s: no ground to deny %s", p.ID, right)
			}
		}
	}
	if _, ok := law.ByID("xx-none"); ok {
		t.Error("there is a pack xx-none")
	}
}

func TestEveryReasonCanBeToldAndCited(t *testing.T) {
	t.Parallel()
	protocol := []string{"suspected_fraud", "insuf_verification", "no_match", "claim_not_covered", "outside_jurisdiction", "too_many_requests", "other"}
	for _, p := range law.Packs() {
		used := map[string]bool{}
		for _, right := range rights {
			codes := map[string]bool{}
			for _, r := range law.Reasons(p.ID, right) {
				if codes[r.Code] {
					t.Errorf("%s: %s stands twice for %s", p.ID, r.Code, right)
				}
				codes[r.Code], used[r.Protocol] = true, true
				if r.Article == "" || r.Text["en"] == "" || r.Text["fr"] == "" || !slices.Contains(marks, r.Mark) {
					t.Errorf("%s: %s lacks something: %+v", p.ID, r.Code, r)
				}
				if !slices.Contains(protocol, r.Protocol) {
					t.Errorf("%s: %s: the protocol has no reason %q", p.ID, r.Code, r.Protocol)
				}
			}
		}
		for _, want := range protocol {
			if !used[want] && (want != "too_many_requests" || !slices.Contains(knowNoRepetition, p.ID)) {
				t.Errorf("%s: no ground for the protocol's %s", p.ID, want)
			}
		}
	}
}

// Laws that know no ground of repetition.
var knowNoRepetition = []string{"ca-pipeda", "br-lgpd", "in-dpdp", "kr-pipa", "jp-appi", "th-pdpa", "tr-kvkk", "sa-pdpl", "cn-pipl"}

func TestReasonsCiteTheArticleOfTheRight(t *testing.T) {
	t.Parallel()
	tests := []struct{ law, right, code, article string }{ // article empty: not a ground
		{"eu-gdpr", "access", "manifestly_unfounded", "Art. 12(5)(b) GDPR"},
		{"eu-gdpr", "access", "identity_not_established", "Art. 12(6) GDPR"},
		{"eu-gdpr", "access", "rights_of_others", "Art. 15(4) GDPR"},
		{"eu-gdpr", "portability", "rights_of_others", "Art. 20(4) GDPR"},
		{"eu-gdpr", "erasure", "rights_of_others", ""},
		{"eu-gdpr", "erasure", "legal_obligation", "Art. 17(3)(b) GDPR"},
		{"eu-gdpr", "erasure", "legal_claims", "Art. 17(3)(e) GDPR"},
		{"eu-gdpr", "access", "legal_claims", ""},
		{"uk-gdpr", "erasure", "legal_obligation", "Art. 17(3)(b) UK GDPR"},
		{"us-ca-ccpa", "know", "identity_not_established", "11 CCR § 7024(a)"},
		{"us-ca-ccpa", "erasure", "identity_not_established", "11 CCR § 7022(a)"},
		{"us-ca-ccpa", "opt_out_sale", "identity_not_established", ""}, // 11 CCR 7060(b): never verified
		{"us-ca-ccpa", "know", "twice_in_twelve_months", "Cal. Civ. Code § 1798.130(b)"},
		{"ca-pipeda", "access", "privileged", "s. 9(3)(a) PIPEDA"},
		{"ca-pipeda", "erasure", "recourse_pending", "s. 8(8) PIPEDA"},
		{"us-va", "opt_out_sale", "identity_not_established", ""},
		{"ch-fadp", "access", "rights_of_others", "Art. 26(1)(b) FADP"},
		{"br-lgpd", "erasure", "legal_obligation", "Art. 16(I) LGPD"},
		{"br-lgpd", "access", "legal_obligation", ""},
		{"nz-privacy", "access", "privileged", "s. 53(d) Privacy Act 2020"},
		{"nz-privacy", "erasure", "privileged", ""},
		{"xx-none", "access", "manifestly_unfounded", ""},
	}
	for _, c := range tests {
		var article string
		for _, r := range law.Reasons(c.law, c.right) {
			if r.Code == c.code {
				article = r.Article
			}
		}
		if article != c.article {
			t.Errorf("%s, %s, %s cites %q, want %q", c.law, c.right, c.code, article, c.article)
		}
	}
}

func TestWhatAnAnswerMayNotShow(t *testing.T) {
	t.Parallel()
	all := "government_id financial_account health_insurance password security_answer biometric"
	tests := map[string]string{
		"us-ca-ccpa": all, // 11 CCR 7024(d)
		"us-mn":      all,
		"us-states":  all,
		"xx-none":    all, // not knowing the law is no reason to show a passport number
		"eu-gdpr":    "password security_answer",
		"uk-gdpr":    "password security_answer",
		"ca-pipeda":  "password security_answer",
		"us-va":      "password security_answer",
	}
	for id, want := range tests {
		var kinds []string
		for _, w := range law.NeverDisclosed(id) {
			kinds = append(kinds, w.Kind)
			if w.Text["en"] == "" || w.Text["fr"] == "" {
				t.Errorf("%s: %s has no words", id, w.Kind)
			}
			if _, ok := law.ByID(id); ok && (w.Article == "" || !slices.Contains(marks, w.Mark)) {
				t.Errorf("%s: %s cites %q (%s)", id, w.Kind, w.Article, w.Mark)
			}
		}
		if got := strings.Join(kinds, " "); got != want {
			t.Errorf("%s withholds %s, want %s", id, got, want)
		}
	}
}

func TestWhatMayBeAskedOfEverybody(t *testing.T) {
	t.Parallel()
	tests := []struct {
		law, right string
		proof      law.Proof
		article    string // empty: it may be asked
	}{
		{"us-ca-ccpa", "opt_out_sale", law.IdentityDocument, "11 CCR § 7060(b)"},
		{"us-ca-ccpa", "opt_out_sale", law.Address, "11 CCR § 7060(b)"},
		{"us-ca-ccpa", "limit_sensitive", law.DataPoints, "11 CCR § 7060(b)"},
		{"us-ca-ccpa", "opt_out_sale", law.NoProof, ""},
		{"us-ca-ccpa", "know", law.SignedDeclaration, ""}, // 11 CCR 7062: for specific pieces
		{"us-ca-ccpa", "know", law.IdentityDocument, "11 CCR § 7060(d)"},
		{"us-ca-ccpa", "know", law.Notarised, "11 CCR § 7060(e)"},
		{"eu-gdpr", "access", law.IdentityDocument, "Art. 12(6) GDPR"},
		{"eu-gdpr", "erasure", law.Notarised, "Art. 12(5)-(6) GDPR"},
		{"eu-gdpr", "access", law.Address, ""},
		{"uk-gdpr", "access", law.IdentityDocument, "Art. 12(6) UK GDPR"},
		{"us-ct", "opt_out_sale", law.Address, "Conn. Gen. Stat. § 42-518(c)(4)"},
		{"us-ct", "access", law.Address, ""},
		{"us-or", "opt_out_sale", law.IdentityDocument, "ORS § 646A.576(5)(e)"},
		// Virginia and Colorado authenticate an opt-out like any other request.
		{"us-va", "opt_out_sale", law.Address, ""},
		{"us-co", "opt_out_sale", law.Address, ""},
		{"us-nv", "opt_out_sale", law.Address, ""},
		{"us-states", "opt_out_sale", law.Address, "the law of the state of residence, such as Conn. Gen. Stat. § 42-518(c)(4)"},
		{"ca-pipeda", "access", law.Notarised, "Schedule 1, 4.9.4 PIPEDA"},
		{"ca-pipeda", "access", law.IdentityDocument, ""},
	}
	for _, c := range tests {
		got, forbidden := law.Forbids(c.law, c.right, c.proof)
		if got.Article != c.article || forbidden != (c.article != "") {
			t.Errorf("%s, %s, %s: forbidden %v by %q, want %q", c.law, c.right, c.proof, forbidden, got.Article, c.article)
		}
		if forbidden && (got.Text == "" || !slices.Contains(marks, got.Mark)) {
			t.Errorf("%s, %s, %s: %+v lacks something", c.law, c.right, c.proof, got)
		}
	}
}

// A request is counted by the law as it was on the day of its receipt.
func TestTheLawOfBritainHasThreeVersions(t *testing.T) {
	t.Parallel()
	var from []string
	for _, p := range law.Packs() {
		if p.ID == "uk-gdpr" {
			from = append(from, p.From.String())
		}
	}
	if want := []string{"2026-06-19", "2026-02-05", "2021-01-01"}; !slices.Equal(from, want) {
		t.Errorf("versions from %v, want %v", from, want)
	}
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{ // a complaint's receipt -> acknowledge by; empty: no duty
		"2026-06-18": "",
		"2026-06-19": "2026-07-20", // the 19th is a Sunday
		"2026-06-20": "2026-07-20",
	}
	for received, want := range tests {
		day, err := time.ParseInLocation(time.DateOnly, received, london)
		if err != nil {
			t.Fatal(err)
		}
		d, err := law.Count(law.Case{Regimes: []string{"uk-gdpr"}, Residence: "GB", Right: law.Complaint, Received: day.Add(12 * time.Hour), Zone: london})
		if err != nil {
			t.Fatal(err)
		}
		var got string
		if !d.AcknowledgeBy.IsZero() {
			got = d.AcknowledgeBy.In(london).Format(time.DateOnly)
		}
		if got != want {
			t.Errorf("a complaint of %s is acknowledged by %q, want %q", received, got, want)
		}
	}
}

func TestWhoHearsAComplaint(t *testing.T) {
	t.Parallel()
	tests := map[string]string{ // residence -> part of the name; empty: nobody we know of
		"FR": "CNIL", "FR-IDF": "CNIL", "GB": "ICO", "US-CA": "California Privacy", "CA": "Privacy Commissioner of Canada",
		"CA-ON": "Privacy Commissioner of Canada", "CA-QC": "Québec", "CA-AB": "Alberta", "CA-BC": "British Columbia",
		"DE": "Bundesbeauftragte", "DE-BY": "Bayerisches", "DE-BE": "Berliner", "HR": "Agencija", "IS": "Persónuvernd",
		"US-VA": "Virginia", "US-TX": "Texas", "CH": "EDÖB", "CH-ZH": "EDÖB", "BR": "ANPD", "AU": "Australian", "KR": "개인정보",
		"US-OH": "", "US": "", "XX": "", "": "",
	}
	for residence, want := range tests {
		got, ok := law.Authority(residence)
		if ok != (want != "") || !strings.Contains(got.Name, want) {
			t.Errorf("Authority(%q) = %+v, %v, want %q", residence, got, ok, want)
		}
		if u, err := url.Parse(got.URL); ok && (err != nil || u.Scheme != "https" || u.Host == "") {
			t.Errorf("Authority(%q) is at %q", residence, got.URL)
		}
	}
}
