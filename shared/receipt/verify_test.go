package receipt_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"rightsdesk/shared/receipt"
	"rightsdesk/shared/seal"
)

var b64 = base64.RawURLEncoding

// signed returns a signed receipt, what was signed, and the keys to check it with.
func signed(tb testing.TB) (jws string, plain, jwks []byte) {
	tb.Helper()
	m := letters(tb)
	plain = mustMake(tb, m, given(m.Policy, "news"), receipt.DPV, "en")
	jws, err := m.Sign(plain)
	if err != nil {
		tb.Fatal(err)
	}
	if jwks, err = m.JWKS(); err != nil {
		tb.Fatal(err)
	}
	return jws, plain, jwks
}

func TestASignedReceiptIsCheckedWithTheKeysAlone(t *testing.T) {
	t.Parallel()
	m := letters(t)
	for _, f := range formats {
		plain := mustMake(t, m, given(m.Policy, "news"), f, "en")
		jws, err := m.Sign(plain)
		if err != nil {
			t.Fatal(err)
		}
		jwks, err := m.JWKS()
		if err != nil {
			t.Fatal(err)
		}
		got, err := receipt.Verify(jws, jwks)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%s: Verify = %v", f, err)
		}
		if again, err := m.Sign(plain); err != nil || again != jws {
			t.Errorf("%s: the same receipt was signed in two ways", f)
		}
	}
}

// Somebody else's program: the signature is checked by hand, from RFC 7515 and the
// coordinates in the key set.
func TestTheSignatureIsOneThatOthersCanCheck(t *testing.T) {
	t.Parallel()
	jws, plain, jwks := signed(t)
	parts := strings.Split(jws, ".")
	var set struct {
		Keys []struct{ Kty, Crv, X, Y, Kid, Alg, Use string }
	}
	if err := json.Unmarshal(jwks, &set); err != nil {
		t.Fatal(err)
	}
	var header map[string]string
	if err := json.Unmarshal(unb64(t, parts[0]), &header); err != nil {
		t.Fatal(err)
	}
	k := set.Keys[0]
	if len(header) != 3 || header["alg"] != "ES256" || header["typ"] != "consent-receipt+jws" || header["kid"] != k.Kid || k.Kty != "EC" || k.Crv != "P-256" || k.Use != "sig" || k.Alg != "ES256" {
		t.Errorf("the header is %v, the key %+v", header, k)
	}
	thumb := sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + k.X + `","y":"` + k.Y + `"}`))
	if k.Kid != b64.EncodeToString(thumb[:]) {
		t.Errorf("the key is called %s, and its thumbprint is another", k.Kid)
	}
	if !bytes.Equal(unb64(t, parts[1]), plain) {
		t.Error("the payload is not the receipt")
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, unb64(t, k.X), unb64(t, k.Y)))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	s := unb64(t, parts[2])
	if len(s) != 64 || !ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(s[:32]), new(big.Int).SetBytes(s[32:])) {
		t.Error("the signature does not check")
	}
}

func unb64(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := b64.DecodeString(s)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// alphabet is base64url's. Its neighbours differ in the last bits alone: where bits
// are left over, a careless decoder does not see that.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// bits returns the letters that differ from c in one bit of what they stand for.
func bits(c byte) []byte {
	var all []byte
	if i := strings.IndexByte(alphabet, c); i >= 0 {
		for _, bit := range []int{1, 2, 4, 8, 16, 32} {
			all = append(all, alphabet[i^bit])
		}
	}
	return all
}

// PROOF bar 3: a byte changed anywhere in a signed receipt fails.
func TestAChangedByteAnywhereFails(t *testing.T) {
	t.Parallel()
	jws, _, jwks := signed(t)
	strange := []byte{'.', '=', '+', '/', ' ', '\n', '\r', 0, 0x80, 0xff}
	n := 0
	for at := 0; at < len(jws); at += every {
		changes := []byte{strange[at%len(strange)], jws[at] ^ 0x20}
		if near := bits(jws[at]); near != nil {
			changes[1] = near[at%len(near)]
		}
		for _, c := range changes {
			if c == jws[at] {
				continue
			}
			n++
			if b, err := receipt.Verify(jws[:at]+string([]byte{c})+jws[at+1:], jwks); err == nil || b != nil {
				t.Errorf("byte %d of %d: %q became %q, and it still checks", at, len(jws), jws[at], c)
			}
		}
	}
	t.Logf("PROOF %d changes to the %d bytes of a signed receipt were noticed, every one", n, len(jws))
}

// A short receipt, on which every kind of change can be tried at every place.
func TestAChangeOfAnyKindFails(t *testing.T) {
	t.Parallel()
	m := letters(t)
	for _, plain := range []string{`{"a":1}`, `{"a":12}`, `{"a":123}`} { // base64 has 2, 4 and 0 bits left over
		jws, err := m.Sign([]byte(plain))
		if err != nil {
			t.Fatal(err)
		}
		jwks, err := m.JWKS()
		if err != nil {
			t.Fatal(err)
		}
		fails := func(what string, at int, s string) {
			if b, err := receipt.Verify(s, jwks); s != jws && (err == nil || b != nil) {
				t.Errorf("%s: %s at %d of %d, and it still checks", plain, what, at, len(jws))
			}
		}
		for at := 0; at < len(jws); at += every {
			changes := append(bits(jws[at]), '.', '=', '+', '/', ' ', '\t', '\n', '\r', 0, jws[at]^0x80, 0xff)
			for _, c := range changes {
				fails(fmt.Sprintf("%q became %q", jws[at], c), at, jws[:at]+string([]byte{c})+jws[at+1:])
			}
			for _, c := range []string{"\n", "\r", " ", "=", "A", "."} {
				fails(fmt.Sprintf("%q was put in", c), at, jws[:at]+c+jws[at:])
			}
			fails("a byte was taken away", at, jws[:at]+jws[at+1:])
			fails("it ends early", at, jws[:at])
			if at > 0 {
				fails("two bytes were swapped", at, jws[:at-1]+jws[at:at+1]+jws[at-1:at]+jws[at+1:])
			}
		}
		for _, end := range []string{"\n", "\r\n", " ", "=", "==", ".", "A", jws, "." + jws} {
			fails("something stands behind it", len(jws), jws+end)
			fails("something stands before it", 0, end+jws)
		}
	}
}

// forged are files that carry a good signature of the installation's own key, or
// look as if, and are no receipts.
func TestWhatIsSpelledInAnotherWayIsNoReceipt(t *testing.T) {
	t.Parallel()
	jws, plain, jwks := signed(t)
	parts := strings.Split(jws, ".")
	key := ringOf(t, 1).SigningKeys()[0]
	other := seal.NewRing().SigningKeys()[0]
	sign := func(k seal.SigningKey, header string, payload []byte) string {
		input := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString(payload)
		s, err := k.Sign([]byte(input))
		if err != nil {
			t.Fatal(err)
		}
		return input + "." + b64.EncodeToString(s)
	}
	header := func(members string) string {
		return `{"alg":"ES256","kid":"` + key.ID + `","typ":"consent-receipt+jws"` + members + `}`
	}
	if b, err := receipt.Verify(sign(key, header(""), plain), jwks); err != nil || !bytes.Equal(b, plain) {
		t.Fatalf("the control does not check: %v", err)
	}
	point, err := other.Public().Bytes()
	if err != nil {
		t.Fatal(err)
	}
	otherJWK := fmt.Sprintf(`{"kty":"EC","crv":"P-256","x":"%s","y":"%s"}`, b64.EncodeToString(point[1:33]), b64.EncodeToString(point[33:]))
	hs := func(header string, secret []byte) string {
		input := b64.EncodeToString([]byte(header)) + "." + parts[1]
		mac := hmac.New(sha256.New, secret)
		_, _ = mac.Write([]byte(input))
		return input + "." + b64.EncodeToString(mac.Sum(nil))
	}
	s := unb64(t, parts[2])
	high := new(big.Int).Sub(elliptic.P256().Params().N, new(big.Int).SetBytes(s[32:]))
	der := append([]byte{0x30, 0x44, 2, 0x20}, s...)
	full, err := json.Marshal(map[string]string{"protected": parts[0], "payload": parts[1], "signature": parts[2]})
	if err != nil {
		t.Fatal(err)
	}
	several := fmt.Sprintf(`{"payload":"%s","signatures":[{"protected":"%s","signature":"%s"},{"protected":"%s","signature":"%s"}]}`, parts[1], parts[0], parts[2], parts[0], parts[2])
	tests := map[string]struct {
		file string
		want error
	}{
		"alg none":                            {b64.EncodeToString([]byte(`{"alg":"none","kid":"`+key.ID+`","typ":"consent-receipt+jws"}`)) + "." + parts[1] + ".", receipt.ErrNotSigned},
		"alg none, with the signature":        {b64.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "." + parts[2], receipt.ErrNotSigned},
		"no alg":                              {sign(key, `{"kid":"`+key.ID+`","typ":"consent-receipt+jws"}`, plain), receipt.ErrNotSigned},
		"HS256 under the public key":          {hs(strings.Replace(header(""), "ES256", "HS256", 1), jwks), receipt.ErrNotSigned},
		"ES384":                               {sign(key, strings.Replace(header(""), "ES256", "ES384", 1), plain), receipt.ErrNotSigned},
		"another key":                         {sign(other, header(""), plain), receipt.ErrChanged},
		"another key by its own name":         {sign(other, strings.ReplaceAll(header(""), key.ID, other.ID), plain), receipt.ErrUnknownKey},
		"another key that it brings (jwk)":    {sign(other, strings.ReplaceAll(header(`,"jwk":`+otherJWK), key.ID, other.ID), plain), receipt.ErrUnknownKey},
		"our key's name, another jwk":         {sign(other, header(`,"jwk":`+otherJWK), plain), receipt.ErrChanged},
		"our signature, and a jwk":            {sign(key, header(`,"jwk":`+otherJWK), plain), receipt.ErrChanged},
		"our signature, and a jku":            {sign(key, header(`,"jku":"https://elsewhere.example.net/jwks.json"`), plain), receipt.ErrChanged},
		"our signature, and an x5u":           {sign(key, header(`,"x5u":"https://elsewhere.example.net/cert.pem"`), plain), receipt.ErrChanged},
		"our signature, and an x5c":           {sign(key, header(`,"x5c":["AAAA"]`), plain), receipt.ErrNotSigned},
		"our signature, and a crit":           {sign(key, header(`,"crit":["exp"],"exp":1`), plain), receipt.ErrChanged},
		"our signature, and b64 false":        {sign(key, header(`,"b64":false,"crit":["b64"]`), plain), receipt.ErrChanged},
		"our signature, and anything":         {sign(key, header(`,"x":1`), plain), receipt.ErrChanged},
		"no kid":                              {sign(key, `{"alg":"ES256","typ":"consent-receipt+jws"}`, plain), receipt.ErrUnknownKey},
		"another typ":                         {sign(key, strings.Replace(header(""), "consent-receipt+jws", "JWT", 1), plain), receipt.ErrChanged},
		"no typ":                              {sign(key, `{"alg":"ES256","kid":"`+key.ID+`"}`, plain), receipt.ErrChanged},
		"another order of the headers":        {sign(key, `{"kid":"`+key.ID+`","alg":"ES256","typ":"consent-receipt+jws"}`, plain), receipt.ErrChanged},
		"a space in the header":               {sign(key, strings.Replace(header(""), ",", ", ", 1), plain), receipt.ErrChanged},
		"an escape in the header":             {sign(key, strings.Replace(header(""), "ES256", `\u0045S256`, 1), plain), receipt.ErrChanged},
		"an escape in a header's name":        {sign(key, strings.Replace(header(""), `"alg"`, `"\u0061lg"`, 1), plain), receipt.ErrChanged},
		"a header twice":                      {sign(key, header(`,"alg":"ES256"`), plain), receipt.ErrNotSigned},
		"a header in capitals":                {sign(key, strings.Replace(header(""), `"alg"`, `"ALG"`, 1), plain), receipt.ErrNotSigned},
		"a header that is none":               {sign(key, `[]`, plain), receipt.ErrNotSigned},
		"the other s":                         {parts[0] + "." + parts[1] + "." + b64.EncodeToString(slices.Concat(s[:32], high.FillBytes(make([]byte, 32)))), receipt.ErrChanged},
		"the signature in DER":                {parts[0] + "." + parts[1] + "." + b64.EncodeToString(der), receipt.ErrChanged},
		"a signature of zeros":                {parts[0] + "." + parts[1] + "." + b64.EncodeToString(make([]byte, 64)), receipt.ErrChanged},
		"no signature":                        {parts[0] + "." + parts[1] + ".", receipt.ErrChanged},
		"no payload":                          {parts[0] + ".." + parts[2], receipt.ErrChanged},
		"base64 with padding":                 {parts[0] + "=." + parts[1] + "." + parts[2], receipt.ErrNotSigned},
		"base64 of the other alphabet":        {strings.ReplaceAll(sign(key, header(""), []byte(`{"a":"???>>>???"}`)), "_", "/"), receipt.ErrNotSigned},
		"a line break in base64":              {parts[0] + "." + parts[1][:40] + "\n" + parts[1][40:] + "." + parts[2], receipt.ErrChanged},
		"the JSON serialisation":              {string(full), receipt.ErrNotSigned},
		"two signatures":                      {several, receipt.ErrNotSigned},
		"a detached payload":                  {parts[0] + ".." + parts[2], receipt.ErrChanged},
		"four parts":                          {jws + "." + parts[2], receipt.ErrNotSigned},
		"five parts":                          {jws + "..", receipt.ErrNotSigned},
		"what is not JSON":                    {sign(key, header(""), []byte("not JSON")), receipt.ErrNotSigned},
		"nothing":                             {"", receipt.ErrNotSigned},
		"dots":                                {"..", receipt.ErrNotSigned},
		"the receipt, not signed":             {string(plain), receipt.ErrNotSigned},
		"a very long file":                    {strings.Repeat("A", 1<<21), receipt.ErrNotSigned},
		"another receipt under the signature": {parts[0] + "." + b64.EncodeToString(bytes.Replace(plain, []byte("ConsentGiven"), []byte("ConsentRefused"), 1)) + "." + parts[2], receipt.ErrChanged},
	}
	for name, c := range tests {
		b, err := receipt.Verify(c.file, jwks)
		if !errors.Is(err, c.want) || b != nil {
			t.Errorf("%s: Verify = %.40q, %v, want %v", name, b, err, c.want)
		}
	}
}

func TestEarlierKeysGoOnChecking(t *testing.T) {
	t.Parallel()
	jws, plain, _ := signed(t)
	m := letters(t)
	m.Ring = ringOf(t, 3)
	jwks, err := m.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := receipt.Verify(jws, jwks); err != nil || !bytes.Equal(b, plain) {
		t.Errorf("what the first key signed does not check among three: %v", err)
	}
	later, err := m.Sign(plain)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := receipt.Verify(later, jwks); err != nil {
		t.Errorf("what the third key signed does not check: %v", err)
	}
	_, _, early := signed(t)
	if _, err := receipt.Verify(later, early); !errors.Is(err, receipt.ErrUnknownKey) {
		t.Errorf("keys from before the third: %v", err)
	}
}

func TestKeySets(t *testing.T) {
	t.Parallel()
	jws, plain, jwks := signed(t)
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(jwks, &set); err != nil {
		t.Fatal(err)
	}
	own := string(set.Keys[0])
	with := func(keys ...string) []byte { return []byte(`{"keys":[` + strings.Join(keys, ",") + `]}`) }
	good := map[string][]byte{
		"members that nobody knows":         []byte(`{"keys":[` + own + `],"more":1}`),
		"keys of other kinds beside it":     with(`{"kty":"oct","k":"AAAA"}`, `{"kty":"OKP","crv":"X25519","x":"AAAA"}`, `{"kty":"new"}`, `{}`, own),
		"a broken key beside it":            with(`{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}`, own),
		"another name for it":               with(strings.Replace(own, `"kid": "`, `"kid": "x`, 1)),
		"no name for it":                    with(strings.Replace(own, `"kid"`, `"k1d"`, 1)),
		"no alg and no use":                 with(strings.NewReplacer(`"alg"`, `"a1g"`, `"use"`, `"us3"`).Replace(own)),
		"another key by its name before it": with(strings.Replace(otherKey(t), `"kid":"`, `"kid":"zNuF-lLosuZ9qmOyAGaCQOnvdEBuswBmnrx7_7VVk7Y","was":"`, 1), own),
	}
	for name, keys := range good {
		if b, err := receipt.Verify(jws, keys); err != nil || !bytes.Equal(b, plain) {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := map[string]struct {
		keys []byte
		want error
	}{
		"nothing":                 {nil, receipt.ErrKeys},
		"no JSON":                 {[]byte("keys"), receipt.ErrKeys},
		"no keys":                 {[]byte(`{}`), receipt.ErrKeys},
		"an empty set":            {with(), receipt.ErrKeys},
		"a key and no set":        {[]byte(own), receipt.ErrKeys},
		"keys of other kinds":     {with(`{"kty":"oct","k":"AAAA"}`), receipt.ErrKeys},
		"a key for encryption":    {with(strings.Replace(own, `"sig"`, `"enc"`, 1)), receipt.ErrKeys},
		"a key for another alg":   {with(strings.Replace(own, `"ES256"`, `"ES384"`, 1)), receipt.ErrKeys},
		"a private key":           {with(strings.Replace(own, `"kty"`, `"d": "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "kty"`, 1)), receipt.ErrKeys},
		"another key":             {with(otherKey(t)), receipt.ErrUnknownKey},
		"another key by its name": {with(strings.Replace(otherKey(t), `"kid":"`, `"kid":"zNuF-lLosuZ9qmOyAGaCQOnvdEBuswBmnrx7_7VVk7Y","was":"`, 1)), receipt.ErrUnknownKey},
		"a set that is too large": {append(bytes.Repeat([]byte(" "), 1<<20), jwks...), receipt.ErrKeys},
	}
	for name, c := range bad {
		if _, err := receipt.Verify(jws, c.keys); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// otherKey is a public key that signed nothing, as go-jose writes one.
func otherKey(tb testing.TB) string {
	tb.Helper()
	k := seal.NewRing().SigningKeys()[0]
	b, err := json.Marshal(jose.JSONWebKey{Key: k.Public(), KeyID: k.ID, Algorithm: "ES256", Use: "sig"})
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

func TestTheKeySetHasPublicKeysAlone(t *testing.T) {
	t.Parallel()
	m := letters(t)
	m.Ring = ringOf(t, 3)
	jwks, err := m.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(jwks, &set); err != nil {
		t.Fatal(err)
	}
	if len(set.Keys) != 3 {
		t.Fatalf("%d keys", len(set.Keys))
	}
	for i, k := range set.Keys {
		if len(k) != 7 || k["kid"] != m.Ring.SigningKeys()[i].ID {
			t.Errorf("key %d is %v", i, k)
		}
		var of jose.JSONWebKey
		b, err := json.Marshal(k)
		if err != nil {
			t.Fatal(err)
		}
		if err := of.UnmarshalJSON(b); err != nil || !of.IsPublic() {
			t.Errorf("key %d is not public: %v", i, err)
		}
	}
}

func TestOnlyAReceiptIsSigned(t *testing.T) {
	t.Parallel()
	m := letters(t)
	for _, no := range []string{"", "text", `{"a":`, `"` + strings.Repeat("a", 1<<20) + `"`} {
		if jws, err := m.Sign([]byte(no)); err == nil {
			t.Errorf("%.20q was signed: %.40s", no, jws)
		}
	}
}

func FuzzVerify(f *testing.F) {
	m := letters(f)
	jws, plain, jwks := signed(f)
	f.Add(jws, jwks)
	f.Add(jws+"\n", jwks)
	f.Add(strings.TrimRight(jws, "A"), jwks)
	f.Add("eyJhbGciOiJub25lIn0."+b64.EncodeToString(plain)+".", jwks)
	f.Add(string(plain), jwks)
	f.Add(strings.Replace(jws, ".", "..", 1), []byte(`{"keys":[{"kty":"EC"}]}`))
	f.Add(`{"payload":"","signatures":[]}`, []byte(`{"keys":[]}`))
	f.Add("..", []byte(`[]`))
	f.Fuzz(func(t *testing.T, file string, keys []byte) {
		b, err := receipt.Verify(file, keys)
		if err != nil && b != nil {
			t.Error("a receipt was returned beside an error")
		}
		// Nobody who fuzzes has the key: what checks is what was signed, to the letter; an
		// earlier version may have signed another receipt, which a corpus remembers.
		if b, err := receipt.Verify(file, jwks); err == nil {
			if again, err := m.Sign(b); err != nil || again != file {
				t.Errorf("%q checks: %v", file, err)
			}
		}
	})
}

func BenchmarkSign(b *testing.B) {
	m := letters(b)
	plain := mustMake(b, m, given(m.Policy, "news"), receipt.DPV, "en")
	var took []time.Duration
	for b.Loop() {
		at := time.Now()
		if _, err := m.Sign(plain); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(at))
	}
	p50(b, took)
}

func BenchmarkMakeAndSign(b *testing.B) {
	m := letters(b)
	e := given(m.Policy, "news")
	var took []time.Duration
	for b.Loop() {
		at := time.Now()
		if _, err := m.Sign(mustMake(b, m, e, receipt.DPV, "en")); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(at))
	}
	p50(b, took)
}

func BenchmarkVerify(b *testing.B) {
	jws, _, jwks := signed(b)
	var took []time.Duration
	for b.Loop() {
		at := time.Now()
		if _, err := receipt.Verify(jws, jwks); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(at))
	}
	p50(b, took)
}

func p50(b *testing.B, took []time.Duration) {
	b.Helper()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
}
