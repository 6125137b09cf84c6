package consent

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/seal"
)

// Link is what a mailed or derived address lets its holder do.
type Link struct {
	Identifier seal.Identifier
	Verb       Verb
	Purpose    string    // for UnsubscribeLink: the mailing list
	N          int       // generation, for ConfirmLink; for PreferLink 1 if it was mailed, so that who has it owns the address
	Until      time.Time // zero: for ever
	// Who is the identity itself, so that sources can be told of what its holder
	// chooses. It travels sealed, and may be left out: then they are told only
	// where somebody names the identity.
	Who personal.Identity
}

// Verb is the one thing a link can do.
type Verb string

// The verbs. The letters stand in URLs.
const (
	PreferLink      Verb = "p" // see and change one's own choices
	UnsubscribeLink Verb = "u" // end one mailing list; for ever
	ConfirmLink     Verb = "c" // make a pending consent count
)

const (
	maxToken = 700 // characters; those with an address have about 220
	maxN     = 1 << 20
)

// Mint returns a link's token: a MAC over its own parts under the installation's
// token key. Nothing of it is stored, and a forged one is refused without I/O.
func (s *Service) Mint(l Link) string {
	until := "0"
	if !l.Until.IsZero() {
		until = strconv.FormatInt(l.Until.Unix(), 36)
	}
	parts := []string{string(l.Identifier), string(l.Verb), l.Purpose, strconv.Itoa(l.N), until, s.carried(l)}
	return strings.Join(append(parts, s.mac(parts)), ".")
}

func (s *Service) mac(parts []string) string { return s.Keys.Ring.Token("consent link", parts...) }

// carried is the identity as it travels in a link. It is sealed under the data key
// alone, and no salt: whoever holds the link is who it names, and nothing of it is
// kept here that could have to be erased.
func (s *Service) carried(l Link) string {
	if l.Who.Kind == "" || len(l.Who.Reveal()) > personal.MaxEmail {
		return ""
	}
	sealed, err := s.Keys.Ring.Seal(carrier(l.Identifier), carriedAt, []byte(string(l.Who.Kind)+"\n"+l.Who.Reveal()))
	if err != nil {
		return "" // the link works without
	}
	return base64.RawURLEncoding.EncodeToString(sealed)
}

var carriedAt = seal.Place{Item: "link", Field: fieldWho}

func carrier(id seal.Identifier) seal.Subject { return seal.Subject{Salt: []byte(id)} }

// ParseLink checks a token without I/O. It returns ErrBadToken for what we did not
// mint, and ErrLinkGone for what is too old.
func (s *Service) ParseLink(text string) (Link, error) {
	if len(text) > maxToken {
		return Link{}, ErrBadToken
	}
	parts := strings.Split(text, ".")
	if len(parts) != 7 || !seal.Same(parts[6], s.mac(parts[:6])) {
		return Link{}, ErrBadToken
	}
	n, err := strconv.Atoi(parts[3])
	until, err2 := strconv.ParseInt(parts[4], 36, 64)
	if err != nil || err2 != nil || n < 0 || n > maxN {
		return Link{}, ErrBadToken // unreachable with our own MAC, and harmless
	}
	l := Link{Identifier: seal.Identifier(parts[0]), Verb: Verb(parts[1]), Purpose: parts[2], N: n}
	if parts[5] != "" {
		if l.Who, err = s.uncarried(l.Identifier, parts[5]); err != nil {
			return Link{}, ErrBadToken
		}
	}
	if until != 0 {
		if l.Until = time.Unix(until, 0).UTC(); !s.now().Before(l.Until) {
			return Link{}, ErrLinkGone
		}
	}
	return l, nil
}

func (s *Service) uncarried(id seal.Identifier, text string) (personal.Identity, error) {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return personal.Identity{}, err
	}
	plain, err := s.Keys.Ring.Unseal(carrier(id), carriedAt, sealed)
	if err != nil {
		return personal.Identity{}, err
	}
	kind, value, _ := strings.Cut(string(plain), "\n")
	return personal.MakeIdentity(personal.Kind(kind), value), nil
}

// PreferenceLink returns the token that an app hands to who is signed in there.
// What wants the word of an address's owner still waits for a mail to it.
func (s *Service) PreferenceLink(i personal.Identity, until time.Time) string {
	return s.Mint(Link{Identifier: s.Keys.Ring.Identifier(i), Verb: PreferLink, Until: until, Who: i})
}

var base32Lower = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// visitorRandom is how many characters of a visitor's id are random: 128 bits.
const visitorRandom = 26

// NewVisitor returns a fresh anonymous id: random, with a MAC, so that nobody
// fills the store with ids of their own making.
func (s *Service) NewVisitor() personal.Identity {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (Go 1.24)
	return s.visitor(base32Lower.EncodeToString(b[:]))
}

func (s *Service) visitor(random string) personal.Identity {
	return personal.MakeIdentity(KindVisitor, "v"+random+s.Keys.Ring.Token("visitor", random))
}

// Visitor checks an id that a browser sent, without I/O.
func (s *Service) Visitor(id string) (personal.Identity, bool) {
	if len(id) != 1+2*visitorRandom || !seal.Same(s.visitor(id[1:1+visitorRandom]).Reveal(), id) {
		return personal.Identity{}, false
	}
	return personal.MakeIdentity(KindVisitor, id), true
}
