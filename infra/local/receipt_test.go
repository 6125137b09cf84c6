package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rightsdesk/shared/receipt"
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
