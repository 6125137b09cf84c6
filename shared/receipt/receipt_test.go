package receipt_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rightsdesk/shared/audit"
	"rightsdesk/shared/consent"
	"rightsdesk/shared/fault"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/receipt"
	"rightsdesk/shared/receipt/receipttest"
	"rightsdesk/shared/seal"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	chosen  = time.Date(2026, 3, 2, 12, 30, 15, 250e6, time.UTC)
	issued  = time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)
	formats = []receipt.Format{receipt.DPV, receipt.Kantara}
	lists   = map[receipt.Format][]receipttest.Field{receipt.DPV: receipttest.ISO27560, receipt.Kantara: receipttest.Kantara}
)

// ringOf returns a ring of known keys with a number of generations of the signing key.
func ringOf(tb testing.TB, signing int) *seal.Ring {
	tb.Helper()
	key := func(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }
	b, err := json.Marshal(map[string]any{
		"identifier": key(1), "token": key(2), "data": []any{map[string]any{"id": 1, "key": key(3)}}, "signing": signing,
	})
	if err != nil {
		tb.Fatal(err)
	}
	r, err := seal.ParseRing(b)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// policies are that of the golden receipts, the one that has everything in it, the
// shortest, and every profile.
func policies(tb testing.TB) map[string]*policy.Policy {
	tb.Helper()
	all, err := parsed()
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

var parsed = sync.OnceValues(func() (map[string]*policy.Policy, error) {
	files := map[string][]byte{}
	for name, path := range map[string]string{"letters": "testdata/policy.yaml", "whole": "../policy/testdata/whole.yaml", "smallest": "../policy/testdata/smallest.yaml"} {
		file, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files[name] = file
	}
	for _, name := range policy.ProfileNames() {
		files[name], _ = policy.Profile(name)
	}
	all := map[string]*policy.Policy{}
	for name, file := range files {
		p, err := policy.Parse(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all[name] = p
	}
	return all, nil
})

func maker(tb testing.TB, p *policy.Policy) *receipt.Maker {
	tb.Helper()
	return &receipt.Maker{Policy: p, Ring: ringOf(tb, 1), BaseURL: "https://privacy.example.com", Now: func() time.Time { return issued }}
}

func letters(tb testing.TB) *receipt.Maker { tb.Helper(); return maker(tb, policies(tb)["letters"]) }

// given is the evidence of a consent to the purpose, in French.
func given(p *policy.Policy, purpose string) consent.Evidence {
	rule, ok := p.Consent(purpose)
	if !ok {
		rule = policy.Consent{Purpose: purpose, Label: policy.Text{"en": "A purpose", "fr": "Une finalité"}, Wording: policy.Text{"en": "May we?", "fr": "Pouvons-nous ?"}, Edition: 1}
	}
	words := rule.Wording.In("fr")
	sum := sha256.Sum256([]byte(words))
	hash := hex.EncodeToString(sum[:])
	return consent.Evidence{
		Entry: consent.Entry{
			ID: "s0123456789abcdef.7", At: chosen, Action: "granted", Purpose: purpose, Choice: consent.Granted, Method: consent.Form,
			By: "browser", Policy: "p1-00112233445566ff", Wording: hash, Edition: max(rule.Edition, 1), Language: "fr", Page: "https://www.example.com/account",
		},
		Subject: "s0123456789abcdef",
		Wording: consent.Wording{Text: words, Language: "fr", Purpose: purpose, Policy: "p1-00112233445566ff", Since: chosen},
		Rule:    rule, Until: chosen.AddDate(1, 6, 0), State: consent.Granted, StateAt: chosen,
	}
}

// became returns the evidence with another action.
func became(e consent.Evidence, action string, c consent.Choice) consent.Evidence {
	e.Entry.Action, e.Entry.Choice, e.State = action, c, c
	if action != "granted" && action != "confirmed" {
		e.Until = time.Time{}
	}
	return e
}

func mustMake(tb testing.TB, m *receipt.Maker, e consent.Evidence, f receipt.Format, language string) []byte {
	tb.Helper()
	b, err := m.Make(e, f, language)
	if err != nil {
		tb.Fatalf("Make: %v", err)
	}
	return b
}

func decode(tb testing.TB, b []byte) map[string]any {
	tb.Helper()
	var doc map[string]any
	if err := json.Unmarshal(b, &doc); err != nil {
		tb.Fatal(err)
	}
	return doc
}

// PROOF bar 3: whatever was chosen, about whatever purpose of whatever policy, in
// both languages: the receipt has every field that its format wants.
func TestReceiptsHaveEveryFieldOfTheirFormat(t *testing.T) {
	t.Parallel()
	actions := map[string]consent.Choice{
		"granted": consent.Granted, "denied": consent.Denied, "withdrawn": consent.Withdrawn,
		"asked": consent.Granted, "confirmed": consent.Granted, "lapsed": consent.Granted,
	}
	n := 0
	for name, p := range policies(t) {
		m := maker(t, p)
		for _, purpose := range p.Purposes {
			for action, choice := range actions {
				e := became(given(p, purpose.ID), action, choice)
				bare := e // a refusal needs no words
				bare.Entry.Wording, bare.Entry.Page, bare.Wording, bare.Until = "", "", consent.Wording{}, time.Time{}
				later := e
				later.State, later.StateAt = consent.Withdrawn, chosen.Add(time.Hour)
				for of, e := range map[string]consent.Evidence{"": e, ", without words": bare, ", withdrawn later": later} {
					for _, f := range formats {
						for _, language := range []string{"en", "fr"} {
							if n++; n%every != 0 {
								continue
							}
							b := mustMake(t, m, e, f, language)
							for _, problem := range receipttest.Missing(b) {
								t.Errorf("%s, %s, %s%s, %s, %s: %s", name, purpose.ID, action, of, f, language, problem)
							}
							for _, unknown := range receipttest.UnknownTerms(b) {
								t.Errorf("%s, %s, %s%s: %s is no term of DPV 2.3; see receipttest/terms.txt", name, purpose.ID, action, of, unknown)
							}
						}
					}
				}
			}
		}
	}
	t.Logf("PROOF %d receipts of %d policies have every field of their lists", n/every, len(policies(t)))
}

func TestTheListsNoticeEveryFieldThatIsMissing(t *testing.T) {
	t.Parallel()
	m := letters(t)
	for _, f := range formats {
		good := mustMake(t, m, given(m.Policy, "news"), f, "en")
		if problems := receipttest.Missing(good); len(problems) > 0 {
			t.Fatalf("%s: %v", f, problems)
		}
		for _, field := range lists[f] {
			b, err := receipttest.Without(good, field)
			if err != nil {
				t.Fatal(err)
			}
			if len(receipttest.Missing(b)) == 0 {
				t.Errorf("%s: nobody notices that %s is missing", f, field.Path)
			}
		}
	}
	if got := receipttest.UnknownTerms([]byte(`{"dpv:hasPurpose":"dpv:Marketing","dpv:hasNonsense":["loc:FR","eu-gdpr:A99"]}`)); !slices.Equal(got, []string{"dpv:hasNonsense", "eu-gdpr:A99"}) {
		t.Errorf("the terms %v are unknown", got)
	}
}

func TestTheWordsStandInTheReceiptToTheLetter(t *testing.T) {
	t.Parallel()
	m := letters(t)
	e := given(m.Policy, "news")
	e.Wording.Text = "Envoyez-moi <b>les nouvelles</b> & \"tout\" le reste :\n\tà l'adresse\u2028que voici \u00e9e\u0301 \U0001F44D"
	sum := sha256.Sum256([]byte(e.Wording.Text))
	e.Entry.Wording = hex.EncodeToString(sum[:])

	var dpv struct {
		Record struct {
			Notice []struct {
				ID   string `json:"@id"`
				Hash string `json:"schema:sha256"`
				Text struct {
					Value    string `json:"@value"`
					Language string `json:"@language"`
				} `json:"schema:text"`
			} `json:"dpv:hasNotice"`
		} `json:"dpv:hasRecordOfActivity"`
	}
	if err := json.Unmarshal(mustMake(t, m, e, receipt.DPV, "en"), &dpv); err != nil {
		t.Fatal(err)
	}
	notice := dpv.Record.Notice[0]
	if notice.Text.Value != e.Wording.Text || notice.Hash != e.Entry.Wording || notice.Text.Language != "fr" {
		t.Errorf("the notice says %q (%s), in %s", notice.Text.Value, notice.Hash, notice.Text.Language)
	}
	if notice.ID != "https://privacy.example.com/v1/wordings/"+e.Entry.Wording {
		t.Errorf("the notice is at %s", notice.ID)
	}

	var kantara struct {
		Record struct {
			Wording struct{ Text, SHA256, Language string }
		}
	}
	if err := json.Unmarshal(mustMake(t, m, e, receipt.Kantara, "en"), &kantara); err != nil {
		t.Fatal(err)
	}
	if w := kantara.Record.Wording; w.Text != e.Wording.Text || w.SHA256 != e.Entry.Wording || w.Language != "fr" {
		t.Errorf("the Kantara receipt says %+v", w)
	}
}

func TestWhatBecameOfAConsent(t *testing.T) {
	t.Parallel()
	m := letters(t)
	hour := chosen.Add(time.Hour)
	tests := map[string]struct {
		action string
		choice consent.Choice
		until  time.Time
		state  consent.Choice
		at     time.Time
		want   string // the states, in the order of time
		kind   string // Kantara's consentType
		ends   string // of Kantara's termination
	}{
		"a consent stands":                         {"granted", consent.Granted, time.Time{}, consent.Granted, chosen, "ConsentGiven", "EXPLICIT", "Until it is withdrawn"},
		"it stands until a day":                    {"granted", consent.Granted, issued.Add(time.Hour), consent.Granted, chosen, "ConsentGiven", "EXPLICIT", "2026-04-01T10:00:00Z, or earlier"},
		"it was withdrawn later":                   {"granted", consent.Granted, time.Time{}, consent.Withdrawn, hour, "ConsentGiven ConsentWithdrawn", "EXPLICIT", "Withdrawn on 2026-03-02T13:30:15.25Z"},
		"it was renewed later":                     {"granted", consent.Granted, time.Time{}, consent.Granted, hour, "ConsentGiven RenewedConsentGiven", "EXPLICIT", "Until it is withdrawn"},
		"its time is over":                         {"granted", consent.Granted, issued, consent.Granted, chosen, "ConsentGiven ConsentExpired", "EXPLICIT", "Expired on 2026-04-01T09:00:00Z"},
		"its lapse was recorded":                   {"granted", consent.Granted, hour, consent.Ended, hour, "ConsentGiven ConsentExpired", "EXPLICIT", "Expired on 2026-03-02T13:30:15.25Z"},
		"it was withdrawn before its time is over": {"granted", consent.Granted, issued, consent.Withdrawn, hour, "ConsentGiven ConsentWithdrawn", "EXPLICIT", "Withdrawn on"},
		"a refusal":                                {"denied", consent.Denied, time.Time{}, consent.Denied, chosen, "ConsentRefused", "NONE: denied", "No consent"},
		"a refusal, and a consent after it":        {"denied", consent.Denied, time.Time{}, consent.Granted, hour, "ConsentRefused ConsentGiven", "NONE: denied", "No consent"},
		"a withdrawal":                             {"withdrawn", consent.Withdrawn, time.Time{}, consent.Withdrawn, chosen, "ConsentWithdrawn", "NONE: withdrawn", "Withdrawn on"},
		"it waits for its mail's button":           {"asked", consent.Granted, time.Time{}, consent.Granted, chosen, "ConsentRequested", "NONE: asked", "No consent"},
		"the button was pressed later":             {"asked", consent.Granted, time.Time{}, consent.Granted, hour, "ConsentRequested ConsentGiven", "NONE: asked", "No consent"},
		"the record of the button":                 {"confirmed", consent.Granted, time.Time{}, consent.Granted, chosen, "ConsentGiven", "EXPLICIT", "Until it is withdrawn"},
		"the record of the lapse":                  {"lapsed", consent.Granted, time.Time{}, consent.Granted, time.Time{}, "ConsentExpired", "NONE: expired", "Expired on"},
	}
	for name, c := range tests {
		e := given(m.Policy, "news")
		e.Entry.Action, e.Entry.Choice, e.Until, e.State, e.StateAt = c.action, c.choice, c.until, c.state, c.at
		var dpv struct {
			Record struct {
				Status []struct {
					Type []string `json:"@type"`
				} `json:"dpv:hasConsentStatus"`
			} `json:"dpv:hasRecordOfActivity"`
		}
		if err := json.Unmarshal(mustMake(t, m, e, receipt.DPV, "en"), &dpv); err != nil {
			t.Fatal(err)
		}
		var states []string
		for _, s := range dpv.Record.Status {
			states = append(states, strings.TrimPrefix(s.Type[0], "dpv:"))
		}
		if got := strings.Join(states, " "); got != c.want {
			t.Errorf("%s: the receipt says %s, want %s", name, got, c.want)
		}
		var kantara struct {
			Services []struct {
				Purposes []struct{ ConsentType, Termination string }
			}
		}
		if err := json.Unmarshal(mustMake(t, m, e, receipt.Kantara, "en"), &kantara); err != nil {
			t.Fatal(err)
		}
		if p := kantara.Services[0].Purposes[0]; p.ConsentType != c.kind || !strings.HasPrefix(p.Termination, c.ends) {
			t.Errorf("%s: the Kantara receipt says %s, %q", name, p.ConsentType, p.Termination)
		}
	}
}

func TestALanguageThatThePolicyLacksIsItsFirst(t *testing.T) {
	t.Parallel()
	m := letters(t)
	for _, f := range formats {
		want := mustMake(t, m, given(m.Policy, "news"), f, m.Policy.Document.Languages[0])
		for _, language := range []string{"de", "", "EN"} {
			if got := mustMake(t, m, given(m.Policy, "news"), f, language); !bytes.Equal(got, want) {
				t.Errorf("%s in %q is %s", f, language, got)
			}
		}
	}
}

func TestWhatIsNoActOfThePersonIsNotCalledOne(t *testing.T) {
	t.Parallel()
	m := letters(t)
	tests := map[consent.Method][2]string{
		consent.Form:         {`"dpv:ExpressedConsent"`, `"EXPLICIT"`},
		consent.Ticked:       {`"dpv:ImpliedConsent"`, `"IMPLICIT: A box that was ticked beforehand"`},
		consent.ContinuedUse: {`"dpv:ImpliedConsent"`, `"IMPLICIT: Use was continued"`},
		consent.Imported:     {`"dpv:Consent"`, `"IMPLICIT: Taken over from another system`},
	}
	for method, want := range tests {
		e := given(m.Policy, "news")
		e.Entry.Method = method
		for i, f := range formats {
			if b := mustMake(t, m, e, f, "en"); !strings.Contains(string(b), want[i]) {
				t.Errorf("%s: the %s receipt does not say %s", method, f, want[i])
			}
		}
	}
	explicit := given(m.Policy, "recordings")
	explicit.Entry.Act = "talk-17"
	b := mustMake(t, m, explicit, receipt.DPV, "en")
	for _, want := range []string{"dpv:ExplicitlyExpressedConsent", `"talk-17"`, "eu-gdpr:A9-2-a"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("the receipt of an explicit consent to sensitive data does not say %s", want)
		}
	}
}

func TestEveryMethodIsPutIntoWords(t *testing.T) {
	t.Parallel()
	m := letters(t)
	for _, method := range []consent.Method{
		consent.Form, consent.Banner, consent.Spoken, consent.Written, consent.DoubleOptIn, consent.OneClick, consent.Preferences, consent.Request,
		consent.Signal, consent.Imported, consent.Ticked, consent.ContinuedUse, consent.MailFeedback, consent.OperatorsWord, consent.Lapse,
	} {
		e := given(m.Policy, "news")
		e.Entry.Method = method
		en := decode(t, mustMake(t, m, e, receipt.Kantara, "en"))["collectionMethod"]
		fr := decode(t, mustMake(t, m, e, receipt.Kantara, "fr"))["collectionMethod"]
		if en == fr || en == string(method) || en == "" || fr == "" {
			t.Errorf("%s is called %q and %q", method, en, fr)
		}
	}
}

func TestNothingPersonalStandsInAReceipt(t *testing.T) {
	t.Parallel()
	m := letters(t)
	e := given(m.Policy, "news")
	e.Entry.By = "operator:ada.lovelace"
	e.Entry.Facts = []audit.Fact{
		{Name: "identifier", Value: "i1canary0identifier"}, {Name: "call", Value: "canary0call"}, {Name: "evidence", Value: "ada@example.org"},
	}
	e.Wording.Policy = "canary"
	for _, f := range formats {
		b := string(mustMake(t, m, e, f, "en"))
		for _, canary := range []string{"ada", "lovelace", "canary", "@example.org"} {
			if strings.Contains(b, canary) {
				t.Errorf("the %s receipt says %s", f, canary)
			}
		}
		if !strings.Contains(b, `"`+e.Subject+`"`) {
			t.Errorf("the %s receipt does not name the random id", f)
		}
	}
}

func TestAPurposeThatThePolicyNoLongerHasKeepsItsReceipts(t *testing.T) {
	t.Parallel()
	m := letters(t)
	e := given(m.Policy, "no_longer_there")
	e.Rule = policy.Consent{}
	for _, f := range formats {
		for _, problem := range receipttest.Missing(mustMake(t, m, e, f, "fr")) {
			t.Errorf("%s: %s", f, problem)
		}
	}
}

func TestThereIsNoReceiptForWhatIsNoChoice(t *testing.T) {
	t.Parallel()
	m := letters(t)
	for _, action := range []string{"", "stopped", "started", "signalled", "linked", "told", "suppressed"} {
		if b, err := m.Make(became(given(m.Policy, "news"), action, ""), receipt.DPV, "en"); !errors.Is(err, consent.ErrNotFound) {
			t.Errorf("%q has the receipt %s, %v", action, b, err)
		}
	}
	if b, err := m.Make(given(m.Policy, "news"), "xml", "en"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("the format xml has the receipt %s, %v", b, err)
	}
}

func TestIDsFollowFromWhatTheyName(t *testing.T) {
	t.Parallel()
	m := letters(t)
	e := given(m.Policy, "news")
	id := func(e consent.Evidence, f receipt.Format, language string) (of, record string) {
		doc := decode(t, mustMake(t, m, e, f, language))
		if f == receipt.Kantara {
			return doc["consentReceiptID"].(string), doc["record"].(map[string]any)["recordId"].(string)
		}
		r := doc["dpv:hasRecordOfActivity"].(map[string]any)
		if doc["@id"] != "urn:uuid:"+doc["dct:identifier"].(string) || r["@id"] != "urn:uuid:"+r["dct:identifier"].(string) {
			t.Errorf("the receipt calls itself %s and %s", doc["@id"], doc["dct:identifier"])
		}
		return doc["dct:identifier"].(string), r["dct:identifier"].(string)
	}
	of, record := id(e, receipt.DPV, "en")
	sum := sha256.Sum256([]byte("rightsdesk record\n" + string(e.Entry.ID)))
	if want := fmt.Sprintf("%x", sum[:6]); !strings.HasPrefix(strings.ReplaceAll(record, "-", ""), want) {
		t.Errorf("the record is called %s; docs/receipts.md derives %s...", record, want)
	}
	doc, err := os.ReadFile("../../docs/receipts.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, example := range []string{"rightsdesk record\\n" + string(e.Entry.ID) + "' | sha256sum", fmt.Sprintf("%x...", sum[:16]), record} {
		if !strings.Contains(string(doc), example) {
			t.Errorf("docs/receipts.md does not show %s", example)
		}
	}
	if again, r := id(e, receipt.DPV, "en"); again != of || r != record {
		t.Error("the same receipt got another id")
	}
	later := e
	later.State, later.StateAt = consent.Withdrawn, chosen.Add(time.Hour)
	for name, other := range map[string]struct {
		e        consent.Evidence
		f        receipt.Format
		language string
	}{"Kantara": {e, receipt.Kantara, "en"}, "French": {e, receipt.DPV, "fr"}, "later": {later, receipt.DPV, "en"}} {
		if o, r := id(other.e, other.f, other.language); o == of || r != record {
			t.Errorf("%s: the receipt is called %s, its record %s", name, o, r)
		}
	}
	e.Entry.ID = "s0123456789abcdef.8"
	if _, r := id(e, receipt.DPV, "en"); r == record {
		t.Error("two records share an id")
	}
}

// The golden files are what docs/receipts.md shows and tells people to try.
func TestGoldenReceipts(t *testing.T) {
	t.Parallel()
	m := letters(t)
	e := given(m.Policy, "news")
	golden := map[string][]byte{
		"receipt.jsonld":       mustMake(t, m, e, receipt.DPV, "en"),
		"receipt.kantara.json": mustMake(t, m, e, receipt.Kantara, "en"),
		"refusal.jsonld":       mustMake(t, m, became(e, "denied", consent.Denied), receipt.DPV, "fr"),
	}
	signed, err := m.Sign(golden["receipt.jsonld"])
	if err != nil {
		t.Fatal(err)
	}
	golden["receipt.jws"] = []byte(signed)
	if golden["jwks.json"], err = m.JWKS(); err != nil {
		t.Fatal(err)
	}
	for name, got := range golden {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, got, 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs; -update writes it anew. It is:\n%s", path, got)
		}
	}
}
