package request

import (
	"errors"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/seal"
)

func minter(ring *seal.Ring) *Service {
	return &Service{Keys: seal.Keys{Ring: ring}, Now: func() time.Time { return planned }}
}

func TestATokenIsReadAsItWasMinted(t *testing.T) {
	t.Parallel()
	s := minter(seal.NewRing())
	id := ID("r" + s.Keys.Ring.Hash("request", "x"))
	for _, verb := range []Verb{VerifyLink, ConfirmLink, DeliverLink, Session} {
		want := Token{ID: id, Verb: verb, N: 3, Until: planned.Add(time.Hour)}
		text := s.Mint(want)
		got, err := s.ParseToken(text)
		if err != nil || got != want || len(text) > maxToken {
			t.Errorf("%s: %+v, %v; want %+v", verb, got, err, want)
		}
		late := want
		late.Until = planned
		gone := ErrLinkGone
		if verb == Session {
			gone = ErrBadToken
		}
		if _, err := s.ParseToken(s.Mint(late)); !errors.Is(err, gone) {
			t.Errorf("%s at its end: %v, want %v", verb, err, gone)
		}
		if _, err := minter(seal.NewRing()).ParseToken(text); !errors.Is(err, ErrBadToken) {
			t.Errorf("%s of another installation: %v", verb, err)
		}
		for i := range text {
			changed := []byte(text)
			changed[i] ^= 1
			if _, err := s.ParseToken(string(changed)); !errors.Is(err, ErrBadToken) {
				t.Fatalf("%s with a changed character at %d: %v", verb, i, err)
			}
		}
	}
	for _, n := range []int{-1, maxN + 1} {
		if _, err := s.ParseToken(s.Mint(Token{ID: id, Verb: Session, N: n, Until: planned.Add(time.Hour)})); !errors.Is(err, ErrBadToken) {
			t.Errorf("generation %d: %v", n, err)
		}
	}
	for _, bad := range []string{"", ".", "....", strings.Repeat(".", 200), strings.Repeat("x", 1<<20), "r.s.1.zzz"} {
		if _, err := s.ParseToken(bad); !errors.Is(err, ErrBadToken) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

// FuzzParseToken looks for a text that passes although nobody minted it, and for one that makes it fall.
func FuzzParseToken(f *testing.F) {
	s := minter(seal.NewRing())
	good := s.Mint(Token{ID: "r1", Verb: Session, N: 1, Until: planned.Add(time.Hour)})
	for _, seed := range []string{good, good + ".", strings.Replace(good, ".s.", ".v.", 1), "r1.s.1.zzz.", "....", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := s.ParseToken(text)
		switch {
		case err == nil && s.Mint(got) != text:
			t.Errorf("%q is read as %+v, which is minted as %q", text, got, s.Mint(got))
		case err != nil && !errors.Is(err, ErrBadToken) && !errors.Is(err, ErrLinkGone):
			t.Errorf("%q: %v", text, err)
		case err == nil && text != good:
			t.Errorf("%q was never minted", text)
		}
	})
}
