package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/receipt"
	"rightsdesk/shared/receipt/receipttest"
)

const goldenReceipts = "../../shared/receipt/testdata/"

// TestReceiptVerifyNeedsTwoFiles checks receipts as their holder does: from a
// folder with nothing else in it, and without a network.
func TestReceiptVerifyNeedsTwoFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put := func(name string, b []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	golden := func(name string) []byte {
		t.Helper()
		b, err := os.ReadFile(goldenReceipts + name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	signed, plain := golden("receipt.jws"), golden("receipt.jsonld")
	jws, keys := put("receipt.jws", signed), put("jwks.json", golden("jwks.json"))
	elsewhere := filepath.Join(t.TempDir(), "keys.json")
	if err := os.Rename(keys, elsewhere); err != nil {
		t.Fatal(err)
	}
	verify := func(args ...string) (string, error) {
		var out bytes.Buffer
		err := receiptCommand(append([]string{"verify"}, args...), &out)
		return out.String(), err
	}
	if out, err := verify(jws); err == nil {
		t.Errorf("without keys it says %q", out)
	}
	for _, args := range [][]string{{"-jwks", elsewhere, jws}, {jws, "-jwks", elsewhere}} {
		out, err := verify(args...)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"is as it was signed, by the key zNuF-", "Example Letters SAS", "The letter", "ConsentGiven 2026-03-02T12:30:15.25Z"} {
			if !strings.Contains(out, want) {
				t.Errorf("%v: it does not say %q: %s", args, want, out)
			}
		}
	}
	put("jwks.json", golden("jwks.json"))
	if out, err := verify(jws, "-print"); err != nil || out != string(plain)+"\n" {
		t.Errorf("-print says %.80q, %v", out, err)
	}
	for _, end := range []string{"\n", "\r\n"} {
		if _, err := verify(put("edited.jws", append(bytes.Clone(signed), end...))); err != nil {
			t.Errorf("a file that ends with %q: %v", end, err)
		}
	}
	changed := bytes.Clone(signed)
	changed[len(changed)/2] ^= 1
	for name, b := range map[string][]byte{
		"changed": changed, "two line breaks": append(bytes.Clone(signed), "\n\n"...), "a space": append(bytes.Clone(signed), ' '),
		"the last byte a line break": append(bytes.Clone(signed[:len(signed)-1]), '\n'),
	} {
		if out, err := verify(put("changed.jws", b)); !errors.Is(err, receipt.ErrChanged) && !errors.Is(err, receipt.ErrNotSigned) || out != "" {
			t.Errorf("%s: it says %q, %v", name, out, err)
		}
	}
	if _, err := verify(put("plain.jws", plain)); !errors.Is(err, receipt.ErrNotSigned) {
		t.Errorf("a receipt that is not signed: %v", err)
	}
	for _, args := range [][]string{{}, {jws, jws}, {filepath.Join(dir, "none.jws")}, {"-nonsense", jws}} {
		if out, err := verify(args...); err == nil {
			t.Errorf("%v: it says %q", args, out)
		}
	}
	if err := receiptCommand(nil, nil); err == nil {
		t.Error("no command is one")
	}
}

// TestTheProductsReceiptsStandAlone chooses, fetches receipts and keys, stops the
// product, and checks what was kept.
func TestTheProductsReceiptsStandAlone(t *testing.T) {
	w := open(t)
	dir := t.TempDir()
	keep := func(name string, b []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	fetch := func(who subject, record, format, language string, signed bool) answer {
		t.Helper()
		return w.appMust(200, "POST", "/v1/receipts", map[string]any{"subject": who, "record": record, "format": format, "language": language, "signed": signed})
	}
	kept := map[string]string{} // what a file has to say
	n := 0
	for _, rule := range w.Requests.Policy.Consents {
		var more []func(map[string]any)
		if rule.PerAct {
			more = append(more, act("talk-17"))
		}
		who := account("acc-1001")
		if rule.DoubleOptIn {
			who = byMail("ada@example.org")
		}
		choices := map[string]string{"granted": "ConsentGiven"}
		if !rule.Required {
			choices["denied"] = "ConsentRefused"
		}
		for choice, state := range choices {
			c := w.choose(who, rule.Purpose, choice, more...)
			if c.Records[0].Pending {
				state = "ConsentRequested"
			}
			for _, format := range []string{"dpv", "kantara"} {
				for _, language := range []string{"en", "fr"} {
					plain := fetch(who, c.Records[0].ID, format, language, false)
					for _, problem := range receipttest.Missing(plain.Body) {
						t.Errorf("%s %s, %s, %s: %s", choice, rule.Purpose, format, language, problem)
					}
					for _, unknown := range receipttest.UnknownTerms(plain.Body) {
						t.Errorf("%s is no term of DPV", unknown)
					}
					if bytes.Contains(plain.Body, []byte(who.Value)) {
						t.Errorf("%s %s: the receipt names %s", choice, rule.Purpose, who.Value)
					}
				}
			}
			n++
			kept[keep(fmt.Sprintf("%d.jws", n), fetch(who, c.Records[0].ID, "dpv", "en", true).Body)] = state
		}
	}
	if n < 5 {
		t.Fatalf("the policy of the sample company has %d choices", n)
	}

	// A consent, and what became of it: two receipts of one record.
	who := account("acc-1002")
	c := w.choose(who, "survey", "granted")
	kept[keep("before.jws", fetch(who, c.Records[0].ID, "dpv", "en", true).Body)] = "ConsentGiven"
	w.pass(time.Hour)
	w.choose(who, "survey", "withdrawn")
	after := keep("after.jws", fetch(who, c.Records[0].ID, "dpv", "en", true).Body)
	kept[after] = "ConsentWithdrawn"
	keep("jwks.json", w.must(200, "GET", "/.well-known/jwks.json", nil).Body)
	w.Close()

	for path, state := range kept {
		var out bytes.Buffer
		if err := receiptCommand([]string{"verify", path}, &out); err != nil || !strings.Contains(out.String(), state) {
			t.Errorf("%s, %s: %v\n%s", path, state, err, out.String())
		}
	}
	var before, withdrawn bytes.Buffer
	for file, out := range map[string]*bytes.Buffer{"before.jws": &before, "after.jws": &withdrawn} {
		if err := receiptCommand([]string{"verify", filepath.Join(dir, file)}, out); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(before.String(), "ConsentWithdrawn") || !strings.Contains(withdrawn.String(), "ConsentGiven") {
		t.Errorf("before the withdrawal:\n%safter it:\n%s", before.String(), withdrawn.String())
	}
}

func TestAReceiptIsDescribedInEitherFormat(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		"receipt.kantara.json": {"Example Letters SAS", "s0123456789abcdef", "To send you the letter", "granted 2026-03-02T12:30:15.25Z", "made 2026-04-01T09:00:00Z"},
		"refusal.jsonld":       {"ConsentRefused", "La lettre"},
	} {
		b, err := os.ReadFile(goldenReceipts + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if got := describe(b); !strings.Contains(got, w) {
				t.Errorf("%s: %q is not in %s", name, w, got)
			}
		}
	}
	if got := describe([]byte(`{"consentReceiptID":"\u001b[2Jx","piiControllers":[{"piiController":"y"}]}`)); strings.Contains(got, "\x1b") {
		t.Errorf("it would steer a terminal: %q", got)
	}
	if got := describe([]byte(`{}`)); !strings.Contains(got, "-print") {
		t.Errorf("an empty object is %q", got)
	}
}
