package certificate_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/certificate"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/receipt"
	"rightsdesk/shared/request"
	"rightsdesk/shared/seal"
)

var done = time.Date(2026, 3, 20, 9, 30, 0, 0, time.UTC)

func maker(tb testing.TB) *certificate.Maker {
	tb.Helper()
	file, err := os.ReadFile("../request/testdata/policy.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	p, err := policy.Parse(file)
	if err != nil {
		tb.Fatal(err)
	}
	return &certificate.Maker{Policy: p, Ring: seal.NewRing(), BaseURL: "https://desk.example.org", Now: func() time.Time { return done.AddDate(0, 0, 1) }}
}

func facts(p *policy.Policy) request.Certified {
	shop, _ := p.Source("shop")
	orders, _ := shop.Holding("orders")
	return request.Certified{
		Request: "r0123456789", Right: policy.AccountClosure, Policy: "p1", Received: done.AddDate(0, 0, -5), Fulfilled: done,
		Unreadable: done.AddDate(0, 0, 37),
		Places: []request.Place{
			{Source: "shop", Category: "account", Fate: request.FateErased, Count: 1, Done: done.Add(-time.Hour), Verified: done.Add(-time.Minute), Backups: done.AddDate(0, 0, 90)},
			{Source: "shop", Category: "orders", Fate: request.FateKept, Count: 3, Keep: orders.Keep, Until: done.AddDate(10, 0, 0)},
			{Source: "newsletter", Category: "subscriptions", Fate: request.FateNothing},
			{Source: "newsletter", Category: "reading_history", Fate: request.FateKept, Keep: policy.Keep{Ground: policy.SecurityGround, Period: policy.Period{Years: 1}, From: policy.FromEnd}},
		},
	}
}

func TestWhatACertificateSays(t *testing.T) {
	t.Parallel()
	m := maker(t)
	b, err := m.Make(facts(m.Policy), "fr")
	if err != nil {
		t.Fatal(err)
	}
	var doc certificate.Document
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	if !doc.Unrecoverable.Equal(done.AddDate(0, 0, 90)) || doc.OwnRecord.State != "due" || doc.Controller.Name != "Example Books SAS" || doc.Right != "account_closure" {
		t.Errorf("it says\n%s", b)
	}
	if k := doc.Places[1].Kept; k == nil || k.Article != "Code de commerce L123-22" || k.Duty != "Les factures sont des pièces comptables à conserver." || k.Until == nil || k.Period != "" {
		t.Errorf("what is kept: %+v", k)
	}
	if k := doc.Places[3].Kept; k == nil || k.Until != nil || k.Period != "1y" || k.From != policy.FromEnd {
		t.Errorf("what is kept until something else: %+v", k)
	}
	if doc.Places[0].System != "La librairie" || doc.Places[2].Done != nil {
		t.Errorf("it says\n%s", b)
	}
	again, err := m.Make(facts(m.Policy), "fr")
	if err != nil || string(again) != string(b) {
		t.Errorf("made again it is another one: %v", err)
	}
}

func TestACertificateIsCheckedWithoutUs(t *testing.T) {
	t.Parallel()
	m := maker(t)
	b, err := m.Make(facts(m.Policy), "en")
	if err != nil {
		t.Fatal(err)
	}
	signed, err := m.Sign(b)
	if err != nil {
		t.Fatal(err)
	}
	keys := &receipt.Maker{Ring: m.Ring}
	jwks, err := keys.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	if doc, err := certificate.Verify(signed, jwks); err != nil || doc.Request != "r0123456789" || len(doc.Places) != 4 {
		t.Errorf("it is %+v, %v", doc, err)
	}
	for i := range signed {
		changed := []byte(signed)
		if changed[i] ^= 1; changed[i] == '.' || signed[i] == '.' {
			continue
		}
		if _, err := certificate.Verify(string(changed), jwks); err == nil {
			t.Fatalf("with another byte at %d it still counts", i)
		}
	}
	other := &receipt.Maker{Ring: seal.NewRing()}
	if strange, err := other.JWKS(); err != nil {
		t.Error(err)
	} else if _, err := certificate.Verify(signed, strange); !errors.Is(err, receipt.ErrUnknownKey) {
		t.Errorf("with the keys of somebody else: %v", err)
	}
}

// TestNothingElseThatIsSignedPassesForACertificate: one key signs both.
func TestNothingElseThatIsSignedPassesForACertificate(t *testing.T) {
	t.Parallel()
	m := maker(t)
	keys := &receipt.Maker{Ring: m.Ring}
	jwks, err := keys.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	consent, err := keys.Sign([]byte(`{"version":"1"}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := certificate.Verify(consent, jwks); err == nil {
		t.Error("a receipt is a certificate")
	}
	b, err := m.Make(facts(m.Policy), "en")
	if err != nil {
		t.Fatal(err)
	}
	signed, err := m.Sign(b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := receipt.Verify(signed, jwks); err == nil {
		t.Error("a certificate is a receipt")
	}
	if odd, err := m.Sign([]byte(`{"version":"99"}`)); err != nil {
		t.Error(err)
	} else if _, err := certificate.Verify(odd, jwks); !errors.Is(err, receipt.ErrNotSigned) {
		t.Errorf("of an unknown format: %v", err)
	}
}

// TestThePageNamesEveryField holds docs/certificates.md to the format.
func TestThePageNamesEveryField(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/certificates.md")
	if err != nil {
		t.Fatal(err)
	}
	m := maker(t)
	b, err := m.Make(facts(m.Policy), "en")
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(b, &fields); err != nil {
		t.Fatal(err)
	}
	names := []string{string(certificate.Kind)}
	for name := range fields {
		names = append(names, name)
	}
	for _, place := range fields["places"].([]any) {
		for name := range place.(map[string]any) {
			names = append(names, name)
		}
	}
	for _, fate := range []request.Fate{request.FateErased, request.FateAnonymised, request.FateNothing, request.FateKept, request.FateReferred, request.FateByHand} {
		names = append(names, string(fate))
	}
	for _, name := range names {
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("the page does not name %s", name)
		}
	}
}
