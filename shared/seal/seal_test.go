package seal_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/seal"
)

var ada = personal.MakeIdentity(personal.KindEmail, "Ada@Example.org")

func subject(salt byte) seal.Subject {
	return seal.Subject{ID: "s1", Salt: bytes.Repeat([]byte{salt}, 32), Generation: 1}
}

func TestASealedFieldOpensOnlyWhereAndForWhomItWasSealed(t *testing.T) {
	t.Parallel()
	ring := seal.NewRing()
	at := seal.Place{Item: "request#r1", Field: "person"}
	sealed, err := ring.Seal(subject(1), at, []byte("ada@example.org"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("ada")) {
		t.Error("the plain text shows")
	}
	if plain, err := ring.Unseal(subject(1), at, sealed); err != nil || string(plain) != "ada@example.org" {
		t.Errorf("Unseal = %q, %v", plain, err)
	}
	flipped := bytes.Clone(sealed)
	flipped[len(flipped)-1] ^= 1
	next := subject(1)
	next.Generation = 2
	tests := map[string]struct {
		s  seal.Subject
		at seal.Place
		b  []byte
	}{
		"another subject":      {subject(2), at, sealed},
		"a destroyed salt":     {seal.Subject{ID: "s1", Generation: 1}, at, sealed},
		"another generation":   {next, at, sealed},
		"another item":         {subject(1), seal.Place{Item: "request#r2", Field: "person"}, sealed},
		"another field":        {subject(1), seal.Place{Item: "request#r1", Field: "name"}, sealed},
		"a border moved":       {subject(1), seal.Place{Item: "request#r1p", Field: "erson"}, sealed},
		"a changed byte":       {subject(1), at, flipped},
		"nothing":              {subject(1), at, nil},
		"less than the header": {subject(1), at, sealed[:5]},
	}
	for name, c := range tests {
		if _, err := ring.Unseal(c.s, c.at, c.b); !errors.Is(err, seal.ErrSealed) {
			t.Errorf("%s: err = %v, want ErrSealed", name, err)
		}
	}
	if _, err := seal.NewRing().Unseal(subject(1), at, sealed); !errors.Is(err, seal.ErrSealed) {
		t.Errorf("another ring: err = %v", err)
	}
}

func TestTheRingSurvivesBeingKept(t *testing.T) {
	t.Parallel()
	ring := seal.NewRing()
	again, err := seal.ParseRing(ring.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	if ring.Identifier(ada) != again.Identifier(ada) || ring.Token("link", "r1") != again.Token("link", "r1") {
		t.Error("a kept ring derives other values")
	}
	for _, bad := range []string{"", "{}", `{"identifier":"AAAA","token":"AAAA","data":[]}`} {
		if _, err := seal.ParseRing([]byte(bad)); err == nil {
			t.Errorf("ParseRing(%q) was accepted", bad)
		}
	}
}

func TestKeyedHashes(t *testing.T) {
	t.Parallel()
	ring := seal.NewRing()
	if got := ring.Identifier(personal.MakeIdentity(personal.KindEmail, " ada@example.org")); got != ring.Identifier(ada) {
		t.Error("case and spaces change an address's identifier")
	}
	if ring.Identifier(ada) == ring.Identifier(personal.MakeIdentity(personal.KindAccount, "ada@example.org")) {
		t.Error("two kinds share an identifier")
	}
	if ring.Hash("a", "bc", "d") == ring.Hash("a", "b", "cd") || ring.Hash("a", "b") == ring.Token("a", "b") {
		t.Error("different parts or keys share a hash")
	}
	if len(ring.Token("link", "r1")) < 25 { // 128 bits in base32 are 26 characters
		t.Error("a token is shorter than 128 bits")
	}
	seen := map[string]bool{}
	for i := range 1000 {
		code := ring.Digits(6, "code", fmt.Sprint(i))
		if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
			t.Fatalf("code %q is not six digits", code)
		}
		seen[code] = true
	}
	if len(seen) < 990 {
		t.Errorf("1000 codes hold %d different ones", len(seen))
	}
}

func TestTheRingIsNotPrinted(t *testing.T) {
	t.Parallel()
	ring := seal.NewRing()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, ring); got != "[key ring]" {
			t.Errorf("%s prints %q", verb, got)
		}
	}
}
