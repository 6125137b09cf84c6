package operate

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// SignInAt is where the browser comes back to. The stack's own user pool lets it come
// back nowhere else, and it has to be named so in any other issuer.
const SignInAt = "http://localhost:8976/callback"

// patience is how long somebody may take to type their password and their code.
const patience = 5 * time.Minute

// Login is an issuer of operators' tokens, and for whom it issues them.
type Login struct {
	Issuer, Client string
	Scopes         string // beside openid
	Web            *http.Client
	Now            func() time.Time
	// Listen opens the port that the browser comes back to; nil: that of SignInAt.
	Listen func() ([]net.Listener, error)
}

// Login returns that of an installation.
func (a *Account) Login(s *Stack) (Login, error) {
	issuer, err := s.output("SignInIssuer")
	if err != nil {
		return Login{}, err
	}
	client, err := s.output("SignInClient")
	return Login{Issuer: issuer, Client: client, Web: a.web(), Now: a.Now}, err
}

// Session is what somebody got who signed in.
type Session struct {
	Token string // for the header Authorization: Bearer
	Who   string // its sub
	Until time.Time
}

// SignIn has somebody sign in with a browser, by the authorization code flow with PKCE
// (RFC 7636, RFC 8252). Show is handed the address to open. Nothing is written to disk.
func (l Login) SignIn(ctx context.Context, show func(address string) error) (Session, error) {
	found, err := l.discover(ctx)
	if err != nil {
		return Session{}, err
	}
	listeners, err := l.listen()
	if err != nil {
		return Session{}, err
	}
	state, nonce, verifier := rand.Text(), rand.Text(), rand.Text()+rand.Text()
	challenge := sha256.Sum256([]byte(verifier))
	query := url.Values{
		"response_type": {"code"}, "client_id": {l.Client}, "redirect_uri": {SignInAt}, "scope": {strings.TrimSpace("openid " + l.Scopes)},
		"state": {state}, "nonce": {nonce}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	codes := serve(listeners, state)
	defer codes.close() //nolint:contextcheck // the browser reads its page also when the time is over
	address := found.Authorization
	if strings.Contains(address, "?") {
		address += "&" + query.Encode()
	} else {
		address += "?" + query.Encode()
	}
	if err := show(address); err != nil {
		return Session{}, err
	}
	select {
	case <-ctx.Done():
		return Session{}, errors.New("nobody signed in within five minutes; say the same again")
	case back := <-codes.came:
		if back.err != nil {
			return Session{}, back.err
		}
		return l.redeem(ctx, found.Token, back.code, verifier, nonce)
	}
}

type discovered struct {
	Issuer        string `json:"issuer"`
	Authorization string `json:"authorization_endpoint"`
	Token         string `json:"token_endpoint"`
}

// discover asks the issuer where to sign in (OpenID Connect Discovery 1.0).
func (l Login) discover(ctx context.Context) (discovered, error) {
	issuer := strings.TrimSuffix(l.Issuer, "/")
	var d discovered
	if err := l.call(ctx, http.MethodGet, issuer+"/.well-known/openid-configuration", nil, &d); err != nil {
		return d, fmt.Errorf("ask the issuer %s where to sign in: %w", issuer, err)
	}
	if strings.TrimSuffix(d.Issuer, "/") != issuer {
		return d, fmt.Errorf("%s says that it is %q: whose tokens it issues cannot be told", issuer, d.Issuer)
	}
	for _, at := range []string{d.Authorization, d.Token} {
		if !private(at) {
			return d, fmt.Errorf("the issuer names %q to sign in at, which is no https address", at)
		}
	}
	return d, nil
}

// private reports whether nobody can listen to calls of an address.
func private(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && ip != nil && ip.IsLoopback()
}

// listen opens the port on both of this machine's own addresses: which of them
// localhost means, browsers disagree about.
func (l Login) listen() ([]net.Listener, error) {
	if l.Listen != nil {
		return l.Listen()
	}
	var all []net.Listener
	var errs []error
	for _, address := range []string{"127.0.0.1:8976", "[::1]:8976"} {
		in, err := net.Listen("tcp", address) //nolint:noctx // it is closed with the flow
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, in)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("listen for the browser to come back; is another sign-in going on? %w", errors.Join(errs...))
	}
	return all, nil
}

// returning is how the browser comes back.
type returning struct {
	came   chan cameBack
	server *http.Server
}

type cameBack struct {
	code string
	err  error
}

func serve(in []net.Listener, state string) *returning {
	r := &returning{came: make(chan cameBack, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /callback", func(w http.ResponseWriter, req *http.Request) {
		q := req.URL.Query()
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		if subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(state)) != 1 {
			http.Error(w, "This is not the sign-in that is waited for.", http.StatusBadRequest)
			return
		}
		back := cameBack{code: q.Get("code")}
		if e := q.Get("error"); e != "" {
			back = cameBack{err: fmt.Errorf("the issuer let nobody in: %s %s", visible(e), visible(q.Get("error_description")))}
		} else if back.code == "" {
			back = cameBack{err: errors.New("the issuer sent the browser back without a code")}
		}
		_, _ = io.WriteString(w, "You can close this page and go back to the terminal.\n") // the browser went away
		select {
		case r.came <- back:
		default: // it came back before
		}
	})
	r.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	for _, l := range in {
		go func() { _ = r.server.Serve(l) }() // until it is closed
	}
	return r
}

// close lets the browser read its page, and ends.
func (r *returning) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if r.server.Shutdown(ctx) != nil {
		_ = r.server.Close() // somebody keeps a connection open
	}
}

// visible is a text of somebody else's without what could play tricks on a terminal.
func visible(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), 300)]
}

// redeem turns the code into tokens, and takes the one that the installation accepts.
func (l Login) redeem(ctx context.Context, at, code, verifier, nonce string) (Session, error) {
	var tokens struct {
		Access string `json:"access_token"`
		ID     string `json:"id_token"`
	}
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {l.Client}, "code": {code}, "redirect_uri": {SignInAt}, "code_verifier": {verifier},
	}
	if err := l.call(ctx, http.MethodPost, at, form, &tokens); err != nil {
		return Session{}, fmt.Errorf("get a token for the code: %w", err)
	}
	// They come from the issuer itself, over TLS, so that the API alone needs to check
	// their signatures (OpenID Connect Core 1.0, 3.1.3.7).
	id, ok := claimsOf(tokens.ID)
	if !ok || id.Nonce != nonce {
		return Session{}, errors.New("the issuer's token is for another sign-in; say the same again")
	}
	for _, token := range []string{tokens.Access, tokens.ID} {
		c, ok := claimsOf(token)
		if !ok || strings.TrimSuffix(c.Issuer, "/") != strings.TrimSuffix(l.Issuer, "/") || c.Client != l.Client && !slices.Contains(c.Audience, l.Client) {
			continue
		}
		until := time.Unix(c.Expires, 0).UTC()
		if !until.After(l.Now()) {
			return Session{}, errors.New("the issuer's token is over already: see that this machine's clock is right")
		}
		return Session{Token: token, Who: c.Subject, Until: until}, nil
	}
	return Session{}, fmt.Errorf("the issuer gave no token of %s for %s: compare OperatorIssuer and OperatorAudience with what it issues", l.Issuer, l.Client)
}

// claims are those of a token that matter here.
type claims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	Client   string   `json:"client_id"`
	Nonce    string   `json:"nonce"`
	Expires  int64    `json:"exp"`
}

// audience is one or several, as the issuer likes.
type audience []string

// UnmarshalJSON takes a text or a list of them.
func (a *audience) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

func claimsOf(token string) (claims, bool) {
	var c claims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c, false
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	return c, err == nil && json.Unmarshal(b, &c) == nil
}

// call makes a call of the issuer's and decodes its answer.
func (l Login) call(ctx context.Context, method, at string, form url.Values, into any) error {
	if !private(at) {
		return fmt.Errorf("%q is no https address", at)
	}
	req, err := http.NewRequestWithContext(ctx, method, at, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := l.Web.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		var no struct {
			Error string `json:"error"`
		}
		_ = json.Unmarshal(b, &no) // without a word its status has to do
		return fmt.Errorf("it answers %s %s", resp.Status, visible(no.Error))
	}
	return json.Unmarshal(b, into)
}
