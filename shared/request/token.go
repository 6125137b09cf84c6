package request

import (
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/seal"
)

// Verb is the one thing a token can do.
type Verb string

// The verbs of tokens. The letters stand in URLs: short links survive mail programs.
const (
	VerifyLink  Verb = "v" // prove the address by pressing the button behind a mailed link
	ConfirmLink Verb = "c" // the same for a new address that a correction names
	DeliverLink Verb = "d" // download the package, once
	Session     Verb = "s" // read and steer one request: the bearer token, and the page to follow it
)

// Token is a derived credential: a MAC over its own parts under the install's
// token key. Nothing of it is stored, a forged one is refused without I/O, and
// it is good for one verb on one request until an instant. What was spent is in
// the request.
type Token struct {
	ID    ID
	Verb  Verb
	N     int // generation of the mail, or for Session the count of proofs
	Until time.Time
}

const (
	maxToken = 160 // characters; ours have about 75
	maxN     = 1 << 20
)

// Mint returns the token's text.
func (s *Service) Mint(t Token) string {
	n, until := strconv.Itoa(t.N), strconv.FormatInt(t.Until.Unix(), 36)
	return strings.Join([]string{string(t.ID), string(t.Verb), n, until, s.mac(string(t.ID), string(t.Verb), n, until)}, ".")
}

func (s *Service) mac(parts ...string) string { return s.Keys.Ring.Token("token", parts...) }

// ParseToken checks a token's text without I/O. It returns ErrBadToken for what
// we did not mint, and ErrLinkGone, or ErrBadToken for a session, for what is too old.
func (s *Service) ParseToken(text string) (Token, error) {
	if len(text) > maxToken {
		return Token{}, ErrBadToken
	}
	parts := strings.Split(text, ".")
	if len(parts) != 5 || !seal.Same(parts[4], s.mac(parts[:4]...)) {
		return Token{}, ErrBadToken
	}
	n, err := strconv.Atoi(parts[2])
	until, err2 := strconv.ParseInt(parts[3], 36, 64)
	if err != nil || err2 != nil || n < 0 || n > maxN {
		return Token{}, ErrBadToken // unreachable with our own MAC, and harmless
	}
	t := Token{ID: ID(parts[0]), Verb: Verb(parts[1]), N: n, Until: time.Unix(until, 0).UTC()}
	if !s.now().Before(t.Until) {
		if t.Verb == Session {
			return Token{}, ErrBadToken
		}
		return Token{}, ErrLinkGone
	}
	return t, nil
}

// codeLife is how long a mailed code works (OWASP ASVS 5.0, 6.5.5), and codeTries how
// often one may be tried; all codes of a request together may be tried allTries times.
const (
	codeLife   = 10 * time.Minute
	codeTries  = 5
	allTries   = 15
	codeDigits = 6
)

// code is the six digits of one generation.
func (s *Service) code(id ID, generation int) string {
	return s.Keys.Ring.Digits(codeDigits, "code", string(id), strconv.Itoa(generation))
}

// sessionUntil is when a session that began at an instant ends.
func (s *Service) sessionUntil(at time.Time) time.Time {
	return at.Add(s.Policy.Verification.SessionPeriod).Truncate(time.Second)
}

// linkToken returns the text of a mailed link's token.
func (s *Service) linkToken(id ID, verb Verb, p Proof) string {
	return s.Mint(Token{ID: id, Verb: verb, N: p.Issued, Until: p.IssuedAt.Add(s.Policy.Verification.LinkPeriod)})
}
