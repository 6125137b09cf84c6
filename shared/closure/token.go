package closure

import (
	"strconv"
	"strings"
	"time"

	"rightsdesk/shared/personal"
	"rightsdesk/shared/seal"
)

// Verb is the one thing a token can do.
type Verb string

// The verbs of tokens. The letters stand in URLs.
const (
	ConfirmLink Verb = "c" // close the account, by pressing the button behind a mailed link
	CancelLink  Verb = "k" // keep it, in the same way
	Session     Verb = "s" // read and take back one closure: the bearer token
)

// Token is a derived credential: a MAC over its own parts under the installation's
// token key. Nothing of it is stored, and a forged one is refused without I/O.
type Token struct {
	ID    ID
	Verb  Verb
	Until time.Time
}

const maxToken = 160 // characters; ours have about 75

// Mint returns the token's text.
func (s *Service) Mint(t Token) string {
	until := strconv.FormatInt(t.Until.Unix(), 36)
	return strings.Join([]string{string(t.ID), string(t.Verb), until, s.mac(string(t.ID), string(t.Verb), until)}, ".")
}

func (s *Service) mac(parts ...string) string { return s.Keys.Ring.Token("closure", parts...) }

// ParseToken checks a token's text without I/O. It returns ErrBadToken for what we
// did not mint, and ErrLinkGone, or ErrBadToken for a session, for what is too old.
func (s *Service) ParseToken(text string) (Token, error) {
	if len(text) > maxToken {
		return Token{}, ErrBadToken
	}
	parts := strings.Split(text, ".")
	if len(parts) != 4 || !seal.Same(parts[3], s.mac(parts[:3]...)) {
		return Token{}, ErrBadToken
	}
	until, err := strconv.ParseInt(parts[2], 36, 64)
	if err != nil {
		return Token{}, ErrBadToken // unreachable with our own MAC, and harmless
	}
	t := Token{ID: ID(parts[0]), Verb: Verb(parts[1]), Until: time.Unix(until, 0).UTC()}
	if !s.now().Before(t.Until) {
		if t.Verb == Session {
			return Token{}, ErrBadToken
		}
		return Token{}, ErrLinkGone
	}
	return t, nil
}

// cancelURL is where a closure is taken back.
func (s *Service) cancelURL(c Closure) string {
	return s.url(Token{ID: c.ID, Verb: CancelLink, Until: c.ClosesAt})
}

func (s *Service) url(t Token) string { return s.BaseURL + "/x/" + s.Mint(t) }

func (s *Service) link(t Token) personal.Text { return personal.MakeText(s.url(t)) }

// session is a token of who confirmed, as of then.
func (s *Service) session(c Closure) (token string, until time.Time) {
	until = c.Confirmed.Add(s.Policy.Verification.SessionPeriod).Truncate(time.Second)
	return s.Mint(Token{ID: c.ID, Verb: Session, Until: until}), until
}
