package consent

import (
	"errors"
	"strings"
	"testing"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/seal"
)

func minter(ring *seal.Ring) *Service {
	return &Service{Keys: seal.Keys{Ring: ring}, Now: func() time.Time { return noon }, BaseURL: "https://desk.example.org"}
}

func TestALinkIsReadAsItWasMinted(t *testing.T) {
	t.Parallel()
	s := minter(seal.NewRing())
	id := s.Keys.Ring.Identifier(ada)
	long := identity(personal.KindEmail, strings.Repeat("a", personal.MaxEmail-12)+"@example.org")
	for _, want := range []Link{
		{Identifier: id, Verb: PreferLink, Until: noon.Add(time.Hour)},
		{Identifier: id, Verb: PreferLink, Until: noon.Add(time.Hour), Who: ada},
		{Identifier: id, Verb: UnsubscribeLink, Purpose: "news_letter-2"},
		{Identifier: id, Verb: UnsubscribeLink, Purpose: strings.Repeat("a", 40), Who: ada},
		{Identifier: s.Keys.Ring.Identifier(long), Verb: UnsubscribeLink, Purpose: "newsletter", Who: long},
		{Identifier: id, Verb: ConfirmLink, N: 3, Until: noon.Add(time.Hour), Who: ada},
	} {
		text := s.Mint(want)
		got, err := s.ParseLink(text)
		if err != nil || got != want || len(text) > maxToken {
			t.Errorf("%+v, %v; want %+v (%d characters)", got, err, want, len(text))
		}
		if strings.Contains(text, "ada") || strings.ContainsAny(text, "@/+=%") {
			t.Errorf("%s cannot stand in an address, or names somebody", text)
		}
		if _, err := minter(seal.NewRing()).ParseLink(text); !errors.Is(err, ErrBadToken) {
			t.Errorf("%s of another installation: %v", want.Verb, err)
		}
		for i := range text {
			changed := []byte(text)
			changed[i] ^= 1
			if _, err := s.ParseLink(string(changed)); !errors.Is(err, ErrBadToken) {
				t.Fatalf("%s with a changed character at %d: %v", want.Verb, i, err)
			}
		}
		if want.Until.IsZero() {
			continue
		}
		want.Until = noon
		if _, err := s.ParseLink(s.Mint(want)); !errors.Is(err, ErrLinkGone) {
			t.Errorf("%s at its end: %v", want.Verb, err)
		}
	}
	for _, n := range []int{-1, maxN + 1} {
		if _, err := s.ParseLink(s.Mint(Link{Identifier: id, Verb: ConfirmLink, N: n})); !errors.Is(err, ErrBadToken) {
			t.Errorf("generation %d: %v", n, err)
		}
	}
	for _, bad := range []string{"", ".", "......", strings.Repeat(".", 200), strings.Repeat("x", 1<<20), "i.p..0.0.."} {
		if _, err := s.ParseLink(bad); !errors.Is(err, ErrBadToken) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

// A link says whom it is for in a way that fits no other link.
func TestWhomALinkNamesFitsNoOther(t *testing.T) {
	t.Parallel()
	s := minter(seal.NewRing())
	l := Link{Identifier: s.Keys.Ring.Identifier(ada), Verb: PreferLink, Who: ada}
	parts := strings.Split(s.Mint(l), ".")
	parts[0] = string(s.Keys.Ring.Identifier(grace))
	parts[6] = s.mac(parts[:6])
	if got, err := s.ParseLink(strings.Join(parts, ".")); !errors.Is(err, ErrBadToken) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestALinkDoesOneThing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.chose(ada, Granted, "newsletter")
	for _, verb := range []Verb{PreferLink, UnsubscribeLink, ConfirmLink} {
		l := Link{Identifier: d.Keys.Ring.Identifier(ada), Verb: verb, Purpose: "newsletter", N: 1, Who: ada}
		does := map[Verb]func() error{
			PreferLink: func() error {
				_, err := d.Show(d.ctx(), l, Signals{})
				_, err2 := d.Switch(d.ctx(), l, Change{Stops: nil, WithdrawAll: true})
				_, err3 := d.EvidenceBy(d.ctx(), l, "s.1")
				if errors.Is(err, ErrBadToken) != errors.Is(err2, ErrBadToken) || errors.Is(err2, ErrBadToken) != errors.Is(err3, ErrBadToken) {
					t.Errorf("%s: %v, %v, %v", verb, err, err2, err3)
				}
				return err
			},
			UnsubscribeLink: func() error { return d.Unsubscribe(d.ctx(), l) },
			ConfirmLink:     func() error { _, err := d.Confirm(d.ctx(), l); return err },
		}
		for can, do := range does {
			if err := do(); errors.Is(err, ErrBadToken) == (can == verb) {
				t.Errorf("a link to %s, asked to %s: %v", verb, can, err)
			}
		}
	}
}

func TestVisitors(t *testing.T) {
	t.Parallel()
	s := minter(seal.NewRing())
	seen := map[string]bool{}
	for range 1000 {
		id := s.NewVisitor().Reveal()
		if seen[id] || len(id) != 53 {
			t.Fatalf("visitor %s", id)
		}
		seen[id] = true
		if i, ok := s.Visitor(id); !ok || i.Kind != KindVisitor || i.Reveal() != id {
			t.Fatalf("%s is not known", id)
		}
		if _, ok := minter(seal.NewRing()).Visitor(id); ok {
			t.Fatal("it is known to another installation")
		}
	}
	id := s.NewVisitor().Reveal()
	for i := range id {
		changed := []byte(id)
		changed[i] ^= 1
		if _, ok := s.Visitor(string(changed)); ok {
			t.Errorf("with a changed character at %d it is known", i)
		}
	}
	for _, bad := range []string{"", "v", id + "x", " " + id, id[:52], strings.Repeat("\xff", 53), strings.Repeat("x", 1<<20)} {
		if _, ok := s.Visitor(bad); ok {
			t.Errorf("%.20q is known", bad)
		}
	}
}

// FuzzParseLink looks for a text that passes although nobody minted it, and for one that makes it fall.
func FuzzParseLink(f *testing.F) {
	s := minter(seal.NewRing())
	l := Link{Identifier: s.Keys.Ring.Identifier(ada), Verb: PreferLink, Until: noon.Add(time.Hour), Who: ada}
	good := s.Mint(l)
	for _, seed := range []string{good, good + ".", strings.Replace(good, ".p.", ".u.", 1), "i1.p..0.0..", "......", "", s.NewVisitor().Reveal()} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := s.ParseLink(text)
		switch {
		case err == nil && (text != good || got != l):
			t.Errorf("%q was never minted, and is read as %+v", text, got)
		case err != nil && !errors.Is(err, ErrBadToken) && !errors.Is(err, ErrLinkGone):
			t.Errorf("%q: %v", text, err)
		}
		if i, ok := s.Visitor(text); ok && i.Reveal() != text {
			t.Errorf("visitor %q is read as %q", text, i.Reveal())
		}
	})
}
