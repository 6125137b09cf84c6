package operate

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// issuer is one of operators' tokens, as the wire has it, and the browser of somebody
// who signs in there.
type issuer struct {
	*httptest.Server
	t         *testing.T
	challenge string
	nonce     string
	redeemed  int

	// What it does otherwise than it should.
	calls    string // whom it says that it is
	says     string // to the browser, instead of a code
	forges   string // state
	replays  string // nonce
	audience any
	client   string
	idFor    string
	age      time.Duration
	insecure bool
}

const client = "client-1"

func openIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{t: t, client: client, idFor: client}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /pool/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		name := i.URL + "/pool"
		if i.calls != "" {
			name = i.calls
		}
		token := i.URL + "/token"
		if i.insecure {
			token = "http://issuer.example.com/token"
		}
		say(w, map[string]string{"issuer": name, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": token})
	})
	mux.HandleFunc("POST /token", i.token)
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		i.t.Error(err)
	}
	i.redeemed++
	sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	if r.PostForm.Get("code") != "code-1" || r.PostForm.Get("client_id") != client || r.PostForm.Get("redirect_uri") != SignInAt ||
		r.PostForm.Get("grant_type") != "authorization_code" || base64.RawURLEncoding.EncodeToString(sum[:]) != i.challenge {
		w.WriteHeader(http.StatusBadRequest)
		say(w, map[string]string{"error": "invalid_grant"})
		return
	}
	nonce := i.nonce
	if i.replays != "" {
		nonce = i.replays
	}
	exp := today.Add(time.Hour - i.age).Unix()
	say(w, map[string]string{
		"access_token": i.jwt(map[string]any{"iss": i.URL + "/pool", "sub": "op-1", "client_id": i.client, "aud": i.audience, "exp": exp, "token_use": "access"}),
		"id_token":     i.jwt(map[string]any{"iss": i.URL + "/pool", "sub": "op-1", "aud": i.idFor, "nonce": nonce, "exp": exp}),
	})
}

func (i *issuer) jwt(claims map[string]any) string {
	b, err := json.Marshal(claims)
	if err != nil {
		i.t.Error(err)
	}
	return "e30." + base64.RawURLEncoding.EncodeToString(b) + ".c2ln"
}

// browse is what the browser does with the address that is shown.
func (i *issuer) browse(address, back string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	q := u.Query()
	if q.Get("response_type") != "code" || q.Get("client_id") != client || q.Get("code_challenge_method") != "S256" || q.Get("redirect_uri") != SignInAt || !strings.HasPrefix(q.Get("scope"), "openid") {
		i.t.Errorf("the browser is led to %s", address)
	}
	i.challenge, i.nonce = q.Get("code_challenge"), q.Get("nonce")
	answer := url.Values{"state": {q.Get("state")}, "code": {"code-1"}}
	if i.says != "" {
		answer.Del("code")
		answer.Set("error", i.says)
	}
	if i.forges != "" {
		answer.Set("state", i.forges)
	}
	go func() {
		resp, err := http.Get(back + "/callback?" + answer.Encode())
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}()
	return nil
}

// signIn has somebody sign in.
func (i *issuer) signIn(t *testing.T) (Session, error) {
	t.Helper()
	in, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := Login{
		Issuer: i.URL + "/pool", Client: client, Web: i.Client(), Now: func() time.Time { return today },
		Listen: func() ([]net.Listener, error) { return []net.Listener{in}, nil },
	}
	return l.SignIn(t.Context(), func(address string) error { return i.browse(address, "http://"+in.Addr().String()) })
}

func TestAnOperatorSignsIn(t *testing.T) {
	t.Parallel()
	i := openIssuer(t)
	s, err := i.signIn(t)
	if err != nil {
		t.Fatal(err)
	}
	c, _ := claimsOf(s.Token)
	if s.Who != "op-1" || !s.Until.Equal(today.Add(time.Hour)) || c.Client != client {
		t.Errorf("%+v, %+v", s, c)
	}
}

// An issuer whose access tokens are for somebody else gives an id token for us.
func TestTheTokenThatTheInstallationTakesIsChosen(t *testing.T) {
	t.Parallel()
	i := openIssuer(t)
	i.client, i.audience = "", []string{"https://api.example.com"}
	s, err := i.signIn(t)
	if c, _ := claimsOf(s.Token); err != nil || len(c.Audience) != 1 || c.Audience[0] != client {
		t.Errorf("%v, %+v", err, c)
	}
	i.audience = []string{"https://other.example.com", client}
	s, err = i.signIn(t)
	if c, _ := claimsOf(s.Token); err != nil || len(c.Audience) != 2 {
		t.Errorf("%v, %+v", err, c)
	}
}

func TestASignInThatIsNotOursGivesNoToken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		does func(*issuer)
		says string
	}{
		"the issuer is another":        {func(i *issuer) { i.calls = "https://evil.example.com" }, "whose tokens it issues cannot be told"},
		"it wants the code in clear":   {func(i *issuer) { i.insecure = true }, "no https address"},
		"it lets nobody in":            {func(i *issuer) { i.says = "access_denied\x1b[31m" }, "the issuer let nobody in: access_denied[31m"},
		"the token is of another flow": {func(i *issuer) { i.replays = "old" }, "for another sign-in"},
		"the token is over":            {func(i *issuer) { i.age = 2 * time.Hour }, "over already"},
	} {
		i := openIssuer(t)
		c.does(i)
		if s, err := i.signIn(t); err == nil || s.Token != "" || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNoTokenOfTheIssuersIsForUs(t *testing.T) {
	t.Parallel()
	i := openIssuer(t)
	i.client, i.idFor = "client-2", "client-2"
	if s, err := i.signIn(t); err == nil || s.Token != "" || !strings.Contains(err.Error(), "compare OperatorIssuer and OperatorAudience") {
		t.Errorf("tokens for somebody else are taken: %v", err)
	}
}

// A page that lets the browser come back with another state is not heard, and does not
// end what is waited for.
func TestAForgedReturnIsNotHeard(t *testing.T) {
	t.Parallel()
	in, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := serve([]net.Listener{in}, "right")
	defer r.close()
	at := "http://" + in.Addr().String() + "/callback?code=c&state="
	resp, err := http.Get(at + "wrong")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest || len(r.came) != 0 {
		t.Errorf("a forged return is answered %s", resp.Status)
	}
	resp, err = http.Get(at + "right")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK || (<-r.came).code != "c" {
		t.Errorf("the right one is answered %s", resp.Status)
	}
}

func TestTheStackSaysWhereToSignIn(t *testing.T) {
	t.Parallel()
	a := healthy(t)
	account := a.open()
	s, err := account.Stack(t.Context(), stackName)
	if err != nil {
		t.Fatal(err)
	}
	if l, err := account.Login(s); err != nil || l.Issuer != a.URL+"/pool" || l.Client != client {
		t.Errorf("%+v, %v", l, err)
	}
	delete(s.Outputs, "SignInIssuer")
	if _, err := account.Login(s); err == nil || !strings.Contains(err.Error(), "SignInIssuer") {
		t.Errorf("err = %v", err)
	}
}
