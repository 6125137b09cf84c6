package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rightsdesk/infra/local/company"
	"rightsdesk/shared/certificate"
	"rightsdesk/shared/policy"
	"rightsdesk/shared/receipt"
	"rightsdesk/shared/request"
	"rightsdesk/shared/seal"
)

// TestCertificateVerifyNeedsTwoFiles checks a certificate as its holder does.
func TestCertificateVerifyNeedsTwoFiles(t *testing.T) {
	t.Parallel()
	pol, err := policy.Parse(company.Policy)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	ring := seal.NewRing()
	now := func() time.Time { return at }
	maker := certificate.Maker{Policy: pol, Ring: ring, BaseURL: "https://desk.example.org", Now: now}
	orders, _ := pol.Source("shop")
	h, _ := orders.Holding("orders")
	plain, err := maker.Make(request.Certified{
		Request: "r1", Right: policy.AccountClosure, Policy: pol.Version, Received: at, Fulfilled: at, Unreadable: at.AddDate(0, 0, 37),
		Places: []request.Place{
			{Source: "shop", Category: "account", Fate: request.FateErased, Count: 1, Done: at, Verified: at},
			{Source: "shop", Category: "orders", Fate: request.FateKept, Count: 3, Keep: h.Keep, Until: at.AddDate(10, 0, 0)},
		},
	}, "en")
	if err != nil {
		t.Fatal(err)
	}
	jws, err := maker.Sign(plain)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := (&receipt.Maker{Policy: pol, Ring: ring, BaseURL: maker.BaseURL, Now: now}).JWKS()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	put := func(name string, b []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	verify := func(args ...string) (string, error) {
		var out bytes.Buffer
		err := certificateCommand(append([]string{"verify"}, args...), &out)
		return out.String(), err
	}
	file := put("certificate.jws", []byte(jws+"\n"))
	if out, err := verify(file); err == nil {
		t.Errorf("without keys it says %q", out)
	}
	put("jwks.json", keys)
	out, err := verify(file)
	for _, want := range []string{"is as it was signed, by the key", "Example Books SAS", "account: erased, 1", "orders: kept, 3, ", "until 2036-03-02", "from 2026-04-08T10:00:00Z"} {
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("it does not say %q: %s, %v", want, out, err)
		}
	}
	var doc certificate.Document
	if out, err := verify(file, "-print"); err != nil || json.Unmarshal([]byte(out), &doc) != nil || doc.Request != "r1" {
		t.Errorf("-print says %.200q, %v", out, err)
	}
	changed := []byte(jws)
	changed[len(changed)/2] ^= 1
	if out, err := verify(put("changed.jws", changed)); !errors.Is(err, receipt.ErrChanged) && !errors.Is(err, receipt.ErrNotSigned) || out != "" {
		t.Errorf("changed: it says %q, %v", out, err)
	}
	for _, args := range [][]string{{}, {file, file}, {filepath.Join(dir, "none.jws")}, {"-nonsense", file}} {
		if out, err := verify(args...); err == nil {
			t.Errorf("%v: it says %q", args, out)
		}
	}
	if err := certificateCommand(nil, &bytes.Buffer{}); err == nil {
		t.Error("a command without a verb")
	}
}
