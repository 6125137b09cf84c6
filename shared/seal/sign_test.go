package seal_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"rightsdesk/shared/seal"
)

// ringFile is a ring as it is kept, with a number of generations of the signing key.
func ringFile(t *testing.T, signing any) []byte {
	t.Helper()
	key := func(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }
	ring := map[string]any{"identifier": key(1), "token": key(2), "data": []any{map[string]any{"id": 1, "key": key(3)}}}
	if signing != nil {
		ring["signing"] = signing
	}
	b, err := json.Marshal(ring)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func openRing(t *testing.T, signing any) *seal.Ring {
	t.Helper()
	r, err := seal.ParseRing(ringFile(t, signing))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What the keys of the token key 0x0202... are was worked out with another
// program: HKDF, the curve and the thumbprint in Python without a library.
var vectors = []struct{ x, y, id string }{
	{"GiHCYmgTU5zG1goBH4ETIIc-a8lbFDvwV6zsFqxkwqs", "FpX4ussiaV7rzXBzooLBaGJNA2YiqLMcFUVkuxcxOEY", "zNuF-lLosuZ9qmOyAGaCQOnvdEBuswBmnrx7_7VVk7Y"},
	{"4TmCyN3JAa0o-beCGiAS6eHDctzaas2rm9VobouDxf8", "S7QvQ67m6Dmu8vY2vd4p6t-md7wVycvYhHa7sE9spBY", "nvQGP5dBIIDwz5_F3-qDbDnf7vo5JtgpBUFSNpTkSR4"},
	{"TDCAbN2fOVt3dD9tokuirQEZ17F7guwOqgNpQRXbMyo", "Tqb20-MMWwUzdUTZOVfmjSBn_o2P702HgaoeapbSBIM", "pCOvIPTe38h6ZFhBg3PrsFR3_5IaX53cKKLJn2syt6Q"},
}

func TestTheSigningKeysAreThoseOfTheRing(t *testing.T) {
	t.Parallel()
	keys := openRing(t, 3).SigningKeys()
	if len(keys) != len(vectors) {
		t.Fatalf("%d keys, want %d", len(keys), len(vectors))
	}
	for i, want := range vectors {
		key := keys[len(keys)-1-i] // the newest stands first
		point, err := key.Public().Bytes()
		if err != nil {
			t.Fatal(err)
		}
		b64 := base64.RawURLEncoding.EncodeToString
		if x, y := b64(point[1:33]), b64(point[33:]); x != want.x || y != want.y || key.ID != want.id {
			t.Errorf("generation %d is (%s, %s), %s", i+1, x, y, key.ID)
		}
	}
}

func TestARingFromBeforeThereWereSigningKeysHasTheFirst(t *testing.T) {
	t.Parallel()
	for _, signing := range []any{nil, 0, 1} {
		keys := openRing(t, signing).SigningKeys()
		if len(keys) != 1 || keys[0].ID != vectors[0].id {
			t.Errorf("signing %v: %d keys, the first is %s", signing, len(keys), keys[0].ID)
		}
	}
	for _, signing := range []any{-1, 65, 1 << 40, "1"} {
		if _, err := seal.ParseRing(ringFile(t, signing)); err == nil {
			t.Errorf("a ring with signing %v was opened", signing)
		}
	}
}

func TestTheSigningKeySurvivesBeingKept(t *testing.T) {
	t.Parallel()
	ring := seal.NewRing()
	again, err := seal.ParseRing(ring.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	if a, b := ring.SigningKeys(), again.SigningKeys(); len(a) != 1 || len(b) != 1 || a[0].ID != b[0].ID {
		t.Error("a kept ring derives another signing key")
	}
	if ring.SigningKeys()[0].ID == seal.NewRing().SigningKeys()[0].ID {
		t.Error("two rings share a signing key")
	}
}

// RFC 7638 computes its example over an RSA key. This is the EC key of RFC 7517,
// appendix A.1; its thumbprint was worked out with another program.
func TestThumbprint(t *testing.T) {
	t.Parallel()
	coordinate := func(s string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	point := append([]byte{4}, append(coordinate("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"), coordinate("4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM")...)...)
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := seal.Thumbprint(key); err != nil || got != "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s" {
		t.Errorf("Thumbprint = %s, %v", got, err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P384(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := seal.Thumbprint(&other.PublicKey); err == nil {
		t.Errorf("a key on P-384 has the thumbprint %s", got)
	}
}

func TestSignaturesCheckAndAreTheOnlyOnes(t *testing.T) {
	t.Parallel()
	key := openRing(t, 1).SigningKeys()[0]
	for i := range 200 {
		message := fmt.Appendf(nil, "message %d", i)
		signature, err := key.Sign(message)
		if err != nil {
			t.Fatal(err)
		}
		again, err := key.Sign(message)
		if err != nil {
			t.Fatal(err)
		}
		if len(signature) != 64 || !bytes.Equal(signature, again) {
			t.Fatalf("a message was signed as %x and as %x", signature, again)
		}
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		sum := sha256.Sum256(message)
		if !ecdsa.Verify(key.Public(), sum[:], r, s) {
			t.Fatalf("the signature %x does not check", signature)
		}
		other := new(big.Int).Sub(elliptic.P256().Params().N, s)
		if !seal.LowS(s) || seal.LowS(other) {
			t.Fatalf("s is %x, and %x is taken to be the lower one", s, other)
		}
	}
}

func TestASigningKeyIsNotPrinted(t *testing.T) {
	t.Parallel()
	keys := openRing(t, 1).SigningKeys()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, keys[0]); got != "[signing key]" {
			t.Errorf("%s prints %q", verb, got)
		}
		if got := fmt.Sprintf(verb, keys); strings.Contains(got, "0x") || !strings.Contains(got, "[signing key]") {
			t.Errorf("%s prints %q", verb, got)
		}
	}
	if b, err := json.Marshal(keys[0]); err != nil || len(b) > 64 {
		t.Errorf("as JSON it is %s, %v", b, err)
	}
}
